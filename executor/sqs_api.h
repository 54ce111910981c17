/* The SQS-compatible API over the message queues: awsJson 1.0 and Query/XML. Each operation is a
 * handler of the operation table; answers leave when what they promise is durable. */
#ifndef FNSCOPE_EXECUTOR_SQS_API_H
#define FNSCOPE_EXECUTOR_SQS_API_H

#include "executor/api_route.h"

extern const struct api_service sqs_service;

#endif
