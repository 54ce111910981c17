/* The best N of many, as a heap. */
#include "core/base/top_n.h"

#include <assert.h>
#include <string.h>

static char *at(const struct top_n *t, size_t i)
{
    return t->rows + i * t->size;
}

void top_n_init(struct top_n *t, struct arena *a, size_t size, size_t limit)
{
    *t = (struct top_n){.size = size, .limit = limit};
    t->rows = arena_alloc(a, (limit + 1) * size);
}

/* Whether row i is worse than row k: nearer to the top of the heap. */
static bool is_worse(const struct top_n *t, size_t i, size_t k)
{
    return t->compare(t->ctx, at(t, i), at(t, k)) > 0;
}

static void swap(struct top_n *t, size_t i, size_t k)
{
    char *spare = at(t, t->limit);

    memcpy(spare, at(t, i), t->size);
    memcpy(at(t, i), at(t, k), t->size);
    memcpy(at(t, k), spare, t->size);
}

static void sink(struct top_n *t, size_t n)
{
    for (size_t i = 0, down; (down = 2 * i + 1) < n; i = down) {
        if (down + 1 < n && is_worse(t, down + 1, down))
            down++;
        if (!is_worse(t, down, i))
            return;
        swap(t, i, down);
    }
}

bool top_n_wants(struct top_n *t, const void *row)
{
    if (t->n < t->limit)
        return true;
    t->was_cut = true;
    return t->limit > 0 && t->compare(t->ctx, row, at(t, 0)) < 0;
}

void top_n_add(struct top_n *t, const void *row)
{
    if (t->n == t->limit) {
        memcpy(at(t, 0), row, t->size);
        sink(t, t->n);
        return;
    }
    memcpy(at(t, t->n), row, t->size);
    for (size_t i = t->n++; i > 0 && is_worse(t, i, (i - 1) / 2); i = (i - 1) / 2)
        swap(t, i, (i - 1) / 2);
}

void top_n_sort(struct top_n *t)
{
    for (size_t n = t->n; n > 1; n--) {
        swap(t, 0, n - 1);
        sink(t, n - 1);
    }
}

const void *top_n_row(const struct top_n *t, size_t i)
{
    assert(i < t->n);
    return at(t, i);
}
