/* Look-up by request id: the blobs that may hold its prefix, then the facts of that function and
 * second. */
#include <string.h>

#include "core/store/id_groups.h"

static void put_be(uint8_t *out, uint32_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v >>= 8)
        out[i] = (uint8_t)v;
}

static uint32_t get_be(const uint8_t *in, size_t n)
{
    uint32_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | in[i];
    return v;
}

void id_entry_pack(const struct id_entry *en, uint8_t out[ID_ENTRY_BYTES])
{
    put_be(out, en->prefix, 4);
    put_be(out + 4, en->fn, 4);
    put_be(out + 8, en->second, 3);
}

void id_entry_unpack(const uint8_t in[ID_ENTRY_BYTES], struct id_entry *en)
{
    en->prefix = get_be(in, 4);
    en->fn = get_be(in + 4, 4);
    en->second = get_be(in + 8, 3);
}

static size_t first_not_below(const uint8_t *p, size_t n, uint32_t low)
{
    size_t from = 0, to = n;

    while (from < to) {
        size_t mid = (from + to) / 2;
        if (get_be(p + mid * ID_ENTRY_BYTES, 4) < low)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static enum status scan_blob(struct str blob, int64_t day, struct prefix_range r, id_entry_fn *fn,
                             void *ctx, struct err *e)
{
    const uint8_t *p = (const uint8_t *)blob.p;
    size_t n = blob.n / ID_ENTRY_BYTES;

    for (size_t i = first_not_below(p, n, r.low); i < n; i++) {
        struct id_entry en;
        id_entry_unpack(p + i * ID_ENTRY_BYTES, &en);
        if (en.prefix > r.high)
            break;
        enum status s = fn(ctx, day, &en, e);
        if (s != OK)
            return s;
    }
    return OK;
}

/* Of each run the last blob that does not begin above the lowest prefix, and those behind it. */
static const char *const blobs_of_runs =
    "select entries from id_run r join id_blob b on b.id between"
    " ifnull((select max(id) from id_blob where id between r.id << 32 and (r.id << 32) + ?1),"
    " r.id << 32) and (r.id << 32) + ?2";

/* Before migration 6 a blob stood at the first byte of its first entry and held ids of at most a
 * sixteenth of all. */
static const char *const blobs_of_old_file =
    "select entries from inv_id where b0 between (?1 >> 28) << 4 and ?2 >> 24";

static bool has_runs(struct day *d)
{
    d->has_runs = d->has_runs || schema_has(d->db, "id_run");
    return d->has_runs;
}

struct id_query {
    int64_t day;
    struct prefix_range range;
    id_entry_fn *fn;
    void *ctx;
};

/* *has_given: fn was called. */
static enum status scan_day(struct day *d, const struct id_query *q, bool *has_given, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = true;
    enum status status =
        sql_prepare(d->db, str_from(has_runs(d) ? blobs_of_runs : blobs_of_old_file), &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, q->range.low);
    sql_bind_i64(st, 2, q->range.high);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        *has_given = true;
        status = scan_blob(sql_blob(st, 0), q->day, q->range, q->fn, q->ctx, e);
        if (status != OK)
            break;
    }
    sql_finalize(st);
    return status;
}

enum status id_scan(struct store *s, int64_t day, struct prefix_range r, id_entry_fn *fn, void *ctx,
                    struct err *e)
{
    const struct id_query q = {day, r, fn, ctx};
    struct err failure = {0};
    bool has_given = false;
    struct day *d;
    enum status status = store_day(s, day, false, &d, e);

    if (status != OK || !d)
        return status;
    status = scan_day(d, &q, &has_given, &failure);
    if (!has_given && schema_has_moved(d->db, "id_run", d->has_runs, status))
        return scan_day(d, &q, &has_given, e);
    if (status != OK && e)
        *e = failure;
    return status;
}

/* --- facts of one id --- */

struct places {
    struct id_entry *rows;
    size_t n, cap;
    struct arena *arena;
};

static enum status add_place(void *ctx, int64_t day, const struct id_entry *en, struct err *e)
{
    struct places *p = ctx;

    UNUSED(day);
    UNUSED(e);
    for (size_t i = 0; i < p->n; i++) /* a replaced fact leaves its entry behind */
        if (p->rows[i].fn == en->fn && p->rows[i].second == en->second)
            return OK;
    p->rows = arena_grow(p->arena, p->rows, p->n, &p->cap, sizeof(*p->rows));
    p->rows[p->n++] = *en;
    return OK;
}

struct id_match {
    struct str id;
    struct arena *arena;
    struct fact_sink sink;
};

static enum status give_match(void *ctx, const struct fact *f, struct err *e)
{
    const struct id_match *m = ctx;
    struct fact own = *f;

    if (!fact_has_id(f, m->id))
        return OK;
    fact_settle(&own, m->arena);
    return m->sink.fn(m->sink.ctx, &own, e);
}

enum status facts_by_id(struct store *s, int64_t day, struct str id, struct arena *a,
                        struct fact_sink sink, struct err *e)
{
    struct places places = {.arena = a};
    struct id_match match = {id, a, sink};
    struct day *d;
    uint32_t prefix = id_prefix(id);
    enum status status = OK;

    if (id_scan(s, day, (struct prefix_range){prefix, prefix}, add_place, &places, e) != OK ||
        store_day(s, day, false, &d, e) != OK)
        return e ? e->code : ERR_IO;
    for (size_t i = 0; status == OK && d && i < places.n; i++)
        status = facts_at(d, &places.rows[i],
                          (struct fact_sink){give_match, &match, sink.has_forged}, e);
    return status;
}
