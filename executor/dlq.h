/* What becomes of an asynchronous event that ended: the message for its dead-letter queue and the
 * invocation record for a destination, in AWS's form. Pure. */
#ifndef FNSCOPE_EXECUTOR_DLQ_H
#define FNSCOPE_EXECUTOR_DLQ_H

#include "core/base/buf.h"
#include "core/base/clock.h"

enum dlq_condition { DLQ_SUCCESS, DLQ_RETRIES_EXHAUSTED, DLQ_AGE_EXCEEDED };

struct dlq_event {
    struct str request_id, function_arn; /* arn without qualifier */
    struct str payload;                  /* JSON */
    enum dlq_condition condition;
    unsigned invoke_count;     /* attempts that ran */
    struct str response;       /* JSON of the last attempt; empty: none ran */
    struct str function_error; /* "Unhandled"; empty: none */
    int64_t now_ns;
};

/* {"version":"1.0","timestamp":...,"requestContext":{...},"requestPayload":...} */
void dlq_write_record(const struct dlq_event *ev, struct buf *out);
/* The message attributes of the dead-letter queue's message as the SQS API keeps them: RequestID,
 * ErrorCode, ErrorMessage (its first KB). */
void dlq_write_attributes(const struct dlq_event *ev, struct buf *out);

#endif
