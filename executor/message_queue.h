/* Durable queues: send, receive with a visibility timeout, delete, redrive to a dead-letter queue,
 * with the rules of SQS. Everything that waits in the executor waits here: the messages of the
 * SQS-compatible API and, in queues whose name starts with ':', asynchronous events.
 *
 * In memory is what decides (state, times, counters, order); bodies are on disk only. A change is a
 * list of steps that becomes durable as one:
 *
 *     struct mq_change *c = mq_change_new(mq);
 *     mq_add_take(c, queue, 10, 30 * NS_PER_SEC);      what is taken is nobody else's at once
 *     mq_commit(c, on_done, ctx);
 *     ...
 *     void on_done(void *ctx, struct mq_change *c, enum status s, const struct err *e)
 *         mq_taken(c, i)->body ...                     valid until on_done returns
 *
 * When the journal cannot keep a change, everything is as it was before. After a crash a message in
 * flight becomes visible at its visibility timeout (of an internal queue: at once, since its only
 * consumer ended); its receipt stays valid until it is taken anew.
 *
 * Times are wall-clock nanoseconds; waiting uses the loop's timers. One thread: the loop's. */
#ifndef FNSCOPE_EXECUTOR_MESSAGE_QUEUE_H
#define FNSCOPE_EXECUTOR_MESSAGE_QUEUE_H

#include "core/base/arena.h"
#include "core/base/loop.h"
#include "executor/journal.h"
#include "executor/queue_settings.h"

struct mq;         /* all queues */
struct mq_queue;   /* one */
struct mq_message; /* a message's part in memory */
struct mq_change;

/* What the API allows in flight per queue. */
#define MQ_MAX_IN_FLIGHT      120000
#define MQ_MAX_IN_FLIGHT_FIFO 20000
#define MQ_MAX_DELAY_S        900
#define MQ_MAX_VISIBILITY_S   43200
#define MQ_ID_LEN             36

struct mq_config {
    struct str region, account; /* of the queues' ARNs */
    uint64_t seed;              /* 0 takes randomness from the system */
};

/* Reads what the journal holds: call before anything else is submitted. */
MUST_CHECK enum status mq_open(struct journal *j, struct loop *l, const struct mq_config *config,
                               struct mq **out, struct err *e);
void mq_close(struct mq *m); /* flush the journal first; NULL is fine */
struct loop *mq_loop(const struct mq *m);
struct str mq_region(const struct mq *m);
struct str mq_account(const struct mq *m);

/* --- queues --- */

typedef void mq_done_fn(void *ctx, enum status s, const struct err *e);

/* NULL when there is none of that name. */
struct mq_queue *mq_find(const struct mq *m, struct str name);
struct mq_queue *mq_find_arn(const struct mq *m, struct str arn);
/* for (size_t i = 0; (q = mq_each(m, &i));) in the order they were made */
struct mq_queue *mq_each(const struct mq *m, size_t *i);

/* The new queue can be used at once (changes are ordered); done tells when it is durable. settings
 * are copied. The name must be free. */
struct mq_queue *mq_create(struct mq *m, struct str name, const struct queue_settings *settings,
                           struct str tags_json, mq_done_fn *done, void *ctx);
void mq_configure(struct mq_queue *q, const struct queue_settings *settings, struct str tags_json,
                  mq_done_fn *done, void *ctx);
/* Deletes the messages that are in the queue now. */
void mq_purge(struct mq_queue *q, mq_done_fn *done, void *ctx);
/* The queue and its messages; it cannot be found from now on. */
void mq_remove(struct mq_queue *q, mq_done_fn *done, void *ctx);
/* Whether a queue of that name was removed in the last 60 s, which SQS does not make again so soon.
 * A restart forgets it. */
#define MQ_DELETED_NS (60 * NS_PER_SEC)
bool mq_was_deleted(struct mq *m, struct str name);

struct str mq_name(const struct mq_queue *q);
void mq_arn(const struct mq_queue *q, struct buf *out);
struct mq *mq_of(const struct mq_queue *q);
const struct queue_settings *mq_settings(const struct mq_queue *q);
struct str mq_tags(const struct mq_queue *q); /* JSON object of texts */
/* The queue its redrive policy names, NULL when none or not there. */
struct mq_queue *mq_dead_letter(const struct mq_queue *q);

struct mq_stats {
    size_t visible, in_flight, delayed;
    int64_t created_ns, modified_ns;
    int64_t oldest_ns; /* arrival of the oldest message here; 0: empty */
    int64_t purged_ns; /* 0: never */
    /* since the program started */
    uint64_t sent, received, deleted, empty_receives, sent_bytes;
};
struct mq_stats mq_stats(const struct mq_queue *q);
void mq_count_empty_receive(struct mq_queue *q);

/* --- changes --- */

struct mq_send {
    struct str body;
    struct str attributes; /* opaque text kept with it (the API's message attributes as JSON) */
    struct str system;     /* likewise (AWSTraceHeader) */
    struct str id;         /* empty: a new UUID */
    struct str group;      /* of FIFO queues */
    struct str dedup;      /* likewise; empty: none */
    int64_t delay_ns;      /* negative: the queue's */
    uint32_t attempts;
};

struct mq_sent {
    char id[MQ_ID_LEN + 1];
    int64_t seq;
    bool is_repeat; /* of a FIFO message with the same de-duplication id: nothing was added */
};

struct mq_taken {
    struct mq_message *message;
    struct str id, body, attributes, system, group, dedup;
    int64_t seq, sent_ns, first_ns; /* first: when it was first received */
    uint32_t received, attempts;
    uint64_t receipt;
    struct mq_queue *source; /* of a message in a dead-letter queue; NULL when gone or none */
};

typedef void mq_change_fn(void *ctx, struct mq_change *c, enum status s, const struct err *e);

struct mq_change *mq_change_new(struct mq *m);
/* Memory that lives as long as the change. */
struct arena *mq_change_arena(struct mq_change *c);
/* As mq_create, with what else the change does: the queue exists at once, and goes again when the
 * change fails. */
struct mq_queue *mq_add_create(struct mq_change *c, struct str name,
                               const struct queue_settings *settings, struct str tags_json);
void mq_add_send(struct mq_change *c, struct mq_queue *q, const struct mq_send *s,
                 struct mq_sent *sent);
/* Takes up to max visible messages; those received too often go to the dead-letter queue instead.
 * Returns how many were taken. */
size_t mq_add_take(struct mq_change *c, struct mq_queue *q, size_t max, int64_t visibility_ns);
/* A receive under an attempt identifier (AWS: ReceiveRequestAttemptId) is remembered once it is
 * durable, and taken again within five minutes: the same messages and receipts, with their time
 * from now. 0 when there is none, or one of its messages was deleted, released or received anew. */
void mq_remember_attempt(struct mq *m, struct str queue, struct str attempt,
                         const struct mq_change *c);
size_t mq_add_again(struct mq_change *c, struct mq_queue *q, struct str attempt,
                    int64_t visibility_ns);
/* Whatever its state; twice is fine. */
void mq_add_delete(struct mq_change *c, struct mq_message *m);
/* A message in flight becomes visible after delay_ns, counted from now, with that many attempts. */
void mq_add_release(struct mq_change *c, struct mq_message *m, int64_t delay_ns, uint32_t attempts);
/* One more thing in the same transaction: run on the journal's thread with data. */
typedef enum status mq_extra_fn(void *data, struct journal *j, struct err *e);
void mq_add_extra(struct mq_change *c, mq_extra_fn *run, void *data);
/* True while no step was added. */
bool mq_is_empty(const struct mq_change *c);
/* done gets the change, which is freed when it returns. An empty change is answered in order. */
void mq_commit(struct mq_change *c, mq_change_fn *done, void *ctx);
void mq_change_abandon(struct mq_change *c); /* instead of commit: as it was before */

size_t mq_taken_count(const struct mq_change *c);
const struct mq_taken *mq_taken(const struct mq_change *c, size_t i);

/* --- messages in flight --- */

/* The message the receipt is for, NULL when it is gone or was received anew since. */
struct mq_message *mq_by_receipt(const struct mq_queue *q, int64_t seq, uint64_t receipt);
bool mq_is_in_flight(const struct mq_message *m);

/* --- waiting --- */

/* Called once, from the loop, when the queue has a visible message; then forgotten. Lives in its
 * owner's struct, zeroed but for fn and ctx. First come, first served. */
struct mq_waiter {
    loop_fn *fn;
    void *ctx;
    struct mq_queue *queue;
    struct mq_waiter *prev, *next;
};
void mq_wait(struct mq_queue *q, struct mq_waiter *w);
void mq_wait_cancel(struct mq_waiter *w); /* fine when not waiting */
bool mq_has_visible(const struct mq_queue *q);

#endif
