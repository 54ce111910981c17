/* Restores from snapshots, and what is charged by the hour for keeping environments ready. Expected
 * amounts are of a decimal oracle of their own. */
#include "tests/unit/analyzer/cost_fixture.h"

static void test_restore_stands_beside(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct err e;
    struct cost_lines r = {0};
    struct invocation inv = attempt(100, 1024), warm = attempt(100, 1024);
    inv.start = START_SNAPSTART;
    inv.restore_ns = 200 * NS_PER_MS;
    CHECK_OK(cost_receipt(&context, &inv, 10, &a, &r, &e), &e);
    CHECK_INT(r.n, 5);
    CHECK_INT(r.lines[4].amount, 139799800);
    CHECK(r.lines[4].is_estimated);
    CHECK_INT(r.total, priced(&warm));
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_STR(r.lines[3].meter, STR("Lambda-SnapStart-Restored-GB"));
}

static struct invocation restored(uint64_t mb, uint32_t evidence)
{
    struct invocation inv = attempt(100, mb);
    inv.start = START_SNAPSTART;
    inv.restore_ns = 200 * NS_PER_MS;
    inv.evidence |= evidence;
    return inv;
}

#define KNOWN (EV_RESTORE_FREE | EV_RESTORE_BILLED)

/* 1769 / 1024 GB x 0.0001397998, to 10^-12; its duration is 2879238 + 200000 (decimal oracle). */
static void test_restore_in_cost(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct err e;
    struct cost_lines r = {0};
    struct invocation inv = restored(1769, EV_OTHER_RUNTIME);
    CHECK_INT(priced(&inv), 2879238 + 200000 + 241509615);
    CHECK_INT(inv.cost_restore, 241509615);
    CHECK_INT(inv.evidence & KNOWN, EV_RESTORE_BILLED);
    CHECK_OK(cost_receipt(&context, &inv, 10, &a, &r, &e), &e);
    CHECK_INT(r.n, 5);
    CHECK_INT(r.n_in_cost, 4);
    CHECK_INT(r.total, inv.cost);
    CHECK_STR(r.lines[3].rounding, STR("restored from a snapshot: 1769 MB configured / 1024"));
    inv = restored(1769, EV_JAVA_RUNTIME);
    CHECK_INT(priced(&inv), 2879238 + 200000);
    CHECK_INT(inv.evidence & KNOWN, EV_RESTORE_FREE);
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(r.n == 4 && r.n_in_cost == 4 && r.lines[3].quantity == 0);
    inv = restored(1769, EV_OTHER_RUNTIME | EV_RESTORE_FREE); /* of an earlier pricing */
    CHECK_INT(priced(&inv), 2879238 + 200000 + 241509615);
    inv = restored(1769, 0);
    CHECK_INT(priced(&inv), 2879238 + 200000);
    CHECK_INT(inv.evidence & KNOWN, 0);
}

/* Lines of the environment first, then what is configured; no price is no guess. */
static void test_runtime_of_a_restore(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct err e;
    struct cost_lines r = {0};
    struct fn_rule rules[] = {{.name_glob = STR("*"), .runtime = STR("python3.13")},
                              {.name_glob = STR("check*"), .runtime = STR("java21")}};
    struct fn_config config = {.fn = fn, .arch = ARCH_X86_64, .runtime = STR("dotnet8")};
    struct invocation inv = restored(1024, 0);
    context.configs = &config;
    context.n_configs = 1;
    CHECK_INT(priced(&inv), 1666670 + 200000 + 139799800);
    context.rules = rules;
    context.n_rules = 1;
    CHECK_INT(priced(&inv), 1666670 + 200000 + 139799800);
    const uint64_t before = cost_fingerprint(&context);
    context.n_rules = 2;
    CHECK(cost_fingerprint(&context) != before);
    CHECK_INT(priced(&inv), 1666670 + 200000);
    CHECK_INT(inv.evidence & KNOWN, EV_RESTORE_FREE);
    inv.evidence |= EV_OTHER_RUNTIME;
    CHECK_INT(priced(&inv), 1666670 + 200000 + 139799800);
    context.keeps_stored = true; /* whatever is said now */
    inv.evidence = EV_RESTORE_FREE;
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_INT(r.total, 1666670 + 200000);
    inv.evidence = 0;
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(r.n_in_cost == 3 && r.lines[3].is_estimated);
    context.keeps_stored = false;
    fn.region = STR("eu-west-1"); /* the book has no restores there */
    inv = restored(1024, EV_OTHER_RUNTIME);
    CHECK_INT(priced(&inv), 1666670 + 200000);
    CHECK(inv.is_priced && (inv.evidence & KNOWN) == 0);
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(r.n == 4 && r.n_in_cost == 3 && r.lines[3].price == NULL);
}

static void test_sums_with_restores(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {0};
    struct stats_cost c = {0};
    struct waste w = {0};
    struct invocation inv = restored(1769, EV_OTHER_RUNTIME);
    const uint32_t evidence[] = {EV_OTHER_RUNTIME, EV_JAVA_RUNTIME, 0, EV_OTHER_RUNTIME};
    wide sum = 0;

    for (size_t i = 0; i < ARRAY_LEN(evidence); i++) {
        inv = restored(1769, evidence[i]);
        sum += priced(&inv);
        stats_add_invocation(&s, &inv);
        waste_add_invocation(&w, &inv);
    }
    CHECK_INT(s.restores_known, 3);
    CHECK_INT(stats_restores_open(&s), 1);
    CHECK_INT((int64_t)s.restored_mb, 2 * 1769);
    CHECK(s.cost == sum && s.cost_init == 2 * 241509615 && w.init == s.cost_init);
    CHECK_OK(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), &e);
    CHECK_INT((int64_t)c.restore, 483019231); /* 3538 / 1024 x 0.0001397998, rounded once */
    CHECK(c.total == c.duration + c.request + c.storage + c.restore);
    CHECK(!c.is_unpriced);
    stats_clear(&s);
}

/* The published bills of 100 x 1536 MB for 8 hours and 50 x 512 MB on arm64 for 100 hours
 * (golden.json pc-launch, golden_more.json pc-arm), and seconds rounded up to 5 minutes. */
static void test_kept_ready(void **state)
{
    UNUSED(state);
    struct err e;
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*"), .has_provisioned = true, .provisioned = 100};
    struct stats s = {.n = 1, .memory_size_bytes = 1536 * MB};
    struct range r = {attempt(1, 1).start_ns, attempt(1, 1).start_ns + 8 * NS_PER_HOUR};
    s.start[START_PROVISIONED] = 1;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK(c.is_provisioned_open && c.provisioned == 0);
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(18000144000000));
    CHECK(!c.is_provisioned_open && !c.is_unpriced);
    r.until_ns -= 299 * NS_PER_SEC;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(18000144000000));
    r.until_ns = r.since_ns + 100 * NS_PER_HOUR;
    rule.provisioned = 50;
    rule.arch = ARCH_ARM64;
    s.memory_size_bytes = 512 * MB;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(30000600000000));
    fn.region = STR("eu-west-1"); /* no arm64 price of it there */
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK(c.is_unpriced && c.provisioned == 0);
}

/* Two versions of 1024 MB for a day: 2 x 86,400 GB-s x 0.0000015046. */
static void test_kept_snapshots(void **state)
{
    UNUSED(state);
    struct err e;
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*")};
    struct stats s = {.n = 1, .memory_size_bytes = 1024 * MB};
    const struct range r = {attempt(1, 1).start_ns, attempt(1, 1).start_ns + NS_PER_DAY};
    s.start[START_SNAPSTART] = 1;
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK(c.are_snapshots_open && c.snapshots == 0);
    rule.has_snapshots = true;
    rule.snapshots = 2;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK_INT((int64_t)c.snapshots, INT64_C(259994880000));
    s.restores_known = 1; /* and none of them billed: Java */
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK(!c.are_snapshots_open && c.snapshots == 0);
    s.restored_mb = 1024;
    CHECK_OK(cost_standing(&context, &fn, &s, r, &c, &e), &e);
    CHECK_INT((int64_t)c.snapshots, INT64_C(259994880000));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_restore_stands_beside, setup),
    cmocka_unit_test_setup(test_restore_in_cost, setup),
    cmocka_unit_test_setup(test_runtime_of_a_restore, setup),
    cmocka_unit_test_setup(test_sums_with_restores, setup),
    cmocka_unit_test_setup(test_kept_ready, setup),
    cmocka_unit_test_setup_teardown(test_kept_snapshots, setup, free_book),
};
TEST_MAIN(tests)
