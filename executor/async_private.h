/* For the other sources of asynchronous events and for tests. */
#ifndef FNSCOPE_EXECUTOR_ASYNC_PRIVATE_H
#define FNSCOPE_EXECUTOR_ASYNC_PRIVATE_H

#include "core/base/uuid.h"
#include "executor/async.h"
#include "executor/invoke.h"
#include "executor/message_queue.h"

/* Adds the event to a change of the caller's: durable together with whatever else is in it. */
void async_add(struct async *a, struct mq_change *c, const struct async_event *ev,
               char request_id[UUID_LEN + 1]);

/* How functions are run: invoke(), or a test's twin. */
typedef void async_invoke_fn(struct invoker *v, const struct invoke_request *rq,
                             invoke_done_fn *done, void *ctx);
MUST_CHECK enum status async_start_with(struct executor *x, async_invoke_fn *invoke_one,
                                        struct async **out, struct err *e);

#endif
