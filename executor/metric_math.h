/* Metric math of GetMetricData (AWS documentation, "Using math expressions with CloudWatch
 * metrics"): numbers, Ids of other queries, + - * / ^, comparisons, AND OR, parentheses, METRICS()
 * and METRICS("text"), and the functions
 *
 *   SUM AVG MIN MAX     of one series a number, of METRICS() a series
 *   ABS CEIL FLOOR      point by point
 *   RATE DIFF RUNNING_SUM TIME_SERIES FILL IF PERIOD DATAPOINT_COUNT
 *
 * Two series are combined at the times both have; what has no value, as a division by zero, leaves
 * its time out. What CloudWatch has beyond that is refused by name when the expression is read.
 * Pure.
 *
 *     math_read(STR("100 * e / n"), &names, arena, &m, &err);
 *     math_series(m, &values, &series); */
#ifndef FNSCOPE_EXECUTOR_METRIC_MATH_H
#define FNSCOPE_EXECUTOR_METRIC_MATH_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

struct math_point {
    int64_t at_s;
    double value;
};

struct math_series {
    struct math_point *points; /* ascending */
    size_t n;
    int64_t period_s;
};

/* The queries of the request, by their place in it. */
struct math_names {
    const struct str *ids;
    size_t n;
    const bool *is_metric; /* what METRICS() stands for */
};

struct math;
/* ERR_PARSE says what is wrong with it, by character. Texts are copied into the arena. */
MUST_CHECK enum status math_read(struct str text, const struct math_names *names, struct arena *a,
                                 struct math **out, struct err *e);
/* Whether it speaks of that query, METRICS() included. */
bool math_uses(const struct math *m, size_t query);

struct math_values {
    const struct math_series *series; /* of each query; those it uses are there */
    int64_t from_s, to_s, period_s;   /* that FILL and TIME_SERIES fill */
    struct arena *arena;
};
void math_series(const struct math *m, const struct math_values *v, struct math_series *out);

/* A JSON number of at most 15 digits. */
void math_put(struct buf *out, double value);

#endif
