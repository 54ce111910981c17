/* Sources of the collector: how far behind, how well, and what their own calls cost. Above them
 * what has come in so far, which an import fills too. */
#include "tui/view.h"

/* Half of a quota in use leaves little for anybody else. */
#define BUSY_PPM 500000u

static const struct table_column columns[] = {
    {.name = "source", .title = "SOURCE", .max_width = 30},
    {.name = "state", .title = "STATE"},
    {.name = "lag_ms", .title = "LAG", .is_right = true},
    {.name = "events", .title = "EVENTS", .is_right = true},
    {.name = "calls", .title = "CALLS", .is_right = true},
    {.name = "errors", .title = "ERRORS", .is_right = true},
    {.name = "throttles", .title = "THROTTLED", .is_right = true},
    {.name = "quota_percent", .title = "QUOTA", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "cost_today_usd", .title = "TODAY", .is_right = true},
    {.name = "cost_cap_usd", .title = "CAP", .is_right = true},
    {.name = "tried_time", .title = "POLLED"},
    {.name = "error", .title = "SAYS", .max_width = 60},
    {.name = "bytes", .title = "BYTES", .is_right = true},
    {.name = "type", .title = "TYPE"},
    {.name = "region", .title = "REGION"},
    {.name = "quota", .title = "TIGHTEST"},
};
static const unsigned char first[] = {0, 1, 2, 5, 8, 9, 7, 6, 4, 3, 12, 10, 11, 14, 15, 13, 16};

/* "x failing": the mark says how bad, also without colour. */
struct str view_source_state(const struct app *app, const struct source_status *s,
                             enum style *style, struct arena *a)
{
    static const struct {
        const char *mark;
        enum style style;
    } looks[SOURCE_STATES] = {
        [SOURCE_OK] = {"  ", STYLE_PLAIN},     [SOURCE_STARTING] = {"  ", STYLE_PLAIN},
        [SOURCE_FAILING] = {"x ", STYLE_BAD},  [SOURCE_CAPPED] = {"! ", STYLE_WARN},
        [SOURCE_STOPPED] = {"! ", STYLE_WARN}, [SOURCE_DEAD] = {"x ", STYLE_BAD},
        [SOURCE_HELD] = {"x ", STYLE_BAD},     [SOURCE_PARTIAL] = {"! ", STYLE_WARN},
    };
    const enum source_state state = source_state_of(s, app->collector);

    *style = looks[state].style;
    if (looks[state].style != STYLE_BAD && state != SOURCE_CAPPED && state != SOURCE_PARTIAL &&
        s->quota_ppm > BUSY_PPM) {
        *style = STYLE_WARN;
        return STR("! near its quota");
    }
    return arena_printf(a, "%s%s", looks[state].mark, source_state_name(state));
}

static void source_row(struct app *app, struct view_data *d, const struct source_status *s)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    const struct str state = view_source_state(app, s, &ref->style, &app->data_arena);

    ref->leads_to = VIEW_SOURCE;
    ref->id = s->name;
    ref->is_problem = ref->style != STYLE_PLAIN;
    table_text(t, 0, s->name);
    table_text_shown(t, 1, str_trim(str_skip(state, 2)), state);
    if (s->success_ns != 0)
        cell_duration(t, 2, s->lag_ns + clock_now(&app->options->clock) - s->success_ns);
    cell_count(t, 3, s->add_events);
    cell_count(t, 4, s->add_calls);
    cell_count(t, 5, s->add_errors);
    cell_count(t, 6, s->add_throttles);
    if (source_has_quota(s))
        cell_percent(t, 7, s->quota_ppm, 1000000);
    cell_money(t, 8, s->add_cost);
    cell_money(t, 9, s->cost_today);
    if (s->cost_cap > 0)
        cell_money(t, 10, s->cost_cap);
    if (s->tried_ns != 0)
        cell_time(t, 11, s->tried_ns);
    if (s->error.n > 0)
        table_text(t, 12, s->error);
    cell_count(t, 13, s->add_bytes);
    table_text(t, 14, s->type);
    if (s->region.n > 0)
        table_text(t, 15, s->region);
    if (s->quota.n > 0)
        table_text(t, 16, s->quota);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct source_rows rows;
    int64_t now = clock_now(&app->options->clock);
    struct range day = {now - NS_PER_DAY, now};
    enum status s = request_sources(app->options->store, &app->data_arena, &rows, e);

    if (s == OK)
        s = request_status(app->options->store, &app->data_arena, &d->status, e);
    if (s == OK)
        s = reconcile_load(app->options->store, day, NULL, &app->data_arena, &d->reconcile, e);
    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.sources", 1);
    for (size_t i = 0; i < rows.n; i++)
        source_row(app, d, &rows.rows[i]);
    return OK;
}

/* Lines drawn. */
static unsigned draw_counts(const struct reconcile *c, struct frame *f, unsigned y, struct arena *a)
{
    const struct str missing = reconcile_missing_text(c, a), untold = reconcile_errors_text(c, a);
    const struct str scope = reconcile_scope_text(c, a);
    const bool is_well = missing.n == 0 && untold.n == 0;

    if (c->n_hours == 0)
        return 0;
    if (is_well)
        frame_text(f, 1, y, f->width - 1, scope, STYLE_PLAIN);
    else
        frame_text(f, 1, y, f->width - 1,
                   arena_printf(a, "! " STR_FMT "%s" STR_FMT ": fnscope doctor says more",
                                STR_ARG(missing), missing.n > 0 && untold.n > 0 ? "; " : "",
                                STR_ARG(untold)),
                   STYLE_WARN);
    return 1;
}

/* A collector stores at least the state of its sources, each minute. */
#define SILENT_NS (3 * NS_PER_MIN)

unsigned view_draw_unwatched(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct str why = app->data.unwatched;

    if (why.n == 0)
        return 0;
    frame_text(f, 1, y, f->width - 1, arena_printf(&a, "x " STR_FMT, STR_ARG(why)), STYLE_BAD);
    return 1;
}

static unsigned draw_silence(const struct app *app, struct frame *f, unsigned y, struct arena *a)
{
    if (app->data.unwatched.n > 0)
        return view_draw_unwatched(app, f, y);
    const int64_t at_ns = app->data.status.last_commit_ns;
    const int64_t silent_ns = clock_now(&app->options->clock) - at_ns;

    if (app->data.table.n_rows == 0 || at_ns == 0 || silent_ns < SILENT_NS)
        return 0;
    frame_text(f, 1, y, f->width - 1,
               arena_printf(a,
                            "! nothing was stored for " STR_FMT ": the collector is stopped or "
                            "cannot write, fnscope doctor says more",
                            STR_ARG(view_duration(a, silent_ns / NS_PER_SEC * NS_PER_SEC))),
               STYLE_BAD);
    return 1;
}

static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct ingest_status *s = &app->data.status;
    const struct batch_counts *c = &s->counts;
    AUTO(buf_clear) struct buf kept = {.max = 1024};
    AUTO(buf_clear) struct buf odd = {.max = 1024};

    buf_addf(&kept, STR_FMT " %s, " STR_FMT " %s of %llu %s in %llu day %s",
             STR_ARG(view_count(&a, s->log_events)), plural(s->log_events, "event", "events"),
             STR_ARG(view_count(&a, s->invocations)),
             plural(s->invocations, "invocation", "invocations"), (unsigned long long)s->functions,
             plural(s->functions, "function", "functions"), (unsigned long long)s->day_files,
             plural(s->day_files, "file", "files"));
    buf_addf(&odd,
             STR_FMT " repeats dropped, " STR_FMT " not decoded, " STR_FMT " open, " STR_FMT
                     " without a price",
             STR_ARG(view_count(&a, c->repeats)), STR_ARG(view_count(&a, c->quarantined)),
             STR_ARG(view_count(&a, s->open_invocations)),
             STR_ARG(view_count(&a, view_unpriced(s))));
    frame_text(f, 1, y, f->width - 1, buf_str(&kept), STYLE_PLAIN);
    frame_text(f, 1, y + 1, f->width - 1, buf_str(&odd),
               c->quarantined > 0 || view_unpriced(s) > 0 ? STYLE_WARN : STYLE_PLAIN);
    *used = 2 + draw_silence(app, f, y + 2, &a);
    *used += 1 + draw_counts(&app->data.reconcile, f, y + *used, &a);
}

const struct view_ops view_sources = {
    .name = "sources",
    .title = "Sources",
    .load = load,
    .draw_top = draw_top,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .default_sort = -1,
    .has_ages = true,
    .tab = VIEW_SOURCES,
    .empty = "No collector has filled this store: what is in it was imported.",
};
