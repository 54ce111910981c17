/* Private to analyzer/alerts: up to when what is stored of an account and region is complete.
 * Before that time what has no value has none to come and is zero; behind it silence proves
 * nothing: a collector that was down, or one that catches up, may bring values yet, and no alert is
 * to resolve before it has. */
#ifndef FNSCOPE_ANALYZER_ALERTS_PLACES_H
#define FNSCOPE_ANALYZER_ALERTS_PLACES_H

#include "core/base/map.h"
#include "core/store/store.h"

/* An account and region of a provider. */
struct place {
    struct fn_ref of; /* no name */
    /* Every source that reads logs (metrics) of it has read all up to there. */
    int64_t logs_until_ns, metrics_until_ns; /* INT64_MAX: none reads them */
    bool reads_logs, reads_metrics; /* a source does, or one that has not told what it reads may */
    /* The newest that is stored: the start of an invocation, the end of a metric's period. */
    int64_t newest_log_ns, newest_metric_ns;
};

struct places {
    struct arena *arena;
    struct source_rows sources;
    struct place *rows;
    size_t n, cap;
    struct idmap index;
};

/* Found or made; valid until the next. */
struct place *place_of(struct places *p, const struct fn_ref *of);
void places_clear(struct places *p);

/* Of invocations and of metrics. */
int64_t place_logs_until(const struct place *p);
int64_t place_metrics_until(const struct place *p);

#endif
