/* The queue trigger: an event source mapping. Batches of a queue's messages become one invocation
 * each; what succeeded is deleted, the rest comes back at its visibility timeout. */
#ifndef FNSCOPE_EXECUTOR_T_QUEUE_H
#define FNSCOPE_EXECUTOR_T_QUEUE_H

#include "executor/trigger.h"

struct t_queue_settings {
    struct str queue; /* name or ARN */
    int64_t batch_size, window_ns;
    int64_t max_concurrency; /* 0: the function's */
    bool reports_failures;
    bool is_enabled;
};

extern const struct trigger_ops t_queue;

#endif
