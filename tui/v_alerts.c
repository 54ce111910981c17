/* Alerts: what is wrong now; behind Tab what was in the range; one alert with all that is known. */
#include "analyzer/alerts/alerts.h"
#include "tui/view.h"

static const struct table_column columns[] = {
    {.name = "state", .title = "STATE"},
    {.name = "severity", .title = "SEVERITY"},
    {.name = "rule", .title = "RULE", .max_width = 24},
    {.name = "subject", .title = "ABOUT", .max_width = 36},
    {.name = "value", .title = "VALUE", .is_right = true},
    {.name = "threshold", .title = "LIMIT", .is_right = true},
    {.name = "peak", .title = "WORST", .is_right = true},
    {.name = "since_time", .title = "SINCE"},
    {.name = "resolved_time", .title = "RESOLVED"},
    {.name = "data_age_ms", .title = "DATA AGE", .is_right = true},
    {.name = "sent_time", .title = "SENT"},
    {.name = "summary", .title = "SAYS"},
    {.name = "key", .title = "KEY"},
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "region", .title = "REGION", .is_hidden = true},
};
static const unsigned char first[] = {0, 2, 3, 4, 5, 7, 9, 11, 1, 10, 8, 6, 12, 13, 14};

enum {
    COLUMN_STATE,
    COLUMN_SEVERITY,
    COLUMN_RULE,
    COLUMN_SUBJECT,
    COLUMN_VALUE,
    COLUMN_THRESHOLD,
    COLUMN_PEAK,
    COLUMN_SINCE,
    COLUMN_RESOLVED,
    COLUMN_AGE,
    COLUMN_SENT,
    COLUMN_SUMMARY,
    COLUMN_KEY,
    COLUMN_ACCOUNT,
    COLUMN_REGION
};

static enum style alert_style(const struct alert *x)
{
    static const enum style styles[ALERT_STATES] = {
        [ALERT_INACTIVE] = STYLE_DIM, [ALERT_PENDING] = STYLE_WARN,
        [ALERT_FIRING] = STYLE_BAD,   [ALERT_ACKNOWLEDGED] = STYLE_WARN,
        [ALERT_SILENCED] = STYLE_DIM, [ALERT_RESOLVED] = STYLE_PLAIN,
    };

    return styles[x->state];
}

const char *view_alert_state(enum alert_state s)
{
    static const char *const texts[ALERT_STATES] = {
        [ALERT_INACTIVE] = "  inactive", [ALERT_PENDING] = "! pending",
        [ALERT_FIRING] = "x firing",     [ALERT_ACKNOWLEDGED] = "! acknowledged",
        [ALERT_SILENCED] = "  silenced", [ALERT_RESOLVED] = "+ resolved",
    };

    return texts[s];
}

static struct str subject_text(struct arena *a, const struct subject *s)
{
    struct str name = s->of.name.n > 0 ? s->of.name : s->of.region;

    return arena_printf(a, "%s " STR_FMT, metric_scope_name(s->scope), STR_ARG(name));
}

static struct str value_text(struct arena *a, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf b = {.max = 128};

    alert_value_format(&b, value, unit);
    return arena_str(a, buf_str(&b));
}

static void value_cell(struct table *t, size_t column, int64_t value, enum metric_unit unit)
{
    table_number(t, column, arena_printf(t->arena, "%lld", (long long)value),
                 value_text(t->arena, value, unit));
}

static void alert_row(struct app *app, struct view_data *d, const struct alert *x)
{
    struct arena *a = &app->data_arena;
    struct row_ref *ref = view_row(d, a);
    struct table *t = &d->table;

    *ref = (struct row_ref){.id = x->key,
                            .leads_to = VIEW_ALERT,
                            .time_ns = x->started_ns,
                            .style = alert_style(x),
                            .is_problem = alert_is_active(x->state)};
    table_text_shown(t, COLUMN_STATE, str_from(alert_state_name(x->state)),
                     str_from(view_alert_state(x->state)));
    table_text(t, COLUMN_SEVERITY, str_from(alert_severity_name(x->severity)));
    table_text(t, COLUMN_RULE, x->rule);
    table_text(t, COLUMN_SUBJECT, subject_text(a, &x->subject));
    value_cell(t, COLUMN_VALUE, x->value, x->unit);
    value_cell(t, COLUMN_THRESHOLD, x->threshold, x->unit);
    value_cell(t, COLUMN_PEAK, x->peak, x->unit);
    cell_time(t, COLUMN_SINCE, x->started_ns != 0 ? x->started_ns : x->since_ns);
    if (x->resolved_ns != 0)
        cell_time(t, COLUMN_RESOLVED, x->resolved_ns);
    if (x->data_ns != 0)
        cell_duration(t, COLUMN_AGE, clock_now(&app->options->clock) - x->data_ns);
    if (x->sent_ns != 0)
        cell_time(t, COLUMN_SENT, x->sent_ns);
    table_text(t, COLUMN_SUMMARY, x->summary);
    table_text(t, COLUMN_KEY, x->key);
    table_text(t, COLUMN_ACCOUNT, x->subject.of.account);
    table_text(t, COLUMN_REGION, x->subject.of.region);
}

static void alert_table(struct app *app, struct view_data *d, const struct alert_rows *rows,
                        const char *schema)
{
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), schema, 1);
    for (size_t i = 0; i < rows->n; i++)
        alert_row(app, d, &rows->rows[i]);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct alert_request q = {.state_mask = 0};
    struct alert_rows rows;
    enum status s = request_alerts(app->options->store, &q, &app->data_arena, &rows, e);

    if (s == OK)
        alert_table(app, d, &rows, "fnscope.top.alerts");
    return s;
}

static enum status load_episodes(struct app *app, struct view_data *d, struct err *e)
{
    struct subject_filter all = {.scope_mask = 0};
    struct alert_rows rows;
    enum status s =
        request_episodes(app->options->store, d->range, &all, &app->data_arena, &rows, e);

    if (s == OK)
        alert_table(app, d, &rows, "fnscope.top.episodes");
    return s;
}

/* What nobody looks at does not fire. */
static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    const unsigned lines = view_draw_unwatched(app, f, y);

    *used = lines > 0 ? lines + 1 : 0;
}

const struct view_ops view_alerts = {
    .name = "alerts",
    .title = "Alerts",
    .load = load,
    .draw_top = draw_top,
    .has_ages = true,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .named_column = COLUMN_SUBJECT,
    .default_sort = -1,
    .tab = VIEW_EPISODES,
    .empty =
        "No alert: nothing is pending, firing or just resolved. Tab shows the range's episodes.",
};

const struct view_ops view_episodes = {
    .name = "episodes",
    .title = "Alert episodes",
    .load = load_episodes,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .named_column = COLUMN_SUBJECT,
    .default_sort = -1,
    .tab = VIEW_ALERTS,
    .empty = "No alert was open in this range: t chooses another, Tab goes back to what is now.",
};

/* --- one alert --- */

static void field(struct app *app, struct view_data *d, const char *name, struct str value)
{
    if (value.n > 0)
        view_line_in(d, &app->data_arena, STYLE_PLAIN,
                     arena_printf(&app->data_arena, "  %-12s " STR_FMT, name, STR_ARG(value)), 15);
}

static void time_field(struct app *app, struct view_data *d, const char *name, int64_t t_ns)
{
    struct arena *a = &app->data_arena;

    if (t_ns != 0)
        field(app, d, name,
              arena_printf(a, STR_FMT " (" STR_FMT ")",
                           STR_ARG(view_time(app, a, t_ns, TIME_WHOLE)),
                           STR_ARG(view_ago(app, a, t_ns))));
}

static void alert_lines(struct app *app, struct view_data *d, const struct alert *x)
{
    struct arena *a = &app->data_arena;

    view_line(d, a, alert_style(x),
              arena_printf(a, "%s: " STR_FMT, view_alert_state(x->state), STR_ARG(x->summary)));
    field(app, d, "rule", x->rule);
    field(app, d, "about", subject_text(a, &x->subject));
    field(app, d, "account", x->subject.of.account);
    field(app, d, "region", x->subject.of.region);
    field(app, d, "severity", str_from(alert_severity_name(x->severity)));
    field(app, d, "value",
          arena_printf(a, STR_FMT ", limit " STR_FMT ", worst " STR_FMT,
                       STR_ARG(value_text(a, x->value, x->unit)),
                       STR_ARG(value_text(a, x->threshold, x->unit)),
                       STR_ARG(value_text(a, x->peak, x->unit))));
    time_field(app, d, "began", x->started_ns);
    time_field(app, d, "fired", x->fired_ns);
    time_field(app, d, "resolved", x->resolved_ns);
    time_field(app, d, "acknowledged", x->acked_ns);
    field(app, d, "by", x->acked_by);
    time_field(app, d, "newest data", x->data_ns);
    time_field(app, d, "looked at", x->eval_ns);
    if (x->is_missing)
        view_line(d, a, STYLE_WARN,
                  STR("  ! no data the last time: the state is the one of before"));
    field(app, d, "evidence", x->evidence);
    if (x->state == ALERT_FIRING)
        field(app, d, "take it", alert_take(a, x, app->options->reach));
    field(app, d, "mute it", alert_mute(a, x, app->options->reach));
    view_line(d, a, STYLE_PLAIN, STR(""));
}

static enum status message_lines(struct app *app, struct view_data *d, struct str key,
                                 struct err *e)
{
    struct outbox_request q = {.due_ns = INT64_MAX, .alert_key = key, .limit = 100};
    struct arena *a = &app->data_arena;
    struct outbox_rows rows;

    if (request_outbox(app->options->store, &q, a, &rows, e) != OK)
        return e->code;
    view_line(d, a, STYLE_BOLD,
              rows.n > 0 ? STR("Messages") : STR("No message was sent about it."));
    for (size_t i = 0; i < rows.n; i++) {
        const struct outbox_entry *m = &rows.rows[i];
        view_line_in(
            d, a, m->status == OUTBOX_GIVEN_UP ? STYLE_BAD : STYLE_PLAIN,
            arena_printf(a, "  " STR_FMT "  %-8s to " STR_FMT ": %s, %u attempt%s%s" STR_FMT,
                         STR_ARG(view_when(app, a, m->created_ns, TIME_SECOND)),
                         alert_event_name(m->event), STR_ARG(m->notifier),
                         outbox_status_name(m->status), m->attempts, plural(m->attempts, "", "s"),
                         m->error.n > 0 ? "; " : "", STR_ARG(m->error)),
            15);
    }
    return OK;
}

static enum status load_one(struct app *app, struct view_data *d, struct err *e)
{
    struct str key = app_place(app)->id;
    struct alert_request q = {.state_mask = (1u << ALERT_STATES) - 1, .key = key};
    struct alert_rows rows;

    if (request_alerts(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++)
        alert_lines(app, d, &rows.rows[i]);
    if (rows.n == 0)
        view_line(d, &app->data_arena, STYLE_DIM, STR("This alert is not stored any more."));
    return message_lines(app, d, key, e);
}

const struct view_ops view_alert = {
    .name = "alert",
    .title = "Alert",
    .load = load_one,
    .is_text = true,
    .default_sort = -1,
    .tab = VIEW_ALERT,
};
