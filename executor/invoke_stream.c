/* InvokeWithResponseStream: what the function streams goes on as events while it runs, and the last
 * event says how it ended. A caller that leaves changes nothing for the function, as on AWS. */
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/mem.h"
#include "executor/event_stream.h"
#include "executor/invoke_api.h"

/* The invocation may outlive the call, and the call's arena. */
struct streaming {
    struct api_call *call; /* NULL: nobody is there any more */
    struct run *run;       /* NULL: it does not stream, or not yet */
};

/* --- events --- */

/* How it ended, and the log. */
static void put_complete(struct api_call *c, const struct invoke_result *r, struct buf *out)
{
    AUTO(buf_clear) struct buf tail = {.max = 8192};
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '{');
    if (r->error_type.n > 0 && r->status != INVOKE_OK) {
        jout_put_str(&o, "ErrorCode", r->error_type);
        jout_put_str(&o, "ErrorDetails", r->payload);
    }
    if (invoke_wants_tail(c)) {
        base64_add(&tail, r->log_tail);
        jout_put_str(&o, "LogResult", buf_str(&tail));
    }
    jout_close(&o, '}');
}

static void add_complete(struct api_call *c, const struct invoke_result *r, struct buf *out)
{
    AUTO(buf_clear) struct buf complete = {.max = r->payload.n * 6 + 65536};

    put_complete(c, r, &complete);
    event_stream_add(out, "InvokeComplete", "application/json", buf_str(&complete));
}

static void add_piece(struct buf *out, struct str bytes)
{
    event_stream_add(out, "PayloadChunk", "application/octet-stream", bytes);
}

static void put_head(struct api_call *c, const struct invoke_result *r)
{
    c->is_raw = true;
    api_add_header(c, "Content-Type", STR("application/vnd.amazon.eventstream"));
    api_add_header(c, "X-Amz-Executed-Version", STR("$LATEST"));
    api_add_header(c, "X-Amzn-Trace-Id", r->trace);
}

/* It did not stream: its answer is one piece. */
static void put_whole(struct api_call *c, const struct invoke_result *r)
{
    c->out.max = r->payload.n * 7 + 65536 + 16384;
    if (r->status == INVOKE_OK && r->payload.n > 0)
        add_piece(&c->out, r->payload);
    add_complete(c, r, &c->out);
    put_head(c, r);
}

/* --- the client's side --- */

static void on_room(struct api_call *c)
{
    const struct streaming *s = c->owner;

    if (s->run)
        invoke_hold(s->run, false);
}

static void on_gone(struct api_call *c)
{
    struct streaming *s = c->owner;

    s->call = NULL;
    if (s->run)
        invoke_hold(s->run, false);
}

/* --- the function's side --- */

static void on_begin(void *ctx, struct run *r, const struct invoke_result *head)
{
    struct streaming *s = ctx;
    struct api_call *c = s->call;

    s->run = r;
    c->request_id = arena_str(c->arena, head->request_id);
    put_head(c, head);
    api_stream_begin(c, on_room, on_gone);
}

static void on_piece(void *ctx, struct str bytes)
{
    struct streaming *s = ctx;
    AUTO(buf_clear) struct buf frame = {.max = bytes.n + 4096};

    if (!s->call)
        return;
    add_piece(&frame, bytes);
    if (!api_stream_add(s->call, buf_str(&frame)))
        invoke_hold(s->run, true);
}

static void end_stream(struct api_call *c, const struct invoke_result *r)
{
    AUTO(buf_clear) struct buf frame = {.max = r->payload.n * 6 + 65536 + 4096};

    add_complete(c, r, &frame);
    api_stream_add(c, buf_str(&frame));
    api_stream_end(c);
}

static void on_done(void *ctx, const struct invoke_result *r)
{
    struct streaming *s = ctx;

    if (s->call && s->run)
        end_stream(s->call, r);
    else if (s->call)
        invoke_answer(s->call, r, put_whole);
    free(s);
}

void invoke_run_streamed(struct api_call *c, const struct fndef *fn, struct str qualifier)
{
    static const struct invoke_taker taker = {on_begin, on_piece};
    struct invoke_request rq;

    if (!invoke_read(c, fn, qualifier, &rq))
        return;
    struct streaming *s = xcalloc(1, sizeof(*s));
    s->call = c;
    c->owner = s;
    rq.taker = &taker;
    invoke(c->x->invoker, &rq, on_done, s);
    if (!c->is_answered_early)
        api_defer(c, NULL); /* the invoker ends before the listener does */
}
