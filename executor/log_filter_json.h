/* Private to executor/log_filter*.c: the JSON form { ... }. */
#ifndef FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H
#define FNSCOPE_EXECUTOR_LOG_FILTER_JSON_H

#include "executor/log_filter.h"

struct json_condition;

/* The patterns of a condition, which outlive a failed parse: the caller frees them. */
struct json_regex {
    struct re *re;
    struct json_regex *next; /* in the arena */
};

/* text: what stands between the braces. */
MUST_CHECK enum status json_condition_parse(struct arena *a, struct str text,
                                            struct json_regex **regexes,
                                            struct json_condition **out, struct err *e);
void json_regexes_free(struct json_regex *list); /* NULL is fine */
bool json_condition_match(const struct json_condition *c, struct str message);

#endif
