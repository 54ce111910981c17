/* The operations: where they are, how they are asked, how often, and for how much. Quotas: AWS
 * service quotas pages (2026-08), not raisable for FilterLogEvents. Prices: the
 * price book's, by meter. */
#include "collector/aws/aws_call.h"

#define JSON_0 "application/x-amz-json-1.0"
#define JSON_1 "application/x-amz-json-1.1"
#define REST   "application/json"
#define LOGS   "Logs_20140328."

/* clang-format off */
static const struct aws_op_info ops[AWS_OPS] = {
    [OP_DESCRIBE_LOG_GROUPS] = {
        .name = "logs:DescribeLogGroups", .service = AWS_LOGS, .target = LOGS "DescribeLogGroups",
        .content_type = JSON_1, .quota = 10000, .timeout_s = 10 },
    [OP_FILTER_LOG_EVENTS] = {
        .name = "logs:FilterLogEvents", .service = AWS_LOGS, .target = LOGS "FilterLogEvents",
        .content_type = JSON_1, .quota = 10000, .timeout_s = 30 },
    [OP_GET_METRIC_DATA] = {
        .name = "cloudwatch:GetMetricData", .service = AWS_CLOUDWATCH,
        .target = "GraniteServiceVersion20100801.GetMetricData", .content_type = JSON_0,
        .quota = 50000, .meter = "API:CW:GMD-Metrics", .timeout_s = 30 },
    [OP_LIST_QUEUES] = {
        .name = "sqs:ListQueues", .service = AWS_SQS, .target = "AmazonSQS.ListQueues",
        .content_type = JSON_0, .quota = 10000, .meter = "API:SQS-Requests", .timeout_s = 10 },
    [OP_GET_QUEUE_ATTRIBUTES] = {
        .name = "sqs:GetQueueAttributes", .service = AWS_SQS, .target = "AmazonSQS.GetQueueAttributes",
        .content_type = JSON_0, .quota = 50000, .meter = "API:SQS-Requests", .timeout_s = 10 },
    [OP_LIST_FUNCTIONS] = {
        .name = "lambda:ListFunctions", .service = AWS_LAMBDA, .path = "/2015-03-31/functions",
        .quota = 15000, .timeout_s = 10 },
    [OP_GET_FUNCTION_CONCURRENCY] = {
        .name = "lambda:GetFunctionConcurrency", .service = AWS_LAMBDA,
        .path = "/2019-09-30/functions/", .quota = 15000, .timeout_s = 10 },
    [OP_LIST_PROVISIONED] = {
        .name = "lambda:ListProvisionedConcurrencyConfigs", .service = AWS_LAMBDA,
        .path = "/2019-09-30/functions/", .quota = 15000, .timeout_s = 10 },
    [OP_GET_EVENT_INVOKE_CONFIG] = {
        .name = "lambda:GetFunctionEventInvokeConfig", .service = AWS_LAMBDA,
        .path = "/2019-09-25/functions/", .quota = 15000, .timeout_s = 10 },
    [OP_LIST_EVENT_SOURCE_MAPPINGS] = {
        .name = "lambda:ListEventSourceMappings", .service = AWS_LAMBDA,
        .path = "/2015-03-31/event-source-mappings", .quota = 15000, .timeout_s = 10 },
    [OP_GET_ACCOUNT_SETTINGS] = {
        .name = "lambda:GetAccountSettings", .service = AWS_LAMBDA,
        .path = "/2016-08-19/account-settings", .quota = 15000, .timeout_s = 10 },
    [OP_GET_TRACE_SUMMARIES] = {
        .name = "xray:GetTraceSummaries", .service = AWS_XRAY, .path = "/TraceSummaries",
        .content_type = REST, .quota = 5000, .meter = "API:XRay-TracesRead", .timeout_s = 30 },
    [OP_BATCH_GET_TRACES] = {
        .name = "xray:BatchGetTraces", .service = AWS_XRAY, .path = "/Traces",
        .content_type = REST, .quota = 5000, .meter = "API:XRay-TracesRead", .timeout_s = 30 },
    [OP_GET_CALLER_IDENTITY] = {
        .name = "sts:GetCallerIdentity", .service = AWS_STS,
        .content_type = "application/x-www-form-urlencoded", .quota = 600000, .timeout_s = 10 },
};
/* clang-format on */

static const struct {
    const char *region;
    int64_t quota;
} filter_quotas[] = {
    {"us-east-1", 25000}, {"ap-northeast-3", 5000}, {"ap-southeast-3", 5000},
    {"ca-west-1", 5000},  {"eu-central-1", 5000},   {"il-central-1", 5000},
};

const struct aws_op_info *aws_op_info(enum aws_op op)
{
    return &ops[op];
}

int64_t aws_quota(enum aws_op op, struct str region)
{
    for (size_t i = 0; op == OP_FILTER_LOG_EVENTS && i < ARRAY_LEN(filter_quotas); i++)
        if (str_eq(region, str_from(filter_quotas[i].region)))
            return filter_quotas[i].quota;
    return ops[op].quota;
}
