/* The nightly report: one file a finished day, missing ones made up for. */
#ifndef FNSCOPE_CLI_NIGHTLY_H
#define FNSCOPE_CLI_NIGHTLY_H

#include "cli/common.h"
#include "reports/reports.h"

#define REPORT_MAX_BYTES ((size_t)256 << 20)

/* Writes folder/report-DATE.FORMAT for each of the last 14 finished days with data that has none,
 * oldest first, and points folder/latest.FORMAT at the newest there is. A day whose sources have
 * not all answered since its end is left for the next run. */
MUST_CHECK enum status nightly_write(struct cli *c, struct store *s, const struct report_options *o,
                                     struct str folder, enum report_format f, struct err *e);

#endif
