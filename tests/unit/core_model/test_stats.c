/* Sums over invocations: exact quantities, order does not matter, merging is adding. */
#include "tests/test.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/model/stats.h"

#define MB (UINT64_C(1) << 20)

static const struct invocation cold = {
    .outcome = OUTCOME_OK,
    .start = START_COLD,
    .arch = ARCH_ARM64,
    .attempt = 1,
    .duration_ns = 2460 * NS_PER_US,
    .init_ns = 413540 * NS_PER_US,
    .billed_ns = 416 * NS_PER_MS,
    .memory_bytes = 1024 * MB,
    .max_memory_bytes = 95 * MB,
    .storage_bytes = 2048 * MB,
    .cost = 416,
    .is_priced = true,
    .is_final = true,
};

static void test_one(void **state)
{
    UNUSED(state);
    struct stats s = {0};
    stats_add_invocation(&s, &cold);
    CHECK_INT(s.n, 1);
    CHECK_INT(s.outcome[OUTCOME_OK], 1);
    CHECK_INT(s.start[START_COLD], 1);
    CHECK_INT(s.retries, 0);
    CHECK_INT(s.mb_ms, 416 * 1024);
    CHECK_INT(s.mb_ms_arm, 416 * 1024);
    CHECK_INT(s.storage_mb_ms, 416 * 1536);
    CHECK_INT(s.cost, 416);
    CHECK_INT(s.cost_failed, 0);
    CHECK_INT(s.cost_init, 413); /* billed 416 = 3 + 413 */
    CHECK_INT(s.duration.total, 1);
    CHECK_INT(s.init.total, 1);
    CHECK_INT(s.max_memory_used_bytes, 95 * MB);
    stats_clear(&s);
    CHECK_INT(s.n, 0);
}

/* The middle of a bucket may lie above all that fell into it. */
static void test_percentiles_end_at_the_largest(void **state)
{
    UNUSED(state);
    struct stats one = {0}, both = {0};
    struct invocation inv = cold;
    uint64_t us = 0;

    inv.duration_ns = (int64_t)bucket_low(1000) * NS_PER_US;
    stats_add_invocation(&one, &inv);
    CHECK(histogram_percentile(&one.duration, 990, &us));
    CHECK_INT(us, bucket_low(1000));
    inv.duration_ns = NS_PER_MS;
    stats_add_invocation(&both, &inv);
    stats_merge(&both, &one);
    CHECK(histogram_percentile(&both.duration, 990, &us));
    CHECK_INT(us, bucket_low(1000));
    stats_clear(&one);
    stats_clear(&both);
}

static void test_special_cases(void **state)
{
    UNUSED(state);
    struct stats s = {0};
    struct invocation inv = cold;
    inv.billed_ns = 3 * NS_PER_MS; /* zip before 2025-08: init was free */
    CHECK_INT(invocation_billed_init_ms(&inv), 0);
    inv.billed_ns = 3 * NS_PER_MS + 1;
    CHECK_INT(invocation_billed_ms(&inv), 4);
    inv.evidence = EV_NO_BILLING;
    CHECK_INT(invocation_billed_ms(&inv), 0);
    CHECK_INT(invocation_billed_init_ms(&inv), 0);
    inv.storage_bytes = 512 * MB;
    CHECK_INT(invocation_paid_storage_mb(&inv), 0);
    inv.storage_bytes = 0;
    CHECK_INT(invocation_paid_storage_mb(&inv), 0);
    inv.is_priced = false;
    inv.outcome = OUTCOME_TIMEOUT;
    inv.attempt = 3;
    stats_add_invocation(&s, &inv);
    CHECK_INT(s.unpriced, 1);
    CHECK_INT(s.cost, 0);
    CHECK_INT(s.retries, 1);
    inv.is_priced = true;
    stats_add_invocation(&s, &inv);
    CHECK_INT(s.cost_failed, 416);
    struct invocation running = {.outcome = OUTCOME_UNKNOWN};
    stats_add_invocation(&s, &running);
    CHECK_INT(s.n, 3);
    CHECK_INT(s.duration.total, 2); /* a running one has no duration */
    stats_clear(&s);
}

static struct invocation random_invocation(struct rng *r)
{
    return (struct invocation){
        .outcome = (enum outcome)rng_below(r, OUTCOMES),
        .start = (enum start_kind)rng_below(r, START_KINDS),
        .arch = (enum arch)rng_below(r, 3),
        .attempt = 1 + (uint32_t)rng_below(r, 3),
        .duration_ns = (int64_t)rng_below(r, 900 * NS_PER_SEC),
        .init_ns = (int64_t)rng_below(r, 10 * NS_PER_SEC),
        .restore_ns = (int64_t)rng_below(r, NS_PER_SEC),
        .billed_ns = (int64_t)rng_below(r, 910000) * NS_PER_MS,
        .memory_bytes = (128 + rng_below(r, 10000)) * MB,
        .max_memory_bytes = rng_below(r, 10240) * MB,
        .storage_bytes = rng_below(r, 10240) * MB,
        .cost = (money)rng_below(r, 1000000000),
        .is_priced = rng_below(r, 10) != 0,
        .is_final = true,
    };
}

static void test_merge_is_adding(void **state)
{
    UNUSED(state);
    enum { N = 500 };
    struct rng r;
    struct invocation *inv = xcalloc(N, sizeof(*inv));
    struct stats all = {0}, parts[3] = {{0}}, merged = {0};
    rng_seed(&r, 1);
    for (size_t i = 0; i < N; i++) {
        inv[i] = random_invocation(&r);
        stats_add_invocation(&parts[rng_below(&r, 3)], &inv[i]);
    }
    for (size_t i = N; i-- > 0;)
        stats_add_invocation(&all, &inv[i]);
    for (size_t i = 3; i-- > 0;)
        stats_merge(&merged, &parts[i]);
    CHECK_INT(merged.n, N);
    CHECK(memcmp(merged.outcome, all.outcome, sizeof(all.outcome)) == 0);
    CHECK(memcmp(merged.start, all.start, sizeof(all.start)) == 0);
    CHECK(merged.mb_ms == all.mb_ms && merged.mb_ms_arm == all.mb_ms_arm);
    CHECK(merged.provisioned_mb_ms == all.provisioned_mb_ms);
    CHECK(merged.provisioned_mb_ms_arm == all.provisioned_mb_ms_arm && all.provisioned_mb_ms > 0);
    CHECK_INT(merged.provisioned_known, all.start[START_PROVISIONED]);
    CHECK(merged.storage_mb_ms == all.storage_mb_ms);
    CHECK(merged.cost == all.cost && merged.cost_failed == all.cost_failed);
    CHECK(merged.cost_init == all.cost_init && merged.cost_init <= merged.cost);
    CHECK_INT(merged.sum_duration_ns, all.sum_duration_ns);
    CHECK_INT(merged.sum_init_ns, all.sum_init_ns);
    CHECK_INT(merged.sum_billed_ns, all.sum_billed_ns);
    CHECK_INT(merged.max_duration_ns, all.max_duration_ns);
    CHECK_INT(merged.unpriced, all.unpriced);
    CHECK_INT(merged.retries, all.retries);
    CHECK_INT(merged.duration.n, all.duration.n);
    CHECK_INT(merged.init.total, all.init.total);
    CHECK_INT(merged.memory_size_bytes, all.memory_size_bytes);
    CHECK_INT(merged.fullest_used_bytes, all.fullest_used_bytes);
    CHECK_INT(merged.fullest_size_bytes, all.fullest_size_bytes);
    free(inv);
    stats_clear(&all);
    stats_clear(&merged);
    for (size_t i = 0; i < 3; i++)
        stats_clear(&parts[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_one),
    cmocka_unit_test(test_percentiles_end_at_the_largest),
    cmocka_unit_test(test_special_cases),
    cmocka_unit_test(test_merge_is_adding),
};
TEST_MAIN(tests)
