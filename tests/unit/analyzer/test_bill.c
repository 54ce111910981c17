/* Bills beyond the golden cases: free tier across architectures, tiers that go on, savings plan,
 * currencies, missing prices, limits; and usage files that are wrong. */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"
#include "core/base/yaml.h"

static struct pricebook *book;
static struct arena arena;

static int setup(void **state)
{
    UNUSED(state);
    struct err e;
    arena_init(&arena);
    return book != NULL || pricebook_load(SOURCE_ROOT "/data/prices", &book, &e) == OK ? 0 : 1;
}

static int clear(void **state)
{
    UNUSED(state);
    arena_clear(&arena);
    return 0;
}

static int free_all(void **state)
{
    pricebook_free(book);
    return clear(state);
}

static struct bill_input input(const char *region)
{
    struct bill_input in = {.provider = PROVIDER_AWS, .region = str_from(region)};
    CHECK_STATUS(time_parse_human(STR("2026-11-01"), 0, &in.at_ns, NULL), OK);
    return in;
}

static void use(struct bill_input *in, const char *meter, int64_t units)
{
    in->usage[in->n_usage].meter = meter;
    in->usage[in->n_usage].quantity = (wide)units * MONEY_UNIT;
    in->n_usage++;
}

static struct cost_lines make(const struct bill_input *in)
{
    struct err e;
    struct cost_lines m = {0};
    CHECK_OK(bill_make(book, in, &arena, &m, &e), &e);
    return m;
}

/* 300,000 x86 and 300,000 arm GB-s share one allowance of 400,000; requests likewise. */
static void test_free_tier_is_shared(void **state)
{
    UNUSED(state);
    struct bill_input in = input("us-east-1");
    use(&in, "Lambda-GB-Second", 300000);
    use(&in, "Lambda-GB-Second-ARM", 300000);
    use(&in, "Request", 800000);
    use(&in, "Request-ARM", 300000);
    use(&in, "Lambda-Provisioned-GB-Second", 1000);
    in.free_requests = in.free_compute = true;
    const struct cost_lines m = make(&in);
    CHECK_INT(m.n, 9); /* four free lines, five paid */
    CHECK_STR(m.lines[0].meter, STR("Global-Lambda-GB-Second"));
    CHECK(m.lines[0].quantity == (wide)300000 * MONEY_UNIT && m.lines[0].amount == 0);
    CHECK(m.lines[1].quantity == 0 && m.lines[1].amount == 0);
    CHECK(m.lines[2].quantity == (wide)100000 * MONEY_UNIT);
    CHECK(m.lines[3].quantity == (wide)200000 * MONEY_UNIT);
    CHECK_INT(m.lines[3].amount, INT64_C(2666680000000));
    CHECK(m.lines[7].quantity == (wide)100000 * MONEY_UNIT);
    CHECK_INT(m.lines[8].amount, 9722200000);
    CHECK_INT(m.total, INT64_C(2666680000000) + 20000000000 + 9722200000);
    in.free_permille = 500; /* half a month: half the allowance */
    const struct cost_lines half = make(&in);
    CHECK(half.lines[0].quantity == (wide)200000 * MONEY_UNIT);
}

static void test_free_quantity_of_one_line(void **state)
{
    UNUSED(state);
    struct bill_input in = input("us-east-1");
    use(&in, "Request", 10);
    in.usage[0].free_quantity = 4 * (wide)MONEY_UNIT;
    CHECK_INT(make(&in).total, 6 * 200000);
    in.usage[0].free_quantity = 40 * (wide)MONEY_UNIT;
    CHECK_INT(make(&in).total, 0);
}

/* The same meter twice goes on in the tiers where it stopped. */
static void test_tiers_go_on(void **state)
{
    UNUSED(state);
    struct bill_input in = input("us-east-1");
    use(&in, "VendedLog-Bytes", 8000);
    use(&in, "Request", 1);
    use(&in, "VendedLog-Bytes", 8000);
    const struct cost_lines m = make(&in);
    CHECK_INT(m.n, 4);
    CHECK_INT(m.lines[0].amount, 4000 * MONEY_UNIT);
    CHECK(m.lines[2].quantity == (wide)2000 * MONEY_UNIT);
    CHECK_INT(m.lines[2].amount, 1000 * MONEY_UNIT);
    CHECK_INT(m.lines[3].amount, 1500 * MONEY_UNIT);
}

/* Exactly at a tier's edge nothing falls into the next; one unit more does. */
static void test_tier_edges(void **state)
{
    UNUSED(state);
    struct bill_input in = input("us-east-1");
    use(&in, "Lambda-GB-Second", INT64_C(6000000000));
    CHECK_INT(make(&in).n, 1);
    in.usage[0].quantity += MONEY_UNIT;
    const struct cost_lines m = make(&in);
    CHECK_INT(m.n, 2);
    CHECK(m.lines[1].quantity == MONEY_UNIT);
    CHECK_INT(m.lines[1].amount, 15000000);
    CHECK(!m.lines[1].is_estimated);
    in.region = STR("eu-west-1");
    CHECK(make(&in).lines[1].is_estimated);
}

static void test_savings_plan(void **state)
{
    UNUSED(state);
    struct bill_input in = input("us-east-1");
    use(&in, "Lambda-GB-Second", 1000000);
    use(&in, "Request", 1000000);
    in.savings_plan = STR("no-upfront");
    const struct cost_lines m = make(&in);
    CHECK_INT(m.lines[0].amount, INT64_C(14700000) * 1000000);
    CHECK_INT(m.lines[1].amount, 200000000000);
    in.savings_plan = STR("all-upfront");
    CHECK_INT(make(&in).lines[0].amount, INT64_C(13800000) * 1000000);
    CHECK(!make(&in).lines[0].lacks_plan);
    in.region = STR("eu-west-1"); /* no rate there: list price, and the line says so */
    CHECK_INT(make(&in).lines[0].amount, INT64_C(16666700) * 1000000);
    CHECK(make(&in).lines[0].lacks_plan && !make(&in).lines[1].lacks_plan);
}

static void test_china_has_no_free_tier_here(void **state)
{
    UNUSED(state);
    struct bill_input in = input("cn-north-1");
    use(&in, "Lambda-GB-Second", 100);
    use(&in, "Request", 100);
    in.free_requests = in.free_compute = true;
    const struct cost_lines m = make(&in);
    CHECK_INT(m.n, 2);
    CHECK_INT(m.total, 11347700000 + 136000000);
    CHECK_STR(m.lines[0].price->currency, STR("CNY"));
    use(&in, "Lambda-Edge-Request", 1); /* in USD everywhere */
    struct err e;
    struct cost_lines mixed = {0};
    CHECK_STATUS(bill_make(book, &in, &arena, &mixed, &e), ERR_CONFIG);
    CHECK(strstr(e.msg, "CNY") != NULL && strstr(e.msg, "USD") != NULL);
}

static void test_missing_price(void **state)
{
    UNUSED(state);
    struct bill_input in = input("eu-west-1");
    use(&in, "SQS-Event-Poller-Unit-Hours", 5);
    use(&in, "Request", 1);
    const struct cost_lines m = make(&in);
    CHECK(m.lines[0].price == NULL && m.lines[0].is_estimated && m.lines[0].rounding.n > 0);
    CHECK_INT(m.total, 200000);
}

static void test_limits(void **state)
{
    UNUSED(state);
    struct err e;
    struct cost_lines m = {0};
    struct bill_input in = input("us-east-1");
    use(&in, "Lambda-GB-Second", INT64_MAX);
    CHECK_STATUS(bill_make(book, &in, &arena, &m, &e), ERR_LIMIT);
    in = input("us-east-1");
    for (int i = 0; i < 3; i++)
        use(&in, "Lambda-GB-Second-ARM", INT64_C(360000000000));
    CHECK_STATUS(bill_make(book, &in, &arena, &m, &e), ERR_LIMIT);
    CHECK(strstr(e.msg, "total") != NULL);
    CHECK_STATUS(bill_make(book, &in, &arena, &m, NULL), ERR_LIMIT);
    in.n_usage = 1;
    in.usage[0].quantity = (wide)1 << 120;
    CHECK_STATUS(bill_make(book, &in, &arena, &m, &e), ERR_LIMIT);
    CHECK(strstr(e.msg, "Lambda-GB-Second-ARM") != NULL);
    CHECK(m.lines == NULL);
}

static enum status read_text(const char *text, struct usage_cases *out, struct err *e)
{
    struct yaml_node *root = NULL;
    struct usage_options o = {.book = book, .default_region = STR("eu-central-1")};
    CHECK_STATUS(time_parse_human(STR("2026-11-01"), 0, &o.at_ns, NULL), OK);
    CHECK_OK(yaml_parse(&arena, str_from(text), "u.yaml", &root, e), e);
    return usage_read(&o, &arena, root, "u.yaml", out, e);
}

static money total_of(const char *text)
{
    struct err e;
    struct usage_cases u = {0};
    CHECK_OK(read_text(text, &u, &e), &e);
    CHECK_INT(u.n, 1);
    CHECK_STR(u.cases[0].problem, STR(""));
    return make(&u.cases[0].bill).total;
}

static const struct {
    const char *text;
    int64_t want;
} usage_files[] = {
    /* bare inputs, default region */
    {"memory_mb: 1024\ninvocations: 1000\navg_billed_ms: 100", INT64_C(1866670000)},
    /* storage by time above 512 MB */
    {"memory_mb: 128\ninvocations: 1000\navg_billed_ms: 1000\nephemeral_storage_mb: 1536",
     INT64_C(2083337500) + 200000000 + 36700000},
    /* provisioned time rounds up to 5 minutes: 301 s are 600 */
    {"region: us-east-1\nmemory_mb: 1024\nprovisioned_concurrency: 2\npc_seconds: 301",
     INT64_C(4166700) * 1200},
    /* an event of 257 KB is two requests, of 320 KB too, of 321 KB three */
    {"invocations: 10\nevent_kb: 256", 2000000},
    {"invocations: 10\nevent_kb: 257", 4000000},
    {"invocations: 10\nevent_kb: 320", 4000000},
    {"invocations: 10\nevent_kb: 321", 6000000},
    {"arch: arm64\ninvocations: 10\nmemory_mb: 512\navg_ms: 200", 13333400 + 2000000},
    {"free_tier: requests only\ninvocations: 2000000\nmemory_mb: 1024\navg_ms: 1000",
     INT64_C(33333400000000) + 200000000000},
    {"region: us-east-1\nstreams: [{invocations: 1024, mb: 7}]\nmemory_mb: 128\navg_ms: 1\n"
     "free_tier: false",
     INT64_C(8000000000) + 204800000 + 2133300},
    {"region: us-east-1\nstream_gb: 150\nfree_tier: true", INT64_C(400000000000)},
    {"service: cloudwatch-logs\nregion: us-east-1\nlambda_log_gb: 61440\ntb: binary",
     INT64_C(12800) * MONEY_UNIT},
    {"service: cloudwatch-logs\nregion: us-east-1\nlambda_log_gb: 7\nfree_tier: true", MONEY_UNIT},
    {"region: us-east-1\ntenant_environments: 1000\nmemory_mb: 512\narch: arm64", 66666500000},
    {"region: us-east-1\nsnapstart_restores: 100\nmemory_mb: 1024\nruntime: python3.12",
     13979980000},
    {"region: us-east-1\nsnapstart_cached_seconds: 60\nmemory_mb: 1024", 16249680000},
    {"region: us-east-1\nsavings_plan: no_upfront\ninvocations: 1\nmemory_mb: 1024\n"
     "avg_ms: 1000",
     14700000 + 200000},
    {"region: us-east-1\nstreams: [{invocations: 1, gb: 1}]", INT64_C(7953125000) + 200000},
    {"region: us-east-1\npc_invocations: 10\npc_avg_ms: 100\nmemory_mb: 1024\n"
     "storage_mb: 1024",
     9722200 + 2000000 + 15500},
    {"service: lambda-microvm\nregion: us-east-1\nbase_s: 100\nbase_vcpu: 1\nbase_gb: 2",
     2769440000 + 733340000},
    {"service: lambda-microvm\nregion: us-east-1\nsnapshot_gb: 1\nsuspends: 1\nlaunches: 1\n"
     "suspended_s: 2592000",
     3800000000 + 3100000000 + 80000000000},
    {"service: lambda-microvm\nregion: us-east-1\nsnapshot_gb: 1\nsuspends: 0\nlaunches: 1\n"
     "base_s: 28800\nbase_vcpu: 0\nbase_gb: 0",
     1550000000},
    {"service: lambda@edge\ninvocations: 1000000\nmemory_mb: 128\navg_ms: 4",
     25005000000 + 600000000000},
    {"region: us-east-1\ndurable_operations: 1000000\ndurable_written_gb: 104", 34 * MONEY_UNIT},
    /* 857 KB beyond 6 MB: KB are not cut to whole millionths of a MB */
    {"region: us-east-1\nstreams: [{invocations: 1048576, kb: 7001}]",
     INT64_C(6856000000000) + 209715200000},
    /* nothing used is a bill of nothing */
    {"memory_mb: 128\ninvocations: 0\navg_ms: 100", 0},
    {"invocations: 1.5e+3", 300000000},
    {"invocations: 15E2", 300000000},
    {"invocations: 150000e-2", 300000000},
    {"invocations: 0.015e5", 300000000},
    {"invocations: '1500.000000000'", 300000000},
    {"invocations: 1500\nmemory_mb: null\navg_ms: ~\nevent_kb:", 300000000},
    {"memory_gb: 2\ninvocations: 1\navg_seconds: 3", 6 * 16666700 + 200000},
    {"region: us-east-1\nmemory_gb: 1\nprovisioned_concurrency: 2\npc_hours: 1",
     INT64_C(4166700) * 7200},
    {"free_tier: True\ninvocations: 1000005", 1000000},
    {"free_tier: true\nfree_requests_left: 1000\nfree_gb_s_left: 10.5\ninvocations: 1005\n"
     "memory_mb: 1024\navg_ms: 100",
     1000000 + 90 * INT64_C(16666700)},
    /* a remark among the inputs is left out */
    {"invocations: 5\nwhat_for_is_it: a test", 1000000},
    {"[{invocations: 5}]", 1000000},
    {"provider: AWS\nservice: Lambda\nregion: global\narch: ARM64\ninvocations: 5", 1000000},
    {"region: us-east-1\nec2_on_demand: 100\nmanaged_invocations: 1000000",
     INT64_C(15200000000000)},
};

static void test_usage_files(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(usage_files); i++) {
        const money got = total_of(usage_files[i].text);
        if (got != usage_files[i].want)
            fail_msg("%s\ngives %lld, expected %lld", usage_files[i].text, (long long)got,
                     (long long)usage_files[i].want);
    }
}

#define MOST "9000000000000"
#define HUGE "memory_mb: " MOST "\n"

static void test_refused_usage(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"memory_bm: 1024\ninvocations: 1", "u.yaml:1:"},
        {"memory_bm: 1024\ninvocations: 1", "memory_mb"},
        {"invocations: many", "no number"},
        {"invocations: -1", "0 or more"},
        {"invocations: -1.5e3", "no number"},
        {"invocations: 1.2.3e3", "no number"},
        {"invocations: 1e40", "no number"},
        {"invocations: 1e-40", "no number"},
        {"invocations: 1e-7", "no number"},
        {"invocations: 1e", "no number"},
        {"invocations: e3", "no number"},
        {"invocations: .e3", "no number"},
        {"invocations: 1e3e3", "no number"},
        {"invocations: 1e+-3", "no number"},
        {"invocations: 9223372036855", "no number"},
        {"invocations: 99999999999999999999999999999999999", "no number"},
        {"invocations: [1]", "no number"},
        {"invocations: true", "no number"},
        {"invocations: 1\nmemory_gb: 9007199254741", "too large"},
        {"streams: [{invocations: 1, gb: 9007199254741}]", "too large"},
        {"invocations: 1\navg_ms: 100", "memory_mb is missing"},
        {"provisioned_concurrency: 1\npc_seconds: 100", "memory_mb is missing"},
        {"service: lambda@edge\ninvocations: 1\navg_ms: 100", "memory_mb is missing"},
        {"invocations: 0.0000001", "no number"},
        {"free_tier: perhaps\ninvocations: 1", "free_tier"},
        {"savings_plan: cheap\ninvocations: 1", "savings_plan"},
        {"arch: mips\ninvocations: 1", "arch"},
        {"region: mars\ninvocations: 1", "no such region"},
        {"provider: moon\ninvocations: 1", "provider"},
        {"date: tomorrowish\ninvocations: 1", "date"},
        {"streams: 3\ninvocations: 1", "list"},
        {"streams: [{tb: 3}]", "kb, mb or gb"},
        {"inputs: 3", "inputs"},
        {"arch: x86_64", "nothing to bill"},
        {"[1]", "a case is a table"},
        {"1", "no table"},
        {"cases: {a: 1}", "no table"},
        {HUGE "invocations: " MOST "\navg_ms: " MOST, "on demand"},
        {HUGE "pc_invocations: " MOST "\npc_avg_ms: " MOST, "provisioned"},
        {HUGE "pc_seconds: " MOST "\nprovisioned_concurrency: " MOST, "provisioned concurrency"},
        {HUGE "tenant_environments: 1\nstorage_mb: 10240\nod_invocations: 1\nod_avg_ms: 1\n"
              "pc_invocations: 1000\npc_avg_ms: 900000000000",
         "too large"},
        {"memory_mb: 0.000001\nstorage_mb: 10240\ninvocations: " MOST "\navg_ms: 900000000000",
         "ephemeral storage"},
        {"service: lambda@edge\n" HUGE "invocations: " MOST "\navg_ms: " MOST, "too large"},
        {"storage_mb: 10240.5", "at most 10240 MB"},
        {"streams: [{invocations: x}]", "no number"},
        {"region: any\ninvocations: x", "no number"},
        {"zzzzzzzz: 3\nqqqqqqqq: 4", "lists the inputs"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        struct usage_cases u = {0};
        if (read_text(rows[i].text, &u, &e) == OK) {
            CHECK_INT(u.n, 1);
            if (u.cases[0].problem.n == 0)
                fail_msg("accepted: %s", rows[i].text);
            snprintf(e.msg, sizeof(e.msg), STR_FMT, STR_ARG(u.cases[0].problem));
        }
        if (strstr(e.msg, rows[i].message) == NULL)
            fail_msg("%s\n\"%s\" does not say \"%s\"", rows[i].text, e.msg, rows[i].message);
    }
}

static void test_uncovered_cases_are_marked(void **state)
{
    UNUSED(state);
    struct err e;
    struct usage_cases u = {0};
    CHECK_OK(read_text("cases:\n"
                       "  - {id: a, provider: azure, service: functions, inputs: {memory: 1}}\n"
                       "  - {id: b, service: fargate, inputs: {tasks: 1}}\n"
                       "  - {id: c, region: any tier-1 region, inputs: {invocations: 5}}\n",
                       &u, &e),
             &e);
    CHECK_INT(u.n, 3);
    CHECK(!u.cases[0].is_covered && !u.cases[1].is_covered && u.cases[2].is_covered);
    CHECK(u.cases[2].is_region_assumed);
    CHECK_STR(u.cases[2].bill.region, STR("eu-central-1"));
    CHECK_STR(u.cases[2].id, STR("c"));
}

/* One wrong case is told and costs the others nothing. */
static void test_wrong_case_among_others(void **state)
{
    UNUSED(state);
    struct err e;
    struct usage_cases u = {0};
    CHECK_OK(read_text("cases:\n"
                       "  - {id: a, inputs: {invocations: many}}\n"
                       "  - 5\n"
                       "  - {id: c, inputs: {invocations: 5, remark: x1, on_holidays: y}}\n",
                       &u, &e),
             &e);
    CHECK_INT(u.n, 3);
    CHECK_STR(u.cases[0].problem,
              STR("u.yaml:2:22: no number of at most 6 decimals that fits: \"many\""));
    CHECK_STR(u.cases[1].problem, STR("u.yaml:3:5: a case is a table of words, not: \"5\""));
    CHECK_STR(u.cases[2].problem, STR(""));
    CHECK_STR(u.cases[2].unused, STR("remark, on_holidays"));
    CHECK_INT(make(&u.cases[2].bill).total, 1000000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_wrong_case_among_others, setup, clear),
    cmocka_unit_test_setup_teardown(test_free_tier_is_shared, setup, clear),
    cmocka_unit_test_setup_teardown(test_free_quantity_of_one_line, setup, clear),
    cmocka_unit_test_setup_teardown(test_tiers_go_on, setup, clear),
    cmocka_unit_test_setup_teardown(test_tier_edges, setup, clear),
    cmocka_unit_test_setup_teardown(test_savings_plan, setup, clear),
    cmocka_unit_test_setup_teardown(test_china_has_no_free_tier_here, setup, clear),
    cmocka_unit_test_setup_teardown(test_missing_price, setup, clear),
    cmocka_unit_test_setup_teardown(test_limits, setup, clear),
    cmocka_unit_test_setup_teardown(test_usage_files, setup, clear),
    cmocka_unit_test_setup_teardown(test_refused_usage, setup, clear),
    cmocka_unit_test_setup_teardown(test_uncovered_cases_are_marked, setup, free_all),
};
TEST_MAIN(tests)
