/* Which message is next. A standard queue gives messages in the order they became visible, so that
 * one that fails again and again stands in nobody's way. A FIFO queue gives each group's messages
 * by sequence, and none of a group of which one is in flight. */
#include "executor/message_private.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"

/* --- lists --- */

void list_insert_before(struct list *l, struct link *place, struct link *k)
{
    assert(!k->is_linked);
    k->next = place;
    k->prev = place ? place->prev : l->tail;
    *(k->prev ? &k->prev->next : &l->head) = k;
    *(place ? &place->prev : &l->tail) = k;
    k->is_linked = true;
}

void list_append(struct list *l, struct link *k)
{
    list_insert_before(l, NULL, k);
}

void list_remove(struct list *l, struct link *k)
{
    if (!k->is_linked)
        return;
    *(k->prev ? &k->prev->next : &l->head) = k->next;
    *(k->next ? &k->next->prev : &l->tail) = k->prev;
    k->is_linked = false;
}

/* --- groups --- */

#define GROUP_SEED 0x67726f7570ULL

void order_join(struct mq_message *m, struct str group)
{
    struct mq_queue *q = m->queue;
    uint64_t key = str_hash(group, GROUP_SEED);

    assert(!m->group);
    if (!q->settings.number[QUEUE_FIFO])
        return;
    uint64_t *slot = idmap_put(&q->groups, key, NULL);
    if (*slot == 0) {
        struct mq_group *g = xcalloc(1, sizeof(*g));
        g->key = key;
        g->turn.owner = g;
        *slot = (uint64_t)(uintptr_t)g;
    }
    m->group = (struct mq_group *)(uintptr_t)*slot;
    m->group->n_messages++;
}

void order_part(struct mq_message *m)
{
    struct mq_group *g = m->group;

    if (!g)
        return;
    m->group = NULL;
    if (--g->n_messages > 0)
        return;
    list_remove(&m->queue->turns, &g->turn);
    idmap_remove(&m->queue->groups, g->key);
    free(g);
}

void order_clear(struct mq_queue *q)
{
    uint64_t key, value;

    for (size_t i = 0; idmap_next(&q->groups, &i, &key, &value);)
        free((struct mq_group *)(uintptr_t)value);
    idmap_clear(&q->groups);
}

/* Whether a group stands in the row depends on these two facts only. */
static void update_turn(struct mq_queue *q, struct mq_group *g)
{
    bool may_take = g->n_in_flight == 0 && g->ready.head;

    if (may_take && !g->turn.is_linked)
        list_append(&q->turns, &g->turn);
    else if (!may_take)
        list_remove(&q->turns, &g->turn);
}

static void add_by_seq(struct list *l, struct mq_message *m)
{
    struct link *place = l->tail;

    while (place && ((const struct mq_message *)place->owner)->seq > m->seq)
        place = place->prev;
    list_insert_before(l, place ? place->next : l->head, &m->ready);
}

void order_add(struct mq_message *m)
{
    if (!m->group) {
        list_append(&m->queue->ready, &m->ready);
        return;
    }
    add_by_seq(&m->group->ready, m);
    update_turn(m->queue, m->group);
}

void order_remove(struct mq_message *m)
{
    if (!m->group) {
        list_remove(&m->queue->ready, &m->ready);
        return;
    }
    list_remove(&m->group->ready, &m->ready);
    update_turn(m->queue, m->group);
}

struct mq_message *order_first(const struct mq_queue *q)
{
    if (q->ready.head)
        return q->ready.head->owner;
    const struct mq_group *g = q->turns.head ? q->turns.head->owner : NULL;
    return g ? g->ready.head->owner : NULL;
}

struct mq_message *order_sibling(const struct mq_message *taken)
{
    return taken->group && taken->group->ready.head ? taken->group->ready.head->owner : NULL;
}

void order_lock(struct mq_message *m)
{
    if (!m->group)
        return;
    m->group->n_in_flight++;
    update_turn(m->queue, m->group);
}

void order_unlock(struct mq_message *m)
{
    if (!m->group)
        return;
    assert(m->group->n_in_flight > 0);
    m->group->n_in_flight--;
    update_turn(m->queue, m->group);
}
