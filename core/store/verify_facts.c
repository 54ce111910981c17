/* Facts: every group holds what its row says; no attempt stands there twice; each is found by its
 * request id. An entry for look-up outlives the fact it was made for when that is replaced, so
 * entries without a fact are none of our business. */
#include "core/store/id_index.h"
#include "core/store/verify_private.h"

/* Entries held at a time: more are looked at in several passes over the facts, each for some of the
 * sixteen ranges of ids. */
#define ENTRIES_AT_ONCE ((uint64_t)1 << 20)
#define ID_GROUPS       16u

struct fact_check {
    struct verifier *verifier;
    struct day *day;
    struct arena arena;         /* of one group */
    struct idmap entries;       /* of this pass: hash -> nothing */
    unsigned first_id, last_id; /* first four bits of the ids of this pass */
    bool is_first_pass;
    struct idmap attempts; /* of the function and hour at hand */
    uint32_t fn;
    unsigned hour;
    uint64_t twice, unfound; /* of the function at hand */
};

static uint64_t entry_hash(const struct id_entry *en)
{
    uint8_t bytes[ID_ENTRY_BYTES];

    id_entry_pack(en, bytes);
    return str_hash((struct str){(const char *)bytes, sizeof(bytes)}, 0);
}

/* --- entries --- */

static enum status keep_entry(void *ctx, int64_t day, const struct id_entry *en, struct err *e)
{
    UNUSED(day);
    UNUSED(e);
    idmap_put(ctx, entry_hash(en), NULL);
    return OK;
}

static enum status read_entries(struct fact_check *k, struct err *e)
{
    const struct prefix_range r = {k->first_id << 28, k->last_id << 28 | ((1u << 28) - 1)};

    idmap_reset(&k->entries);
    return id_scan(k->verifier->store, k->day->number, r, keep_entry, &k->entries, e);
}

/* --- one fact --- */

static void tell_function(struct fact_check *k)
{
    struct verifier *v = k->verifier;

    if (k->twice > 0)
        verify_finding(v, k->day->db,
                       "%llu %s of function " STR_FMT
                       " %s stored twice: import one export of the day's logs into a fresh "
                       "store, a get-log-events answer with --log-stream",
                       (unsigned long long)k->twice, plural(k->twice, "attempt", "attempts"),
                       STR_ARG(verify_fn_name(v, k->fn)), plural(k->twice, "is", "are"));
    if (k->unfound > 0)
        verify_finding(v, k->day->db, "%llu %s of function " STR_FMT " %s not found by request id",
                       (unsigned long long)k->unfound, plural(k->unfound, "attempt", "attempts"),
                       STR_ARG(verify_fn_name(v, k->fn)), plural(k->unfound, "is", "are"));
    k->twice = k->unfound = 0;
}

static void enter_hour(struct fact_check *k, uint32_t fn, unsigned hour)
{
    if (fn == k->fn && hour == k->hour)
        return;
    if (fn != k->fn)
        tell_function(k);
    idmap_reset(&k->attempts);
    k->fn = fn;
    k->hour = hour;
}

/* One row of the same environment, start and id, or of the same id and start that took and cost the
 * same to the nanosecond in what claims to be another environment. */
static bool is_twice(struct fact_check *k, const struct fact *f)
{
    bool is_new, is_new_anywhere;
    const int64_t numbers[] = {f->ts_ns, f->duration_ns, f->billed_ns, f->init_ns,
                               (int64_t)f->used_mb};
    uint64_t anywhere =
        str_hash(f->id, str_hash((struct str){(const char *)numbers, sizeof(numbers)}, 1));

    idmap_put(&k->attempts, str_hash(f->id, (uint64_t)f->ts_ns ^ (uint64_t)f->stream << 48),
              &is_new);
    idmap_put(&k->attempts, anywhere, &is_new_anywhere);
    return !is_new || (!is_new_anywhere && f->duration_ns > 0);
}

static void check_fact(struct fact_check *k, const struct fact *stored)
{
    struct fact f = *stored;

    fact_settle(&f, &k->arena);
    const struct id_entry en = {id_prefix(f.id), f.fn, (uint32_t)(f.ts_ns / NS_PER_SEC)};
    if (k->is_first_pass && f.id.n > 0 && !(f.evidence & EV_FORGED)) /* which do not count */
        k->twice += is_twice(k, &f);
    if (en.prefix >> 28 >= k->first_id && en.prefix >> 28 <= k->last_id)
        k->unfound += idmap_get(&k->entries, entry_hash(&en)) == NULL;
}

/* --- groups --- */

enum { G_ID, G_N, G_T0, G_T1, G_DATA, G_SUM };

/* Readers skip a group whose bounds miss their range, so the bounds must be right. */
static void check_group(struct fact_check *k, const struct sql_stmt *st)
{
    int64_t id = sql_i64(st, G_ID), t0 = sql_i64(st, G_T0), t1 = sql_i64(st, G_T1);
    struct group_reader r;
    struct fact f = {0};
    int64_t count = 0, first_ns = -1;

    arena_reset(&k->arena);
    enter_hour(k, group_fn(id), hour_of_day(t0, 0));
    group_open(&r, group_fn(id), (struct range){t0, t1}, sql_blob(st, G_DATA));
    r.keep = &k->arena;
    for (; group_next(&r, &f); count++) {
        first_ns = count == 0 ? f.ts_ns : first_ns;
        check_fact(k, &f);
    }
    bool is_right =
        !r.in.is_bad && count == sql_i64(st, G_N) && first_ns == t0 && f.ts_ns == t1 &&
        id >= group_first_id(group_fn(id), hour_of_day(t0, 0)) &&
        id <= group_last_id(group_fn(id), hour_of_day(t1, 0)) &&
        (sql_is_null(st, G_SUM) || sql_i64(st, G_SUM) == blob_sum(sql_blob(st, G_DATA), id));
    if (k->is_first_pass && !is_right)
        verify_finding(k->verifier, k->day->db,
                       "group %lld does not hold the %lld invocations it should", (long long)id,
                       (long long)sql_i64(st, G_N));
}

static enum status check_groups(struct fact_check *k, struct err *e)
{
    struct sql *db = k->day->db;
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = sql_prepare(
        db,
        schema_has_sums(db) ? STR("select id, n, t0, t1, data, sum from facts order by id")
                            : STR("select id, n, t0, t1, data, null from facts order by id"),
        &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        verify_note_fn(k->verifier, group_fn(sql_i64(st, G_ID)));
        check_group(k, st);
    }
    sql_finalize(st);
    tell_function(k);
    return s;
}

/* Rows of a file from before migration 4. */
static enum status check_rows(struct fact_check *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = sql_prepare(
        k->day->db, STR("select " FACT_ROW_COLUMNS " from inv order by fn, ts, seq"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fact f;
        fact_row_read(st, 0, &f);
        arena_reset(&k->arena);
        enter_hour(k, f.fn, hour_of_day(f.ts_ns, 0));
        verify_note_fn(k->verifier, f.fn);
        check_fact(k, &f);
    }
    sql_finalize(st);
    tell_function(k);
    return s;
}

static unsigned count_passes(uint64_t entries)
{
    unsigned n = 1;

    while (n < ID_GROUPS && entries / n > ENTRIES_AT_ONCE)
        n *= 2;
    return n;
}

enum status verify_facts(struct verifier *v, struct day *d, struct err *e)
{
    struct fact_check k = {.verifier = v, .day = d, .hour = UINT32_MAX};
    unsigned passes = count_passes(v->n_entries);
    enum status s = OK;

    d->has_groups = d->has_groups || schema_has(d->db, "facts");
    for (unsigned i = 0; s == OK && i < passes; i++) {
        k.is_first_pass = i == 0;
        k.first_id = i * ID_GROUPS / passes;
        k.last_id = (i + 1) * ID_GROUPS / passes - 1;
        s = read_entries(&k, e);
        if (s == OK)
            s = d->has_groups ? check_groups(&k, e) : check_rows(&k, e);
    }
    idmap_clear(&k.entries);
    idmap_clear(&k.attempts);
    arena_clear(&k.arena);
    return s;
}
