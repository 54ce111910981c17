/* Filter expressions of X-Ray over a trace. Source: AWS X-Ray developer guide, "Use filter
 * expressions". Pure.
 *
 *     expression  term AND term, term term, term OR term, NOT term or !term, (expression)
 *     flag        ok, error, fault, throttle, partial, inferred, root; "= true", "!= false"
 *     number      responsetime, duration (seconds), http.status: = != < <= > >=
 *     text        name, id, type, resource.arn, http.url, http.method, http.useragent,
 *                 http.clientip, user, message, availabilityzone, instance.id, annotation.KEY,
 *                 annotation[KEY]: = != CONTAINS BEGINSWITH ENDSWITH
 *     service     service(NODE), service(NODE) { expression }: one of its segments, or all
 *     edge        edge(NODE, NODE), edge(NODE, NODE) { expression }: a call from one to the other
 *     NODE        "name", id(name: "n", type: "t", account.id: "a") with one to three of them, or
 *                 nothing for any
 *
 * AND binds closer than OR. Flags and numbers are those of the root segment, duration that of the
 * whole trace; within braces they are those of the segment at hand. What no segment says, such as
 * an annotation, is never true. What would need more than segments (group.name, json(), rootcause
 * and its index, first, last, remote, coverage) is refused by name. */
#ifndef FNSCOPE_EXECUTOR_XRAY_FILTER_H
#define FNSCOPE_EXECUTOR_XRAY_FILTER_H

#include "core/base/err.h"
#include "executor/xray_trace.h"

/* ERR_PARSE says where the expression is none. An empty one is true of every trace. The trace may
 * have no segments: then the expression is only read. */
MUST_CHECK enum status xray_filter(struct str expression, const struct xray_trace *t, bool *out,
                                   struct err *e);

#endif
