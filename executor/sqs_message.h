/* Messages as the SQS API shows them: checksums, attributes, receipt handles. Pure. */
#ifndef FNSCOPE_EXECUTOR_SQS_MESSAGE_H
#define FNSCOPE_EXECUTOR_SQS_MESSAGE_H

#include "core/base/json.h"
#include "executor/message_queue.h"

/* Characters that XML 1.0 can carry, in valid UTF-8. */
bool sqs_is_body(struct str body);

void sqs_md5_body(struct str body, struct buf *out); /* hex */
/* Checks a MessageAttributes object and gives its checksum (nothing for none), its own JSON text
 * (values kept as they came) and its size as the limits count it. ERR_PARSE says what is wrong. */
struct sqs_attributes {
    struct str json, md5;
    size_t n_bytes;
};
MUST_CHECK enum status sqs_read_attributes(const struct json *attributes, struct arena *a,
                                           struct sqs_attributes *out, struct err *e);

/* Handles name the message, the delivery and the queue; made-up ones are refused. */
void sqs_receipt_write(const struct mq_queue *q, const struct mq_taken *t, struct buf *out);
bool sqs_receipt_read(struct arena *a, struct str handle, struct str *queue, int64_t *seq,
                      uint64_t *receipt);

/* {"ApproximateReceiveCount":"1",...}: the names wanted; all with wanted NULL. */
typedef bool sqs_wanted_fn(const void *ctx, struct str name);
void sqs_write_system(const struct mq_queue *q, const struct mq_taken *t, sqs_wanted_fn *wanted,
                      const void *ctx, struct json_out *o);
/* Who sends, as far as this endpoint knows. */
#define SQS_SENDER_ID "AIDAFNSCOPELOCALUSER1"

#endif
