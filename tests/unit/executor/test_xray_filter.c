/* Filter expressions of X-Ray: what holds of a trace, and what is none. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "executor/xray_filter.h"

/* api, which failed by its own fault as a client sees it, called mail, which broke. */
static const char *const documents[] = {
    ("{\"id\":\"1\",\"name\":\"api\",\"origin\":\"AWS::Lambda\",\"start_time\":100.0,"
     "\"end_time\":101.5,\"error\":true,\"http\":{\"response\":{\"status\":200}},"
     "\"aws\":{\"account_id\":\"123456789012\"},\"resource_arn\":\"arn:api\"}"),
    ("{\"id\":\"2\",\"parent_id\":\"1\",\"name\":\"api\",\"origin\":\"AWS::Lambda::Function\","
     "\"start_time\":100.2,\"end_time\":101.4,\"error\":true,"
     "\"aws\":{\"account_id\":\"123456789012\"},\"subsegments\":[{\"id\":\"21\"}]}"),
    ("{\"id\":\"3\",\"parent_id\":\"21\",\"name\":\"mail\",\"origin\":\"AWS::Lambda\","
     "\"start_time\":100.5,\"end_time\":100.9,\"fault\":true,"
     "\"http\":{\"response\":{\"status\":502},\"request\":{\"method\":\"POST\","
     "\"url\":\"http://mail/x\"}},\"aws\":{\"account_id\":\"123456789012\"}}"),
    "no document",
    ("{\"id\":\"4\",\"parent_id\":\"3\",\"name\":\"mail\",\"origin\":\"AWS::Lambda::Function\","
     "\"start_time\":100.6,\"end_time\":102.0,\"fault\":true,\"in_progress\":true}"),
};

static const struct {
    const char *text;
    int holds; /* -1: no expression */
} cases[] = {
    {"", 1},
    /* of the root segment */
    {"error", 1},
    {"fault", 0},
    {"ok", 0},
    {"throttle", 0},
    {"inferred", 0},
    {"root", 1},
    {"partial", 1},
    {"ok = false", 1},
    {"error != true", 0},
    {"error OR fault", 1},
    {"error AND fault", 0},
    {"fault OR error AND throttle", 0},
    {"(fault OR error) AND !throttle", 1},
    {"error !fault responsetime > 1", 1},
    {"error (fault OR ok)", 0},
    {"NOT fault and responsetime > 1", 1},
    {"responsetime > 1.5", 0},
    {"responsetime > 0.0001", 1},
    {"responsetime = 1.500000", 1},
    {"duration = 2", 1},
    {"duration<2.1", 1},
    {"http.status = 200", 1},
    {"http.status != 200", 0},
    {"http.status >= 500", 0},
    /* of one of the segments */
    {"name BEGINSWITH \"ma\"", 1},
    {"name CONTAINS 'x'", 0},
    {"id = \"1-2-3\"", 1},
    {"type ENDSWITH \"Function\"", 1},
    {"resource.arn = \"arn:api\"", 1},
    {"http.url = \"http://mail/x\"", 1},
    {"http.method = \"GET\"", 0},
    {"http.useragent != \"x\"", 0},
    {"user = \"x\" OR message = \"y\"", 0},
    {"annotation.age > 18", 0},
    {"annotation[age] = \"x\" OR error", 1},
    {"annotation.age", 0},
    {"annotation.age !fault", 0},
    {"!annotation.age error", 1},
    /* services */
    {"service(\"api\")", 1},
    {"service(\"other\")", 0},
    {"service(\"api\") { fault }", 0},
    {"service(\"mail\") { fault AND http.status = 502 }", 1},
    {"service(\"mail\") { fault AND http.status = 200 }", 0},
    {"service(\"mail\") { responsetime = 0.4 }", 1},
    {"service(\"mail\") { http.url CONTAINS \"mail\" AND duration < 1 }", 1},
    {"service(\"api\") { http.url CONTAINS \"mail\" }", 0},
    {"service() { partial }", 1},
    {"service() { root }", 1},
    {"service(\"mail\") { root }", 0},
    {"service(id(name: \"api\", type: \"AWS::Lambda::Function\"))", 1},
    {"service(id(type: \"AWS::Lambda\", name: \"api\")) { root }", 1},
    {"service(id(name: \"api\", type: \"AWS::EC2::Instance\"))", 0},
    {"service(id(account.id: \"123456789012\"))", 1},
    {"service(id(account.id: \"999999999999\"))", 0},
    {"service(\"none\") { error } OR error", 1},
    {"!service(\"mail\")", 0},
    /* edges */
    {"edge(\"api\", \"mail\")", 1},
    {"edge(\"api\",\"mail\") { fault }", 1},
    {"edge(\"api\", \"mail\") { ok }", 0},
    {"edge(\"mail\", \"api\")", 0},
    {"edge(\"api\", \"other\")", 0},
    {"edge(id(name: \"api\", type: \"AWS::Lambda\"), id(type: \"AWS::Lambda::Function\"))", 1},
    {"edge(id(name: \"api\", type: \"AWS::Lambda\"), \"mail\")", 0},
    {"edge(, \"mail\") AND edge(\"mail\",)", 1},
    /* none */
    {"foo bar (", -1},
    {"error OR", -1},
    {"error AND AND fault", -1},
    {"(error", -1},
    {"error)", -1},
    {"responsetime", -1},
    {"responsetime > fast", -1},
    {"http.status = \"200\"", -1},
    {"service(api)", -1},
    {"service(\"api\") { error", -1},
    {"service(\"none\") { bad }", -1},
    {"service(id(name \"x\"))", -1},
    {"service(id(size: \"x\"))", -1},
    {"service(id(name: \"x\")", -1},
    {"edge(\"a\")", -1},
    {"edge(\"a\", \"b\"", -1},
    {"edge(\"none\", \"b\") { error = 1 }", -1},
    {"name = x", -1},
    {"name = \"x", -1},
    {"error = 1", -1},
    {"annotation = 1", -1},
    {"annotation[] = 1", -1},
    {"annotation.a =", -1},
    {"group.name = \"g\"", -1},
    {"json(\"{}\")", -1},
    {"rootcause.fault.entity { first }", -1},
    {"((((((((((((((((((((((((((((((((((((error))))))))))))))))))))))))))))))))))))", -1},
};

static void check_case(const struct xray_trace *t, size_t i)
{
    struct err e = {0};
    bool holds = false;

    enum status s = xray_filter(str_from(cases[i].text), t, &holds, &e);
    if ((s == OK ? (int)holds : -1) != cases[i].holds) {
        print_error("%s: %s %d %s\n", cases[i].text, status_name(s), holds, e.msg);
        CHECK(false);
    }
    CHECK(s == OK || strstr(e.msg, "at character") != NULL);
}

/* Without segments the same expressions are none. */
static void test_cases(void **state)
{
    struct arena a = {0};
    struct xray_trace t = {.id = STR("1-2-3")};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(documents); i++)
        xray_trace_add(&a, &t, str_from(documents[i]));
    xray_trace_link(&t);
    CHECK_INT(t.n, 4);
    CHECK_INT(t.root, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        bool holds;
        check_case(&t, i);
        enum status s = xray_filter(str_from(cases[i].text), &(struct xray_trace){0}, &holds, &e);
        CHECK((s == OK) == (cases[i].holds >= 0));
    }
    arena_clear(&a);
}

/* The place of an error is told, whichever segment it was read for. */
static void test_place(void **state)
{
    struct err e = {0};
    bool holds;

    UNUSED(state);
    CHECK_STATUS(
        xray_filter(STR("error AND edge(\"a\" \"b\")"), &(struct xray_trace){0}, &holds, &e),
        ERR_PARSE);
    CHECK_STR(str_from(e.msg), STR("FilterExpression: , is expected at character 20"));
    CHECK_STATUS(xray_filter(STR("group.arn = \"x\""), &(struct xray_trace){0}, &holds, &e),
                 ERR_PARSE);
    CHECK(strstr(e.msg, "not groups, json() or root causes") != NULL);
    CHECK(strstr(e.msg, "at character 1") != NULL);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                          cmocka_unit_test(test_place)};
TEST_MAIN(tests)
