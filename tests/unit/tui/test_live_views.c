/* Queues, Alerts and Sources over a store as a collector fills it: what a person must see. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "tui/speak.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};
static const struct fn_ref orders_dlq = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                         STR_INIT("orders-dlq"), NULL};

static void add_depth(struct batch *b, const struct fn_ref *of, int64_t t_ns, int64_t value)
{
    struct metric_point *p = batch_point(b);

    *p = (struct metric_point){.subject = {SCOPE_QUEUE, *of},
                               .metric = METRIC_QUEUE_DEPTH,
                               .time_ns = t_ns,
                               .value = value,
                               .weight = 1};
}

/* A request with a trace: the segment, its initialization, and a call that failed. */
static void add_traced_request(struct batch *b)
{
    static const struct {
        const char *id, *parent, *name;
        int64_t from_ms, to_ms;
        unsigned flags;
    } spans[] = {{"a", "", "checkout", 0, 400, SPAN_FAULT},
                 {"b", "a", "Initialization", 0, 100, 0},
                 {"c", "a", "DynamoDB", 200, 300, SPAN_FAULT | SPAN_INFERRED}};
    const struct fn_ref fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL};
    const struct origin like = {.fn = &fn, .instance = STR("2026/01/15/[1]aa")};
    const struct origin *o = batch_origin(b, &like);
    struct invocation *inv = batch_invocation(b);

    *inv = (struct invocation){.origin = o,
                               .id = STR("8d5958b5-0000-4000-8000-000000000001"),
                               .trace_id = STR("1-6968d6c0-5d09aa705e56bbd0152548cb"),
                               .outcome = OUTCOME_ERROR,
                               .start = START_COLD,
                               .start_ns = NOON - NS_PER_MIN,
                               .duration_ns = 300 * NS_PER_MS,
                               .attempt = 1,
                               .is_final = true};
    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        *batch_span(b) =
            (struct span){.of = fn,
                          .trace_id = inv->trace_id,
                          .id = str_from(spans[i].id),
                          .parent_id = str_from(spans[i].parent),
                          .name = str_from(spans[i].name),
                          .error = i == 2 ? STR("Throttled: slow down") : (struct str){0},
                          .start_ns = NOON - NS_PER_MIN + spans[i].from_ms * NS_PER_MS,
                          .end_ns = NOON - NS_PER_MIN + spans[i].to_ms * NS_PER_MS,
                          .flags = spans[i].flags};
}

/* A region and the one function of it that was asked for. */
static void add_throttles(struct batch *b)
{
    const struct fn_ref places[] = {
        {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR(""), NULL},
        {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        *batch_point(b) =
            (struct metric_point){.subject = {i == 0 ? SCOPE_REGION : SCOPE_FUNCTION, places[i]},
                                  .metric = METRIC_THROTTLES,
                                  .time_ns = NOON - 10 * NS_PER_MIN,
                                  .period_ns = NS_PER_MIN,
                                  .value = i == 0 ? 4321 : 4000,
                                  .weight = 1};
}

static void fill(struct fixture *f)
{
    struct batch *b = batch_new();

    *batch_queue(b) = (struct msg_queue){.of = orders,
                                         .dead_letter = STR("orders-dlq"),
                                         .consumers = STR("order-events"),
                                         .depth = 60,
                                         .oldest_ns = 90 * NS_PER_SEC,
                                         .has_age = true,
                                         .max_receives = 3,
                                         .seen_ns = NOON - NS_PER_SEC};
    *batch_queue(b) = (struct msg_queue){.of = orders_dlq,
                                         .is_dlq = true,
                                         .feeders = STR("orders"),
                                         .depth = 12,
                                         .seen_ns = NOON - NS_PER_SEC};
    for (int64_t i = 0; i <= 60; i++) {
        add_depth(b, &orders, NOON - (60 - i) * NS_PER_MIN, 120 - i);
        add_depth(b, &orders_dlq, NOON - (60 - i) * NS_PER_MIN, i / 5);
    }
    *batch_source(b) = (struct source_status){.name = STR("prod-eu"),
                                              .type = STR("aws-logs"),
                                              .region = STR("eu-west-1"),
                                              .tried_ns = NOON,
                                              .success_ns = NOON - 5 * NS_PER_SEC,
                                              .lag_ns = 2 * NS_PER_SEC,
                                              .add_calls = 1234,
                                              .add_cost = INT64_C(12340000000),
                                              .quota_ppm = 620000,
                                              .quota = STR("logs:FilterLogEvents")};
    struct source_status *eu = &b->sources[b->n_sources - 1];
    eu->parts[eu->n_parts++] = (struct source_part){.name = STR("queues"),
                                                    .tried_ns = NOON - 3 * NS_PER_SEC,
                                                    .success_ns = NOON - 3 * NS_PER_SEC,
                                                    .add_calls = 77};
    eu->parts[eu->n_parts++] = (struct source_part){.name = STR("traces"),
                                                    .tried_ns = NOON - 9 * NS_PER_SEC,
                                                    .add_calls = 5,
                                                    .add_errors = 4,
                                                    .error = STR("not allowed")};
    *batch_source(b) = (struct source_status){.name = STR("prod-us"),
                                              .type = STR("aws-logs"),
                                              .tried_ns = NOON,
                                              .failures = 3,
                                              .quota = STR(SOURCE_NO_QUOTA),
                                              .error = STR("GET logs: HTTP 400 ExpiredToken")};
    add_throttles(b);
    add_traced_request(b);
    fixture_commit(f, b);
}

/* Who reads orders, and what came of it. */
static void fail_consumer(struct fixture *f)
{
    const struct fn_ref fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("order-events"), NULL};
    const struct origin like = {.fn = &fn, .instance = STR("2026/01/15/[1]bb")};
    struct batch *b = batch_new();
    struct invocation *inv = batch_invocation(b);

    *inv = (struct invocation){.origin = batch_origin(b, &like),
                               .id = STR("8d5958b5-0000-4000-8000-000000000009"),
                               .outcome = OUTCOME_ERROR,
                               .error_type = STR("Boom"),
                               .start_ns = NOON - NS_PER_MIN,
                               .duration_ns = 30 * NS_PER_MS,
                               .attempt = 1,
                               .is_final = true};
    fixture_commit(f, b);
}

static struct alert dlq_alert(void)
{
    return (struct alert){.key = STR("0123456789abcdef"),
                          .rule = STR("dlq-depth"),
                          .subject = {SCOPE_QUEUE, orders_dlq},
                          .severity = ALERT_CRITICAL,
                          .state = ALERT_FIRING,
                          .since_ns = NOON - 10 * NS_PER_MIN,
                          .started_ns = NOON - 12 * NS_PER_MIN,
                          .fired_ns = NOON - 10 * NS_PER_MIN,
                          .value = 12,
                          .peak = 12,
                          .unit = UNIT_COUNT,
                          .data_ns = NOON - 30 * NS_PER_SEC,
                          .eval_ns = NOON,
                          .is_notified = true,
                          .summary = STR("queue orders-dlq: 12 messages"),
                          .evidence = STR("fnscope query queues")};
}

static void fire(struct fixture *f)
{
    struct alert a = dlq_alert();
    struct outbox_entry m = {.id = STR("0123-1-firing-ops"),
                             .notifier = STR("ops"),
                             .created_ns = NOON - 10 * NS_PER_MIN,
                             .next_ns = NOON,
                             .alert = a};
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1, .messages = &m, .n_messages = 1};

    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
}

static struct tui_options options_of(struct fixture *f, const char *view)
{
    return (struct tui_options){.store = f->store,
                                .clock = clock_fixed(NOON),
                                .range = {NOON - NS_PER_HOUR, 0},
                                .view = view};
}

static void check_frame(struct fixture *f, const char *view, const char *keys,
                        const char *const *wanted)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct tui_options o = options_of(f, view);

    CHECK_OK(tui_frame(&o, str_from(keys), 140, 30, &b, &f->e), &f->e);
    for (; *wanted; wanted++) {
        if (str_find(buf_str(&b), str_from(*wanted)) == b.n)
            print_error("%s: no \"%s\" in\n" STR_FMT "\n", view, *wanted, STR_ARG(buf_str(&b)));
        CHECK(str_find(buf_str(&b), str_from(*wanted)) < b.n);
    }
}

static void test_views(void **state)
{
    static const char *const queues[] = {
        "x dead letters", "orders-dlq", "12", "  drains", "-60", "1h", "1m30s", NULL};
    static const char *const alerts[] = {"x firing", "dlq-depth", "queue orders-dlq",
                                         "12",       "30.0s",     "queue orders-dlq: 12 messages",
                                         NULL};
    static const char *const alert[] = {"Alert ",
                                        "began        2026-01-15T11:48:00.000Z (12m ago)",
                                        "evidence     fnscope query queues",
                                        "fnscope alert ack 0123456789abcdef",
                                        "silence --rule 'dlq-depth' --name 'orders-dlq'",
                                        "to ops: waiting, 0 attempts",
                                        NULL};
    static const char *const sources[] = {
        "! near its quota",      "7.00s", "1,234", "62.0%", "$0.0123", "x failing",
        "HTTP 400 ExpiredToken", NULL};
    static const char *const overview[] = {
        "x firing: queue orders-dlq: 12 messages",
        "throttled",
        "4,321",
        "x 4321 calls were refused for lack of concurrency (throttled): checkout 4000",
        "! source prod-us was never read whole (GET logs: HTTP",
        NULL};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    fill(f);
    fire(f);
    fixture_open(f, true);
    check_frame(f, "queues", "", queues);
    check_frame(f, "alerts", "", alerts);
    check_frame(f, "alerts", "<Tab>", alerts);
    check_frame(f, "alerts", "<Enter>", alert);
    check_frame(f, "sources", "", sources);
    check_frame(f, "overview", "", overview);
    fixture_free(f);
}

/* What does not get less does not drain, whether somebody works on it or not. */
static void test_queue_state(void **state)
{
    static const struct {
        int64_t depth, in_flight, per_hour;
        const char *says;
    } rows[] = {
        {0, 0, 0, "  empty"},        {1, 0, -5, "  drains"},      {1, 0, 5, "! grows"},
        {1, 0, 0, "! not draining"}, {9, 2, 0, "  not draining"},
    };
    const struct tui_options o = {.clock = clock_system()};
    const struct app app = {.options = &o, .range = {0, 1}};
    enum style style;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct msg_queue q = {.depth = rows[i].depth, .in_flight = rows[i].in_flight};
        CHECK_Z(view_queue_state(&app, &q, rows[i].per_hour, &style), rows[i].says);
    }
}

/* The last minutes tell, not the ends of the range: constant since it was filled, lying since it
 * was purged, growing since an hour after it drained, read every quarter of an hour only. */
static void test_queue_change(void **state)
{
    enum { READINGS = 6 };
    static const struct {
        int64_t minute[READINGS], depth[READINGS];
        int64_t per_hour;
    } rows[] = {
        {{0, 60, 61, 62, 63, 64}, {0, 5, 5, 5, 5, 5}, 0},
        {{0, 60, 61, 62, 63, 64}, {80, 90, 0, 1, 1, 1}, 20},
        {{0, 60, 61, 62, 63, 70}, {900, 10, 10, 20, 20, 27}, 60},
        {{0, 15, 30, 45, 60, 75}, {0, 50, 60, 60, 60, 50}, -40},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct metric_sample points[READINGS] = {0};
        const struct metric_series s = {.points = points, .n = READINGS};
        struct queue_change c;
        for (size_t k = 0; k < READINGS; k++) {
            points[k].time_ns = NOON + rows[i].minute[k] * NS_PER_MIN;
            points[k].value = rows[i].depth[k];
        }
        view_queue_change(&s, &c);
        CHECK(c.is_known);
        CHECK_INT(c.per_hour, rows[i].per_hour);
    }
}

/* Enter on a queue or a source, and D as well: its course, what its figures are made of, its parts.
 */
static void test_pages(void **state)
{
    static const char *const dlq[] = {"Queue orders-dlq",
                                      "orders-dlq  x dead letters",
                                      "depth",
                                      "top 11",
                                      "order-events  1 attempt, 1 failed (100.0%)",
                                      "x error      Boom",
                                      "CHANGE/H  +12 an hour: from 10 at 2026-01-15T11:54:00.000Z "
                                      "to 11 at 2026-01-15T11:59:00.000Z",
                                      "DRAINS    not at all",
                                      "fed by    orders",
                                      "x firing     since 2026-01-15T11:48",
                                      NULL};
    static const char *const work[] = {
        "orders    drains", "DRAINS    in 1h00m: 60 messages at 60 an hour",
        "tries     3, then a message moves to orders-dlq", "read by   order-events", NULL};
    static const char *const errors[] = {"Errors order-events", "Boom", NULL};
    static const char *const source[] = {
        "Source prod-eu",
        "prod-eu  ! near its quota",
        "queues     + polled 3s ago, 77 calls, 0 errors",
        "traces     x polled 9s ago, 5 calls, 4 errors, $0.00: not allowed",
        "LAG        7.00s: what it had read of everything was 2.00s old at its last good poll",
        "QUOTA      62.0% of what is allowed of logs:FilterLogEvents",
        NULL};
    static const char *const local[] = {
        "QUOTA      none: the endpoint is on this machine, where AWS's quotas do not hold", NULL};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    fill(f);
    fail_consumer(f);
    fire(f);
    fixture_open(f, true);
    check_frame(f, "queues", "<End><Enter>", dlq);
    check_frame(f, "queues", "<Home><Enter>", work);
    check_frame(f, "queues", "D", work);
    check_frame(f, "queues", "<Enter><Enter>", errors);
    check_frame(f, "sources", "<Enter>", source);
    check_frame(f, "sources", "D", source);
    check_frame(f, "sources", "<Down><Enter>", local);
    fixture_free(f);
}

/* What nobody reads any more is no problem, and its last depth no news. */
static void test_queue_that_is_gone(void **state)
{
    static const char *const queues[] = {"- no longer there", NULL};
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();

    UNUSED(state);
    fixture_open(f, false);
    *batch_queue(b) = (struct msg_queue){
        .of = orders_dlq, .source = STR("prod"), .is_dlq = true, .depth = 12, .seen_ns = NOON - 9};
    struct source_status *s = batch_source(b);
    *s = (struct source_status){.name = STR("prod"), .tried_ns = NOON, .success_ns = NOON};
    s->parts[s->n_parts++] =
        (struct source_part){.name = STR("queues"), .tried_ns = NOON, .round_ns = NOON - 8};
    fixture_commit(f, b);
    fixture_open(f, true);
    check_frame(f, "queues", "", queues);
    check_frame(f, "queues", "<Enter>", queues);
    fixture_free(f);
}

/* A store of imported logs has none of this and says so. */
static void test_waterfall(void **state)
{
    static const char *const request[] = {
        "Trace 1-6968d6c0-5d09aa705e56bbd0152548cb: 3 spans in 400ms",
        "checkout",
        "  Initialization",
        "ok +0 100ms",
        "x fault +200ms 100ms",
        "Throttled: slow down",
        NULL};
    static const char *const traces[] = {"checkout", "x error", "300ms", NULL};
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();

    UNUSED(state);
    fixture_open(f, false);
    add_traced_request(b);
    fixture_commit(f, b);
    fixture_open(f, true);
    check_frame(f, "traces", "", traces);
    check_frame(f, "traces", "<Enter>", request);
    check_frame(f, "invocations", "<Enter>", request);
    fixture_free(f);
}

static void test_empty(void **state)
{
    static const char *const queues[] = {"No queue is known", NULL};
    static const char *const alerts[] = {"No alert", NULL};
    static const char *const sources[] = {"No collector", "0 events", NULL};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    fixture_open(f, true);
    check_frame(f, "queues", "", queues);
    check_frame(f, "alerts", "", alerts);
    check_frame(f, "sources", "", sources);
    fixture_free(f);
}

/* As lines of text: what a collector writes meanwhile is said, what stays is not said again. */
static void test_changes_are_said(void **state)
{
    UNUSED(state);
    struct fixture *f = fixture_new(), reader = {.path = STR("")};
    AUTO(buf_clear) struct buf out = {.max = 1u << 20};
    struct batch *b = batch_new();
    struct speaker s;

    fixture_open(f, false);
    add_traced_request(b);
    fixture_commit(f, b);
    reader.path = f->path;
    fixture_open(&reader, true);
    struct tui_options o = options_of(&reader, "overview");
    o.refresh_ns = 1;
    speaker_open(&s, &o);
    speaker_look(&s, s.app.loaded_ns + 1 * NS_PER_SEC, &out); /* takes note of the generation */
    buf_reset(&out);
    speaker_look(&s, s.app.loaded_ns + 2 * NS_PER_SEC, &out);
    CHECK_INT(out.n, 0);
    b = batch_new();
    add_depth(b, &orders, NOON, 1);
    *batch_invocation(b) = (struct invocation){
        .origin = batch_origin(b, &(struct origin){.fn = &orders, .instance = STR("i")}),
        .id = STR("8d5958b5-0000-4000-8000-000000000002"),
        .outcome = OUTCOME_OK,
        .start_ns = NOON - NS_PER_MIN,
        .duration_ns = 3 * NS_PER_MS,
        .attempt = 1,
        .is_final = true};
    fixture_commit(f, b);
    fire(f);
    speaker_look(&s, s.app.loaded_ns + 3 * NS_PER_SEC, &out);
    CHECK(str_find(buf_str(&out), STR("new: orders: invocations 1")) < out.n);
    CHECK(str_find(buf_str(&out), STR("x firing: queue orders-dlq: 12 messages")) < out.n);
    CHECK(str_find(buf_str(&out), STR("checkout:")) == out.n);
    speaker_close(&s);
    store_close(reader.store);
    fixture_free(f);
}

/* A collector that ended within the second of its last commit has left nothing undone. */
static void check_just_ended(struct store *s)
{
    AUTO(arena_clear) struct arena a = {0};
    struct ingest_status st;
    struct str says;
    struct err e = {0};

    CHECK_OK(request_status(s, &a, &st, &e), &e);
    CHECK_OK(watch_gap_load(s, st.last_commit_ns, &a, &says, &e), &e);
    CHECK_STR(says, STR("no collector runs"));
}

/* Nothing comes any more: ages go on all the same, and the end of the collector is seen at once. */
static void test_ages_go_on(void **state)
{
    struct fixture *f = fixture_new(), reader = {.path = STR("")};
    struct batch *b = batch_new();
    struct app app;

    UNUSED(state);
    fixture_open(f, false);
    store_collects(f->store);
    *batch_source(b) =
        (struct source_status){.name = STR("prod"), .tried_ns = NOON, .success_ns = NOON};
    fixture_commit(f, b);
    reader.path = f->path;
    fixture_open(&reader, true);
    for (int is_text = 0; is_text < 2; is_text++) {
        struct tui_options o = options_of(&reader, is_text ? "functions" : "sources");
        o.refresh_ns = NS_PER_SEC;
        o.range = (struct range){0};
        app_init(&app, &o);
        app_load(&app);
        CHECK_INT(app.data.unwatched.n, 0);
        int64_t now_ns = app.loaded_ns + 2 * NS_PER_SEC;
        (void)app_is_stale(&app, now_ns); /* takes note of the generation */
        CHECK_INT(app_is_stale(&app, now_ns + NS_PER_SEC), !is_text);
        store_close(f->store); /* it ends */
        f->store = NULL;
        CHECK(app_is_stale(&app, now_ns + 2 * NS_PER_SEC));
        app_load(&app);
        CHECK(str_starts(app.data.unwatched, STR("no collector runs")));
        check_just_ended(reader.store);
        app_clear(&app);
        fixture_open(f, false);
        store_collects(f->store);
    }
    store_close(reader.store);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_queue_state),
        cmocka_unit_test(test_queue_change),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_queue_that_is_gone),
        cmocka_unit_test(test_waterfall),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_changes_are_said),
        cmocka_unit_test(test_ages_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
