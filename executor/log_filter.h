/* CloudWatch Logs filter patterns (AWS documentation, "Filter pattern syntax"):
 *
 *   ERROR "time out"          all terms, in any order and case as written
 *   ?ERROR ?WARN              any of them
 *   ERROR -retry              not these
 *   %ab+c%                    a regular expression
 *   { $.level = "error" && ($.ms > 100 || $.retry IS TRUE) }      JSON events
 *   [ip, ..., status = 4*, bytes > 1000]      events whose fields blanks separate
 *
 * A filter is used by one thread. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_H

#include "core/base/arena.h"
#include "core/base/err.h"

struct log_filter;

/* An empty pattern matches everything. ERR_PARSE says what is wrong. */
MUST_CHECK enum status log_filter_new(struct str pattern, struct log_filter **out, struct err *e);
void log_filter_free(struct log_filter *f); /* NULL is fine */
bool log_filter_match(struct log_filter *f, struct str message);

#endif
