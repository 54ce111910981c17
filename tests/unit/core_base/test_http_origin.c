/* Names under which a listener without credentials answers, and pages it does not answer to. */
#include "tests/unit/core_base/http_fixture.h"

#include "core/base/http_listen.h"
#include "core/base/http_origin.h"

static const struct str hosts[] = {STR_INIT("*.lambda-url.*.on.aws"), STR_INIT("box.test")};
static const struct http_names names = {STR_INIT("192.0.2.7"), hosts, ARRAY_LEN(hosts)};

static void test_names(void **state)
{
    static const struct {
        const char *authority;
        bool is_own;
    } cases[] = {
        {"127.0.0.1:9001", true},
        {"127.8.9.10", true},
        {"[::1]:9001", true},
        {"[::1]", true},
        {"localhost", true},
        {"LocalHost:1", true},
        {"localhost.:1", true},
        {"mail.lambda-url.localhost:9001", true},
        {"192.0.2.7:80", true},
        {"box.test:9001", true},
        {"f.lambda-url.eu-west-1.on.aws", true},
        {"notlocalhost", false},
        {"localhost.evil.example", false},
        {"127.0.0.1.evil.example", false},
        {"evil.example:9001", false},
        {"192.0.2.8", false},
        {"[::2]", false},
        {"[", false},
        {"", false},
        {":9001", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (http_is_own_name(str_from(cases[i].authority), &names) != cases[i].is_own)
            fail_msg("%s", cases[i].authority);
}

static void test_requests(void **state)
{
    static const struct {
        struct http_header headers[3];
        unsigned status;
    } cases[] = {
        {{{STR_INIT("Host"), STR_INIT("127.0.0.1")}}, 0},
        {{{STR_INIT("Accept"), STR_INIT("*/*")}}, 0}, /* HTTP/1.0 needs no Host */
        {{{STR_INIT("host"), STR_INIT("rebound.example")}}, 421},
        {{{STR_INIT("Host"), STR_INIT("localhost")},
          {STR_INIT("Origin"), STR_INIT("http://localhost:3000")}},
         0},
        {{{STR_INIT("Host"), STR_INIT("localhost")},
          {STR_INIT("Origin"), STR_INIT("https://evil.example")}},
         403},
        {{{STR_INIT("Host"), STR_INIT("localhost")}, {STR_INIT("Origin"), STR_INIT("null")}}, 403},
        {{{STR_INIT("Host"), STR_INIT("localhost")},
          {STR_INIT("Sec-Fetch-Site"), STR_INIT("cross-site")},
          {STR_INIT("Sec-Fetch-Mode"), STR_INIT("no-cors")}},
         403},
        {{{STR_INIT("Host"), STR_INIT("localhost")},
          {STR_INIT("Sec-Fetch-Site"), STR_INIT("cross-site")},
          {STR_INIT("Sec-Fetch-Mode"), STR_INIT("navigate")}},
         0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str why = {0};
        size_t n = 0;
        while (n < 3 && cases[i].headers[n].name.n > 0)
            n++;
        CHECK_INT(http_origin_judge(cases[i].headers, n, &names, &why), cases[i].status);
        CHECK((why.n > 0) == (cases[i].status != 0));
    }
}

/* No handler sees what a page under a foreign name sends. */
static void test_server(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"POST /run HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\nhi",
         "HTTP/1.1 421 Misdirected Request\r\n"},
        {"GET http://evil.example/x HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
         "HTTP/1.1 421 Misdirected Request\r\n"},
        {"GET http://evil.example/x HTTP/1.0\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
        {"GET http://localhost:1/x HTTP/1.0\r\n\r\n", "[/x||-]"},
        {"GET /x HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "[/x||-]"},
    };
    struct fixture *f = *state;
    struct http_server_config c = {.handler = on_request, .ctx = f, .limits = {.timeout_s = 5}};
    struct err e = {0};

    http_server_stop(f->server);
    CHECK_OK(http_server_start(f->loop, &c, &f->server, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf out = {.max = 1 << 16};
        int fd = dial(f);
        buf_reset(&f->seen);
        send_text(fd, str_from(cases[i].request));
        receive(f, fd, cases[i].answer, &out);
        CHECK(str_find(buf_str(&out), str_from(cases[i].answer)) < out.n);
        CHECK((f->seen.n > 0) == (cases[i].answer[0] == '['));
        close(fd);
    }
}

static void test_url(void **state)
{
    static const struct {
        struct str address, url;
    } cases[] = {
        {STR_INIT("::1"), STR_INIT("http://[::1]:9001")},
        {STR_INIT("127.0.0.1"), STR_INIT("http://127.0.0.1:9001")},
        {STR_INIT(""), STR_INIT("http://127.0.0.1:9001")},
        {STR_INIT("localhost"), STR_INIT("http://localhost:9001")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf b = {.max = 100};
        http_listen_url(&b, cases[i].address, 9001);
        CHECK_STR(buf_str(&b), cases[i].url);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_names), cmocka_unit_test(test_requests), cmocka_unit_test(test_url),
    cmocka_unit_test_setup_teardown(test_server, set_up, tear_down)};
TEST_MAIN(tests)
