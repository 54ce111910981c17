/* From an HTTP call to an API call and back. */
#include "executor/api_front.h"

#include <stdio.h>
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
    struct http_server *server;
};

static void send_answer(struct api_call *c)
{
    struct http_call *rq = c->transport;
    struct str body = api_answer(c);
    struct http_reply reply = {.status = c->status,
                               .headers = c->out_headers,
                               .n_headers = c->n_out_headers,
                               .body = body,
                               .at_once = c->at_once};

    http_respond(rq, &reply);
    api_call_clear(c);
}

static void on_http_abort(struct http_call *rq)
{
    struct api_call *c = rq->owner;

    api_abort(c);
    api_call_clear(c);
}

static bool may_begin(void *ctx, const struct http_call *rq)
{
    const struct api_front *f = ctx;

    return f->keys == NULL || api_keys_claimed(f->keys, rq);
}

/* Without a signature that is right, not even a function URL is told apart. */
static void check_signature(const struct api_front *f, const struct http_call *rq,
                            struct api_refusal *out)
{
    struct err e = {0};

    if (f->keys == NULL ||
        api_keys_check(f->keys, rq, loop_wall(f->x->loop), &out->code, &out->query_code, &e) == OK)
        *out = (struct api_refusal){0};
    else
        snprintf(out->message, sizeof(out->message), "%s", e.msg);
}

static void on_call(void *ctx, struct http_call *rq)
{
    struct api_front *f = ctx;
    struct api_refusal refusal = {0};

    check_signature(f, rq, &refusal);
    if (refusal.code == NULL && function_url_take(f->x, rq))
        return;
    struct api_call *c = arena_new(&rq->arena, struct api_call, 1);
    c->refusal = refusal;
    c->arena = &rq->arena;
    c->x = f->x;
    c->method = rq->method;
    c->path = rq->path;
    c->query = rq->query;
    c->body = rq->body;
    c->headers = rq->headers;
    c->n_headers = rq->n_headers;
    c->peer = rq->peer;
    c->on_finish = send_answer;
    c->transport = rq;
    rq->owner = c;
    http_on_abort(rq, on_http_abort);
    api_dispatch(c);
}

enum status api_front_start(struct executor *x, const struct api_front_config *config,
                            struct api_front **out, struct err *e)
{
    struct api_front *f = xcalloc(1, sizeof(*f));
    struct http_server_config c = {.address = config->address,
                                   .port = config->port,
                                   .limits = {.body_bytes = BODY_MAX_BYTES,
                                              .head_bytes = HEAD_MAX_BYTES,
                                              .connections = CONNECTIONS,
                                              .timeout_s = TIMEOUT_S},
                                   .handler = on_call,
                                   .ctx = f,
                                   .authorize = config->keys != NULL ? may_begin : NULL};

    f->x = x;
    f->keys = config->keys;
    enum status s = http_server_start(x->loop, &c, &f->server, e);
    if (s != OK) {
        free(f);
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
    free(f);
}

uint16_t api_front_port(const struct api_front *f)
{
    return http_server_port(f->server);
}
