/* Back-off, Retry-After and token buckets over a clock of numbers. */
#include "tests/test.h"

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/retry.h"

static void test_wait_grows(void **state)
{
    struct rng r;
    int64_t most[12] = {0};

    UNUSED(state);
    rng_seed(&r, 1);
    for (int i = 0; i < 2000; i++)
        for (unsigned n = 1; n < 12; n++) {
            int64_t w = retry_wait(&retry_standard, n, 0, &r);
            CHECK(w >= 0);
            most[n] = w > most[n] ? w : most[n];
        }
    for (unsigned n = 1; n < 12; n++) {
        int64_t limit = n < 6 ? NS_PER_SEC << (n - 1) : 20 * NS_PER_SEC;
        limit = limit < 20 * NS_PER_SEC ? limit : 20 * NS_PER_SEC;
        CHECK(most[n] <= limit);
        CHECK(most[n] > limit * 9 / 10); /* the whole range is used */
    }
}

static void test_wait_honours_server(void **state)
{
    struct rng r;

    UNUSED(state);
    rng_seed(&r, 1);
    for (int i = 0; i < 100; i++)
        CHECK(retry_wait(&retry_standard, 1, 7 * NS_PER_SEC, &r) >= 7 * NS_PER_SEC);
    CHECK(retry_wait(&retry_standard, 1, NS_PER_DAY, &r) <= 15 * NS_PER_MIN);
}

static void test_retry_after(void **state)
{
    int64_t now = INT64_C(1788256800) * NS_PER_SEC, w = -1; /* 2026-09-01T10:00:00Z */

    UNUSED(state);
    CHECK(retry_after_parse(STR("3"), now, &w));
    CHECK_INT(w, 3 * NS_PER_SEC);
    CHECK(retry_after_parse(STR("Tue, 01 Sep 2026 10:00:05 GMT"), now, &w));
    CHECK_INT(w, 5 * NS_PER_SEC);
    CHECK(retry_after_parse(STR("Tue, 01 Sep 2026 09:00:00 GMT"), now, &w));
    CHECK_INT(w, 0);
    CHECK(retry_after_parse(STR("99999999999"), now, &w));
    CHECK_INT(w, NS_PER_DAY);
    static const char *const bad[] = {"",
                                      "-1",
                                      "soon",
                                      "1.5",
                                      "Tue, 01 Sep 2026 10:00:05 CET",
                                      "Tue, 01 Foo 2026 10:00:05 GMT",
                                      "Tue, 41 Sep 2026 10:00:05 GMT",
                                      "Tue, 01 anF 2026 10:00:05 GMT"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!retry_after_parse(str_from(bad[i]), now, &w));
}

static void test_rate(void **state)
{
    struct rate r;
    int64_t now = 5 * NS_PER_SEC;

    UNUSED(state);
    rate_init(&r, 4000, 2); /* 4 a second, two at once */
    CHECK_INT(rate_take(&r, now), 0);
    CHECK_INT(rate_take(&r, now), 0);
    CHECK_INT(rate_take(&r, now), NS_PER_SEC / 4);
    CHECK_INT(rate_take(&r, now), NS_PER_SEC / 4); /* asking takes nothing */
    now += NS_PER_SEC / 4;
    CHECK_INT(rate_take(&r, now), 0);
    now += 10 * NS_PER_SEC; /* no more than the burst is saved up */
    CHECK_INT(rate_take(&r, now), 0);
    CHECK_INT(rate_take(&r, now), 0);
    CHECK(rate_take(&r, now) > 0);
}

/* Over any time no more calls than rate x time + burst. */
static void test_rate_never_exceeds(void **state)
{
    struct rate r;
    struct rng g;
    int64_t now = 0, calls = 0;

    UNUSED(state);
    rng_seed(&g, 7);
    rate_init(&r, 17500, 5);
    for (int i = 0; i < 100000; i++) {
        now += (int64_t)rng_below(&g, 60) * NS_PER_MS;
        calls += rate_take(&r, now) == 0;
        CHECK(calls <= now * 175 / (10 * NS_PER_SEC) + 5);
    }
    CHECK(calls >= now / NS_PER_SEC * 17); /* and it is used */
}

static void test_rate_pause(void **state)
{
    struct rate r;

    UNUSED(state);
    rate_init(&r, 0, 1);
    for (int i = 0; i < 100; i++)
        CHECK_INT(rate_take(&r, 0), 0);
    rate_pause(&r, 0, NS_PER_SEC);
    CHECK_INT(rate_take(&r, NS_PER_SEC / 2), NS_PER_SEC / 2);
    CHECK_INT(rate_take(&r, NS_PER_SEC), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_wait_grows),         cmocka_unit_test(test_wait_honours_server),
    cmocka_unit_test(test_retry_after),        cmocka_unit_test(test_rate),
    cmocka_unit_test(test_rate_never_exceeds), cmocka_unit_test(test_rate_pause),
};
TEST_MAIN(tests)
