/* One attempt to run a function: what the correlator makes of its records. Identity: (environment,
 * request id, attempt). */
#ifndef FNSCOPE_CORE_MODEL_INVOCATION_H
#define FNSCOPE_CORE_MODEL_INVOCATION_H

#include "core/model/money.h"
#include "core/model/record.h"

struct invocation {
    const struct origin *origin;
    struct str id; /* request id, normally a lower-case UUID */
    struct str trace_id;
    struct str error_type; /* "Runtime.ExitError", "ValueError"; empty: none */
    struct str version;    /* function version that ran */
    enum trigger trigger;
    enum outcome outcome;
    enum start_kind start;
    enum arch arch;      /* used for the price */
    int64_t start_ns;    /* event time of START; else estimated (EV_START_ESTIMATED) */
    int64_t duration_ns; /* handler and extensions, without init */
    int64_t init_ns;     /* 0: none */
    int64_t restore_ns;
    int64_t billed_ns;     /* Billed Duration; a restore that is billed is in it */
    int64_t init_lead_ns;  /* INIT_START to START when EV_INIT_START: proactive init is long */
    uint64_t memory_bytes; /* configured */
    uint64_t max_memory_bytes;
    uint64_t storage_bytes; /* ephemeral storage used for the price */
    uint32_t attempt;       /* 1.. among all attempts of this request id */
    uint32_t evidence;      /* enum evidence */
    struct str pieces;      /* what it was made of, in the correlator's own code */
    money cost;         /* list cost of duration, request and storage, 10^-12; 0 when unpriced */
    money cost_restore; /* the part of it that is the restore of a snapshot */
    bool is_priced;
    bool is_final; /* REPORT or its like was seen */
    /* Where an earlier version of this row was stored; the writer replaces it. */
    bool has_stored;
    bool is_removed; /* the row was a mistake: only delete what is stored */
    int64_t stored_start_ns;
    uint32_t seq; /* low bits of a hash of the identity: tie-break within (fn, start) */
};

/* What is billed: whole milliseconds, rounded up; 0 without a billed duration. */
int64_t invocation_billed_ms(const struct invocation *inv);
/* The part of it that is initialization or restore: 0 where init was free (zip packages on managed
 * runtimes before 2025-08-01), because billed is then just the duration. */
int64_t invocation_billed_init_ms(const struct invocation *inv);
/* The part of its cost that initialization and restore are: a share of it by billed time, and all
 * of a restore's own charge. 0 when unpriced. */
wide invocation_cost_init(const struct invocation *inv);
/* Ephemeral storage that is charged for: MB above the free 512. */
uint64_t invocation_paid_storage_mb(const struct invocation *inv);

struct invocation_list {
    struct invocation *rows;
    size_t n;
};

/* Evidence that belongs to an environment and not (yet) to a request: inits, their failures,
 * crashes and unhandled errors without a request id. Stored, so that a restart forgets nothing. */
struct instance_event {
    const struct origin *origin;
    int64_t time_ns;
    enum platform_kind kind; /* PLATFORM_OTHER: an application error line */
    int64_t duration_ns;
    struct str status, error_type, init_type, phase, runtime_version;
    uint16_t arrival; /* arrival.h; of lines that have no duration */
};

struct instance_event_list {
    struct instance_event *rows;
    size_t n;
};

#endif
