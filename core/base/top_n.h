/* The best N of rows that come one by one: a heap with the worst of those kept on top, so that any
 * number of rows takes the memory of N. */
#ifndef FNSCOPE_CORE_BASE_TOP_N_H
#define FNSCOPE_CORE_BASE_TOP_N_H

#include "core/base/arena.h"

/* Below zero when a stands before b in the answer; 0 leaves their order open. */
typedef int top_n_compare(const void *ctx, const void *a, const void *b);

struct top_n {
    char *rows; /* `size` bytes each; the room behind the last is for swapping */
    size_t size, n, limit;
    top_n_compare *compare;
    const void *ctx;
    bool was_cut; /* there were more than limit */
};

/* Room for limit rows, in the arena. */
void top_n_init(struct top_n *t, struct arena *a, size_t size, size_t limit);
/* Whether it would be kept now: before anything is copied for it. */
bool top_n_wants(struct top_n *t, const void *row);
void top_n_add(struct top_n *t, const void *row); /* one that is wanted */
void top_n_sort(struct top_n *t);                 /* best first; nothing may be added after it */
/* Of row i; valid until the next call that adds or sorts. */
const void *top_n_row(const struct top_n *t, size_t i);

#endif
