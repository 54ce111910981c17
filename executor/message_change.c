/* Changes: each kind of step says what it does to the messages in memory when it is added (so that
 * nobody else takes them), when it is durable, and when the journal refused it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/uuid.h"
#include "executor/message_private.h"

#define DEDUP_NS (5 * NS_PER_MIN)

struct mq_change *mq_change_new(struct mq *m)
{
    struct mq_change *c = xcalloc(1, sizeof(*c));

    c->mq = m;
    arena_init(&c->arena);
    return c;
}

struct arena *mq_change_arena(struct mq_change *c)
{
    return &c->arena;
}

static void change_free(struct mq_change *c)
{
    arena_clear(&c->arena);
    free(c);
}

struct mq_step *change_add(struct mq_change *c, enum mq_step_kind kind)
{
    struct mq_step *s = arena_new(&c->arena, struct mq_step, 1);

    s->kind = kind;
    c->steps = arena_grow(&c->arena, c->steps, c->n_steps, &c->cap_steps, sizeof(struct mq_step *));
    c->steps[c->n_steps++] = s;
    return s;
}

/* A step about a message keeps it and its queue alive. */
static struct mq_step *add_for(struct mq_change *c, enum mq_step_kind kind, struct mq_message *m)
{
    struct mq_step *s = change_add(c, kind);

    s->message = m;
    s->queue = m->queue;
    s->row.seq = m->seq;
    m->steps++;
    mqueue_use(m->queue);
    return s;
}

/* The message's last step frees what a delete left behind. */
static void drop_message(struct mq_step *s)
{
    struct mq_message *m = s->message;

    if (--m->steps == 0 && m->is_gone)
        message_free(m);
}

static void take_out(struct mq_message *m)
{
    if (m->state != MQ_LIMBO)
        message_leave(m);
    message_part(m);
    m->is_dying = true;
}

void message_bury(struct mq_message *m)
{
    if (!m->is_dying)
        take_out(m);
    m->is_gone = true;
}

/* --- send --- */

struct str change_own(struct mq_change *c, struct str s)
{
    return arena_str(&c->arena, s);
}

static void fill_row(struct mq_change *c, struct mq_step *s, const struct mq_send *send)
{
    s->row.body = change_own(c, send->body);
    s->row.attributes = change_own(c, send->attributes);
    s->row.system = change_own(c, send->system);
    s->row.group = change_own(c, send->group);
    s->row.dedup = change_own(c, send->dedup);
    s->row.attempts = send->attempts;
    s->n_bytes = send->body.n + send->attributes.n;
}

static void name_message(struct mq *m, struct mq_message *x, struct str id)
{
    if (id.n == 0)
        uuid_make(&m->rng, x->id);
    else
        memcpy(x->id, id.p, id.n < MQ_ID_LEN ? id.n : MQ_ID_LEN);
}

static bool is_repeat(struct mq *m, const struct mq_queue *q, struct str dedup,
                      struct mq_sent *sent)
{
    const struct mq_dedup *known = dedup.n > 0 ? dedup_find(m, q, dedup) : NULL;

    if (!known)
        return false;
    *sent = (struct mq_sent){.seq = known->seq, .is_repeat = true};
    memcpy(sent->id, known->id, MQ_ID_LEN);
    return true;
}

void mq_add_send(struct mq_change *c, struct mq_queue *q, const struct mq_send *send,
                 struct mq_sent *sent)
{
    struct mq *m = c->mq;
    int64_t now = loop_wall(m->loop);
    int64_t delay =
        send->delay_ns >= 0 ? send->delay_ns : q->settings.number[QUEUE_DELAY] * NS_PER_SEC;

    if (is_repeat(m, q, send->dedup, sent))
        return;
    struct mq_message *x = message_new(m);
    x->seq = m->next_seq++;
    x->sent_ns = x->arrived_ns = now;
    x->visible_ns = now + delay;
    x->attempts = send->attempts;
    name_message(m, x, send->id);
    x->queue = q;
    mqueue_use(q);
    q->n[MQ_LIMBO]++;
    *idmap_put(&m->messages, (uint64_t)x->seq, NULL) = (uint64_t)(uintptr_t)x;

    struct mq_step *s = add_for(c, STEP_SEND, x);
    fill_row(c, s, send);
    x->n_bytes = s->n_bytes;
    s->queue_id = q->id;
    s->row.id = change_own(c, (struct str){x->id, strlen(x->id)});
    s->row.sent_ns = s->arrived_ns = now;
    s->visible_ns = x->visible_ns;
    *sent = (struct mq_sent){.seq = x->seq};
    memcpy(sent->id, x->id, MQ_ID_LEN);
    if (send->dedup.n > 0) {
        s->dedup_until_ns = now + DEDUP_NS;
        dedup_add(m, q, send->dedup, sent, s->dedup_until_ns);
    }
}

static void apply_send(struct mq_change *c, struct mq_step *s)
{
    struct mq_message *m = s->message;

    UNUSED(c);
    if (s->queue->is_removed) {
        m->is_gone = true;
        return;
    }
    s->queue->counts.sent++;
    s->queue->counts.sent_bytes += m->n_bytes;
    message_join(m, s->queue);
    order_join(m, s->row.group);
    message_settle(m);
}

/* A de-duplication id of a message that was refused must not hide the next try. */
static void revert_send(struct mq_change *c, struct mq_step *s)
{
    s->message->is_gone = true;
    if (s->row.dedup.n == 0)
        return;
    struct mq_dedup *d = dedup_find(c->mq, s->queue, s->row.dedup);
    if (d && d->seq == s->row.seq)
        dedup_forget(c->mq, d);
}

/* --- take, move --- */

void change_expire(struct mq_change *c, struct mq_queue *q)
{
    int64_t before = loop_wall(c->mq->loop) - q->settings.number[QUEUE_RETENTION] * NS_PER_SEC;

    while (q->arrivals.head) {
        struct mq_message *m = q->arrivals.head->owner;
        if (m->sent_ns > before)
            return;
        mq_add_delete(c, m);
    }
}

static void add_move(struct mq_change *c, struct mq_message *m, struct mq_queue *target)
{
    struct mq_step *s = add_for(c, STEP_MOVE, m);

    message_leave(m);
    message_part(m);
    s->target = target;
    mqueue_use(target);
    s->queue_id = target->id;
    s->source = m->queue->id;
    s->arrived_ns = loop_wall(c->mq->loop);
}

static void apply_move(struct mq_change *c, struct mq_step *s)
{
    struct mq_message *m = s->message;
    struct mq_queue *from = m->queue;

    UNUSED(c);
    if (s->target->is_removed || m->is_dying) {
        m->is_gone = m->is_dying = true;
        return;
    }
    AUTO(buf_clear) struct buf group;
    buf_init(&group, 64);
    buf_addf(&group, "%llu", m->group ? (unsigned long long)m->group->key : 0);
    order_part(m);
    from->n[MQ_LIMBO]--;
    m->arrived_ns = m->visible_ns = s->arrived_ns;
    m->source = s->source;
    m->receipt = 0;
    message_join(m, s->target);
    order_join(m, buf_str(&group));
    mqueue_unuse(from);
    message_settle(m);
}

static void put_back(struct mq_message *m)
{
    if (m->is_dying)
        return;
    if (m->state != MQ_LIMBO)
        message_leave(m);
    message_enter(m, MQ_READY);
}

static void revert_move(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    if (s->message->is_dying)
        return;
    message_join(s->message, s->queue);
    put_back(s->message);
}

static void note_taken(struct mq_change *c, struct mq_step *s, int64_t visibility_ns,
                       uint32_t received)
{
    struct mq_message *m = s->message;
    int64_t now = loop_wall(c->mq->loop);

    s->visible_ns = now + visibility_ns;
    s->row = (struct mq_taken){
        .message = m,
        .id = change_own(c, (struct str){m->id, strlen(m->id)}),
        .seq = m->seq,
        .sent_ns = m->sent_ns,
        .first_ns = m->first_ns ? m->first_ns : now,
        .received = received,
        .attempts = m->attempts,
        .receipt = m->receipt,
        .source = m->source ? mqueue_by_id(c->mq, m->source) : NULL,
    };
    c->taken =
        arena_grow(&c->arena, c->taken, c->n_taken, &c->cap_taken, sizeof(const struct mq_taken *));
    c->taken[c->n_taken++] = &s->row;
}

static void add_one_take(struct mq_change *c, struct mq_message *m, int64_t visibility_ns)
{
    struct mq_step *s = add_for(c, STEP_TAKE, m);

    message_leave(m);
    message_enter(m, MQ_IN_FLIGHT);
    do
        m->receipt = rng_u64(&c->mq->rng);
    while (m->receipt == 0);
    note_taken(c, s, visibility_ns, m->received + 1);
}

void change_take_again(struct mq_change *c, struct mq_message *m, int64_t visibility_ns)
{
    struct mq_step *s = add_for(c, STEP_AGAIN, m);

    loop_timer_cancel(c->mq->loop, &m->timer);
    note_taken(c, s, visibility_ns, m->received);
}

static bool is_exhausted(const struct mq_queue *q, const struct mq_message *m)
{
    return q->settings.max_receives > 0 && m->received >= q->settings.max_receives;
}

size_t mq_add_take(struct mq_change *c, struct mq_queue *q, size_t max, int64_t visibility_ns)
{
    struct mq_queue *dead = mq_dead_letter(q);
    struct mq_message *m, *last = NULL;
    size_t n = 0;

    change_expire(c, q);
    while (n < max) {
        m = last ? order_sibling(last) : NULL;
        m = m ? m : order_first(q);
        if (!m)
            break;
        if (dead && is_exhausted(q, m)) {
            add_move(c, m, dead);
            last = NULL;
            continue;
        }
        add_one_take(c, m, visibility_ns);
        last = m;
        n++;
    }
    return n;
}

static void apply_take(struct mq_change *c, struct mq_step *s)
{
    struct mq_message *m = s->message;

    UNUSED(c);
    s->queue->counts.received++;
    if (m->is_dying)
        return;
    m->visible_ns = s->visible_ns;
    m->first_ns = s->row.first_ns;
    m->received = s->row.received;
    message_wait(m);
}

static void revert_take(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    put_back(s->message);
}

/* --- delete, release --- */

void mq_add_delete(struct mq_change *c, struct mq_message *m)
{
    struct mq_step *s = add_for(c, STEP_DELETE, m);

    if (m->is_dying)
        return;
    s->visible_ns = m->state == MQ_READY ? 0 : m->visible_ns;
    s->row.receipt = m->state == MQ_IN_FLIGHT;
    take_out(m);
}

static void apply_delete(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    if (!s->message->is_gone)
        s->queue->counts.deleted++;
    message_bury(s->message);
}

static void revert_delete(struct mq_change *c, struct mq_step *s)
{
    struct mq_message *m = s->message;

    UNUSED(c);
    if (m->is_gone || !m->is_dying)
        return;
    m->is_dying = false;
    message_join(m, s->queue);
    if (s->row.receipt && m->visible_ns > loop_wall(c->mq->loop)) {
        message_enter(m, MQ_IN_FLIGHT);
        message_wait(m);
    } else {
        message_settle(m);
    }
}

void mq_add_release(struct mq_change *c, struct mq_message *m, int64_t delay_ns, uint32_t attempts)
{
    struct mq_step *s = add_for(c, STEP_RELEASE, m);

    s->visible_ns = loop_wall(c->mq->loop) + delay_ns;
    s->row.attempts = attempts;
    s->forgets_receipt = mqueue_is_internal(m->queue);
    s->row.receipt = m->receipt;
    if (m->state == MQ_IN_FLIGHT)
        loop_timer_cancel(c->mq->loop, &m->timer);
}

/* Whoever took the message anew meanwhile owns its time. */
static bool is_still_held(const struct mq_step *s)
{
    const struct mq_message *m = s->message;

    return !m->is_dying && m->state == MQ_IN_FLIGHT && m->receipt == s->row.receipt;
}

static void apply_release(struct mq_change *c, struct mq_step *s)
{
    struct mq_message *m = s->message;

    if (!is_still_held(s))
        return;
    m->visible_ns = s->visible_ns;
    m->attempts = s->row.attempts;
    if (m->visible_ns <= loop_wall(c->mq->loop))
        put_back(m);
    else
        message_wait(m);
}

static void revert_release(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    if (is_still_held(s))
        message_wait(s->message);
}

static void apply_again(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    if (!is_still_held(s))
        return;
    s->message->visible_ns = s->visible_ns;
    message_wait(s->message);
}

/* --- other steps --- */

void mq_add_extra(struct mq_change *c, mq_extra_fn *run, void *data)
{
    struct mq_step *s = change_add(c, STEP_EXTRA);

    s->extra = run;
    s->data = data;
}

/* --- commit --- */

typedef void step_fn(struct mq_change *c, struct mq_step *s);

static void nothing(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    UNUSED(s);
}

static const struct {
    step_fn *apply, *revert;
} effects[STEP_KINDS] = {
    [STEP_SEND] = {apply_send, revert_send},
    [STEP_TAKE] = {apply_take, revert_take},
    [STEP_AGAIN] = {apply_again, revert_release},
    [STEP_MOVE] = {apply_move, revert_move},
    [STEP_DELETE] = {apply_delete, revert_delete},
    [STEP_RELEASE] = {apply_release, revert_release},
    [STEP_EXTRA] = {nothing, nothing},
    [STEP_CREATE] = {nothing, change_revert_create},
    [STEP_CONFIGURE] = {change_apply_configure, nothing},
    [STEP_PURGE] = {change_apply_purge, nothing},
    [STEP_REMOVE] = {change_apply_remove, change_apply_remove},
};

/* Steps are undone in reverse, so that each finds what it left. */
static void take_effect(struct mq_change *c, bool is_kept)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        struct mq_step *s = c->steps[is_kept ? i : c->n_steps - 1 - i];
        (is_kept ? effects[s->kind].apply : effects[s->kind].revert)(c, s);
    }
}

static void drop_steps(struct mq_change *c)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        struct mq_step *s = c->steps[i];
        if (s->message)
            drop_message(s);
        if (s->target)
            mqueue_unuse(s->target);
        if (s->queue)
            mqueue_unuse(s->queue);
    }
}

static enum status run_change(struct journal_op *op, struct journal *j, struct err *e)
{
    struct mq_change *c = (struct mq_change *)op;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < c->n_steps; i++)
        s = store_run_step(c->steps[i], &c->arena, j, e);
    return s;
}

static void change_done(struct journal_op *op, enum status s, const struct err *e)
{
    struct mq_change *c = (struct mq_change *)op;

    take_effect(c, s == OK);
    if (s != OK)
        c->n_taken = 0;
    if (c->done)
        c->done(c->ctx, c, s, e);
    drop_steps(c);
    change_free(c);
}

void mq_commit(struct mq_change *c, mq_change_fn *done, void *ctx)
{
    c->op = (struct journal_op){.run = run_change, .done = change_done};
    c->done = done;
    c->ctx = ctx;
    journal_submit(c->mq->journal, &c->op);
}

void mq_change_abandon(struct mq_change *c)
{
    take_effect(c, false);
    drop_steps(c);
    change_free(c);
}

bool mq_is_empty(const struct mq_change *c)
{
    return c->n_steps == 0;
}

size_t mq_taken_count(const struct mq_change *c)
{
    return c->n_taken;
}

const struct mq_taken *mq_taken(const struct mq_change *c, size_t i)
{
    assert(i < c->n_taken);
    return c->taken[i];
}
