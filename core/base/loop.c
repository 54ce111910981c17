/* epoll, a heap of timers, a signalfd. Removed watches are freed at the end of the turn,
 * because events of the same turn may still name them. */
#include "core/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/mem.h"

#define EVENTS_A_TURN 64
#define SIGNALS_MAX   8
#define SLEEP_MAX_MS  3600000
#define TURNS_AT_ONCE 8 /* docs/decisions/0025 */

struct loop_watch {
    int fd;
    loop_fd_fn *fn; /* NULL: removed, waits to be freed */
    void *ctx;
    struct loop_watch *next_dead;
};

struct signal_handler {
    int signo;
    loop_signal_fn *fn;
    void *ctx;
};

struct loop {
    struct clock clock;
    bool is_virtual, is_stopped, is_in_turn;
    int64_t now_ns, wall_ns;
    int epoll_fd;
    struct loop_timer **heap;
    size_t n_timers, timers_cap;
    uint64_t next_order;
    struct loop_task *tasks, **tasks_end;
    struct loop_watch *dead;
    int signal_fd;
    struct loop_watch *signal_watch;
    struct signal_handler signals[SIGNALS_MAX];
    size_t n_signals;
};

static void read_time(struct loop *l)
{
    if (l->is_virtual)
        return;
    l->now_ns = clock_monotonic(&l->clock);
    l->wall_ns = clock_now(&l->clock);
}

struct loop *loop_new(const struct clock *clock)
{
    struct loop *l = xcalloc(1, sizeof(*l));

    l->clock = *clock;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->signal_fd = -1;
    l->tasks_end = &l->tasks;
    read_time(l);
    return l;
}

struct loop *loop_new_virtual(int64_t wall_ns)
{
    struct clock clock = clock_fixed(wall_ns);
    struct loop *l = loop_new(&clock);

    l->is_virtual = true;
    return l;
}

static void free_dead(struct loop *l)
{
    while (l->dead) {
        struct loop_watch *w = l->dead;
        l->dead = w->next_dead;
        free(w);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    loop_unwatch(l, l->signal_watch);
    if (l->signal_fd >= 0)
        close(l->signal_fd);
    free_dead(l);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    free(l->heap);
    free(l);
}

int64_t loop_now(const struct loop *l)
{
    return l->now_ns;
}

int64_t loop_wall(const struct loop *l)
{
    return l->wall_ns;
}

/* --- descriptors --- */

static uint32_t epoll_bits(unsigned events)
{
    return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned loop_bits(uint32_t events)
{
    return (events & EPOLLIN ? (unsigned)LOOP_READ : 0) |
           (events & EPOLLOUT ? (unsigned)LOOP_WRITE : 0) |
           (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP) ? (unsigned)LOOP_HANGUP : 0);
}

enum status loop_watch(struct loop *l, int fd, loop_fd_fn *fn, void *ctx, struct loop_watch **out,
                       struct err *e)
{
    struct loop_watch *w = xcalloc(1, sizeof(*w));
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};

    assert(fn && fd >= 0);
    *w = (struct loop_watch){.fd = fd, .fn = fn, .ctx = ctx};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0) {
        int errnum = errno;
        free(w);
        return err_errno(e, errnum, "event loop, descriptor %d", fd);
    }
    *out = w;
    return OK;
}

void loop_watch_change(struct loop *l, struct loop_watch *w, unsigned events)
{
    struct epoll_event ev = {.events = epoll_bits(events), .data.ptr = w};

    assert(w->fn);
    epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (!w)
        return;
    assert(w->fn);
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->fn = NULL;
    w->next_dead = l->dead;
    l->dead = w;
}

/* --- timers: a binary heap by time, then by order of setting --- */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void place(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->slot = i + 1;
}

static void sift_up(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];

    for (; i > 0 && is_before(t, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(l, i, l->heap[(i - 1) / 2]);
    place(l, i, t);
}

static void sift_down(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= l->n_timers)
            break;
        if (child + 1 < l->n_timers && is_before(l->heap[child + 1], l->heap[child]))
            child++;
        if (!is_before(l->heap[child], t))
            break;
        place(l, i, l->heap[child]);
        i = child;
    }
    place(l, i, t);
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
    if (t->slot == 0)
        return;
    size_t i = t->slot - 1;
    assert(i < l->n_timers && l->heap[i] == t);
    t->slot = 0;
    struct loop_timer *last = l->heap[--l->n_timers];
    if (last == t)
        return;
    place(l, i, last);
    sift_up(l, i);
    sift_down(l, last->slot - 1);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ns)
{
    assert(t->fn);
    loop_timer_cancel(l, t);
    t->at_ns = at_ns;
    t->order = l->next_order++;
    l->heap = mem_grow(l->heap, l->n_timers, &l->timers_cap, sizeof(struct loop_timer *));
    l->heap[l->n_timers++] = t;
    sift_up(l, l->n_timers - 1);
}

bool loop_timer_is_set(const struct loop_timer *t)
{
    return t->slot != 0;
}

/* Timers set by a timer for a time already past wait for the next turn: `order` tells them. */
static void run_timers(struct loop *l)
{
    uint64_t first_new = l->next_order;

    while (l->n_timers > 0 && l->heap[0]->at_ns <= l->now_ns && l->heap[0]->order < first_new) {
        struct loop_timer *t = l->heap[0];
        loop_timer_cancel(l, t);
        t->fn(t->ctx);
    }
}

/* --- tasks --- */

void loop_defer(struct loop *l, struct loop_task *t)
{
    assert(t->fn);
    if (t->is_queued)
        return;
    t->is_queued = true;
    t->next = NULL;
    *l->tasks_end = t;
    l->tasks_end = &t->next;
}

void loop_defer_cancel(struct loop *l, struct loop_task *t)
{
    struct loop_task **p = &l->tasks;

    if (!t->is_queued)
        return;
    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
    if (l->tasks_end == &t->next)
        l->tasks_end = p;
    t->is_queued = false;
}

static void no_task(void *ctx)
{
    UNUSED(ctx);
}

/* Tasks queued from here on follow a marker and are left for the next turn. */
static void run_tasks(struct loop *l)
{
    struct loop_task marker = {.fn = no_task};

    if (!l->tasks)
        return;
    loop_defer(l, &marker);
    while (l->tasks != &marker) {
        struct loop_task *t = l->tasks;
        loop_defer_cancel(l, t);
        t->fn(t->ctx);
    }
    loop_defer_cancel(l, &marker);
}

/* --- signals --- */

static void on_signal(void *ctx, unsigned events)
{
    struct loop *l = ctx;
    struct signalfd_siginfo info;

    UNUSED(events);
    while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        for (size_t i = 0; i < l->n_signals; i++)
            if (l->signals[i].signo == (int)info.ssi_signo)
                l->signals[i].fn(l->signals[i].ctx, (int)info.ssi_signo);
}

enum status loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx, struct err *e)
{
    sigset_t set;

    if (l->n_signals == SIGNALS_MAX)
        return err_set(e, ERR_BUG, "event loop: more than %d signals", SIGNALS_MAX);
    l->signals[l->n_signals++] = (struct signal_handler){signo, fn, ctx};
    sigemptyset(&set);
    for (size_t i = 0; i < l->n_signals; i++)
        sigaddset(&set, l->signals[i].signo);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return err_errno(e, errno, "blocking signal %d", signo);
    int fd = signalfd(l->signal_fd, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "signal descriptor");
    l->signal_fd = fd;
    return l->signal_watch ? OK : loop_watch(l, fd, on_signal, l, &l->signal_watch, e);
}

/* --- turns --- */

/* Milliseconds epoll may sleep: rounded up, so that a timer is never found early. */
static int sleep_ms(const struct loop *l, int64_t wait_ns)
{
    int64_t until = wait_ns;

    if (l->n_timers > 0 && !l->is_virtual) {
        int64_t left = l->heap[0]->at_ns - clock_monotonic(&l->clock);
        left = left < 0 ? 0 : left;
        until = until < 0 || left < until ? left : until;
    }
    if (l->tasks)
        return 0;
    if (until < 0)
        return -1;
    until = (until + NS_PER_MS - 1) / NS_PER_MS;
    return until > SLEEP_MAX_MS ? SLEEP_MAX_MS : (int)until;
}

bool loop_has_work(const struct loop *l)
{
    struct pollfd events = {.fd = l->epoll_fd, .events = POLLIN};

    return l->tasks || poll(&events, 1, 0) > 0;
}

static enum status wait_events(struct loop *l, int64_t wait_ns, struct err *e)
{
    struct epoll_event events[EVENTS_A_TURN];
    int n = epoll_wait(l->epoll_fd, events, EVENTS_A_TURN, sleep_ms(l, wait_ns));

    if (n < 0 && errno != EINTR)
        return err_errno(e, errno, "event loop");
    read_time(l);
    for (int i = 0; i < n; i++) {
        struct loop_watch *w = events[i].data.ptr;
        if (w->fn)
            w->fn(w->ctx, loop_bits(events[i].events));
    }
    return OK;
}

enum status loop_turn(struct loop *l, int64_t wait_ns, struct err *e)
{
    assert(!l->is_in_turn);
    l->is_in_turn = true;
    enum status s = wait_events(l, wait_ns, e);
    run_timers(l);
    run_tasks(l);
    free_dead(l);
    l->is_in_turn = false;
    return s;
}

enum status loop_run(struct loop *l, struct err *e)
{
    enum status s = OK;

    for (size_t n = 1; !l->is_stopped && s == OK; n++) {
        s = loop_turn(l, -1, e);
        if (n % TURNS_AT_ONCE == 0)
            sched_yield(); /* whoever waits for the processor need not wait for its slice to end */
    }
    l->is_stopped = false;
    return s;
}

void loop_stop(struct loop *l)
{
    l->is_stopped = true;
}

void loop_advance(struct loop *l, int64_t ns)
{
    int64_t until = l->now_ns + ns;
    int64_t wall_ahead = l->wall_ns - l->now_ns;

    assert(l->is_virtual);
    do {
        bool is_due = l->n_timers > 0 && l->heap[0]->at_ns <= until;
        if (!is_due)
            l->now_ns = until;
        else if (l->heap[0]->at_ns > l->now_ns)
            l->now_ns = l->heap[0]->at_ns;
        l->wall_ns = l->now_ns + wall_ahead;
        (void)!loop_turn(l, 0, NULL);
    } while (l->n_timers > 0 && l->heap[0]->at_ns <= until);
    l->now_ns = until;
    l->wall_ns = until + wall_ahead;
}

enum status loop_pidfd(pid_t pid, int *fd, struct err *e)
{
    long got = syscall(SYS_pidfd_open, pid, 0);

    if (got < 0)
        return err_errno(e, errno, "watching process %d", (int)pid);
    *fd = (int)got;
    return OK;
}
