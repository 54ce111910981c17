/* Overview, Functions, Cold starts and Cost: tables over the functions of the range. */
#include <stdlib.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

static const struct table_column function_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "error_percent", .title = "ERR%", .is_right = true},
    {.name = "cold_percent", .title = "COLD%", .is_right = true},
    {.name = "p50_ms", .title = "P50", .is_right = true},
    {.name = "p95_ms", .title = "P95", .is_right = true},
    {.name = "p99_ms", .title = "P99", .is_right = true},
    {.name = "memory_percent", .title = "MEM%", .is_right = true},
    {.name = "memory_mb", .title = "MB", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "state", .title = "STATE"},
    {.name = "region", .title = "REGION"},
    {.name = "runtime", .title = "RUNTIME", .max_width = 24},
};

/* A word and a sign, so that colour is never the only sign. */
static const char *state_of(const struct stats *s, enum style *style)
{
    uint64_t failed = stats_failed(s);

    *style = STYLE_BAD;
    if (s->outcome[OUTCOME_OOM] > 0)
        return "x out of memory";
    if (failed * 20 > s->n)
        return "x failing";
    if (s->outcome[OUTCOME_TIMEOUT] > 0)
        return "! timeouts";
    *style = STYLE_WARN;
    if (failed * 100 > s->n)
        return "! errors";
    if (s->memory_size_bytes > 0 && s->max_memory_used_bytes * 100 >= s->memory_size_bytes * 95)
        return "! memory";
    *style = STYLE_PLAIN;
    return failed > 0 ? "  some errors" : "  ok";
}

static void function_row(struct app *app, struct view_data *d, const struct fn_row *f, wide total)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    const struct stats *s = &f->stats;

    ref->fn_id = f->fn_id;
    const char *state = state_of(s, &ref->style);
    ref->is_problem = ref->style != STYLE_PLAIN;
    table_text(t, 0, f->fn.name);
    table_i64(t, 1, (int64_t)s->n);
    cell_percent(t, 2, stats_failed(s), s->n);
    cell_percent(t, 3, stats_cold(s), s->n);
    cell_percentile(t, 4, &s->duration, 500);
    cell_percentile(t, 5, &s->duration, 950);
    cell_percentile(t, 6, &s->duration, 990);
    cell_percent(t, 7, s->max_memory_used_bytes, s->memory_size_bytes);
    table_i64(t, 8, (int64_t)(s->memory_size_bytes >> 20));
    cell_cost(app, t, 9, s->cost, s->n, total);
    table_text(t, 10, str_from(state));
    table_text(t, 11, f->fn.region);
    table_text(t, 12, f->runtime);
}

static enum status load_rows(struct app *app, struct view_data *d, struct err *e)
{
    return request_functions(app->options->store, d->range, &app->options->filter, &app->data_arena,
                             &d->functions, e);
}

static wide total_cost(const struct fn_rows *rows)
{
    wide total = 0;

    for (size_t i = 0; i < rows->n; i++)
        total += rows->rows[i].stats.cost;
    return total;
}

/* Points of the strip on top: hours, or days when the range is long. */
static enum status load_series(struct app *app, struct view_data *d, struct err *e)
{
    int64_t span = d->range.until_ns - d->range.since_ns;
    int64_t step = span <= 2 * NS_PER_HOUR   ? NS_PER_MIN
                   : span <= 10 * NS_PER_DAY ? NS_PER_HOUR
                                             : NS_PER_DAY;
    struct range r = {time_floor(d->range.since_ns, step),
                      time_floor(d->range.until_ns + step - 1, step)};

    struct series_request q = {.range = r, .step_ns = step, .fn = app->options->filter};

    return request_series(app->options->store, &q, &app->data_arena, &d->series, e);
}

enum status load_functions(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = load_rows(app, d, e);

    if (s == OK)
        s = load_series(app, d, e);
    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, function_columns, ARRAY_LEN(function_columns),
               "fnscope.functions", 1);
    wide total = total_cost(&d->functions);
    for (size_t i = 0; i < d->functions.n; i++)
        function_row(app, d, &d->functions.rows[i], total);
    return OK;
}

enum status load_overview(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = load_functions(app, d, e);
    struct stats total = {0};

    for (size_t i = 0; s == OK && i < d->functions.n; i++)
        stats_merge(&total, &d->functions.rows[i].stats);
    uint64_t p95 = 0;
    bool has_p95 = histogram_percentile(&total.duration, 950, &p95);
    d->total = total;
    d->total.max_duration_ns =
        has_p95 ? (int64_t)p95 * NS_PER_US : 0; /* the tile shows this one number */
    stats_clear(&total);
    d->total.duration = d->total.init = (struct histogram){0};
    return s;
}

/* --- cold starts --- */

static const struct table_column cold_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "cold_starts", .title = "COLD", .is_right = true},
    {.name = "cold_percent", .title = "COLD%", .is_right = true},
    {.name = "init_p50_ms", .title = "INIT50", .is_right = true},
    {.name = "init_p95_ms", .title = "INIT95", .is_right = true},
    {.name = "init_p99_ms", .title = "INIT99", .is_right = true},
    {.name = "init_cost_usd", .title = "INIT COST", .is_right = true},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "runtime", .title = "RUNTIME", .max_width = 24},
};

enum status load_cold(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = load_rows(app, d, e);

    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, cold_columns, ARRAY_LEN(cold_columns),
               "fnscope.cold_starts", 1);
    for (size_t i = 0; i < d->functions.n; i++) {
        const struct fn_row *f = &d->functions.rows[i];
        struct row_ref *ref = view_row(d, &app->data_arena);
        struct table *t = &d->table;
        ref->fn_id = f->fn_id;
        ref->is_problem = stats_cold(&f->stats) * 10 > f->stats.n;
        ref->style = ref->is_problem ? STYLE_WARN : STYLE_PLAIN;
        table_text(t, 0, f->fn.name);
        table_i64(t, 1, (int64_t)stats_cold(&f->stats));
        cell_percent(t, 2, stats_cold(&f->stats), f->stats.n);
        cell_percentile(t, 3, &f->stats.init, 500);
        cell_percentile(t, 4, &f->stats.init, 950);
        cell_percentile(t, 5, &f->stats.init, 990);
        cell_money(t, 6, f->stats.cost_init);
        table_i64(t, 7, (int64_t)f->stats.n);
        table_text(t, 8, f->runtime);
    }
    return OK;
}

/* --- cost --- */

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
    ref->is_problem = s->cost_failed * 10 > s->cost;
    ref->style = ref->is_problem ? STYLE_WARN : STYLE_PLAIN;
    table_text(t, 0, f->fn.name);
    cell_money(t, 1, s->cost);
    cell_percent(t, 2, (uint64_t)(s->cost / 1000), (uint64_t)(total / 1000));
    cell_money(t, 3, s->n > 0 ? wide_div_round(s->cost * 1000000, s->n) : 0);
    cell_money(t, 4, s->cost_failed);
    cell_money(t, 5, s->cost_init);
    cell_money(t, 6, c.logs);
    int64_t gb_s = (int64_t)(s->mb_ms / 1024000);
    table_i64(t, 7, gb_s);
    table_i64(t, 8, (int64_t)s->n);
    table_text(t, 9, f->fn.region);
    return OK;
}

enum status load_cost(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = load_rows(app, d, e);

    if (s == OK)
        s = load_series(app, d, e);
    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, cost_columns, ARRAY_LEN(cost_columns), "fnscope.cost",
               1);
    wide total = total_cost(&d->functions);
    for (size_t i = 0; s == OK && i < d->functions.n; i++)
        s = cost_row(app, d, &d->functions.rows[i], total, e);
    return s;
}

/* --- drawing on top --- */

static void series_values(const struct app *app, bool is_cost, uint64_t *values)
{
    const struct series *s = &app->data.series;

    for (size_t i = 0; i < s->n; i++)
        values[i] = is_cost ? (uint64_t)(s->points[i].cost / 1000) : s->points[i].n;
}

static void strip(const struct app *app, struct frame *f, unsigned y, bool is_cost)
{
    AUTO(arena_clear) struct arena a = {0};
    uint64_t *values = arena_new(&a, uint64_t, app->data.series.n + 1);
    unsigned label = frame_z(f, 1, y, is_cost ? "cost " : "inv  ", STYLE_DIM);

    series_values(app, is_cost, values);
    struct spark spark = {values, app->data.series.n, is_cost ? STYLE_WARN : STYLE_ACCENT};
    frame_spark(f, 1 + label, y, f->width > label + 2 ? f->width - label - 2 : 0, &spark);
}

void draw_spark_strip(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    *used = 0;
    if (app->data.series.n < 2 || f->height < 14)
        return;
    strip(app, f, y, app->stack[app->depth - 1].view == VIEW_COST);
    *used = 1;
}

struct tile {
    const char *label;
    struct str value;
    enum style style;
};

static void draw_tiles(struct frame *f, unsigned y, const struct tile *tiles, unsigned n)
{
    unsigned width = f->width / n;

    for (unsigned i = 0; i < n; i++) {
        frame_text(f, i * width + 1, y, width - 1, str_from(tiles[i].label), STYLE_DIM);
        frame_text(f, i * width + 1, y + 1, width - 1, tiles[i].value, tiles[i].style);
    }
}

void draw_overview(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf p95 = {.max = 64};
    const struct stats *s = &app->data.total;
    uint64_t failed = stats_failed(s);
    int64_t hours = (app->data.range.until_ns - app->data.range.since_ns) / NS_PER_HOUR;

    duration_format(&p95, s->max_duration_ns);
    const struct tile tiles[] = {
        {"invocations", arena_printf(&a, "%llu", (unsigned long long)s->n), STYLE_BOLD},
        {"failed",
         arena_printf(&a, STR_FMT " %s", STR_ARG(view_share(&a, failed, s->n)),
                      failed * 100 > s->n ? "!" : ""),
         failed * 20 > s->n    ? STYLE_BAD
         : failed * 100 > s->n ? STYLE_WARN
                               : STYLE_GOOD},
        {"p95", buf_str(&p95), STYLE_BOLD},
        {"cold", view_share(&a, stats_cold(s), s->n), STYLE_BOLD},
        {"cost", view_money(&a, s->cost), STYLE_BOLD},
        {"cost/h", view_money(&a, hours > 0 ? wide_div_round(s->cost, hours) : s->cost),
         STYLE_BOLD},
    };
    draw_tiles(f, y, tiles, f->width < 72 ? 5 : ARRAY_LEN(tiles));
    *used = 3;
    if (f->height < 18 || app->data.series.n < 2)
        return;
    strip(app, f, y + 2, false);
    strip(app, f, y + 3, true);
    *used = 5;
}
