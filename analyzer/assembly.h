/* Private to analyzer/: the pieces of one request in one environment, and what attempts they make.
 * Pure. */
#ifndef FNSCOPE_ANALYZER_ASSEMBLY_H
#define FNSCOPE_ANALYZER_ASSEMBLY_H

#include "core/model/batch.h"

enum piece_kind {               /* in the order in which pieces of the same instant are read */
                  PIECE_STORED, /* an attempt as it stands in the store */
                  PIECE_START,
                  PIECE_TIMEOUT,   /* old text line */
                  PIECE_EXIT,      /* old text line */
                  PIECE_APP_ERROR, /* the runtime logged an unhandled error */
                  PIECE_RUNTIME_DONE,
                  PIECE_END,
                  PIECE_REPORT
};

/* One thing known about the request. Texts are interned by the correlator. */
struct piece {
    int64_t t_ns;
    enum piece_kind kind;
    unsigned has; /* enum platform_has */
    int64_t duration_ns, billed_ns, init_ns, restore_ns;
    uint64_t memory_bytes, max_memory_bytes;
    struct str status, error_type, version, trace_id;
    bool was_killed;                 /* EXIT: "signal: killed" */
    const struct invocation *stored; /* STORED */
};

/* What belongs to the environment and not to a request. */
struct loose {
    int64_t t_ns;
    enum platform_kind kind; /* PLATFORM_OTHER: an unhandled error without a request id */
    int64_t duration_ns;
    struct str status, error_type, init_type, phase;
    bool was_killed;
};

struct pieces {
    struct piece *rows;
    size_t n, cap;
};

/* Adds unless the same is there already; false then. */
bool pieces_add(struct pieces *p, const struct piece *piece);

/* One attempt: the pieces [from, to) of the sorted array. */
struct attempt {
    size_t from, to;
};
/* Sorts and cuts; at most `max` attempts, the rest stays with the last. */
size_t pieces_attempts(struct pieces *p, struct attempt *out, size_t max);

/* Fills everything of *inv but origin, id, attempt, price and the stored_ members. `loose` are the
 * environment's, in any order. */
void attempt_assemble(const struct pieces *p, const struct attempt *at, const struct loose *loose,
                      size_t n_loose, struct invocation *inv);

/* Is the text before another: the rank of outcomes when pieces disagree. */
int outcome_rank(enum outcome o);

#endif
