/* Sections about money: verdict, cost, comparison, waste. */
#include "core/base/clock.h"
#include "reports/report_data.h"

/* --- verdict --- */

static struct str cash(const struct report_data *r, wide pico)
{
    return value_sum(r, pico).shown;
}

static struct str range_word(const struct report_data *r)
{
    const int64_t back = r->range.since_ns - r->before.since_ns;
    const bool is_long = r->range.until_ns - r->range.since_ns > NS_PER_DAY;
    const char *word = is_long              ? "the range before"
                       : back == NS_PER_DAY ? "the day before (the weekday a week before is not "
                                              "stored whole)"
                                            : "the same weekday a week before";

    if (!report_ends_early(r))
        return str_from(word);
    return arena_printf(r->arena, "the same %s of %s", is_long ? "part" : "hours", word);
}

static enum tone failed_tone(const struct report_data *r)
{
    uint64_t failed = count_failed(&r->total);

    return failed * 100 > r->total.n * 5 ? TONE_BAD
           : failed * 100 > r->total.n   ? TONE_WARN
                                         : TONE_PLAIN;
}

/* Those of each currency where there are several. */
static size_t n_purses(const struct report_data *r)
{
    return r->n_parts > 0 ? r->n_parts : 1;
}

static const struct report_data *purse(const struct report_data *r, size_t i)
{
    return r->n_parts > 0 ? &r->parts[i] : r;
}

static bool is_much_dearer(const struct report_data *r)
{
    return r->has_before && r->cost * 2 > r->cost_before * 3;
}

/* "$18.00 and CNY 0.0000340" */
static struct str spent(const struct report_data *r, wide (*what)(const struct report_data *))
{
    AUTO(buf_clear) struct buf b = {.max = 1024};

    for (size_t i = 0; i < n_purses(r); i++)
        buf_addf(&b, "%s" STR_FMT, i > 0 ? " and " : "",
                 STR_ARG(cash(purse(r, i), what(purse(r, i)))));
    return arena_str(r->arena, buf_str(&b));
}

static wide cost_of(const struct report_data *r)
{
    return r->cost;
}

static wide standing_of(const struct report_data *r)
{
    return r->standing;
}

static enum tone verdict_tone(const struct report_data *r)
{
    bool is_dearer = false;

    for (size_t i = 0; i < n_purses(r); i++)
        is_dearer = is_dearer || is_much_dearer(purse(r, i));
    if (failed_tone(r) != TONE_PLAIN)
        return failed_tone(r);
    return r->incidents.n > 0 || r->throttles.n > 0 || is_dearer ? TONE_WARN : TONE_GOOD;
}

/* "; image-resize: out of memory, checkout-api: bad deploy and 2 more went wrong" */
static struct str incident_words(const struct report_data *r)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};
    size_t shown = r->incidents.n < 3 ? r->incidents.n : 3;

    if (r->incidents.n == 0)
        return (struct str){0};
    buf_add_z(&b, " Went wrong: ");
    for (size_t i = 0; i < shown; i++)
        buf_addf(&b, "%s" STR_FMT " (%s)", i > 0 ? ", " : "",
                 STR_ARG(text_fn(r, &r->incidents.rows[i].fn)),
                 incident_kind_names[r->incidents.rows[i].kind]);
    if (r->incidents.n > shown)
        buf_addf(&b, " and %zu more", r->incidents.n - shown);
    buf_add_c(&b, '.');
    return arena_str(r->arena, buf_str(&b));
}

/* Refused calls are no invocations, and so none that failed. */
static struct str throttle_words(const struct report_data *r)
{
    if (r->throttles.n == 0)
        return (struct str){0};
    return arena_printf(r->arena, " Besides, " STR_FMT ".",
                        STR_ARG(throttles_text(&r->throttles, r->arena)));
}

static struct str verdict_text(const struct report_data *r)
{
    struct arena *a = r->arena;
    struct str change =
        r->has_before && r->n_parts == 0
            ? arena_printf(a, ", " STR_FMT " against " STR_FMT,
                           STR_ARG(text_change(a, r->cost, r->cost_before)), STR_ARG(range_word(r)))
            : (struct str){0};
    struct str end = report_ends_early(r) ? arena_printf(a, " The data end at " STR_FMT ".",
                                                         STR_ARG(text_time(a, report_last(r))))
                                          : (struct str){0};

    return arena_printf(a,
                        STR_FMT " for " STR_FMT " of " STR_FMT STR_FMT "; " STR_FMT
                                " failed (" STR_FMT ")." STR_FMT STR_FMT STR_FMT,
                        STR_ARG(spent(r, cost_of)),
                        STR_ARG(text_things(a, r->total.n, "invocation")),
                        STR_ARG(text_things(a, r->n_ran, "function")), STR_ARG(change),
                        STR_ARG(text_count(a, count_failed(&r->total))),
                        STR_ARG(text_share(a, count_failed(&r->total), r->total.n)), STR_ARG(end),
                        STR_ARG(throttle_words(r)), STR_ARG(incident_words(r)));
}

static struct doc_value p95_of(const struct report_data *r, const struct stats *s)
{
    uint64_t us = 0;

    if (!histogram_percentile(&s->duration, 950, &us))
        return (struct doc_value){CELL_NULL, {0}, STR("-"), STR("ms")};
    return value_us(r->arena, us);
}

static struct str in_currency(const struct report_data *r, const char *what, struct str currency)
{
    return r->n_parts == 0 ? str_from(what)
                           : arena_printf(r->arena, "%s in " STR_FMT, what, STR_ARG(currency));
}

static struct doc_figure cost_figure(const struct report_data *r, struct doc *d, size_t i)
{
    const struct report_data *p = purse(r, i);

    d->part = r->n_parts > 0 ? r->currencies[i] : (struct str){0};
    return (struct doc_figure){doc_key(d, "cost"),
                               in_currency(r, "Cost", p->currency),
                               value_sum(p, p->cost),
                               value_sum(p, p->cost_before),
                               text_change(r->arena, p->cost, p->cost_before),
                               TONE_PLAIN};
}

static struct str logs_label(const struct report_data *r, struct str currency)
{
    return arena_printf(r->arena, STR_FMT ", beside",
                        STR_ARG(in_currency(r, "Log ingestion", currency)));
}

/* "not priced" where the book has none for logs there. */
static struct doc_value logs_value(const struct report_data *r)
{
    const struct stats_cost logs = {
        .total = r->cost_logs, .is_unpriced = r->is_log_unpriced, .currency = r->currency};

    return value_cost(r->arena, &logs, r->cost_logs);
}

static struct doc_figure logs_figure(const struct report_data *r, struct doc *d, size_t i)
{
    const struct report_data *p = purse(r, i);

    d->part = r->n_parts > 0 ? r->currencies[i] : (struct str){0};
    return (struct doc_figure){.key = doc_key(d, "log_ingestion"),
                               .label = logs_label(r, p->currency),
                               .value = logs_value(p),
                               .note = text_size(r->arena, stats_ingested_bytes(&p->total))};
}

static void verdict_figures(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    struct arena *a = r->arena;
    const struct stats *now = &r->total, *before = &r->total_before;
    const size_t n = n_purses(r);
    struct doc_figure *const costs = doc_figures(d, s, "figures", 4 + 2 * n), *f = costs + n - 1;

    for (size_t i = 0; i < n; i++) {
        costs[i] = cost_figure(r, d, i);
        costs[n + 4 + i] = logs_figure(r, d, i);
    }
    d->part = (struct str){0};
    f[1] = (struct doc_figure){STR("invocations"),
                               STR("Invocations"),
                               value_count(a, now->n),
                               value_count(a, before->n),
                               text_change(a, now->n, before->n),
                               TONE_PLAIN};
    f[2] = (struct doc_figure){STR("failed"),
                               STR("Failed"),
                               value_share(a, count_failed(now), now->n),
                               value_share(a, count_failed(before), before->n),
                               text_count(a, count_failed(now)),
                               failed_tone(r)};
    f[3] = (struct doc_figure){.key = STR("duration_p95"),
                               .label = STR("Duration p95"),
                               .value = p95_of(r, now),
                               .before = p95_of(r, before)};
    f[4] = (struct doc_figure){STR("cold_starts"),
                               STR("Cold starts"),
                               value_share(a, count_cold(now), now->n),
                               value_share(a, count_cold(before), before->n),
                               text_count(a, count_cold(now)),
                               TONE_PLAIN};
    for (size_t i = 0; i < n + 4 && !r->has_before; i++)
        costs[i].before = (struct doc_value){.type = CELL_NULL};
    for (size_t i = 0; i <= n && !r->has_before; i++)
        costs[i].note = (struct str){0};
}

void section_verdict(const struct report_data *r, struct doc *d)
{
    struct doc_section *s = doc_section(d, "verdict", "Verdict");

    if (r->total.n == 0) {
        doc_text(d, s, TONE_WARN,
                 STR("Nothing ran in this range, or its logs are not imported. `fnscope db info` "
                     "says what the "
                     "store holds; --since and --until choose another range."));
        if (r->standing > 0)
            doc_text(d, s, TONE_PLAIN,
                     arena_printf(r->arena,
                                  "What is kept ready is charged all the same: " STR_FMT
                                  ", beside the cost.",
                                  STR_ARG(spent(r, standing_of))));
        return;
    }
    doc_text(d, s, verdict_tone(r), verdict_text(r));
    verdict_figures(r, d, s);
}

/* --- cost --- */

static void components(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    const struct stats_cost *all = &r->components;
    const struct {
        struct str key, label;
        wide amount;
    } parts[] = {
        {STR("duration"), STR("Duration (GB-seconds)"),
         all->duration + all->restore - r->total.cost_init},
        {STR("initialization"), STR("Initialization"), r->total.cost_init},
        {STR("requests"), STR("Requests"), all->request},
        {STR("storage"), STR("Ephemeral storage"), all->storage},
        {STR("log_ingestion"), STR("Log ingestion (beside)"), r->cost_logs},
        {STR("kept_ready"), STR("Kept ready (beside)"), r->standing},
    };
    wide most = 1;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        most = parts[i].amount > most ? parts[i].amount : most;
    struct doc_bar *bars = doc_bars(d, s, "components", ARRAY_LEN(parts));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        bars[i] = (struct doc_bar){.key = parts[i].key,
                                   .label = parts[i].label,
                                   .value = value_sum(r, parts[i].amount),
                                   .is_nothing = parts[i].amount == 0,
                                   .permille = permille_of(parts[i].amount, most)};
}

static void cost_series(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    uint64_t *values = arena_new(r->arena, uint64_t, r->series.n + 1);
    struct doc_value *exact = arena_new(r->arena, struct doc_value, r->series.n + 1);
    wide top = 0;

    for (size_t i = 0; i < r->series.n; i++) {
        values[i] =
            (uint64_t)(r->series.points[i].cost / 1000); /* nano: the picture needs no more */
        exact[i] = value_sum(r, r->series.points[i].cost);
        top = r->series.points[i].cost > top ? r->series.points[i].cost : top;
    }
    if (r->series.n < 2)
        return;
    *doc_series(d, s, "cost_over_time") = series_over_time(r, "Cost", cash(r, top), values, exact);
}

void section_cost(const struct report_data *r, struct doc *d)
{
    const struct fn_line *lines = r->lines.rows;
    size_t top = r->lines.n < 10 ? r->lines.n : 10;
    wide rest = r->cost;

    if (r->n == 0 && r->standing == 0)
        return;
    struct doc_section *s = doc_section(d, "cost", "Cost");
    cost_series(r, d, s);
    components(r, d, s);
    for (size_t i = 0; i < top; i++)
        rest -= lines[i].cost.total;
    struct doc_bar *bars = doc_bars(d, s, "by_function", top);
    for (size_t i = 0; i < top; i++)
        bars[i] =
            (struct doc_bar){.label = text_fn(r, &lines[i].now->fn),
                             .value = value_cost(r->arena, &lines[i].cost, lines[i].cost.total),
                             .permille = permille_of(lines[i].cost.total, lines[0].cost.total)};
    if (r->n > top)
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(r->arena,
                              STR_FMT " cost%s " STR_FMT
                                      " together; the list of functions below has them.",
                              STR_ARG(text_things(r->arena, r->n - top, "more function")),
                              plural(r->n - top, "s", ""), STR_ARG(cash(r, rest))));
    doc_text(d, s, TONE_PLAIN,
             STR("List prices of the first tier, without free tier and savings plan: what each "
                 "invocation adds to "
                 "the bill."));
}

/* --- comparison --- */

static const char *const part_names[PARTS] = {
    "New functions", "Functions that are gone", "Number of invocations",
    "Cold starts",   "Duration and memory",     "Prices and other",
};
static const char *const part_keys[PARTS] = {
    "new_functions", "gone_functions", "invocations", "cold_starts", "duration_memory", "prices",
};

static void movers(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "before", .title = "Before", .is_right = true},
        {.name = "now", .title = "Now", .is_right = true},
        {.name = "change", .title = "Change", .is_right = true},
        {.name = "change_share", .title = "%", .is_right = true},
        {.name = "currency", .is_hidden = true},
    };
    struct table *t = doc_table(d, s, "movers", columns, ARRAY_LEN(columns));

    for (size_t i = 0; i < r->movers.n; i++) {
        const struct fn_line *l = &r->movers.rows[i];
        table_row(t);
        fn_cell(r, t, 0, &(l->now ? l->now : l->before)->fn);
        cost_cell(t, 1, &l->cost, l->cost_before.total);
        cost_cell(t, 2, &l->cost, l->cost.total);
        cost_cell(t, 3, &l->cost, l->cost.total - l->cost_before.total);
        change_cell(t, 4, l->cost.total, l->cost_before.total);
        table_text(t, 5, l->cost.currency);
    }
}

void section_compare(const struct report_data *r, struct doc *d)
{
    const wide *parts = r->change;
    wide most = 1;

    if (r->options->no_compare || r->n == 0)
        return;
    struct doc_section *s = doc_section(d, "change", "Change");
    if (!r->has_before) {
        doc_text(
            d, s, TONE_PLAIN,
            STR("Nothing to compare with: the store does not hold the whole of a range before."));
        return;
    }
    doc_text(d, s, TONE_PLAIN,
             arena_printf(r->arena,
                          STR_FMT " now; " STR_FMT " %s " STR_FMT
                                  ". What the difference is made of, exactly:",
                          STR_ARG(cash(r, r->cost)), STR_ARG(cash(r, r->cost_before)),
                          report_ends_early(r) ? "in" : "on", STR_ARG(range_word(r))));
    for (int i = 0; i < PARTS; i++) {
        wide size = parts[i] < 0 ? -parts[i] : parts[i];
        most = size > most ? size : most;
    }
    struct doc_bar *bars = doc_bars(d, s, "parts", PARTS);
    for (int i = 0; i < PARTS; i++)
        bars[i] =
            (struct doc_bar){.key = str_from(part_keys[i]),
                             .label = str_from(part_names[i]),
                             .value = value_sum(r, parts[i]),
                             .is_nothing = parts[i] == 0,
                             .permille = permille_of(parts[i] < 0 ? -parts[i] : parts[i], most),
                             .tone = parts[i] < 0 ? TONE_GOOD : TONE_WARN};
    movers(r, d, s);
}

/* --- waste --- */

void section_waste(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "what", .title = "What"},
        {.name = "count", .title = "Count", .is_right = true},
        {.name = "cost", .title = "Cost", .is_right = true},
        {.name = "cost_share", .title = "Of all", .is_right = true},
        {.name = "currency", .is_hidden = true},
    };
    const struct waste *w = &r->waste;
    const struct {
        const char *what;
        uint64_t n;
        wide cost;
    } rows[] = {
        {"Attempts that failed", w->n_failed, w->failed},
        {"of these, timeouts", w->n_timeouts, w->timeouts},
        {"Retries", w->n_retries, w->retries},
        {"Initialization of cold starts", w->n_cold, w->init},
        {"Memory beyond 1.2 x the most used", 0, w->over_memory},
    };

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "waste", "Waste");
    struct table *t = doc_table(d, s, "ledger", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        table_row(t);
        table_text(t, 0, str_from(rows[i].what));
        if (rows[i].n > 0)
            table_i64(t, 1, (int64_t)rows[i].n);
        sum_cell(r, t, 2, rows[i].cost);
        share_cell(t, 3, rows[i].cost, r->cost);
        table_text(t, 4, r->currency);
    }
    doc_text(d, s, TONE_PLAIN,
             STR("The rows overlap: a failed attempt may be a retry and a cold start too, so they "
                 "must not be added "
                 "up. Less memory also means less processor: test before you reduce it."));
}
