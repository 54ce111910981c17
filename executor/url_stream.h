/* Function URLs with the invoke mode RESPONSE_STREAM: what the function streams is the body of the
 * answer while it still runs. What ends early, by an error, a time-out or a crash, ends without the
 * last chunk; before the first byte it is a bad gateway. A client that leaves changes nothing for
 * the function, as on AWS. */
#ifndef FNSCOPE_EXECUTOR_URL_STREAM_H
#define FNSCOPE_EXECUTOR_URL_STREAM_H

#include "core/base/http_server.h"
#include "executor/invoke.h"

void url_stream_invoke(struct invoker *v, struct http_call *rq, struct invoke_request *ask);

#endif
