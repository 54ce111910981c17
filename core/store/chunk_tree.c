/* The templates of a chunk as a tree, and lines cut along it: chunk_format.h. Pure. */
#include <string.h>

#include "core/base/mem.h"
#include "core/store/chunk_format.h"

enum {
    EDGES_MOST = 16384,
    /* Of those that may follow: a line takes the first few, a template is looked for in more, so
     * that one among hundreds comes to the front when it is used again. */
    EDGES_TRIED = 24,
    EDGES_SEARCHED = 256,
    HEAD_BYTES = 8
};

void template_tree_empty(struct template_tree *t)
{
    t->n_edges = 0;
    memset(t->roots, 0, sizeof(t->roots));
}

static void to_front(struct template_tree *t, uint16_t *first, struct template_edge *before,
                     uint16_t name)
{
    if (!before)
        return;
    before->next = t->edges[name - 1].next;
    t->edges[name - 1].next = *first;
    *first = name;
}

/* --- adding --- */

static size_t letters_at_end(const char *p, size_t n)
{
    size_t lead = 0;

    for (; lead < n; lead++) {
        const unsigned char low = (unsigned char)p[n - lead - 1] | ('a' - 'A');
        if (low < 'a' || low > 'z')
            break;
    }
    return lead;
}

/* The piece that begins at `at`; its end goes to *next. */
static struct template_edge piece_at(const char *templates, size_t at, size_t end, size_t *next)
{
    struct template_edge e = {.text = (uint32_t)at, .gap = GAP_KINDS};
    const char *p = templates + at;
    size_t n = 0;

    while (at + n < end && (unsigned char)p[n] >= GAP_KINDS)
        n++;
    e.n = (uint32_t)n;
    e.lead = (uint16_t)letters_at_end(p, n);
    if (n > 0) {
        const size_t head = n < HEAD_BYTES ? n : HEAD_BYTES;
        memcpy(&e.head, p, head);
        memset(&e.head_mask, 0xff, head);
    }
    if (at + n < end) {
        e.gap = (uint8_t)p[n++];
        if (e.gap == GAP_HEX)
            e.width = (uint8_t)p[n++];
    }
    *next = at + n;
    return e;
}

static bool is_same(const char *templates, const struct template_edge *a,
                    const struct template_edge *b)
{
    return a->head == b->head && a->n == b->n && a->gap == b->gap && a->width == b->width &&
           memcmp(templates + a->text, templates + b->text, a->n) == 0;
}

/* Where it is, at the front now; NULL: it is not among them. */
static struct template_edge *find_edge(struct template_tree *t, const char *templates,
                                       uint16_t *first, const struct template_edge *e)
{
    struct template_edge *before = NULL;

    for (uint16_t name = *first, i = 0; name != 0 && i < EDGES_SEARCHED; i++) {
        struct template_edge *at = &t->edges[name - 1];
        if (is_same(templates, at, e)) {
            to_front(t, first, before, name);
            return at;
        }
        before = at;
        name = at->next;
    }
    return NULL;
}

static struct template_edge *add_edge(struct template_tree *t, uint16_t *first,
                                      struct template_edge e)
{
    e.next = *first;
    t->edges[t->n_edges++] = e;
    *first = (uint16_t)t->n_edges;
    return &t->edges[t->n_edges - 1];
}

void template_tree_add(struct template_tree *t, const char *templates, size_t at, size_t n,
                       size_t number)
{
    const size_t end = at + n;
    uint16_t *first = &t->roots[(unsigned char)templates[at]];

    if (!t->edges) /* they stay where they are: `first` points into them */
        t->edges = xmalloc(EDGES_MOST * sizeof(*t->edges));
    at++;
    for (struct template_edge *e = NULL; !e || e->gap != GAP_KINDS; first = &e->first) {
        const struct template_edge piece = piece_at(templates, at, end, &at);
        e = find_edge(t, templates, first, &piece);
        if (!e && t->n_edges == EDGES_MOST)
            return;
        if (!e)
            e = add_edge(t, first, piece);
        if (e->gap == GAP_KINDS)
            e->first = (uint16_t)number;
    }
}

/* --- cutting: does the line have the edge's gap at `at`? 0: no, else where it goes on --- */

typedef size_t cut_gap_fn(struct cut_line *c, const struct template_edge *e, size_t at);

static size_t cut_any(struct cut_line *c, const struct template_edge *e, size_t at)
{
    const struct cut_line before = *c;
    struct cut_gap gap;

    if (gap_cut(c, at, e->lead, &gap) && gap.kind == e->gap && gap.from == at &&
        gap.width == e->width)
        return gap.to;
    *c = before;
    return 0;
}

static size_t cut_time(struct cut_line *c, const struct template_edge *e, size_t at)
{
    int64_t off = 0;

    if (!time_stands_at(c, at, &off) || (off == 0) != (e->gap == GAP_TIME))
        return 0;
    time_off_cut(c, off);
    return at + CHUNK_TIME;
}

/* The last id was cut from a line: it has a digit among its first letters, as it must. */
static size_t cut_last_id(struct cut_line *c, const struct template_edge *e, size_t at)
{
    const bool is_last = c->n - at >= CHUNK_UUID && e->lead == 0 && c->last_id[0] != 0 &&
                         memcmp(c->body + at, c->last_id, CHUNK_UUID) == 0;

    return is_last ? at + CHUNK_UUID : 0;
}

/* Neither a UUID nor hexadecimal digits have letters before them. */
static size_t cut_new_id(struct cut_line *c, const struct template_edge *e, size_t at)
{
    return e->lead == 0 && new_id_cut(c, at) ? at + CHUNK_UUID : 0;
}

static size_t cut_hex(struct cut_line *c, const struct template_edge *e, size_t at)
{
    const bool is_cut = e->lead == 0 && hex_cut(c, at, e->width);

    return is_cut ? at + 2 * (size_t)e->width : cut_any(c, e, at);
}

static cut_gap_fn *const cut_gaps[GAP_KINDS] = {
    [GAP_ID_OTHER] = cut_any,   [GAP_NUMBER] = cut_any, /* where number_cut() cannot tell */
    [GAP_HEX] = cut_hex,        [GAP_TEXT] = cut_any,   [GAP_TIME] = cut_time,
    [GAP_TIME_NEAR] = cut_time, [GAP_ID] = cut_last_id, [GAP_ID_NEW] = cut_new_id,
};

static uint64_t word_at(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The rest of a text that is longer than its head: its last word may overlap. */
static bool is_rest_at(const char *p, const char *text, size_t n)
{
    const size_t last = n - HEAD_BYTES;

    for (size_t i = HEAD_BYTES; i < last; i += HEAD_BYTES)
        if (word_at(p + i) != word_at(text + i))
            return false;
    return word_at(p + last) == word_at(text + last);
}

/* No text of a template has digits, so the gap behind it is at the line's next digit. */
static bool is_text_at(const char *templates, const struct cut_line *c,
                       const struct template_edge *e, size_t at)
{
    const char *p = c->body + at;

    return ((word_at(p) ^ e->head) & e->head_mask) == 0 && e->n <= c->n - at &&
           (e->n <= HEAD_BYTES || is_rest_at(p, templates + e->text, e->n));
}

static size_t cut_gap_at(struct cut_line *c, const struct template_edge *e, size_t at)
{
    const size_t to = e->gap == GAP_NUMBER ? number_cut(c, at, e->lead) : 0;

    return to != 0 ? to : cut_gaps[e->gap](c, e, at);
}

/* True: the line has the edge's text at *at, and its gap, which is cut; it goes on at *at. */
static bool follows(const char *templates, struct cut_line *c, const struct template_edge *e,
                    size_t *at)
{
    if (!is_text_at(templates, c, e, *at))
        return false;
    const size_t behind = *at + e->n;
    if (behind == c->n || e->gap == GAP_KINDS)
        return behind == c->n && e->gap == GAP_KINDS;
    const size_t to = cut_gap_at(c, e, behind);
    if (to != 0)
        *at = to;
    return to != 0;
}

static struct template_edge *next_edge(struct template_tree *t, const char *templates,
                                       struct cut_line *c, uint16_t *first, size_t *at)
{
    struct template_edge *before = NULL;

    for (uint16_t name = *first, i = 0; name != 0 && i < EDGES_TRIED; i++) {
        struct template_edge *e = &t->edges[name - 1];
        if (follows(templates, c, e, at)) {
            to_front(t, first, before, name);
            return e;
        }
        before = e;
        name = e->next;
    }
    return NULL;
}

bool template_tree_cut(struct template_tree *t, const char *templates, uint8_t mark,
                       struct cut_line *c, size_t *number)
{
    uint16_t *first = &t->roots[mark];
    size_t at = 0;

    for (;;) {
        struct template_edge *e = next_edge(t, templates, c, first, &at);
        if (!e)
            return false;
        if (e->gap == GAP_KINDS) {
            *number = e->first;
            return true;
        }
        first = &e->first;
    }
}
