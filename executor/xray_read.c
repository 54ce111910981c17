/* Traces, read: summaries that a filter lets through, and whole ones. */
#include "executor/xray.h"

#include "core/base/sql.h"
#include "executor/api_page.h"
#include "executor/log_store_private.h"
#include "executor/telemetry.h"
#include "executor/xray_filter.h"

#define TRACES_A_CALL 5
#define TRACES_A_PAGE INT64_C(100)
#define LOOKED_A_PAGE INT64_C(500) /* with a filter: then the client asks on */
#define WINDOW_MAX_MS INT64_C(21600000)

static struct sql *db_of(struct executor *x)
{
    return log_store_db(telemetry_logs(x->telemetry));
}

static void invalid(struct api_call *c, const char *what)
{
    api_error(c, 400, "InvalidRequestException", NULL, "%s", what);
}

static void put_seconds(struct json_out *o, const char *key, int64_t us)
{
    struct buf text = {.max = 32};

    buf_addf(&text, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
    jout_key(o, key);
    jout_raw(o, buf_str(&text));
    buf_clear(&text);
}

/* --- GetTraceSummaries --- */

/* What a call asks for. */
struct question {
    struct str filter, type; /* type: of the time range */
    int64_t from_ms, to_ms;
    uint64_t hash;
    struct page_token at; /* a: traces looked at before */
};

static void put_node(struct json_out *o, const struct xray_segment *s)
{
    jout_open(o, '{');
    jout_put_str(o, "Name", s->name);
    jout_key(o, "Names");
    jout_open(o, '[');
    jout_str(o, s->name);
    jout_close(o, ']');
    jout_put_str(o, "AccountId", s->account);
    jout_put_str(o, "Type", s->type);
    jout_close(o, '}');
}

static bool is_same_node(const struct xray_segment *a, const struct xray_segment *b)
{
    return str_eq(a->name, b->name) && str_eq(a->type, b->type);
}

static void put_nodes(struct json_out *o, const struct xray_trace *t)
{
    jout_key(o, "ServiceIds");
    jout_open(o, '[');
    for (size_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (!is_same_node(&t->segments[k], &t->segments[i]))
            k++;
        if (k == i)
            put_node(o, &t->segments[i]);
    }
    jout_close(o, ']');
}

static void put_arns(struct json_out *o, const struct xray_trace *t)
{
    jout_key(o, "ResourceARNs");
    jout_open(o, '[');
    for (size_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (!str_eq(t->segments[k].resource_arn, t->segments[i].resource_arn))
            k++;
        if (k < i || t->segments[i].resource_arn.n == 0)
            continue;
        jout_open(o, '{');
        jout_put_str(o, "ARN", t->segments[i].resource_arn);
        jout_close(o, '}');
    }
    jout_close(o, ']');
}

static void put_http(struct json_out *o, const struct xray_segment *root)
{
    const struct {
        const char *key;
        struct str value;
    } texts[] = {{"HttpURL", root->url},
                 {"HttpMethod", root->method},
                 {"UserAgent", root->agent},
                 {"ClientIp", root->client}};

    jout_key(o, "Http");
    jout_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].value.n > 0)
            jout_put_str(o, texts[i].key, texts[i].value);
    if (root->http_status > 0)
        jout_put_i64(o, "HttpStatus", root->http_status);
    jout_close(o, '}');
}

/* Faults and errors are the root segment's, throttling and what is not complete anyone's (API
 * model, TraceSummary). */
static void put_summary(struct json_out *o, const struct xray_trace *t)
{
    const struct xray_segment *root = &t->segments[t->root];
    bool is_throttled = false, is_partial = false;

    for (size_t i = 0; i < t->n; i++) {
        is_throttled = is_throttled || t->segments[i].is_throttle;
        is_partial = is_partial || t->segments[i].is_open;
    }
    jout_open(o, '{');
    jout_put_str(o, "Id", t->id);
    put_seconds(o, "StartTime", xray_trace_begin_us(t));
    put_seconds(o, "Duration", xray_trace_end_us(t) - xray_trace_begin_us(t));
    put_seconds(o, "ResponseTime", root->end_us - root->begin_us);
    jout_put_bool(o, "HasFault", root->is_fault);
    jout_put_bool(o, "HasError", root->is_error);
    jout_put_bool(o, "HasThrottle", is_throttled);
    jout_put_bool(o, "IsPartial", is_partial);
    put_http(o, root);
    jout_key(o, "Annotations");
    jout_raw(o, STR("{}"));
    jout_key(o, "Users");
    jout_raw(o, STR("[]"));
    put_nodes(o, t);
    put_arns(o, t);
    jout_key(o, "EntryPoint");
    put_node(o, root);
    jout_put_i64(o, "Revision", 2);
    jout_close(o, '}');
}

#define SUMMARIES(time)                                                                            \
    "select trace_id from segments"                                                                \
    " where trace_id in (select trace_id from segments where " time " between ?1 and ?2)"          \
    " group by trace_id order by min(begin_ms) desc, trace_id limit -1 offset ?3"

/* By the start of a trace, or by the time it changed: segments are written when they end. */
static struct str summaries_text(const struct question *q)
{
    return q->type.n == 0 || str_eq(q->type, STR("TraceId")) ? STR(SUMMARIES("begin_ms"))
                                                             : STR(SUMMARIES("end_ms"));
}

static const struct str segments_text =
    STR_INIT("select id, document from segments where trace_id = ? order by begin_ms, id");

static enum status load_trace(struct sql_stmt *st, struct arena *a, struct xray_trace *t,
                              struct err *e)
{
    enum status s;
    bool has_row;

    sql_bind_str(st, 1, t->id);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        xray_trace_add(a, t, sql_str(st, 1));
    sql_reset(st);
    xray_trace_link(t);
    return s;
}

static bool read_times(struct api_call *c, struct question *q)
{
    if (json_scaled(json_get(c->input, "StartTime"), 3, &q->from_ms) &&
        json_scaled(json_get(c->input, "EndTime"), 3, &q->to_ms) && q->to_ms >= q->from_ms &&
        q->to_ms - q->from_ms <= WINDOW_MAX_MS)
        return true;
    invalid(c, "StartTime and EndTime are needed, at most six hours apart");
    return false;
}

static bool is_range_type(struct str type)
{
    static const char *const types[] = {"", "TraceId", "Event", "Service"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(type, str_from(types[i])))
            return true;
    return false;
}

/* False after answering with an error. */
static bool read_question(struct api_call *c, struct question *q)
{
    struct str token = {0};
    struct err e = {0};
    bool ignored;

    json_str(json_get(c->input, "FilterExpression"), &q->filter);
    json_str(json_get(c->input, "TimeRangeType"), &q->type);
    json_str(json_get(c->input, "NextToken"), &token);
    if (!read_times(c, q))
        return false;
    if (!is_range_type(q->type)) {
        invalid(c, "TimeRangeType: TraceId, Event or Service is expected");
        return false;
    }
    if (xray_filter(q->filter, &(struct xray_trace){0}, &ignored, &e) != OK) {
        invalid(c, e.msg);
        return false;
    }
    q->hash =
        str_hash(q->filter, str_hash(q->type, (uint64_t)q->from_ms ^ (uint64_t)q->to_ms << 1));
    if (api_page_read(c, token, q->hash, &q->at))
        return true;
    invalid(c, "NextToken is not valid");
    return false;
}

/* A page under way. */
struct reading {
    const struct question *q;
    struct sql_stmt *traces, *segments;
    int64_t looked, found;
    bool has_more; /* others stand behind those looked at */
};

static enum status put_next(struct reading *r, struct json_out *o, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct xray_trace t = {.id = arena_str(&a, sql_str(r->traces, 0))};
    bool is_wanted = false;

    enum status s = load_trace(r->segments, &a, &t, e);
    if (s == OK)
        s = xray_filter(r->q->filter, &t, &is_wanted, e);
    r->looked++;
    if (s != OK || !is_wanted || t.root >= t.n)
        return s;
    put_summary(o, &t);
    r->found++;
    return OK;
}

static enum status put_page(struct reading *r, struct json_out *o, struct err *e)
{
    enum status s;

    while ((s = sql_step(r->traces, &r->has_more, e)) == OK && r->has_more) {
        if (r->found == TRACES_A_PAGE || r->looked == LOOKED_A_PAGE)
            return OK;
        s = put_next(r, o, e);
        if (s != OK)
            return s;
    }
    return s;
}

static enum status answer_page(struct api_call *c, struct reading *r, struct err *e)
{
    const struct question *q = r->q;
    struct json_out o;

    sql_bind_i64(r->traces, 1, q->from_ms);
    sql_bind_i64(r->traces, 2, q->to_ms);
    sql_bind_i64(r->traces, 3, q->at.a);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "TraceSummaries");
    jout_open(&o, '[');
    enum status s = put_page(r, &o, e);
    jout_close(&o, ']');
    put_seconds(&o, "ApproximateTime", loop_wall(c->x->loop) / NS_PER_US);
    jout_put_i64(&o, "TracesProcessedCount", r->looked);
    if (r->has_more)
        jout_put_str(&o, "NextToken", api_page_token(c, q->hash, q->at.a + r->looked, 0));
    jout_close(&o, '}');
    return s;
}

/* Newest first. */
static void get_summaries(struct api_call *c)
{
    struct question q = {0};
    struct reading r = {.q = &q};
    struct err e = {0};

    if (!read_question(c, &q))
        return;
    enum status s = sql_prepare(db_of(c->x), summaries_text(&q), &r.traces, &e);
    if (s == OK)
        s = sql_prepare(db_of(c->x), segments_text, &r.segments, &e);
    if (s == OK)
        s = answer_page(c, &r, &e);
    sql_finalize(r.segments);
    sql_finalize(r.traces);
    if (s != OK)
        api_error_status(c, &e);
}

/* --- BatchGetTraces --- */

static void put_segments(struct json_out *o, struct str id, const struct xray_trace *t,
                         struct str documents)
{
    jout_open(o, '{');
    jout_put_str(o, "Id", id);
    put_seconds(o, "Duration", xray_trace_end_us(t) - xray_trace_begin_us(t));
    jout_put_bool(o, "LimitExceeded", false);
    jout_key(o, "Segments");
    jout_raw(o, documents);
    jout_close(o, '}');
}

/* Nothing for a trace that is not there. */
static enum status put_trace(struct api_call *c, struct json_out *o, struct str id, struct err *e)
{
    AUTO(buf_clear) struct buf documents = {.max = c->out.max};
    struct xray_trace t = {.id = id};
    struct sql_stmt *st;
    struct json_out list;
    bool has_row;

    enum status s = sql_prepare(db_of(c->x), segments_text, &st, e);
    if (s != OK)
        return s;
    sql_bind_str(st, 1, id);
    jout_init(&list, &documents, false);
    jout_open(&list, '[');
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        xray_trace_add(c->arena, &t, sql_str(st, 1));
        jout_open(&list, '{');
        jout_put_str(&list, "Id", sql_str(st, 0));
        jout_put_str(&list, "Document", sql_str(st, 1));
        jout_close(&list, '}');
    }
    sql_finalize(st);
    jout_close(&list, ']');
    if (t.n > 0)
        put_segments(o, id, &t, buf_str(&documents));
    return s;
}

static void get_traces(struct api_call *c)
{
    const struct json *ids = json_get(c->input, "TraceIds");
    struct err e = {0};
    struct json_out o;

    if (json_count(ids) == 0 || json_count(ids) > TRACES_A_CALL) {
        api_error(c, 400, "InvalidRequestException", NULL, "TraceIds: 1 to 5 are expected");
        return;
    }
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Traces");
    jout_open(&o, '[');
    for (size_t i = 0; i < json_count(ids); i++) {
        struct str id = {0};
        if (json_str(json_at(ids, i), &id) && put_trace(c, &o, id, &e) != OK) {
            api_error_status(c, &e);
            return;
        }
    }
    jout_close(&o, ']');
    jout_key(&o, "UnprocessedTraceIds");
    jout_raw(&o, STR("[]"));
    jout_close(&o, '}');
}

static const struct api_op operations[] = {
    {.name = "GetTraceSummaries",
     .handler = get_summaries,
     .method = "POST",
     .uri = "/TraceSummaries"},
    {.name = "BatchGetTraces", .handler = get_traces, .method = "POST", .uri = "/Traces"},
    {0}};

const struct api_service xray_service = {.name = "xray", .operations = operations};
