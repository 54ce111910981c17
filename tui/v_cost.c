/* Cost: what each function cost, and what for. */
#include "tui/view.h"

#define MB_MS_PER_GB_S INT64_C(1024000)

static const struct table_column cost_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "share_percent", .title = "SHARE", .is_right = true},
    {.name = "per_million_usd", .title = "PER 1M", .is_right = true},
    {.name = "failed_usd", .title = "FAILED", .is_right = true},
    {.name = "init_usd", .title = "INIT", .is_right = true},
    {.name = "logs_usd", .title = "LOGS", .is_right = true},
    {.name = "gb_seconds", .title = "GB-S", .is_right = true},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "region", .title = "REGION"},
};

static enum status cost_row(struct app *app, struct view_data *d, const struct fn_row *f,
                            wide total, struct err *e)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    const struct stats *s = &f->stats;
    struct stats_cost c = {0};

    if (cost_of_stats(app->options->cost, &f->fn, s, d->range.until_ns - 1, &c, e) != OK)
        return e->code;
    ref->fn_id = f->fn_id;
    ref->fn_name = f->fn.name;
    ref->is_problem = s->cost_failed * 10 > s->cost;
    ref->style = ref->is_problem ? STYLE_WARN : STYLE_PLAIN;
    table_text(t, 0, f->fn.name);
    cell_money(t, 1, s->cost);
    cell_percent(t, 2, (uint64_t)(s->cost / 1000), (uint64_t)(total / 1000));
    cell_money(t, 3, s->n > 0 ? wide_div_round(s->cost * 1000000, s->n) : 0);
    cell_money(t, 4, s->cost_failed);
    cell_money(t, 5, s->cost_init);
    cell_money(t, 6, c.logs);
    table_number(t, 7, view_exact(t->arena, wide_ratio(s->mb_ms, MONEY_UNIT, MB_MS_PER_GB_S), 12),
                 view_exact(t->arena, s->mb_ms / MB_MS_PER_GB_S, 0));
    cell_count(t, 8, s->n);
    table_text(t, 9, f->fn.region);
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = view_load_functions(app, d, e);

    if (s == OK)
        s = view_load_series(app, d, e);
    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, cost_columns, ARRAY_LEN(cost_columns),
               "fnscope.top.cost", 1);
    wide total = view_total_cost(&d->functions);
    for (size_t i = 0; s == OK && i < d->functions.n; i++)
        s = cost_row(app, d, &d->functions.rows[i], total, e);
    return s;
}

static const unsigned char cost_first[] = {0, 1, 2, 3, 4, 5, 6, 8, 7, 9};

const struct view_ops view_cost = {
    .name = "cost",
    .title = "Cost",
    .load = load,
    .draw_top = view_draw_strip,
    .first = cost_first,
    .n_first = ARRAY_LEN(cost_first),
    .has_course = true,
    .default_sort = 1,
    .tab = VIEW_COST,
};
