/* How many lines, bytes and errors of which function a chunk holds. Pure. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/store/store_private.h"

static struct tally_row *row_of(struct line_tally *t, uint32_t fn)
{
    bool is_new;

    if (t->last < t->n && t->rows[t->last].fn == fn)
        return &t->rows[t->last];
    uint64_t *at = idmap_put(&t->index, fn, &is_new);
    if (is_new) {
        *at = t->n;
        t->rows = mem_grow(t->rows, t->n, &t->cap, sizeof(*t->rows));
        t->rows[t->n++] = (struct tally_row){.fn = fn};
    }
    t->last = (size_t)*at;
    return &t->rows[t->last];
}

void line_tally_add(struct line_tally *t, uint32_t fn, enum severity severity, size_t bytes)
{
    struct line_counts *c = &row_of(t, fn)->counts;

    c->lines++;
    c->bytes += bytes;
    c->errors += severity >= SEVERITY_ERROR;
}

static int compare_fn(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;

    return (x->fn > y->fn) - (x->fn < y->fn);
}

void line_tally_pack(struct line_tally *t, struct buf *out)
{
    uint32_t last = 0;

    if (t->n > 1)
        qsort(t->rows, t->n, sizeof(*t->rows), compare_fn);
    for (size_t i = 0; i < t->n; i++) {
        const struct tally_row *r = &t->rows[i];
        buf_add_varint(out, r->fn - last);
        buf_add_varint(out, r->counts.lines);
        buf_add_varint(out, r->counts.bytes);
        buf_add_varint(out, r->counts.errors);
        last = r->fn;
    }
}

void line_tally_reset(struct line_tally *t)
{
    t->n = t->last = 0;
    idmap_reset(&t->index);
}

void line_tally_clear(struct line_tally *t)
{
    free(t->rows);
    idmap_clear(&t->index);
    *t = (struct line_tally){0};
}

bool line_tally_next(struct varint_reader *in, struct tally_row *row)
{
    if (in->rest.n == 0 || in->is_bad)
        return false;
    row->fn += (uint32_t)varint_read(in);
    row->counts.lines = varint_read(in);
    row->counts.bytes = varint_read(in);
    row->counts.errors = varint_read(in);
    return !in->is_bad;
}
