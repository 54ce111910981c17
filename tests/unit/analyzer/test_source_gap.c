/* Which sources leave a gap in a range, and what is said about it. */
#include "tests/unit/store_fixture.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define DAY  (NOON - NOON % NS_PER_DAY)

static const struct range yesterday = {DAY - NS_PER_DAY, DAY};
static const struct range today = {DAY, DAY + NS_PER_DAY};

static bool has_gap(struct range r, int64_t success_ns, unsigned failures)
{
    const struct source_status s = {
        .tried_ns = NOON, .success_ns = success_ns, .failures = failures};

    return source_has_gap(&s, r, NOON);
}

static void test_range_that_is_over(void **state)
{
    UNUSED(state);
    CHECK(has_gap(yesterday, DAY - 1, 0)); /* not asked since */
    CHECK(!has_gap(yesterday, DAY, 0));
    CHECK(!has_gap(yesterday, DAY + NS_PER_HOUR, 9)); /* what fails now was well then */
    CHECK(has_gap(yesterday, 0, 1));
}

static void test_range_that_goes_on(void **state)
{
    UNUSED(state);
    CHECK(!has_gap(today, NOON - 9 * NS_PER_MIN, 0)); /* polls have pauses */
    CHECK(has_gap(today, NOON - 11 * NS_PER_MIN, 0));
    CHECK(!has_gap(today, NOON - 30 * NS_PER_SEC, 2)); /* tried again */
    CHECK(has_gap(today, NOON - 90 * NS_PER_SEC, 2));
    CHECK(has_gap(today, 0, 1));
    CHECK(!has_gap(today, 0, 0)); /* its first round goes on */
}

static void add_source(struct batch *b, const char *name, const char *region, int64_t success_ns)
{
    *batch_source(b) =
        (struct source_status){.name = str_from(name),
                               .type = STR("aws"),
                               .region = str_from(region),
                               .tried_ns = NOON,
                               .success_ns = success_ns,
                               .failures = success_ns == 0,
                               .error = success_ns == 0 ? STR("HTTP 403 error") : STR("")};
}

static void test_of_a_store(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    const struct source_gap_request any = {.range = today, .now_ns = NOON};
    const struct source_gap_request of = {{.region = STR("eu-west-1")}, today, NOON};
    const struct str kept[] = {STR("prod"), STR("slow")};
    struct source_gaps gaps;

    UNUSED(state);
    fixture_open(f, false);
    add_source(b, "prod", "eu-west-1", NOON);
    add_source(b, "slow", "eu-west-1", NOON - NS_PER_HOUR);
    add_source(b, "wrong", "us-east-1", 0);
    fixture_commit(f, b);
    CHECK_OK(source_gaps_load(f->store, &any, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 2);
    CHECK_STR(source_gap_text(&gaps.rows[0], &f->arena),
              STR("source slow was read only up to 2026-01-15T11:00:00Z"));
    CHECK_STR(source_gap_text(&gaps.rows[1], &f->arena),
              STR("source wrong was never read whole (HTTP 403 error)"));
    CHECK_OK(source_gaps_load(f->store, &of, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 1); /* of another region */
    CHECK_OK(store_keep_sources(f->store, kept, ARRAY_LEN(kept), &f->e), &f->e);
    CHECK_OK(source_gaps_load(f->store, &any, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 1); /* taken out of the configuration */
    CHECK_STR(gaps.rows[0].name, STR("slow"));
    fixture_free(f);
}

/* A budget that is spent is told while its day lasts, of a range that goes on. */
static void test_budget(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    const struct source_gap_request now = {.range = today, .now_ns = NOON};
    const struct source_gap_request over = {.range = yesterday, .now_ns = NOON};
    const struct source_gap_request later = {.range = {0, NOON + NS_PER_DAY},
                                             .now_ns = NOON + NS_PER_DAY};
    struct source_gaps gaps;

    UNUSED(state);
    fixture_open(f, false);
    add_source(b, "prod", "eu-west-1", NOON);
    struct source_status *s = &b->sources[0];
    s->is_capped = true;
    s->cost_cap = 3000000000;
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"logs", "queues", "metrics"};
        s->parts[s->n_parts++] =
            (struct source_part){.name = str_from(names[i]),
                                 .tried_ns = NOON,
                                 .error = i > 0 ? STR(SOURCE_BUDGET_SPENT) : STR("")};
    }
    fixture_commit(f, b);
    CHECK_OK(source_gaps_load(f->store, &now, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 1);
    CHECK_STR(
        source_gap_text(&gaps.rows[0], &f->arena),
        STR("source prod has spent its budget of $0.00300 a day: not read until midnight UTC: "
            "metrics, queues"));
    CHECK(str_starts(source_gap_remedy(&gaps.rows[0]), STR("give it a larger budget")));
    CHECK_OK(source_gaps_load(f->store, &over, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 0);
    CHECK_OK(source_gaps_load(f->store, &later, &f->arena, &gaps, &f->e), &f->e);
    CHECK_STR(source_gap_text(&gaps.rows[0], &f->arena),
              STR("source prod was read only up to 2026-01-15T12:00:00Z"));
    fixture_free(f);
}

/* A source that reads all but one group says so of ranges that end after that was last read. */
static void test_in_part(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    const struct source_gap_request now = {.range = today, .now_ns = NOON};
    const struct source_gap_request over = {.range = yesterday, .now_ns = NOON};
    struct source_gaps gaps;

    UNUSED(state);
    fixture_open(f, false);
    add_source(b, "prod", "eu-west-1", NOON);
    struct source_status *s = &b->sources[0];
    s->error = STR("1 of 2 log groups cannot be read: /aws/lambda/x since 11:00 (denied)");
    s->parts[s->n_parts++] = (struct source_part){.name = STR(SOURCE_PART_LOGS),
                                                  .tried_ns = NOON,
                                                  .round_ns = NOON - NS_PER_HOUR,
                                                  .error = s->error};
    fixture_commit(f, b);
    CHECK_OK(source_gaps_load(f->store, &now, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 1);
    CHECK_STR(source_gap_text(&gaps.rows[0], &f->arena),
              STR("source prod is not read whole: 1 of 2 log groups cannot be read: /aws/lambda/x "
                  "since 11:00 (denied)"));
    CHECK(str_starts(source_gap_remedy(&gaps.rows[0]), STR("allow it")));
    CHECK_INT(gaps.rows[0].read_ns, NOON - NS_PER_HOUR);
    CHECK_OK(source_gaps_load(f->store, &over, &f->arena, &gaps, &f->e), &f->e);
    CHECK_INT(gaps.n, 0);
    CHECK_INT(gaps.n_whole, 1);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_in_part), cmocka_unit_test(test_budget),
    cmocka_unit_test(test_range_that_is_over), cmocka_unit_test(test_range_that_goes_on),
    cmocka_unit_test(test_of_a_store)};
TEST_MAIN(tests)
