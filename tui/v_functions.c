/* Functions: what each did, how well, for how much. */
#include <string.h>

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
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "cost_cny", .is_hidden = true},
};

enum { COLUMN_COST = 9 };

/* Name, failures, state and money stay on the narrowest screen. */
static const unsigned char function_first[] = {0, 1, 2, 9, 10, 5, 3, 7, 4, 6, 8, 12, 11, 13, 14};

/* Worst first: the place is the order of the column. */
static const struct {
    const char *shown; /* a sign, a blank, a word */
    enum style style;
} states[] = {
    {"x out of mem", STYLE_BAD}, {"x failing", STYLE_BAD}, {"! timeouts", STYLE_BAD},
    {"! errors", STYLE_WARN},    {"! memory", STYLE_WARN}, {"  some errors", STYLE_PLAIN},
    {"  ok", STYLE_PLAIN},
};
enum { STATE_OOM, STATE_FAILING, STATE_TIMEOUTS, STATE_ERRORS, STATE_MEMORY, STATE_SOME, STATE_OK };

static unsigned state_of(const struct stats *s)
{
    uint64_t failed = stats_failed(s);

    if (s->outcome[OUTCOME_OOM] > 0)
        return STATE_OOM;
    if (failed * 20 > s->n)
        return STATE_FAILING;
    if (s->outcome[OUTCOME_TIMEOUT] > 0)
        return STATE_TIMEOUTS;
    if (failed * 100 > s->n)
        return STATE_ERRORS;
    if (s->fullest_size_bytes > 0 && s->fullest_used_bytes * 100 >= s->fullest_size_bytes * 95)
        return STATE_MEMORY;
    return failed > 0 ? STATE_SOME : STATE_OK;
}

const char *view_state(const struct stats *s, enum style *style)
{
    unsigned state = state_of(s);

    *style = states[state].style;
    return states[state].shown;
}

/* The word for machines, the sign before it for people. */
static void state_cell(struct table *t, size_t column, const struct stats *s)
{
    unsigned state = state_of(s);
    struct str shown = str_from(states[state].shown);

    table_text_ranked(t, column, str_skip(shown, 2), shown, state + 1);
}

static void function_cells(struct app *app, struct table *t, const struct fn_row *f, wide total)
{
    const struct stats *s = &f->stats;

    table_text(t, 0, f->fn.name);
    cell_count(t, 1, s->n);
    cell_percent(t, 2, stats_failed(s), s->n);
    cell_percent(t, 3, stats_cold(s), s->n);
    cell_percentile(t, 4, &s->duration, 500);
    cell_percentile(t, 5, &s->duration, 950);
    cell_percentile(t, 6, &s->duration, 990);
    cell_percent(t, 7, s->fullest_used_bytes, s->fullest_size_bytes);
    table_i64(t, 8, (int64_t)(s->fullest_size_bytes >> 20));
    cell_cost(app, t, COLUMN_COST, s->cost, s->n, total);
    state_cell(t, 10, s);
    table_text(t, 11, f->fn.region);
    table_text(t, 12, f->runtime);
    table_text(t, 13, f->fn.account);
    if (s->cost != 0 || !stats_lack_price(s))
        cell_cny(t, 14, s->cost, &f->fn);
}

/* The header and the machine's name say in what the cost is. */
static const struct table_column *columns_in_unit(struct app *app)
{
    static const struct table_column costs[UNITS] = {
        [UNIT_TOTAL] = {.name = "cost_usd", .title = "COST", .is_right = true},
        [UNIT_PER_MILLION] = {.name = "cost_per_million_usd", .title = "COST/1M", .is_right = true},
        [UNIT_SHARE] = {.name = "cost_share_percent", .title = "COST%", .is_right = true},
    };
    struct table_column *c =
        arena_new(&app->data_arena, struct table_column, ARRAY_LEN(function_columns));

    memcpy(c, function_columns, sizeof(function_columns));
    c[COLUMN_COST] = costs[app->unit];
    return c;
}

struct sums {
    struct stats *all; /* NULL: nobody asks */
};

static enum status see(struct fn_rows_pass *p, const struct fn_row *f, struct err *e)
{
    const struct sums *sums = p->ctx;

    UNUSED(e);
    p->data->n_functions++;
    if (sums->all)
        stats_merge(sums->all, &f->stats);
    return OK;
}

static enum status fill(struct fn_rows_pass *p, struct table *t, struct row_ref *ref,
                        const struct fn_row *f, struct err *e)
{
    UNUSED(e);
    function_cells(p->app, t, f, view_total_cost(p->data, &f->fn));
    view_state(&f->stats, &ref->style);
    ref->is_problem = ref->style != STYLE_PLAIN;
    return OK;
}

static enum status load_rows(struct app *app, struct view_data *d, struct stats *all, struct err *e)
{
    struct sums sums = {.all = all};
    struct fn_rows_pass p = {.app = app, .data = d, .ctx = &sums, .see = see, .fill = fill};

    if (view_load_series(app, d, e) != OK)
        return e->code;
    table_init(&d->table, &app->data_arena, columns_in_unit(app), ARRAY_LEN(function_columns),
               "fnscope.top.functions", 1);
    return view_load_fn_rows(&p, e);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    return load_rows(app, d, NULL, e);
}

/* Those that hold now: an overview without them would be a lie. */
static enum status load_alerts(struct app *app, struct view_data *d, struct err *e)
{
    struct alert_request q = {.state_mask = 1u << ALERT_FIRING | 1u << ALERT_PENDING};

    return request_alerts(app->options->store, &q, &app->data_arena, &d->alerts, e);
}

/* Metrics know most, of providers that write refused calls down the invocations do. */
static enum status load_throttles(struct app *app, struct view_data *d, struct err *e)
{
    const uint64_t written = d->total.outcome[OUTCOME_THROTTLED];
    enum status s = throttles_load(app->options->store, d->range, &app->fn_filter, &app->data_arena,
                                   &d->throttles, e);

    d->throttles.n = written > d->throttles.n ? written : d->throttles.n;
    return s;
}

enum status view_load_overview(struct app *app, struct view_data *d, struct err *e)
{
    struct stats total = {0};
    enum status s = load_rows(app, d, &total, e);
    const struct incident_request q = {&d->range, &app->fn_filter, 0};
    const struct source_gap_request gaps = {app->fn_filter, d->range,
                                            clock_now(&app->options->clock)};
    uint64_t p95 = 0;

    bool has_p95 = histogram_percentile(&total.duration, 950, &p95);
    d->total = total;
    d->total.max_duration_ns = has_p95 ? (int64_t)p95 * NS_PER_US : 0;
    stats_clear(&total);
    d->total.duration = d->total.init = (struct histogram){0};
    if (s == OK)
        s = incidents_load(app->options->store, &q, &app->data_arena, &d->incidents, e);
    if (s == OK)
        s = load_alerts(app, d, e);
    if (s == OK)
        s = source_gaps_load(app->options->store, &gaps, &app->data_arena, &d->gaps, e);
    if (s == OK)
        s = load_throttles(app, d, e);
    return s == OK ? request_status(app->options->store, &app->data_arena, &d->status, e) : s;
}

const struct view_ops view_functions = {
    .name = "functions",
    .title = "Functions",
    .load = load,
    .draw_top = view_draw_strip,
    .first = function_first,
    .n_first = ARRAY_LEN(function_first),
    .has_course = true,
    .has_unit = true,
    .default_sort = 9,
    .tab = VIEW_FUNCTIONS,
};

const struct view_ops view_overview = {
    .name = "overview",
    .title = "Overview",
    .load = view_load_overview,
    .draw_top = view_draw_overview,
    .first = function_first,
    .n_first = ARRAY_LEN(function_first),
    .has_course = true,
    .has_unit = true,
    .default_sort = 9,
    .tab = VIEW_INCIDENTS,
};
