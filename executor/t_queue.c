/* Event source mapping: while the function has room it takes batches, and waits for the queue when
 * there is nothing to take. */
#include "executor/t_queue.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "executor/backoff.h"
#include "executor/invoke.h"
#include "executor/message_queue.h"
#include "executor/queue_event.h"

/* What one invocation may carry. */
#define MAX_PAYLOAD_BYTES ((size_t)6 << 20)
/* Concurrency grows from the first to the last by the step each minute, as Lambda's pollers do. */
#define FIRST_CONCURRENCY 5
#define STEP_CONCURRENCY  300
#define LAST_CONCURRENCY  1250
/* How often a batch that is being gathered is looked at within its window. */
#define WINDOW_LOOKS 20

struct poller {
    struct executor *x;
    const struct fndef *fn;
    const struct t_queue_settings *settings;
    struct str queue; /* its name */
    struct mq_waiter waiter;
    struct loop_timer window; /* looks again at a batch that is not full */
    int64_t window_end_ns;    /* then it goes as it is; 0: none is being gathered */
    struct loop_timer again;  /* after a fault, or when the queue was not there */
    int64_t busy_since_ns;    /* 0: idle */
    size_t running;           /* invocations and takes */
    bool is_stopping;
};

struct item {
    struct str id;
    int64_t seq;
    uint64_t receipt;
};

struct batch {
    struct poller *poller;
    struct arena arena;
    struct item *items;
    size_t n;
    struct buf payload;
    int64_t until_ns; /* then the messages become visible again */
    unsigned throttles;
    struct loop_timer retry;
    int64_t visibility_ns; /* of the take */
};

static void pump(struct poller *p);

/* --- the end of a batch --- */

static void poller_release(struct poller *p)
{
    p->running--;
    if (p->is_stopping && p->running == 0)
        free(p);
    else if (!p->is_stopping)
        pump(p);
}

static void batch_free(struct batch *b)
{
    struct poller *p = b->poller;

    loop_timer_cancel(p->x->loop, &b->retry);
    buf_clear(&b->payload);
    arena_clear(&b->arena);
    free(b);
    poller_release(p);
}

static void on_deleted(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct batch *b = ctx;

    UNUSED(c);
    if (s != OK)
        log_event(LOG_ERROR, "queue " STR_FMT ": processed messages stay and come again: %s",
                  STR_ARG(b->poller->queue), e->msg);
    batch_free(b);
}

/* Deletes what did not fail; a failed message waits for its visibility timeout. */
static void settle(struct batch *b, const bool *has_failed)
{
    struct poller *p = b->poller;
    struct mq_queue *q = mq_find(p->x->queues, p->queue);
    struct mq_change *c = mq_change_new(p->x->queues);

    for (size_t i = 0; q && i < b->n; i++) {
        struct mq_message *m =
            has_failed[i] ? NULL : mq_by_receipt(q, b->items[i].seq, b->items[i].receipt);
        if (m)
            mq_add_delete(c, m);
    }
    mq_commit(c, on_deleted, b);
}

static void invoke_batch(void *ctx);

/* Nothing ran: the same batch again a little later, as long as its messages are ours. */
static void on_throttled(struct batch *b)
{
    struct loop *l = b->poller->x->loop;
    int64_t delay = backoff_throttle(++b->throttles);

    if (loop_wall(l) + delay + b->poller->fn->timeout_ns > b->until_ns) {
        batch_free(b);
        return;
    }
    loop_timer_set(l, &b->retry, loop_now(l) + delay);
}

static void on_invoked(void *ctx, const struct invoke_result *r)
{
    struct batch *b = ctx;
    struct poller *p = b->poller;

    if (p->is_stopping && r->status != INVOKE_OK) {
        batch_free(b); /* comes back at the visibility timeout */
        return;
    }
    if (r->status == INVOKE_THROTTLED || r->status == INVOKE_FAILED) {
        on_throttled(b);
        return;
    }
    if (r->status == INVOKE_FUNCTION_ERROR) {
        batch_free(b); /* all of it comes back at the visibility timeout */
        return;
    }
    bool *has_failed = arena_new(&b->arena, bool, b->n);
    struct str *ids = arena_new(&b->arena, struct str, b->n);
    struct mq_queue *q = mq_find(p->x->queues, p->queue);
    for (size_t i = 0; i < b->n; i++)
        ids[i] = b->items[i].id;
    if (p->settings->reports_failures)
        queue_event_failures(r->payload, ids, b->n, q && mq_settings(q)->number[QUEUE_FIFO],
                             has_failed);
    settle(b, has_failed);
}

static void invoke_batch(void *ctx)
{
    struct batch *b = ctx;

    if (b->poller->is_stopping) {
        batch_free(b);
        return;
    }
    struct invoke_request rq = {
        .fn = b->poller->fn, .payload = buf_str(&b->payload), .trigger = TRIGGER_PUBSUB};

    invoke(b->poller->x->invoker, &rq, on_invoked, b);
}

/* --- taking --- */

static struct batch *batch_new(struct poller *p, int64_t until_ns, size_t room)
{
    struct batch *b = xcalloc(1, sizeof(*b));

    b->poller = p;
    b->until_ns = until_ns;
    b->retry = (struct loop_timer){.fn = invoke_batch, .ctx = b};
    arena_init(&b->arena);
    buf_init(&b->payload, 4 * MAX_PAYLOAD_BYTES);
    b->items = arena_new(&b->arena, struct item, room);
    p->running++;
    return b;
}

static void add_record(struct batch *b, const struct mq_taken *t, struct str record)
{
    buf_add_z(&b->payload, b->n > 0 ? "," : "{\"Records\":[");
    buf_add_str(&b->payload, record);
    b->items[b->n++] =
        (struct item){.id = arena_str(&b->arena, t->id), .seq = t->seq, .receipt = t->receipt};
}

static void go(struct batch *b)
{
    buf_add_z(&b->payload, "]}");
    invoke_batch(b);
}

/* The taken messages as one batch, or more when they are too large for one. */
static void start_batches(struct poller *p, const struct mq_queue *q, const struct mq_change *c,
                          int64_t until_ns)
{
    AUTO(buf_clear) struct buf record;
    size_t n = mq_taken_count(c);
    struct batch *b = NULL;

    buf_init(&record, 4 * MAX_PAYLOAD_BYTES);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&record);
        queue_event_record(q, mq_taken(c, i), &record);
        if (b && b->payload.n + record.n + 3 > MAX_PAYLOAD_BYTES) {
            go(b);
            b = NULL;
        }
        if (!b)
            b = batch_new(p, until_ns, n);
        add_record(b, mq_taken(c, i), buf_str(&record));
    }
    if (b)
        go(b);
}

#define FAULT_PAUSE_NS (5 * NS_PER_SEC)

static void pause(struct poller *p)
{
    loop_timer_set(p->x->loop, &p->again, loop_now(p->x->loop) + FAULT_PAUSE_NS);
}

static void on_taken(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct poller *p = ctx;
    struct mq_queue *q = mq_find(p->x->queues, p->queue);

    if (s != OK) {
        log_event(LOG_ERROR, "queue " STR_FMT ": cannot be read: %s", STR_ARG(p->queue), e->msg);
        pause(p);
    } else if (q && !p->is_stopping) {
        start_batches(
            p, q, c, loop_wall(p->x->loop) + mq_settings(q)->number[QUEUE_VISIBILITY] * NS_PER_SEC);
    }
    poller_release(p);
}

static size_t concurrency_of(struct poller *p)
{
    int64_t now = loop_now(p->x->loop);
    int64_t most =
        p->settings->max_concurrency > 0 ? p->settings->max_concurrency : LAST_CONCURRENCY;

    if (p->running == 0)
        p->busy_since_ns = now;
    int64_t grown = FIRST_CONCURRENCY + STEP_CONCURRENCY * ((now - p->busy_since_ns) / NS_PER_MIN);
    if (most > grown)
        most = grown;
    if (most > p->fn->instances)
        most = p->fn->instances;
    return most < 1 ? 1 : (size_t)most;
}

/* A batch goes when it is full or its window is over. */
static bool is_time(struct poller *p, const struct mq_queue *q)
{
    int64_t now = loop_now(p->x->loop), window = p->settings->window_ns;

    if (window == 0 || mq_stats(q).visible >= (size_t)p->settings->batch_size)
        return true;
    if (p->window_end_ns == 0)
        p->window_end_ns = now + window;
    if (now >= p->window_end_ns)
        return true;
    int64_t next = now + window / WINDOW_LOOKS;
    loop_timer_set(p->x->loop, &p->window, next < p->window_end_ns ? next : p->window_end_ns);
    return false;
}

static bool take_batch(struct poller *p, struct mq_queue *q)
{
    struct mq_change *c = mq_change_new(p->x->queues);

    mq_add_take(c, q, (size_t)p->settings->batch_size,
                mq_settings(q)->number[QUEUE_VISIBILITY] * NS_PER_SEC);
    if (mq_is_empty(c)) {
        mq_change_abandon(c);
        return false;
    }
    p->running++;
    p->window_end_ns = 0;
    loop_timer_cancel(p->x->loop, &p->window);
    mq_commit(c, on_taken, p);
    return true;
}

static void pump(struct poller *p)
{
    struct mq_queue *q = mq_find(p->x->queues, p->queue);

    if (!q) {
        pause(p);
        return;
    }
    size_t room = concurrency_of(p);
    while (p->running < room && mq_has_visible(q) && is_time(p, q))
        if (!take_batch(p, q))
            break;
    if (!mq_has_visible(q) && !p->waiter.queue)
        mq_wait(q, &p->waiter);
}

static void on_visible(void *ctx)
{
    pump(ctx);
}

/* --- the trigger --- */

static const struct opt_def options[] = {
    {.key = "queue",
     .type = OPT_STRING,
     .offset = offsetof(struct t_queue_settings, queue),
     .help = "name or ARN of the queue"},
    {.key = "batch_size",
     .type = OPT_INT,
     .offset = offsetof(struct t_queue_settings, batch_size),
     .default_text = "10",
     .min = 1,
     .max = 10000,
     .help = "most messages of one invocation"},
    {.key = "window",
     .type = OPT_DURATION,
     .offset = offsetof(struct t_queue_settings, window_ns),
     .default_text = "0s",
     .help = "how long to gather a batch, up to 5m"},
    {.key = "max_concurrency",
     .type = OPT_INT,
     .offset = offsetof(struct t_queue_settings, max_concurrency),
     .min = 2,
     .max = 1000,
     .help = "most invocations of this queue at a time; as they come unless given"},
    {.key = "report_failures",
     .type = OPT_BOOL,
     .offset = offsetof(struct t_queue_settings, reports_failures),
     .default_text = "false",
     .help = "the function answers which messages failed (batchItemFailures)"},
    {.key = "enabled",
     .type = OPT_BOOL,
     .offset = offsetof(struct t_queue_settings, is_enabled),
     .default_text = "true",
     .help = "whether messages are taken"},
    {0},
};

#define MAX_WINDOW_NS (300 * NS_PER_SEC)

static enum status check(const struct manifest *m, const struct fndef *fn,
                         const struct trigger_def *def, struct err *e)
{
    const struct t_queue_settings *s = def->settings;
    bool is_fifo = str_ends(s->queue, STR(".fifo"));

    UNUSED(m);
    UNUSED(fn);
    if (s->queue.n == 0)
        return err_set(e, ERR_CONFIG, "a queue trigger needs a queue");
    if (s->window_ns < 0 || s->window_ns > MAX_WINDOW_NS)
        return err_set(e, ERR_CONFIG, "window: 0s to 5m");
    if (is_fifo && (s->batch_size > 10 || s->window_ns > 0))
        return err_set(e, ERR_CONFIG, "a FIFO queue allows batches of 10 and no window");
    if (s->batch_size > 10 && s->window_ns < NS_PER_SEC)
        return err_set(e, ERR_CONFIG, "a batch_size over 10 needs a window of at least 1s");
    return OK;
}

static enum status start(struct trigger_run *t, struct err *e)
{
    const struct t_queue_settings *s = t->def->settings;
    struct str name = str_skip(s->queue, str_rfind_char(s->queue, ':') < s->queue.n
                                             ? str_rfind_char(s->queue, ':') + 1
                                             : 0);

    UNUSED(e);
    if (!s->is_enabled)
        return OK;
    struct poller *p = xcalloc(1, sizeof(*p));
    p->x = t->x;
    p->fn = t->fn;
    p->settings = s;
    p->queue = name;
    p->waiter = (struct mq_waiter){.fn = on_visible, .ctx = p};
    p->window = (struct loop_timer){.fn = on_visible, .ctx = p};
    p->again = (struct loop_timer){.fn = on_visible, .ctx = p};
    t->state = p;
    pump(p);
    return OK;
}

static void stop(struct trigger_run *t)
{
    struct poller *p = t->state;

    if (!p)
        return;
    t->state = NULL;
    mq_wait_cancel(&p->waiter);
    loop_timer_cancel(p->x->loop, &p->window);
    loop_timer_cancel(p->x->loop, &p->again);
    p->is_stopping = true;
    if (p->running == 0)
        free(p);
}

static struct str source_arn(struct executor *x, const struct trigger_def *def, struct arena *a)
{
    const struct t_queue_settings *s = def->settings;

    if (str_find_char(s->queue, ':') < s->queue.n)
        return s->queue;
    return arena_printf(a, "arn:aws:sqs:" STR_FMT ":" STR_FMT ":" STR_FMT,
                        STR_ARG(x->manifest->region), STR_ARG(x->manifest->account),
                        STR_ARG(s->queue));
}

static void describe(struct executor *x, const struct trigger_def *def, struct json_out *o)
{
    const struct t_queue_settings *s = def->settings;

    UNUSED(x);
    jout_key(o, "BatchSize");
    jout_i64(o, s->batch_size);
    jout_key(o, "MaximumBatchingWindowInSeconds");
    jout_i64(o, s->window_ns / NS_PER_SEC);
    jout_key(o, "FunctionResponseTypes");
    jout_raw(o, s->reports_failures ? STR("[\"ReportBatchItemFailures\"]") : STR("[]"));
    if (s->max_concurrency == 0)
        return;
    jout_key(o, "ScalingConfig");
    jout_open(o, '{');
    jout_key(o, "MaximumConcurrency");
    jout_i64(o, s->max_concurrency);
    jout_close(o, '}');
}

const struct trigger_ops t_queue = {
    .type = "queue",
    .help = "messages of a queue, in batches",
    .options = options,
    .settings_size = sizeof(struct t_queue_settings),
    .check = check,
    .start = start,
    .stop = stop,
    .source_arn = source_arn,
    .describe = describe,
};
