/* The cell grid and the key map of fnscope top. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "tui/frame.h"
#include "tui/keys.h"
#include "tui/tui.h"

static void printed(const struct frame *f, const char *want)
{
    AUTO(buf_clear) struct buf b = {.max = 10000};

    frame_print(f, &b);
    CHECK_STR(buf_str(&b), str_from(want));
}

static void test_text_stays_in_its_cells(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct frame f = {0};

    frame_init(&f, &a, 8, 3);
    CHECK_INT(frame_text(&f, 0, 0, 5, STR("abcdefgh"), STYLE_PLAIN), 5);
    CHECK_INT(frame_text(&f, 6, 0, 9, STR("xyz"), STYLE_BOLD), 2);
    CHECK_INT(frame_text(&f, 9, 0, 9, STR("out"), STYLE_PLAIN), 0);
    CHECK_INT(frame_text(&f, 0, 7, 9, STR("below"), STYLE_PLAIN), 0);
    frame_right(&f, 0, 1, 8, STR("12"), STYLE_PLAIN);
    CHECK_INT(frame_text(&f, 0, 2, 2, STR("a\xe6\xbc\xa2"), STYLE_PLAIN), 2);
    printed(&f, "abcd\xe2\x80\xa6 x\xe2\x80\xa6\n      12\na\xe2\x80\xa6\n");
    CHECK_INT(f.cells[6].style, STYLE_BOLD);
    frame_fill(&f, 0, STYLE_SELECTED);
    printed(&f, "\n      12\na\xe2\x80\xa6\n");
    CHECK_INT(f.cells[7].style, STYLE_SELECTED);
}

static void test_foreign_text(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf b = {.max = 1000};
    struct frame f = {0};

    frame_init(&f, &a, 20, 1);
    frame_text(&f, 0, 0, 20, STR("\033[2J\x07\xff\xe2\x80\xae!"), STYLE_PLAIN);
    frame_print(&f, &b);
    for (size_t i = 0; i < b.n; i++)
        CHECK((unsigned char)b.p[i] >= 0x20 || b.p[i] == '\n');
    CHECK(str_find(buf_str(&b), STR("\xe2\x80\xae")) == b.n);
}

static void test_bars_and_sparks(void **state)
{
    UNUSED(state);
    static const uint64_t values[] = {0, 1, 2, 4, 8, 8, 0, 0};
    const struct spark s = {.values = values, .n = 8, .style = STYLE_BAR};
    AUTO(arena_clear) struct arena a = {0};
    struct frame f = {0};

    frame_init(&f, &a, 8, 3);
    f.is_ascii = true;
    frame_bar(&f, 0, 0, 8, 500, STYLE_BAR);
    frame_bar(&f, 0, 1, 8, 5000, STYLE_BAR); /* more than all is all */
    frame_spark(&f, 0, 2, 8, &s);
    AUTO(buf_clear) struct buf b = {.max = 1000};
    frame_print(&f, &b);
    struct str rest = buf_str(&b);
    CHECK_INT(str_cut(&rest, '\n').n, 4);
    CHECK_INT(str_cut(&rest, '\n').n, 8);
    CHECK(str_cut(&rest, '\n').n <= 8);
    frame_spark(&f, 0, 2, 0, &s);
}

static bool is_part_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool names(struct str text, struct str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++)
        if (memcmp(text.p + i, word.p, word.n) == 0 &&
            (i == 0 || !is_part_of_word(text.p[i - 1]) || !is_part_of_word(word.p[0])) &&
            (i + word.n == text.n || !is_part_of_word(text.p[i + word.n])))
            return true;
    return false;
}

/* One key does one thing, and the help names it. */
static void test_keys(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf help = {.max = 100000};

    tui_keys_text(&help);
    for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++) {
        AUTO(buf_clear) struct buf label = {.max = 64};
        key_label(k, &label);
        CHECK_INT(key_action(k->key), k->action);
        for (const struct key_binding *o = key_bindings; o->action != ACT_NONE; o++)
            if (o != k && o->key == k->key)
                fail_msg("the key %s is bound twice", label.p);
        if (!names(buf_str(&help), buf_str(&label)))
            fail_msg("the help does not name %s", label.p);
    }
    for (int action = ACT_NONE + 1; action <= ACT_REDRAW; action++) {
        bool is_bound = false;
        for (const struct key_binding *k = key_bindings; k->action != ACT_NONE; k++)
            is_bound = is_bound || (int)k->action == action;
        if (!is_bound)
            fail_msg("no key for action %d", action);
    }
    CHECK_INT(key_action(0x1FFFFF), ACT_NONE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_text_stays_in_its_cells),
    cmocka_unit_test(test_foreign_text),
    cmocka_unit_test(test_bars_and_sparks),
    cmocka_unit_test(test_keys),
};
TEST_MAIN(tests)
