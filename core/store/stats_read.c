/* Sums over ranges: whole days and hours from roll-ups, the edges from facts and chunks, so that
 * any range is exact. */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "core/store/fact_store.h"

/* --- one function, one day --- */

static enum status add_rolls(struct day *d, uint32_t fn, unsigned low, unsigned high,
                             struct stats *out, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        d->db, STR("select data from roll where fn = ? and slot between ? and ?"), &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, fn);
    sql_bind_i64(st, 2, low);
    sql_bind_i64(st, 3, high);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        if (!stats_unpack(sql_blob(st, 0), out)) {
            s = err_set(e, ERR_PARSE, STR_FMT ": a damaged roll-up: run `fnscope db verify`",
                        STR_ARG(sql_path(d->db)));
            break;
        }
    sql_finalize(st);
    return s;
}

static enum status count_fact(void *ctx, const struct fact *f, struct err *e)
{
    struct invocation inv;

    UNUSED(e);
    fact_to_sums(f, &inv);
    stats_add_invocation(ctx, &inv);
    return OK;
}

static enum status count_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct stats *out = ctx;

    UNUSED(e);
    out->log_events++;
    out->log_bytes += line->body.n;
    out->log_errors += line->severity >= SEVERITY_ERROR;
    return OK;
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
    enum status status = cut.low <= cut.high ? add_rolls(d, fn, cut.low, cut.high, out, e) : OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(cut.pieces); i++)
        if (cut.pieces[i].since_ns < cut.pieces[i].until_ns)
            status = facts_each(d, fn, cut.pieces[i], (struct fact_sink){count_fact, out}, e);
    return status;
}

static bool overlaps(struct range r, int64_t day)
{
    struct range c = range_of_day(r, day);

    return c.since_ns < c.until_ns;
}

/* All sums but the log counts of pieces of hours. */
static enum status add_sums(struct store *s, struct range r, uint32_t fn, struct stats *out,
                            struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct day *d;
        if (!overlaps(r, s->day_numbers[i]))
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = add_day_part(d, fn, range_of_day(r, s->day_numbers[i]), out, e);
    }
    return status;
}

/* Log counts of a piece of an hour have no roll-up: its lines are counted, in one pass for all
 * functions that q lets through. q's range is that of the sums. */
static enum status each_edge_line(struct store *s, const struct log_request *q, log_fn *fn,
                                  void *ctx, struct err *e)
{
    struct log_request piece = *q;
    enum status status = OK;

    for (size_t i = 0; i < s->n_day_numbers; i++) {
        if (!overlaps(q->range, s->day_numbers[i]))
            continue;
        struct day_cut cut = cut_day(s->day_numbers[i], range_of_day(q->range, s->day_numbers[i]));
        for (size_t k = 0; status == OK && k < ARRAY_LEN(cut.pieces); k++) {
            piece.range = cut.pieces[k];
            if (piece.range.since_ns < piece.range.until_ns)
                status = request_logs(s, &piece, fn, ctx, e);
        }
    }
    return status;
}

enum status stats_of_range(struct store *s, struct range r, uint32_t fn, struct stats *out,
                           struct err *e)
{
    struct log_request lines = {.range = r, .fn_id = fn};
    enum status status = add_sums(s, r, fn, out, e);

    return status == OK ? each_edge_line(s, &lines, count_line, out, e) : status;
}

/* --- which functions --- */

static int compare_u32(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

struct fn_set {
    struct arena *arena;
    struct idmap known;
    uint32_t *ids;
    size_t n, cap;
};

static void add_fn(struct fn_set *set, uint32_t fn)
{
    bool is_new;

    idmap_put(&set->known, fn, &is_new);
    if (!is_new)
        return;
    set->ids = arena_grow(set->arena, set->ids, set->n, &set->cap, sizeof(*set->ids));
    set->ids[set->n++] = fn;
}

static enum status fns_of_day(struct day *d, struct range r, struct fn_set *set, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct sql_stmt *st;
    bool has_row = false;
    enum status s =
        sql_prepare(d->db, STR("select distinct fn from roll where slot between ? and ?"), &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, (r.since_ns - base) / NS_PER_HOUR);
    sql_bind_i64(st, 2, (r.until_ns - 1 - base) / NS_PER_HOUR);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        add_fn(set, (uint32_t)sql_i64(st, 0));
    sql_finalize(st);
    return s;
}

enum status fns_of_range(struct store *s, struct range r, struct arena *a, uint32_t **ids,
                         size_t *n, struct err *e)
{
    struct fn_set set = {.arena = a};
    enum status status = store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct day *d;
        if (!overlaps(r, s->day_numbers[i]))
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = fns_of_day(d, range_of_day(r, s->day_numbers[i]), &set, e);
    }
    idmap_clear(&set.known);
    if (set.n > 1)
        qsort(set.ids, set.n, sizeof(*set.ids), compare_u32);
    *ids = set.ids;
    *n = set.n;
    return status;
}

/* --- requests --- */

/* First or last start of a function in the whole store. */
static int64_t bound_of(struct store *s, uint32_t fn, bool is_first)
{
    for (size_t k = 0; k < s->n_day_numbers; k++) {
        size_t i = is_first ? k : s->n_day_numbers - 1 - k;
        struct day *d;
        int64_t ts_ns;
        bool is_found = false;
        if (store_day(s, s->day_numbers[i], false, &d, NULL) == OK && d &&
            facts_bound(d, fn, is_first, &is_found, &ts_ns, NULL) == OK && is_found)
            return ts_ns;
    }
    return 0;
}

static struct str runtime_of(struct store *s, uint32_t fn, struct arena *a)
{
    struct str runtime = {0};
    struct sql_stmt *st;
    bool has_row = false;

    if (sql_prepare(s->meta, STR("select runtime from fn where id = ?"), &st, NULL) != OK)
        return runtime;
    sql_bind_i64(st, 1, fn);
    if (sql_step(st, &has_row, NULL) == OK && has_row && !sql_is_null(st, 0))
        runtime = arena_str(a, sql_str(st, 0));
    sql_finalize(st);
    return runtime;
}

static enum status fill_row(struct store *s, struct range r, uint32_t fn, struct arena *a,
                            struct fn_row *row, struct err *e)
{
    *row = (struct fn_row){.fn = *dim_fn(s, fn), .fn_id = fn};
    enum status status = add_sums(s, r, fn, &row->stats, e);
    row->arch = row->stats.n == 0          ? ARCH_UNKNOWN
                : row->stats.mb_ms_arm > 0 ? ARCH_ARM64
                                           : ARCH_X86_64;
    row->memory_bytes = row->stats.memory_size_bytes;
    row->runtime = runtime_of(s, fn, a);
    row->first_ns = bound_of(s, fn, true);
    row->last_ns = bound_of(s, fn, false);
    stats_settle(&row->stats, a);
    return status;
}

static int compare_rows(const void *a, const void *b)
{
    const struct fn_row *x = a, *y = b;
    int c;

    if (x->fn.provider != y->fn.provider)
        return x->fn.provider < y->fn.provider ? -1 : 1;
    if ((c = str_cmp(x->fn.account, y->fn.account)) != 0 ||
        (c = str_cmp(x->fn.region, y->fn.region)) != 0)
        return c;
    return str_cmp(x->fn.name, y->fn.name);
}

struct rows_by_fn {
    struct fn_row *rows;
    struct idmap places; /* a function: the place of its row */
};

static enum status count_line_of_row(void *ctx, const struct log_line *line, struct err *e)
{
    struct rows_by_fn *by_fn = ctx;
    const uint64_t *place = idmap_get(&by_fn->places, line->fn_id);

    return place ? count_line(&by_fn->rows[*place].stats, line, e) : OK;
}

static enum status count_edge_lines(struct store *s, struct range r, const struct fn_filter *f,
                                    struct fn_rows *rows, struct err *e)
{
    struct log_request lines = {.range = r, .fn = *f};
    struct rows_by_fn by_fn = {.rows = rows->rows};

    for (size_t i = 0; i < rows->n; i++)
        *idmap_put(&by_fn.places, rows->rows[i].fn_id, NULL) = i;
    enum status status = each_edge_line(s, &lines, count_line_of_row, &by_fn, e);
    idmap_clear(&by_fn.places);
    return status;
}

static void drop_empty(struct fn_rows *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].stats.n > 0 || rows->rows[i].stats.log_events > 0)
            rows->rows[n++] = rows->rows[i];
    rows->n = n;
}

enum status request_functions(struct store *s, struct range r, const struct fn_filter *f,
                              struct arena *a, struct fn_rows *out, struct err *e)
{
    struct fn_rows rows = {0};
    uint32_t *ids = NULL;
    size_t n = 0;

    *out = rows;
    if (s->is_null)
        return OK;
    enum status status = fns_of_range(s, r, a, &ids, &n, e);
    rows.rows = arena_new(a, struct fn_row, n + 1);
    for (size_t i = 0; status == OK && i < n; i++)
        if (fn_filter_passes(f, dim_fn(s, ids[i])))
            status = fill_row(s, r, ids[i], a, &rows.rows[rows.n++], e);
    if (status == OK)
        status = count_edge_lines(s, r, f, &rows, e);
    drop_empty(&rows);
    if (rows.n > 1)
        qsort(rows.rows, rows.n, sizeof(*rows.rows), compare_rows);
    if (status == OK)
        *out = rows;
    return status;
}

static enum status add_point(struct store *s, struct range r, const uint32_t *ids, size_t n,
                             struct stats *point, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < n; i++)
        status = add_sums(s, r, ids[i], point, e);
    return status;
}

static enum status count_fine_fact(void *ctx, const struct fact *f, struct err *e)
{
    struct series *series = ctx;

    return count_fact(&series->points[(f->ts_ns - series->since_ns) / series->step_ns], f, e);
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
            status = facts_each(d, fn, c, (struct fact_sink){count_fine_fact, series}, e);
    }
    return status;
}

static enum status count_fine_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct series *series = ctx;

    return count_line(&series->points[(line->time_ns - series->since_ns) / series->step_ns], line,
                      e);
}

static size_t keep_passing(struct store *s, const struct fn_filter *f, uint32_t only, uint32_t *ids,
                           size_t n)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if ((only == 0 || ids[i] == only) && fn_filter_passes(f, dim_fn(s, ids[i])))
            ids[k++] = ids[i];
    return k;
}

enum status request_series(struct store *s, const struct series_request *q, struct arena *a,
                           struct series *out, struct err *e)
{
    struct range r = q->range;
    int64_t step_ns = q->step_ns;
    struct series series = {.since_ns = r.since_ns, .step_ns = step_ns};
    uint32_t *ids = NULL;
    size_t n = 0;
    enum status status = s->is_null ? OK : fns_of_range(s, r, a, &ids, &n, e);

    series.n =
        r.until_ns > r.since_ns ? (size_t)((r.until_ns - r.since_ns + step_ns - 1) / step_ns) : 0;
    series.points = arena_new(a, struct stats, series.n + 1);
    n = keep_passing(s, &q->fn, q->fn_id, ids, n);
    struct log_request lines = {.range = r, .fn_id = q->fn_id, .fn = q->fn};
    if (step_ns < NS_PER_HOUR) {
        for (size_t i = 0; status == OK && i < n; i++)
            status = add_fine(s, r, ids[i], &series, e);
        if (status == OK && !s->is_null)
            status = request_logs(s, &lines, count_fine_line, &series, e);
    } else {
        for (size_t i = 0; status == OK && i < series.n; i++) {
            int64_t since = r.since_ns + (int64_t)i * step_ns;
            struct range step = {since,
                                 since + step_ns < r.until_ns ? since + step_ns : r.until_ns};
            lines.range = step;
            status = add_point(s, step, ids, n, &series.points[i], e);
            if (status == OK && !s->is_null)
                status = each_edge_line(s, &lines, count_line, &series.points[i], e);
        }
    }
    for (size_t i = 0; i < series.n; i++)
        stats_settle(&series.points[i], a);
    if (status == OK)
        *out = series;
    return status;
}
