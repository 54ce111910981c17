/* Prices of single invocations, receipts, and sums: known amounts, every special case of the
 * billing rules, and sums against their parts. */
#include "tests/test.h"

#include "core/base/rng.h"
#include "tests/unit/analyzer/cost_fixture.h"

static void test_known_amounts(void **state)
{
    UNUSED(state);
    struct invocation inv = attempt(889, 128);
    /* 0.111125 GB-s x 0.0000166667 = 0.0000018520870..., and one request 0.0000002 */
    CHECK_INT(priced(&inv), 1852087 + 200000);
    CHECK(inv.is_priced && (inv.evidence & EV_ASSUMED_CONFIG) == 0);
    CHECK_INT(inv.storage_bytes, 512 * MB);
    inv = attempt(1, 128); /* 0.000125 GB-s: 2083.3375 */
    CHECK_INT(priced(&inv), 2083 + 200000);
    inv = attempt(900000, 10240); /* 9000 GB-s */
    CHECK_INT(priced(&inv), INT64_C(150000300000) + 200000);
    inv = attempt(1000, 1024);
    inv.arch = ARCH_ARM64;
    CHECK_INT(priced(&inv), 13333400 + 200000);
    fn.region = STR("ap-east-1");
    inv = attempt(1000, 1024);
    CHECK_INT(priced(&inv), 22920000 + 280000);
}

/* Ephemeral storage above 512 MB by time alone: memory does not multiply it. */
static void test_storage(void **state)
{
    UNUSED(state);
    const struct fn_rule rule = {.name_glob = STR("check*"), .storage_bytes = 10240 * MB};
    context.rules = &rule;
    context.n_rules = 1;
    struct invocation small = attempt(1000, 128), large = attempt(1000, 10240);
    const money storage = 293550; /* 9.5 GB-s x 0.0000000309 */
    CHECK_INT(priced(&small), 2083338 + 200000 + storage);
    CHECK_INT(priced(&large), 166667000 + 200000 + storage);
    CHECK_INT(small.storage_bytes, 10240 * MB);
}

/* Billed Duration holds the init where it is charged; Init Duration is never added. */
static void test_init_is_inside(void **state)
{
    UNUSED(state);
    struct invocation cold = attempt(417, 1024), warm = attempt(417, 1024);
    cold.start = START_COLD;
    cold.init_ns = 414 * NS_PER_MS;
    CHECK_INT(priced(&cold), priced(&warm));
}

static void test_provisioned_and_edge(void **state)
{
    UNUSED(state);
    struct invocation inv = attempt(1000, 1024);
    inv.start = START_PROVISIONED;
    CHECK_INT(priced(&inv), 9722200 + 200000);
    inv = attempt(1000, 1024);
    inv.start = START_PROVISIONED;
    fn.region = STR("eu-west-1");
    inv.arch = ARCH_ARM64; /* no row: not priced, and said so */
    CHECK_INT(priced(&inv), 0);
    CHECK(!inv.is_priced);
    fn.name = STR("us-east-1.rewrite");
    fn.region = STR("");
    inv = attempt(10, 128);
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 62513 + 600000); /* 0.00125 x 0.00005001 = 62512.5 */
    CHECK(inv.is_priced && (inv.evidence & EV_ASSUMED_CONFIG) == 0);
    fn.region = STR("cn-north-1"); /* where there is none */
    CHECK_INT(priced(&inv), 62513 + 600000);
    CHECK_STR(cost_currency(&context, &fn, inv.start_ns), STR("USD"));
    CHECK(fn_is_usd(&fn));
    fn.region = STR("");
    fn.name = STR("us-east-1.");
    CHECK_INT(priced(&inv), 20833 + 200000);
}

static void test_not_billed(void **state)
{
    UNUSED(state);
    struct invocation inv = attempt(0, 128);
    inv.outcome = OUTCOME_THROTTLED;
    CHECK_INT(priced(&inv), 0);
    CHECK(inv.is_priced);
    inv = attempt(0, 0);
    inv.evidence = EV_NO_BILLING;
    CHECK_INT(priced(&inv), 200000);
    CHECK(inv.is_priced);
    inv = attempt(0, 128); /* it never began to run, and its REPORT says so */
    inv.evidence = EV_REPORT;
    CHECK_INT(priced(&inv), 200000);
    CHECK(inv.is_priced);
    inv = attempt(0, 128);
    inv.is_final = false;
    CHECK_INT(priced(&inv), 0);
    CHECK(!inv.is_priced);
    inv = attempt(10, 0);
    CHECK_INT(priced(&inv), 0);
    CHECK(!inv.is_priced);
    inv = attempt(10, 128);
    fn.provider = PROVIDER_GENERIC;
    CHECK_INT(priced(&inv), 0);
    CHECK(!inv.is_priced);
}

static void test_before_the_book(void **state)
{
    UNUSED(state);
    struct invocation inv = attempt(10, 128);
    CHECK_STATUS(time_parse_human(STR("2010-01-01"), 0, &inv.start_ns, NULL), OK);
    CHECK_INT(priced(&inv), 0);
    CHECK(!inv.is_priced);
}

static void test_assumptions(void **state)
{
    UNUSED(state);
    struct invocation inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 16666700 + 200000);
    CHECK(inv.evidence & EV_ASSUMED_CONFIG);
    context.is_arch_said = true; /* stated: no assumption any more, though priced before */
    context.default_arch = ARCH_ARM64;
    CHECK_INT(priced(&inv), 13333400 + 200000);
    CHECK((inv.evidence & EV_ASSUMED_CONFIG) == 0);
    CHECK_INT(inv.arch, ARCH_ARM64);
    fn.region = STR("");
    CHECK_INT(priced(&inv), 13333400 + 200000);
    CHECK(inv.evidence & EV_ASSUMED_CONFIG);
    const struct fn_rule rules[] = {{.name_glob = STR("mail-*"), .region = STR("sa-east-1")},
                                    {.name_glob = STR("checkout"), .region = STR("eu-south-1")},
                                    {.name_glob = STR("*"), .region = STR("sa-east-1")}};
    context.rules = rules;
    context.n_rules = ARRAY_LEN(rules);
    CHECK_INT(priced(&inv), 15613800 + 230000);
    CHECK((inv.evidence & EV_ASSUMED_CONFIG) == 0);
    CHECK_STR(cost_region(&context, &fn), STR("eu-south-1"));
}

/* A plain name adds to what patterns before it say, and goes before them. */
static void test_rules_together(void **state)
{
    UNUSED(state);
    const struct fn_rule rules[] = {
        {.name_glob = STR("ch*"), .region = STR("sa-east-1"), .arch = ARCH_ARM64},
        {.name_glob = STR("check*"), .region = STR("eu-west-1")},
        {.name_glob = STR("c*t"), .arch = ARCH_X86_64},
        {.name_glob = STR("checkout"), .storage_bytes = 1536 * MB},
    };
    struct invocation inv = attempt(1000, 1024);

    inv.arch = ARCH_UNKNOWN;
    fn.region = STR("");
    context.rules = rules;
    context.n_rules = ARRAY_LEN(rules);
    CHECK_STR(cost_region(&context, &fn), STR("eu-west-1"));
    (void)priced(&inv);
    CHECK_INT(inv.arch, ARCH_ARM64);
    CHECK_INT(inv.storage_bytes, 1536 * MB);
}

static void check_configs_by_time(bool is_indexed)
{
    struct fn_config configs[] = {
        {.fn = fn, .arch = ARCH_ARM64, .ephemeral_storage_bytes = 1024 * MB},
        {.fn = fn, .arch = ARCH_X86_64},
    };
    CHECK_STATUS(time_parse_human(STR("2026-05-01"), 0, &configs[0].valid_from_ns, NULL), OK);
    CHECK_STATUS(time_parse_human(STR("2026-07-01"), 0, &configs[1].valid_from_ns, NULL), OK);
    context.configs = configs;
    context.n_configs = 2;
    struct cost_index *index = is_indexed ? cost_index_new(configs, 2) : NULL;
    context.index = index;
    struct invocation inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 13333400 + 200000 + 15450);
    CHECK((inv.evidence & EV_ASSUMED_CONFIG) == 0);
    inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN;
    CHECK_STATUS(time_parse_human(STR("2026-08-01"), 0, &inv.start_ns, NULL), OK);
    CHECK_INT(priced(&inv), 16666700 + 200000);
    inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN; /* before both: the older one stands for what was */
    CHECK_STATUS(time_parse_human(STR("2026-01-01"), 0, &inv.start_ns, NULL), OK);
    CHECK_INT(priced(&inv), 13333400 + 200000 + 15450);
    cost_index_free(index);
}

static void test_configs_by_time(void **state)
{
    UNUSED(state);
    check_configs_by_time(false);
    check_configs_by_time(true);
}

static void test_china_keeps_its_currency(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    struct err e;
    struct cost_lines r = {0};
    fn.region = STR("cn-northwest-1");
    struct invocation inv = attempt(1000, 1024);
    CHECK_INT(priced(&inv), 113477000 + 1360000);
    CHECK_STR(cost_currency(&context, &fn, inv.start_ns), STR("CNY"));
    CHECK_OK(cost_receipt(&context, &inv, 1000, &a, &r, &e), &e);
    CHECK_STR(r.lines[0].price->currency, STR("CNY"));
    CHECK(r.lines[3].price == NULL); /* no log price in CNY: none in USD stands in */
}

static void test_receipt_is_the_cost(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct rng g;
    rng_seed(&g, 42);
    arena_init(&a);
    const struct fn_rule rule = {.name_glob = STR("*"), .storage_bytes = 3000 * MB};
    context.rules = &rule;
    context.n_rules = 1;
    for (int i = 0; i < 500; i++) {
        struct err e;
        struct cost_lines r = {0};
        struct invocation inv =
            attempt((int64_t)rng_below(&g, 900000) + 1, 128 + rng_below(&g, 10113));
        inv.arch = rng_below(&g, 2) == 0 ? ARCH_X86_64 : ARCH_ARM64;
        const money cost = priced(&inv);
        CHECK_OK(cost_receipt(&context, &inv, 1000, &a, &r, &e), &e);
        CHECK_INT(r.n, 4);
        CHECK_INT(r.lines[0].amount + r.lines[1].amount + r.lines[2].amount, cost);
        CHECK_INT(r.total, cost);
        CHECK_INT(r.lines[3].amount, 500000); /* 1000 bytes x 0.50 / 10^9 */
        for (size_t k = 0; k < r.n; k++)
            CHECK(r.lines[k].rounding.n > 0 && r.lines[k].price != NULL && r.lines[k].unit.n > 0);
        /* the quantity times the price gives the amount back, to the last digit or one */
        const wide again =
            wide_div_round(r.lines[0].quantity * r.lines[0].price->unit_price, MONEY_UNIT);
        CHECK(again - r.lines[0].amount <= 1 && again - r.lines[0].amount >= -1);
    }
}

static void test_receipt_before_may_2025(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    arena_init(&a);
    struct invocation inv = attempt(100, 128);
    CHECK_STATUS(time_parse_human(STR("2025-04-01"), 0, &inv.start_ns, NULL), OK);
    CHECK_OK(cost_receipt(&context, &inv, 1000000000, &a, &r, &e), &e);
    CHECK_STR(r.lines[3].meter, STR("DataProcessing-Bytes"));
    CHECK_INT(r.lines[3].amount, MONEY_UNIT / 2);
    CHECK(!r.lines[3].is_estimated);
    fn.region = STR("eu-west-1"); /* its log price is not known: flagged */
    CHECK_OK(cost_receipt(&context, &inv, 1000, &a, &r, &e), &e);
    CHECK(r.lines[3].is_estimated && !r.lines[0].is_estimated);
    fn.provider = PROVIDER_GENERIC;
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, &e), ERR_NOT_FOUND);
}

/* The cost of the sum differs from the sum of costs by the rounding of single ones only. */
static void test_stats_agree(void **state)
{
    UNUSED(state);
    enum { N = 400 };
    struct rng r;
    struct err e;
    struct stats s = {0};
    struct stats_cost c = {0};
    rng_seed(&r, 8);
    int64_t at_ns = 0;
    const struct fn_rule rule = {.name_glob = STR("*"), .storage_bytes = 3000 * MB};
    context.rules = &rule;
    context.n_rules = 1;
    for (int i = 0; i < N; i++) {
        struct invocation inv =
            attempt((int64_t)rng_below(&r, 90000) + 1, 128 + rng_below(&r, 4000));
        inv.arch = rng_below(&r, 2) == 0 ? ARCH_X86_64 : ARCH_ARM64;
        inv.outcome = rng_below(&r, 9) == 0 ? OUTCOME_THROTTLED : OUTCOME_OK;
        if (inv.outcome == OUTCOME_THROTTLED)
            inv.billed_ns = 0;
        priced(&inv);
        stats_add_invocation(&s, &inv);
        at_ns = inv.start_ns;
    }
    s.log_bytes = 2000000000;
    CHECK_OK(cost_of_stats(&context, &fn, &s, at_ns, &c, &e), &e);
    CHECK(c.total == c.duration + c.request + c.storage);
    CHECK(c.total - s.cost < N * 3 && s.cost - c.total < N * 3);
    CHECK(c.logs == MONEY_UNIT);
    CHECK(!c.is_unpriced);
    CHECK_STR(c.currency, STR("USD"));
    s.start[START_PROVISIONED] = 1; /* then the stored sum is the total */
    CHECK_OK(cost_of_stats(&context, &fn, &s, at_ns, &c, &e), &e);
    CHECK(c.total == s.cost);
    s.start[START_PROVISIONED] = 0;
    fn.region = STR("ca-west-1"); /* no arm price there */
    CHECK_OK(cost_of_stats(&context, &fn, &s, at_ns, &c, &e), &e);
    CHECK(c.is_unpriced);
    stats_clear(&s);
}

/* Sums stored under an assumption are priced anew when somebody states the facts. */
static void test_stats_are_priced_anew(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {0};
    struct stats_cost c = {0};
    fn.region = STR("");
    struct invocation inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN;
    priced(&inv);
    stats_add_invocation(&s, &inv);
    CHECK_OK(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), &e);
    CHECK(c.is_assumed && c.total == 16866700);
    context.is_arch_said = context.is_region_said = true;
    context.default_arch = ARCH_ARM64;
    context.default_region = STR("eu-south-1");
    CHECK_OK(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), &e);
    CHECK(!c.is_assumed && c.total == 15613800 + 230000);
    stats_clear(&s);
}

static void test_limits(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    arena_init(&a);
    struct pricebook *absurd = absurd_book();
    context.book = absurd;
    struct invocation inv = attempt(900000, 10240);
    const struct invocation before = inv;
    CHECK_STATUS(cost_invocation(&context, NULL, &inv, &e), ERR_LIMIT);
    CHECK(memcmp(&inv, &before, sizeof(inv)) == 0);
    CHECK(strstr(e.msg, "8f6a") != NULL && strstr(e.msg, "Lambda-GB-Second") != NULL);
    CHECK_STATUS(cost_invocation(&context, NULL, &inv, NULL), ERR_LIMIT);
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, &e), ERR_LIMIT);
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, NULL), ERR_LIMIT);
    CHECK(r.lines == NULL);
    inv = attempt(1000, 1024); /* each share fits, their sum does not */
    CHECK_STATUS(cost_invocation(&context, NULL, &inv, &e), ERR_LIMIT);
    inv = attempt(1, 128);
    CHECK_STATUS(cost_receipt(&context, &inv, UINT64_MAX, &a, &r, &e), ERR_LIMIT);
    CHECK(strstr(e.msg, "DataProcessing-Bytes") != NULL);
    inv = attempt(1000, 1024);
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, &e), ERR_LIMIT);
    fn.region = STR("eu-west-1");
    inv = attempt(1, 10240);
    inv.start = START_SNAPSTART;
    inv.restore_ns = 1;
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, &e), ERR_LIMIT);
    CHECK(strstr(e.msg, "Lambda-SnapStart-Restored-GB") != NULL && r.lines == NULL);
    fn.region = STR("us-east-1");
    struct stats s = {.n = 1, .mb_ms = (wide)1 << 100};
    struct stats_cost c = {.total = 5};
    CHECK_STATUS(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), ERR_LIMIT);
    CHECK_STATUS(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, NULL), ERR_LIMIT);
    CHECK(c.total == 5 && strstr(e.msg, "checkout") != NULL);
    s = (struct stats){.storage_mb_ms = (wide)1 << 100};
    CHECK_STATUS(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), ERR_LIMIT);
    s = (struct stats){.log_bytes = UINT64_MAX};
    CHECK_STATUS(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), ERR_LIMIT);
    pricebook_free(absurd);
}

static void test_rounding_sentences(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    arena_init(&a);
    struct invocation inv = attempt(417, 1024);
    inv.init_ns = 414 * NS_PER_MS;
    inv.duration_ns = 3 * NS_PER_MS;
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_INT(r.n, 3);
    CHECK_STR(r.lines[0].rounding,
              STR("417 ms billed (rounded up to 1 ms by the provider, 414 ms of "
                  "it initialization) x 1024 MB / 1,024,000"));
    inv.evidence = EV_NO_BILLING;
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(str_starts(r.lines[0].rounding, STR("managed instance")));
    CHECK(r.lines[0].quantity == 0 && r.lines[1].amount == 200000);
    inv = attempt(0, 1024);
    inv.outcome = OUTCOME_THROTTLED;
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(str_starts(r.lines[1].rounding, STR("throttled")));
    CHECK(r.lines[1].quantity == 0);
}

static void test_rules_by_account(void **state)
{
    UNUSED(state);
    const struct fn_rule rules[] = {
        {.name_glob = STR("*"), .account = STR("1"), .region = STR("eu-south-1")},
        {.name_glob = STR("*"), .account = STR("2"), .region = STR("sa-east-1")},
    };
    context.rules = rules;
    context.n_rules = ARRAY_LEN(rules);
    fn.region = STR("");
    fn.account = STR("2");
    CHECK_STR(cost_region(&context, &fn), STR("sa-east-1"));
    fn.account = STR("1");
    CHECK_STR(cost_region(&context, &fn), STR("eu-south-1"));
    fn.account = STR("3");
    CHECK_STR(cost_region(&context, &fn), STR("us-east-1"));
}

/* Configurations of other functions do not count. */
static void test_config_of_another(void **state)
{
    UNUSED(state);
    struct fn_config config = {.fn = fn, .arch = ARCH_ARM64};
    config.fn.name = STR("mail");
    context.configs = &config;
    context.n_configs = 1;
    struct cost_index *index = cost_index_new(&config, 1);
    context.index = index;
    struct invocation inv = attempt(1000, 1024);
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 16666700 + 200000);
    cost_index_free(index);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_limits, setup),
    cmocka_unit_test_setup(test_rounding_sentences, setup),
    cmocka_unit_test_setup(test_rules_by_account, setup),
    cmocka_unit_test_setup(test_rules_together, setup),
    cmocka_unit_test_setup(test_config_of_another, setup),
    cmocka_unit_test_setup(test_known_amounts, setup),
    cmocka_unit_test_setup(test_storage, setup),
    cmocka_unit_test_setup(test_init_is_inside, setup),
    cmocka_unit_test_setup(test_provisioned_and_edge, setup),
    cmocka_unit_test_setup(test_not_billed, setup),
    cmocka_unit_test_setup(test_before_the_book, setup),
    cmocka_unit_test_setup(test_assumptions, setup),
    cmocka_unit_test_setup(test_configs_by_time, setup),
    cmocka_unit_test_setup(test_china_keeps_its_currency, setup),
    cmocka_unit_test_setup(test_receipt_is_the_cost, setup),
    cmocka_unit_test_setup(test_receipt_before_may_2025, setup),
    cmocka_unit_test_setup(test_stats_agree, setup),
    cmocka_unit_test_setup_teardown(test_stats_are_priced_anew, setup, free_book),
};
TEST_MAIN(tests)
