/* What reports and metrics say about queues, sources and alerts; hostile names cannot break them.
 */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "reports/reports.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static void fill(struct fixture *f)
{
    const struct fn_ref of = {PROVIDER_AWS, STR("1"), STR("eu-west-1"),
                              STR("orders\"\\\n\x1b[31m-dlq"), NULL};
    struct batch *b = batch_new();
    struct alert a = {
        .key = STR("0123456789abcdef"),
        .rule = STR("dlq-depth"),
        .subject = {SCOPE_QUEUE, of},
        .severity = ALERT_CRITICAL,
        .state = ALERT_FIRING,
        .since_ns = NOON,
        .started_ns = NOON,
        .fired_ns = NOON,
        .value = 12,
        .peak = 15,
        .summary = STR("12 messages"),
        .evidence = STR("fnscope sql \"select * from metric_points where name = 'a|b'\""),
    };
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1};

    fixture_open(f, false);
    *batch_queue(b) = (struct msg_queue){.of = of,
                                         .is_dlq = true,
                                         .depth = 12,
                                         .has_age = true,
                                         .oldest_ns = 90 * NS_PER_SEC,
                                         .feeders = STR("orders"),
                                         .seen_ns = NOON};
    *batch_source(b) = (struct source_status){.name = STR("prod"),
                                              .type = STR("aws"),
                                              .success_ns = NOON,
                                              .lag_ns = NS_PER_SEC,
                                              .add_calls = 7,
                                              .add_cost = INT64_C(1500000000000),
                                              .quota_ppm = 250000,
                                              .quota = STR("logs:FilterLogEvents")};
    fixture_commit(f, b);
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
}

static void add_failing_source(struct fixture *f)
{
    struct batch *b = batch_new();

    *batch_source(b) = (struct source_status){.name = STR("wrong\x1b[31m"),
                                              .type = STR("aws"),
                                              .tried_ns = NOON,
                                              .failures = 3,
                                              .error = STR("HTTP 403 error")};
    fixture_commit(f, b);
}

static void add_queue_of(struct fixture *f, const char *account)
{
    struct batch *b = batch_new();

    *batch_queue(b) = (struct msg_queue){.of = {.provider = PROVIDER_AWS,
                                                .account = str_from(account),
                                                .region = STR("eu-west-1"),
                                                .name = STR("twin")},
                                         .seen_ns = NOON};
    fixture_commit(f, b);
}

static bool has(const struct buf *b, const char *text)
{
    return str_find(buf_str(b), str_from(text)) < b->n;
}

static void resolve_alert(struct fixture *f)
{
    struct alert a = {
        .key = STR("123456789abcdef0"),
        .rule = STR("over"),
        .state = ALERT_RESOLVED,
        .started_ns = NOON,
        .fired_ns = NOON,
        .resolved_ns = NOON,
    };
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1};

    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
}

/* The value of the sample whose line begins so. */
static bool is_worth(const struct buf *b, const char *start, const char *value)
{
    struct str line, rest = str_skip(buf_str(b), str_find(buf_str(b), str_from(start)));

    line = str_cut(&rest, '\n');
    return line.n > 0 && str_ends(line, str_from(value));
}

static void test_metrics(void **state)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    const struct prometheus_options o = {.now_ns = NOON + 2 * NS_PER_SEC};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    resolve_alert(f);
    CHECK_OK(prometheus_write(f->store, &o, &b, &f->e), &f->e);
    CHECK(is_worth(&b, "fnscope_alert{alertname=\"dlq-depth\"", "} 1"));
    CHECK(is_worth(&b, "fnscope_alert{alertname=\"over\",state=\"resolved\"", "} 0"));
    CHECK(has(&b, "queue=\"orders\\\"\\\\"));
    CHECK(has(&b, "kind=\"dead_letter\",state=\"visible\"} 12\n"));
    CHECK(has(&b, "fnscope_source_lag_seconds{source=\"prod\",type=\"aws\"} 3\n"));
    CHECK(has(&b, "fnscope_source_cost_usd_total{source=\"prod\",type=\"aws\"} 1.5\n"));
    CHECK(has(&b, "fnscope_source_quota_ratio{source=\"prod\",type=\"aws\"} 0.25\n"));
    CHECK(has(&b, "fnscope_alert{alertname=\"dlq-depth\",state=\"firing\",severity=\"critical\""));
    for (struct str rest = buf_str(&b);
         rest.n > 0;) { /* one sample a line, whatever a name holds */
        struct str line = str_cut(&rest, '\n');
        CHECK(str_starts(line, STR("# ")) || str_starts(line, STR("fnscope_")));
        CHECK(str_find_char(line, '\x1b') == line.n);
    }
    fixture_free(f);
}

static void add_point_of(struct batch *b, enum metric metric, const char *fn, int64_t at_ns,
                         int64_t value)
{
    *batch_point(b) = (struct metric_point){
        .subject = {fn[0] != '\0' ? SCOPE_FUNCTION : SCOPE_REGION,
                    {PROVIDER_AWS, STR("1"), STR("eu-west-1"), str_from(fn), NULL}},
        .metric = metric,
        .time_ns = at_ns,
        .period_ns = metric == METRIC_CONCURRENCY_LIMIT ? 0 : NS_PER_MIN,
        .value = value,
        .weight = 1};
}

/* Throttles and lost events add up over all minutes, and are 0 where the region's are read; levels
 * are those of the newest minute, and of none that is old. */
static void test_metrics_of_points(void **state)
{
    static const char fn[] = "{provider=\"aws\",account=\"1\",region=\"eu-west-1\",function=\"";
    static const struct {
        const char *name, *function, *value; /* NULL: there is none */
    } rows[] = {
        {"fnscope_function_throttles_total", "shut", "12"},
        {"fnscope_function_throttles_total", "calm", "0"},
        {"fnscope_function_async_events_dropped_total", "shut", "3"},
        {"fnscope_function_dead_letter_errors_total", "calm", NULL},
        {"fnscope_function_concurrent_executions", "shut", "4"},
        {"fnscope_function_concurrent_executions", "old", NULL},
        {"fnscope_function_reserved_concurrency", "shut", "5"},
    };
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    const struct prometheus_options o = {.now_ns = NOON + 2 * NS_PER_SEC};
    struct fixture *f = fixture_new();
    struct batch *x = batch_new();

    UNUSED(state);
    fixture_open(f, false);
    const struct fn_ref calm = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("calm"), NULL};
    *batch_invocation(x) =
        (struct invocation){.origin = batch_origin(x, &(struct origin){.fn = batch_fn(x, &calm),
                                                                       .log_group = STR("/g"),
                                                                       .instance = STR("s")}),
                            .id = STR("one"),
                            .outcome = OUTCOME_OK,
                            .start_ns = NOON - NS_PER_MIN,
                            .is_final = true};
    add_point_of(x, METRIC_THROTTLES, "", NOON - NS_PER_MIN, 12);
    add_point_of(x, METRIC_THROTTLES, "shut", NOON - NS_PER_DAY, 7);
    add_point_of(x, METRIC_THROTTLES, "shut", NOON - NS_PER_MIN, 5);
    add_point_of(x, METRIC_ASYNC_DROPPED, "shut", NOON - NS_PER_MIN, 3);
    add_point_of(x, METRIC_CONCURRENCY, "shut", NOON - NS_PER_MIN, 4);
    add_point_of(x, METRIC_CONCURRENCY, "old", NOON - NS_PER_HOUR, 4);
    add_point_of(x, METRIC_CONCURRENCY_LIMIT, "shut", NOON - NS_PER_HOUR, 5);
    add_point_of(x, METRIC_CONCURRENCY, "", NOON - NS_PER_MIN, 9);
    add_point_of(x, METRIC_CONCURRENCY_LIMIT, "", NOON - NS_PER_HOUR, 1000);
    fixture_commit(f, x);
    CHECK_OK(prometheus_write(f->store, &o, &b, &f->e), &f->e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct str start =
            arena_printf(&f->arena, "%s%s%s\"} ", rows[i].name, fn, rows[i].function);
        const bool is_there = str_find(buf_str(&b), start) < b.n;
        CHECK_INT(is_there, rows[i].value != NULL);
        if (is_there)
            CHECK(
                has(&b, arena_printf(&f->arena, STR_FMT "%s\n", STR_ARG(start), rows[i].value).p));
    }
    CHECK(has(&b, "fnscope_region_throttles_total{provider=\"aws\",account=\"1\","
                  "region=\"eu-west-1\"} 12\n"));
    CHECK(has(&b, "fnscope_region_concurrent_executions{provider=\"aws\",account=\"1\","
                  "region=\"eu-west-1\"} 9\n"));
    CHECK(has(&b, "fnscope_region_concurrency_limit{provider=\"aws\",account=\"1\","
                  "region=\"eu-west-1\"} 1000\n"));
    fixture_free(f);
}

static void write_as(struct fixture *f, int64_t day_ns, enum report_format format, struct buf *out)
{
    const struct cost_context cost = {.default_region = STR("us-east-1"),
                                      .default_arch = ARCH_X86_64};
    const struct report_options o = {.range = {day_ns, day_ns + NS_PER_DAY},
                                     .now_ns = NOON + 83 * NS_PER_SEC,
                                     .cost = &cost,
                                     .no_compare = true};

    CHECK_OK(report_write(f->store, &o, format, out, &f->e), &f->e);
}

static void write_report(struct fixture *f, int64_t day_ns, struct buf *out)
{
    write_as(f, day_ns, REPORT_TEXT, out);
}

static void add_attempt(struct batch *b, const char *fn, int64_t at_ns, int used_mb, int size_mb)
{
    const struct fn_ref of = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), str_from(fn), NULL};
    const bool is_over = size_mb > 0;

    *batch_invocation(b) = (struct invocation){
        .origin = batch_origin(b, &(struct origin){.fn = batch_fn(b, &of), .instance = STR("s")}),
        .id = arena_printf(&b->arena, "%s-%lld", fn, (long long)(at_ns / NS_PER_SEC)),
        .outcome = is_over ? OUTCOME_OK : OUTCOME_UNKNOWN,
        .start_ns = at_ns,
        .duration_ns = is_over ? 20 * NS_PER_MS : 0,
        .memory_bytes = (uint64_t)size_mb << 20,
        .max_memory_bytes = (uint64_t)used_mb << 20,
        .attempt = 1,
        .is_final = is_over};
}

/* Memory is that of now, the configuration's or the newest attempt's; what was used is a share of
 * what the attempt had; a summary counts what its sum is of: not an attempt that runs. */
static void test_metrics_of_memory(void **state)
{
    static const char *const rows[] = {
        "fnscope_function_memory_size_bytes{F\"told\"} 536870912\n",
        "fnscope_function_memory_size_bytes{F\"seen\"} 134217728\n",
        "fnscope_function_memory_used_max_bytes{F\"told\"} 629145600\n",
        "fnscope_function_memory_used_ratio{F\"told\"} 0.78125\n",
        "fnscope_function_memory_used_ratio{F\"seen\"} 0.992188\n",
        "fnscope_function_invocations_total{F\"seen\"} 3\n",
        "fnscope_function_duration_seconds_sum{F\"seen\"} 0.04\n",
        "fnscope_function_duration_seconds_count{F\"seen\"} 2\n",
    };
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    const struct prometheus_options o = {.now_ns = NOON + 2 * NS_PER_SEC};
    struct fixture *f = fixture_new();
    struct batch *x = batch_new();

    UNUSED(state);
    fixture_open(f, false);
    add_attempt(x, "told", NOON - NS_PER_HOUR, 600, 1024);
    add_attempt(x, "told", NOON - NS_PER_MIN, 400, 512);
    add_attempt(x, "seen", NOON - NS_PER_DAY, 40, 1024);
    add_attempt(x, "seen", NOON - NS_PER_MIN, 127, 128);
    add_attempt(x, "seen", NOON, 0, 0);
    for (int i = 0; i < 2; i++)
        *batch_config(x) =
            (struct fn_config){.fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("told"), NULL},
                               .valid_from_ns = NOON - (2 - i) * NS_PER_HOUR,
                               .memory_bytes = (uint64_t)(1024 >> i) << 20,
                               .reserved_concurrency = -1};
    fixture_commit(f, x);
    CHECK_OK(prometheus_write(f->store, &o, &b, &f->e), &f->e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = str_from(rows[i]), name = str_cut(&rest, 'F');
        const struct str want = arena_printf(
            &f->arena,
            STR_FMT "provider=\"aws\",account=\"1\",region=\"eu-west-1\",function=" STR_FMT,
            STR_ARG(name), STR_ARG(rest));
        CHECK_Z(rows[i], has(&b, want.p) ? rows[i] : b.p);
    }
    fixture_free(f);
}

static void test_report(void **state)
{
    AUTO(buf_clear) struct buf today = {.max = 1u << 20};
    AUTO(buf_clear) struct buf before = {.max = 1u << 20};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    write_report(f, NOON - NOON % NS_PER_DAY, &today);
    CHECK(has(&today, "1 alert; 1 still open."));
    CHECK(has(&today, "1m23s")); /* to now, not to the end of the day */
    CHECK(has(&today, "12 messages wait in dead-letter queues."));
    CHECK(!has(&today, "\x1b[31m"));
    write_report(f, NOON - NOON % NS_PER_DAY - NS_PER_DAY, &before);
    CHECK(!has(&before, "still open")); /* it began later */
    CHECK(!has(&today, "Incomplete:"));
    fixture_free(f);
}

/* A command is pasted from where it is shown raw as well. */
static void test_markdown_commands(void **state)
{
    AUTO(buf_clear) struct buf md = {.max = 1u << 20};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    write_as(f, NOON - NOON % NS_PER_DAY, REPORT_MARKDOWN, &md);
    CHECK(has(&md, "| `fnscope sql \"select * from metric_points where name = 'a\\|b'\"` |"));
    fixture_free(f);
}

static void test_queues_of_two_accounts(void **state)
{
    AUTO(buf_clear) struct buf one = {.max = 1u << 20}, two = {.max = 1u << 20};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    add_queue_of(f, "111111111111");
    write_report(f, NOON - NOON % NS_PER_DAY, &one);
    CHECK(!has(&one, "111111111111"));
    add_queue_of(f, "222222222222");
    write_report(f, NOON - NOON % NS_PER_DAY, &two);
    CHECK(has(&two, "111111111111") && has(&two, "222222222222"));
    fixture_free(f);
}

static void test_report_names_gaps(void **state)
{
    AUTO(buf_clear) struct buf report = {.max = 1u << 20};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    add_failing_source(f);
    write_report(f, NOON - NOON % NS_PER_DAY, &report);
    CHECK(has(&report, "Incomplete: source wrong"));
    CHECK(has(&report, "was never read whole (HTTP 403 error)"));
    CHECK(!has(&report, "source prod"));
    CHECK(!has(&report, "\x1b[31m") && !has(&report, "Complete: every"));
    fixture_free(f);
}
/* What was refused left no invocation behind: without one, too, it is what went wrong. */
static void test_report_names_throttles(void **state)
{
    AUTO(buf_clear) struct buf report = {.max = 1u << 20};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    struct batch *b = batch_new();
    *batch_point(b) = (struct metric_point){
        .subject = {SCOPE_FUNCTION, {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("shut"), NULL}},
        .metric = METRIC_THROTTLES,
        .time_ns = NOON - NS_PER_MIN,
        .period_ns = NS_PER_MIN,
        .value = 5,
        .weight = 1};
    fixture_commit(f, b);
    write_report(f, NOON - NOON % NS_PER_DAY, &report);
    CHECK(has(&report, "5 calls were refused for lack of concurrency (throttled): shut 5."));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_metrics_of_points),
        cmocka_unit_test(test_metrics_of_memory),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_markdown_commands),
        cmocka_unit_test(test_report_names_gaps),
        cmocka_unit_test(test_report_names_throttles),
        cmocka_unit_test(test_queues_of_two_accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
