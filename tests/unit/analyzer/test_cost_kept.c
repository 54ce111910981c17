/* Restores from snapshots, and what is charged by the hour for keeping environments ready. Expected
 * amounts are of a decimal oracle of their own. */
#include <string.h>

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

static struct stats kept_sums(uint64_t mb, enum start_kind start)
{
    struct stats s = {.n = 1, .memory_size_bytes = mb * MB};
    s.start[start] = 1;
    return s;
}

static struct standing_cost kept(const struct stats *s, struct range r)
{
    const struct standing_request q = {&fn, s, r, INT64_MAX, {0}, {0}};
    struct standing_cost c;
    struct err e;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    return c;
}

/* The published bills of 100 x 1536 MB for 8 hours and 50 x 512 MB on arm64 for 100 hours
 * (golden.json pc-launch, golden_more.json pc-arm). */
static void test_kept_ready(void **state)
{
    UNUSED(state);
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 100}};
    struct stats s = kept_sums(1536, START_PROVISIONED);
    struct range r = {attempt(1, 1).start_ns, attempt(1, 1).start_ns + 8 * NS_PER_HOUR};
    c = kept(&s, r);
    CHECK(c.is_provisioned_open && c.provisioned == 0);
    context.rules = &rule;
    context.n_rules = 1;
    c = kept(&s, r);
    CHECK_INT((int64_t)c.provisioned, INT64_C(18000144000000));
    CHECK(!c.is_provisioned_open && !c.is_unpriced);
    r.until_ns = r.since_ns + 100 * NS_PER_HOUR;
    rule.provisioned.n = 50;
    rule.arch = ARCH_ARM64;
    s.memory_size_bytes = 512 * MB;
    CHECK_INT((int64_t)kept(&s, r).provisioned, INT64_C(30000600000000));
    fn.region = STR("eu-west-1"); /* no arm64 price of it there */
    c = kept(&s, r);
    CHECK(c.is_unpriced && c.provisioned == 0);
}

/* 8 of 24 hours, by the rule's times, the range's end and the present. */
static void test_kept_for_a_time(void **state)
{
    UNUSED(state);
    struct err e;
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 100}};
    struct range *when = &rule.provisioned.when;
    const struct stats s = kept_sums(1536, START_PROVISIONED);
    const int64_t since_ns = attempt(1, 1).start_ns;
    const struct range r = {since_ns, since_ns + NS_PER_DAY};
    const struct standing_request q = {&fn, &s, r, since_ns + 8 * NS_PER_HOUR, {0}, {0}};
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(18000144000000));
    *when = (struct range){since_ns + 9 * NS_PER_HOUR, since_ns + 17 * NS_PER_HOUR};
    CHECK_INT((int64_t)kept(&s, r).provisioned, INT64_C(18000144000000));
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e); /* it begins after the present */
    CHECK(c.provisioned == 0 && !c.is_provisioned_open);
    *when = (struct range){since_ns + 16 * NS_PER_HOUR, 0};
    CHECK_INT((int64_t)kept(&s, r).provisioned, INT64_C(18000144000000));
    *when = (struct range){0, since_ns};
    CHECK(kept(&s, r).provisioned == 0);
}

/* Two versions of 1024 MB for a day: 2 x 86,400 GB-s x 0.0000015046. */
static void test_kept_snapshots(void **state)
{
    UNUSED(state);
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*")};
    struct stats s = kept_sums(1024, START_SNAPSTART);
    const struct range r = {attempt(1, 1).start_ns, attempt(1, 1).start_ns + NS_PER_DAY};
    context.rules = &rule;
    context.n_rules = 1;
    c = kept(&s, r);
    CHECK(c.are_snapshots_open && c.snapshots == 0);
    rule.snapshots = (struct kept_rule){.is_said = true, .n = 2};
    CHECK_INT((int64_t)kept(&s, r).snapshots, INT64_C(259994880000));
    s.restores_known = 1; /* and none of them billed: Java */
    c = kept(&s, r);
    CHECK(!c.are_snapshots_open && c.snapshots == 0);
    s.restored_mb = 1024;
    CHECK_INT((int64_t)kept(&s, r).snapshots, INT64_C(259994880000));
    s.restores_known = 0;
    s.restored_mb = 0;
    rule.runtime = STR("java21");
    c = kept(&s, r);
    CHECK(!c.are_snapshots_open && c.snapshots == 0);
}

/* 100 x 1536 MB: 187501500000 are 5 minutes. Kept for 7 minutes it is charged 10, of which each
 * range has what lies in it; where nobody says since when, the time is taken as it is. */
static void test_slices_add_up(void **state)
{
    UNUSED(state);
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 100}};
    const struct stats s = kept_sums(1536, START_PROVISIONED);
    const int64_t since_ns = attempt(1, 1).start_ns, end_ns = since_ns + 7 * NS_PER_MIN;
    const struct range all = {since_ns - NS_PER_DAY, since_ns + NS_PER_DAY};
    const struct range head = {since_ns, end_ns - NS_PER_MIN}, tail = {head.until_ns, all.until_ns};
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_INT((int64_t)kept(&s, (struct range){since_ns, end_ns}).provisioned,
              INT64_C(187501500000) * 7 / 5);
    rule.provisioned.when = (struct range){since_ns, end_ns};
    CHECK_INT((int64_t)kept(&s, all).provisioned, INT64_C(187501500000) * 2);
    CHECK_INT((int64_t)kept(&s, head).provisioned, INT64_C(187501500000) * 6 / 5);
    CHECK_INT((int64_t)kept(&s, tail).provisioned, INT64_C(187501500000) * 4 / 5);
    rule.provisioned.when.since_ns = 0;
    CHECK_INT((int64_t)kept(&s, tail).provisioned, INT64_C(187501500000) / 5);
}

/* An hour of 512 MB on x86_64, then 2 of 1024 MB on arm64, then 1536 MB on x86_64: each stretch by
 * its own size and price, a slice the part that lies in it, a stated architecture before all. */
static void test_sizes_of_stretches(void **state)
{
    UNUSED(state);
    struct err e;
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 1}};
    const struct stats s = kept_sums(1536, START_PROVISIONED);
    const int64_t t = attempt(1, 1).start_ns, h = NS_PER_HOUR;
    const struct size_step steps[] = {{INT64_MIN, 512 * MB, ARCH_X86_64},
                                      {t + h, 1024 * MB, ARCH_ARM64},
                                      {t + 3 * h, 1536 * MB, ARCH_X86_64}};
    struct standing_request q = {&fn, &s, {t, t + 4 * h}, INT64_MAX, {steps, 3}, {0}};
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e); /* (0.5 + 1.5) GB-h and 2 on arm64 */
    CHECK_INT((int64_t)c.provisioned, INT64_C(7200) * 4166700 + INT64_C(7200) * 3333400);
    q.range = (struct range){t + h / 2, t + 2 * h};
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(900) * 4166700 + INT64_C(3600) * 3333400);
    q.range = (struct range){t - 2 * h, t}; /* before the first: its size */
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(3600) * 4166700);
    q.range = (struct range){t, t + 4 * h};
    rule.arch = ARCH_ARM64;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(14400) * 3333400);
}

/* What a collector read: 2 environments for an hour, 4 for the next, none in the third, unknown
 * before; of 1024 MB. A rule that says something else counts instead. */
static void test_counts_of_a_collector(void **state)
{
    UNUSED(state);
    struct err e;
    struct standing_cost c;
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 1}};
    const struct stats s = kept_sums(1024, START_PROVISIONED);
    const int64_t t = attempt(1, 1).start_ns, h = NS_PER_HOUR;
    const struct kept_step steps[] = {{t, 2}, {t + h, 4}, {t + 2 * h, 0}};
    struct standing_request q = {&fn, &s, {t - h, t + 3 * h}, INT64_MAX, {0}, {steps, 3}};
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK(!c.is_provisioned_open);
    CHECK_INT((int64_t)c.provisioned, INT64_C(6) * 3600 * 4166700);
    q.now_ns = t + h + h / 2;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(4) * 3600 * 4166700);
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK_INT((int64_t)c.provisioned, INT64_C(9000) * 4166700);
}

/* 1024 MB for 3 hours: 10,800 GB-s x 0.0000015046; a day is charged as a day. */
static void test_snapshots_for_three_hours(void **state)
{
    UNUSED(state);
    struct fn_rule rule = {.name_glob = STR("*"), .snapshots = {.is_said = true, .n = 1}};
    const struct stats s = kept_sums(1024, START_SNAPSTART);
    const int64_t since_ns = attempt(1, 1).start_ns;
    const struct range all = {since_ns, since_ns + 2 * NS_PER_DAY};
    context.rules = &rule;
    context.n_rules = 1;
    rule.snapshots.when = (struct range){since_ns, since_ns + NS_PER_MIN};
    CHECK_INT((int64_t)kept(&s, all).snapshots, INT64_C(16249680000));
    CHECK_INT((int64_t)kept(&s, (struct range){since_ns, since_ns + NS_PER_HOUR}).snapshots,
              INT64_C(16249680000) / 3);
    rule.snapshots.when.until_ns = since_ns + NS_PER_DAY;
    CHECK_INT((int64_t)kept(&s, all).snapshots, INT64_C(16249680000) * 8);
}

static void test_kept_limits(void **state)
{
    UNUSED(state);
    struct pricebook *absurd = absurd_book();
    struct err e;
    struct standing_cost c = {.provisioned = 1};
    struct fn_rule rule = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 1000000}};
    struct stats s = kept_sums(1, START_PROVISIONED);
    struct standing_request q = {&fn, &s, {0, NS_PER_DAY}, INT64_MAX, {0}, {0}};
    q.range = (struct range){attempt(1, 1).start_ns, attempt(1, 1).start_ns + NS_PER_DAY};
    s.memory_size_bytes = UINT64_MAX;
    context.book = absurd;
    context.rules = &rule;
    context.n_rules = 1;
    CHECK_STATUS(cost_standing(&context, &q, &c, &e), ERR_LIMIT);
    CHECK(strstr(e.msg, "function checkout: meter Lambda-Provisioned-Concurrency") != NULL);
    rule.snapshots = rule.provisioned;
    rule.provisioned.n = 0;
    CHECK_STATUS(cost_standing(&context, &q, &c, NULL), ERR_LIMIT);
    fn.provider = PROVIDER_GENERIC; /* nobody has prices for it */
    CHECK_OK(cost_standing(&context, &q, &c, &e), &e);
    CHECK(c.provisioned == 0 && c.currency.n == 0);
    pricebook_free(absurd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_restore_stands_beside, setup),
    cmocka_unit_test_setup(test_restore_in_cost, setup),
    cmocka_unit_test_setup(test_runtime_of_a_restore, setup),
    cmocka_unit_test_setup(test_sums_with_restores, setup),
    cmocka_unit_test_setup(test_kept_ready, setup),
    cmocka_unit_test_setup(test_kept_for_a_time, setup),
    cmocka_unit_test_setup(test_slices_add_up, setup),
    cmocka_unit_test_setup(test_sizes_of_stretches, setup),
    cmocka_unit_test_setup(test_counts_of_a_collector, setup),
    cmocka_unit_test_setup(test_snapshots_for_three_hours, setup),
    cmocka_unit_test_setup(test_kept_limits, setup),
    cmocka_unit_test_setup_teardown(test_kept_snapshots, setup, free_book),
};
TEST_MAIN(tests)
