/* Invoke: synchronous, asynchronous, dry run; what InvokeWithResponseStream shares with it. */
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/jsonpull.h"
#include "core/base/mem.h"
#include "executor/async.h"
#include "executor/invoke.h"
#include "executor/invoke_api.h"
#include "executor/lambda_api.h"

#define SYNC_MAX_BYTES    ((size_t)6 << 20)
#define ASYNC_MAX_BYTES   ((size_t)1 << 20)
#define CONTEXT_MAX_BYTES 3583

/* --- the answer --- */

static void answer_throttled(struct api_call *c, const struct invoke_result *r)
{
    struct json_out o;

    c->status = 429;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_put_str(&o, "Reason", r->reason);
    jout_put_str(&o, "Type", STR("User"));
    jout_put_str(&o, "message", STR("Rate Exceeded."));
    jout_close(&o, '}');
    api_add_header(c, "x-amzn-ErrorType", STR("TooManyRequestsException"));
    api_add_header(c, "Retry-After", STR("1"));
}

static void add_tail(struct api_call *c, struct str tail)
{
    struct buf text = {.max = 8192};

    base64_add(&text, tail);
    api_add_header(c, "X-Amz-Log-Result", buf_str(&text));
    buf_clear(&text);
}

bool invoke_answer_unrun(struct api_call *c, const struct invoke_result *r)
{
    if (r->status == INVOKE_THROTTLED)
        answer_throttled(c, r);
    else if (r->status == INVOKE_FAILED)
        api_error(c, 500, "ServiceException", NULL, "the invocation was ended: fnexec stops");
    return r->status == INVOKE_THROTTLED || r->status == INVOKE_FAILED;
}

bool invoke_wants_tail(const struct api_call *c)
{
    return str_eq(api_header(c, "X-Amz-Log-Type"), STR("Tail"));
}

static void put_answer(struct api_call *c, const struct invoke_result *r)
{
    c->out.max = r->payload.n + 4096;
    buf_add_str(&c->out, r->payload);
    api_add_header(c, "X-Amz-Executed-Version", STR("$LATEST"));
    api_add_header(c, "X-Amzn-Trace-Id", r->trace);
    if (r->function_error.n > 0)
        api_add_header(c, "X-Amz-Function-Error", r->function_error);
    if (invoke_wants_tail(c))
        add_tail(c, r->log_tail);
}

void invoke_answer(struct api_call *c, const struct invoke_result *r,
                   void (*put)(struct api_call *c, const struct invoke_result *r))
{
    c->request_id = arena_str(c->arena, r->request_id);
    c->at_once = r->at_once;
    if (!invoke_answer_unrun(c, r))
        put(c, r);
    if (c->is_deferred)
        api_finish(c);
    else
        c->is_answered_early = true;
}

static void on_done(void *ctx, const struct invoke_result *r)
{
    invoke_answer(ctx, r, put_answer);
}

/* --- checks --- */

static bool is_json(struct api_call *c, struct str text)
{
    struct jp j;

    if (text.n == 0)
        return true;
    jp_init(&j, text, c->arena);
    return jp_skip(&j) && jp_at_end(&j);
}

static bool client_context(struct api_call *c, struct str *out)
{
    struct str text = api_header(c, "X-Amz-Client-Context");
    struct buf decoded = {.max = CONTEXT_MAX_BYTES};

    bool ok = text.n <= CONTEXT_MAX_BYTES && base64_parse(text, &decoded, NULL) == OK;
    *out = arena_str(c->arena, buf_str(&decoded));
    buf_clear(&decoded);
    ok = ok && is_json(c, *out);
    if (!ok)
        api_error(c, 400, "InvalidRequestContentException", NULL,
                  "Client context must be a valid Base64-encoded JSON object.");
    return ok;
}

static bool check_body(struct api_call *c, const char *type, size_t most)
{
    if (c->body.n > most) {
        api_error(c, 413, "RequestTooLargeException", NULL,
                  "%zu byte payload is too large for the %s invocation type (limit %zu bytes)",
                  c->body.n, type, most);
        return false;
    }
    if (!is_json(c, c->body)) {
        api_error(c, 400, "InvalidRequestContentException", NULL,
                  "Could not parse request body into json");
        return false;
    }
    return true;
}

/* --- types of invocation --- */

bool invoke_read(struct api_call *c, const struct fndef *fn, struct str qualifier,
                 struct invoke_request *out)
{
    *out = (struct invoke_request){.fn = fn,
                                   .payload = c->body.n > 0 ? c->body : STR("{}"),
                                   .qualifier = qualifier,
                                   .trace = api_header(c, "X-Amzn-Trace-Id"),
                                   .trigger = TRIGGER_OTHER,
                                   .want_tail = invoke_wants_tail(c)};
    return check_body(c, "RequestResponse", SYNC_MAX_BYTES) &&
           client_context(c, &out->client_context);
}

static void run_now(struct api_call *c, const struct fndef *fn, struct str qualifier)
{
    struct invoke_request rq;

    if (!invoke_read(c, fn, qualifier, &rq))
        return;
    invoke(c->x->invoker, &rq, on_done, c);
    if (!c->is_answered_early)
        api_defer(c, NULL); /* the invoker ends before the listener does */
}

/* An event's call may end before the event is durable: when the executor stops. */
struct acceptance {
    struct api_call *call;
};

static void forget_call(struct api_call *c)
{
    struct acceptance *a = c->owner;

    a->call = NULL;
}

static void on_accepted(void *ctx, enum status s, struct str request_id)
{
    struct acceptance *a = ctx;
    struct api_call *c = a->call;

    UNUSED(request_id); /* the call's own */
    free(a);
    if (!c)
        return;
    c->status = 202;
    if (s != OK)
        api_error(c, s == ERR_LIMIT ? 503 : 500, "ServiceException", NULL,
                  "the event could not be stored");
    api_finish(c);
}

static void run_later(struct api_call *c, const struct fndef *fn, struct str qualifier)
{
    struct async_event ev = {.fn = fn,
                             .request_id = c->request_id,
                             .payload = c->body.n > 0 ? c->body : STR("{}"),
                             .trace = api_header(c, "X-Amzn-Trace-Id"),
                             .trigger = TRIGGER_OTHER};

    UNUSED(qualifier);
    if (!check_body(c, "Event", ASYNC_MAX_BYTES) || !client_context(c, &ev.client_context))
        return;
    if (!executor_ready(c->x) || !c->x->async) {
        api_error(c, 503, "ServiceException", NULL, "fnexec is stopping");
        return;
    }
    struct acceptance *a = xcalloc(1, sizeof(*a));
    a->call = c;
    c->owner = a;
    api_defer(c, forget_call);
    async_submit(c->x->async, &ev, on_accepted, a);
}

static void run_never(struct api_call *c, const struct fndef *fn, struct str qualifier)
{
    UNUSED(fn);
    UNUSED(qualifier);
    if (check_body(c, "DryRun", SYNC_MAX_BYTES))
        c->status = 204;
}

struct invocation_type {
    struct str name;
    void (*run)(struct api_call *c, const struct fndef *fn, struct str qualifier);
};

/* The first is what runs when none is asked for. */
static void run_type(struct api_call *c, const struct invocation_type *types, size_t n,
                     const char *expected)
{
    struct str type = api_header(c, "X-Amz-Invocation-Type"), qualifier = {0};
    struct str log = api_header(c, "X-Amz-Log-Type");
    const struct fndef *fn = lambda_function(c, &qualifier);

    if (!fn)
        return;
    if (log.n > 0 && !str_eq(log, STR("Tail")) && !str_eq(log, STR("None"))) {
        api_error(c, 400, "InvalidParameterValueException", NULL, "Log type must be None or Tail");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (str_eq(type.n > 0 ? type : types[0].name, types[i].name)) {
            types[i].run(c, fn, qualifier);
            return;
        }
    api_error(c, 400, "InvalidParameterValueException", NULL, "Invocation type must be %s",
              expected);
}

void lambda_invoke(struct api_call *c)
{
    static const struct invocation_type types[] = {{STR_INIT("RequestResponse"), run_now},
                                                   {STR_INIT("Event"), run_later},
                                                   {STR_INIT("DryRun"), run_never}};

    run_type(c, types, ARRAY_LEN(types), "RequestResponse, Event or DryRun");
}

void lambda_invoke_stream(struct api_call *c)
{
    static const struct invocation_type types[] = {
        {STR_INIT("RequestResponse"), invoke_run_streamed}, {STR_INIT("DryRun"), run_never}};

    run_type(c, types, ARRAY_LEN(types), "RequestResponse or DryRun");
}
