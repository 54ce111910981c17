/* Some hundred rows at a time go to standard output. */
#include "cli/row_stream.h"

enum { ROWS_AT_ONCE = 256, SCHEMA_VERSION = 1 };

static enum table_format format_of(const struct row_stream *s)
{
    return (enum table_format)s->cli->settings->format;
}

static void renew(struct row_stream *s)
{
    struct table *t = &s->table;

    arena_reset(&s->own);
    table_init(t, &s->own, t->columns, t->n_columns, t->schema, t->version);
    table_reserve(t, ROWS_AT_ONCE);
}

void row_stream_begin(struct row_stream *s, struct cli *c, const struct table_column *columns,
                      size_t n_columns, const char *schema)
{
    *s = (struct row_stream){.cli = c};
    s->is_held = format_of(s) == TABLE_TEXT || format_of(s) == TABLE_MARKDOWN;
    table_init(&s->table, c->arena, columns, n_columns, schema, SCHEMA_VERSION);
    if (s->is_held)
        return;
    table_print_head(&s->table, format_of(s), &c->out);
    renew(s);
}

enum status row_stream_flush(struct row_stream *s)
{
    if (s->is_held)
        return OK;
    table_print_rows(&s->table, format_of(s), s->n_printed, &s->cli->out);
    s->n_printed += s->table.n_rows;
    renew(s);
    return cli_flush(s->cli) == 0 ? OK : ERR_CANCELLED;
}

enum status row_stream_row(struct row_stream *s)
{
    return s->table.n_rows < ROWS_AT_ONCE ? OK : row_stream_flush(s);
}

void row_stream_end(struct row_stream *s)
{
    if (s->is_held) {
        cli_print_table(s->cli, &s->table);
        return;
    }
    table_print_rows(&s->table, format_of(s), s->n_printed, &s->cli->out);
    table_print_tail(format_of(s), &s->cli->out);
}

void row_stream_clear(struct row_stream *s)
{
    arena_clear(&s->own);
}
