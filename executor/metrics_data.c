/* GetMetricData: metrics are read on the journal's thread, expressions calculated when the answer
 * is written. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/api_page.h"
#include "executor/metric_math.h"
#include "executor/metrics_answer.h"

#define MAX_ID_BYTES 255
#define MAX_QUERIES  500
#define MAX_POINTS   100800

struct data_query {
    struct str id, label;
    const struct metric_info *info; /* NULL: no such metric, so no values */
    struct metric_choice choice;
    struct metric_request request;
    bool is_hidden;            /* ReturnData false */
    struct str expression;     /* in place of a metric */
    struct math *math;         /* of it */
    struct math_series series; /* its points, and those of a metric an expression uses */
    enum { QUERY_NEW, QUERY_UNDER_WAY, QUERY_DONE } state;
};

struct data {
    struct data_query *queries; /* in the call's arena, as their texts */
    size_t n;
    int64_t from_s, to_s;
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

static bool read_metric(struct api_call *c, struct data *d, const struct json *stat,
                        struct data_query *q)
{
    struct metric_key key;
    struct str text = {0};

    if (!json_str(json_get(stat, "Stat"), &text) || !metric_choice_read(text, &q->choice)) {
        cw_invalid(c, "ValidationError",
                   "Query " STR_FMT ": Stat " STR_FMT " is none: " METRIC_CHOICES " are.",
                   STR_ARG(q->id), STR_ARG(text));
        return false;
    }
    if (!cw_period(c, stat, &q->request.period_s) || !cw_key(c, json_get(stat, "Metric"), &key))
        return false;
    q->label = key.name;
    q->info = cw_metric(stat, &key);
    q->request.key = (struct metric_key){.space = arena_str(&d->texts, key.space),
                                         .name = arena_str(&d->texts, key.name),
                                         .label = arena_str(&d->texts, key.label),
                                         .value = arena_str(&d->texts, key.value)};
    return true;
}

static bool read_query(struct api_call *c, struct data *d, const struct json *in,
                       struct data_query *q)
{
    const struct json *stat = json_get(in, "MetricStat");
    bool has_expression = json_str(json_get(in, "Expression"), &q->expression);

    q->request.from_s = d->from_s;
    q->request.to_s = d->to_s;
    if (!read_id(c, d, in, q))
        return false;
    if ((stat != NULL) == has_expression) {
        cw_invalid(c, "ValidationError",
                   "Query " STR_FMT ": either MetricStat or Expression is needed.", STR_ARG(q->id));
        return false;
    }
    q->label = q->id;
    if (json_get(in, "Period") && has_expression && !cw_period(c, in, &q->request.period_s))
        return false;
    if (stat && !read_metric(c, d, stat, q))
        return false;
    json_str(json_get(in, "Label"), &q->label);
    q->is_hidden = is_false(json_get(in, "ReturnData"));
    return true;
}

/* --- expressions --- */

static bool wrong_expression(struct api_call *c, const struct data_query *q, const char *why)
{
    cw_invalid(c, "ValidationError", "Error in expression '" STR_FMT "': %s.", STR_ARG(q->id), why);
    return false;
}

/* Whether its value would depend on itself. */
static bool is_circular(struct data *d, size_t i)
{
    struct data_query *q = &d->queries[i];
    bool found = q->state == QUERY_UNDER_WAY;

    if (!q->math || q->state != QUERY_NEW)
        return found;
    q->state = QUERY_UNDER_WAY;
    for (size_t k = 0; !found && k < d->n; k++)
        found = math_uses(q->math, k) && is_circular(d, k);
    q->state = QUERY_DONE;
    return found;
}

static bool read_expressions(struct api_call *c, struct data *d)
{
    struct str *ids = arena_new(&d->texts, struct str, d->n);
    bool *is_metric = arena_new(&d->texts, bool, d->n);
    const struct math_names names = {ids, d->n, is_metric};
    struct err e = {0};

    for (size_t i = 0; i < d->n; i++) {
        ids[i] = d->queries[i].id;
        is_metric[i] = d->queries[i].expression.n == 0;
    }
    for (size_t i = 0; i < d->n; i++)
        if (!is_metric[i] &&
            math_read(d->queries[i].expression, &names, &d->texts, &d->queries[i].math, &e) != OK)
            return wrong_expression(c, &d->queries[i], e.msg);
    for (size_t i = 0; i < d->n; i++)
        if (is_circular(d, i))
            return wrong_expression(c, &d->queries[i], "it depends on itself");
    for (size_t i = 0; i < d->n; i++)
        d->queries[i].state = QUERY_NEW;
    return true;
}

static void metric_points(struct data *d, struct data_query *q)
{
    struct math_series *s = &q->series;

    s->period_s = q->request.period_s;
    s->points = arena_new(&d->texts, struct math_point, q->request.n + 1);
    for (size_t i = 0; i < q->request.n; i++) {
        const struct metric_period *p = &q->request.periods[i];
        double value;
        if (metric_number(q->info, &p->sum, q->choice, &value))
            s->points[s->n++] = (struct math_point){p->start_s, value};
    }
}

/* What it uses first. */
static void compute(struct data *d, size_t i)
{
    struct data_query *q = &d->queries[i];
    int64_t period_s = q->request.period_s;

    if (q->state == QUERY_DONE)
        return;
    q->state = QUERY_DONE;
    if (!q->math) {
        metric_points(d, q);
        return;
    }
    struct math_series *all = arena_new(&d->texts, struct math_series, d->n);
    for (size_t k = 0; k < d->n; k++) {
        if (!math_uses(q->math, k))
            continue;
        compute(d, k);
        all[k] = d->queries[k].series;
        period_s = period_s == 0 ? all[k].period_s : period_s;
    }
    const struct math_values values = {all, d->from_s, d->to_s, period_s ? period_s : 60,
                                       &d->texts};
    math_series(q->math, &values, &q->series);
}

/* --- the request --- */

/* What a token belongs to: all that decides which points there are. */
static uint64_t hash_queries(const struct data *d)
{
    uint64_t h = d->max * 2 + d->is_ascending;

    for (size_t i = 0; i < d->n; i++) {
        const struct metric_request *r = &d->queries[i].request;
        const int64_t numbers[] = {r->from_s, r->to_s, r->period_s, d->queries[i].is_hidden};
        h = cw_hash(d->queries[i].expression, cw_hash(d->queries[i].id, h));
        h = cw_hash(r->key.space, cw_hash(r->key.name, h));
        h = cw_hash(r->key.label, cw_hash(r->key.value, h));
        h = cw_hash((struct str){(const char *)numbers, sizeof(numbers)}, h);
    }
    return h;
}

/* A page begins at a point of a query. */
static bool read_token(struct api_call *c, const struct json *in, struct data *d)
{
    struct page_token at = {0};
    struct str token = {0};

    d->hash = hash_queries(d);
    json_str(json_get(in, "NextToken"), &token);
    if (!api_page_read(c, token, d->hash, &at))
        return cw_refuse_token(c, "InvalidNextToken");
    d->first_query = (size_t)at.a;
    d->first_point = (size_t)at.b;
    return true;
}

static bool read_data(struct api_call *c, const struct json *in, struct data *d)
{
    const struct json *queries = json_get(in, "MetricDataQueries");
    struct str scan = {0};
    int64_t max = MAX_POINTS;

    if (!cw_time(c, in, "StartTime", &d->from_s) || !cw_time(c, in, "EndTime", &d->to_s))
        return false;
    if (d->to_s <= d->from_s) {
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
        if (!read_query(c, d, json_at(queries, i), &d->queries[i]))
            return false;
    return read_expressions(c, d) && read_token(c, in, d);
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

static size_t count_of(const struct data_query *q)
{
    return q->math ? q->series.n : q->request.n;
}

/* The i-th in the order asked for; false: its statistic cannot be given. */
static bool point_of(const struct data *d, const struct data_query *q, size_t i, int64_t *at_s,
                     struct buf *number)
{
    size_t k = d->is_ascending ? i : count_of(q) - 1 - i;

    buf_reset(number);
    if (!q->math) {
        *at_s = q->request.periods[k].start_s;
        return metric_value(q->info, &q->request.periods[k].sum, q->choice, number);
    }
    *at_s = q->series.points[k].at_s;
    math_put(number, q->series.points[k].value);
    return true;
}

/* Points from..to of a query; those a statistic cannot be given for are left out. */
static void write_result(const struct data *d, struct api_call *c, struct json_out *o,
                         const struct data_query *q, size_t from, size_t to)
{
    AUTO(buf_clear) struct buf values, number;
    struct json_out v;
    int64_t at_s;

    buf_init(&values, c->out.max);
    buf_init(&number, 64);
    jout_init(&v, &values, false);
    jout_open(o, '{');
    jout_put_str(o, "Id", q->id);
    jout_put_str(o, "Label", q->label);
    jout_key(o, "Timestamps");
    jout_open(o, '[');
    jout_open(&v, '[');
    for (size_t i = from; i < to; i++) {
        if (!point_of(d, q, i, &at_s, &number))
            continue;
        cw_write_time(c, o, at_s);
        jout_raw(&v, buf_str(&number));
    }
    jout_close(o, ']');
    jout_close(&v, ']');
    jout_key(o, "Values");
    jout_raw(o, buf_str(&values));
    jout_put_str(o, "StatusCode", to < count_of(q) ? STR("PartialData") : STR("Complete"));
    jout_close(o, '}');
}

static void write_data(void *data, struct api_call *c)
{
    struct data *d = data;
    size_t left = d->max, query = d->first_query, point = d->first_point;
    struct json_out o;

    for (size_t i = 0; i < d->n; i++)
        if (d->queries[i].math)
            compute(d, i);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "MetricDataResults");
    jout_open(&o, '[');
    for (; query < d->n && left > 0; query++, point = 0) {
        const struct data_query *q = &d->queries[query];
        if (q->is_hidden)
            continue;
        size_t n = count_of(q), from = point < n ? point : n;
        size_t to = n - from > left ? from + left : n;
        write_result(d, c, &o, q, from, to);
        left -= to - from;
        point = to;
        if (to < n)
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
