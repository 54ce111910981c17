/* Application records of the JSON log format: a flat object with the members of a runtime or of a
 * usual logger (Powertools, pino, winston, zap, slog, logrus, log4j2, Serilog, ECS, tracing). One
 * pass with the pull reader; a table gives each member its place, a second one the places inside
 * the objects that loggers nest. Platform records are recognised here and read by lambda_json.c:
 * such a record has its three members and none that loggers write; AWS may add others. */
#include "collector/aws/lambda_json.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/scan.h"
#include "core/base/jsonpull.h"

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
    APP_ERROR_CLASS, /* of an error that was logged, not of one nobody caught */
    APP_TIMESTAMP,
    APP_OTHER,
    APP_FIELDS
};

/* Spellings of runtimes and common loggers. */
static const struct {
    struct str name;
    enum app_field field;
} app_members[] = {
    {{"timestamp", 9}, APP_TIMESTAMP},
    {{"level", 5}, APP_LEVEL},
    {{"requestId", 9}, APP_ID},
    {{"message", 7}, APP_MESSAGE},
    {{"time", 4}, APP_TIME},
    {{"type", 4}, APP_TYPE},
    {{"record", 6}, APP_RECORD},
    {{"msg", 3}, APP_MESSAGE},
    {{"log_level", 9}, APP_LOG_LEVEL},
    {{"logLevel", 8}, APP_LEVEL},
    {{"LogLevel", 8}, APP_LEVEL},
    {{"severityText", 12}, APP_LEVEL}, /* OpenTelemetry */
    {{"severity", 8}, APP_LEVEL},
    {{"lvl", 3}, APP_LEVEL},
    {{"AWSRequestId", 12}, APP_ID},
    {{"awsRequestId", 12}, APP_ID},
    {{"request_id", 10}, APP_ID},
    {{"aws_request_id", 14}, APP_ID},
    {{"function_request_id", 19}, APP_ID},
    {{"faas.invocation_id", 18}, APP_ID},
    {{"faas.execution", 14}, APP_ID}, /* Elastic Common Schema */
    {{"xray_trace_id", 13}, APP_TRACE},
    {{"xrayTraceId", 11}, APP_TRACE},
    {{"errorType", 9}, APP_ERROR_TYPE},
    {{"errorMessage", 12}, APP_ERROR_MESSAGE},
    {{"Level", 5}, APP_LEVEL},
    {{"Message", 7}, APP_MESSAGE},
    {{"RequestId", 9}, APP_ID},
    {{"TraceId", 7}, APP_TRACE},
    {{"traceId", 7}, APP_TRACE},
    {{"@l", 2}, APP_LEVEL}, /* Serilog's compact form; its @m and @mt are message and template */
    {{"@m", 2}, APP_MESSAGE},
    {{"@mt", 3}, APP_MESSAGE},
    {{"levelname", 9}, APP_LEVEL},
    {{"log.level", 9}, APP_LEVEL}, /* Elastic Common Schema */
    {{"error.type", 10}, APP_ERROR_CLASS},
    {{"exception_name", 14}, APP_ERROR_CLASS}, /* Powertools for Python */
    {{"reqId", 5}, APP_ID},
    {{"lambda_request_id", 17}, APP_ID},
    {{"lambdaRequestId", 15}, APP_ID},
    {{"AwsRequestId", 12}, APP_ID},
    {{"functionRequestId", 17}, APP_ID},
    {{"FunctionRequestId", 17}, APP_ID},
};

/* Members that loggers put into an object of their own. */
static const struct {
    struct str object, name;
    enum app_field field;
} app_nested[] = {
    {{"span", 4}, {"requestId", 9}, APP_ID}, /* Rust tracing */
    {{"span", 4}, {"xrayTraceId", 11}, APP_TRACE},
    {{"fields", 6}, {"message", 7}, APP_MESSAGE},
    {{"record", 6}, {"requestId", 9}, APP_ID}, /* Go's slog */
    {{"log", 3}, {"level", 5}, APP_LEVEL},     /* Elastic Common Schema */
    {{"error", 5}, {"name", 4}, APP_ERROR_CLASS},
    {{"error", 5}, {"type", 4}, APP_ERROR_CLASS},
    {{"err", 3}, {"type", 4}, APP_ERROR_CLASS}, /* pino */
    {{"err", 3}, {"name", 4}, APP_ERROR_CLASS}, /* bunyan */
    {{"faas", 4}, {"execution", 9}, APP_ID},
    {{"lambda", 6}, {"request_id", 10}, APP_ID},   /* Datadog */
    {{"thrown", 6}, {"name", 4}, APP_ERROR_CLASS}, /* log4j2 */
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

static bool is_nesting(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_nested); i++)
        if (str_eq(app_nested[i].object, key))
            return true;
    return false;
}

static enum app_field find_nested(struct str object, struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_nested); i++)
        if (str_eq(app_nested[i].object, object) && str_eq(app_nested[i].name, key))
            return app_nested[i].field;
    return APP_OTHER;
}

/* Strings inside one of the objects of app_nested; a member of the record itself comes first. */
static void read_nested(struct app_reader *a, struct str object, struct str raw,
                        struct arena *arena)
{
    struct jp j;
    struct str key, text;

    jp_init(&j, raw, arena);
    j.takes_halves = true;
    if (!jp_enter(&j, '{'))
        return;
    while (jp_member(&j, &key)) {
        enum app_field f = find_nested(object, key);
        if (f == APP_OTHER || jp_peek(&j) != JP_STRING) {
            if (!jp_skip(&j))
                return;
        } else if (!jp_string(&j, &text)) {
            return;
        } else if (a->text[f].n == 0) {
            a->text[f] = text;
        }
    }
}

static bool read_field(struct app_reader *a, enum app_field f)
{
    assert(f < APP_FIELDS);
    bool is_first = (a->seen >> f & 1) == 0;

    a->seen |= 1u << f;
    if (f == APP_OTHER || f == APP_TIMESTAMP || !is_first)
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
    a->j.takes_halves = true; /* JSON.stringify of a text cut in the middle of an emoji */
    if (!jp_enter(&a->j, '{'))
        return false;
    while (jp_member(&a->j, &key)) {
        const char *at = a->j.p;
        if (!read_field(a, find_field(key)))
            return false;
        if (is_nesting(key))
            read_nested(a, key, (struct str){at, (size_t)(a->j.p - at)}, arena);
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
    struct str level = a->text[a->text[APP_LEVEL].n > 0 ? APP_LEVEL : APP_LOG_LEVEL];
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
    if (r->error_type.n == 0)
        r->error_type = a->text[APP_ERROR_CLASS];
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

static bool read_record(struct app_reader *a, struct str text, struct batch *b)
{
    memset(&a->text, 0, sizeof(a->text));
    a->seen = 0;
    return read_members(a, text, &b->arena);
}

/* Telemetry API: what a function or an extension printed. */
static bool is_printed(struct str type)
{
    return str_eq(type, STR("function")) || str_eq(type, STR("extension"));
}

/* The record inside: an object, or the text of one, or a line of text. */
static bool telemetry_record(struct app_reader *a, struct log_record *r, struct batch *b)
{
    const struct str raw = a->text[APP_RECORD];
    const struct str text = telemetry_message(raw, &b->arena);
    const bool is_object = text.n > 0 && text.p[0] == '{';

    if (is_object && read_record(a, text, b))
        fill_app(a, r, &b->arena);
    else if (raw.n > 0 && raw.p[0] == '{')
        return false;
    else
        aws_lambda_app(text, r, &b->arena);
    return true;
}

bool aws_lambda_json(struct str text, struct log_record *r, struct batch *b)
{
    static const unsigned envelope = 1u << APP_TIME | 1u << APP_TYPE | 1u << APP_RECORD;
    struct app_reader a;
    bool is_envelope;

    if (!read_record(&a, text, b))
        return false;
    is_envelope = (a.seen & ~(1u << APP_OTHER)) == envelope;
    if (str_starts(a.text[APP_TYPE], STR("platform."))) {
        if (is_envelope &&
            aws_platform_json(a.text[APP_TYPE], a.text[APP_TIME], a.text[APP_RECORD], r, b))
            return true;
        b->counts.forged++;
        if ((a.seen >> APP_ID & 1) == 0)
            a.text[APP_ID] = (struct str){0}; /* the forgery's */
    }
    if (is_envelope && is_printed(a.text[APP_TYPE]))
        return telemetry_record(&a, r, b);
    fill_app(&a, r, &b->arena);
    return true;
}
