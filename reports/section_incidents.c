/* The section that says first what went wrong. */
#include "reports/report_data.h"

void section_incidents(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "kind", .title = "What"},
        {.name = "failed", .title = "Failed", .is_right = true},
        {.name = "cost_failed", .title = "Cost", .is_right = true},
        {.name = "since_time", .title = "Since"},
        {.name = "until_time", .title = "Until"},
        {.name = "sample_request_id", .title = "Example"},
        {.name = "currency", .is_hidden = true},
    };
    struct arena *a = r->arena;

    if (r->total.n == 0 && r->throttles.n == 0)
        return;
    struct doc_section *s = doc_section(d, "incidents", "What went wrong");
    if (r->throttles.n > 0)
        doc_text(d, s, TONE_BAD,
                 arena_printf(a, STR_FMT ".", STR_ARG(throttles_text(&r->throttles, a))));
    if (r->total.n == 0)
        return;
    if (r->incidents.n == 0) {
        doc_text(
            d, s, r->throttles.n > 0 ? TONE_PLAIN : TONE_GOOD,
            STR("No hour in which a tenth of a function's attempts failed, and nothing ran out "
                "of memory again and again."));
        return;
    }
    for (size_t i = 0; i < r->incidents.n; i++) {
        const struct incident *x = &r->incidents.rows[i];
        doc_text(d, s, TONE_BAD,
                 arena_printf(a, STR_FMT ", %s: " STR_FMT ".", STR_ARG(text_fn(r, &x->fn)),
                              incident_kind_names[x->kind], STR_ARG(incident_text(x, a))));
    }
    struct table *t = doc_table(d, s, "list", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < r->incidents.n; i++) {
        const struct incident *x = &r->incidents.rows[i];
        table_row(t);
        fn_cell(r, t, 0, &x->fn);
        table_text(t, 1, str_from(incident_kind_names[x->kind]));
        table_i64(t, 2, (int64_t)x->failed);
        money_cell(t, 3, x->cost_failed, currency_of(r, &x->fn));
        time_cell(t, 4, x->since_ns);
        time_cell(t, 5, x->until_ns);
        id_cell(t, 6, x->sample_id);
        table_text(t, 7, currency_of(r, &x->fn));
    }
}
