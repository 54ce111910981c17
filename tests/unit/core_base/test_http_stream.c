/* Answers that leave, and bodies that arrive, piece by piece. */
#include "tests/unit/core_base/http_fixture.h"

struct pieces_seen {
    struct buf text;
    struct http_call *call;
    size_t rooms, gone, cut, ends;
};

static struct pieces_seen *seen_by(struct http_call *rq)
{
    return rq->owner;
}

static void on_room(struct http_call *rq)
{
    seen_by(rq)->rooms++;
}

static void on_gone(struct http_call *rq)
{
    seen_by(rq)->gone++;
}

static const struct http_stream_events events = {.on_room = on_room, .on_gone = on_gone};

static struct http_call *ask(struct fixture *f, int fd, const char *request)
{
    f->n_kept = 0;
    send_text(fd, str_from(request));
    while (f->n_kept == 0)
        CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
    return f->kept[0];
}

static struct http_call *begin(struct fixture *f, int fd, struct pieces_seen *seen,
                               const char *request)
{
    static const struct http_header type = {STR_INIT("Content-Type"), STR_INIT("text/plain")};
    struct http_call *rq = ask(f, fd, request);

    rq->owner = seen;
    http_stream_begin(rq, &(struct http_reply){.status = 200, .headers = &type, .n_headers = 1},
                      &events);
    return rq;
}

/* Each piece is there while the answer goes on; the connection serves the next request. */
static void test_chunks(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    struct pieces_seen seen = {0};
    int fd = dial(f);
    struct http_call *rq = begin(f, fd, &seen, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK(!receive(f, fd, "Transfer-Encoding: chunked\r\n\r\n", &out));
    CHECK(http_stream_add(rq, STR("one")));
    CHECK(http_stream_add(rq, STR("")));
    CHECK(!receive(f, fd, "3\r\none\r\n", &out));
    CHECK(http_stream_add(rq, STR("two, three")));
    CHECK(!receive(f, fd, "a\r\ntwo, three\r\n", &out));
    http_stream_end(rq, true);
    CHECK(!receive(f, fd, "0\r\n\r\n", &out));
    CHECK(str_find(buf_str(&out), STR("Content-Length")) == out.n);
    send_text(fd, STR("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, fd, "[/b||-]", &out));
    CHECK_INT(seen.gone, 0);
    close(fd);
}

/* An end that is missing shows; HTTP/1.0 knows no chunks; HEAD and 204 have no body. */
static void test_other_ends(void **state)
{
    static const struct {
        const char *request;
        bool is_whole;
        const char *want, *no;
    } cases[] = {
        {"GET /later HTTP/1.1\r\nHost: h\r\n\r\n", false, "\r\n\r\n3\r\none\r\n", "0\r\n\r\n"},
        {"GET /later HTTP/1.0\r\nHost: h\r\n\r\n", true, "\r\n\r\none", "chunked"},
        {"HEAD /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", true, "chunked\r\n\r\n",
         "one"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        struct pieces_seen seen = {0};
        int fd = dial(f);
        struct http_call *rq = begin(f, fd, &seen, cases[i].request);
        http_stream_add(rq, STR("one"));
        http_stream_end(rq, cases[i].is_whole);
        CHECK(receive(f, fd, NULL, &out));
        CHECK(str_ends(buf_str(&out), str_from(cases[i].want)));
        CHECK(str_find(buf_str(&out), str_from(cases[i].no)) == out.n);
        close(fd);
    }
}

/* A busy machine may not let the client run for a second. */
static int set_up_slow(void **state)
{
    return set_up_patient(state, 60);
}

/* 32 MB to a client that reads slowly: never more than is asked for waits here. */
static void test_slow_reader(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf piece = {.max = 1 << 16}, out = {.max = 1 << 16};
    struct pieces_seen seen = {0};
    int fd = dial(f), small = 65536;
    char bytes[8192];
    size_t sent = 0, got = 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 16384; i++)
        buf_add_c(&piece, 'x');
    struct http_call *rq = begin(f, fd, &seen, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(!receive(f, fd, "\r\n\r\n", &out));
    bool has_room = true;
    size_t rooms = 0, turns_held = 0;
    while (got < (size_t)32 << 20) {
        if (seen.rooms > rooms) {
            rooms = seen.rooms;
            has_room = true;
        }
        for (int i = 0; has_room && i < 100; i++) {
            has_room = http_stream_add(rq, buf_str(&piece));
            sent += piece.n;
        }
        turns_held += !has_room;
        CHECK_OK(loop_turn(f->loop, has_room ? 0 : NS_PER_MS, NULL), NULL);
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        got += n > 0 ? (size_t)n : 0;
        CHECK_INT(seen.gone, 0);
        /* what waits here, and in the two sockets */
        CHECK(sent < got + HTTP_STREAM_BYTES + ((size_t)12 << 20));
    }
    CHECK(turns_held > 0 && rooms > 0);
    http_stream_end(rq, true);
    close(fd);
}

/* A client that left is noticed, at the latest when it has taken nothing for the time-out. */
static void test_gone(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf piece = {.max = 1 << 21};

    for (int i = 0; i < 1 << 20; i++)
        buf_add_c(&piece, 'x');
    for (int is_stuck = 0; is_stuck < 2; is_stuck++) {
        struct pieces_seen seen = {0};
        int fd = dial(f);
        struct http_call *rq = begin(f, fd, &seen, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        if (!is_stuck)
            close(fd);
        for (int i = 0; i < 16; i++)
            http_stream_add(rq, buf_str(&piece));
        int64_t deadline = clock_monotonic(&f->clock) + PATIENCE;
        while (seen.gone == 0 && clock_monotonic(&f->clock) < deadline)
            CHECK_OK(loop_turn(f->loop, 10 * NS_PER_MS, NULL), NULL);
        CHECK_INT(seen.gone, 1);
        if (is_stuck)
            close(fd);
    }
}

static void test_stop_ends_streams(void **state)
{
    struct fixture *f = *state;
    struct pieces_seen seen = {0};
    int fd = dial(f);

    begin(f, fd, &seen, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    http_server_stop(f->server);
    f->server = NULL;
    CHECK_INT(seen.gone, 1);
    close(fd);
}

/* --- bodies --- */

static bool wants_pieces(void *ctx, const struct http_call *rq)
{
    UNUSED(ctx);
    return str_eq(rq->path, STR("/pieces"));
}

static void take_piece(void *ctx, struct http_call *rq, struct str piece)
{
    struct pieces_seen *s = ctx;

    s->call = rq;
    buf_add_str(&s->text, piece);
    if (str_ends(piece, STR("hold")))
        http_hold(rq, true);
}

static void on_cut(void *ctx, struct http_call *rq)
{
    struct pieces_seen *s = ctx;

    UNUSED(rq);
    s->cut++;
}

static const struct http_pieces pieces = {wants_pieces, take_piece, on_cut};

static void on_end(void *ctx, struct http_call *rq)
{
    struct pieces_seen *s = ctx;
    struct str trailer = STR("-");

    http_trailer(rq, "X-End", &trailer);
    buf_addf(&s->text, "[" STR_FMT "|" STR_FMT "]", STR_ARG(rq->body), STR_ARG(trailer));
    s->ends++;
    http_respond(rq, &(struct http_reply){.status = 202, .body = STR("done")});
}

static void restart(struct fixture *f, struct pieces_seen *seen)
{
    struct err e = {0};
    struct http_server_config c = {.handler = on_end,
                                   .ctx = seen,
                                   .pieces = &pieces,
                                   .authorize = may_begin,
                                   .limits = {.body_bytes = 10}};

    http_server_stop(f->server);
    seen->text.max = 1 << 20;
    CHECK_OK(http_server_start(f->loop, &c, &f->server, &e), &e);
}

static void wait_until_seen(struct fixture *f, struct pieces_seen *s, const char *text)
{
    int64_t deadline = clock_monotonic(&f->clock) + PATIENCE;

    while (!str_ends(buf_str(&s->text), str_from(text)) && clock_monotonic(&f->clock) < deadline)
        CHECK_OK(loop_turn(f->loop, 10 * NS_PER_MS, NULL), NULL);
    CHECK(str_ends(buf_str(&s->text), str_from(text)));
}

static const char chunked_head[] =
    "POST /pieces HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

static void test_body_in_pieces(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    struct pieces_seen s = {0};

    restart(f, &s);
    int fd = dial(f);
    send_text(fd, str_from(chunked_head));
    send_text(fd, STR("10\r\n0123456789ab"));
    wait_until_seen(f, &s, "0123456789ab");
    send_text(fd, STR("cdef\r\n1\r\ng\r\n0\r\nX-End: yes\r\n\r\n"));
    CHECK(!receive(f, fd, "done", &out));
    CHECK_STR(buf_str(&s.text), STR("0123456789abcdefg[|yes]"));
    buf_reset(&s.text);
    send_text(fd, STR("POST /pieces HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n0123456789"));
    wait_until_seen(f, &s, "0123456789");
    send_text(fd, STR("abcdefghij"));
    wait_until_seen(f, &s, "abcdefghij[|-]");
    buf_reset(&out);
    send_text(fd, STR("POST /else HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n"));
    CHECK(receive(f, fd, NULL, &out));
    CHECK(str_find(buf_str(&out), STR("413")) < out.n);
    CHECK_INT(s.cut, 0);
    close(fd);
    buf_clear(&s.text);
}

/* What is held back is neither taken nor lost, also when its sender has closed. */
static void test_held_body(void **state)
{
    struct fixture *f = *state;
    struct pieces_seen s = {0};

    restart(f, &s);
    int fd = dial(f);
    send_text(fd, str_from(chunked_head));
    send_text(fd, STR("4\r\nhold\r\n"));
    wait_until_seen(f, &s, "hold");
    send_text(fd, STR("4\r\nmore\r\n0\r\n\r\n"));
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    for (int i = 0; i < 5; i++)
        CHECK_OK(loop_turn(f->loop, 10 * NS_PER_MS, NULL), NULL);
    CHECK_STR(buf_str(&s.text), STR("hold"));
    http_hold(s.call, false);
    wait_until_seen(f, &s, "holdmore[|-]");
    close(fd);
    buf_clear(&s.text);
}

static void test_cut_body(void **state)
{
    static const char *const ends[] = {"", "no size\r\n"}; /* it leaves; it breaks the rules */
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct pieces_seen s = {0};
        restart(f, &s);
        int fd = dial(f);
        send_text(fd, str_from(chunked_head));
        send_text(fd, STR("1\r\na\r\n"));
        wait_until_seen(f, &s, "a");
        send_text(fd, str_from(ends[i]));
        if (*ends[i] == '\0')
            close(fd);
        int64_t deadline = clock_monotonic(&f->clock) + PATIENCE;
        while (s.cut == 0 && clock_monotonic(&f->clock) < deadline)
            CHECK_OK(loop_turn(f->loop, 10 * NS_PER_MS, NULL), NULL);
        CHECK_INT(s.cut, 1);
        CHECK_INT(s.ends, 0);
        if (*ends[i] != '\0')
            close(fd);
        buf_clear(&s.text);
    }
}

static const struct CMUnitTest tests[] = {
    WITH_SERVER(test_chunks),
    WITH_SERVER(test_other_ends),
    cmocka_unit_test_setup_teardown(test_slow_reader, set_up_slow, tear_down),
    WITH_SERVER(test_gone),
    WITH_SERVER(test_stop_ends_streams),
    WITH_SERVER(test_body_in_pieces),
    WITH_SERVER(test_held_body),
    WITH_SERVER(test_cut_body),
};
TEST_MAIN(tests)
