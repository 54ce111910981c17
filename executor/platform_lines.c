/* One function a line and form, found through a table. */
#include "executor/platform_lines.h"

#include "core/base/json.h"
#include "core/base/timefmt.h"

#define MIB ((uint64_t)1 << 20)

int64_t platform_billed_ms(int64_t duration_ns, int64_t init_ns)
{
    return (duration_ns + init_ns + NS_PER_MS - 1) / NS_PER_MS;
}

/* Initialization ahead of time is paid with the provisioned concurrency, not with an invocation. */
static int64_t report_billed_ms(const struct platform_facts *f)
{
    bool is_ahead = str_eq(f->init_type, STR("provisioned-concurrency"));

    return platform_billed_ms(f->duration_ns, is_ahead ? 0 : f->init_ns);
}

int64_t platform_memory_mb(uint64_t bytes, uint64_t size_bytes)
{
    uint64_t used = bytes > size_bytes ? size_bytes : bytes;

    return (int64_t)((used + MIB - 1) / MIB);
}

/* Nanoseconds as milliseconds with some decimals, rounded half up. */
static void add_ms(struct buf *out, int64_t ns, unsigned decimals)
{
    uint64_t scale = decimals == 2 ? 100 : 1000;
    uint64_t v = ((uint64_t)(ns > 0 ? ns : 0) * scale + NS_PER_MS / 2) / NS_PER_MS;

    buf_add_u64(out, v / scale, 0);
    buf_add_c(out, '.');
    buf_add_u64(out, v % scale, decimals);
}

static void add_number(struct buf *out, struct str before, uint64_t v, struct str after)
{
    buf_add_str(out, before);
    buf_add_u64(out, v, 0);
    buf_add_str(out, after);
}

static void add_text(struct buf *out, struct str before, struct str text, struct str after)
{
    buf_add_str(out, before);
    buf_add_str(out, text);
    buf_add_str(out, after);
}

static bool is_failure(const struct platform_facts *f)
{
    return str_eq(f->status, STR("timeout")) || str_eq(f->status, STR("error"));
}

/* --- text --- */

static void text_status(struct buf *out, const struct platform_facts *f)
{
    if (!is_failure(f))
        return;
    add_text(out, STR("\tStatus: "), f->status, STR(""));
    if (f->error_type.n > 0)
        add_text(out, STR("\tError Type: "), f->error_type, STR(""));
}

/* Lambda writes "python:3.11.v50" for the runtime python3.11: its language, its version, the build.
 * The build here is always the first. */
static void add_runtime_version(struct buf *out, struct str runtime)
{
    struct str name = runtime;
    size_t n = 0;

    if (str_ends(name, STR(".x")))
        name.n -= 2; /* nodejs20.x */
    while (n < name.n && name.p[n] != '.' && (name.p[n] < '0' || name.p[n] > '9'))
        n++;
    struct str version = str_skip(name, n + (n < name.n && name.p[n] == '.'));
    buf_add_str(out, str_sub(name, 0, n));
    if (version.n > 0)
        add_text(out, STR(":"), version, STR(".v1"));
}

static void text_init_start(struct buf *out, const struct platform_facts *f)
{
    buf_add_str(out, STR("INIT_START Runtime Version: "));
    add_runtime_version(out, f->fn->runtime);
    buf_add_c(out, '\n');
}

static void text_init_report(struct buf *out, const struct platform_facts *f)
{
    if (!is_failure(f) && !str_eq(f->init_type, STR("provisioned-concurrency")))
        return;
    buf_add_str(out, STR("INIT_REPORT Init Duration: "));
    add_ms(out, f->duration_ns, 2);
    add_text(out, STR(" ms\tPhase: "), f->phase, STR(""));
    text_status(out, f);
    buf_add_c(out, '\n');
}

static void text_start(struct buf *out, const struct platform_facts *f)
{
    add_text(out, STR("START RequestId: "), f->request_id, STR(" Version: $LATEST\n"));
}

static void text_end(struct buf *out, const struct platform_facts *f)
{
    add_text(out, STR("END RequestId: "), f->request_id, STR("\n"));
}

static void text_report(struct buf *out, const struct platform_facts *f)
{
    uint64_t billed_ms = (uint64_t)report_billed_ms(f);
    uint64_t used_mb = (uint64_t)platform_memory_mb(f->max_memory_bytes, f->fn->memory_bytes);

    add_text(out, STR("REPORT RequestId: "), f->request_id, STR("\tDuration: "));
    add_ms(out, f->duration_ns, 2);
    add_number(out, STR(" ms\tBilled Duration: "), billed_ms, STR(" ms"));
    add_number(out, STR("\tMemory Size: "), f->fn->memory_bytes / MIB, STR(" MB"));
    add_number(out, STR("\tMax Memory Used: "), used_mb, STR(" MB"));
    if (f->init_ns > 0) {
        buf_add_str(out, STR("\tInit Duration: "));
        add_ms(out, f->init_ns, 2);
        buf_add_str(out, STR(" ms"));
    }
    text_status(out, f);
    buf_add_str(out, STR("\t\n"));
    if (f->trace_id.n > 0) {
        add_text(out, STR("XRAY TraceId: "), f->trace_id, STR("\tSegmentId: "));
        add_text(out, STR(""), f->segment_id, STR("\tSampled: true\t\n"));
    }
}

/* --- JSON --- */

static void json_open(struct json_out *o, struct buf *out, const struct platform_facts *f,
                      const char *type)
{
    struct buf time = {.max = 64};

    time_format(&time, f->wall_ns, 3);
    jout_init(o, out, false);
    jout_open(o, '{');
    jout_key(o, "time");
    jout_str(o, buf_str(&time));
    jout_key(o, "type");
    jout_str(o, str_from(type));
    jout_key(o, "record");
    jout_open(o, '{');
    buf_clear(&time);
}

static void json_close(struct json_out *o)
{
    jout_close(o, '}');
    jout_close(o, '}');
    buf_add_c(o->b, '\n');
}

static void json_ms(struct json_out *o, const char *key, int64_t ns)
{
    struct buf text = {.max = 64};

    add_ms(&text, ns, 3);
    jout_key(o, key);
    jout_raw(o, buf_str(&text));
    buf_clear(&text);
}

static void json_status(struct json_out *o, const struct platform_facts *f)
{
    jout_put_str(o, "status", f->status);
    if (f->error_type.n > 0)
        jout_put_str(o, "errorType", f->error_type);
}

static void json_tracing(struct json_out *o, const struct platform_facts *f)
{
    struct buf value = {.max = 256};

    if (f->trace_id.n == 0)
        return;
    buf_addf(&value, "Root=" STR_FMT ";Parent=" STR_FMT ";Sampled=1", STR_ARG(f->trace_id),
             STR_ARG(f->segment_id));
    jout_key(o, "tracing");
    jout_open(o, '{');
    jout_put_str(o, "spanId", f->segment_id);
    jout_put_str(o, "type", STR("X-Amzn-Trace-Id"));
    jout_put_str(o, "value", buf_str(&value));
    jout_close(o, '}');
    buf_clear(&value);
}

static void json_init_start(struct buf *out, const struct platform_facts *f)
{
    struct buf version = {.max = 256};
    struct json_out o;

    add_runtime_version(&version, f->fn->runtime);
    json_open(&o, out, f, "platform.initStart");
    jout_put_str(&o, "initializationType", f->init_type);
    jout_put_str(&o, "phase", f->phase);
    jout_put_str(&o, "runtimeVersion", buf_str(&version));
    jout_put_str(&o, "functionName", f->fn->name);
    jout_put_str(&o, "functionVersion", STR("$LATEST"));
    jout_put_str(&o, "instanceId", f->instance);
    jout_put_i64(&o, "instanceMaxMemory", (int64_t)f->fn->memory_bytes);
    json_close(&o);
    buf_clear(&version);
}

static void json_init_runtime_done(struct buf *out, const struct platform_facts *f)
{
    struct json_out o;

    json_open(&o, out, f, "platform.initRuntimeDone");
    jout_put_str(&o, "initializationType", f->init_type);
    jout_put_str(&o, "phase", f->phase);
    json_status(&o, f);
    json_close(&o);
}

static void json_init_report(struct buf *out, const struct platform_facts *f)
{
    struct json_out o;

    if (f->fn->system_level != 0 && !is_failure(f))
        return;
    json_open(&o, out, f, "platform.initReport");
    jout_put_str(&o, "initializationType", f->init_type);
    jout_put_str(&o, "phase", f->phase);
    json_status(&o, f);
    jout_key(&o, "metrics");
    jout_open(&o, '{');
    json_ms(&o, "durationMs", f->duration_ns);
    jout_close(&o, '}');
    json_close(&o);
}

static void json_start(struct buf *out, const struct platform_facts *f)
{
    struct json_out o;

    json_open(&o, out, f, "platform.start");
    jout_put_str(&o, "requestId", f->request_id);
    jout_put_str(&o, "functionArn", f->fn->arn);
    jout_put_str(&o, "version", STR("$LATEST"));
    json_tracing(&o, f);
    json_close(&o);
}

static void json_span(struct json_out *o, const char *name, int64_t from_ns, int64_t to_ns)
{
    struct buf time = {.max = 64};

    time_format(&time, from_ns, 3);
    jout_open(o, '{');
    jout_put_str(o, "name", str_from(name));
    jout_put_str(o, "start", buf_str(&time));
    json_ms(o, "durationMs", to_ns - from_ns);
    jout_close(o, '}');
    buf_clear(&time);
}

/* To the first byte of the response, to its last, and what the runtime did after it. */
static void json_spans(struct json_out *o, const struct platform_facts *f)
{
    if (f->answer_ended_wall_ns == 0)
        return;
    jout_key(o, "spans");
    jout_open(o, '[');
    json_span(o, "responseLatency", f->begin_wall_ns, f->answer_began_wall_ns);
    json_span(o, "responseDuration", f->answer_began_wall_ns, f->answer_ended_wall_ns);
    json_span(o, "runtimeOverhead", f->answer_ended_wall_ns, f->begin_wall_ns + f->duration_ns);
    jout_close(o, ']');
}

static void json_runtime_done(struct buf *out, const struct platform_facts *f)
{
    struct json_out o;

    json_open(&o, out, f, "platform.runtimeDone");
    jout_put_str(&o, "requestId", f->request_id);
    json_status(&o, f);
    jout_key(&o, "metrics");
    jout_open(&o, '{');
    json_ms(&o, "durationMs", f->duration_ns);
    jout_put_i64(&o, "producedBytes", (int64_t)f->produced_bytes);
    jout_close(&o, '}');
    json_spans(&o, f);
    json_tracing(&o, f);
    json_close(&o);
}

static void json_report(struct buf *out, const struct platform_facts *f)
{
    struct json_out o;

    json_open(&o, out, f, "platform.report");
    jout_put_str(&o, "requestId", f->request_id);
    jout_key(&o, "metrics");
    jout_open(&o, '{');
    json_ms(&o, "durationMs", f->duration_ns);
    jout_put_i64(&o, "billedDurationMs", report_billed_ms(f));
    jout_put_i64(&o, "memorySizeMB", (int64_t)(f->fn->memory_bytes / MIB));
    jout_put_i64(&o, "maxMemoryUsedMB",
                 platform_memory_mb(f->max_memory_bytes, f->fn->memory_bytes));
    if (f->init_ns > 0)
        json_ms(&o, "initDurationMs", f->init_ns);
    jout_close(&o, '}');
    json_status(&o, f);
    json_tracing(&o, f);
    json_close(&o);
}

/* json_level: the system log level up to which the record is written (0 debug, 1 info, 2 warn;
 * failures are written at every level). */
static const struct {
    void (*text)(struct buf *out, const struct platform_facts *f);
    void (*json)(struct buf *out, const struct platform_facts *f);
    int json_level;
} lines[PLATFORM_LINES] = {
    [LINE_INIT_START] = {text_init_start, json_init_start, 1},
    [LINE_INIT_RUNTIME_DONE] = {NULL, json_init_runtime_done, 0},
    [LINE_INIT_REPORT] = {text_init_report, json_init_report, 1},
    [LINE_START] = {text_start, json_start, 1},
    [LINE_RUNTIME_DONE] = {NULL, json_runtime_done, 0},
    [LINE_END] = {text_end, NULL, 0},
    [LINE_REPORT] = {text_report, json_report, 1},
};

void platform_line(struct buf *out, enum platform_line kind, const struct platform_facts *f)
{
    bool is_json = f->fn->log_format == LOG_FORMAT_JSON;

    if (is_json && f->fn->system_level > lines[kind].json_level && !is_failure(f))
        return;
    if (is_json && lines[kind].json)
        lines[kind].json(out, f);
    if (!is_json && lines[kind].text)
        lines[kind].text(out, f);
}
