/* Segments: made, and kept in the log store's file. */
#include "executor/xray.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/sql.h"
#include "executor/ids.h"
#include "executor/log_store_private.h"
#include "executor/telemetry.h"

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
    if (f->caller_id.n > 0)
        jout_put_str(&o, "parent_id", f->caller_id);
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
                           .caller_id = r->caller_id,
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
