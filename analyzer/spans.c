/* Who ran at a time: the requests of an environment in memory by their first pieces, under a tree
 * of the latest last ones, so that the answer costs no more than it holds, whatever else the
 * environment ran. */
#include <stdlib.h>

#include "analyzer/correlate_private.h"

static int compare_spans(const void *a, const void *b)
{
    const struct run_span *x = a, *y = b;

    return (x->ran.since_ns > y->ran.since_ns) - (x->ran.since_ns < y->ran.since_ns);
}

/* The list has the newest first, so that of lines in order nothing is left to sort. */
static void sort_spans(struct run_span *rows, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (rows[i].ran.since_ns < rows[i - 1].ran.since_ns) {
            qsort(rows, n, sizeof(*rows), compare_spans);
            return;
        }
}

/* Node k is over 2k and 2k + 1, from the root 1 to the leaves; those without a row are never late.
 */
static void grow_tree(struct correlator *c, struct run_spans *x)
{
    for (x->n_leaves = 1; x->n_leaves < x->n;)
        x->n_leaves *= 2;
    int64_t *latest_ns = arena_new(&c->scratch, int64_t, 2 * x->n_leaves);
    for (size_t i = 0; i < x->n_leaves; i++)
        latest_ns[x->n_leaves + i] = i < x->n ? x->rows[i].ran.until_ns : INT64_MIN;
    for (size_t k = x->n_leaves - 1; k > 0; k--) {
        int64_t left_ns = latest_ns[2 * k], right_ns = latest_ns[2 * k + 1];
        latest_ns[k] = left_ns > right_ns ? left_ns : right_ns;
    }
    x->latest_ns = latest_ns;
}

struct run_spans corr_spans_of(struct correlator *c, struct run_span *rows, size_t n)
{
    struct run_spans x = {.rows = rows, .n = n};

    sort_spans(rows, n);
    grow_tree(c, &x);
    return x;
}

static void list_spans(struct correlator *c, const struct env *v, struct run_spans *x)
{
    struct run_span *rows = arena_new(&c->scratch, struct run_span, v->n_assemblies + 1);
    size_t first = v->n_assemblies;

    for (struct assembly *a = v->newest; a; a = a->env_next)
        if (a->pieces.n > 0)
            rows[--first] = (struct run_span){pieces_reach(&a->pieces), a};
    *x = corr_spans_of(c, rows + first, v->n_assemblies - first);
}

static const struct run_spans *spans_in_memory(struct correlator *c, struct env *v)
{
    if (v->spans_of_feed != c->n_feeds) {
        v->spans_of_feed = c->n_feeds;
        list_spans(c, v, &v->spans);
    }
    return &v->spans;
}

struct span_query corr_overlapping(struct correlator *c, struct env *v, const struct range *r)
{
    return (struct span_query){*spans_in_memory(c, v), 0, r->until_ns - 1, r->since_ns + 1};
}

struct span_query corr_around(struct correlator *c, struct env *v, const struct range *r)
{
    return (struct span_query){*spans_in_memory(c, v), 0, r->since_ns - 1, r->until_ns + 1};
}

/* The first from `from` on that ended at t_ns or later; n or more: none. */
static size_t next_late(const struct run_spans *x, size_t from, int64_t t_ns)
{
    size_t k = x->n_leaves + from;

    while (x->latest_ns[k] < t_ns) { /* the next subtree to the right */
        while (k % 2 == 1)
            k /= 2;
        if (k == 0)
            return x->n;
        k++;
    }
    while (k < x->n_leaves)
        k = 2 * k + (x->latest_ns[2 * k] < t_ns);
    return k - x->n_leaves;
}

struct assembly *corr_next(struct span_query *q)
{
    const struct run_spans *x = &q->spans;

    if (q->at < x->n)
        q->at = next_late(x, q->at, q->ended_from_ns);
    if (q->at >= x->n || x->rows[q->at].ran.since_ns > q->began_to_ns)
        return NULL;
    return x->rows[q->at++].a;
}

bool corr_is_enclosed(const struct run_spans *x, const struct range *r)
{
    const size_t at = x->n > 0 ? next_late(x, 0, r->until_ns + 1) : 0;

    return at < x->n && x->rows[at].ran.since_ns < r->since_ns;
}

bool corr_is_run_in(const struct run_spans *x, const struct range *r)
{
    const size_t at = x->n > 0 ? next_late(x, 0, r->since_ns + 1) : 0;

    return at < x->n && x->rows[at].ran.since_ns < r->until_ns;
}

/* The first row that began after t_ns. */
static size_t first_behind(const struct run_spans *x, int64_t t_ns)
{
    size_t lo = 0, hi = x->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (x->rows[mid].ran.since_ns <= t_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool corr_is_crossed(const struct run_spans *x, const struct range *r)
{
    const size_t first = first_behind(x, r->since_ns);
    const size_t at = first < x->n ? next_late(x, first, r->until_ns + 1) : x->n;

    return at < x->n && x->rows[at].ran.since_ns < r->until_ns;
}
