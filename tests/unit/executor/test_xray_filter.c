/* Filter expressions of X-Ray: what holds of a trace, and what is none. */
#include "tests/test.h"

#include "executor/xray_filter.h"

static const struct {
    const char *text;
    int holds; /* -1: no expression */
} cases[] = {
    {"", 1},
    {"error", 1},
    {"fault", 0},
    {"ok", 0},
    {"ok = false", 1},
    {"error != true", 0},
    {"error OR fault", 1},
    {"error AND fault", 0},
    {"fault OR error AND throttle", 0},
    {"(fault OR error) AND !throttle", 1},
    {"NOT fault and responsetime > 1", 1},
    {"responsetime > 1.5", 0},
    {"duration >= 1.5", 1},
    {"responsetime = 1.500", 1},
    {"http.status = 200", 0},
    {"service(\"api\")", 1},
    {"service(\"other\")", 0},
    {"service(\"api\") { fault }", 0},
    {"service(\"mail\") { error AND responsetime < 2 }", 1},
    {"service() { error }", 1},
    {"name BEGINSWITH \"ma\"", 1},
    {"name CONTAINS 'x'", 0},
    {"id = \"1-2-3\"", 1},
    {"type ENDSWITH \"Function\"", 1},
    {"http.url != \"x\"", 0},
    {"annotation.age > 18", 0},
    {"annotation[age] = \"x\" OR error", 1},
    {"foo bar (", -1},
    {"error OR", -1},
    {"(error", -1},
    {"error fault", -1},
    {"responsetime", -1},
    {"responsetime > fast", -1},
    {"service(api)", -1},
    {"service(\"api\") { error", -1},
    {"name = x", -1},
    {"name = \"x", -1},
    {"error = 1", -1},
    {"edge(\"a\", \"b\")", -1},
    {"((((((((((((((((((((((((((((((((((((error))))))))))))))))))))))))))))))))))))", -1},
};

static void test_cases(void **state)
{
    const struct xray_trace facts = {
        .id = STR("1-2-3"), .names = STR("api,mail"), .duration_ms = 1500, .is_error = true};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        bool holds = false;
        enum status s = xray_filter(str_from(cases[i].text), &facts, &holds, &e);
        if ((s == OK ? (int)holds : -1) != cases[i].holds) {
            print_error("%s: %s %d %s\n", cases[i].text, status_name(s), holds, e.msg);
            CHECK(false);
        }
        CHECK(s == OK || strstr(e.msg, "at character") != NULL);
    }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
TEST_MAIN(tests)
