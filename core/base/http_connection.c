/* Requests and answers of one connection, step by step. */
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

#define READ_BYTES ((size_t)16 << 10)
#define KEEP_BYTES ((size_t)32 << 10) /* a larger buffer is not kept */
#define OUT_BYTES  ((size_t)1 << 20)  /* of answers that wait to be read */
#define SPARE_MAX  16
#define LINGER_NS  (2 * NS_PER_SEC) /* for a client to read its last answer */

static struct request *of_public(struct http_call *rq)
{
    return (struct request *)(void *)rq;
}

/* --- requests: made, ended, used again --- */

static struct request *request_new(struct connection *c)
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

    if (s->n_spare == SPARE_MAX || body.cap > KEEP_BYTES || arena.used_bytes > KEEP_BYTES) {
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

static void request_end(struct request *r)
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

static struct str waiting(const struct connection *c)
{
    return str_skip(buf_str(&c->in), c->in_at);
}

static bool is_drained(const struct connection *c)
{
    return c->out_at == c->out.n;
}

static size_t in_limit(const struct http_server *s)
{
    return s->limits.head_bytes + READ_BYTES;
}

void connection_end(struct connection *c)
{
    struct http_server *s = c->server;

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
static void set_interest(struct connection *c, unsigned events)
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

static void set_deadline(struct connection *c, int64_t after_ns)
{
    struct http_server *s = c->server;

    c->deadline_ns = after_ns > 0 ? loop_now(s->loop) + after_ns : 0;
    if (after_ns > 0 && !loop_timer_is_set(&s->sweep))
        loop_timer_set(s->loop, &s->sweep, loop_now(s->loop) + HTTP_SWEEP_NS);
}

static void expect_progress(struct connection *c)
{
    if (c->phase != PHASE_ASKED && !c->is_shut)
        set_deadline(c, (int64_t)c->server->limits.timeout_s * NS_PER_SEC);
}

/* --- answers --- */

static struct str date_of(struct http_server *s)
{
    int64_t now_s = loop_wall(s->loop) / NS_PER_SEC;

    if (now_s != s->date_s) {
        http_date(loop_wall(s->loop), s->date);
        s->date_s = now_s;
    }
    return str_from(s->date);
}

static void add_reply(struct connection *c, const struct http_reply *reply)
{
    const struct request *r = c->request;

    c->keep = reply->close || c->server->is_stopping ? HTTP_CLOSE : c->keep;
    http_reply_add(
        &c->out, reply,
        &(struct http_reply_frame){.date = date_of(c->server),
                                   .keep = c->keep,
                                   .without_body = r && str_eq(r->public.method, STR("HEAD"))});
}

static void next_request(struct connection *c)
{
    request_end(c->request);
    c->phase = c->keep == HTTP_CLOSE ? PHASE_LAST : PHASE_HEAD;
    c->since_ns = loop_now(c->server->loop);
    expect_progress(c);
}

/* True: the phase has changed. */
static bool refuse_with(struct connection *c, struct http_reply reply)
{
    reply.close = true;
    add_reply(c, &reply);
    if (c->request)
        request_end(c->request);
    c->phase = PHASE_LAST;
    expect_progress(c);
    return true;
}

static bool refuse(struct connection *c, unsigned status)
{
    return refuse_with(c, (struct http_reply){.status = status});
}

/* The client reads its answer to the end, then closes: closing first could cut it off. */
static void shut(struct connection *c)
{
    c->is_shut = true;
    shutdown(c->fd, SHUT_WR);
    set_deadline(c, LINGER_NS);
}

static void write_out(struct connection *c)
{
    while (!is_drained(c)) {
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
        expect_progress(c);
    }
    if (c->out.cap > KEEP_BYTES)
        buf_clear(&c->out);
    buf_reset(&c->out);
    c->out_at = 0;
}

/* Ends the round: what can be written is, and the watch fits what is awaited next. */
static void settle(struct connection *c)
{
    bool is_waiting = waiting(c).n > 0;

    write_out(c);
    if (c->phase == PHASE_LAST && is_drained(c) && !c->is_shut && !c->is_eof)
        shut(c);
    if (c->is_eof && c->phase != PHASE_ASKED && is_drained(c) &&
        (c->phase != PHASE_HEAD || !is_waiting || c->looked > 0)) {
        connection_end(c);
        return;
    }
    set_interest(c, (!c->is_eof && waiting(c).n < in_limit(c->server) ? (unsigned)LOOP_READ : 0) |
                        (is_drained(c) ? 0 : (unsigned)LOOP_WRITE));
}

void http_respond(struct http_call *rq, const struct http_reply *reply)
{
    struct request *r = of_public(rq);
    struct connection *c = r->connection;

    assert(c && c->request == r && c->phase == PHASE_ASKED && !r->is_answered);
    r->is_answered = true;
    add_reply(c, reply);
    if (r->in_handler)
        return;
    next_request(c);
    /* Not from here: another request must not reach its handler in the middle of this answer. */
    if (waiting(c).n > 0 || !reply->at_once)
        loop_defer(c->server->loop, &c->again);
    if (reply->at_once)
        settle(c);
}

void http_on_abort(struct http_call *rq, http_abort_fn *fn)
{
    of_public(rq)->on_abort = fn;
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
    refusal->status = http_framing_of(&h, s->limits.body_bytes, &r->framing);
    say_too_large(r, refusal);
    return refusal->status == 0 && judge_sender(s, rq, refusal);
}

/* The client waits for a word before it sends its body. */
static void encourage(struct connection *c)
{
    const struct request *r = c->request;
    bool has_body = r->framing.is_chunked || r->framing.length > 0;
    struct str value;

    if (has_body && waiting(c).n == 0 && http_header(&r->public, "Expect", &value) &&
        str_eq_nocase(value, STR("100-continue")) && str_eq(r->public.version, STR("HTTP/1.1")))
        buf_add_z(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool take_head(struct connection *c)
{
    const struct http_server *s = c->server;

    if (c->out.n - c->out_at > OUT_BYTES)
        write_out(c);
    if (c->out.n - c->out_at > OUT_BYTES)
        return false;
    while (str_starts(waiting(c), STR("\r\n")))
        c->in_at += 2; /* RFC 9112, 2.2: empty lines before a request mean nothing */
    struct str in = waiting(c);
    size_t n = http_head_length(in, c->looked);
    if (n > s->limits.head_bytes || (n == 0 && in.n > s->limits.head_bytes))
        return refuse(c, 431);
    if (n == 0) {
        if (c->looked == 0 && in.n > 0)
            expect_progress(c); /* from here it has the whole time, and no more */
        c->looked = in.n;
        return false;
    }
    struct request *r = c->request = request_new(c);
    c->looked = 0;
    c->in_at += n;
    struct http_reply refusal = {0};
    if (!judge_head(r, arena_str(&r->public.arena, str_sub(in, 0, n)), &refusal))
        return refuse_with(c, refusal);
    c->keep = keep_of(&r->public);
    c->phase = PHASE_BODY;
    encourage(c);
    return true;
}

/* True when all of it is there; *status when it never will be. */
static bool take_chunks(struct connection *c, unsigned *status)
{
    struct request *r = c->request;
    struct str in = waiting(c);

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
    struct str piece = str_sub(waiting(c), 0, (size_t)r->framing.length - r->body.n);

    buf_add_str(&r->body, piece);
    c->in_at += piece.n;
    return r->body.n == r->framing.length;
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
    next_request(c);
    return true;
}

static bool take_body(struct connection *c)
{
    unsigned status = 0;
    bool is_whole = c->request->framing.is_chunked ? take_chunks(c, &status) : take_length(c);

    if (!status && !hold_body(c->request))
        status = 503;
    if (status) {
        struct http_reply refusal = {.status = status};
        say_too_large(c->request, &refusal);
        return refuse_with(c, refusal);
    }
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

static void advance(struct connection *c)
{
    static bool (*const steps[PHASES])(struct connection * c) = {[PHASE_HEAD] = take_head,
                                                                 [PHASE_BODY] = take_body,
                                                                 [PHASE_ASKED] = wait_for_answer,
                                                                 [PHASE_LAST] = drop};

    while (steps[c->phase](c))
        ;
    struct str rest = waiting(c);
    if (c->in_at > 0 && rest.n > 0)
        memmove(c->in.p, rest.p, rest.n);
    if (rest.n == 0 && c->in.cap > KEEP_BYTES)
        buf_clear(&c->in);
    buf_cut(&c->in, rest.n);
    c->in_at = 0;
    settle(c);
}

static void on_again(void *ctx)
{
    advance(ctx);
}

/* --- the loop's side --- */

static void read_in(struct connection *c)
{
    buf_reserve(&c->in, READ_BYTES);
    ssize_t n = recv(c->fd, c->in.p + c->in.n, READ_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        c->is_eof = true;
        return;
    }
    buf_grown(&c->in, (size_t)n);
    if (c->phase == PHASE_BODY)
        expect_progress(c);
}

static void on_ready(void *ctx, unsigned events)
{
    struct connection *c = ctx;

    if (events & LOOP_READ)
        read_in(c);
    else if (events & LOOP_HANGUP)
        c->is_eof = true;
    advance(c);
}

void connection_open(struct http_server *s, int fd, const struct sockaddr_storage *from)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    struct err e = {0};
    int one = 1;

    *c = (struct connection){
        .server = s, .fd = fd, .interest = LOOP_READ, .since_ns = loop_now(s->loop)};
    c->in.max = in_limit(s) + READ_BYTES;
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
    expect_progress(c);
}

void connection_abort(struct connection *c)
{
    struct request *r = c->request;

    if (c->phase == PHASE_ASKED) {
        if (r->on_abort)
            r->on_abort(&r->public);
        add_reply(c, &(struct http_reply){.status = 503, .close = true});
    }
    write_out(c); /* with what was answered in this turn */
}
