/* What the files of the message queues share: message_queue.c (queues, messages, waiting),
 * message_order.c (which message is next), message_change.c (steps that commit together),
 * message_attempt.c (receives that are repeated), message_store.c (their SQL). */
#ifndef FNSCOPE_EXECUTOR_MESSAGE_PRIVATE_H
#define FNSCOPE_EXECUTOR_MESSAGE_PRIVATE_H

#include "core/base/map.h"
#include "core/base/rng.h"
#include "executor/message_queue.h"

/* --- lists --- */

struct link {
    struct link *prev, *next;
    void *owner;
    bool is_linked;
};

struct list {
    struct link *head, *tail;
};

void list_append(struct list *l, struct link *k);
void list_insert_before(struct list *l, struct link *place, struct link *k); /* NULL: at the end */
void list_remove(struct list *l, struct link *k);                            /* fine when not in */

/* --- messages --- */

enum mq_state {
    MQ_LIMBO, /* new, or about to leave */
    MQ_DELAYED,
    MQ_READY,
    MQ_IN_FLIGHT,
    MQ_STATES
};

/* Messages of a FIFO queue with one group id (by its hash: a collision only orders more). */
struct mq_group {
    uint64_t key;
    struct list ready; /* by seq */
    struct link turn;  /* in the queue's `turns` while it may be taken from */
    size_t n_in_flight, n_messages;
};

struct mq_message {
    struct mq_queue *queue;
    struct mq_group *group;
    struct link arrival, ready;
    struct loop_timer timer; /* while delayed or in flight */
    enum mq_state state;
    unsigned steps; /* of changes under way */
    bool is_dying;  /* being deleted */
    bool is_gone;   /* deleted; freed with its last step */
    uint32_t received, attempts;
    size_t n_bytes;
    int64_t seq, sent_ns, arrived_ns, visible_ns, first_ns;
    int64_t source; /* id of the queue it came from, 0: none */
    uint64_t receipt;
    char id[MQ_ID_LEN + 1];
};

struct mq_queue {
    struct mq *mq;
    int64_t id;
    struct arena arena; /* of name, settings and tags; made anew by mq_configure */
    struct str name, tags;
    struct queue_settings settings;
    int64_t created_ns, modified_ns;
    size_t n[MQ_STATES];
    struct list arrivals; /* all that are not dying, oldest first */
    struct list ready;    /* standard queues */
    struct list turns;    /* FIFO: groups that may be taken from */
    struct idmap groups;
    struct mq_waiter *first_waiter, *last_waiter;
    size_t n_waiters;
    struct loop_task notify;
    bool is_removed;
    size_t users; /* messages and changes that point here after removal */
    struct mq_stats counts;
};

/* A de-duplication id that is still remembered. */
struct mq_dedup {
    uint64_t key;
    int64_t until_ns, seq;
    char id[MQ_ID_LEN + 1];
    struct link link; /* oldest first */
};

/* What a receive with an attempt identifier took. */
struct mq_attempt_row {
    int64_t seq, visible_ns;
    uint64_t receipt;
};

struct mq_attempt {
    uint64_t key;
    int64_t until_ns;
    struct mq_attempt_row *rows;
    size_t n;
    struct link link; /* oldest first, but for one that was repeated */
};

struct mq_deleted;

struct mq {
    struct journal *journal;
    struct loop *loop;
    struct arena arena;
    struct str region, account;
    struct rng rng;
    struct mq_queue **queues; /* in the order they were made */
    size_t n_queues, cap_queues;
    struct idmap names; /* hash of the name -> queue */
    struct idmap ids;
    struct idmap messages; /* seq -> message */
    struct idmap dedups;
    struct list dedup_order;
    struct idmap attempts; /* key -> attempt */
    struct list attempt_order;
    int64_t next_seq, next_queue_id;
    struct mq_deleted *deleted; /* queues that were, the latest first */
    struct loop_timer sweep;
};

/* message_queue.c */
struct mq_message *message_new(struct mq *m);
void message_free(struct mq_message *m);
void message_enter(struct mq_message *m, enum mq_state state); /* the one setter of state */
void message_leave(struct mq_message *m);                      /* into limbo */
void message_join(struct mq_message *m, struct mq_queue *q);   /* its queue, sorted by arrival */
void message_part(struct mq_message *m);                       /* leaves its queue's list */
void message_wait(struct mq_message *m);           /* sets the timer of one delayed or in flight */
void message_settle(struct mq_message *m);         /* state by visible_ns: delayed or ready */
bool mqueue_is_internal(const struct mq_queue *q); /* its name starts with ':' */
void mqueue_use(struct mq_queue *q);
void mqueue_unuse(struct mq_queue *q);
struct mq_queue *mqueue_new(struct mq *m, int64_t id, struct str name,
                            const struct queue_settings *settings, struct str tags);
struct mq_queue *mqueue_by_id(const struct mq *m, int64_t id);
void mqueue_forget(struct mq_queue *q); /* takes it out of the tables */
void mqueue_set(struct mq_queue *q, const struct queue_settings *settings, struct str tags);
struct mq_dedup *dedup_find(struct mq *m, const struct mq_queue *q, struct str id);
void dedup_forget(struct mq *m, struct mq_dedup *d);
void dedup_add(struct mq *m, const struct mq_queue *q, struct str id, const struct mq_sent *sent,
               int64_t until_ns);

/* message_attempt.c */
void attempts_clear(struct mq *m);

/* message_order.c */
void order_add(struct mq_message *m);
void order_remove(struct mq_message *m);
struct mq_message *order_first(const struct mq_queue *q);
/* The next of the same group, for one more in a batch; NULL for standard queues. */
struct mq_message *order_sibling(const struct mq_message *taken);
void order_lock(struct mq_message *m);                   /* it is in flight now */
void order_unlock(struct mq_message *m);                 /* it no longer is */
void order_join(struct mq_message *m, struct str group); /* finds or makes its group */
void order_part(struct mq_message *m);
void order_clear(struct mq_queue *q);

/* message_store.c: one step of a change, as the journal's thread sees it. */
enum mq_step_kind {
    STEP_SEND,
    STEP_TAKE,
    STEP_AGAIN, /* TAKE of what is in flight, under the same receipt */
    STEP_MOVE,
    STEP_DELETE,
    STEP_RELEASE,
    STEP_EXTRA,
    STEP_CREATE,
    STEP_CONFIGURE,
    STEP_PURGE,
    STEP_REMOVE,
    STEP_KINDS
};

struct mq_step {
    enum mq_step_kind kind;
    struct mq_message *message; /* loop's thread only */
    struct mq_queue *queue, *target;
    int64_t queue_id;
    int64_t created_ns, modified_ns, dedup_until_ns; /* of queues; of a de-duplication id */
    struct str name, settings, tags;
    int64_t arrived_ns, visible_ns;
    struct mq_taken row; /* what is written, and what TAKE reads */
    size_t n_bytes;
    int64_t source;
    bool forgets_receipt;
    mq_extra_fn *extra;
    void *data;
};

MUST_CHECK enum status store_run_step(struct mq_step *s, struct arena *a, struct journal *j,
                                      struct err *e);
MUST_CHECK enum status store_load(struct mq *m, struct err *e);

/* message_change.c, message_admin.c */
struct mq_change {
    struct journal_op op;
    struct mq *mq;
    struct arena arena;
    struct mq_step **steps; /* in the arena, so that they do not move */
    size_t n_steps, cap_steps;
    const struct mq_taken **taken;
    size_t n_taken, cap_taken;
    mq_change_fn *done;
    void *ctx;
    mq_done_fn *queue_done; /* of mq_create and its like, with ctx */
};

struct mq_step *change_add(struct mq_change *c, enum mq_step_kind kind);
/* Deletes what its retention period has passed, as part of a change. */
void change_expire(struct mq_change *c, struct mq_queue *q);
void change_take_again(struct mq_change *c, struct mq_message *m, int64_t visibility_ns);
struct str change_own(struct mq_change *c, struct str s);
void message_bury(struct mq_message *m); /* deleted for good; freed with its last step */
void change_revert_create(struct mq_change *c, struct mq_step *s);
void change_apply_configure(struct mq_change *c, struct mq_step *s);
void change_apply_purge(struct mq_change *c, struct mq_step *s);
void change_apply_remove(struct mq_change *c, struct mq_step *s);
/* Forgets which queues were deleted before then (loop_now). */
void mq_forget_deleted(struct mq *m, int64_t before_ns);

#endif
