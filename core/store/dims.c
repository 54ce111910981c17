/* Dimensions: functions, streams and texts by their small integers. Read when first asked for, kept
 * for the life of the connection; ids never change their meaning. */
#include <assert.h>

#include "core/store/store_private.h"

enum { MOST_NAME_BYTES = 4 << 20 };

static struct str copy_column(struct store *s, const struct sql_stmt *st, int i)
{
    return arena_str(&s->names.arena, sql_str(st, i));
}

/* One row of a query with one integer parameter; the statement is left for the caller to read and
 * finalize. */
static bool one_row(struct store *s, const char *text, int64_t id, struct sql_stmt **st)
{
    bool has_row = false;

    if (s->is_null || sql_prepare(s->meta, str_from(text), st, NULL) != OK)
        return false;
    sql_bind_i64(*st, 1, id);
    if (sql_step(*st, &has_row, NULL) == OK && has_row)
        return true;
    sql_finalize(*st);
    return false;
}

/* --- functions --- */

const char *dim_fn_select(struct store *s)
{
    static const char *const selects[] = {
        "select f.id, f.provider, f.account, f.region, f.name, null, null, null from fn f",
        "select f.id, f.provider, f.account, f.region, f.name, b.account, b.region, b.name"
        " from fn f left join born b on b.fn = f.id",
    };

    if (!s->has_born)
        s->has_born = schema_has(s->meta, "born");
    return selects[s->has_born];
}

struct fn_ref *dim_fn_of_row(const struct sql_stmt *st, struct arena *a)
{
    const enum provider provider = (enum provider)sql_i64(st, 1);
    const struct fn_ref born = {
        .provider = provider,
        .account = sql_str(st, 5),
        .region = sql_str(st, 6),
        .name = sql_str(st, 7),
    };
    const struct fn_ref f = {
        .provider = provider,
        .account = sql_str(st, 2),
        .region = sql_str(st, 3),
        .name = sql_str(st, 4),
        .born = sql_is_null(st, 7) ? NULL : &born,
    };

    return fn_copy(a, &f);
}

/* As whoever opened the store knows it. Hashes in files stand for the birth, which stays. */
struct fn_ref dim_known_fn(const struct store *s, const struct fn_ref *fn)
{
    struct fn_ref f = *fn;

    if (f.region.n == 0 && s->region_of != NULL && !s->is_as_stored)
        f.region = s->region_of(s->region_ctx, fn);
    if (f.region.n > fn->region.n)
        f.born = fn_born(fn);
    return f;
}

static struct fn_ref *read_fn(struct store *s, uint32_t id, struct arena *to)
{
    AUTO(arena_clear) struct arena a = {0};
    struct sql_stmt *st;

    if (s->is_null)
        return NULL;
    if (!one_row(s, arena_printf(&a, "%s where f.id = ?", dim_fn_select(s)).p, id, &st))
        return NULL;
    const struct fn_ref known = dim_known_fn(s, dim_fn_of_row(st, &a));
    sql_finalize(st);
    return fn_copy(to, &known);
}

struct fn_ref dim_fn_in(struct store *s, uint32_t id, struct arena *a)
{
    const uint64_t *known = idmap_get(&s->names.fn_by_id, id);
    const struct fn_ref *f = known ? (const struct fn_ref *)(uintptr_t)*known : read_fn(s, id, a);

    return f ? *f : (struct fn_ref){0};
}

/* Whoever holds the function of an id sees what becomes of it. */
void dim_put_fn(struct store *s, uint32_t id, const struct fn_ref *fn)
{
    bool is_new;
    uint64_t *known = idmap_put(&s->names.fn_by_id, id, &is_new);

    if (is_new)
        *known = (uintptr_t)arena_new(&s->names.arena, struct fn_ref, 1);
    const struct fn_ref f = dim_known_fn(s, fn);
    *(struct fn_ref *)(uintptr_t)*known = *fn_copy(&s->names.arena, &f);
}

const struct fn_ref *dim_fn(struct store *s, uint32_t id)
{
    const uint64_t *known = idmap_get(&s->names.fn_by_id, id);

    if (known)
        return (const struct fn_ref *)(uintptr_t)*known;
    struct fn_ref *f = read_fn(s, id, &s->names.arena);
    if (!f)
        /* Not kept: a writer may add it any moment. */
        return arena_new(&s->names.arena, struct fn_ref, 1);
    *idmap_put(&s->names.fn_by_id, id, NULL) = (uintptr_t)f;
    return f;
}

enum status dim_refresh(struct store *s, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    int64_t moved = 0;
    enum status status =
        sql_prepare(s->meta, STR("select value from counter where name = 'moved'"), &st, e);

    if (status != OK)
        return status;
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row)
        moved = sql_i64(st, 0);
    sql_finalize(st);
    if (status == OK && moved != s->moved) {
        s->moved = moved;
        idmap_reset(&s->names.fn_by_id);
        idmap_reset(&s->names.origin_by_id);
    }
    return status;
}

static void names_reset(struct dim_names *n)
{
    idmap_reset(&n->fn_by_id);
    idmap_reset(&n->origin_by_id);
    idmap_reset(&n->text_by_id);
    arena_reset(&n->arena);
}

void dim_names_clear(struct dim_names *n)
{
    idmap_clear(&n->fn_by_id);
    idmap_clear(&n->origin_by_id);
    idmap_clear(&n->text_by_id);
    arena_clear(&n->arena);
}

void store_forget(struct store *s)
{
    if (s->is_read_only) /* else a batch's correlation holds some of them */
        names_reset(&s->names);
}

void dim_names_pass(struct store *s, struct dim_names_aside *aside)
{
    if (s->names.arena.used_bytes <= MOST_NAME_BYTES)
        return;
    if (aside->is_set) {
        names_reset(&s->names);
        return;
    }
    *aside = (struct dim_names_aside){s->names, true};
    s->names = (struct dim_names){0};
}

void dim_names_return(struct store *s, struct dim_names_aside *aside)
{
    if (!aside->is_set)
        return;
    dim_names_clear(&s->names);
    s->names = aside->names;
    aside->is_set = false;
}

/* --- streams and texts --- */

const struct origin *dim_origin(struct store *s, uint32_t id)
{
    const uint64_t *known = idmap_get(&s->names.origin_by_id, id);
    struct sql_stmt *st;

    if (known)
        return (const struct origin *)(uintptr_t)*known;
    struct origin *o = arena_new(&s->names.arena, struct origin, 1);
    if (!one_row(s, "select fn, log_group, instance, version, hash from stream where id = ?", id,
                 &st)) {
        o->fn = dim_fn(s, 0);
        return o;
    }
    o->fn = dim_fn(s, (uint32_t)sql_i64(st, 0));
    o->log_group = copy_column(s, st, 1);
    o->instance = copy_column(s, st, 2);
    o->version = copy_column(s, st, 3);
    o->hash = (uint64_t)sql_i64(st, 4);
    sql_finalize(st);
    *idmap_put(&s->names.origin_by_id, id, NULL) = (uintptr_t)o;
    return o;
}

struct str dim_text(struct store *s, uint32_t id)
{
    const uint64_t *known = idmap_get(&s->names.text_by_id, id);
    struct sql_stmt *st;

    if (id == 0)
        return (struct str){0};
    if (known)
        return *(const struct str *)(uintptr_t)*known;
    if (!one_row(s, "select value from text where id = ?", id, &st))
        return (struct str){0};
    struct str *t = arena_new(&s->names.arena, struct str, 1);
    *t = copy_column(s, st, 0);
    sql_finalize(st);
    *idmap_put(&s->names.text_by_id, id, NULL) = (uintptr_t)t;
    return *t;
}

/* "eu-west-1" or "eu-west-1,us-east-1"; an empty list holds everything. */
static bool is_in_list(struct str list, struct str s)
{
    if (list.n == 0)
        return true;
    while (list.n > 0)
        if (str_eq(str_cut(&list, ','), s))
            return true;
    return false;
}

bool fn_filter_passes(const struct fn_filter *f, const struct fn_ref *fn)
{
    if (f->provider != PROVIDER_UNKNOWN && f->provider != fn->provider)
        return false;
    if (!is_in_list(f->region, fn->region) || !is_in_list(f->account, fn->account))
        return false;
    if (f->name_glob.n > 0 && !str_glob(f->name_glob, fn->name))
        return false;
    return f->test == NULL || f->test(f->test_ctx, fn);
}

bool fn_filter_is_all(const struct fn_filter *f)
{
    return f->name_glob.n == 0 && f->region.n == 0 && f->account.n == 0 &&
           f->provider == PROVIDER_UNKNOWN && f->test == NULL;
}

bool fn_choice_is_all(const struct fn_choice *c)
{
    return c->fn_id == 0 && fn_filter_is_all(c->filter);
}

/* Names of very many are not kept for it. */
static bool filter_passes(const struct fn_choice *c, uint32_t id)
{
    AUTO(arena_clear) struct arena a = {0};

    if (c->store->names.arena.used_bytes <= MOST_NAME_BYTES)
        return fn_filter_passes(c->filter, dim_fn(c->store, id));
    const struct fn_ref fn = dim_fn_in(c->store, id, &a);
    return fn_filter_passes(c->filter, &fn);
}

bool fn_choice_passes(struct fn_choice *c, uint32_t fn)
{
    bool is_new;

    if (fn_filter_is_all(c->filter))
        return c->fn_id == 0 || c->fn_id == fn;
    uint64_t *known = idmap_put(&c->passes, fn, &is_new);
    if (is_new)
        *known = (c->fn_id == 0 || c->fn_id == fn) && filter_passes(c, fn) ? 2 : 1;
    return *known == 2;
}

uint32_t fn_choice_of_stream(struct fn_choice *c, uint32_t stream)
{
    bool is_new;
    uint64_t *known = idmap_put(&c->stream_fn, stream, &is_new);
    struct sql_stmt *st;

    if (!is_new)
        return (uint32_t)*known;
    *known = 0;
    if (!one_row(c->store, "select fn from stream where id = ?", stream, &st))
        return 0;
    *known = (uint64_t)sql_i64(st, 0);
    sql_finalize(st);
    return (uint32_t)*known;
}

/* Functions hash into shards: one function needs one shard. */
int fn_choice_shard(const struct fn_choice *c)
{
    return c->fn_id != 0 ? (int)(fn_hash(fn_born(dim_fn(c->store, c->fn_id))) % CHUNK_SHARDS) : -1;
}

void fn_choice_clear(struct fn_choice *c)
{
    idmap_clear(&c->passes);
    idmap_clear(&c->stream_fn);
}
