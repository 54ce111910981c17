/* Metric points: what a provider's metrics or a reading of a queue say about a function, a queue, a
 * source or a whole region at one time. Invocations carry the detail; points carry what logs cannot
 * show (throttles, concurrency, queue depth and age, dropped events, lag).
 *
 *     struct metric_point *p = batch_point(b);
 *     p->subject = (struct subject){.scope = SCOPE_QUEUE, .of = {PROVIDER_AWS, account, region,
 *                                   STR("orders-dlq")}};
 *     p->metric = METRIC_QUEUE_DEPTH;
 *     p->time_ns = now;
 *     p->value = 12;
 *
 * Identity of a point: (subject, metric, period, time); writing it again replaces the value, so a
 * window may be read any number of times. Pure. */
#ifndef FNSCOPE_CORE_MODEL_METRIC_H
#define FNSCOPE_CORE_MODEL_METRIC_H

#include "core/model/fn.h"

/* What a point, an alert or a silence is about. */
enum metric_scope {
    SCOPE_FUNCTION,
    SCOPE_QUEUE,  /* of.name is the queue's name, not its URL */
    SCOPE_SOURCE, /* of.name is the source's name in the configuration; the rest may be empty */
    SCOPE_REGION, /* account and region together; of.name is empty */
    METRIC_SCOPES
};

struct subject {
    enum metric_scope scope;
    struct fn_ref of; /* provider, account, region, name */
};
bool subject_eq(const struct subject *a, const struct subject *b);
uint64_t subject_hash(const struct subject *s); /* stable: stored */

/* Unit of the integer a point holds. */
enum metric_unit {
    UNIT_COUNT,         /* 1 */
    UNIT_NS,            /* nanoseconds */
    UNIT_BYTES,         /* bytes */
    UNIT_PPM,           /* a ratio in millionths: 1,000,000 = 100 % */
    UNIT_PICO,          /* 10^-12 of the currency */
    UNIT_PICO_HOUR,     /* the same per hour, in USD */
    UNIT_PICO_CNY_HOUR, /* in CNY */
    METRIC_UNITS
};

/* Stored and exported by name (table in metric.c): OpenTelemetry faas.* where it has the metric,
 * fnscope.* otherwise. Appending is free; the number is never stored. */
enum metric {
    METRIC_INVOCATIONS,            /* all attempts that started: AWS Invocations */
    METRIC_ERRORS,                 /* faas.errors */
    METRIC_TIMEOUTS,               /* faas.timeouts */
    METRIC_THROTTLES,              /* refused for lack of concurrency; no part of invocations */
    METRIC_DURATION_AVG,           /* without init */
    METRIC_DURATION_MAX,           /* without init */
    METRIC_CONCURRENCY,            /* most at a time in the period */
    METRIC_CONCURRENCY_CLAIMED,    /* region: in use and set aside */
    METRIC_CONCURRENCY_UNRESERVED, /* region */
    METRIC_CONCURRENCY_LIMIT,      /* region: the account's; function: reserved */
    METRIC_PROVISIONED,            /* provisioned environments in use */
    METRIC_PROVISIONED_USE,        /* their utilization */
    METRIC_PROVISIONED_SPILLOVER,
    METRIC_ASYNC_RECEIVED,
    METRIC_ASYNC_AGE, /* of the oldest asynchronous event */
    METRIC_ASYNC_DROPPED,
    METRIC_DLQ_ERRORS,         /* events that could not be put into the dead-letter queue: lost */
    METRIC_DESTINATION_ERRORS, /* likewise for destinations */
    METRIC_ITERATOR_AGE,       /* of stream records */
    METRIC_RECURSION_DROPPED,
    METRIC_QUEUE_DEPTH,     /* visible messages */
    METRIC_QUEUE_IN_FLIGHT, /* received, not yet deleted */
    METRIC_QUEUE_DELAYED,
    METRIC_QUEUE_AGE, /* of the oldest message */
    METRIC_QUEUE_SENT,
    METRIC_QUEUE_RECEIVED,
    METRIC_QUEUE_DELETED,
    METRIC_SOURCE_LAG, /* now - newest event read */
    METRIC_SOURCE_CALLS,
    METRIC_SOURCE_ERRORS,
    METRIC_SOURCE_COST,       /* list price of the source's own calls */
    METRIC_SOURCE_QUOTA,      /* use of its tightest quota */
    METRIC_PROVISIONED_LIMIT, /* provisioned environments that are configured */
    METRICS
};

struct metric_info {
    const char *name; /* "fnscope.queue.depth" */
    enum metric_unit unit;
    bool is_sum; /* adds up over time, and a missing value is 0; otherwise a level, and unknown */
    const char *help; /* one line, as Prometheus HELP shows it */
};
const struct metric_info *metric_info(enum metric m); /* never NULL */
bool metric_parse(struct str name, enum metric *out);
const char *metric_scope_name(enum metric_scope s); /* "function", "queue", "source", "region" */
bool metric_scope_parse(struct str s, enum metric_scope *out);
const char *metric_unit_name(enum metric_unit u); /* "1", "ns", "bytes", "ppm", "pico", "pico/h" */

struct metric_point {
    struct subject subject;
    enum metric metric;
    int64_t time_ns;   /* start of the period, or the instant of a reading */
    int64_t period_ns; /* 0: a reading of an instant */
    int64_t value;     /* in the metric's unit; meaningless when missing */
    uint32_t weight;   /* sampling: the point stands for so many; 1 (or 0): not sampled */
    bool is_missing;   /* the provider was asked and has no value: not the same as zero */
};

#endif
