/* Segments: made, kept in the log store's file, read. */
#include "executor/xray.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/sql.h"
#include "executor/ids.h"
#include "executor/log_store_private.h"
#include "executor/telemetry.h"
#include "executor/xray_filter.h"

#define TRACES_A_CALL 5
#define TRACES_A_PAGE INT64_C(100)
#define WINDOW_MAX_MS INT64_C(21600000)

/* --- documents --- */

/* Epoch seconds with microseconds. */
static void put_time(struct json_out *o, const char *key, int64_t ns)
{
    struct buf text = {.max = 64};

    buf_addf(&text, "%lld.%06lld", (long long)(ns / NS_PER_SEC),
             (long long)(ns % NS_PER_SEC / NS_PER_US));
    jout_key(o, key);
    jout_raw(o, buf_str(&text));
    buf_clear(&text);
}

static void put_outcome(struct json_out *o, const struct xray_facts *f)
{
    if (f->outcome == OUTCOME_ERROR)
        jout_put_bool(o, "error", true);
    else if (f->outcome != OUTCOME_OK)
        jout_put_bool(o, "fault", true);
}

static void put_head(struct json_out *o, const struct xray_facts *f, struct str id,
                     const char *origin)
{
    jout_open(o, '{');
    jout_put_str(o, "id", id);
    jout_put_str(o, "name", f->fn->name);
    jout_put_str(o, "trace_id", f->trace_id);
    jout_put_str(o, "origin", str_from(origin));
}

void xray_service_segment(struct buf *out, const struct xray_facts *f)
{
    struct json_out o;

    jout_init(&o, out, false);
    put_head(&o, f, f->segment_id, "AWS::Lambda");
    put_time(&o, "start_time", f->accepted_ns);
    put_time(&o, "end_time", f->end_ns);
    put_outcome(&o, f);
    jout_key(&o, "http");
    jout_open(&o, '{');
    jout_key(&o, "response");
    jout_open(&o, '{');
    jout_put_i64(&o, "status", 200);
    jout_close(&o, '}');
    jout_close(&o, '}');
    jout_key(&o, "aws");
    jout_open(&o, '{');
    jout_put_str(&o, "request_id", f->request_id);
    jout_put_str(&o, "account_id", f->account);
    jout_close(&o, '}');
    jout_put_str(&o, "resource_arn", f->fn->arn);
    jout_close(&o, '}');
}

static void put_subsegment(struct json_out *o, struct rng *ids, const char *name, int64_t begin_ns,
                           int64_t end_ns)
{
    AUTO(arena_clear) struct arena a = {0};

    jout_open(o, '{');
    jout_put_str(o, "id", hex_new(ids, &a, 8));
    jout_put_str(o, "name", str_from(name));
    put_time(o, "start_time", begin_ns);
    put_time(o, "end_time", end_ns);
    jout_close(o, '}');
}

void xray_function_segment(struct buf *out, const struct xray_facts *f)
{
    struct json_out o;

    jout_init(&o, out, false);
    put_head(&o, f, f->function_segment_id, "AWS::Lambda::Function");
    put_time(&o, "start_time", f->begin_ns);
    put_time(&o, "end_time", f->end_ns);
    jout_put_str(&o, "parent_id", f->segment_id);
    put_outcome(&o, f);
    jout_key(&o, "aws");
    jout_open(&o, '{');
    jout_put_str(&o, "account_id", f->account);
    jout_put_str(&o, "function_arn", f->fn->arn);
    jout_put_str(&o, "log_stream", f->instance);
    jout_close(&o, '}');
    jout_key(&o, "subsegments");
    jout_open(&o, '[');
    if (f->init_ns > 0)
        put_subsegment(&o, f->ids, "Initialization", f->init_began_ns,
                       f->init_began_ns + f->init_ns);
    put_subsegment(&o, f->ids, "Invocation", f->begin_ns, f->end_ns);
    put_subsegment(&o, f->ids, "Overhead", f->end_ns, f->end_ns);
    jout_close(&o, ']');
    jout_close(&o, '}');
}

/* --- store --- */

static struct sql *db_of(struct executor *x)
{
    return log_store_db(telemetry_logs(x->telemetry));
}

enum { FLAG_ERROR = 1, FLAG_FAULT = 2, FLAG_FUNCTION = 4 };

/* The two segments of an invocation on their way to the disk. */
struct trace_write {
    struct journal_op op;
    struct arena arena;
    struct segment_row {
        struct str id, document;
        int64_t begin_ms, flags;
    } rows[2];
    struct str trace_id, name;
    int64_t end_ms;
};

static enum status insert(const struct trace_write *w, const struct segment_row *row,
                          struct journal *j, struct err *e)
{
    static const char text[] = "insert or replace into segments(trace_id, id, begin_ms, end_ms,"
                               " flags, name, document) values(?,?,?,?,?,?,?)";
    struct sql_stmt *st;
    enum status s = journal_stmt(j, text, &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, w->trace_id);
    sql_bind_str(st, 2, row->id);
    sql_bind_i64(st, 3, row->begin_ms);
    sql_bind_i64(st, 4, w->end_ms);
    sql_bind_i64(st, 5, row->flags);
    sql_bind_str(st, 6, w->name);
    sql_bind_str(st, 7, row->document);
    return sql_run(st, e);
}

static enum status run_write(struct journal_op *op, struct journal *j, struct err *e)
{
    const struct trace_write *w = (const struct trace_write *)op;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < ARRAY_LEN(w->rows); i++)
        s = insert(w, &w->rows[i], j, e);
    return s;
}

static void write_done(struct journal_op *op, enum status s, const struct err *e)
{
    struct trace_write *w = (struct trace_write *)op;

    if (s != OK)
        log_event(LOG_WARN, "trace " STR_FMT " is not recorded: %s", STR_ARG(w->trace_id), e->msg);
    arena_clear(&w->arena);
    free(w);
}

static void put_row(struct trace_write *w, size_t i, const struct xray_facts *f,
                    const struct buf *document)
{
    bool is_function = i == 1;
    int64_t flags = f->outcome == OUTCOME_ERROR ? FLAG_ERROR
                    : f->outcome == OUTCOME_OK  ? 0
                                                : FLAG_FAULT;

    w->rows[i] = (struct segment_row){
        .id = arena_str(&w->arena, is_function ? f->function_segment_id : f->segment_id),
        .document = arena_str(&w->arena, buf_str(document)),
        .begin_ms = (is_function ? f->begin_ns : f->accepted_ns) / NS_PER_MS,
        .flags = flags | (is_function ? FLAG_FUNCTION : 0)};
}

static void write_trace(struct executor *x, const struct xray_facts *f)
{
    struct trace_write *w = xcalloc(1, sizeof(*w));
    struct buf document = {.max = 65536};

    w->op = (struct journal_op){.run = run_write, .done = write_done};
    w->trace_id = arena_str(&w->arena, f->trace_id);
    w->name = arena_str(&w->arena, f->fn->name);
    w->end_ms = f->end_ns / NS_PER_MS;
    xray_service_segment(&document, f);
    put_row(w, 0, f, &document);
    buf_reset(&document);
    xray_function_segment(&document, f);
    put_row(w, 1, f, &document);
    buf_clear(&document);
    journal_submit(log_store_journal(telemetry_logs(x->telemetry)), &w->op);
}

void xray_record(struct executor *x, const struct instance *in, struct run *r)
{
    if (!r->rq.fn->is_traced)
        return;
    struct xray_facts f = {.fn = r->rq.fn,
                           .ids = &x->rng,
                           .trace_id = r->trace_id,
                           .segment_id = r->segment_id,
                           .function_segment_id = hex_new(&x->rng, &r->arena, 8),
                           .request_id = r->rq.request_id,
                           .instance = in->stream.log.name,
                           .accepted_ns = r->accepted_wall_ns,
                           .begin_ns = r->started_wall_ns,
                           .end_ns = r->started_wall_ns + r->duration_ns,
                           .init_began_ns = r->init_began_wall_ns,
                           .init_ns = r->init_ns,
                           .outcome = r->outcome,
                           .account = x->manifest->account};
    write_trace(x, &f);
}

/* --- GetTraceSummaries --- */

static bool seconds_of(struct api_call *c, const char *key, int64_t *ms)
{
    return json_scaled(json_get(c->input, key), 3, ms);
}

static void put_seconds(struct json_out *o, const char *key, int64_t ms)
{
    struct buf text = {.max = 32};

    buf_addf(&text, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
    jout_key(o, key);
    jout_raw(o, buf_str(&text));
    buf_clear(&text);
}

static void put_summary(struct api_call *c, struct json_out *o, const struct sql_stmt *st)
{
    int64_t begin = sql_i64(st, 1), end = sql_i64(st, 2), flags = sql_i64(st, 3);

    jout_open(o, '{');
    jout_put_str(o, "Id", sql_str(st, 0));
    put_seconds(o, "StartTime", begin);
    put_seconds(o, "Duration", end - begin);
    put_seconds(o, "ResponseTime", end - begin);
    jout_put_bool(o, "HasFault", (flags & FLAG_FAULT) != 0);
    jout_put_bool(o, "HasError", (flags & FLAG_ERROR) != 0);
    jout_put_bool(o, "HasThrottle", false);
    jout_put_bool(o, "IsPartial", false);
    jout_key(o, "Http");
    jout_raw(o, STR("{}"));
    jout_key(o, "Annotations");
    jout_raw(o, STR("{}"));
    jout_key(o, "Users");
    jout_raw(o, STR("[]"));
    jout_key(o, "ServiceIds");
    jout_open(o, '[');
    jout_open(o, '{');
    jout_put_str(o, "Name", sql_str(st, 4));
    jout_key(o, "Names");
    jout_open(o, '[');
    jout_str(o, sql_str(st, 4));
    jout_close(o, ']');
    jout_put_str(o, "AccountId", c->x->manifest->account);
    jout_put_str(o, "Type", STR("AWS::Lambda::Function"));
    jout_close(o, '}');
    jout_close(o, ']');
    jout_put_i64(o, "Revision", 2);
    jout_close(o, '}');
}

#define SUMMARIES(time)                                                                            \
    "select trace_id, min(begin_ms), max(end_ms), max(flags & 1) | max(flags & 2),"                \
    " max(name), group_concat(distinct name) from segments"                                        \
    " where trace_id in (select trace_id from segments where " time " between ?1 and ?2)"          \
    " group by trace_id order by min(begin_ms) desc, trace_id limit -1 offset ?3"

/* By the start of a trace, or by the time it changed: segments are written when they end. */
static struct str summaries_text(struct api_call *c)
{
    struct str type = {0};
    bool is_given = json_str(json_get(c->input, "TimeRangeType"), &type);

    return is_given && !str_eq(type, STR("TraceId")) ? STR(SUMMARIES("end_ms"))
                                                     : STR(SUMMARIES("begin_ms"));
}

static enum status is_wanted(struct str filter, struct sql_stmt *st, bool *out, struct err *e)
{
    const struct xray_trace trace = {.id = sql_str(st, 0),
                                     .names = sql_str(st, 5),
                                     .duration_ms = sql_i64(st, 2) - sql_i64(st, 1),
                                     .is_error = (sql_i64(st, 3) & FLAG_ERROR) != 0,
                                     .is_fault = (sql_i64(st, 3) & FLAG_FAULT) != 0};

    return xray_filter(filter, &trace, out, e);
}

/* Which traces a page is about. False after answering with an error. */
static bool read_page(struct api_call *c, struct str *filter, int64_t *offset)
{
    struct str token = {0};
    struct err e = {0};
    bool ignored;

    json_str(json_get(c->input, "FilterExpression"), filter);
    json_str(json_get(c->input, "NextToken"), &token);
    if (xray_filter(*filter, &(struct xray_trace){0}, &ignored, &e) != OK) {
        api_error(c, 400, "InvalidRequestException", NULL, "%s", e.msg);
        return false;
    }
    if (token.n > 0 && (!str_to_i64(token, offset) || *offset < 0)) {
        api_error(c, 400, "InvalidRequestException", NULL, "NextToken is not valid");
        return false;
    }
    return true;
}

/* Newest first; the token is the number of traces looked at so far. */
static void get_summaries(struct api_call *c)
{
    int64_t from, to, offset = 0, n = 0, looked = 0;
    struct str filter = {0};
    struct sql_stmt *st;
    struct err e = {0};
    struct json_out o;
    bool has_row = false, is_wanted_one = false;

    if (!seconds_of(c, "StartTime", &from) || !seconds_of(c, "EndTime", &to) || to < from ||
        to - from > WINDOW_MAX_MS) {
        api_error(c, 400, "InvalidRequestException", NULL,
                  "StartTime and EndTime are needed, at most six hours apart");
        return;
    }
    if (!read_page(c, &filter, &offset))
        return;
    if (sql_prepare(db_of(c->x), summaries_text(c), &st, &e) != OK) {
        api_error_status(c, &e);
        return;
    }
    sql_bind_i64(st, 1, from);
    sql_bind_i64(st, 2, to);
    sql_bind_i64(st, 3, offset);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "TraceSummaries");
    jout_open(&o, '[');
    while (sql_step(st, &has_row, &e) == OK && has_row && n < TRACES_A_PAGE) {
        looked++;
        if (is_wanted(filter, st, &is_wanted_one, &e) != OK || !is_wanted_one)
            continue;
        put_summary(c, &o, st);
        n++;
    }
    sql_finalize(st);
    jout_close(&o, ']');
    put_seconds(&o, "ApproximateTime", loop_wall(c->x->loop) / NS_PER_MS);
    jout_put_i64(&o, "TracesProcessedCount", looked);
    offset += looked;
    if (has_row) /* one more than the page holds */
        jout_put_str(&o, "NextToken", arena_printf(c->arena, "%lld", (long long)offset));
    jout_close(&o, '}');
}

/* --- BatchGetTraces --- */

static enum status put_trace(struct api_call *c, struct json_out *o, struct str id, struct err *e)
{
    struct sql_stmt *st;
    int64_t begin = INT64_MAX, end = 0;
    bool has_row, is_open = false;

    enum status s = sql_prepare(db_of(c->x),
                                STR("select id, begin_ms, end_ms, document from segments"
                                    " where trace_id = ? order by begin_ms, id"),
                                &st, e);
    if (s != OK)
        return s;
    sql_bind_str(st, 1, id);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        if (!is_open) {
            jout_open(o, '{');
            jout_put_str(o, "Id", id);
            jout_put_bool(o, "LimitExceeded", false);
            jout_key(o, "Segments");
            jout_open(o, '[');
            is_open = true;
        }
        begin = sql_i64(st, 1) < begin ? sql_i64(st, 1) : begin;
        end = sql_i64(st, 2) > end ? sql_i64(st, 2) : end;
        jout_open(o, '{');
        jout_put_str(o, "Id", sql_str(st, 0));
        jout_put_str(o, "Document", sql_str(st, 3));
        jout_close(o, '}');
    }
    sql_finalize(st);
    if (is_open) {
        jout_close(o, ']');
        put_seconds(o, "Duration", end - begin);
        jout_close(o, '}');
    }
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
