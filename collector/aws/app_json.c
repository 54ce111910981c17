/* Application records of the JSON log format: a flat object with the members of a runtime or of a
 * usual logger (Powertools, pino, winston, zap, slog, logrus, log4j2, logback, Serilog, structlog,
 * loguru, Monolog, GELF, ECS, OpenTelemetry, tracing). One
 * pass with the pull reader; a table gives each member its place, a second one the places inside
 * the objects that loggers nest. Platform records are recognised here and read by lambda_json.c:
 * such a record has its three members and none that loggers write; AWS may add others. */
#include "collector/aws/lambda_json.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/app_error.h"
#include "collector/aws/app_failure.h"
#include "collector/aws/aws.h"
#include "collector/aws/scan.h"
#include "core/base/jsonpull.h"
#include "core/model/log_text.h"

enum app_field {
    APP_TIME,
    APP_TYPE,
    APP_RECORD,
    APP_LEVEL,
    APP_LOG_LEVEL,
    APP_PYTHON_LEVEL, /* logging's numbers, not pino's */
    APP_OTEL_LEVEL,   /* severityNumber */
    APP_SEVERITY,     /* a word, or a number of syslog's */
    APP_ID,
    APP_TRACE,
    APP_MESSAGE,
    APP_EVENT, /* the message where it is text; often what the function was given */
    APP_GELF,  /* short_message: such a record's levels are syslog's numbers */
    APP_CLEF,  /* "@t" of Serilog's compact form */
    APP_ERROR_TYPE,
    APP_ERROR_MESSAGE,
    APP_ERROR_CLASS, /* of an error that was logged, not of one nobody caught */
    APP_STACK,       /* its text begins with the class, Python's ends with it */
    APP_TARGET,      /* Rust: the module that logs */
    APP_TIMESTAMP,
    APP_OTHER,
    APP_FIELDS
};

/* Spellings of runtimes and common loggers, in any case but for the platform's three, by their
 * length, the commonest first: Serilog's compact form (@l, @m, @mt, @t, @x) and its other one
 * (RenderedMessage, MessageTemplate), hclog (@level, @message), zap's development encoder (L, M),
 * structlog (event), winston (stack), Monolog (level_name beside a number), python-json-logger
 * (exc_info), logback and NLog (exception), Powertools for Python (exception_name), OpenTelemetry
 * (severityText and the like, exception.type), Elastic Common Schema (log.level). What names the
 * request is known to log_is_id_name.
 */
enum { LONGEST_MEMBER = 15, MOST_OF_A_LENGTH = 7 };
static const struct app_member {
    struct str name; /* empty: no more */
    enum app_field field;
} app_members[LONGEST_MEMBER + 1][MOST_OF_A_LENGTH + 1] = {
    [1] = {{{"L", 1}, APP_LEVEL}, {{"M", 1}, APP_MESSAGE}},
    [2] = {{{"@l", 2}, APP_LEVEL},
           {{"@m", 2}, APP_MESSAGE},
           {{"@t", 2}, APP_CLEF},
           {{"@x", 2}, APP_STACK}},
    [3] = {{{"msg", 3}, APP_MESSAGE}, {{"lvl", 3}, APP_LEVEL}, {{"@mt", 3}, APP_MESSAGE}},
    [4] = {{{"time", 4}, APP_TIME}, {{"type", 4}, APP_TYPE}},
    [5] = {{{"level", 5}, APP_LEVEL}, {{"event", 5}, APP_EVENT}, {{"stack", 5}, APP_STACK}},
    [6] = {{{"record", 6}, APP_RECORD}, {{"@level", 6}, APP_LEVEL}, {{"target", 6}, APP_TARGET}},
    [7] = {{{"message", 7}, APP_MESSAGE},
           {{"traceId", 7}, APP_TRACE},
           {{"levelno", 7}, APP_PYTHON_LEVEL}},
    [8] = {{{"logLevel", 8}, APP_LEVEL},
           {{"severity", 8}, APP_SEVERITY},
           {{"@message", 8}, APP_MESSAGE},
           {{"exc_info", 8}, APP_STACK}},
    [9] = {{{"timestamp", 9}, APP_TIMESTAMP},
           {{"log_level", 9}, APP_LOG_LEVEL},
           {{"errorType", 9}, APP_ERROR_TYPE},
           {{"levelname", 9}, APP_LEVEL},
           {{"log.level", 9}, APP_LEVEL},
           {{"exception", 9}, APP_STACK}},
    [10] = {{{"level_name", 10}, APP_LOG_LEVEL}, {{"error.type", 10}, APP_ERROR_CLASS}},
    [11] = {{{"xrayTraceId", 11}, APP_TRACE}, {{"stack_trace", 11}, APP_STACK}},
    [12] = {{{"severityText", 12}, APP_LEVEL}, {{"errorMessage", 12}, APP_ERROR_MESSAGE}},
    [13] = {{{"xray_trace_id", 13}, APP_TRACE},
            {{"short_message", 13}, APP_GELF},
            {{"severity_text", 13}, APP_LEVEL}},
    [14] = {{{"severityNumber", 14}, APP_OTEL_LEVEL},
            {{"exception_name", 14}, APP_ERROR_CLASS},
            {{"exception.type", 14}, APP_ERROR_CLASS}},
    [15] = {{{"RenderedMessage", 15}, APP_MESSAGE},
            {{"MessageTemplate", 15}, APP_EVENT},
            {{"severity_number", 15}, APP_OTEL_LEVEL}},
};

/* Members that loggers put into an object of their own. */
static const struct {
    struct str object, name;
    enum app_field field;
} app_nested[] = {
    {{"span", 4}, {"requestId", 9}, APP_ID}, /* Rust tracing */
    {{"span", 4}, {"request_id", 10}, APP_ID},
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
    {{"contextMap", 10}, {"AWSRequestId", 12}, APP_ID},
    {{"mdc", 3}, {"AWSRequestId", 12}, APP_ID},   /* logback */
    {{"record", 6}, {"message", 7}, APP_MESSAGE}, /* loguru */
    {{"record.level", 12}, {"name", 4}, APP_LEVEL},
    {{"record.exception", 16}, {"type", 4}, APP_ERROR_CLASS},
    {{"level", 5}, {"levelStr", 8}, APP_LEVEL},      /* log4js */
    {{"_meta", 5}, {"logLevelName", 12}, APP_LEVEL}, /* tslog */
    {{"context", 7}, {"logLevel", 8}, APP_LEVEL},    /* roarr: a number */
    {{"spans", 5}, {"requestId", 9}, APP_ID},        /* Rust tracing without the current one */
    {{"spans", 5}, {"xrayTraceId", 11}, APP_TRACE},
    {{"Scopes", 6}, {"AwsRequestId", 12}, APP_ID}, /* .NET's console */
    {{"record.extra", 12}, {"request_id", 10}, APP_ID},
    {{"record.extra", 12}, {"aws_request_id", 14}, APP_ID},
    {{"level", 5}, {"label", 5}, APP_LEVEL},
    {{"level", 5}, {"name", 4}, APP_LEVEL},
    {{"exception", 9}, {"exc_type", 8}, APP_ERROR_CLASS}, /* structlog */
    {{"exception", 9}, {"exception_class", 15}, APP_ERROR_CLASS},
    {{"exception", 9}, {"class", 5}, APP_ERROR_CLASS},
    {{"exception", 9}, {"name", 4}, APP_ERROR_CLASS},           /* semantic_logger */
    {{"context.exception", 17}, {"class", 5}, APP_ERROR_CLASS}, /* Monolog */
};

struct app_reader {
    struct jp j;
    struct str text[APP_FIELDS]; /* strings unescaped; numbers and composites as they stand */
    unsigned seen;               /* bit per field */
};

/* Key and name are of one length. */
static bool is_called(const struct app_member *m, struct str key)
{
    const enum app_field f = m->field;
    const bool is_exact = f == APP_TIME || f == APP_TYPE || f == APP_RECORD;

    if (((m->name.p[0] ^ key.p[0]) & ~('a' ^ 'A')) != 0)
        return false;
    return str_eq(m->name, key) || (!is_exact && str_eq_nocase(m->name, key));
}

static unsigned find_field(struct str key)
{
    const struct app_member *m = app_members[key.n > LONGEST_MEMBER ? 0 : key.n];

    while (m->name.n > 0 && !is_called(m, key))
        m++;
    if (m->name.n > 0)
        return m->field;
    return log_is_id_name(key) ? APP_ID : APP_OTHER;
}

static bool is_nesting(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_nested); i++)
        if (str_eq(app_nested[i].object, key))
            return true;
    return false;
}

/* "level" inside "record" is "record.level" in the table; empty: nothing in it is looked for. */
static struct str find_inner(struct str object, struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_nested); i++) {
        const struct str name = app_nested[i].object;
        if (name.n == object.n + 1 + key.n && str_starts(name, object) && name.p[object.n] == '.' &&
            str_ends(name, key))
            return name;
    }
    return (struct str){0};
}

static enum app_field find_nested(struct str object, struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(app_nested); i++)
        if (str_eq(app_nested[i].object, object) && str_eq(app_nested[i].name, key))
            return app_nested[i].field;
    return APP_OTHER;
}

static bool is_uuid(struct str text)
{
    return text.n == UUID_LEN && scan_uuid(text);
}

/* An object in place of a value gives way to what stands in it. */
static void take_nested(struct app_reader *a, enum app_field f, struct str text)
{
    if (f == APP_ID && !is_uuid(text))
        return;
    if (a->text[f].n == 0 || a->text[f].p[0] == '{')
        a->text[f] = text;
}

static void read_nested(struct app_reader *a, struct str object, struct str raw,
                        struct arena *arena);

/* One member of such an object. False: it cannot be read. */
static bool read_inner(struct app_reader *a, struct str object, struct str key, struct jp *j,
                       struct arena *arena)
{
    const enum app_field f = find_nested(object, key);
    const enum jp_type type = jp_peek(j);
    const bool is_number = type == JP_NUMBER && f == APP_LEVEL;
    const struct str inner = type == JP_OBJECT ? find_inner(object, key) : (struct str){0};
    struct str text;

    if (inner.n > 0) {
        if (!jp_raw(j, &text))
            return false;
        read_nested(a, inner, text, arena);
        return true;
    }
    if (f == APP_OTHER || !(type == JP_STRING || is_number))
        return jp_skip(j);
    if (is_number ? !jp_number(j, &text) : !jp_string(j, &text))
        return false;
    take_nested(a, f, text);
    return true;
}

/* Texts and numbers inside one of the objects of app_nested or a list of them, and of one inside
 * it; a member of the record itself comes first. */
static void read_nested(struct app_reader *a, struct str object, struct str raw,
                        struct arena *arena)
{
    struct jp j;
    struct str key, text;

    jp_init(&j, raw, arena);
    j.takes_halves = true;
    if (jp_peek(&j) == JP_ARRAY && jp_enter(&j, '[')) {
        while (jp_element(&j) && jp_raw(&j, &text))
            if (text.p[0] == '{')
                read_nested(a, object, text, arena);
        return;
    }
    if (!jp_enter(&j, '{'))
        return;
    while (jp_member(&j, &key) && read_inner(a, object, key, &j, arena))
        ;
}

static bool read_field(struct app_reader *a, enum app_field f, enum jp_type type)
{
    assert(f < APP_FIELDS);
    const bool is_first = a->text[f].n == 0; /* one that says nothing does not count */

    a->seen |= 1u << f;
    if (f == APP_OTHER || f == APP_TIMESTAMP || !is_first)
        return jp_skip(&a->j);
    const bool is_text = f != APP_RECORD && type == JP_STRING;
    const bool is_read = is_text ? jp_string(&a->j, &a->text[f]) : jp_raw(&a->j, &a->text[f]);
    if (f == APP_ID && !is_uuid(a->text[APP_ID]))
        a->text[APP_ID] = (struct str){0}; /* another member may name one */
    return is_read;
}

/* Everything that is looked for was found, and it is no error: the rest need not be read. */
static bool is_enough(const struct app_reader *a)
{
    static const unsigned wanted = 1u << APP_LEVEL | 1u << APP_ID | 1u << APP_MESSAGE;
    return (a->seen & wanted) == wanted && a->text[APP_LEVEL].n > 0 && a->text[APP_ID].n > 0 &&
           (a->text[APP_LEVEL].p[0] == 'I' || a->text[APP_LEVEL].p[0] == 'D');
}

static bool read_members(struct app_reader *a, struct jp_form *form, struct str text,
                         struct arena *arena)
{
    struct str key;
    unsigned field;

    jp_init(&a->j, text, arena);
    a->j.takes_halves = true; /* JSON.stringify of a text cut in the middle of an emoji */
    if (!jp_enter(&a->j, '{'))
        return false;
    for (size_t i = 0; jp_member_like(&a->j, form, i, find_field, &key, &field); i++) {
        const enum jp_type type = jp_peek(&a->j);
        const char *at = a->j.p;
        if (!read_field(a, (enum app_field)field, type))
            return false;
        if ((type == JP_OBJECT || type == JP_ARRAY) && is_nesting(key))
            read_nested(a, key, (struct str){at, (size_t)(a->j.p - at)}, arena);
        if (is_enough(a))
            return true;
    }
    return a->j.error == NULL && jp_at_end(&a->j);
}

/* The last row that is not above the number. */
struct level_step {
    int64_t from;
    enum severity severity;
};

static enum severity severity_of_number(const struct level_step *steps, size_t n, int64_t number)
{
    enum severity found = SEVERITY_UNKNOWN;

    for (size_t i = 0; i < n && number >= steps[i].from; i++)
        found = steps[i].severity;
    return found;
}

/* pino's and bunyan's 10 to 60, Monolog's 100 to 600: they do not overlap. */
static enum severity numbered_severity(int64_t number)
{
    static const struct level_step steps[] = {
        {10, SEVERITY_TRACE},   {20, SEVERITY_DEBUG}, {30, SEVERITY_INFO},    {40, SEVERITY_WARN},
        {50, SEVERITY_ERROR},   {60, SEVERITY_FATAL}, {61, SEVERITY_UNKNOWN}, {100, SEVERITY_DEBUG},
        {200, SEVERITY_INFO},   {300, SEVERITY_WARN}, {400, SEVERITY_ERROR},  {500, SEVERITY_FATAL},
        {601, SEVERITY_UNKNOWN}};

    return severity_of_number(steps, ARRAY_LEN(steps), number);
}

/* Below 8 they are syslog's, above pino's or their like. */
static enum severity low_severity(int64_t number)
{
    return number < 8 ? scan_syslog_level(number) : numbered_severity(number);
}

static enum severity python_severity(int64_t number)
{
    static const struct level_step steps[] = {{1, SEVERITY_TRACE},  {10, SEVERITY_DEBUG},
                                              {20, SEVERITY_INFO},  {30, SEVERITY_WARN},
                                              {40, SEVERITY_ERROR}, {50, SEVERITY_FATAL}};

    return severity_of_number(steps, ARRAY_LEN(steps), number);
}

static enum severity otel_severity(int64_t number)
{
    static const struct level_step steps[] = {
        {1, SEVERITY_TRACE},  {5, SEVERITY_DEBUG},  {9, SEVERITY_INFO},    {13, SEVERITY_WARN},
        {17, SEVERITY_ERROR}, {21, SEVERITY_FATAL}, {25, SEVERITY_UNKNOWN}};

    return severity_of_number(steps, ARRAY_LEN(steps), number);
}

/* A word, or a number by the rule of who writes it; of several the first that says something. */
static enum severity app_severity(const struct app_reader *a)
{
    static const struct {
        enum app_field field;
        enum severity (*of_number)(int64_t number);
    } places[] = {
        {APP_LEVEL, numbered_severity},      {APP_LOG_LEVEL, numbered_severity},
        {APP_SEVERITY, low_severity},        {APP_OTEL_LEVEL, otel_severity},
        {APP_PYTHON_LEVEL, python_severity},
    };
    enum severity s = SEVERITY_UNKNOWN;
    int64_t n;

    for (size_t i = 0; i < ARRAY_LEN(places) && s == SEVERITY_UNKNOWN; i++) {
        struct str level = a->text[places[i].field];
        if (!scan_json_level(level, &s) && str_to_i64(level, &n))
            s = a->text[APP_GELF].n > 0 ? scan_syslog_level(n) : places[i].of_number(n);
    }
    return s;
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
    /* Python's runtime writes no message member, .NET's an empty one; loggers always do. */
    if ((a->seen >> APP_LOG_LEVEL & 1) != 0 || a->text[APP_MESSAGE].n == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(a->text[APP_MESSAGE], openings[i]))
            return true;
    return false;
}

/* No object, array or number. */
static bool is_plain(struct str text)
{
    return text.n > 0 && text.p[0] != '{' && text.p[0] != '[' &&
           (text.p[0] < '0' || text.p[0] > '9');
}

static bool is_clef(const struct app_reader *a)
{
    return a->text[APP_CLEF].n > 0 && a->text[APP_MESSAGE].n > 0 && a->text[APP_LEVEL].n == 0;
}

static enum severity severity_of(const struct app_reader *a, bool is_error)
{
    enum severity s = app_severity(a);

    if (s != SEVERITY_UNKNOWN)
        return s;
    if (is_clef(a))
        return SEVERITY_INFO; /* Serilog leaves "Information" out */
    return is_error ? SEVERITY_ERROR : SEVERITY_UNKNOWN;
}

/* ["RuntimeError","text"], as lograge has it. */
static struct str first_of_pair(struct str raw, struct arena *arena)
{
    struct jp j;
    struct str text;

    jp_init(&j, raw, arena);
    return jp_enter(&j, '[') && jp_element(&j) && jp_peek(&j) == JP_STRING && jp_string(&j, &text)
               ? text
               : (struct str){0};
}

static struct str error_type_of(const struct app_reader *a, enum severity severity,
                                struct arena *arena)
{
    const struct str message = a->text[APP_MESSAGE];
    struct str type = a->text[APP_ERROR_TYPE];

    if (type.n == 0)
        type = a->text[APP_ERROR_CLASS];
    if (type.n == 0 && severity >= SEVERITY_ERROR && str_starts(message, STR("{")))
        type = nested_error_type(message, arena);
    if (type.n > 0 || severity < SEVERITY_ERROR)
        return type;
    const struct str stack = a->text[APP_STACK];
    return app_stack_type(str_starts(stack, STR("[")) ? first_of_pair(stack, arena) : stack);
}

/* Of the places a message may stand in, the first that has one; empty: the record itself. */
static struct str message_of(const struct app_reader *a, struct arena *arena)
{
    static const enum app_field places[] = {APP_MESSAGE, APP_ERROR_MESSAGE, APP_GELF};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (a->text[places[i]].n > 0)
            return a->text[places[i]];
    if (is_plain(a->text[APP_EVENT]))
        return a->text[APP_EVENT];
    return (a->seen >> APP_TYPE & 1) != 0 ? telemetry_message(a->text[APP_RECORD], arena)
                                          : (struct str){0};
}

/* Java's, Rust's and Go's runtimes have one in the text of an ordinary record. */
static void find_failure(const struct app_reader *a, struct log_record *r, struct arena *arena)
{
    const struct str target = a->text[APP_TARGET], message = a->text[APP_MESSAGE];

    if (r->severity >= SEVERITY_ERROR && !app_java_failure(message, r)) {
        r->message = target.n > 0 ? arena_printf(arena, STR_FMT ": " STR_FMT, STR_ARG(target),
                                                 STR_ARG(message))
                                  : r->message;
        app_rust_failure(r);
        r->message = message.n > 0 ? message : r->message;
    }
    const struct str type =
        str_eq(a->text[APP_LEVEL], STR("INFO")) ? app_go_answer(message, arena) : (struct str){0};
    if (type.n > 0)
        app_fail(r, type);
}

static void fill_app(const struct app_reader *a, struct log_record *r, struct arena *arena)
{
    struct str message = message_of(a, arena);

    r->kind = RECORD_APP;
    r->is_error = is_unhandled(a);
    r->severity = severity_of(a, r->is_error);
    if (a->text[APP_ID].n > 0)
        r->invocation_id = a->text[APP_ID];
    r->trace_id = scan_trace_id(a->text[APP_TRACE]);
    r->error_type = error_type_of(a, r->severity, arena);
    if (message.n > 0)
        r->message = message;
    if (!r->is_error)
        find_failure(a, r, arena);
}

static bool read_record(struct app_reader *a, struct jp_form *form, struct str text,
                        struct batch *b)
{
    memset(&a->text, 0, sizeof(a->text));
    a->seen = 0;
    return read_members(a, form, text, &b->arena);
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
    struct jp_form form = {0};

    if (is_object && read_record(a, &form, text, b))
        fill_app(a, r, &b->arena);
    else if (raw.n > 0 && raw.p[0] == '{')
        return false;
    else
        aws_lambda_app(text, r, &b->arena);
    return true;
}

/* CloudWatch cuts events at their limit: what a record says in front of its message counts. */
static void fill_torn(const struct app_reader *a, struct log_record *r)
{
    r->severity = app_severity(a);
    if (a->text[APP_ID].n > 0)
        r->invocation_id = a->text[APP_ID];
}

bool aws_app_json(struct str text, struct log_record *r, struct batch *b)
{
    struct app_reader a;
    struct jp_form form = {0};

    if (!read_record(&a, &form, text, b) || str_starts(a.text[APP_TYPE], STR("platform.")))
        return false;
    fill_app(&a, r, &b->arena);
    return true;
}

bool aws_lambda_json(struct decode_memo *before, struct str text, struct log_record *r,
                     struct batch *b)
{
    static const unsigned envelope = 1u << APP_TIME | 1u << APP_TYPE | 1u << APP_RECORD;
    struct app_reader a;
    bool is_envelope;

    if (!read_record(&a, &before->json, text, b)) {
        if (!str_starts(a.text[APP_TYPE], STR("platform.")))
            fill_torn(&a, r);
        return false;
    }
    is_envelope = (a.seen & ~(1u << APP_OTHER)) == envelope;
    if (str_starts(a.text[APP_TYPE], STR("platform."))) {
        if (is_envelope &&
            aws_platform_json(a.text[APP_TYPE], a.text[APP_TIME], a.text[APP_RECORD], r, b))
            return true;
        r->is_imitation = true;
        if ((a.seen >> APP_ID & 1) == 0)
            a.text[APP_ID] = (struct str){0}; /* the forgery's */
    }
    if (is_envelope && is_printed(a.text[APP_TYPE]))
        return telemetry_record(&a, r, b);
    fill_app(&a, r, &b->arena);
    return true;
}
