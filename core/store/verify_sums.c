/* Roll-ups: every hour and day of a function, counted again from its facts and lines, must be the
 * bytes that stand there. */
#include "core/store/verify_private.h"

enum { SLOTS = ROLL_DAY_SLOT + 1 };

struct sums_check {
    struct stats slots[SLOTS]; /* counted now */
    bool was_stored[SLOTS];
    struct buf counted; /* a slot as bytes */
};

static void sums_clear(struct sums_check *k)
{
    for (size_t i = 0; i < SLOTS; i++)
        stats_clear(&k->slots[i]);
    buf_clear(&k->counted);
}

static enum status count_slots(struct verifier *v, struct day *d, uint32_t fn,
                               struct sums_check *out, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    enum status s = OK;

    for (unsigned hour = 0; s == OK && hour < ROLL_DAY_SLOT; hour++) {
        const struct range r = {base + hour * NS_PER_HOUR, base + (hour + 1) * NS_PER_HOUR};
        const uint64_t *at = idmap_get(&v->line_index, (uint64_t)fn << 5 | hour);
        struct stats *slot = &out->slots[hour];
        if (at) {
            slot->log_events = v->lines[*at].counts.lines;
            slot->log_bytes = v->lines[*at].counts.bytes;
            slot->log_errors = v->lines[*at].counts.errors;
        }
        s = facts_sum(d, fn, r, slot, e);
        if (s == OK)
            stats_merge(&out->slots[ROLL_DAY_SLOT], slot);
    }
    return s;
}

/* Sums in part of before migration 18 may know of none as full as the fullest is. */
static void take_fullest(struct stats *older, struct str stored)
{
    struct stats was = {0}, fuller = *older;

    if (stats_unpack(stored, &was)) {
        stats_add_fullest(&fuller, was.fullest_used_bytes, was.fullest_size_bytes);
        if (fuller.fullest_used_bytes == older->fullest_used_bytes &&
            fuller.fullest_size_bytes == older->fullest_size_bytes) {
            older->fullest_used_bytes = was.fullest_used_bytes;
            older->fullest_size_bytes = was.fullest_size_bytes;
        }
    }
    stats_clear(&was);
}

static bool is_packed(struct sums_check *k, const struct stats *s, struct str stored)
{
    buf_reset(&k->counted);
    stats_pack(s, &k->counted);
    return str_eq(stored, buf_str(&k->counted));
}

/* Sums in part of before migration 16 do not tell provisioned durations apart. */
static bool is_older(struct sums_check *k, const struct stats *now, struct str stored)
{
    struct stats older = *now;

    take_fullest(&older, stored);
    if (is_packed(k, &older, stored))
        return true;
    older.provisioned_known = 0;
    return is_packed(k, &older, stored);
}

/* Columns: slot, data, t0, t1; bounds since migration 5. */
static bool row_is_right(struct sums_check *k, const struct day *d, const struct sql_stmt *st)
{
    int64_t base = d->number * NS_PER_DAY, slot = sql_i64(st, 0);

    if (slot < 0 || slot >= SLOTS)
        return false;
    const struct stats *now = &k->slots[slot];
    k->was_stored[slot] = true;
    if (!is_packed(k, now, sql_blob(st, 1)) && !is_older(k, now, sql_blob(st, 1)))
        return false;
    if (!d->has_heads)
        return true;
    return now->n == 0
               ? sql_is_null(st, 2) && sql_is_null(st, 3)
               : base + sql_i64(st, 2) == now->first_ns && base + sql_i64(st, 3) == now->last_ns;
}

static enum status compare_slots(struct sums_check *k, struct day *d, uint32_t fn, bool *is_right,
                                 struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s =
        sql_prepare(d->db,
                    day_has_heads(d) ? STR("select slot, data, t0, t1 from roll where fn = ?")
                                     : STR("select slot, data, null, null from roll where fn = ?"),
                    &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, fn);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        *is_right = row_is_right(k, d, st) && *is_right;
    sql_finalize(st);
    for (size_t i = 0; i < SLOTS; i++)
        if (!k->was_stored[i] && (k->slots[i].n > 0 || k->slots[i].log_events > 0))
            *is_right = false;
    return s;
}

static enum status check_function(struct verifier *v, struct day *d, uint32_t fn, struct err *e)
{
    AUTO(sums_clear) struct sums_check k = {.counted.max = 1u << 20};
    bool is_right = true;
    enum status s = count_slots(v, d, fn, &k, e);

    if (s == OK)
        s = compare_slots(&k, d, fn, &is_right, e);
    if (s == OK && !is_right)
        verify_finding(v, d->db, "the sums of function " STR_FMT " differ from its %llu %s",
                       STR_ARG(verify_fn_name(v, fn)), (unsigned long long)k.slots[ROLL_DAY_SLOT].n,
                       plural(k.slots[ROLL_DAY_SLOT].n, "invocation", "invocations"));
    return s;
}

static enum status note_summed(struct verifier *v, struct day *d, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(d->db, STR("select distinct fn from roll"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        verify_note_fn(v, (uint32_t)sql_i64(st, 0));
    sql_finalize(st);
    return s;
}

enum status verify_sums(struct verifier *v, struct day *d, struct err *e)
{
    enum status s = note_summed(v, d, e);

    for (size_t i = 0; s == OK && i < v->n_fns; i++)
        s = check_function(v, d, v->fns[i], e);
    return s;
}
