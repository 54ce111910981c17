/* Every sample line of tests/data/aws against its expected fields: Text and JSON platform lines,
 * application lines of all runtimes, stream names; and what must not be taken for a platform line.
 */
#include "tests/test.h"

#include "collector/aws/aws.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"

static struct str read_data(const char *name, struct buf *b)
{
    struct err e = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/data/aws/%s", TESTS_DIR, name);
    buf_init(b, 1 << 20);
    CHECK_OK(file_read(path, b, &e), &e);
    return buf_str(b);
}

static struct json_doc *parse(struct str line)
{
    struct err e = {0};
    struct json_doc *d = NULL;
    CHECK_OK(json_parse(line, &d, &e), &e);
    return d;
}

/* The sample files write a newline inside an event as the two characters \n. */
static struct str unescape(struct arena *a, struct str line)
{
    char *out = arena_alloc(a, line.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < line.n; i++) {
        bool is_newline = i + 1 < line.n && line.p[i] == '\\' && line.p[i + 1] == 'n';
        out[n++] = is_newline ? '\n' : line.p[i];
        i += is_newline;
    }
    return (struct str){out, n};
}

static struct log_record decode(struct batch *b, struct str body)
{
    struct log_record r = {.body = body};
    aws_decode_lambda(&(struct decode_memo){0}, &r, b);
    return r;
}

/* --- expectations --- */

static bool g_ok;

static void want_str(const struct json *o, const char *key, struct str got)
{
    struct str want = {0};
    json_str(json_get(o, key), &want);
    if (json_get(o, key) != NULL && !str_eq(got, want)) {
        print_error("%s: got \"" STR_FMT "\", expected \"" STR_FMT "\"\n", key, STR_ARG(got),
                    STR_ARG(want));
        g_ok = false;
    }
    if (json_get(o, key) == NULL && got.n > 0) {
        print_error("%s: got \"" STR_FMT "\", expected nothing\n", key, STR_ARG(got));
        g_ok = false;
    }
}

static void want_int(const struct json *o, const char *key, bool has, int64_t got)
{
    int64_t want = 0;
    bool is_wanted = json_i64(json_get(o, key), &want);
    if (is_wanted == has && (!has || got == want))
        return;
    print_error("%s: got %s%" PRId64 ", expected %s%" PRId64 "\n", key, has ? "" : "none ", got,
                is_wanted ? "" : "none ", want);
    g_ok = false;
}

static void want_list(const struct json *o, const char *key, struct arena *a, struct str got)
{
    struct str joined = {0}, item;
    const struct json *list = json_get(o, key);
    for (size_t i = 0; i < json_count(list); i++) {
        CHECK(json_str(json_at(list, i), &item));
        joined =
            arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(joined), i > 0 ? "," : "", STR_ARG(item));
    }
    struct str plain = arena_str(a, got);
    char *to = arena_alloc(a, plain.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < plain.n; i++)
        if (plain.p[i] != ' ')
            to[n++] = plain.p[i];
    if (list != NULL && !str_eq(joined, (struct str){to, n})) {
        print_error("%s: got \"" STR_FMT "\"\n", key, STR_ARG(got));
        g_ok = false;
    }
}

static void want_kind(const struct json *o, enum platform_kind got)
{
    static const struct {
        const char *name;
        enum platform_kind kind;
    } kinds[] = {
        {"init_start", PLATFORM_INIT_START},
        {"initStart", PLATFORM_INIT_START},
        {"initRuntimeDone", PLATFORM_INIT_RUNTIME_DONE},
        {"init_report", PLATFORM_INIT_REPORT},
        {"initReport", PLATFORM_INIT_REPORT},
        {"start", PLATFORM_START},
        {"runtimeDone", PLATFORM_RUNTIME_DONE},
        {"end", PLATFORM_END},
        {"report", PLATFORM_REPORT},
        {"restore_start", PLATFORM_RESTORE_START},
        {"restoreStart", PLATFORM_RESTORE_START},
        {"restore_report", PLATFORM_RESTORE_REPORT},
        {"restoreReport", PLATFORM_RESTORE_REPORT},
        {"extension", PLATFORM_EXTENSION},
        {"telemetry", PLATFORM_TELEMETRY},
        {"telemetrySubscription", PLATFORM_TELEMETRY},
        {"logs", PLATFORM_LOGS},
        {"logsDropped", PLATFORM_LOGS_DROPPED},
        {"timeout", PLATFORM_TIMEOUT},
        {"runtime_exit", PLATFORM_RUNTIME_EXIT},
    };
    struct str want;
    CHECK(json_str(json_get(o, "kind"), &want));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(want, str_from(kinds[i].name))) {
            CHECK_INT(got, kinds[i].kind);
            return;
        }
    fail_msg("unknown kind in the expectations");
}

/* INIT_REPORT and RESTORE_REPORT carry their duration under its own name in the text samples. */
static void want_durations(const struct json *o, const struct platform_event *p)
{
    bool is_init = p->kind == PLATFORM_INIT_REPORT && json_get(o, "init_duration_us") != NULL;
    bool is_restore =
        p->kind == PLATFORM_RESTORE_REPORT && json_get(o, "restore_duration_us") != NULL;
    bool has = (p->has & PH_DURATION) != 0;

    want_int(o, "duration_us", has && !is_init && !is_restore, p->duration_ns / 1000);
    want_int(o, "init_duration_us", is_init ? has : (p->has & PH_INIT) != 0,
             (is_init ? p->duration_ns : p->init_ns) / 1000);
    want_int(o, "restore_duration_us", is_restore ? has : (p->has & PH_RESTORE) != 0,
             (is_restore ? p->duration_ns : p->restore_ns) / 1000);
    want_int(o, "billed_duration_ms", (p->has & PH_BILLED) != 0, p->billed_ns / NS_PER_MS);
    want_int(o, "billed_restore_duration_ms", (p->has & PH_BILLED_RESTORE) != 0,
             p->billed_restore_ns / NS_PER_MS);
    want_int(o, "memory_size_mb", (p->has & PH_MEMORY) != 0, (int64_t)(p->memory_bytes >> 20));
    want_int(o, "max_memory_used_mb", (p->has & PH_MAX_MEMORY) != 0,
             (int64_t)(p->max_memory_bytes >> 20));
}

static void check_text_line(struct batch *b, struct str line, const struct json *o)
{
    struct log_record r = decode(b, unescape(&b->arena, line));
    bool sampled = false;

    CHECK_INT(r.kind, RECORD_PLATFORM);
    const struct platform_event *p = r.platform;
    want_kind(o, p->kind);
    want_str(o, "request_id", r.invocation_id);
    want_str(o, "version", p->version);
    want_str(o, "runtime_version", p->runtime_version);
    want_str(o, "runtime_version_arn", p->runtime_version_arn);
    want_str(o, "phase", p->phase);
    want_str(o, "status", p->status);
    want_str(o, "error_type", p->error_type);
    want_str(o, "error_message", p->error_message);
    want_str(o, "xray_trace_id", r.trace_id);
    want_str(o, "xray_segment_id", p->segment_id);
    want_str(o, "name", p->name);
    want_str(o, "state", p->state);
    want_list(o, p->kind == PLATFORM_EXTENSION ? "events" : "types", &b->arena, p->events);
    want_durations(o, p);
    want_int(o, "timeout_ms", p->kind == PLATFORM_TIMEOUT, p->timeout_ns / NS_PER_MS);
    CHECK_INT(json_bool(json_get(o, "xray_sampled"), &sampled), (p->has & PH_SAMPLED) != 0);
    CHECK_INT(sampled, p->is_sampled);
    CHECK_INT(p->extras.n, 0);
}

static void want_time(const struct json *o, const struct platform_event *p)
{
    struct str text;
    int64_t t_ns = 0;
    CHECK(json_str(json_get(o, "time"), &text) && time_parse(text, &t_ns));
    CHECK((p->has & PH_TIME) != 0);
    CHECK_INT(p->at_ns, t_ns);
}

static void check_json_line(struct batch *b, struct str line, const struct json *o)
{
    struct log_record r = decode(b, line);
    struct str kind;

    CHECK(json_str(json_get(o, "kind"), &kind));
    want_str(o, "request_id", r.invocation_id);
    if (str_eq(kind, STR("app"))) {
        struct str level;
        enum severity s = SEVERITY_UNKNOWN;
        CHECK_INT(r.kind, RECORD_APP);
        want_str(o, "message", r.message);
        want_str(o, "error_type", r.error_type);
        CHECK(json_str(json_get(o, "level"), &level) && severity_parse(level, &s));
        CHECK_INT(r.severity, s);
        CHECK(!r.is_error);
        return;
    }
    CHECK_INT(r.kind, RECORD_PLATFORM);
    const struct platform_event *p = r.platform;
    want_kind(o, p->kind);
    want_time(o, p);
    want_str(o, "status", p->status);
    want_str(o, "phase", p->phase);
    want_str(o, "error_type", p->error_type);
    want_str(o, "initialization_type", p->init_type);
    want_str(o, "function_name", p->function_name);
    want_str(o, json_get(o, "version") ? "version" : "function_version", p->version);
    want_str(o, "function_arn", p->function_arn);
    want_str(o, "instance_id", p->instance_id);
    want_str(o, "runtime_version", p->runtime_version);
    want_str(o, "tenant_id", p->tenant_id);
    want_str(o, "trace_header", p->trace_header);
    want_durations(o, p);
    want_int(o, "produced_bytes", (p->has & PH_PRODUCED_BYTES) != 0, (int64_t)p->produced_bytes);
    CHECK_INT(p->extras.n, 0);
}

typedef void line_check(struct batch *b, struct str line, const struct json *expect);

static void check_files(const char *lines, const char *expected, line_check *check, size_t count)
{
    AUTO(buf_clear) struct buf a, b;
    struct str rest = read_data(lines, &a), wants = read_data(expected, &b);
    struct batch *batch = batch_new();
    size_t n = 0;

    for (; rest.n > 0; n++) {
        struct str line = str_cut(&rest, '\n');
        struct json_doc *d = parse(str_cut(&wants, '\n'));
        g_ok = true;
        check(batch, line, json_root(d));
        if (!g_ok)
            fail_msg("%s line %zu: " STR_FMT, lines, n + 1, STR_ARG(line));
        json_doc_free(d);
    }
    CHECK_INT(n, count);
    batch_free(batch);
}

static void test_platform_text(void **state)
{
    UNUSED(state);
    check_files("platform-text.log", "platform-text.expected.ndjson", check_text_line, 66);
}

static void test_platform_json(void **state)
{
    UNUSED(state);
    check_files("platform-json.log", "platform-json.expected.ndjson", check_json_line, 29);
}

static void test_app_lines(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf buf;
    struct str rest = read_data("app-lines.ndjson", &buf), body, level;
    struct batch *b = batch_new();
    size_t n = 0;

    for (; rest.n > 0; n++) {
        struct json_doc *d = parse(str_cut(&rest, '\n'));
        const struct json *expect = json_get(json_root(d), "expect");
        CHECK(json_str(json_get(json_root(d), "msg"), &body));
        struct log_record r = decode(b, str_trim_right(body));
        g_ok = true;
        CHECK_INT(r.kind, RECORD_APP);
        want_str(expect, "request_id", r.invocation_id);
        want_str(expect, "error_type", r.error_type);
        if (json_get(expect, "message") != NULL)
            want_str(expect, "message", r.message);
        enum severity want = SEVERITY_UNKNOWN;
        if (json_str(json_get(expect, "level"), &level))
            CHECK(severity_parse(level, &want));
        if (want != SEVERITY_UNKNOWN || !str_starts(body, STR("[Information]")))
            CHECK_INT(r.severity, want);
        CHECK_INT(r.is_error, json_get(expect, "error_type") != NULL);
        if (!g_ok)
            fail_msg("application line %zu", n + 1);
        json_doc_free(d);
    }
    CHECK_INT(n, 16);
    batch_free(b);
}

static void test_stream_names(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf buf;
    struct str rest = read_data("log-streams.ndjson", &buf), name, function, version, environment;

    while (rest.n > 0) {
        struct json_doc *d = parse(str_cut(&rest, '\n'));
        const struct json *o = json_root(d);
        CHECK(json_str(json_get(o, "logStreamName"), &name));
        CHECK(aws_stream_parse(name, &function, &version, &environment));
        struct str want = {0};
        json_str(json_get(o, "function"), &want);
        CHECK_STR(function, want);
        CHECK(json_str(json_get(o, "version"), &want));
        CHECK_STR(version, want);
        CHECK(json_str(json_get(o, "environment"), &want));
        CHECK_STR(environment, want);
        json_doc_free(d);
    }
    CHECK(!aws_stream_parse(STR("web-server-1"), &function, &version, &environment));
    CHECK(!aws_stream_parse(STR("2023/06/02/[72]"), &function, &version, &environment));
    CHECK(!aws_stream_parse(STR("2023/06/02/[]88ab"), &function, &version, &environment));
    CHECK_STR(aws_group_function(STR("/aws/lambda/checkout")), STR("checkout"));
    CHECK_INT(aws_group_function(STR("/my/group")).n, 0);
}

/* --- what is no platform line --- */

#define ID     "8d5958b5-559f-43f3-b278-b71dd7dd0e01"
#define REPORT "REPORT RequestId: " ID
#define VALUES                                                                                     \
    "\tDuration: 2.46 ms\tBilled Duration: 417 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB"

static void test_forgeries(void **state)
{
    UNUSED(state);
    static const char *const lines[] = {
        "hello " REPORT VALUES,
        "[INFO]\t2025-10-21T19:00:45.946Z\t" ID "\t" REPORT VALUES,
        REPORT VALUES " and more",
        REPORT VALUES "\tand more",
        REPORT VALUES "\tDuration: 3.00 ms",
        REPORT "\tDuration: 2.46 h\tBilled Duration: 417 ms\tMemory Size: 1024 MB",
        REPORT "\tDuration: 99999999999999999999 ms\tBilled Duration: 417 ms\tMemory Size: 1 MB",
        REPORT "\tDuration: 2.46 ms",
        REPORT,
        "REPORT RequestId: not-a-uuid" VALUES,
        "REPORT RequestId: 8D5958B5-559f-43f3-b278-b71dd7dd0e01" VALUES,
        "REPORT RequestId: " ID "x" VALUES,
        "START RequestId: " ID " Version: one",
        "START RequestId: " ID,
        "END RequestId: " ID " not quite",
        "INIT_START Runtime: python",
        "{\"time\":\"2026-10-08T06:53:49.256Z\",\"type\":\"platform.report\",\"record\":{}}",
        "{\"time\":\"2026-10-08T06:53:49.256Z\",\"type\":\"platform.start\",\"record\":"
        "{\"requestId\":\"" ID "\"},\"level\":\"INFO\"}",
        "{\"time\":\"soon\",\"type\":\"platform.start\",\"record\":{\"requestId\":\"" ID "\"}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct batch *b = batch_new();
        struct log_record r = decode(b, str_from(lines[i]));
        if (r.kind != RECORD_APP || r.platform != NULL || !r.is_imitation)
            fail_msg("taken for a platform line, or not counted: %s", lines[i]);
        batch_free(b);
    }
}

static void test_innocent_lines(void **state)
{
    UNUSED(state);
    static const char *const lines[] = {
        "REPORT generation finished", "START of day",         "EXTENSION points are loaded",
        "LOGS are rotated",           "END of story",         "RequestId: unknown",
        "the request id is " ID,      "RequestId: " ID " ok",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct batch *b = batch_new();
        struct log_record r = decode(b, str_from(lines[i]));
        if (r.kind != RECORD_APP || r.is_imitation)
            fail_msg("not innocent: %s", lines[i]);
        CHECK_STR(r.message, str_from(lines[i]));
        batch_free(b);
    }
}

static void test_unknown_labels(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    struct log_record r = decode(
        b, STR(REPORT VALUES "\tCarbon Used: 3 g\tInit Duration: 1.50 ms\tNew Thing: a b c\t"));

    CHECK_INT(r.kind, RECORD_PLATFORM);
    CHECK_STR(r.platform->extras, STR("Carbon Used: 3 g\tNew Thing: a b c"));
    CHECK_INT(r.platform->init_ns, 1500000);
    CHECK_INT(b->counts.unknown_labels, 2);
    r = decode(b, STR("{\"time\":\"2026-10-08T06:53:49.256Z\",\"type\":\"platform.report\","
                      "\"record\":{\"requestId\":\"" ID "\",\"metrics\":{\"durationMs\":1.5},"
                      "\"novelty\":[1,2]}}"));
    CHECK_INT(r.kind, RECORD_PLATFORM);
    CHECK_STR(r.platform->extras, STR("novelty: [1,2]"));
    CHECK_INT(b->counts.unknown_labels, 3);
    r = decode(b, STR("{\"time\":\"2026-10-08T06:53:49.256Z\",\"type\":\"platform.brandNew\","
                      "\"record\":{\"a\":1}}"));
    CHECK_INT(r.kind, RECORD_PLATFORM);
    CHECK_INT(r.platform->kind, PLATFORM_OTHER);
    CHECK(!r.is_imitation);
    batch_free(b);
}

/* --- more shapes of application lines --- */

static const struct {
    const char *line;
    enum severity severity;
    const char *id, *message, *error_type;
    bool is_error;
} shapes[] = {
    {"2020-08-31 20:40:17 " ID " ERROR Handler:41 - no stock", SEVERITY_ERROR, ID, "no stock", "",
     false},
    {"[ERROR] KeyError: 'x'\rTraceback (most recent call last):\r\xC2\xA0\xC2\xA0"
     "File \"/var/task/app.py\", line 3",
     SEVERITY_ERROR, "",
     "KeyError: 'x'\rTraceback (most recent call last):\r\xC2\xA0\xC2\xA0"
     "File \"/var/task/app.py\", line 3",
     "KeyError", true},
    {"[ERROR]\t2025-10-21T19:00:45.946Z\t" ID "\tfailed\nTraceback (most recent call last):\n x",
     SEVERITY_ERROR, ID, "failed\nTraceback (most recent call last):\n x", "", false},
    {"[WARN] low disk", SEVERITY_WARN, "", "low disk", "", false},
    {"[Error] - it broke", SEVERITY_ERROR, "", "it broke", "", false},
    {"[2024] not a level", SEVERITY_UNKNOWN, "", "[2024] not a level", "", false},
    {"2026-09-01T10:00:00.123Z\t" ID "\tfail\tSystem.IO.IOException: gone\n   at F.H(String s)",
     SEVERITY_ERROR, ID, "System.IO.IOException: gone\n   at F.H(String s)",
     "System.IO.IOException", true},
    {"E, [2026-09-01T10:00:00.123456 #8] ERROR " ID " -- prog: late", SEVERITY_ERROR, ID, "late",
     "", false},
    {"Error raised from handler method\n{\n  \"errorMessage\": \"x\",\n  \"errorType\": "
     "\"Function<RuntimeError>\"\n}",
     SEVERITY_ERROR, "",
     "Error raised from handler method\n{\n  \"errorMessage\": \"x\",\n  \"errorType\": "
     "\"Function<RuntimeError>\"\n}",
     "Function<RuntimeError>", true},
    {"2026/03/27 03:40:05.123456 {\"errorMessage\":\"x\",\"errorType\":\"E\\u6f22 \\\"a\\\"\"}",
     SEVERITY_ERROR, "", "{\"errorMessage\":\"x\",\"errorType\":\"E\\u6f22 \\\"a\\\"\"}",
     "E\xe6\xbc\xa2 \"a\"", true},
    {"2026/03/27 03:40:05.123456 {\"errorMessage\":\"boom\",\"errorType\":\"errorString\"}",
     SEVERITY_ERROR, "", "{\"errorMessage\":\"boom\",\"errorType\":\"errorString\"}", "errorString",
     true},
    {"time=2026-03-27T03:40:05.000Z level=WARN msg=\"slow db\" requestId=" ID, SEVERITY_WARN, ID,
     "slow db", "", false},
    {"boom: java.lang.IllegalStateException\njava.lang.IllegalStateException: boom\n"
     "\tat example.Handler.run(Handler.java:3)\n",
     SEVERITY_ERROR, "",
     "boom: java.lang.IllegalStateException\njava.lang.IllegalStateException: boom\n"
     "\tat example.Handler.run(Handler.java:3)\n",
     "java.lang.IllegalStateException", true},
    {"\033[2m2025-01-01T00:00:00.000Z\033[0m \033[32m INFO\033[0m plain", SEVERITY_INFO, "",
     "plain", "", false},
    {"2025-01-01T00:00:00.000000Z  WARN bootstrap: careful", SEVERITY_WARN, "",
     "bootstrap: careful", "", false},
    {"done INFO Lambda runtime invoke{requestId=\"" ID
     "\" xrayTraceId=\"Root=1-69478edf-2bff\"}: x",
     SEVERITY_INFO, ID, "x", "", false},
    {"LAMBDA_WARNING: Unhandled exception. Look.\r{\"timestamp\":\"2024-01-01T00:00:00Z\","
     "\"log_level\":\"ERROR\",\"errorMessage\":\"m\",\"errorType\":\"KeyError\",\"requestId\":\"" ID
     "\",\"stackTrace\":[]}",
     SEVERITY_ERROR, ID, "m", "KeyError", true},
    {"{\"timestamp\":\"2024-01-01T00:00:00Z\",\"level\":\"ERROR\",\"errorMessage\":\"m\","
     "\"errorType\":\"KeyError\",\"requestId\":\"" ID "\",\"stackTrace\":[]}",
     SEVERITY_ERROR, ID, "m", "KeyError", true},
    {"{\"level\":50,\"msg\":\"pino\"}", SEVERITY_ERROR, "", "pino", "", false},
    {"{\"level\":\"ERROR\",\"requestId\":\"" ID
     "\",\"message\":{\"errorType\":\"TypeError\",\"errorMessage\":\"x\"}}",
     SEVERITY_ERROR, ID, "{\"errorType\":\"TypeError\",\"errorMessage\":\"x\"}", "TypeError",
     false},
    {"{\"level\":\"Critical\",\"requestId\":\"" ID "\",\"message\":\"m\"}", SEVERITY_FATAL, ID, "m",
     "", false},
    {"{not json", SEVERITY_UNKNOWN, "", "{not json", "", false},
    {"INFORMAL talk", SEVERITY_UNKNOWN, "", "INFORMAL talk", "", false},
    {"ERROR disk full", SEVERITY_ERROR, "", "disk full", "", false},
};

static void test_shapes(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct log_record r = decode(b, str_from(shapes[i].line));
        if (r.kind != RECORD_APP || r.severity != shapes[i].severity ||
            !str_eq(r.invocation_id, str_from(shapes[i].id)) ||
            !str_eq(r.message, str_from(shapes[i].message)) ||
            !str_eq(r.error_type, str_from(shapes[i].error_type)) ||
            r.is_error != shapes[i].is_error)
            fail_msg("%s\nseverity %d id " STR_FMT " message \"" STR_FMT "\" type " STR_FMT
                     " error %d",
                     shapes[i].line, (int)r.severity, STR_ARG(r.invocation_id), STR_ARG(r.message),
                     STR_ARG(r.error_type), r.is_error);
    }
    batch_free(b);
}

/* Quantities in front of a tab are mostly read by a way of their own: they say what they say in
 * front of blanks. */
static void test_quantities(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {
        "0 ms",       "1 ms",         "1.5 ms",     "1.50 ms", "00012.25 ms", "999999.999999 ms",
        "1000000 ms", "1.1234567 ms", "1. ms",      ".5 ms",   "1..5 ms",     "1.2.3 ms",
        "-1 ms",      "1e3 ms",       "ms",         "1",       "1 s",         "1 us",
        "1ms",        "1 msec",       "1 MB",       "128 MB",  "128.0 MB",    "128.5 MB",
        "999999 MB",  "1048577 MB",   "9999999 MB", "1 GB",    "0 MB",
    };
    struct batch *b = batch_new();

    for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(texts); i++) {
        const char *ms = texts[i / ARRAY_LEN(texts)], *mb = texts[i % ARRAY_LEN(texts)];
        struct log_record r[2];
        for (size_t k = 0; k < ARRAY_LEN(r); k++) {
            const char *gap = k == 0 ? "\t" : "  ";
            r[k] =
                decode(b, arena_printf(&b->arena,
                                       "REPORT RequestId: " ID "%sDuration: %s%sBilled Duration: "
                                       "7 ms%sMemory Size: %s%sMax Memory Used: 9 MB%s",
                                       gap, ms, gap, gap, mb, gap, gap));
        }
        CHECK_INT(r[0].kind, r[1].kind);
        if (r[0].kind != RECORD_PLATFORM)
            continue;
        CHECK_INT(r[0].platform->duration_ns, r[1].platform->duration_ns);
        CHECK_INT(r[0].platform->memory_bytes, r[1].platform->memory_bytes);
        CHECK_INT(r[0].platform->max_memory_bytes, (int64_t)9 << 20);
    }
    batch_free(b);
}

/* What a line says does not depend on the one before; a START of the same version costs no memory.
 */
static void test_brief_lines(void **state)
{
    static const char *const lines[] = {
        "START RequestId: " ID " Version: $LATEST",
        "START RequestId: " ID " Version: 7",
        "START RequestId: " ID " Version: $LATEST ",
        "START RequestId: " ID " Version: $LATE",
        "START RequestId: " ID " Version: $LATESTX",
        "START RequestId: " ID " Version:",
        "START RequestId: " ID "  Version: 7",
        "START RequestId: " ID "",
        "START RequestId: " ID " version: 7",
        "Start RequestId: " ID " Version: 7",
        "START RequestId: " ID " Version: 77",
        "START\tRequestId: " ID " Version: 7",
        "END RequestId: " ID,
        "END RequestId: " ID " ",
        "END RequestId: " ID "\n",
        "END RequestId: " ID " Version: 7",
        "END RequestId: " ID "0",
        "END RequestId: 0f3ae0c5-8f6c-4b8e-9c1b",
        "END  RequestId: " ID,
        "ENDRequestId: " ID,
    };
    struct batch *b = batch_new();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(lines) * ARRAY_LEN(lines); i++) {
        struct decode_memo memo = {0};
        struct log_record before = {.body = str_from(lines[i / ARRAY_LEN(lines)])};
        struct log_record r = {.body = str_from(lines[i % ARRAY_LEN(lines)])};
        const struct log_record alone = decode(b, r.body);
        aws_decode_lambda(&memo, &before, b);
        aws_decode_lambda(&memo, &r, b);
        CHECK_INT(r.kind, alone.kind);
        CHECK_INT(r.is_imitation, alone.is_imitation);
        CHECK(str_eq(r.invocation_id, alone.invocation_id));
        CHECK((r.platform == NULL) == (alone.platform == NULL));
        if (r.platform == NULL)
            continue;
        CHECK_INT(r.platform->kind, alone.platform->kind);
        CHECK_INT(r.platform->has, 0);
        CHECK(str_eq(r.platform->version, alone.platform->version));
        if (i % (ARRAY_LEN(lines) + 1) == 0 && i < 2 * ARRAY_LEN(lines)) /* its like before it */
            CHECK(r.platform == before.platform);
    }
    batch_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platform_text),  cmocka_unit_test(test_platform_json),
        cmocka_unit_test(test_app_lines),      cmocka_unit_test(test_stream_names),
        cmocka_unit_test(test_forgeries),      cmocka_unit_test(test_innocent_lines),
        cmocka_unit_test(test_unknown_labels), cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_quantities),     cmocka_unit_test(test_brief_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
