/* Sums by function and hour, straight from the roll-ups: one statement a day. */
#include "core/base/timefmt.h"
#include "core/store/store_private.h"

struct hours {
    struct store *store;
    const struct fn_filter *filter;
    hour_fn *fn;
    void *ctx;
};

static enum status give_hour(const struct hours *h, const struct day *d, struct sql_stmt *st,
                             struct err *e)
{
    struct stats sums = {0};
    uint32_t fn = (uint32_t)sql_i64(st, 0);
    int64_t hour_ns = d->number * NS_PER_DAY + sql_i64(st, 1) * NS_PER_HOUR;

    if (!fn_filter_is_all(h->filter) && !fn_filter_passes(h->filter, dim_fn(h->store, fn)))
        return OK;
    enum status s =
        stats_unpack(sql_blob(st, 2), &sums)
            ? h->fn(h->ctx, fn, hour_ns, &sums, e)
            : err_set(e, ERR_PARSE, STR_FMT ": a damaged roll-up: run `fnscope db verify`",
                      STR_ARG(sql_path(d->db)));
    stats_clear(&sums);
    return s;
}

static enum status hours_of_day(const struct hours *h, struct day *d, struct range r, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    int64_t low = r.since_ns > base ? (r.since_ns - base) / NS_PER_HOUR : 0;
    int64_t high =
        r.until_ns < base + NS_PER_DAY ? (r.until_ns - 1 - base) / NS_PER_HOUR : ROLL_DAY_SLOT - 1;
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        d->db, STR("select fn, slot, data from roll where slot between ? and ? order by fn, slot"),
        &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, low);
    sql_bind_i64(st, 2, high);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        if ((s = give_hour(h, d, st, e)) != OK)
            break;
    sql_finalize(st);
    return s;
}

enum status request_hours(struct store *s, struct range r, const struct fn_filter *f, hour_fn *fn,
                          void *ctx, struct err *e)
{
    struct hours h = {s, f, fn, ctx};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    for (size_t i = 0; status == OK && !s->is_null && i < s->n_day_numbers; i++) {
        int64_t base = s->day_numbers[i] * NS_PER_DAY;
        struct day *d;
        if (r.since_ns >= base + NS_PER_DAY || r.until_ns <= base)
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = hours_of_day(&h, d, r, e);
    }
    return status;
}

const struct fn_ref *store_fn(struct store *s, uint32_t fn_id)
{
    return dim_fn(s, fn_id);
}

struct fn_ref store_fn_in(struct store *s, uint32_t fn_id, struct arena *a)
{
    return dim_fn_in(s, fn_id, a);
}
