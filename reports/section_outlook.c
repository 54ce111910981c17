/* Sections that look beyond the range: what is unusual against the days before, where the month
 * ends, what could be saved. */
#include <assert.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/timefmt.h"
#include "reports/report_data.h"

/* --- unusual --- */

/* What made it dearer or cheaper: more attempts, or each at another cost. */
static struct str driver(const struct report_data *r, const struct unusual_row *u)
{
    const wide n0 = (wide)u->usual_n, n1 = (wide)u->n;

    if (n1 == 0)
        return STR("it did not run");
    if (n0 == 0 || u->money.usual <= 0)
        return STR("it did not run before");
    wide by_number = wide_ratio(u->money.usual, n1 - n0, n0);
    wide by_cost = u->money.excess - by_number;
    bool is_number = (by_number < 0 ? -by_number : by_number) >= (by_cost < 0 ? -by_cost : by_cost);
    wide part = is_number ? n1 : wide_ratio(u->now, n0, n1);
    wide whole = is_number ? n0 : u->money.usual;
    return arena_printf(r->arena, "%s: " STR_FMT,
                        is_number ? "number of invocations" : "cost of each",
                        STR_ARG(text_change(r->arena, part, whole)));
}

static void unusual_line(const struct report_data *r, struct table *t, const struct unusual_row *u)
{
    table_row(t);
    fn_cell(r, t, 0, &u->line->now->fn);
    sum_cell(r, t, 1, u->now);
    sum_cell(r, t, 2, u->money.usual);
    sum_cell(r, t, 3, u->money.excess);
    if (u->since_ns)
        time_cell(t, 4, u->since_ns);
    table_text(t, 5, driver(r, u));
    table_text(t, 6, r->currency);
}

void section_unusual(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "now", .title = "Now", .is_right = true},
        {.name = "usual", .title = "Usual", .is_right = true},
        {.name = "excess", .title = "More", .is_right = true},
        {.name = "since_time", .title = "Since"},
        {.name = "driver", .title = "Mostly"},
        {.name = "currency", .is_hidden = true},
    };
    const struct unusuals *u = &r->unusual;

    if (r->n == 0 || u->windows < ANOMALY_LEAST_PAST)
        return;
    struct doc_section *s = doc_section(d, "unusual", "Unusual");
    struct str against = arena_printf(
        r->arena, "against %sthe %zu %s before", report_ends_early(r) ? "the same hours of " : "",
        u->windows,
        r->range.until_ns - r->range.since_ns == NS_PER_DAY ? "days" : "stretches of this length");
    if (u->n == 0) {
        doc_text(d, s, TONE_GOOD,
                 arena_printf(r->arena, "No function cost unusually much or little, " STR_FMT ".",
                              STR_ARG(against)));
        return;
    }
    doc_text(d, s, TONE_WARN,
             arena_printf(r->arena, STR_FMT " cost unusually much or little, " STR_FMT ".",
                          STR_ARG(text_things(r->arena, u->n, "function")), STR_ARG(against)));
    struct table *t = doc_table(d, s, "functions", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < u->n; i++)
        unusual_line(r, t, &u->rows[i]);
    doc_text(d, s, TONE_PLAIN,
             STR("Usual is the median of those before; unusual is farther from it than six median "
                 "deviations and than half of it. fnscope query invocations -f FUNCTION shows the "
                 "single ones."));
}

/* --- the month --- */

void section_forecast(const struct report_data *r, struct doc *d)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    const struct outlook *o = &r->outlook;
    struct arena *a = r->arena;

    if (r->n == 0 || o->end_ns == 0)
        return;
    struct civil c = time_civil(o->month_ns);
    struct doc_section *s = doc_section(d, "forecast", "The month");
    struct str month = arena_printf(a, "%s %d", months[c.month - 1], c.year);
    struct doc_figure *f = doc_figures(d, s, "month", o->has_forecast ? 4 : 1);
    f[0] = (struct doc_figure){
        .key = STR("spent"),
        .label = arena_printf(a, STR_FMT " so far", STR_ARG(month)),
        .value = value_sum(r, o->input.spent),
        .note = arena_printf(a, "to " STR_FMT, STR_ARG(text_day(a, o->input.now_ns - 1)))};
    if (!o->has_forecast) {
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(a, "No forecast: it takes %d whole days, " STR_FMT " %s stored.",
                              FORECAST_LEAST_DAYS, STR_ARG(text_things(a, o->input.n, "day")),
                              plural(o->input.n, "is", "are")));
        return;
    }
    f[1] = (struct doc_figure){.key = STR("p10"),
                               .label = STR("Month's end, low"),
                               .value = value_sum(r, o->forecast.low),
                               .note = STR("1 of 10 ends lower")};
    f[2] = (struct doc_figure){.key = STR("p50"),
                               .label = STR("Month's end, expected"),
                               .value = value_sum(r, o->forecast.middle)};
    f[3] = (struct doc_figure){.key = STR("p90"),
                               .label = STR("Month's end, high"),
                               .value = value_sum(r, o->forecast.high),
                               .note = STR("1 of 10 ends higher")};
    struct str since = o->first_ns > o->month_ns
                           ? arena_printf(a,
                                          " Stored since " STR_FMT ": the days of the month "
                                          "before are not in it.",
                                          STR_ARG(text_day(a, o->first_ns)))
                           : (struct str){0};
    doc_text(d, s, TONE_PLAIN,
             arena_printf(a,
                          "If the days ahead are like the last " STR_FMT "%s. List prices, "
                          "without free tier and savings plan." STR_FMT,
                          STR_ARG(text_things(a, o->input.n, "whole day")),
                          o->forecast.is_weekly ? ", weekday by weekday" : "", STR_ARG(since)));
}

/* --- savings --- */

static struct str advice_words(const struct report_data *r, const struct saving *s)
{
    switch (s->advice.kind) {
    case ADVICE_ARM:
        return STR("run on arm64");
    case ADVICE_MEMORY:
        return arena_printf(r->arena, "memory %llu to %llu MB",
                            (unsigned long long)s->advice.now_mb,
                            (unsigned long long)s->advice.memory_mb);
    case ADVICE_FAILURES:
    case ADVICE_KINDS:
        break;
    }
    return STR("end the failures");
}

/* What is taken for granted, and how to do it. */
static struct str advice_proviso(enum advice_kind kind)
{
    static const char *const words[ADVICE_KINDS] = {
        [ADVICE_ARM] = "if it takes as long there",
        [ADVICE_MEMORY] = "if it takes as long with less processor",
        [ADVICE_FAILURES] = "if none of them is needed",
    };

    assert(kind < ADVICE_KINDS);
    return str_from(words[kind]);
}

static struct str advice_command(const struct report_data *r, const struct saving *s)
{
    const struct str name = s->line->now->fn.name;

    if (s->advice.kind == ADVICE_MEMORY)
        return arena_printf(r->arena,
                            "aws lambda update-function-configuration --function-name " STR_FMT
                            " --memory-size %llu",
                            STR_ARG(name), (unsigned long long)s->advice.memory_mb);
    if (s->advice.kind == ADVICE_ARM)
        return arena_printf(r->arena,
                            "aws lambda update-function-code --function-name " STR_FMT
                            " --architectures arm64",
                            STR_ARG(name));
    return arena_printf(r->arena, "fnscope query errors -f " STR_FMT, STR_ARG(name));
}

void section_savings(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "kind", .is_hidden = true},
        {.name = "what", .title = "What"},
        {.name = "monthly_saving", .title = "A month", .is_right = true},
        {.name = "cost_share", .title = "Of its cost", .is_right = true},
        {.name = "proviso", .title = "At most, and only"},
        {.name = "command", .is_hidden = true},
        {.name = "currency", .is_hidden = true},
    };
    static const char *const kinds[ADVICE_KINDS] = {
        [ADVICE_ARM] = "arm64", [ADVICE_MEMORY] = "memory", [ADVICE_FAILURES] = "failures"};

    if (r->n_savings == 0)
        return;
    struct doc_section *s = doc_section(d, "savings", "What could be saved");
    struct table *t = doc_table(d, s, "list", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < r->n_savings; i++) {
        const struct saving *v = &r->savings[i];
        table_row(t);
        fn_cell(r, t, 0, &v->line->now->fn);
        table_text(t, 1, str_from(kinds[v->advice.kind]));
        table_text(t, 2, advice_words(r, v));
        sum_cell(r, t, 3, v->monthly);
        share_cell(t, 4, v->advice.saving, v->line->cost.total);
        table_text(t, 5, advice_proviso(v->advice.kind));
        table_text(t, 6, advice_command(r, v));
        table_text(t, 7, r->currency);
    }
    doc_text(d, s, TONE_PLAIN,
             STR("Exact prices of this range's quantities, stretched to a month of 730 hours. Each "
                 "stands alone: together they save less. Below 1,769 MB a function gets less "
                 "processor with less memory; fnscope cost --by memory compares sizes it has run "
                 "with."));
    if (r->savings_left > 0)
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(r->arena, STR_FMT " not shown: each would save less.",
                              STR_ARG(text_things(r->arena, r->savings_left, "smaller one"))));
}
