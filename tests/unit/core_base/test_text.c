/* Views, bounded buffers, UTF-8 and the text that is safe to show. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/base/safe_text.h"
#include "core/base/utf8.h"

/* --- views --- */

static void test_views(void **state)
{
    UNUSED(state);
    struct str s = STR("a,b,,c"), rest = s;

    CHECK_STR(str_cut(&rest, ','), STR("a"));
    CHECK_STR(str_cut(&rest, ','), STR("b"));
    CHECK_STR(str_cut(&rest, ','), STR(""));
    CHECK_STR(str_cut(&rest, ','), STR("c"));
    CHECK_INT(rest.n, 0);
    CHECK_STR(str_sub(s, 2, 99), STR("b,,c"));
    CHECK_STR(str_sub(s, 99, 1), STR(""));
    CHECK_STR(str_skip(s, 99), STR(""));
    CHECK_STR(str_trim(STR(" \t x y \r\n")), STR("x y"));
    CHECK_INT(str_find(s, STR(",c")), 4);
    CHECK_INT(str_find(s, STR("nowhere at all")), s.n);
    CHECK_INT(str_rfind_char(s, ','), 4);
    CHECK(str_eq((struct str){0}, STR("")) && str_from(NULL).n == 0);
    CHECK(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0);
    CHECK(str_eq_nocase(STR("AbC"), STR("aBc")) && !str_eq_nocase(STR("a"), STR("ab")));
}

static void test_globs(void **state)
{
    UNUSED(state);
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"*", "", true},
        {"check*", "checkout", true},
        {"*out", "checkout", true},
        {"c?eck*t", "checkout", true},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"", "a", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"A", "a", false},
        {"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (str_glob(str_from(cases[i].pattern), str_from(cases[i].text)) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void test_numbers(void **state)
{
    UNUSED(state);
    int64_t i = 5;
    uint64_t u = 5;

    CHECK(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    i = 5;
    CHECK(!str_to_i64(STR("9223372036854775808"), &i) && !str_to_i64(STR(""), &i));
    CHECK(!str_to_i64(STR("1 "), &i) && !str_to_i64(STR("--1"), &i) && i == 5);
    CHECK(!str_to_u64(STR("18446744073709551616"), &u) && !str_to_u64(STR("-1"), &u));
    CHECK(str_to_scaled(STR("2.46"), 3, &i) && i == 2460);
    CHECK(!str_to_scaled(STR("2.4567"), 3, &i) && !str_to_scaled(STR("1e3"), 3, &i));
    CHECK(!str_to_scaled(STR("9223372036854775807"), 3, &i));
}

/* Both stand in files, so they stay as they are; each byte counts, and so does the length. */
static void test_hashes_are_stable(void **state)
{
    UNUSED(state);
    enum { N = 200 };
    char bytes[N];

    for (size_t i = 0; i < N; i++)
        bytes[i] = (char)i;
    CHECK(str_hash((struct str){bytes, N}, 7) == UINT64_C(0x34f0cd8ee6c52362));
    CHECK(str_hash_block((struct str){bytes, N}, 7) == UINT64_C(0x90be5e6c90f4eb08));
    CHECK(str_hash_u64(UINT64_C(0x0706050403020100), 7) == str_hash((struct str){bytes, 8}, 7));
    for (size_t n = 0; n < N; n++) {
        const struct str s = {bytes, n + 1};
        const uint64_t shorter = str_hash_block((struct str){bytes, n}, 7);
        const uint64_t hash = str_hash_block(s, 7);
        CHECK(hash != shorter && hash != str_hash_block(s, 8));
        for (size_t i = 0; i < s.n; i++) {
            bytes[i] ^= 1;
            CHECK(str_hash_block(s, 7) != hash);
            bytes[i] ^= 1;
        }
    }
}

/* --- buffers --- */

static void test_buffer_is_bounded(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b;
    struct err e = {0};

    buf_init(&b, 8);
    buf_add_z(&b, "12345");
    buf_addf(&b, "%d", 678);
    CHECK(!b.is_full && b.n == 8 && b.p[8] == '\0');
    buf_add_c(&b, '9');
    CHECK(b.is_full);
    CHECK_STR(buf_str(&b), STR("12345678"));
    CHECK_STATUS(buf_check(&b, "it", &e), ERR_LIMIT);
    CHECK_Z(e.msg, "it is larger than 8 bytes");
    buf_reset(&b);
    CHECK(!b.is_full && b.n == 0);
    buf_add_repeat(&b, 'x', 3);
    buf_cut(&b, 1);
    CHECK_STR(buf_str(&b), STR("x"));
}

static void test_numbers_in_a_buffer(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 100};

    buf_add_u64(&b, 0, 0);
    buf_add_c(&b, ' ');
    buf_add_u64(&b, 0, 2);
    buf_add_c(&b, ' ');
    buf_add_u64(&b, 7, 3);
    buf_add_c(&b, ' ');
    buf_add_u64(&b, 1234, 3);
    buf_add_c(&b, ' ');
    buf_add_u64(&b, UINT64_MAX, 20);
    CHECK_STR(buf_str(&b), STR("0 00 007 1234 18446744073709551615"));
}

static void test_varints(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 100};

    buf_add_varint(&b, 300);
    buf_add_svarint(&b, -1);
    buf_add_varint(&b, UINT64_MAX);
    CHECK_INT(b.n, 2 + 1 + 10);
    CHECK(memcmp(b.p, "\xac\x02\x01", 3) == 0);
}

/* --- UTF-8 --- */

static void test_utf8(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {"\xff",         "\xc0\xaf",         "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
                                      "a\x80"};
    uint32_t cp;
    char bytes[4];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!utf8_is_valid(str_from(bad[i])));
    CHECK(utf8_is_valid(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    CHECK_INT(utf8_next(STR("\xe2\x82\xac!"), &cp), 3);
    CHECK_INT(cp, 0x20AC);
    CHECK_INT(utf8_next(STR("\xe2\x82"), &cp), 1);
    CHECK_INT(cp, 0xFFFD);
    CHECK_INT(utf8_next(STR(""), &cp), 0);
    CHECK_INT(utf8_put(0x1F600, bytes), 4);
    CHECK_INT(utf8_width(STR("a\xe6\xbc\xa2\xcc\x81")), 3);
    CHECK_STR(utf8_fit(STR("a\xe6\xbc\xa2z"), 2), STR("a"));
    CHECK_STR(utf8_fit(STR("a\xe6\xbc\xa2z"), 3), STR("a\xe6\xbc\xa2"));
}

/* --- safe text --- */

typedef void writer(struct buf *out, struct str s);

static void plain(struct buf *out, struct str s)
{
    safe_text(out, s, SAFE_KEEP_NONE);
}

static void test_safe_text(void **state)
{
    UNUSED(state);
    static const struct {
        writer *write;
        const char *text, *shown;
    } cases[] = {
        {plain, "\033[31mred", "\xe2\x90\x9b[31mred"},
        {plain, "a\tb\n",
         "a\xe2\x90\x89"
         "b\xe2\x90\x8a"},
        {plain, "\xe2\x80\xaegnp.exe", "<U+202E>gnp.exe"},
        {plain, "\xff", "\xef\xbf\xbd"},
        {plain,
         "\xc2\x9b"
         "0m",
         "<U+009B>0m"},
        {safe_html, "<b a='\"'>&", "&lt;b a=&#39;&quot;&#39;&gt;&amp;"},
        {safe_html, "\xe2\x80\xae", "&lt;U+202E&gt;"}, /* not a tag of that name */
        {safe_html, "one\rtwo\nthree", "one\ntwo\nthree"},
        {safe_csv, "plain", "plain"},
        {safe_csv, "a,\"b\"", "\"a,\"\"b\"\"\""},
        {safe_csv, "=1+1", "\"'=1+1\""},
        {safe_csv, "-2", "\"'-2\""},
        {safe_json, "a\"\\\n\x01\xff", "\"a\\\"\\\\\\n\\u0001\\ufffd\""},
        {safe_markdown, "a|b*_`<[\\", "a\\|b\\*\\_\\`\\<\\[\\\\"},
        {safe_markdown, "\xe2\x80\xae", "\\<U+202E>"},
        {safe_markdown_code, "sql 'a_b' || c*\\", "`sql 'a_b' \\|\\| c*\\`"},
        {safe_markdown_code, "`a`` b", "``` `a`` b ```"},
        {safe_markdown_code, "\xe2\x80\xae", "`<U+202E>`"},
        {safe_markdown_code, "", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf b = {.max = 200};
        cases[i].write(&b, str_from(cases[i].text));
        CHECK_STR(buf_str(&b), str_from(cases[i].shown));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_views),
    cmocka_unit_test(test_globs),
    cmocka_unit_test(test_numbers),
    cmocka_unit_test(test_hashes_are_stable),
    cmocka_unit_test(test_buffer_is_bounded),
    cmocka_unit_test(test_numbers_in_a_buffer),
    cmocka_unit_test(test_varints),
    cmocka_unit_test(test_utf8),
    cmocka_unit_test(test_safe_text),
};
TEST_MAIN(tests)
