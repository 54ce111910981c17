/* Writing packs: their rows into a transaction per day file, which may take the rows of several
 * packs: what is written again and again, roll-ups and the last pages of functions, is then written
 * once. When they are settled, dimensions are committed first, then the day files, then cursors and
 * counters in meta.db. A crash in between means at most that some input is read again, and repeats
 * drop. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/byte_sort.h"
#include "core/base/mem.h"
#include "core/store/fact_store.h"
#include "core/store/id_index.h"

static enum status prepare_once(struct sql *db, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(db, str_from(text), st, e);
}

/* --- facts --- */

enum { PLACE_KEY_BYTES = 16 };

/* Sorted instead of the facts, which are large. */
struct fact_place {
    uint8_t key[PLACE_KEY_BYTES]; /* day, function, start: highest bytes first */
    const struct pack_fact *of;
};

/* The facts of a pack in the order in which they are written: by day first. */
struct fact_order {
    struct fact_place *rows;
    size_t n;
};

/* Little-endian machines only, as all of this. */
static struct fact_place place_of(const struct pack_fact *of)
{
    const uint32_t day = __builtin_bswap32((uint32_t)of->day ^ (uint32_t)1 << 31);
    const uint32_t fn = __builtin_bswap32(of->fact.fn);
    const uint64_t ts_ns = __builtin_bswap64((uint64_t)of->fact.ts_ns ^ (uint64_t)1 << 63);
    struct fact_place p = {.of = of};

    memcpy(p.key, &day, sizeof(day));
    memcpy(p.key + 4, &fn, sizeof(fn));
    memcpy(p.key + 8, &ts_ns, sizeof(ts_ns));
    return p;
}

static bool is_same_day(const struct fact_place *a, const struct fact_place *b)
{
    return memcmp(a->key, b->key, sizeof(uint32_t)) == 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct fact_place *x = a, *y = b;

    return str_cmp(x->of->fact.id, y->of->fact.id);
}

static void sort_places(struct fact_order *o)
{
    size_t n;

    byte_sort(o->rows, o->n, sizeof(*o->rows), PLACE_KEY_BYTES);
    for (size_t i = 0; i < o->n; i += n) {
        for (n = 1;
             i + n < o->n && memcmp(o->rows[i].key, o->rows[i + n].key, PLACE_KEY_BYTES) == 0;)
            n++;
        if (n > 1)
            qsort(o->rows + i, n, sizeof(*o->rows), compare_ids);
    }
}

static enum status delete_facts(struct day *d, const struct pack *k, struct roll_deltas *rolls,
                                struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < k->n_deletes; i++) {
        const struct fact_key *key = &k->deletes[i];
        bool was_there;
        if (key->day != d->number)
            continue;
        s = fact_delete(d, key, &was_there, e);
        if (was_there)
            roll_deltas_recompute(rolls, key->day, key->fn, key->ts_ns);
    }
    return s;
}

static void count_fact(struct roll_deltas *rolls, size_t *near, int64_t day, const struct fact *f)
{
    struct invocation inv;

    fact_to_sums(f, &inv);
    stats_add_invocation(roll_deltas_at(rolls, near, day, f->fn, f->ts_ns), &inv);
}

static struct fact_order order_facts(const struct pack *k, struct arena *a)
{
    struct fact_order all = {arena_new(a, struct fact_place, k->n_facts + 1), 0};

    for (size_t i = 0; i < k->n_facts; i++) {
        const struct pack_fact *pf = &k->facts[i];
        if (!pf->is_dead)
            all.rows[all.n++] = place_of(pf);
    }
    sort_places(&all);
    return all;
}

/* The first ones are of the day, if any is; they are cut off. */
static struct fact_order cut_day(struct fact_order *all, int64_t day)
{
    struct fact_order of_day = {all->rows, 0};

    if (all->n > 0 && all->rows[0].of->day == day)
        of_day.n = 1;
    while (of_day.n > 0 && of_day.n < all->n && is_same_day(all->rows, &all->rows[of_day.n]))
        of_day.n++;
    all->rows += of_day.n;
    all->n -= of_day.n;
    return of_day;
}

static enum status insert_facts(struct day *d, struct roll_deltas *rolls,
                                const struct fact_order *own, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct fact **facts = arena_new(&a, const struct fact *, own->n + 1);
    size_t near = 0;

    for (size_t i = 0; i < own->n; i++) {
        if (i + FACTS_AHEAD < own->n)
            fact_fetch(&own->rows[i + FACTS_AHEAD].of->fact);
        facts[i] = &own->rows[i].of->fact;
        if (!(facts[i]->evidence & EV_FORGED))
            count_fact(rolls, &near, d->number, facts[i]);
    }
    return facts_insert(d, facts, own->n, e);
}

/* --- request ids --- */

static enum status write_ids(struct day *d, const struct fact_order *own, struct err *e)
{
    AUTO(mem_free_ptr) uint8_t *entries = xmalloc((own->n + 1) * ID_ENTRY_BYTES);

    for (size_t i = 0; i < own->n; i++) {
        const struct fact *f = &own->rows[i].of->fact;
        struct id_entry en = {id_prefix(f->id), f->fn,
                              (uint32_t)((f->ts_ns - d->number * NS_PER_DAY) / NS_PER_SEC)};
        id_entry_pack(&en, entries + i * ID_ENTRY_BYTES);
    }
    return ids_add(d, entries, own->n, e);
}

/* --- chunks and events --- */

static enum status write_head(struct day *d, const struct packed_chunk *c, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    enum status s =
        prepare_once(d->db, &d->insert_head,
                     "insert into chunk_head(id, shard, t0, t1, raw, levels, stored, tally) "
                     "values(?,?,?,?,?,?,?,?)",
                     e);

    if (s != OK)
        return s;
    sql_bind_i64(d->insert_head, 1, c->id);
    sql_bind_i64(d->insert_head, 2, c->shard);
    sql_bind_i64(d->insert_head, 3, c->t0_ns - base);
    sql_bind_i64(d->insert_head, 4, c->t1_ns - base);
    sql_bind_i64(d->insert_head, 5, (int64_t)c->raw_bytes);
    sql_bind_i64(d->insert_head, 6, c->level_mask);
    sql_bind_i64(d->insert_head, 7, (int64_t)c->data.n);
    sql_bind_blob(d->insert_head, 8, c->tally);
    return sql_run(d->insert_head, e);
}

static enum status write_chunk(struct day *d, const struct packed_chunk *c, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;

    if (prepare_once(
            d->db, &d->insert_chunk,
            "insert into chunk(id, shard, t0, t1, n, raw, levels, data) values(?,?,?,?,?,?,?,?)",
            e) != OK ||
        prepare_once(d->db, &d->insert_seen,
                     "insert into seen(chunk, shard, t0, t1, hashes, sum) values(?,?,?,?,?,?)",
                     e) != OK)
        return e ? e->code : ERR_IO;
    sql_bind_i64(d->insert_chunk, 1, c->id);
    sql_bind_i64(d->insert_chunk, 2, c->shard);
    sql_bind_i64(d->insert_chunk, 3, c->t0_ns - base);
    sql_bind_i64(d->insert_chunk, 4, c->t1_ns - base);
    sql_bind_i64(d->insert_chunk, 5, (int64_t)c->n_lines);
    sql_bind_i64(d->insert_chunk, 6, (int64_t)c->raw_bytes);
    sql_bind_i64(d->insert_chunk, 7, c->level_mask);
    sql_bind_blob(d->insert_chunk, 8, c->data);
    enum status s = sql_run(d->insert_chunk, e);
    sql_bind_i64(d->insert_seen, 1, c->id);
    sql_bind_i64(d->insert_seen, 2, c->shard);
    sql_bind_i64(d->insert_seen, 3, c->t0_ns - base);
    sql_bind_i64(d->insert_seen, 4, c->t1_ns - base);
    struct str hashes = {(const char *)c->seen, c->n_lines * sizeof(*c->seen)};
    sql_bind_blob(d->insert_seen, 5, hashes);
    sql_bind_i64(d->insert_seen, 6, blob_sum(hashes, c->id));
    if (s == OK)
        s = sql_run(d->insert_seen, e);
    return s == OK ? write_head(d, c, e) : s;
}

/* Of two that meet in one instant the smaller stays, whichever came first. */
static enum status write_event(struct day *d, const struct pack_event *pe, struct err *e)
{
    const struct instance_event *ev = &pe->event;

    if (prepare_once(d->db, &d->insert_event,
                     "insert into env(stream, ts, kind, dur, status, error, init_type, phase, "
                     "runtime) values(?,?,?,?,?,?,?,?,?)"
                     " on conflict do update set dur = excluded.dur, status = excluded.status,"
                     " error = excluded.error, init_type = excluded.init_type,"
                     " phase = excluded.phase, runtime = excluded.runtime"
                     " where (excluded.error, excluded.status, excluded.init_type, "
                     "excluded.phase, excluded.dur, excluded.runtime)"
                     " < (error, status, init_type, phase, dur, runtime)",
                     e) != OK)
        return e ? e->code : ERR_IO;
    sql_bind_i64(d->insert_event, 1, pe->stream);
    sql_bind_i64(d->insert_event, 2, ev->time_ns - d->number * NS_PER_DAY);
    sql_bind_i64(d->insert_event, 3, ev->kind);
    sql_bind_i64(d->insert_event, 4, ev->arrival > 0 ? -(int64_t)ev->arrival : ev->duration_ns);
    sql_bind_str(d->insert_event, 5, ev->status);
    sql_bind_str(d->insert_event, 6, ev->error_type);
    sql_bind_str(d->insert_event, 7, ev->init_type);
    sql_bind_str(d->insert_event, 8, ev->phase);
    sql_bind_str(d->insert_event, 9, ev->runtime_version);
    return sql_run(d->insert_event, e);
}

/* What facts and lines add to roll-ups goes to `rolls`: the pack stays as it is, it may have to be
 * written again. */
static enum status write_day_rows(struct day *d, struct pack *k, const struct fact_order *own,
                                  struct roll_deltas *rolls, struct err *e)
{
    enum status s = delete_facts(d, k, rolls, e);

    if (s == OK)
        s = insert_facts(d, rolls, own, e);
    if (s == OK)
        s = write_ids(d, own, e);
    for (size_t i = 0; s == OK && i < k->n_chunks; i++)
        if (k->chunks[i].day == d->number) {
            roll_deltas_add_lines(rolls, &k->chunks[i]);
            s = write_chunk(d, &k->chunks[i], e);
        }
    for (size_t i = 0; s == OK && i < k->n_events; i++)
        if (k->events[i].day == d->number)
            s = write_event(d, &k->events[i], e);
    if (s == OK)
        s = live_write_points(d, k, e);
    return s == OK ? spans_write(d, k, e) : s;
}

/* --- days --- */

struct day_list {
    struct pack *pack; /* whose days they become */
    size_t cap;
    struct idmap index;
};

static void want_day(struct day_list *l, int64_t number)
{
    struct pack *k = l->pack;
    bool is_new;

    if (k->days && k->days[k->n_days - 1] == number)
        return;
    idmap_put(&l->index, (uint64_t)number, &is_new);
    if (!is_new)
        return;
    k->days = arena_grow(&k->arena, k->days, k->n_days, &l->cap, sizeof(*k->days));
    k->days[k->n_days++] = number;
}

static int compare_i64(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* facts: those that are written, in their order. */
static void find_days(struct pack *k, const struct fact_order *facts)
{
    struct day_list l = {.pack = k};

    for (size_t i = 0; i < facts->n; i++)
        if (i == 0 || !is_same_day(&facts->rows[i - 1], &facts->rows[i]))
            want_day(&l, facts->rows[i].of->day);
    for (size_t i = 0; i < k->n_deletes; i++)
        want_day(&l, k->deletes[i].day);
    for (size_t i = 0; i < k->n_chunks; i++)
        want_day(&l, k->chunks[i].day);
    for (size_t i = 0; i < k->n_events; i++)
        want_day(&l, k->events[i].day);
    for (size_t i = 0; i < k->n_points; i++)
        want_day(&l, k->points[i].day);
    for (size_t i = 0; i < k->n_spans; i++)
        want_day(&l, day_of(k->spans[i].start_ns));
    assert(k->n_days == 0 || k->days != NULL);
    if (k->n_days > 1)
        qsort(k->days, k->n_days, sizeof(*k->days), compare_i64);
    idmap_clear(&l.index);
}

/* With what was added to its roll-ups. */
static enum status commit_day(struct store *s, int64_t number, struct err *e)
{
    struct day *d;
    enum status status = store_day(s, number, false, &d, e);

    if (status != OK)
        return status;
    assert(d && d->is_written);
    d->is_written = false;
    return store_end_transaction(d->db, roll_apply(d, &s->written.rolls, e), e);
}

/* Their dimensions first: an unused id does no harm. */
static enum status commit_days(struct store *s, struct err *e)
{
    struct written *w = &s->written;
    enum status status =
        meta_write_dims(s, w->packs + w->n_dims_done, w->n_packs - w->n_dims_done, e);

    w->n_dims_done = w->n_packs;
    roll_deltas_sort(&w->rolls);
    for (size_t i = 0; status == OK && i < w->n_days; i++) {
        status = commit_day(s, w->days[i], e);
        if (status == OK && w->is_kept)
            w->packs[0]->n_days_done++;
    }
    if (status != OK)
        return status;
    w->n_days = 0;
    roll_deltas_clear(&w->rolls);
    return OK;
}

/* The day, its transaction open. */
static enum status begin_day(struct store *s, int64_t number, struct day **out, struct err *e)
{
    struct written *w = &s->written;
    enum status status = store_day(s, number, true, out, e);

    if (status != OK || (*out)->is_written)
        return status;
    if (w->n_days == DAYS_WRITTEN_MAX)
        status = commit_days(s, e);
    if (status == OK)
        status = store_day(s, number, true, out, e); /* the one before may have moved */
    if (status == OK)
        status = sql_exec((*out)->db, "begin immediate", e);
    if (status != OK)
        return status;
    (*out)->is_written = true;
    w->days[w->n_days++] = number;
    return OK;
}

/* Days that an attempt before this one has committed are left out. */
static enum status write_rows(struct store *s, struct pack *k, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct written *w = &s->written;
    const size_t n_done = k->n_days_done;
    enum status status = OK;

    struct fact_order facts = order_facts(k, &a);
    if (k->days == NULL)
        find_days(k, &facts);
    for (size_t i = 0; status == OK && i < k->n_days; i++) {
        struct fact_order own = cut_day(&facts, k->days[i]);
        struct day *d;
        if (i < n_done)
            continue;
        status = begin_day(s, k->days[i], &d, e);
        if (status != OK)
            break;
        status = write_day_rows(d, k, &own, &w->rolls, e);
    }
    return status;
}

/* --- packs --- */

void pack_free_rows(struct pack *k)
{
    idmap_clear(&k->fact_index);
    idmap_clear(&k->delete_index);
    for (size_t i = 0; i < k->n_chunks; i++)
        packed_chunk_clear(&k->chunks[i]);
    free(k->facts);
    arena_clear(&k->rows_arena);
    k->facts = NULL;
    k->chunks = NULL;
    k->deletes = NULL;
    k->n_facts = k->n_facts_found = k->n_chunks = k->n_deletes = 0;
}

void pack_free(struct pack *k)
{
    if (!k)
        return;
    pack_free_rows(k);
    arena_clear(&k->arena);
    free(k);
}

/* --- the doors --- */

/* Hours of functions: beyond so many their pages no longer wait in SQLite's cache for the commit,
 * but are written to be read again. */
#define ROLLS_WRITTEN_MAX ((size_t)600)

/* Of chunks: SQLite's cache holds the pages of twice as much, with all else. Beyond, it would write
 * pages into the log that change once more, and read all of the log again at the commit. */
#define BYTES_WRITTEN_MAX ((uint64_t)3 << 20)

static bool is_time_to_settle(const struct store *s)
{
    const struct written *w = &s->written;
    struct clock clock = clock_system();

    return w->n_packs == PACKS_WRITTEN_MAX || w->rolls.n >= ROLLS_WRITTEN_MAX ||
           w->chunk_bytes >= BYTES_WRITTEN_MAX ||
           atomic_load(&s->wanted) > atomic_load(&s->committed) ||
           clock_monotonic(&clock) - w->since_ns >= NS_PER_SEC;
}

static void forget_written(struct store *s, const struct pack *kept)
{
    struct written *w = &s->written;

    for (size_t i = 0; i < w->n_packs; i++)
        if (w->packs[i] != kept)
            pack_free(w->packs[i]);
    roll_deltas_clear(&w->rolls);
    *w = (struct written){0};
}

/* Takes back what is not committed; the pack at hand stays the caller's. */
static void roll_back(struct store *s, const struct pack *k)
{
    for (size_t i = 0; i < s->n_days; i++)
        if (s->days[i].is_written) {
            enum status undone = sql_exec(s->days[i].db, "rollback", NULL);
            UNUSED(undone); /* SQLite may have rolled back by itself */
            s->days[i].is_written = false;
        }
    forget_written(s, k);
}

void store_give_up(struct store *s)
{
    atomic_store(&s->has_failed, true);
}

static enum status take_back(struct store *s, const struct pack *k, struct err *e)
{
    roll_back(s, k);
    store_give_up(s);
    return err_wrap(e, "store");
}

/* A full or read-only disk, one that fails, a file that somebody locks: it may pass. */
static bool may_pass(enum status status)
{
    return status == ERR_IO || status == ERR_AGAIN;
}

static enum status hold(struct store *s, const struct pack *k, enum status status, struct err *e)
{
    struct clock clock = clock_system();

    if (!may_pass(status))
        return take_back(s, k, e);
    roll_back(s, k);
    if (atomic_load(&s->held_since_ns) == 0)
        atomic_store(&s->held_since_ns, clock_now(&clock));
    writer_holds(s, true);
    if (e)
        e->code = ERR_AGAIN;
    return ERR_AGAIN;
}

int64_t store_held_since(const struct store *s)
{
    return atomic_load(&s->held_since_ns);
}

static enum status settle(struct store *s, struct err *e)
{
    const struct written *w = &s->written;
    enum status status = w->n_packs > 0 ? store_is_whole(s, e) : OK;

    if (w->n_packs > 0 && status == OK)
        status = commit_days(s, e);
    if (w->n_packs == 0 || status != OK)
        return status;
    status = meta_write_rest(s, w->packs, w->n_packs, e);
    if (status != OK)
        return status;
    atomic_store(&s->committed, w->packs[w->n_packs - 1]->number);
    forget_written(s, NULL);
    return OK;
}

static uint64_t bytes_of_chunks(const struct pack *k)
{
    uint64_t n = 0;

    for (size_t i = 0; i < k->n_chunks; i++)
        n += k->chunks[i].data.n + k->chunks[i].n_lines * sizeof(*k->chunks[i].seen);
    return n;
}

static enum status write_pack(struct store *s, struct pack *k, bool is_kept, struct err *e)
{
    struct written *w = &s->written;
    struct clock clock = clock_system();

    assert(!is_kept || w->n_packs == 0);
    w->is_kept = is_kept;

    if (w->n_packs == 0)
        w->since_ns = clock_monotonic(&clock);
    w->packs[w->n_packs++] = k;
    enum status status = press_chunks(&s->press, k, e);
    w->chunk_bytes += bytes_of_chunks(k);
    if (status == OK)
        status = write_rows(s, k, e);
    if (status == OK && !is_kept)
        pack_free_rows(k);
    return status;
}

bool store_is_settled(const struct store *s)
{
    return s->written.n_packs == 0;
}

enum status store_settle(struct store *s, bool is_forced, struct err *e)
{
    enum status status = is_forced || is_time_to_settle(s) ? settle(s, e) : OK;

    return status == OK ? OK : take_back(s, NULL, e);
}

enum status store_write(struct store *s, struct pack *k, struct err *e)
{
    if (s->is_null) {
        atomic_store(&s->committed, k->number);
        pack_free(k);
        return OK;
    }
    enum status status = write_pack(s, k, false, e);
    if (status == OK && is_time_to_settle(s))
        status = settle(s, e);
    return status == OK ? OK : take_back(s, k, e);
}

enum status store_commit(struct store *s, struct pack *k, struct err *e)
{
    if (s->is_null)
        return store_write(s, k, e);
    enum status status = write_pack(s, k, true, e);
    if (status == OK)
        status = settle(s, e);
    if (status != OK)
        return hold(s, k, status, e);
    if (atomic_exchange(&s->held_since_ns, 0) != 0)
        writer_holds(s, false);
    return OK;
}
