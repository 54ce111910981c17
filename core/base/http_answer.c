/* Answers of one connection: added, written, and what is awaited after them. */
#include "core/base/http_connection.h"

#include <assert.h>
#include <errno.h>
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

void connection_add_reply(struct connection *c, const struct http_reply *reply)
{
    const struct request *r = c->request;

    c->keep = reply->close || c->server->is_stopping ? HTTP_CLOSE : c->keep;
    http_reply_add(
        &c->out, reply,
        &(struct http_reply_frame){.date = date_of(c->server),
                                   .keep = c->keep,
                                   .without_body = r && str_eq(r->public.method, STR("HEAD"))});
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

void connection_write(struct connection *c)
{
    while (!connection_is_drained(c)) {
        ssize_t n =
            send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            c->is_eof = true; /* nobody is there any more */
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

/* Ends the round: what can be written is, and the watch fits what is awaited next. */
void connection_settle(struct connection *c)
{
    bool is_waiting = connection_waiting(c).n > 0;

    connection_write(c);
    if (c->phase == PHASE_LAST && connection_is_drained(c) && !c->is_shut && !c->is_eof)
        shut(c);
    if (c->is_eof && c->phase != PHASE_ASKED && connection_is_drained(c) &&
        (c->phase != PHASE_HEAD || !is_waiting || c->looked > 0)) {
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

void http_on_abort(struct http_call *rq, http_abort_fn *fn)
{
    of_public(rq)->on_abort = fn;
}
