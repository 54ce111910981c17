/* The AWS Lambda Runtime API, version 2018-06-01, one listener an environment. The runtime asks for
 * its next invocation (a long poll) and posts what came of it. The states a call is allowed in are
 * Lambda's: an identity is checked before the state, a wrong state is 403 InvalidStateTransition.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/http_server.h"
#include "core/base/json.h"
#include "executor/instance.h"

#define BODY_MAX_BYTES ((size_t)(6 << 20) + 65536)
#define BASE           "/2018-06-01/runtime/"

typedef void api_route_fn(struct instance *in, struct http_call *rq, struct str id);

/* --- answers --- */

static const struct http_header json_header = {STR_INIT("Content-Type"),
                                               STR_INIT("application/json")};

static void answer_json(struct http_call *rq, unsigned status, struct str body)
{
    http_respond(rq, &(struct http_reply){
                         .status = status, .headers = &json_header, .n_headers = 1, .body = body});
}

static void answer_ok(struct http_call *rq)
{
    answer_json(rq, 202, STR("{\"status\":\"OK\"}\n"));
}

static void answer_error(struct http_call *rq, unsigned status, const char *type,
                         const char *message)
{
    answer_json(rq, status,
                arena_printf(&rq->arena, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n",
                             message, type));
}

static void wrong_state(struct http_call *rq)
{
    answer_error(rq, 403, "InvalidStateTransition", "State transition is not allowed");
}

/* --- /next --- */

struct header_room {
    struct http_header items[8];
    size_t n;
};

static void add_header(struct header_room *h, const char *name, struct str value)
{
    if (value.n > 0)
        h->items[h->n++] = (struct http_header){str_from(name), value};
}

static void give_invocation(struct instance *in, struct http_call *rq)
{
    const struct run *r = in->run;
    struct header_room h = {.n = 0};
    int64_t left_ns = r->deadline_ns - loop_now(in->x->loop);

    add_header(&h, "Content-Type", STR("application/json"));
    add_header(&h, "Lambda-Runtime-Aws-Request-Id", r->rq.request_id);
    add_header(&h, "Lambda-Runtime-Deadline-Ms",
               arena_printf(&rq->arena, "%lld",
                            (long long)((loop_wall(in->x->loop) + left_ns) / NS_PER_MS)));
    add_header(&h, "Lambda-Runtime-Invoked-Function-Arn", r->invoked_arn);
    add_header(&h, "Lambda-Runtime-Trace-Id", r->trace_header);
    add_header(&h, "Lambda-Runtime-Client-Context", r->rq.client_context);
    http_respond(rq, &(struct http_reply){.status = 200,
                                          .headers = h.items,
                                          .n_headers = h.n,
                                          .body = r->rq.payload,
                                          .at_once = true});
}

static void on_parked_abort(struct http_call *rq)
{
    struct instance *in = rq->owner;

    in->parked = NULL;
}

static void park(struct instance *in, struct http_call *rq)
{
    rq->owner = in;
    in->parked = rq;
    http_on_abort(rq, on_parked_abort);
}

/* Parked first, so that an event which brings an invocation at once finds it. */
static void route_next(struct instance *in, struct http_call *rq, struct str id)
{
    UNUSED(id);
    if (in->state == INST_BUSY && in->run->is_cut)
        instance_stream_truncated(in);
    if (in->state == INST_BUSY) {
        give_invocation(in, rq); /* asked again: the same */
        return;
    }
    if (in->parked || in->state == INST_RESETTING || in->state == INST_ENDING) {
        wrong_state(rq);
        return;
    }
    park(in, rq);
    if (in->state != INST_IDLE)
        instance_event(in, EV_READY);
}

/* --- /response and /error --- */

static bool is_current(struct instance *in, struct http_call *rq, struct str id)
{
    if (in->run && str_eq(in->run->rq.request_id, id) && in->state == INST_BUSY)
        return true;
    if (!in->run || !str_eq(in->run->rq.request_id, id))
        answer_error(rq, 400, "InvalidRequestID", "Invalid request ID");
    else
        wrong_state(rq);
    return false;
}

/* (Runtime|Function).[A-Z][a-zA-Z]+ is kept, anything else is named by who failed. */
static struct str error_type(struct http_call *rq, const char *unknown)
{
    struct str type = {0};
    struct str rest;

    if (!http_header(rq, "Lambda-Runtime-Function-Error-Type", &type))
        return str_from(unknown);
    rest = type;
    struct str category = str_cut(&rest, '.');
    bool is_known = str_eq(category, STR("Runtime")) || str_eq(category, STR("Function"));
    if (!is_known || rest.n < 2 || rest.p[0] < 'A' || rest.p[0] > 'Z')
        return str_from(unknown);
    for (size_t i = 1; i < rest.n; i++)
        if (!((rest.p[i] >= 'a' && rest.p[i] <= 'z') || (rest.p[i] >= 'A' && rest.p[i] <= 'Z')))
            return str_from(unknown);
    return type;
}

/* A stream that failed on its way says so in trailers: the type, and the document as base64. */
static bool take_stream_error(struct instance *in, struct http_call *rq)
{
    struct str type, text;
    struct buf document = {.max = (size_t)1 << 20};

    if (!http_trailer(rq, "Lambda-Runtime-Function-Error-Type", &type))
        return false;
    if (http_trailer(rq, "Lambda-Runtime-Function-Error-Body", &text) &&
        base64_parse(text, &document, NULL) != OK)
        buf_reset(&document);
    answer_ok(rq);
    instance_error(in, type, document.n > 0 ? buf_str(&document) : STR("{}"));
    buf_clear(&document);
    return true;
}

static const struct str too_large_text =
    STR_INIT("{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
             "\"errorType\":\"RequestEntityTooLarge\"}\n");

/* --- a response that streams: the first of its run counts --- */

/* Whether the path is of the invocation under way, and what it says of it: "response", "error". */
static bool is_of_run(const struct instance *in, struct str path, struct str *what)
{
    static const struct str head = STR_INIT(BASE "invocation/");

    if (in->state != INST_BUSY || !str_starts(path, head))
        return false;
    *what = str_skip(path, head.n);
    return str_eq(str_cut(what, '/'), in->run->rq.request_id);
}

static bool is_response_of_run(const struct instance *in, struct str path)
{
    struct str what;

    return is_of_run(in, path, &what) && str_eq(what, STR("response"));
}

static struct str mode_of(const struct http_call *rq)
{
    struct str mode = {0};

    http_header(rq, "Lambda-Runtime-Function-Response-Mode", &mode);
    return mode;
}

static bool wants_pieces(void *ctx, const struct http_call *rq)
{
    const struct instance *in = ctx;

    return str_eq(rq->method, STR("POST")) && is_response_of_run(in, rq->path) &&
           !in->run->is_streamed && str_eq(mode_of(rq), STR("streaming"));
}

static bool begin_stream(struct instance *in, struct http_call *rq)
{
    struct str type = {0};

    if (in->run->is_streamed)
        return in->response == rq;
    http_header(rq, "Content-Type", &type);
    in->response = rq;
    instance_stream_begin(in, type);
    return true;
}

static void take_piece(void *ctx, struct http_call *rq, struct str piece)
{
    struct instance *in = ctx;

    if (is_response_of_run(in, rq->path) && begin_stream(in, rq))
        instance_stream_piece(in, piece);
}

/* Whether its process has ended is not known yet: that is told by an event of its own. */
static void on_cut(void *ctx, struct http_call *rq)
{
    struct instance *in = ctx;

    if (in->response != rq)
        return;
    in->response = NULL;
    if (is_response_of_run(in, rq->path))
        in->run->is_cut = true;
}

static const struct http_pieces stream_pieces = {wants_pieces, take_piece, on_cut};

/* A stream that failed before its first byte never began. */
static void end_stream(struct instance *in, struct http_call *rq)
{
    struct str ignored;
    bool has_failed = http_trailer(rq, "Lambda-Runtime-Function-Error-Type", &ignored);

    if (in->run->is_streamed ? in->response != rq : !has_failed && !begin_stream(in, rq)) {
        wrong_state(rq);
        return;
    }
    in->response = NULL;
    if (take_stream_error(in, rq))
        return;
    if (in->run->is_over)
        answer_json(rq, 413, too_large_text);
    else
        answer_ok(rq);
    instance_stream_end(in);
}

static void refuse_mode(struct instance *in, struct http_call *rq)
{
    answer_error(rq, 400, "InvalidFunctionResponseMode", "Invalid function response mode");
    instance_error(in, STR("Runtime.InvalidResponseModeHeader"),
                   STR("{\"errorType\":\"Runtime.InvalidResponseModeHeader\","
                       "\"errorMessage\":\"Invalid function response mode\"}"));
}

static void route_response(struct instance *in, struct http_call *rq, struct str id)
{
    struct str mode = mode_of(rq);

    if (!is_current(in, rq, id))
        return;
    if (mode.n > 0 && !str_eq(mode, STR("streaming")))
        refuse_mode(in, rq);
    else if (mode.n > 0)
        end_stream(in, rq);
    else if (in->run->is_streamed)
        wrong_state(rq);
    else if (rq->body.n > INSTANCE_ANSWER_BYTES) {
        answer_json(rq, 413, too_large_text);
        instance_answer_too_large(in);
    } else {
        answer_ok(rq);
        instance_answer(in, rq->body);
    }
}

static void route_error(struct instance *in, struct http_call *rq, struct str id)
{
    if (!is_current(in, rq, id))
        return;
    struct str type = error_type(rq, "Function.Unknown");
    answer_ok(rq);
    instance_error(in, type, rq->body);
}

static void route_init_error(struct instance *in, struct http_call *rq, struct str id)
{
    UNUSED(id);
    if (in->state != INST_STARTING && in->state != INST_REINIT) {
        wrong_state(rq);
        return;
    }
    struct str type = error_type(rq, "Runtime.Unknown");
    answer_ok(rq);
    instance_init_error(in, type, rq->body);
}

/* --- routes --- */

static const struct {
    const char *method, *head, *tail; /* the identity stands between */
    api_route_fn *handle;
} routes[] = {
    {"GET", BASE "invocation/next", "", route_next},
    {"POST", BASE "invocation/", "/response", route_response},
    {"POST", BASE "invocation/", "/error", route_error},
    {"POST", BASE "init/error", "", route_init_error},
};

static void on_call(void *ctx, struct http_call *rq)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct str head = str_from(routes[i].head), tail = str_from(routes[i].tail);
        if (!str_starts(rq->path, head) || !str_ends(rq->path, tail) ||
            rq->path.n < head.n + tail.n || (tail.n == 0) != (rq->path.n == head.n))
            continue;
        if (!str_eq(rq->method, str_from(routes[i].method)))
            continue;
        struct str id = str_sub(rq->path, head.n, rq->path.n - head.n - tail.n);
        routes[i].handle(ctx, rq, id);
        return;
    }
    if (str_eq(rq->path, STR("/2018-06-01/ping")))
        http_respond(rq, &(struct http_reply){.status = 200, .body = STR("pong")});
    else
        answer_json(rq, 404, STR("{\"errorMessage\":\"no such resource\"}\n"));
}

/* A body so large that it is not even read ends the invocation all the same: else the client would
 * be given the same event again. */
static void refuse_body(void *ctx, struct http_call *rq, struct http_reply *refusal)
{
    struct instance *in = ctx;
    struct str what;

    *refusal = (struct http_reply){
        .status = 413, .headers = &json_header, .n_headers = 1, .body = too_large_text};
    if (is_of_run(in, rq->path, &what) &&
        (str_eq(what, STR("response")) || str_eq(what, STR("error"))))
        instance_answer_too_large(in);
}

/* --- link --- */

static enum status api_open(struct instance *in, struct err *e)
{
    static const struct str any = STR_INIT("*"); /* as in Lambda: clients write what they like */
    struct http_server_config c = {
        .hosts = &any,
        .n_hosts = 1,
        .limits = {.body_bytes = BODY_MAX_BYTES, .head_bytes = (size_t)64 << 10, .connections = 16},
        .handler = on_call,
        .too_large = refuse_body,
        .pieces = &stream_pieces,
        .ctx = in};

    if (http_server_start(in->x->loop, &c, &in->api, e) != OK)
        return err_wrap(e, "Runtime API");
    in->api_address = arena_printf(&in->arena, "127.0.0.1:%u", http_server_port(in->api));
    return OK;
}

static void api_send(struct instance *in)
{
    struct http_call *rq = in->parked;

    in->parked = NULL;
    in->response = NULL;
    if (rq)
        give_invocation(in, rq);
}

static void api_hold(struct instance *in, bool is_held)
{
    if (in->response)
        http_hold(in->response, is_held);
}

static void api_drain(struct instance *in)
{
    UNUSED(in); /* a closed connection has delivered what it had, or nothing */
}

static void api_close(struct instance *in)
{
    struct http_server *api = in->api;

    in->api = NULL;
    in->parked = NULL;
    in->response = NULL;
    http_server_stop(api);
}

const struct link_ops link_runtime_api = {
    .open = api_open, .send = api_send, .hold = api_hold, .drain = api_drain, .close = api_close};
