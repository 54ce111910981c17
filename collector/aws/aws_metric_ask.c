/* GetMetricData: the request's body, the answer's values, the paging. Asked in JSON; an endpoint
 * that knows only the Query protocol is asked in that from then on. */
#include "collector/aws/aws_metric_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "core/base/json.h"
#include "core/base/jsonpull.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

enum {
    QUERIES_MAX = 500, /* of one call */
    REQUEST_MAX_BYTES = 1 << 20,
};

/* --- what to ask
 * --------------------------------------------------------------------------------------------
 */

void metric_ask_add(struct metric_ask *ask, const struct metric_row *row, struct str name)
{
    ask->queries = mem_grow(ask->queries, ask->n, &ask->cap, sizeof(*ask->queries));
    ask->queries[ask->n++] = (struct metric_query){row, aws_keep(NULL, name)};
}

void metric_ask_reset(struct metric_ask *ask)
{
    for (size_t i = 0; i < ask->n; i++)
        free(ask->queries[i].name);
    ask->n = ask->at = 0;
    aws_pages_reset(&ask->pages);
}

void metric_ask_clear(struct metric_ask *ask)
{
    metric_ask_reset(ask);
    free(ask->queries);
    aws_pages_clear(&ask->pages);
}

static size_t chunk_of(const struct metric_ask *ask)
{
    return ask->n - ask->at < QUERIES_MAX ? ask->n - ask->at : QUERIES_MAX;
}

static void write_query(struct json_out *o, const struct metric_ask *ask, size_t i)
{
    const struct metric_query *q = &ask->queries[i];
    bool is_queue = q->row->of == OF_QUEUE;
    char id[24];

    snprintf(id, sizeof(id), "m%zu", i);
    jout_open(o, '{');
    jout_key(o, "Id");
    jout_str(o, str_from(id));
    jout_key(o, "MetricStat");
    jout_open(o, '{');
    jout_key(o, "Metric");
    jout_open(o, '{');
    jout_key(o, "Namespace");
    jout_str(o, is_queue ? STR("AWS/SQS") : STR("AWS/Lambda"));
    jout_key(o, "MetricName");
    jout_str(o, str_from(q->row->name));
    if (q->name != NULL) {
        jout_key(o, "Dimensions");
        jout_open(o, '[');
        jout_open(o, '{');
        jout_key(o, "Name");
        jout_str(o, is_queue ? STR("QueueName") : STR("FunctionName"));
        jout_key(o, "Value");
        jout_str(o, str_from(q->name));
        jout_close(o, '}');
        jout_close(o, ']');
    }
    jout_close(o, '}');
    jout_key(o, "Period");
    jout_i64(o, ask->period_ns / NS_PER_SEC);
    jout_key(o, "Stat");
    jout_str(o, str_from(q->row->stat));
    jout_close(o, '}');
    jout_key(o, "ReturnData");
    jout_bool(o, true);
    jout_close(o, '}');
}

static struct str make_body(const struct metric_ask *ask, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "StartTime");
    jout_i64(&o, ask->start_ns / NS_PER_SEC);
    jout_key(&o, "EndTime");
    jout_i64(&o, ask->end_ns / NS_PER_SEC);
    jout_key(&o, "ScanBy");
    jout_str(&o, STR("TimestampAscending"));
    jout_key(&o, "MetricDataQueries");
    jout_open(&o, '[');
    for (size_t i = 0; i < chunk_of(ask); i++)
        write_query(&o, ask, ask->at + i);
    jout_close(&o, ']');
    if (ask->pages.token != NULL) {
        jout_key(&o, "NextToken");
        jout_str(&o, str_from(ask->pages.token));
    }
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

/* --- the answer
 * ---------------------------------------------------------------------------------------------
 */

struct asking {
    struct aws_ctx *x;
    const struct metric_ask *ask;
    metric_point_fn *on_point;
};

static size_t read_numbers(struct jp *j, struct str *out)
{
    size_t n = 0;

    if (!jp_enter(j, '['))
        return 0;
    while (jp_element(j)) {
        struct str text = {0};
        bool is_read = jp_peek(j) == JP_STRING ? jp_string(j, &text) : jp_number(j, &text);
        if (is_read && n < METRIC_POINTS_MAX)
            out[n++] = text;
    }
    return n;
}

static void read_result(struct jp *j, struct metric_result *r)
{
    struct str key;

    r->id = (struct str){0};
    r->n_times = r->n_values = 0;
    if (!jp_enter(j, '{'))
        return;
    while (jp_member(j, &key)) {
        if (str_eq(key, STR("Id")))
            jp_string(j, &r->id);
        else if (str_eq(key, STR("Timestamps")))
            r->n_times = read_numbers(j, r->times);
        else if (str_eq(key, STR("Values")))
            r->n_values = read_numbers(j, r->values);
        else
            jp_skip(j);
    }
}

static struct subject subject_of(const struct aws_ctx *x, const struct metric_query *q,
                                 struct arena *a)
{
    enum metric_scope scope = q->row->of == OF_QUEUE ? SCOPE_QUEUE
                              : q->name != NULL      ? SCOPE_FUNCTION
                                                     : SCOPE_REGION;

    return (struct subject){.scope = scope,
                            .of = {.provider = PROVIDER_AWS,
                                   .account = arena_str(a, x->account),
                                   .region = arena_str(a, x->client.region),
                                   .name = arena_str(a, str_from(q->name))}};
}

struct metric_point *metric_ask_point(const struct aws_ctx *x, const struct metric_ask *ask,
                                      const struct metric_query *q, int64_t time_ns,
                                      struct batch *out)
{
    struct metric_point *p = batch_point(out);

    p->subject = subject_of(x, q, &out->arena);
    p->metric = q->row->metric;
    p->time_ns = time_ns;
    p->period_ns = ask->period_ns;
    return p;
}

static bool find_query(const struct metric_ask *ask, struct str id, size_t *at)
{
    uint64_t i;

    if (!str_starts(id, STR("m")) || !str_to_u64(str_skip(id, 1), &i) || i >= ask->n)
        return false;
    *at = (size_t)i;
    return true;
}

/* Epoch seconds in JSON, ISO 8601 in XML. */
static bool read_time(struct str text, int64_t *out)
{
    return aws_number(text, 9, out) || time_parse(text, out);
}

static void take_result(const struct asking *k, const struct metric_result *r, struct batch *out)
{
    size_t at;

    if (!find_query(k->ask, r->id, &at))
        return;
    const struct metric_query *q = &k->ask->queries[at];
    for (size_t i = 0; i < r->n_times && i < r->n_values; i++) {
        int64_t time_ns, value;
        if (read_time(r->times[i], &time_ns) && aws_number(r->values[i], q->row->scale, &value))
            k->on_point(k->x, q, time_ns, value, out);
    }
}

static bool take_xml(const struct asking *k, struct str body, struct metric_result *r,
                     struct str *token, struct batch *out)
{
    struct str results;

    if (!metric_form_open(body, &out->arena, &results, token))
        return false;
    while (metric_form_result(&results, &out->arena, r))
        take_result(k, r, out);
    return true;
}

static bool take_json(const struct asking *k, struct str body, struct metric_result *r,
                      struct str *token, struct batch *out)
{
    struct jp j;
    struct str key;

    jp_init(&j, body, &out->arena);
    bool is_object = jp_enter(&j, '{');
    while (is_object && jp_member(&j, &key)) {
        if (str_eq(key, STR("NextToken")) && jp_peek(&j) == JP_STRING) {
            jp_string(&j, token);
        } else if (str_eq(key, STR("MetricDataResults")) && jp_enter(&j, '[')) {
            while (jp_element(&j)) {
                read_result(&j, r);
                take_result(k, r, out);
            }
        } else {
            jp_skip(&j);
        }
    }
    return is_object && j.error == NULL;
}

static enum status take_answer(const struct asking *k, struct str body, struct str *token,
                               struct batch *out, struct err *e)
{
    struct metric_result r = {.times = arena_new(&out->arena, struct str, METRIC_POINTS_MAX),
                              .values = arena_new(&out->arena, struct str, METRIC_POINTS_MAX)};
    bool is_whole =
        k->ask->is_form ? take_xml(k, body, &r, token, out) : take_json(k, body, &r, token, out);

    return is_whole ? OK : aws_damaged(&k->x->client, "cloudwatch:GetMetricData", e);
}

/* --- a call
 * -------------------------------------------------------------------------------------------------
 */

uint64_t metric_ask_units(const struct metric_ask *ask)
{
    return ask->pages.token == NULL ? chunk_of(ask) : 1;
}

enum status metric_ask_step(struct aws_ctx *x, struct metric_ask *ask, metric_point_fn *on_point,
                            struct batch *out, bool *is_done, struct err *e)
{
    const struct asking k = {x, ask, on_point};
    struct aws_request q = {.op = OP_GET_METRIC_DATA,
                            .is_form = ask->is_form,
                            .body = ask->is_form ? metric_form(ask, chunk_of(ask), &out->arena)
                                                 : make_body(ask, &out->arena),
                            .units = metric_ask_units(ask)};
    struct str body, token = {0};
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);

    if (s != OK && !ask->is_form && aws_fault_wants_form(&x->client.fault)) {
        log_event(LOG_INFO,
                  "source=" STR_FMT " CloudWatch does not speak JSON here: asked in the "
                  "Query protocol",
                  STR_ARG(x->source->name));
        ask->is_form = true;
        return OK;
    }
    if (s == OK)
        s = take_answer(&k, body, &token, out, e);
    if (s == OK)
        s = aws_pages_next(&ask->pages, token, AWS_PAGES_MAX, aws_op_info(q.op)->name, e);
    if (s != OK)
        return s;
    if (ask->pages.token == NULL)
        ask->at += chunk_of(ask);
    *is_done = ask->at >= ask->n;
    return OK;
}
