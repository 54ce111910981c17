/* Records of the JSON log format: platform records {"time","type":"platform.x","record"} and
 * application records, a flat object with the runtime's members. One pass with the pull reader; a
 * table gives each member its place. Schema: Lambda Telemetry API, runtime interface clients. A
 * platform record has exactly its three members and a well-formed body, else it is user output. */
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
    bool is_bad; /* a known member with an impossible value */
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

static bool read_number(struct platform_reader *r, const struct member *m, char *place)
{
    struct str text;
    int64_t ns;
    uint64_t n;

    if (jp_peek(r->j) != JP_NUMBER)
        return false;
    if (!jp_number(r->j, &text))
        return true; /* the reader holds the error */
    if (m->type == JSON_MS) {
        if (!scan_ms(text, &ns))
            return false;
        memcpy(place, &ns, sizeof(ns));
        return true;
    }
    if (m->type == JSON_MB ? !scan_mb(text, &n) : !str_to_u64(text, &n))
        return false;
    memcpy(place, &n, sizeof(n));
    return true;
}

static void read_member(struct platform_reader *r, const struct member *m)
{
    assert(m->offset < sizeof(struct platform_event));
    char *place = (char *)&r->p + m->offset;
    struct str text = {0};
    bool is_ok = true;

    if (m->type == JSON_LIST) {
        read_list(r, &text);
        memcpy(place, &text, sizeof(text));
    } else if (m->type != JSON_TEXT) {
        is_ok = read_number(r, m, place);
        r->p.has |= m->has;
    } else if (jp_peek(r->j) == JP_STRING) {
        if (jp_string(r->j, &text))
            memcpy(place, &text, sizeof(text));
    } else {
        jp_skip(r->j);
    }
    r->is_bad |= !is_ok;
}

static const struct member *find_member(const struct member *table, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(table[i].name, key))
            return &table[i];
    return NULL;
}

static void read_metrics(struct platform_reader *r)
{
    struct str key;
    if (!jp_enter(r->j, '{')) {
        jp_skip(r->j);
        return;
    }
    while (!r->is_bad && jp_member(r->j, &key)) {
        const struct member *m = find_member(metric_members, ARRAY_LEN(metric_members), key);
        if (m != NULL)
            read_member(r, m);
        else
            jp_skip(r->j);
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

/* A member we do not know is kept as "name: value". */
static void read_extra(struct platform_reader *r, struct str key)
{
    struct str raw, before = r->p.extras;
    if (!jp_raw(r->j, &raw))
        return;
    r->p.extras = arena_printf(&r->batch->arena, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(before),
                               before.n > 0 ? "\t" : "", STR_ARG(key), STR_ARG(raw));
    r->batch->counts.unknown_labels++;
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

static bool read_record(struct platform_reader *r)
{
    struct str key;

    if (jp_peek(r->j) == JP_STRING) /* platform.fault */
        return jp_string(r->j, &r->p.error_message);
    if (!jp_enter(r->j, '{'))
        return false;
    while (!r->is_bad && jp_member(r->j, &key))
        read_record_member(r, key);
    return !r->is_bad && r->j->error == NULL;
}

/* Billed and memory are missing on managed instances; a duration never is. */
static bool is_complete(const struct platform_reader *r, bool has_id)
{
    if (has_id && !(r->request_id.n == UUID_LENGTH && scan_uuid(r->request_id)))
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

/* The record is read from its raw text: its type may stand behind it. */
static bool decode_platform(struct str type, struct str time, struct str raw,
                            struct log_record *rec, struct batch *b)
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

/* --- application records --- */

enum app_field {
    APP_TIME,
    APP_TYPE,
    APP_RECORD,
    APP_LEVEL,
    APP_LOG_LEVEL,
    APP_ID,
    APP_TRACE,
    APP_MESSAGE,
    APP_ERROR_TYPE,
    APP_ERROR_MESSAGE,
    APP_OTHER,
    APP_FIELDS
};

/* Spellings of runtimes and common loggers. */
static const struct {
    struct str name;
    enum app_field field;
} app_members[] = {
    {{"timestamp", 9}, APP_OTHER},
    {{"level", 5}, APP_LEVEL},
    {{"requestId", 9}, APP_ID},
    {{"message", 7}, APP_MESSAGE},
    {{"time", 4}, APP_TIME},
    {{"type", 4}, APP_TYPE},
    {{"record", 6}, APP_RECORD},
    {{"msg", 3}, APP_MESSAGE},
    {{"log_level", 9}, APP_LOG_LEVEL},
    {{"logLevel", 8}, APP_LEVEL},
    {{"severity", 8}, APP_LEVEL},
    {{"lvl", 3}, APP_LEVEL},
    {{"AWSRequestId", 12}, APP_ID},
    {{"awsRequestId", 12}, APP_ID},
    {{"request_id", 10}, APP_ID},
    {{"aws_request_id", 14}, APP_ID},
    {{"function_request_id", 19}, APP_ID},
    {{"faas.invocation_id", 18}, APP_ID},
    {{"xray_trace_id", 13}, APP_TRACE},
    {{"xrayTraceId", 11}, APP_TRACE},
    {{"errorType", 9}, APP_ERROR_TYPE},
    {{"errorMessage", 12}, APP_ERROR_MESSAGE},
};

struct app_reader {
    struct jp j;
    struct str text[APP_FIELDS]; /* strings unescaped; numbers and composites as they stand */
    unsigned seen;               /* bit per field */
};

static enum app_field find_field(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_members); i++)
        if (str_eq(app_members[i].name, key))
            return app_members[i].field;
    return APP_OTHER;
}

static bool read_field(struct app_reader *a, enum app_field f)
{
    assert(f < APP_FIELDS);
    bool is_first = (a->seen >> f & 1) == 0;

    a->seen |= 1u << f;
    if (f == APP_OTHER || !is_first)
        return jp_skip(&a->j);
    if (f != APP_RECORD && jp_peek(&a->j) == JP_STRING)
        return jp_string(&a->j, &a->text[f]);
    return jp_raw(&a->j, &a->text[f]);
}

/* Everything that is looked for was found, and it is no error: the rest need not be read. */
static bool is_enough(const struct app_reader *a)
{
    static const unsigned wanted = 1u << APP_LEVEL | 1u << APP_ID | 1u << APP_MESSAGE;
    return (a->seen & wanted) == wanted && a->text[APP_LEVEL].n > 0 &&
           (a->text[APP_LEVEL].p[0] == 'I' || a->text[APP_LEVEL].p[0] == 'D');
}

static bool read_members(struct app_reader *a, struct str text, struct arena *arena)
{
    struct str key;

    jp_init(&a->j, text, arena);
    if (!jp_enter(&a->j, '{'))
        return false;
    while (jp_member(&a->j, &key)) {
        if (!read_field(a, find_field(key)))
            return false;
        if (is_enough(a))
            return true;
    }
    return a->j.error == NULL && jp_at_end(&a->j);
}

/* Word, or a number as pino and bunyan write it (10 trace ... 60 fatal). */
static enum severity app_severity(const struct app_reader *a)
{
    static const enum severity numbered[] = {SEVERITY_TRACE, SEVERITY_DEBUG, SEVERITY_INFO,
                                             SEVERITY_WARN,  SEVERITY_ERROR, SEVERITY_FATAL};
    struct str level = a->text[(a->seen >> APP_LEVEL & 1) != 0 ? APP_LEVEL : APP_LOG_LEVEL];
    enum severity s = SEVERITY_UNKNOWN;
    int64_t n;

    if (scan_level(level, &s))
        return s;
    if (str_to_i64(level, &n) && n >= 10 && n <= 60 && n % 10 == 0)
        return numbered[n / 10 - 1];
    return SEVERITY_UNKNOWN;
}

/* {"errorType":"X",...} as message: Node's console.error(err) in JSON format. */
static struct str nested_error_type(struct str message, struct arena *arena)
{
    struct jp j;
    struct str key, type = {0};

    jp_init(&j, message, arena);
    if (!jp_enter(&j, '{'))
        return type;
    while (jp_member(&j, &key)) {
        bool is_type = str_eq(key, STR("errorType")) && jp_peek(&j) == JP_STRING;
        if (is_type ? !jp_string(&j, &type) : !jp_skip(&j))
            return (struct str){0};
    }
    return type;
}

/* Telemetry API: {"time":..,"type":"function","record":"text"}; the record may be an object. */
static struct str telemetry_message(struct str raw, struct arena *arena)
{
    struct jp j;
    struct str text;

    jp_init(&j, raw, arena);
    return raw.n > 0 && jp_peek(&j) == JP_STRING && jp_string(&j, &text) ? text : raw;
}

static bool is_unhandled(const struct app_reader *a)
{
    static const struct str openings[] = {
        {"Invoke Error", 12},
        {"Uncaught Exception", 18},
        {"Unhandled Promise Rejection", 27},
    };
    const unsigned error = 1u << APP_ERROR_TYPE | 1u << APP_ERROR_MESSAGE;

    if ((a->seen & error) != error)
        return false;
    /* Python's runtime writes no message member; loggers always do. */
    if ((a->seen >> APP_LOG_LEVEL & 1) != 0 || (a->seen >> APP_MESSAGE & 1) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(a->text[APP_MESSAGE], openings[i]))
            return true;
    return false;
}

static void fill_app(const struct app_reader *a, struct log_record *r, struct arena *arena)
{
    struct str id = a->text[APP_ID], message = a->text[APP_MESSAGE];

    r->kind = RECORD_APP;
    r->severity = app_severity(a);
    if (id.n == UUID_LENGTH && scan_uuid(id))
        r->invocation_id = id;
    r->trace_id = scan_trace_id(a->text[APP_TRACE]);
    r->error_type = a->text[APP_ERROR_TYPE];
    if (r->error_type.n == 0 && r->severity >= SEVERITY_ERROR && message.n > 0 &&
        message.p[0] == '{')
        r->error_type = nested_error_type(message, arena);
    r->is_error = is_unhandled(a);
    if (r->is_error && r->severity == SEVERITY_UNKNOWN)
        r->severity = SEVERITY_ERROR;
    if (message.n == 0)
        message = a->text[APP_ERROR_MESSAGE];
    if (message.n == 0 && (a->seen >> APP_TYPE & 1) != 0)
        message = telemetry_message(a->text[APP_RECORD], arena);
    if (message.n > 0)
        r->message = message;
}

bool aws_lambda_json(struct str text, struct log_record *r, struct batch *b)
{
    static const unsigned envelope = 1u << APP_TIME | 1u << APP_TYPE | 1u << APP_RECORD;
    struct app_reader a;

    memset(&a.text, 0, sizeof(a.text));
    a.seen = 0;
    if (!read_members(&a, text, &b->arena))
        return false;
    if (str_starts(a.text[APP_TYPE], STR("platform."))) {
        if (a.seen == envelope &&
            decode_platform(a.text[APP_TYPE], a.text[APP_TIME], a.text[APP_RECORD], r, b))
            return true;
        b->counts.forged++;
    }
    fill_app(&a, r, &b->arena);
    return true;
}
