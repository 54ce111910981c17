/* The section "queues" of the manifest: queues that exist from the start.
 *
 *     queues:
 *       orders: {visibility_timeout: 30s, dead_letter: orders-dlq, max_receives: 3}
 *       orders-dlq: {retention: 14d}
 *
 * Queues that are only named (dead_letter, a function's dlq or destination) are made with the
 * defaults, so that nothing is lost for want of one. */
#ifndef FNSCOPE_EXECUTOR_QUEUES_CONFIG_H
#define FNSCOPE_EXECUTOR_QUEUES_CONFIG_H

#include "core/base/opt.h"
#include "executor/executor.h"
#include "executor/fndef.h"

struct queue_def {
    struct str name;
    int64_t visibility_ns, delay_ns, retention_ns, wait_ns, max_receives;
    uint64_t max_bytes;
    bool content_dedup;
    struct str dead_letter; /* name of the queue */
    struct queue_def *next;
};

extern const struct opt_def queue_options[];

/* The definitions, in the arena; NULL when there are none. ERR_CONFIG with the place. */
MUST_CHECK enum status queues_config_read(const struct manifest *m, struct arena *a,
                                          struct queue_def **out, struct err *e);
/* Is the queue named somewhere, so that it is made though no definition has it? */
bool queues_config_names(const struct manifest *m, const struct queue_def *defined,
                         struct str name);
/* Makes what is missing and sets what is defined. Uses x->queues, x->manifest. */
MUST_CHECK enum status queues_config_apply(struct executor *x, struct err *e);

#endif
