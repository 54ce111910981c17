/* Front door of the AWS provider: its decoders and its sources. Formats: AWS Lambda
 * Telemetry API schema, CloudWatch Logs text lines, runtime interface clients' log lines. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_H
#define FNSCOPE_COLLECTOR_AWS_AWS_H

#include "collector/decode.h"
#include "collector/source.h"

/* FilterLogEvents and GetLogEvents answers, one or many documents in a row, also arrays of events.
 */
extern const struct decoder_ops aws_cloudwatch_json;
/* `aws logs tail` text: "2026-10-08T16:36:11.100000+00:00 stream message" (formats detailed, short,
 * json). */
extern const struct decoder_ops aws_tail_text;
/* Subscription-filter envelopes: Lambda event, Kinesis, Firehose S3 objects (documents without
 * separators). */
extern const struct decoder_ops aws_subscription;

/* An account's region through AWS's APIs: everything, or one part of it by its type. */
extern const struct source_ops aws_source, aws_logs_source, aws_metrics_source, aws_queues_source,
    aws_config_source, aws_traces_source;

/* One Lambda event, text or JSON: fills kind, severity, ids, message, platform, is_error. Views
 * point into r->body or b's arena. The line must be a platform line in every respect to count as
 * one: user text that imitates one (prefix before it, wrong id form, trailing text) stays an
 * application line and is counted as forged. */
void aws_decode_lambda(struct decode_memo *before, struct log_record *r, struct batch *b);
/* Text REPORT/START/... line; false: no platform line. */
bool aws_lambda_text(struct str line, struct log_record *r, struct batch *b);
/* {"time":..,"type":"platform.x","record":{..}} or an application record; false: neither. */
bool aws_lambda_json(struct decode_memo *before, struct str text, struct log_record *r,
                     struct batch *b);
/* The same for an object that stands behind something else: never a platform record. */
bool aws_app_json(struct str text, struct log_record *r, struct batch *b);
/* Application line of a runtime in text form; always succeeds (message = whole line). A line that
 * begins with a terminal colour is copied without colours into the arena. */
void aws_lambda_app(struct str line, struct log_record *r, struct arena *a);

/* "2023/06/02/[72]88ab..." or ".../fn[$LATEST]...": false when it is no Lambda stream name. */
bool aws_stream_parse(struct str stream, struct str *function, struct str *version,
                      struct str *environment);
/* "/aws/lambda/checkout" -> "checkout"; empty when the group is no Lambda default. */
struct str aws_group_function(struct str log_group);

#endif
