/* The key map: no key twice, every action reachable, labels read back. */
#include "tests/test.h"

#include "tui/keys.h"

static void test_no_key_twice(void **state)
{
    UNUSED(state);
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++)
        for (const struct key_binding *o = k + 1; o->action != ACT_NONE; o++)
            CHECK(k->key != o->key);
}

static void test_every_action_has_a_key_and_help(void **state)
{
    UNUSED(state);
    for (int a = ACT_NONE + 1; a < ACTIONS; a++) {
        bool has_help = false, is_twin = a == ACT_PREVIOUS_ERROR || a == ACT_PREVIOUS_WARNING ||
                                         a == ACT_PREVIOUS_SAME ||
                                         a == ACT_TAB_BACK; /* named with the other direction */
        bool has_key = false;
        for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++) {
            has_key |= (int)k->action == a;
            has_help |= (int)k->action == a && k->help;
        }
        CHECK(has_key);
        CHECK(has_help || is_twin);
    }
}

static void test_labels_are_read_back(void **state)
{
    UNUSED(state);
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++) {
        AUTO(buf_clear) struct buf b = {.max = 64};
        if (k->label)
            buf_addf(&b, "<%s>", k->label);
        else
            key_label(k, &b);
        struct str text = buf_str(&b);
        CHECK_INT(key_parse(&text), k->key);
        CHECK_INT(text.n, 0);
    }
}

static void test_what_is_no_label(void **state)
{
    struct str unknown = STR("<Nothing>x"), bare = STR("<"), sort = STR("<>");
    struct str below = STR("<=5<Enter>"), few = STR("<5 and b>3"), sign = STR("<lt>b>");

    UNUSED(state);
    CHECK_INT(key_parse(&unknown), 0);
    CHECK_INT(key_parse(&bare), '<');
    CHECK_INT(key_parse(&sort), '<');
    CHECK_INT(key_parse(&sort), '>');
    CHECK_INT(key_parse(&below), '<');
    CHECK_STR(below, STR("=5<Enter>"));
    CHECK_INT(key_parse(&few), '<');
    CHECK_INT(key_parse(&sign), '<');
    CHECK_STR(sign, STR("b>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key_twice),
        cmocka_unit_test(test_every_action_has_a_key_and_help),
        cmocka_unit_test(test_labels_are_read_back),
        cmocka_unit_test(test_what_is_no_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
