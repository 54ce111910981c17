/* memory.max / memory, duration.max / timeout: what an attempt used is held against the limits it
 * had, whatever the function is given later. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"

#define NOON       INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define AT(minute) (NOON + (minute)*NS_PER_MIN)
#define MB         (UINT64_C(1) << 20)

static const struct fn_ref resize = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("resize"), NULL};

struct attempt {
    int64_t at_ns, duration_ns;
    uint64_t size_mb, used_mb;
};

static void add_attempts(struct fixture *f, const struct attempt *rows, size_t n)
{
    const struct origin o = {.fn = &resize, .instance = STR("s")};
    struct batch *b = batch_new();

    for (size_t i = 0; i < n; i++)
        *batch_invocation(b) = (struct invocation){
            .origin = batch_origin(b, &o),
            .id = arena_printf(&b->arena, "%08llx-0000-4000-a000-000000000000",
                               (unsigned long long)(rows[i].at_ns / NS_PER_SEC)),
            .outcome = OUTCOME_OK,
            .start_ns = rows[i].at_ns,
            .duration_ns = rows[i].duration_ns,
            .memory_bytes = rows[i].size_mb * MB,
            .max_memory_bytes = rows[i].used_mb * MB,
            .attempt = 1,
            .is_final = true,
        };
    fixture_commit(f, b);
}

static void configure(struct fixture *f, int64_t from_ns, int64_t timeout_ns, uint64_t memory_mb)
{
    struct batch *b = batch_new();

    *batch_config(b) = (struct fn_config){.fn = resize,
                                          .valid_from_ns = from_ns,
                                          .timeout_ns = timeout_ns,
                                          .memory_bytes = memory_mb * MB,
                                          .reserved_concurrency = -1};
    fixture_commit(f, b);
}

struct result {
    enum alert_state state;
    int64_t value;
    struct str summary;
};

static struct result evaluate(struct fixture *f, const char *when, int64_t now_ns)
{
    struct rule r = {.name = STR("rule"), .severity = ALERT_WARNING};
    const struct alert_set set = {.rules = &r, .n_rules = 1};
    struct alert_verdicts v;

    CHECK_OK(rule_parse(&r, str_from(when), &f->e), &f->e);
    CHECK_OK(alerts_evaluate(&set, f->store, now_ns, &f->arena, &v, &f->e), &f->e);
    if (v.n_current == 0)
        return (struct result){.state = ALERT_INACTIVE};
    return (struct result){v.current[0].state, v.current[0].value, v.current[0].summary};
}

#define MEMORY   "memory.max / memory >= 95% over 5m keep 5m"
#define DURATION "duration.max / timeout >= 90% over 5m keep 5m"

static void test_lowered_limits(void **state)
{
    static const struct attempt rows[] = {{AT(0), 20 * NS_PER_SEC, 1024, 600},
                                          {AT(1), 20 * NS_PER_SEC, 1024, 600},
                                          {AT(2) + 1, NS_PER_SEC, 512, 100}};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    configure(f, AT(-60), 60 * NS_PER_SEC, 1024);
    configure(f, AT(2), 10 * NS_PER_SEC, 512);
    add_attempts(f, rows, ARRAY_LEN(rows));
    CHECK_INT(evaluate(f, MEMORY, AT(3)).state, ALERT_INACTIVE);
    CHECK_INT(evaluate(f, DURATION, AT(3)).state, ALERT_INACTIVE);
    CHECK_INT(evaluate(f, "memory.max / memory > 50% over 5m", AT(3)).value, 585938);
    CHECK_INT(evaluate(f, "duration.share > 30% over 5m", AT(3)).value, 333333);
    fixture_free(f);
}

static void test_raised_limits(void **state)
{
    static const struct attempt rows[] = {{AT(0), 9900 * NS_PER_MS, 128, 127},
                                          {AT(2) + 1, NS_PER_SEC, 1024, 130}};
    struct fixture *f = fixture_new();
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    configure(f, AT(-60), 10 * NS_PER_SEC, 128);
    configure(f, AT(2), 60 * NS_PER_SEC, 1024);
    add_attempts(f, rows, ARRAY_LEN(rows));
    o = evaluate(f, MEMORY, AT(3));
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_INT(o.value, 992188);
    CHECK_STR(o.summary, STR("function resize: 99.22% of its memory used (threshold >= 95%)"));
    o = evaluate(f, DURATION, AT(3));
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_INT(o.value, 990000);
    fixture_free(f);
}

/* One attempt does not say its size: it had that of the configuration. Of a function whose timeout
 * nobody knows no share is known, not one of zero. */
static void test_known_in_part(void **state)
{
    static const struct attempt rows[] = {{AT(0), NS_PER_SEC, 0, 120}};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    add_attempts(f, rows, ARRAY_LEN(rows));
    CHECK_INT(evaluate(f, "duration.max / timeout < 50%", AT(1)).state, ALERT_INACTIVE);
    CHECK_INT(evaluate(f, "memory.max / memory < 50%", AT(1)).state, ALERT_INACTIVE);
    configure(f, AT(1), 10 * NS_PER_SEC, 120); /* of before the first, that one stands */
    CHECK_INT(evaluate(f, MEMORY, AT(1)).value, 1000000);
    CHECK_INT(evaluate(f, "duration.max / timeout < 50%", AT(1)).value, 100000);
    fixture_free(f);
}

/* The last good reading of the logs was then; a minute with throttled calls. */
static void read_until(struct fixture *f, int64_t logs_ns, int64_t throttled_ns)
{
    struct batch *b = batch_new();

    *batch_source(b) = (struct source_status){.name = STR("prod"),
                                              .account = STR("1"),
                                              .region = STR("eu-west-1"),
                                              .tried_ns = logs_ns,
                                              .success_ns = logs_ns,
                                              .watermark_ns = logs_ns};
    *batch_point(b) = (struct metric_point){.subject = {SCOPE_FUNCTION, resize},
                                            .metric = METRIC_THROTTLES,
                                            .time_ns = throttled_ns,
                                            .period_ns = NS_PER_MIN,
                                            .value = 30,
                                            .weight = 1};
    fixture_commit(f, b);
}

/* A function that is throttled wholly has no invocations at all. */
static void test_throttled_wholly(void **state)
{
    static const char when[] = "throttles / invocations > 10% over 3m";
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    read_until(f, AT(6), AT(5)); /* its log may come yet */
    CHECK_INT(evaluate(f, when, AT(7)).state, ALERT_INACTIVE);
    read_until(f, AT(9), AT(5));
    const struct result o = evaluate(f, when, AT(8));
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_STR(o.summary,
              STR("function resize: 30 throttled requests and no invocations (threshold > 10%)"));
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_lowered_limits),
    cmocka_unit_test(test_raised_limits),
    cmocka_unit_test(test_known_in_part),
    cmocka_unit_test(test_throttled_wholly),
};
TEST_MAIN(tests)
