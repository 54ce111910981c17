/* A listener and its connections on our loop: who may come in, for how long, and when it ends. */
#include "core/base/http_server.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/http_connection.h"
#include "core/base/log.h"
#include "core/base/mem.h"

#define IDLE_NS NS_PER_SEC

bool http_header(const struct http_call *rq, const char *name, struct str *value)
{
    const struct http_header *h = http_header_find(rq->headers, rq->n_headers, str_from(name));

    if (h)
        *value = h->value;
    return h != NULL;
}

bool http_trailer(const struct http_call *rq, const char *name, struct str *value)
{
    const struct http_header *h = http_header_find(rq->trailers, rq->n_trailers, str_from(name));

    if (h)
        *value = h->value;
    return h != NULL;
}

/* --- time --- */

static void on_burial(void *ctx)
{
    http_bury(ctx);
}

void http_listen_again(struct http_server *s)
{
    if (s->is_full && s->watch)
        loop_watch_change(s->loop, s->watch, LOOP_READ);
    s->is_full = false;
}

static void on_sweep(void *ctx)
{
    struct http_server *s = ctx;
    int64_t now = loop_now(s->loop);
    bool has_more = s->is_full;

    http_listen_again(s);
    for (struct connection *c = s->first, *next; c; c = next) {
        next = c->next;
        if (c->deadline_ns != 0 && c->deadline_ns <= now)
            connection_end(c);
        else
            has_more = has_more || c->deadline_ns != 0;
    }
    if (has_more)
        loop_timer_set(s->loop, &s->sweep, now + HTTP_SWEEP_NS);
}

/* --- those who come in --- */

/* Who holds a place without a request to answer has to give it up, the longest first: connections
 * that never finish a head or a body must not keep everyone else out. */
static bool make_place(struct http_server *s)
{
    struct pollfd backlog = {.fd = s->fd, .events = POLLIN};
    struct connection *oldest = NULL;
    int64_t before_ns = loop_now(s->loop) - IDLE_NS;

    if (poll(&backlog, 1, 0) != 1)
        return false; /* nobody asks for it */
    for (struct connection *c = s->first; c; c = c->next)
        if (c->phase != PHASE_ASKED && c->phase != PHASE_STREAM && c->since_ns <= before_ns &&
            (!oldest || c->since_ns < oldest->since_ns))
            oldest = c;
    if (oldest)
        connection_end(oldest);
    return oldest != NULL;
}

/* What cannot be taken waits in the backlog, until a connection ends or the next sweep. */
static void stop_listening(struct http_server *s)
{
    s->is_full = true;
    loop_watch_change(s->loop, s->watch, 0);
    if (!loop_timer_is_set(&s->sweep))
        loop_timer_set(s->loop, &s->sweep, loop_now(s->loop) + HTTP_SWEEP_NS);
}

static void on_connect(void *ctx, unsigned events)
{
    struct http_server *s = ctx;

    UNUSED(events);
    while (s->n_connections < s->limits.connections || make_place(s)) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof(from);
        int fd = accept4(s->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            connection_open(s, fd, &from);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR && errno != ECONNABORTED)
            break;
    }
    stop_listening(s);
}

/* --- start and stop --- */

static struct http_limits with_defaults(struct http_limits l)
{
    l.body_bytes = l.body_bytes ? l.body_bytes : (size_t)1 << 20;
    l.head_bytes = l.head_bytes ? l.head_bytes : (size_t)64 << 10;
    l.all_bodies_bytes = l.all_bodies_bytes ? l.all_bodies_bytes : (size_t)256 << 20;
    l.connections = l.connections ? l.connections : 512;
    return l;
}

enum status http_server_start(struct loop *l, const struct http_server_config *config,
                              struct http_server **out, struct err *e)
{
    int fd = config->listener;
    uint16_t port = config->port;
    enum status status = OK;

    if (fd == 0)
        status = http_listen(config->address, &port, config->authorize != NULL, &fd, e);
    if (status != OK)
        return status;
    struct http_server *s = xcalloc(1, sizeof(*s));
    *s = (struct http_server){.loop = l,
                              .limits = with_defaults(config->limits),
                              .handler = config->handler,
                              .ctx = config->ctx,
                              .authorize = config->authorize,
                              .too_large = config->too_large,
                              .pieces = config->pieces,
                              .names = {config->address, config->hosts, config->n_hosts},
                              .fd = fd,
                              .port = port,
                              .sweep = {.fn = on_sweep, .ctx = s},
                              .burial = {.fn = on_burial, .ctx = s}};
    status = loop_watch(l, fd, on_connect, s, &s->watch, e);
    if (status != OK) {
        http_server_stop(s);
        return status;
    }
    *out = s;
    return OK;
}

void http_server_stop(struct http_server *s)
{
    if (!s)
        return;
    assert(!s->in_handler);
    s->is_stopping = true;
    loop_unwatch(s->loop, s->watch);
    s->watch = NULL;
    close(s->fd);
    for (struct connection *c = s->first; c; c = c->next)
        connection_abort(c);
    while (s->first)
        connection_end(s->first);
    http_bury(s);
    loop_defer_cancel(s->loop, &s->burial);
    loop_timer_cancel(s->loop, &s->sweep);
    while (s->spare) {
        struct request *r = s->spare;
        s->spare = r->next;
        request_free(r);
    }
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}
