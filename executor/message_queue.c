/* Queues and the messages in them: states, timers, counters, who waits. */
#include "executor/message_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "executor/message_private.h"

#define NAME_SEED  0x6e616d65ULL
#define DEDUP_SEED 0x6465647570ULL
/* How often queues nobody reads lose what is too old. */
#define SWEEP_NS (30 * NS_PER_SEC)

/* --- messages --- */

static void message_due(void *ctx);

struct mq_message *message_new(struct mq *m)
{
    struct mq_message *x = xcalloc(1, sizeof(*x));

    UNUSED(m);
    x->arrival.owner = x->ready.owner = x;
    x->timer.fn = message_due;
    x->timer.ctx = x;
    return x;
}

void message_free(struct mq_message *m)
{
    assert(m->state == MQ_LIMBO && !m->arrival.is_linked && m->steps == 0);
    idmap_remove(&m->queue->mq->messages, (uint64_t)m->seq);
    order_part(m);
    m->queue->n[MQ_LIMBO]--;
    mqueue_unuse(m->queue);
    free(m);
}

static void wake_waiters(struct mq_queue *q)
{
    if (q->first_waiter && order_first(q))
        loop_defer(q->mq->loop, &q->notify);
}

void message_leave(struct mq_message *m)
{
    struct mq_queue *q = m->queue;
    enum mq_state from = m->state;

    q->n[from]--;
    m->state = MQ_LIMBO;
    q->n[MQ_LIMBO]++;
    if (from == MQ_READY)
        order_remove(m);
    if (from == MQ_IN_FLIGHT)
        order_unlock(m);
    if (from == MQ_DELAYED || from == MQ_IN_FLIGHT)
        loop_timer_cancel(q->mq->loop, &m->timer);
    wake_waiters(q); /* the group of a FIFO message may be free now */
}

void message_enter(struct mq_message *m, enum mq_state state)
{
    struct mq_queue *q = m->queue;

    assert(m->state == MQ_LIMBO && state != MQ_LIMBO);
    q->n[MQ_LIMBO]--;
    q->n[state]++;
    m->state = state;
    if (state == MQ_READY) {
        order_add(m);
        wake_waiters(q);
    }
    if (state == MQ_IN_FLIGHT)
        order_lock(m);
}

void message_wait(struct mq_message *m)
{
    struct loop *l = m->queue->mq->loop;

    assert(m->state == MQ_DELAYED || m->state == MQ_IN_FLIGHT);
    loop_timer_set(l, &m->timer, loop_now(l) + (m->visible_ns - loop_wall(l)));
}

void message_settle(struct mq_message *m)
{
    bool is_delayed = m->visible_ns > loop_wall(m->queue->mq->loop);

    message_enter(m, is_delayed ? MQ_DELAYED : MQ_READY);
    if (is_delayed)
        message_wait(m);
}

static void message_due(void *ctx)
{
    struct mq_message *m = ctx;

    message_leave(m);
    message_enter(m, MQ_READY);
}

void message_join(struct mq_message *m, struct mq_queue *q)
{
    struct link *place = q->arrivals.tail;

    assert(m->state == MQ_LIMBO);
    if (m->queue != q) {
        m->queue = q;
        mqueue_use(q);
        q->n[MQ_LIMBO]++;
    }
    while (place && ((const struct mq_message *)place->owner)->arrived_ns > m->arrived_ns)
        place = place->prev;
    list_insert_before(&q->arrivals, place ? place->next : q->arrivals.head, &m->arrival);
}

void message_part(struct mq_message *m)
{
    list_remove(&m->queue->arrivals, &m->arrival);
}

/* --- queues --- */

static void notify_waiters(void *ctx)
{
    struct mq_queue *q = ctx;

    mqueue_use(q);
    /* One that waits again at once has its turn the next time. */
    for (size_t n = q->n_waiters; n > 0 && q->first_waiter && order_first(q); n--) {
        struct mq_waiter *w = q->first_waiter;
        mq_wait_cancel(w);
        w->fn(w->ctx);
    }
    mqueue_unuse(q);
}

void mqueue_set(struct mq_queue *q, const struct queue_settings *settings, struct str tags)
{
    struct arena old = q->arena;
    AUTO(buf_clear) struct buf text;
    struct err e;

    buf_init(&text, SIZE_MAX);
    queue_settings_write(settings, &text);
    arena_init(&q->arena);
    q->name = arena_str(&q->arena, q->name);
    q->tags = arena_str(&q->arena, tags);
    enum status s = queue_settings_read(&q->settings, &q->arena, buf_str(&text), &e);
    assert(s == OK); /* they were read from such a text before */
    UNUSED(s);
    arena_clear(&old);
}

struct mq_queue *mqueue_new(struct mq *m, int64_t id, struct str name,
                            const struct queue_settings *settings, struct str tags)
{
    struct mq_queue *q = xcalloc(1, sizeof(*q));

    q->mq = m;
    q->id = id;
    q->name = name;
    arena_init(&q->arena);
    mqueue_set(q, settings, tags);
    idmap_init(&q->groups);
    q->notify = (struct loop_task){.fn = notify_waiters, .ctx = q};
    m->queues = mem_grow(m->queues, m->n_queues, &m->cap_queues, sizeof(struct mq_queue *));
    m->queues[m->n_queues++] = q;
    *idmap_put(&m->names, str_hash(name, NAME_SEED), NULL) = (uint64_t)(uintptr_t)q;
    *idmap_put(&m->ids, (uint64_t)id, NULL) = (uint64_t)(uintptr_t)q;
    m->next_queue_id = id >= m->next_queue_id ? id + 1 : m->next_queue_id;
    mqueue_use(q); /* by the tables */
    return q;
}

void mqueue_forget(struct mq_queue *q)
{
    struct mq *m = q->mq;
    size_t i = 0;

    while (m->queues[i] != q)
        i++;
    for (m->n_queues--; i < m->n_queues; i++)
        m->queues[i] = m->queues[i + 1];
    idmap_remove(&m->names, str_hash(q->name, NAME_SEED));
    idmap_remove(&m->ids, (uint64_t)q->id);
    q->is_removed = true;
    mqueue_unuse(q);
}

bool mqueue_is_internal(const struct mq_queue *q)
{
    return str_starts(q->name, STR(":"));
}

void mqueue_use(struct mq_queue *q)
{
    q->users++;
}

void mqueue_unuse(struct mq_queue *q)
{
    assert(q->users > 0);
    if (--q->users > 0)
        return;
    loop_defer_cancel(q->mq->loop, &q->notify);
    order_clear(q);
    arena_clear(&q->arena);
    free(q);
}

static struct mq_queue *queue_at(const uint64_t *slot)
{
    return slot ? (struct mq_queue *)(uintptr_t)*slot : NULL;
}

struct mq_queue *mqueue_by_id(const struct mq *m, int64_t id)
{
    return queue_at(idmap_get(&m->ids, (uint64_t)id));
}

struct mq_queue *mq_find(const struct mq *m, struct str name)
{
    struct mq_queue *q = queue_at(idmap_get(&m->names, str_hash(name, NAME_SEED)));

    return q && str_eq(q->name, name) ? q : NULL;
}

struct mq_queue *mq_find_arn(const struct mq *m, struct str arn)
{
    AUTO(buf_clear) struct buf own = {0};
    struct mq_queue *q = mq_find(m, str_skip(arn, str_rfind_char(arn, ':') + 1));

    if (!q)
        return NULL;
    buf_init(&own, 1024);
    mq_arn(q, &own);
    return str_eq(buf_str(&own), arn) ? q : NULL;
}

struct mq_queue *mq_each(const struct mq *m, size_t *i)
{
    return *i < m->n_queues ? m->queues[(*i)++] : NULL;
}

struct str mq_name(const struct mq_queue *q)
{
    return q->name;
}

void mq_arn(const struct mq_queue *q, struct buf *out)
{
    buf_addf(out, "arn:aws:sqs:" STR_FMT ":" STR_FMT ":" STR_FMT, STR_ARG(q->mq->region),
             STR_ARG(q->mq->account), STR_ARG(q->name));
}

struct mq *mq_of(const struct mq_queue *q)
{
    return q->mq;
}

const struct queue_settings *mq_settings(const struct mq_queue *q)
{
    return &q->settings;
}

struct str mq_tags(const struct mq_queue *q)
{
    return q->tags;
}

struct mq_queue *mq_dead_letter(const struct mq_queue *q)
{
    return q->settings.max_receives > 0 ? mq_find_arn(q->mq, q->settings.dead_letter_arn) : NULL;
}

struct mq_stats mq_stats(const struct mq_queue *q)
{
    struct mq_stats s = q->counts;
    const struct mq_message *oldest = q->arrivals.head ? q->arrivals.head->owner : NULL;

    s.visible = q->n[MQ_READY];
    s.in_flight = q->n[MQ_IN_FLIGHT];
    s.delayed = q->n[MQ_DELAYED];
    s.created_ns = q->created_ns;
    s.modified_ns = q->modified_ns;
    s.oldest_ns = oldest ? oldest->arrived_ns : 0;
    return s;
}

void mq_count_empty_receive(struct mq_queue *q)
{
    q->counts.empty_receives++;
}

/* --- de-duplication --- */

static uint64_t dedup_key(const struct mq_queue *q, struct str id)
{
    return str_hash(id, DEDUP_SEED ^ (uint64_t)q->id);
}

void dedup_forget(struct mq *m, struct mq_dedup *d)
{
    list_remove(&m->dedup_order, &d->link);
    idmap_remove(&m->dedups, d->key);
    free(d);
}

static void dedup_expire(struct mq *m)
{
    while (m->dedup_order.head) {
        struct mq_dedup *d = m->dedup_order.head->owner;
        if (d->until_ns > loop_wall(m->loop))
            return;
        dedup_forget(m, d);
    }
}

struct mq_dedup *dedup_find(struct mq *m, const struct mq_queue *q, struct str id)
{
    dedup_expire(m);
    const uint64_t *slot = idmap_get(&m->dedups, dedup_key(q, id));
    return slot ? (struct mq_dedup *)(uintptr_t)*slot : NULL;
}

void dedup_add(struct mq *m, const struct mq_queue *q, struct str id, const struct mq_sent *sent,
               int64_t until_ns)
{
    struct mq_dedup *d = dedup_find(m, q, id);

    if (d)
        dedup_forget(m, d);
    d = xcalloc(1, sizeof(*d));
    d->key = dedup_key(q, id);
    d->seq = sent->seq;
    d->until_ns = until_ns;
    for (size_t i = 0; i < MQ_ID_LEN; i++)
        d->id[i] = sent->id[i];
    d->link.owner = d;
    list_append(&m->dedup_order, &d->link);
    *idmap_put(&m->dedups, d->key, NULL) = (uint64_t)(uintptr_t)d;
}

/* --- waiting, receipts --- */

void mq_wait(struct mq_queue *q, struct mq_waiter *w)
{
    assert(w->fn && !w->queue);
    w->queue = q;
    w->next = NULL;
    w->prev = q->last_waiter;
    *(w->prev ? &w->prev->next : &q->first_waiter) = w;
    q->last_waiter = w;
    q->n_waiters++;
    wake_waiters(q);
}

void mq_wait_cancel(struct mq_waiter *w)
{
    struct mq_queue *q = w->queue;

    if (!q)
        return;
    *(w->prev ? &w->prev->next : &q->first_waiter) = w->next;
    *(w->next ? &w->next->prev : &q->last_waiter) = w->prev;
    q->n_waiters--;
    w->queue = NULL;
}

bool mq_has_visible(const struct mq_queue *q)
{
    return order_first(q) != NULL;
}

struct mq_message *mq_by_receipt(const struct mq_queue *q, int64_t seq, uint64_t receipt)
{
    const uint64_t *slot = idmap_get(&q->mq->messages, (uint64_t)seq);
    struct mq_message *m = slot ? (struct mq_message *)(uintptr_t)*slot : NULL;

    return m && m->queue == q && !m->is_dying && m->receipt == receipt ? m : NULL;
}

bool mq_is_in_flight(const struct mq_message *m)
{
    return m->state == MQ_IN_FLIGHT;
}

/* --- all queues --- */

static void sweep_done(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    UNUSED(ctx);
    UNUSED(c);
    if (s != OK)
        log_event(LOG_WARN, "queues: expired messages stay for now: %s", e->msg);
}

static enum status delete_dedups(void *data, struct journal *j, struct err *e)
{
    const int64_t *now_ns = data;
    struct sql_stmt *st;
    enum status s = journal_stmt(j, "delete from dedup where until_ns<=?", &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, *now_ns);
    return sql_run(st, e);
}

static void forget_dedups(struct mq *m, struct mq_change *c)
{
    const struct mq_dedup *oldest = m->dedup_order.head ? m->dedup_order.head->owner : NULL;

    if (!oldest || oldest->until_ns > loop_wall(m->loop))
        return;
    int64_t *now_ns = arena_new(mq_change_arena(c), int64_t, 1);
    *now_ns = loop_wall(m->loop);
    mq_add_extra(c, delete_dedups, now_ns);
    dedup_expire(m);
}

static void sweep(void *ctx)
{
    struct mq *m = ctx;
    struct mq_change *c = mq_change_new(m);

    for (size_t i = 0; i < m->n_queues; i++)
        change_expire(c, m->queues[i]);
    forget_dedups(m, c);
    if (mq_is_empty(c))
        mq_change_abandon(c);
    else
        mq_commit(c, sweep_done, NULL);
    loop_timer_set(m->loop, &m->sweep, loop_now(m->loop) + SWEEP_NS);
}

enum status mq_open(struct journal *j, struct loop *l, const struct mq_config *config,
                    struct mq **out, struct err *e)
{
    struct mq *m = xcalloc(1, sizeof(*m));

    m->journal = j;
    m->loop = l;
    arena_init(&m->arena);
    m->region = arena_str(&m->arena, config->region);
    m->account = arena_str(&m->arena, config->account);
    if (config->seed)
        rng_seed(&m->rng, config->seed);
    else
        rng_seed_system(&m->rng);
    idmap_init(&m->names);
    idmap_init(&m->ids);
    idmap_init(&m->messages);
    idmap_init(&m->dedups);
    m->next_queue_id = 1;
    /* Numbers grow over restarts, even when the newest messages are gone. */
    m->next_seq = loop_wall(l) / NS_PER_US;
    m->sweep = (struct loop_timer){.fn = sweep, .ctx = m};
    enum status s = store_load(m, e);
    if (s != OK) {
        mq_close(m);
        return err_wrap(e, "queues");
    }
    loop_timer_set(l, &m->sweep, loop_now(l) + SWEEP_NS);
    *out = m;
    return OK;
}

static void free_messages(struct mq *m)
{
    uint64_t key, value;

    for (size_t i = 0; idmap_next(&m->messages, &i, &key, &value);) {
        struct mq_message *x = (struct mq_message *)(uintptr_t)value;
        loop_timer_cancel(m->loop, &x->timer);
        free(x);
    }
    idmap_clear(&m->messages);
}

void mq_close(struct mq *m)
{
    if (!m)
        return;
    loop_timer_cancel(m->loop, &m->sweep);
    free_messages(m);
    while (m->dedup_order.head)
        dedup_forget(m, m->dedup_order.head->owner);
    for (size_t i = 0; i < m->n_queues; i++) {
        m->queues[i]->users = 1;
        mqueue_unuse(m->queues[i]);
    }
    free(m->queues);
    mq_forget_deleted(m, INT64_MAX);
    idmap_clear(&m->names);
    idmap_clear(&m->ids);
    idmap_clear(&m->dedups);
    attempts_clear(m);
    arena_clear(&m->arena);
    free(m);
}

struct loop *mq_loop(const struct mq *m)
{
    return m->loop;
}

struct str mq_region(const struct mq *m)
{
    return m->region;
}

struct str mq_account(const struct mq *m)
{
    return m->account;
}
