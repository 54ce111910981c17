/* Expressions of GetMetricData: their values point by point, and what is refused. */
#include "tests/test.h"

#include "executor/metric_math.h"

/* Five minutes; e has a gap at 120, n one at 240. */
static struct math_point e_points[] = {{0, 1}, {60, 2}, {180, 4}, {240, 5}};
static struct math_point n_points[] = {{0, 10}, {60, 0}, {120, 30}, {180, 40}};
static const struct math_series series[] = {{e_points, 4, 60}, {n_points, 4, 60}, {NULL, 0, 60}};
static const struct str ids[] = {STR_INIT("e"), STR_INIT("n"), STR_INIT("none1")};
static const bool is_metric[] = {true, true, true};
static const struct math_names names = {ids, 3, is_metric};

/* "0:0.1 180:0.1" */
static void show(const struct math_series *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        buf_addf(out, "%s%lld:", i > 0 ? " " : "", (long long)s->points[i].at_s);
        math_put(out, s->points[i].value);
    }
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"e / n", "0:0.1 180:0.1"}, /* at the times of both, and not by 0 */
        {"100*e", "0:100.0 60:200.0 180:400.0 240:500.0"},
        {"e+n*2-1", "0:20.0 60:1.0 180:83.0"},
        {"(e+n)*2", "0:22.0 60:4.0 180:88.0"},
        {"-e^2", "0:-1.0 60:-4.0 180:-16.0 240:-25.0"},
        {"e - -1", "0:2.0 60:3.0 180:5.0 240:6.0"},
        {"e*0.1+0.2*e", "0:0.3 60:0.6 180:1.2 240:1.5"},
        {"SUM(METRICS())", "0:11.0 60:2.0 120:30.0 180:44.0 240:5.0"},
        {"AVG(METRICS())", "0:5.5 60:1.0 120:30.0 180:22.0 240:5.0"},
        {"MAX(METRICS('e'))", "0:1.0 60:2.0 180:4.0 240:5.0"}, /* e and none1 */
        {"SUM(METRICS(\"zzz\"))", ""},
        {"e/SUM(e)",
         "0:0.0833333333333333 60:0.166666666666667 180:0.333333333333333 240:0.416666666666667"},
        {"e-MIN(e)+MAX(n)", "0:40.0 60:41.0 180:43.0 240:44.0"},
        {"RATE(n)", "60:-0.166666666666667 120:0.5 180:0.166666666666667"},
        {"DIFF(e)", "60:1.0 180:2.0 240:1.0"},
        {"RUNNING_SUM(e)", "0:1.0 60:3.0 180:7.0 240:12.0"},
        {"e/PERIOD(e)*60", "0:1.0 60:2.0 180:4.0 240:5.0"},
        {"e*DATAPOINT_COUNT(n)", "0:4.0 60:8.0 180:16.0 240:20.0"},
        {"FILL(e, 0)", "0:1.0 60:2.0 120:0.0 180:4.0 240:5.0"},
        {"FILL(e,REPEAT)", "0:1.0 60:2.0 120:2.0 180:4.0 240:5.0"},
        {"FILL(e,LINEAR)", "0:1.0 60:2.0 120:3.0 180:4.0 240:5.0"},
        {"FILL(n,LINEAR)", "0:10.0 60:0.0 120:30.0 180:40.0"},
        {"FILL(none1,7)", "0:7.0 60:7.0 120:7.0 180:7.0 240:7.0"},
        {"FILL(none1,REPEAT)", ""},
        {"TIME_SERIES(3)", "0:3.0 60:3.0 120:3.0 180:3.0 240:3.0"},
        {"IF(n > 20, n, 0)", "0:0.0 60:0.0 120:30.0 180:40.0"},
        {"IF(n > 20, e)", "180:4.0"},
        {"IF(1, e, n)", "0:1.0 60:2.0 180:4.0 240:5.0"},
        {"IF(0, e, n)", "0:10.0 60:0.0 120:30.0 180:40.0"},
        {"IF(e >= 2 AND e < 5, 1, 0)", "0:0.0 60:1.0 180:1.0 240:0.0"},
        {"IF(e == 1 || n != 0, e, -1)", "0:1.0 60:-1.0 180:4.0"},
        {"ABS(e-3)", "0:2.0 60:1.0 180:1.0 240:2.0"},
        {"CEIL(e/2)+FLOOR(e/2)", "0:1.0 60:2.0 180:4.0 240:5.0"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_clear) struct arena a = {0};
        AUTO(buf_clear) struct buf out = {.max = 4096};
        struct math_series got;
        struct math *m;
        struct err e = {0};
        const struct math_values values = {series, 0, 300, 60, &a};

        CHECK_OK(math_read(str_from(cases[i].text), &names, &a, &m, &e), &e);
        math_series(m, &values, &got);
        show(&got, &out);
        CHECK_STR(buf_str(&out), str_from(cases[i].want));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "a number, an Id or a function is expected at the end"},
        {"e +", "a number, an Id or a function is expected at the end"},
        {"e n", "an operator is expected at character 3"},
        {"(e", ") is expected at the end"},
        {"e $ 1", "an operator is expected at character 3, where \"$ 1\" stands"},
        {"x + 1", "no query has the Id x"},
        {"SEARCH('{AWS/Lambda}', 'Sum')", "the function SEARCH is not served here"},
        {"ANOMALY_DETECTION_BAND(e)", "the function ANOMALY_DETECTION_BAND is not served here"},
        {"SELECT e", "the function SELECT is not served here"},
        {"1 + 2", "its result is not a time series"},
        {"SUM(e)", "its result is not a time series"},
        {"METRICS()", "its result is not a time series"},
        {"METRICS() * 2", "* does not take METRICS()"},
        {"RATE(1)", "RATE does not take arguments of this type"},
        {"FILL(e)", "FILL takes 2 to 2 arguments, not 1"},
        {"IF(1, 2)", "IF does not take arguments of this type"},
        {"METRICS('e", "the end of the text is expected at the end"},
    };
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf deep = {.max = 4096};
    struct math *m;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        CHECK_INT(math_read(str_from(cases[i].text), &names, &a, &m, &e), ERR_PARSE);
        if (!str_starts(str_from(e.msg), str_from(cases[i].why)))
            print_error("%s: %s\n", cases[i].text, e.msg);
        CHECK(str_starts(str_from(e.msg), str_from(cases[i].why)));
    }
    for (int i = 0; i < 500; i++)
        buf_add_z(&deep, i % 2 ? "(" : "-");
    CHECK_INT(math_read(buf_str(&deep), &names, &a, &m, NULL), ERR_PARSE);
}

static void test_uses(void **state)
{
    static const bool only_n[] = {false, true, false};
    const struct math_names few = {ids, 3, only_n};
    AUTO(arena_clear) struct arena a = {0};
    struct err e = {0};
    struct math *m;

    UNUSED(state);
    CHECK_OK(math_read(STR("e + 1"), &few, &a, &m, &e), &e);
    CHECK(math_uses(m, 0) && !math_uses(m, 1) && !math_uses(m, 2));
    CHECK_OK(math_read(STR("SUM(METRICS())"), &few, &a, &m, &e), &e);
    CHECK(!math_uses(m, 0) && math_uses(m, 1) && !math_uses(m, 2));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_values), cmocka_unit_test(test_refused), cmocka_unit_test(test_uses)};
TEST_MAIN(tests)
