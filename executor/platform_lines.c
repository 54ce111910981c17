/* One function a line and form, found through a table. */
#include "executor/platform_lines.h"

#include "core/base/json.h"
#include "core/base/timefmt.h"

#define MIB ((uint64_t)1 << 20)

int64_t platform_billed_ms(int64_t duration_ns, int64_t init_ns)
{
    return (duration_ns + init_ns + NS_PER_MS - 1) / NS_PER_MS;
}

int64_t platform_memory_mb(uint64_t bytes, uint64_t size_bytes)
{
    uint64_t used = bytes > size_bytes ? size_bytes : bytes;

    return (int64_t)((used + MIB - 1) / MIB);
}

/* Nanoseconds as milliseconds with some decimals, rounded half up. */
static void add_ms(struct buf *out, int64_t ns, unsigned decimals)
{
    int64_t scale = decimals == 2 ? 100 : 1000;
    int64_t v = (ns * scale + NS_PER_MS / 2) / NS_PER_MS;

    buf_addf(out, decimals == 2 ? "%lld.%02lld" : "%lld.%03lld", (long long)(v / scale),
             (long long)(v % scale));
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
    buf_addf(out, "\tStatus: " STR_FMT, STR_ARG(f->status));
    if (f->error_type.n > 0)
        buf_addf(out, "\tError Type: " STR_FMT, STR_ARG(f->error_type));
}

static void text_init_start(struct buf *out, const struct platform_facts *f)
{
    buf_addf(out, "INIT_START Runtime Version: " STR_FMT "\n", STR_ARG(f->fn->runtime));
}

static void text_init_report(struct buf *out, const struct platform_facts *f)
{
    if (!is_failure(f) && !str_eq(f->init_type, STR("provisioned-concurrency")))
        return;
    buf_add_z(out, "INIT_REPORT Init Duration: ");
    add_ms(out, f->duration_ns, 2);
    buf_addf(out, " ms\tPhase: " STR_FMT, STR_ARG(f->phase));
    text_status(out, f);
    buf_add_c(out, '\n');
}

static void text_start(struct buf *out, const struct platform_facts *f)
{
    buf_addf(out, "START RequestId: " STR_FMT " Version: $LATEST\n", STR_ARG(f->request_id));
}

static void text_end(struct buf *out, const struct platform_facts *f)
{
    buf_addf(out, "END RequestId: " STR_FMT "\n", STR_ARG(f->request_id));
}

static void text_report(struct buf *out, const struct platform_facts *f)
{
    buf_addf(out, "REPORT RequestId: " STR_FMT "\tDuration: ", STR_ARG(f->request_id));
    add_ms(out, f->duration_ns, 2);
    buf_addf(out, " ms\tBilled Duration: %lld ms\tMemory Size: %llu MB\tMax Memory Used: %lld MB",
             (long long)platform_billed_ms(f->duration_ns, f->init_ns),
             (unsigned long long)(f->fn->memory_bytes / MIB),
             (long long)platform_memory_mb(f->max_memory_bytes, f->fn->memory_bytes));
    if (f->init_ns > 0) {
        buf_add_z(out, "\tInit Duration: ");
        add_ms(out, f->init_ns, 2);
        buf_add_z(out, " ms");
    }
    text_status(out, f);
    buf_add_z(out, "\t\n");
    if (f->trace_id.n > 0)
        buf_addf(out, "XRAY TraceId: " STR_FMT "\tSegmentId: " STR_FMT "\tSampled: true\t\n",
                 STR_ARG(f->trace_id), STR_ARG(f->segment_id));
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
    struct json_out o;

    json_open(&o, out, f, "platform.initStart");
    jout_put_str(&o, "initializationType", f->init_type);
    jout_put_str(&o, "phase", f->phase);
    jout_put_str(&o, "runtimeVersion", f->fn->runtime);
    jout_put_str(&o, "functionName", f->fn->name);
    jout_put_str(&o, "functionVersion", STR("$LATEST"));
    jout_put_str(&o, "instanceId", f->instance);
    jout_put_i64(&o, "instanceMaxMemory", (int64_t)f->fn->memory_bytes);
    json_close(&o);
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
    jout_put_i64(&o, "billedDurationMs", platform_billed_ms(f->duration_ns, f->init_ns));
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
