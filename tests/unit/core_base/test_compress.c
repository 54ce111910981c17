/* zstd for chunks and the streams of imports: bounds, members in a row, damage. And the limits of
 * patterns a person gives. */
#include "tests/test.h"

#include "core/base/compress.h"
#include "core/base/macros.h"
#include "core/base/re.h"

static void test_chunks(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf packed = {.max = 1000}, plain = {.max = 1000};
    struct zstd_ctx *z = zstd_ctx_new(1);
    struct str text = STR("one two three one two three one two three");
    struct err e = {0};

    CHECK_OK(zstd_pack(z, text, &packed, &e), &e);
    CHECK_OK(zstd_unpack(z, buf_str(&packed), text.n, &plain, &e), &e);
    CHECK_STR(buf_str(&plain), text);
    buf_reset(&plain);
    CHECK_STATUS(zstd_unpack(z, buf_str(&packed), text.n - 1, &plain, &e), ERR_PARSE);
    CHECK_STATUS(zstd_unpack(z, STR("no zstd"), 7, &plain, &e), ERR_PARSE);
    packed.p[packed.n - 1] ^= 1;
    CHECK(zstd_unpack(z, str_sub(buf_str(&packed), 0, packed.n - 3), text.n, &plain, &e) != OK);
    zstd_ctx_free(z);
}

/* gzip of "hello\n", twice. */
static const char two_members[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06"
    "\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30"
    "\x3a\x36\x06\x00\x00\x00";
#define MEMBER 26

static enum status unpack(struct str in, struct buf *out, struct err *e)
{
    struct unpacker *u = unpacker_new(codec_detect(in));
    enum status s = unpacker_feed(u, &in, out, SIZE_MAX, e);

    if (s == OK)
        s = unpacker_finish(u, e);
    unpacker_free(u);
    return s;
}

static void test_streams(void **state)
{
    UNUSED(state);
    struct str both = {two_members, sizeof(two_members) - 1};
    AUTO(buf_clear) struct buf out = {.max = 1000};
    struct err e = {0};

    CHECK_INT(codec_detect(both), CODEC_GZIP);
    CHECK_INT(codec_detect(STR("\x28\xb5\x2f\xfd")), CODEC_ZSTD);
    CHECK_INT(codec_detect(STR("text")), CODEC_PLAIN);
    CHECK_OK(unpack(both, &out, &e), &e);
    CHECK_STR(buf_str(&out), STR("hello\nhello\n"));
    buf_reset(&out);
    CHECK_STATUS(unpack(str_sub(both, 0, both.n - 1), &out, &e), ERR_PARSE);
    CHECK(strstr(e.msg, "truncated") != NULL);
    CHECK_STR(buf_str(&out), STR("hello\nhello\n"));
    char damaged[sizeof(two_members)];
    memcpy(damaged, two_members, sizeof(damaged));
    damaged[MEMBER - 5] ^= 1; /* the sum of the first */
    buf_reset(&out);
    CHECK_STATUS(unpack((struct str){damaged, both.n}, &out, &e), ERR_PARSE);
    CHECK(str_starts(buf_str(&out), STR("hello\n")));
}

static void test_patterns(void **state)
{
    UNUSED(state);
    struct re *re = NULL;
    struct err e = {0};
    size_t from, to;

    CHECK_OK(re_new(STR("t(i)med|out"), "i", &re, &e), &e);
    CHECK(re_match(re, STR("it TIMED out"), &from, &to) && from == 3 && to == 8);
    CHECK_STR(re_group(re, STR("it TIMED out"), 1), STR("I"));
    CHECK(!re_match(re, STR("fine"), NULL, NULL));
    re_free(re);
    CHECK_OK(re_new(STR("a.b("), "l", &re, &e), &e);
    CHECK(re_match(re, STR("xa.b("), NULL, NULL) && !re_match(re, STR("axb("), NULL, NULL));
    re_free(re);
    CHECK(re_new(STR("a(b"), "", &re, &e) != OK && strstr(e.msg, "character 4") != NULL);
    CHECK_OK(re_new(STR("(a+)+$"), "", &re, &e), &e);
    CHECK(!re_match(
        re, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), NULL,
        NULL));
    CHECK_INT(re_limit_hits(re), 1);
    re_free(re);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_chunks),
    cmocka_unit_test(test_streams),
    cmocka_unit_test(test_patterns),
};
TEST_MAIN(tests)
