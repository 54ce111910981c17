/* The event a function gets for a batch of messages, and what its answer says about them. Pure. */
#ifndef FNSCOPE_EXECUTOR_QUEUE_EVENT_H
#define FNSCOPE_EXECUTOR_QUEUE_EVENT_H

#include "core/base/buf.h"
#include "executor/message_queue.h"

/* One record of {"Records":[...]}. */
void queue_event_record(const struct mq_queue *q, const struct mq_taken *t, struct buf *out);

/* Which messages of a batch failed, by a function that reports them:
 * {"batchItemFailures":[{"itemIdentifier":"<message id>"}]}. An empty or missing list means none;
 * anything that is not understood, or names another message, means all. In a FIFO queue what
 * follows the first failure failed too. */
void queue_event_failures(struct str answer, const struct str *ids, size_t n, bool is_fifo,
                          bool *has_failed);

#endif
