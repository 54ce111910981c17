/* Loads what is compared with the past: the windows before the range, the month's days, advice. */
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/timefmt.h"
#include "reports/report_data.h"

enum {
    WINDOW_HOURS = 48,
    UNUSUAL_SHOWN = 8,
    SAVINGS_SHOWN = 12,
    FORECAST_DAYS = 28,
};

/* --- unusual --- */

struct past {
    wide cost[ANOMALY_MOST_PAST + 1]; /* by window, the range last */
    uint64_t n[ANOMALY_MOST_PAST + 1];
    wide hour[ANOMALY_MOST_PAST + 1][WINDOW_HOURS];
};

struct gathering {
    struct range all;
    int64_t span_ns, seen_ns; /* of a window; as much of it as the last one has data of */
    size_t windows;           /* the range itself included */
    struct idmap index;
    struct past *past;
};

static enum status on_hour(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *sums,
                           struct err *e)
{
    struct gathering *g = ctx;
    const uint64_t *at = idmap_get(&g->index, fn_id);

    UNUSED(e);
    if (!at || hour_ns < g->all.since_ns || hour_ns >= g->all.until_ns ||
        (hour_ns - g->all.since_ns) % g->span_ns >= g->seen_ns)
        return OK;
    size_t window = (size_t)((hour_ns - g->all.since_ns) / g->span_ns);
    size_t hour = (size_t)((hour_ns - g->all.since_ns) % g->span_ns / NS_PER_HOUR);
    struct past *p = &g->past[*at];
    p->cost[window] += sums->cost;
    p->n[window] += sums->n;
    p->hour[window][hour] += sums->cost;
    return OK;
}

static int compare_counts(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static uint64_t median_count(const uint64_t *v, size_t n)
{
    uint64_t sorted[ANOMALY_MOST_PAST];

    for (size_t i = 0; i < n; i++)
        sorted[i] = v[i];
    qsort(sorted, n, sizeof(*sorted), compare_counts);
    return sorted[n / 2];
}

/* The first hour dearer than the same hour ever was before; 0: none. */
static int64_t since_when(const struct gathering *g, const struct past *p)
{
    const size_t last = g->windows - 1;

    for (size_t h = 0; h < (size_t)(g->span_ns / NS_PER_HOUR); h++) {
        wide most = 0;
        for (size_t w = 0; w < last; w++)
            most = p->hour[w][h] > most ? p->hour[w][h] : most;
        if (p->hour[last][h] > most)
            return g->all.since_ns + (int64_t)last * g->span_ns + (int64_t)h * NS_PER_HOUR;
    }
    return 0;
}

static wide size_of(const struct unusual_row *u)
{
    return u->money.excess < 0 ? -u->money.excess : u->money.excess;
}

static int compare_unusual(const void *a, const void *b)
{
    const struct unusual_row *x = a, *y = b;

    if (size_of(x) != size_of(y))
        return size_of(x) > size_of(y) ? -1 : 1;
    return str_cmp(x->line->now->fn.name, y->line->now->fn.name);
}

static void judge(struct report_data *r, const struct gathering *g, size_t candidates)
{
    const size_t last = g->windows - 1;

    r->unusual.rows = arena_new(r->arena, struct unusual_row, candidates + 1);
    for (size_t i = 0; i < candidates; i++) {
        const struct past *p = &g->past[i];
        struct unusual_row u = {.line = &r->lines.rows[i], .now = p->cost[last], .n = p->n[last]};
        u.money = unusual_of(p->cost, last, u.now, r->cost / 200);
        u.usual_n = median_count(p->n, last);
        u.since_ns = u.money.excess > 0 ? since_when(g, p) : 0;
        if (u.money.is_found)
            r->unusual.rows[r->unusual.n++] = u;
    }
    if (r->unusual.n > 1)
        qsort(r->unusual.rows, r->unusual.n, sizeof(*r->unusual.rows), compare_unusual);
    r->unusual.n = r->unusual.n < UNUSUAL_SHOWN ? r->unusual.n : UNUSUAL_SHOWN;
}

/* As many windows of the range's length as are stored, up to a week of days. */
static enum status load_unusual(struct store *s, struct report_data *r, struct err *e)
{
    const int64_t span_ns = r->range.until_ns - r->range.since_ns;
    const int64_t seen_ns = time_floor(r->seen.until_ns - r->range.since_ns, NS_PER_HOUR);
    struct gathering g = {.span_ns = span_ns, .seen_ns = seen_ns, .windows = 1};
    size_t candidates = r->lines.n < LINES_HELD ? r->lines.n : LINES_HELD;

    if (span_ns <= 0 || span_ns > WINDOW_HOURS * NS_PER_HOUR || span_ns % NS_PER_HOUR != 0 ||
        r->range.since_ns % NS_PER_HOUR != 0 || candidates == 0 || seen_ns == 0)
        return OK;
    while (g.windows <= ANOMALY_MOST_PAST &&
           r->range.since_ns - (int64_t)g.windows * span_ns >= r->status.first_ns - NS_PER_HOUR)
        g.windows++;
    r->unusual.windows = g.windows - 1;
    if (r->unusual.windows < ANOMALY_LEAST_PAST)
        return OK;
    g.all =
        (struct range){r->range.since_ns - (int64_t)(g.windows - 1) * span_ns, r->range.until_ns};
    g.past = arena_new(r->arena, struct past, candidates);
    for (size_t i = 0; i < candidates; i++)
        *idmap_put(&g.index, r->lines.rows[i].now->fn_id, NULL) = i;
    enum status status = request_hours(s, g.all, &r->options->filter, on_hour, &g, e);
    if (status == OK)
        judge(r, &g, candidates);
    idmap_clear(&g.index);
    return status;
}

/* --- the month --- */

static enum status load_month(struct store *s, struct report_data *r, struct err *e)
{
    struct outlook *o = &r->outlook;
    const int64_t now_ns = r->seen.until_ns;
    const int64_t today_ns = time_floor(now_ns, NS_PER_DAY);
    const int64_t first_ns = time_floor(r->status.first_ns + NS_PER_HOUR, NS_PER_DAY);
    /* A day is whole though its first hour was quiet */
    const int64_t whole_ns =
        time_floor(r->status.first_ns - NS_PER_HOUR - 1, NS_PER_DAY) + NS_PER_DAY;
    struct series days;

    if (r->total.n == 0)
        return OK;
    o->month_ns = time_month(now_ns - 1, 0);
    o->end_ns = time_month(now_ns - 1, 1);
    o->first_ns = first_ns;
    o->input = (struct forecast_input){.now_ns = now_ns, .end_ns = o->end_ns};
    int64_t from_ns = today_ns - FORECAST_DAYS * NS_PER_DAY;
    from_ns = from_ns < o->month_ns ? from_ns : o->month_ns;
    struct series_request q = {.range = {from_ns, today_ns + (now_ns > today_ns ? NS_PER_DAY : 0)},
                               .step_ns = NS_PER_DAY,
                               .fn = r->options->filter};
    if (request_series(s, &q, r->arena, &days, e) != OK)
        return err_wrap(e, "the month");
    wide *whole = arena_new(r->arena, wide, days.n + 1);
    for (size_t i = 0; i < days.n; i++) {
        int64_t day_ns = days.since_ns + (int64_t)i * NS_PER_DAY;
        if (day_ns >= o->month_ns)
            o->input.spent += days.points[i].cost;
        if (day_ns < whole_ns || day_ns + NS_PER_DAY > now_ns)
            continue;
        if (o->input.n == 0)
            o->input.first_weekday = time_civil(day_ns).weekday;
        whole[o->input.n++] = days.points[i].cost;
    }
    o->input.days = whole;
    o->has_forecast = forecast_month(&o->input, &o->forecast);
    return OK;
}

/* --- savings --- */

static int compare_savings(const void *a, const void *b)
{
    const struct saving *x = a, *y = b;

    if (x->advice.saving != y->advice.saving)
        return x->advice.saving > y->advice.saving ? -1 : 1;
    int c = str_cmp(x->line->now->fn.name, y->line->now->fn.name);
    return c != 0 ? c : (int)x->advice.kind - (int)y->advice.kind;
}

static enum status load_savings(struct report_data *r, struct err *e)
{
    const int64_t span_ns = r->seen.until_ns - r->seen.since_ns;
    const int64_t month_ns = 730 * NS_PER_HOUR;
    const size_t candidates = r->lines.n < LINES_HELD ? r->lines.n : LINES_HELD;
    size_t n = 0;

    r->savings = arena_new(r->arena, struct saving, candidates * ADVICE_KINDS + 1);
    for (size_t i = 0; i < candidates; i++) {
        const struct fn_line *l = &r->lines.rows[i];
        struct advices a;
        if (advice_of_stats(r->options->cost, &l->now->fn, &l->now->stats, r->range.until_ns - 1,
                            &a, e) != OK)
            return e->code;
        for (size_t k = 0; k < a.n; k++) /* less than a hundredth of its cost is no advice */
            if (a.items[k].saving * 100 >= l->cost.total)
                r->savings[n++] = (struct saving){l, a.items[k],
                                                  wide_ratio(a.items[k].saving, month_ns, span_ns)};
    }
    if (n > 1)
        qsort(r->savings, n, sizeof(*r->savings), compare_savings);
    r->n_savings = n < SAVINGS_SHOWN ? n : SAVINGS_SHOWN;
    r->savings_left = n - r->n_savings;
    return OK;
}

enum status outlook_load(struct store *s, struct report_data *r, struct err *e)
{
    enum status status = load_unusual(s, r, e);

    if (status == OK)
        status = load_month(s, r, e);
    return status == OK ? load_savings(r, e) : status;
}
