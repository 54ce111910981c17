/* Shapes beyond the samples with expectations: tests/data/aws/more-lines.txt holds pairs of an
 * event as a JSON string and, indented below it, everything that is decoded from it. REWRITE=1
 * writes the file anew; review the difference. */
#include "tests/test.h"

#include <stdlib.h>

#include "collector/aws/aws.h"
#include "core/base/file.h"
#include "core/base/jsonpull.h"
#include "core/base/macros.h"
#include "core/base/safe_text.h"

#define PATH TESTS_DIR "/data/aws/more-lines.txt"

static void add_text(struct buf *b, const char *name, struct str s)
{
    if (s.n == 0)
        return;
    buf_addf(b, " %s=", name);
    safe_json(b, s);
}

static void add_number(struct buf *b, const char *name, int64_t v)
{
    if (v != 0)
        buf_addf(b, " %s=%" PRId64, name, v);
}

static void add_platform(struct buf *b, const struct platform_event *p)
{
    add_text(b, "status", p->status);
    add_text(b, "error", p->error_type);
    add_text(b, "message", p->error_message);
    add_text(b, "phase", p->phase);
    add_text(b, "init_type", p->init_type);
    add_text(b, "version", p->version);
    add_text(b, "runtime", p->runtime_version);
    add_text(b, "arn", p->runtime_version_arn);
    add_text(b, "function", p->function_name);
    add_text(b, "instance", p->instance_id);
    add_text(b, "name", p->name);
    add_text(b, "state", p->state);
    add_text(b, "events", p->events);
    add_text(b, "tenant", p->tenant_id);
    add_text(b, "segment", p->segment_id);
    add_text(b, "extras", p->extras);
    add_number(b, "duration_us", p->duration_ns / 1000);
    add_number(b, "billed_ms", p->billed_ns / 1000000);
    add_number(b, "init_us", p->init_ns / 1000);
    add_number(b, "restore_us", p->restore_ns / 1000);
    add_number(b, "billed_restore_ms", p->billed_restore_ns / 1000000);
    add_number(b, "memory_mb", (int64_t)(p->memory_bytes >> 20));
    add_number(b, "used_mb", (int64_t)(p->max_memory_bytes >> 20));
    add_number(b, "produced", (int64_t)p->produced_bytes);
    add_number(b, "dropped", (int64_t)p->dropped_records);
    add_number(b, "dropped_bytes", (int64_t)p->dropped_bytes);
    add_number(b, "timeout_ms", p->timeout_ns / 1000000);
    add_number(b, "sampled", p->is_sampled);
}

static void describe(struct buf *b, struct batch *batch, struct str body)
{
    struct log_record r = {.body = str_trim_right(body)};

    aws_decode_lambda(&(struct decode_memo){0}, &r, batch);
    buf_addf(b, "    %s", r.kind == RECORD_APP ? "app" : platform_kind_name(r.platform->kind));
    if (r.severity != SEVERITY_UNKNOWN)
        buf_addf(b, " %s", severity_name(r.severity));
    if (r.is_error)
        buf_add_z(b, " failed");
    add_text(b, "id", r.invocation_id);
    add_text(b, "trace", r.trace_id);
    if (r.platform)
        add_platform(b, r.platform);
    add_text(b, "type", r.error_type);
    if (!str_eq(r.message, r.body))
        add_text(b, "text", r.message);
    if (r.is_imitation)
        buf_add_z(b, " forged");
    buf_add_c(b, '\n');
}

static void test_more_lines(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf want = {.max = 1u << 20}, got = {.max = 1u << 20};
    const char *rewrite = getenv("REWRITE");
    struct err e = {0};
    size_t n = 0;

    CHECK_OK(file_read(PATH, &want, &e), &e);
    for (struct str rest = buf_str(&want); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n'), body;
        if (line.n > 0 && line.p[0] == '#') { /* where the lines below are from */
            buf_add_str(&got, line);
            buf_add_c(&got, '\n');
        }
        if (line.n == 0 || line.p[0] != '"')
            continue;
        struct batch *b = batch_new();
        struct jp j;
        jp_init(&j, line, &b->arena);
        CHECK(jp_string(&j, &body) && jp_at_end(&j));
        buf_add_str(&got, line);
        buf_add_c(&got, '\n');
        describe(&got, b, body);
        batch_free(b);
        n++;
    }
    if (rewrite)
        CHECK_OK(file_write(PATH, buf_str(&got), 0644, &e), &e);
    CHECK(n > 900);
    CHECK_STR(buf_str(&got), buf_str(&want));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_more_lines)};
TEST_MAIN(tests)
