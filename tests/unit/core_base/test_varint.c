/* Integers of seven bits a byte: every length and its edges, and bytes that are damaged. */
#include "tests/test.h"

#include "core/base/buf.h"
#include "core/base/macros.h"
#include "core/base/rng.h"
#include "core/base/varint.h"

static void check_unsigned(uint64_t v)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    buf_add_varint(&b, v);
    struct varint_reader r = {.rest = buf_str(&b)};
    CHECK(varint_read(&r) == v && !r.is_bad && r.rest.n == 0);
    for (size_t n = 0; n < b.n; n++) { /* cut anywhere: no value, and bad for good */
        struct varint_reader cut = {.rest = {b.p, n}};
        CHECK(varint_read(&cut) == 0 && cut.is_bad && cut.rest.n == 0);
        CHECK(varint_read(&cut) == 0 && cut.is_bad);
    }
}

static void check_signed(int64_t v)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    buf_add_svarint(&b, v);
    struct varint_reader r = {.rest = buf_str(&b)};
    CHECK_INT(svarint_read(&r), v);
    CHECK(!r.is_bad && r.rest.n == 0);
}

static void test_edges_of_every_length(void **state)
{
    UNUSED(state);
    for (unsigned bits = 0; bits < 64; bits++) {
        const uint64_t v = UINT64_C(1) << bits;
        check_unsigned(v - 1);
        check_unsigned(v);
        check_unsigned(v | 1);
        check_signed((int64_t)(v >> 1));
        check_signed(-(int64_t)(v >> 1));
        check_signed(-(int64_t)(v >> 1) - 1);
    }
    check_unsigned(UINT64_MAX);
    check_signed(INT64_MAX);
    check_signed(INT64_MIN);
}

static void test_lengths(void **state)
{
    UNUSED(state);
    for (unsigned bits = 0; bits < 64; bits++) {
        AUTO(buf_clear) struct buf b = {.max = 64};
        buf_add_varint(&b, UINT64_C(1) << bits);
        CHECK_INT(b.n, bits / 7 + 1);
    }
}

static void test_beyond_64_bits(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", /* bit 64 */
        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", /* an eleventh byte */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct varint_reader r = {.rest = str_from(bad[i])};
        CHECK(varint_read(&r) == 0 && r.is_bad);
    }
    struct varint_reader r = {.rest = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01!")};
    CHECK(varint_read(&r) == UINT64_MAX && !r.is_bad && r.rest.n == 1);
}

static void test_bytes(void **state)
{
    UNUSED(state);
    struct varint_reader r = {.rest = STR("abc")};
    CHECK_STR(bytes_read(&r, 0), STR(""));
    CHECK_STR(bytes_read(&r, 2), STR("ab"));
    CHECK(!r.is_bad && r.rest.n == 1);
    CHECK_STR(bytes_read(&r, UINT64_MAX), STR(""));
    CHECK(r.is_bad && r.rest.n == 0);
    CHECK_STR(bytes_read(&r, 0), STR(""));
    CHECK(varint_read(&r) == 0 && svarint_read(&r) == 0 && r.is_bad);
}

static void test_sequences(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1 << 20};
    enum { N = 10000 };
    struct rng rng;
    rng_seed(&rng, 7);
    for (unsigned i = 0; i < N; i++)
        buf_add_svarint(&b, (int64_t)rng_u64(&rng) >> (i % 64));
    rng_seed(&rng, 7);
    struct varint_reader r = {.rest = buf_str(&b)};
    for (unsigned i = 0; i < N; i++)
        CHECK_INT(svarint_read(&r), (int64_t)rng_u64(&rng) >> (i % 64));
    CHECK(!r.is_bad && r.rest.n == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_edges_of_every_length),
    cmocka_unit_test(test_lengths),
    cmocka_unit_test(test_beyond_64_bits),
    cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_sequences),
};
TEST_MAIN(tests)
