/* What the files of the SQS API share: sqs_api.c (table, errors, answering later), sqs_queues.c,
 * sqs_send.c, sqs_receive.c, sqs_move.c, sqs_policy.c. */
#ifndef FNSCOPE_EXECUTOR_SQS_PRIVATE_H
#define FNSCOPE_EXECUTOR_SQS_PRIVATE_H

#include "executor/message_queue.h"
#include "executor/query_form.h"
#include "executor/sqs_api.h"

#define SQS_MAX_BATCH 10

/* The input, NULL after answering with an error. */
const struct json *sqs_input(struct api_call *c);
/* The queue of QueueUrl, NULL after answering with an error. */
struct mq_queue *sqs_queue(struct api_call *c, const struct json *in);
/* A text member; false after answering that it is missing. */
bool sqs_text(struct api_call *c, const struct json *in, const char *name, struct str *out);
/* An optional number member: `standard` when absent; false after answering that it is wrong. */
bool sqs_number(struct api_call *c, const struct json *in, const char *name, int64_t max,
                int64_t *value);
void sqs_no_queue(struct api_call *c);
void sqs_missing(struct api_call *c, const char *name); /* a parameter that must be there */
void sqs_invalid(struct api_call *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* a parameter */
void sqs_url(struct api_call *c, struct str name, struct buf *out);
struct str sqs_queue_name(struct str url);                  /* what follows its last slash */
void sqs_no_attribute(struct api_call *c, struct str name); /* answers so */
bool sqs_is_attribute(struct str name);                     /* of a queue, "All" included */
/* 1 to 128 printable characters without a blank: identifiers of FIFO queues. */
/* The key of KMS or the one of SQS: who sets one takes the other back, who sets both is refused.
 * False after answering. */
bool sqs_check_encryption(struct api_call *c, const struct json *attributes,
                          struct queue_settings *settings);
/* Policy and RedriveAllowPolicy among attributes; false after answering what is wrong. */
bool sqs_check_policies(struct api_call *c, const struct json *attributes);
/* Whether a queue may be the dead-letter queue of another, by its RedriveAllowPolicy. */
bool sqs_allows_redrive(const struct mq_queue *dead, struct str source_arn);
bool sqs_is_id(struct str s);

/* The answer in c->out leaves when something is durable:
 *     mq_purge(q, sqs_done, sqs_later(c));
 *     mq_commit(change, sqs_change_done, sqs_later(c)); */
struct sqs_reply;
struct sqs_reply *sqs_later(struct api_call *c);
void sqs_done(void *reply, enum status s, const struct err *e);
void sqs_change_done(void *reply, struct mq_change *change, enum status s, const struct err *e);
void sqs_output(struct api_call *c); /* ends an answer written as JSON to c->out */
void sqs_journal_failed(struct api_call *c, enum status s, const struct err *e);

/* One entry of a batch operation, or its failure. */
struct sqs_batch {
    struct str ids[SQS_MAX_BATCH];
    const struct json *entries[SQS_MAX_BATCH];
    size_t n;
    struct buf failed; /* JSON list without its brackets */
    struct json_out failed_out;
};
/* False after answering with an error. failed must be cleared. */
bool sqs_read_batch(struct api_call *c, const struct json *in, struct sqs_batch *b);
void sqs_entry_failed(struct sqs_batch *b, size_t i, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Writes the failed ones and closes the answer. */
void sqs_batch_end(struct sqs_batch *b, struct json_out *o);
void sqs_batch_clear(struct sqs_batch *b);

api_handler sqs_create_queue, sqs_delete_queue, sqs_purge_queue, sqs_get_queue_url, sqs_list_queues,
    sqs_get_attributes, sqs_set_attributes, sqs_list_sources, sqs_list_tags, sqs_tag, sqs_untag,
    sqs_add_permission, sqs_remove_permission, sqs_send, sqs_send_batch, sqs_receive, sqs_delete,
    sqs_delete_batch, sqs_visibility, sqs_visibility_batch, sqs_start_move, sqs_list_moves,
    sqs_cancel_move;

#endif
