/* Traces: GetTraceSummaries says which changed in a window of time, BatchGetTraces brings them,
 * five a call. The window is of the time traces were updated, and each begins a little before the
 * end of the last, because segments come late; a summary whose revision is known is not fetched
 * again. The cursor moves when all traces of a window are here. */
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "collector/aws/xray_segments.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"

enum {
    TRACES_A_CALL = 5,
    TRIES_MAX = 5, /* for an id that comes back unprocessed */
    REVISIONS_MAX = 100000,
    REQUEST_MAX_BYTES = 16 << 10,
};
#define WINDOW_MAX_NS  (6 * NS_PER_HOUR)
#define UNPROCESSED_NS NS_PER_SEC

static const struct str scope = STR_INIT("traces");

/* --- the window
 * ---------------------------------------------------------------------------------------------
 */

static void recall(struct aws_ctx *x)
{
    AUTO(arena_clear) struct arena a = {0};
    struct source_env *env = &x->source->env;
    struct cursor c;

    x->traces.is_recalled = true;
    if (env->find_cursor != NULL &&
        env->find_cursor(env->cursor_ctx, x->source->name, scope, &a, &c))
        x->traces.read_to_ns = c.watermark_ns;
}

static void begin_window(struct aws_ctx *x)
{
    struct aws_traces *t = &x->traces;
    int64_t now = aws_now(&x->client);

    if (!t->is_recalled)
        recall(x);
    t->start_ns = t->read_to_ns > 0 ? t->read_to_ns - x->o->overlap_ns : now - x->o->backfill_ns;
    t->end_ns = now;
    if (t->start_ns >= t->end_ns) /* the server's clock went back */
        t->start_ns = t->end_ns - x->o->overlap_ns - NS_PER_SEC;
    if (t->end_ns - t->start_ns > WINDOW_MAX_NS)
        t->end_ns = t->start_ns + WINDOW_MAX_NS;
    t->is_open = t->is_listing = true;
}

/* Everything of the window is in this batch or one before. */
static void end_window(struct aws_ctx *x, struct aws_task *task, struct batch *out)
{
    struct aws_traces *t = &x->traces;
    int64_t now = aws_now(&x->client);

    t->read_to_ns = t->end_ns;
    t->is_open = false;
    batch_cursor(out, &(struct cursor){
                          .source = x->source->name, .scope = scope, .watermark_ns = t->end_ns});
    if (now - t->end_ns > x->o->traces_ns) /* a catch-up in windows */
        return;
    task->is_round_done = true;
    task->next_ns = aws_mono(x) + x->o->traces_ns;
}

/* --- which traces
 * -------------------------------------------------------------------------------------------
 */

static void put_seconds(struct json_out *o, const char *key, int64_t ns, struct arena *a)
{
    jout_key(o, key);
    jout_raw(o, arena_printf(a, "%lld.%03lld", (long long)(ns / NS_PER_SEC),
                             (long long)(ns % NS_PER_SEC / NS_PER_MS)));
}

static struct str summaries_body(const struct aws_ctx *x, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    const struct aws_traces *t = &x->traces;
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    put_seconds(&o, "StartTime", t->start_ns, a);
    put_seconds(&o, "EndTime", t->end_ns, a);
    jout_put_str(&o, "TimeRangeType", STR("Event"));
    if (x->o->trace_filter.n > 0)
        jout_put_str(&o, "FilterExpression", x->o->trace_filter);
    if (t->pages.token != NULL)
        jout_put_str(&o, "NextToken", str_from(t->pages.token));
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static void want_trace(struct aws_traces *t, struct str id, unsigned tries)
{
    t->wanted = mem_grow(t->wanted, t->n, &t->cap, sizeof(*t->wanted));
    t->wanted[t->n++] = (struct wanted_trace){aws_keep(NULL, id), tries};
}

/* Forgetting a revision costs a call, not a trace. */
static void note_summary(struct aws_traces *t, const struct json *summary)
{
    struct str id;
    int64_t revision = 0;
    bool is_new = true, is_partial = false;

    if (!json_str(json_get(summary, "Id"), &id) || id.n == 0)
        return;
    json_i64(json_get(summary, "Revision"), &revision);
    json_bool(json_get(summary, "IsPartial"), &is_partial);
    if (t->n_revisions >= REVISIONS_MAX) {
        idmap_reset(&t->revisions);
        t->n_revisions = 0;
    }
    uint64_t *known = idmap_put(&t->revisions, str_hash(id, 0), &is_new);
    bool is_read = !is_new && *known == (uint64_t)revision && !is_partial;
    t->n_revisions += is_new;
    *known = (uint64_t)revision;
    if (!is_read)
        want_trace(t, id, 0);
}

static enum status parse(struct aws_ctx *x, struct str body, enum aws_op op, struct json_doc **d,
                         struct err *e)
{
    return json_parse(body, d, NULL) == OK ? OK : aws_damaged(&x->client, aws_op_info(op)->name, e);
}

static enum status list_step(struct aws_ctx *x, struct batch *out, struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_traces *t = &x->traces;
    struct aws_request q = {.op = OP_GET_TRACE_SUMMARIES, .body = summaries_body(x, &out->arena)};
    struct str body, token = {0};
    int64_t scanned = 0;
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);

    if (s == OK)
        s = parse(x, body, q.op, &d, e);
    if (s != OK) {
        aws_pages_reset(&t->pages); /* its token may have expired: from the first page */
        return s;
    }
    const struct json *root = json_root(d), *summaries = json_get(root, "TraceSummaries");
    for (size_t i = 0; i < json_count(summaries); i++)
        note_summary(t, json_at(summaries, i));
    if (json_i64(json_get(root, "TracesProcessedCount"), &scanned) && scanned > 1)
        aws_bill(&x->client, OP_GET_TRACE_SUMMARIES, (uint64_t)scanned - 1);
    json_str(json_get(root, "NextToken"), &token);
    s = aws_pages_next(&t->pages, token, AWS_PAGES_MAX, aws_op_info(q.op)->name, e);
    t->is_listing = s == OK && t->pages.token != NULL;
    return s;
}

/* --- the traces
 * ---------------------------------------------------------------------------------------------
 */

static size_t call_size(const struct aws_traces *t)
{
    return t->n < TRACES_A_CALL ? t->n : TRACES_A_CALL;
}

static struct str traces_body(const struct aws_traces *t, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "TraceIds");
    jout_open(&o, '[');
    for (size_t i = 0; i < call_size(t); i++)
        jout_str(&o, str_from(t->wanted[t->n - 1 - i].id));
    jout_close(&o, ']');
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static void take_trace(struct aws_ctx *x, const struct json *trace, struct batch *out)
{
    const struct fn_ref of = {
        .provider = PROVIDER_AWS, .account = x->account, .region = x->client.region};
    const struct json *segments = json_get(trace, "Segments");
    struct str id, document;

    if (!json_str(json_get(trace, "Id"), &id))
        return;
    id = arena_str(&out->arena, id);
    for (size_t i = 0; i < json_count(segments); i++) {
        if (!json_str(json_get(json_at(segments, i), "Document"), &document))
            continue;
        document = arena_str(&out->arena, document);
        out->counts.read_bytes += document.n;
        if (!xray_segment(document, id, &of, out))
            batch_quarantine(out, id, STR("no segment of X-Ray"), document);
    }
}

/* Ids the service did not get to come back behind the others; one that never comes is let go. */
static void settle(struct aws_ctx *x, struct aws_task *task, size_t n, const struct json *left)
{
    struct aws_traces *t = &x->traces;
    struct wanted_trace done[TRACES_A_CALL];
    struct str id;

    for (size_t i = 0; i < n; i++)
        done[i] = t->wanted[--t->n];
    for (size_t k = 0; k < json_count(left); k++)
        for (size_t i = 0; i < n; i++) {
            if (!json_str(json_at(left, k), &id) || !str_eq(id, str_from(done[i].id)))
                continue;
            if (done[i].tries + 1 < TRIES_MAX)
                want_trace(t, id, done[i].tries + 1);
            else
                log_event(LOG_WARN, "source=" STR_FMT " trace " STR_FMT " is never ready, left out",
                          STR_ARG(x->source->name), STR_ARG(id));
            task->next_ns = aws_mono(x) + UNPROCESSED_NS;
        }
    for (size_t i = 0; i < n; i++)
        free(done[i].id);
}

static enum status fetch_step(struct aws_ctx *x, struct aws_task *task, struct batch *out,
                              struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    size_t n = call_size(&x->traces);
    struct aws_request q = {
        .op = OP_BATCH_GET_TRACES, .body = traces_body(&x->traces, &out->arena), .units = n};
    struct str body;
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);

    if (s == OK)
        s = parse(x, body, q.op, &d, e);
    if (s != OK)
        return s;
    const struct json *traces = json_get(json_root(d), "Traces");
    for (size_t i = 0; i < json_count(traces); i++)
        take_trace(x, json_at(traces, i), out);
    settle(x, task, n, json_get(json_root(d), "UnprocessedTraceIds"));
    return OK;
}

/* --- the round
 * ----------------------------------------------------------------------------------------------
 */

/* Traces are fetched before the next page is asked for: few ids are held. */
static enum aws_op next_op(const struct aws_traces *t)
{
    return t->n > 0 ? OP_BATCH_GET_TRACES : OP_GET_TRACE_SUMMARIES;
}

enum status aws_xray_step(struct aws_ctx *x, struct aws_task *task, struct batch *out,
                          struct err *e)
{
    struct aws_traces *t = &x->traces;
    enum status s = OK;

    if (aws_wait_for_account(x, task) || aws_wait_for_budget(x, task, next_op(t), TRACES_A_CALL))
        return OK;
    task->next_ns = aws_mono(x);
    if (!t->is_open)
        begin_window(x);
    if (t->n > 0)
        s = fetch_step(x, task, out, e);
    else
        s = list_step(x, out, e);
    if (s == OK && !t->is_listing && t->n == 0)
        end_window(x, task, out);
    task->op = next_op(t);
    return s;
}

void aws_traces_clear(struct aws_traces *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->wanted[i].id);
    free(t->wanted);
    aws_pages_clear(&t->pages);
    idmap_clear(&t->revisions);
}
