/* Writing runs of the request id index and merging them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/byte_sort.h"
#include "core/base/mem.h"
#include "core/store/id_index.h"

enum {
    BLOB_ENTRIES = 183,   /* two blobs and what SQLite keeps beside them fill a page */
    RUNS_OF_LEVEL = 16,   /* as many are merged */
    ENTRIES_OF_RUN = 4096 /* about what one commit brings: tells the level of an upgraded file */
};

static int64_t blob_id(int64_t run, uint32_t prefix)
{
    return run << 32 | prefix;
}

static uint32_t prefix_of(const uint8_t *entry)
{
    struct id_entry en;

    id_entry_unpack(entry, &en);
    return en.prefix;
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(a, b, ID_ENTRY_BYTES);
}

/* Runs a statement of up to three numbers. */
static enum status run_numbers(struct sql *db, const char *text, const int64_t *numbers, int n,
                               struct err *e)
{
    struct sql_stmt *st;
    enum status s = sql_prepare(db, str_from(text), &st, e);

    if (s != OK)
        return s;
    for (int i = 0; i < n; i++)
        sql_bind_i64(st, i + 1, numbers[i]);
    s = sql_run(st, e);
    sql_finalize(st);
    return s;
}

/* --- one run --- */

struct run_writer {
    struct day *day;
    int64_t run;
    struct buf blob;
    size_t n; /* entries of the run */
    uint8_t last[ID_ENTRY_BYTES];
};

static enum status run_begin(struct run_writer *w, struct day *d, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(d->db, STR("select ifnull(max(id), 0) + 1 from id_run"), &st, e);

    *w = (struct run_writer){.day = d, .blob = {.max = 256u << 20}};
    if (s != OK)
        return s;
    s = sql_step(st, &has_row, e);
    w->run = s == OK && has_row ? sql_i64(st, 0) : 0;
    sql_finalize(st);
    return s;
}

static enum status put_blob(struct run_writer *w, struct err *e)
{
    struct day *d = w->day;
    enum status s = OK;

    if (w->blob.n == 0)
        return OK;
    if (!d->insert_ids)
        s = sql_prepare(d->db, STR("insert into id_blob(id, entries, sum) values(?,?,?)"),
                        &d->insert_ids, e);
    if (s == OK)
        s = buf_check(&w->blob, "request ids with one prefix", e);
    if (s != OK)
        return s;
    int64_t id = blob_id(w->run, prefix_of((const uint8_t *)w->blob.p));
    sql_bind_i64(d->insert_ids, 1, id);
    sql_bind_blob(d->insert_ids, 2, buf_str(&w->blob));
    sql_bind_i64(d->insert_ids, 3, blob_sum(buf_str(&w->blob), id));
    s = sql_run(d->insert_ids, e);
    buf_reset(&w->blob);
    return s;
}

/* Entries come sorted. Those of one prefix stay in one blob, or a look-up would miss some. */
static enum status run_add(struct run_writer *w, const uint8_t *entry, struct err *e)
{
    enum status s = OK;

    if (w->n > 0 && memcmp(entry, w->last, ID_ENTRY_BYTES) == 0)
        return OK;
    if (w->blob.n >= BLOB_ENTRIES * ID_ENTRY_BYTES && prefix_of(entry) != prefix_of(w->last))
        s = put_blob(w, e);
    buf_add(&w->blob, entry, ID_ENTRY_BYTES);
    memcpy(w->last, entry, ID_ENTRY_BYTES);
    w->n++;
    return s;
}

static enum status run_end(struct run_writer *w, int level, struct err *e)
{
    const int64_t row[] = {w->run, level, (int64_t)w->n};
    enum status s = put_blob(w, e);

    return s == OK ? run_numbers(w->day->db, "insert into id_run(id, level, n) values(?,?,?)", row,
                                 ARRAY_LEN(row), e)
                   : s;
}

/* --- merging --- */

struct run_cursor {
    struct sql_stmt *st;
    const uint8_t *at, *end; /* of the blob at hand; at is NULL behind the last */
};

static enum status cursor_read(struct run_cursor *c, struct err *e)
{
    bool has_row = false;
    enum status s = sql_step(c->st, &has_row, e);
    struct str blob = s == OK && has_row ? sql_blob(c->st, 0) : STR("");
    size_t n = blob.n / ID_ENTRY_BYTES;

    c->at = n > 0 ? (const uint8_t *)blob.p : NULL;
    c->end = c->at ? c->at + n * ID_ENTRY_BYTES : NULL;
    return s;
}

static enum status cursor_next(struct run_cursor *c, struct err *e)
{
    c->at += ID_ENTRY_BYTES;
    return c->at == c->end ? cursor_read(c, e) : OK;
}

static enum status cursor_open(struct run_cursor *c, struct day *d, int64_t run, struct err *e)
{
    enum status s = sql_prepare(
        d->db, STR("select entries from id_blob where id between ? and ? order by id"), &c->st, e);

    if (s != OK)
        return s;
    sql_bind_i64(c->st, 1, blob_id(run, 0));
    sql_bind_i64(c->st, 2, blob_id(run, UINT32_MAX));
    return cursor_read(c, e);
}

static struct run_cursor *least(struct run_cursor *cursors, size_t n)
{
    struct run_cursor *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (cursors[i].at && (!found || compare_entries(cursors[i].at, found->at) < 0))
            found = &cursors[i];
    return found;
}

static enum status merge_into(struct run_writer *w, const int64_t *runs, size_t n, struct err *e)
{
    struct run_cursor cursors[RUNS_OF_LEVEL] = {{0}}, *c;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < n; i++)
        s = cursor_open(&cursors[i], w->day, runs[i], e);
    while (s == OK && (c = least(cursors, n)) != NULL) {
        s = run_add(w, c->at, e);
        if (s == OK)
            s = cursor_next(c, e);
    }
    for (size_t i = 0; i < n; i++)
        sql_finalize(cursors[i].st);
    return s;
}

static enum status drop_run(struct day *d, int64_t run, struct err *e)
{
    const int64_t blobs[] = {blob_id(run, 0), blob_id(run, UINT32_MAX)};
    enum status s = run_numbers(d->db, "delete from id_blob where id between ? and ?", blobs, 2, e);

    return s == OK ? run_numbers(d->db, "delete from id_run where id = ?", &run, 1, e) : s;
}

static enum status runs_of_level(struct day *d, int level, int64_t runs[RUNS_OF_LEVEL], size_t *n,
                                 struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s =
        sql_prepare(d->db, STR("select id from id_run where level = ? order by id"), &st, e);

    *n = 0;
    if (s != OK)
        return s;
    sql_bind_i64(st, 1, level);
    while (*n < RUNS_OF_LEVEL && (s = sql_step(st, &has_row, e)) == OK && has_row)
        runs[(*n)++] = sql_i64(st, 0);
    sql_finalize(st);
    return s;
}

static enum status merge_level(struct day *d, int level, const int64_t *runs, size_t n,
                               struct err *e)
{
    struct run_writer w;
    enum status s = run_begin(&w, d, e);

    if (s == OK)
        s = merge_into(&w, runs, n, e);
    if (s == OK)
        s = run_end(&w, level + 1, e);
    buf_clear(&w.blob);
    for (size_t i = 0; s == OK && i < n; i++)
        s = drop_run(d, runs[i], e);
    return s;
}

static enum status merge_full_levels(struct day *d, struct err *e)
{
    int64_t runs[RUNS_OF_LEVEL];
    enum status s = OK;
    size_t n = 0;

    for (int level = 0; s == OK; level++) {
        s = runs_of_level(d, level, runs, &n, e);
        if (s != OK || n < RUNS_OF_LEVEL)
            return s;
        s = merge_level(d, level, runs, n, e);
    }
    return s;
}

/* --- adding --- */

static enum status add_run(struct day *d, uint8_t *entries, size_t n, int level, struct err *e)
{
    struct run_writer w;
    enum status s = run_begin(&w, d, e);

    byte_sort(entries, n, ID_ENTRY_BYTES, ID_ENTRY_BYTES);
    for (size_t i = 0; s == OK && i < n; i++)
        s = run_add(&w, entries + i * ID_ENTRY_BYTES, e);
    if (s == OK)
        s = run_end(&w, level, e);
    buf_clear(&w.blob);
    return s;
}

enum status ids_add(struct day *d, uint8_t *entries, size_t n, struct err *e)
{
    enum status s = n > 0 ? add_run(d, entries, n, 0, e) : OK;

    return s == OK && n > 0 ? merge_full_levels(d, e) : s;
}

/* --- files before migration 6 --- */

static enum status read_all(struct sql *db, struct buf *out, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(db, STR("select entries from inv_id"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        buf_add_str(out, sql_blob(st, 0));
    sql_finalize(st);
    return s == OK ? buf_check(out, "the request ids of a day", e) : s;
}

static int level_of(size_t n)
{
    int level = 0;

    for (size_t most = ENTRIES_OF_RUN; n > most; most *= RUNS_OF_LEVEL)
        level++;
    return level;
}

enum status ids_upgrade(struct sql *db, struct err *e)
{
    AUTO(buf_clear) struct buf all = {.max = (size_t)1 << 31};
    struct day d = {.db = db};
    enum status s = read_all(db, &all, e);
    size_t n = all.n / ID_ENTRY_BYTES;

    if (s == OK && n > 0)
        s = add_run(&d, (uint8_t *)all.p, n, level_of(n), e);
    sql_finalize(d.insert_ids);
    return s == OK ? sql_exec(db, "drop table inv_id", e) : s;
}
