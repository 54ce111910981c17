/* Functions, streams and texts get their small integers here, when they are first seen. */
#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/packer_private.h"

/* --- dimensions --- */

static struct dim_row *add_dim(struct pack *k, enum dim_kind kind, uint32_t id)
{
    k->dims = arena_grow(&k->arena, k->dims, k->n_dims, &k->cap_dims, sizeof(*k->dims));
    struct dim_row *row = &k->dims[k->n_dims++];
    *row = (struct dim_row){.id = id, .kind = kind};
    return row;
}

static uint64_t birth_hash(const struct fn_ref *f)
{
    return fn_hash(fn_born(f));
}

/* Facts of the current pack and those read from the file belong to the function as it is called
 * now; the file hears of it with the pack. */
static void move_fn(struct packer *p, uint32_t id, const struct fn_ref *now)
{
    struct pack *k = p->current;
    const struct fn_ref *fn = fn_copy(&k->arena, now);

    k->moves = arena_grow(&k->arena, k->moves, k->n_moves, &k->cap_moves, sizeof(*k->moves));
    k->moves[k->n_moves++] = (struct pack_move){id, fn};
    *idmap_put(&p->moved, id, NULL) = (uintptr_t)fn_copy(&p->book.arena, now);
    if (p->reader)
        dim_put_fn(p->reader, id, now);
}

/* What the store calls the function; false: it is new. */
static bool settle_fn(struct packer *p, struct fn_ref *f)
{
    const enum fn_settled settled = fn_book_settle(&p->book, f);

    if (settled == FN_ADOPTED) {
        const uint64_t *id = idmap_get(&p->fns, birth_hash(f));
        assert(id != NULL);
        p->n_adopted++;
        move_fn(p, (uint32_t)*id, f);
    }
    return settled != FN_NEW;
}

static bool settle_one(void *ctx, struct fn_ref *f)
{
    const struct fn_ref before = *f;

    return settle_fn(ctx, f) && (before.born != f->born || !fn_eq(&before, f));
}

void packer_settle(struct packer *p, struct batch *b)
{
    p->n_adopted = 0;
    batch_settle(b, settle_one, p);
    b->counts.adopted += p->n_adopted;
}

enum status packer_load_fns(struct packer *p, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(p->reader->meta, str_from(dim_fn_select(p->reader)), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        const uint32_t id = (uint32_t)sql_i64(st, 0);
        const struct fn_ref *f = dim_fn_of_row(st, &p->book.arena);
        fn_book_add(&p->book, f);
        *idmap_put(&p->fns, birth_hash(f), NULL) = id;
        p->next_fn = id >= p->next_fn ? id + 1 : p->next_fn;
    }
    sql_finalize(st);
    return s;
}

uint32_t packer_fn(struct packer *p, const struct fn_ref *f)
{
    struct pack *k = p->current;
    struct fn_ref now = *f;

    if (settle_fn(p, &now)) {
        const uint64_t *id = idmap_get(&p->fns, birth_hash(&now));
        assert(id != NULL);
        return (uint32_t)*id;
    }
    now.born = NULL; /* of a function that was never stored */
    const uint32_t id = p->next_fn++;
    fn_book_add(&p->book, &now);
    *idmap_put(&p->fns, fn_hash(&now), NULL) = id;
    struct dim_row *row = add_dim(k, DIM_FN, id);
    row->fn = (uint32_t)f->provider;
    row->a = arena_str(&k->arena, f->account);
    row->b = arena_str(&k->arena, f->region);
    row->c = arena_str(&k->arena, f->name);
    return id;
}

/* A home: shards in the low bits, whose they are above; HOME_MANY: of more than one function. */
#define HOME_MANY  (UINT64_C(1) << 63)
#define HOME_OWNER (~HOME_MANY >> CHUNK_SHARDS << CHUNK_SHARDS)

_Static_assert(CHUNK_SHARDS == 16, "struct origin_ids has a bit for each shard");

void packer_note_home(struct packer *p, struct str instance, const struct fn_ref *fn)
{
    uint64_t hash = birth_hash(fn), shard = UINT64_C(1) << hash % CHUNK_SHARDS;
    bool is_new;

    if (instance.n == 0) /* of lines without a stream the function is all that is known */
        return;
    uint64_t *home = idmap_put(&p->homes, str_hash(instance, 0), &is_new);
    if (is_new)
        *home = (hash & HOME_OWNER) | shard;
    else if (((*home ^ hash) & HOME_OWNER) != 0)
        *home |= shard | HOME_MANY;
}

enum status packer_load_homes(struct packer *p, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(p->reader->meta,
                                STR("select instance, provider, coalesce(b.account, f.account),"
                                    " coalesce(b.region, f.region), coalesce(b.name, f.name)"
                                    " from stream s join fn f on f.id = s.fn"
                                    " left join born b on b.fn = f.id where instance <> ''"),
                                &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fn_ref f = {.provider = (enum provider)sql_i64(st, 1),
                           .account = sql_str(st, 2),
                           .region = sql_str(st, 3),
                           .name = sql_str(st, 4)};
        packer_note_home(p, sql_str(st, 0), &f);
    }
    sql_finalize(st);
    return s;
}

static uint16_t find_homes(const struct packer *p, const struct origin *o, uint64_t own_hash)
{
    const uint64_t *home =
        o->instance.n > 0 ? idmap_get(&p->homes, str_hash(o->instance, 0)) : NULL;

    if (!home || (!(*home & HOME_MANY) && ((*home ^ own_hash) & HOME_OWNER) == 0))
        return 0;
    return (uint16_t)*home;
}

static uint32_t stream_id(struct packer *p, const struct origin *o)
{
    bool is_new;
    uint64_t *id = idmap_put(&p->streams, o->hash, &is_new);

    if (!is_new)
        return (uint32_t)*id;
    *id = p->next_stream++;
    packer_note_home(p, o->instance, o->fn);
    return (uint32_t)*id;
}

/* The whole row each time: the store may just have removed it with its last day. And once again
 * when a later export says the group. */
static void note_stream_day(struct packer *p, const struct origin *o, struct origin_ids *ids,
                            int64_t day)
{
    struct pack *k = p->current;
    bool is_new;
    uint64_t *known = idmap_put(&p->stream_days, ids->stream, &is_new);
    const bool has_group = !is_new && *known % 2 != 0, says_group = o->log_group.n > 0;
    const int64_t last_day = is_new ? day : (int64_t)(*known / 2);

    ids->last_day = last_day > day ? last_day : day;
    if (!is_new && last_day >= day && (has_group || !says_group))
        return;
    *known = (uint64_t)ids->last_day * 2 + (has_group || says_group);
    struct dim_row *row = add_dim(k, DIM_STREAM, ids->stream);
    row->fn = ids->fn;
    row->last_day = day;
    row->hash = o->hash;
    row->a = arena_str(&k->arena, o->log_group);
    row->b = arena_str(&k->arena, o->instance);
    row->c = arena_str(&k->arena, o->version);
}

void packer_note_guessed(struct packer *p, int64_t day)
{
    struct pack *k = p->current;
    bool is_new;

    idmap_put(&p->guessed_days, (uint64_t)day, &is_new);
    if (!is_new)
        return;
    k->guessed_days = arena_grow(&k->arena, k->guessed_days, k->n_guessed_days,
                                 &k->cap_guessed_days, sizeof(*k->guessed_days));
    k->guessed_days[k->n_guessed_days++] = day;
}

enum status packer_load_guessed(struct packer *p, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        p->reader->meta, STR("select value from counter where name glob 'guessed *'"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        idmap_put(&p->guessed_days, (uint64_t)sql_i64(st, 0), NULL);
    sql_finalize(st);
    return s;
}

static void note_text(struct known_text *last, struct str s, uint32_t id)
{
    if (s.n > sizeof(last->text))
        return;
    memcpy(last->text, s.p, s.n);
    last->n = s.n;
    last->id = id;
}

uint32_t packer_text(struct packer *p, struct str s)
{
    bool is_new;

    if (s.n == 0)
        return 0;
    if (str_eq(s, (struct str){p->last_text.text, p->last_text.n}))
        return p->last_text.id;
    uint64_t *id = idmap_put(&p->texts, str_hash(s, 0), &is_new);
    if (is_new) {
        *id = p->next_text++;
        add_dim(p->current, DIM_TEXT, (uint32_t)*id)->a = arena_str(&p->current->arena, s);
    }
    note_text(&p->last_text, s, (uint32_t)*id);
    return (uint32_t)*id;
}

/* Places are given as the batch grows; those of the batch before are gone. */
static struct origin_ids *origin_slot(struct packer *p, const struct origin *o)
{
    while (p->n_origins <= o->place) {
        p->origins = mem_grow(p->origins, p->n_origins, &p->cap_origins, sizeof(*p->origins));
        p->origins[p->n_origins++] = (struct origin_ids){.last_day = INT64_MIN};
    }
    return &p->origins[o->place];
}

static struct known_origin *known_slot(struct packer *p, const struct origin *o)
{
    return &p->known[o->hash % KNOWN_ORIGINS];
}

static void find_shard(struct packer *p, const struct origin *o, struct origin_ids *ids)
{
    const struct known_origin *k = known_slot(p, o);
    const bool is_known = k->fn != 0 && k->hash == o->hash;
    const uint64_t hash = is_known ? k->fn_hash : birth_hash(o->fn);

    ids->fn = is_known ? k->fn : 0;
    ids->stream = is_known ? k->stream : 0;
    ids->at = (struct origin_shard){(unsigned)(hash % CHUNK_SHARDS),
                                    UINT64_C(1) << (hash / CHUNK_SHARDS % 64)};
    ids->homes = find_homes(p, o, hash);
}

const struct origin_ids *packer_shard(struct packer *p, const struct origin *o)
{
    struct origin_ids *ids = origin_slot(p, o);

    if (ids->at.fn_bit == 0)
        find_shard(p, o, ids);
    return ids;
}

const struct origin_ids *packer_origin(struct packer *p, const struct origin *o, int64_t day)
{
    struct origin_ids *ids = origin_slot(p, o);

    if (ids->at.fn_bit == 0)
        find_shard(p, o, ids);
    if (ids->fn == 0) {
        ids->fn = packer_fn(p, o->fn);
        ids->stream = stream_id(p, o);
        *known_slot(p, o) = (struct known_origin){o->hash, birth_hash(o->fn), ids->fn, ids->stream};
    }
    if (day > ids->last_day)
        note_stream_day(p, o, ids, day);
    return ids;
}
