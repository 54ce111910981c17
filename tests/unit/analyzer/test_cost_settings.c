/* What prices depend on beside the bill: rules, defaults, what was stored, and the number that
 * stands for all of it. */
#include "tests/test.h"

#include "analyzer/cost.h"
#include "tests/unit/analyzer/cost_fixture.h"

/* Everything a price depends on has its part in the number, and no two of these share one. */
static void test_fingerprint(void **state)
{
    UNUSED(state);
    struct fn_rule rules[] = {{.name_glob = STR("*"), .runtime = STR("java21")},
                              {.name_glob = STR("a*"), .runtime = STR("java21")}};
    const struct fn_rule kept = {.name_glob = STR("*"), .provisioned = {.is_said = true, .n = 1}};
    struct cost_context variants[12];
    uint64_t prints[ARRAY_LEN(variants)];
    struct fn_rule changed[5] = {rules[0], rules[0], rules[0], rules[0], rules[0]};
    size_t n = 0;
    struct pricebook *absurd = absurd_book();

    changed[0].name_glob = STR("b*");
    changed[1].region = STR("eu-west-1");
    changed[2].account = STR("1");
    changed[3].arch = ARCH_ARM64;
    changed[4].storage_bytes = MB;
    variants[n++] = context;
    variants[n++] = context;
    variants[n - 1].default_region = STR("eu-west-1");
    variants[n++] = context;
    variants[n - 1].default_arch = ARCH_ARM64;
    variants[n++] = context;
    variants[n - 1].book = absurd;
    variants[n++] = context;
    variants[n - 1].rules = rules;
    variants[n - 1].n_rules = 2;
    for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
        variants[n] = context;
        variants[n].rules = &changed[i];
        variants[n++].n_rules = 1;
    }
    variants[n++] = context;
    variants[n - 1].is_region_said = true;
    variants[n++] = context;
    variants[n - 1].is_arch_said = true;
    CHECK_INT(n, ARRAY_LEN(variants));
    for (size_t i = 0; i < n; i++) {
        prints[i] = cost_fingerprint(&variants[i]);
        CHECK(prints[i] > 3 && prints[i] <= INT64_MAX &&
              prints[i] == cost_fingerprint(&variants[i]));
        for (size_t k = 0; k < i; k++)
            CHECK(prints[k] != prints[i]);
    }
    context.rules = &kept; /* stored costs know nothing of it */
    context.n_rules = 1;
    CHECK(cost_fingerprint(&context) == prints[0]);
    /* what was stated is told apart by the two lowest bits alone */
    CHECK((prints[0] & 3) == 0 && prints[n - 2] >> 2 == prints[0] >> 2);
    CHECK((prints[n - 2] & 3) != (prints[n - 1] & 3) && prints[n - 1] >> 2 == prints[0] >> 2);
    pricebook_free(absurd);
}

/* Under other settings than the store's, what has a price keeps it and what it was made with. */
static void test_stored_prices_stay(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    const struct fn_rule rule = {
        .name_glob = STR("*"), .arch = ARCH_ARM64, .storage_bytes = 10240 * MB};
    arena_init(&a);
    context.rules = &rule;
    context.n_rules = 1;
    context.keeps_stored = true;
    struct invocation inv = attempt(1000, 1024);
    inv.is_priced = true;
    inv.cost = 5;
    inv.storage_bytes = 1024 * MB;
    CHECK_INT(priced(&inv), 5);
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_STR(r.lines[0].meter, STR("Lambda-GB-Second"));
    CHECK_INT(r.lines[2].amount, 15450);
    inv.evidence = EV_ASSUMED_CONFIG; /* assumed then: what it was made with all the same */
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_STR(r.lines[0].meter, STR("Lambda-GB-Second"));
    inv.storage_bytes = 0; /* not stored: the rule's */
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK_INT(r.lines[2].amount, 293550);
    inv.is_priced = false; /* never priced: priced now */
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 13333400 + 200000 + 293550);
}

static void test_providers_without_prices(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    struct stats_cost c = {0};
    const struct stats s = {.n = 1, .cost = 7};
    struct invocation inv = attempt(1000, 1024);
    arena_init(&a);
    fn.provider = PROVIDER_GENERIC;
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, &e), ERR_NOT_FOUND);
    CHECK_STATUS(cost_receipt(&context, &inv, 0, &a, &r, NULL), ERR_NOT_FOUND);
    CHECK_STR(cost_currency(&context, &fn, inv.start_ns), STR("USD"));
    CHECK_OK(cost_of_stats(&context, &fn, &s, inv.start_ns, &c, &e), &e);
    CHECK(c.total == 7 && c.duration == 7);
    cost_index_free(NULL);
}

static void test_settings_said_and_unsaid(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    struct err e;
    struct cost_lines r = {0};
    struct stats s = {.mb_ms = 100, .mb_ms_arm = 51};
    struct fn_rule rule = {.name_glob = STR("*"), .account = STR("1")};
    struct invocation inv = attempt(1000, 1024);
    arena_init(&a);
    struct cost_index *none = cost_index_new(NULL, 0);
    context.index = none;                  /* an index of no configs */
    CHECK(cost_is_arm(&context, &fn, &s)); /* most of what was seen */
    s.mb_ms_arm = 50;
    CHECK(!cost_is_arm(&context, &fn, &s));
    rule.arch = ARCH_ARM64;
    context.rules = &rule;
    context.n_rules = 1;
    CHECK(cost_is_arm(&context, &fn, &s)); /* an account nobody knows may be the rule's */
    context.keeps_stored = true;
    CHECK(!cost_is_arm(&context, &fn, &s)); /* what was stored, not what is said now */
    context.keeps_stored = false;
    context.n_rules = 0;
    context.is_region_said = true;
    context.default_region = STR("");
    context.default_arch = ARCH_UNKNOWN;
    fn.region = STR("");
    inv.arch = ARCH_UNKNOWN;
    CHECK_INT(priced(&inv), 16666700 + 200000); /* us-east-1, x86_64 */
    CHECK(inv.evidence & EV_ASSUMED_CONFIG);
    CHECK_STR(cost_currency(&context, &fn, 0), STR("USD")); /* before any price */
    fn.name = STR("us-east-1.edge"); /* one price all over the world: nothing is assumed */
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(!r.lines[0].is_estimated);
    fn.name = STR("us-east-1.");
    inv.start = START_SNAPSTART; /* of a runtime nobody names */
    CHECK_OK(cost_receipt(&context, &inv, 0, &a, &r, &e), &e);
    CHECK(r.n == 4 && r.n_in_cost == 3 && r.lines[0].is_estimated);
    cost_index_free(none);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_settings_said_and_unsaid, setup),
    cmocka_unit_test_setup(test_fingerprint, setup),
    cmocka_unit_test_setup(test_stored_prices_stay, setup),
    cmocka_unit_test_setup_teardown(test_providers_without_prices, setup, free_book),
};
TEST_MAIN(tests)
