/* GetMetricData and ListMetrics. */
#include "executor/metrics_api.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/api_page.h"
#include "executor/metrics_answer.h"

static const struct api_op operations[] = {
    {.name = "GetMetricData", .handler = cw_get_data},
    {.name = "GetMetricStatistics", .handler = cw_get_statistics},
    {.name = "ListMetrics", .handler = cw_list},
    {0},
};

const struct api_service metrics_service = {
    .name = "monitoring",
    .target = "GraniteServiceVersion20100801",
    .query_version = "2010-08-01",
    .xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/",
    .operations = operations,
};

/* --- GetMetricData --- */

#define MAX_ID_BYTES 255
#define MAX_QUERIES  500
#define MAX_POINTS   100800

struct data_query {
    struct str id, label;
    const struct metric_info *info; /* NULL: no such metric, so no values */
    struct metric_choice choice;
    struct metric_request request;
    bool is_hidden; /* ReturnData false */
};

struct data {
    struct data_query *queries; /* in the call's arena, as their texts */
    size_t n;
    bool is_ascending;
    size_t max, first_query, first_point; /* of this page */
    uint64_t hash;                        /* of all but the token */
    struct arena texts;                   /* what the journal's thread reads */
};

/* A small letter, then letters, digits and _. */
static bool is_query_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool is_small = c >= 'a' && c <= 'z';
        bool is_later = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!is_small && (i == 0 || !is_later))
            return false;
    }
    return id.n > 0 && id.n <= MAX_ID_BYTES;
}

/* False after answering: an Id names one query of the request. */
static bool read_id(struct api_call *c, const struct data *d, const struct json *in,
                    struct data_query *q)
{
    if (!json_str(json_get(in, "Id"), &q->id)) {
        cw_invalid(c, "ValidationError", "Each query needs an Id.");
        return false;
    }
    if (!is_query_id(q->id)) {
        cw_invalid(c, "ValidationError",
                   "The value " STR_FMT " for parameter Id is not matching the expected pattern "
                   "^[a-z][a-zA-Z0-9_]*$.",
                   STR_ARG(q->id));
        return false;
    }
    for (const struct data_query *other = d->queries; other < q; other++)
        if (str_eq(other->id, q->id)) {
            cw_invalid(c, "ValidationError",
                       "The values for parameter Id in MetricDataQueries are not unique: " STR_FMT
                       ".",
                       STR_ARG(q->id));
            return false;
        }
    return true;
}

/* A form has it as text. */
static bool is_false(const struct json *v)
{
    struct str text;
    bool value = true;

    return json_str(v, &text) ? str_eq(text, STR("false")) : json_bool(v, &value) && !value;
}

static bool read_query(struct api_call *c, struct data *d, const struct json *in,
                       struct data_query *q, int64_t from_s, int64_t to_s)
{
    const struct json *stat = json_get(in, "MetricStat"), *metric = json_get(stat, "Metric");
    struct metric_key key;
    struct str text = {0};

    if (!read_id(c, d, in, q))
        return false;
    if (!stat) {
        cw_invalid(c, "ValidationError",
                   "Query " STR_FMT
                   ": expressions are not served here, only MetricStat: ask for the "
                   "metrics and calculate with them.",
                   STR_ARG(q->id));
        return false;
    }
    if (!json_str(json_get(stat, "Stat"), &text) || !metric_choice_read(text, &q->choice)) {
        cw_invalid(c, "ValidationError",
                   "Query " STR_FMT ": Stat " STR_FMT " is not served here: " METRIC_CHOICES
                   " are.",
                   STR_ARG(q->id), STR_ARG(text));
        return false;
    }
    if (!cw_period(c, stat, &q->request.period_s) || !cw_key(c, metric, &key))
        return false;
    q->label = key.name;
    json_str(json_get(in, "Label"), &q->label);
    q->is_hidden = is_false(json_get(in, "ReturnData"));
    q->info = metric_find(key.space, key.name);
    q->request.from_s = from_s;
    q->request.to_s = to_s;
    q->request.key = (struct metric_key){.space = arena_str(&d->texts, key.space),
                                         .name = arena_str(&d->texts, key.name),
                                         .label = arena_str(&d->texts, key.label),
                                         .value = arena_str(&d->texts, key.value)};
    return true;
}

static uint64_t hash_text(struct str text, uint64_t h)
{
    return str_hash(text, h + text.n);
}

/* What a token belongs to: all that decides which points there are. */
static uint64_t hash_queries(const struct data *d)
{
    uint64_t h = d->max * 2 + d->is_ascending;

    for (size_t i = 0; i < d->n; i++) {
        const struct metric_request *r = &d->queries[i].request;
        const int64_t numbers[] = {r->from_s, r->to_s, r->period_s, d->queries[i].is_hidden};
        h = hash_text(d->queries[i].id, h);
        h = hash_text(r->key.space, hash_text(r->key.name, h));
        h = hash_text(r->key.label, hash_text(r->key.value, h));
        h = hash_text((struct str){(const char *)numbers, sizeof(numbers)}, h);
    }
    return h;
}

static bool refuse_token(struct api_call *c, const char *code)
{
    cw_invalid(c, code, "The next token specified is invalid.");
    return false;
}

/* A page begins at a point of a query. */
static bool read_token(struct api_call *c, const struct json *in, struct data *d)
{
    struct page_token at = {0};
    struct str token = {0};

    d->hash = hash_queries(d);
    json_str(json_get(in, "NextToken"), &token);
    if (!api_page_read(c, token, d->hash, &at))
        return refuse_token(c, "InvalidNextToken");
    d->first_query = (size_t)at.a;
    d->first_point = (size_t)at.b;
    return true;
}

static bool read_data(struct api_call *c, const struct json *in, struct data *d)
{
    const struct json *queries = json_get(in, "MetricDataQueries");
    struct str scan = {0};
    int64_t from_s, to_s, max = MAX_POINTS;

    if (!cw_time(c, in, "StartTime", &from_s) || !cw_time(c, in, "EndTime", &to_s))
        return false;
    if (to_s <= from_s) {
        cw_invalid(c, "ValidationError", "The parameter EndTime must be after StartTime.");
        return false;
    }
    d->n = json_count(queries);
    if (d->n == 0 || d->n > MAX_QUERIES) {
        cw_invalid(c, "ValidationError", "MetricDataQueries: 1 to %d queries.", MAX_QUERIES);
        return false;
    }
    json_i64(json_get(in, "MaxDatapoints"), &max);
    d->max = max < 1 || max > MAX_POINTS ? MAX_POINTS : (size_t)max;
    d->is_ascending =
        json_str(json_get(in, "ScanBy"), &scan) && str_eq(scan, STR("TimestampAscending"));
    d->queries = xcalloc(d->n, sizeof(*d->queries));
    for (size_t i = 0; i < d->n; i++)
        if (!read_query(c, d, json_at(queries, i), &d->queries[i], from_s, to_s))
            return false;
    return read_token(c, in, d);
}

static enum status run_data(void *data, struct journal *j, struct err *e)
{
    struct data *d = data;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < d->n; i++)
        if (d->queries[i].info)
            s = metric_read(&d->queries[i].request, j, e);
    return s;
}

static const struct metric_period *point_of(const struct data *d, const struct data_query *q,
                                            size_t i)
{
    return &q->request.periods[d->is_ascending ? i : q->request.n - 1 - i];
}

/* Points from..to of a query; those a statistic cannot be given for are left out. */
static void write_result(const struct data *d, struct api_call *c, struct json_out *o,
                         const struct data_query *q, size_t from, size_t to)
{
    AUTO(buf_clear) struct buf values, number;
    struct json_out v;

    buf_init(&values, c->out.max);
    buf_init(&number, 64);
    jout_init(&v, &values, false);
    jout_open(o, '{');
    jout_key(o, "Id");
    jout_str(o, q->id);
    jout_key(o, "Label");
    jout_str(o, q->label);
    jout_key(o, "Timestamps");
    jout_open(o, '[');
    jout_open(&v, '[');
    for (size_t i = from; i < to; i++) {
        const struct metric_period *p = point_of(d, q, i);
        buf_reset(&number);
        if (!metric_value(q->info, &p->sum, q->choice, &number))
            continue;
        cw_write_time(c, o, p->start_s);
        jout_raw(&v, buf_str(&number));
    }
    jout_close(o, ']');
    jout_close(&v, ']');
    jout_key(o, "Values");
    jout_raw(o, buf_str(&values));
    jout_key(o, "StatusCode");
    jout_str(o, to < q->request.n ? STR("PartialData") : STR("Complete"));
    jout_close(o, '}');
}

static void write_data(void *data, struct api_call *c)
{
    const struct data *d = data;
    size_t left = d->max, query = d->first_query, point = d->first_point;
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "MetricDataResults");
    jout_open(&o, '[');
    for (; query < d->n && left > 0; query++, point = 0) {
        const struct data_query *q = &d->queries[query];
        if (q->is_hidden)
            continue;
        size_t from = point < q->request.n ? point : q->request.n;
        size_t to = q->request.n - from > left ? from + left : q->request.n;
        write_result(d, c, &o, q, from, to);
        left -= to - from;
        point = to;
        if (to < q->request.n)
            break;
    }
    jout_close(&o, ']');
    jout_key(&o, "Messages");
    jout_raw(&o, STR("[]"));
    if (query < d->n)
        jout_put_str(&o, "NextToken", api_page_token(c, d->hash, (int64_t)query, (int64_t)point));
    jout_close(&o, '}');
}

static void clear_data(void *data)
{
    struct data *d = data;

    for (size_t i = 0; d->queries && i < d->n; i++)
        metric_request_clear(&d->queries[i].request);
    free(d->queries);
    arena_clear(&d->texts);
    free(d);
}

void cw_get_data(struct api_call *c)
{
    static const struct cw_work work = {run_data, write_data, clear_data};
    const struct json *in = cw_input(c);
    struct data *d;

    if (!in)
        return;
    d = xcalloc(1, sizeof(*d));
    arena_init(&d->texts);
    if (read_data(c, in, d))
        cw_run(c, &work, d);
    else
        clear_data(d);
}

/* --- ListMetrics --- */

#define LIST_PAGE   500
#define RECENT_MINS 180

struct list {
    struct str space, name, label, value;
    int64_t since_minute; /* 0: all */
    int64_t skip;
    uint64_t hash; /* of all but the token */
    struct arena texts;
    struct metric_key *found;
    size_t n, cap;
};

static enum status run_list(void *data, struct journal *j, struct err *e)
{
    struct list *l = data;
    struct sql_stmt *st;
    bool has_row = true;
    enum status s = journal_stmt(
        j,
        "select space, name, label, value from series where (?1='' or space=?1) and (?2='' or"
        " name=?2) and (?3='' or label=?3) and (?4='' or value=?4) and exists(select 1 from point"
        " where series=series.id and minute>=?5) order by space, name, label, value limit ?6"
        " offset ?7",
        &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, l->space);
    sql_bind_str(st, 2, l->name);
    sql_bind_str(st, 3, l->label);
    sql_bind_str(st, 4, l->value);
    sql_bind_i64(st, 5, l->since_minute);
    sql_bind_i64(st, 6, LIST_PAGE + 1);
    sql_bind_i64(st, 7, l->skip);
    l->n = 0; /* a group that failed runs again */
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        l->found = arena_grow(&l->texts, l->found, l->n, &l->cap, sizeof(*l->found));
        l->found[l->n++] = (struct metric_key){.space = arena_str(&l->texts, sql_str(st, 0)),
                                               .name = arena_str(&l->texts, sql_str(st, 1)),
                                               .label = arena_str(&l->texts, sql_str(st, 2)),
                                               .value = arena_str(&l->texts, sql_str(st, 3))};
    }
    sql_reset(st);
    return s;
}

static void write_metric(struct json_out *o, const struct metric_key *k)
{
    jout_open(o, '{');
    jout_key(o, "Namespace");
    jout_str(o, k->space);
    jout_key(o, "MetricName");
    jout_str(o, k->name);
    jout_key(o, "Dimensions");
    jout_open(o, '[');
    if (k->label.n > 0) {
        jout_open(o, '{');
        jout_key(o, "Name");
        jout_str(o, k->label);
        jout_key(o, "Value");
        jout_str(o, k->value);
        jout_close(o, '}');
    }
    jout_close(o, ']');
    jout_close(o, '}');
}

static void write_list(void *data, struct api_call *c)
{
    const struct list *l = data;
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Metrics");
    jout_open(&o, '[');
    for (size_t i = 0; i < l->n && i < LIST_PAGE; i++)
        write_metric(&o, &l->found[i]);
    jout_close(&o, ']');
    if (l->n > LIST_PAGE)
        jout_put_str(&o, "NextToken", api_page_token(c, l->hash, l->skip + LIST_PAGE, 0));
    jout_close(&o, '}');
}

static void clear_list(void *data)
{
    struct list *l = data;

    arena_clear(&l->texts);
    free(l);
}

static void keep_text(struct list *l, const struct json *v, struct str *out)
{
    struct str text;

    if (json_str(v, &text))
        *out = arena_str(&l->texts, text);
}

static bool read_list_token(struct api_call *c, const struct json *in, struct list *l)
{
    struct page_token at = {0};
    struct str token = {0};

    l->hash = hash_text(l->space, hash_text(l->name, l->since_minute != 0));
    l->hash = hash_text(l->label, hash_text(l->value, l->hash));
    json_str(json_get(in, "NextToken"), &token);
    if (!api_page_read(c, token, l->hash, &at))
        return refuse_token(c, "InvalidParameterValue");
    l->skip = at.a;
    return true;
}

void cw_list(struct api_call *c)
{
    static const struct cw_work work = {run_list, write_list, clear_list};
    const struct json *in = cw_input(c);

    if (!in)
        return;
    struct list *l = xcalloc(1, sizeof(*l));
    arena_init(&l->texts);
    keep_text(l, json_get(in, "Namespace"), &l->space);
    keep_text(l, json_get(in, "MetricName"), &l->name);
    const struct json *dimension = json_at(json_get(in, "Dimensions"), 0);
    keep_text(l, json_get(dimension, "Name"), &l->label);
    keep_text(l, json_get(dimension, "Value"), &l->value);
    if (json_get(in, "RecentlyActive"))
        l->since_minute = loop_wall(c->x->loop) / NS_PER_MIN - RECENT_MINS;
    if (read_list_token(c, in, l))
        cw_run(c, &work, l);
    else
        clear_list(l);
}
