/* Statistics of CloudWatch: their names, and values of the numbers 1 to 10 ms, whose classes are
 * off by 0.8 % at most. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>

#include "executor/metrics_private.h"

static const struct metric_info duration = {"AWS/Lambda", "Duration", "Milliseconds", 1000, true};

static void fill(struct metric_sum *s)
{
    *s = (struct metric_sum){.low = 1000, .high = 10000};
    for (int64_t ms = 1; ms <= 10; ms++) {
        s->n++;
        s->sum += ms * 1000;
        histogram_add(&s->histogram, bucket_of((uint64_t)ms * 1000), 1);
    }
}

static void test_values(void **state)
{
    static const struct {
        const char *stat;
        double want;
        bool is_exact; /* counts */
    } cases[] = {
        {"TM(10%:90%)", 5.5, false}, {"TM(:90%)", 5, false},      {"tm90", 5, false},
        {"TM(20%:)", 6.5, false},    {"IQM", 5.5, false},         {"TM(2.5:8.5)", 5.5, false},
        {"TM(:3.5)", 2, false},      {"WM(10%:90%)", 5.5, false}, {"WM(:80%)", 5.2, false},
        {"wm80", 5.2, false},        {"WM(2.5:8.5)", 5.5, false}, {"TC(10%:90%)", 8, true},
        {"tc90", 9, true},           {"TC(2.5:8.5)", 6, true},    {"TC(50:100)", 0, true},
        {"TS(10%:90%)", 44, false},  {"ts50", 15, false},         {"TS(50:100)", 0, true},
        {"PR(:3.5)", 30, true},      {"PR(2.5:8.5)", 60, true},   {"PR(0.5:)", 100, true},
        {"TC(25%:75%)", 6, true}, /* 2.5 of the lowest are 2 whole ones */
    };
    struct metric_sum s;

    UNUSED(state);
    fill(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct metric_choice choice;
        double got = -1;
        CHECK(metric_choice_read(str_from(cases[i].stat), &choice));
        CHECK(metric_number(&duration, &s, choice, &got));
        double off = fabs(got - cases[i].want);
        if (off > (cases[i].is_exact ? 0 : cases[i].want * 0.008))
            print_error("%s: %f, not %f\n", cases[i].stat, got, cases[i].want);
        CHECK(off <= (cases[i].is_exact ? 0 : cases[i].want * 0.008));
    }
    metric_sum_clear(&s);
}

static void test_names(void **state)
{
    static const char *const none[] = {
        "",         "tm",          "tm0",     "tm101",       "tmx",        "TM",
        "TM()",     "TM(:)",       "TM(10%)", "TM(90%:10%)", "TM(10%:90)", "TM(10%:101%)",
        "TM(-1:2)", "PR(10%:90%)", "pr90",    "XX(1:2)",     "TM(1:2",     "TM(1:2))",
        "TM(1:1)",  "p101",        "p",       "average",     "IQM(1:2)",
    };
    static const struct metric_info counted = {"AWS/Lambda", "Errors", "Count", 1, false};
    struct metric_sum s = {.n = 3, .sum = 3, .low = 1, .high = 1};
    struct metric_choice choice;
    double value;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        if (metric_choice_read(str_from(none[i]), &choice))
            print_error("%s was taken\n", none[i]);
        CHECK(!metric_choice_read(str_from(none[i]), &choice));
    }
    CHECK(metric_choice_read(STR("TM(1:2)"), &choice));
    CHECK(!metric_number(&counted, &s, choice, &value)); /* has no classes */
    fill(&s);
    CHECK(metric_choice_read(STR("TM(50:100)"), &choice));
    CHECK(!metric_number(&duration, &s, choice, &value)); /* the mean of nothing */
    metric_sum_clear(&s);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
                                          cmocka_unit_test(test_names)};
TEST_MAIN(tests)
