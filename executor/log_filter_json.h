/* Private to executor/log_filter*.c: the JSON form { ... }. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H

#include "executor/log_filter.h"

struct json_condition;

/* text: what stands between the braces. */
MUST_CHECK enum status json_condition_parse(struct arena *a, struct str text,
                                            struct json_condition **out, struct err *e);
bool json_condition_match(const struct json_condition *c, struct str message);

#endif
