/* A bounded queue of pointers between two threads: the only way threads meet. A full queue blocks
 * its producer (back-pressure). Elements are owned by the queue while inside. */
#ifndef FNSCOPE_CORE_BASE_QUEUE_H
#define FNSCOPE_CORE_BASE_QUEUE_H

#include "core/base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct queue;
struct queue *queue_new(size_t capacity);
void queue_free(struct queue *q); /* must be empty or its elements are leaked: drain first */
/* ERR_CANCELLED once the queue is closed: the element stays the caller's. */
MUST_CHECK enum status queue_push(struct queue *q, void *item);
/* Until the other thread has taken everything, or the queue is closed: for a producer that is to be
 * one item ahead of its consumer, not two. */
void queue_wait_taken(struct queue *q);
/* NULL once the queue is closed and empty, or when timeout_ms passed (-1 waits for ever);
 * *is_closed tells which, may be NULL. */
void *queue_pop(struct queue *q, int timeout_ms, bool *is_closed);
void queue_close(struct queue *q); /* no more pushes; pops drain what is there */
size_t queue_depth(struct queue *q);

#endif
