/* Asynchronous invocation: an event is accepted once it is durable, run until it succeeds or its
 * retries and age are used up, and then goes to its destinations. At least once; the request id is
 * the same on every attempt. */
#ifndef FNSCOPE_EXECUTOR_ASYNC_H
#define FNSCOPE_EXECUTOR_ASYNC_H

#include "executor/executor.h"
#include "executor/fndef.h"

struct async;

struct async_event {
    const struct fndef *fn;
    struct str request_id; /* empty: a new one */
    struct str payload;    /* JSON */
    struct str trace, client_context;
    enum trigger trigger;
};

/* OK: durable, with the request id it will run under. Anything else: not accepted. */
typedef void async_accepted_fn(void *ctx, enum status s, struct str request_id);

/* The event is copied before it returns; `done` runs once, later or at once, on the loop. */
void async_submit(struct async *a, const struct async_event *ev, async_accepted_fn *done,
                  void *ctx);

/* Starts what a former run left unfinished. Uses x->loop, x->journal, x->invoker, x->queues. */
MUST_CHECK enum status async_start(struct executor *x, struct async **out, struct err *e);
void async_stop(struct async *a); /* NULL is fine; what is unfinished stays in the journal */

#endif
