/* What a connection is made of: its requests, its watch, its time, its end; and what is read. */
#include "core/base/http_connection.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/mem.h"

#define SPARE_MAX 16

/* --- requests: made, ended, used again --- */

struct request *request_new(struct connection *c)
{
    struct http_server *s = c->server;
    struct request *r = s->spare;

    if (r) {
        s->spare = r->next;
        s->n_spare--;
    } else {
        r = xcalloc(1, sizeof(*r));
    }
    r->connection = c;
    r->body.max = s->limits.body_bytes;
    r->chunks.trailers.max = s->limits.head_bytes;
    return r;
}

void request_free(struct request *r)
{
    buf_clear(&r->body);
    buf_clear(&r->chunks.trailers);
    arena_clear(&r->public.arena);
    free(r);
}

/* Keeps its memory for the next one, unless it is much. */
static void request_recycle(struct http_server *s, struct request *r)
{
    struct arena arena = r->public.arena;
    struct buf body = r->body;

    if (s->n_spare == SPARE_MAX || body.cap > HTTP_KEEP_BYTES ||
        arena.used_bytes > HTTP_KEEP_BYTES) {
        request_free(r);
        return;
    }
    buf_clear(&r->chunks.trailers);
    arena_reset(&arena);
    buf_reset(&body);
    *r = (struct request){.public = {.arena = arena}, .body = body, .next = s->spare};
    s->spare = r;
    s->n_spare++;
}

void request_end(struct request *r)
{
    struct http_server *s = r->connection->server;

    s->bodies_bytes -= r->held;
    r->held = 0;
    r->connection->request = NULL;
    r->connection = NULL;
    r->next = s->ended_requests;
    s->ended_requests = r;
    loop_defer(s->loop, &s->burial);
}

void http_bury(struct http_server *s)
{
    while (s->ended_requests) {
        struct request *r = s->ended_requests;
        s->ended_requests = r->next;
        request_recycle(s, r);
    }
    while (s->ended) {
        struct connection *c = s->ended;
        s->ended = c->next;
        free(c);
    }
}

/* --- connections: watch, time, end --- */

size_t connection_in_limit(const struct http_server *s)
{
    return s->limits.head_bytes + HTTP_READ_BYTES;
}

/* Whoever waits for more of the request, or for room in its answer, waits no longer. */
static void tell_end(struct connection *c)
{
    struct http_server *s = c->server;
    struct request *r = c->request;

    if (c->phase == PHASE_STREAM)
        r->events->on_gone(&r->public);
    else if (c->phase == PHASE_BODY && r->is_in_pieces)
        s->pieces->cut(s->ctx, &r->public);
}

void connection_end(struct connection *c)
{
    struct http_server *s = c->server;

    tell_end(c);
    loop_unwatch(s->loop, c->watch);
    loop_defer_cancel(s->loop, &c->again);
    close(c->fd);
    c->fd = -1;
    if (c->request)
        request_end(c->request);
    buf_clear(&c->in);
    buf_clear(&c->out);
    *c->back = c->next;
    if (c->next)
        c->next->back = c->back;
    c->next = s->ended;
    s->ended = c;
    s->n_connections--;
    http_listen_again(s);
    loop_defer(s->loop, &s->burial);
}

static void on_ready(void *ctx, unsigned events);

/* Syscalls only where something changes. What nobody waits for is not watched at all: a socket that
 * broke would report it again and again. */
void connection_watch(struct connection *c, unsigned events)
{
    struct loop *l = c->server->loop;

    if (events == c->interest)
        return;
    c->interest = events;
    if (events == 0) {
        loop_unwatch(l, c->watch);
        c->watch = NULL;
        return;
    }
    /* Without a watch the connection waits for its deadline. */
    if (c->watch || loop_watch(l, c->fd, on_ready, c, &c->watch, NULL) == OK)
        loop_watch_change(l, c->watch, events);
}

void connection_set_deadline(struct connection *c, int64_t after_ns)
{
    struct http_server *s = c->server;

    c->deadline_ns = after_ns > 0 ? loop_now(s->loop) + after_ns : 0;
    if (after_ns > 0 && !loop_timer_is_set(&s->sweep))
        loop_timer_set(s->loop, &s->sweep, loop_now(s->loop) + HTTP_SWEEP_NS);
}

void connection_expect_progress(struct connection *c)
{
    if (c->phase != PHASE_ASKED && !c->is_shut)
        connection_set_deadline(c, (int64_t)c->server->limits.timeout_s * NS_PER_SEC);
}

/* --- the loop's side --- */

static void on_again(void *ctx)
{
    connection_advance(ctx);
}

static void read_in(struct connection *c)
{
    buf_reserve(&c->in, HTTP_READ_BYTES);
    ssize_t n = recv(c->fd, c->in.p + c->in.n, HTTP_READ_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        c->is_eof = true;
        c->is_broken = n < 0;
        return;
    }
    buf_grown(&c->in, (size_t)n);
    if (c->phase == PHASE_BODY)
        connection_expect_progress(c);
}

static void on_ready(void *ctx, unsigned events)
{
    struct connection *c = ctx;

    if (events & LOOP_READ)
        read_in(c);
    else if (events & LOOP_HANGUP)
        c->is_eof = c->is_broken = true;
    connection_advance(c);
}

void connection_open(struct http_server *s, int fd, const struct sockaddr_storage *from)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    struct err e = {0};
    int one = 1;

    *c = (struct connection){
        .server = s, .fd = fd, .interest = LOOP_READ, .since_ns = loop_now(s->loop)};
    c->in.max = connection_in_limit(s) + HTTP_READ_BYTES;
    c->out.max = SIZE_MAX / 2;
    c->again = (struct loop_task){.fn = on_again, .ctx = c};
    http_peer_text(from, c->peer);
    if (loop_watch(s->loop, fd, on_ready, c, &c->watch, &e) != OK) {
        log_event(LOG_WARN, "http: a connection is refused: %s", e.msg);
        close(fd);
        free(c);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c->next = s->first;
    c->back = &s->first;
    if (c->next)
        c->next->back = &c->next;
    s->first = c;
    s->n_connections++;
    connection_expect_progress(c);
}

void connection_abort(struct connection *c)
{
    struct request *r = c->request;

    if (c->phase == PHASE_ASKED) {
        if (r->on_abort)
            r->on_abort(&r->public);
        connection_add_reply(c, &(struct http_reply){.status = 503, .close = true});
    }
    connection_write(c); /* with what was answered in this turn */
}
