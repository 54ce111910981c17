/* What the correlator may ask: stored attempts of a request id, stored events of an environment. */
#include <string.h>
#include <time.h>

#include "core/base/mem.h"
#include "core/store/fact_store.h"
#include "core/store/id_index.h"
#include "core/store/packer_private.h"

#define MIN_NOTED ((size_t)4096)

/* --- look-ups for the correlator --- */

static enum status fill_filter(void *ctx, int64_t day, const struct id_entry *en, struct err *e)
{
    UNUSED(day);
    UNUSED(e);
    id_filter_add_stored(ctx, en->prefix);
    return OK;
}

/* The filter of a day, filled from its file when the day is first touched. NULL on a read error. */
struct id_filter *packer_filter(struct packer *p, int64_t day, struct err *e)
{
    for (size_t i = 0; i < p->n_filters; i++)
        if (p->filters[i].day == day)
            return &p->filters[i];
    struct id_filter f = {.day = day};
    if (p->reader &&
        id_scan(p->reader, day, (struct prefix_range){0, UINT32_MAX}, fill_filter, &f, e) != OK) {
        id_filter_clear(&f);
        return NULL;
    }
    p->filters = mem_grow(p->filters, p->n_filters, &p->cap_filters, sizeof(*p->filters));
    p->filters[p->n_filters] = f;
    return &p->filters[p->n_filters++];
}

struct found {
    struct packer *packer;
    struct arena *arena;
    struct invocation *rows;
    size_t n, cap;
};

static bool is_deleted(const struct pack *k, const struct fact *f)
{
    const struct fact_key key = {.ts_ns = f->ts_ns, .fn = f->fn, .stream = f->stream, .id = f->id};

    return k->n_deletes > 0 && idmap_get(&k->delete_index, fact_key_hash(&key)) != NULL;
}

static enum status add_found(void *ctx, const struct fact *f, struct err *e)
{
    struct found *found = ctx;

    UNUSED(e);
    if (is_deleted(found->packer->current, f))
        return OK;
    found->rows =
        arena_grow(found->arena, found->rows, found->n, &found->cap, sizeof(*found->rows));
    fact_to_invocation(found->packer->reader, f, &found->rows[found->n++]);
    return OK;
}

/* The writer needs nothing from this thread, so waiting cannot block it; if it has failed nobody
 * waits. */
static void wait_for_pack(const struct packer *p, uint64_t number)
{
    const struct timespec pause = {.tv_nsec = 200000};

    if (atomic_load(&p->store->wanted) < number)
        atomic_store(&p->store->wanted, number);
    while (atomic_load(&p->store->committed) < number && !atomic_load(&p->store->has_failed))
        nanosleep(&pause, NULL);
}

/* Drops what is committed by now: the files tell of it. */
static void forget_committed(struct packer *p)
{
    const uint64_t committed = atomic_load(&p->store->committed);
    size_t n = 0;

    while (n < p->n_noted && p->noted[n].pack <= committed)
        n++;
    p->n_noted -= n;
    memmove(p->noted, p->noted + n, p->n_noted * sizeof(*p->noted));
    p->noted_limit = 2 * p->n_noted + MIN_NOTED;
    idmap_reset(&p->pending);
    p->n_found = 0;
}

static void note(struct packer *p, uint64_t key)
{
    if (p->n_noted > 0 && p->n_noted >= p->noted_limit)
        forget_committed(p);
    p->noted = mem_grow(p->noted, p->n_noted, &p->cap_noted, sizeof(*p->noted));
    p->noted[p->n_noted++] = (struct noted){key, p->current->number};
}

/* The last pack that brings it, as far as it is known not to be committed; 0: none. */
static uint64_t pack_of_key(struct packer *p, uint64_t key)
{
    for (; p->n_found < p->n_noted; p->n_found++)
        *idmap_put(&p->pending, p->noted[p->n_found].key, NULL) = p->noted[p->n_found].pack;
    const uint64_t *number = idmap_get(&p->pending, key);
    return number ? *number : 0;
}

static uint64_t id_key(struct str id)
{
    return str_hash(id, 0);
}

/* Away from the ids' keys and those of other streams. */
static uint64_t events_key(const struct origin *o)
{
    return o->hash ^ UINT64_C(0x9e3779b97f4a7c15);
}

void packer_note_id(struct packer *p, struct id_filter *f, struct str id)
{
    const uint64_t key = id_key(id);

    id_filter_add(f, key);
    note(p, key);
}

void packer_note_event(struct packer *p, const struct origin *o)
{
    note(p, events_key(o));
}

/* Waits until every pack under way that brings something of this key is in its file, but for the
 * pack being filled: true when that one brings some, too. */
static bool wait_for_key(struct packer *p, uint64_t key)
{
    const uint64_t number = pack_of_key(p, key);
    const bool is_current = number == p->current->number;

    wait_for_pack(p, is_current ? number - 1 : number);
    return is_current;
}

/* --- facts of the pack being filled: their dimensions may stand in it as well --- */

static const struct dim_row *new_dim(const struct pack *k, enum dim_kind kind, uint32_t id)
{
    for (size_t i = 0; i < k->n_dims; i++)
        if (k->dims[i].kind == kind && k->dims[i].id == id)
            return &k->dims[i];
    return NULL;
}

static const struct fn_ref *fn_of(struct packer *p, uint32_t id, struct arena *a)
{
    const uint64_t *moved = idmap_get(&p->moved, id);
    const struct dim_row *row = moved ? NULL : new_dim(p->current, DIM_FN, id);

    if (moved)
        return (const struct fn_ref *)(uintptr_t)*moved;
    if (!row)
        return dim_fn(p->reader, id);
    struct fn_ref *f = arena_new(a, struct fn_ref, 1);
    *f = (struct fn_ref){
        .provider = (enum provider)row->fn, .account = row->a, .region = row->b, .name = row->c};
    return f;
}

static const struct origin *origin_of(struct packer *p, uint32_t id, struct arena *a)
{
    const struct dim_row *row = new_dim(p->current, DIM_STREAM, id);

    if (!row)
        return dim_origin(p->reader, id);
    struct origin *o = arena_new(a, struct origin, 1);
    *o = (struct origin){.fn = fn_of(p, row->fn, a),
                         .log_group = row->a,
                         .instance = row->b,
                         .version = row->c,
                         .hash = row->hash};
    return o;
}

static struct str text_of(struct packer *p, uint32_t id)
{
    const struct dim_row *row = new_dim(p->current, DIM_TEXT, id);

    return row ? row->a : dim_text(p->reader, id);
}

static void add_unpacked(struct found *found, const struct fact *f)
{
    struct packer *p = found->packer;

    found->rows =
        arena_grow(found->arena, found->rows, found->n, &found->cap, sizeof(*found->rows));
    struct invocation *inv = &found->rows[found->n++];
    fact_to_sums(f, inv);
    inv->origin = origin_of(p, f->stream, found->arena);
    inv->error_type = text_of(p, f->error_type);
    inv->version = text_of(p, f->version);
}

static bool is_near(int64_t day, int64_t today)
{
    return day >= today - 1 && day <= today + 1;
}

static void add_unpacked_of_id(struct found *found, struct str id, int64_t around_ns)
{
    const struct pack *k = found->packer->current;

    for (size_t i = 0; i < k->n_facts; i++) {
        const bool is_anywhere = (k->facts[i].fact.evidence & EV_TIME_GUESSED) != 0;
        if (!k->facts[i].is_dead && (is_anywhere || is_near(k->facts[i].day, day_of(around_ns))) &&
            str_eq(k->facts[i].fact.id, id))
            add_unpacked(found, &k->facts[i].fact);
    }
}

static void add_unpacked_of_stream(struct found *found, uint32_t stream, struct range r)
{
    const struct pack *k = found->packer->current;

    for (size_t i = 0; i < k->n_facts; i++) {
        const struct fact *f = &k->facts[i].fact;
        if (!k->facts[i].is_dead && f->stream == stream && f->ts_ns >= r.since_ns &&
            f->ts_ns < r.until_ns)
            add_unpacked(found, f);
    }
}

/* The dimensions that a pack being filled takes from the one before must be in their file, too. */
static void wait_for_id(struct found *found, struct str id, int64_t around_ns)
{
    if (wait_for_key(found->packer, id_key(id)))
        add_unpacked_of_id(found, id, around_ns);
}

/* The days beside that one in which the id may be stored, or in a pack under way: whatever brings a
 * fact tells the filter of its day. Mostly none: ids are new. */
static enum status days_of_id(struct packer *p, struct str id, int64_t today, bool may_hold[3],
                              struct err *e)
{
    for (int i = 0; i < 3; i++) {
        const struct id_filter *f = packer_filter(p, today - 1 + i, e);
        if (!f)
            return e ? e->code : ERR_IO;
        may_hold[i] = id_filter_may_hold(f, id);
    }
    return OK;
}

static enum status add_guessed(void *ctx, const struct fact *f, struct err *e)
{
    return f->evidence & EV_TIME_GUESSED ? add_found(ctx, f, e) : OK;
}

/* Of days farther away those attempts come that no line says the time of: they may be the same. */
static enum status find_guessed(struct found *found, struct str id, int64_t around_ns,
                                struct err *e)
{
    struct packer *p = found->packer;
    const int64_t today = day_of(around_ns);
    bool has_waited = false;
    uint64_t day, ignored;
    enum status s = OK;

    for (size_t i = 0; s == OK && idmap_next(&p->guessed_days, &i, &day, &ignored);) {
        const struct id_filter *f =
            is_near((int64_t)day, today) ? NULL : packer_filter(p, (int64_t)day, e);
        if (!f || !id_filter_may_hold(f, id))
            continue;
        if (!has_waited && found->n == 0)
            wait_for_id(found, id, around_ns);
        has_waited = true;
        s = facts_by_id(p->reader, (int64_t)day, id, found->arena,
                        (struct fact_sink){add_guessed, found, true}, e);
    }
    return s;
}

enum status store_lookup_id(struct packer *p, struct str id, int64_t around_ns, struct arena *a,
                            struct invocation_list *out, struct err *e)
{
    struct found found = {.packer = p, .arena = a};
    int64_t today = day_of(around_ns);
    bool may_hold[3] = {false};

    *out = (struct invocation_list){0};
    if (!p->reader)
        return OK;
    enum status s = days_of_id(p, id, today, may_hold, e);
    if (s == OK && (may_hold[0] || may_hold[1] || may_hold[2]))
        wait_for_id(&found, id, around_ns);
    for (int i = 0; s == OK && i < 3; i++)
        if (may_hold[i])
            s = facts_by_id(p->reader, today - 1 + i, id, a,
                            (struct fact_sink){add_found, &found, true}, e);
    if (s == OK && p->guessed_days.count > 0)
        s = find_guessed(&found, id, around_ns, e);
    *out = (struct invocation_list){found.rows, found.n};
    return s;
}

bool store_knows_instance(const struct packer *p, const struct origin *o)
{
    return idmap_get(&p->streams, o->hash) != NULL;
}

enum status store_lookup_instance(struct packer *p, const struct origin *o, int64_t around_ns,
                                  struct arena *a, struct instance_event_list *out, struct err *e)
{
    const uint64_t *id = idmap_get(&p->streams, o->hash);
    struct range r = {around_ns - NS_PER_DAY, around_ns + NS_PER_DAY};

    *out = (struct instance_event_list){0};
    if (!id || !p->reader)
        return OK;
    wait_for_key(p, events_key(o));
    return events_of_stream(p->reader, (uint32_t)*id, r, a, out, e);
}

struct stream_match {
    struct found *found;
    uint32_t stream;
};

static enum status add_of_stream(void *ctx, const struct fact *f, struct err *e)
{
    const struct stream_match *m = ctx;
    struct fact own = *f;

    if (f->stream != m->stream)
        return OK;
    fact_settle(&own, m->found->arena);
    return add_found(m->found, &own, e);
}

static enum status facts_of_stream(struct found *found, int64_t day, const struct fact_key *want,
                                   struct range r, struct err *e)
{
    struct stream_match match = {found, want->stream};
    struct day *d;
    enum status status = store_day(found->packer->reader, day, false, &d, e);

    if (status != OK || !d)
        return status;
    return facts_each(d, want->fn, r, (struct fact_sink){add_of_stream, &match, true}, e);
}

enum status store_lookup_requests(struct packer *p, const struct origin *o, struct range r,
                                  struct arena *a, struct invocation_list *out, struct err *e)
{
    struct found found = {.packer = p, .arena = a};
    const uint64_t *stream = idmap_get(&p->streams, o->hash);
    const uint64_t *fn = idmap_get(&p->fns, fn_hash(fn_born(o->fn)));
    enum status s = OK;

    *out = (struct invocation_list){0};
    if (!stream || !fn || !p->reader)
        return OK;
    struct fact_key want = {.fn = (uint32_t)*fn, .stream = (uint32_t)*stream};
    wait_for_pack(p, p->current->number - 1);
    add_unpacked_of_stream(&found, want.stream, r);
    for (int64_t day = day_of(r.since_ns); s == OK && day <= day_of(r.until_ns - 1); day++)
        s = facts_of_stream(&found, day, &want, r, e);
    *out = (struct invocation_list){found.rows, found.n};
    return s;
}
