/* One source of the collector: what each kind of thing it reads took and cost, and what its figures
 * are made of. */
#include "tui/view.h"

#define LABEL 10u

static struct arena *arena_of(struct app *app)
{
    return &app->data_arena;
}

static void title(struct app *app, struct view_data *d, const char *text)
{
    view_line(d, arena_of(app), STYLE_PLAIN, STR(""));
    view_line(d, arena_of(app), STYLE_BOLD, str_from(text));
}

static void say(struct app *app, struct view_data *d, const char *name, struct str text)
{
    view_line_in(d, arena_of(app), STYLE_PLAIN,
                 arena_printf(arena_of(app), "  %-*s " STR_FMT, (int)LABEL, name, STR_ARG(text)),
                 LABEL + 3);
}

static void head(struct app *app, struct view_data *d, const struct source_status *s)
{
    struct arena *a = arena_of(app);
    enum style style;
    const struct str state = view_source_state(app, s, &style, a);

    view_line(d, a, style == STYLE_PLAIN ? STYLE_BOLD : style,
              arena_printf(a, STR_FMT "  " STR_FMT "%s" STR_FMT, STR_ARG(s->name), STR_ARG(state),
                           s->error.n > 0 ? ": " : "", STR_ARG(s->error)));
    view_line(d, a, STYLE_DIM,
              arena_printf(a, STR_FMT "  " STR_FMT " " STR_FMT, STR_ARG(s->type),
                           STR_ARG(s->account), STR_ARG(s->region)));
}

/* --- its parts --- */

static void part(struct app *app, struct view_data *d, const struct source_part *p)
{
    const bool is_ill = p->error.n > 0, waits = source_part_is_capped(p);
    struct arena *a = arena_of(app);

    view_line_in(
        d, a,
        waits    ? STYLE_WARN
        : is_ill ? STYLE_BAD
                 : STYLE_PLAIN,
        arena_printf(
            a, "  %-*.*s %s polled " STR_FMT ", " STR_FMT ", " STR_FMT ", " STR_FMT "%s" STR_FMT,
            (int)LABEL, STR_ARG(p->name),
            waits    ? "!"
            : is_ill ? "x"
                     : "+",
            STR_ARG(view_ago(app, a, p->tried_ns)),
            STR_ARG(view_things(a, p->add_calls, "call", "calls")),
            STR_ARG(view_things(a, p->add_errors, "error", "errors")),
            STR_ARG(view_money(a, p->add_cost)), is_ill ? ": " : "", STR_ARG(p->error)),
        LABEL + 5);
}

static void parts(struct app *app, struct view_data *d, const struct source_status *s)
{
    size_t shown = 0;

    title(app, d, "What it reads");
    for (size_t i = 0; i < s->n_parts; i++) {
        if (s->parts[i].add_calls == 0)
            continue;
        part(app, d, &s->parts[i]);
        shown++;
    }
    if (shown == 0)
        view_line(d, arena_of(app), STYLE_DIM, STR("  nothing yet that is told apart"));
}

/* --- what the figures are made of --- */

static struct str lag_text(struct app *app, const struct source_status *s)
{
    struct arena *a = arena_of(app);
    const int64_t ago_ns = clock_now(&app->options->clock) - s->success_ns;

    if (s->success_ns == 0)
        return STR("not known: it has not answered yet");
    return arena_printf(a,
                        STR_FMT ": what it had read of everything was " STR_FMT
                                " old at its last good poll, " STR_FMT " ago",
                        STR_ARG(view_duration(a, s->lag_ns + ago_ns)),
                        STR_ARG(view_duration(a, s->lag_ns)), STR_ARG(view_duration(a, ago_ns)));
}

static void figures(struct app *app, struct view_data *d, const struct source_status *s)
{
    struct arena *a = arena_of(app);

    title(app, d, "What the figures are made of");
    say(app, d, "LAG", lag_text(app, s));
    if (s->failures > 0)
        say(app, d, "failing", arena_printf(a, "%u polls in a row", s->failures));
    say(app, d, "QUOTA",
        source_has_quota(s)
            ? arena_printf(a,
                           STR_FMT " of what is allowed of " STR_FMT
                                   ", the call that is nearest to its end",
                           STR_ARG(view_share(a, s->quota_ppm, 1000000)), STR_ARG(s->quota))
        : s->quota.n > 0
            ? STR("none: the endpoint is on this machine, where AWS's quotas do not hold")
            : STR("not known: no call yet"));
    say(app, d, "CALLS",
        arena_printf(a,
                     STR_FMT " since the store was made, " STR_FMT " failed, " STR_FMT
                             " refused for their rate",
                     STR_ARG(view_count(a, s->add_calls)), STR_ARG(view_count(a, s->add_errors)),
                     STR_ARG(view_count(a, s->add_throttles))));
    say(app, d, "EVENTS",
        arena_printf(a, STR_FMT " in " STR_FMT, STR_ARG(view_count(a, s->add_events)),
                     STR_ARG(view_things(a, s->add_bytes, "byte", "bytes"))));
    say(app, d, "COST",
        arena_printf(a, STR_FMT " list price of those calls, " STR_FMT " of it today",
                     STR_ARG(view_money(a, s->add_cost)), STR_ARG(view_money(a, s->cost_today))));
    say(app, d, "CAP",
        s->cost_cap > 0
            ? arena_printf(a, STR_FMT " a day%s", STR_ARG(view_money(a, s->cost_cap)),
                           s->is_capped ? ": reached, calls that cost wait for midnight UTC" : "")
            : STR("none: budget: in the configuration sets one"));
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct source_rows rows;

    if (request_sources(app->options->store, arena_of(app), &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++) {
        if (!str_eq(rows.rows[i].name, app_place(app)->id))
            continue;
        head(app, d, &rows.rows[i]);
        parts(app, d, &rows.rows[i]);
        figures(app, d, &rows.rows[i]);
    }
    if (d->n_lines == 0)
        view_line(d, arena_of(app), STYLE_DIM, STR("This source is not configured any more."));
    return OK;
}

const struct view_ops view_source = {
    .name = "source",
    .title = "Source",
    .load = load,
    .has_ages = true,
    .is_text = true,
    .default_sort = -1,
    .tab = VIEW_SOURCE,
};
