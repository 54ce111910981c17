/* Event loop: order of timers on virtual time, descriptors, tasks, signals, a process's end. */
#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/loop.h"
#include "core/base/rng.h"

#define HORIZON (100 * NS_PER_SEC)

struct tick {
    struct loop_timer timer;
    struct loop *loop;
    int64_t ran_at, want_at;
    int64_t *last;
    unsigned runs;
};

static void on_tick(void *ctx)
{
    struct tick *t = ctx;

    t->ran_at = loop_now(t->loop);
    CHECK_INT(t->ran_at, t->want_at);
    CHECK(t->ran_at >= *t->last);
    *t->last = t->ran_at;
    t->runs++;
}

/* Any order of setting, moving and cancelling: each timer left runs once, at its time, in order. */
static void test_timers_in_order(void **state)
{
    enum { N = 500 };
    struct rng rng;
    int64_t last = 0;
    struct loop *l = loop_new_virtual(0);
    struct tick *ticks = calloc(N, sizeof(*ticks));

    (void)state;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < N; i++) {
        ticks[i] =
            (struct tick){.timer = {.fn = on_tick, .ctx = &ticks[i]}, .loop = l, .last = &last};
        for (unsigned moves = 0; moves <= i % 3; moves++) {
            ticks[i].want_at = (int64_t)rng_below(&rng, HORIZON);
            loop_timer_set(l, &ticks[i].timer, ticks[i].want_at);
        }
        if (i % 7 == 0)
            loop_timer_cancel(l, &ticks[i].timer);
    }
    loop_advance(l, HORIZON / 2);
    CHECK_INT(loop_now(l), HORIZON / 2);
    loop_advance(l, HORIZON / 2);
    for (size_t i = 0; i < N; i++)
        CHECK_INT(ticks[i].runs, i % 7 == 0 ? 0 : 1);
    free(ticks);
    loop_free(l);
}

struct chain {
    struct loop *loop;
    struct loop_timer timer;
    struct loop_task task;
    struct buf trace;
};

static void on_chain_task(void *ctx)
{
    struct chain *c = ctx;

    buf_add_c(&c->trace, 't');
    if (c->trace.n < 6)
        loop_defer(c->loop, &c->task);
}

static void on_chain_timer(void *ctx)
{
    struct chain *c = ctx;

    buf_add_c(&c->trace, 'T');
    loop_defer(c->loop, &c->task);
    loop_defer(c->loop, &c->task); /* once is enough */
    if (c->trace.n < 5)
        loop_timer_set(c->loop, &c->timer, loop_now(c->loop));
}

static void test_tasks_end_a_turn(void **state)
{
    struct loop *l = loop_new_virtual(0);
    struct chain c = {.loop = l, .trace = {.max = 100}};

    (void)state;
    c.timer = (struct loop_timer){.fn = on_chain_timer, .ctx = &c};
    c.task = (struct loop_task){.fn = on_chain_task, .ctx = &c};
    loop_timer_set(l, &c.timer, 0);
    for (int i = 0; i < 6; i++)
        CHECK_OK(loop_turn(l, 0, NULL), NULL);
    CHECK_STR(buf_str(&c.trace), STR("TtTtTt"));
    loop_defer(l, &c.task);
    loop_defer_cancel(l, &c.task);
    CHECK_OK(loop_turn(l, 0, NULL), NULL);
    CHECK_INT(c.trace.n, 6);
    buf_clear(&c.trace);
    loop_free(l);
}

struct pipes {
    struct loop *loop;
    struct loop_watch *a, *b;
    unsigned events_a, events_b;
};

static void on_a(void *ctx, unsigned events)
{
    struct pipes *p = ctx;

    p->events_a |= events;
    /* Both are ready in this turn: whoever is first takes the other away. */
    loop_unwatch(p->loop, p->b);
    p->b = NULL;
    loop_watch_change(p->loop, p->a, 0);
}

static void on_b(void *ctx, unsigned events)
{
    struct pipes *p = ctx;

    p->events_b |= events;
    loop_unwatch(p->loop, p->a);
    p->a = NULL;
    loop_watch_change(p->loop, p->b, 0);
}

static void test_unwatch_in_a_callback(void **state)
{
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    struct pipes p = {.loop = l};
    int a[2], b[2];
    struct err e = {0};

    (void)state;
    CHECK_INT(pipe(a), 0);
    CHECK_INT(pipe(b), 0);
    CHECK_OK(loop_watch(l, a[0], on_a, &p, &p.a, &e), &e);
    CHECK_OK(loop_watch(l, b[0], on_b, &p, &p.b, &e), &e);
    CHECK_INT(write(a[1], "x", 1), 1);
    CHECK_INT(write(b[1], "x", 1), 1);
    for (int i = 0; i < 3; i++)
        CHECK_OK(loop_turn(l, 0, &e), &e);
    CHECK_INT((p.events_a & LOOP_READ) + (p.events_b & LOOP_READ), LOOP_READ);
    loop_unwatch(l, p.a ? p.a : p.b);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
    loop_free(l);
}

static void on_usr1(void *ctx, int signo)
{
    CHECK_INT(signo, SIGUSR1);
    loop_stop(ctx);
}

static void test_signal(void **state)
{
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    struct err e = {0};

    (void)state;
    CHECK_OK(loop_signal(l, SIGUSR1, on_usr1, l, &e), &e);
    CHECK_OK(loop_signal(l, SIGUSR2, on_usr1, l, &e), &e);
    kill(getpid(), SIGUSR1);
    CHECK_OK(loop_run(l, &e), &e);
    loop_free(l);
}

static void on_exit_seen(void *ctx, unsigned events)
{
    CHECK(events & LOOP_READ);
    loop_stop(ctx);
}

static void test_end_of_a_process(void **state)
{
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    struct loop_watch *w;
    struct err e = {0};
    int fd;

    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    CHECK_OK(loop_pidfd(pid, &fd, &e), &e);
    CHECK_OK(loop_watch(l, fd, on_exit_seen, l, &w, &e), &e);
    CHECK_OK(loop_run(l, &e), &e);
    int code;
    CHECK_INT(waitpid(pid, &code, 0), pid);
    CHECK_INT(WEXITSTATUS(code), 3);
    loop_unwatch(l, w);
    close(fd);
    CHECK_STATUS(loop_pidfd(pid, &fd, &e), ERR_IO);
    loop_free(l);
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void test_real_timer_is_never_early(void **state)
{
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    struct err e = {0};
    struct loop_timer t = {.fn = stop, .ctx = l};

    (void)state;
    int64_t at = clock_monotonic(&clock) + 2500 * NS_PER_US;
    loop_timer_set(l, &t, at);
    CHECK(loop_timer_is_set(&t));
    CHECK_OK(loop_run(l, &e), &e);
    CHECK(clock_monotonic(&clock) >= at);
    CHECK(!loop_timer_is_set(&t));
    loop_free(l);
}

/* A signal may come while its program still turns the loop by hand. */
static void test_stop_before_the_run(void **state)
{
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    struct err e = {0};
    struct loop_task t = {.fn = stop, .ctx = l};

    (void)state;
    CHECK(!loop_has_work(l));
    loop_defer(l, &t);
    CHECK(loop_has_work(l));
    CHECK_OK(loop_turn(l, 0, &e), &e);
    CHECK(!loop_has_work(l));
    CHECK_OK(loop_run(l, &e), &e);
    loop_defer(l, &t);
    CHECK_OK(loop_run(l, &e), &e);
    loop_free(l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_timers_in_order),       cmocka_unit_test(test_tasks_end_a_turn),
    cmocka_unit_test(test_unwatch_in_a_callback), cmocka_unit_test(test_signal),
    cmocka_unit_test(test_end_of_a_process),      cmocka_unit_test(test_real_timer_is_never_early),
    cmocka_unit_test(test_stop_before_the_run),
};
TEST_MAIN(tests)
