/* The attributes of a queue that can be set: names, ranges and defaults in one table, the texts as
 * they were given (the API shows them so) and their values. Pure. */
#ifndef FNSCOPE_EXECUTOR_QUEUE_SETTINGS_H
#define FNSCOPE_EXECUTOR_QUEUE_SETTINGS_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

#define MQ_MAX_NAME 80

enum queue_attribute {
    QUEUE_DELAY,
    QUEUE_MAX_SIZE,
    QUEUE_RETENTION,
    QUEUE_WAIT,
    QUEUE_VISIBILITY,
    QUEUE_REDRIVE,
    QUEUE_REDRIVE_ALLOW,
    QUEUE_POLICY,
    QUEUE_FIFO,
    QUEUE_CONTENT_DEDUP,
    QUEUE_DEDUP_SCOPE,
    QUEUE_THROUGHPUT_LIMIT,
    QUEUE_SSE,
    QUEUE_KMS_KEY,
    QUEUE_KMS_PERIOD,
    QUEUE_ATTRIBUTES
};

struct queue_settings {
    struct str text[QUEUE_ATTRIBUTES]; /* as given; empty: not set */
    int64_t number[QUEUE_ATTRIBUTES];  /* seconds or bytes; flags 0 and 1 */
    struct str dead_letter_arn;        /* of the redrive policy; empty: none */
    int64_t max_receives;              /* 0: none */
};

/* Letters, digits, - and _, at most MQ_MAX_NAME; ".fifo" ends the name of a FIFO queue. */
bool queue_name_is_valid(struct str name);
bool queue_name_is_fifo(struct str name);

void queue_settings_init(struct queue_settings *s); /* the defaults */
const char *queue_attribute_name(enum queue_attribute a);
bool queue_attribute_find(struct str name, enum queue_attribute *out);
/* As GetQueueAttributes shows it; empty for an attribute that is neither set nor has a default
 * worth showing. */
struct str queue_settings_show(const struct queue_settings *s, enum queue_attribute a);
/* Sets one attribute; text is copied into the arena. ERR_PARSE names attribute and range. An empty
 * text takes the attribute back to its default. */
MUST_CHECK enum status queue_settings_set(struct queue_settings *s, struct arena *a,
                                          enum queue_attribute which, struct str text,
                                          struct err *e);
/* {"VisibilityTimeout":"30", ...} of what was set, and back. */
void queue_settings_write(const struct queue_settings *s, struct buf *out);
MUST_CHECK enum status queue_settings_read(struct queue_settings *s, struct arena *a,
                                           struct str json, struct err *e);

#endif
