/* A listener on loopback with a client beside it, for tests that speak HTTP to it by hand. */
#ifndef FNSCOPE_TESTS_UNIT_CORE_BASE_HTTP_FIXTURE_H
#define FNSCOPE_TESTS_UNIT_CORE_BASE_HTTP_FIXTURE_H

#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/http_server.h"

#define PATIENCE (5 * NS_PER_SEC)

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct http_server *server;
    struct buf seen; /* "METHOD target body;" of every request that reached the handler */
    struct http_call *kept[8];
    size_t n_kept, aborted;
};

static void on_abort(struct http_call *rq)
{
    struct fixture *f = rq->owner;

    f->aborted++;
}

/* /later keeps the request, everything else is echoed. */
static void on_request(void *ctx, struct http_call *rq)
{
    struct fixture *f = ctx;
    struct str trailer = STR("-");

    http_trailer(rq, "X-End", &trailer);
    buf_addf(&f->seen, STR_FMT " " STR_FMT " " STR_FMT ";", STR_ARG(rq->method),
             STR_ARG(rq->target), STR_ARG(rq->body));
    if (str_eq(rq->path, STR("/later"))) {
        rq->owner = f;
        http_on_abort(rq, on_abort);
        f->kept[f->n_kept++] = rq;
        return;
    }
    struct str body = arena_printf(&rq->arena, "[" STR_FMT "|" STR_FMT "|" STR_FMT "]",
                                   STR_ARG(rq->path), STR_ARG(rq->body), STR_ARG(trailer));
    struct http_header h = {STR("X-Test"), STR("yes")};
    http_respond(rq,
                 &(struct http_reply){.status = 200, .headers = &h, .n_headers = 1, .body = body});
}

static bool may_begin(void *ctx, struct http_call *rq, struct http_reply *refusal)
{
    UNUSED(ctx);
    refusal->body = arena_printf(&rq->arena, "closed: " STR_FMT, STR_ARG(rq->path));
    return !str_eq(rq->path, STR("/closed"));
}

static void say_too_large(void *ctx, struct http_call *rq, struct http_reply *refusal)
{
    UNUSED(ctx);
    refusal->body = arena_printf(&rq->arena, "too large: " STR_FMT, STR_ARG(rq->path));
}

static int set_up_patient(void **state, unsigned timeout_s)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err e = {0};

    f->clock = clock_system();
    f->loop = loop_new(&f->clock);
    f->seen.max = 1 << 20;
    struct http_server_config c = {
        .handler = on_request,
        .ctx = f,
        .authorize = may_begin,
        .too_large = say_too_large,
        .limits = {
            .body_bytes = 10000, .head_bytes = 8192, .connections = 64, .timeout_s = timeout_s}};
    CHECK_OK(http_server_start(f->loop, &c, &f->server, &e), &e);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_patient(state, 1);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_server_stop(f->server);
    loop_free(f->loop);
    buf_clear(&f->seen);
    free(f);
    return 0;
}

static int dial(struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(f->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_INT(connect(fd, (struct sockaddr *)(void *)&to, sizeof(to)), 0);
    CHECK_INT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void send_text(int fd, struct str text)
{
    CHECK_INT(send(fd, text.p, text.n, MSG_NOSIGNAL), text.n);
}

/* Reads until the answer holds `until` or the server closes; true when closed. */
static bool receive(struct fixture *f, int fd, const char *until, struct buf *out)
{
    int64_t deadline = clock_monotonic(&f->clock) + PATIENCE;
    char piece[4096];

    while (clock_monotonic(&f->clock) < deadline) {
        if (until && str_find(buf_str(out), str_from(until)) < out->n)
            return false;
        CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
        if (n > 0)
            buf_add(out, piece, (size_t)n);
    }
    print_error("no answer; so far: %s\n", out->p ? out->p : "");
    CHECK(false);
    return true;
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
