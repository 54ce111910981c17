/* Filter expressions of X-Ray, over what fnexec records of a trace. Source: AWS X-Ray developer
 * guide, "Use filter expressions". Pure.
 *
 *     expression  term AND term, term OR term, NOT term or !term, (expression)
 *     flag        ok, error, fault, throttle, partial, also "= true" and "!= false"
 *     number      responsetime, duration (seconds), http.status: = != < <= > >=
 *     text        name, id, http.url, http.method, http.useragent, http.clientip, user, type,
 *                 message, annotation.KEY, annotation[KEY]: = != CONTAINS BEGINSWITH ENDSWITH
 *     service     service("name"), service("name") { expression }
 *
 * AND binds closer than OR. What no trace here has, such as http.status, is never true. */
#ifndef FNSCOPE_EXECUTOR_XRAY_FILTER_H
#define FNSCOPE_EXECUTOR_XRAY_FILTER_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct xray_trace {
    struct str id, names; /* of its services, separated by commas */
    int64_t duration_ms;
    bool is_error, is_fault;
};

/* ERR_PARSE says where the expression is none. An empty one is true of every trace. */
MUST_CHECK enum status xray_filter(struct str expression, const struct xray_trace *f, bool *out,
                                   struct err *e);

#endif
