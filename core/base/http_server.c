/* libmicrohttpd on our loop. Two things of 0.9.75 shape this file: resuming a connection does not
 * wake the daemon's timer, so a daemon with resumed connections is run again before the loop sleeps
 * (a task); and the access handler is called several times a request (head, each piece of body,
 * end, after resuming), so the state hangs on the pointer the library keeps for us. */
#include "core/base/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/mem.h"

#define BACKLOG 1024

enum request_stage {
    STAGE_HEAD,   /* the target is known */
    STAGE_BODY,   /* pieces arrive */
    STAGE_ASKED,  /* the handler has it; suspended unless inside the handler */
    STAGE_ANSWER, /* response is set, not queued */
    STAGE_SENT
};

/* What the library's per-request pointer holds; the public part first. */
struct request {
    struct http_call public;
    struct http_server *server;
    struct MHD_Connection *connection;
    enum request_stage stage;
    struct buf body;
    struct MHD_Response *response;
    unsigned status;
    bool is_suspended, in_handler;
    http_abort_fn *on_abort;
    struct request *next, **back; /* among the suspended */
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct http_limits limits;
    http_handler *handler;
    void *ctx;
    bool (*authorize)(void *ctx, const struct http_call *rq);
    uint16_t port;
    bool is_stopping;
    struct loop_watch *watch;
    struct loop_timer timer;
    struct loop_task again;
    struct request *suspended;
};

static struct request *of_public(struct http_call *rq)
{
    return (struct request *)(void *)rq;
}

/* --- heads --- */

struct header_list {
    struct arena *arena;
    struct http_header *items;
    size_t n, cap;
};

static enum MHD_Result add_header(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                  const char *value, size_t value_n)
{
    struct header_list *l = ctx;

    UNUSED(kind);
    l->items = arena_grow(l->arena, l->items, l->n, &l->cap, sizeof(*l->items));
    l->items[l->n++] = (struct http_header){{key, key_n}, {value, value ? value_n : 0}};
    return MHD_YES;
}

static void read_headers(struct request *r, enum MHD_ValueKind kind, struct http_header **out,
                         size_t *n)
{
    struct header_list list = {.arena = &r->public.arena};

    MHD_get_connection_values_n(r->connection, kind, add_header, &list);
    *out = list.items;
    *n = list.n;
}

static bool find_header(const struct http_header *items, size_t n, const char *name,
                        struct str *value)
{
    struct str want = str_from(name);

    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(items[i].name, want)) {
            *value = items[i].value;
            return true;
        }
    return false;
}

bool http_header(const struct http_call *rq, const char *name, struct str *value)
{
    return find_header(rq->headers, rq->n_headers, name, value);
}

bool http_trailer(const struct http_call *rq, const char *name, struct str *value)
{
    return find_header(rq->trailers, rq->n_trailers, name, value);
}

static size_t count_header(const struct http_call *rq, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < rq->n_headers; i++)
        n += str_eq_nocase(rq->headers[i].name, str_from(name));
    return n;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

/* A NUL, a line feed or a carriage return alone inside a value is a seam two parsers see at
 * different places. */
static bool has_clean_headers(const struct http_call *rq)
{
    for (size_t i = 0; i < rq->n_headers; i++) {
        struct str v = rq->headers[i].value;
        if (!is_token(rq->headers[i].name) || str_find_char(v, '\0') < v.n ||
            str_find_char(v, '\r') < v.n || str_find_char(v, '\n') < v.n)
            return false;
    }
    return true;
}

static bool is_length(struct str s, uint64_t *n)
{
    return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9' && str_to_u64(s, n);
}

static bool is_well_formed(const struct http_call *rq)
{
    return rq->target.n > 0 && rq->target.p[0] == '/' && is_token(rq->method) &&
           has_clean_headers(rq) && count_header(rq, "Host") <= 1;
}

/* The status a body's framing is refused with: where a request ends must be beyond doubt (RFC 9112,
 * 6.3). */
static unsigned judge_framing(const struct http_call *rq, size_t most)
{
    struct str coding, length;
    uint64_t n = 0;
    bool has_length = http_header(rq, "Content-Length", &length);

    if (has_length && (count_header(rq, "Content-Length") > 1 || !is_length(length, &n)))
        return MHD_HTTP_BAD_REQUEST;
    if (n > most)
        return MHD_HTTP_CONTENT_TOO_LARGE;
    if (!http_header(rq, "Transfer-Encoding", &coding))
        return 0;
    bool is_chunked = str_eq_nocase(coding, STR("chunked")) &&
                      count_header(rq, "Transfer-Encoding") == 1 &&
                      !str_eq(rq->version, STR("HTTP/1.0"));
    return is_chunked && !has_length ? 0 : MHD_HTTP_BAD_REQUEST;
}

/* The status a head is refused with; 0: it may pass. */
static unsigned judge_head(const struct request *r)
{
    const struct http_server *s = r->server;

    if (!is_well_formed(&r->public))
        return MHD_HTTP_BAD_REQUEST;
    unsigned status = judge_framing(&r->public, s->limits.body_bytes);
    if (status)
        return status;
    return s->authorize && !s->authorize(s->ctx, &r->public) ? MHD_HTTP_FORBIDDEN : 0;
}

static void split_target(struct http_call *rq)
{
    size_t mark = str_find_char(rq->target, '?');

    rq->path = str_sub(rq->target, 0, mark);
    rq->query = str_skip(rq->target, mark + 1);
}

static struct str peer_of(struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";

    if (info && info->client_addr && info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, info->client_addr, sizeof(in));
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
    } else if (info && info->client_addr && info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, info->client_addr, sizeof(in6));
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
    }
    return arena_str(&r->public.arena, str_from(text));
}

/* --- life of a request --- */

/* The raw target, before the library unescapes anything; starts the request's state. */
static void *on_target(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct request *r = xcalloc(1, sizeof(*r));

    r->server = ctx;
    r->connection = connection;
    r->body.max = r->server->limits.body_bytes;
    r->public.target = arena_str(&r->public.arena, str_from(uri));
    return r;
}

static void leave_suspended(struct request *r)
{
    if (!r->is_suspended)
        return;
    r->is_suspended = false;
    *r->back = r->next;
    if (r->next)
        r->next->back = r->back;
}

static void enter_suspended(struct request *r)
{
    struct http_server *s = r->server;

    r->is_suspended = true;
    r->next = s->suspended;
    r->back = &s->suspended;
    if (r->next)
        r->next->back = &r->next;
    s->suspended = r;
    MHD_suspend_connection(r->connection);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct request *r = *state;

    UNUSED(ctx);
    UNUSED(connection);
    UNUSED(why);
    if (!r)
        return;
    assert(!r->is_suspended);
    if (r->response)
        MHD_destroy_response(r->response);
    buf_clear(&r->body);
    arena_clear(&r->public.arena);
    free(r);
    *state = NULL;
}

static enum MHD_Result queue_response(struct request *r)
{
    assert(r->response);
    r->stage = STAGE_SENT;
    return MHD_queue_response(r->connection, r->status, r->response);
}

static void set_response(struct request *r, const struct http_reply *reply)
{
    r->status = reply->status;
    r->response = MHD_create_response_from_buffer(reply->body.n, (void *)(uintptr_t)reply->body.p,
                                                  MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; i < reply->n_headers; i++) {
        char *name = arena_strz(&r->public.arena, reply->headers[i].name);
        char *value = arena_strz(&r->public.arena, reply->headers[i].value);
        if (MHD_add_response_header(r->response, name, value) != MHD_YES)
            log_event(LOG_WARN, "http: response header %s cannot be sent and is left out", name);
    }
    if (reply->close)
        MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONNECTION, "close");
    r->stage = STAGE_ANSWER;
}

void http_respond(struct http_call *rq, const struct http_reply *reply)
{
    struct request *r = of_public(rq);

    assert(r->stage == STAGE_ASKED);
    set_response(r, reply);
    if (r->in_handler)
        return;
    leave_suspended(r);
    MHD_resume_connection(r->connection);
    loop_defer(r->server->loop, &r->server->again);
}

void http_on_abort(struct http_call *rq, http_abort_fn *fn)
{
    of_public(rq)->on_abort = fn;
}

static enum MHD_Result refuse(struct request *r, unsigned status)
{
    set_response(r, &(struct http_reply){.status = status, .close = true});
    return queue_response(r);
}

/* First call: the head is complete. */
static enum MHD_Result on_head(struct request *r, const char *method, const char *version)
{
    r->public.method = arena_str(&r->public.arena, str_from(method));
    r->public.version = arena_str(&r->public.arena, str_from(version));
    read_headers(r, MHD_HEADER_KIND, &r->public.headers, &r->public.n_headers);
    split_target(&r->public);
    r->stage = STAGE_BODY;
    unsigned status = judge_head(r);
    return status ? refuse(r, status) : MHD_YES;
}

static enum MHD_Result on_end(struct request *r)
{
    struct http_server *s = r->server;

    if (r->body.is_full)
        return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE);
    if (s->is_stopping)
        return refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE);
    r->public.body = buf_str(&r->body);
    r->public.peer = peer_of(r);
    read_headers(r, MHD_FOOTER_KIND, &r->public.trailers, &r->public.n_trailers);
    r->stage = STAGE_ASKED;
    r->in_handler = true;
    s->handler(s->ctx, &r->public);
    r->in_handler = false;
    if (r->stage == STAGE_ANSWER)
        return queue_response(r);
    enter_suspended(r);
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_n, void **state)
{
    struct request *r = *state;

    UNUSED(ctx);
    UNUSED(connection);
    UNUSED(url);
    if (r->stage == STAGE_HEAD)
        return on_head(r, method, version);
    if (*upload_n > 0) {
        /* Past the limit the rest is read and dropped, so that the client gets to see the 413. */
        buf_add(&r->body, upload, *upload_n);
        *upload_n = 0;
        return MHD_YES;
    }
    if (r->stage == STAGE_ANSWER)
        return queue_response(r);
    return r->stage == STAGE_BODY ? on_end(r) : MHD_YES;
}

/* --- the daemon on the loop --- */

static void on_due(void *ctx)
{
    struct http_server *s = ctx;
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
        loop_timer_cancel(s->loop, &s->timer);
    else if (ms == 0)
        loop_defer(s->loop, &s->again);
    else
        loop_timer_set(s->loop, &s->timer, loop_now(s->loop) + (int64_t)ms * NS_PER_MS);
}

/* Not at once: answers that become known in this turn go out in the same run. */
static void on_ready(void *ctx, unsigned events)
{
    struct http_server *s = ctx;

    UNUSED(events);
    loop_defer(s->loop, &s->again);
}

/* --- start and stop --- */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static bool read_address(struct str text, uint16_t port, union address *out)
{
    char z[INET6_ADDRSTRLEN] = "127.0.0.1";

    *out = (union address){0};
    if (text.n >= sizeof(z))
        return false;
    if (text.n > 0) {
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
    }
    if (inet_pton(AF_INET, z, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(port);
        return true;
    }
    if (inet_pton(AF_INET6, z, &out->in6.sin6_addr) != 1)
        return false;
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_port = htons(port);
    return true;
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return (ntohl(a->in.sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static enum status bind_address(struct str text, union address *a, int *out, struct err *e)
{
    socklen_t n = a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
    int one = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(e, errno, "listening on " STR_FMT, STR_ARG(text));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, &a->any, n) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &a->any, &n) != 0) {
        int errnum = errno;
        close(fd);
        return err_errno(e, errnum, "listening on " STR_FMT ", port %u", STR_ARG(text),
                         ntohs(a->in.sin_port));
    }
    *out = fd;
    return OK;
}

static enum status open_listener(const struct http_server_config *c, int *fd, uint16_t *port,
                                 struct err *e)
{
    struct str text = c->address.n > 0 ? c->address : STR("127.0.0.1");
    union address a;

    if (!read_address(text, c->port, &a))
        return err_set(e, ERR_CONFIG, "\"" STR_FMT "\" is no IP address to listen on",
                       STR_ARG(text));
    if (!is_loopback(&a) && !c->authorize)
        return err_set(e, ERR_CONFIG,
                       "listening on " STR_FMT " needs authentication: others could reach it; "
                       "give keys, or listen on 127.0.0.1",
                       STR_ARG(text));
    if (bind_address(text, &a, fd, e) != OK)
        return e ? e->code : ERR_IO;
    *port = ntohs(a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
    return OK;
}

static void log_library(void *ctx, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static void log_library(void *ctx, const char *fmt, va_list args)
{
    char line[256];

    UNUSED(ctx);
    vsnprintf(line, sizeof(line), fmt, args);
    log_event(LOG_DEBUG, "http: " STR_FMT, STR_ARG(str_trim(str_from(line))));
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd)
{
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
        s->limits.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->limits.head_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, s->limits.timeout_s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static struct http_limits with_defaults(struct http_limits l)
{
    l.body_bytes = l.body_bytes ? l.body_bytes : (size_t)1 << 20;
    l.head_bytes = l.head_bytes ? l.head_bytes : (size_t)64 << 10;
    l.connections = l.connections ? l.connections : 512;
    return l;
}

enum status http_server_start(struct loop *l, const struct http_server_config *config,
                              struct http_server **out, struct err *e)
{
    struct err local = {0};
    int fd = -1;
    uint16_t port = 0;

    if (open_listener(config, &fd, &port, e ? e : &local) != OK)
        return e ? e->code : local.code;
    struct http_server *s = xcalloc(1, sizeof(*s));
    *s = (struct http_server){.loop = l,
                              .limits = with_defaults(config->limits),
                              .handler = config->handler,
                              .ctx = config->ctx,
                              .authorize = config->authorize,
                              .port = port,
                              .timer = {.fn = on_due, .ctx = s},
                              .again = {.fn = on_due, .ctx = s}};
    s->daemon = start_daemon(s, fd);
    if (!s->daemon) {
        close(fd);
        free(s);
        return err_set(e, ERR_IO, "starting the HTTP listener failed");
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (loop_watch(l, info->epoll_fd, on_ready, s, &s->watch, e) != OK) {
        http_server_stop(s);
        return e ? e->code : ERR_IO;
    }
    *out = s;
    return OK;
}

void http_server_stop(struct http_server *s)
{
    if (!s)
        return;
    s->is_stopping = true;
    while (s->suspended) {
        struct request *r = s->suspended;
        if (r->on_abort)
            r->on_abort(&r->public);
        http_respond(&r->public,
                     &(struct http_reply){.status = MHD_HTTP_SERVICE_UNAVAILABLE, .close = true});
    }
    MHD_run(s->daemon); /* resumes what was suspended: the library insists before stopping */
    loop_unwatch(s->loop, s->watch);
    loop_timer_cancel(s->loop, &s->timer);
    MHD_stop_daemon(s->daemon);
    loop_defer_cancel(s->loop, &s->again);
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}
