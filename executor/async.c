/* Asynchronous events wait in one internal queue a function (":async:<name>"): the event is the
 * message, its errors are the message's attempts. An event leaves its queue in the same change that
 * puts it into its dead-letter queue or destination, so it ends once. */
#include "executor/async.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/uuid.h"
#include "executor/async_private.h"
#include "executor/backoff.h"
#include "executor/destination.h"
#include "executor/message_queue.h"
#include "executor/metrics.h"

/* Nobody else takes from these queues, and a restart brings back what was in flight. */
#define VISIBILITY_NS (12 * NS_PER_HOUR)
#define MAX_TAKE      10

/* The events of one function. */
struct lane {
    struct async *async;
    const struct fndef *fn;
    struct str queue; /* its name */
    struct mq_waiter waiter;
    size_t running; /* taken and not ended */
};

struct async {
    struct executor *x;
    async_invoke_fn *invoke;
    struct arena arena;
    struct rng rng;
    struct lane *lanes; /* one a function, by index */
    size_t events;      /* of all lanes, and submissions under way */
    bool is_stopping;
};

/* One event being run. */
struct event {
    struct lane *lane;
    struct arena arena;
    struct mq_message *message;
    struct str request_id, payload, trace, context;
    enum trigger trigger;
    int64_t sent_ns;
    uint32_t attempts; /* errors of the function so far */
    uint32_t throttles;
};

static void pump(struct lane *l);

/* NULL before the first event of the function. */
static struct mq_queue *queue_of(const struct lane *l)
{
    return mq_find(l->async->x->queues, l->queue);
}

static void free_when_idle(struct async *a)
{
    if (!a->is_stopping || a->events > 0)
        return;
    arena_clear(&a->arena);
    free(a->lanes);
    free(a);
}

/* --- accepting --- */

#define LONGEST_S "1209600"

/* Made with the first event, in its change: most functions never get one, and starting need not
 * wait for the disk. */
static struct mq_queue *queue_for_event(struct lane *l, struct mq_change *c)
{
    struct mq_queue *q = queue_of(l);
    struct queue_settings settings;

    if (q)
        return q;
    queue_settings_init(&settings);
    enum status s =
        queue_settings_set(&settings, mq_change_arena(c), QUEUE_RETENTION, STR(LONGEST_S), NULL);
    assert(s == OK);
    UNUSED(s);
    q = mq_add_create(c, l->queue, &settings, STR("{}"));
    pump(l);
    return q;
}

struct submission {
    struct async *async;
    async_accepted_fn *done;
    void *ctx;
    char request_id[UUID_LEN + 1];
};

static void on_accepted(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct submission *sub = ctx;
    struct async *a = sub->async;

    UNUSED(c);
    if (s != OK)
        log_event(LOG_ERROR, "event %s was not accepted: %s", sub->request_id, e->msg);
    if (sub->done)
        sub->done(sub->ctx, s, str_from(sub->request_id));
    free(sub);
    a->events--;
    free_when_idle(a);
}

/* What the message keeps beside the payload. */
static struct str write_system(struct arena *arena, const struct async_event *ev)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;

    buf_init(&text, (size_t)1 << 20);
    jout_init(&o, &text, false);
    jout_open(&o, '{');
    jout_key(&o, "trace");
    jout_str(&o, ev->trace);
    jout_key(&o, "context");
    jout_str(&o, ev->client_context);
    jout_key(&o, "trigger");
    jout_i64(&o, ev->trigger);
    jout_close(&o, '}');
    return arena_str(arena, buf_str(&text));
}

void async_add(struct async *a, struct mq_change *c, const struct async_event *ev,
               char request_id[UUID_LEN + 1])
{
    struct lane *l = &a->lanes[ev->fn->index];
    struct mq_sent sent;

    if (ev->request_id.n == UUID_LEN)
        snprintf(request_id, UUID_LEN + 1, STR_FMT, STR_ARG(ev->request_id));
    else
        uuid_make(&a->rng, request_id);
    mq_add_send(c, queue_for_event(l, c),
                &(struct mq_send){.body = ev->payload,
                                  .system = write_system(mq_change_arena(c), ev),
                                  .id = str_from(request_id)},
                &sent);
    metrics_add(a->x->metrics, METRIC_ASYNC_RECEIVED, ev->fn, 1);
}

void async_submit(struct async *a, const struct async_event *ev, async_accepted_fn *done, void *ctx)
{
    struct mq_change *c = mq_change_new(a->x->queues);
    struct submission *sub = xcalloc(1, sizeof(*sub));

    sub->async = a;
    sub->done = done;
    sub->ctx = ctx;
    a->events++;
    async_add(a, c, ev, sub->request_id);
    mq_commit(c, on_accepted, sub);
}

/* --- ending --- */

static void event_free(struct event *ev)
{
    struct lane *l = ev->lane;
    struct async *a = l->async;

    arena_clear(&ev->arena);
    free(ev);
    l->running--;
    a->events--;
    if (a->is_stopping)
        free_when_idle(a);
    else
        pump(l);
}

static void on_settled(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct event *ev = ctx;

    UNUSED(c);
    if (s != OK)
        log_event(LOG_ERROR, "event " STR_FMT ": its end is not durable, it will run again: %s",
                  STR_ARG(ev->request_id), e->msg);
    event_free(ev);
}

static struct dlq_event describe(const struct event *ev, enum dlq_condition condition,
                                 const struct invoke_result *r)
{
    bool has_run = r && (r->status == INVOKE_OK || r->status == INVOKE_FUNCTION_ERROR);

    return (struct dlq_event){
        .request_id = ev->request_id,
        .function_arn = ev->lane->fn->arn,
        .payload = ev->payload,
        .condition = condition,
        .invoke_count = ev->attempts + (has_run && r->status == INVOKE_OK),
        .response = has_run ? r->payload : (struct str){0},
        .function_error = has_run ? r->function_error : (struct str){0},
        .now_ns = loop_wall(ev->lane->async->x->loop),
    };
}

static void end_event(struct event *ev, enum dlq_condition condition, const struct invoke_result *r)
{
    struct async *a = ev->lane->async;
    struct mq_change *c = mq_change_new(a->x->queues);
    struct dlq_event end = describe(ev, condition, r);

    if (condition != DLQ_SUCCESS)
        metrics_add(a->x->metrics, METRIC_ASYNC_DROPPED, ev->lane->fn, 1);
    destination_add(a->x, a, c, ev->lane->fn, &end);
    mq_add_delete(c, ev->message);
    mq_commit(c, on_settled, ev);
}

static void wait_and_retry(struct event *ev, int64_t delay_ns)
{
    struct mq_change *c = mq_change_new(ev->lane->async->x->queues);
    /* Both counts fit: errors are at most 2, throttles grow at most every second. */
    uint32_t counts = ev->attempts | ev->throttles << 8;

    mq_add_release(c, ev->message, delay_ns, counts);
    mq_commit(c, on_settled, ev);
}

static int64_t age_of(const struct event *ev)
{
    return loop_wall(ev->lane->async->x->loop) - ev->sent_ns;
}

static bool is_stopped_function(const struct fndef *fn)
{
    return fn->has_reserved && fn->reserved == 0;
}

#define MAX_THROTTLES 0xffff

static void on_throttled(struct event *ev, const struct invoke_result *r)
{
    const struct fndef *fn = ev->lane->fn;
    if (ev->throttles < MAX_THROTTLES)
        ev->throttles++;
    int64_t delay = backoff_throttle(ev->throttles);

    if (is_stopped_function(fn))
        end_event(ev, DLQ_RETRIES_EXHAUSTED, r);
    else if (age_of(ev) + delay > fn->max_age_ns)
        end_event(ev, DLQ_AGE_EXCEEDED, r);
    else
        wait_and_retry(ev, delay);
}

static void on_error(struct event *ev, const struct invoke_result *r)
{
    const struct fndef *fn = ev->lane->fn;

    ev->attempts++;
    int64_t delay = backoff_error(fn->retry_wait_ns, ev->attempts);
    if (ev->attempts > fn->max_retries)
        end_event(ev, DLQ_RETRIES_EXHAUSTED, r);
    else if (age_of(ev) + delay > fn->max_age_ns)
        end_event(ev, DLQ_AGE_EXCEEDED, r);
    else
        wait_and_retry(ev, delay);
}

static void on_invoked(void *ctx, const struct invoke_result *r)
{
    struct event *ev = ctx;

    if (r->status == INVOKE_OK)
        end_event(ev, DLQ_SUCCESS, r);
    else if (ev->lane->async->is_stopping)
        event_free(ev); /* its end is not noted: it runs again after the restart */
    else if (r->status == INVOKE_FUNCTION_ERROR)
        on_error(ev, r);
    else
        on_throttled(ev, r);
}

/* --- running --- */

static void run_event(struct event *ev)
{
    const struct fndef *fn = ev->lane->fn;
    struct async *a = ev->lane->async;

    metrics_add(a->x->metrics, METRIC_ASYNC_AGE, fn, age_of(ev) / NS_PER_US);
    if (is_stopped_function(fn)) {
        end_event(ev, DLQ_RETRIES_EXHAUSTED, NULL);
        return;
    }
    if (age_of(ev) > fn->max_age_ns) {
        end_event(ev, DLQ_AGE_EXCEEDED, NULL);
        return;
    }
    struct invoke_request rq = {.fn = fn,
                                .request_id = ev->request_id,
                                .payload = ev->payload,
                                .trace = ev->trace,
                                .client_context = ev->context,
                                .trigger = ev->trigger,
                                .attempt = ev->attempts};
    a->invoke(a->x->invoker, &rq, on_invoked, ev);
}

static void read_system(struct event *ev, struct str json)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct str text;
    int64_t trigger;

    if (json_parse(json, &doc, NULL) != OK)
        return;
    const struct json *root = json_root(doc);
    if (json_str(json_get(root, "trace"), &text))
        ev->trace = arena_str(&ev->arena, text);
    if (json_str(json_get(root, "context"), &text))
        ev->context = arena_str(&ev->arena, text);
    if (json_i64(json_get(root, "trigger"), &trigger) && trigger >= 0 && trigger <= TRIGGER_OTHER)
        ev->trigger = (enum trigger)trigger;
}

static struct event *event_new(struct lane *l, const struct mq_taken *t)
{
    struct event *ev = xcalloc(1, sizeof(*ev));

    ev->lane = l;
    arena_init(&ev->arena);
    ev->message = t->message;
    ev->request_id = arena_str(&ev->arena, t->id);
    ev->payload = arena_str(&ev->arena, t->body);
    ev->sent_ns = t->sent_ns;
    ev->attempts = t->attempts & 0xff;
    ev->throttles = t->attempts >> 8;
    read_system(ev, t->system);
    return ev;
}

/* The lane is held while a take is under way by what it may take. */
struct take {
    struct lane *lane;
    size_t n;
};

static void on_taken(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct take *t = ctx;
    struct lane *l = t->lane;
    size_t n = s == OK ? mq_taken_count(c) : 0;

    if (s != OK)
        log_event(LOG_ERROR, "events of " STR_FMT " wait: %s", STR_ARG(l->fn->name), e->msg);
    l->running -= t->n - n;
    l->async->events -= t->n - n;
    free(t);
    if (l->async->is_stopping) {
        l->running -= n;
        l->async->events -= n;
        free_when_idle(l->async);
        return;
    }
    for (size_t i = 0; i < n; i++)
        run_event(event_new(l, mq_taken(c, i)));
    if (s == OK)
        pump(l);
}

static size_t window_of(const struct fndef *fn)
{
    int64_t most = fn->has_reserved && fn->reserved < fn->instances ? fn->reserved : fn->instances;

    return most < 1 ? 1 : (size_t)most;
}

static bool take_some(struct lane *l, struct mq_queue *q, size_t room)
{
    struct mq_change *c = mq_change_new(l->async->x->queues);
    size_t n = mq_add_take(c, q, room < MAX_TAKE ? room : MAX_TAKE, VISIBILITY_NS);

    if (n == 0 && mq_is_empty(c)) {
        mq_change_abandon(c);
        return false;
    }
    struct take *t = xcalloc(1, sizeof(*t));
    *t = (struct take){.lane = l, .n = n};
    l->running += n;
    l->async->events += n;
    mq_commit(c, on_taken, t);
    return true;
}

/* Takes what the function has room for; when there is room and nothing to take, waits. */
static void pump(struct lane *l)
{
    struct mq_queue *q = queue_of(l);
    size_t window = window_of(l->fn);

    if (!q)
        return;
    while (l->running < window && mq_has_visible(q))
        if (!take_some(l, q, window - l->running))
            break;
    if (l->running < window && !l->waiter.queue && !mq_has_visible(q))
        mq_wait(q, &l->waiter);
}

static void on_visible(void *ctx)
{
    pump(ctx);
}

/* --- start, stop --- */

enum status async_start_with(struct executor *x, async_invoke_fn *invoke_one, struct async **out,
                             struct err *e)
{
    const struct manifest *m = x->manifest;
    struct async *a = xcalloc(1, sizeof(*a));

    UNUSED(e);
    a->x = x;
    a->invoke = invoke_one;
    arena_init(&a->arena);
    rng_seed_system(&a->rng);
    a->lanes = xcalloc(m->n_functions + 1, sizeof(*a->lanes));
    for (size_t i = 0; i < m->n_functions; i++) {
        struct lane *l = &a->lanes[i];
        l->async = a;
        l->fn = &m->functions[i];
        l->queue = arena_printf(&a->arena, ":async:" STR_FMT, STR_ARG(l->fn->name));
        l->waiter = (struct mq_waiter){.fn = on_visible, .ctx = l};
    }
    *out = a;
    /* A result may come at once: everything must be in place by now. */
    for (size_t i = 0; i < m->n_functions; i++)
        pump(&a->lanes[i]);
    return OK;
}

enum status async_start(struct executor *x, struct async **out, struct err *e)
{
    return async_start_with(x, invoke, out, e);
}

void async_stop(struct async *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->x->manifest->n_functions; i++)
        mq_wait_cancel(&a->lanes[i].waiter);
    a->is_stopping = true;
    free_when_idle(a);
}
