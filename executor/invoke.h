/* Running a function once: the one way in for the invoke API, the function URL, the asynchronous
 * engine and every trigger. All on the loop's thread.
 *
 *     struct invoke_request rq = {.fn = fn, .payload = event, .trigger = TRIGGER_TIMER};
 *     invoke(x->invoker, &rq, on_done, ctx);
 *
 * The request is copied before invoke() returns. `done` runs exactly once, possibly before
 * invoke() returns (a throttle); the result's views live until it returns. */
#ifndef FNSCOPE_EXECUTOR_INVOKE_H
#define FNSCOPE_EXECUTOR_INVOKE_H

#include "executor/fndef.h"

struct invoker;
struct run;
struct invoke_result;

/* Who is given what a function streams while it still runs; without one it is gathered, up to 6 MB.
 * `begin` once, before the first piece: of the result it has request_id, trace and content_type.
 * Then `done` says how it ended; the answer of a function that does not stream is in its payload,
 * and `begin` was never called. `ctx` is done's. */
struct invoke_taker {
    void (*begin)(void *ctx, struct run *r, const struct invoke_result *head);
    void (*piece)(void *ctx, struct str bytes);
};
/* Between begin and done: the function is made to wait with further pieces until it is let go
 * again. A few that are on their way still come. */
void invoke_hold(struct run *r, bool is_held);

struct invoke_request {
    const struct fndef *fn;
    struct str request_id;     /* empty: a new one. Retries keep theirs */
    struct str payload;        /* JSON */
    struct str qualifier;      /* as asked for; empty: $LATEST */
    struct str trace;          /* X-Amzn-Trace-Id of the caller; empty: a new one */
    struct str client_context; /* decoded JSON */
    enum trigger trigger;
    unsigned attempt;                 /* 0 the first, then retries */
    bool want_tail;                   /* the last 4 KB of its log */
    const struct invoke_taker *taker; /* NULL: a stream is gathered */
};

enum invoke_status {
    INVOKE_OK,             /* the function answered */
    INVOKE_FUNCTION_ERROR, /* its own error, a crash, a timeout: payload says which */
    INVOKE_THROTTLED,      /* nothing ran: a concurrency limit; `reason` */
    INVOKE_FAILED          /* nothing ran: the environment could not be started */
};

struct invoke_result {
    enum invoke_status status;
    enum outcome outcome;
    struct str request_id;
    struct str payload;        /* what the function returned, or {"errorType","errorMessage",...} */
    struct str function_error; /* "Unhandled"; empty when it worked */
    struct str error_type;     /* "Sandbox.Timedout", "Runtime.ExitError", ... */
    struct str reason;   /* of a throttle: "ReservedFunctionConcurrentInvocationLimitExceeded" */
    struct str log_tail; /* with want_tail */
    struct str trace;
    bool is_streamed;        /* it answered by a stream, which a taker was given or is in payload */
    struct str content_type; /* that it said for it */
    bool at_once; /* no other invocation waits for its environment: the answer is what is urgent */
};

typedef void invoke_done_fn(void *ctx, const struct invoke_result *r);

void invoke(struct invoker *v, const struct invoke_request *rq, invoke_done_fn *done, void *ctx);

#endif
