/* A row is a blob: of each cell its type and two texts, with their lengths in front; a length is
 * one more than it is, 0 where there is no text. */
#include "core/base/row_sort.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/sql.h"
#include "core/base/varint.h"

enum { MOST_ROW_BYTES = 1 << 24 };

struct row_sort {
    struct sql *db;
    struct sql_stmt *add;
    struct buf row;
};

void row_sort_free(struct row_sort *s)
{
    if (!s)
        return;
    sql_finalize(s->add);
    sql_close(s->db);
    buf_clear(&s->row);
    free(s);
}

enum status row_sort_new(struct row_sort **out, struct err *e)
{
    struct row_sort *s = xcalloc(1, sizeof(*s));

    s->row.max = MOST_ROW_BYTES;
    enum status status = sql_open(SQL_IN_TEMPORARY_FILE, SQL_EXCLUSIVE, &s->db, e);
    if (status == OK)
        status = sql_exec(s->db, "create table r (value, time, number, id, row); begin", e);
    if (status == OK)
        status = sql_prepare(s->db, STR("insert into r values (?, ?, ?, ?, ?)"), &s->add, e);
    if (status != OK) {
        row_sort_free(s);
        return err_wrap(e, "sorting rows");
    }
    *out = s;
    return OK;
}

static void pack_text(struct buf *b, struct str s)
{
    buf_add_varint(b, s.p ? s.n + 1 : 0);
    buf_add_str(b, s);
}

static struct str read_text(struct varint_reader *r, struct arena *a)
{
    const uint64_t n = varint_read(r);

    return n > 0 ? arena_str(a, bytes_read(r, n - 1)) : (struct str){0};
}

enum status row_sort_add(struct row_sort *s, const struct row_key *k, const struct table *t,
                         struct err *e)
{
    const struct table_cell *cells = &t->cells[(t->n_rows - 1) * t->n_columns];

    buf_reset(&s->row);
    for (size_t c = 0; c < t->n_columns; c++) {
        buf_add_c(&s->row, (char)cells[c].type);
        pack_text(&s->row, cells[c].raw);
        pack_text(&s->row, cells[c].shown);
    }
    sql_bind_i64(s->add, 1, k->value);
    sql_bind_i64(s->add, 2, k->time_ns);
    sql_bind_i64(s->add, 3, k->number);
    sql_bind_blob(s->add, 4, k->id);
    sql_bind_blob(s->add, 5, buf_str(&s->row));
    return sql_run(s->add, e) == OK ? buf_check(&s->row, "a row", e) : err_wrap(e, "sorting rows");
}

static void read_row(struct str packed, struct table *t)
{
    struct varint_reader r = {.rest = packed};

    table_row(t);
    for (size_t c = 0; c < t->n_columns; c++) {
        struct table_cell *cell = &t->cells[(t->n_rows - 1) * t->n_columns + c];
        const struct str type = bytes_read(&r, 1);
        cell->type = type.n == 1 ? (enum cell_type)type.p[0] : CELL_NULL;
        cell->raw = read_text(&r, t->arena);
        cell->shown = read_text(&r, t->arena);
    }
}

enum status row_sort_give(struct row_sort *s, size_t limit, struct table_stream *to, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(
        s->db, STR("select row from r order by value desc, time desc, number, id limit ?"), &st, e);

    if (status != OK)
        return err_wrap(e, "sorting rows");
    sql_bind_i64(st, 1, limit > 0 ? (int64_t)limit : -1);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        read_row(sql_blob(st, 0), &to->table);
        if ((status = table_stream_row(to)) != OK)
            break;
    }
    sql_finalize(st);
    return status;
}
