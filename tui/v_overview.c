/* What stands on top of Overview and Incidents, and the strips over time that others use too. */
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

#define INCIDENT_LINES 4u

/* --- loading what is shared --- */

enum status view_load_functions(struct app *app, struct view_data *d, struct err *e)
{
    return request_functions(app->options->store, d->range, &app->fn_filter, &app->data_arena,
                             &d->functions, e);
}

static enum status take_one(void *ctx, const struct fn_row *row, struct err *e)
{
    struct fn_row *one = ctx;

    UNUSED(e);
    *one = *row;
    return OK;
}

enum status view_load_one(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = &app->data_arena;
    struct fn_row *copy = arena_new(a, struct fn_row, 1);
    struct each_fn_request q = {.range = d->range, .fns = {&app_place(app)->fn_id, 1}, .keep = a};
    const struct standing_sizes_request sizes = {app->options->cost, d->range, &app->fn_filter,
                                                 copy, 1};
    enum status s = request_each_function(app->options->store, &q, take_one, copy, e);

    if (s == OK && copy->fn_id != 0)
        s = standing_sizes_load(app->options->store, &sizes, a, e);
    d->one = s == OK && copy->fn_id != 0 ? copy : NULL;
    return s;
}

wide view_total_cost(const struct view_data *d, const struct fn_ref *fn)
{
    return fn_is_usd(fn) ? d->usd : d->cny;
}

/* Points of the strip on top: minutes, hours, or days when the range is long. */
static bool is_in_cny(const void *ctx, const struct fn_ref *fn)
{
    UNUSED(ctx);
    return !fn_is_usd(fn);
}

/* The series' costs are in one currency: USD, or CNY where there is nothing else. */
static void tell_apart(struct view_data *d, const struct series *cny)
{
    for (size_t i = 0; i < d->series.n && i < cny->n; i++) {
        d->usd += d->series.points[i].cost - cny->points[i].cost;
        d->cny += cny->points[i].cost;
    }
    for (size_t i = 0; i < cny->n && i < d->series.n && d->usd != 0; i++)
        d->series.points[i].cost -= cny->points[i].cost;
}

enum status view_load_series(struct app *app, struct view_data *d, struct err *e)
{
    int64_t span = d->range.until_ns - d->range.since_ns;
    int64_t step = span <= 2 * NS_PER_HOUR   ? NS_PER_MIN
                   : span <= 10 * NS_PER_DAY ? NS_PER_HOUR
                                             : NS_PER_DAY;
    struct series_request q = {
        .range = d->range, .step_ns = step, .fn_id = app_place(app)->fn_id, .fn = app->fn_filter};

    struct series cny;

    if (request_series(app->options->store, &q, &app->data_arena, &d->series, e) != OK)
        return e->code;
    q.fn.test = is_in_cny;
    if (request_series(app->options->store, &q, &app->data_arena, &cny, e) != OK)
        return e->code;
    tell_apart(d, &cny);
    return OK;
}

/* --- strips --- */

static uint64_t strip_value(const struct stats *s, enum strip_kind k)
{
    switch (k) {
    case STRIP_FAILED:
        return stats_failed(s);
    case STRIP_COST:
        return (uint64_t)(s->cost / 1000);
    case STRIP_LINES:
        return s->log_events;
    case STRIP_LOG_ERRORS:
        return s->log_errors;
    case STRIP_INVOCATIONS:
    default:
        return s->n;
    }
}

#define STRIP_LABEL 5u

static unsigned strip_width(const struct frame *f)
{
    return f->width > STRIP_LABEL + 2 ? f->width - STRIP_LABEL - 2 : 0;
}

void view_strip(const struct app *app, struct frame *f, unsigned y, enum strip_kind k)
{
    static const struct {
        const char *label;
        enum style style;
    } kinds[] = {
        [STRIP_INVOCATIONS] = {"inv", STYLE_ACCENT}, [STRIP_FAILED] = {"fail", STYLE_BAD},
        [STRIP_COST] = {"cost", STYLE_WARN},         [STRIP_LINES] = {"line", STYLE_ACCENT},
        [STRIP_LOG_ERRORS] = {"err", STYLE_BAD},
    };
    AUTO(arena_clear) struct arena a = {0};
    const struct series *s = &app->data.series;
    uint64_t *values = arena_new(&a, uint64_t, s->n + 1);

    for (size_t i = 0; i < s->n; i++)
        values[i] = strip_value(&s->points[i], k);
    struct spark spark = {values, s->n, kinds[k].style};
    frame_z(f, 1, y, kinds[k].label, STYLE_DIM);
    frame_spark(f, 1 + STRIP_LABEL, y, strip_width(f), &spark);
}

void view_strip_axis(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct series *s = &app->data.series;
    int64_t end = s->since_ns + (int64_t)s->n * s->step_ns;
    const char *each = s->step_ns == NS_PER_MIN    ? "minutes"
                       : s->step_ns == NS_PER_HOUR ? "hours"
                                                   : "days";
    struct str middle = arena_printf(&a, "%zu %s", s->n, each);

    frame_text(f, 1 + STRIP_LABEL, y, strip_width(f),
               view_time(app, &a, s->since_ns, TIME_DAY_MINUTE), STYLE_DIM);
    frame_text(f, 1 + STRIP_LABEL + strip_width(f) / 2 - (unsigned)middle.n / 2, y, 24, middle,
               STYLE_DIM);
    frame_right(f, 1 + STRIP_LABEL, y, strip_width(f), view_time(app, &a, end, TIME_DAY_MINUTE),
                STYLE_DIM);
}

void view_draw_strip(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    *used = 0;
    if (app->no_strip || app->data.series.n < 2 || f->height < 14)
        return;
    bool is_cost = app->stack[app->depth - 1].view == VIEW_COST;
    view_strip(app, f, y, is_cost ? STRIP_COST : STRIP_INVOCATIONS);
    *used = 1;
    if (f->height < 24)
        return;
    if (!is_cost)
        view_strip(app, f, y + (*used)++, STRIP_FAILED);
    view_strip_axis(app, f, y + (*used)++);
}

/* --- tiles --- */

static void draw_tiles(struct frame *f, unsigned y, const struct tile *tiles, unsigned n)
{
    unsigned width = f->width / n;

    for (unsigned i = 0; i < n; i++) {
        frame_text(f, i * width + 1, y, width - 1, str_from(tiles[i].label), STYLE_DIM);
        frame_text(f, i * width + 1, y + 1, width - 1, tiles[i].value, tiles[i].style);
    }
}

static wide per_hour(wide cost, int64_t minutes)
{
    return minutes > 0 ? wide_div_round(cost * 60, minutes) : cost;
}

void view_tiles(const struct app *app, struct arena *a, struct tile *out)
{
    const struct stats *s = &app->data.total;
    uint64_t failed = stats_failed(s);
    int64_t minutes = (app->data.range.until_ns - app->data.range.since_ns) / NS_PER_MIN;
    const struct tile tiles[OVERVIEW_TILES] = {
        {"invocations", view_count(a, s->n), STYLE_BOLD},
        {"failed",
         arena_printf(a, STR_FMT " %s", STR_ARG(view_share(a, failed, s->n)),
                      failed * 100 > s->n ? "!" : ""),
         failed * 20 > s->n    ? STYLE_BAD
         : failed * 100 > s->n ? STYLE_WARN
                               : STYLE_GOOD},
        {"p95", view_duration(a, s->max_duration_ns), STYLE_BOLD},
        {"cold", view_share(a, stats_cold(s), s->n), STYLE_BOLD},
        {"cost",
         stats_lack_price(s) ? STR("not priced") : view_costs(a, app->data.usd, app->data.cny),
         STYLE_BOLD},
        {"cost/h",
         view_costs(a, per_hour(app->data.usd, minutes), per_hour(app->data.cny, minutes)),
         STYLE_BOLD},
        {"throttled", view_count(a, app->data.throttles.n),
         app->data.throttles.n > 0 ? STYLE_BAD : STYLE_BOLD},
    };

    memcpy(out, tiles, sizeof(tiles));
}

static void overview_tiles(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    struct tile tiles[OVERVIEW_TILES];

    view_tiles(app, &a, tiles);
    draw_tiles(f, y, tiles, f->width < 72 ? 5 : f->width < 100 ? 6 : ARRAY_LEN(tiles));
}

/* --- what went wrong, and how fresh all of it is --- */

/* "08:28-23:04", with the day where the range or the incident has more than one. */
static struct str when(const struct app *app, struct arena *a, const struct incident *i,
                       bool is_long)
{
    const enum time_form form = is_long ? TIME_DAY_MINUTE : TIME_CLOCK_MINUTE;
    const bool is_one_day =
        str_eq(view_time(app, a, i->since_ns, TIME_DAY), view_time(app, a, i->until_ns, TIME_DAY));
    const struct str to = view_time(app, a, i->until_ns, TIME_CLOCK_MINUTE);

    if (!is_one_day)
        return arena_printf(a, STR_FMT " to " STR_FMT,
                            STR_ARG(view_time(app, a, i->since_ns, TIME_DAY_MINUTE)),
                            STR_ARG(view_time(app, a, i->until_ns, TIME_DAY_MINUTE)));
    const struct str from = view_time(app, a, i->since_ns, form);
    return str_ends(from, to) ? from
                              : arena_printf(a, STR_FMT "-" STR_FMT, STR_ARG(from), STR_ARG(to));
}

static void incident_line(const struct app *app, const struct incident *i, bool is_long,
                          struct frame *f, unsigned y, unsigned width)
{
    AUTO(arena_clear) struct arena a = {0};

    frame_text(f, 1, y, width,
               arena_printf(&a, "x " STR_FMT " " STR_FMT ": " STR_FMT,
                            STR_ARG(store_places_name(&app->data.places, &i->fn, &a)),
                            STR_ARG(when(app, &a, i, is_long)), STR_ARG(incident_what(i, &a))),
               STYLE_BAD);
}

/* At the end of the last line of several: the key that shows the others. Returns the room it
 * takes. */
static unsigned more_line(struct frame *f, unsigned y, const char *key, size_t n)
{
    AUTO(arena_clear) struct arena a = {0};

    if (n == 0)
        return 0;
    const struct str more = arena_printf(&a, " %s: %zu more ", key, n);
    frame_text(f, f->width - (unsigned)more.n, y, (unsigned)more.n, more, STYLE_ACCENT);
    return (unsigned)more.n;
}

/* Alerts that hold, before what has been. Returns the lines used. */
static unsigned alert_lines(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct alert_rows *rows = &app->data.alerts;
    const unsigned shown = rows->n > 2 ? 2 : (unsigned)rows->n;
    const unsigned cut = more_line(f, y + shown - 1, "8", rows->n - shown);

    for (unsigned i = 0; i < shown; i++) {
        const struct alert *x = &rows->rows[i];
        frame_text(
            f, 1, y + i, f->width - 1 - (i + 1 == shown ? cut : 0),
            arena_printf(&a, "%s: " STR_FMT, view_alert_state(x->state), STR_ARG(x->summary)),
            x->state == ALERT_FIRING ? STYLE_BAD : STYLE_WARN);
    }
    return shown;
}

/* What a source did not tell cannot be seen to go wrong. Returns the lines used. */
static unsigned gap_lines(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct source_gaps *gaps = &app->data.gaps;
    const unsigned used = view_draw_unwatched(app, f, y);

    if (gaps->n == 0)
        return used;
    struct str first = source_gap_text(&gaps->rows[0], &a);
    struct str line = gaps->n == 1 ? arena_printf(&a, "! " STR_FMT, STR_ARG(first))
                                   : arena_printf(&a, "! %zu sources left gaps: " STR_FMT, gaps->n,
                                                  STR_ARG(first));
    frame_text(f, 1, y + used, f->width - 1, line, STYLE_WARN);
    return used + 1;
}

/* Not an incident of hours: each refused call is one that nobody answered. Returns the lines used.
 */
static unsigned throttle_lines(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct throttles *t = &app->data.throttles;

    if (t->n == 0)
        return 0;
    frame_text(f, 1, y, f->width - 1,
               arena_printf(&a, "x " STR_FMT, STR_ARG(throttles_text(t, &a))), STYLE_BAD);
    return 1;
}

static unsigned incident_lines(const struct app *app, struct frame *f, unsigned y)
{
    size_t n = app->data.incidents.n;
    unsigned room = f->height < 20 ? 1 : INCIDENT_LINES;

    if (app->data.total.n == 0)
        return 0;
    if (n == 0 && (app->data.unwatched.n > 0 || app->data.gaps.n > 0 || app->data.throttles.n > 0))
        return 0;
    if (n == 0) {
        frame_z(f, 1, y, "+ nothing went wrong beyond single failures", STYLE_GOOD);
        return 1;
    }
    unsigned shown = n < room ? (unsigned)n : room;
    bool is_long = app->data.range.until_ns - app->data.range.since_ns > NS_PER_DAY;
    const unsigned cut = more_line(f, y + shown - 1, "Tab", n - shown);
    for (unsigned i = 0; i < shown; i++)
        incident_line(app, &app->data.incidents.rows[i], is_long, f, y + i,
                      f->width - 1 - (i + 1 == shown ? cut : 0));
    return shown;
}

static void freshness_line(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct ingest_status *s = &app->data.status;
    AUTO(buf_clear) struct buf b = {.max = 1024};

    buf_addf(&b, "%zu function%s", app->data.n_functions, plural(app->data.n_functions, "", "s"));
    if (s->last_ns == 0)
        buf_add_z(&b, "; the store holds no event yet");
    else if (app->range.until_ns == 0) {
        buf_addf(&b, ", newest event " STR_FMT, STR_ARG(view_ago(app, &a, s->last_ns)));
        if (s->last_commit_ns <= clock_now(&app->options->clock)) /* not under another clock */
            buf_addf(&b, ", stored " STR_FMT, STR_ARG(view_ago(app, &a, s->last_commit_ns)));
    } else
        buf_addf(&b, "; the store holds " STR_FMT,
                 STR_ARG(view_range(app, &a, (struct range){s->first_ns, s->last_ns})));
    if (s->open_invocations > 0)
        buf_addf(&b, ", %llu open", (unsigned long long)s->open_invocations);
    if (view_unpriced(s) > 0)
        buf_addf(&b, ", ! %llu without a price", (unsigned long long)view_unpriced(s));
    if (s->counts.quarantined > 0)
        buf_addf(&b, ", ! %llu %s not decoded", (unsigned long long)s->counts.quarantined,
                 plural(s->counts.quarantined, "event", "events"));
    frame_text(f, 1, y, f->width - 1, buf_str(&b), STYLE_DIM);
}

void view_draw_overview(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    unsigned at = y + 2;

    overview_tiles(app, f, y);
    if (!app->no_strip && f->height >= 18 && app->data.series.n >= 2) {
        view_strip(app, f, at++, STRIP_INVOCATIONS);
        view_strip(app, f, at++, STRIP_FAILED);
        view_strip(app, f, at++, STRIP_COST);
    }
    if (!app->no_strip && f->height >= 24 && app->data.series.n >= 2)
        view_strip_axis(app, f, at++);
    at += alert_lines(app, f, at);
    if (app->stack[app->depth - 1].view == VIEW_OVERVIEW) {
        at += gap_lines(app, f, at);
        at += throttle_lines(app, f, at);
        at += incident_lines(app, f, at);
    }
    if (f->height >= 18)
        freshness_line(app, f, at++);
    *used = at - y + (f->height >= 22);
}

/* --- the other pane --- */

static const struct table_column incident_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 28},
    {.name = "kind", .title = "WHAT"},
    {.name = "failed", .title = "FAILED", .is_right = true},
    {.name = "attempts", .title = "OF", .is_right = true},
    {.name = "cost_failed_usd", .title = "COST", .is_right = true},
    {.name = "since_time", .title = "SINCE"},
    {.name = "until_time", .title = "UNTIL"},
    {.name = "text", .title = "THAT IS"},
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "region", .title = "REGION", .is_hidden = true},
};
static const unsigned char incident_first[] = {0, 1, 2, 5, 7, 4, 3, 6, 8, 9};

static enum status load_incidents(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = view_load_overview(app, d, e);
    struct table *t = &d->table;

    if (s != OK)
        return s;
    d->refs = NULL;
    d->cap_refs = 0;
    table_init(t, &app->data_arena, incident_columns, ARRAY_LEN(incident_columns),
               "fnscope.top.incidents", 1);
    for (size_t i = 0; i < d->incidents.n; i++) {
        const struct incident *x = &d->incidents.rows[i];
        struct row_ref *ref = view_row(d, &app->data_arena);
        *ref = (struct row_ref){.leads_to = VIEW_INVOCATIONS,
                                .fn_id = x->fn_id,
                                .fn_name = x->fn.name,
                                .range = {x->since_ns, x->until_ns + NS_PER_MIN},
                                .time_ns = x->since_ns,
                                .style = STYLE_BAD,
                                .is_problem = true};
        table_text(t, 0, x->fn.name);
        table_text_shown(t, 1, str_from(incident_kind_names[x->kind]),
                         arena_printf(&app->data_arena, "x %s", incident_kind_names[x->kind]));
        cell_count(t, 2, x->failed);
        cell_count(t, 3, x->n);
        cell_money_of(t, 4, x->cost_failed, &x->fn);
        cell_time(t, 5, x->since_ns);
        cell_time(t, 6, x->until_ns);
        table_text(t, 7, incident_text(x, &app->data_arena));
        table_text(t, 8, x->fn.account);
        table_text(t, 9, x->fn.region);
    }
    return OK;
}

const struct view_ops view_incidents = {
    .name = "incidents",
    .title = "Incidents",
    .load = load_incidents,
    .draw_top = view_draw_overview,
    .first = incident_first,
    .n_first = ARRAY_LEN(incident_first),
    .default_sort = -1,
    .tab = VIEW_OVERVIEW,
    .empty = "Nothing went wrong beyond single failures: Tab goes back to the functions.",
};
