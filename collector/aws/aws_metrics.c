/* Metrics by GetMetricData: a dozen sums and levels of the region as a whole, and only for those
 * that are not zero the same by function: every metric asked for costs. The trailing window is read
 * again each time, because a value belongs to the invocation's start and comes after its end. */
#include <stdio.h>
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "core/base/json.h"
#include "core/base/jsonpull.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

enum {
    QUERIES_MAX = 500, /* of one call */
    REQUEST_MAX_BYTES = 1 << 20,
    POINTS_MAX = 4096, /* of one metric in one answer */
    PERIOD_S = 60,
};
#define PERIOD_NS ((int64_t)PERIOD_S * NS_PER_SEC)
#define REREAD_NS (20 * NS_PER_MIN) /* the longest run of 15 minutes, and how late values come */
#define FIRST_NS  NS_PER_HOUR

enum subject_kind { OF_REGION, OF_QUEUE };

struct metric_row {
    const char *name, *stat;
    enum metric metric;
    unsigned scale;   /* decimal digits from the provider's unit to ours */
    bool by_function; /* ask function by function while the region's is not zero */
    bool by_reserved; /* only functions with concurrency of their own */
    enum subject_kind of;
};

/* clang-format off */
static const struct metric_row rows[] = {
    { "Invocations", "Sum", METRIC_INVOCATIONS, 0, false, false, OF_REGION },
    { "Errors", "Sum", METRIC_ERRORS, 0, false, false, OF_REGION },
    { "Throttles", "Sum", METRIC_THROTTLES, 0, true, false, OF_REGION },
    { "ConcurrentExecutions", "Maximum", METRIC_CONCURRENCY, 0, false, true, OF_REGION },
    { "ClaimedAccountConcurrency", "Maximum", METRIC_CONCURRENCY_CLAIMED, 0, false, false, OF_REGION },
    { "UnreservedConcurrentExecutions", "Maximum", METRIC_CONCURRENCY_UNRESERVED, 0, false, false, OF_REGION },
    { "AsyncEventsReceived", "Sum", METRIC_ASYNC_RECEIVED, 0, false, false, OF_REGION },
    { "AsyncEventAge", "Maximum", METRIC_ASYNC_AGE, 6, false, false, OF_REGION },
    { "AsyncEventsDropped", "Sum", METRIC_ASYNC_DROPPED, 0, true, false, OF_REGION },
    { "DeadLetterErrors", "Sum", METRIC_DLQ_ERRORS, 0, true, false, OF_REGION },
    { "DestinationDeliveryFailures", "Sum", METRIC_DESTINATION_ERRORS, 0, true, false, OF_REGION },
    { "IteratorAge", "Maximum", METRIC_ITERATOR_AGE, 6, true, false, OF_REGION },
    { "RecursiveInvocationsDropped", "Sum", METRIC_RECURSION_DROPPED, 0, true, false, OF_REGION },
    { "ProvisionedConcurrencySpilloverInvocations", "Sum", METRIC_PROVISIONED_SPILLOVER, 0, true, false, OF_REGION },
};
static const struct metric_row queue_age = {
    "ApproximateAgeOfOldestMessage", "Maximum", METRIC_QUEUE_AGE, 9, false, false, OF_QUEUE };
/* clang-format on */

/* --- what to ask
 * --------------------------------------------------------------------------------------------
 */

static void add_query(struct aws_metrics *m, const struct metric_row *row, struct str name)
{
    m->queries = mem_grow(m->queries, m->n, &m->cap, sizeof(*m->queries));
    m->queries[m->n++] = (struct metric_query){row, aws_keep(NULL, name)};
}

static void forget_queries(struct aws_metrics *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->queries[i].name);
    m->n = m->at = 0;
    m->token = aws_keep(m->token, STR(""));
}

static void begin_region(struct aws_ctx *x)
{
    struct aws_metrics *m = &x->metrics;
    int64_t now = aws_now(&x->client);

    forget_queries(m);
    m->is_drilling = false;
    m->active = 0;
    m->began_ns = aws_mono(x);
    m->end_ns = time_floor(now, PERIOD_NS) + PERIOD_NS;
    m->start_ns =
        time_floor(m->read_to_ns > 0 ? m->read_to_ns - REREAD_NS : now - FIRST_NS, PERIOD_NS);
    if (m->start_ns < m->end_ns - 3 * NS_PER_HOUR)
        m->start_ns = m->end_ns - 3 * NS_PER_HOUR;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_query(m, &rows[i], STR(""));
    for (size_t i = 0; i < x->queues.n; i++)
        if (x->queues.items[i].is_filled)
            add_query(m, &queue_age, str_from(x->queues.items[i].name));
}

static void begin_drilling(struct aws_ctx *x)
{
    struct aws_metrics *m = &x->metrics;

    forget_queries(m);
    m->is_drilling = true;
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        for (size_t i = 0; i < x->fns.n && (m->active >> r & 1) != 0; i++) {
            const struct aws_function *f = &x->fns.items[i];
            if (rows[r].by_function || (rows[r].by_reserved && f->concurrency >= 0))
                add_query(m, &rows[r], str_from(f->name));
        }
}

static size_t chunk_of(const struct aws_metrics *m)
{
    return m->n - m->at < QUERIES_MAX ? m->n - m->at : QUERIES_MAX;
}

static void write_query(struct json_out *o, const struct aws_metrics *m, size_t i)
{
    const struct metric_query *q = &m->queries[i];
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
    jout_i64(o, PERIOD_S);
    jout_key(o, "Stat");
    jout_str(o, str_from(q->row->stat));
    jout_close(o, '}');
    jout_key(o, "ReturnData");
    jout_bool(o, true);
    jout_close(o, '}');
}

static struct str make_body(const struct aws_metrics *m, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "StartTime");
    jout_i64(&o, m->start_ns / NS_PER_SEC);
    jout_key(&o, "EndTime");
    jout_i64(&o, m->end_ns / NS_PER_SEC);
    jout_key(&o, "ScanBy");
    jout_str(&o, STR("TimestampAscending"));
    jout_key(&o, "MetricDataQueries");
    jout_open(&o, '[');
    for (size_t i = 0; i < chunk_of(m); i++)
        write_query(&o, m, m->at + i);
    jout_close(&o, ']');
    if (m->token != NULL) {
        jout_key(&o, "NextToken");
        jout_str(&o, str_from(m->token));
    }
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

/* --- the answer
 * ---------------------------------------------------------------------------------------------
 */

struct result {
    struct str id;
    struct str *times, *values; /* as text */
    size_t n_times, n_values;
};

static size_t read_numbers(struct jp *j, struct str *out)
{
    size_t n = 0;

    if (!jp_enter(j, '['))
        return 0;
    while (jp_element(j)) {
        struct str text = {0};
        bool is_read = jp_peek(j) == JP_STRING ? jp_string(j, &text) : jp_number(j, &text);
        if (is_read && n < POINTS_MAX)
            out[n++] = text;
    }
    return n;
}

static void read_result(struct jp *j, struct result *r)
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

static void keep_age(struct aws_ctx *x, const struct metric_query *q, int64_t age_ns,
                     int64_t time_ns)
{
    for (size_t i = 0; q->row->of == OF_QUEUE && i < x->queues.n; i++)
        if (str_eq(str_from(x->queues.items[i].name), str_from(q->name))) {
            x->queues.items[i].oldest_ns = age_ns;
            x->queues.items[i].oldest_read_ns = time_ns;
        }
}

static bool find_query(const struct aws_metrics *m, struct str id, size_t *at)
{
    uint64_t i;

    if (!str_starts(id, STR("m")) || !str_to_u64(str_skip(id, 1), &i) || i >= m->n)
        return false;
    *at = (size_t)i;
    return true;
}

static void put_point(struct aws_ctx *x, const struct metric_query *q, int64_t time_ns,
                      int64_t value, struct batch *out)
{
    struct metric_point *p = batch_point(out);

    p->subject = subject_of(x, q, &out->arena);
    p->metric = q->row->metric;
    p->time_ns = time_ns;
    p->period_ns = PERIOD_NS;
    p->value = value;
}

/* Were the region's throttles stored before those of its functions, somebody would be woken for
 * both: they wait for each other. */
static bool must_hold(const struct aws_metrics *m, const struct metric_query *q)
{
    return q->name == NULL && q->row->by_function && !m->has_failed;
}

static void hold(struct aws_metrics *m, const struct metric_query *q, int64_t time_ns,
                 int64_t value)
{
    m->held = mem_grow(m->held, m->n_held, &m->cap_held, sizeof(*m->held));
    m->held[m->n_held++] = (struct held_point){q->row, time_ns, value};
}

static void release(struct aws_ctx *x, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    for (size_t i = 0; i < m->n_held; i++) {
        const struct metric_query q = {.row = m->held[i].row};
        put_point(x, &q, m->held[i].time_ns, m->held[i].value, out);
    }
    m->n_held = 0;
}

static void take_result(struct aws_ctx *x, const struct result *r, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;
    size_t at;

    if (!find_query(m, r->id, &at))
        return;
    const struct metric_query *q = &m->queries[at];
    for (size_t i = 0; i < r->n_times && i < r->n_values; i++) {
        int64_t time_ns, value;
        if (!aws_number(r->times[i], 9, &time_ns) ||
            !aws_number(r->values[i], q->row->scale, &value))
            continue;
        if (must_hold(m, q))
            hold(m, q, time_ns, value);
        else
            put_point(x, q, time_ns, value, out);
        keep_age(x, q, value, time_ns);
        if (value > 0 && q->name == NULL)
            m->active |= UINT64_C(1) << (size_t)(q->row - rows);
    }
}

static enum status take_answer(struct aws_ctx *x, struct str body, struct str *token,
                               struct batch *out, struct err *e)
{
    struct result r = {.times = arena_new(&out->arena, struct str, POINTS_MAX),
                       .values = arena_new(&out->arena, struct str, POINTS_MAX)};
    struct jp j;
    struct str key;

    jp_init(&j, body, &out->arena);
    bool is_object = jp_enter(&j, '{');
    while (is_object && jp_member(&j, &key)) {
        if (str_eq(key, STR("NextToken")) && jp_peek(&j) == JP_STRING) {
            jp_string(&j, token);
        } else if (str_eq(key, STR("MetricDataResults")) && jp_enter(&j, '[')) {
            while (jp_element(&j)) {
                read_result(&j, &r);
                take_result(x, &r, out);
            }
        } else {
            jp_skip(&j);
        }
    }
    if (!is_object || j.error != NULL)
        return err_set(e, ERR_AGAIN, "cloudwatch:GetMetricData: a damaged answer");
    return OK;
}

/* --- the round
 * ----------------------------------------------------------------------------------------------
 */

static void end_round(struct aws_ctx *x, struct aws_task *t, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    release(x, out);
    m->has_failed = false;
    m->read_to_ns = m->end_ns - PERIOD_NS;
    forget_queries(m);
    t->is_round_done = true;
    t->next_ns = m->began_ns + x->o->metrics_ns;
}

static void advance(struct aws_ctx *x, struct aws_task *t, struct str token, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    m->token = aws_keep(m->token, token);
    t->next_ns = aws_mono(x);
    if (m->token != NULL)
        return;
    m->at += chunk_of(m);
    if (m->at < m->n)
        return;
    if (!m->is_drilling && m->active != 0)
        begin_drilling(x);
    if (m->at >= m->n)
        end_round(x, t, out);
}

enum status aws_metrics_step(struct aws_ctx *x, struct aws_task *t, struct batch *out,
                             struct err *e)
{
    struct aws_metrics *m = &x->metrics;
    struct str body, token = {0};

    if (m->n == 0)
        begin_region(x);
    uint64_t units = chunk_of(m);
    if (aws_wait_for_budget(x, t, OP_GET_METRIC_DATA, units)) {
        forget_queries(m);
        release(x, out);
        return OK;
    }
    struct aws_request q = {.op = OP_GET_METRIC_DATA,
                            .body = make_body(m, &out->arena),
                            .units = m->token == NULL ? units : 1};
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);
    if (s == OK)
        s = take_answer(x, body, &token, out, e);
    if (s != OK) {
        m->has_failed = m->has_failed || m->is_drilling;
        m->n_held = 0;
        forget_queries(m); /* the window is read again as a whole */
        return s;
    }
    advance(x, t, token, out);
    return OK;
}

uint64_t aws_region_metrics(void)
{
    return ARRAY_LEN(rows);
}

void aws_metrics_clear(struct aws_metrics *m)
{
    forget_queries(m);
    free(m->queries);
    free(m->held);
    free(m->token);
}
