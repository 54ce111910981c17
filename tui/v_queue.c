/* One queue: how its depth and age went, what its figures are made of, how it is set up, who works
 * on it and how that goes. A text made for the width of the screen. */
#include "tui/view.h"

#define LABEL       9u
#define MOST_ERRORS ((size_t)3)
/* A reading holds until the next one, but not for ever. */
#define HOLDS_NS (15 * NS_PER_MIN)

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

/* --- what it is --- */

static void head(struct app *app, struct view_data *d, const struct msg_queue *q, int64_t per_hour)
{
    struct arena *a = arena_of(app);
    enum style style;
    const char *state = view_queue_state(app, q, per_hour, &style);

    view_line(d, a, style == STYLE_PLAIN ? STYLE_BOLD : style,
              arena_printf(a, STR_FMT "  %s", STR_ARG(q->of.name), state));
    view_line(d, a, STYLE_DIM,
              arena_printf(a, "%s " STR_FMT " " STR_FMT "  %s, read " STR_FMT "%s" STR_FMT,
                           provider_name(q->of.provider), STR_ARG(q->of.account),
                           STR_ARG(q->of.region), q->is_dlq ? "dead-letter queue" : "queue",
                           STR_ARG(view_ago(app, a, q->seen_ns)), q->source.n > 0 ? " by " : "",
                           STR_ARG(q->source)));
}

/* --- over time --- */

/* The largest value of each cell. */
static uint64_t *levels(struct app *app, const struct view_data *d, const struct metric_series *s,
                        unsigned width)
{
    uint64_t *values = arena_new(arena_of(app), uint64_t, width);
    const struct range r = d->range;

    for (size_t i = 0; i < s->n; i++) {
        const struct metric_sample *p = &s->points[i];
        int64_t until_ns = i + 1 < s->n ? s->points[i + 1].time_ns : r.until_ns;
        if (p->is_missing || p->value < 0 || p->time_ns < r.since_ns)
            continue;
        until_ns = until_ns - p->time_ns > HOLDS_NS ? p->time_ns + HOLDS_NS : until_ns;
        for (size_t x = view_cell_at(r, p->time_ns, width); x <= view_cell_at(r, until_ns, width);
             x++)
            values[x] = (uint64_t)p->value > values[x] ? (uint64_t)p->value : values[x];
    }
    return values;
}

static struct str count_text(struct arena *a, uint64_t v)
{
    return view_count(a, v);
}

static struct str age_text(struct arena *a, uint64_t v)
{
    return view_duration(a, (int64_t)v);
}

static void course(struct app *app, struct view_data *d, const struct metric_series *s,
                   const char *name, struct str (*text)(struct arena *a, uint64_t v))
{
    const unsigned width = view_chart_width(app);
    struct arena *a = arena_of(app);
    uint64_t top = 0;

    if (!s || s->n == 0 || d->range.until_ns <= d->range.since_ns)
        return;
    const uint64_t *values = levels(app, d, s, width);
    for (unsigned x = 0; x < width; x++)
        top = values[x] > top ? values[x] : top;
    const struct spark spark = {values, width, STYLE_PLAIN};
    say(app, d, name,
        arena_printf(a, STR_FMT "  top " STR_FMT,
                     STR_ARG(top > 0 ? view_chart(app, &spark, 0) : STR("none")),
                     STR_ARG(text(a, top))));
}

static void courses(struct app *app, struct view_data *d, const struct metric_rows *m,
                    const struct msg_queue *q)
{
    static const struct {
        enum metric metric;
        const char *name;
        struct str (*text)(struct arena *a, uint64_t v);
    } rows[] = {{METRIC_QUEUE_DEPTH, "depth", count_text},
                {METRIC_QUEUE_AGE, "oldest", age_text},
                {METRIC_QUEUE_IN_FLIGHT, "in flight", count_text}};

    title(app, d, "Over the time range");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        course(app, d, view_queue_series(m, q, rows[i].metric), rows[i].name, rows[i].text);
}

/* --- what the figures are made of --- */

static void figures(struct app *app, struct view_data *d, const struct msg_queue *q,
                    const struct queue_change *c)
{
    struct arena *a = arena_of(app);

    title(app, d, "What the figures are made of");
    say(app, d, "DEPTH",
        arena_printf(a, "%lld %s to be received at the last reading, " STR_FMT, (long long)q->depth,
                     plural((uint64_t)q->depth, "message", "messages"),
                     STR_ARG(view_time(app, a, q->seen_ns, TIME_WHOLE))));
    say(app, d, "FLIGHT",
        arena_printf(a, "%lld received and not yet deleted; %lld delayed, not to be received yet",
                     (long long)q->in_flight, (long long)q->delayed));
    say(app, d, "OLDEST",
        q->has_age ? arena_printf(a, STR_FMT ", as the provider says",
                                  STR_ARG(view_duration(a, q->oldest_ns)))
                   : STR("not known: the provider tells it minutes after the first message"));
    if (!c->is_known) {
        say(app, d, "CHANGE/H", STR("not known: it takes two readings in the time range"));
        return;
    }
    say(app, d, "CHANGE/H",
        arena_printf(a, "%+lld an hour: from %lld at " STR_FMT " to %lld at " STR_FMT,
                     (long long)c->per_hour, (long long)c->from.value,
                     STR_ARG(view_time(app, a, c->from.time_ns, TIME_WHOLE)),
                     (long long)c->to.value,
                     STR_ARG(view_time(app, a, c->to.time_ns, TIME_WHOLE))));
    if (c->per_hour < 0 && q->depth > 0)
        say(app, d, "DRAINS",
            arena_printf(a, "in " STR_FMT ": %lld %s at %lld an hour",
                         STR_ARG(view_duration(a, view_queue_drains(q, c))), (long long)q->depth,
                         plural((uint64_t)q->depth, "message", "messages"),
                         (long long)-c->per_hour));
    else
        say(app, d, "DRAINS", STR("not at all: it does not get less"));
}

/* --- how it is set up --- */

static void settings(struct app *app, struct view_data *d, const struct msg_queue *q)
{
    struct arena *a = arena_of(app);

    title(app, d, "Settings");
    if (q->visibility_ns > 0)
        say(app, d, "hidden",
            arena_printf(a, STR_FMT " after it was received, then it can be received again",
                         STR_ARG(view_duration(a, q->visibility_ns))));
    if (q->max_receives > 0)
        say(app, d, "tries",
            arena_printf(a, "%u, then a message moves to " STR_FMT, q->max_receives,
                         STR_ARG(q->dead_letter)));
    else if (!q->is_dlq)
        say(app, d, "tries", STR("without end: it has no dead-letter queue"));
    if (q->feeders.n > 0)
        say(app, d, "fed by", q->feeders);
    if (q->consumers.n > 0)
        say(app, d, "read by", q->consumers);
    if (q->retention_ns > 0)
        say(app, d, "kept",
            arena_printf(a, STR_FMT ", then a message is deleted unread",
                         STR_ARG(view_duration(a, q->retention_ns))));
    if (q->url.n > 0)
        say(app, d, "url", q->url);
}

/* --- who works on it --- */

static enum status failures(struct app *app, struct view_data *d, const struct fn_row *f,
                            struct err *e)
{
    struct error_request q = {.range = d->range, .fn_id = f->fn_id, .limit = MOST_ERRORS};
    struct arena *a = arena_of(app);
    struct error_rows rows;

    if (request_errors(app->options->store, &q, a, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++)
        view_line_in(
            d, a, STYLE_BAD,
            arena_printf(a, "    %7.*s  %-12s " STR_FMT "%s" STR_FMT,
                         STR_ARG(view_count(a, rows.rows[i].count)),
                         view_result(rows.rows[i].outcome), STR_ARG(rows.rows[i].error_type),
                         rows.rows[i].error_type.n > 0 && rows.rows[i].sample.n > 0 ? ": " : "",
                         STR_ARG(rows.rows[i].sample)),
            26);
    return OK;
}

static enum status worker(struct app *app, struct view_data *d, const struct fn_row *f,
                          struct err *e)
{
    const struct stats *s = &f->stats;
    const uint64_t failed = stats_failed(s);
    struct arena *a = arena_of(app);
    uint64_t us = 0;

    if (!histogram_percentile(&s->duration, 950, &us))
        us = 0;
    view_line(
        d, a, failed > 0 ? STYLE_BAD : STYLE_PLAIN,
        arena_printf(
            a, "  " STR_FMT "  " STR_FMT " %s, " STR_FMT " failed (" STR_FMT "), p95 " STR_FMT,
            STR_ARG(f->fn.name), STR_ARG(view_count(a, s->n)), plural(s->n, "attempt", "attempts"),
            STR_ARG(view_count(a, failed)), STR_ARG(view_share(a, failed, s->n)),
            STR_ARG(view_duration(a, (int64_t)us * NS_PER_US))));
    return failed > 0 ? failures(app, d, f, e) : OK;
}

static enum status workers(struct app *app, struct view_data *d, const struct queue_rows *all,
                           const struct msg_queue *q, struct err *e)
{
    enum status s = OK;

    title(app, d, q->is_dlq ? "Whose work failed" : "Who works on it");
    for (size_t i = 0; s == OK && i < d->functions.n; i++) {
        const struct fn_row *f = &d->functions.rows[i];
        if (!view_queue_is_worked_on(all, q, &f->fn))
            continue;
        d->one = d->one ? d->one : f;
        s = worker(app, d, f, e);
    }
    if (s == OK && !d->one)
        view_line(d, arena_of(app), STYLE_DIM,
                  STR("  no function that is known to read it ran in the time range"));
    if (s == OK && d->one && q->is_dlq && stats_failed(&d->one->stats) == 0)
        view_line(d, arena_of(app), STYLE_DIM,
                  STR("  no attempt failed: it may have handed single messages back; l shows what "
                      "it wrote"));
    return s;
}

static enum status episodes(struct app *app, struct view_data *d, const struct msg_queue *q,
                            struct err *e)
{
    struct subject_filter f = {
        .scope_mask = 1u << SCOPE_QUEUE,
        .of = {.name_glob = q->of.name, .region = q->of.region, .account = q->of.account}};
    struct arena *a = arena_of(app);
    struct alert_rows rows;

    if (request_episodes(app->options->store, d->range, &f, a, &rows, e) != OK)
        return e->code;
    if (rows.n > 0)
        title(app, d, "Alerts of the range");
    for (size_t i = 0; i < rows.n; i++)
        view_line_in(d, a, rows.rows[i].resolved_ns == 0 ? STYLE_BAD : STYLE_PLAIN,
                     arena_printf(a, "  %-12s since " STR_FMT "  " STR_FMT,
                                  view_alert_state(rows.rows[i].state),
                                  STR_ARG(view_when(app, a, rows.rows[i].started_ns, TIME_MINUTE)),
                                  STR_ARG(rows.rows[i].summary)),
                     LABEL + 3);
    return OK;
}

/* --- all --- */

static const struct msg_queue *queue_of(struct app *app, const struct queue_rows *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(view_queue_id(arena_of(app), &all->rows[i]), app_place(app)->id))
            return &all->rows[i];
    return NULL;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    static const enum metric metrics[] = {METRIC_QUEUE_DEPTH, METRIC_QUEUE_AGE,
                                          METRIC_QUEUE_IN_FLIGHT};
    struct metric_request wanted = {.range = d->range,
                                    .subject = {.scope_mask = 1u << SCOPE_QUEUE},
                                    .metrics = metrics,
                                    .n_metrics = ARRAY_LEN(metrics)};
    const struct fn_filter any = {0};
    struct queue_rows all;
    struct metric_rows readings;
    struct queue_change change;
    enum status s = view_load_functions(app, d, e);

    if (s == OK)
        s = request_queues(app->options->store, &any, arena_of(app), &all, e);
    const struct msg_queue *q = s == OK ? queue_of(app, &all) : NULL;
    if (s == OK && !q)
        view_line(d, arena_of(app), STYLE_DIM, STR("This queue is not stored any more."));
    if (!q)
        return s;
    wanted.subject.of = (struct fn_filter){
        .name_glob = q->of.name, .region = q->of.region, .account = q->of.account};
    s = request_metrics(app->options->store, &wanted, arena_of(app), &readings, e);
    if (s != OK)
        return s;
    view_queue_change(view_queue_series(&readings, q, METRIC_QUEUE_DEPTH), &change);
    head(app, d, q, change.per_hour);
    courses(app, d, &readings, q);
    s = workers(app, d, &all, q, e);
    if (s == OK)
        s = episodes(app, d, q, e);
    figures(app, d, q, &change);
    settings(app, d, q);
    return s;
}

const struct view_ops view_queue = {
    .name = "queue",
    .title = "Queue",
    .load = load,
    .has_ages = true,
    .is_text = true,
    .fits_width = true,
    .default_sort = -1,
    .tab = VIEW_QUEUE,
};
