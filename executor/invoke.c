/* Invocations between those who ask for them and the environments that run them. */
#include "executor/invoke.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "executor/ids.h"
#include "executor/instance.h"
#include "executor/invoker.h"
#include "executor/xray.h"

#define WATCH_MEMORY_NS (100 * NS_PER_MS)

struct invoker {
    struct executor *x;
    struct account account;
    struct pool *pools;   /* by fndef.index */
    struct instance *all; /* environments */
    struct loop_timer memory_timer;
    bool is_stopping;
};

struct pool *invoker_pool(struct invoker *v, const struct fndef *fn)
{
    return &v->pools[fn->index];
}

/* --- results --- */

static void tell_observers(struct executor *x, const struct run *r)
{
    const struct invoke_fact fact = {.fn = r->rq.fn,
                                     .end_ns = loop_wall(x->loop),
                                     .duration_ns = r->duration_ns,
                                     .init_ns = r->init_ns,
                                     .outcome = r->outcome,
                                     .trigger = r->rq.trigger,
                                     .max_memory_bytes = r->max_memory_bytes,
                                     .concurrent = r->concurrent,
                                     .account_concurrent = r->account_concurrent};

    for (struct observer *o = x->observers; o; o = o->next)
        o->on_invocation(o->ctx, &fact);
}

static enum invoke_status status_of(const struct run *r)
{
    return r->outcome == OUTCOME_THROTTLED ? INVOKE_THROTTLED
           : r->function_error.n > 0       ? INVOKE_FUNCTION_ERROR
                                           : INVOKE_OK;
}

static void answer(struct invoker *v, struct run *r, const char *reason)
{
    struct str tail = buf_str(&r->tail);
    size_t skip = tail.n > LOG_TAIL_BYTES ? tail.n - LOG_TAIL_BYTES : 0;
    const struct invoke_result result = {.status = status_of(r),
                                         .outcome = r->outcome,
                                         .request_id = r->rq.request_id,
                                         .payload = buf_str(&r->payload),
                                         .function_error = r->function_error,
                                         .error_type = r->error_type,
                                         .reason = str_from(reason),
                                         .log_tail = str_skip(tail, skip),
                                         .trace = r->trace_header,
                                         .is_streamed = r->is_streamed,
                                         .content_type = r->content_type,
                                         .at_once = invoker_pool(v, r->rq.fn)->waiting == 0};

    assert(!r->is_answered);
    r->is_answered = true;
    r->done(r->ctx, &result);
}

static void run_free(struct run *r)
{
    buf_clear(&r->tail);
    buf_clear(&r->payload);
    arena_clear(&r->arena);
    free(r);
}

static void refuse(struct invoker *v, struct run *r, const char *reason)
{
    r->outcome = OUTCOME_THROTTLED;
    tell_observers(v->x, r);
    answer(v, r, reason);
    run_free(r);
}

/* --- environments --- */

static void link_in(struct invoker *v, struct instance *in)
{
    in->next = v->all;
    in->back = &v->all;
    if (in->next)
        in->next->back = &in->next;
    v->all = in;
}

static void start_instance(struct invoker *v, const struct fndef *fn, bool is_provisioned)
{
    struct instance *in = instance_new(v->x, fn, is_provisioned);

    pool_started(invoker_pool(v, fn), &in->node);
    link_in(v, in);
    instance_start(in);
}

static void give(struct instance *in, struct run *r)
{
    in->run = r;
    instance_event(in, EV_INVOKE);
}

static struct run *of_ticket(struct pool_ticket *t)
{
    return (struct run *)(void *)((char *)t - offsetof(struct run, ticket));
}

static struct instance *of_node(struct pool_node *n)
{
    return (struct instance *)(void *)((char *)n - offsetof(struct instance, node));
}

void invoker_instance_free(struct instance *in)
{
    struct pool *p = invoker_pool(in->x->invoker, in->fn);
    bool was_starting = in->is_starting;

    in->is_starting = false;
    struct pool_ticket *t = pool_free(p, &in->node, was_starting);
    if (t)
        give(in, of_ticket(t));
}

void invoker_instance_gone(struct instance *in)
{
    struct invoker *v = in->x->invoker;
    const struct fndef *fn = in->fn;
    bool is_provisioned = in->is_provisioned;
    bool wanted = pool_gone(invoker_pool(v, fn), &in->node, in->is_starting);

    *in->back = in->next;
    if (in->next)
        in->next->back = in->back;
    instance_free(in);
    if ((wanted || is_provisioned) && !v->is_stopping)
        start_instance(v, fn, is_provisioned);
}

void invoker_answered(struct instance *in, struct run *r)
{
    if (!r->rq.want_tail && !r->is_answered)
        answer(in->x->invoker, r, "");
}

void invoker_finished(struct instance *in, struct run *r)
{
    struct invoker *v = in->x->invoker;

    r->max_memory_bytes = in->max_memory_bytes;
    pool_finished(invoker_pool(v, r->rq.fn));
    tell_observers(v->x, r);
    xray_record(v->x, in, r);
    if (!r->is_answered)
        answer(v, r, "");
    run_free(r);
}

/* --- entry --- */

/* Root=1-...;Parent=...;Sampled=1: the caller's trace goes on, else a new one begins. */
static void set_trace(struct invoker *v, struct run *r)
{
    struct str rest = r->rq.trace;

    while (rest.n > 0) {
        struct str part = str_trim(str_cut(&rest, ';'));
        if (str_starts(part, STR("Root=")))
            r->trace_id = str_skip(part, 5);
        else if (str_starts(part, STR("Parent=")))
            r->caller_id = str_skip(part, 7);
    }
    if (r->trace_id.n == 0)
        r->trace_id = trace_id_new(&v->x->rng, &r->arena, loop_wall(v->x->loop));
    r->segment_id = hex_new(&v->x->rng, &r->arena, 8);
    const struct str header[] = {STR("Root="), r->trace_id, STR(";Parent="), r->segment_id,
                                 r->rq.fn->is_traced ? STR(";Sampled=1") : STR(";Sampled=0")};
    r->trace_header = arena_join(&r->arena, header, ARRAY_LEN(header));
}

static struct run *new_run(struct invoker *v, const struct invoke_request *rq, invoke_done_fn *done,
                           void *ctx)
{
    struct run *r = xcalloc(1, sizeof(*r));
    struct arena *a = &r->arena;

    *r = (struct run){.rq = *rq, .done = done, .ctx = ctx, .payload = {.max = (size_t)1 << 20}};
    r->rq.request_id =
        rq->request_id.n > 0 ? arena_str(a, rq->request_id) : uuid_new(&v->x->rng, a);
    r->rq.payload = arena_str(a, rq->payload);
    r->rq.qualifier = arena_str(a, rq->qualifier);
    r->rq.trace = arena_str(a, rq->trace);
    r->rq.client_context = arena_str(a, rq->client_context);
    r->invoked_arn =
        rq->qualifier.n > 0
            ? arena_printf(a, STR_FMT ":" STR_FMT, STR_ARG(rq->fn->arn), STR_ARG(rq->qualifier))
            : rq->fn->arn;
    r->accepted_wall_ns = loop_wall(v->x->loop);
    set_trace(v, r);
    return r;
}

void invoke(struct invoker *v, const struct invoke_request *rq, invoke_done_fn *done, void *ctx)
{
    struct run *r = new_run(v, rq, done, ctx);
    struct pool *p = invoker_pool(v, rq->fn);
    struct pool_node *node = NULL;
    const char *reason = "";

    if (v->is_stopping) {
        refuse(v, r, "ConcurrentInvocationLimitExceeded");
        return;
    }
    enum pool_verdict verdict = pool_submit(p, &r->ticket, &node, &reason);
    r->concurrent = (unsigned)p->in_flight;
    r->account_concurrent = (unsigned)v->account.in_flight;
    if (verdict == POOL_THROTTLED)
        refuse(v, r, reason);
    else if (verdict == POOL_RUN)
        give(of_node(node), r);
    else if (verdict == POOL_START)
        start_instance(v, rq->fn, false);
    if (!loop_timer_is_set(&v->memory_timer))
        loop_timer_set(v->x->loop, &v->memory_timer, loop_now(v->x->loop) + WATCH_MEMORY_NS);
}

/* Looks at every environment that works; rests when none does. */
static void on_memory_due(void *ctx)
{
    struct invoker *v = ctx;

    for (struct instance *in = v->all; in; in = in->next)
        if (in->state != INST_IDLE && in->state != INST_RESET)
            instance_watch_memory(in);
    if (v->account.in_flight > 0)
        loop_timer_set(v->x->loop, &v->memory_timer, loop_now(v->x->loop) + WATCH_MEMORY_NS);
}

/* --- start and stop --- */

enum status invoker_start(struct executor *x, struct invoker **out, struct err *e)
{
    const struct manifest *m = x->manifest;
    struct invoker *v = xcalloc(1, sizeof(*v));

    UNUSED(e);
    v->x = x;
    v->account.limit = m->concurrency;
    v->pools = xcalloc(m->n_functions, sizeof(*v->pools));
    v->memory_timer = (struct loop_timer){.fn = on_memory_due, .ctx = v};
    for (size_t i = 0; i < m->n_functions; i++) {
        const struct fndef *fn = &m->functions[i];
        v->pools[i] = (struct pool){.has_reserved = fn->has_reserved,
                                    .reserved = fn->reserved,
                                    .max_instances = fn->instances,
                                    .max_queue = fn->max_queue};
        pool_init(&v->pools[i], &v->account);
    }
    *out = v;
    return OK;
}

void invoker_warm(struct invoker *v)
{
    for (size_t i = 0; i < v->x->manifest->n_functions; i++) {
        const struct fndef *fn = &v->x->manifest->functions[i];
        for (int64_t k = 0; k < fn->provisioned && k < fn->instances; k++)
            start_instance(v, fn, true);
    }
}

bool invoker_is_busy(const struct invoker *v)
{
    return v->account.in_flight > 0;
}

int64_t invoker_unreserved(const struct invoker *v)
{
    return v->account.limit - v->account.reserved;
}

static void drop_waiting(struct invoker *v, struct pool *p)
{
    for (struct pool_ticket *t; (t = pool_drop_waiting(p)) != NULL;) {
        pool_finished(p);
        refuse(v, of_ticket(t), "ConcurrentInvocationLimitExceeded");
    }
}

void invoker_drain(struct invoker *v)
{
    v->is_stopping = true;
    for (size_t i = 0; i < v->x->manifest->n_functions; i++)
        drop_waiting(v, &v->pools[i]);
}

void invoker_retire(struct invoker *v, const struct fndef *fn)
{
    for (struct instance *in = v->all, *next; in; in = next) {
        next = in->next;
        if (in->fn == fn)
            instance_event(in, EV_DRAIN);
    }
}

/* Whoever still runs is told that nothing came of it: the platform ended it. */
static void abandon(struct invoker *v, struct instance *in)
{
    struct run *r = in->run;

    in->run = NULL;
    if (!r)
        return;
    pool_finished(invoker_pool(v, r->rq.fn));
    r->outcome = OUTCOME_UNKNOWN;
    if (!r->is_answered) {
        const struct invoke_result result = {.status = INVOKE_FAILED,
                                             .request_id = r->rq.request_id,
                                             .error_type = STR("ServiceException"),
                                             .trace = r->trace_header};
        r->is_answered = true;
        r->done(r->ctx, &result);
    }
    run_free(r);
}

void invoker_stop(struct invoker *v)
{
    if (!v)
        return;
    invoker_drain(v);
    while (v->all) {
        struct instance *in = v->all;
        v->all = in->next;
        abandon(v, in);
        instance_free(in);
    }
    loop_timer_cancel(v->x->loop, &v->memory_timer);
    free(v->pools);
    free(v);
}
