/* Checks every file of a store: each page by SQLite, then what is in it, day by day. */
#include <stdarg.h>
#include <stdio.h>

#include "core/base/file.h"
#include "core/store/verify_private.h"

void verify_finding(struct verifier *v, struct sql *db, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof(what) ? (size_t)n : sizeof(what) - 1;
    v->on_finding(v->ctx, sql_path(db), (struct str){what, length});
}

void verify_note_fn(struct verifier *v, uint32_t fn)
{
    bool is_new;

    idmap_put(&v->known_fns, fn, &is_new);
    if (!is_new)
        return;
    v->fns = arena_grow(&v->arena, v->fns, v->n_fns, &v->cap_fns, sizeof(*v->fns));
    v->fns[v->n_fns++] = fn;
}

struct str verify_fn_name(struct verifier *v, uint32_t fn)
{
    struct str name = dim_fn(v->store, fn)->name;

    return name.n > 0 ? name : arena_printf(&v->arena, "number %u", fn);
}

static enum status check_integrity(struct verifier *v, struct sql *db, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(db, STR("pragma integrity_check(10)"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        if (!str_eq(sql_str(st, 0), STR("ok")))
            v->on_finding(v->ctx, sql_path(db), sql_str(st, 0));
    sql_finalize(st);
    return s;
}

/* --- dimensions --- */

/* A stream's hash is made of all its names and those of its function. */
static void check_stream(struct verifier *v, const struct sql_stmt *st)
{
    const struct origin o = {.fn = dim_fn(v->store, (uint32_t)sql_i64(st, 5)),
                             .log_group = sql_str(st, 2),
                             .instance = sql_str(st, 3),
                             .version = sql_str(st, 4)};

    const uint64_t hash = (uint64_t)sql_i64(st, 1);

    if (hash != origin_hash(&o) && hash != origin_hash_with_group(&o))
        verify_finding(v, v->store->meta, "the names of environment %lld do not fit together",
                       (long long)sql_i64(st, 0));
}

static enum status check_streams(struct verifier *v, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s =
        sql_prepare(v->store->meta,
                    STR("select id, hash, log_group, instance, version, fn from stream"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        check_stream(v, st);
    sql_finalize(st);
    return s;
}

/* --- days --- */

static void begin_day(struct verifier *v)
{
    idmap_reset(&v->line_index);
    idmap_reset(&v->known_fns);
    arena_reset(&v->arena);
    v->lines = NULL;
    v->fns = NULL;
    v->n_lines = v->cap_lines = v->n_fns = v->cap_fns = 0;
    v->n_entries = 0;
}

static enum status verify_day(struct verifier *v, int64_t number, struct err *e)
{
    static enum status (*const parts[])(struct verifier *, struct day *, struct err *) = {
        verify_chunks, verify_ids, verify_facts, verify_sums};
    struct day *d;
    enum status s = store_day(v->store, number, false, &d, e);

    if (s != OK || !d)
        return s;
    begin_day(v);
    s = check_integrity(v, d->db, e);
    for (size_t i = 0; s == OK && i < ARRAY_LEN(parts); i++)
        s = parts[i](v, d, e);
    return s;
}

/* A day that cannot be read to its end is a finding too, and the next one is looked at. */
static enum status verify_or_find(struct verifier *v, int64_t number, struct err *e)
{
    struct err local = {0};
    enum status s = verify_day(v, number, &local);

    if (s == ERR_PARSE || s == ERR_IO) {
        const char *path = store_day_file(&v->arena, v->store, number);
        v->on_finding(v->ctx, str_from(path), str_from(local.msg));
        return OK;
    }
    if (s != OK && e)
        *e = local;
    return s;
}

/* Days that were written and not pruned must have their file. */
static enum status check_lost_days(struct verifier *v, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        v->store->meta, STR("select value from counter where name like 'day %' order by value"),
        &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        int64_t number = sql_i64(st, 0);
        const char *path = store_day_file(&v->arena, v->store, number);
        if (!file_exists(path))
            v->on_finding(v->ctx, str_from(path),
                          STR("is missing, and the day's events with it: import its logs again"));
    }
    sql_finalize(st);
    return s;
}

static enum status verify_all(struct verifier *v, struct err *e)
{
    enum status s = check_integrity(v, v->store->meta, e);

    if (s == OK)
        s = check_streams(v, e);
    if (s == OK)
        s = check_lost_days(v, e);
    if (s == OK)
        s = store_scan_days(v->store, e);
    for (size_t i = 0; s == OK && i < v->store->n_day_numbers; i++)
        s = verify_or_find(v, v->store->day_numbers[i], e);
    return s;
}

enum status store_verify(struct store *s, store_finding_fn *on_finding, void *ctx, struct err *e)
{
    struct verifier v = {.store = s, .on_finding = on_finding, .ctx = ctx};
    enum status status = s->is_null ? OK : verify_all(&v, e);

    idmap_clear(&v.line_index);
    idmap_clear(&v.known_fns);
    arena_clear(&v.arena);
    return status;
}
