/* The front door: load, build, render. */
#include "reports/reports.h"

#include "reports/report_data.h"

#ifndef FNSCOPE_VERSION
#define FNSCOPE_VERSION "0.0.0"
#endif

const char *const report_format_names[] = {"text", "markdown", "html", "json", "csv", NULL};

void report_build(const struct report_data *r, struct doc *d)
{
    static section_fn *const sections[] = {
        section_verdict,   section_incidents,   section_episodes, section_queues,
        section_quality,   section_cost,        section_compare,  section_invocations,
        section_errors,    section_cold_starts, section_memory,   section_waste,
        section_functions, section_appendix,
    };
    struct arena *a = r->arena;

    d->title = STR("Functions: what ran and what it cost");
    d->subtitle =
        arena_printf(a, STR_FMT " to " STR_FMT " (UTC)", STR_ARG(text_time(a, r->range.since_ns)),
                     STR_ARG(text_time(a, r->range.until_ns)));
    d->footer = arena_printf(a,
                             "fnscope " FNSCOPE_VERSION ", made " STR_FMT
                             ". Estimates from logs; the provider's bill decides.",
                             STR_ARG(text_time(a, r->options->now_ns)));
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        sections[i](r, d);
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
    report_build(&data, &doc);
    renderers[f](&doc, &render, out);
    stats_clear(&data.total);
    stats_clear(&data.total_before);
    return buf_check(out, "the report", e);
}
