/* One thread's event loop: file descriptors, timers and signals on one epoll. Everything runs on
 * the thread that calls loop_run(); nothing here is thread-safe.
 *
 *     struct loop *l = loop_new(&clock);
 *     loop_watch(l, fd, on_readable, ctx, &watch, &e);
 *     loop_timer_set(l, &ctx->timer, loop_now(l) + 5 * NS_PER_SEC);
 *     loop_run(l, &e);
 *
 * Times are monotonic nanoseconds; the loop reads the clock once a turn (loop_now) and timers due
 * at the same time run in the order they were set. A watch, timer or task may be removed from
 * inside any callback, its own included.
 *
 * Test twin: loop_new_virtual() has no clock but its timers. loop_advance() moves its time from
 * timer to timer, so that hours of life pass in a moment and always in the same way; file
 * descriptors are looked at between two timers without waiting. */
#ifndef FNSCOPE_CORE_BASE_LOOP_H
#define FNSCOPE_CORE_BASE_LOOP_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/clock.h"
#include "core/base/err.h"

struct loop;
struct loop_watch;

enum loop_events {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    LOOP_HANGUP = 4 /* reported unasked: the other end is gone or the descriptor is in error */
};

typedef void loop_fd_fn(void *ctx, unsigned events);
typedef void loop_fn(void *ctx);
typedef void loop_signal_fn(void *ctx, int signo);

/* Lives in its owner's struct; zeroed but for fn and ctx it is a timer that is not set. */
struct loop_timer {
    loop_fn *fn;
    void *ctx;
    int64_t at_ns;
    uint64_t order; /* among timers of the same time */
    size_t slot;    /* place in the heap + 1; 0: not set */
};

/* Something to do once, at the end of this turn, before the loop sleeps: answers to combine into
 * one write, changes into one commit. Lives in its owner's struct, zeroed but for fn and ctx. */
struct loop_task {
    loop_fn *fn;
    void *ctx;
    struct loop_task *next;
    bool is_queued;
};

struct loop *loop_new(const struct clock *clock);
struct loop *loop_new_virtual(int64_t wall_ns); /* both of its clocks begin there */
void loop_free(struct loop *l);                 /* its watches are forgotten, their fds stay open */

int64_t loop_now(const struct loop *l);  /* monotonic, of this turn */
int64_t loop_wall(const struct loop *l); /* wall clock, of this turn */

/* For LOOP_READ; loop_watch_change() for anything else. */
MUST_CHECK enum status loop_watch(struct loop *l, int fd, loop_fd_fn *fn, void *ctx,
                                  struct loop_watch **out, struct err *e);
void loop_watch_change(struct loop *l, struct loop_watch *w, unsigned events);
void loop_unwatch(struct loop *l, struct loop_watch *w); /* NULL is fine; before close(fd) */

void loop_timer_set(struct loop *l, struct loop_timer *t,
                    int64_t at_ns); /* moves one that is set */
void loop_timer_cancel(struct loop *l, struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);

/* Queues the task unless it is queued. A task deferred by a task runs in the next turn, which then
 * does not sleep. */
void loop_defer(struct loop *l, struct loop_task *t);
void loop_defer_cancel(struct loop *l, struct loop_task *t);

/* Blocks the signal for the process and delivers it as a callback. At most 8 signals. */
MUST_CHECK enum status loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx,
                                   struct err *e);

MUST_CHECK enum status loop_run(struct loop *l, struct err *e); /* until loop_stop() */
void loop_stop(struct loop *l); /* the run that is under way, or the next */
/* Whether a turn would begin without waiting, timers apart. */
bool loop_has_work(const struct loop *l);
/* One turn: waits at most wait_ns (negative: until something happens). */
MUST_CHECK enum status loop_turn(struct loop *l, int64_t wait_ns, struct err *e);
/* Virtual loops only: runs every timer due within `ns`, then stands ns later. */
void loop_advance(struct loop *l, int64_t ns);

/* A descriptor that becomes readable when the process ends (pidfd_open). */
MUST_CHECK enum status loop_pidfd(pid_t pid, int *fd, struct err *e);

#endif
