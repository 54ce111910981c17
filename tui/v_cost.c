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
    {.name = "kept_ready_usd", .title = "KEPT READY", .is_right = true},
    {.name = "cost_cny", .is_hidden = true},
};

enum status view_kept_ready(const struct app *app, const struct view_data *d,
                            const struct fn_row *f, struct standing_cost *out, struct err *e)
{
    const struct standing_request q = {
        &f->fn, &f->stats, d->range, clock_now(&app->options->clock), f->sizes, f->kept};

    return cost_standing(app->options->cost, &q, out, e);
}

struct str view_kept_text(struct arena *a, const struct standing_cost *c)
{
    const char *open =
        c->is_provisioned_open && c->are_snapshots_open
            ? "; more is kept ready: say provisioned_concurrency: and snapstart_versions: under "
              "functions:"
        : c->is_provisioned_open ? "; it ran on provisioned concurrency: say "
                                   "provisioned_concurrency: under functions:"
        : c->are_snapshots_open ? "; it was restored from snapshots: say snapstart_versions: under "
                                  "functions:"
        : c->is_unpriced        ? "; the price book has no price for what is kept ready there"
                                : "";

    if (c->provisioned == 0 && c->snapshots == 0 && open[0] == '\0')
        return STR("");
    return arena_printf(a, STR_FMT " for provisioned concurrency, " STR_FMT " for kept snapshots%s",
                        STR_ARG(view_exact(a, c->provisioned, 12)),
                        STR_ARG(view_exact(a, c->snapshots, 12)), open);
}

struct costs {
    struct standing_idle idle;
};

static bool is_open(const struct standing_cost *c)
{
    return c->is_provisioned_open || c->are_snapshots_open || c->is_unpriced;
}

static enum status kept_ready(const struct fn_rows_pass *p, const struct fn_row *f,
                              struct standing_cost *out, struct err *e)
{
    const struct costs *costs = p->ctx;
    struct fn_row row = *f;

    standing_complete(&costs->idle, &row);
    return view_kept_ready(p->app, p->data, &row, out, e);
}

static enum status see(struct fn_rows_pass *p, const struct fn_row *f, struct err *e)
{
    struct standing_cost c;

    if (kept_ready(p, f, &c, e) != OK)
        return e->code;
    *(fn_is_usd(&f->fn) ? &p->data->kept_ready : &p->data->kept_cny) += c.provisioned + c.snapshots;
    p->data->n_kept_open += is_open(&c);
    return OK;
}

static enum status fill(struct fn_rows_pass *p, struct table *t, struct row_ref *ref,
                        const struct fn_row *f, struct err *e)
{
    const wide total = view_total_cost(p->data, &f->fn);
    const struct stats *s = &f->stats;
    struct stats_cost c = {0};
    struct standing_cost kept;

    if (cost_of_stats(p->app->options->cost, &f->fn, s, p->data->range.until_ns - 1, &c, e) != OK ||
        kept_ready(p, f, &kept, e) != OK)
        return e->code;
    ref->is_problem = s->cost_failed * 10 > s->cost;
    ref->style = ref->is_problem ? STYLE_WARN : STYLE_PLAIN;
    table_text(t, 0, f->fn.name);
    cell_money(t, 1, s->cost);
    cell_percent(t, 2, (uint64_t)(s->cost / 1000), (uint64_t)(total / 1000));
    if (s->n > 0)
        cell_money(t, 3, wide_div_round(s->cost * 1000000, s->n));
    cell_money(t, 4, s->cost_failed);
    cell_money(t, 5, s->cost_init);
    cell_money(t, 6, c.logs);
    table_number(t, 7, view_exact(t->arena, wide_ratio(s->mb_ms, MONEY_UNIT, MB_MS_PER_GB_S), 12),
                 view_exact(t->arena, wide_ratio(s->mb_ms, 10, MB_MS_PER_GB_S), 1));
    cell_count(t, 8, s->n);
    table_text(t, 9, f->fn.region);
    if (s->cost != 0 || !stats_lack_price(s))
        cell_cny(t, 11, s->cost, &f->fn);
    if (!is_open(&kept)) /* else it is not known */
        cell_money(t, 10, kept.provisioned + kept.snapshots);
    return OK;
}

enum status view_load_idle(struct app *app, struct view_data *d, struct standing_idle *out,
                           struct err *e)
{
    const struct standing_idle_request q = {app->options->cost, d->range, &app->fn_filter};

    if (standing_idle_load(app->options->store, &q, &app->data_arena, out, e) != OK)
        return e->code;
    for (size_t i = 0; i < d->functions.n; i++)
        standing_complete(out, &d->functions.rows[i]);
    return OK;
}

/* What did not run costs nothing but what is kept ready of it. */
static enum status idle_rows(struct app *app, struct view_data *d, const struct standing_idle *idle,
                             struct fn_rows *out, struct err *e)
{
    struct standing_cost c = {0};

    d->n_kept_unmet = fn_filter_is_all(&app->fn_filter) ? idle->n_unmet : 0;
    out->rows = arena_new(&app->data_arena, struct fn_row, idle->rows.n + 1);
    for (size_t i = 0; i < idle->rows.n; i++) {
        if (view_kept_ready(app, d, &idle->rows.rows[i], &c, e) != OK)
            return e->code;
        if (c.provisioned > 0 || c.snapshots > 0 || c.is_unpriced)
            out->rows[out->n++] = idle->rows.rows[i];
    }
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct costs costs = {0};
    struct fn_rows_pass p = {.app = app, .data = d, .ctx = &costs, .see = see, .fill = fill};

    if (view_load_idle(app, d, &costs.idle, e) != OK || view_load_series(app, d, e) != OK ||
        idle_rows(app, d, &costs.idle, &p.more, e) != OK)
        return e->code;
    table_init(&d->table, &app->data_arena, cost_columns, ARRAY_LEN(cost_columns),
               "fnscope.top.cost", 1);
    return view_load_fn_rows(&p, e);
}

/* The strip, and what is in no cost of the table: whoever keeps something ready must not miss it.
 */
static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    const struct view_data *d = &app->data;
    AUTO(arena_clear) struct arena a = {0};

    view_draw_strip(app, f, y, used);
    if (d->kept_ready + d->kept_cny == 0 && d->n_kept_open + d->n_kept_unmet == 0)
        return;
    const struct str open =
        d->n_kept_open == 0
            ? STR("")
            : arena_printf(&a, "; of %zu %s it is not known: D says why", d->n_kept_open,
                           plural(d->n_kept_open, "function", "functions"));
    const struct str unmet =
        d->n_kept_unmet == 0
            ? STR("")
            : arena_printf(&a, "; %zu %s no function that ever ran", d->n_kept_unmet,
                           plural(d->n_kept_unmet, "rule fits", "rules fit"));
    frame_text(f, 1, y + (*used)++, f->width - 1,
               arena_printf(&a,
                            "kept ready, by the hour, beside the cost: " STR_FMT STR_FMT STR_FMT,
                            STR_ARG(view_costs(&a, d->kept_ready, d->kept_cny)), STR_ARG(open),
                            STR_ARG(unmet)),
               d->n_kept_open + d->n_kept_unmet > 0 ? STYLE_WARN : STYLE_PLAIN);
}

static const unsigned char cost_first[] = {0, 1, 2, 3, 4, 5, 6, 8, 7, 10, 9};

const struct view_ops view_cost = {
    .name = "cost",
    .title = "Cost",
    .load = load,
    .draw_top = draw_top,
    .first = cost_first,
    .n_first = ARRAY_LEN(cost_first),
    .has_course = true,
    .default_sort = 1,
    .tab = VIEW_COST,
};
