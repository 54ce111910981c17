/* CloudWatch's metrics API: GetMetricData, GetMetricStatistics, ListMetrics, in awsJson 1.0 and
 * Query/XML. Reading waits for its turn on the journal's thread. */
#ifndef FNSCOPE_EXECUTOR_METRICS_API_H
#define FNSCOPE_EXECUTOR_METRICS_API_H

#include "executor/api_route.h"

extern const struct api_service metrics_service;

#endif
