/* One log event, decoded: where, when, what it says. Views live in the batch's arena or page. */
#ifndef FNSCOPE_CORE_MODEL_RECORD_H
#define FNSCOPE_CORE_MODEL_RECORD_H

#include "core/model/fn.h"

/* Which members of struct platform_event hold something. */
enum platform_has {
    PH_DURATION = 1 << 0,
    PH_BILLED = 1 << 1,
    PH_MEMORY = 1 << 2,
    PH_MAX_MEMORY = 1 << 3,
    PH_INIT = 1 << 4,
    PH_RESTORE = 1 << 5,
    PH_BILLED_RESTORE = 1 << 6,
    PH_SAMPLED = 1 << 7,
    PH_PRODUCED_BYTES = 1 << 8,
    PH_TIME = 1 << 9
};

/* A platform line or platform.* record with its fields (see enums.h for the kinds). */
struct platform_event {
    enum platform_kind kind;
    unsigned has;       /* enum platform_has */
    struct str version; /* function version of START and initStart */
    struct str runtime_version, runtime_version_arn;
    struct str function_name, function_arn, instance_id;
    struct str init_type;  /* "on-demand", "provisioned-concurrency", "snap-start", ... */
    struct str phase;      /* "init", "invoke", ... */
    struct str status;     /* "success", "failure", "error", "timeout" */
    struct str error_type; /* "Runtime.OutOfMemory" */
    struct str error_message;
    struct str trace_header; /* as sent; record.trace_id is cut from it */
    struct str segment_id;
    struct str tenant_id;
    struct str name, state, events; /* extension, subscriptions */
    struct str extras;   /* labels we do not know, as text "Label: value\tLabel: value" */
    int64_t duration_ns; /* REPORT, RUNTIME_DONE, INIT_REPORT, RESTORE_REPORT */
    int64_t billed_ns;   /* Billed Duration: whole ms */
    int64_t init_ns;     /* Init Duration inside a REPORT */
    int64_t restore_ns, billed_restore_ns;
    int64_t timeout_ns; /* PLATFORM_TIMEOUT */
    int64_t at_ns;      /* PH_TIME: the time inside the record */
    uint64_t memory_bytes, max_memory_bytes, produced_bytes;
    uint64_t dropped_records, dropped_bytes; /* LOGS_DROPPED */
    bool is_sampled;
};

struct log_record {
    int64_t time_ns; /* event time: written by the function or platform */
    int64_t seen_ns; /* accepted by the provider (ingestionTime); 0: not known */
    const struct origin *origin;
    enum record_kind kind;
    enum severity severity;
    struct str invocation_id; /* request id in the record; empty: none */
    struct str trace_id;      /* "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"; empty: none */
    struct str message;       /* application message without the runtime's prefix */
    struct str error_type;    /* of an unhandled error the runtime logged: "ValueError" */
    struct str body;          /* the whole event as it came, trailing line end cut */
    const struct platform_event *platform; /* NULL for application lines */
    uint64_t identity;       /* 64-bit hash that names this event for ever; repeats have the same */
    uint16_t arrival;        /* of a START, and of an error without a request id: see arrival.h */
    uint32_t ingested_bytes; /* what the provider bills for it: message bytes as sent */
    bool is_error;           /* an unhandled error reported by the runtime: its invocation failed */
    bool is_time_guessed;    /* neither it nor a line near it says when it was */
    bool is_time_borrowed;   /* it does not say itself when it was */
    bool is_imitation;       /* text that imitates a line of the platform */
    bool is_repeat;          /* set by the store's dedup: already stored, to be ignored */
};

#endif
