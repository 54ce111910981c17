/* Some hundred rows at a time go to the output. */
#include "core/base/table_stream.h"

#include <string.h>

enum { ROWS_AT_ONCE = 256, ROWS_HELD = 1000 };

static bool is_for_people(enum table_format f)
{
    return f == TABLE_TEXT || f == TABLE_MARKDOWN;
}

static void renew(struct table_stream *s)
{
    struct table *t = &s->table;

    arena_reset(&s->rows);
    table_init(t, &s->rows, t->columns, t->n_columns, t->schema, t->version);
    table_reserve(t, ROWS_AT_ONCE);
}

static void stream_init(struct table_stream *s, const struct table_out *out,
                        const struct table_shape *shape)
{
    const size_t n = shape->n_columns;

    *s = (struct table_stream){.out = out, .is_measuring = is_for_people(out->format)};
    s->columns = arena_new(&s->own, struct table_column, n);
    memcpy(s->columns, shape->columns, n * sizeof(*s->columns));
    s->widths = arena_new(&s->own, size_t, n);
    s->same = arena_new(&s->own, struct str, n);
    table_init(&s->table, &s->rows, s->columns, n, shape->schema, shape->version);
    renew(s);
}

static void stream_clear(struct table_stream *s)
{
    arena_clear(&s->rows);
    arena_clear(&s->own);
}

/* --- measuring --- */

static void compare_column(struct table_stream *s, size_t column)
{
    const struct table *t = &s->table;

    for (size_t r = 0; r < t->n_rows; r++) {
        const struct str raw = t->cells[r * t->n_columns + column].raw;
        if (s->n_printed + r == 0)
            s->same[column] = arena_str(&s->own, raw);
        else if (s->same[column].p && !str_eq(raw, s->same[column]))
            s->same[column] = (struct str){0};
    }
}

static void measure(struct table_stream *s)
{
    for (size_t c = 0; c < s->table.n_columns; c++)
        if (s->columns[c].hides_if_same)
            compare_column(s, c);
    if (s->out->format == TABLE_TEXT)
        table_widen(&s->table, s->widths);
    s->n_printed += s->table.n_rows;
}

/* All rows were seen: what of them is left out is known. */
static void choose_columns(struct table_stream *s)
{
    for (size_t c = 0; c < s->table.n_columns; c++)
        if (s->columns[c].hides_if_same)
            s->columns[c].is_hidden = s->n_printed == 0 || s->same[c].p != NULL;
    s->is_measuring = false;
    s->n_printed = 0;
}

/* --- printing --- */

static void print_head(const struct table_stream *s)
{
    struct table none = s->table;

    none.n_rows = 0;
    if (s->out->format == TABLE_TEXT)
        table_print_fitted(&none, s->widths, true, s->out->buf);
    else
        table_print_head(&none, s->out->format, s->out->buf);
}

static void print_rows(struct table_stream *s)
{
    if (s->out->format == TABLE_TEXT)
        table_print_fitted(&s->table, s->widths, false, s->out->buf);
    else
        table_print_rows(&s->table, s->out->format, s->n_printed, s->out->buf);
    s->n_printed += s->table.n_rows;
}

enum status table_stream_flush(struct table_stream *s)
{
    if (s->table.n_rows == 0)
        return OK;
    if (s->is_measuring) {
        measure(s);
        s->is_dropped = true;
        renew(s);
        return OK;
    }
    if (s->n_printed == 0)
        print_head(s);
    print_rows(s);
    renew(s);
    return s->out->flush(s->out->ctx) == 0 ? OK : ERR_CANCELLED;
}

enum status table_stream_row(struct table_stream *s)
{
    const size_t most = s->is_measuring && !s->is_dropped ? ROWS_HELD : ROWS_AT_ONCE;

    return s->table.n_rows < most ? OK : table_stream_flush(s);
}

static void print_end(struct table_stream *s)
{
    if (s->n_printed == 0)
        print_head(s);
    print_rows(s);
    table_print_tail(s->out->format, s->out->buf);
}

enum status table_stream_print(const struct table_out *out, const struct table_shape *shape,
                               table_rows_fn *give, void *ctx, struct err *e)
{
    AUTO(stream_clear) struct table_stream s;

    stream_init(&s, out, shape);
    enum status status = give(ctx, &s, e);
    if (status == OK && s.is_measuring) {
        measure(&s);
        choose_columns(&s);
        if (s.is_dropped) {
            renew(&s);
            status = give(ctx, &s, e);
        }
    }
    if (status == OK)
        print_end(&s);
    return status == ERR_CANCELLED ? OK : status;
}
