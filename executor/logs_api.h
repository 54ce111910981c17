/* CloudWatch Logs over the log store: DescribeLogGroups, DescribeLogStreams, FilterLogEvents,
 * GetLogEvents (awsJson 1.1, API model 2014-03-28). */
#ifndef FNSCOPE_EXECUTOR_LOGS_API_H
#define FNSCOPE_EXECUTOR_LOGS_API_H

#include "executor/api_route.h"

extern const struct api_service logs_service;

#endif
