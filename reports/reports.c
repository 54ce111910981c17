/* The front door: load, build, render. */
#include "reports/reports.h"

#include "reports/report_data.h"

#ifndef FNSCOPE_VERSION
#define FNSCOPE_VERSION "0.0.0"
#endif

const char *const report_format_names[] = {"text", "markdown", "html", "json", "csv", NULL};

/* What the builders of report_build() call theirs. */
const char *const report_section_names[] = {
    "verdict",     "incidents",      "alerts",      "queues",   "data_quality",
    "cost",        "change",         "unusual",     "forecast", "unit_economics",
    "invocations", "errors",         "cold_starts", "memory",   "waste",
    "savings",     "service_review", "functions",   "appendix", NULL};

static void build_parts(section_fn *build, const struct report_data *r, struct doc *d)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        d->part = r->currencies[i];
        build(&r->parts[i], d);
    }
    d->part = (struct str){0};
}

void report_build(const struct report_data *r, struct doc *d)
{
    static const struct {
        section_fn *build;
        bool is_money; /* one for each currency */
    } sections[] = {
        {section_verdict, false},     {section_incidents, false},   {section_episodes, false},
        {section_queues, false},      {section_quality, false},     {section_cost, true},
        {section_compare, true},      {section_unusual, true},      {section_forecast, true},
        {section_units, true},        {section_invocations, false}, {section_errors, false},
        {section_cold_starts, false}, {section_memory, false},      {section_waste, true},
        {section_savings, true},      {section_review, false},      {section_functions, true},
        {section_appendix, false},
    };
    _Static_assert(ARRAY_LEN(sections) + 1 == ARRAY_LEN(report_section_names), "a name each");
    struct arena *a = r->arena;

    d->title = STR("Functions: what ran and what it cost");
    d->subtitle =
        arena_printf(a, STR_FMT " to " STR_FMT " (UTC)", STR_ARG(text_time(a, r->range.since_ns)),
                     STR_ARG(text_time(a, r->range.until_ns)));
    d->footer = arena_printf(a,
                             "fnscope " FNSCOPE_VERSION ", made " STR_FMT
                             ". Estimates from logs; the provider's bill decides.",
                             STR_ARG(text_time(a, r->options->now_ns)));
    d->since = text_time(a, r->range.since_ns);
    d->until = text_time(a, r->range.until_ns);
    d->generated = text_time(a, r->options->now_ns);
    d->currency = r->currency;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (!sections[i].is_money || r->n_parts == 0)
            sections[i].build(r, d);
        else
            build_parts(sections[i].build, r, d);
}

/* The section that is asked for exists. */
static enum status check_only(const struct doc *d, struct err *e)
{
    AUTO(buf_clear) struct buf names = {.max = 4096};

    for (const struct doc_section *s = d->first; s; s = s->next) {
        if (d->only.n == 0 || str_eq(d->only, s->key))
            return OK;
        for (const struct doc_node *n = s->first; n; n = n->next)
            if (doc_wants(d, s, n))
                return OK;
        buf_addf(&names, "%s" STR_FMT, names.n > 0 ? ", " : "", STR_ARG(s->key));
    }
    return err_set(e, ERR_USAGE, "this report has no section \"" STR_FMT "\": there are " STR_FMT,
                   STR_ARG(d->only), STR_ARG(buf_str(&names)));
}

enum status report_write(struct store *s, const struct report_options *o, enum report_format f,
                         struct buf *out, struct err *e)
{
    static render_fn *const renderers[] = {
        [REPORT_TEXT] = render_text, [REPORT_MARKDOWN] = render_markdown,
        [REPORT_HTML] = render_html, [REPORT_JSON] = render_json,
        [REPORT_CSV] = render_csv,
    };
    AUTO(arena_clear) struct arena a = {0};
    struct render_options render = {.width = o->width ? o->width : 100, .color = o->color};
    struct report_data data;
    struct doc doc;

    if (report_load(s, o, &a, &data, e) != OK)
        return err_wrap(e, "report");
    doc_init(&doc, &a);
    doc.only = o->only;
    enum status status = report_load_parts(s, &data, e);
    if (status == OK) {
        report_build(&data, &doc);
        status = check_only(&doc, e);
    }
    if (status == OK)
        renderers[f](&doc, &render, out);
    report_clear(&data);
    if (status != OK)
        return status;
    return buf_check(out, "the report", e);
}
