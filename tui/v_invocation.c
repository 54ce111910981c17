/* One request: its attempts on one time line, then each attempt with its phases, receipt, log lines
 * and the neighbours in its environment. */
#include "core/model/log_text.h"
#include "tui/view.h"

/* Lines of a crash trail the end by a moment; a retry comes a minute later at the earliest. */
#define AFTERMATH_NS   (5 * NS_PER_SEC)
#define LINES_SHOWN    ((size_t)2000)
#define BAR_CELLS      48
#define NEIGHBOURS     3 /* before and after */
#define NEIGHBOUR_READ ((size_t)400)
#define LINE_INDENT    15u

static struct arena *arena_of(struct app *app)
{
    return &app->data_arena;
}

static void blank(struct app *app, struct view_data *d)
{
    view_line(d, arena_of(app), STYLE_PLAIN, STR(""));
}

/* --- the time line ---
 * One row an attempt: ░ initialization, █ handler; scaled to the whole request. */

struct time_line {
    int64_t since_ns, until_ns;
};

static int64_t begin_of(const struct invocation *inv)
{
    return inv->start_ns - (inv->evidence & EV_PROACTIVE_INIT ? 0 : inv->init_ns);
}

static int64_t end_of(const struct invocation *inv)
{
    return inv->start_ns + inv->duration_ns;
}

static size_t cell_at(const struct time_line *t, int64_t at_ns)
{
    int64_t span = t->until_ns - t->since_ns;

    return span > 0 ? (size_t)((wide)(at_ns - t->since_ns) * BAR_CELLS / span) : 0;
}

static struct str bar_of(struct app *app, const struct time_line *t, const struct invocation *inv)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};
    size_t from = cell_at(t, begin_of(inv)), start = cell_at(t, inv->start_ns),
           to = cell_at(t, end_of(inv));
    bool is_ascii = app->frame.is_ascii;

    from = from >= BAR_CELLS ? BAR_CELLS - 1 : from;
    to = to > from ? to : from + 1;
    for (size_t i = 0; i < BAR_CELLS; i++)
        buf_add_z(&b, i < from || i >= to ? " "
                      : i < start         ? (is_ascii ? "." : "░")
                                          : (is_ascii ? "#" : "█"));
    return arena_str(arena_of(app), buf_str(&b));
}

static void time_line(struct app *app, struct view_data *d, const struct inv_rows *rows)
{
    struct arena *a = arena_of(app);
    struct time_line t = {begin_of(&rows->rows[0]), end_of(&rows->rows[0])};

    for (size_t i = 1; i < rows->n; i++) {
        t.since_ns = begin_of(&rows->rows[i]) < t.since_ns ? begin_of(&rows->rows[i]) : t.since_ns;
        t.until_ns = end_of(&rows->rows[i]) > t.until_ns ? end_of(&rows->rows[i]) : t.until_ns;
    }
    view_line(d, a, STYLE_BOLD,
              arena_printf(a, "Request " STR_FMT ": %zu attempt%s in " STR_FMT,
                           STR_ARG(rows->rows[0].id), rows->n, plural(rows->n, "", "s"),
                           STR_ARG(view_duration(a, t.until_ns - t.since_ns))));
    for (size_t i = 0; i < rows->n; i++) {
        const struct invocation *inv = &rows->rows[i];
        view_line(d, a, view_result_style(inv->outcome),
                  arena_printf(a, "  %2u %s " STR_FMT " %s +" STR_FMT ", " STR_FMT "%s",
                               inv->attempt, app->frame.is_ascii ? "|" : "▏",
                               STR_ARG(bar_of(app, &t, inv)), view_result(inv->outcome),
                               STR_ARG(view_duration(a, begin_of(inv) - t.since_ns)),
                               STR_ARG(view_duration(a, end_of(inv) - begin_of(inv))),
                               inv->init_ns > 0 ? ", cold" : ""));
    }
    blank(app, d);
}

/* --- facts --- */

static void field(struct app *app, struct view_data *d, const char *name, struct str value,
                  enum style style)
{
    if (value.n > 0)
        view_line_in(d, arena_of(app), style,
                     arena_printf(arena_of(app), "  %-12s " STR_FMT, name, STR_ARG(value)),
                     LINE_INDENT);
}

static struct str init_text(struct arena *a, const struct invocation *inv)
{
    bool is_early = inv->evidence & EV_PROACTIVE_INIT;

    return arena_printf(a, STR_FMT "%s", STR_ARG(view_duration(a, inv->init_ns)),
                        is_early ? ", well before the request: nobody waited" : ", waited for");
}

static void facts(struct app *app, struct view_data *d, const struct invocation *inv)
{
    struct arena *a = arena_of(app);

    view_line(d, a, view_result_style(inv->outcome) == STYLE_BAD ? STYLE_BAD : STYLE_BOLD,
              arena_printf(a, "Attempt %u: %s, %s start", inv->attempt, outcome_name(inv->outcome),
                           start_kind_name(inv->start)));
    field(app, d, "function",
          arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(inv->origin->fn->name),
                       inv->version.n > 0 ? ", version " : "", STR_ARG(inv->version)),
          STYLE_PLAIN);
    struct str started = view_time(app, a, inv->start_ns, TIME_WHOLE);
    if (app->range.until_ns == 0)
        started = arena_printf(a, STR_FMT " (" STR_FMT ")", STR_ARG(started),
                               STR_ARG(view_ago(app, a, inv->start_ns)));
    field(app, d, "started", started, STYLE_PLAIN);
    if (inv->is_final)
        field(app, d, "duration", view_duration(a, inv->duration_ns), STYLE_PLAIN);
    if (inv->init_ns > 0)
        field(app, d, "init", init_text(a, inv), STYLE_PLAIN);
    else if (inv->evidence & EV_SUPPRESSED_INIT)
        field(app, d, "init", STR("run again inside the duration"), STYLE_PLAIN);
    if (inv->billed_ns > 0)
        field(app, d, "billed", arena_printf(a, "%lld ms", (long long)(inv->billed_ns / NS_PER_MS)),
              STYLE_PLAIN);
    if (inv->memory_bytes > 0)
        field(app, d, "memory",
              arena_printf(a, "%llu of %llu MB (" STR_FMT ")",
                           (unsigned long long)(inv->max_memory_bytes >> 20),
                           (unsigned long long)(inv->memory_bytes >> 20),
                           STR_ARG(view_share(a, inv->max_memory_bytes, inv->memory_bytes))),
              inv->max_memory_bytes * 20 >= inv->memory_bytes * 19 ? STYLE_BAD : STYLE_PLAIN);
    field(app, d, "error", inv->error_type, STYLE_BAD);
    field(app, d, "environment", inv->origin->instance, STYLE_DIM);
    field(app, d, "trace", inv->trace_id, STYLE_DIM);
}

/* --- receipt --- */

static void receipt_line(struct app *app, struct view_data *d, const struct cost_line *l)
{
    struct arena *a = arena_of(app);
    struct str price = l->price ? view_exact(a, l->price->unit_price, 12) : STR("no price");

    view_line_in(d, a, STYLE_PLAIN,
                 arena_printf(a, "  %-24.*s " STR_FMT " " STR_FMT " x " STR_FMT " = " STR_FMT,
                              STR_ARG(l->meter), STR_ARG(view_exact(a, l->quantity, 12)),
                              STR_ARG(l->unit), STR_ARG(price),
                              STR_ARG(view_exact(a, l->amount, 12))),
                 LINE_INDENT);
    if (l->price)
        view_line_in(d, a, STYLE_DIM,
                     arena_printf(a, "      " STR_FMT "; price of " STR_FMT, STR_ARG(l->rounding),
                                  STR_ARG(l->price->retrieved)),
                     6);
}

static enum status receipt(struct app *app, struct view_data *d, const struct invocation *inv,
                           struct err *e)
{
    struct arena *a = arena_of(app);
    struct cost_lines r;

    if (!inv->is_priced)
        return OK;
    if (cost_receipt(app->options->cost, inv, 0, a, &r, e) != OK)
        return e->code;
    blank(app, d);
    view_line(d, a, STYLE_BOLD,
              arena_printf(a, "Receipt: " STR_FMT " " STR_FMT,
                           STR_ARG(view_exact(a, inv->cost, 12)),
                           STR_ARG(fn_currency(inv->origin->fn))));
    for (size_t i = 0; i < r.n; i++)
        receipt_line(app, d, &r.lines[i]);
    if (inv->evidence & EV_DOUBTFUL)
        view_line(d, a, STYLE_WARN,
                  STR("  ! it lies within another's run, and no stream is named: that one may have "
                      "printed it"));
    if (inv->evidence & EV_ERROR_GUESSED)
        view_line(d, a, STYLE_WARN,
                  STR("  ! its error has no request id and may be another's, which ran at the same "
                      "time"));
    if (inv->evidence & EV_ASSUMED_CONFIG)
        view_line(d, a, STYLE_WARN,
                  STR("  ! region or architecture is assumed: say it under functions: in the "
                      "configuration"));
    return OK;
}

/* --- log lines, in place --- */

struct lines {
    struct app *app;
    struct view_data *data;
    const struct invocation *inv;
    size_t n;
};

/* Tabs between the fields of a line become blanks, carriage returns of stack traces line ends. */
static struct str without_controls(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '\t' ? ' ' : p[i] == '\r' ? '\n' : p[i];
    return (struct str){p, s.n};
}

/* Before the start in the unit of the text, behind it with a plus: "+12.0ms". */
static struct str offset_text(struct arena *a, const struct invocation *inv, int64_t t_ns)
{
    int64_t off = t_ns - inv->start_ns;

    return arena_printf(a, "%s" STR_FMT, off < 0 ? "-" : "+",
                        STR_ARG(view_duration(a, off < 0 ? -off : off)));
}

/* A line of the log may hold several of the screen. */
static enum status add_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct lines *l = ctx;
    struct arena *a = arena_of(l->app);
    bool is_app = line->kind == RECORD_APP;
    struct str rest = without_controls(a, is_app ? log_text(line->body) : line->body);
    struct str when = offset_text(a, l->inv, line->time_ns);
    bool is_first = true;

    UNUSED(e);
    l->n++;
    while (rest.n > 0) {
        struct str piece = str_trim_right(str_cut(&rest, '\n'));
        view_line_in(l->data, a, view_line_style(line->kind, line->severity),
                     arena_printf(a, "  %8.*s %-5s " STR_FMT, is_first ? (int)when.n : 0, when.p,
                                  is_first && is_app && line->severity != SEVERITY_UNKNOWN
                                      ? severity_name(line->severity)
                                      : "",
                                  STR_ARG(piece)),
                     17);
        is_first = false;
    }
    return OK;
}

static enum status log_lines(struct app *app, struct view_data *d, const struct invocation *inv,
                             uint32_t fn_id, struct err *e)
{
    struct lines l = {app, d, inv, 0};
    struct log_request q = {
        .range = {inv->start_ns - inv->init_lead_ns - NS_PER_SEC,
                  end_of(inv) + inv->init_ns + AFTERMATH_NS},
        .fn_id = fn_id,
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
        .limit = LINES_SHOWN,
    };

    blank(app, d);
    view_line(d, arena_of(app), STYLE_BOLD, STR("Log lines, by the time since START"));
    enum status s = request_logs(app->options->store, &q, add_line, &l, e);
    if (s == OK && l.n == 0)
        view_line(d, arena_of(app), STYLE_DIM, STR("  none are stored"));
    return s;
}

/* --- neighbours: what the environment did before and after --- */

static void neighbour(struct app *app, struct view_data *d, const struct invocation *n,
                      const struct invocation *self)
{
    struct arena *a = arena_of(app);
    bool is_self = n->start_ns == self->start_ns && n->attempt == self->attempt;

    view_line(d, a, is_self ? STYLE_BOLD : view_result_style(n->outcome),
              arena_printf(a, "  %s " STR_FMT "  %-12s " STR_FMT ", %llu MB, %.13s",
                           is_self ? ">" : " ", STR_ARG(view_time(app, a, n->start_ns, TIME_CLOCK)),
                           view_result(n->outcome), STR_ARG(view_duration(a, n->duration_ns)),
                           (unsigned long long)(n->max_memory_bytes >> 20),
                           n->id.n >= 13 ? n->id.p : "-            "));
}

static enum status neighbours(struct app *app, struct view_data *d, const struct invocation *inv,
                              uint32_t fn_id, struct err *e)
{
    struct inv_request q = {.range = {inv->start_ns - NS_PER_DAY, inv->start_ns + NS_PER_DAY},
                            .fn_id = fn_id,
                            .instance = inv->origin->instance,
                            .order = INV_OLDEST,
                            .limit = NEIGHBOUR_READ};
    struct inv_rows rows;
    size_t at = 0;

    if (q.instance.n == 0)
        return OK;
    if (request_invocations(app->options->store, &q, arena_of(app), &rows, e) != OK)
        return e->code;
    while (at < rows.n && rows.rows[at].start_ns < inv->start_ns)
        at++;
    if (rows.n < 2 || at == rows.n)
        return OK;
    blank(app, d);
    view_line(d, arena_of(app), STYLE_BOLD,
              arena_printf(arena_of(app), "The environment: use %zu of %zu%s", at + 1, rows.n,
                           rows.is_more ? " or more" : ""));
    size_t from = at > NEIGHBOURS ? at - NEIGHBOURS : 0;
    for (size_t i = from; i < rows.n && i <= at + NEIGHBOURS; i++)
        neighbour(app, d, &rows.rows[i], inv);
    return OK;
}

static enum status one_attempt(struct app *app, struct view_data *d, const struct invocation *inv,
                               uint32_t fn_id, struct err *e)
{
    facts(app, d, inv);
    enum status s = receipt(app, d, inv, e);
    if (s == OK)
        s = log_lines(app, d, inv, fn_id, e);
    if (s == OK)
        s = neighbours(app, d, inv, fn_id, e);
    blank(app, d);
    return s;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct inv_rows rows;
    enum status s = request_by_id(app->options->store, app_place(app)->id, arena_of(app), &rows, e);

    if (s == OK && rows.n > 0)
        time_line(app, d, &rows);
    if (s == OK)
        s = view_waterfall(app, d, &rows, e);
    for (size_t i = 0; s == OK && i < rows.n; i++)
        s = one_attempt(app, d, &rows.rows[i], rows.fn_ids[i], e);
    return s;
}

const struct view_ops view_invocation = {
    .name = "invocation",
    .title = "Invocation",
    .load = load,
    .is_text = true,
    .fits_width = true,
    .is_still = true,
    .default_sort = -1,
    .tab = VIEW_INVOCATION,
};
