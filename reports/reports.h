/* Front door of reports: data to document tree, tree to bytes. Same data, clock and options give
 * the same bytes. */
#ifndef FNSCOPE_REPORTS_REPORTS_H
#define FNSCOPE_REPORTS_REPORTS_H

#include "analyzer/analyzer.h"
#include "core/store/store.h"

enum report_format { REPORT_TEXT, REPORT_MARKDOWN, REPORT_HTML, REPORT_JSON, REPORT_CSV };
extern const char *const report_format_names[]; /* text markdown html json csv NULL */

struct report_options {
    struct range range; /* whole UTC days unless asked otherwise */
    struct fn_filter filter;
    int64_t now_ns; /* the clock: "generated at", data age */
    const struct cost_context *cost;
    size_t top;      /* functions listed in full; 0: 20 */
    bool no_compare; /* leave week over week out */
    struct str only; /* one section or SECTION.ITEM; empty: all */
    unsigned width;  /* text; 0: 100 */
    bool color;      /* text */
};
extern const char *const report_section_names[]; /* for `only`; NULL at the end */
/* ERR_USAGE: there is no such section; the message names those there are. */
MUST_CHECK enum status report_write(struct store *s, const struct report_options *o,
                                    enum report_format f, struct buf *out, struct err *e);

/* The state of a store in the text format of Prometheus, version 0.0.4: functions, queues, sources,
 * alerts, the store itself. Counters run over everything the store ever held and never fall. */
struct prometheus_options {
    struct fn_filter filter;
    size_t max_functions; /* the busiest; the rest is counted as left out. 0: 1000 */
    int64_t now_ns;
};
MUST_CHECK enum status prometheus_write(struct store *s, const struct prometheus_options *o,
                                        struct buf *out, struct err *e);
#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
