/* Forecast, unusual days, advice: known answers, edges, and the picks of the power-tuning cases. */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"

#define MB   (UINT64_C(1) << 20)
#define CENT (MONEY_UNIT / 100)

static int64_t at(const char *text)
{
    int64_t t = 0;
    CHECK_STATUS(time_parse_human(str_from(text), 0, &t, NULL), OK);
    return t;
}

/* --- forecast --- */

static void test_equal_days_leave_no_doubt(void **state)
{
    wide days[10];
    struct forecast f;

    UNUSED(state);
    for (size_t i = 0; i < 10; i++)
        days[i] = 100 * CENT;
    struct forecast_input in = {.days = days,
                                .n = 10,
                                .spent = 1000 * CENT,
                                .now_ns = at("2026-11-11"),
                                .end_ns = at("2026-12-01")};
    CHECK(forecast_month(&in, &f));
    CHECK(!f.is_weekly);
    CHECK_INT((money)f.middle, 3000 * CENT);
    CHECK_INT((money)f.low, 3000 * CENT);
    CHECK_INT((money)f.high, 3000 * CENT);
    in.now_ns = at("2026-11-11T12:00Z"); /* half a day less */
    CHECK(forecast_month(&in, &f));
    CHECK_INT((money)f.middle, 2950 * CENT);
    in.now_ns = in.end_ns; /* nothing is left */
    CHECK(forecast_month(&in, &f));
    CHECK_INT((money)f.high, 1000 * CENT);
    in.n = 2;
    CHECK(!forecast_month(&in, &f));
}

/* Days of 1 and 3: mean 2, variance 4 x 1 / 3; four days ahead. */
static void test_band(void **state)
{
    const wide days[] = {100 * CENT, 300 * CENT, 100 * CENT, 300 * CENT};
    const struct forecast_input in = {.days = days,
                                      .n = 4,
                                      .spent = 800 * CENT,
                                      .now_ns = at("2026-11-27"),
                                      .end_ns = at("2026-12-01")};
    struct forecast f;

    UNUSED(state);
    CHECK(forecast_month(&in, &f));
    CHECK_INT((money)f.middle, 1600 * CENT);
    /* sqrt(4 x 4/3 + 4 x 4 x 4/3 / 4) = sqrt(32/3) = 3.26598...; x 1.2816 = 4.18569... */
    CHECK(f.high - f.middle > 418 * CENT && f.high - f.middle < 419 * CENT);
    CHECK(f.middle - f.low == f.high - f.middle);
}

/* Two weeks with quiet week-ends: the week-end ahead costs what the week-ends did. */
static void test_weekdays(void **state)
{
    wide days[14];
    struct forecast f;

    UNUSED(state);
    for (size_t i = 0; i < 14; i++) /* from a Monday */
        days[i] = (i % 7 >= 5 ? 1 : 10) * MONEY_UNIT;
    const struct forecast_input in = {.days = days,
                                      .n = 14,
                                      .first_weekday = 1,
                                      .now_ns = at("2026-11-28"), /* a Saturday */
                                      .end_ns = at("2026-12-01")};
    CHECK(forecast_month(&in, &f));
    CHECK(f.is_weekly);
    CHECK_INT((money)f.middle, 12 * MONEY_UNIT);
}

/* --- unusual --- */

static void test_unusual(void **state)
{
    const wide steady[] = {100, 101, 99, 100, 102, 98, 100};
    const wide wild[] = {10, 400, 20, 300, 5, 350, 100};

    UNUSED(state);
    CHECK(!unusual_of(steady, 7, 104, 0).is_found); /* within the usual spread */
    CHECK(!unusual_of(steady, 7, 140, 0).is_found); /* far for its spread, but not half as much */
    struct unusual up = unusual_of(steady, 7, 200, 0), down = unusual_of(steady, 7, 0, 0);
    CHECK(up.is_found && up.usual == 100 && up.excess == 100);
    CHECK(down.is_found && down.excess == -100);
    CHECK(!unusual_of(steady, 7, 200, 1000).is_found); /* too little to matter */
    CHECK(!unusual_of(wild, 7, 420, 0).is_found);
    CHECK(!unusual_of(steady, 3, 100000, 0).is_found); /* too little past */
}

/* --- advice --- */

static void test_advice(void **state)
{
    const struct fn_ref fn = {PROVIDER_AWS, {0}, STR("eu-west-1"), STR("a"), NULL};
    struct pricebook *book = NULL;
    struct advices got;
    const struct advice *a = got.items;
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(pricebook_load(SOURCE_ROOT "/data/prices", &book, &e), &e);
    const struct cost_context c = {.book = book};
    struct stats s = {.n = 1000,
                      .mb_ms = (wide)1024000 * 1000, /* 1,000 GB-s */
                      .fullest_size_bytes = 1024 * MB,
                      .fullest_used_bytes = 300 * MB,
                      .cost_failed = CENT};
    s.outcome[OUTCOME_OK] = 1000;
    CHECK_OK(advice_of_stats(&c, &fn, &s, at("2026-11-01"), &got, &e), &e);
    CHECK_INT(got.n, 3);
    CHECK(a[0].kind == ADVICE_FAILURES && a[0].saving == CENT);
    /* 1,000 x (0.0000166667 - 0.0000133334) */
    CHECK(a[1].kind == ADVICE_ARM && a[1].saving == INT64_C(3333300000));
    /* 1.2 x 300 = 360, the next step is 384: 640/1024 of 0.0166667 */
    CHECK(a[2].kind == ADVICE_MEMORY && a[2].memory_mb == 384 && a[2].now_mb == 1024);
    CHECK(a[2].saving == INT64_C(10416687500));
    s.mb_ms_arm = s.mb_ms; /* there already */
    s.fullest_used_bytes = 0;
    s.cost_failed = 0;
    CHECK_OK(advice_of_stats(&c, &fn, &s, at("2026-11-01"), &got, &e), &e);
    CHECK_INT(got.n, 0);
    pricebook_free(book);
}

/* --- the best of the sizes tried --- */

static int64_t number(const struct json *o, const char *key, unsigned scale, int64_t absent)
{
    int64_t v = absent;
    if (json_get(o, key) != NULL)
        CHECK(json_scaled(json_get(o, key), scale, &v));
    return v;
}

static void check_case(const struct json *c)
{
    static const char *const names[] = {"cost", "speed", "balanced"};
    struct rightsize_option options[16];
    const struct json *stats = json_get(c, "stats");
    const size_t n = json_count(stats);
    enum rightsize_strategy strategy = RIGHTSIZE_COST;
    struct str name = {0}, id = {0};

    CHECK(json_str(json_get(c, "strategy"), &name) && json_str(json_get(c, "id"), &id));
    while (!str_eq(name, str_from(names[strategy])))
        CHECK(++strategy <= RIGHTSIZE_BALANCED);
    CHECK(n > 0 && n <= ARRAY_LEN(options));
    for (size_t i = 0; i < n; i++) {
        const struct json *s = json_at(stats, i);
        options[i] = (struct rightsize_option){.memory_mb = (uint64_t)number(s, "memory_mb", 0, 0),
                                               .cost = number(s, "avg_cost", 6, 0),
                                               .duration = number(s, "avg_duration", 6, 0)};
    }
    const struct rightsize_option *best =
        rightsize_pick(options, n, strategy, (unsigned)number(c, "balanced_weight", 3, 500));
    CHECK_INT(best->memory_mb, (uint64_t)number(c, "expected_memory_mb", 0, 0));
}

static void test_golden_rightsizing(void **state)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20};
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(file_read(SOURCE_ROOT "/tests/data/pricing/golden_rightsizing.json", &text, &e), &e);
    CHECK_OK(json_parse(buf_str(&text), &doc, &e), &e);
    const struct json *cases = json_get(json_root(doc), "cases");
    CHECK_INT(json_count(cases), 5);
    for (size_t i = 0; i < json_count(cases); i++)
        check_case(json_at(cases, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_days_leave_no_doubt),
        cmocka_unit_test(test_band),
        cmocka_unit_test(test_weekdays),
        cmocka_unit_test(test_unusual),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_golden_rightsizing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
