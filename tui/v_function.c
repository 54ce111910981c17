/* One function: how it did and does: durations, cold starts, memory, cost, versions, what failed,
 * what alerts say, its configuration. A text made for the width of the screen. */
#include "core/base/timefmt.h"
#include "tui/view.h"

#define LABEL        8u
#define LABEL_INDENT 10u
#define MOST_DAYS    ((size_t)14)
#define MOST_ERRORS  ((size_t)6)
#define MOST_CONFIGS ((size_t)5)

static struct arena *arena_of(struct app *app)
{
    return &app->data_arena;
}

static void title(struct app *app, struct view_data *d, const char *text)
{
    if (d->n_lines > 0)
        view_line(d, arena_of(app), STYLE_PLAIN, STR(""));
    view_line(d, arena_of(app), STYLE_BOLD, str_from(text));
}

static void say(struct app *app, struct view_data *d, enum style style, struct str text)
{
    view_line_in(d, arena_of(app), style, text, LABEL_INDENT);
}

static struct str percentile(struct arena *a, const struct histogram *h, unsigned permille)
{
    uint64_t us;

    return histogram_percentile(h, permille, &us) ? view_duration(a, (int64_t)us * NS_PER_US)
                                                  : STR("-");
}

/* --- what it is, and the figures one asks for first --- */

static void head(struct app *app, struct view_data *d)
{
    struct arena *a = arena_of(app);
    const struct fn_row *r = d->one;
    const struct stats *s = &r->stats;
    enum style style;
    const char *state = view_state(s, &style);

    view_line_in(d, a, style == STYLE_PLAIN ? STYLE_BOLD : style,
                 arena_printf(a, STR_FMT "  %s", STR_ARG(r->fn.name), state), 2);
    view_line_in(d, a, STYLE_DIM,
                 arena_printf(a, "%s " STR_FMT " " STR_FMT "  " STR_FMT "  %llu MB  %s",
                              provider_name(r->fn.provider), STR_ARG(r->fn.account),
                              STR_ARG(r->fn.region), STR_ARG(r->runtime),
                              (unsigned long long)(r->memory_bytes >> 20), arch_name(r->arch)),
                 2);
    view_line_in(
        d, a, STYLE_PLAIN,
        arena_printf(a, STR_FMT "   " STR_FMT " failed   " STR_FMT " cold   " STR_FMT "   " STR_FMT,
                     STR_ARG(view_things(a, s->n, "invocation", "invocations")),
                     STR_ARG(view_share(a, stats_failed(s), s->n)),
                     STR_ARG(view_share(a, stats_cold(s), s->n)),
                     STR_ARG(view_things(a, s->retries, "retry", "retries")),
                     STR_ARG(view_money_in(a, s->cost, fn_currency(&r->fn)))),
        2);
}

/* --- over time --- */

static uint64_t point_value(const struct stats *p, unsigned permille)
{
    uint64_t us = 0;

    return permille == 0                                       ? p->n
           : permille == 1                                     ? stats_failed(p)
           : histogram_percentile(&p->duration, permille, &us) ? us
                                                               : 0;
}

/* permille 0: invocations, 1: failures, else the percentile of the duration. */
static void course(struct app *app, struct view_data *d, const char *name, unsigned permille)
{
    struct arena *a = arena_of(app);
    uint64_t *values = arena_new(a, uint64_t, d->series.n + 1), top = 0;

    for (size_t i = 0; i < d->series.n; i++) {
        values[i] = point_value(&d->series.points[i], permille);
        top = values[i] > top ? values[i] : top;
    }
    /* Percentiles must not be added up: as many points as cells, or fewer. */
    size_t n = d->series.n, width = view_chart_width(app);
    if (permille > 1 && n > width) {
        for (size_t x = 0; x < width; x++) {
            uint64_t most = 0;
            for (size_t i = x * n / width; i < (x + 1) * n / width; i++)
                most = values[i] > most ? values[i] : most;
            values[x] = most;
        }
        n = width;
    }
    struct spark spark = {values, n, STYLE_PLAIN};
    if (top == 0)
        return;
    say(app, d, permille == 1 ? STYLE_BAD : STYLE_PLAIN,
        arena_printf(a, "  %-*s" STR_FMT "  top " STR_FMT, (int)LABEL, name,
                     STR_ARG(view_chart(app, &spark, 0)),
                     STR_ARG(permille > 1 ? view_duration(a, (int64_t)top * NS_PER_US)
                                          : view_count(a, top))));
}

static void durations(struct app *app, struct view_data *d)
{
    struct arena *a = arena_of(app);
    const struct stats *s = &d->one->stats;

    title(app, d, "Duration");
    say(app, d, STYLE_PLAIN,
        arena_printf(a, "  p50 " STR_FMT "   p95 " STR_FMT "   p99 " STR_FMT "   longest " STR_FMT,
                     STR_ARG(percentile(a, &s->duration, 500)),
                     STR_ARG(percentile(a, &s->duration, 950)),
                     STR_ARG(percentile(a, &s->duration, 990)),
                     STR_ARG(view_duration(a, s->max_duration_ns))));
    if (d->series.n < 2)
        return;
    course(app, d, "calls", 0);
    course(app, d, "failed", 1);
    course(app, d, "p50", 500);
    course(app, d, "p95", 950);
    course(app, d, "p99", 990);
}

/* How many took how long: each line twice as long as the one before. */
static void histogram(struct app *app, struct view_data *d)
{
    struct arena *a = arena_of(app);
    const struct histogram *h = &d->one->stats.duration;
    uint64_t counts[64] = {0}, top = 0;

    for (size_t i = 0; i < h->n; i++) {
        unsigned bit = 0;
        while (bit < 63 && bucket_mid(h->bucket[i]) >> bit > 1)
            bit++;
        counts[bit] += h->count[i];
        top = counts[bit] > top ? counts[bit] : top;
    }
    for (unsigned bit = 0; bit < 64; bit++)
        if (counts[bit] > 0)
            say(app, d, STYLE_PLAIN,
                arena_printf(a, "  from %-8.*s%10.*s  " STR_FMT,
                             STR_ARG(view_duration(a, (INT64_C(1) << bit) * NS_PER_US)),
                             STR_ARG(view_count(a, counts[bit])),
                             STR_ARG(view_chart(
                                 app, NULL,
                                 (unsigned)wide_div_round((wide)counts[bit] * 1000, (wide)top)))));
}

/* --- starts, memory, money --- */

static void starts(struct app *app, struct view_data *d)
{
    struct arena *a = arena_of(app);
    const struct stats *s = &d->one->stats;

    title(app, d, "Cold starts");
    say(app, d, STYLE_PLAIN,
        arena_printf(a,
                     "  " STR_FMT " of " STR_FMT " (" STR_FMT "), init p50 " STR_FMT " p95 " STR_FMT
                     " p99 " STR_FMT ", waited " STR_FMT " in all",
                     STR_ARG(view_count(a, stats_cold(s))), STR_ARG(view_count(a, s->n)),
                     STR_ARG(view_share(a, stats_cold(s), s->n)),
                     STR_ARG(percentile(a, &s->init, 500)), STR_ARG(percentile(a, &s->init, 950)),
                     STR_ARG(percentile(a, &s->init, 990)),
                     STR_ARG(view_duration(a, s->sum_init_ns))));
}

static void memory(struct app *app, struct view_data *d)
{
    struct arena *a = arena_of(app);
    const struct stats *s = &d->one->stats;

    if (s->fullest_size_bytes == 0)
        return;
    unsigned permille =
        (unsigned)wide_div_round((wide)s->fullest_used_bytes * 1000, (wide)s->fullest_size_bytes);
    title(app, d, "Memory");
    say(app, d, permille >= 950 ? STYLE_BAD : STYLE_PLAIN,
        arena_printf(a, "  up to %llu of %llu MB, " STR_FMT "  " STR_FMT "%s",
                     (unsigned long long)(s->fullest_used_bytes >> 20),
                     (unsigned long long)(s->fullest_size_bytes >> 20),
                     STR_ARG(view_share(a, s->fullest_used_bytes, s->fullest_size_bytes)),
                     STR_ARG(view_chart(app, NULL, permille)),
                     permille >= 950   ? "  ! near its limit"
                     : permille <= 400 ? "  more than twice what it used"
                                       : ""));
}

/* Of the region and account it runs in; globs of a name that has a star match it too. */
static struct subject_filter only_one(const struct fn_ref *fn)
{
    return (struct subject_filter){.scope_mask = 1u << SCOPE_FUNCTION,
                                   .of = {.name_glob = fn->name,
                                          .region = fn->region,
                                          .account = fn->account,
                                          .provider = fn->provider}};
}

/* What a collector read to be kept ready, and how much of it worked. */
static enum status kept_ready(struct app *app, struct view_data *d, struct err *e)
{
    static const enum metric metrics[] = {METRIC_PROVISIONED, METRIC_PROVISIONED_SPILLOVER};
    const struct metric_request q = {d->range, only_one(&d->one->fn), metrics, ARRAY_LEN(metrics)};
    const struct kept_steps *k = &d->one->kept;
    struct arena *a = arena_of(app);
    struct metric_rows rows = {0};
    int64_t kept = 0, used = 0, spilled = 0;

    for (size_t i = 0; i < k->n; i++)
        kept = k->rows[i].n > kept ? k->rows[i].n : kept;
    if (kept == 0)
        return OK;
    if (request_metrics(app->options->store, &q, a, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++)
        for (size_t j = 0; j < rows.rows[i].n; j++) {
            const int64_t v = rows.rows[i].points[j].is_missing ? 0 : rows.rows[i].points[j].value;
            spilled += rows.rows[i].metric == METRIC_PROVISIONED_SPILLOVER ? v : 0;
            used = rows.rows[i].metric == METRIC_PROVISIONED && v > used ? v : used;
        }
    const char *hint = spilled > 0        ? "  ! too few at times"
                       : used * 2 <= kept ? "  more than twice what worked"
                                          : "";
    title(app, d, "Kept ready");
    say(app, d, spilled > 0 ? STYLE_WARN : STYLE_PLAIN,
        arena_printf(a,
                     "  up to %lld provisioned, at most %lld of them working (" STR_FMT
                     "), " STR_FMT " beyond them%s",
                     (long long)kept, (long long)used,
                     STR_ARG(view_share(a, (uint64_t)used, (uint64_t)kept)),
                     STR_ARG(view_things(a, (uint64_t)spilled, "call", "calls")), hint));
    return OK;
}

/* In what the function is billed in. */
static struct str amount(struct app *app, const struct view_data *d, wide pico)
{
    return view_money_in(arena_of(app), pico, fn_currency(&d->one->fn));
}

static enum status money_lines(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = arena_of(app);
    const struct stats *s = &d->one->stats;
    struct stats_cost c;
    struct standing_cost kept;

    if (cost_of_stats(app->options->cost, &d->one->fn, s, d->range.until_ns - 1, &c, e) != OK ||
        view_kept_ready(app, d, d->one, &kept, e) != OK)
        return e->code;
    const struct str by_hour = view_kept_text(a, &kept);
    const struct str restores =
        c.restore > 0 ? arena_printf(a, ", restores " STR_FMT, STR_ARG(amount(app, d, c.restore)))
                      : STR("");
    title(app, d, "Cost");
    say(app, d, STYLE_PLAIN,
        arena_printf(a,
                     "  " STR_FMT ": duration " STR_FMT ", requests " STR_FMT
                     ", storage " STR_FMT STR_FMT "; logs " STR_FMT " beside it",
                     STR_ARG(amount(app, d, c.total)), STR_ARG(amount(app, d, c.duration)),
                     STR_ARG(amount(app, d, c.request)), STR_ARG(amount(app, d, c.storage)),
                     STR_ARG(restores), STR_ARG(amount(app, d, c.logs))));
    say(app, d, STYLE_PLAIN,
        arena_printf(
            a,
            "  " STR_FMT " per million calls; failures " STR_FMT " (" STR_FMT
            "), initialization " STR_FMT,
            STR_ARG(amount(app, d, s->n > 0 ? wide_div_round(s->cost * 1000000, s->n) : 0)),
            STR_ARG(amount(app, d, s->cost_failed)),
            STR_ARG(view_share(a, s->cost_failed, s->cost)),
            STR_ARG(amount(app, d, s->cost_init))));
    if (by_hour.n > 0)
        say(app, d, STYLE_PLAIN,
            arena_printf(a, "  beside it, by the hour: " STR_FMT, STR_ARG(by_hour)));
    return OK;
}

static enum status days(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = arena_of(app);
    struct series_request q = {.step_ns = NS_PER_DAY, .fn_id = app_place(app)->fn_id};
    struct series s;
    wide top = 0;

    q.range.until_ns = time_floor(d->range.until_ns + NS_PER_DAY - 1, NS_PER_DAY);
    q.range.since_ns = q.range.until_ns - (int64_t)MOST_DAYS * NS_PER_DAY;
    if (request_series(app->options->store, &q, a, &s, e) != OK)
        return e->code;
    for (size_t i = 0; i < s.n; i++)
        top = s.points[i].cost > top ? s.points[i].cost : top;
    for (size_t i = 0; i < s.n; i++) {
        const struct stats *p = &s.points[i];
        if (p->n == 0 || top == 0)
            continue;
        say(app, d, STYLE_PLAIN,
            arena_printf(
                a, "  " STR_FMT "  %9.*s  %9.*s calls  " STR_FMT,
                STR_ARG(str_sub(view_utc(a, s.since_ns + (int64_t)i * NS_PER_DAY), 0, 10)),
                STR_ARG(amount(app, d, p->cost)), STR_ARG(view_count(a, p->n)),
                STR_ARG(view_chart(app, NULL, (unsigned)wide_div_round(p->cost * 1000, top)))));
    }
    return OK;
}

/* --- what changed, what failed, what alerts say --- */

static struct str or_dash(struct str s)
{
    return s.n > 0 ? s : STR("-");
}

static struct str configuration_text(const struct app *app, struct arena *a,
                                     const struct fn_config *c)
{
    struct str timeout = c->timeout_ns > 0 ? view_duration(a, c->timeout_ns) : (struct str){0};

    return arena_printf(a,
                        "  " STR_FMT "  version " STR_FMT ", %llu MB, timeout " STR_FMT ", " STR_FMT
                        "%s" STR_FMT,
                        STR_ARG(view_when(app, a, c->valid_from_ns, TIME_MINUTE)),
                        STR_ARG(or_dash(c->version)), (unsigned long long)(c->memory_bytes >> 20),
                        STR_ARG(or_dash(timeout)), STR_ARG(or_dash(c->runtime)),
                        c->dead_letter.n > 0 ? ", failed events to " : "", STR_ARG(c->dead_letter));
}

static enum status configurations(struct app *app, struct view_data *d, struct err *e)
{
    struct fn_filter f = {
        .name_glob = d->one->fn.name, .region = d->one->fn.region, .account = d->one->fn.account};
    struct fn_config_rows rows;
    size_t shown = 0;

    if (request_configs(app->options->store, &f, arena_of(app), &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n && shown < MOST_CONFIGS; i++) {
        if (rows.rows[i].is_assumed)
            continue;
        if (shown++ == 0)
            title(app, d, "Configuration and versions, newest first");
        say(app, d, STYLE_PLAIN, configuration_text(app, arena_of(app), &rows.rows[i]));
    }
    return OK;
}

static enum status failures(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = arena_of(app);
    struct error_request q = {
        .range = d->range, .fn_id = app_place(app)->fn_id, .limit = MOST_ERRORS};
    struct error_rows rows;

    if (request_errors(app->options->store, &q, a, &rows, e) != OK)
        return e->code;
    title(app, d, rows.n > 0 ? "What failed" : "Nothing failed");
    for (size_t i = 0; i < rows.n; i++) {
        const struct error_row *r = &rows.rows[i];
        say(app, d, STYLE_BAD,
            arena_printf(a, "  %7.*s  %-12s last " STR_FMT "  " STR_FMT "%s" STR_FMT,
                         STR_ARG(view_count(a, r->count)), view_result(r->outcome),
                         STR_ARG(view_when(app, a, r->last_ns, TIME_MINUTE)),
                         STR_ARG(r->error_type), r->error_type.n > 0 && r->sample.n > 0 ? ": " : "",
                         STR_ARG(r->sample)));
    }
    return OK;
}

static enum status alerts(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = arena_of(app);
    struct subject_filter f = {.scope_mask = 1u << SCOPE_FUNCTION,
                               .of = {.name_glob = d->one->fn.name, .region = d->one->fn.region}};
    struct alert_rows rows;

    if (request_episodes(app->options->store, d->range, &f, a, &rows, e) != OK)
        return e->code;
    if (rows.n > 0)
        title(app, d, "Alerts of the range");
    for (size_t i = 0; i < rows.n; i++)
        say(app, d, rows.rows[i].resolved_ns == 0 ? STYLE_BAD : STYLE_PLAIN,
            arena_printf(a, "  %-12s since " STR_FMT "  " STR_FMT,
                         view_alert_state(rows.rows[i].state),
                         STR_ARG(view_when(app, a, rows.rows[i].started_ns, TIME_MINUTE)),
                         STR_ARG(rows.rows[i].summary)));
    return OK;
}

/* It costs something all the same where it is kept ready. */
static enum status did_not_run(struct app *app, struct view_data *d, struct err *e)
{
    struct arena *a = arena_of(app);
    struct standing_idle idle;
    struct standing_cost kept;

    view_line(d, a, STYLE_DIM,
              STR("It did not run in this time range: t chooses another, { goes back."));
    if (view_load_idle(app, d, &idle, e) != OK)
        return e->code;
    for (size_t i = 0; i < idle.rows.n; i++) {
        if (idle.rows.rows[i].fn_id != app_place(app)->fn_id)
            continue;
        if (view_kept_ready(app, d, &idle.rows.rows[i], &kept, e) != OK)
            return e->code;
        title(app, d, "Cost");
        say(app, d, STYLE_PLAIN,
            arena_printf(a, "  by the hour: " STR_FMT, STR_ARG(view_kept_text(a, &kept))));
    }
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    enum status s = view_load_one(app, d, e);

    if (s == OK)
        s = view_load_series(app, d, e);
    if (s != OK || !d->one)
        return s == OK ? did_not_run(app, d, e) : s;
    head(app, d);
    durations(app, d);
    s = failures(app, d, e);
    if (s == OK)
        s = alerts(app, d, e);
    if (s == OK) {
        starts(app, d);
        memory(app, d);
        s = money_lines(app, d, e);
    }
    if (s == OK)
        s = kept_ready(app, d, e);
    if (s == OK)
        s = days(app, d, e);
    if (s == OK) {
        title(app, d, "How many took how long");
        histogram(app, d);
        s = configurations(app, d, e);
    }
    return s;
}

const struct view_ops view_function = {
    .name = "function",
    .title = "Function",
    .load = load,
    .is_text = true,
    .has_course = true,
    .fits_width = true,
    .default_sort = -1,
    .tab = VIEW_FUNCTION,
};
