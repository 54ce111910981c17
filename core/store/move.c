/* What functions are called: changed by a person (`db move`) or by what is read later (packer).
 * Facts, chunks and look-ups stay where they are, under the hash of what the function was called
 * when it was first stored; only their costs become stale. */
#include "core/store/store_private.h"

/* --- stale costs --- */

enum status request_stale_fns(struct store *s, struct arena *a, struct stale_fns *out,
                              struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;

    *out = (struct stale_fns){0};
    if (s->is_null || !schema_has(s->meta, "born"))
        return OK;
    enum status status =
        sql_prepare(s->meta, STR("select fn from born where is_stale order by fn"), &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        out->ids = arena_grow(a, out->ids, out->n, &cap, sizeof(*out->ids));
        out->ids[out->n++] = (uint32_t)sql_i64(st, 0);
    }
    sql_finalize(st);
    return status;
}

enum status store_priced_anew(struct store *s, struct err *e)
{
    return s->is_null ? OK : sql_exec(s->meta, "update born set is_stale = 0 where is_stale", e);
}

/* --- moving --- */

enum status store_write_move(struct store *s, uint32_t id, const struct fn_ref *now, struct err *e)
{
    static const char *const texts[] = {
        "update fn set account = ?2, region = ?3, name = ?4 where id = ?1",
        "insert into born(fn, account, region, name, is_stale) values(?1, ?2, ?3, ?4, 1)"
        " on conflict(fn) do update set is_stale = 1",
        "insert into counter(name, value) values('moved', ?1) on conflict(name) do update set"
        " value = value + 1",
    };
    const struct fn_ref *const of[ARRAY_LEN(texts)] = {now, fn_born(now)};
    enum status status = OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(texts); i++) {
        struct sql_stmt *st = NULL;
        status = sql_prepare(s->meta, str_from(texts[i]), &st, e);
        if (status != OK)
            return status;
        sql_bind_i64(st, 1, id);
        if (of[i] != NULL) {
            sql_bind_str(st, 2, of[i]->account);
            sql_bind_str(st, 3, of[i]->region);
            sql_bind_str(st, 4, of[i]->name);
        }
        status = sql_run(st, e);
        sql_finalize(st);
    }
    if (status == OK)
        dim_put_fn(s, id, now);
    return status;
}

struct known_fn {
    uint32_t id;
    struct fn_ref *fn;
};

struct known_list {
    struct known_fn *rows;
    size_t n, cap;
};

static enum status read_known(struct store *s, struct arena *a, struct known_list *out,
                              struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    struct str text = arena_printf(a, "%s order by f.id", dim_fn_select(s));
    enum status status = sql_prepare(s->meta, text, &st, e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        out->rows = arena_grow(a, out->rows, out->n, &out->cap, sizeof(*out->rows));
        out->rows[out->n++] = (struct known_fn){(uint32_t)sql_i64(st, 0), dim_fn_of_row(st, a)};
    }
    sql_finalize(st);
    return status;
}

static struct fn_ref moved_fn(const struct fn_ref *f, const struct fn_ref *to)
{
    struct fn_ref now = *f;

    now.born = fn_born(f);
    now.account = to->account.n > 0 ? to->account : f->account;
    now.region = to->region.n > 0 ? to->region : f->region;
    now.name = to->name.n > 0 ? to->name : f->name;
    return now;
}

/* Two functions do not become one: their requests and lines lie apart. */
static enum status check_free(const struct known_list *known, const struct known_fn *k,
                              const struct fn_ref *now, struct err *e)
{
    for (size_t i = 0; i < known->n; i++) {
        const struct fn_ref *other = known->rows[i].fn;
        if (known->rows[i].id == k->id || !(fn_eq(other, now) || fn_eq(fn_born(other), now)))
            continue;
        return err_set(e, ERR_USAGE,
                       "there is a function " STR_FMT " in %s" STR_FMT " already, and two do not "
                       "become one: import their logs into a fresh store, with the right options",
                       STR_ARG(now->name), now->region.n > 0 ? "" : "no region",
                       STR_ARG(now->region));
    }
    return OK;
}

struct mover {
    struct store *store;
    struct arena *arena;
    const struct fn_filter *which;
    const struct fn_ref *to;
    struct known_list known;
    struct moved_fns *out;
};

static enum status move_one(struct mover *m, struct known_fn *k, struct err *e)
{
    struct fn_ref now = moved_fn(k->fn, m->to);

    m->out->found++;
    if (fn_eq(&now, k->fn))
        return OK;
    if (check_free(&m->known, k, &now, e) != OK)
        return ERR_USAGE;
    k->fn = fn_copy(m->arena, &now);
    m->out->moved++;
    return store_write_move(m->store, k->id, k->fn, e);
}

static enum status move_all(struct mover *m, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < m->known.n; i++)
        if (fn_filter_passes(m->which, m->known.rows[i].fn))
            status = move_one(m, &m->known.rows[i], e);
    return status;
}

enum status store_move_fns(struct store *s, const struct fn_filter *which, const struct fn_ref *to,
                           struct moved_fns *out, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct moved_fns found = {0};
    struct mover m = {.store = s, .arena = &a, .which = which, .to = to, .out = &found};
    enum status status = read_known(s, &a, &m.known, e);

    if (status == OK)
        status = sql_exec(s->meta, "begin immediate", e);
    if (status != OK)
        return status;
    status = store_end_transaction(s->meta, move_all(&m, e), e);
    if (status == OK)
        *out = found;
    return status;
}
