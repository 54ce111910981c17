/* Writing a pack: dimensions first (an unused id does no harm), then one transaction per day file,
 * then cursors and counters in meta.db. A crash in between means at most that some input is read
 * again, and repeats drop. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/fact_store.h"
#include "core/store/id_index.h"

static enum status prepare_once(struct sql *db, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(db, str_from(text), st, e);
}

/* Runs the writes between begin and commit; undoes everything when one fails. */
static enum status end_transaction(struct sql *db, enum status s, struct err *e)
{
    if (s == OK)
        s = sql_exec(db, "commit", e);
    if (s != OK) {
        enum status undone = sql_exec(db, "rollback", NULL);
        UNUSED(undone); /* SQLite may have rolled back by itself */
    }
    return s;
}

/* --- dimensions --- */

static enum status insert_dim(struct sql_stmt *const st[3], const struct dim_row *d, struct err *e)
{
    struct sql_stmt *s = st[d->kind];

    sql_bind_i64(s, 1, d->id);
    if (d->kind == DIM_TEXT) {
        sql_bind_str(s, 2, d->a);
        return sql_run(s, e);
    }
    sql_bind_i64(s, 2, d->fn);
    sql_bind_str(s, 3, d->a);
    sql_bind_str(s, 4, d->b);
    sql_bind_str(s, 5, d->c);
    if (d->kind == DIM_STREAM)
        sql_bind_i64(s, 6, (int64_t)d->hash);
    return sql_run(s, e);
}

static enum status write_dims(struct store *s, const struct pack *k, struct err *e)
{
    static const char *const texts[] = {
        [DIM_FN] =
            "insert or ignore into fn(id, provider, account, region, name) values(?,?,?,?,?)",
        [DIM_STREAM] = ("insert or ignore into stream(id, fn, log_group, instance, version, hash) "
                        "values(?,?,?,?,?,?)"),
        [DIM_TEXT] = "insert or ignore into text(id, value) values(?,?)",
    };
    struct sql_stmt *st[3] = {NULL};
    enum status status = OK;

    if (k->n_dims == 0)
        return OK;
    for (int i = 0; status == OK && i < 3; i++)
        status = sql_prepare(s->meta, str_from(texts[i]), &st[i], e);
    if (status == OK)
        status = sql_exec(s->meta, "begin immediate", e);
    for (size_t i = 0; status == OK && i < k->n_dims; i++)
        status = insert_dim(st, &k->dims[i], e);
    status = end_transaction(s->meta, status, e);
    for (int i = 0; i < 3; i++)
        sql_finalize(st[i]);
    return status;
}

/* --- facts --- */

static int compare_facts(const void *a, const void *b)
{
    const struct pack_fact *x = a, *y = b;

    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->fact.fn != y->fact.fn)
        return x->fact.fn < y->fact.fn ? -1 : 1;
    if (x->fact.ts_ns != y->fact.ts_ns)
        return x->fact.ts_ns < y->fact.ts_ns ? -1 : 1;
    return str_cmp(x->fact.id, y->fact.id);
}

static enum status delete_facts(struct day *d, struct pack *k, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < k->n_deletes; i++) {
        const struct fact_key *key = &k->deletes[i];
        bool was_there;
        if (key->day != d->number)
            continue;
        s = fact_delete(d, key, &was_there, e);
        if (was_there)
            roll_deltas_recompute(&k->rolls, key->day, key->fn, key->ts_ns);
    }
    return s;
}

static enum status insert_facts(struct day *d, struct pack *k, struct err *e)
{
    const struct fact **facts = arena_new(&k->arena, const struct fact *, k->n_facts + 1);
    size_t n = 0;

    for (size_t i = 0; i < k->n_facts; i++) {
        const struct pack_fact *pf = &k->facts[i];
        struct invocation inv;
        if (pf->day != d->number || pf->is_dead)
            continue;
        facts[n++] = &pf->fact;
        fact_to_sums(&pf->fact, &inv);
        stats_add_invocation(roll_deltas_at(&k->rolls, pf->day, pf->fact.fn, pf->fact.ts_ns), &inv);
    }
    return facts_insert(d, facts, n, e);
}

/* --- request ids --- */

static enum status write_ids(struct day *d, const struct pack *k, struct err *e)
{
    AUTO(mem_free_ptr) uint8_t *entries = xmalloc((k->n_facts + 1) * ID_ENTRY_BYTES);
    size_t n = 0;

    for (size_t i = 0; i < k->n_facts; i++) {
        const struct fact *f = &k->facts[i].fact;
        if (k->facts[i].day != d->number || k->facts[i].is_dead)
            continue;
        struct id_entry en = {id_prefix(f->id), f->fn,
                              (uint32_t)((f->ts_ns - d->number * NS_PER_DAY) / NS_PER_SEC)};
        id_entry_pack(&en, entries + n++ * ID_ENTRY_BYTES);
    }
    return ids_add(d, entries, n, e);
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
    sql_bind_i64(d->insert_event, 4, ev->duration_ns);
    sql_bind_str(d->insert_event, 5, ev->status);
    sql_bind_str(d->insert_event, 6, ev->error_type);
    sql_bind_str(d->insert_event, 7, ev->init_type);
    sql_bind_str(d->insert_event, 8, ev->phase);
    sql_bind_str(d->insert_event, 9, ev->runtime_version);
    return sql_run(d->insert_event, e);
}

static enum status write_day_rows(struct day *d, struct pack *k, struct err *e)
{
    enum status s = delete_facts(d, k, e);

    if (s == OK)
        s = insert_facts(d, k, e);
    if (s == OK)
        s = write_ids(d, k, e);
    for (size_t i = 0; s == OK && i < k->n_chunks; i++)
        if (k->chunks[i].day == d->number)
            s = write_chunk(d, &k->chunks[i], e);
    for (size_t i = 0; s == OK && i < k->n_events; i++)
        if (k->events[i].day == d->number)
            s = write_event(d, &k->events[i], e);
    if (s == OK)
        s = live_write_points(d, k, e);
    return s == OK ? spans_write(d, k, e) : s;
}

/* --- days --- */

struct day_list {
    int64_t *numbers;
    size_t n, cap;
    struct idmap index;
    struct arena *arena;
};

static void want_day(struct day_list *l, int64_t number)
{
    bool is_new;

    idmap_put(&l->index, (uint64_t)number, &is_new);
    if (!is_new)
        return;
    l->numbers = arena_grow(l->arena, l->numbers, l->n, &l->cap, sizeof(*l->numbers));
    l->numbers[l->n++] = number;
}

static int compare_i64(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void days_of_pack(struct pack *k, struct day_list *l)
{
    l->arena = &k->arena;
    for (size_t i = 0; i < k->n_facts; i++)
        want_day(l, k->facts[i].day);
    for (size_t i = 0; i < k->n_deletes; i++)
        want_day(l, k->deletes[i].day);
    for (size_t i = 0; i < k->n_chunks; i++)
        want_day(l, k->chunks[i].day);
    for (size_t i = 0; i < k->n_events; i++)
        want_day(l, k->events[i].day);
    for (size_t i = 0; i < k->n_points; i++)
        want_day(l, k->points[i].day);
    for (size_t i = 0; i < k->n_spans; i++)
        want_day(l, day_of(k->spans[i].start_ns));
    if (l->n > 1)
        qsort(l->numbers, l->n, sizeof(*l->numbers), compare_i64);
    idmap_clear(&l->index);
}

static enum status write_day(struct store *s, int64_t number, struct pack *k, struct err *e)
{
    struct day *d;
    enum status status = store_day(s, number, true, &d, e);

    if (status != OK || (status = sql_exec(d->db, "begin immediate", e)) != OK)
        return status;
    status = write_day_rows(d, k, e);
    roll_deltas_sort(&k->rolls);
    if (status == OK)
        status = roll_apply(d, &k->rolls, e);
    return end_transaction(d->db, status, e);
}

/* --- meta --- */

static enum status write_cursors(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta,
        STR("insert or replace into cursor(source, scope, token, watermark_ns, updated_ns)"
            " values(?,?,?,?,?)"),
        &st, e);

    for (size_t i = 0; status == OK && i < k->n_cursors; i++) {
        sql_bind_str(st, 1, k->cursors[i].source);
        sql_bind_str(st, 2, k->cursors[i].scope);
        sql_bind_str(st, 3, k->cursors[i].token);
        sql_bind_i64(st, 4, k->cursors[i].watermark_ns);
        sql_bind_i64(st, 5, clock_now(&clock));
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

#define QUARANTINE_KEPT "10000"

static enum status write_quarantine(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    struct sql_stmt *st = NULL;
    enum status status = OK;

    if (k->n_quarantine == 0)
        return OK;
    status = sql_prepare(s->meta,
                         STR("insert into quarantine(seen_ns, place, reason, raw) values(?,?,?,?)"),
                         &st, e);
    for (size_t i = 0; status == OK && i < k->n_quarantine; i++) {
        sql_bind_i64(st, 1, clock_now(&clock));
        sql_bind_str(st, 2, k->quarantine[i].place);
        sql_bind_str(st, 3, k->quarantine[i].reason);
        sql_bind_blob(st, 4, k->quarantine[i].raw);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    if (status != OK)
        return status;
    return sql_exec(s->meta,
                    "delete from quarantine where id <= (select max(id) - " QUARANTINE_KEPT
                    " from quarantine)",
                    e);
}

static enum status write_counters(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    const struct {
        const char *name;
        uint64_t add;
    } rows[] = {
        {"read_bytes", k->counts.read_bytes},
        {"events", k->counts.events},
        {"repeats", k->counts.repeats},
        {"late", k->counts.late},
        {"quarantined", k->counts.quarantined},
        {"control_messages", k->counts.control_messages},
        {"unknown_labels", k->counts.unknown_labels},
        {"forged", k->counts.forged},
        {"invalid_utf8", k->counts.invalid_utf8},
        {"untimed", k->counts.untimed},
        {"elsewhere", k->counts.elsewhere},
        {"again", k->counts.again},
        {"generation", 1},
    };
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(s->meta,
                                     STR("insert into counter(name, value) values(?1,?2) on "
                                         "conflict(name) do update set value = value + ?2"),
                                     &st, e);

    for (size_t i = 0; status == OK && i < ARRAY_LEN(rows); i++) {
        sql_bind_str(st, 1, str_from(rows[i].name));
        sql_bind_i64(st, 2, (int64_t)rows[i].add);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    if (status != OK)
        return status;
    status = sql_prepare(
        s->meta, STR("insert or replace into counter(name, value) values('last_commit_ns', ?)"),
        &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, clock_now(&clock));
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status write_configs(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = OK;

    if (k->n_configs == 0)
        return OK;
    status =
        sql_prepare(s->meta,
                    STR("insert or replace into fn_config(fn, valid_from_ns, arch, memory_bytes,"
                        " storage_bytes, timeout_ns, reserved, runtime, version, code_sha256,"
                        " dead_letter, valid_until_ns) values(?,?,?,?,?,?,?,?,?,?,?,?)"),
                    &st, e);
    for (size_t i = 0; status == OK && i < k->n_configs; i++) {
        const struct fn_config *c = &k->configs[i].config;
        const int64_t numbers[] = {k->configs[i].fn,
                                   c->valid_from_ns,
                                   c->arch,
                                   (int64_t)c->memory_bytes,
                                   (int64_t)c->ephemeral_storage_bytes,
                                   c->timeout_ns,
                                   c->reserved_concurrency};
        for (size_t n = 0; n < ARRAY_LEN(numbers); n++)
            sql_bind_i64(st, (int)n + 1, numbers[n]);
        sql_bind_str(st, 8, c->runtime);
        sql_bind_str(st, 9, c->version);
        sql_bind_str(st, 10, c->code_sha256);
        sql_bind_str(st, 11, c->dead_letter);
        sql_bind_i64(st, 12, c->valid_until_ns);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* The newest runtime seen in an INIT_START becomes the function's. */
static enum status write_runtimes(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < k->n_events; i++) {
        if (k->events[i].event.runtime_version.n == 0)
            continue;
        status = prepare_once(s->meta, &st,
                              "update fn set runtime = ?1 where id = ?2 and runtime is not ?1", e);
        if (status != OK)
            break;
        sql_bind_str(st, 1, k->events[i].event.runtime_version);
        sql_bind_i64(st, 2, k->events[i].fn);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* That there is such a day: without its file `db verify` knows that it was lost. Pruning takes the
 * mark along. */
static enum status mark_days(struct store *s, const struct day_list *days, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < days->n; i++) {
        status = prepare_once(
            s->meta, &st, "insert or ignore into counter(name, value) values('day ' || ?1, ?1)", e);
        if (status != OK)
            break;
        sql_bind_i64(st, 1, days->numbers[i]);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

static enum status write_meta(struct store *s, const struct pack *k, const struct day_list *days,
                              struct err *e)
{
    enum status status = sql_exec(s->meta, "begin immediate", e);

    if (status != OK)
        return status;
    static enum status (*const parts[])(struct store *, const struct pack *, struct err *) = {
        write_cursors,  write_quarantine,  write_counters,     write_configs,
        write_runtimes, live_write_queues, live_write_sources,
    };
    for (size_t i = 0; status == OK && i < ARRAY_LEN(parts); i++)
        status = parts[i](s, k, e);
    if (status == OK)
        status = mark_days(s, days, e);
    return end_transaction(s->meta, status, e);
}

static enum status write_pack(struct store *s, struct pack *k, struct err *e)
{
    struct day_list days = {0};
    enum status status = write_dims(s, k, e);

    if (status == OK)
        status = live_write_series(s, k, e);
    days_of_pack(k, &days);
    if (k->n_facts > 1)
        qsort(k->facts, k->n_facts, sizeof(*k->facts), compare_facts);
    for (size_t i = 0; status == OK && i < days.n; i++)
        status = write_day(s, days.numbers[i], k, e);
    return status == OK ? write_meta(s, k, &days, e) : status;
}

enum status store_commit(struct store *s, struct pack *k, struct err *e)
{
    enum status status = s->is_null ? OK : write_pack(s, k, e);

    if (status != OK) {
        atomic_store(&s->has_failed, true);
        return err_wrap(e, "store");
    }
    atomic_store(&s->committed, k->number);
    pack_free(k);
    return OK;
}
