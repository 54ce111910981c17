/* The lines Lambda itself writes into a function's log, in its text form (tab-separated, two
 * decimals of a millisecond) and its JSON form (Telemetry API records, three decimals). Sources:
 * AWS documentation of the log formats, real lines up to 2026-10. Pure. */
#ifndef FNSCOPE_EXECUTOR_PLATFORM_LINES_H
#define FNSCOPE_EXECUTOR_PLATFORM_LINES_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "executor/fndef.h"

enum platform_line {
    LINE_INIT_START,
    LINE_INIT_RUNTIME_DONE, /* JSON at debug only */
    LINE_INIT_REPORT,       /* text: failures only; JSON: failures, and all at debug */
    LINE_START,
    LINE_RUNTIME_DONE, /* JSON at debug only */
    LINE_END,          /* text only */
    LINE_REPORT,
    PLATFORM_LINES
};

struct platform_facts {
    const struct fndef *fn;
    int64_t wall_ns;
    struct str request_id;
    struct str instance;          /* log stream's name */
    struct str phase;             /* "init", "invoke" */
    struct str init_type;         /* "on-demand", "provisioned-concurrency" */
    struct str status;            /* "success", "failure", "error", "timeout" */
    struct str error_type;        /* "Runtime.ExitError"; empty: none */
    int64_t duration_ns, init_ns; /* init_ns 0: warm */
    uint64_t max_memory_bytes;
    uint64_t produced_bytes;
    /* Of the response: its first byte and its last, on the wall clock; 0: there was none. */
    int64_t begin_wall_ns, answer_began_wall_ns, answer_ended_wall_ns;
    struct str trace_id, segment_id; /* empty: not traced */
};

/* Appends the line with its line feed; nothing when the function's format or level leaves it out.
 */
void platform_line(struct buf *out, enum platform_line kind, const struct platform_facts *f);

/* Billed: duration and initialization together, rounded up to whole milliseconds. The lines leave
 * out the initialization of provisioned concurrency, which is paid there. */
int64_t platform_billed_ms(int64_t duration_ns, int64_t init_ns);
/* Whole MB (MiB) of the most memory used, at most the size of the function. */
int64_t platform_memory_mb(uint64_t bytes, uint64_t size_bytes);

#endif
