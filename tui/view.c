/* What views share: rows, cells, texts; the table of views. */
#include "tui/view.h"

#include "core/base/timefmt.h"

const struct view_ops *const view_table[VIEWS] = {
    [VIEW_OVERVIEW] = &view_overview,   [VIEW_INCIDENTS] = &view_incidents,
    [VIEW_FUNCTIONS] = &view_functions, [VIEW_INVOCATIONS] = &view_invocations,
    [VIEW_ERRORS] = &view_errors,       [VIEW_TRACES] = &view_traces,
    [VIEW_FUNCTION] = &view_function,   [VIEW_BREAKDOWN] = &view_breakdown,
    [VIEW_COMPARE] = &view_compare,     [VIEW_COLD] = &view_cold,
    [VIEW_COST] = &view_cost,           [VIEW_LOG] = &view_log,
    [VIEW_QUEUES] = &view_queues,       [VIEW_ALERTS] = &view_alerts,
    [VIEW_EPISODES] = &view_episodes,   [VIEW_SOURCES] = &view_sources,
    [VIEW_ALERT] = &view_alert,         [VIEW_INVOCATION] = &view_invocation,
    [VIEW_QUEUE] = &view_queue,         [VIEW_SOURCE] = &view_source,
    [VIEW_EXPLAIN] = &view_explain,     [VIEW_SQL] = &view_sql,
    [VIEW_HELP] = &view_help,
};

/* What --view and the palette take: the views that need no further word. */
const char *const tui_view_names[] = {
    "overview", "incidents", "functions", "invocations", "errors",  "traces", "coldstarts", "cost",
    "queues",   "alerts",    "episodes",  "log",         "sources", "help",   NULL};

void view_reserve(struct view_data *d, struct arena *a, size_t n_rows)
{
    table_reserve(&d->table, n_rows);
    d->cap_refs = n_rows + 1;
    d->refs = arena_alloc(a, d->cap_refs * sizeof(*d->refs));
}

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
    view_line_in(d, a, style, text, 2);
}

void view_line_in(struct view_data *d, struct arena *a, enum style style, struct str text,
                  unsigned indent)
{
    d->lines = arena_grow(a, d->lines, d->n_lines, &d->cap_lines, sizeof(*d->lines));
    d->lines[d->n_lines++] = (struct text_line){text, style, indent};
}

struct place *app_place(struct app *app)
{
    return &app->stack[app->depth - 1];
}

uint64_t view_unpriced(const struct ingest_status *s)
{
    return s->unpriced > s->open_invocations ? s->unpriced - s->open_invocations : 0;
}

uint64_t stats_failed(const struct stats *s)
{
    return s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];
}

uint64_t stats_cold(const struct stats *s)
{
    return s->start[START_COLD] + s->start[START_SNAPSTART];
}

struct str view_money_in(struct arena *a, wide pico, struct str currency)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    money m = 0;

    if (money_narrow(pico, &m, NULL) != OK)
        return STR("very much");
    money_format_short(&b, m, currency);
    return arena_str(a, buf_str(&b));
}

struct str view_money(struct arena *a, wide pico)
{
    return view_money_in(a, pico, STR("USD"));
}

struct str view_costs(struct arena *a, wide usd, wide cny)
{
    const struct str in_cny = cny != 0 ? view_money_in(a, cny, STR("CNY")) : STR("");

    if (cny == 0 || usd == 0)
        return cny == 0 ? view_money(a, usd) : in_cny;
    return arena_printf(a, STR_FMT " + " STR_FMT, STR_ARG(view_money(a, usd)), STR_ARG(in_cny));
}

void cell_costs(struct table *t, size_t column, wide usd, wide cny)
{
    table_money(t, column, view_exact(t->arena, usd, 12), view_costs(t->arena, usd, cny));
}

void cell_money_of(struct table *t, size_t column, wide pico, const struct fn_ref *fn)
{
    if (fn_is_usd(fn))
        cell_money(t, column, pico);
    else
        table_null_shown(t, column, view_money_in(t->arena, pico, fn_currency(fn)));
}

void cell_cny(struct table *t, size_t column, wide pico, const struct fn_ref *fn)
{
    if (!fn_is_usd(fn))
        table_money(t, column, view_exact(t->arena, pico, 12),
                    view_money_in(t->arena, pico, fn_currency(fn)));
}

bool stats_lack_price(const struct stats *s)
{
    return s->n > 0 && s->unpriced == s->n;
}

static bool is_cost(const char *column)
{
    return str_starts(str_from(column), STR("cost")) || str_starts(str_from(column), STR("per_"));
}

void row_amounts(struct table *t, const struct fn_row *f)
{
    struct table_cell *row = &t->cells[(t->n_rows - 1) * t->n_columns];
    int64_t pico;

    for (size_t i = 0; i < t->n_columns; i++) {
        if (row[i].type != CELL_MONEY || !str_to_scaled(row[i].raw, 12, &pico) ||
            str_ends(str_from(t->columns[i].name), STR("_cny")))
            continue;
        if (pico == 0 && stats_lack_price(&f->stats) && is_cost(t->columns[i].name))
            table_null_shown(t, i, STR("not priced"));
        else
            cell_money_of(t, i, pico, &f->fn);
    }
}

struct str view_share(struct arena *a, wide part, wide whole)
{
    if (whole <= 0)
        return STR("-");
    int64_t permille = (int64_t)wide_div_round(part * 1000, whole);
    return arena_printf(a, "%lld.%lld%%", (long long)(permille / 10), (long long)(permille % 10));
}

struct str view_exact(struct arena *a, wide v, unsigned scale)
{
    AUTO(buf_clear) struct buf b = {.max = 96};

    wide_format_scaled(&b, v, scale);
    return arena_str(a, buf_str(&b));
}

struct str view_count(struct arena *a, uint64_t n)
{
    struct str digits = arena_printf(a, "%llu", (unsigned long long)n);
    AUTO(buf_clear) struct buf b = {.max = 64};

    for (size_t i = 0; i < digits.n; i++) {
        if (i > 0 && (digits.n - i) % 3 == 0)
            buf_add_c(&b, ',');
        buf_add_c(&b, digits.p[i]);
    }
    return arena_str(a, buf_str(&b));
}

struct str view_things(struct arena *a, uint64_t n, const char *one, const char *many)
{
    return arena_printf(a, STR_FMT " %s", STR_ARG(view_count(a, n)), plural(n, one, many));
}

struct str view_duration(struct arena *a, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    return arena_str(a, buf_str(&b));
}

void cell_money(struct table *t, size_t column, wide pico)
{
    table_money(t, column, view_exact(t->arena, pico, 12), view_money(t->arena, pico));
}

void cell_duration(struct table *t, size_t column, int64_t ns)
{
    table_number(t, column, view_exact(t->arena, ns, 6), view_duration(t->arena, ns));
}

void cell_count(struct table *t, size_t column, uint64_t n)
{
    table_number(t, column, arena_printf(t->arena, "%llu", (unsigned long long)n),
                 view_count(t->arena, n));
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
        table_number(t, column,
                     view_exact(t->arena, wide_div_round((wide)part * 1000000, whole), 4),
                     view_share(t->arena, part, whole));
}

void cell_cost(const struct app *app, struct table *t, size_t column, wide pico, uint64_t n,
               wide total)
{
    if (app->unit == UNIT_PER_MILLION && n > 0)
        cell_money(t, column, wide_div_round(pico * 1000000, n));
    else if (app->unit == UNIT_SHARE && total > 0)
        table_number(t, column, view_exact(t->arena, wide_div_round(pico * 1000000, total), 4),
                     view_share(t->arena, pico, total));
    else
        cell_money(t, column, pico);
}

/* --- charts in texts --- */

#define CHART_ROOM 26u /* beside a chart: what it shows, and its largest value */
#define BAR_CELLS  24u

unsigned view_chart_width(const struct app *app)
{
    unsigned width = app->frame.width > 0 ? app->frame.width : 100;

    return width > CHART_ROOM + 12 ? width - CHART_ROOM : 20;
}

/* Drawn as on the screen and taken as text. */
struct str view_chart(struct app *app, const struct spark *s, unsigned permille)
{
    struct arena *a = &app->data_arena;
    AUTO(buf_clear) struct buf out = {.max = 1u << 16};
    struct frame f = {.is_ascii = app->frame.is_ascii};

    if (app->is_spoken)
        return (struct str){0};
    frame_init(&f, a, s ? view_chart_width(app) : BAR_CELLS, 1);
    if (s)
        frame_spark(&f, 0, 0, f.width, s);
    else
        frame_bar(&f, 0, 0, f.width, permille, STYLE_PLAIN);
    frame_print(&f, &out);
    return arena_str(a, str_trim_right(buf_str(&out)));
}

size_t view_cell_at(struct range r, int64_t t_ns, unsigned width)
{
    const int64_t span_ns = r.until_ns - r.since_ns;

    if (t_ns <= r.since_ns || span_ns <= 0)
        return 0;
    const size_t at = (size_t)((wide)(t_ns - r.since_ns) * width / span_ns);
    return at < width ? at : width - 1;
}
