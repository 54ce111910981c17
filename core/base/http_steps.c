/* Requests of one connection, step by step: its head, its body, its answer. */
#include <assert.h>
#include <string.h>

#include "core/base/http_connection.h"

#define OUT_BYTES ((size_t)1 << 20) /* of answers that wait to be read */

/* True: the phase has changed. */
static bool refuse(struct connection *c, unsigned status)
{
    return connection_refuse(c, (struct http_reply){.status = status});
}

/* --- steps: take what they can use of `in`; true: there may be more to do --- */

static enum http_keep keep_of(const struct http_call *rq)
{
    struct str value = {0};

    http_header(rq, "Connection", &value);
    if (http_list_has(value, STR("close")))
        return HTTP_CLOSE;
    if (!str_eq(rq->version, STR("HTTP/1.0")))
        return HTTP_KEEP;
    return http_list_has(value, STR("keep-alive")) ? HTTP_KEEP_EXPRESS : HTTP_CLOSE;
}

static void split_target(struct http_call *rq)
{
    size_t mark = str_find_char(rq->target, '?');

    rq->path = str_sub(rq->target, 0, mark);
    rq->query = str_skip(rq->target, mark + 1);
}

static bool judge_sender(const struct http_server *s, struct http_call *rq,
                         struct http_reply *refusal)
{
    static const struct http_header text = {STR_INIT("Content-Type"),
                                            STR_INIT("text/plain; charset=utf-8")};

    refusal->status =
        s->authorize ? 403
                     : http_origin_judge(rq->headers, rq->n_headers, &s->names, &refusal->body);
    if (s->authorize)
        return s->authorize(s->ctx, rq, refusal);
    refusal->headers = &text;
    refusal->n_headers = 1;
    return refusal->status == 0;
}

static void say_too_large(struct request *r, struct http_reply *refusal)
{
    const struct http_server *s = r->connection->server;

    if (refusal->status == 413 && s->too_large)
        s->too_large(s->ctx, &r->public, refusal);
}

/* True: it may pass. */
static bool judge_head(struct request *r, struct str text, struct http_reply *refusal)
{
    const struct http_server *s = r->connection->server;
    struct http_call *rq = &r->public;
    struct http_head h;

    refusal->status = http_head_parse(text, &rq->arena, &h);
    if (refusal->status)
        return false;
    rq->method = h.method;
    rq->target = h.target;
    rq->version = h.version;
    rq->headers = h.headers;
    rq->n_headers = h.n_headers;
    rq->peer = str_from(r->connection->peer);
    split_target(rq);
    r->is_in_pieces = s->pieces && s->pieces->wants(s->ctx, rq);
    r->body.max = r->is_in_pieces ? r->connection->in.max : s->limits.body_bytes;
    refusal->status =
        http_framing_of(&h, r->is_in_pieces ? SIZE_MAX : s->limits.body_bytes, &r->framing);
    say_too_large(r, refusal);
    return refusal->status == 0 && judge_sender(s, rq, refusal);
}

/* The client waits for a word before it sends its body. */
static void encourage(struct connection *c)
{
    const struct request *r = c->request;
    bool has_body = r->framing.is_chunked || r->framing.length > 0;
    struct str value;

    if (has_body && connection_waiting(c).n == 0 && http_header(&r->public, "Expect", &value) &&
        str_eq_nocase(value, STR("100-continue")) && str_eq(r->public.version, STR("HTTP/1.1")))
        buf_add_z(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool take_head(struct connection *c)
{
    const struct http_server *s = c->server;

    if (c->out.n - c->out_at > OUT_BYTES)
        connection_write(c);
    if (c->out.n - c->out_at > OUT_BYTES)
        return false;
    while (str_starts(connection_waiting(c), STR("\r\n")))
        c->in_at += 2; /* RFC 9112, 2.2: empty lines before a request mean nothing */
    struct str in = connection_waiting(c);
    size_t n = http_head_length(in, c->looked);
    if (n > s->limits.head_bytes || (n == 0 && in.n > s->limits.head_bytes))
        return refuse(c, 431);
    if (n == 0) {
        if (c->looked == 0 && in.n > 0)
            connection_expect_progress(c); /* from here it has the whole time, and no more */
        c->looked = in.n;
        return false;
    }
    struct request *r = c->request = request_new(c);
    c->looked = 0;
    c->in_at += n;
    struct http_reply refusal = {0};
    if (!judge_head(r, arena_str(&r->public.arena, str_sub(in, 0, n)), &refusal))
        return connection_refuse(c, refusal);
    c->keep = keep_of(&r->public);
    c->phase = PHASE_BODY;
    encourage(c);
    return true;
}

/* True when all of it is there; *status when it never will be. */
static bool take_chunks(struct connection *c, unsigned *status)
{
    struct request *r = c->request;
    struct str in = connection_waiting(c);

    *status = http_chunks_take(&r->chunks, &in, &r->body);
    c->in_at = c->in.n - in.n;
    if (*status == 0 && r->body.is_full)
        *status = 413;
    if (*status || r->chunks.state != CHUNK_DONE)
        return false;
    struct str text = arena_str(&r->public.arena, buf_str(&r->chunks.trailers));
    *status =
        http_headers_parse(text, &r->public.arena, &r->public.trailers, &r->public.n_trailers);
    return *status == 0;
}

static bool take_length(struct connection *c)
{
    struct request *r = c->request;
    struct str piece = str_sub(connection_waiting(c), 0, (size_t)(r->framing.length - r->taken));

    buf_add_str(&r->body, piece);
    c->in_at += piece.n;
    r->taken += piece.n;
    return r->taken == r->framing.length;
}

/* False: all bodies together have become too much. */
static bool hold_body(struct request *r)
{
    struct http_server *s = r->connection->server;

    s->bodies_bytes += r->body.cap - r->held;
    r->held = r->body.cap;
    return s->bodies_bytes <= s->limits.all_bodies_bytes;
}

static bool ask(struct connection *c)
{
    struct http_server *s = c->server;
    struct request *r = c->request;

    if (s->is_stopping)
        return refuse(c, 503);
    r->public.body = buf_str(&r->body);
    c->phase = PHASE_ASKED;
    c->deadline_ns = 0;
    r->in_handler = s->in_handler = true;
    s->handler(s->ctx, &r->public);
    r->in_handler = s->in_handler = false;
    if (!r->is_answered)
        return false;
    connection_next_request(c);
    return true;
}

static void hand_over(struct request *r)
{
    struct http_server *s = r->connection->server;

    if (r->body.n == 0)
        return;
    s->in_handler = true;
    s->pieces->take(s->ctx, &r->public, buf_str(&r->body));
    s->in_handler = false;
    buf_reset(&r->body);
}

static bool refuse_body(struct connection *c, unsigned status)
{
    struct http_server *s = c->server;
    struct http_reply refusal = {.status = status};

    say_too_large(c->request, &refusal);
    if (c->request->is_in_pieces)
        s->pieces->cut(s->ctx, &c->request->public);
    return connection_refuse(c, refusal);
}

static bool take_body(struct connection *c)
{
    struct request *r = c->request;
    unsigned status = 0;

    if (r->is_held)
        return false;
    bool is_whole = r->framing.is_chunked ? take_chunks(c, &status) : take_length(c);
    if (!status && !hold_body(r))
        status = 503;
    if (status)
        return refuse_body(c, status);
    if (r->is_in_pieces)
        hand_over(r);
    return is_whole && ask(c);
}

static bool wait_for_answer(struct connection *c)
{
    UNUSED(c);
    return false;
}

static bool drop(struct connection *c)
{
    c->in_at = c->in.n;
    return false;
}

void connection_advance(struct connection *c)
{
    static bool (*const steps[PHASES])(struct connection * c) = {[PHASE_HEAD] = take_head,
                                                                 [PHASE_BODY] = take_body,
                                                                 [PHASE_ASKED] = wait_for_answer,
                                                                 [PHASE_STREAM] = wait_for_answer,
                                                                 [PHASE_LAST] = drop};

    while (steps[c->phase](c))
        ;
    struct str rest = connection_waiting(c);
    if (c->in_at > 0 && rest.n > 0)
        memmove(c->in.p, rest.p, rest.n);
    if (rest.n == 0 && c->in.cap > HTTP_KEEP_BYTES)
        buf_clear(&c->in);
    buf_cut(&c->in, rest.n);
    c->in_at = 0;
    connection_settle(c);
}
