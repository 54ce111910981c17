/* Spans as a tree in reading order. */
#include "core/model/span.h"

#include <stdlib.h>

#include "core/base/map.h"

const char *span_state(const struct span *s)
{
    static const struct {
        unsigned flag;
        const char *name;
    } states[] = {{SPAN_FAULT, "fault"},
                  {SPAN_THROTTLE, "throttle"},
                  {SPAN_ERROR, "error"},
                  {SPAN_OPEN, "open"}};

    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if ((s->flags & states[i].flag) != 0)
            return states[i].name;
    return "ok";
}

/* Of two that begin at once the longer comes first: it holds the other. */
static int compare_starts(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    int64_t x_end = x->end_ns == 0 ? INT64_MAX : x->end_ns;
    int64_t y_end = y->end_ns == 0 ? INT64_MAX : y->end_ns;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x_end != y_end)
        return x_end > y_end ? -1 : 1;
    return str_cmp(x->id, y->id);
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (str_find_char(STR("0123456789abcdefABCDEF"), s.p[i]) == 22)
            return false;
    return true;
}

/* "Root=1-...;Parent=...;Sampled=1" to its root. */
static struct str root_of(struct str text)
{
    const size_t root = str_find(text, STR("Root="));
    struct str id = root < text.n ? str_skip(text, root + 5) : text;

    for (size_t i = 0; i < id.n; i++)
        if (str_find_char(STR(";,\" \t"), id.p[i]) < 5)
            return str_sub(id, 0, i);
    return id;
}

struct str trace_id_parse(struct str text, struct arena *a)
{
    enum { SHORTEST = 10, DIGITS = 32, TRACEPARENT = 55 };
    struct str id = root_of(str_trim(text));

    if (id.n >= SHORTEST && str_starts(id, STR("1-")))
        return arena_lower(a, id);
    if (id.n == TRACEPARENT && id.p[2] == '-' && id.p[35] == '-')
        id = str_sub(id, 3, DIGITS);
    if (id.n != DIGITS || !is_hex(id))
        return (struct str){0};
    id = arena_lower(a, id);
    return arena_printf(a, "1-" STR_FMT "-" STR_FMT, STR_ARG(str_sub(id, 0, 8)),
                        STR_ARG(str_skip(id, 8)));
}

#define NOBODY SIZE_MAX

/* The tree as first child and next sibling, by place in the sorted rows. */
struct tree {
    const struct span *rows;
    size_t n;
    size_t *parent, *child, *sibling;
    bool *is_placed;
    struct span *out;
    size_t n_out;
};

static void find_parents(struct tree *t)
{
    struct idmap by_id = {0};
    bool is_new;

    for (size_t i = 0; i < t->n; i++)
        *idmap_put(&by_id, str_hash(t->rows[i].id, 0), &is_new) = i;
    for (size_t i = 0; i < t->n; i++) {
        const uint64_t *at = t->rows[i].parent_id.n > 0
                                 ? idmap_get(&by_id, str_hash(t->rows[i].parent_id, 0))
                                 : NULL;
        bool is_there = at != NULL && *at != i && str_eq(t->rows[*at].id, t->rows[i].parent_id);
        t->parent[i] = is_there ? (size_t)*at : NOBODY;
    }
    idmap_clear(&by_id);
}

/* Backwards, so that each list of children begins with the earliest. */
static void link_children(struct tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->child[i] = t->sibling[i] = NOBODY;
    for (size_t i = t->n; i-- > 0;)
        if (t->parent[i] != NOBODY) {
            t->sibling[i] = t->child[t->parent[i]];
            t->child[t->parent[i]] = i;
        }
}

/* Where to go when everything below `at` is done; NOBODY: the walk is over. */
static size_t next_of(const struct tree *t, size_t at, size_t root, uint32_t *depth)
{
    while (at != root && t->sibling[at] == NOBODY) {
        at = t->parent[at];
        --*depth;
    }
    return at == root ? NOBODY : t->sibling[at];
}

static void place_tree(struct tree *t, size_t root)
{
    uint32_t depth = 0;

    for (size_t at = root; at != NOBODY && !t->is_placed[at];) {
        t->is_placed[at] = true;
        t->out[t->n_out] = t->rows[at];
        t->out[t->n_out++].depth = depth;
        if (t->child[at] != NOBODY) {
            at = t->child[at];
            depth++;
        } else {
            at = next_of(t, at, root, &depth);
        }
    }
}

/* Spans that name each other as parents belong to no root: the first of them becomes one. */
static void cut_loop(struct tree *t, size_t at)
{
    size_t *link = &t->child[t->parent[at]];

    while (*link != at)
        link = &t->sibling[*link];
    *link = t->sibling[at];
    t->sibling[at] = NOBODY;
    t->parent[at] = NOBODY;
}

void spans_arrange(struct span_list *l, struct arena *a)
{
    struct tree t = {.rows = l->rows, .n = l->n};

    if (l->n == 0)
        return;
    qsort(l->rows, l->n, sizeof(*l->rows), compare_starts);
    t.parent = arena_new(a, size_t, l->n);
    t.child = arena_new(a, size_t, l->n);
    t.sibling = arena_new(a, size_t, l->n);
    t.is_placed = arena_new(a, bool, l->n);
    t.out = arena_new(a, struct span, l->n);
    find_parents(&t);
    link_children(&t);
    for (size_t i = 0; i < t.n; i++)
        if (t.parent[i] == NOBODY)
            place_tree(&t, i);
    for (size_t i = 0; i < t.n; i++)
        if (!t.is_placed[i]) {
            cut_loop(&t, i);
            place_tree(&t, i);
        }
    l->rows = t.out;
}

struct range spans_extent(const struct span_list *l)
{
    struct range r = {INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < l->n; i++) {
        const struct span *s = &l->rows[i];
        int64_t end = s->end_ns > s->start_ns ? s->end_ns : s->start_ns;
        r.since_ns = s->start_ns < r.since_ns ? s->start_ns : r.since_ns;
        r.until_ns = end > r.until_ns ? end : r.until_ns;
    }
    return r;
}
