/* The executor's metrics as CloudWatch names them: counted in memory, written to the journal each
 * minute, kept for 15 days. AWS/Lambda per function and for the region, AWS/SQS per queue. Values
 * are integers: counts, or microseconds for times. */
#ifndef FNSCOPE_EXECUTOR_METRICS_H
#define FNSCOPE_EXECUTOR_METRICS_H

#include "executor/executor.h"
#include "executor/fndef.h"

enum metric {
    METRIC_INVOCATIONS,
    METRIC_ERRORS,
    METRIC_THROTTLES,
    METRIC_DURATION,          /* microseconds */
    METRIC_CONCURRENT,        /* of the function; of the account for the region */
    METRIC_UNRESERVED,        /* region only */
    METRIC_PROVISIONED_USED,  /* environments kept ready that work; of functions that have some */
    METRIC_PROVISIONED_SHARE, /* of them, in millionths */
    METRIC_PROVISIONED_INVOCATIONS,
    METRIC_PROVISIONED_SPILLOVER,
    METRIC_ASYNC_RECEIVED,
    METRIC_ASYNC_DROPPED,
    METRIC_ASYNC_AGE, /* microseconds */
    METRIC_DEAD_LETTER_ERRORS,
    METRIC_DESTINATION_FAILURES,
    METRIC_RECURSION_DROPPED,
    LAMBDA_METRICS,
    METRIC_QUEUE_VISIBLE = LAMBDA_METRICS,
    METRIC_QUEUE_IN_FLIGHT,
    METRIC_QUEUE_DELAYED,
    METRIC_QUEUE_AGE, /* microseconds */
    METRIC_QUEUE_SENT,
    METRIC_QUEUE_RECEIVED,
    METRIC_QUEUE_DELETED,
    METRIC_QUEUE_EMPTY_RECEIVES,
    METRIC_QUEUE_SENT_BYTES,
    METRICS
};

struct metrics;

/* Uses x->loop, x->journal, x->queues, x->manifest; observes the invocations. */
MUST_CHECK enum status metrics_start(struct executor *x, struct metrics **out, struct err *e);
/* Writes what is counted. NULL is fine. */
void metrics_stop(struct metrics *m);

/* One more value of the function's metric and of the region's. m NULL: not counted. */
void metrics_add(struct metrics *m, enum metric which, const struct fndef *fn, int64_t value);

#endif
