/* Unit economics: what one of each costs. */
#include "reports/report_data.h"

#define SHOWN      ((size_t)20)
#define MB_MS_GB_S INT64_C(1024000)

/* One kind of unit: amount / count, times `each`. */
struct unit_cost {
    wide amount, each;
    wide count; /* 0: there is none */
};

enum { UNIT_MILLION, UNIT_THOUSAND_OK, UNIT_GB_S, UNIT_COLD, UNIT_FAILURE, UNITS };

static void units_of(const struct stats *s, wide cost, wide out_of_init, struct unit_cost *u)
{
    u[UNIT_MILLION] = (struct unit_cost){cost, 1000000, (wide)s->n};
    u[UNIT_THOUSAND_OK] = (struct unit_cost){cost, 1000, (wide)s->outcome[OUTCOME_OK]};
    u[UNIT_GB_S] = (struct unit_cost){cost, MB_MS_GB_S, s->mb_ms};
    u[UNIT_COLD] = (struct unit_cost){out_of_init, 1, (wide)count_cold(s)};
    u[UNIT_FAILURE] = (struct unit_cost){s->cost_failed, 1, (wide)count_failed(s)};
}

static wide unit_price(const struct unit_cost *u)
{
    return wide_ratio(u->amount, u->each, u->count);
}

static void unit_figures(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    static const char *const keys[UNITS] = {"per_million", "per_thousand_ok", "per_gb_second",
                                            "per_cold_start", "per_failure"};
    static const char *const labels[UNITS] = {"A million invocations", "A thousand successful",
                                              "A GB-second, all in",
                                              "A cold start's initialization", "A failed attempt"};
    struct unit_cost now[UNITS], before[UNITS];
    struct doc_figure *f = doc_figures(d, s, "units", UNITS);

    units_of(&r->total, r->cost, r->total.cost_init, now);
    units_of(&r->total_before, r->cost_before, r->total_before.cost_init, before);
    for (int i = 0; i < UNITS; i++) {
        f[i] = (struct doc_figure){.key = str_from(keys[i]), .label = str_from(labels[i])};
        if (now[i].count > 0)
            f[i].value = value_sum(r, unit_price(&now[i]));
        else
            f[i].value.shown = STR("-");
        if (r->has_before && before[i].count > 0 && now[i].count > 0)
            f[i].before = value_sum(r, unit_price(&before[i]));
    }
}

static void unit_row(const struct report_data *r, const struct fn_line *l, struct table *t)
{
    struct unit_cost u[UNITS];

    units_of(&l->now->stats, l->cost.total, l->now->stats.cost_init, u);
    table_row(t);
    fn_cell(r, t, 0, &l->now->fn);
    const uint64_t n = l->now->stats.n;
    table_number(t, 1, arena_printf(t->arena, "%llu", (unsigned long long)n),
                 text_count(t->arena, n));
    for (int i = 0; i < UNITS; i++)
        if (u[i].count > 0)
            cost_cell(t, (size_t)i + 2, &l->cost, unit_price(&u[i]));
    table_text(t, UNITS + 2, l->cost.currency);
}

void section_units(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[UNITS + 3] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "invocations", .title = "Invocations", .is_right = true},
        {.name = "per_million", .title = "A million", .is_right = true},
        {.name = "per_thousand_ok", .title = "1,000 ok", .is_right = true},
        {.name = "per_gb_second", .title = "A GB-second", .is_right = true},
        {.name = "per_cold_start", .title = "A cold start", .is_right = true},
        {.name = "per_failure", .title = "A failure", .is_right = true},
        {.name = "currency", .is_hidden = true},
    };
    size_t n = r->n < SHOWN ? r->n : SHOWN;

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "unit_economics", "Unit economics");
    unit_figures(r, d, s);
    struct table *t = doc_table(d, s, "functions", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n; i++)
        unit_row(r, &r->lines.rows[i], t);
    doc_text(d, s, TONE_PLAIN,
             STR("A thousand successful ones carry the failed ones' cost too. A cold start is its "
                 "billed initialization; a failure what was paid for the attempt."));
    if (r->n > n)
        doc_text(d, s, TONE_PLAIN,
                 arena_printf(r->arena, STR_FMT " that cost less not shown.",
                              STR_ARG(text_things(r->arena, r->n - n, "function"))));
}
