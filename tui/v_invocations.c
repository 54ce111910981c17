/* Invocations, Errors, one Invocation with its lines and receipt, Help. */
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

#define ROWS_SHOWN ((size_t)500)
/* Lines of a crash trail the end by a moment; a retry comes a minute later at the earliest. */
#define AFTERMATH_NS (5 * NS_PER_SEC)

/* --- invocations --- */

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
    {.name = "start", .title = "START"},
    {.name = "error_type", .title = "ERROR", .max_width = 30},
};

static const char *result_text(enum outcome o)
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

static enum style result_style(enum outcome o)
{
    return o == OUTCOME_OK ? STYLE_PLAIN : o == OUTCOME_UNKNOWN ? STYLE_DIM : STYLE_BAD;
}

static void invocation_row(struct app *app, struct view_data *d, const struct invocation *inv)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;

    ref->id = inv->id;
    ref->style = result_style(inv->outcome);
    ref->is_problem = ref->style == STYLE_BAD;
    cell_time(t, 0, inv->start_ns);
    table_text(t, 1, inv->origin->fn->name);
    table_text(t, 2, str_from(result_text(inv->outcome)));
    if (inv->is_final)
        cell_duration(t, 3, inv->duration_ns);
    if (inv->billed_ns > 0)
        table_i64(t, 8, inv->billed_ns / NS_PER_MS);
    if (inv->init_ns > 0)
        cell_duration(t, 5, inv->init_ns);
    if (inv->memory_bytes > 0)
        table_i64(t, 6, (int64_t)(inv->max_memory_bytes >> 20));
    table_i64(t, 7, inv->attempt);
    if (inv->is_priced)
        cell_money(t, 4, inv->cost);
    table_text(t, 9, inv->id);
    table_text(t, 10, str_from(start_kind_name(inv->start)));
    if (inv->error_type.n > 0)
        table_text(t, 11, inv->error_type);
}

static uint32_t failed_mask(void)
{
    return ~(1u << OUTCOME_OK | 1u << OUTCOME_UNKNOWN) & ((1u << OUTCOMES) - 1);
}

enum status load_invocations(struct app *app, struct view_data *d, struct err *e)
{
    const struct place *p = app_place(app);
    struct inv_request q = {.range = d->range,
                            .fn = app->options->filter,
                            .fn_id = p->fn_id,
                            .outcome_mask = p->outcome_mask,
                            .limit = ROWS_SHOWN};
    struct inv_rows rows;

    if (app->only_problems && q.outcome_mask == 0)
        q.outcome_mask = failed_mask();
    if (p->sort_column == 3 && !p->is_inverted)
        q.order = INV_SLOWEST;
    if (p->sort_column == 4 && !p->is_inverted)
        q.order = INV_COSTLIEST;
    if (request_invocations(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    table_init(&d->table, &app->data_arena, invocation_columns, ARRAY_LEN(invocation_columns),
               "fnscope.invocations", 1);
    for (size_t i = 0; i < rows.n; i++)
        invocation_row(app, d, &rows.rows[i]);
    return OK;
}

/* --- errors --- */

static const struct table_column error_columns[] = {
    {.name = "count", .title = "COUNT", .is_right = true},
    {.name = "function", .title = "FUNCTION", .max_width = 28},
    {.name = "outcome", .title = "RESULT"},
    {.name = "error_type", .title = "TYPE", .max_width = 30},
    {.name = "last_time", .title = "LAST"},
    {.name = "sample", .title = "MESSAGE"},
};

enum status load_errors(struct app *app, struct view_data *d, struct err *e)
{
    struct error_request q = {.range = d->range,
                              .fn = app->options->filter,
                              .fn_id = app_place(app)->fn_id,
                              .limit = 200};
    struct error_rows rows;

    if (request_errors(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    table_init(&d->table, &app->data_arena, error_columns, ARRAY_LEN(error_columns),
               "fnscope.errors", 1);
    for (size_t i = 0; i < rows.n; i++) {
        const struct error_row *r = &rows.rows[i];
        struct row_ref *ref = view_row(d, &app->data_arena);
        struct table *t = &d->table;
        ref->fn_id = r->fn_id;
        ref->outcome_mask = 1u << r->outcome;
        ref->style = STYLE_BAD;
        ref->is_problem = true;
        table_i64(t, 0, (int64_t)r->count);
        table_text(t, 1, r->fn.name);
        table_text(t, 2, str_from(result_text(r->outcome)));
        table_text(t, 3, r->error_type);
        cell_time(t, 4, r->last_ns);
        table_text(t, 5, r->sample);
    }
    return OK;
}

/* --- one invocation --- */

static void field(struct app *app, struct view_data *d, const char *name, struct str value,
                  enum style style)
{
    if (value.n > 0)
        view_line(d, &app->data_arena, style,
                  arena_printf(&app->data_arena, "  %-12s " STR_FMT, name, STR_ARG(value)));
}

static struct str duration_text(struct arena *a, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    return arena_str(a, buf_str(&b));
}

static struct str time_text(struct arena *a, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    return arena_str(a, buf_str(&b));
}

static void facts(struct app *app, struct view_data *d, const struct invocation *inv)
{
    struct arena *a = &app->data_arena;

    view_line(d, a, result_style(inv->outcome) == STYLE_BAD ? STYLE_BAD : STYLE_BOLD,
              arena_printf(a, "Attempt %u: %s, %s start", inv->attempt, outcome_name(inv->outcome),
                           start_kind_name(inv->start)));
    field(app, d, "request", inv->id, STYLE_PLAIN);
    field(app, d, "function", inv->origin->fn->name, STYLE_PLAIN);
    field(app, d, "version", inv->version, STYLE_PLAIN);
    field(app, d, "started", time_text(a, inv->start_ns), STYLE_PLAIN);
    if (inv->is_final)
        field(app, d, "duration", duration_text(a, inv->duration_ns), STYLE_PLAIN);
    if (inv->init_ns > 0)
        field(app, d, "init",
              arena_printf(a, STR_FMT "%s", STR_ARG(duration_text(a, inv->init_ns)),
                           inv->evidence & EV_PROACTIVE_INIT ? ", well before the request" : ""),
              STYLE_PLAIN);
    if (inv->billed_ns > 0)
        field(app, d, "billed", arena_printf(a, "%lld ms", (long long)(inv->billed_ns / NS_PER_MS)),
              STYLE_PLAIN);
    if (inv->memory_bytes > 0)
        field(app, d, "memory",
              arena_printf(a, "%llu of %llu MB", (unsigned long long)(inv->max_memory_bytes >> 20),
                           (unsigned long long)(inv->memory_bytes >> 20)),
              STYLE_PLAIN);
    field(app, d, "error", inv->error_type, STYLE_BAD);
    field(app, d, "environment", inv->origin->instance, STYLE_DIM);
    field(app, d, "trace", inv->trace_id, STYLE_DIM);
}

static struct str exact(struct arena *a, wide v, unsigned scale)
{
    AUTO(buf_clear) struct buf b = {.max = 96};

    wide_format_scaled(&b, v, scale);
    return arena_str(a, buf_str(&b));
}

static void receipt_line(struct view_data *d, struct arena *a, const struct cost_line *l)
{
    struct str price = l->price ? exact(a, l->price->unit_price, 12) : STR("no price");

    view_line(d, a, STYLE_PLAIN,
              arena_printf(a, "  %-26.*s " STR_FMT " " STR_FMT " x " STR_FMT " = " STR_FMT,
                           STR_ARG(l->meter), STR_ARG(exact(a, l->quantity, 12)), STR_ARG(l->unit),
                           STR_ARG(price), STR_ARG(exact(a, l->amount, 12))));
    if (l->price)
        view_line(d, a, STYLE_DIM,
                  arena_printf(a, "  %-26s " STR_FMT "; price of " STR_FMT, "",
                               STR_ARG(l->rounding), STR_ARG(l->price->retrieved)));
}

static enum status receipt(struct app *app, struct view_data *d, const struct invocation *inv,
                           struct err *e)
{
    struct arena *a = &app->data_arena;
    struct cost_lines r;

    if (!inv->is_priced)
        return OK;
    if (cost_receipt(app->options->cost, inv, 0, a, &r, e) != OK)
        return e->code;
    view_line(d, a, STYLE_PLAIN, STR(""));
    view_line(d, a, STYLE_BOLD,
              arena_printf(a, "Receipt: " STR_FMT " USD", STR_ARG(exact(a, inv->cost, 12))));
    for (size_t i = 0; i < r.n; i++)
        receipt_line(d, a, &r.lines[i]);
    if (inv->evidence & EV_ASSUMED_CONFIG)
        view_line(d, a, STYLE_WARN,
                  STR("  ! region or architecture is assumed: say it under functions: in the "
                      "configuration"));
    return OK;
}

struct lines {
    struct app *app;
    struct view_data *data;
    uint64_t bytes;
};

static enum style level_style(const struct log_line *l)
{
    if (l->kind == RECORD_PLATFORM)
        return STYLE_DIM;
    return l->severity >= SEVERITY_ERROR  ? STYLE_BAD
           : l->severity == SEVERITY_WARN ? STYLE_WARN
                                          : STYLE_PLAIN;
}

/* Tabs between the fields of a line become blanks. */
static struct str without_tabs(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '\t' ? ' ' : p[i] == '\r' ? '\n' : p[i];
    return (struct str){p, s.n};
}

/* A line of the log may hold several of the screen. */
static enum status add_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct lines *l = ctx;
    struct arena *a = &l->app->data_arena;
    struct str rest = without_tabs(a, line->body),
               when = str_sub(time_text(a, line->time_ns), 11, 12);
    bool is_first = true;

    UNUSED(e);
    l->bytes += line->body.n;
    while (rest.n > 0) {
        struct str piece = str_trim_right(str_cut(&rest, '\n'));
        view_line(
            l->data, a, level_style(line),
            arena_printf(a, "  %-12.*s %-5s " STR_FMT, is_first ? (int)when.n : 0, when.p,
                         is_first && line->kind == RECORD_APP ? severity_name(line->severity) : "",
                         STR_ARG(piece)));
        is_first = false;
    }
    return OK;
}

static enum status one_attempt(struct app *app, struct view_data *d, const struct invocation *inv,
                               uint32_t fn_id, struct err *e)
{
    struct lines l = {app, d, 0};
    struct log_request q = {
        .range = {inv->start_ns - inv->init_lead_ns - NS_PER_SEC,
                  inv->start_ns + inv->duration_ns + inv->init_ns + AFTERMATH_NS},
        .fn_id = fn_id,
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
        .limit = 2000,
    };

    facts(app, d, inv);
    enum status s = receipt(app, d, inv, e);
    view_line(d, &app->data_arena, STYLE_PLAIN, STR(""));
    view_line(d, &app->data_arena, STYLE_BOLD, STR("Log lines"));
    if (s == OK)
        s = request_logs(app->options->store, &q, add_line, &l, e);
    view_line(d, &app->data_arena, STYLE_PLAIN, STR(""));
    return s;
}

enum status load_invocation(struct app *app, struct view_data *d, struct err *e)
{
    struct inv_rows rows;
    enum status s =
        request_by_id(app->options->store, app_place(app)->id, &app->data_arena, &rows, e);

    for (size_t i = 0; s == OK && i < rows.n; i++)
        s = one_attempt(app, d, &rows.rows[i], rows.fn_ids[i], e);
    return s;
}

/* --- help --- */

enum status load_help(struct app *app, struct view_data *d, struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 16};
    struct arena *a = &app->data_arena;

    UNUSED(e);
    tui_keys_text(&b);
    struct str rest = arena_str(a, buf_str(&b));
    view_line(d, a, STYLE_BOLD, STR("Keys"));
    while (rest.n > 0)
        view_line(d, a, STYLE_PLAIN, str_cut(&rest, '\n'));
    view_line(d, a, STYLE_PLAIN, STR(""));
    view_line(d, a, STYLE_BOLD, STR("Signs"));
    view_line(d, a, STYLE_PLAIN,
              STR("  x  failed or failing     !  needs attention     ?  still open, or its end was "
                  "not seen"));
    return OK;
}
