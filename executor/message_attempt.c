/* Receives that can be repeated: who asks again under the same attempt identifier within five
 * minutes gets the same messages with the same receipts, if nothing happened to them since. In
 * memory only: a client that asks over a restart gets what is visible. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/message_private.h"

#define ATTEMPT_NS (5 * NS_PER_MIN)

static uint64_t key_of(const struct mq_queue *q, struct str attempt)
{
    return str_hash(attempt, (uint64_t)q->id);
}

static void forget(struct mq *m, struct mq_attempt *a)
{
    list_remove(&m->attempt_order, &a->link);
    idmap_remove(&m->attempts, a->key);
    free(a->rows);
    free(a);
}

static struct mq_attempt *find(struct mq *m, uint64_t key)
{
    while (m->attempt_order.head) {
        struct mq_attempt *oldest = m->attempt_order.head->owner;
        if (oldest->until_ns > loop_wall(m->loop))
            break;
        forget(m, oldest);
    }
    const uint64_t *slot = idmap_get(&m->attempts, key);
    return slot ? (struct mq_attempt *)(uintptr_t)*slot : NULL;
}

void attempts_clear(struct mq *m)
{
    while (m->attempt_order.head)
        forget(m, m->attempt_order.head->owner);
    idmap_clear(&m->attempts);
}

void mq_remember_attempt(struct mq *m, struct str queue, struct str attempt,
                         const struct mq_change *c)
{
    const struct mq_queue *q = mq_find(m, queue);

    if (!q || mq_taken_count(c) == 0)
        return;
    struct mq_attempt *a = find(m, key_of(q, attempt));
    int64_t until_ns = a ? a->until_ns : loop_wall(m->loop) + ATTEMPT_NS;
    if (a)
        forget(m, a);
    a = xcalloc(1, sizeof(*a));
    a->key = key_of(q, attempt);
    a->until_ns = until_ns;
    a->n = mq_taken_count(c);
    a->rows = xcalloc(a->n, sizeof(*a->rows));
    for (size_t i = 0; i < a->n; i++) {
        const struct mq_taken *t = mq_taken(c, i);
        a->rows[i] = (struct mq_attempt_row){
            .seq = t->seq, .receipt = t->receipt, .visible_ns = t->message->visible_ns};
    }
    a->link.owner = a;
    list_append(&m->attempt_order, &a->link);
    *idmap_put(&m->attempts, a->key, NULL) = (uint64_t)(uintptr_t)a;
}

/* NULL when it is gone, has another receipt, or its time was changed. */
static struct mq_message *untouched(const struct mq_queue *q, const struct mq_attempt_row *row)
{
    struct mq_message *m = mq_by_receipt(q, row->seq, row->receipt);

    return m && mq_is_in_flight(m) && m->steps == 0 && m->visible_ns == row->visible_ns ? m : NULL;
}

size_t mq_add_again(struct mq_change *c, struct mq_queue *q, struct str attempt,
                    int64_t visibility_ns)
{
    const struct mq_attempt *a = find(q->mq, key_of(q, attempt));

    for (size_t i = 0; a && i < a->n; i++)
        if (!untouched(q, &a->rows[i]))
            return 0;
    for (size_t i = 0; a && i < a->n; i++)
        change_take_again(c, untouched(q, &a->rows[i]), visibility_ns);
    return a ? a->n : 0;
}
