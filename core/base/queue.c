/* A bounded queue of pointers: a ring, a mutex, two condition variables. The ring begins small and
 * doubles up to the bound: most queues never come near it. */
#include "core/base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/mem.h"

#define FIRST_SLOTS ((size_t)64)

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    void **items;
    size_t capacity, head, count;
    size_t room; /* slots of the ring, at most capacity */
    bool is_closed;
};

static void init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct queue *queue_new(size_t capacity)
{
    assert(capacity > 0);
    struct queue *q = xcalloc(1, sizeof(*q));
    q->capacity = capacity;
    q->room = capacity < FIRST_SLOTS ? capacity : FIRST_SLOTS;
    q->items = xcalloc(q->room, sizeof(*q->items));
    pthread_mutex_init(&q->mutex, NULL);
    init_monotonic(&q->not_empty);
    init_monotonic(&q->not_full);
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    assert(q->count == 0);
    pthread_cond_destroy(&q->not_empty);
    pthread_cond_destroy(&q->not_full);
    pthread_mutex_destroy(&q->mutex);
    free(q->items);
    free(q);
}

/* The elements move to the front of the new ring. */
static void grow(struct queue *q)
{
    assert(q->room > 0);
    size_t room = q->room * 2 < q->capacity ? q->room * 2 : q->capacity;
    void **items = xcalloc(room, sizeof(*items));

    for (size_t i = 0; i < q->count; i++)
        items[i] = q->items[(q->head + i) % q->room];
    free(q->items);
    q->items = items;
    q->head = 0;
    q->room = room;
}

enum status queue_push(struct queue *q, void *item)
{
    enum status s = OK;

    pthread_mutex_lock(&q->mutex);
    while (q->count == q->capacity && !q->is_closed)
        pthread_cond_wait(&q->not_full, &q->mutex);
    if (q->is_closed) {
        s = ERR_CANCELLED;
    } else {
        if (q->count == q->room)
            grow(q);
        q->items[(q->head + q->count) % q->room] = item;
        q->count++;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->mutex);
    return s;
}

void queue_wait_taken(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    while (q->count > 0 && !q->is_closed)
        pthread_cond_wait(&q->not_full, &q->mutex);
    pthread_mutex_unlock(&q->mutex);
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

static void wait_for_item(struct queue *q, int timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms < 0 ? 0 : timeout_ms);
    int result = 0;

    while (q->count == 0 && !q->is_closed && result != ETIMEDOUT)
        result = timeout_ms < 0 ? pthread_cond_wait(&q->not_empty, &q->mutex)
                                : pthread_cond_timedwait(&q->not_empty, &q->mutex, &until);
}

void *queue_pop(struct queue *q, int timeout_ms, bool *is_closed)
{
    void *item = NULL;

    pthread_mutex_lock(&q->mutex);
    if (timeout_ms != 0)
        wait_for_item(q, timeout_ms);
    if (q->count > 0) {
        item = q->items[q->head];
        q->head = (q->head + 1) % q->room;
        q->count--;
        pthread_cond_signal(&q->not_full);
    }
    if (is_closed)
        *is_closed = !item && q->is_closed;
    pthread_mutex_unlock(&q->mutex);
    return item;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->is_closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->mutex);
}

size_t queue_depth(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    size_t n = q->count;
    pthread_mutex_unlock(&q->mutex);
    return n;
}
