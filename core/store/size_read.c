/* The memory sizes of functions outside a range: a day after the other, in each those functions
 * that have none yet. Sums say in which day to look, facts which attempt is the nearest. */
#include "core/store/fact_store.h"

struct size_pass {
    struct store *store;
    struct range range;
    bool is_backwards; /* the newest attempt is wanted, else the oldest */
    struct fn_size *fns;
    size_t n, n_open; /* open: without a size so far */
};

static enum status sums_tell(struct day *d, uint32_t fn, bool *out, struct err *e)
{
    struct stats sums = {0};
    const enum status s = rolls_sum(d, fn, ROLL_DAY_SLOT, ROLL_DAY_SLOT, &sums, e);

    *out = sums.memory_size_bytes > 0;
    stats_clear(&sums);
    return s;
}

/* Among those of one time the last that arrived is the newest. */
static bool is_nearer(const struct size_pass *p, int64_t ts_ns, int64_t than_ns)
{
    return p->is_backwards ? ts_ns >= than_ns : ts_ns < than_ns;
}

static enum status find_in_hour(const struct size_pass *p, struct fact_cursor *c, struct range r,
                                struct fn_size *out, struct err *e)
{
    int64_t at_ns = p->is_backwards ? INT64_MIN : INT64_MAX;
    bool has_fact = false;
    struct invocation inv;
    struct fact f;
    enum status s;

    fact_cursor_seek(c, out->fn_id, r);
    while ((s = fact_cursor_next(c, &f, &has_fact, e)) == OK && has_fact) {
        if (f.memory_mb == 0 || !is_nearer(p, f.ts_ns, at_ns))
            continue;
        fact_to_sums(&f, &inv);
        at_ns = f.ts_ns;
        out->memory_bytes = inv.memory_bytes;
        out->arch = inv.arch;
    }
    return s;
}

static enum status find_in_day(const struct size_pass *p, struct day *d, struct fact_cursor *c,
                               struct fn_size *out, struct err *e)
{
    struct range r = range_of_day(p->range, d->number);
    bool is_told = false;
    enum status s = sums_tell(d, out->fn_id, &is_told, e);

    if (s == OK && is_told)
        s = facts_narrow(d, out->fn_id, &r, e);
    if (s != OK || !is_told || r.since_ns >= r.until_ns)
        return s;
    const unsigned first = hour_of_day(r.since_ns, d->number);
    const unsigned last = hour_of_day(r.until_ns - 1, d->number);
    for (unsigned k = 0; s == OK && out->memory_bytes == 0 && k <= last - first; k++) {
        const unsigned hour = p->is_backwards ? last - k : first + k;
        s = find_in_hour(p, c, range_of_hour(r, d->number, hour), out, e);
    }
    return s;
}

static bool is_open(const struct size_pass *p, const struct fn_size *f)
{
    return f->memory_bytes == 0 && (p->is_backwards || !f->is_past);
}

static enum status look_into_day(struct size_pass *p, int64_t number, struct err *e)
{
    AUTO(fact_cursor_close) struct fact_cursor c = {0};
    struct day *d;
    enum status s = store_day(p->store, number, false, &d, e);

    if (s != OK || !d)
        return s;
    s = fact_cursor_open(&c, d, e);
    for (size_t i = 0; s == OK && i < p->n; i++) {
        if (!is_open(p, &p->fns[i]))
            continue;
        s = find_in_day(p, d, &c, &p->fns[i], e);
        p->n_open -= p->fns[i].memory_bytes > 0;
    }
    return s;
}

static enum status look_into_days(struct size_pass *p, struct err *e)
{
    struct store *s = p->store;
    enum status status = OK;

    for (size_t k = 0; status == OK && p->n_open > 0 && k < s->n_day_numbers; k++) {
        const int64_t day = s->day_numbers[p->is_backwards ? s->n_day_numbers - 1 - k : k];
        if (!range_meets_day(p->range, day))
            continue;
        store_hold(s, range_of_day(p->range, day));
        status = look_into_day(p, day, e);
        store_release(s);
    }
    return status;
}

enum status request_sizes_near(struct store *s, struct range r, struct fn_size *fns, size_t n,
                               struct err *e)
{
    struct size_pass p = {s, {INT64_MIN / 2, r.since_ns}, true, fns, n, n};
    enum status status = s->is_null || n == 0 ? OK : store_scan_days(s, e);

    for (size_t i = 0; i < n; i++)
        fns[i] = (struct fn_size){.fn_id = fns[i].fn_id, .is_past = fns[i].is_past};
    if (s->is_null || n == 0 || status != OK)
        return status;
    status = look_into_days(&p, e);
    p.range = (struct range){r.until_ns, INT64_MAX / 2};
    p.is_backwards = false;
    p.n_open = 0;
    for (size_t i = 0; i < n; i++)
        p.n_open += is_open(&p, &fns[i]);
    return status == OK ? look_into_days(&p, e) : status;
}
