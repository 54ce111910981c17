/* The text of the demo's logs. Formats: see core/model/enums.h and collector/aws/. */
#include "cli/demo_lines.h"

#include "core/base/clock.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

struct writer {
    struct buf *out;
    const struct demo_function *fn;
    const struct demo_call *call;
    struct rng *rng;
    struct buf line; /* the message at hand */
    uint64_t n;
    char id[40];
};

static void event(struct writer *w, int64_t t_ns)
{
    buf_addf(w->out, "%s{\"id\":\"%056llu\",\"timestamp\":%lld,\"message\":", w->n ? "," : "",
             (unsigned long long)(rng_u64(w->rng) >> 1), (long long)(t_ns / NS_PER_MS));
    buf_add_c(&w->line, '\n');
    safe_json(w->out, buf_str(&w->line));
    buf_add_c(w->out, '}');
    buf_reset(&w->line);
    w->n++;
}

static void make_id(struct writer *w)
{
    struct buf b = {.max = sizeof(w->id) - 1};
    uint64_t h = w->call->id_high, l = w->call->id_low;

    buf_addf(&b, "%08llx-%04llx-4%03llx-a%03llx-%012llx", (unsigned long long)(h >> 32),
             (unsigned long long)(h >> 16 & 0xFFFF), (unsigned long long)(h & 0xFFF),
             (unsigned long long)(l >> 52), (unsigned long long)(l & 0xFFFFFFFFFFFF));
    for (size_t i = 0; i < b.n; i++)
        w->id[i] = b.p[i];
    w->id[b.n] = 0;
    buf_clear(&b);
}

/* --- platform lines --- */

static const char *const runtimes[] = {"nodejs:22.v31", "python:3.13.v40", "java:21.v38",
                                       "provided:al2023.v77"};

static void init_start(struct writer *w)
{
    buf_addf(&w->line,
             "INIT_START Runtime Version: %s\tRuntime Version ARN: "
             "arn:aws:lambda:eu-west-1::runtime:%016llx%048d",
             runtimes[w->fn->runtime],
             (unsigned long long)(w->fn->runtime + 1) * 0x9e3779b97f4a7c15ull, 7);
    event(w, w->call->start_ns - w->call->init_us * NS_PER_US);
}

static void start_line(struct writer *w)
{
    buf_addf(&w->line, "START RequestId: %s Version: %s", w->id, w->call->version);
    event(w, w->call->start_ns);
}

static void add_ms(struct buf *b, int64_t us)
{
    buf_addf(b, "%lld.%02lld ms", (long long)(us / 1000), (long long)(us % 1000 / 10));
}

static void report_line(struct writer *w, int64_t end_ns)
{
    const struct demo_call *c = w->call;
    int64_t cut_us = c->duration_us / 10 * 10, cut_init = c->init_us / 10 * 10;

    buf_addf(&w->line, "REPORT RequestId: %s\tDuration: ", w->id);
    add_ms(&w->line, cut_us);
    buf_addf(&w->line, "\tBilled Duration: %lld ms\tMemory Size: %u MB\tMax Memory Used: %u MB",
             (long long)((cut_us + cut_init + 999) / 1000), w->fn->memory_mb, c->used_mb);
    if (c->init_us > 0) {
        buf_add_z(&w->line, "\tInit Duration: ");
        add_ms(&w->line, cut_init);
    }
    if (c->end == DEMO_TIMEOUT)
        buf_add_z(&w->line, "\tStatus: timeout");
    if (c->end == DEMO_OOM)
        buf_add_z(&w->line, "\tStatus: error\tError Type: Runtime.OutOfMemory");
    buf_add_c(&w->line, '\t');
    if (w->fn->runtime == DEMO_NODE)
        buf_addf(&w->line, "\nXRAY TraceId: 1-%08llx-%024llx\tSegmentId: %016llx\tSampled: true\t",
                 (unsigned long long)(c->start_ns / NS_PER_SEC), (unsigned long long)c->trace,
                 (unsigned long long)c->trace);
    event(w, end_ns);
}

/* --- application lines --- */

static const char *const texts[] = {"processing request",
                                    "loaded customer from cache",
                                    "calling downstream service",
                                    "validated input",
                                    "wrote record",
                                    "cache miss, reading from table",
                                    "published event",
                                    "response sent"};

static void app_line(struct writer *w, int64_t t_ns, const char *level, const char *text)
{
    AUTO(buf_clear) struct buf when = {.max = 64};
    unsigned number = (unsigned)rng_below(w->rng, 90000) + 10000;

    time_format(&when, t_ns, 3);
    if (w->fn->runtime == DEMO_NODE)
        buf_addf(&w->line, "%s\t%s\t%s\t%s order=%u customer=c-%u", when.p, w->id, level, text,
                 number, number % 977);
    else if (w->fn->runtime == DEMO_PYTHON)
        buf_addf(&w->line, "[%s]\t%s\t%s\t%s order=%u took=%ums", level, when.p, w->id, text,
                 number, number % 61);
    else if (w->fn->runtime == DEMO_JAVA)
        buf_addf(&w->line, "%.10s %.12s %s %s com.example.Handler - %s id=%u", when.p, when.p + 11,
                 w->id, level, text, number);
    else
        buf_addf(&w->line, "%.4s/%.2s/%.2s %.8s %s key=%u", when.p, when.p + 5, when.p + 8,
                 when.p + 11, text, number);
    event(w, t_ns);
}

static void node_error(struct writer *w, int64_t t_ns)
{
    AUTO(buf_clear) struct buf when = {.max = 64};

    time_format(&when, t_ns, 3);
    buf_addf(&w->line,
             "%s\t%s\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"Cannot "
             "read properties of undefined "
             "(reading 'total')\",\"stack\":[\"TypeError: Cannot read properties of undefined "
             "(reading 'total')\",\"    at "
             "Runtime.handler (/var/task/index.js:%u:17)\"]}",
             when.p, w->id, 40 + (unsigned)rng_below(w->rng, 3));
    event(w, t_ns);
}

static void python_error(struct writer *w, int64_t t_ns)
{
    buf_addf(&w->line,
             "[ERROR] ConnectionError: queue %u refused the message\rTraceback (most recent call "
             "last):\r"
             "\xC2\xA0\xC2\xA0"
             "File \"/var/task/app.py\", line 61, in "
             "handler\r\xC2\xA0\xC2\xA0\xC2\xA0\xC2\xA0publish(order)",
             (unsigned)rng_below(w->rng, 4));
    event(w, t_ns);
}

static void other_error(struct writer *w, int64_t t_ns)
{
    buf_addf(&w->line,
             "{\"errorMessage\":\"unexpected status "
             "%u\",\"errorType\":\"UpstreamError\",\"stackTrace\":[]}",
             500 + (unsigned)rng_below(w->rng, 4));
    event(w, t_ns);
}

static void error_line(struct writer *w, int64_t t_ns)
{
    static void (*const lines[])(struct writer *, int64_t) = {node_error, python_error, other_error,
                                                              other_error};

    lines[w->fn->runtime](w, t_ns);
}

static void app_lines(struct writer *w, int64_t duration_ns)
{
    unsigned n = 2 + (unsigned)rng_below(w->rng, 4);

    for (unsigned i = 0; i < n; i++) {
        int64_t t = w->call->start_ns + duration_ns * (i + 1) / (n + 2);
        bool is_warning = rng_below(w->rng, 60) == 0;
        app_line(w, t / NS_PER_MS * NS_PER_MS, is_warning ? "WARN" : "INFO",
                 is_warning ? "slow answer from downstream"
                            : texts[rng_below(w->rng, ARRAY_LEN(texts))]);
    }
}

void demo_lines(struct buf *out, const struct demo_function *fn, const struct demo_call *c,
                struct rng *rng, uint64_t *events)
{
    struct writer w = {.out = out, .fn = fn, .call = c, .rng = rng, .line = {.max = 1u << 16}};
    int64_t duration_ns = c->duration_us * NS_PER_US,
            end_ns = c->start_ns + duration_ns / NS_PER_MS * NS_PER_MS;

    make_id(&w);
    buf_addf(out,
             "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":\"/aws/"
             "lambda/%s\",\"logStream\":\"%s\","
             "\"subscriptionFilters\":[\"fnscope\"],\"logEvents\":[",
             fn->name, c->stream);
    if (c->init_us > 0)
        init_start(&w);
    start_line(&w);
    app_lines(&w, duration_ns);
    if (c->end == DEMO_ERROR)
        error_line(&w, end_ns);
    buf_addf(&w.line, "END RequestId: %s", w.id);
    event(&w, end_ns);
    report_line(&w, end_ns);
    buf_add_z(out, "]}\n");
    *events += w.n;
    buf_clear(&w.line);
}
