/* Which environment runs an invocation, and whether it may run at all. Pure bookkeeping: starts no
 * process, reads no clock, so that its promises are tested over millions of random steps:
 *
 *   - never more invocations in flight than the function's reservation, its share of the account,
 *     or the account allow;
 *   - never more environments than `instances`;
 *   - waiting invocations are served in the order they came;
 *   - the environment used last is used first, so that the others can go.
 *
 * In flight means accepted and not finished: running, or waiting for an environment. */
#ifndef FNSCOPE_EXECUTOR_POOL_H
#define FNSCOPE_EXECUTOR_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shared by the pools of all functions. */
struct account {
    int64_t limit;      /* of all functions together */
    int64_t reserved;   /* sum of reservations */
    int64_t in_flight;  /* of all */
    int64_t unreserved; /* in flight of functions without reservation */
};

/* Lives in the environment. */
struct pool_node {
    struct pool_node *below, *above; /* in the stack of idle ones */
    bool is_idle;
};

/* Lives in the invocation. */
struct pool_ticket {
    struct pool_ticket *next;
};

struct pool {
    struct account *account;
    bool has_reserved;
    int64_t reserved;
    int64_t max_instances, max_queue;
    /* counts */
    int64_t in_flight, waiting;
    int64_t instances; /* that exist: starting, idle, busy or ending */
    int64_t starting;
    struct pool_node *idle; /* the one used last */
    struct pool_ticket *first, **last;
};

enum pool_verdict {
    POOL_RUN,   /* on *node, which is no longer idle */
    POOL_START, /* waits; start an environment (pool_started) */
    POOL_WAIT,  /* waits for one that is starting or busy */
    POOL_THROTTLED
};

void pool_init(struct pool *p, struct account *account);
enum pool_verdict pool_submit(struct pool *p, struct pool_ticket *t, struct pool_node **node,
                              const char **reason);
/* An environment is being started; before it is ready. */
void pool_started(struct pool *p, struct pool_node *n);
/* It is ready, or free again: gives the invocation it runs next, NULL makes it idle. */
struct pool_ticket *pool_free(struct pool *p, struct pool_node *n, bool was_starting);
/* An accepted invocation has ended. */
void pool_finished(struct pool *p);
/* An environment is gone, whatever it did. True when one must be started for those who wait. */
bool pool_gone(struct pool *p, struct pool_node *n, bool was_starting);
/* Takes an idle one out (it ends); false when it is not idle. */
bool pool_retire(struct pool *p, struct pool_node *n);
/* Takes the first waiting invocation out, to refuse it; NULL when none waits. */
struct pool_ticket *pool_drop_waiting(struct pool *p);

#endif
