/* The HTTP trigger: a function URL. A request reaches the function as API Gateway payload 2.0
 * (AWS documentation, "Invoking Lambda function URLs"), its answer becomes the response.
 *
 *   http://NAME.lambda-url.localhost:PORT/...      as on AWS: the host names the function
 *   http://127.0.0.1:PORT/lambda-url/NAME/...      for clients that cannot name hosts */
#ifndef FNSCOPE_EXECUTOR_T_HTTP_H
#define FNSCOPE_EXECUTOR_T_HTTP_H

#include "core/base/http_server.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "executor/trigger.h"

extern const struct trigger_ops trigger_http;

/* Takes the call when it is meant for a function URL. */
bool function_url_take(struct executor *x, struct http_call *rq);

/* --- pure parts, for tests --- */

struct function_url {
    const struct fndef *fn;
    struct str path; /* of the function's own URL */
    struct str request_id, trace;
    int64_t wall_ns;
    uint16_t port; /* where the request came in */
};
/* Adds what AWS's front says of a request: x-forwarded-for, -port, -proto, x-amzn-trace-id. */
void function_url_forward(struct http_call *rq, const struct function_url *u);
void function_url_event(struct buf *out, const struct http_call *rq, const struct function_url *u);

#endif
