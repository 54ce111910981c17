/* Every enumeration of the nouns, with one name table each. Names are what is stored, exported and
 * filtered by; OpenTelemetry spelling where it has one (faas.trigger, semantic conventions 1.27,
 * status Development). No string comparison elsewhere. */
#ifndef FNSCOPE_CORE_MODEL_ENUMS_H
#define FNSCOPE_CORE_MODEL_ENUMS_H

#include "core/base/str.h"

enum provider {
    PROVIDER_UNKNOWN,
    PROVIDER_AWS,
    PROVIDER_AZURE,
    PROVIDER_GCP,
    PROVIDER_OTLP,
    PROVIDER_GENERIC
};
enum arch { ARCH_UNKNOWN, ARCH_X86_64, ARCH_ARM64 };
/* What prices tell apart. */
enum runtime_kind { RUNTIME_UNKNOWN, RUNTIME_JAVA, RUNTIME_OTHER };
enum severity {
    SEVERITY_UNKNOWN,
    SEVERITY_TRACE,
    SEVERITY_DEBUG,
    SEVERITY_INFO,
    SEVERITY_WARN,
    SEVERITY_ERROR,
    SEVERITY_FATAL
};
enum record_kind { RECORD_APP, RECORD_PLATFORM };
enum trigger {
    TRIGGER_UNKNOWN,
    TRIGGER_HTTP,
    TRIGGER_PUBSUB,
    TRIGGER_TIMER,
    TRIGGER_DATASOURCE,
    TRIGGER_OTHER
};
enum outcome {
    OUTCOME_UNKNOWN, /* running, or its end was never seen */
    OUTCOME_OK,
    OUTCOME_ERROR, /* the function, a crash or an extension failed */
    OUTCOME_TIMEOUT,
    OUTCOME_OOM,
    OUTCOME_INIT_ERROR, /* ended in initialization */
    OUTCOME_THROTTLED,
    OUTCOMES
};
enum start_kind {
    START_UNKNOWN,
    START_WARM,
    START_COLD,
    START_PROVISIONED,
    START_SNAPSTART,
    START_KINDS
};

/* Platform events of AWS Lambda, text and JSON forms alike (reference: Lambda Telemetry API schema,
 * CloudWatch text lines). */
enum platform_kind {
    PLATFORM_OTHER, /* a type we do not know: kept as text */
    PLATFORM_INIT_START,
    PLATFORM_INIT_RUNTIME_DONE,
    PLATFORM_INIT_REPORT,
    PLATFORM_START,
    PLATFORM_RUNTIME_DONE,
    PLATFORM_END,
    PLATFORM_REPORT,
    PLATFORM_RESTORE_START,
    PLATFORM_RESTORE_RUNTIME_DONE,
    PLATFORM_RESTORE_REPORT,
    PLATFORM_EXTENSION,
    PLATFORM_TELEMETRY, /* telemetrySubscription */
    PLATFORM_LOGS,      /* logsSubscription */
    PLATFORM_LOGS_DROPPED,
    PLATFORM_FAULT,
    PLATFORM_TIMEOUT,      /* old text form: "Task timed out after" */
    PLATFORM_RUNTIME_EXIT, /* old text form: "Error: Runtime exited ..." */
    PLATFORM_KINDS
};

/* What an invocation row rests on (bit set in invocation.evidence). */
enum evidence {
    EV_START = 1 << 0,
    EV_END = 1 << 1,
    EV_REPORT = 1 << 2,
    EV_RUNTIME_DONE = 1 << 3,
    EV_INIT_START = 1 << 4,
    EV_INIT_REPORT = 1 << 5,
    EV_TIMEOUT_LINE = 1 << 6,
    EV_EXIT_LINE = 1 << 7,        /* the platform says that the runtime exited */
    EV_APP_ERROR = 1 << 8,        /* the runtime logged an unhandled error */
    EV_PROACTIVE_INIT = 1 << 9,   /* initialized well before its first request */
    EV_SUPPRESSED_INIT = 1 << 10, /* initialized again inside the invocation */
    EV_START_ESTIMATED = 1 << 11, /* start_ns = report time - duration: no START was seen */
    EV_NO_BILLING = 1 << 12,      /* managed instances: no billed duration, no memory */
    EV_DUPLICATE = 1 << 13,       /* with EV_FORGED: another export tells it better */
    EV_ASSUMED_CONFIG = 1 << 14,  /* region, architecture or storage assumed for the price */
    EV_JAVA_RUNTIME = 1 << 15,    /* of a restore: a line of the environment names its runtime */
    EV_OTHER_RUNTIME = 1 << 16,   /* the same, and it is not Java */
    EV_RESTORE_FREE = 1 << 17,    /* the restore is known to be free */
    EV_RESTORE_BILLED = 1 << 18,  /* the restore is in the cost */
    EV_FORGED = 1 << 19,          /* printed by another request, unless EV_DUPLICATE: kept for the
                                     correlator alone */
    EV_DOUBTFUL = 1 << 20,        /* counted, though another request may have printed it */
    EV_TIME_GUESSED = 1 << 21,    /* no line says when it ran: start_ns is the time of its file */
    EV_ERROR_GUESSED = 1 << 22    /* an error without a request id may be another request's */
};

/* Each gives the name ("aws", "x86_64", "ok", "cold" ...), or "unknown". */
const char *provider_name(enum provider v);
const char *arch_name(enum arch v);
const char *severity_name(enum severity v); /* "error" */
const char *trigger_name(enum trigger v);
const char *outcome_name(enum outcome v);
const char *start_kind_name(enum start_kind v);
const char *platform_kind_name(enum platform_kind v);
/* Of a runtime's name: "java:21.v38" as lines have it, "java21" as configurations do. */
enum runtime_kind runtime_kind_of(struct str name);
/* The attempt ended, and not well: everything but OK and unknown. */
bool outcome_is_failure(enum outcome o);
/* Each reads a name; false and *out untouched when it is none. */
bool provider_parse(struct str s, enum provider *out);
bool arch_parse(struct str s, enum arch *out);
bool severity_parse(
    struct str s,
    enum severity *out); /* every runtime's spelling: trce, WARNING, Critical ... any case */
bool outcome_parse(struct str s, enum outcome *out);
bool start_kind_parse(struct str s, enum start_kind *out);
bool trigger_parse(struct str s, enum trigger *out);
bool platform_kind_parse(struct str s, enum platform_kind *out);
/* For --help and errors: NULL-terminated. */
extern const char *const outcome_names[];
extern const char *const severity_names[];
extern const char *const provider_names[];
extern const char *const start_kind_names[];
extern const char *const arch_names[];

#endif
