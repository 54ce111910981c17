/* Answers of one connection: added, written, and what is awaited after them. */
#include "core/base/http_connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LINGER_NS (2 * NS_PER_SEC) /* for a client to read its last answer */

static struct request *of_public(struct http_call *rq)
{
    return (struct request *)(void *)rq;
}

static struct str date_of(struct http_server *s)
{
    int64_t now_s = loop_wall(s->loop) / NS_PER_SEC;

    if (now_s != s->date_s) {
        http_date(loop_wall(s->loop), s->date);
        s->date_s = now_s;
    }
    return str_from(s->date);
}

static void add_head(struct connection *c, const struct http_reply *reply, enum http_extent extent)
{
    const struct request *r = c->request;

    c->keep = reply->close || c->server->is_stopping ? HTTP_CLOSE : c->keep;
    http_reply_add(
        &c->out, reply,
        &(struct http_reply_frame){.date = date_of(c->server),
                                   .keep = c->keep,
                                   .extent = extent,
                                   .without_body = r && str_eq(r->public.method, STR("HEAD"))});
}

void connection_add_reply(struct connection *c, const struct http_reply *reply)
{
    add_head(c, reply, HTTP_SIZED);
}

void connection_next_request(struct connection *c)
{
    request_end(c->request);
    c->phase = c->keep == HTTP_CLOSE ? PHASE_LAST : PHASE_HEAD;
    c->since_ns = loop_now(c->server->loop);
    connection_expect_progress(c);
}

bool connection_refuse(struct connection *c, struct http_reply reply)
{
    reply.close = true;
    connection_add_reply(c, &reply);
    if (c->request)
        request_end(c->request);
    c->phase = PHASE_LAST;
    connection_expect_progress(c);
    return true;
}

/* The client reads its answer to the end, then closes: closing first could cut it off. */
static void shut(struct connection *c)
{
    c->is_shut = true;
    shutdown(c->fd, SHUT_WR);
    connection_set_deadline(c, LINGER_NS);
}

/* What was written makes room once it is the greater part: an answer in pieces may never be read to
 * its last byte. */
static void drop_written(struct connection *c)
{
    size_t left = c->out.n - c->out_at;

    if (c->out_at < left || c->out_at < HTTP_KEEP_BYTES)
        return;
    memmove(c->out.p, c->out.p + c->out_at, left);
    buf_cut(&c->out, left);
    c->out_at = 0;
}

void connection_write(struct connection *c)
{
    while (!connection_is_drained(c)) {
        ssize_t n =
            send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            drop_written(c);
            return;
        }
        if (n < 0) {
            c->is_eof = c->is_broken = true; /* nobody is there any more */
            c->out_at = c->out.n;
            break;
        }
        c->out_at += (size_t)n;
        connection_expect_progress(c);
    }
    if (c->out.cap > HTTP_KEEP_BYTES)
        buf_clear(&c->out);
    buf_reset(&c->out);
    c->out_at = 0;
}

/* False: nobody reads it any more. */
static bool settle_stream(struct connection *c)
{
    struct request *r = c->request;

    if (c->is_broken) {
        connection_end(c);
        return false;
    }
    if (connection_is_drained(c))
        connection_set_deadline(c, 0); /* the client waits for us */
    else if (c->deadline_ns == 0)
        connection_expect_progress(c);
    if (r->is_behind && c->out.n - c->out_at <= HTTP_STREAM_BYTES / 2) {
        r->is_behind = false;
        r->events->on_room(&r->public);
    }
    return true;
}

/* Nothing more is to be had from it. */
static bool is_over(const struct connection *c, bool is_waiting)
{
    if (!c->is_eof || !connection_is_drained(c) || c->phase == PHASE_ASKED ||
        c->phase == PHASE_STREAM)
        return false;
    return c->phase == PHASE_HEAD   ? !is_waiting || c->looked > 0
           : c->phase == PHASE_BODY ? !c->request->is_held
                                    : true;
}

void connection_settle(struct connection *c)
{
    bool is_waiting = connection_waiting(c).n > 0;

    connection_write(c);
    if (c->phase == PHASE_STREAM && !settle_stream(c))
        return;
    if (c->phase == PHASE_LAST && connection_is_drained(c) && !c->is_shut && !c->is_eof)
        shut(c);
    if (is_over(c, is_waiting)) {
        connection_end(c);
        return;
    }
    connection_watch(c, (!c->is_eof && connection_waiting(c).n < connection_in_limit(c->server)
                             ? (unsigned)LOOP_READ
                             : 0) |
                            (connection_is_drained(c) ? 0 : (unsigned)LOOP_WRITE));
}

void http_respond(struct http_call *rq, const struct http_reply *reply)
{
    struct request *r = of_public(rq);
    struct connection *c = r->connection;

    assert(c && c->request == r && c->phase == PHASE_ASKED && !r->is_answered);
    r->is_answered = true;
    connection_add_reply(c, reply);
    if (r->in_handler)
        return;
    connection_next_request(c);
    /* Not from here: another request must not reach its handler in the middle of this answer. */
    if (connection_waiting(c).n > 0 || !reply->at_once)
        loop_defer(c->server->loop, &c->again);
    if (reply->at_once)
        connection_settle(c);
}

/* --- answers in pieces --- */

void http_stream_begin(struct http_call *rq, const struct http_reply *head,
                       const struct http_stream_events *events)
{
    struct request *r = of_public(rq);
    struct connection *c = r->connection;

    assert(c && c->request == r && c->phase == PHASE_ASKED && !r->is_answered);
    assert(head->body.n == 0);
    r->events = events;
    r->without_body = str_eq(rq->method, STR("HEAD")) || !http_has_body(head->status);
    r->extent = str_eq(rq->version, STR("HTTP/1.0")) ? HTTP_UNTIL_CLOSE : HTTP_CHUNKED;
    if (r->extent == HTTP_UNTIL_CLOSE)
        c->keep = HTTP_CLOSE;
    add_head(c, head, r->extent);
    c->phase = PHASE_STREAM;
    loop_defer(c->server->loop, &c->again);
}

bool http_stream_add(struct http_call *rq, struct str piece)
{
    struct request *r = of_public(rq);
    struct connection *c = r->connection;

    assert(c && c->request == r && c->phase == PHASE_STREAM && !r->is_answered);
    if (piece.n == 0 || r->without_body)
        return !r->is_behind;
    if (r->extent == HTTP_CHUNKED)
        http_chunk_add(&c->out, piece);
    else
        buf_add_str(&c->out, piece);
    loop_defer(c->server->loop, &c->again);
    r->is_behind = c->out.n - c->out_at >= HTTP_STREAM_BYTES;
    return !r->is_behind;
}

void http_stream_end(struct http_call *rq, bool is_whole)
{
    struct request *r = of_public(rq);
    struct connection *c = r->connection;

    assert(c && c->request == r && c->phase == PHASE_STREAM && !r->is_answered);
    r->is_answered = true;
    if (!is_whole)
        c->keep = HTTP_CLOSE;
    else if (r->extent == HTTP_CHUNKED && !r->without_body)
        http_chunk_add(&c->out, (struct str){0});
    loop_defer(c->server->loop, &c->again);
    if (!r->in_handler)
        connection_next_request(c);
}

void http_hold(struct http_call *rq, bool is_held)
{
    struct request *r = of_public(rq);

    r->is_held = is_held;
    if (!is_held && r->connection)
        loop_defer(r->connection->server->loop, &r->connection->again);
}

void http_on_abort(struct http_call *rq, http_abort_fn *fn)
{
    of_public(rq)->on_abort = fn;
}
