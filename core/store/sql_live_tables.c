/* More tables of `fnscope sql`: what a running collector adds. Columns are described in
 * fnscope-schema(7). Values of metrics and alerts are integers in the unit beside them. */
#include "core/store/sql_live_tables.h"

#include "core/base/timefmt.h"

static void put_time_if_any(const struct cell_out *out, int64_t t_ns)
{
    if (t_ns == 0)
        out->put_null(out->to);
    else
        put_time(out, t_ns);
}

static void put_usd(const struct cell_out *out, money m)
{
    out->put_scaled(out->to, m, 12);
}

/* Whole milliseconds would hide a short age; seconds with their fraction. */
static void put_seconds(const struct cell_out *out, int64_t ns)
{
    out->put_scaled(out->to, ns, 9);
}

/* provider, account, region, name: the four columns that name a subject */
static void put_ref(const struct cell_out *out, const struct fn_ref *of, int column)
{
    const struct str texts[] = {str_from(provider_name(of->provider)), of->account, of->region,
                                of->name};

    put_text(out, texts[column]);
}

/* --- metric points --- */

struct point_row {
    const struct metric_series *series;
    struct metric_sample sample;
};

static enum status load_points(struct store *s, int64_t day, const struct table_filter *f,
                               struct arena *a, struct table_rows *out, struct err *e)
{
    const int64_t base = day * NS_PER_DAY;
    struct metric_request q = {.range = {base, base + NS_PER_DAY}};
    struct metric_rows r;
    size_t n = 0;

    q.range.since_ns = f->range.since_ns > base ? f->range.since_ns : base;
    if (f->range.until_ns < q.range.until_ns)
        q.range.until_ns = f->range.until_ns;
    enum status status = request_metrics(s, &q, a, &r, e);
    if (status != OK)
        return status;
    for (size_t i = 0; i < r.n; i++)
        n += r.rows[i].n;
    struct point_row *rows = arena_new(a, struct point_row, n + 1);
    n = 0;
    for (size_t i = 0; i < r.n; i++)
        for (size_t k = 0; k < r.rows[i].n; k++)
            rows[n++] = (struct point_row){&r.rows[i], r.rows[i].points[k]};
    *out = (struct table_rows){rows, n};
    return OK;
}

enum { P_TIME, P_TIME_NS, P_SCOPE, P_REF, P_NAME = P_REF + 3, P_METRIC, P_VALUE, P_UNIT, P_PERIOD };

static void point_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct point_row *r = row;
    const struct metric_info *info = metric_info(r->series->metric);

    UNUSED(s);
    if (column == P_TIME)
        put_time_if_any(out, r->sample.time_ns);
    else if (column == P_TIME_NS)
        out->put_i64(out->to, r->sample.time_ns);
    else if (column == P_SCOPE)
        put_text(out, str_from(metric_scope_name(r->series->subject.scope)));
    else if (column <= P_NAME)
        put_ref(out, &r->series->subject.of, column - P_REF);
    else if (column == P_METRIC)
        put_text(out, str_from(info->name));
    else if (column == P_VALUE && r->sample.is_missing)
        out->put_null(out->to);
    else if (column == P_VALUE)
        out->put_i64(out->to, r->sample.value);
    else if (column == P_UNIT)
        put_text(out, str_from(metric_unit_name(info->unit)));
    else if (column == P_PERIOD)
        out->put_i64(out->to, r->series->period_ns / NS_PER_SEC);
    else
        out->put_i64(out->to, r->sample.weight);
}

const struct sql_table metric_points_table = {
    .name = "metric_points",
    .schema =
        "create table x(time text, time_ns int, scope text, provider text, account text, "
        "region text, name text, metric text, value int, unit text, period_s int, weight int)",
    .time_column = P_TIME_NS,
    .function_column = -1,
    .id_column = -1,
    .load = load_points,
    .cell = point_cell,
    .row_bytes = sizeof(struct point_row),
};

/* --- queues --- */

static enum status load_queues(struct store *s, int64_t day, const struct table_filter *f,
                               struct arena *a, struct table_rows *out, struct err *e)
{
    const struct fn_filter any = {0};
    struct queue_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_queues(s, &any, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

enum { Q_TEXT = 4, Q_NUMBER = 9, Q_AGE = 14, Q_RETENTION, Q_VISIBILITY, Q_SEEN, Q_SOURCE };

static void queue_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct msg_queue *q = row;
    const struct str texts[] = {q->url, q->arn, q->dead_letter, q->feeders, q->consumers};
    const int64_t numbers[] = {q->is_dlq, q->depth, q->in_flight, q->delayed, q->max_receives};

    UNUSED(s);
    if (column < Q_TEXT)
        put_ref(out, &q->of, column);
    else if (column < Q_NUMBER)
        put_text(out, texts[column - Q_TEXT]);
    else if (column < Q_AGE)
        out->put_i64(out->to, numbers[column - Q_NUMBER]);
    else if (column == Q_AGE && !q->has_age)
        out->put_null(out->to);
    else if (column == Q_AGE)
        put_seconds(out, q->oldest_ns);
    else if (column == Q_RETENTION)
        put_seconds(out, q->retention_ns);
    else if (column == Q_VISIBILITY)
        put_seconds(out, q->visibility_ns);
    else if (column == Q_SEEN)
        put_time_if_any(out, q->seen_ns);
    else if (column == Q_SOURCE)
        put_text(out, q->source);
    else
        put_text(out, str_from(queue_presence_name(q->presence)));
}

const struct sql_table queues_table = {
    .name = "queues",
    .schema = "create table x(provider text, account text, region text, name text, url text, arn "
              "text, dead_letter text, feeders text, consumers text, is_dlq int, depth int, "
              "in_flight int, delayed int, max_receives int, oldest_s real, retention_s real, "
              "visibility_s real, seen_time text, source text, presence text)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_queues,
    .cell = queue_cell,
    .row_bytes = sizeof(struct msg_queue),
    .is_timeless = true,
};

/* --- sources --- */

static enum status load_sources(struct store *s, int64_t day, const struct table_filter *f,
                                struct arena *a, struct table_rows *out, struct err *e)
{
    struct source_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_sources(s, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

enum { S_TIME = 6, S_LAG = 9, S_NUMBER, S_MONEY = 18, S_STATE = 21 };

static void source_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct source_status *r = row;
    const struct str texts[] = {r->name, r->type, r->account, r->region, r->error, r->quota};
    const int64_t times[] = {r->tried_ns, r->success_ns, r->watermark_ns};
    const int64_t numbers[] = {
        (int64_t)r->add_calls, (int64_t)r->add_errors, (int64_t)r->add_throttles,
        (int64_t)r->add_bytes, (int64_t)r->add_events, r->failures,
        r->quota_ppm,          r->is_capped,
    };
    const money amounts[] = {r->add_cost, r->cost_today, r->cost_cap};

    if (column < S_TIME)
        put_text(out, texts[column]);
    else if (column < S_LAG)
        put_time_if_any(out, times[column - S_TIME]);
    else if (column == S_LAG)
        put_seconds(out, r->lag_ns);
    else if (column < S_MONEY)
        out->put_i64(out->to, numbers[column - S_NUMBER]);
    else if (column < S_STATE)
        put_usd(out, amounts[column - S_MONEY]);
    else
        put_text(out, str_from(source_state_name(source_state_of(r, store_collector(s)))));
}

const struct sql_table sources_table = {
    .name = "sources",
    .schema = "create table x(name text, type text, account text, region text, error text, quota "
              "text, tried_time text, success_time text, watermark_time text, lag_s real, calls "
              "int, errors int, throttles int, bytes int, events int, failures int, quota_ppm int, "
              "is_capped int, cost_usd real, cost_today_usd real, cost_cap_usd real, state text)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_sources,
    .cell = source_cell,
    .row_bytes = sizeof(struct source_status),
    .is_timeless = true,
};

/* --- alerts and episodes --- */

static enum status load_alerts(struct store *s, int64_t day, const struct table_filter *f,
                               struct arena *a, struct table_rows *out, struct err *e)
{
    const struct alert_request q = {.state_mask = UINT32_MAX};
    struct alert_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_alerts(s, &q, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

static enum status load_episodes(struct store *s, int64_t day, const struct table_filter *f,
                                 struct arena *a, struct table_rows *out, struct err *e)
{
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    const struct subject_filter any = {0};
    struct alert_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_episodes(s, all, &any, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

enum { A_TEXT, A_REF = 5, A_REST = 9, A_TIME = 12, A_NUMBER = 20 };

static void alert_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct alert *r = row;
    const struct str texts[] = {r->key, r->rule, str_from(alert_severity_name(r->severity)),
                                str_from(alert_state_name(r->state)),
                                str_from(metric_scope_name(r->subject.scope))};
    const struct str rest[] = {r->summary, r->evidence, r->acked_by};
    const int64_t times[] = {r->since_ns, r->started_ns, r->fired_ns, r->resolved_ns,
                             r->acked_ns, r->data_ns,    r->eval_ns,  r->sent_ns};
    const int64_t numbers[] = {r->value, r->peak, r->threshold, r->is_missing};

    UNUSED(s);
    if (column < A_REF)
        put_text(out, texts[column - A_TEXT]);
    else if (column < A_REST)
        put_ref(out, &r->subject.of, column - A_REF);
    else if (column < A_TIME)
        put_text(out, rest[column - A_REST]);
    else if (column < A_NUMBER)
        put_time_if_any(out, times[column - A_TIME]);
    else if (column < A_NUMBER + (int)ARRAY_LEN(numbers))
        out->put_i64(out->to, numbers[column - A_NUMBER]);
    else
        put_text(out, str_from(metric_unit_name(r->unit)));
}

#define ALERT_SCHEMA                                                                               \
    "key text, rule text, severity text, state text, scope text, provider text, account text, "    \
    "region text, name text, summary text, evidence text, acked_by text, since_time text, "        \
    "started_time text, fired_time text, resolved_time text, acked_time text, data_time text, "    \
    "eval_time text, sent_time text, value int, peak int, threshold int, is_missing int, unit "    \
    "text"

const struct sql_table alerts_table = {
    .name = "alerts",
    .schema = "create table x(" ALERT_SCHEMA ")",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_alerts,
    .cell = alert_cell,
    .row_bytes = sizeof(struct alert),
    .is_timeless = true,
};

const struct sql_table alert_episodes_table = {
    .name = "alert_episodes",
    .schema = "create table x(" ALERT_SCHEMA ")",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_episodes,
    .cell = alert_cell,
    .row_bytes = sizeof(struct alert),
    .is_timeless = true,
};

/* --- messages and silences --- */

static enum status load_messages(struct store *s, int64_t day, const struct table_filter *f,
                                 struct arena *a, struct table_rows *out, struct err *e)
{
    const struct outbox_request q = {.due_ns = INT64_MAX};
    struct outbox_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_outbox(s, &q, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

enum { M_TIME = 6, M_ATTEMPTS = 9 };

static void message_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct outbox_entry *m = row;
    const struct str texts[] = {m->id,
                                m->alert.key,
                                m->notifier,
                                str_from(alert_event_name(m->event)),
                                str_from(outbox_status_name(m->status)),
                                m->error};
    const int64_t times[] = {m->created_ns, m->next_ns, m->done_ns};

    UNUSED(s);
    if (column < M_TIME)
        put_text(out, texts[column]);
    else if (column < M_ATTEMPTS)
        put_time_if_any(out, times[column - M_TIME]);
    else
        out->put_i64(out->to, m->attempts);
}

const struct sql_table alert_messages_table = {
    .name = "alert_messages",
    .schema = "create table x(id text, alert_key text, notifier text, event text, status text, "
              "error text, created_time text, next_time text, done_time text, attempts int)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_messages,
    .cell = message_cell,
    .row_bytes = sizeof(struct outbox_entry),
    .is_timeless = true,
};

static enum status load_silences(struct store *s, int64_t day, const struct table_filter *f,
                                 struct arena *a, struct table_rows *out, struct err *e)
{
    struct silence_rows r;

    UNUSED(day);
    UNUSED(f);
    enum status status = request_silences(s, 0, true, a, &r, e);
    if (status == OK)
        *out = (struct table_rows){r.rows, r.n};
    return status;
}

static void silence_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct silence *r = row;
    const struct str texts[] = {r->rule_glob, r->name_glob, r->account,
                                r->region,    r->by,        r->comment};

    UNUSED(s);
    if (column == 0)
        out->put_i64(out->to, r->id);
    else if (column <= (int)ARRAY_LEN(texts))
        put_text(out, texts[column - 1]);
    else
        put_time_if_any(out, column == (int)ARRAY_LEN(texts) + 1 ? r->created_ns : r->until_ns);
}

const struct sql_table silences_table = {
    .name = "silences",
    .schema = "create table x(id int, rule_glob text, name_glob text, account text, region text, "
              "author text, comment text, created_time text, until_time text)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_silences,
    .cell = silence_cell,
    .row_bytes = sizeof(struct silence),
    .is_timeless = true,
};
