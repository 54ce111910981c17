/* Roll-ups: sums per function and hour, and per function and day, kept in the day file and written
 * in the transaction of the facts they count. Adding is enough while facts are only added; an hour
 * in which a stored fact was replaced is counted again from its facts, so roll-ups are always equal
 * to what they sum up. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/fact_store.h"
#include "core/store/gone.h"

/* --- stats as bytes --- */

void wide_pack(struct buf *out, wide v)
{
    assert(v >= 0);
    buf_add_varint(out, (uint64_t)(v >> 62));
    buf_add_varint(out, (uint64_t)(v & (((wide)1 << 62) - 1)));
}

/* Of some it is as good as of none: a reader counts the facts then (fill_provisioned). */
static bool knows_provisioned(const struct stats *s)
{
    return s->provisioned_known > 0 && s->provisioned_known == s->start[START_PROVISIONED];
}

/* A size is of whole MB; its lowest bit says that the fullest attempt follows: it is not the one
 * that used most at the largest size. */
#define HAS_FULLEST UINT64_C(1)

static void pack_memory(const struct stats *s, struct buf *out)
{
    const bool is_told =
        s->memory_size_bytes > 0 && (s->fullest_used_bytes != s->max_memory_used_bytes ||
                                     s->fullest_size_bytes != s->memory_size_bytes);

    assert((s->memory_size_bytes & HAS_FULLEST) == 0);
    buf_add_varint(out, s->max_memory_used_bytes);
    buf_add_varint(out, s->memory_size_bytes | (is_told ? HAS_FULLEST : 0));
    if (!is_told)
        return; /* as before migration 18 */
    buf_add_varint(out, s->fullest_used_bytes);
    buf_add_varint(out, s->fullest_size_bytes);
}

static void read_memory(struct varint_reader *r, struct stats *s)
{
    s->max_memory_used_bytes = varint_read(r);
    s->memory_size_bytes = varint_read(r);
    const bool is_told = (s->memory_size_bytes & HAS_FULLEST) != 0;
    s->memory_size_bytes &= ~HAS_FULLEST;
    s->fullest_used_bytes = is_told                    ? varint_read(r)
                            : s->memory_size_bytes > 0 ? s->max_memory_used_bytes
                                                       : 0;
    s->fullest_size_bytes = is_told ? varint_read(r) : s->memory_size_bytes;
}

void stats_pack(const struct stats *s, struct buf *out)
{
    buf_add_varint(out, s->n);
    for (int i = 0; i < OUTCOMES; i++)
        buf_add_varint(out, s->outcome[i]);
    for (int i = 0; i < START_KINDS; i++)
        buf_add_varint(out, s->start[i]);
    const uint64_t numbers[] = {
        s->retries,
        (uint64_t)s->sum_duration_ns,
        (uint64_t)s->sum_init_ns,
        (uint64_t)s->sum_billed_ns,
        (uint64_t)s->max_duration_ns,
    };
    const uint64_t counts[] = {s->unpriced, s->log_events, s->log_bytes, s->log_errors};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        buf_add_varint(out, numbers[i]);
    pack_memory(s, out);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        buf_add_varint(out, counts[i]);
    const wide sums[] = {s->mb_ms, s->mb_ms_arm,   s->storage_mb_ms,
                         s->cost,  s->cost_failed, s->cost_init};
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        wide_pack(out, sums[i]);
    AUTO(buf_clear) struct buf h = {.max = 1u << 20};
    buf_reserve(&h, 16 + 4 * s->duration.n); /* mostly */
    histogram_pack(&s->duration, &h);
    buf_add_varint(out, h.n);
    buf_add_str(out, buf_str(&h));
    histogram_pack(&s->init, out);
    const bool is_told = knows_provisioned(s);
    if (s->restores_known == 0 && !is_told)
        return; /* as before migration 10 */
    buf_add_varint(out, s->restores_known);
    wide_pack(out, s->restored_mb);
    if (!is_told)
        return; /* as before migration 16 */
    wide_pack(out, s->provisioned_mb_ms);
    wide_pack(out, s->provisioned_mb_ms_arm);
}

wide wide_unpack(struct varint_reader *r)
{
    wide high = varint_read(r);

    return high << 62 | (wide)varint_read(r);
}

static void read_numbers(struct varint_reader *r, struct stats *s)
{
    s->n = varint_read(r);
    for (int i = 0; i < OUTCOMES; i++)
        s->outcome[i] = varint_read(r);
    for (int i = 0; i < START_KINDS; i++)
        s->start[i] = varint_read(r);
    s->retries = varint_read(r);
    s->sum_duration_ns = (int64_t)varint_read(r);
    s->sum_init_ns = (int64_t)varint_read(r);
    s->sum_billed_ns = (int64_t)varint_read(r);
    s->max_duration_ns = (int64_t)varint_read(r);
    read_memory(r, s);
    s->unpriced = varint_read(r);
    s->log_events = varint_read(r);
    s->log_bytes = varint_read(r);
    s->log_errors = varint_read(r);
    s->mb_ms = wide_unpack(r);
    s->mb_ms_arm = wide_unpack(r);
    s->storage_mb_ms = wide_unpack(r);
    s->cost = wide_unpack(r);
    s->cost_failed = wide_unpack(r);
    s->cost_init = wide_unpack(r);
}

/* A packed histogram tells its own end: n, then n buckets with their counts. */
static struct str cut_histogram(struct varint_reader *r)
{
    const struct str from = r->rest;
    const uint64_t n = varint_read(r);

    for (uint64_t i = 0; i < n && !r->is_bad; i++) {
        varint_read(r);
        varint_read(r);
    }
    return str_sub(from, 0, from.n - r->rest.n);
}

/* Sums of before migration 10 end here, those of before migration 16 after the restores. */
static void read_tail(struct varint_reader *r, struct stats *s)
{
    if (r->rest.n == 0)
        return;
    s->restores_known = varint_read(r);
    s->restored_mb = wide_unpack(r);
    r->is_bad = r->is_bad || s->restores_known > s->start[START_SNAPSTART];
    if (r->is_bad || r->rest.n == 0)
        return;
    s->provisioned_mb_ms = wide_unpack(r);
    s->provisioned_mb_ms_arm = wide_unpack(r);
    s->provisioned_known = s->start[START_PROVISIONED];
    r->is_bad = r->is_bad || r->rest.n > 0 || s->provisioned_known == 0;
}

bool stats_unpack(struct str packed, struct stats *add_to)
{
    struct varint_reader r = {packed, false};
    struct stats s = {0};

    read_numbers(&r, &s);
    struct str duration = bytes_read(&r, varint_read(&r));
    struct str init = cut_histogram(&r);
    read_tail(&r, &s);
    if (r.is_bad)
        return false;
    stats_merge(add_to, &s);
    return histogram_unpack(duration, &add_to->duration) && histogram_unpack(init, &add_to->init);
}

static void settle_histogram(struct histogram *h, struct arena *a)
{
    struct histogram copy = *h;

    if (h->n > 0) {
        copy.bucket = arena_alloc(a, h->n * sizeof(*h->bucket));
        copy.count = arena_alloc(a, h->n * sizeof(*h->count));
        memcpy(copy.bucket, h->bucket, h->n * sizeof(*h->bucket));
        memcpy(copy.count, h->count, h->n * sizeof(*h->count));
    } else {
        copy.bucket = NULL;
        copy.count = NULL;
    }
    copy.cap = copy.n;
    histogram_clear(h);
    *h = copy;
}

void stats_settle(struct stats *s, struct arena *a)
{
    settle_histogram(&s->duration, a);
    settle_histogram(&s->init, a);
}

/* --- deltas --- */

void roll_deltas_clear(struct roll_deltas *d)
{
    for (size_t i = 0; i < d->n; i++)
        stats_clear(&d->rows[i].add);
    free(d->rows);
    idmap_clear(&d->index);
    *d = (struct roll_deltas){0};
}

/* Function, day and hour in one key: 32 + 24 + 5 bits. */
static uint64_t delta_key(const struct roll_key *k)
{
    return (uint64_t)k->fn << 32 | ((uint64_t)k->day & 0xFFFFFF) << 8 | k->slot;
}

static struct roll_delta *delta_at(struct roll_deltas *d, struct roll_key k)
{
    bool is_new;
    uint64_t *at = idmap_put(&d->index, delta_key(&k), &is_new);

    if (!is_new)
        return &d->rows[*at];
    *at = d->n;
    d->rows = mem_grow(d->rows, d->n, &d->cap, sizeof(*d->rows));
    d->rows[d->n] = (struct roll_delta){.key = k};
    return &d->rows[d->n++];
}

static struct roll_key key_of(int64_t day, uint32_t fn, int64_t ts_ns)
{
    return (struct roll_key){day, fn, (unsigned)((ts_ns - day * NS_PER_DAY) / NS_PER_HOUR)};
}

struct stats *roll_deltas_at(struct roll_deltas *d, size_t *near, int64_t day, uint32_t fn,
                             int64_t ts_ns)
{
    const struct roll_key k = key_of(day, fn, ts_ns);

    if (*near >= d->n || delta_key(&d->rows[*near].key) != delta_key(&k))
        *near = (size_t)(delta_at(d, k) - d->rows);
    return &d->rows[*near].add;
}

void roll_deltas_recompute(struct roll_deltas *d, int64_t day, uint32_t fn, int64_t ts_ns)
{
    delta_at(d, key_of(day, fn, ts_ns))->must_recompute = true;
}

void roll_deltas_add_lines(struct roll_deltas *d, const struct packed_chunk *c)
{
    for (size_t i = 0; i < c->n_sums; i++) {
        const struct tally_row *row = &c->sums[i];
        add_counts(&delta_at(d, (struct roll_key){c->day, row->fn, row->hour})->add, &row->counts);
    }
}

/* --- applying --- */

static enum status prepare_once(struct day *d, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(d->db, str_from(text), st, e);
}

static enum status load_roll(struct day *d, uint32_t fn, unsigned slot, struct stats *add_to,
                             struct err *e)
{
    bool has_row = false;

    if (prepare_once(d, &d->get_roll, "select data, t0, t1 from roll where fn = ? and slot = ?",
                     e) != OK)
        return e ? e->code : ERR_IO;
    sql_bind_i64(d->get_roll, 1, fn);
    sql_bind_i64(d->get_roll, 2, slot);
    enum status s = sql_step(d->get_roll, &has_row, e);
    if (s == OK && has_row && !stats_unpack(sql_blob(d->get_roll, 0), add_to))
        s = err_set(e, ERR_PARSE, STR_FMT ": a damaged roll-up", STR_ARG(sql_path(d->db)));
    if (s == OK && has_row && !sql_is_null(d->get_roll, 1)) {
        int64_t base = d->number * NS_PER_DAY;
        const struct stats bounds = {.first_ns = base + sql_i64(d->get_roll, 1),
                                     .last_ns = base + sql_i64(d->get_roll, 2)};
        stats_merge(add_to, &bounds);
    }
    sql_reset(d->get_roll);
    return s;
}

static enum status save_roll(struct day *d, uint32_t fn, unsigned slot, const struct stats *s,
                             struct err *e)
{
    AUTO(buf_clear) struct buf data = {.max = 1u << 20};

    if (prepare_once(d, &d->put_roll,
                     "insert or replace into roll(fn, slot, data, t0, t1) values(?,?,?,?,?)",
                     e) != OK)
        return e ? e->code : ERR_IO;
    buf_reserve(&data, 1024); /* mostly */
    stats_pack(s, &data);
    sql_bind_i64(d->put_roll, 1, fn);
    sql_bind_i64(d->put_roll, 2, slot);
    sql_bind_blob(d->put_roll, 3, buf_str(&data));
    if (s->first_ns != 0) {
        sql_bind_i64(d->put_roll, 4, s->first_ns - d->number * NS_PER_DAY);
        sql_bind_i64(d->put_roll, 5, s->last_ns - d->number * NS_PER_DAY);
    }
    return sql_run(d->put_roll, e);
}

enum status fact_count(void *ctx, const struct fact *f, struct err *e)
{
    struct invocation inv;

    UNUSED(e);
    fact_to_sums(f, &inv);
    stats_add_invocation(ctx, &inv);
    return OK;
}

enum status facts_sum(struct day *d, uint32_t fn, struct range r, struct stats *out, struct err *e)
{
    return facts_each(d, fn, r, (struct fact_sink){fact_count, out, false}, e);
}

static struct range range_of_slot(const struct day *d, unsigned slot)
{
    const int64_t day_ns = d->number * NS_PER_DAY, since_ns = day_ns + slot * NS_PER_HOUR;

    return slot == ROLL_DAY_SLOT ? (struct range){day_ns, day_ns + NS_PER_DAY}
                                 : (struct range){since_ns, since_ns + NS_PER_HOUR};
}

/* The facts of one hour counted again. */
static enum status count_hour(struct day *d, const struct roll_key *k, struct stats *out,
                              struct err *e)
{
    return facts_sum(d, k->fn, range_of_slot(d, k->slot), out, e);
}

/* Roll-ups of before migration 16 do not tell provisioned durations apart; their facts do. */
static enum status fill_provisioned(struct day *d, uint32_t fn, unsigned slot, struct stats *s,
                                    struct err *e)
{
    struct stats counted = {0};

    if (s->provisioned_known == s->start[START_PROVISIONED])
        return OK;
    const enum status status = facts_sum(d, fn, range_of_slot(d, slot), &counted, e);
    s->provisioned_mb_ms = counted.provisioned_mb_ms;
    s->provisioned_mb_ms_arm = counted.provisioned_mb_ms_arm;
    s->provisioned_known = s->start[START_PROVISIONED];
    stats_clear(&counted);
    return status;
}

static enum status add_roll(struct day *d, uint32_t fn, const struct sql_stmt *row,
                            struct stats *out, struct err *e)
{
    struct stats s = {0};
    enum status status = OK;

    if (stats_unpack(sql_blob(row, 1), &s))
        status = fill_provisioned(d, fn, (unsigned)sql_i64(row, 0), &s, e);
    else
        status = err_set(e, ERR_PARSE, STR_FMT ": a damaged roll-up: run `fnscope db verify`",
                         STR_ARG(sql_path(d->db)));
    if (status == OK)
        stats_merge(out, &s);
    stats_clear(&s);
    return status;
}

enum status rolls_sum(struct day *d, uint32_t fn, unsigned low, unsigned high, struct stats *out,
                      struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        d->db, STR("select slot, data from roll where fn = ? and slot between ? and ?"), &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, fn);
    sql_bind_i64(st, 2, low);
    sql_bind_i64(st, 3, high);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        if ((s = add_roll(d, fn, st, out, e)) != OK)
            break;
    sql_finalize(st);
    return s;
}

static void keep_log_sums(struct stats *to, const struct stats *from)
{
    to->log_events += from->log_events;
    to->log_bytes += from->log_bytes;
    to->log_errors += from->log_errors;
}

/* New content of one hour. */
static enum status new_hour(struct day *d, const struct roll_delta *delta, struct stats *out,
                            struct err *e)
{
    if (!delta->must_recompute) {
        stats_merge(out, &delta->add);
        return load_roll(d, delta->key.fn, delta->key.slot, out, e);
    }
    struct stats old = {0};
    enum status status = load_roll(d, delta->key.fn, delta->key.slot, &old, e);
    keep_log_sums(out, &old);
    keep_log_sums(out, &delta->add);
    stats_clear(&old);
    return status == OK ? count_hour(d, &delta->key, out, e) : status;
}

/* What counted before and does not now. */
static enum status note_fall(struct day *d, uint32_t fn, const struct stats *now, struct err *e)
{
    struct stats was = {0};
    enum status status = load_roll(d, fn, ROLL_DAY_SLOT, &was, e);

    if (status == OK)
        status = gone_note_fall(d, fn, &was, now, e);
    stats_clear(&was);
    return status;
}

/* The day is the sum of its hours when one of them was counted again, else it grows like they do.
 * rows are the n hours of one function that changed. */
static enum status new_day(struct day *d, const struct roll_delta *rows, size_t n, struct err *e)
{
    struct stats sum = {0};
    bool must_recompute = false;
    enum status status = OK;

    for (size_t i = 0; i < n; i++)
        must_recompute = must_recompute || rows[i].must_recompute;
    for (unsigned slot = 0; must_recompute && status == OK && slot < ROLL_DAY_SLOT; slot++)
        status = load_roll(d, rows[0].key.fn, slot, &sum, e);
    if (must_recompute && status == OK)
        status = note_fall(d, rows[0].key.fn, &sum, e);
    for (size_t i = 0; !must_recompute && i < n; i++)
        stats_merge(&sum, &rows[i].add);
    if (!must_recompute)
        status = load_roll(d, rows[0].key.fn, ROLL_DAY_SLOT, &sum, e);
    if (status == OK)
        status = save_roll(d, rows[0].key.fn, ROLL_DAY_SLOT, &sum, e);
    stats_clear(&sum);
    return status;
}

static int compare_deltas(const void *a, const void *b)
{
    const struct roll_delta *x = a, *y = b;

    if (x->key.day != y->key.day)
        return x->key.day < y->key.day ? -1 : 1;
    if (x->key.fn != y->key.fn)
        return x->key.fn < y->key.fn ? -1 : 1;
    return (x->key.slot > y->key.slot) - (x->key.slot < y->key.slot);
}

static void roll_deltas_index(struct roll_deltas *d)
{
    idmap_reset(&d->index);
    for (size_t i = 0; i < d->n; i++)
        *idmap_put(&d->index, delta_key(&d->rows[i].key), NULL) = i;
}

void roll_deltas_sort(struct roll_deltas *d)
{
    if (d->n > 1)
        qsort(d->rows, d->n, sizeof(*d->rows), compare_deltas);
    roll_deltas_index(d);
}

/* All changed hours of one function in this day, then its day. */
static enum status apply_function(struct day *day, const struct roll_delta *rows, size_t n,
                                  struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < n; i++) {
        struct stats hour = {0};
        status = new_hour(day, &rows[i], &hour, e);
        if (status == OK)
            status = save_roll(day, rows[i].key.fn, rows[i].key.slot, &hour, e);
        stats_clear(&hour);
    }
    return status == OK ? new_day(day, rows, n, e) : status;
}

enum status roll_apply(struct day *day, const struct roll_deltas *d, struct err *e)
{
    enum status status = OK;
    size_t n;

    for (size_t i = 0; status == OK && i < d->n; i += n) {
        for (n = 1; i + n < d->n && d->rows[i + n].key.day == d->rows[i].key.day &&
                    d->rows[i + n].key.fn == d->rows[i].key.fn;)
            n++;
        if (d->rows[i].key.day == day->number)
            status = apply_function(day, &d->rows[i], n, e);
    }
    return status;
}
