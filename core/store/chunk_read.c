/* Which chunks of a day may hold wanted lines, and their text. Heads lie apart from the text, so
 * that looking through all of a day touches a few hundred pages instead of one a chunk. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/store/store_private.h"

/* The writer may migrate an older file after it was opened. */
bool day_has_heads(struct day *d)
{
    d->has_heads = d->has_heads || schema_has(d->db, "chunk_head");
    return d->has_heads;
}

#define HEADS_WANTED                                                                               \
    " where t1 >= ? and t0 < ? and levels >= ? and (? < 0 or shard = ?) order by t0, id"

enum status chunk_heads_read(struct day *d, const struct chunk_wanted *w, struct arena *a,
                             struct chunk_heads *out, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct sql_stmt *st;
    bool has_row = false;

    /* the writer may have given an older file heads since it was opened */
    d->has_heads = d->has_heads || schema_has(d->db, "chunk_head");
    enum status s =
        sql_prepare(d->db,
                    d->has_heads ? STR("select id, t0, t1, raw, tally from chunk_head" HEADS_WANTED)
                                 : STR("select id, t0, t1, raw, null from chunk" HEADS_WANTED),
                    &st, e);
    if (s != OK)
        return s;
    sql_bind_i64(st, 1, w->range.since_ns - base);
    sql_bind_i64(st, 2, w->range.until_ns - base);
    /* some level at or above: the mask is at least that bit */
    sql_bind_i64(st, 3, INT64_C(1) << w->min_severity);
    sql_bind_i64(st, 4, w->shard);
    sql_bind_i64(st, 5, w->shard);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        out->rows = arena_grow(a, out->rows, out->n, &out->cap, sizeof(*out->rows));
        out->rows[out->n++] = (struct chunk_head){.id = sql_i64(st, 0),
                                                  .t0 = sql_i64(st, 1),
                                                  .t1 = sql_i64(st, 2),
                                                  .raw = sql_i64(st, 3),
                                                  .tally = arena_str(a, sql_blob(st, 4))};
    }
    sql_finalize(st);
    return s;
}

bool chunk_may_hold(const struct chunk_head *h, struct fn_choice *c)
{
    struct varint_reader in = {.rest = h->tally};
    struct tally_row row = {0};

    if (h->tally.n == 0 || fn_choice_is_all(c))
        return true;
    while (line_tally_next(&in, &row))
        if (fn_choice_passes(c, row.fn))
            return true;
    return in.is_bad;
}

void chunk_reader_init(struct chunk_reader *r)
{
    *r = (struct chunk_reader){0};
    chunk_text_init(&r->text);
}

enum status chunk_reader_begin(struct chunk_reader *r, struct day *d, struct err *e)
{
    r->day = d;
    return sql_prepare(d->db, STR("select data from chunk where id = ?"), &r->st, e);
}

enum status chunk_reader_read(struct chunk_reader *r, const struct chunk_head *h, struct err *e)
{
    bool has_row = false;

    if (h->raw < 0 || (size_t)h->raw > CHUNK_MAX_RAW)
        return err_set(e, ERR_PARSE, STR_FMT ": a chunk claims %lld bytes",
                       STR_ARG(sql_path(r->day->db)), (long long)h->raw);
    sql_bind_i64(r->st, 1, h->id);
    enum status s = sql_step(r->st, &has_row, e);
    if (s == OK && has_row)
        s = chunk_text_read(&r->text, sql_blob(r->st, 0), r->day->number, (size_t)h->raw, e);
    else
        chunk_text_empty(&r->text);
    sql_reset(r->st);
    return s == OK ? OK : err_wrap(e, STR_FMT, STR_ARG(sql_path(r->day->db)));
}

void chunk_reader_end(struct chunk_reader *r)
{
    sql_finalize(r->st);
    r->st = NULL;
}

void chunk_reader_clear(struct chunk_reader *r)
{
    chunk_reader_end(r);
    chunk_text_clear(&r->text);
}
