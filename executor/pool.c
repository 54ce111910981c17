/* Counting. */
#include "executor/pool.h"

#include <assert.h>

void pool_init(struct pool *p, struct account *account)
{
    p->account = account;
    p->last = &p->first;
    if (p->has_reserved)
        account->reserved += p->reserved;
}

static void check(const struct pool *p)
{
    assert(p->in_flight >= p->waiting && p->waiting >= 0);
    assert(p->instances >= p->starting && p->starting >= 0);
    assert(p->instances <= p->max_instances);
    assert(p->account->in_flight <= p->account->limit);
}

/* Why one more may not be in flight; NULL when it may. */
static const char *refusal(const struct pool *p)
{
    const struct account *a = p->account;

    if (p->has_reserved)
        return p->in_flight >= p->reserved ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                                           : NULL;
    if (a->unreserved >= a->limit - a->reserved || a->in_flight >= a->limit)
        return "ConcurrentInvocationLimitExceeded";
    return NULL;
}

static void count_in(struct pool *p, int64_t by)
{
    p->in_flight += by;
    p->account->in_flight += by;
    p->account->unreserved += p->has_reserved ? 0 : by;
}

static void take_from_idle(struct pool *p, struct pool_node *n)
{
    assert(n->is_idle);
    if (n->above)
        n->above->below = n->below;
    else
        p->idle = n->below;
    if (n->below)
        n->below->above = n->above;
    n->above = n->below = NULL;
    n->is_idle = false;
}

static void wait_in_line(struct pool *p, struct pool_ticket *t)
{
    t->next = NULL;
    *p->last = t;
    p->last = &t->next;
    p->waiting++;
}

enum pool_verdict pool_submit(struct pool *p, struct pool_ticket *t, struct pool_node **node,
                              const char **reason)
{
    const char *why = refusal(p);

    if (!why && !p->idle && p->waiting >= p->starting + p->max_queue &&
        p->instances >= p->max_instances)
        why = "ConcurrentInvocationLimitExceeded";
    if (why) {
        *reason = why;
        return POOL_THROTTLED;
    }
    count_in(p, 1);
    if (p->idle) {
        *node = p->idle;
        take_from_idle(p, p->idle);
        check(p);
        return POOL_RUN;
    }
    wait_in_line(p, t);
    check(p);
    /* One that is starting will take the head of the line: start another only for the rest. */
    return p->waiting > p->starting && p->instances < p->max_instances ? POOL_START : POOL_WAIT;
}

void pool_started(struct pool *p, struct pool_node *n)
{
    *n = (struct pool_node){0};
    p->instances++;
    p->starting++;
    check(p);
}

static struct pool_ticket *next_waiting(struct pool *p)
{
    struct pool_ticket *t = p->first;

    if (!t)
        return NULL;
    p->first = t->next;
    if (!p->first)
        p->last = &p->first;
    p->waiting--;
    return t;
}

struct pool_ticket *pool_free(struct pool *p, struct pool_node *n, bool was_starting)
{
    assert(!n->is_idle);
    p->starting -= was_starting;
    struct pool_ticket *t = next_waiting(p);
    if (!t) {
        n->is_idle = true;
        n->above = NULL;
        n->below = p->idle;
        if (p->idle)
            p->idle->above = n;
        p->idle = n;
    }
    check(p);
    return t;
}

void pool_finished(struct pool *p)
{
    assert(p->in_flight > 0);
    count_in(p, -1);
    check(p);
}

bool pool_gone(struct pool *p, struct pool_node *n, bool was_starting)
{
    if (n->is_idle)
        take_from_idle(p, n);
    p->instances--;
    p->starting -= was_starting;
    check(p);
    return p->waiting > p->starting && p->instances < p->max_instances;
}

bool pool_retire(struct pool *p, struct pool_node *n)
{
    if (!n->is_idle)
        return false;
    take_from_idle(p, n);
    return true;
}

struct pool_ticket *pool_drop_waiting(struct pool *p)
{
    return next_waiting(p);
}
