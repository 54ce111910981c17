/* What the ways to invoke a function through the API share: Invoke (invoke_api.c) and
 * InvokeWithResponseStream (invoke_stream.c). */
#ifndef FNSCOPE_EXECUTOR_INVOKE_API_H
#define FNSCOPE_EXECUTOR_INVOKE_API_H

#include "executor/api_route.h"
#include "executor/invoke.h"

/* What the call asks for; false: it is refused, with an answer. */
bool invoke_read(struct api_call *c, const struct fndef *fn, struct str qualifier,
                 struct invoke_request *out);
bool invoke_wants_tail(const struct api_call *c);
/* True when nothing ran, which is answered alike whatever was asked for. */
bool invoke_answer_unrun(struct api_call *c, const struct invoke_result *r);
/* Finishes the call: with `put` when something ran. */
void invoke_answer(struct api_call *c, const struct invoke_result *r,
                   void (*put)(struct api_call *c, const struct invoke_result *r));
void invoke_run_streamed(struct api_call *c, const struct fndef *fn, struct str qualifier);

#endif
