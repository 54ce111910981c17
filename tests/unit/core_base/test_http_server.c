/* The HTTP listener: requests as a client sends them, deferred answers, limits, and a table of
 * hostile requests of which none may reach the handler, or be taken for two. */
#include "tests/unit/core_base/http_fixture.h"

#include "core/base/url.h"

static size_t count(struct str s, struct str needle)
{
    size_t n = 0;

    for (size_t at; (at = str_find(s, needle)) < s.n; s = str_skip(s, at + needle.n))
        n++;
    return n;
}

static void test_echo_keep_alive(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    send_text(fd, STR("POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
    CHECK(!receive(f, fd, "[/a|abc|-]", &out));
    CHECK(count(buf_str(&out), STR("X-Test: yes")) == 1);
    buf_reset(&out);
    send_text(fd, STR("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, fd, "[/b||-]", &out));
    close(fd);
    CHECK_STR(buf_str(&f->seen), STR("POST /a?x=1 abc;GET /b ;"));
}

/* As clients that think of a proxy send it: the target's host counts, whatever Host says. */
static void test_absolute_target(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    send_text(fd, STR("GET http://127.0.0.1:80/a?x=1 HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
                      "GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, fd, "[/||-]", &out));
    close(fd);
    CHECK_STR(buf_str(&f->seen), STR("GET /a?x=1 ;GET / ;"));
}

static void test_chunked_with_trailer(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    send_text(fd, STR("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                      "Trailer: X-End\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-End: done\r\n\r\n"));
    CHECK(!receive(f, fd, "[/c|abcde|done]", &out));
    close(fd);
}

/* Ten requests at once on one connection: answered all, in order. */
static void test_pipelining(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf in = {.max = 1 << 16}, out = {.max = 1 << 16};
    int fd = dial(f);

    for (int i = 0; i < 10; i++)
        buf_addf(&in, "GET /p%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    send_text(fd, buf_str(&in));
    CHECK(!receive(f, fd, "[/p9||-]", &out));
    size_t last = 0;
    for (int i = 0; i < 10; i++) {
        char want[24];
        snprintf(want, sizeof(want), "[/p%d||-]", i);
        size_t at = str_find(buf_str(&out), str_from(want));
        CHECK(at < out.n && at >= last);
        last = at;
    }
    close(fd);
}

/* An answer given from outside the handler leaves in this turn: the loop would else sleep a second.
 */
static void test_later_answer_leaves_in_its_turn(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    for (int round = 0; round < 20; round++) {
        buf_reset(&out);
        send_text(fd, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
        while (f->n_kept == 0)
            CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
        int64_t begin = clock_monotonic(&f->clock);
        http_respond(f->kept[0], &(struct http_reply){.status = 202, .body = STR("late")});
        f->n_kept = 0;
        CHECK(!receive(f, fd, "late", &out));
        CHECK(clock_monotonic(&f->clock) - begin < NS_PER_SEC / 2);
    }
    close(fd);
}

static bool has_arrived(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* At the end of the turn, at once when that is asked for, and also when the server stops first. */
static void test_when_a_later_answer_leaves(void **state)
{
    struct fixture *f = *state;
    int fd[3];

    for (size_t i = 0; i < 3; i++) {
        fd[i] = dial(f);
        send_text(fd[i], STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
        while (f->n_kept <= i)
            CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
    }
    http_respond(f->kept[0], &(struct http_reply){.status = 200});
    http_respond(f->kept[1], &(struct http_reply){.status = 200, .at_once = true});
    CHECK(!has_arrived(fd[0]));
    CHECK(has_arrived(fd[1]));
    CHECK_OK(loop_turn(f->loop, 0, NULL), NULL);
    CHECK(has_arrived(fd[0]));
    http_respond(f->kept[2], &(struct http_reply){.status = 200});
    http_server_stop(f->server);
    f->server = NULL;
    CHECK(has_arrived(fd[2]));
    for (size_t i = 0; i < 3; i++)
        close(fd[i]);
}

static void test_client_left_while_waiting(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    send_text(fd, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
    while (f->n_kept == 0)
        CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
    close(fd);
    http_respond(f->kept[0], &(struct http_reply){.status = 200, .body = STR("nobody")});
    fd = dial(f);
    send_text(fd, STR("GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, fd, "[/next||-]", &out));
    close(fd);
}

static void test_stop_aborts_what_waits(void **state)
{
    struct fixture *f = *state;
    int a = dial(f), b = dial(f);

    send_text(a, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
    send_text(b, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
    while (f->n_kept < 2)
        CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
    http_server_stop(f->server);
    f->server = NULL;
    CHECK_INT(f->aborted, 2);
    close(a);
    close(b);
}

/* A client that stops in the middle is cut off; meanwhile others are served. */
static void test_slow_client(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf slow = {.max = 1 << 16}, out = {.max = 1 << 16};
    int fd = dial(f), other = dial(f);

    send_text(fd, STR("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc"));
    send_text(other, STR("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(!receive(f, other, "[/fast||-]", &out));
    CHECK(receive(f, fd, NULL, &slow));
    CHECK_INT(count(buf_str(&f->seen), STR("/slow")), 0);
    close(fd);
    close(other);
}

/* The answer's status, "cut" for a closed connection; none of them reaches the handler, but for the
 * ones with 200. */
static const struct {
    const char *name, *request;
    const char *want; /* statuses that are right, or "cut" */
} hostile[] = {
    {"length and chunked",
     "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
     "400"},
    {"chunked and length",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
     "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
     "400"},
    {"two lengths",
     "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n"
     "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
     "400"},
    {"lengths in a list",
     "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 5\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
     "400"},
    {"length with sign", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", "400"},
    {"negative length", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nabc", "400"},
    {"hexadecimal length", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc", "400"},
    {"huge length",
     "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
     "400 413"},
    {"unknown coding",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"},
    {"coding list",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400"},
    {"two codings",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "identity\r\n\r\n0\r\n\r\n",
     "400"},
    {"coding with blank before colon",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"
     "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
     "400"},
    {"chunked in HTTP/1.0",
     "POST /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"chunk size no number",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
     "400 cut"},
    {"chunk size too large",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
     "400 413 cut"},
    {"chunk longer than said",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n0\r\n\r\n",
     "400 cut"},
    {"body over the limit", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10001\r\n\r\n", "413"},
    {"no version", "GET /x\r\n\r\n", "400 cut"},
    {"version 2", "GET /x HTTP/2.0\r\nHost: h\r\n\r\n", "400 505 cut"},
    {"version 0.9", "GET /x HTTP/0.9\r\nHost: h\r\n\r\n", "400 505 cut"},
    {"no host", "GET /x HTTP/1.1\r\n\r\n", "400"},
    {"two hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
    {"absolute target with a user", "GET http://u@127.0.0.1/x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"absolute target without a host", "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"absolute target of another scheme", "GET ftp://h/x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"absolute target without Host", "GET http://h/x HTTP/1.1\r\n\r\n", "400"},
    {"authority target", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"asterisk target", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"garbage", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n", "400 cut"},
    {"method with a bracket", "G[T /x HTTP/1.1\r\nHost: h\r\n\r\n", "400 cut"},
    {"header without colon", "GET /x HTTP/1.1\r\nHost: h\r\nNonsense\r\n\r\n", "400 cut"},
    {"header with a tab in its name", "GET /x HTTP/1.1\r\nHost: h\r\nA\tB: v\r\n\r\n", "400 cut"},
    {"header without name", "POST /x HTTP/1.1\r\nHost: h\r\n: v\r\nContent-Length: 3\r\n\r\nabc",
     "400"},
    {"header that goes on", "GET /x HTTP/1.1\r\nHost: h\r\nA: v\r\n w: x\r\n\r\n", "400"},
    {"line feed alone", "GET /x HTTP/1.1\r\nHost: h\nA: v\r\n\r\n", "400"},
    {"carriage return alone", "GET /x HTTP/1.1\r\nHost: h\rA: v\r\n\r\n", "400"},
    {"target with a tab", "GET /x\ty HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"two blanks", "GET  /x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"version with more behind it", "GET /x HTTP/1.1 \r\nHost: h\r\n\r\n", "400"},
    {"chunk size with sign",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
     "400"},
    {"chunk size with blank",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
     "400"},
    {"chunk size without end",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
     "400 cut"},
    {"trailer without colon",
     "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nEnd\r\n\r\n", "400"},
};

static bool is_wanted(struct str answer, bool is_closed, const char *want)
{
    struct str rest = str_from(want);

    while (rest.n > 0) {
        struct str one = str_cut(&rest, ' ');
        if (str_eq(one, STR("cut")) && is_closed && answer.n == 0)
            return true;
        if (answer.n > 12 && str_eq(str_sub(answer, 9, 3), one))
            return true;
    }
    return false;
}

static void test_hostile_requests(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        buf_reset(&f->seen);
        int fd = dial(f);
        send_text(fd, str_from(hostile[i].request));
        bool is_closed = receive(f, fd, NULL, &out);
        if (!is_wanted(buf_str(&out), is_closed, hostile[i].want) || f->seen.n > 0) {
            print_error("%s: answer \"%s\", seen \"%s\"\n", hostile[i].name, out.p ? out.p : "",
                        f->seen.p ? f->seen.p : "");
            CHECK(false);
        }
        close(fd);
    }
}

/* A value with a NUL, and more header lines than anyone sends. */
static void test_heads_refused(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf many = {.max = 1 << 16};

    buf_add_z(&many, "GET /x HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 200; i++)
        buf_addf(&many, "A%d: v\r\n", i);
    buf_add_z(&many, "\r\n");
    const struct {
        struct str request;
        const char *want;
    } cases[] = {{STR("GET /x HTTP/1.1\r\nHost: h\r\nA: v\0w\r\n\r\n"), "400"},
                 {STR("GET /x\0 HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
                 {buf_str(&many), "431"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        int fd = dial(f);
        send_text(fd, cases[i].request);
        CHECK(is_wanted(buf_str(&out), receive(f, fd, NULL, &out), cases[i].want));
        CHECK_INT(f->seen.n, 0);
        close(fd);
    }
}

/* However a stream of requests is cut, they and their answers are the same. */
static void test_one_byte_at_a_time(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    struct str in = STR("\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                        "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "2;x=y\r\nde\r\n00a\r\n0123456789\r\n0\r\nX-End: done\r\n\r\n"
                        "GET /c HTTP/1.1\r\nHost: h\r\n\r\n");
    int fd = dial(f);

    for (size_t i = 0; i < in.n; i++) {
        send_text(fd, str_sub(in, i, 1));
        CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
    }
    CHECK(!receive(f, fd, "[/c||-]", &out));
    CHECK_STR(buf_str(&f->seen), STR("POST /a abc;POST /b de0123456789;GET /c ;"));
    CHECK_INT(count(buf_str(&out), STR("HTTP/1.1 200 OK\r\n")), 3);
    CHECK_INT(count(buf_str(&out), STR("[/b|de0123456789|done]")), 1);
    close(fd);
}

/* Requests sent ahead of an answer that comes later are kept, and the answers stay in order. */
static void test_pipelined_behind_a_later_answer(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf out = {.max = 1 << 16};
    int fd = dial(f);

    send_text(fd, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"));
    while (f->n_kept == 0)
        CHECK_OK(loop_turn(f->loop, NS_PER_SEC, NULL), NULL);
    send_text(fd, STR("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    for (int i = 0; i < 3; i++)
        CHECK_OK(loop_turn(f->loop, NS_PER_MS, NULL), NULL);
    CHECK_STR(buf_str(&f->seen), STR("GET /later ;"));
    http_respond(f->kept[0], &(struct http_reply){.status = 200, .body = STR("late")});
    CHECK(receive(f, fd, NULL, &out));
    size_t late = str_find(buf_str(&out), STR("late")), a = str_find(buf_str(&out), STR("[/a||-]"));
    CHECK(late < a && a < str_find(buf_str(&out), STR("[/b||-]")));
    CHECK_STR(buf_str(&f->seen), STR("GET /later ;GET /a ;GET /b ;"));
    close(fd);
}

/* HEAD has no body, HTTP/1.0 closes unless asked not to, "close" closes, a body may be waited for.
 */
static void test_manners(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request, *until, *want;
        bool closes;
    } cases[] = {
        {"HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n", "Content-Length: 7\r\n\r\n", false},
        {"GET /o HTTP/1.0\r\n\r\n", NULL, "Connection: close\r\n", true},
        {"GET /k HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "[/k||-]",
         "Connection: keep-alive\r\n", false},
        {"GET /c HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", NULL,
         "Connection: close\r\n", true},
        {"POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
         "\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        int fd = dial(f);
        send_text(fd, str_from(cases[i].request));
        CHECK_INT(receive(f, fd, cases[i].until, &out), cases[i].closes);
        CHECK_INT(count(buf_str(&out), str_from(cases[i].want)), 1);
        close(fd);
    }
}

/* Pieces of a hostile chunked body arrive after the head was accepted. */
static void test_body_grows_over_the_limit(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf in = {.max = 1 << 20}, out = {.max = 1 << 16};
    int fd = dial(f);

    buf_add_z(&in, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        buf_add_z(&in, "400\r\n");
        buf_add_repeat(&in, 'a', 1024);
        buf_add_z(&in, "\r\n");
    }
    buf_add_z(&in, "0\r\n\r\n");
    send_text(fd, buf_str(&in));
    CHECK(receive(f, fd, NULL, &out));
    CHECK(is_wanted(buf_str(&out), true, "413"));
    CHECK(str_find(buf_str(&out), STR("\r\n\r\ntoo large: /")) < out.n);
    CHECK_INT(f->seen.n, 0);
    close(fd);
}

/* By the head alone; nothing reaches a handler. */
static void test_refusals_say_why(void **state)
{
    static const char *const cases[][3] = {
        {"POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "403",
         "\r\n\r\nclosed: /closed"},
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10001\r\n\r\n", "413",
         "\r\n\r\ntoo large: /x"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        int fd = dial(f);
        send_text(fd, str_from(cases[i][0]));
        CHECK(receive(f, fd, NULL, &out) && is_wanted(buf_str(&out), true, cases[i][1]));
        CHECK(str_ends(buf_str(&out), str_from(cases[i][2])));
        CHECK_INT(f->seen.n, 0);
        close(fd);
    }
}

static void test_head_over_the_limit(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_clear) struct buf in = {.max = 1 << 20}, out = {.max = 1 << 16};
    int fd = dial(f);

    buf_add_z(&in, "GET /x HTTP/1.1\r\nHost: h\r\nX-Long: ");
    buf_add_repeat(&in, 'a', 20000);
    buf_add_z(&in, "\r\n\r\n");
    send_text(fd, buf_str(&in));
    CHECK(receive(f, fd, NULL, &out));
    CHECK(is_wanted(buf_str(&out), true, "431 413 cut"));
    CHECK_INT(f->seen.n, 0);
    close(fd);
}

static void test_addresses(void **state)
{
    struct fixture *f = *state;
    struct http_server *s = NULL;
    struct err e = {0};
    struct http_server_config c = {.handler = on_request, .ctx = f};

    c.address = STR("0.0.0.0");
    CHECK_STATUS(http_server_start(f->loop, &c, &s, &e), ERR_CONFIG);
    CHECK(strstr(e.msg, "needs authentication"));
    c.address = STR("::");
    CHECK_STATUS(http_server_start(f->loop, &c, &s, &e), ERR_CONFIG);
    c.address = STR("localhost.example");
    CHECK_STATUS(http_server_start(f->loop, &c, &s, &e), ERR_CONFIG);
    c.address = STR("127.0.0.1");
    c.port = http_server_port(f->server);
    CHECK_STATUS(http_server_start(f->loop, &c, &s, &e), ERR_IO);
    CHECK(s == NULL);
}

static void test_decoding(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str v;

    (void)state;
    CHECK(url_decode(&a, STR("%2Faws%2flambda+x"), false, &v));
    CHECK_STR(v, STR("/aws/lambda+x"));
    CHECK(url_query(&a, STR("a=1&b%20c=x+y%26&a=2"), STR("b c"), &v));
    CHECK_STR(v, STR("x y&"));
    CHECK(url_query(&a, STR("a=1&a=2"), STR("a"), &v));
    CHECK_STR(v, STR("1"));
    CHECK(!url_query(&a, STR("a=1"), STR("b"), &v));
    const char *broken[] = {"%", "%4", "%zz", "a%00b", "%-1"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        CHECK(!url_decode(&a, str_from(broken[i]), false, &v));
}

static const struct CMUnitTest tests[] = {
    WITH_SERVER(test_echo_keep_alive),
    WITH_SERVER(test_absolute_target),
    WITH_SERVER(test_chunked_with_trailer),
    WITH_SERVER(test_pipelining),
    WITH_SERVER(test_later_answer_leaves_in_its_turn),
    WITH_SERVER(test_when_a_later_answer_leaves),
    WITH_SERVER(test_client_left_while_waiting),
    WITH_SERVER(test_stop_aborts_what_waits),
    WITH_SERVER(test_slow_client),
    WITH_SERVER(test_hostile_requests),
    WITH_SERVER(test_heads_refused),
    WITH_SERVER(test_one_byte_at_a_time),
    WITH_SERVER(test_pipelined_behind_a_later_answer),
    WITH_SERVER(test_manners),
    WITH_SERVER(test_body_grows_over_the_limit),
    WITH_SERVER(test_refusals_say_why),
    WITH_SERVER(test_head_over_the_limit),
    WITH_SERVER(test_addresses),
    cmocka_unit_test(test_decoding),
};
TEST_MAIN(tests)
