/* What views share: rows, cells, texts; the table of views. */
#include "tui/view.h"

#include "core/base/timefmt.h"

const struct view_ops view_table[VIEWS] = {
    [VIEW_OVERVIEW] = {.name = "overview",
                       .title = "Overview",
                       .load = load_overview,
                       .draw_top = draw_overview,
                       .default_sort = 9,
                       .sorts_down = true},
    [VIEW_FUNCTIONS] = {.name = "functions",
                        .title = "Functions",
                        .load = load_functions,
                        .draw_top = draw_spark_strip,
                        .default_sort = 9,
                        .sorts_down = true},
    [VIEW_INVOCATIONS] = {.name = "invocations",
                          .title = "Invocations",
                          .load = load_invocations,
                          .default_sort = -1},
    [VIEW_ERRORS] = {.name = "errors", .title = "Errors", .load = load_errors, .default_sort = -1},
    [VIEW_COLD] = {.name = "coldstarts",
                   .title = "Cold starts",
                   .load = load_cold,
                   .default_sort = 1,
                   .sorts_down = true},
    [VIEW_COST] = {.name = "cost",
                   .title = "Cost",
                   .load = load_cost,
                   .draw_top = draw_spark_strip,
                   .default_sort = 1,
                   .sorts_down = true},
    [VIEW_INVOCATION] = {.name = "invocation",
                         .title = "Invocation",
                         .load = load_invocation,
                         .is_text = true,
                         .default_sort = -1},
    [VIEW_HELP] =
        {.name = "help", .title = "Help", .load = load_help, .is_text = true, .default_sort = -1},
};

const char *const tui_view_names[] = {"overview",   "functions",  "invocations",
                                      "errors",     "coldstarts", "cost",
                                      "invocation", "help",       NULL};

struct row_ref *view_row(struct view_data *d, struct arena *a)
{
    d->refs = arena_grow(a, d->refs, d->table.n_rows, &d->cap_refs, sizeof(*d->refs));
    struct row_ref *ref = &d->refs[d->table.n_rows];
    *ref = (struct row_ref){0};
    table_row(&d->table);
    return ref;
}

void view_line(struct view_data *d, struct arena *a, enum style style, struct str text)
{
    d->lines = arena_grow(a, d->lines, d->n_lines, &d->cap_lines, sizeof(*d->lines));
    d->line_styles =
        arena_grow(a, d->line_styles, d->n_lines, &d->cap_line_styles, sizeof(*d->line_styles));
    d->line_styles[d->n_lines] = style;
    d->lines[d->n_lines++] = text;
}

struct place *app_place(struct app *app)
{
    return &app->stack[app->depth - 1];
}

uint64_t stats_failed(const struct stats *s)
{
    return s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];
}

uint64_t stats_cold(const struct stats *s)
{
    return s->start[START_COLD] + s->start[START_SNAPSTART];
}

struct str view_money(struct arena *a, wide pico)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    money m = 0;

    if (money_narrow(pico, &m, NULL) != OK)
        return STR("very much");
    money_format_short(&b, m, STR("USD"));
    return arena_str(a, buf_str(&b));
}

struct str view_share(struct arena *a, wide part, wide whole)
{
    if (whole <= 0)
        return STR("-");
    int64_t permille = (int64_t)wide_div_round(part * 1000, whole);
    return arena_printf(a, "%lld.%lld%%", (long long)(permille / 10), (long long)(permille % 10));
}

static struct str scaled(struct arena *a, wide v, unsigned scale)
{
    AUTO(buf_clear) struct buf b = {.max = 96};

    wide_format_scaled(&b, v, scale);
    return arena_str(a, buf_str(&b));
}

void cell_money(struct table *t, size_t column, wide pico)
{
    table_number(t, column, scaled(t->arena, pico, 12), view_money(t->arena, pico));
}

void cell_duration(struct table *t, size_t column, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    table_number(t, column, scaled(t->arena, ns, 6), arena_str(t->arena, buf_str(&b)));
}

void cell_percentile(struct table *t, size_t column, const struct histogram *h, unsigned permille)
{
    uint64_t us;

    if (histogram_percentile(h, permille, &us))
        cell_duration(t, column, (int64_t)us * NS_PER_US);
}

void cell_percent(struct table *t, size_t column, uint64_t part, uint64_t whole)
{
    if (whole > 0)
        table_number(t, column, scaled(t->arena, wide_div_round((wide)part * 1000000, whole), 4),
                     view_share(t->arena, part, whole));
}

void cell_time(struct table *t, size_t column, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    struct str whole = arena_str(t->arena, buf_str(&b));
    table_text(t, column, whole);
}

void cell_cost(const struct app *app, struct table *t, size_t column, wide pico, uint64_t n,
               wide total)
{
    if (app->unit == UNIT_PER_MILLION && n > 0)
        cell_money(t, column, wide_div_round(pico * 1000000, n));
    else if (app->unit == UNIT_SHARE && total > 0)
        table_number(t, column, scaled(t->arena, wide_div_round(pico * 1000000, total), 4),
                     view_share(t->arena, pico, total));
    else
        cell_money(t, column, pico);
}
