/* The provider's count against the logs': what is a gap, and what only looks like one. */
#include "tests/unit/store_fixture.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"

#define T0 (INT64_C(1788256800) * NS_PER_SEC) /* 2026-09-01T10:00:00Z */

static struct count_hour hour(int at, uint64_t counted, uint64_t stored)
{
    return (struct count_hour){
        .hour_ns = T0 + at * NS_PER_HOUR, .counted = counted, .stored = stored};
}

static struct count_gap compare(const struct count_hour *hours, size_t n, int64_t from, int64_t to)
{
    struct count_course c = {.hours = hours, .n = n, .logs_from_ns = from, .read_to_ns = to};
    struct count_gap g;

    reconcile_course(&c, &g);
    return g;
}

static void test_missing(void **state)
{
    const struct count_hour hours[] = {hour(0, 10, 10), hour(1, 20, 15), hour(2, 8, 0)};
    struct count_gap g = compare(hours, ARRAY_LEN(hours), T0 - 1, INT64_MAX);

    UNUSED(state);
    CHECK_INT(g.counted, 38);
    CHECK_INT(g.missing, 13);
    CHECK_INT(g.worst, 8);
    CHECK_INT(g.worst_ns, T0 + 2 * NS_PER_HOUR);
    CHECK_INT(g.worst_counted, 8);
}

/* One that began with the hour may be put before it by the one and behind it by the other. */
static void test_neighbours_make_up(void **state)
{
    const struct count_hour before[] = {hour(0, 9, 10), hour(1, 11, 10)};
    const struct count_hour after[] = {hour(0, 12, 10), hour(1, 9, 10)};
    const struct count_hour far[] = {hour(0, 9, 10), hour(2, 11, 10)};

    UNUSED(state);
    CHECK_INT(compare(before, 2, T0 - 1, INT64_MAX).missing, 0);
    CHECK_INT(compare(after, 2, T0 - 1, INT64_MAX).missing, 1);
    CHECK_INT(compare(far, 2, T0 - 1, INT64_MAX).missing, 1);
}

/* Nothing was lost where there is no log to be read, or not yet. */
static void test_what_is_no_gap(void **state)
{
    const struct count_hour hours[] = {hour(0, 10, 0), hour(1, 10, 3), hour(2, 10, 10),
                                       hour(3, 10, 2)};
    struct count_gap unread = compare(hours, 4, INT64_MAX, INT64_MAX);
    struct count_gap begun = compare(hours, 4, T0 + NS_PER_HOUR, T0 + 3 * NS_PER_HOUR);

    UNUSED(state);
    CHECK_INT(unread.unread, 40);
    CHECK_INT(unread.missing, 0);
    CHECK_INT(begun.early, 20);
    CHECK_INT(begun.pending, 10);
    CHECK_INT(begun.counted, 10);
    CHECK_INT(begun.missing, 0);
}

/* In the hour in which logs begin: what lacks ran before them, perhaps; where nothing lacks, all
 * have a log. */
static void test_first_hour(void **state)
{
    const struct count_hour whole[] = {hour(0, 853, 853), hour(1, 5, 4)},
                            cut[] = {hour(0, 853, 852), hour(1, 5, 4)};
    const struct count_gap all = compare(whole, 2, T0, INT64_MAX),
                           some = compare(cut, 2, T0, INT64_MAX);

    UNUSED(state);
    CHECK_INT(all.counted, 858);
    CHECK_INT(all.early, 0);
    CHECK_INT(all.missing, 1);
    CHECK_INT(some.counted, 5);
    CHECK_INT(some.early, 853);
    CHECK_INT(some.missing, 1);
}

static void test_errors(void **state)
{
    struct count_hour hours[] = {hour(0, 10, 10), hour(1, 10, 8)};

    UNUSED(state);
    hours[0].counted_errors = 4;
    hours[0].stored_errors = 1;
    hours[1].counted_errors = 2; /* the two without a log */
    CHECK_INT(compare(hours, 2, T0 - 1, INT64_MAX).untold_errors, 3);
    CHECK_INT(compare(hours, 1, INT64_MAX, INT64_MAX).untold_errors, 0);
}

/* --- out of a store --- */

static const struct fn_ref checkout = {
    PROVIDER_AWS, {"1", 1}, {"eu-west-1", 9}, {"checkout", 8}, NULL};
static const struct fn_ref other = {PROVIDER_AWS, {"1", 1}, {"eu-west-1", 9}, {"other", 5}, NULL};

static void add_count(struct batch *b, enum metric_scope scope, const struct fn_ref *fn, int at,
                      int64_t value)
{
    struct fn_ref of = *fn;

    if (scope == SCOPE_REGION)
        of.name = (struct str){0};
    *batch_point(b) = (struct metric_point){.subject = {scope, of},
                                            .metric = METRIC_INVOCATIONS,
                                            .time_ns = T0 + at * NS_PER_HOUR,
                                            .period_ns = NS_PER_HOUR,
                                            .value = value,
                                            .weight = 1};
}

static void add_invocation(struct batch *b, int at, int number)
{
    struct fn_ref *fn = arena_new(&b->arena, struct fn_ref, 1);
    *fn = checkout;
    struct invocation *inv = batch_invocation(b);

    inv->origin = batch_origin(b, &(struct origin){.fn = fn,
                                                   .log_group = STR("/aws/lambda/checkout"),
                                                   .instance = STR("s"),
                                                   .version = STR("1")});
    inv->id = arena_printf(&b->arena, "%08x-0000-4000-8000-%012x", (unsigned)number * 2654435761u,
                           (unsigned)number);
    inv->start_ns = T0 + at * NS_PER_HOUR + number * NS_PER_SEC;
    inv->outcome = OUTCOME_OK;
    inv->is_final = true;
}

static void fill(struct fixture *f)
{
    struct batch *b = batch_new();

    for (int at = 0; at < 3; at++) {
        for (int i = 0; i < 5; i++)
            add_invocation(b, at, at * 10 + i);
        add_count(b, SCOPE_REGION, &checkout, at, 9);
        add_count(b, SCOPE_FUNCTION, &checkout, at, at == 2 ? 7 : 5);
        add_count(b, SCOPE_FUNCTION, &other, at, 2);
    }
    add_count(b, SCOPE_FUNCTION, &checkout, 3, 99); /* an hour that was not asked as a whole */
    fixture_commit(f, b);
}

static void test_of_a_store(void **state)
{
    struct fixture *f = fixture_new();
    struct range r = {T0, T0 + 5 * NS_PER_HOUR};
    struct reconcile c;

    UNUSED(state);
    fixture_open(f, false);
    fill(f);
    fixture_open(f, true);
    CHECK_OK(reconcile_load(f->store, r, NULL, &f->arena, &c, &f->e), &f->e);
    CHECK_INT(c.n_hours, 3);
    CHECK_INT(c.until_ns, T0 + 3 * NS_PER_HOUR);
    CHECK_INT(c.n, 1);
    CHECK_STR(c.rows[0].fn.name, STR("checkout"));
    CHECK_INT(c.total.missing, 2);
    CHECK_INT(c.total.early, 0);
    CHECK_INT(c.total.counted, 17);
    CHECK_INT(c.n_unread, 1);
    CHECK_STR(reconcile_missing_text(&c, &f->arena),
              STR("2 invocations of the provider's count have no log"));
    CHECK_STR(reconcile_scope_text(&c, &f->arena),
              STR("15 of 17 invocations the provider counted from 2026-09-01 10:00 to 2026-09-01 "
                  "13:00 have a log; 6 belong to 1 function whose logs are not collected"));
    c.total.early = 5;
    CHECK(str_ends(reconcile_scope_text(&c, &f->arena),
                   STR("have a log; 5 more ran before the hour in which their logs begin, or in "
                       "it; 6 belong to 1 function whose logs are not collected")));
    fixture_free(f);
}

static void test_nothing_asked(void **state)
{
    struct fixture *f = fixture_new();
    struct range r = {T0, T0 + 5 * NS_PER_HOUR};
    struct reconcile c;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(reconcile_load(f->store, r, NULL, &f->arena, &c, &f->e), &f->e);
    CHECK_INT(c.n_hours, 0);
    CHECK_INT(reconcile_missing_text(&c, &f->arena).n, 0);
    CHECK_INT(reconcile_scope_text(&c, &f->arena).n, 0);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_missing),        cmocka_unit_test(test_neighbours_make_up),
    cmocka_unit_test(test_what_is_no_gap), cmocka_unit_test(test_first_hour),
    cmocka_unit_test(test_errors),         cmocka_unit_test(test_of_a_store),
    cmocka_unit_test(test_nothing_asked)};
TEST_MAIN(tests)
