/* Name tables of the nouns' enumerations: the one place where their spelling stands. Looks names up
 * and reads them back; severities also in every runtime's spelling. Owns nothing, pure. */
#include "core/model/enums.h"

#include "core/base/macros.h"

const char *const provider_names[] = {
    [PROVIDER_UNKNOWN] = "unknown", [PROVIDER_AWS] = "aws",   [PROVIDER_AZURE] = "azure",
    [PROVIDER_GCP] = "gcp",         [PROVIDER_OTLP] = "otlp", [PROVIDER_GENERIC] = "generic",
    [PROVIDER_GENERIC + 1] = NULL,
};

const char *const severity_names[] = {
    [SEVERITY_UNKNOWN] = "unknown", [SEVERITY_TRACE] = "trace",  [SEVERITY_DEBUG] = "debug",
    [SEVERITY_INFO] = "info",       [SEVERITY_WARN] = "warn",    [SEVERITY_ERROR] = "error",
    [SEVERITY_FATAL] = "fatal",     [SEVERITY_FATAL + 1] = NULL,
};

const char *const outcome_names[] = {
    [OUTCOME_UNKNOWN] = "unknown",     [OUTCOME_OK] = "ok",   [OUTCOME_ERROR] = "error",
    [OUTCOME_TIMEOUT] = "timeout",     [OUTCOME_OOM] = "oom", [OUTCOME_INIT_ERROR] = "init_error",
    [OUTCOME_THROTTLED] = "throttled", [OUTCOMES] = NULL,
};

const char *const start_kind_names[] = {
    [START_UNKNOWN] = "unknown",         [START_WARM] = "warm",           [START_COLD] = "cold",
    [START_PROVISIONED] = "provisioned", [START_SNAPSTART] = "snapstart", [START_KINDS] = NULL,
};

const char *const arch_names[] = {
    [ARCH_UNKNOWN] = "unknown",
    [ARCH_X86_64] = "x86_64",
    [ARCH_ARM64] = "arm64",
    [ARCH_ARM64 + 1] = NULL,
};

static const char *const trigger_names[] = {
    [TRIGGER_UNKNOWN] = "unknown",       [TRIGGER_HTTP] = "http",
    [TRIGGER_PUBSUB] = "pubsub",         [TRIGGER_TIMER] = "timer",
    [TRIGGER_DATASOURCE] = "datasource", [TRIGGER_OTHER] = "other",
};

static const char *const platform_names[PLATFORM_KINDS] = {
    [PLATFORM_OTHER] = "other",
    [PLATFORM_INIT_START] = "init_start",
    [PLATFORM_INIT_RUNTIME_DONE] = "init_runtime_done",
    [PLATFORM_INIT_REPORT] = "init_report",
    [PLATFORM_START] = "start",
    [PLATFORM_RUNTIME_DONE] = "runtime_done",
    [PLATFORM_END] = "end",
    [PLATFORM_REPORT] = "report",
    [PLATFORM_RESTORE_START] = "restore_start",
    [PLATFORM_RESTORE_RUNTIME_DONE] = "restore_runtime_done",
    [PLATFORM_RESTORE_REPORT] = "restore_report",
    [PLATFORM_EXTENSION] = "extension",
    [PLATFORM_TELEMETRY] = "telemetry",
    [PLATFORM_LOGS] = "logs",
    [PLATFORM_LOGS_DROPPED] = "logs_dropped",
    [PLATFORM_FAULT] = "fault",
    [PLATFORM_TIMEOUT] = "timeout",
    [PLATFORM_RUNTIME_EXIT] = "runtime_exit",
};

/* Spellings other than our own: .NET, Java util.logging, syslog, Python, Ruby and glog letters. */
static const struct {
    struct str name;
    enum severity severity;
} severity_aliases[] = {
    {{"trce", 4}, SEVERITY_TRACE},
    {{"verbose", 7}, SEVERITY_TRACE},
    {{"finest", 6}, SEVERITY_TRACE},
    {{"finer", 5}, SEVERITY_TRACE},
    {{"dbug", 4}, SEVERITY_DEBUG},
    {{"dbg", 3}, SEVERITY_DEBUG},
    {{"trc", 3}, SEVERITY_TRACE},
    {{"vrb", 3}, SEVERITY_TRACE},
    {{"fine", 4}, SEVERITY_DEBUG},
    {{"d", 1}, SEVERITY_DEBUG},
    {{"information", 11}, SEVERITY_INFO},
    {{"informational", 13}, SEVERITY_INFO},
    {{"notice", 6}, SEVERITY_INFO},
    {{"inf", 3}, SEVERITY_INFO},
    {{"config", 6}, SEVERITY_INFO},
    {{"i", 1}, SEVERITY_INFO},
    {{"warning", 7}, SEVERITY_WARN},
    {{"wrn", 3}, SEVERITY_WARN},
    {{"w", 1}, SEVERITY_WARN},
    {{"err", 3}, SEVERITY_ERROR},
    {{"eror", 4}, SEVERITY_ERROR},   /* log15 */
    {{"shout", 5}, SEVERITY_FATAL},  /* Dart */
    {{"success", 7}, SEVERITY_INFO}, /* loguru */
    {{"fail", 4}, SEVERITY_ERROR},
    {{"severe", 6}, SEVERITY_ERROR},
    {{"e", 1}, SEVERITY_ERROR},
    {{"critical", 8}, SEVERITY_FATAL},
    {{"crit", 4}, SEVERITY_FATAL},
    {{"alert", 5}, SEVERITY_FATAL},
    {{"emergency", 9}, SEVERITY_FATAL},
    {{"emerg", 5}, SEVERITY_FATAL},
    {{"panic", 5}, SEVERITY_FATAL},
    {{"dpanic", 6}, SEVERITY_FATAL}, /* zap */
    {{"ftl", 3}, SEVERITY_FATAL},
    {{"pnc", 3}, SEVERITY_FATAL},
    {{"f", 1}, SEVERITY_FATAL},
};

static const char *name_at(const char *const *names, size_t n, unsigned v)
{
    return v < n && names[v] != NULL ? names[v] : "unknown";
}

static bool find_name(const char *const *names, size_t n, struct str s, unsigned *out)
{
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(s, str_from(names[i])))
            continue;
        *out = (unsigned)i;
        return true;
    }
    return false;
}

const char *provider_name(enum provider v)
{
    return name_at(provider_names, PROVIDER_GENERIC + 1, (unsigned)v);
}

const char *arch_name(enum arch v)
{
    return name_at(arch_names, ARCH_ARM64 + 1, (unsigned)v);
}

const char *severity_name(enum severity v)
{
    return name_at(severity_names, SEVERITY_FATAL + 1, (unsigned)v);
}

const char *trigger_name(enum trigger v)
{
    return name_at(trigger_names, ARRAY_LEN(trigger_names), (unsigned)v);
}

const char *outcome_name(enum outcome v)
{
    return name_at(outcome_names, OUTCOMES, (unsigned)v);
}

const char *start_kind_name(enum start_kind v)
{
    return name_at(start_kind_names, START_KINDS, (unsigned)v);
}

const char *platform_kind_name(enum platform_kind v)
{
    return name_at(platform_names, PLATFORM_KINDS, (unsigned)v);
}

bool provider_parse(struct str s, enum provider *out)
{
    unsigned v = 0;
    if (!find_name(provider_names, PROVIDER_GENERIC + 1, s, &v))
        return false;
    *out = (enum provider)v;
    return true;
}

bool arch_parse(struct str s, enum arch *out)
{
    static const struct {
        struct str name;
        enum arch arch;
    } aliases[] = {
        {{"x86", 3}, ARCH_X86_64},
        {{"amd64", 5}, ARCH_X86_64},
        {{"arm", 3}, ARCH_ARM64},
        {{"aarch64", 7}, ARCH_ARM64},
    };
    unsigned v = 0;
    if (find_name(arch_names, ARCH_ARM64 + 1, s, &v)) {
        *out = (enum arch)v;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (!str_eq_nocase(s, aliases[i].name))
            continue;
        *out = aliases[i].arch;
        return true;
    }
    return false;
}

bool severity_parse(struct str s, enum severity *out)
{
    for (unsigned i = 0; i <= SEVERITY_FATAL; i++) {
        if (!str_eq_nocase(s, str_from(severity_names[i])))
            continue;
        *out = (enum severity)i;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(severity_aliases); i++) {
        if (!str_eq_nocase(s, severity_aliases[i].name))
            continue;
        *out = severity_aliases[i].severity;
        return true;
    }
    return false;
}

bool outcome_parse(struct str s, enum outcome *out)
{
    unsigned v = 0;
    if (!find_name(outcome_names, OUTCOMES, s, &v))
        return false;
    *out = (enum outcome)v;
    return true;
}

bool start_kind_parse(struct str s, enum start_kind *out)
{
    unsigned v = 0;
    if (!find_name(start_kind_names, START_KINDS, s, &v))
        return false;
    *out = (enum start_kind)v;
    return true;
}

bool trigger_parse(struct str s, enum trigger *out)
{
    unsigned v = 0;
    if (!find_name(trigger_names, ARRAY_LEN(trigger_names), s, &v))
        return false;
    *out = (enum trigger)v;
    return true;
}

bool platform_kind_parse(struct str s, enum platform_kind *out)
{
    unsigned v = 0;
    if (!find_name(platform_names, PLATFORM_KINDS, s, &v))
        return false;
    *out = (enum platform_kind)v;
    return true;
}

enum runtime_kind runtime_kind_of(struct str name)
{
    if (name.n == 0)
        return RUNTIME_UNKNOWN;
    return str_starts(name, STR("java")) ? RUNTIME_JAVA : RUNTIME_OTHER;
}

bool outcome_is_failure(enum outcome o)
{
    return o != OUTCOME_OK && o != OUTCOME_UNKNOWN;
}
