/* Rules over samples: runs, windows, ratios, gaps, hysteresis; order and lateness of data. */
#include "tests/test.h"

#include "analyzer/alerts/alert_text.h"
#include "analyzer/alerts/rule_eval.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/rng.h"

#define STALE (10 * NS_PER_MIN)
#define T0    (1000 * NS_PER_MIN)

enum { MAX = 64 };

struct data {
    struct sample samples[MAX];
    struct track track;
};

static struct rule rule_of(const char *when)
{
    struct rule r = {0};
    struct err e = {0};

    CHECK_OK(rule_parse(&r, str_from(when), &e), &e);
    return r;
}

/* Values minute by minute from T0 on; -1 is a missing one. */
static void fill(struct data *d, const struct signal_info *signal, const int *values, size_t n)
{
    d->track = (struct track){.signal = signal, .samples = d->samples, .n = n};
    for (size_t i = 0; i < n; i++) {
        const int64_t at = T0 + (int64_t)i * NS_PER_MIN;
        d->samples[i] = (struct sample){at, at + NS_PER_MIN, values[i], values[i] < 0};
    }
}

static struct observation eval(const char *when, const int *values, size_t n)
{
    const struct rule r = rule_of(when);
    struct observation o;
    struct data d;

    fill(&d, r.signal, values, n);
    rule_eval(&r, &d.track, NULL, T0 + (int64_t)n * NS_PER_MIN, STALE, &o);
    return o;
}

#define EVAL(when, ...)                                                                            \
    eval(when, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void test_for(void **state)
{
    UNUSED(state);
    CHECK_INT(EVAL("queue.depth > 0 for 3m", 0, 1, 1).verdict, VERDICT_HOLDS);
    /* in which second of its first minute it began nobody knows */
    CHECK_INT(EVAL("queue.depth > 0 for 3m", 0, 1, 9, 2).verdict, VERDICT_HOLDS);
    struct observation o = EVAL("queue.depth > 0 for 3m", 0, 1, 9, 2, 2);
    CHECK_INT(o.verdict, VERDICT_DUE);
    CHECK_INT(o.value, 2);
    CHECK_INT(o.worst, 9);
    CHECK_INT(o.started_ns, T0 + 2 * NS_PER_MIN);
    CHECK_INT(o.data_ns, T0 + 5 * NS_PER_MIN);
    CHECK_INT(EVAL("queue.depth > 0 for 50s", 1, 0).n_past, 0); /* over before it was for long */
    CHECK_INT(EVAL("queue.depth > 0 for 3m", 1, 1, 0, 1).verdict, VERDICT_HOLDS);
    CHECK_INT(EVAL("queue.depth > 0", 0, 1).verdict, VERDICT_DUE);
    CHECK_INT(EVAL("queue.depth > 0 for 3m", 1, -1, 1, 1).verdict, VERDICT_DUE); /* a short gap */
}

/* A minute that has just begun proves nothing of 50 seconds, though the minute's begin is as long
 * ago as that. */
static void test_for_within_a_minute(void **state)
{
    const struct rule r = rule_of("queue.depth > 0 for 50s");
    const int one[] = {1};
    struct observation o;
    struct data d;

    UNUSED(state);
    fill(&d, r.signal, one, 1);
    rule_eval(&r, &d.track, NULL, T0 + 55 * NS_PER_SEC, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_HOLDS);
    CHECK_INT(o.started_ns, T0 + 55 * NS_PER_SEC);
    CHECK_INT(o.begin_ns, T0);
}

static void test_clear_and_keep(void **state)
{
    UNUSED(state);
    CHECK_INT(EVAL("queue.depth > 9 clear 5 keep 2m", 12, 7).verdict, VERDICT_BAND);
    CHECK_INT(EVAL("queue.depth > 9 clear 5 keep 2m", 12, 4).verdict, VERDICT_CLEAR);
    CHECK_INT(EVAL("queue.depth > 9 clear 5 keep 2m", 12, 4, 5).verdict, VERDICT_CLEARED);
    CHECK_INT(EVAL("queue.depth > 9 clear 5 keep 2m", 4, 7, 4).verdict, VERDICT_CLEAR);
    CHECK_INT(EVAL("queue.depth > 9", 12, 9).verdict, VERDICT_CLEARED);
    CHECK_INT(EVAL("queue.depth < 3 clear 6", 2, 4).verdict, VERDICT_BAND);
    CHECK_INT(EVAL("queue.depth <= 3", 4, 3).verdict, VERDICT_DUE);
    CHECK_INT(EVAL("queue.depth >= 3", 4, 3).verdict, VERDICT_DUE);
}

static void test_windows(void **state)
{
    UNUSED(state);
    CHECK_INT(EVAL("throttles > 4 over 3m", 2, 2, 1, 0).verdict, VERDICT_CLEARED);
    CHECK_INT(EVAL("throttles > 4 over 3m", 0, 2, 2, 1).verdict, VERDICT_DUE);
    CHECK_INT(EVAL("throttles > 4 over 3m", 0, 2, 2, 1).value, 5);
    CHECK_INT(EVAL("concurrency > 4 over 3m", 9, 1, 1).value, 9);
    CHECK_INT(EVAL("concurrency > 4 over 2m", 9, 1, 1).value, 1);
    CHECK_INT(EVAL("concurrency < 4 over 3m", 9, 1, 5).value, 1);
    /* 5 pico in each of 5 minutes is 60 an hour */
    CHECK_INT(EVAL("spend > $1/h", 5, 5, 5, 5, 5).value, 300);
}

static void test_missing(void **state)
{
    const struct rule r = rule_of("queue.depth > 0");
    struct observation o;
    struct data d;
    const int one[] = {1};

    UNUSED(state);
    fill(&d, r.signal, one, 1);
    rule_eval(&r, &d.track, NULL, T0 + NS_PER_MIN + STALE, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_DUE);
    CHECK_INT(o.n_past, 0);
    rule_eval(&r, &d.track, NULL, T0 + NS_PER_MIN + STALE + 1, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_MISSING);
    CHECK_INT(o.n_past, 1); /* it held, and then nothing was heard */
    rule_eval(&r, &d.track, NULL, T0 + NS_PER_SEC, STALE, &o);
    CHECK_INT(o.data_ns,
              T0 + NS_PER_SEC); /* inside the first minute: data is never from the future */
    rule_eval(&r, NULL, NULL, T0, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_MISSING);
    CHECK_INT(EVAL("queue.depth > 0", -1, -1).verdict, VERDICT_MISSING);
}

/* Throttled requests are no part of the invocations: without any they are more than every share,
 * once it is known that there were none. */
static void test_of_nothing(void **state)
{
    const struct rule r = rule_of("throttles / invocations > 10% over 3m");
    const int some[] = {0, 5, 0}, none[] = {0, 0, 0};
    struct data of, per;
    struct observation o;

    UNUSED(state);
    fill(&of, r.signal, some, 3);
    fill(&per, r.per, none, 3);
    rule_eval(&r, &of.track, &per.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_DUE);
    CHECK_INT(o.value, 5000000);
    CHECK_INT(o.whole, 0);
    per.track.n = 1;
    rule_eval(&r, &of.track, &per.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_CLEARED);
    CHECK_INT(o.data_ns, T0 + NS_PER_MIN);
}

static void test_a_gap_ends_a_run(void **state)
{
    const struct rule r = rule_of("queue.depth > 0 for 15m");
    struct observation o;
    struct data d;
    const int two[] = {1, 1};

    UNUSED(state);
    fill(&d, r.signal, two, 2);
    d.samples[1].begin_ns += 15 * NS_PER_MIN;
    d.samples[1].end_ns += 15 * NS_PER_MIN;
    rule_eval(&r, &d.track, NULL, d.samples[1].end_ns, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_HOLDS);
}

static void test_past_runs(void **state)
{
    UNUSED(state);
    struct observation o = EVAL("queue.depth > 3 for 1m", 0, 5, 9, 0, 4, 0);
    CHECK_INT(o.verdict, VERDICT_CLEARED);
    CHECK_INT(o.n_past, 1);                               /* the second run was too short */
    CHECK_INT(o.past[0].started_ns, T0 + 2 * NS_PER_MIN); /* at the latest */
    CHECK_INT(o.past[0].ended_ns, T0 + 3 * NS_PER_MIN);
    CHECK_INT(o.past[0].worst, 9);
    CHECK_INT(EVAL("queue.depth > 3 for 2m", 0, 5, 9, 0).n_past, 0);
    o = EVAL("queue.depth > 3", 5, 0, 6, 0, 7, 0);
    CHECK_INT(o.n_past, 3);
    CHECK_INT(o.past[0].worst, 5);
    CHECK_INT(o.past[2].worst, 7);
}

/* Of more than there is room for the newest count. */
static void test_many_past_runs(void **state)
{
    const struct rule r = rule_of("queue.depth > 0");
    struct sample samples[2 * (PAST_RUNS + 2)] = {{0}};
    const struct track t = {.signal = r.signal, .samples = samples, .n = ARRAY_LEN(samples)};
    struct observation o;

    UNUSED(state);
    for (size_t i = 0; i < t.n; i++)
        samples[i] = (struct sample){.begin_ns = T0 + (int64_t)i,
                                     .end_ns = T0 + (int64_t)i + 1,
                                     .value = i % 2 == 0 ? (int64_t)i + 1 : 0};
    rule_eval(&r, &t, NULL, T0 + NS_PER_MIN, STALE, &o);
    CHECK_INT(o.n_past, PAST_RUNS);
    CHECK_INT(o.past[0].worst, 5);
    CHECK_INT(o.past[PAST_RUNS - 1].worst, (int64_t)t.n - 1);
}

static void test_ratios(void **state)
{
    const struct rule r = rule_of("errors / invocations > 10% over 2m min 10");
    const struct rule limit = rule_of("concurrency / concurrency_limit >= 80%");
    struct observation o;
    struct data num, den;
    const int errors[] = {0, 1, 4}, calls[] = {5, 5, 15};

    UNUSED(state);
    fill(&num, r.signal, errors, 3);
    fill(&den, r.per, calls, 3);
    rule_eval(&r, &num.track, &den.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_DUE);
    CHECK_INT(o.value, 250000);                   /* 5 of 20 */
    CHECK_INT(o.started_ns, T0 + 2 * NS_PER_MIN); /* before: 1 of 10 is not above 10 % */
    den.samples[2].value = 4;
    rule_eval(&r, &num.track, &den.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_BAND); /* 9 are too few to judge, and told as they are */
    CHECK_INT(o.value, 555556);
    CHECK_INT(o.quorum, QUORUM_FEW);
    CHECK_INT(o.whole, 9);
    num.samples[1].value = num.samples[2].value = 0; /* few, and good */
    rule_eval(&r, &num.track, &den.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_CLEARED);
    rule_eval(&r, &num.track, NULL, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_MISSING);
    /* a limit holds until another is said */
    const int used[] = {1, 8, 8};
    fill(&num, limit.signal, used, 3);
    den.track = (struct track){.signal = limit.per, .samples = den.samples, .n = 1};
    den.samples[0] = (struct sample){.value = 10};
    rule_eval(&limit, &num.track, &den.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_DUE);
    CHECK_INT(o.value, 800000);
    den.samples[0].value = 0; /* no limit: nothing to say */
    rule_eval(&limit, &num.track, &den.track, T0 + 3 * NS_PER_MIN, STALE, &o);
    CHECK_INT(o.verdict, VERDICT_MISSING);
}

/* Nothing was called: nothing fails, whichever way the rule compares. */
static void test_a_share_of_nothing(void **state)
{
    const char *const rules[] = {"errors / invocations > 10% over 1m min 10",
                                 "errors / invocations < 10% over 1m min 10",
                                 "errors / invocations < 10% over 1m"};
    const int none[] = {0, 0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule r = rule_of(rules[i]);
        struct data num, den;
        struct observation o;
        fill(&num, r.signal, none, 2);
        fill(&den, r.per, none, 2);
        rule_eval(&r, &num.track, &den.track, T0 + 2 * NS_PER_MIN, STALE, &o);
        CHECK_INT(o.verdict, VERDICT_CLEARED);
        CHECK_INT(o.quorum, QUORUM_NONE);
        num.samples[1].value = 1; /* counted before what it is a share of */
        rule_eval(&r, &num.track, &den.track, T0 + 2 * NS_PER_MIN, STALE, &o);
        CHECK_INT(o.data_ns, T0 + NS_PER_MIN);
    }
}

/* A value that stays between clear and threshold never changes a verdict from or to DUE. */
static void test_noise_inside_the_band(void **state)
{
    UNUSED(state);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        int values[MAX];
        struct rng rng;
        rng_seed(&rng, seed);
        for (size_t i = 0; i < MAX; i++)
            values[i] = 6 + (int)rng_below(&rng, 4); /* 6..9 */
        for (size_t n = 1; n <= MAX; n++)
            CHECK_INT(eval("queue.depth > 9 clear 5", values, n).verdict, VERDICT_BAND);
    }
}

static struct str summary_of(struct arena *a, const char *when, int64_t value)
{
    const struct rule r = rule_of(when);
    const struct alert alert = {.subject = {SCOPE_QUEUE, {.name = STR("orders-dlq")}},
                                .value = value};

    return alert_summary(a, &r, &alert, NULL, false);
}

/* One thing is not many. */
static void test_number_of_things(void **state)
{
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    CHECK_STR(summary_of(&a, "queue.dlq_depth > 0", 1),
              STR("queue orders-dlq: 1 message in the dead-letter queue (threshold > 0)"));
    CHECK_STR(summary_of(&a, "queue.dlq_depth > 0", 2),
              STR("queue orders-dlq: 2 messages in the dead-letter queue (threshold > 0)"));
    CHECK_STR(summary_of(&a, "async.dropped > 0", 1),
              STR("queue orders-dlq: 1 asynchronous event given up (threshold > 0)"));
    for (const struct signal_info *s = signals; s->name != NULL; s++) {
        const struct str words = str_from(s->phrase);
        const bool is_plural = str_find(words, STR("s ")) < words.n || str_ends(words, STR("s"));
        CHECK(s->unit != UNIT_COUNT || !is_plural || s->one != NULL);
    }
}

/* A function that may run once runs at its limit whenever it runs. */
static void test_small_limits(void **state)
{
    static const struct {
        int at_work, limit;
        enum verdict verdict;
    } cases[] = {
        {1, 1, VERDICT_BAND}, {2, 2, VERDICT_BAND}, {3, 3, VERDICT_DUE}, {1, 2, VERDICT_CLEARED}};
    const struct rule r = rule_of("concurrency / concurrency_limit >= 80% over 3m clear 70% min 3");

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct data num, den;
        struct observation o;
        fill(&num, r.signal, &cases[i].at_work, 1);
        fill(&den, r.per, &cases[i].limit, 1);
        rule_eval(&r, &num.track, &den.track, T0 + NS_PER_MIN, STALE, &o);
        CHECK_INT(o.verdict, cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_limits),
        cmocka_unit_test(test_for),
        cmocka_unit_test(test_for_within_a_minute),
        cmocka_unit_test(test_clear_and_keep),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_of_nothing),
        cmocka_unit_test(test_a_gap_ends_a_run),
        cmocka_unit_test(test_past_runs),
        cmocka_unit_test(test_many_past_runs),
        cmocka_unit_test(test_ratios),
        cmocka_unit_test(test_a_share_of_nothing),
        cmocka_unit_test(test_noise_inside_the_band),
        cmocka_unit_test(test_number_of_things),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
