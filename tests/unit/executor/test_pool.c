/* The pool under random life: whatever happens, its promises hold after every step. */
#include "tests/test.h"

#include <stdlib.h>

#include "core/base/rng.h"
#include "executor/pool.h"

enum { POOLS = 3, TICKETS = 256, NODES = 64 };

struct ticket {
    struct pool_ticket t; /* first, so that a ticket is found by its address */
    int pool;             /* -1: free */
    bool is_waiting;
    unsigned long order;
};

struct node {
    struct pool_node n;
    int pool; /* -1: does not exist */
    bool is_starting, is_busy;
    struct ticket *runs;
};

struct world {
    struct account account;
    struct pool pools[POOLS];
    struct ticket tickets[TICKETS];
    struct node nodes[NODES];
    struct rng rng;
    unsigned long next_order, last_served[POOLS];
    unsigned long throttled, served, started;
};

static void set_up(struct world *w, uint64_t seed)
{
    *w = (struct world){.account = {.limit = 12}};
    rng_seed(&w->rng, seed);
    for (int i = 0; i < POOLS; i++) {
        w->pools[i] = (struct pool){.has_reserved = i == 0,
                                    .reserved = (int64_t)rng_below(&w->rng, 5),
                                    .max_instances = 1 + (int64_t)rng_below(&w->rng, 6),
                                    .max_queue = (int64_t)rng_below(&w->rng, 8)};
        pool_init(&w->pools[i], &w->account);
    }
    for (size_t i = 0; i < TICKETS; i++)
        w->tickets[i].pool = -1;
    for (size_t i = 0; i < NODES; i++)
        w->nodes[i].pool = -1;
}

static void check_limits(const struct world *w)
{
    int64_t in_flight = 0, unreserved = 0;

    for (int i = 0; i < POOLS; i++) {
        int64_t running = 0, waiting = 0, instances = 0;
        for (size_t k = 0; k < NODES; k++) {
            instances += w->nodes[k].pool == i;
            running += w->nodes[k].pool == i && w->nodes[k].is_busy;
        }
        for (size_t k = 0; k < TICKETS; k++)
            waiting += w->tickets[k].pool == i && w->tickets[k].is_waiting;
        CHECK_INT(w->pools[i].in_flight, running + waiting);
        CHECK_INT(w->pools[i].waiting, waiting);
        CHECK_INT(w->pools[i].instances, instances);
        CHECK(instances <= w->pools[i].max_instances);
        if (w->pools[i].has_reserved)
            CHECK(w->pools[i].in_flight <= w->pools[i].reserved);
        else
            unreserved += running + waiting;
        in_flight += running + waiting;
    }
    CHECK(in_flight <= w->account.limit);
    CHECK(unreserved <= w->account.limit - w->account.reserved);
    CHECK_INT(w->account.in_flight, in_flight);
}

static struct node *free_node(struct world *w)
{
    for (size_t k = 0; k < NODES; k++)
        if (w->nodes[k].pool < 0)
            return &w->nodes[k];
    CHECK(false);
    return NULL;
}

static void start(struct world *w, int pool)
{
    struct node *n = free_node(w);

    *n = (struct node){.pool = pool, .is_starting = true};
    pool_started(&w->pools[pool], &n->n);
    w->started++;
}

static void serve(struct world *w, struct node *n, struct ticket *t)
{
    CHECK_INT(t->pool, n->pool);
    CHECK(!n->is_busy);
    t->is_waiting = false;
    n->is_busy = true;
    n->runs = t;
    w->served++;
}

/* Those who waited are served in the order they came. */
static void serve_waiting(struct world *w, struct node *n, struct pool_ticket *ticket)
{
    struct ticket *t = (struct ticket *)(void *)ticket;

    CHECK(t->is_waiting);
    CHECK(t->order > w->last_served[n->pool]);
    w->last_served[n->pool] = t->order;
    serve(w, n, t);
}

static void submit(struct world *w)
{
    int pool = (int)rng_below(&w->rng, POOLS);
    struct pool_node *node = NULL;
    const char *reason = NULL;
    struct ticket *t = NULL;

    for (size_t k = 0; k < TICKETS && !t; k++)
        t = w->tickets[k].pool < 0 ? &w->tickets[k] : NULL;
    CHECK(t != NULL);
    enum pool_verdict v = pool_submit(&w->pools[pool], &t->t, &node, &reason);
    if (v == POOL_THROTTLED) {
        CHECK(reason != NULL);
        CHECK_Z(w->pools[pool].has_reserved && w->pools[pool].in_flight >= w->pools[pool].reserved
                    ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                    : "ConcurrentInvocationLimitExceeded",
                reason);
        w->throttled++;
        return;
    }
    t->pool = pool;
    t->order = ++w->next_order;
    t->is_waiting = v != POOL_RUN;
    if (v == POOL_RUN)
        serve(w, (struct node *)(void *)node, t);
    if (v == POOL_START)
        start(w, pool);
}

static void finish_run(struct world *w, struct node *n)
{
    n->runs->pool = -1;
    n->runs = NULL;
    n->is_busy = false;
    pool_finished(&w->pools[n->pool]);
}

/* Something happens to a random environment: it becomes ready, ends its run, crashes, is retired.
 */
static void stir(struct world *w)
{
    struct node *n = &w->nodes[rng_below(&w->rng, NODES)];
    struct pool *p = n->pool < 0 ? NULL : &w->pools[n->pool];
    bool crashes = rng_below(&w->rng, 10) == 0;

    if (!p)
        return;
    bool was_starting = n->is_starting;
    if (n->is_busy)
        finish_run(w, n);
    if (crashes || n->n.is_idle) {
        int pool = n->pool;
        if (!crashes && rng_below(&w->rng, 2) == 0)
            CHECK(pool_retire(p, &n->n));
        bool wanted = pool_gone(p, &n->n, was_starting);
        n->pool = -1;
        if (wanted)
            start(w, pool);
        return;
    }
    n->is_starting = false;
    struct pool_ticket *t = pool_free(p, &n->n, was_starting);
    if (t)
        serve_waiting(w, n, t);
}

static void test_limits_are_never_exceeded(void **state)
{
    struct world *w = malloc(sizeof(*w));
    unsigned long throttled = 0, served = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        set_up(w, seed);
        for (int step = 0; step < 2000; step++) {
            if (rng_below(&w->rng, 3) == 0)
                submit(w);
            else
                stir(w);
            if (step % 7 == 0)
                check_limits(w);
        }
        check_limits(w);
        throttled += w->throttled;
        served += w->served;
    }
    /* The test must meet both. */
    CHECK(throttled > 1000 && served > 10000);
    free(w);
}

/* Everyone who waits is served once there is an environment, even if each one crashes. */
static void test_nobody_waits_for_ever(void **state)
{
    struct world *w = malloc(sizeof(*w));

    (void)state;
    set_up(w, 3);
    w->pools[1].max_instances = 2;
    w->pools[1].max_queue = 100;
    for (int i = 0; i < 6; i++) {
        struct pool_node *node = NULL;
        const char *reason;
        struct ticket *t = &w->tickets[i];
        enum pool_verdict v = pool_submit(&w->pools[1], &t->t, &node, &reason);
        CHECK(v == POOL_START || v == POOL_WAIT);
        *t = (struct ticket){.t = t->t, .pool = 1, .is_waiting = true, .order = ++w->next_order};
        if (v == POOL_START)
            start(w, 1);
    }
    for (int turn = 0; turn < 100000 && w->pools[1].waiting > 0; turn++)
        stir(w);
    CHECK_INT(w->pools[1].waiting, 0);
    free(w);
}

static void test_last_used_first(void **state)
{
    struct account account = {.limit = 10};
    struct pool p = {.max_instances = 3};
    struct pool_node n[3], *got = NULL;
    struct pool_ticket t;
    const char *reason;

    (void)state;
    pool_init(&p, &account);
    for (int i = 0; i < 3; i++) {
        pool_started(&p, &n[i]);
        CHECK(pool_free(&p, &n[i], true) == NULL);
    }
    CHECK_INT(pool_submit(&p, &t, &got, &reason), POOL_RUN);
    CHECK(got == &n[2]);
    CHECK_INT(pool_submit(&p, &t, &got, &reason), POOL_RUN);
    CHECK(got == &n[1]);
    pool_finished(&p);
    CHECK(pool_free(&p, &n[2], false) == NULL);
    CHECK_INT(pool_submit(&p, &t, &got, &reason), POOL_RUN);
    CHECK(got == &n[2]);
}

static void test_zero_reserved_stops_it(void **state)
{
    struct account account = {.limit = 10};
    struct pool p = {.max_instances = 3, .has_reserved = true, .reserved = 0, .max_queue = 10};
    struct pool_node *node;
    struct pool_ticket t;
    const char *reason;

    (void)state;
    pool_init(&p, &account);
    CHECK_INT(pool_submit(&p, &t, &node, &reason), POOL_THROTTLED);
    CHECK_Z(reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_limits_are_never_exceeded),
    cmocka_unit_test(test_nobody_waits_for_ever),
    cmocka_unit_test(test_last_used_first),
    cmocka_unit_test(test_zero_reserved_stops_it),
};
TEST_MAIN(tests)
