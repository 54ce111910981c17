/* CloudWatch filter patterns: a table of pattern, event and whether it matches. */
#include "tests/test.h"

#include "executor/log_filter.h"

#define ACCESS                                                                                     \
    "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534"

static const struct {
    const char *pattern, *event;
    bool matches;
} cases[] = {
    {"", "anything", true},
    {"ERROR", "an ERROR here", true},
    {"ERROR", "an error here", false},
    {"ERROR time", "time of the ERROR", true},
    {"ERROR time", "ERROR", false},
    {"\"time out\"", "a time out", true},
    {"\"time out\"", "out of time", false},
    {"?ERROR ?WARN", "WARN x", true},
    {"?ERROR ?WARN", "INFO x", false},
    {"?\"REPORT RequestId\" ?INIT_START ?\"platform.\"", "INIT_START Runtime Version", true},
    {"?\"REPORT RequestId\" ?INIT_START ?\"platform.\"", "{\"type\":\"platform.start\"}", true},
    {"?\"REPORT RequestId\" ?INIT_START", "REPORT of something", false},
    {"ERROR -retry", "ERROR once", true},
    {"ERROR -retry", "ERROR, retry", false},
    {"%Duration: [0-9]+%", "x Duration: 12 ms", true},
    {"%Duration: [0-9]+%", "x Duration: none", false},
    {"\"a \\\"b\\\"\"", "a \"b\"", true},
    {"{ $.level = \"ERROR\" }", "{\"level\":\"ERROR\"}", true},
    {"{ $.level = \"ERROR\" }", "{\"level\":\"INFO\"}", false},
    {"{ $.level = ERROR }", "{\"level\":\"ERROR\"}", true},
    {"{ $.level = \"ERR*\" }", "{\"level\":\"ERROR\"}", true},
    {"{ $.level != \"ERROR\" }", "{\"level\":\"INFO\"}", true},
    {"{ $.level = \"ERROR\" }", "level=ERROR", false},
    {"{ $.ms > 100 }", "{\"ms\":100.5}", true},
    {"{ $.ms > 100 }", "{\"ms\":100}", false},
    {"{ $.ms <= 100 }", "{\"ms\":100}", true},
    {"{ $.a.b[1].c = 2 }", "{\"a\":{\"b\":[0,{\"c\":2}]}}", true},
    {"{ $.a.b[1].c = 2 }", "{\"a\":{\"b\":[0]}}", false},
    {"{ $.a = 1 && $.b = 2 }", "{\"a\":1,\"b\":2}", true},
    {"{ $.a = 1 && $.b = 2 }", "{\"a\":1,\"b\":3}", false},
    {"{ $.a = 1 || $.b = 2 }", "{\"a\":0,\"b\":2}", true},
    {"{ ($.a = 1 || $.b = 2) && $.c = 3 }", "{\"a\":1,\"c\":4}", false},
    {"{ $.a NOT EXISTS }", "{\"b\":1}", true},
    {"{ $.a NOT EXISTS }", "{\"a\":null}", false},
    {"{ $.a IS NULL }", "{\"a\":null}", true},
    {"{ $.a IS TRUE }", "{\"a\":true}", true},
    {"{ $.record.status = %fail.*% }", "{\"record\":{\"status\":\"failure\"}}", true},
    {"{ $.record.status = %^fail$% && $.a = 1 }", "{\"a\":1,\"record\":{\"status\":\"failure\"}}",
     false},
    {"{ $.status != %^[45]% }", "{\"status\":\"200\"}", true},
    {"{ $.a IS FALSE }", "{\"a\":true}", false},
    {"{ $.latency = * }", "{\"latency\":12.5}", true},
    {"{ $.latency = * }", "{\"latency\":\"x\"}", true},
    {"{ $.latency = * }", "{\"other\":1}", false},
    {"{ $.latency = 12.* }", "{\"latency\":12.5}", true},
    {"{ $.code = 4* }", "{\"code\":404}", true},
    {"{ $.code != 4* }", "{\"code\":404}", false},
    {"{ $.code = \"404\" }", "{\"code\":404}", false},
    {"{ $.n < 10e3 }", "{\"n\":9999}", true},
    {"{ $.n < 10e-3 }", "{\"n\":0.02}", false},
    {"{ $.n > +1000 }", "{\"n\":1000.5}", true},
    {"{ $.users = 1 }", "{\"users\":[1,2]}", false},
    {"{ $.users != 1 }", "{\"users\":[1,2]}", false},
    {"{ $.['a.b'] = 1 }", "{\"a.b\":1}", true},
    {"{ $.ip != 123.123.* }", "{\"ip\":\"111.111.111.111\"}", true},
    /* events of fields */
    {"[]", "anything", true},
    {"[a]", "one", true},
    {"[a]", "one two", false},
    {"[w1=ERROR, w2]", "ERROR WARN message", false},
    {"[w1=ERROR, w2]", "ERROR message", true},
    {"[w1=ERROR, w2]", "WARN message", false},
    {"[w1=ERROR || w1=WARN, w2]", "WARN message", true},
    {"[w1!=ERROR && w1!=WARN, w2]", "INFO message", true},
    {"[w1!=ERROR&&w1!=WARN, w2]", "WARN message", false},
    {"[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes > 1000]", ACCESS,
     true},
    {"[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]",
     ACCESS, false},
    {"[..., status_code = 404, bytes]", ACCESS, true},
    {"[..., request = \"GET *\", status_code=4*,]", ACCESS, true},
    {"[ip = 127.*, ...]", ACCESS, true},
    {"[ip, user, ..., bytes < 1000]", ACCESS, false},
    {"[ip, ..., bytes >= 1534]", ACCESS, true},
    {"[ip, ..., t = \"10/Oct*\", r, s, bytes = 1534]", ACCESS, true},
    {"[a, b, c, d, e, f, g, ..., h]", ACCESS, false},
    {"[a = %^127%, ..., (s = 1* || s = 4*) && s != 403, b]", ACCESS, true},
    {"[a, b]", "[open two", true},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_filter *f = NULL;
        struct err e = {0};
        CHECK_OK(log_filter_new(str_from(cases[i].pattern), &f, &e), &e);
        if (log_filter_match(f, str_from(cases[i].event)) != cases[i].matches) {
            print_error("%s on %s\n", cases[i].pattern, cases[i].event);
            CHECK(false);
        }
        log_filter_free(f);
    }
}

static void test_broken(void **state)
{
    static const char *const broken[] = {"\"open",
                                         "%open",
                                         "%(%",
                                         "{ $.a }",
                                         "{ a = 1 }",
                                         "{ $.a = }",
                                         "{ $.a IS odd }",
                                         "{ ($.a = 1 }",
                                         "{ $.a = 1 ) }",
                                         "{ }",
                                         "{ $. = 1 }",
                                         "{ $.a[x] = 1 }",
                                         "?",
                                         "-",
                                         "\"\"",
                                         "{ $.a[1 = 2 }",
                                         "%%",
                                         "{ $.a = 1 && }",
                                         "{ bad",
                                         "{ $.a = %open }",
                                         "{ $.a = %(% }",
                                         "{ $.a > %x% }",
                                         "{ $.b = %x% && $.a = }",
                                         "{ $.a < x }",
                                         "{ $.a < \"1\" }",
                                         "{ $.a = %a% && $.b = %b% && $.c = %c% }",
                                         "[a",
                                         "[a = ]",
                                         "[a b]",
                                         "[..., ...]",
                                         "[a = 1 && b = 2]",
                                         "[a = 1 &&]",
                                         "[(a = 1]",
                                         "[a > x]",
                                         "[= 1]",
                                         "foo.bar",
                                         "?a-b",
                                         "%some!%",
                                         "%(a|b)%"};

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct log_filter *f = NULL;
        struct err e = {0};
        if (log_filter_new(str_from(broken[i]), &f, &e) != ERR_PARSE) {
            print_error("accepted: %s\n", broken[i]);
            CHECK(false);
        }
    }
}

static void test_deep_nesting_is_refused(void **state)
{
    char text[200] = "{ ";
    struct log_filter *f = NULL;

    (void)state;
    for (int i = 0; i < 100; i++)
        text[2 + i] = '(';
    snprintf(text + 102, sizeof(text) - 102, "$.a = 1 }");
    CHECK_STATUS(log_filter_new(str_from(text), &f, NULL), ERR_PARSE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_cases),
    cmocka_unit_test(test_broken),
    cmocka_unit_test(test_deep_nesting_is_refused),
};
TEST_MAIN(tests)
