/* What a running collector stores besides records: points, queues, sources, alerts; and that a
 * store of the version before is read as it is and migrated by its writer. */
#include "tests/unit/store_fixture.h"

#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define MIN  INT64_C(60000000000)

static const struct subject dlq = {
    SCOPE_QUEUE,
    {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"), STR_INIT("orders-dlq"), NULL}};

static void add_point(struct batch *b, int64_t t_ns, int64_t value, bool is_missing)
{
    struct metric_point *p = batch_point(b);

    p->subject = dlq;
    p->metric = METRIC_QUEUE_DEPTH;
    p->time_ns = t_ns;
    p->value = value;
    p->is_missing = is_missing;
}

static void test_points(void **state)
{
    struct fixture *f = fixture_new();
    struct metric_request q = {.range = {NOON, NOON + 3 * MIN}};
    struct metric_rows r;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    for (int i = -1; i < 4; i++)
        add_point(b, NOON + i * MIN, i, i == 1);
    add_point(b, NOON + 2 * MIN, 22, false); /* read again: the later value holds */
    add_point(b, NOON + 24 * 60 * MIN, 7, false);
    fixture_commit(f, b);
    fixture_open(f, true);
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    CHECK(subject_eq(&r.rows[0].subject, &dlq));
    CHECK_INT(r.rows[0].metric, METRIC_QUEUE_DEPTH);
    CHECK_INT(r.rows[0].n, 3);
    CHECK_INT(r.rows[0].points[0].value, 0);
    CHECK_INT(r.rows[0].points[0].weight, 1);
    CHECK(r.rows[0].points[1].is_missing && !r.rows[0].points[2].is_missing);
    CHECK_INT(r.rows[0].points[2].value, 22);
    CHECK_INT(r.rows[0].points[2].time_ns, NOON + 2 * MIN);
    q.range.until_ns = NOON + 48 * 60 * MIN;
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.rows[0].n, 5);
    const enum metric other[] = {METRIC_THROTTLES};
    q.metrics = other;
    q.n_metrics = 1;
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 0);
    q.n_metrics = 0;
    q.subject.scope_mask = 1u << SCOPE_FUNCTION;
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 0);
    fixture_free(f);
}

static void test_queues_and_sources(void **state)
{
    struct fixture *f = fixture_new();
    struct queue_rows queues;
    struct source_rows sources;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++) {
        struct batch *b = batch_new();
        *batch_queue(b) = (struct msg_queue){
            .of = dlq.of,
            .url = STR("http://127.0.0.1/1/orders-dlq"),
            .is_dlq = true,
            .feeders = STR("orders"),
            .depth = 10 + i,
            .seen_ns = i == 2 ? NOON - MIN : NOON + i, /* the third reading is an old one */
        };
        *batch_source(b) = (struct source_status){
            .name = STR("prod-eu"),
            .type = STR("aws"),
            .tried_ns = NOON + i,
            .success_ns = i == 1 ? 0 : NOON + i,
            .lag_ns = 5 + i,
            .add_calls = 10,
            .add_cost = 400000,
            .failures = i == 1,
            .error = i == 1 ? STR("HTTP 500") : STR(""),
        };
        fixture_commit(f, b);
    }
    fixture_open(f, true);
    const struct fn_filter any = {0};
    CHECK_OK(request_queues(f->store, &any, &f->arena, &queues, &f->e), &f->e);
    CHECK_INT(queues.n, 1);
    CHECK_INT(queues.rows[0].depth, 11);
    CHECK(queues.rows[0].is_dlq && !queues.rows[0].has_age);
    CHECK_STR(queues.rows[0].feeders, STR("orders"));
    CHECK_OK(request_sources(f->store, &f->arena, &sources, &f->e), &f->e);
    CHECK_INT(sources.n, 1);
    CHECK_INT(sources.rows[0].add_calls, 30);
    CHECK_INT(sources.rows[0].add_cost, 1200000);
    CHECK_INT(sources.rows[0].success_ns, NOON + 2);
    CHECK_INT(sources.rows[0].lag_ns, 7);
    CHECK_INT(sources.rows[0].failures, 0);
    fixture_free(f);
}

/* Before its first success the lag of a source is how long it has been tried. */
static void test_source_without_success(void **state)
{
    struct fixture *f = fixture_new();
    struct source_rows sources;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++) {
        struct batch *b = batch_new();
        *batch_source(b) = (struct source_status){.name = STR("wrong"),
                                                  .tried_ns = NOON + i * MIN,
                                                  .lag_ns = 99 * MIN, /* of what it did read */
                                                  .failures = 1};
        fixture_commit(f, b);
    }
    CHECK_OK(request_sources(f->store, &f->arena, &sources, &f->e), &f->e);
    CHECK_INT(sources.rows[0].lag_ns, 2 * MIN);
    fixture_free(f);
}

static struct span some_span(const char *id, int64_t start_ns, int64_t end_ns)
{
    return (struct span){.of = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL},
                         .trace_id = STR("1-6968d6c0-5d09aa705e56bbd0152548cb"),
                         .id = str_from(id),
                         .parent_id = id[0] == 'a' ? STR("") : STR("a"),
                         .name = STR("work"),
                         .annotations = STR("{\"tenant\":1}"),
                         .start_ns = start_ns,
                         .end_ns = end_ns,
                         .flags = end_ns == 0 ? SPAN_OPEN : SPAN_FAULT};
}

/* A trace across midnight, read while it runs, when it has ended, and late as it was before. */
static void test_spans(void **state)
{
    const int64_t midnight = NOON + 12 * 60 * MIN;
    struct fixture *f = fixture_new();
    struct span_list l;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++) {
        struct batch *b = batch_new();
        *batch_span(b) = some_span("b", midnight + 5, midnight + 7);
        *batch_span(b) = some_span("a", midnight - 5, i == 1 ? midnight + 9 : 0);
        fixture_commit(f, b);
    }
    fixture_open(f, true);
    CHECK_OK(request_trace(f->store, STR("1-6968d6c0-5d09aa705e56bbd0152548cb"), midnight,
                           &f->arena, &l, &f->e),
             &f->e);
    CHECK_INT(l.n, 2);
    CHECK_STR(l.rows[0].id, STR("a"));
    CHECK_INT(l.rows[0].end_ns, midnight + 9);
    CHECK_INT(l.rows[0].flags, SPAN_FAULT);
    CHECK_INT(l.rows[1].depth, 1);
    CHECK_INT(l.rows[1].start_ns, midnight + 5);
    CHECK_STR(l.rows[1].annotations, STR("{\"tenant\":1}"));
    CHECK_STR(l.rows[1].of.name, STR("checkout"));
    CHECK_OK(request_trace(f->store, STR("1-00000000-5d09aa705e56bbd0152548cb"), 0, &f->arena, &l,
                           &f->e),
             &f->e);
    CHECK_INT(l.n, 0);
    const struct span_request since = {.range = {midnight, midnight + MIN}};
    CHECK_OK(request_spans(f->store, &since, &f->arena, &l, &f->e), &f->e);
    CHECK_INT(l.n, 1);
    fixture_free(f);
}

static struct alert some_alert(void)
{
    return (struct alert){
        .key = STR("0123456789abcdef"),
        .rule = STR("dlq-depth"),
        .subject = dlq,
        .severity = ALERT_CRITICAL,
        .state = ALERT_FIRING,
        .since_ns = NOON,
        .started_ns = NOON - MIN,
        .fired_ns = NOON,
        .value = 12,
        .peak = 15,
        .unit = UNIT_COUNT,
        .data_ns = NOON,
        .is_notified = true,
        .summary = STR("queue orders-dlq: 12 messages"),
        .evidence = STR("fnscope query queues"),
    };
}

static void test_alerts(void **state)
{
    struct fixture *f = fixture_new();
    struct alert a = some_alert();
    struct outbox_entry m = {.id = STR("0123-1-firing-ops"),
                             .notifier = STR("ops"),
                             .created_ns = NOON,
                             .next_ns = NOON,
                             .alert = a};
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1, .messages = &m, .n_messages = 1};
    struct alert_rows alerts;
    struct outbox_rows box;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e); /* the same again changes nothing */
    const struct alert_request q = {.key = STR("0123")};
    CHECK_OK(request_alerts(f->store, &q, &f->arena, &alerts, &f->e), &f->e);
    CHECK_INT(alerts.n, 1);
    CHECK_STR(alerts.rows[0].summary, a.summary);
    CHECK_STR(alerts.rows[0].evidence, a.evidence);
    CHECK(subject_eq(&alerts.rows[0].subject, &dlq));
    CHECK_INT(alerts.rows[0].severity, ALERT_CRITICAL);
    CHECK_INT(alerts.rows[0].state, ALERT_FIRING);
    CHECK_INT(alerts.rows[0].peak, 15);
    CHECK(alerts.rows[0].is_notified && !alerts.rows[0].is_missing);
    struct outbox_request waiting = {.status_mask = 1u << OUTBOX_WAITING, .due_ns = NOON};
    CHECK_OK(request_outbox(f->store, &waiting, &f->arena, &box, &f->e), &f->e);
    CHECK_INT(box.n, 1);
    CHECK_STR(box.rows[0].alert.rule, a.rule);
    waiting.due_ns = NOON - 1;
    CHECK_OK(request_outbox(f->store, &waiting, &f->arena, &box, &f->e), &f->e);
    CHECK_INT(box.n, 0);
    m.status = OUTBOX_SENT;
    m.attempts = 2;
    m.done_ns = NOON + 1;
    const struct alert_changes done = {.results = &m, .n_results = 1};
    CHECK_OK(store_write_alerts(f->store, &done, &f->e), &f->e);
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e); /* and is not sent a second time */
    waiting.due_ns = INT64_MAX;
    CHECK_OK(request_outbox(f->store, &waiting, &f->arena, &box, &f->e), &f->e);
    CHECK_INT(box.n, 0);
    waiting.status_mask = 0;
    CHECK_OK(request_outbox(f->store, &waiting, &f->arena, &box, &f->e), &f->e);
    CHECK_INT(box.n, 1);
    CHECK_INT(box.rows[0].attempts, 2);
    fixture_free(f);
}

static void test_episodes(void **state)
{
    struct fixture *f = fixture_new();
    struct alert a = some_alert();
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1};
    const struct subject_filter any = {0};
    struct alert_rows r;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
    a.state = ALERT_RESOLVED;
    a.resolved_ns = NOON + 5 * MIN;
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
    a.started_ns = NOON + 10 * MIN;
    a.fired_ns = 0;
    a.state = ALERT_PENDING; /* not yet an episode */
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
    CHECK_OK(request_episodes(f->store, (struct range){NOON, NOON + 60 * MIN}, &any, &f->arena, &r,
                              &f->e),
             &f->e);
    CHECK_INT(r.n, 1);
    CHECK_INT(r.rows[0].resolved_ns, NOON + 5 * MIN);
    CHECK_OK(request_episodes(f->store, (struct range){NOON + 6 * MIN, NOON + 60 * MIN}, &any,
                              &f->arena, &r, &f->e),
             &f->e);
    CHECK_INT(r.n, 0);
    fixture_free(f);
}

/* The same name in two accounts and regions; a file of before migration 11 knows no places. */
static void test_silence_of_a_place(void **state)
{
    static const struct {
        const char *account, *region;
        bool covers_first, covers_second;
    } cases[] = {
        {"", "", true, true},           {"1", "", true, false},           {"2", "", false, true},
        {"", "eu-west-1", true, false}, {"1", "us-east-1", false, false}, {"?", "*-1", true, true}};
    const struct subject first = {
        SCOPE_FUNCTION, {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL}};
    const struct subject second = {
        SCOPE_FUNCTION, {PROVIDER_AWS, STR("2"), STR("us-east-1"), STR("checkout"), NULL}};
    struct fixture *f = fixture_new();
    struct silence_rows r;
    int64_t id = 0;

    UNUSED(state);
    fixture_open(f, false);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct silence s = {.name_glob = STR("checkout"),
                                  .account = str_from(cases[i].account),
                                  .region = str_from(cases[i].region),
                                  .until_ns = MIN};
        CHECK_OK(store_write_silence(f->store, &s, &id, &f->e), &f->e);
    }
    CHECK_OK(request_silences(f->store, 0, false, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, ARRAY_LEN(cases));
    for (size_t i = 0; i < r.n; i++) {
        CHECK_INT(silence_covers(&r.rows[i], STR("errors"), &first, 0), cases[i].covers_first);
        CHECK_INT(silence_covers(&r.rows[i], STR("errors"), &second, 0), cases[i].covers_second);
    }
    store_close(f->store);
    f->store = NULL;
    struct sql *db = NULL;
    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/meta.db", f->path.p).p, SQL_READ_WRITE, &db, &f->e),
        &f->e);
    CHECK_OK(sql_exec(db,
                      "alter table silence drop column account;"
                      " alter table silence drop column region;"
                      " alter table stream drop column last_day; pragma user_version = 10",
                      &f->e),
             &f->e);
    sql_close(db);
    fixture_open(f, true);
    CHECK_OK(request_silences(f->store, 0, false, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, ARRAY_LEN(cases));
    CHECK(silence_covers(&r.rows[1], STR("errors"), &second, 0));
    fixture_open(f, false);
    CHECK_OK(store_write_silence(f->store, &(struct silence){.until_ns = MIN}, &id, &f->e), &f->e);
    fixture_free(f);
}

static void test_silences(void **state)
{
    struct fixture *f = fixture_new();
    struct silence s = {.rule_glob = STR("dlq-*"), .created_ns = NOON, .until_ns = NOON + MIN};
    struct silence_rows r;
    int64_t id = 0;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(store_write_silence(f->store, &s, &id, &f->e), &f->e);
    CHECK_INT(id, 1);
    CHECK_OK(request_silences(f->store, NOON, false, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    CHECK(silence_covers(&r.rows[0], STR("dlq-depth"), &dlq, NOON));
    CHECK(!silence_covers(&r.rows[0], STR("dlq-depth"), &dlq, NOON + MIN));
    CHECK(!silence_covers(&r.rows[0], STR("throttles"), &dlq, NOON));
    s.id = id;
    s.until_ns = NOON;
    CHECK_OK(store_write_silence(f->store, &s, &id, &f->e), &f->e);
    CHECK_OK(request_silences(f->store, NOON, false, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 0);
    CHECK_OK(request_silences(f->store, NOON, true, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    fixture_free(f);
}

/* --- the version before --- */

static void load_sql(struct fixture *f, const char *from, const char *to)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20};
    struct str source = arena_printf(&f->arena, TESTS_DIR "/data/store/v1/%s", from);
    struct str target = arena_printf(&f->arena, STR_FMT "/%s", STR_ARG(f->path), to);
    struct sql *db;

    CHECK_OK(file_read(source.p, &text, &f->e), &f->e);
    CHECK_OK(sql_open(target.p, SQL_READ_WRITE, &db, &f->e), &f->e);
    CHECK_OK(sql_exec(db, text.p, &f->e), &f->e);
    sql_close(db);
}

static void check_old_content(struct fixture *f)
{
    struct inv_rows r;
    struct fn_config_rows configs;
    struct alert_rows alerts;
    const struct fn_filter any = {0};
    const struct alert_request all = {.state_mask = UINT32_MAX};

    CHECK_OK(request_by_id(f->store, STR("0a1b2c3d"), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    CHECK_STR(r.rows[0].origin->fn->name, STR("mail"));
    CHECK_OK(request_configs(f->store, &any, &f->arena, &configs, &f->e), &f->e);
    CHECK_OK(request_alerts(f->store, &all, &f->arena, &alerts, &f->e), &f->e);
    CHECK_INT(alerts.n, 0);
}

static void test_store_of_version_1(void **state)
{
    struct fixture *f = fixture_new();
    struct metric_request q = {.range = {0, INT64_MAX / 2}};
    struct metric_rows points;

    UNUSED(state);
    load_sql(f, "meta.sql", "meta.db");
    load_sql(f, "20260115.sql", "20260115.db");
    fixture_open(f, true); /* a reader takes it as it is */
    check_old_content(f);
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &points, &f->e), &f->e);
    CHECK_INT(points.n, 0);
    fixture_open(f, false); /* the writer migrates meta.db at once */
    check_old_content(f);
    struct batch *b = batch_new();
    add_point(b, NOON, 3, false); /* and the day's file when it is written */
    struct fn_config *c = batch_config(b);
    c->fn = (struct fn_ref){PROVIDER_AWS, STR(""), STR("eu-west-1"), STR("mail"), NULL};
    c->dead_letter = STR("mail-dlq");
    fixture_commit(f, b);
    fixture_open(f, true);
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &points, &f->e), &f->e);
    CHECK_INT(points.n, 1);
    check_old_content(f);
    struct fn_config_rows configs;
    const struct fn_filter any = {0};
    CHECK_OK(request_configs(f->store, &any, &f->arena, &configs, &f->e), &f->e);
    CHECK_INT(configs.n, 1);
    CHECK_STR(configs.rows[0].dead_letter, STR("mail-dlq"));
    fixture_free(f);
}

/* A source's place goes on under its new name. */
static void test_renamed_source(void **state)
{
    struct fixture *f = fixture_new();
    const struct cursor place = {
        .source = STR("prod"), .scope = STR("log-group:/x"), .watermark_ns = NOON};
    struct cursor found;
    struct source_rows r;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    batch_cursor(b, &place);
    *batch_source(b) = (struct source_status){.name = STR("prod"), .tried_ns = NOON};
    fixture_commit(f, b);
    CHECK_OK(store_rename_source(f->store, STR("prod"), STR("prod/eu"), &f->e), &f->e);
    CHECK(!store_cursor(f->store, STR("prod"), place.scope, &f->arena, &found));
    CHECK(store_cursor(f->store, STR("prod/eu"), place.scope, &f->arena, &found));
    CHECK_INT(found.watermark_ns, NOON);
    CHECK_OK(request_sources(f->store, &f->arena, &r, &f->e), &f->e);
    CHECK(r.n == 1 && str_eq(r.rows[0].name, STR("prod/eu")));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_queues_and_sources),
        cmocka_unit_test(test_renamed_source),
        cmocka_unit_test(test_source_without_success),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_episodes),
        cmocka_unit_test(test_silences),
        cmocka_unit_test(test_silence_of_a_place),
        cmocka_unit_test(test_store_of_version_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
