/* Every service the endpoint serves. */
#include "executor/api_route.h"
#include "executor/lambda_api.h"
#include "executor/logs_api.h"
#include "executor/metrics_api.h"
#include "executor/sqs_api.h"
#include "executor/sts_api.h"
#include "executor/xray.h"

const struct api_service *const api_services[] = {
    &lambda_service, &logs_service, &metrics_service, &sqs_service, &sts_service,
    &xray_service,   NULL};
