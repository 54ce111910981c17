/* Moving the messages of a dead-letter queue back to where they came from, or to one queue, at a
 * bounded rate. A task survives a restart; its messages move one change at a time, so none is lost
 * or doubled. */
#ifndef FNSCOPE_EXECUTOR_MOVE_TASK_H
#define FNSCOPE_EXECUTOR_MOVE_TASK_H

#include "executor/message_queue.h"

enum move_status { MOVE_RUNNING, MOVE_COMPLETED, MOVE_CANCELLED, MOVE_FAILED };

#define MOVE_MAX_RATE 500

struct move_tasks;

struct move_task {
    char handle[MQ_ID_LEN + 1];
    int64_t source, target; /* ids of queues; target 0: each message's own source */
    struct str source_arn, target_arn;
    int64_t rate; /* messages a second */
    enum move_status status;
    int64_t moved, total, started_ns;
    const char *reason; /* of a failed one */
};

MUST_CHECK enum status move_tasks_open(struct mq *m, struct journal *j, struct move_tasks **out,
                                       struct err *e);
void move_tasks_close(struct move_tasks *all); /* NULL is fine */

struct move_plan {
    struct mq_queue *source, *target; /* target NULL: back to the sources */
    int64_t rate;                     /* 0: as fast as may be */
};

/* Adds the task to a change, which the caller commits; on an error it is left alone. ERR_AGAIN when
 * one of this queue is running, ERR_LIMIT when too many are. */
MUST_CHECK enum status move_start(struct move_tasks *all, struct mq_change *c,
                                  const struct move_plan *plan, const struct move_task **out,
                                  struct err *e);
/* ERR_NOT_FOUND, or ERR_USAGE when it is not running. */
MUST_CHECK enum status move_cancel(struct move_tasks *all, struct str handle,
                                   const struct move_task **out, struct err *e);
/* for (size_t i = 0; (x = move_each(t, source, &i));) newest first */
const struct move_task *move_each(const struct move_tasks *all, const struct mq_queue *source,
                                  size_t *i);
const char *move_status_name(enum move_status s);

#endif
