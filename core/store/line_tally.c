/* How many lines, bytes and errors of which function and hour a chunk holds. Pure. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/store/store_private.h"

static struct tally_row *row_of(struct line_tally *t, uint32_t fn, unsigned hour)
{
    bool is_new;

    if (t->last < t->n && t->rows[t->last].fn == fn && t->rows[t->last].hour == hour)
        return &t->rows[t->last];
    uint64_t *at = idmap_put(&t->index, (uint64_t)fn << 8 | hour, &is_new);
    if (is_new) {
        *at = t->n;
        t->rows = mem_grow(t->rows, t->n, &t->cap, sizeof(*t->rows));
        t->rows[t->n++] = (struct tally_row){.fn = fn, .hour = hour};
    }
    t->last = (size_t)*at;
    return &t->rows[t->last];
}

void line_counts_add(struct line_counts *to, const struct line_counts *add)
{
    to->lines += add->lines;
    to->bytes += add->bytes;
    to->errors += add->errors;
}

void line_tally_add(struct line_tally *t, uint32_t fn, unsigned hour, const struct line_counts *add)
{
    line_counts_add(&row_of(t, fn, hour)->counts, add);
}

static int compare_rows(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;

    if (x->fn != y->fn)
        return x->fn < y->fn ? -1 : 1;
    return (x->hour > y->hour) - (x->hour < y->hour);
}

/* All hours of the function whose first row is the i-th. */
static struct line_counts of_day(const struct line_tally *t, size_t *i)
{
    const uint32_t fn = t->rows[*i].fn;
    struct line_counts sum = {0};

    for (; *i < t->n && t->rows[*i].fn == fn; ++*i)
        line_counts_add(&sum, &t->rows[*i].counts);
    return sum;
}

void line_tally_pack(struct line_tally *t, struct buf *out)
{
    uint32_t last = 0;

    if (t->n > 1)
        qsort(t->rows, t->n, sizeof(*t->rows), compare_rows);
    for (size_t i = 0; i < t->n;) {
        const uint32_t fn = t->rows[i].fn;
        const struct line_counts sum = of_day(t, &i);
        buf_add_varint(out, fn - last);
        buf_add_varint(out, sum.lines);
        buf_add_varint(out, sum.bytes);
        buf_add_varint(out, sum.errors);
        last = fn;
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
