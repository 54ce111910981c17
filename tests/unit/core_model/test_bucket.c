/* The bucket rule: borders, width, percentiles against a sorted array, packed form and damage. */
#include "tests/test.h"

#include <stdlib.h>

#include "core/base/macros.h"
#include "core/base/rng.h"
#include "core/model/bucket.h"

static void test_borders(void **state)
{
    UNUSED(state);
    for (unsigned b = 0; b < BUCKETS; b++) {
        CHECK_INT(bucket_of(bucket_low(b)), b);
        CHECK_INT(bucket_of(bucket_high(b)), b);
        if (b > 0)
            CHECK(bucket_low(b) == bucket_high(b - 1) + 1);
        const uint64_t mid = bucket_mid(b);
        CHECK(mid >= bucket_low(b) && mid <= bucket_high(b));
        /* at most 0.8 % off either end */
        CHECK((bucket_high(b) - mid) * 1000 <= mid * 8);
        CHECK((mid - bucket_low(b)) * 1000 <= mid * 8);
    }
    CHECK_INT(bucket_high(BUCKETS - 1), (INT64_C(1) << 43) - 1);
    CHECK_INT(bucket_of(UINT64_MAX), BUCKETS - 1);
    CHECK_INT(bucket_of(63), 63);
    CHECK_INT(bucket_of(64), 64);
    CHECK_INT(bucket_of(128), 128);
    CHECK_INT(bucket_of(129), 128);
}

static int cmp_u64(const void *a, const void *b)
{
    uint64_t x = 0, y = 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void test_percentiles(void **state)
{
    UNUSED(state);
    enum { N = 1000 };
    uint64_t values[N];
    struct histogram h = {0};
    struct rng r;
    rng_seed(&r, 11);
    uint64_t got = 5;
    CHECK(!histogram_percentile(&h, 500, &got));
    CHECK_INT(got, 5);
    for (size_t i = 0; i < N; i++) {
        values[i] = rng_u64(&r) >> (24 + rng_below(&r, 40));
        histogram_add(&h, bucket_of(values[i]), 1);
    }
    qsort(values, N, sizeof(values[0]), cmp_u64);
    static const unsigned asked[] = {0, 1, 500, 950, 990, 999, 1000};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        const size_t rank = asked[i] == 0 ? 1 : asked[i] * (size_t)N / 1000;
        CHECK(histogram_percentile(&h, asked[i], &got));
        CHECK_INT(got, bucket_mid(bucket_of(values[rank - 1])));
    }
    const struct {
        uint64_t part, whole;
        size_t rank;
    } parts[] = {{0, 1, 1},
                 {1, 1, N},
                 {9990, 10000, 999},
                 {9991, 10000, 1000},
                 {UINT64_C(998999999999), UINT64_C(1000000000000), 999}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        CHECK(histogram_quantile(&h, parts[i].part, parts[i].whole, &got));
        CHECK_INT(got, bucket_mid(bucket_of(values[parts[i].rank - 1])));
    }
    CHECK_INT(h.total, N);
    histogram_clear(&h);
}

static void check_same(const struct histogram *a, const struct histogram *b)
{
    CHECK_INT(a->n, b->n);
    CHECK_INT(a->total, b->total);
    for (size_t i = 0; i < a->n; i++) {
        CHECK_INT(a->bucket[i], b->bucket[i]);
        CHECK_INT(a->count[i], b->count[i]);
    }
}

static void test_merge_is_adding(void **state)
{
    UNUSED(state);
    struct rng r;
    rng_seed(&r, 5);
    for (int round = 0; round < 50; round++) {
        struct histogram a = {0}, b = {0}, both = {0};
        for (uint64_t i = rng_below(&r, 200); i-- > 0;) {
            const unsigned bucket = (unsigned)rng_below(&r, 100);
            const uint64_t count = 1 + rng_below(&r, 9);
            histogram_add(i % 2 == 0 ? &a : &b, bucket, count);
            histogram_add(&both, bucket, count);
        }
        histogram_merge(&a, &b);
        check_same(&a, &both);
        histogram_clear(&a);
        histogram_clear(&b);
        histogram_clear(&both);
    }
}

static void test_pack(void **state)
{
    UNUSED(state);
    struct histogram h = {0}, back = {0};
    struct buf b;
    buf_init(&b, 1 << 16);
    histogram_pack(&h, &b);
    CHECK(histogram_unpack(buf_str(&b), &back));
    CHECK_INT(back.n, 0);
    histogram_add(&h, 0, 3);
    histogram_add(&h, BUCKETS - 1, UINT64_C(1) << 40);
    histogram_add(&h, 700, 0);
    histogram_add(&h, 1000, 1);
    buf_reset(&b);
    histogram_pack(&h, &b);
    CHECK(histogram_unpack(buf_str(&b), &back));
    check_same(&h, &back);
    CHECK(histogram_unpack(buf_str(&b), &back)); /* adds */
    CHECK_INT(back.total, 2 * h.total);
    for (size_t n = 0; n < b.n; n++) { /* every cut is noticed and changes nothing */
        CHECK(!histogram_unpack(str_sub(buf_str(&b), 0, n), &back));
        CHECK_INT(back.total, 2 * h.total);
    }
    buf_add_c(&b, 0);
    CHECK(!histogram_unpack(buf_str(&b), &back));
    histogram_clear(&h);
    histogram_clear(&back);
    buf_clear(&b);
}

static void test_damage(void **state)
{
    UNUSED(state);
    static const struct {
        const char *p;
        size_t n;
    } bad[] = {
        {"", 0},
        {"\x02\x05\x01\x00\x01", 5},                                      /* same bucket twice */
        {"\x01\x05\x00", 3},                                              /* count 0 */
        {"\x01\x80\x13\x01", 4},                                          /* bucket 2432 */
        {"\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 12},         /* more than 64 bits */
        {"\xff\xff\x7f", 3},                                              /* n too large */
        {"\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01", 14}, /* total overflows */
    };
    struct histogram h = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!histogram_unpack((struct str){bad[i].p, bad[i].n}, &h));
    CHECK_INT(h.total, 0);
    histogram_clear(&h);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_borders),         cmocka_unit_test(test_percentiles),
    cmocka_unit_test(test_merge_is_adding), cmocka_unit_test(test_pack),
    cmocka_unit_test(test_damage),
};
TEST_MAIN(tests)
