/* Invocations: one row an attempt; above it the function, when it is one function's. */
#include "tui/view.h"

static const struct table_column invocation_columns[] = {
    {.name = "start_time", .title = "TIME"},
    {.name = "function", .title = "FUNCTION", .max_width = 28},
    {.name = "outcome", .title = "RESULT"},
    {.name = "duration_ms", .title = "DUR", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "init_ms", .title = "INIT", .is_right = true},
    {.name = "max_memory_mb", .title = "MEM", .is_right = true},
    {.name = "attempt", .title = "TRY", .is_right = true},
    {.name = "billed_ms", .title = "BILLED", .is_right = true},
    {.name = "request_id", .title = "REQUEST ID"},
    {.name = "version", .title = "VERSION"},
    {.name = "start", .title = "START"},
    {.name = "error_type", .title = "ERROR", .max_width = 30},
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "region", .title = "REGION", .is_hidden = true},
    {.name = "cost_cny", .is_hidden = true},
};

/* Time, what came of it, how long and how much; the id is copied with y wherever it shows. */
static const unsigned char invocation_first[] = {0, 1, 2, 3,  4,  6,  12, 7,
                                                 5, 8, 9, 11, 10, 13, 14, 15};

const char *view_result(enum outcome o)
{
    static const char *const texts[OUTCOMES] = {
        [OUTCOME_UNKNOWN] = "? open",
        [OUTCOME_OK] = "  ok",
        [OUTCOME_ERROR] = "x error",
        [OUTCOME_TIMEOUT] = "x timeout",
        [OUTCOME_OOM] = "x oom",
        [OUTCOME_INIT_ERROR] = "x init error",
        [OUTCOME_THROTTLED] = "! throttled",
    };

    return texts[o];
}

enum style view_result_style(enum outcome o)
{
    return o == OUTCOME_OK ? STYLE_PLAIN : o == OUTCOME_UNKNOWN ? STYLE_DIM : STYLE_BAD;
}

/* --- cells: a function a column, so that a filter fills only those it looks at --- */

enum { COLUMNS = ARRAY_LEN(invocation_columns) };
typedef void cell_fn(struct table *t, size_t column, const struct invocation *inv);

static void cell_start(struct table *t, size_t column, const struct invocation *inv)
{
    cell_time(t, column, inv->start_ns);
}

static void cell_function(struct table *t, size_t column, const struct invocation *inv)
{
    table_text(t, column, inv->origin->fn->name);
}

static void cell_outcome(struct table *t, size_t column, const struct invocation *inv)
{
    table_text_shown(t, column, str_from(outcome_name(inv->outcome)),
                     str_from(view_result(inv->outcome)));
}

static void cell_took(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->is_final)
        cell_duration(t, column, inv->duration_ns);
}

static void cell_price(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->is_priced)
        cell_money_of(t, column, inv->cost, inv->origin->fn);
}

static void cell_init(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->init_ns > 0)
        cell_duration(t, column, inv->init_ns);
}

static void cell_memory(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->memory_bytes > 0)
        table_i64(t, column, (int64_t)(inv->max_memory_bytes >> 20));
}

static void cell_attempt(struct table *t, size_t column, const struct invocation *inv)
{
    table_i64(t, column, inv->attempt);
}

static void cell_billed(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->billed_ns > 0)
        table_i64(t, column, inv->billed_ns / NS_PER_MS);
}

static void cell_id(struct table *t, size_t column, const struct invocation *inv)
{
    table_text(t, column, inv->id);
}

static void cell_version(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->version.n > 0)
        table_text(t, column, inv->version);
}

static void cell_start_kind(struct table *t, size_t column, const struct invocation *inv)
{
    table_text(t, column, str_from(start_kind_name(inv->start)));
}

static void cell_error(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->error_type.n > 0)
        table_text(t, column, inv->error_type);
}

static void cell_account(struct table *t, size_t column, const struct invocation *inv)
{
    table_text(t, column, inv->origin->fn->account);
}

static void cell_region(struct table *t, size_t column, const struct invocation *inv)
{
    table_text(t, column, inv->origin->fn->region);
}

static void cell_in_cny(struct table *t, size_t column, const struct invocation *inv)
{
    if (inv->is_priced)
        cell_cny(t, column, inv->cost, inv->origin->fn);
}

static cell_fn *const cells[COLUMNS] = {
    cell_start,  cell_function, cell_outcome, cell_took,   cell_price,   cell_init,
    cell_memory, cell_attempt,  cell_billed,  cell_id,     cell_version, cell_start_kind,
    cell_error,  cell_account,  cell_region,  cell_in_cny,
};

/* Columns that hold numbers and times alone. */
static const bool is_of_figures[COLUMNS] = {
    [0] = true, [3] = true, [4] = true, [5] = true, [6] = true, [7] = true, [8] = true};

static void invocation_row(struct app *app, struct view_data *d, const struct invocation *inv)
{
    struct row_ref *ref = view_row(d, &app->data_arena);

    *ref = (struct row_ref){.id = inv->id,
                            .time_ns = inv->start_ns,
                            .style = view_result_style(inv->outcome),
                            .is_problem = view_result_style(inv->outcome) == STYLE_BAD};
    for (size_t i = 0; i < COLUMNS; i++)
        cells[i](&d->table, i, inv);
}

/* --- the filter, as the store asks it of each invocation --- */

struct filter {
    const struct app *app;
    struct condition condition;
    struct arena arena; /* of one row */
};

static bool passes(void *ctx, const struct invocation *inv)
{
    struct filter *f = ctx;
    const struct condition *c = &f->condition;
    struct table row;

    arena_reset(&f->arena);
    table_init(&row, &f->arena, invocation_columns, COLUMNS, "", 1);
    table_row(&row);
    for (size_t i = 0; i < COLUMNS; i++)
        if (c->column >= 0 ? (size_t)c->column == i : !c->is_plain || !is_of_figures[i])
            cells[i](&row, i, inv);
    view_times_shown(f->app, &row);
    return condition_holds(c, &row, 0);
}

static bool filter_is_on(const struct app *app, struct filter *f)
{
    struct table t;

    *f = (struct filter){.app = app};
    if (app->filter_n == 0)
        return false;
    table_init(&t, &f->arena, invocation_columns, COLUMNS, "", 1);
    (void)condition_parse((struct str){app->filter, app->filter_n}, &t, &f->condition, NULL);
    return true;
}

static void filter_clear(struct filter *f)
{
    re_free(f->condition.re);
    arena_clear(&f->arena);
}

/* --- the request --- */

static uint32_t failed_mask(void)
{
    return ~(1u << OUTCOME_OK | 1u << OUTCOME_UNKNOWN) & ((1u << OUTCOMES) - 1);
}

/* The store sorts by these itself: more than what is loaded. */
static enum inv_order order_of(const struct place *p)
{
    static const enum inv_order orders[] = {[0] = INV_OLDEST,
                                            [3] = INV_SLOWEST,
                                            [4] = INV_COSTLIEST,
                                            [5] = INV_LONGEST_INIT,
                                            [6] = INV_MOST_MEMORY};

    if (p->sort_column < 0 || (size_t)p->sort_column >= ARRAY_LEN(orders))
        return INV_NEWEST;
    return orders[p->sort_column];
}

/* Turned round by the user, or read from its other end: both together are neither. */
static bool is_reversed(const struct place *p)
{
    return (p->is_inverted && (p->sort_column == 0 || order_of(p) != INV_NEWEST)) != p->is_from_end;
}

/* The function of the place, with its sums and series for the head. */
static enum status load_head(struct app *app, struct view_data *d, struct err *e)
{
    const enum status s = view_load_one(app, d, e);

    return s == OK ? view_load_series(app, d, e) : s;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    const struct place *p = app_place(app);
    struct inv_request q = {.range = d->range,
                            .fn = app->fn_filter,
                            .fn_id = p->fn_id,
                            .outcome_mask = p->outcome_mask,
                            .error_glob = p->error_type,
                            .order = order_of(p),
                            .is_reversed = is_reversed(p),
                            .limit = PAGE_ROWS * (p->n_pages + 1)};
    AUTO(filter_clear) struct filter filter;
    struct inv_rows rows;

    if (filter_is_on(app, &filter)) {
        q.test = passes;
        q.test_ctx = &filter;
    }
    if (app->only_problems && q.outcome_mask == 0)
        q.outcome_mask = failed_mask();
    if (p->fn_id != 0 && load_head(app, d, e) != OK)
        return e->code;
    if (p->fn_id == 0 && p->display != DISPLAY_TABLE && view_load_series(app, d, e) != OK)
        return e->code;
    if (request_invocations(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    d->is_more = rows.is_more;
    table_init(&d->table, &app->data_arena, invocation_columns, ARRAY_LEN(invocation_columns),
               "fnscope.top.invocations", 1);
    view_reserve(d, &app->data_arena, rows.n);
    for (size_t i = 0; i < rows.n; i++)
        invocation_row(app, d, &rows.rows[p->is_from_end ? rows.n - 1 - i : i]);
    return OK;
}

/* --- the head: one function in three lines and two strips --- */

static struct str percentile(struct arena *a, const struct histogram *h, unsigned permille)
{
    uint64_t us;

    return histogram_percentile(h, permille, &us) ? view_duration(a, (int64_t)us * NS_PER_US)
                                                  : STR("-");
}

static void head_text(const struct fn_row *r, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct stats *s = &r->stats;
    enum style style;
    const char *state = view_state(s, &style);
    struct str name = arena_printf(
        &a, STR_FMT "  " STR_FMT "  %llu MB  " STR_FMT, STR_ARG(r->fn.name), STR_ARG(r->runtime),
        (unsigned long long)(r->memory_bytes >> 20), STR_ARG(r->fn.region));
    struct str sums =
        arena_printf(&a, STR_FMT ", " STR_FMT " failed, " STR_FMT " cold, " STR_FMT ", " STR_FMT,
                     STR_ARG(view_things(&a, s->n, "invocation", "invocations")),
                     STR_ARG(view_share(&a, stats_failed(s), s->n)),
                     STR_ARG(view_share(&a, stats_cold(s), s->n)),
                     STR_ARG(view_things(&a, s->retries, "retry", "retries")),
                     STR_ARG(view_money_in(&a, s->cost, fn_currency(&r->fn))));
    struct str times = arena_printf(
        &a,
        "p50 " STR_FMT "  p95 " STR_FMT "  p99 " STR_FMT "  max " STR_FMT "  memory up to %llu MB",
        STR_ARG(percentile(&a, &s->duration, 500)), STR_ARG(percentile(&a, &s->duration, 950)),
        STR_ARG(percentile(&a, &s->duration, 990)), STR_ARG(view_duration(&a, s->max_duration_ns)),
        (unsigned long long)(s->max_memory_used_bytes >> 20));

    unsigned used = frame_text(f, 1, y, f->width - 1, name, STYLE_BOLD);
    frame_z(f, used + 3, y, state, style == STYLE_PLAIN ? STYLE_GOOD : style);
    frame_text(f, 1, y + 1, f->width - 1, sums, STYLE_PLAIN);
    frame_text(f, 1, y + 2, f->width - 1, times, STYLE_PLAIN);
}

static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    *used = 0;
    if (!app->data.one || f->height < 18)
        return;
    head_text(app->data.one, f, y);
    *used = 3;
    if (app->no_strip || f->height < 22 || app->data.series.n < 2)
        return;
    view_strip(app, f, y + 3, STRIP_INVOCATIONS);
    view_strip(app, f, y + 4, STRIP_FAILED);
    view_strip_axis(app, f, y + 5);
    *used = 6;
}

const struct view_ops view_invocations = {
    .name = "invocations",
    .title = "Invocations",
    .load = load,
    .draw_top = draw_top,
    .first = invocation_first,
    .n_first = ARRAY_LEN(invocation_first),
    .named_column = 1,
    .is_newest_first = true,
    .has_course = true,
    .is_asked_of_store = true,
    .store_sorts = 1u << 0 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6,
    .default_sort = -1,
    .tab = VIEW_ERRORS,
};
