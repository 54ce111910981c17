/* Life of the invoker, for executor.c and the APIs that report limits. */
#ifndef FNSCOPE_EXECUTOR_INVOKER_H
#define FNSCOPE_EXECUTOR_INVOKER_H

#include "core/base/err.h"
#include "executor/executor.h"
#include "executor/invoke.h"

MUST_CHECK enum status invoker_start(struct executor *x, struct invoker **out, struct err *e);
void invoker_warm(struct invoker *v);  /* starts provisioned environments */
void invoker_drain(struct invoker *v); /* takes nothing new; what waits is refused */
/* The function's environments end as soon as they run nothing; others take their place. */
void invoker_retire(struct invoker *v, const struct fndef *fn);
bool invoker_is_busy(const struct invoker *v);
/* Kills every environment; whoever still waits gets INVOKE_FAILED. NULL is fine. */
void invoker_stop(struct invoker *v);
int64_t invoker_unreserved(const struct invoker *v); /* of the account's concurrency */

#endif
