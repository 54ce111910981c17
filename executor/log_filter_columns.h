/* Filter patterns for events whose fields are separated by blanks:
 *
 *     [ip, user, ..., request = *html*, status = 4* && status != 403, bytes > 1000]
 *
 * What is in quotes or in square brackets is one field. Without "..." an event has as many fields
 * as the pattern. A field has a name, perhaps with conditions, or nothing. Source: Amazon
 * CloudWatch Logs user guide, "Filter pattern syntax". Pure; private to log_filter.c. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_COLUMNS_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_COLUMNS_H

#include "executor/log_filter_value.h"

struct columns;

/* text: what stands between [ and ]. Everything goes into the arena. */
MUST_CHECK enum status columns_parse(struct arena *a, struct str text,
                                     struct filter_regex **regexes, struct columns **out,
                                     struct err *e);
bool columns_match(const struct columns *c, struct str message);

#endif
