/* The durable half of the executor: journal, queues, move tasks, metrics, asynchronous events, in
 * the order in which they need each other. */
#ifndef FNSCOPE_EXECUTOR_DURABLE_H
#define FNSCOPE_EXECUTOR_DURABLE_H

#include "executor/executor.h"

/* Prepares to open journal.db in the state folder (in the scratch folder when there is none: then
 * nothing outlives this run); sets x->journal, metrics. */
MUST_CHECK enum status durable_open(struct executor *x, struct err *e);
/* Begins to open it. */
void durable_go(struct executor *x);
/* Whether durable_start() would not wait. */
bool durable_is_open(const struct executor *x);
/* Waits for it; sets x->queues, moves. */
MUST_CHECK enum status durable_start(struct executor *x, struct err *e);
/* Runs what a former run left unfinished; sets x->async. After x->invoker is there. */
MUST_CHECK enum status durable_resume(struct executor *x, struct err *e);
/* Takes no more events. Before the invoker stops. */
void durable_pause(struct executor *x);
/* Finishes what was submitted and closes. After the invoker stopped. */
void durable_stop(struct executor *x);

#endif
