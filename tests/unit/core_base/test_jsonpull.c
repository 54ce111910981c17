/* The pull reader: what it gives, what it refuses and where, and going on after a bad element. */
#include "tests/test.h"

#include <string.h>

#include "core/base/jsonpull_row.h"
#include "core/base/macros.h"

static void test_reads(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct str key, text = {0};
    int64_t number;
    bool flag;
    struct jp j;

    jp_init(&j,
            STR(" {\"s\":\"a\\u00e9\\ud83d\\ude00\\n\",\"i\":-7,\"t\":\"42\",\"b\":true,"
                "\"x\":[1,{\"y\":null}]} "),
            &a);
    CHECK(jp_enter(&j, '{'));
    CHECK(jp_member(&j, &key) && jp_string(&j, &text));
    CHECK_STR(text, STR("a\xc3\xa9\xf0\x9f\x98\x80\n"));
    CHECK(jp_member(&j, &key) && jp_i64(&j, &number) && number == -7);
    CHECK(jp_member(&j, &key) && jp_i64(&j, &number) && number == 42);
    CHECK(jp_member(&j, &key) && jp_bool(&j, &flag) && flag);
    CHECK(jp_member(&j, &key) && jp_peek(&j) == JP_ARRAY && jp_raw(&j, &text));
    CHECK_STR(text, STR("[1,{\"y\":null}]"));
    CHECK(!jp_member(&j, &key) && !j.error && jp_at_end(&j));
}

/* Strings are read in strides and blocks: an escape is the same wherever it stands in one, and
 * before the end; a copy outlives the page. */
static void test_escapes_anywhere(void **state)
{
    UNUSED(state);
    static const struct {
        const char *written, *read;
    } escapes[] = {
        {"\\n", "\n"},           {"\\\"", "\""},           {"\\\\", "\\"},
        {"\\u00e9", "\xc3\xa9"}, {"\xc3\xa9", "\xc3\xa9"},
    };
    enum { BEFORE = 90, BEHIND = 100, STEP = 3 };
    char plain[BEHIND];

    memset(plain, 'p', sizeof(plain));
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
        for (int n = 0; n < BEFORE * BEHIND; n += STEP) {
            AUTO(arena_clear) struct arena a = {0};
            const int before = n % BEFORE, behind = n / BEFORE;
            const char *w = escapes[i].written, *r = escapes[i].read;
            struct str view = {0}, copy = {0};
            struct jp j;
            struct str page = arena_printf(&a, "[\"%.*s%s%s%.*s\",\"%.*s%s\"]", before, plain, w, w,
                                           behind, plain, before, plain, w);
            jp_init(&j, page, &a);
            CHECK(jp_enter(&j, '[') && jp_element(&j) && jp_string_copy(&j, &copy));
            CHECK(jp_element(&j) && jp_string(&j, &view));
            CHECK_STR(view, arena_printf(&a, "%.*s%s", before, plain, r));
            memset((char *)(uintptr_t)page.p, '#', page.n);
            CHECK_STR(copy, arena_printf(&a, "%.*s%s%s%.*s", before, plain, r, r, behind, plain));
        }
}

static void test_digits(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        bool is_taken;
    } values[] = {
        {"1715666787852,", true},   {"1715666787852}", true},   {"1715666787852", false},
        {"0715666787852,", false},  {"17156667878521,", false}, {"171566678785,", false},
        {"1715666787852 ,", false}, {"17156667.7852,", false},  {"-171566678785,", false},
        {"1715666787a52,", false},  {"\"171566678785,", false}, {"", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        AUTO(arena_clear) struct arena a = {0};
        uint64_t number = 0;
        struct jp j;
        jp_init(&j, str_from(values[i].text), &a);
        CHECK(jp_digits(&j, 13, &number) == values[i].is_taken);
        CHECK(j.p == j.begin + (values[i].is_taken ? 13 : 0));
        CHECK_INT(number, values[i].is_taken ? 1715666787852 : 0);
    }
    for (size_t n = 8; n <= 16; n++) {
        const struct str digits = STR("9182736450192837");
        uint64_t number = 0, same = 0;
        CHECK(str_digits(digits.p, n, &number) && str_to_u64(str_sub(digits, 0, n), &same));
        CHECK_INT(number, same);
    }
}

static unsigned length_of(struct str name)
{
    return (unsigned)name.n;
}

/* Whatever an object is like, behind any other it reads as it does alone. */
static void test_members_of_rows(void **state)
{
    UNUSED(state);
    static const char *const objects[] = {
        "{\"a\":1,\"bc\":2}",
        "{\"a\":3,\"bc\":4,\"d\":5}",
        "{\"a\" :1, \"bc\":2}",
        "{\"\\u0061\":1,\"bd\":2}",
        "{\"bc\":2,\"a\":1}",
        "{\"a\":1,,\"bc\":2}",
        "{,\"a\":1}",
        "{\"a\":1,\"bc\"",
        "{\"a\":1\"bc\":2}",
        "{}",
        "{\"a name that is longer than what is kept\":1,\"bc\":2}",
        "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}",
    };

    for (size_t n = 0; n < ARRAY_LEN(objects) * ARRAY_LEN(objects); n++) {
        AUTO(arena_clear) struct arena a = {0};
        const size_t order[] = {n / ARRAY_LEN(objects), n % ARRAY_LEN(objects)};
        struct jp_form form = {0};
        for (size_t k = 0; k < ARRAY_LEN(order); k++) {
            struct str key = {0}, alone = {0};
            unsigned tag = 0;
            struct jp j, other;
            jp_init(&j, str_from(objects[order[k]]), &a);
            jp_init(&other, str_from(objects[order[k]]), &a);
            CHECK(jp_enter(&j, '{') && jp_enter(&other, '{'));
            for (size_t i = 0; jp_member_like(&j, &form, i, length_of, &key, &tag); i++) {
                CHECK(jp_member(&other, &alone));
                CHECK_STR(key, alone);
                CHECK_INT(tag, alone.n);
                CHECK(jp_skip(&j) == jp_skip(&other));
            }
            CHECK(!jp_member(&other, &alone));
            CHECK(j.p == other.p && j.error == other.error);
        }
    }
}

static void test_refuses(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        size_t offset;
    } bad[] = {
        {"", 0},          {"[1,]", 3},        {"[1 2]", 3},
        {"{\"a\" 1}", 5}, {"{a:1}", 1},       {"01", 2},
        {"1.", 2},        {"1e+", 3},         {"-", 1},
        {"tru", 0},       {"\"\\ud800\"", 7}, {"\"\\x\"", 3},
        {"\"a\tb\"", 2},  {"\"a\xff\"", 2},   {"\"\xed\xa0\x80\"", 1},
        {"[", 1},         {"\"abc", 4},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(arena_clear) struct arena a = {0};
        struct jp j;
        jp_init(&j, str_from(bad[i].text), &a);
        if (jp_skip(&j) || !j.error || j.error_offset != bad[i].offset)
            fail_msg("%s: %s at %zu", bad[i].text, j.error ? j.error : "accepted", j.error_offset);
    }
}

static void test_depth(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    char text[2 * JP_MAX_DEPTH + 2];
    struct jp j;

    memset(text, '[', JP_MAX_DEPTH + 1);
    memset(text + JP_MAX_DEPTH + 1, ']', JP_MAX_DEPTH + 1);
    jp_init(&j, (struct str){text, sizeof(text)}, &a);
    CHECK(!jp_skip(&j));
    CHECK_Z(j.error, "nested too deeply");
    jp_init(&j, (struct str){text + 1, sizeof(text) - 2}, &a);
    CHECK(jp_skip(&j) && jp_at_end(&j));
}

/* Bad elements between good ones: each costs itself alone. */
static void test_goes_on(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct str text = STR("[{\"a\":1},{\"a\":\"\\ud800\"},{\"a\":[1,,2]},{\"a\":2},tru,{\"a\":3}]");
    size_t n_good = 0, n_bad = 0;
    struct jp j;

    jp_init(&j, text, &a);
    CHECK(jp_enter(&j, '['));
    while (jp_element(&j)) {
        const char *start = j.p;
        if (jp_skip(&j)) {
            n_good++;
        } else {
            n_bad++;
            CHECK(jp_resync(&j, 1, start));
        }
    }
    CHECK(!j.error && jp_at_end(&j));
    CHECK_INT(n_good, 3);
    CHECK_INT(n_bad, 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_reads),           cmocka_unit_test(test_escapes_anywhere),
    cmocka_unit_test(test_refuses),         cmocka_unit_test(test_depth),
    cmocka_unit_test(test_members_of_rows), cmocka_unit_test(test_digits),
    cmocka_unit_test(test_goes_on),
};
TEST_MAIN(tests)
