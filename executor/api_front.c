/* From an HTTP call to an API call and back. */
#include "executor/api_front.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/api_answer.h"
#include "executor/api_auth.h"
#include "executor/t_http.h"

#define BODY_MAX_BYTES ((size_t)6 << 20)
#define HEAD_MAX_BYTES ((size_t)32 << 10)
#define CONNECTIONS    2048
#define TIMEOUT_S      60

struct api_front {
    struct executor *x;
    const struct api_keys *keys;
    struct str *hosts;
    struct http_server *server;
};

/* The answer of a finished call; lives as long as it. */
static struct http_reply reply_of(struct api_call *c)
{
    struct str body = api_answer(c);

    return (struct http_reply){.status = c->status,
                               .headers = c->out_headers,
                               .n_headers = c->n_out_headers,
                               .body = body,
                               .at_once = c->at_once};
}

static void send_answer(struct api_call *c)
{
    struct http_reply reply = reply_of(c);

    http_respond(c->transport, &reply);
    api_call_clear(c);
}

/* --- answers in pieces --- */

static void on_http_room(struct http_call *rq)
{
    struct api_call *c = rq->owner;

    c->on_room(c);
}

static void on_http_gone(struct http_call *rq)
{
    struct api_call *c = rq->owner;

    c->on_gone(c);
    api_call_clear(c);
}

static void begin_stream(struct api_call *c)
{
    static const struct http_stream_events events = {on_http_room, on_http_gone};
    struct http_reply head = reply_of(c);

    http_stream_begin(c->transport, &head, &events);
}

static bool add_to_stream(struct api_call *c, struct str piece)
{
    return http_stream_add(c->transport, piece);
}

static void end_stream(struct api_call *c)
{
    http_stream_end(c->transport, true);
    api_call_clear(c);
}

static const struct api_stream_ops streamed = {begin_stream, add_to_stream, end_stream};

static void on_http_abort(struct http_call *rq)
{
    struct api_call *c = rq->owner;

    api_abort(c);
    api_call_clear(c);
}

static struct api_call *call_new(const struct api_front *f, struct http_call *rq)
{
    struct api_call *c = arena_new(&rq->arena, struct api_call, 1);

    c->arena = &rq->arena;
    c->x = f->x;
    c->method = rq->method;
    c->path = rq->path;
    c->query = rq->query;
    c->body = rq->body;
    c->headers = rq->headers;
    c->n_headers = rq->n_headers;
    c->peer = rq->peer;
    c->transport = rq;
    return c;
}

static void refuse_head(const struct api_front *f, struct http_call *rq,
                        const struct api_refusal *why, struct http_reply *out)
{
    struct api_call *c = call_new(f, rq);

    c->refusal = *why;
    api_refuse_head(c);
    *out = reply_of(c);
    out->body = arena_str(c->arena, out->body);
    api_call_clear(c);
}

/* Whoever names no key of ours sends no body here, but is told why in the form of AWS. */
static bool may_begin(void *ctx, struct http_call *rq, struct http_reply *refusal)
{
    const struct api_front *f = ctx;
    struct api_refusal why;

    if (api_keys_claimed(f->keys, rq, &why))
        return true;
    refuse_head(f, rq, &why, refusal);
    return false;
}

static void say_too_large(void *ctx, struct http_call *rq, struct http_reply *refusal)
{
    static const struct api_refusal why = {
        .status = 413,
        .code = "RequestTooLargeException",
        .query_code = "RequestEntityTooLarge",
        .message = "Request must be smaller than 6291456 bytes",
    };

    static_assert(BODY_MAX_BYTES == 6291456, "the message says so");
    refuse_head(ctx, rq, &why, refusal);
}

/* Without a signature that is right, not even a function URL is told apart. */
static void on_call(void *ctx, struct http_call *rq)
{
    struct api_front *f = ctx;
    struct api_refusal why = {0};

    if ((f->keys == NULL || api_keys_check(f->keys, rq, loop_wall(f->x->loop), &why)) &&
        function_url_take(f->x, rq))
        return;
    struct api_call *c = call_new(f, rq);
    c->refusal = why;
    c->on_finish = send_answer;
    c->stream = &streamed;
    rq->owner = c;
    http_on_abort(rq, on_http_abort);
    api_dispatch(c);
}

/* Function URLs have names of AWS's, which nobody else can make lead here. */
static struct str *list_hosts(const struct api_front_config *config)
{
    struct str *hosts = xcalloc(config->n_hosts + 1, sizeof(*hosts));

    hosts[0] = STR("*.lambda-url.*.on.aws");
    for (size_t i = 0; i < config->n_hosts; i++)
        hosts[i + 1] = config->hosts[i];
    return hosts;
}

static void front_free(struct api_front *f)
{
    free(f->hosts);
    free(f);
}

enum status api_front_start(struct executor *x, const struct api_front_config *config,
                            struct api_front **out, struct err *e)
{
    struct api_front *f = xcalloc(1, sizeof(*f));

    f->hosts = list_hosts(config);
    struct http_server_config c = {.address = config->address,
                                   .port = config->port,
                                   .listener = config->listener,
                                   .limits = {.body_bytes = BODY_MAX_BYTES,
                                              .head_bytes = HEAD_MAX_BYTES,
                                              .connections = CONNECTIONS,
                                              .timeout_s = TIMEOUT_S},
                                   .handler = on_call,
                                   .ctx = f,
                                   .too_large = say_too_large,
                                   .hosts = f->hosts,
                                   .n_hosts = config->n_hosts + 1,
                                   .authorize = config->keys != NULL ? may_begin : NULL};

    f->x = x;
    f->keys = config->keys;
    enum status s = http_server_start(x->loop, &c, &f->server, e);
    if (s != OK) {
        front_free(f);
        return s;
    }
    *out = f;
    return OK;
}

void api_front_stop(struct api_front *f)
{
    if (!f)
        return;
    http_server_stop(f->server);
    front_free(f);
}

uint16_t api_front_port(const struct api_front *f)
{
    return http_server_port(f->server);
}
