/* Where an ended event goes: its dead-letter queue and its on-success or on-failure destination, a
 * queue or another function. */
#ifndef FNSCOPE_EXECUTOR_DESTINATION_H
#define FNSCOPE_EXECUTOR_DESTINATION_H

#include "executor/async_private.h"
#include "executor/dlq.h"

/* Adds what must be sent to the change that ends the event. A destination that is not there is
 * counted and logged. */
void destination_add(struct executor *x, struct async *a, struct mq_change *c,
                     const struct fndef *fn, const struct dlq_event *ev);

#endif
