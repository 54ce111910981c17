/* Sums over ranges: whole days and hours from roll-ups, the edges from facts and chunks, so that
 * any range is exact. */
#include "core/base/timefmt.h"
#include "core/store/fact_store.h"

/* --- one function, one day --- */

void add_counts(struct stats *out, const struct line_counts *add)
{
    out->log_events += add->lines;
    out->log_bytes += add->bytes;
    out->log_errors += add->errors;
}

static void count_lines(void *ctx, int64_t time_ns, uint32_t fn, const struct line_counts *add)
{
    UNUSED(time_ns);
    UNUSED(fn);
    add_counts(ctx, add);
}

/* What of a range lies in one day: whole hours, which have sums, and the pieces of hours around
 * them, either of which may be empty. */
struct day_cut {
    struct range pieces[2];
    unsigned low, high; /* slots of roll-ups; none where low > high */
};

static struct day_cut cut_day(int64_t day, struct range r)
{
    int64_t base = day * NS_PER_DAY;
    int64_t first = time_floor(r.since_ns + NS_PER_HOUR - 1, NS_PER_HOUR);
    int64_t last = time_floor(r.until_ns, NS_PER_HOUR);

    if (r.since_ns <= base && r.until_ns >= base + NS_PER_DAY)
        return (struct day_cut){.low = ROLL_DAY_SLOT, .high = ROLL_DAY_SLOT};
    if (first < last)
        return (struct day_cut){.pieces = {{r.since_ns, first}, {last, r.until_ns}},
                                .low = (unsigned)((first - base) / NS_PER_HOUR),
                                .high = (unsigned)((last - base) / NS_PER_HOUR) - 1};
    int64_t middle = first < r.until_ns ? first : r.until_ns;
    return (struct day_cut){.pieces = {{r.since_ns, middle}, {middle, r.until_ns}}, .low = 1};
}

static enum status add_day_part(struct day *d, uint32_t fn, struct range r, struct stats *out,
                                struct err *e)
{
    struct day_cut cut = cut_day(d->number, r);
    enum status status = cut.low <= cut.high ? rolls_sum(d, fn, cut.low, cut.high, out, e) : OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(cut.pieces); i++)
        if (cut.pieces[i].since_ns < cut.pieces[i].until_ns)
            status = facts_sum(d, fn, cut.pieces[i], out, e);
    return status;
}

/* --- days that a range holds whole ---
 *
 * A range that begins before what a day holds and ends behind it, as one up to now does, has the
 * day's sums though it does not reach both midnights. */

static enum status holds_lines(struct day *d, struct range r, bool *is_held, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct sql_stmt *st;
    bool has_row = false;

    enum status s = sql_prepare(d->db,
                                day_has_heads(d) ? STR("select min(t0), max(t1) from chunk_head")
                                                 : STR("select min(t0), max(t1) from chunk"),
                                &st, e);
    if (s != OK)
        return s;
    s = sql_step(st, &has_row, e);
    *is_held = s == OK && has_row &&
               (sql_is_null(st, 0) ||
                (base + sql_i64(st, 0) >= r.since_ns && base + sql_i64(st, 1) < r.until_ns));
    sql_finalize(st);
    return s;
}

static enum status holds_facts(struct day *d, uint32_t fn, struct range r, bool *is_held,
                               struct err *e)
{
    bool has_fact = false;
    struct range bounds = {0};
    enum status s = facts_bounds(d, fn, &has_fact, &bounds, e);

    *is_held =
        s == OK && (!has_fact || (bounds.since_ns >= r.since_ns && bounds.until_ns < r.until_ns));
    return s;
}

static void set_log_counts(struct stats *s, const struct stats *from)
{
    s->log_events = from->log_events;
    s->log_bytes = from->log_bytes;
    s->log_errors = from->log_errors;
}

/* All lines of the day lie in the range; do its facts of this function? */
static enum status add_held_day(struct day *d, uint32_t fn, struct range r, struct stats *out,
                                struct err *e)
{
    bool holds_all = false;
    struct stats parts = {0}, day = {0};
    enum status s = holds_facts(d, fn, r, &holds_all, e);

    if (s == OK)
        s = rolls_sum(d, fn, ROLL_DAY_SLOT, ROLL_DAY_SLOT, holds_all ? out : &day, e);
    if (s == OK && !holds_all && (s = add_day_part(d, fn, r, &parts, e)) == OK) {
        set_log_counts(&parts, &day);
        stats_merge(out, &parts);
    }
    stats_clear(&parts);
    stats_clear(&day);
    return s;
}

enum status find_held_days(struct store *s, struct range r, struct arena *a, struct held_days *out,
                           struct err *e)
{
    enum status status = OK;

    *out = (struct held_days){s, r, arena_new(a, bool, s->n_day_numbers + 1)};
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        int64_t day = s->day_numbers[i];
        struct range c = range_of_day(r, day);
        bool is_cut = c.since_ns > day * NS_PER_DAY || c.until_ns < (day + 1) * NS_PER_DAY;
        struct day *d = NULL;
        if (!is_cut || c.since_ns >= c.until_ns)
            continue;
        status = store_day(s, day, false, &d, e);
        if (status == OK && d)
            status = holds_lines(d, c, &out->lines[i], e);
    }
    return status;
}

enum status add_sums(const struct held_days *held, uint32_t fn, struct stats *out, struct err *e)
{
    struct store *s = held->store;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct range r = range_of_day(held->range, s->day_numbers[i]);
        struct day *d = NULL;
        if (r.since_ns < r.until_ns)
            status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status =
                held->lines[i] ? add_held_day(d, fn, r, out, e) : add_day_part(d, fn, r, out, e);
    }
    return status;
}

enum status count_edges(const struct held_days *held, const struct count_request *q,
                        line_counts_fn *fn, void *ctx, struct err *e)
{
    struct store *s = held->store;
    struct count_request piece = *q;
    enum status status = OK;

    for (size_t i = 0; i < s->n_day_numbers; i++) {
        if (held->lines[i] || !range_meets_day(q->range, s->day_numbers[i]))
            continue;
        struct day_cut cut = cut_day(s->day_numbers[i], range_of_day(q->range, s->day_numbers[i]));
        for (size_t k = 0; status == OK && k < ARRAY_LEN(cut.pieces); k++) {
            piece.range = cut.pieces[k];
            piece.step_ns = NS_PER_HOUR;
            if (piece.range.since_ns < piece.range.until_ns)
                status = lines_count(s, &piece, fn, ctx, e);
        }
    }
    return status;
}

enum status stats_of_range(struct store *s, struct range r, uint32_t fn, struct stats *out,
                           struct err *e)
{
    static const struct fn_filter any = {0};
    AUTO(arena_clear) struct arena a = {0};
    struct count_request lines = {.range = r, .fn_id = fn, .filter = &any};
    struct held_days held;
    enum status status = find_held_days(s, r, &a, &held, e);

    if (status == OK)
        status = add_sums(&held, fn, out, e);
    return status == OK ? count_edges(&held, &lines, count_lines, out, e) : status;
}

/* --- requests --- */

/* One step of an hour or more, or what of it lies in the range. */
static enum status add_point(struct store *s, const struct count_request *lines,
                             const uint32_t *ids, size_t n, struct stats *point, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct range r = lines->range;
    struct held_days held = {s, r, arena_new(&a, bool, s->n_day_numbers + 1)};
    enum status status = OK;

    if (r.until_ns - r.since_ns >= NS_PER_DAY) /* shorter ones are not worth the question */
        status = find_held_days(s, r, &a, &held, e);
    for (size_t i = 0; status == OK && i < n; i++)
        status = add_sums(&held, ids[i], point, e);
    return status == OK ? count_edges(&held, lines, count_lines, point, e) : status;
}

/* Whole hours of many functions: one pass over the sums instead of a statement for each function
 * and hour. */
static enum status add_hour(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *sums,
                            struct err *e)
{
    struct series *series = ctx;

    UNUSED(fn_id);
    UNUSED(e);
    stats_merge(&series->points[(hour_ns - series->since_ns) / series->step_ns], sums);
    return OK;
}

static bool is_whole_hour(const struct series_request *q, int64_t since_ns)
{
    return q->step_ns == NS_PER_HOUR && q->fn_id == 0 && since_ns >= q->range.since_ns &&
           since_ns + NS_PER_HOUR <= q->range.until_ns;
}

static enum status add_whole_hours(struct store *s, const struct series_request *q,
                                   struct series *series, struct err *e)
{
    struct range r = {time_floor(q->range.since_ns + NS_PER_HOUR - 1, NS_PER_HOUR),
                      time_floor(q->range.until_ns, NS_PER_HOUR)};

    if (q->step_ns != NS_PER_HOUR || q->fn_id != 0 || r.since_ns >= r.until_ns)
        return OK;
    return request_hours(s, r, &q->fn, add_hour, series, e);
}

struct id_list {
    const uint32_t *ids;
    size_t n;
};

/* Steps of an hour or more. */
static enum status add_coarse(struct store *s, const struct series_request *q, struct id_list fns,
                              struct series *series, struct err *e)
{
    struct count_request lines = {.step_ns = q->step_ns, .fn_id = q->fn_id, .filter = &q->fn};
    enum status status = add_whole_hours(s, q, series, e);

    for (size_t i = 0; status == OK && i < series->n; i++) {
        int64_t since = series->since_ns + (int64_t)i * q->step_ns, until = since + q->step_ns;
        if (is_whole_hour(q, since))
            continue;
        lines.range = (struct range){since > q->range.since_ns ? since : q->range.since_ns,
                                     until < q->range.until_ns ? until : q->range.until_ns};
        status = add_point(s, &lines, fns.ids, fns.n, &series->points[i], e);
    }
    return status;
}

static enum status count_fine_fact(void *ctx, const struct fact *f, struct err *e)
{
    struct series *series = ctx;

    return fact_count(&series->points[(f->ts_ns - series->since_ns) / series->step_ns], f, e);
}

/* Steps below an hour: one pass over the facts of the range instead of one a step. */
static enum status add_fine(struct store *s, struct range r, uint32_t fn, struct series *series,
                            struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct range c = range_of_day(r, s->day_numbers[i]);
        struct day *d;
        if (c.since_ns >= c.until_ns)
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = facts_each(d, fn, c, (struct fact_sink){count_fine_fact, series, false}, e);
    }
    return status;
}

static void count_fine_lines(void *ctx, int64_t time_ns, uint32_t fn, const struct line_counts *add)
{
    struct series *series = ctx;

    UNUSED(fn);
    add_counts(&series->points[(time_ns - series->since_ns) / series->step_ns], add);
}

enum status request_series(struct store *s, const struct series_request *q, struct arena *a,
                           struct series *out, struct err *e)
{
    struct range r = q->range;
    int64_t step_ns = q->step_ns;
    struct series series = {.since_ns = time_floor(r.since_ns, step_ns), .step_ns = step_ns};
    uint32_t *ids = NULL;
    size_t n = 0;
    enum status status = s->is_null ? OK : fns_of_range(s, r, a, &ids, &n, e);

    series.n = r.until_ns > r.since_ns
                   ? (size_t)((r.until_ns - series.since_ns + step_ns - 1) / step_ns)
                   : 0;
    series.points = arena_new(a, struct stats, series.n + 1);
    n = ids ? keep_passing(s, &q->fn, q->fn_id, ids, n) : 0;
    struct count_request lines = {
        .range = r, .step_ns = step_ns, .fn_id = q->fn_id, .filter = &q->fn};
    if (step_ns < NS_PER_HOUR) {
        for (size_t i = 0; status == OK && ids && i < n; i++)
            status = add_fine(s, r, ids[i], &series, e);
        if (status == OK && !s->is_null)
            status = lines_count(s, &lines, count_fine_lines, &series, e);
    } else {
        store_hold(s, r);
        if (status == OK && !s->is_null)
            status = add_coarse(s, q, (struct id_list){ids, n}, &series, e);
        store_release(s);
    }
    for (size_t i = 0; i < series.n; i++)
        stats_settle(&series.points[i], a);
    if (status == OK)
        *out = series;
    return status;
}
