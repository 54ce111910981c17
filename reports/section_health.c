/* Sections about how things ran: data quality, invocations, errors, cold starts, memory, functions,
 * appendix. */
#include <string.h>

#include "core/base/clock.h"
#include "reports/report_data.h"

#ifndef FNSCOPE_VERSION
#define FNSCOPE_VERSION "0.0.0"
#endif

/* --- data quality --- */

struct finding {
    uint64_t n;
    const char *one, *many, *remedy;
};

/* What the provider counted beside what the logs hold; true: nothing is missing. */
static bool report_counts(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    const struct reconcile *c = &r->reconcile;
    const struct str missing = reconcile_missing_text(c, r->arena);
    const struct str untold = reconcile_errors_text(c, r->arena);

    if (missing.n > 0)
        doc_text(d, s, TONE_WARN,
                 arena_printf(r->arena, STR_FMT ": " STR_FMT ".", STR_ARG(missing),
                              STR_ARG(reconcile_missing_remedy(c, r->arena))));
    if (untold.n > 0)
        doc_text(d, s, TONE_WARN,
                 arena_printf(r->arena, STR_FMT ": " STR_FMT ".", STR_ARG(untold),
                              STR_ARG(reconcile_errors_remedy())));
    if (c->n_hours > 0)
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(r->arena, STR_FMT ".", STR_ARG(reconcile_scope_text(c, r->arena))));
    return missing.n == 0 && untold.n == 0;
}

/* Sources whose part of the range is not stored; true: all were read to its end. */
static bool report_gaps(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    for (size_t i = 0; i < r->gaps.n; i++) {
        const struct source_gap *g = &r->gaps.rows[i];
        doc_text(d, s, TONE_WARN,
                 arena_printf(r->arena, "Incomplete: " STR_FMT ": " STR_FMT ".",
                              STR_ARG(source_gap_text(g, r->arena)),
                              STR_ARG(source_gap_remedy(g))));
    }
    return r->gaps.n == 0;
}

static void report_findings(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    const struct finding findings[] = {
        {r->status.counts.quarantined, "event could not be decoded", "events could not be decoded",
         "fnscope doctor shows them"},
        {r->n_unpriced, "function uses something without a price",
         "functions use something without a price",
         "name the region under functions: in the configuration"},
        {stats_restores_open(&r->total), "restore from a snapshot is not in the cost",
         "restores from snapshots are not in the cost",
         "no line names their runtime, or their region has no price for them: say runtime: under "
         "functions: in the configuration"},
        {r->n_standing_open, "function keeps something ready that is in no amount",
         "functions keep something ready that is in no amount",
         "logs do not tell how much provisioned concurrency or how many snapshots there are: say "
         "provisioned_concurrency: and snapstart_versions: under functions: in the configuration"},
        {r->n_standing_unmet, "rule keeps something ready for a function that never ran",
         "rules keep something ready for functions that never ran",
         "its charge is in no amount, because its memory size is not known: import logs of it, or "
         "correct its name under functions: in the configuration"},
        {r->n_assumed, "function was priced with an assumed region or architecture",
         "functions were priced with an assumed region or architecture",
         "say them under functions: in the configuration"},
        {stats_open(&r->total), "invocation has no REPORT line", "invocations have no REPORT line",
         "still running, the logs end before, or the function's system log level is above INFO"},
        {r->status.counts.forged, "line looks like a platform line but cannot be one",
         "lines look like platform lines but cannot be any",
         "printed by the application, cut or out of range; kept as text"},
        {r->status.counts.refuted > 0 ? (uint64_t)r->status.counts.refuted : 0,
         "request was printed by another one", "requests were printed by others",
         "not counted: the times of their lines say so"},
        {r->status.counts.doubtful > 0 ? (uint64_t)r->status.counts.doubtful : 0,
         "request lies within another's run where no stream is named",
         "requests lie within another's run where no stream is named",
         "counted, though that one may have printed them; an export with streams tells"},
        {r->status.counts.ambiguous > 0 ? (uint64_t)r->status.counts.ambiguous : 0,
         "request was given an error that may be another's",
         "requests were given errors that may be others'",
         "their lines have no request id and others ran then; an export with streams tells"},
        {r->status.counts.lost_lines, "line was dropped by the platform before it was logged",
         "lines were dropped by the platform before they were logged",
         "what was said there is in no log; fnscope logs logsDropped shows when"},
        {r->status.counts.untimed, "event has no time", "events have no time",
         "that of the file or of the import stands in"},
        {r->status.counts.elsewhere,
         "request is stored under two functions or regions and counts twice",
         "requests are stored under two functions or regions and count twice",
         "import the logs once, into a fresh store"},
        {r->status.counts.invalid_utf8, "event held invalid UTF-8", "events held invalid UTF-8",
         "the bytes are kept"},
    };
    bool is_clean = report_gaps(r, d, s);

    is_clean = report_counts(r, d, s) && is_clean;
    if (report_ends_early(r)) {
        is_clean = false;
        doc_text(d, s, TONE_WARN,
                 arena_printf(r->arena,
                              "The data end at " STR_FMT ", before the range does: what is "
                              "compared with is as short, and the days ahead begin there.",
                              STR_ARG(text_time(r->arena, report_last(r)))));
    }
    for (size_t i = 0; i < ARRAY_LEN(findings); i++) {
        const struct finding *f = &findings[i];
        if (f->n == 0)
            continue;
        is_clean = false;
        doc_text(d, s, TONE_WARN,
                 arena_printf(r->arena, STR_FMT " %s: %s.", STR_ARG(text_count(r->arena, f->n)),
                              f->n == 1 ? f->one : f->many, f->remedy));
    }
    if (r->total.n == 0)
        doc_text(d, s, TONE_PLAIN, STR("Nothing to judge: no invocation of this range is stored."));
    else if (is_clean)
        doc_text(d, s, TONE_GOOD,
                 STR("Complete: every event was decoded, every invocation has its REPORT and its "
                     "price."));
}

void section_quality(const struct report_data *r, struct doc *d)
{
    struct doc_section *s = doc_section(d, "data_quality", "Data quality");
    struct arena *a = r->arena;

    report_findings(r, d, s);
    if (r->status.first_ns == 0) {
        doc_text(d, s, TONE_PLAIN, STR("The store is empty."));
        return;
    }
    doc_text(d, s, TONE_PLAIN,
             arena_printf(a,
                          "The store holds " STR_FMT " of " STR_FMT " from " STR_FMT " to " STR_FMT
                          "; prices are of " STR_FMT ".",
                          STR_ARG(text_things(a, r->status.log_events, "log event")),
                          STR_ARG(text_things(a, r->status.functions, "function")),
                          STR_ARG(text_time(a, r->status.first_ns)),
                          STR_ARG(text_time(a, r->status.last_ns)), STR_ARG(r->price_date)));
}

/* --- invocations --- */

static void volume_series(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    uint64_t *values = arena_new(r->arena, uint64_t, r->series.n + 1);
    struct doc_value *exact = arena_new(r->arena, struct doc_value, r->series.n + 1);
    uint64_t top = 0;

    if (r->series.n < 2)
        return;
    for (size_t i = 0; i < r->series.n; i++) {
        values[i] = r->series.points[i].n;
        exact[i] = value_count(r->arena, values[i]);
        top = values[i] > top ? values[i] : top;
    }
    *doc_series(d, s, "invocations_over_time") =
        series_over_time(r, "Invocations", text_count(r->arena, top), values, exact);
}

void section_invocations(const struct report_data *r, struct doc *d)
{
    static const unsigned permilles[] = {500, 950, 990};
    static const char *const names[] = {"Duration p50", "Duration p95", "Duration p99"};
    static const char *const keys[] = {"p50", "p95", "p99"};

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "invocations", "Invocations");
    volume_series(r, d, s);
    struct doc_figure *f = doc_figures(d, s, "durations", ARRAY_LEN(permilles));
    for (size_t i = 0; i < ARRAY_LEN(permilles); i++) {
        uint64_t us = 0;
        bool is_known = histogram_percentile(&r->total.duration, permilles[i], &us);
        f[i] = (struct doc_figure){
            .key = str_from(keys[i]),
            .label = str_from(names[i]),
            .value = is_known ? value_us(r->arena, us)
                              : (struct doc_value){CELL_NULL, {0}, STR("-"), STR("ms")}};
    }
    size_t n = 0, k = 0;
    for (int o = 0; o < OUTCOMES; o++)
        n += o == OUTCOME_OK || r->total.outcome[o] > 0;
    struct doc_bar *bars = doc_bars(d, s, "outcomes", n);
    for (int o = 0; o < OUTCOMES; o++) {
        if (o != OUTCOME_OK && r->total.outcome[o] == 0)
            continue;
        bars[k++] = (struct doc_bar){.label = str_from(outcome_name((enum outcome)o)),
                                     .value = value_count(r->arena, r->total.outcome[o]),
                                     .permille = permille_of(r->total.outcome[o], r->total.n),
                                     .tone = o == OUTCOME_OK        ? TONE_GOOD
                                             : o == OUTCOME_UNKNOWN ? TONE_PLAIN
                                                                    : TONE_BAD};
    }
}

/* --- errors --- */

void section_errors(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "count", .title = "Count", .is_right = true},
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "outcome", .title = "Result"},
        {.name = "error_type", .title = "Type", .max_width = 20},
        {.name = "last_time", .title = "Last"},
        {.name = "sample_request_id", .title = "Example"},
        {.name = "sample", .title = "Message", .max_width = 40},
    };

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "errors", "Errors");
    if (r->errors.n == 0) {
        doc_text(d, s, TONE_GOOD, STR("No attempt failed."));
        return;
    }
    struct table *t = doc_table(d, s, "fingerprints", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < r->errors.n; i++) {
        const struct error_row *e = &r->errors.rows[i];
        table_row(t);
        table_i64(t, 0, (int64_t)e->count);
        fn_cell(r, t, 1, &e->fn);
        table_text(t, 2, str_from(outcome_name(e->outcome)));
        table_text(t, 3, e->error_type);
        time_cell(t, 4, e->last_ns);
        id_cell(t, 5, e->sample_id);
        table_text(t, 6, str_sub(e->sample, 0, 160));
    }
    doc_text(d, s, TONE_PLAIN, STR("fnscope show EXAMPLE shows the request with its log lines."));
}

/* --- cold starts, memory, functions: tables over the functions --- */

static size_t shown(const struct report_data *r)
{
    size_t top = r->options->top ? r->options->top : 20;

    return r->n < top ? r->n : top;
}

void section_cold_starts(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "cold_starts", .title = "Cold", .is_right = true},
        {.name = "cold_share", .title = "Share", .is_right = true},
        {.name = "init_p50_ms", .title = "Init p50", .is_right = true},
        {.name = "init_p95_ms", .title = "Init p95", .is_right = true},
        {.name = "init_cost", .title = "Cost of init", .is_right = true},
        {.name = "currency", .is_hidden = true},
    };

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "cold_starts", "Cold starts");
    doc_text(d, s, TONE_PLAIN,
             arena_printf(r->arena, STR_FMT " of " STR_FMT " %s cold (" STR_FMT ").",
                          STR_ARG(text_count(r->arena, count_cold(&r->total))),
                          STR_ARG(text_things(r->arena, r->total.n, "invocation")),
                          plural(count_cold(&r->total), "was", "were"),
                          STR_ARG(text_share(r->arena, count_cold(&r->total), r->total.n))));
    struct table *t = doc_table(d, s, "functions", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < shown(r) && i < r->cold.n; i++) {
        const struct fn_line *l = &r->cold.rows[i];
        const struct stats *st = &l->now->stats;
        table_row(t);
        fn_cell(r, t, 0, &l->now->fn);
        table_i64(t, 1, (int64_t)count_cold(st));
        share_cell(t, 2, count_cold(st), st->n);
        percentile_cell(t, 3, &st->init, 500);
        percentile_cell(t, 4, &st->init, 950);
        cost_cell(t, 5, &l->cost, st->cost_init);
        table_text(t, 6, l->cost.currency);
    }
}

static unsigned used_permille(const struct fn_line *l)
{
    return permille_of(l->now->stats.fullest_used_bytes, l->now->stats.fullest_size_bytes);
}

void section_memory(const struct report_data *r, struct doc *d)
{
    if (r->fullest.n == 0)
        return;
    struct doc_section *s = doc_section(d, "memory", "Memory used against configured");
    struct doc_bar *bars = doc_bars(d, s, "used", r->fullest.n);
    for (size_t i = 0; i < r->fullest.n; i++) {
        const struct fn_line *l = &r->fullest.rows[i];
        const struct stats *st = &l->now->stats;
        unsigned used = used_permille(l);
        bars[i] = (struct doc_bar){.label = text_fn(r, &l->now->fn),
                                   .value = value_bytes(r->arena, st->fullest_used_bytes),
                                   .of = value_bytes(r->arena, st->fullest_size_bytes),
                                   .permille = used > 1000 ? 1000 : used,
                                   .tone = used >= 950   ? TONE_BAD
                                           : used >= 850 ? TONE_WARN
                                                         : TONE_PLAIN};
        bars[i].value.shown = arena_printf(r->arena, "%llu of %llu MB",
                                           (unsigned long long)(st->fullest_used_bytes >> 20),
                                           (unsigned long long)(st->fullest_size_bytes >> 20));
    }
    doc_text(d, s, TONE_PLAIN,
             STR("The invocation of each that came nearest to its memory, fullest first."));
}

static void function_cells(struct table *t, const struct stats *st, const struct stats_cost *c)
{
    table_i64(t, 2, (int64_t)st->n);
    share_cell(t, 3, count_failed(st), st->n);
    share_cell(t, 4, count_cold(st), st->n);
    percentile_cell(t, 5, &st->duration, 500);
    percentile_cell(t, 6, &st->duration, 950);
    percentile_cell(t, 7, &st->duration, 990);
    cost_cell(t, 8, c, c->total);
    if (st->n > 0)
        cost_cell(t, 9, c, wide_ratio(c->total, 1000000, st->n));
    table_text(t, 10, c->currency);
}

enum { FUNCTION_OTHERS = 11 /* marks their row */, FUNCTION_ACCOUNT };

/* Those that are not listed, so that the rows add up to the whole: a row without a function. */
static void others_row(const struct report_data *r, struct table *t)
{
    struct stats sums = {0};
    struct stats_cost cost = {.total = r->others.cost,
                              .is_unpriced = report_is_unpriced(r) && r->cost == 0,
                              .currency = r->currency};
    size_t n = r->others.n;

    stats_merge(&sums, &r->others.sums);
    for (size_t i = shown(r); i < r->lines.n; i++) {
        const struct fn_line *l = &r->lines.rows[i];
        stats_merge(&sums, &l->now->stats);
        cost.total += l->cost.total;
        n++;
    }
    if (n > 0) {
        table_row(t);
        table_null_shown(t, 0, arena_printf(r->arena, "(%zu %s)", n, plural(n, "other", "others")));
        table_i64(t, FUNCTION_OTHERS, (int64_t)n);
        function_cells(t, &sums, &cost);
    }
    stats_clear(&sums);
}

void section_functions(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "region", .title = "Region"},
        {.name = "invocations", .title = "Inv", .is_right = true},
        {.name = "failed_share", .title = "Failed", .is_right = true},
        {.name = "cold_share", .title = "Cold", .is_right = true},
        {.name = "p50_ms", .title = "p50", .is_right = true},
        {.name = "p95_ms", .title = "p95", .is_right = true},
        {.name = "p99_ms", .title = "p99", .is_right = true},
        {.name = "cost", .title = "Cost", .is_right = true},
        {.name = "cost_per_million", .title = "per 1M", .is_right = true},
        {.name = "currency", .is_hidden = true},
        [FUNCTION_OTHERS] = {.name = "others", .is_hidden = true},
        [FUNCTION_ACCOUNT] = {.name = "account", .title = "Account"},
    };

    if (r->n == 0)
        return;
    struct doc_section *s = doc_section(d, "functions", "Functions");
    struct table_column *shown_ones = arena_new(r->arena, struct table_column, ARRAY_LEN(columns));
    memcpy(shown_ones, columns, sizeof(columns));
    shown_ones[FUNCTION_ACCOUNT].is_hidden = !r->places.has_accounts;
    struct table *t = doc_table(d, s, "list", shown_ones, ARRAY_LEN(columns));
    for (size_t i = 0; i < shown(r); i++) {
        const struct fn_line *l = &r->lines.rows[i];
        table_row(t);
        table_text(t, 0, l->now->fn.name);
        if (l->now->fn.account.n > 0)
            table_text(t, FUNCTION_ACCOUNT, l->now->fn.account);
        if (l->now->fn.region.n > 0)
            table_text(t, 1, l->now->fn.region);
        function_cells(t, &l->now->stats, &l->cost);
    }
    if (r->n > shown(r))
        others_row(r, t);
    doc_text(d, s, TONE_PLAIN,
             arena_printf(r->arena, "All %zu: " STR_FMT ", " STR_FMT ".", r->n,
                          STR_ARG(text_things(r->arena, r->total.n, "invocation")),
                          STR_ARG(value_sum(r, r->cost).shown)));
    if (r->n > shown(r))
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(r->arena, "%zu more; --top %zu lists them.", r->n - shown(r), r->n));
}
