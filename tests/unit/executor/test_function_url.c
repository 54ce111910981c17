/* What the answer of a function is over HTTP: gathered streams. */
#include "tests/test.h"

#include "executor/url_reply.h"

#define HEAD_TYPE "application/vnd.awslambda.http-integration-response"
#define GAP       "\0\0\0\0\0\0\0\0"

static void test_streams(void **state)
{
    static const struct {
        const char *type;
        struct str answer;
        unsigned status;
        const char *first; /* value of the first header */
        struct str body;
    } cases[] = {
        {"", STR_INIT("a\0b"), 200, "application/octet-stream", STR_INIT("a\0b")},
        {"text/html", STR_INIT("<p>"), 200, "text/html", STR_INIT("<p>")},
        {HEAD_TYPE, STR_INIT("{\"statusCode\":201,\"headers\":{\"x\":\"y\"}}" GAP "a\0b"), 201, "y",
         STR_INIT("a\0b")},
        {HEAD_TYPE, STR_INIT("{}" GAP "a" GAP "b"), 200, "application/json", STR_INIT("a" GAP "b")},
        {HEAD_TYPE, STR_INIT("{\"statusCode\":204}" GAP), 204, "application/json", STR_INIT("")},
        {HEAD_TYPE, STR_INIT("{\"statusCode\":999}" GAP "a"), 502, "application/json",
         STR_INIT("{\"message\":\"Internal Server Error\"}")},
        {HEAD_TYPE, STR_INIT("{}a"), 502, "application/json",
         STR_INIT("{\"message\":\"Internal Server Error\"}")},
        {HEAD_TYPE, STR_INIT("[1]" GAP "a"), 502, "application/json",
         STR_INIT("{\"message\":\"Internal Server Error\"}")},
        {HEAD_TYPE, STR_INIT(""), 502, "application/json",
         STR_INIT("{\"message\":\"Internal Server Error\"}")},
    };
    struct arena a = {0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_reply reply = {0};
        url_reply_of_stream(&a, str_from(cases[i].type), cases[i].answer, &reply);
        CHECK_INT(reply.status, cases[i].status);
        CHECK(reply.n_headers > 0);
        CHECK_STR(reply.headers[0].value, str_from(cases[i].first));
        CHECK_STR(reply.body, cases[i].body);
    }
    arena_clear(&a);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams)};
TEST_MAIN(tests)
