/* Private to executor/log_filter*.c: the JSON form { ... }. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H

#include "executor/log_filter_value.h"

struct json_condition;

/* text: what stands between the braces. The expressions outlive a failed parse: the caller frees
 * them. */
MUST_CHECK enum status json_condition_parse(struct arena *a, struct str text,
                                            struct filter_regex **regexes,
                                            struct json_condition **out, struct err *e);
bool json_condition_match(const struct json_condition *c, struct str message);

#endif
