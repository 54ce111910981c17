/* Effective cost: free tier pro rata in time and over functions, savings plan, currencies apart;
 * and the figures of waste. */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"

#define MB       (UINT64_C(1) << 20)
#define MONTH_NS (30 * NS_PER_DAY) /* November */

static struct pricebook *book;
static struct cost_context context;

static int setup(void **state)
{
    UNUSED(state);
    struct err e;
    if (book == NULL && pricebook_load(SOURCE_ROOT "/data/prices", &book, &e) != OK)
        return 1;
    context = (struct cost_context){.book = book};
    return 0;
}

static int free_book(void **state)
{
    UNUSED(state);
    pricebook_free(book);
    return 0;
}

static struct effective_row row(const struct fn_ref *fn, struct stats *s, uint64_t n, wide gb_s)
{
    struct err e;
    struct effective_row r = {.fn = fn, .stats = s};
    int64_t at_ns = 0;
    CHECK_STATUS(time_parse_human(STR("2026-11-01"), 0, &at_ns, NULL), OK);
    s->n = s->outcome[OUTCOME_OK] = n;
    s->mb_ms = gb_s * 1024000;
    CHECK_OK(cost_of_stats(&context, fn, s, at_ns, &r.list, &e), &e);
    return r;
}

/* What each row pays of the bill of all. */
static enum status spread(const struct cost_context *c, const struct effective_options *o,
                          struct effective_row *rows, size_t n, struct err *e)
{
    struct effective *s = effective_new(c, o);

    for (size_t i = 0; i < n; i++)
        effective_add(s, &rows[i]);
    const enum status status = effective_bill(s, e);
    for (size_t i = 0; status == OK && i < n; i++)
        effective_give(s, &rows[i]);
    effective_free(s);
    return status;
}

static struct effective_options options(int64_t range_ns)
{
    struct effective_options o = {
        .free_requests = true, .free_compute = true, .range_ns = range_ns, .month_ns = MONTH_NS};
    CHECK_STATUS(time_parse_human(STR("2026-11-01"), 0, &o.at_ns, NULL), OK);
    return o;
}

static const struct fn_ref virginia = {PROVIDER_AWS, {0}, {"us-east-1", 9}, {"a", 1}, NULL};
static const struct fn_ref ireland = {PROVIDER_AWS, {0}, {"eu-west-1", 9}, {"b", 1}, NULL};
static const struct fn_ref beijing = {PROVIDER_AWS, {0}, {"cn-north-1", 10}, {"c", 1}, NULL};

/* A month of 3 M requests and 800,000 GB-s in two regions: 1 M and 400,000 are free, pro rata. */
static void test_a_month(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s[2] = {{0}, {0}};
    struct effective_row rows[] = {row(&virginia, &s[0], 1500000, 600000),
                                   row(&ireland, &s[1], 1500000, 200000)};
    const struct effective_options o = options(MONTH_NS);
    CHECK_OK(spread(&context, &o, rows, 2, &e), &e);
    CHECK_INT(rows[0].effective.duration, INT64_C(300000) * 16666700);
    CHECK_INT(rows[1].effective.duration, INT64_C(100000) * 16666700);
    CHECK_INT(rows[0].effective.request, INT64_C(200000000000));
    CHECK_INT(rows[1].effective.request, INT64_C(200000000000));
    CHECK(rows[0].effective.total == rows[0].effective.duration + rows[0].effective.request);
}

/* Half a month at the same pace pays half of it: the free tier is spread over time. */
static void test_half_a_month(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {0};
    struct effective_row r = row(&virginia, &s, 1000000, 400000);
    const struct effective_options o = options(MONTH_NS / 2);
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.duration, INT64_C(200000) * 16666700);
    CHECK_INT(r.effective.request, INT64_C(100000000000));
}

/* A bill's month has its own length: what is free is the same in all of them. */
static void test_a_month_has_its_days(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {0};
    struct effective_row r = row(&virginia, &s, 1500000, 500000);
    struct effective_options o = options(28 * NS_PER_DAY);
    o.month_ns = o.range_ns;
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.duration, INT64_C(100000) * 16666700);
    CHECK_INT(r.effective.request, INT64_C(100000000000));
}

static void test_all_free(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {0};
    struct effective_row r = row(&virginia, &s, 1000, 10);
    struct effective_options o = options(MONTH_NS);
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.total, 0);
    CHECK(r.list.total > 0);
    o.range_ns = 1; /* a single invocation is a day's usage, not a nanosecond's */
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.total, 0);
    o = options(MONTH_NS);
    o.free_requests = false;
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.total, 1000 * 200000);
}

static void test_plan_and_storage(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {.storage_mb_ms = 1024000};
    struct effective_row r = row(&virginia, &s, 1000000, 1000000);
    struct effective_options o = options(MONTH_NS);
    o.free_requests = o.free_compute = false;
    o.savings_plan = STR("no-upfront");
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.duration, INT64_C(14700000) * 1000000);
    CHECK_INT(r.effective.request, r.list.request);
    CHECK_INT(r.effective.storage, 30900);
}

/* Duration on provisioned concurrency: no free tier, a rate of its own where the plan has one. */
static void test_provisioned(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s = {.provisioned_mb_ms = (wide)540000 * 1024000};
    struct effective_row r = row(&virginia, &s, 60, 740000);
    struct effective_options o = options(MONTH_NS);
    const wide kept = (wide)540000 * 9722200;
    CHECK_INT(r.list.provisioned, kept);
    CHECK_INT(r.list.duration, kept + (wide)200000 * 16666700);
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.total, kept); /* 200,000 GB-s and 60 requests are free */
    o = (struct effective_options){.range_ns = MONTH_NS, .month_ns = MONTH_NS, .at_ns = o.at_ns};
    o.savings_plan = STR("no-upfront");
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.duration, (wide)540000 * 8560000 + (wide)200000 * 14700000);
    CHECK(!r.lacks_plan);
    o.savings_plan = STR("all-upfront"); /* the book has no rate of it */
    CHECK_OK(spread(&context, &o, &r, 1, &e), &e);
    CHECK_INT(r.effective.duration, kept + (wide)200000 * 13800000);
    CHECK(r.lacks_plan);
}

/* Costs stored at other prices are the sum, and hold no more on provisioned concurrency than all.
 */
static void test_provisioned_at_other_prices(void **state)
{
    UNUSED(state);
    struct stats s = {.provisioned_mb_ms = (wide)10 * 1024000, .cost = 1000};
    s.start[START_PROVISIONED] = 1;
    const struct effective_row r = row(&virginia, &s, 0, 10);
    CHECK_INT(r.list.duration, 1000);
    CHECK_INT(r.list.provisioned, 1000);
}

static void test_china_and_others_stay_as_they_are(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s[2] = {{0}, {.cost = 77}};
    const struct fn_ref other = {PROVIDER_GENERIC, {0}, {0}, {"d", 1}, NULL};
    struct effective_row rows[] = {row(&beijing, &s[0], 1000, 10), row(&other, &s[1], 5, 1)};
    const struct effective_options o = options(MONTH_NS);
    CHECK_OK(spread(&context, &o, rows, 2, &e), &e);
    CHECK(rows[0].effective.total == rows[0].list.total);
    CHECK_STR(rows[0].effective.currency, STR("CNY"));
    CHECK_INT(rows[1].effective.total, 77);
}

static void test_waste_of_stats(void **state)
{
    UNUSED(state);
    struct waste w;
    struct stats s = {.n = 100,
                      .retries = 10,
                      .cost = 1000,
                      .cost_failed = 300,
                      .cost_init = 50,
                      .fullest_size_bytes = 1024 * MB,
                      .fullest_used_bytes = 256 * MB};
    s.outcome[OUTCOME_OK] = 90;
    s.outcome[OUTCOME_ERROR] = 4;
    s.outcome[OUTCOME_TIMEOUT] = 6;
    s.start[START_COLD] = 3;
    waste_of_stats(&s, 1000, &w);
    CHECK_INT(w.failed, 300);
    CHECK_INT(w.timeouts, 180);
    CHECK_INT(w.retries, 100);
    CHECK_INT(w.init, 50);
    CHECK_INT(w.over_memory, 700); /* 256 x 1.2 = 307.2 of 1024 MB are needed */
    CHECK_INT(w.n_failed, 10);
    CHECK_INT(w.n_cold, 3);
    CHECK(w.is_estimated);
    s.fullest_used_bytes = 900 * MB;
    waste_of_stats(&s, 1000, &w);
    CHECK_INT(w.over_memory, 0);
    waste_of_stats(&(struct stats){0}, 0, &w);
    CHECK(w.failed == 0 && w.timeouts == 0 && w.retries == 0 && !w.is_estimated);
}

static void test_waste_of_invocations(void **state)
{
    UNUSED(state);
    struct waste w = {0};
    struct invocation inv = {.outcome = OUTCOME_TIMEOUT,
                             .attempt = 2,
                             .start = START_COLD,
                             .cost = 100,
                             .is_priced = true,
                             .duration_ns = 60 * NS_PER_MS,
                             .init_ns = 40 * NS_PER_MS,
                             .billed_ns = 100 * NS_PER_MS};
    waste_add_invocation(&w, &inv);
    inv.outcome = OUTCOME_OK;
    inv.attempt = 1;
    inv.is_priced = false;
    waste_add_invocation(&w, &inv);
    CHECK_INT(w.failed, 100);
    CHECK_INT(w.timeouts, 100);
    CHECK_INT(w.retries, 100);
    CHECK_INT(w.init, 40);
    CHECK_INT(w.n_timeouts, 1);
    CHECK_INT(w.n_cold, 2);
    CHECK(!w.is_estimated);
}

/* Two functions of a region and a replica at the edge: the edge has no free tier. */
static void test_pools(void **state)
{
    UNUSED(state);
    struct err e;
    struct stats s[3] = {{0}, {0}, {0}};
    const struct fn_ref edge = {PROVIDER_AWS, {0}, {"us-east-1", 9}, {"us-east-1.x", 11}, NULL};
    const struct fn_ref second = {PROVIDER_AWS, {0}, {"us-east-1", 9}, {"b", 1}, NULL};
    struct effective_row rows[] = {row(&virginia, &s[0], 10, 100000),
                                   row(&second, &s[1], 10, 700000), row(&edge, &s[2], 10, 100)};
    const struct effective_options o = options(MONTH_NS);
    CHECK_OK(spread(&context, &o, rows, 3, &e), &e);
    CHECK_INT(rows[0].effective.duration, INT64_C(50000) * 16666700);
    CHECK_INT(rows[1].effective.duration, INT64_C(350000) * 16666700);
    CHECK(rows[2].effective.total == rows[2].list.total);
    s[0].mb_ms = (wide)1 << 80;
    CHECK_STATUS(spread(&context, &o, rows, 3, NULL), ERR_LIMIT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_pools, setup),
    cmocka_unit_test_setup(test_a_month, setup),
    cmocka_unit_test_setup(test_half_a_month, setup),
    cmocka_unit_test_setup(test_a_month_has_its_days, setup),
    cmocka_unit_test_setup(test_all_free, setup),
    cmocka_unit_test_setup(test_plan_and_storage, setup),
    cmocka_unit_test_setup(test_provisioned, setup),
    cmocka_unit_test_setup(test_provisioned_at_other_prices, setup),
    cmocka_unit_test_setup(test_china_and_others_stay_as_they_are, setup),
    cmocka_unit_test(test_waste_of_stats),
    cmocka_unit_test_setup_teardown(test_waste_of_invocations, setup, free_book),
};
TEST_MAIN(tests)
