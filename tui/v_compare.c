/* The comparison of two functions, groups or ranges: what m marked beside what was current. */
#include "tui/view.h"

static const struct table_column columns[] = {
    {.name = "metric", .title = "WHAT"},
    {.name = "marked", .title = "MARKED", .is_right = true},
    {.name = "current", .title = "CURRENT", .is_right = true},
    {.name = "change_percent", .title = "CHANGE", .is_right = true},
    {.name = "verdict", .title = ""},
};

enum kind { COUNT, PERCENT, DURATION, MONEY, MEMORY };

struct measure {
    const char *name;
    enum kind kind;
    int worse; /* 1: more is worse, -1: less is, 0: neither */
    bool (*of)(const struct stats *s, wide *value);
};

static bool invocations(const struct stats *s, wide *v)
{
    *v = s->n;
    return true;
}

static bool part(uint64_t n, const struct stats *s, wide *v)
{
    *v = s->n > 0 ? wide_div_round((wide)n * 1000000, s->n) : 0; /* 10^-4 % */
    return s->n > 0;
}

static bool failed(const struct stats *s, wide *v)
{
    return part(stats_failed(s), s, v);
}

static bool timeouts(const struct stats *s, wide *v)
{
    return part(s->outcome[OUTCOME_TIMEOUT], s, v);
}

static bool cold(const struct stats *s, wide *v)
{
    return part(stats_cold(s), s, v);
}

static bool retries(const struct stats *s, wide *v)
{
    return part(s->retries, s, v);
}

static bool percentile(const struct histogram *h, unsigned permille, wide *v)
{
    uint64_t us = 0;
    bool is_known = histogram_percentile(h, permille, &us);

    *v = (wide)us * NS_PER_US;
    return is_known;
}

static bool p50(const struct stats *s, wide *v)
{
    return percentile(&s->duration, 500, v);
}

static bool p95(const struct stats *s, wide *v)
{
    return percentile(&s->duration, 950, v);
}

static bool p99(const struct stats *s, wide *v)
{
    return percentile(&s->duration, 990, v);
}

static bool init95(const struct stats *s, wide *v)
{
    return percentile(&s->init, 950, v);
}

static bool memory_used(const struct stats *s, wide *v)
{
    *v = s->max_memory_used_bytes;
    return s->max_memory_used_bytes > 0;
}

static bool memory_size(const struct stats *s, wide *v)
{
    *v = s->memory_size_bytes;
    return s->memory_size_bytes > 0;
}

static bool cost(const struct stats *s, wide *v)
{
    *v = s->cost;
    return true;
}

static bool per_million(const struct stats *s, wide *v)
{
    *v = s->n > 0 ? wide_div_round(s->cost * 1000000, s->n) : 0;
    return s->n > 0;
}

static bool failed_cost(const struct stats *s, wide *v)
{
    *v = s->cost_failed;
    return true;
}

static bool log_bytes(const struct stats *s, wide *v)
{
    *v = s->n > 0 ? wide_div_round((wide)s->log_bytes, s->n) : 0;
    return s->n > 0;
}

static const struct measure measures[] = {
    {"invocations", COUNT, 0, invocations},
    {"failed", PERCENT, 1, failed},
    {"timeouts", PERCENT, 1, timeouts},
    {"cold starts", PERCENT, 1, cold},
    {"retries", PERCENT, 1, retries},
    {"p50", DURATION, 1, p50},
    {"p95", DURATION, 1, p95},
    {"p99", DURATION, 1, p99},
    {"init p95", DURATION, 1, init95},
    {"most memory used", MEMORY, 1, memory_used},
    {"memory", MEMORY, 0, memory_size},
    {"cost", MONEY, 0, cost},
    {"cost per million", MONEY, 1, per_million},
    {"cost of failures", MONEY, 1, failed_cost},
    {"log bytes a call", COUNT, 1, log_bytes},
};

static void value_cell(struct table *t, size_t column, enum kind kind, wide v)
{
    struct arena *a = t->arena;

    if (kind == COUNT)
        cell_count(t, column, (uint64_t)v);
    else if (kind == PERCENT)
        table_number(t, column, view_exact(a, v, 4), view_share(a, v, 1000000));
    else if (kind == DURATION)
        cell_duration(t, column, (int64_t)v);
    else if (kind == MONEY)
        cell_money(t, column, v);
    else
        table_number(t, column, view_exact(a, v, 0),
                     arena_printf(a, "%lld MB", (long long)(v >> 20)));
}

#define NOTABLE_PERMILLE 100 /* a change from here on has a verdict */

/* By how much, where there is something to compare with, and whether that is worse. */
static void change_cells(struct table *t, struct row_ref *ref, const struct measure *m,
                         const wide *v)
{
    wide permille = v[0] != 0 ? wide_div_round((v[1] - v[0]) * 1000, v[0]) : 0;
    bool is_notable = v[0] == 0 || permille >= NOTABLE_PERMILLE || permille <= -NOTABLE_PERMILLE;

    if (v[0] != 0)
        table_number(t, 3, view_exact(t->arena, permille, 1),
                     arena_printf(t->arena, "%s" STR_FMT "%%", permille > 0 ? "+" : "",
                                  STR_ARG(view_exact(t->arena, permille, 1))));
    if (m->worse == 0 || !is_notable)
        return;
    bool is_worse = (v[1] > v[0]) == (m->worse > 0);
    table_text(t, 4, is_worse ? STR("x worse") : STR("better"));
    ref->style = is_worse ? STYLE_BAD : STYLE_GOOD;
    ref->is_problem = is_worse;
}

enum { USD, CNY, CURRENCIES };

/* In each currency; of what is no amount the value is the first. */
static bool value_of(const struct measure *m, const struct subject_sums *s, wide out[CURRENCIES])
{
    struct stats in_usd = s->stats, in_cny = s->stats;

    out[CNY] = 0;
    if (m->kind != MONEY)
        return m->of(&s->stats, &out[USD]);
    in_usd.cost -= s->cny;
    in_usd.cost_failed -= s->cny_failed;
    in_cny.cost = s->cny;
    in_cny.cost_failed = s->cny_failed;
    return m->of(&in_usd, &out[USD]) && m->of(&in_cny, &out[CNY]);
}

/* For programs an amount is dollars, or nothing. */
static void cell_of(struct table *t, size_t column, enum kind kind, const struct subject_sums *of,
                    const wide v[CURRENCIES])
{
    const bool is_all_cny = kind == MONEY && of->cny != 0 && of->cny == of->stats.cost;

    if (is_all_cny)
        table_null_shown(t, column, view_money_in(t->arena, v[CNY], STR("CNY")));
    else if (v[CNY] != 0)
        table_null_shown(t, column, view_costs(t->arena, v[USD], v[CNY]));
    else
        value_cell(t, column, kind, v[USD]);
}

static void measure_row(struct app *app, struct view_data *d, const struct measure *m,
                        const struct subject_sums *both)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    wide v[2][CURRENCIES] = {{0}, {0}};
    bool has_both = true;

    table_text(&d->table, 0, str_from(m->name));
    table_text(&d->table, 4, STR(""));
    for (size_t i = 0; i < 2; i++) {
        bool is_known = value_of(m, &both[i], v[i]);
        if (is_known)
            cell_of(&d->table, 1 + i, m->kind, &both[i], v[i]);
        has_both &= is_known;
    }
    const bool has_usd = v[0][USD] != 0 || v[1][USD] != 0;
    const bool has_cny = v[0][CNY] != 0 || v[1][CNY] != 0;
    const int of = has_cny ? CNY : USD;
    if (has_both && has_usd != has_cny) /* different currencies do not compare */
        change_cells(&d->table, ref, m, (const wide[]){v[0][of], v[1][of]});
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct subject_sums both[2] = {{{0}, 0, 0}, {{0}, 0, 0}};
    enum status s = breakdown_sums(app, &app->mark, &both[0], e);

    if (s == OK)
        s = breakdown_sums(app, &app->other, &both[1], e);
    if (s == OK)
        table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.compare",
                   1);
    for (size_t i = 0; s == OK && i < ARRAY_LEN(measures); i++)
        measure_row(app, d, &measures[i], both);
    stats_clear(&both[0].stats);
    stats_clear(&both[1].stats);
    return s;
}

static struct str subject_text(const struct app *app, struct arena *a, const struct subject_mark *m)
{
    struct str group = m->group.p ? arena_printf(a, ", " STR_FMT " " STR_FMT, STR_ARG(m->dimension),
                                                 STR_ARG(m->group))
                                  : (struct str){0};

    return arena_printf(a, STR_FMT STR_FMT ", " STR_FMT,
                        STR_ARG(m->fn_id != 0 ? m->fn_name : STR("all functions")), STR_ARG(group),
                        STR_ARG(view_range(app, a, m->range)));
}

static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    AUTO(arena_clear) struct arena a = {0};

    frame_text(f, 1, y, f->width - 2,
               arena_printf(&a, "marked   " STR_FMT, STR_ARG(subject_text(app, &a, &app->mark))),
               STYLE_BOLD);
    frame_text(f, 1, y + 1, f->width - 2,
               arena_printf(&a, "current  " STR_FMT, STR_ARG(subject_text(app, &a, &app->other))),
               STYLE_BOLD);
    *used = 3;
}

const struct view_ops view_compare = {
    .name = "compare",
    .title = "Compare",
    .load = load,
    .draw_top = draw_top,
    .is_still = true,
    .default_sort = -1,
    .tab = VIEW_COMPARE,
};
