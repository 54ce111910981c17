/* Log lines without their prefixes, and their headlines. */
#include "tests/test.h"

#include "core/model/log_text.h"

#define ID "8d5958b5-559f-43f3-b278-b71dd7dd0e01"

static void test_prefixes(void **state)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"2026-01-15T12:00:00.000Z\t" ID "\tERROR\tqueue is full", "queue is full"},
        {"[WARNING]\t2026-01-15T12:00:00.000Z\t" ID "\tslow", "slow"},
        {"2026-01-15 12:00:00.000 " ID " INFO com.example.Handler - saved",
         "com.example.Handler - saved"},
        {"2026/01/15 12:00:00 listening", "listening"},
        {"INFORMATION is power", "INFORMATION is power"},
        {"2026-01-15T12:00:00.000Z\t" ID "\tfail\tSystem.X: no", "System.X: no"},
        {"2026-01-15T12:00:00.000Z " ID " fail to connect", "fail to connect"},
        {"ERROR Lambda runtime invoke{requestId=\"" ID "\"}: lambda_runtime::layers::panic: no",
         "no"},
        {"INFO Lambda runtime invoke{requestId=\"" ID "\"}: app: hello", "app: hello"},
        {"Lambda runtime invoke{", "Lambda runtime invoke{"},
        {"ERROR", "ERROR"},
        {"", ""},
        {"plain text", "plain text"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(log_text(str_from(cases[i].body)), str_from(cases[i].text));
}

static void test_headlines(void **state)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"errorType\":\"E\",\"errorMessage\":\"no\\nreally\"}", "E: no"},
        {"2026-01-15T12:00:00.000Z\t" ID "\tERROR\tInvoke Error \t"
         "{\"errorType\":\"TypeError\",\"errorMessage\":\"x is undefined\",\"stack\":[]}",
         "TypeError: x is undefined"},
        {"{\"level\":\"INFO\",\"msg\":\"hello\"}", "hello"},
        {"{\"no\":\"message\"}", "{\"no\":\"message\"}"},
        {"{ not json", "{ not json"},
        {"[ERROR] ValueError: bad\rTraceback", "ValueError: bad"},
        {"Error raised from handler method\n{\n \"errorMessage\": \"no\",\"errorType\": \"F<E>\"}",
         "F<E>: no"},
        {"a.go:7: {\"errorMessage\":\"no\",\"errorType\":\"E\"}", "E: no"},
        {"level=INFO msg=\"{\\\"errorMessage\\\":\\\"no\\\",\\\"errorType\\\":\\\"E\\\"}\"",
         "E: no"},
        {"{\"msg\":\"{\\\"errorMessage\\\":\\\"no\\\",\\\"errorType\\\":\\\"E\\\"}\"}", "E: no"},
        {"{\"fields\":{\"message\":\"deep\"}}", "deep"},
        {"got {\"message\":\"no error\"}", "got {\"message\":\"no error\"}"},
        {"got \"{\\x\"", "got \"{\\x\""},
    };
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(log_headline(str_from(cases[i].body), &a), str_from(cases[i].text));
}

static void test_fingerprints(void **state)
{
    static const struct {
        const char *message, *fold;
    } cases[] = {
        {"no key 'a1' in /tmp/x/7.json (3 of 9)", "no key '' in / (# of #)"},
        {"timeout after 3000ms", "timeout after #ms"},
        {"order 8d5958b5-559f-43f3-b278-b71dd7dd0e01 is gone", "order # is gone"},
        {"at 0x7ffe12", "at #x#ffe#"},
        {"deadbeef is a word, deadbeef1 an id", "deadbeef is a word, # an id"},
        {"can't read it's 'x'", "can't read it's ''"},
        {"GET https://a.example/b/c?d=1 503", "GET / #"},
        {"unclosed 'quote", "unclosed 'quote"},
        {"and/or", "and/or"},
        {"", ""},
    };
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(log_fingerprint(str_from(cases[i].message), &a), str_from(cases[i].fold));
}

static void test_whose_line_it_is(void **state)
{
#define OWN   "8d5958b5-559f-43f3-9f3c-6e5a1c0d2b11"
#define OTHER "99999999-9999-4999-8999-999999999999"
    static const char *const said[] = {
        "START RequestId: " OWN " Version: $LATEST",
        "2026-09-21T14:13:20.010Z\t" OWN "\tINFO\tcaused by " OTHER,
        "[INFO]\t2026-09-21T14:13:20.010Z\t" OWN "\tcaused by " OTHER,
        "2026-09-21T14:13:20.010Z\t" OWN "\tinfo\tdotnet " OTHER,
        "2026-09-21 14:13:20 " OWN " INFO  B:12 - order " OTHER,
        "I, [2026-09-21T14:13:20.123456 #8]  INFO " OWN " -- : order " OTHER,
        " INFO Lambda runtime invoke{requestId=\"" OWN "\" xrayTraceId=\"x\"}: order " OTHER,
        "level=INFO message=\"order " OTHER "\" requestId=" OWN,
        "{\"x-correlation-id\":\"" OTHER "\",\"awsRequestId\":\"" OWN "\"}",
        "{\"message\":\"RequestId: " OTHER "\",\"function_request_id\":\"" OWN "\"}",
        "{\"err\":{\"$metadata\":{\"requestId\":\"" OTHER "\"}},\"requestId\":\"" OWN "\"}",
        "{\"span\":{\"requestId\":\"" OWN "\"},\"id\":\"" OTHER "\"}",
        "{\"spans\":[{\"name\":\"a\"},{\"requestId\":\"" OWN "\"}]}",
        "{\"faas\":{\"execution\":\"" OWN "\"}}",
        "{\"requestId\":\"" OWN "\",\"message\":\"cut off",
    };
    static const char *const mentioned[] = {
        "working on " OWN,
        "{\"orderId\":\"" OWN "\"}",
        "{\"$metadata\":{\"requestId\":\"" OWN "\"}}",
        "{\"clientRequestIdOf\":\"" OWN "\"}",
        "x" OWN "\t is closed by no blank, " OWN,
    };
    AUTO(arena_clear) struct arena a = {0};
    bool is_said = false;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        CHECK_STR(log_request_id(str_from(said[i]), &a, &is_said), STR(OWN));
        CHECK(is_said);
    }
    for (size_t i = 0; i < ARRAY_LEN(mentioned); i++) {
        CHECK_STR(log_request_id(str_from(mentioned[i]), &a, &is_said), STR(OWN));
        CHECK(!is_said);
    }
    CHECK(log_request_id(STR("no id, not even in 99999999-9999-4999"), &a, &is_said).n == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_headlines),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_whose_line_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
