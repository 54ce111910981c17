/* How far back a source reads, and what it counts as an error. */
#include "tests/unit/collector/fault_world.h"

static void open_world(char *path, struct collector *c)
{
    CHECK(mkdtemp(path) != NULL);
    *c = (struct collector){.folder = path};
    make_world(7);
    w.fault_per_mille = 0;
}

static void poll_for(struct collector *c, int64_t span_ns)
{
    for (int64_t end_ns = w.now_ns + span_ns; w.now_ns < end_ns;)
        poll_once(c);
}

/* Also scans that look back further, and those of a later run, keep to the backfill. */
static void test_backfill(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    for (int run = 0; run < 2; run++) {
        born(&c);
        c.options.backfill_ns = 2 * NS_PER_MIN;
        c.options.poll_ns = 10 * NS_PER_SEC;
        poll_for(&c, 15 * NS_PER_MIN); /* past the first scan of late_window */
        die(&c);
    }
    CHECK(w.earliest_ms >= (BEGIN_NS - 2 * NS_PER_MIN) / NS_PER_MS);
    CHECK(w.earliest_ms < (BEGIN_NS - NS_PER_MIN) / NS_PER_MS);
    remove_folder(path);
}

/* An answer nobody can read is an error of the source as a refusal is. */
static void test_damage_counts(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    w.fault_per_mille = 1000;
    w.only_damaged = true;
    born(&c);
    poll_for(&c, 5 * NS_PER_MIN);
    CHECK(c.source->status.add_calls > 1);
    CHECK_INT(c.source->status.add_errors, c.source->status.add_calls);
    die(&c);
    remove_folder(path);
}

/* After a pause of two days every minute of it is asked for, in windows an answer can hold; after
 * one that is longer than values are kept, what there still is. */
static void test_metrics_after_a_pause(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    c.ops = &aws_metrics_source;
    born(&c);
    c.options.reconcile_ns = 0;
    poll_for(&c, 5 * NS_PER_MIN);
    die(&c);
    w.now_ns += 2 * NS_PER_DAY;
    born(&c);
    poll_for(&c, 5 * NS_PER_MIN);
    CHECK_INT(w.metrics_gap_ns, 0);
    CHECK_INT(w.metrics_most_ns, 3 * NS_PER_HOUR);
    CHECK(w.metrics_to_ns > BEGIN_NS + 2 * NS_PER_DAY);
    w.now_ns += 20 * NS_PER_DAY; /* it ran, but nobody answered: or it was suspended */
    poll_for(&c, 10 * NS_PER_MIN);
    die(&c);
    CHECK(w.metrics_gap_ns > 4 * NS_PER_DAY && w.metrics_gap_ns < 6 * NS_PER_DAY);
    CHECK(w.metrics_to_ns > BEGIN_NS + 22 * NS_PER_DAY);
    remove_folder(path);
}

/* Nobody bills a call that never left the machine, and it does not use up a budget. */
static void test_unreachable_is_free(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    c.ops = &aws_metrics_source;
    w.is_unreachable = true;
    born(&c);
    poll_for(&c, 5 * NS_PER_MIN);
    CHECK(c.source->status.add_calls > 1);
    CHECK_INT(c.source->status.add_cost, 0);
    CHECK_INT(c.source->status.cost_today, 0);
    w.is_unreachable = false;
    poll_for(&c, 5 * NS_PER_MIN);
    CHECK(c.source->status.add_cost > 0);
    die(&c);
    remove_folder(path);
}

/* Of the one minute with throttles: values stored, and those under the account's number. */
static void count_throttles(const struct collector *c, uint64_t *all, uint64_t *named)
{
    AUTO(arena_clear) struct arena a = {0};
    const enum metric throttles = METRIC_THROTTLES;
    const struct metric_request q = {
        .range = {BEGIN_NS, BEGIN_NS + NS_PER_MIN}, .metrics = &throttles, .n_metrics = 1};
    struct metric_rows r = {0};
    struct err e = {0};

    CHECK_OK(request_metrics(c->store, &q, &a, &r, &e), &e);
    *all = *named = 0;
    for (size_t i = 0; i < r.n; i++) {
        *all += r.rows[i].n;
        if (str_eq(r.rows[i].subject.of.account, STR("123456789012")))
            *named += r.rows[i].n;
    }
}

/* Metrics answer, and nothing that tells the account does: a value is stored once, under the
 * account's number. Of metrics alone STS tells it; where that says no, or never answers, a value is
 * stored without, once as well. */
static void test_account_first(void **state)
{
    static const struct {
        size_t n_parts;
        int sts_status;
        uint64_t at_once, named;
    } rows[] = {{2, 400, 0, 1}, {1, 0, 1, 1}, {1, 400, 1, 0}, {1, 500, 1, 0}};
    struct str with_logs[] = {STR("logs"), STR("metrics")};
    uint64_t all, named;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[] = "/tmp/fnscope-faults-XXXXXX";
        const size_t n = rows[i].n_parts;
        struct collector c;
        open_world(path, &c);
        c.ops = &aws_source;
        w.lists_fail = w.throttles = true;
        w.sts_status = rows[i].sts_status;
        c.parts = (struct opt_list){with_logs + ARRAY_LEN(with_logs) - n, n};
        born(&c);
        poll_for(&c, 40 * NS_PER_MIN); /* so that it is committed, too */
        count_throttles(&c, &all, &named);
        CHECK_INT(all, rows[i].at_once);
        w.lists_fail = false;
        poll_for(&c, 5 * NS_PER_MIN);
        count_throttles(&c, &all, &named);
        CHECK_INT(all, 1);
        CHECK_INT(named, rows[i].named);
        CHECK_INT(c.source->status.failures, 0);
        die(&c);
        remove_folder(path);
    }
}

/* A call costs what the day allows: the next round of queues waits for midnight UTC, and that is no
 * failure. Logs cost nothing and are read on; a failure of theirs is one. */
static void test_budget_spent(void **state)
{
    struct str parts[] = {STR("logs"), STR("queues")};
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    c.ops = &aws_source;
    c.parts = (struct opt_list){parts, ARRAY_LEN(parts)};
    c.budget = STR("0.000000000001");
    born(&c);
    poll_for(&c, 30 * NS_PER_MIN);
    const struct source_status *s = &c.source->status;
    CHECK(s->is_capped && s->failures == 0 && s->error.n == 0 && !source_rests(s));
    CHECK_INT(s->cost_today, 1);
    CHECK(w.now_ns - s->success_ns < 5 * NS_PER_MIN);
    for (size_t i = 0; i < s->n_parts; i++)
        CHECK_INT(source_part_is_capped(&s->parts[i]), str_eq(s->parts[i].name, STR("queues")));
    w.fault_per_mille = 1000;
    w.only_damaged = true;
    poll_for(&c, 60 * NS_PER_MIN);
    CHECK(s->is_capped && s->failures > 0);
    w.fault_per_mille = 0;
    poll_for(&c, 15 * NS_PER_HOUR); /* past midnight: one more */
    CHECK_INT(s->cost_today, 1);
    CHECK_INT(c.source->ctx != NULL && s->failures, 0);
    die(&c);
    remove_folder(path);
}

/* AWS's quotas do not hold at an endpoint on this machine, and the source says so. */
static void test_quota(void **state)
{
    static const char *const endpoints[] = {"", "http://127.0.0.1:9001"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        char path[] = "/tmp/fnscope-faults-XXXXXX";
        struct collector c;
        open_world(path, &c);
        c.endpoint = str_from(endpoints[i]);
        born(&c);
        CHECK(!source_has_quota(&c.source->status));
        poll_for(&c, 5 * NS_PER_MIN);
        CHECK(c.source->status.add_calls > 1 && c.source->status.quota.n > 0);
        CHECK_INT(source_has_quota(&c.source->status), i == 0);
        die(&c);
        remove_folder(path);
    }
}

/* Started at 46 past with an hour's backfill, and again at 13 past, before any hour had settled:
 * from where on hours are counted stays. */
static void test_hour_of_a_restart(void **state)
{
    static const int minutes[] = {46, 73};
    struct str parts[] = {STR("logs"), STR("metrics")};
    const int64_t hour_ns = BEGIN_NS - BEGIN_NS % NS_PER_HOUR + NS_PER_HOUR;
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        AUTO(arena_clear) struct arena a = {0};
        struct cursor from;
        w.now_ns = hour_ns + minutes[i] * NS_PER_MIN;
        c.ops = &aws_source;
        c.parts = (struct opt_list){parts, ARRAY_LEN(parts)};
        born(&c);
        c.options.backfill_ns = NS_PER_HOUR;
        poll_for(&c, 2 * NS_PER_MIN);
        CHECK(store_cursor(c.reader, STR("prod"), STR("reconcile"), &a, &from));
        CHECK_INT(from.watermark_ns, hour_ns);
        die(&c);
    }
    remove_folder(path);
}

static int64_t all_read_to(const struct source_status *s)
{
    return source_find_part(s, SOURCE_PART_LOGS)->round_ns;
}

/* One group of two that cannot be read is told by its name, and asked for seldom; the other is read
 * on, and the source does not fail. Where no group can be read it does. */
static void test_ill_group(void **state)
{
    UNUSED(state);
    for (enum sickness sickness = DENIED; sickness <= FAILING; sickness++) {
        char path[] = "/tmp/fnscope-faults-XXXXXX";
        struct str parts[] = {STR("logs")};
        struct collector c;
        open_world(path, &c);
        c.ops = &aws_source;
        c.parts = (struct opt_list){parts, ARRAY_LEN(parts)};
        w.sickness = sickness;
        w.first_ill = 1;
        born(&c);
        poll_for(&c, 30 * NS_PER_MIN);
        const struct source_status *s = &c.source->status;
        CHECK_INT(s->failures, 0);
        CHECK(source_is_partial(s));
        CHECK(str_starts(s->error, STR("1 of 2 log groups cannot be read: /aws/lambda/fn1 since "
                                       "2026-09-01T10:0")));
        CHECK(w.now_ns - s->success_ns < 2 * NS_PER_MIN &&
              w.now_ns - s->watermark_ns < 2 * NS_PER_MIN);
        CHECK(all_read_to(s) < BEGIN_NS);
        /* a single round waits for what may pass, and for nothing else */
        const struct aws_ctx *x = c.source->ctx;
        CHECK_INT(x->tasks[TASK_LOGS].is_round_done, sickness != FAILING);
        CHECK(w.ill_calls < 500); /* some pages a minute */
        w.sickness = HEALTHY;
        poll_for(&c, 5 * NS_PER_MIN);
        CHECK(s->failures == 0 && s->error.n == 0);
        CHECK(w.now_ns - all_read_to(s) < 3 * NS_PER_MIN);
        w.sickness = sickness;
        w.first_ill = 0;
        poll_for(&c, 10 * NS_PER_MIN);
        CHECK(s->failures > 0 && s->error.n > 0 && !source_is_partial(s));
        die(&c);
        remove_folder(path);
    }
}

/* What may not be asked beside the logs is told, and neither makes the source fail nor keeps it
 * from reading the rest; a queue that may not be read is not gone. */
static void test_denied_parts(void **state)
{
    static const struct {
        const char *part, *denied, *says;
    } cases[] = {
        {"queues", "q/1/no", "1 of 2 queues cannot be read: no since 2026-09-01T10:00:"},
        {"traces", "TraceSummaries", "traces cannot be read (xray:GetTraceSummaries: HTTP 403 "},
        {"config", "account-settings",
         "of functions what these tell is not known: lambda:GetAccountSettings (AccessDenied)"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[] = "/tmp/fnscope-faults-XXXXXX";
        struct str parts[] = {STR("logs"), str_from(cases[i].part)};
        struct collector c;
        open_world(path, &c);
        c.ops = &aws_source;
        c.parts = (struct opt_list){parts, ARRAY_LEN(parts)};
        w.has_services = true;
        w.denied = cases[i].denied;
        born(&c);
        poll_for(&c, 20 * NS_PER_MIN);
        const struct source_status *s = &c.source->status;
        CHECK(source_is_partial(s) && str_starts(s->error, str_from(cases[i].says)));
        CHECK(w.now_ns - s->success_ns < 3 * NS_PER_MIN);
        if (strcmp(cases[i].part, "queues") == 0)
            CHECK_INT(source_find_part(s, SOURCE_PART_QUEUES)->round_ns, 0);
        w.denied = NULL;
        poll_for(&c, 20 * NS_PER_MIN);
        CHECK(s->failures == 0 && s->error.n == 0);
        die(&c);
        remove_folder(path);
    }
}

/* A group that was made while nobody looked is read from its first event on, however long ago. */
static void test_born_unseen(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    w.hides_second = true;
    born(&c);
    poll_for(&c, 30 * NS_PER_MIN);
    die(&c);
    w.hides_second = false;
    w.second_made_ms = w.now_ns / NS_PER_MS;
    w.now_ns += 5 * NS_PER_HOUR;
    born(&c);
    poll_for(&c, 5 * NS_PER_MIN);
    die(&c);
    CHECK(w.earliest_of[1] <= w.second_made_ms);
    CHECK(w.earliest_of[1] > w.second_made_ms - 2 * NS_PER_HOUR / NS_PER_MS);
    remove_folder(path);
}

/* The clock was three hours ahead when the source first ran: what is kept of that holds nothing up
 * once the clock is right. */
static void test_clock_was_ahead(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    w.now_ns += 3 * NS_PER_HOUR;
    born(&c);
    poll_for(&c, 30 * NS_PER_MIN);
    die(&c);
    w.now_ns -= 3 * NS_PER_HOUR;
    w.earliest_ms = 0;
    born(&c);
    int64_t began_ms = w.now_ns / NS_PER_MS;
    poll_for(&c, 30 * NS_PER_MIN);
    CHECK(w.earliest_ms > 0);
    CHECK(w.earliest_ms <= began_ms - 59 * NS_PER_MIN / NS_PER_MS);
    CHECK(c.source->status.lag_ns >= 0);
    CHECK(w.now_ns - c.source->status.watermark_ns < 3 * NS_PER_MIN);
    die(&c);
    remove_folder(path);
}

/* A list that goes on for ever is told, and asked for again only after a while. */
static void test_endless_list(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c;

    UNUSED(state);
    open_world(path, &c);
    w.list_circles = true;
    born(&c);
    poll_for(&c, 10 * NS_PER_MIN);
    CHECK(c.source->status.failures > 0);
    CHECK_STR(c.source->status.error, STR("logs:DescribeLogGroups: its pages lead in a circle"));
    CHECK(c.source->status.add_calls < 1000);
    w.list_circles = false;
    poll_for(&c, 10 * NS_PER_MIN);
    CHECK_INT(c.source->status.failures, 0);
    die(&c);
    remove_folder(path);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_clock_was_ahead),
                                          cmocka_unit_test(test_endless_list),
                                          cmocka_unit_test(test_denied_parts),
                                          cmocka_unit_test(test_born_unseen),
                                          cmocka_unit_test(test_ill_group),
                                          cmocka_unit_test(test_hour_of_a_restart),
                                          cmocka_unit_test(test_quota),
                                          cmocka_unit_test(test_budget_spent),
                                          cmocka_unit_test(test_account_first),
                                          cmocka_unit_test(test_unreachable_is_free),
                                          cmocka_unit_test(test_metrics_after_a_pause),
                                          cmocka_unit_test(test_backfill),
                                          cmocka_unit_test(test_damage_counts)};
TEST_MAIN(tests)
