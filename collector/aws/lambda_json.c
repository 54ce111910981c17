/* Platform records of the JSON log format: {"time","type":"platform.x","record"}. One pass with the
 * pull reader; a table gives each member its place. Schema: Lambda Telemetry API. A record whose
 * body is not well-formed is user output. */
#include "collector/aws/lambda_json.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/scan.h"
#include "core/base/jsonpull.h"
#include "core/base/timefmt.h"

/* --- platform.* --- */

enum value_type { JSON_TEXT, JSON_MS, JSON_MB, JSON_COUNT, JSON_LIST };

struct member {
    struct str name;
    size_t offset; /* in struct platform_event */
    enum value_type type;
    unsigned has;
};

#define AT(m) offsetof(struct platform_event, m)

static const struct member record_members[] = {
    {{"status", 6}, AT(status), JSON_TEXT, 0},
    {{"phase", 5}, AT(phase), JSON_TEXT, 0},
    {{"version", 7}, AT(version), JSON_TEXT, 0},
    {{"functionArn", 11}, AT(function_arn), JSON_TEXT, 0},
    {{"functionName", 12}, AT(function_name), JSON_TEXT, 0},
    {{"functionVersion", 15}, AT(version), JSON_TEXT, 0},
    {{"initializationType", 18}, AT(init_type), JSON_TEXT, 0},
    {{"runtimeVersion", 14}, AT(runtime_version), JSON_TEXT, 0},
    {{"runtimeVersionArn", 17}, AT(runtime_version_arn), JSON_TEXT, 0},
    {{"instanceId", 10}, AT(instance_id), JSON_TEXT, 0},
    {{"errorType", 9}, AT(error_type), JSON_TEXT, 0},
    {{"tenantId", 8}, AT(tenant_id), JSON_TEXT, 0},
    {{"name", 4}, AT(name), JSON_TEXT, 0},
    {{"state", 5}, AT(state), JSON_TEXT, 0},
    {{"events", 6}, AT(events), JSON_LIST, 0},
    {{"types", 5}, AT(events), JSON_LIST, 0},
    {{"reason", 6}, AT(error_message), JSON_TEXT, 0},
    {{"droppedRecords", 14}, AT(dropped_records), JSON_COUNT, 0},
    {{"droppedBytes", 12}, AT(dropped_bytes), JSON_COUNT, 0},
};
static const struct member metric_members[] = {
    {{"durationMs", 10}, AT(duration_ns), JSON_MS, PH_DURATION},
    {{"billedDurationMs", 16}, AT(billed_ns), JSON_MS, PH_BILLED},
    {{"memorySizeMB", 12}, AT(memory_bytes), JSON_MB, PH_MEMORY},
    {{"maxMemoryUsedMB", 15}, AT(max_memory_bytes), JSON_MB, PH_MAX_MEMORY},
    {{"initDurationMs", 14}, AT(init_ns), JSON_MS, PH_INIT},
    {{"restoreDurationMs", 17}, AT(restore_ns), JSON_MS, PH_RESTORE},
    {{"billedRestoreDurationMs", 23}, AT(billed_restore_ns), JSON_MS, PH_BILLED_RESTORE},
    {{"producedBytes", 13}, AT(produced_bytes), JSON_COUNT, PH_PRODUCED_BYTES},
};

static const struct {
    struct str type; /* behind "platform." */
    enum platform_kind kind;
    bool has_id;
} platform_types[] = {
    {{"start", 5}, PLATFORM_START, true},
    {{"report", 6}, PLATFORM_REPORT, true},
    {{"runtimeDone", 11}, PLATFORM_RUNTIME_DONE, true},
    {{"end", 3}, PLATFORM_END, true},
    {{"initStart", 9}, PLATFORM_INIT_START, false},
    {{"initReport", 10}, PLATFORM_INIT_REPORT, false},
    {{"initRuntimeDone", 15}, PLATFORM_INIT_RUNTIME_DONE, false},
    {{"restoreStart", 12}, PLATFORM_RESTORE_START, false},
    {{"restoreReport", 13}, PLATFORM_RESTORE_REPORT, false},
    {{"restoreRuntimeDone", 18}, PLATFORM_RESTORE_RUNTIME_DONE, false},
    {{"extension", 9}, PLATFORM_EXTENSION, false},
    {{"telemetrySubscription", 21}, PLATFORM_TELEMETRY, false},
    {{"logsSubscription", 16}, PLATFORM_LOGS, false},
    {{"logsDropped", 11}, PLATFORM_LOGS_DROPPED, false},
    {{"fault", 5}, PLATFORM_FAULT, false},
};

struct platform_reader {
    struct jp *j;
    struct platform_event p;
    struct str request_id;
    struct batch *batch;
    bool is_bad; /* its request id is no text */
};

/* ["SHUTDOWN","INVOKE"] -> "SHUTDOWN, INVOKE", the form of the text lines. */
static void read_list(struct platform_reader *r, struct str *out)
{
    struct str item;
    if (!jp_enter(r->j, '[')) {
        jp_skip(r->j);
        return;
    }
    while (jp_element(r->j)) {
        if (!jp_string(r->j, &item))
            return;
        *out = arena_printf(&r->batch->arena, STR_FMT "%s" STR_FMT, STR_ARG(*out),
                            out->n > 0 ? ", " : "", STR_ARG(item));
    }
}

/* A member we do not know, or not its value, is kept as "name: value". */
static void keep_extra(struct platform_reader *r, struct str key, struct str raw)
{
    struct str before = r->p.extras;

    r->p.extras = arena_printf(&r->batch->arena, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(before),
                               before.n > 0 ? "\t" : "", STR_ARG(key), STR_ARG(raw));
    r->batch->counts.unknown_labels++;
}

/* The value of a JSON number in ns, bytes or as it is. */
static bool number_value(struct str text, enum value_type type, int64_t *out)
{
    enum { NS_SHIFT = 6, MICRO_SHIFT = 6 };

    if (type == JSON_MS)
        return scan_number(text, NS_SHIFT, out);
    if (type == JSON_COUNT)
        return str_to_i64(text, out) ? *out >= 0 : scan_number(text, 0, out);
    if (!scan_number(text, MICRO_SHIFT, out) || *out > INT64_MAX >> 20)
        return false;
    *out = (*out << 20) / 1000000;
    return true;
}

/* A value that cannot be costs only itself. */
static void read_number(struct platform_reader *r, const struct member *m, char *place)
{
    struct str text;
    int64_t n; /* as wide as the unsigned members */

    if (!jp_raw(r->j, &text) || str_eq(text, STR("null")))
        return; /* the reader holds the error */
    if (text.p[0] == '"' || !number_value(text, m->type, &n)) {
        keep_extra(r, m->name, text);
        return;
    }
    r->p.has |= m->has;
    memcpy(place, &n, sizeof(n));
}

static void read_member(struct platform_reader *r, const struct member *m)
{
    assert(m->offset < sizeof(struct platform_event));
    char *place = (char *)&r->p + m->offset;
    struct str text = {0};

    if (m->type == JSON_LIST) {
        read_list(r, &text);
        memcpy(place, &text, sizeof(text));
    } else if (m->type != JSON_TEXT) {
        read_number(r, m, place);
    } else if (jp_peek(r->j) == JP_STRING) {
        if (jp_string(r->j, &text))
            memcpy(place, &text, sizeof(text));
    } else {
        jp_skip(r->j);
    }
}

static const struct member *find_member(const struct member *table, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(table[i].name, key))
            return &table[i];
    return NULL;
}

static void read_extra(struct platform_reader *r, struct str key)
{
    struct str raw;

    if (jp_raw(r->j, &raw))
        keep_extra(r, key, raw);
}

static void read_metrics(struct platform_reader *r)
{
    struct str key;
    if (!jp_enter(r->j, '{')) {
        jp_skip(r->j);
        return;
    }
    while (jp_member(r->j, &key)) {
        const struct member *m = find_member(metric_members, ARRAY_LEN(metric_members), key);
        if (m != NULL)
            read_member(r, m);
        else
            read_extra(r, key);
    }
}

/* {"spanId":..,"type":"X-Amzn-Trace-Id","value":"Root=1-..;Parent=..;Sampled=1"} */
static void read_tracing(struct platform_reader *r)
{
    struct str key;
    if (!jp_enter(r->j, '{')) {
        jp_skip(r->j);
        return;
    }
    while (jp_member(r->j, &key)) {
        struct str *place = str_eq(key, STR("value"))    ? &r->p.trace_header
                            : str_eq(key, STR("spanId")) ? &r->p.segment_id
                                                         : NULL;
        if (place == NULL || jp_peek(r->j) != JP_STRING)
            jp_skip(r->j);
        else if (!jp_string(r->j, place))
            return;
    }
    size_t at = str_find(r->p.trace_header, STR("Sampled="));
    if (at + 8 < r->p.trace_header.n) {
        r->p.has |= PH_SAMPLED;
        r->p.is_sampled = r->p.trace_header.p[at + 8] == '1';
    }
}

static void read_record_member(struct platform_reader *r, struct str key)
{
    const struct member *m;

    if (str_eq(key, STR("requestId")) && jp_peek(r->j) == JP_STRING)
        r->is_bad |= !jp_string(r->j, &r->request_id);
    else if (str_eq(key, STR("metrics")))
        read_metrics(r);
    else if (str_eq(key, STR("tracing")))
        read_tracing(r);
    else if (str_eq(key, STR("spans")) || str_eq(key, STR("instanceMaxMemory")))
        jp_skip(r->j);
    else if ((m = find_member(record_members, ARRAY_LEN(record_members), key)) != NULL)
        read_member(r, m);
    else
        read_extra(r, key);
}

/* platform.fault is the text line of an exit: "RequestId: <uuid> Error: ...\nRuntime.ExitError". It
 * tells of its request what the line does; a text of another form stays as it is. */
static bool read_fault(struct platform_reader *r)
{
    struct log_record line = {0};

    if (r->p.kind == PLATFORM_FAULT && aws_lambda_text(r->p.error_message, &line, r->batch) &&
        line.platform->kind == PLATFORM_RUNTIME_EXIT) {
        r->request_id = line.invocation_id;
        r->p.error_type = line.platform->error_type;
    }
    return true;
}

static bool read_record(struct platform_reader *r)
{
    struct str key;

    if (jp_peek(r->j) == JP_STRING)
        return jp_string(r->j, &r->p.error_message) && read_fault(r);
    if (!jp_enter(r->j, '{'))
        return false;
    while (!r->is_bad && jp_member(r->j, &key))
        read_record_member(r, key);
    return !r->is_bad && r->j->error == NULL;
}

/* Billed and memory are missing on managed instances; a duration never is. */
static bool is_complete(const struct platform_reader *r, bool has_id)
{
    if (has_id && !(r->request_id.n == UUID_LEN && scan_uuid(r->request_id)))
        return false;
    return r->p.kind != PLATFORM_REPORT || (r->p.has & PH_DURATION) != 0;
}

static bool known_type(struct str type, enum platform_kind *kind, bool *has_id)
{
    assert(str_starts(type, STR("platform.")));
    struct str name = str_skip(type, 9);
    for (size_t i = 0; i < ARRAY_LEN(platform_types); i++)
        if (str_eq(name, platform_types[i].type)) {
            *kind = platform_types[i].kind;
            *has_id = platform_types[i].has_id;
            return true;
        }
    return false;
}

/* Whose request a record of a type we do not know is about, if it says so. */
static struct str unknown_request(struct str raw, struct arena *a)
{
    struct jp j;
    struct str key, id = {0};

    jp_init(&j, raw, a);
    if (!jp_enter(&j, '{'))
        return id;
    while (jp_member(&j, &key)) {
        bool is_id = str_eq(key, STR("requestId")) && jp_peek(&j) == JP_STRING;
        if (is_id ? !jp_string(&j, &id) : !jp_skip(&j))
            break;
    }
    return id.n == UUID_LEN && scan_uuid(id) ? id : (struct str){0};
}

bool aws_platform_json(struct str type, struct str time, struct str raw, struct log_record *rec,
                       struct batch *b)
{
    struct jp j;
    struct platform_reader r = {.j = &j, .batch = b};
    bool has_id = false;

    jp_init(&j, raw, &b->arena);
    if (known_type(type, &r.p.kind, &has_id)) {
        if (!read_record(&r) || !is_complete(&r, has_id))
            return false;
    } else {
        r.p.kind = PLATFORM_OTHER;
        r.p.name = type;
        r.p.extras = raw;
        r.request_id = unknown_request(raw, &b->arena);
    }
    if (!time_parse(time, &r.p.at_ns))
        return false;
    r.p.has |= PH_TIME;
    struct platform_event *kept = arena_alloc(&b->arena, sizeof(*kept));
    *kept = r.p;
    rec->kind = RECORD_PLATFORM;
    rec->platform = kept;
    rec->invocation_id = r.request_id;
    rec->trace_id = scan_trace_id(r.p.trace_header);
    return true;
}
