/* "What is this number made of": every figure of a function's row with its inputs, the prices with
 * their dates, and the SQL that gives the same. */
#include "tui/view.h"

static struct arena *arena_of(struct app *app)
{
    return &app->data_arena;
}

static void say(struct app *app, struct view_data *d, const char *name, struct str text)
{
    view_line_in(d, arena_of(app), STYLE_PLAIN,
                 arena_printf(arena_of(app), "  %-12s " STR_FMT, name, STR_ARG(text)), 15);
}

/* --- counts --- */

static void attempts(struct app *app, struct view_data *d, const struct stats *s)
{
    struct arena *a = arena_of(app);
    AUTO(buf_clear) struct buf b = {.max = 1024};

    for (int o = 0; o < OUTCOMES; o++)
        if (s->outcome[o] > 0)
            buf_addf(&b, "%s" STR_FMT " %s", b.n > 0 ? ", " : "",
                     STR_ARG(view_count(a, s->outcome[o])), outcome_name((enum outcome)o));
    say(app, d, "INV",
        arena_printf(a, STR_FMT " that started: " STR_FMT "; " STR_FMT " of them retries",
                     STR_ARG(view_things(a, s->n, "attempt", "attempts")), STR_ARG(buf_str(&b)),
                     STR_ARG(view_count(a, s->retries))));
    say(app, d, "ERR%",
        arena_printf(a,
                     STR_FMT
                     " failed / " STR_FMT " = " STR_FMT
                     "; failed is what did not end ok, an attempt without its end counts as open",
                     STR_ARG(view_count(a, stats_failed(s))), STR_ARG(view_count(a, s->n)),
                     STR_ARG(view_share(a, stats_failed(s), s->n))));
    say(app, d, "COLD%",
        arena_printf(a,
                     STR_FMT " with an initialization in their REPORT / " STR_FMT " = " STR_FMT
                             "; " STR_FMT " of initialization in all",
                     STR_ARG(view_count(a, stats_cold(s))), STR_ARG(view_count(a, s->n)),
                     STR_ARG(view_share(a, stats_cold(s), s->n)),
                     STR_ARG(view_duration(a, s->sum_init_ns))));
}

static void percentiles(struct app *app, struct view_data *d, const struct stats *s)
{
    static const struct {
        const char *name;
        unsigned permille;
    } wanted[] = {{"P50", 500}, {"P95", 950}, {"P99", 990}};
    struct arena *a = arena_of(app);

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        uint64_t us;
        if (histogram_percentile(&s->duration, wanted[i].permille, &us))
            say(app, d, wanted[i].name,
                arena_printf(
                    a,
                    STR_FMT ": %u.%u %% of " STR_FMT " durations, initialization not "
                            "counted, are no longer; the upper end of a bucket 1.6 %% wide",
                    STR_ARG(view_duration(a, (int64_t)us * NS_PER_US)), wanted[i].permille / 10,
                    wanted[i].permille % 10, STR_ARG(view_count(a, s->n))));
    }
    say(app, d, "MEM%",
        arena_printf(a, "nearest to its memory: used %llu MB / configured %llu MB = " STR_FMT,
                     (unsigned long long)(s->fullest_used_bytes >> 20),
                     (unsigned long long)(s->fullest_size_bytes >> 20),
                     STR_ARG(view_share(a, s->fullest_used_bytes, s->fullest_size_bytes))));
}

/* --- money --- */

struct quantity {
    const char *meter, *unit;
    wide value; /* 10^-12 units */
    const char *from;
};

static void priced(struct app *app, struct view_data *d, const struct fn_ref *fn,
                   const struct quantity *q)
{
    struct arena *a = arena_of(app);
    const struct cost_context *c = app->options->cost;
    struct str region = cost_region(c, fn);
    const struct price *p = c->book ? pricebook_find(c->book, PROVIDER_AWS, str_from(q->meter),
                                                     region, d->range.until_ns - 1)
                                    : NULL;

    if (q->value == 0)
        return;
    if (!p) {
        say(app, d, "", arena_printf(a, "%s: no price in " STR_FMT, q->meter, STR_ARG(region)));
        return;
    }
    /* 10^-12 units x 10^-12 dollars: six digits off each keep the product inside 128 bits. */
    wide amount = wide_div_round((q->value / 1000000) * p->unit_price, 1000000);
    say(app, d, "",
        arena_printf(a,
                     "%s " STR_FMT ": " STR_FMT " %s x " STR_FMT " = " STR_FMT
                     " (%s; price of " STR_FMT ")",
                     q->meter, STR_ARG(region), STR_ARG(view_exact(a, q->value, 12)), q->unit,
                     STR_ARG(view_exact(a, p->unit_price, 12)), STR_ARG(view_exact(a, amount, 12)),
                     q->from, STR_ARG(p->retrieved)));
}

static wide gb_s(wide mb_ms)
{
    return mb_ms * (wide)1000000000 / 1024;
}

static enum status money_of(struct app *app, struct view_data *d, const struct fn_row *f,
                            struct err *e)
{
    const wide unit = (wide)1000000000000;
    const struct stats *s = &f->stats;
    const wide kept_x86 = s->provisioned_mb_ms - s->provisioned_mb_ms_arm;
    struct arena *a = arena_of(app);
    struct stats_cost c;
    struct standing_cost kept;
    const struct quantity quantities[] = {
        {"Lambda-GB-Second", "GB-s", gb_s(s->mb_ms - s->mb_ms_arm - kept_x86),
         "billed milliseconds x configured MB / 1,024,000"},
        {"Lambda-GB-Second-ARM", "GB-s", gb_s(s->mb_ms_arm - s->provisioned_mb_ms_arm),
         "the same on arm64"},
        {"Lambda-Provisioned-GB-Second", "GB-s", gb_s(kept_x86), "on provisioned concurrency"},
        {"Lambda-Provisioned-GB-Second-ARM", "GB-s", gb_s(s->provisioned_mb_ms_arm),
         "the same on arm64"},
        {"Request", "requests", (wide)stats_requests(s, app->options->cost->keeps_stored) * unit,
         "attempts that started"},
        {"Lambda-Storage-GB-Second", "GB-s", gb_s(s->storage_mb_ms),
         "ephemeral storage above 512 MB"},
        {"Lambda-SnapStart-Restored-GB", "GB", wide_ratio(s->restored_mb, unit, 1024),
         "configured memory at each billed restore"},
    };

    if (cost_of_stats(app->options->cost, &f->fn, s, d->range.until_ns - 1, &c, e) != OK)
        return e->code;
    say(app, d, "COST",
        arena_printf(
            a,
            STR_FMT
            " " STR_FMT
            ": the sum of what each attempt cost, each rounded to 10^-12; priced from the summed "
            "quantities, as `fnscope cost` and the report do, it is " STR_FMT ":",
            STR_ARG(view_exact(a, s->cost, 12)), STR_ARG(c.currency),
            STR_ARG(view_exact(a, c.total, 12))));
    for (size_t i = 0; i < ARRAY_LEN(quantities); i++)
        priced(app, d, &f->fn, &quantities[i]);
    say(app, d, "of that",
        arena_printf(a, STR_FMT " for failed attempts, " STR_FMT " for initialization",
                     STR_ARG(view_exact(a, s->cost_failed, 12)),
                     STR_ARG(view_exact(a, s->cost_init, 12))));
    say(app, d, "beside it",
        arena_printf(a, STR_FMT " for the ingestion of %llu bytes of log",
                     STR_ARG(view_exact(a, c.logs, 12)),
                     (unsigned long long)stats_ingested_bytes(s)));
    if (view_kept_ready(app, d, f, &kept, e) != OK)
        return e->code;
    if (view_kept_text(a, &kept).n > 0)
        say(app, d, "by the hour", view_kept_text(a, &kept));
    if (c.is_assumed)
        view_line(d, a, STYLE_WARN,
                  STR("  ! region or architecture is assumed: say it under functions: in the "
                      "configuration"));
    return OK;
}

static void sql_of(struct app *app, struct view_data *d, const struct fn_row *f)
{
    struct arena *a = arena_of(app);

    say(app, d, "the same",
        arena_printf(a,
                     "fnscope sql \"select count(*), sum(cost_usd) from invocations where "
                     "function = '" STR_FMT "' and start_time >= '" STR_FMT
                     "' and start_time < '" STR_FMT "'\"",
                     STR_ARG(f->fn.name), STR_ARG(view_utc(a, d->range.since_ns)),
                     STR_ARG(view_utc(a, d->range.until_ns))));
}

static enum status explain(struct app *app, struct view_data *d, const struct fn_row *f,
                           struct err *e)
{
    struct arena *a = arena_of(app);

    view_line(d, a, STYLE_BOLD,
              arena_printf(a, STR_FMT ", " STR_FMT " to " STR_FMT, STR_ARG(f->fn.name),
                           STR_ARG(view_time(app, a, d->range.since_ns, TIME_WHOLE)),
                           STR_ARG(view_time(app, a, d->range.until_ns, TIME_WHOLE))));
    attempts(app, d, &f->stats);
    percentiles(app, d, &f->stats);
    enum status s = money_of(app, d, f, e);
    sql_of(app, d, f);
    view_line(d, a, STYLE_PLAIN, STR(""));
    return s;
}

/* Did not run, and is charged by the hour. */
static enum status explain_idle(struct app *app, struct view_data *d,
                                const struct standing_idle *idle, uint32_t only, struct err *e)
{
    struct arena *a = arena_of(app);
    struct standing_cost kept;

    for (size_t i = 0; i < idle->rows.n; i++) {
        const struct fn_row *f = &idle->rows.rows[i];
        if (only != 0 && f->fn_id != only)
            continue;
        if (view_kept_ready(app, d, f, &kept, e) != OK)
            return e->code;
        view_line(d, a, STYLE_BOLD,
                  arena_printf(a, STR_FMT ", which did not run", STR_ARG(f->fn.name)));
        say(app, d, "by the hour", view_kept_text(a, &kept));
        view_line(d, a, STYLE_PLAIN, STR(""));
    }
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    const uint32_t only = app_place(app)->fn_id;
    enum status s = only ? view_load_one(app, d, e) : view_load_functions(app, d, e);
    struct standing_idle idle = {0};

    if (s == OK && !d->one)
        s = view_load_idle(app, d, &idle, e);
    if (s == OK && d->one)
        s = explain(app, d, d->one, e);
    for (size_t i = 0; s == OK && i < d->functions.n; i++)
        s = explain(app, d, &d->functions.rows[i], e);
    if (s == OK && !d->one)
        s = explain_idle(app, d, &idle, only, e);
    if (s == OK && d->n_lines == 0)
        view_line(d, arena_of(app), STYLE_DIM, STR("Nothing of this function lies in the range."));
    return s;
}

const struct view_ops view_explain = {
    .name = "explain",
    .title = "Explained",
    .load = load,
    .is_text = true,
    .default_sort = -1,
    .tab = VIEW_EXPLAIN,
};
