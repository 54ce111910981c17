/* The nightly report: one file a finished day, missing ones made up for. */
#ifndef FNSCOPE_CLI_NIGHTLY_H
#define FNSCOPE_CLI_NIGHTLY_H

#include "cli/common.h"
#include "reports/reports.h"

#define REPORT_MAX_BYTES ((size_t)256 << 20)

/* Writes folder/report-DATE.FORMAT for each of the last 14 finished days with data that has none,
 * oldest first, and points folder/latest.FORMAT at the newest there is. A day that not all sources
 * were read to the end of is left out for the hour after it; then its report is written, says in
 * its data quality what is missing, and so does a note beside it, report-DATE.FORMAT.incomplete,
 * until the report is written anew by a later run that finds the sources read further. Returns the
 * exit status: EXIT_CONDITION when a day was left out or a report is incomplete; the log says why.
 */
int nightly_write(struct cli *c, struct store *s, const struct report_options *o, struct str folder,
                  enum report_format f, struct err *e);

#endif
