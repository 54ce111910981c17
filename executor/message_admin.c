/* Changes of queues: made, configured, purged, removed, each a change of one step. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "executor/message_private.h"

static struct mq_step *add_for_queue(struct mq_change *c, enum mq_step_kind kind,
                                     struct mq_queue *q)
{
    struct mq_step *s = change_add(c, kind);

    s->queue = q;
    s->queue_id = q->id;
    mqueue_use(q);
    return s;
}

static void describe_queue(struct mq_change *c, struct mq_step *s, const struct mq_queue *q,
                           const struct queue_settings *settings, struct str tags)
{
    AUTO(buf_clear) struct buf text;

    buf_init(&text, SIZE_MAX);
    queue_settings_write(settings, &text);
    s->name = change_own(c, q->name);
    s->created_ns = q->created_ns;
    s->modified_ns = loop_wall(c->mq->loop);
    s->settings = change_own(c, buf_str(&text));
    s->tags = change_own(c, tags);
}

static void queue_change_done(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    UNUSED(ctx);
    if (c->queue_done)
        c->queue_done(c->ctx, s, e);
}

static void commit_queue(struct mq_change *c, mq_done_fn *done, void *ctx)
{
    c->queue_done = done;
    mq_commit(c, queue_change_done, ctx);
}

struct mq_queue *mq_add_create(struct mq_change *c, struct str name,
                               const struct queue_settings *settings, struct str tags_json)
{
    struct mq *m = c->mq;

    assert(!mq_find(m, name));
    struct mq_queue *q = mqueue_new(m, m->next_queue_id, name, settings, tags_json);
    q->created_ns = q->modified_ns = loop_wall(m->loop);
    describe_queue(c, add_for_queue(c, STEP_CREATE, q), q, settings, tags_json);
    return q;
}

struct mq_queue *mq_create(struct mq *m, struct str name, const struct queue_settings *settings,
                           struct str tags_json, mq_done_fn *done, void *ctx)
{
    struct mq_change *c = mq_change_new(m);
    struct mq_queue *q = mq_add_create(c, name, settings, tags_json);

    commit_queue(c, done, ctx);
    return q;
}

static void release_waiters(struct mq_queue *q)
{
    while (q->first_waiter) {
        struct mq_waiter *w = q->first_waiter;
        mq_wait_cancel(w);
        w->fn(w->ctx);
    }
}

/* Messages with a step under way are freed with their last one. */
static void bury_all(struct mq_queue *q, const struct mq_step *limit)
{
    struct link *next;

    for (struct link *k = q->arrivals.head; k; k = next) {
        struct mq_message *m = k->owner;
        next = k->next;
        if (limit && (m->seq > limit->row.seq || m->arrived_ns > limit->arrived_ns))
            continue;
        message_bury(m);
        if (m->steps == 0)
            message_free(m);
    }
}

void change_revert_create(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    /* First: who is released may look for the queue and would wait again. */
    mqueue_forget(s->queue);
    bury_all(s->queue, NULL);
    release_waiters(s->queue);
}

void mq_configure(struct mq_queue *q, const struct queue_settings *settings, struct str tags_json,
                  mq_done_fn *done, void *ctx)
{
    struct mq_change *c = mq_change_new(q->mq);

    describe_queue(c, add_for_queue(c, STEP_CONFIGURE, q), q, settings, tags_json);
    commit_queue(c, done, ctx);
}

void change_apply_configure(struct mq_change *c, struct mq_step *s)
{
    struct queue_settings settings;
    enum status status = queue_settings_read(&settings, &c->arena, s->settings, NULL);

    assert(status == OK);
    UNUSED(status);
    mqueue_set(s->queue, &settings, s->tags);
    s->queue->modified_ns = s->modified_ns;
}

void mq_purge(struct mq_queue *q, mq_done_fn *done, void *ctx)
{
    struct mq_change *c = mq_change_new(q->mq);
    struct mq_step *s = add_for_queue(c, STEP_PURGE, q);

    s->row.seq = q->mq->next_seq - 1;
    s->arrived_ns = q->counts.purged_ns = loop_wall(q->mq->loop);
    commit_queue(c, done, ctx);
}

void change_apply_purge(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    bury_all(s->queue, s);
}

/* --- removal, and what is known of it for a while --- */

struct mq_deleted {
    struct str name;
    int64_t at_ns;
    struct mq_deleted *next;
};

void mq_forget_deleted(struct mq *m, int64_t before_ns)
{
    struct mq_deleted **at = &m->deleted;

    while (*at && (*at)->at_ns >= before_ns)
        at = &(*at)->next;
    while (*at) {
        struct mq_deleted *d = *at;
        *at = d->next;
        free(d);
    }
}

static void note_deleted(struct mq *m, struct str name)
{
    struct mq_deleted *d = xcalloc(1, sizeof(*d) + name.n);
    char *room = (char *)(d + 1);

    memcpy(room, name.p, name.n);
    *d = (struct mq_deleted){{room, name.n}, loop_now(m->loop), m->deleted};
    m->deleted = d;
}

bool mq_was_deleted(struct mq *m, struct str name)
{
    mq_forget_deleted(m, loop_now(m->loop) - MQ_DELETED_NS);
    for (const struct mq_deleted *d = m->deleted; d; d = d->next)
        if (str_eq(d->name, name))
            return true;
    return false;
}

void mq_remove(struct mq_queue *q, mq_done_fn *done, void *ctx)
{
    struct mq_change *c = mq_change_new(q->mq);

    mq_forget_deleted(q->mq, loop_now(q->mq->loop) - MQ_DELETED_NS);
    note_deleted(q->mq, q->name);
    add_for_queue(c, STEP_REMOVE, q);
    mqueue_forget(q);
    commit_queue(c, done, ctx);
}

/* Kept out of the tables even when the journal refused: the next start brings the queue back, and
 * the caller was told. */
void change_apply_remove(struct mq_change *c, struct mq_step *s)
{
    UNUSED(c);
    bury_all(s->queue, NULL);
    release_waiters(s->queue);
}
