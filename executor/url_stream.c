/* The head first, which may come in pieces itself, then whatever comes. */
#include "executor/url_stream.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/url_reply.h"

/* The invocation may outlive the call, and the call's arena. */
struct url_stream {
    struct http_call *call; /* NULL: nobody is there any more, or it has its answer */
    struct run *run;        /* NULL: it does not stream, or not yet */
    struct buf head;        /* while it is not whole */
    bool awaits_head, is_open;
    struct invoke_result name; /* of the request, in the call's arena */
};

/* --- the client's side --- */

static void on_room(struct http_call *rq)
{
    const struct url_stream *s = rq->owner;

    if (s->run)
        invoke_hold(s->run, false);
}

static void on_gone(struct http_call *rq)
{
    struct url_stream *s = rq->owner;

    s->call = NULL;
    if (s->run)
        invoke_hold(s->run, false);
}

static void respond(struct url_stream *s, struct http_reply *reply)
{
    struct http_call *rq = s->call;

    s->call = NULL;
    url_reply_name(&rq->arena, &s->name, reply);
    http_respond(rq, reply);
}

static void open_stream(struct url_stream *s, struct http_reply *head)
{
    static const struct http_stream_events events = {on_room, on_gone};

    url_reply_name(&s->call->arena, &s->name, head);
    s->is_open = true;
    http_stream_begin(s->call, head, &events);
}

static void add(struct url_stream *s, struct str bytes)
{
    if (!http_stream_add(s->call, bytes))
        invoke_hold(s->run, true);
}

/* --- the function's side --- */

static void keep_name(struct url_stream *s, const struct invoke_result *r)
{
    struct arena *a = &s->call->arena;

    s->name = (struct invoke_result){.request_id = arena_str(a, r->request_id),
                                     .trace = arena_str(a, r->trace)};
}

static void on_begin(void *ctx, struct run *r, const struct invoke_result *head)
{
    struct url_stream *s = ctx;
    struct http_reply plain;

    s->run = r;
    keep_name(s, head);
    s->awaits_head = url_stream_has_head(head->content_type);
    if (s->awaits_head)
        return;
    url_stream_plain(&s->call->arena, head->content_type, &plain);
    open_stream(s, &plain);
}

static void take_head(struct url_stream *s, struct str bytes)
{
    struct http_reply head = {0};
    struct str rest = {0};

    s->head.max = URL_HEAD_BYTES + bytes.n + 1;
    buf_add_str(&s->head, bytes);
    enum url_head is = url_stream_head(&s->call->arena, buf_str(&s->head), &head, &rest);
    if (is == URL_HEAD_SHORT)
        return;
    s->awaits_head = false;
    if (is == URL_HEAD_BAD) {
        url_reply_bad_gateway(&head);
        respond(s, &head);
        return;
    }
    open_stream(s, &head);
    add(s, rest);
}

static void on_piece(void *ctx, struct str bytes)
{
    struct url_stream *s = ctx;

    if (s->call && s->awaits_head)
        take_head(s, bytes);
    else if (s->call)
        add(s, bytes);
}

/* Nothing left yet: the answer of a function that does not stream goes as it is, whatever is in it.
 */
static void respond_whole(struct url_stream *s, const struct invoke_result *r)
{
    struct http_reply reply = {
        .status = 200, .headers = &url_json_type, .n_headers = 1, .body = r->payload};

    keep_name(s, r);
    if (r->status == INVOKE_THROTTLED)
        url_reply_throttled(&s->call->arena, r, &reply);
    else if (r->status != INVOKE_OK || s->run)
        url_reply_bad_gateway(&reply);
    reply.at_once = r->at_once;
    respond(s, &reply);
}

static void on_done(void *ctx, const struct invoke_result *r)
{
    struct url_stream *s = ctx;

    if (s->call && s->is_open)
        http_stream_end(s->call, r->status == INVOKE_OK);
    else if (s->call)
        respond_whole(s, r);
    buf_clear(&s->head);
    free(s);
}

void url_stream_invoke(struct invoker *v, struct http_call *rq, struct invoke_request *ask)
{
    static const struct invoke_taker taker = {on_begin, on_piece};
    struct url_stream *s = xcalloc(1, sizeof(*s));

    s->call = rq;
    rq->owner = s;
    ask->taker = &taker;
    invoke(v, ask, on_done, s);
}
