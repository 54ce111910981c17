/* The grammar of `when:` lines: what is read, and what is said about what cannot be. */
#include "tests/test.h"

#include "analyzer/alerts/signal.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

static struct rule parsed(const char *text)
{
    struct rule r = {0};
    struct err e = {0};

    CHECK_OK(rule_parse(&r, str_from(text), &e), &e);
    return r;
}

static void test_reads(void **state)
{
    UNUSED(state);
    struct rule r = parsed("queue.dlq_depth > 0 for 5m");
    CHECK_Z(r.signal->name, "queue.dlq_depth");
    CHECK(r.per == NULL && r.compare == RULE_ABOVE && r.unit == UNIT_COUNT);
    CHECK_INT(r.threshold, 0);
    CHECK_INT(r.for_ns, 5 * NS_PER_MIN);
    CHECK_INT(r.clear, r.threshold);
    r = parsed("errors/invocations>1.5% over 10m min 20 clear 1% keep 5m");
    CHECK_Z(r.per->name, "invocations");
    CHECK_INT(r.threshold, 15000);
    CHECK_INT(r.clear, 10000);
    CHECK_INT(r.over_ns, 10 * NS_PER_MIN);
    CHECK_INT(r.keep_ns, 5 * NS_PER_MIN);
    CHECK_INT(r.min_count, 20);
    r = parsed("  spend.total >= $2.50/h");
    CHECK_INT(r.threshold, INT64_C(2500000000000));
    CHECK_INT(r.over_ns, 5 * NS_PER_MIN);
    r = parsed("queue.age <= 1h30m");
    CHECK(r.compare == RULE_AT_MOST);
    CHECK_INT(r.threshold, 90 * NS_PER_MIN);
    r = parsed("memory.max > 512MB");
    CHECK_INT(r.threshold, 512 * 1048576);
    r = parsed("duration.max / timeout < 0.9");
    CHECK_INT(r.threshold, 900000);
    CHECK(r.per == NULL && r.signal == parsed("duration.share < 90%").signal);
    CHECK_INT(parsed("memory.max / memory > 95% min 3").threshold, 950000); /* as it was taken */
    CHECK_INT(parsed("throttles > 0").over_ns, NS_PER_MIN);
    CHECK_INT(parsed("errors / invocations >= 100% for 0s over 31d").threshold, 1000000);
    CHECK_INT(parsed("invocations < 1 over 1h").threshold, 1); /* nothing runs */
    CHECK_INT(parsed("queue.depth > 5 clear 0").clear, 0);
    CHECK_INT(parsed("memory.max / memory > 120%").threshold, 1200000);
}

static void test_refuses(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "column 1: a signal is missing here"},
        {"queue.dlqdepth > 0",
         "column 1: there is no signal \"queue.dlqdepth\"; did you mean \"queue.dlq_depth\"?"},
        {"zzzzzzzzzzzzzzzz > 0",
         "column 1: `fnscope alert signals` lists the signals; there is none "
         "named \"zzzzzzzzzzzzzzzz\""},
        {"errors", "column 7: one of > >= < <= is expected here, not \"\""},
        {"errors == 5", "column 8: one of > >= < <= is expected here, not \"==\""},
        {"errors > many", "column 10: a whole number such as 5 is expected here, not \"many\""},
        {"errors > 5m", "column 10: a whole number such as 5 is expected here, not \"5m\""},
        {"queue.age > 5", "column 13: a duration such as 30s or 5m is expected here, not \"5\""},
        {"spend > 5", "column 9: an amount an hour such as $2.50/h is expected here, not \"5\""},
        {"spend.cny > $5/h",
         "column 13: an amount an hour such as CNY18/h is expected here, not \"$5/h\""},
        {"spend.total > CNY5/h",
         "column 15: an amount an hour such as $2.50/h is expected here, not \"CNY5/h\""},
        {"errors > 5 four 5m", "column 12: unknown word \"four\"; did you mean \"for\"?"},
        {"errors > 5 and 5m",
         "column 12: for, over, clear, keep or min is expected here, not \"and\""},
        {"errors > 5 for", "column 15: a duration such as 30s or 5m is expected here, not \"\""},
        {"errors > 5 clear 6",
         "column 17: the clear value lies on the wrong side of the threshold"},
        {"errors > 5 min 6", "column 15: min is the least count of a ratio's divisor"},
        {"errors / queue.depth > 1%",
         "column 10: errors and queue.depth are about different things"},
        {"duration.max / memory > 1%", "column 16: duration.max and memory have different units"},
        {"errors / invocations > 2",
         "column 24: this never holds: it is 100% at most; two per cent "
         "is written 2% or 0.02"},
        {"errors / invocations >= 101%", "column 25: this never holds: it is 100% at most; two per "
                                         "cent is written 2% or 0.02"},
        {"oom / errors > 3",
         "column 16: this never holds: it is 100% at most; two per cent is written 2% or 0.02"},
        {"errors / errors > 1",
         "column 19: this never holds: it is 100% at most; two per cent is written 2% or 0.02"},
        {"duration.max / timeout >= 90",
         "column 27: this never holds: it is 200% at most; two per cent is written 2% or 0.02"},
        {"memory.share > 95",
         "column 16: this never holds: it is 200% at most; two per cent is written 2% or 0.02"},
        {"concurrency / concurrency_limit > 80",
         "column 35: this never holds: it is 200% at most; two per cent is written 2% or 0.02"},
        {"source.quota <= 100%",
         "column 17: this always holds: it is 100% at most; two per cent is "
         "written 2% or 0.02"},
        {"queue.dlq_depth > -1", "column 19: this always holds: no value is below zero; \"> 0\" "
                                 "says that there is any"},
        {"errors >= 0",
         "column 11: this always holds: no value is below zero; \"> 0\" says that there is any"},
        {"invocations < 0",
         "column 15: this never holds: no value is below zero; \"<= 0\" says that there is none"},
        {"errors > 5 clear -1", "column 18: it would never be over: every value is on that side of "
                                "the clear value"},
        {"throttles > 0 over 0s", "column 20: a window of no time holds nothing: say over 1m, or "
                                  "leave it out"},
        {"throttles > 0 over 400d", "column 20: too long: no rule looks back further than 31d"},
        {"errors > 5 over 5m over 6m",
         "column 20: a clause stands once in a rule; this is the second \"over\""},
        {"errors > 5 for 5m over 1m for 5m",
         "column 27: a clause stands once in a rule; this is the second \"for\""},
        {"memory.max > 100",
         "column 14: a size with its unit such as 512MB is expected here, not \"100\""},
        {"memory.max > 100.5",
         "column 14: a size with its unit such as 512MB is expected here, not \"100.5\""},
        {"errors > 5 for 32d", "column 16: too long: no rule looks back further than 31d"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rule r = {.name = STR("kept")};
        struct err e = {0};
        CHECK_STATUS(rule_parse(&r, str_from(cases[i].text), &e), ERR_CONFIG);
        CHECK_Z(e.msg, cases[i].message);
        CHECK(r.signal == NULL); /* untouched */
    }
}

static void test_builtin(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct rule *rules;
    struct err e = {0};
    size_t n;

    UNUSED(state);
    CHECK_OK(builtin_rules(&a, &rules, &n, &e), &e);
    CHECK(n >= 10);
    for (size_t i = 0; i < n; i++)
        CHECK(rules[i].notify_all && rules[i].name.n > 0);
}

static void test_every_signal_is_usable(void **state)
{
    struct signal_help h;
    struct err e = {0};

    UNUSED(state);
    for (size_t i = 0; signal_help(i, &h); i++) {
        CHECK(h.help && h.sample && h.scopes);
        CHECK(signal_find(str_from(h.name)) == &signals[i]);
        CHECK(signals[i].phrase != NULL);
        AUTO(buf_clear) struct buf when = {.max = 256};
        struct rule r = {0};
        buf_addf(&when, "%s > %s", h.name, h.sample);
        CHECK_OK(rule_parse(&r, buf_str(&when), &e), &e);
        if (signals[i].from == FROM_POINTS)
            CHECK_INT(metric_info((enum metric)signals[i].member)->unit, signals[i].unit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_every_signal_is_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
