/* A collector: many sources, each polled on a thread of its own, one packer thread that turns their
 * batches into commits, a thread for the control socket, and the caller's, which writes. While the
 * disk takes nothing the writer holds its commit, and the others wait behind it. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "collector/control.h"
#include "collector/poll.h"
#include "collector/runner.h"
#include "core/base/log.h"
#include "core/base/mem.h"

enum { TICK_MS = 100 /* how soon a signal is seen */ };

struct live;

struct polling {
    struct live *live;
    struct poll_run run;
    pthread_t thread;
    bool is_started;
};

/* A commit that is tried again: the disk is full, read-only or locked. Sources go on until the
 * queues before the writer are full, then they wait. */
#define HOLD_MIN_NS (250 * NS_PER_MS)
#define HOLD_MAX_NS (5 * NS_PER_SEC)
#define HOLD_SAY_NS NS_PER_MIN

struct hold {
    int64_t since_ns, said_ns, pause_ns; /* monotonic; since_ns 0: nothing is held */
};

struct live {
    struct runner r;
    const struct collect_options *o;
    struct polling *polls;
    atomic_size_t n_running; /* sources and the control thread */
    pthread_t control, packer;
    bool has_control;
    bool is_ending;
    atomic_bool is_held;
    struct hold hold;
    struct batch_counts counts;
    int64_t idle_ns; /* of the last on_idle */
};

static enum status push_polled(void *ctx, struct batch *b)
{
    struct live *l = ctx;
    struct import_progress at = {0};

    return push_batch(&l->r, b, &at);
}

static void *run_polls(void *ctx)
{
    struct polling *p = ctx;

    poll_source(&p->run);
    atomic_fetch_sub(&p->live->n_running, 1);
    return NULL;
}

static enum status take_imported(void *ctx, struct batch *b, const struct import_progress *at)
{
    struct live *l = ctx;

    return push_batch(&l->r, b, at);
}

static enum status settle(void *ctx, struct str command, struct buf *reply, struct err *e)
{
    struct live *l = ctx;

    if (command.n > 0 && atomic_load(&l->is_held))
        return err_set(e, ERR_AGAIN,
                       "the store cannot be written now, fnscope doctor says why: try again later");
    struct request q = {.done = queue_new(1), .command = command, .reply = reply};
    struct job *job = flush_job();

    job->request = &q;
    if (push_job(&l->r, job) != OK)
        q.status = ERR_CANCELLED;
    queue_pop(q.done, -1, NULL); /* whoever frees the job answers */
    queue_free(q.done);
    return q.status == OK ? OK : err_set(e, q.status, "%s", q.err.msg);
}

static void *run_control(void *ctx)
{
    struct live *l = ctx;
    struct control_hooks hooks = {
        .take = take_imported,
        .settle = settle,
        .ctx = l,
        .halt = l->o->halt,
        .lookups = l->o->lookups,
    };

    while (!atomic_load(l->o->halt))
        control_serve(l->o->control, TICK_MS, &hooks);
    atomic_fetch_sub(&l->n_running, 1);
    return NULL;
}

/* Sources end after their step; their queue closes when the last one has. */
static void begin_end(struct live *l)
{
    l->is_ending = true;
    atomic_store(l->o->halt, true);
    for (size_t i = 0; i < l->o->n_sources; i++)
        queue_close(l->polls[i].run.wake);
}

static bool must_end(const struct live *l)
{
    const struct collect_options *o = l->o;
    size_t idle = l->has_control ? 1 : 0;

    return atomic_load(o->stop) || (o->reload != NULL && atomic_load(o->reload)) ||
           (o->is_once && atomic_load(&l->n_running) <= idle);
}

static enum status tick(struct live *l, struct err *e)
{
    struct clock clock = clock_system();
    int64_t now = clock_monotonic(&clock);
    const struct sink_ops *sink = l->r.sink;

    if (!l->is_ending && must_end(l))
        begin_end(l);
    if (l->is_ending && atomic_load(&l->n_running) == 0)
        queue_close(l->r.batches);
    if (l->o->on_tick != NULL)
        l->o->on_tick(l->o->tick_ctx, &l->counts);
    if (sink->on_idle == NULL || now - l->idle_ns < IDLE_MS * NS_PER_MS)
        return OK;
    l->idle_ns = now;
    return sink->on_idle(l->r.ctx, e);
}

static void say_held(struct hold *h, int64_t now, const char *why)
{
    if (h->said_ns != 0 && now - h->said_ns < HOLD_SAY_NS)
        return;
    h->said_ns = now;
    log_event(LOG_ERROR, "%s: nothing was stored for %lld s, what was read is kept and tried again",
              why, (long long)((now - h->since_ns) / NS_PER_SEC));
}

/* Whoever stops the collector, or waits for its single round, waits for no disk. */
static bool is_patient(const struct live *l)
{
    return !l->o->is_once && !atomic_load(l->o->stop);
}

/* Meanwhile everything but the store goes on. */
static enum status pause_hold(struct live *l, struct err *e)
{
    struct hold *h = &l->hold;
    struct clock clock = clock_system();
    const struct timespec tick_time = {.tv_nsec = TICK_MS * NS_PER_MS};
    const int64_t until = clock_monotonic(&clock) + h->pause_ns;
    enum status s = OK;

    h->pause_ns = h->pause_ns * 2 < HOLD_MAX_NS ? h->pause_ns * 2 : HOLD_MAX_NS;
    while (s == OK && clock_monotonic(&clock) < until && !atomic_load(l->o->stop)) {
        nanosleep(&tick_time, NULL);
        s = tick(l, e);
    }
    return s;
}

static void end_hold(struct live *l, int64_t now)
{
    if (l->hold.since_ns != 0)
        log_event(LOG_INFO, "the store can be written again after %lld s: nothing was lost",
                  (long long)((now - l->hold.since_ns) / NS_PER_SEC));
    l->hold = (struct hold){0};
    atomic_store(&l->is_held, false);
}

static enum status commit_patiently(struct live *l, struct job *job, struct err *e)
{
    struct clock clock = clock_system();

    for (;;) {
        struct err why = {0};
        enum status s = commit_job(&l->r, job, &why);
        const int64_t now = clock_monotonic(&clock);
        if (s == OK) {
            end_hold(l, now);
            return OK;
        }
        if (l->hold.since_ns == 0)
            l->hold = (struct hold){.since_ns = now, .pause_ns = HOLD_MIN_NS};
        if (s != ERR_AGAIN || !is_patient(l))
            return err_set(e, s == ERR_AGAIN ? ERR_IO : s, "%s", why.msg);
        atomic_store(&l->is_held, true);
        say_held(&l->hold, now, why.msg);
        s = pause_hold(l, e);
        if (s != OK)
            return s;
    }
}

static enum status write_live(struct live *l, struct err *e)
{
    for (;;) {
        bool is_closed = false;
        struct job *job = queue_pop(l->r.commits, TICK_MS, &is_closed);
        if (job == NULL && is_closed)
            return OK;
        enum status s = OK;
        if (job != NULL) {
            s = commit_patiently(l, job, e);
            batch_counts_add(&l->counts, &job->counts);
            free_job(&l->r, job);
        }
        if (s == OK)
            s = tick(l, e);
        if (s != OK)
            return s;
    }
}

static enum status start_thread(pthread_t *thread, void *(*run)(void *), void *ctx, struct err *e)
{
    return pthread_create(thread, NULL, run, ctx) == 0
               ? OK
               : err_set(e, ERR_IO, "starting a thread failed");
}

static enum status start_live(struct live *l, struct err *e)
{
    const struct collect_options *o = l->o;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < o->n_sources; i++) {
        atomic_fetch_add(&l->n_running, 1);
        s = start_thread(&l->polls[i].thread, run_polls, &l->polls[i], e);
        l->polls[i].is_started = s == OK;
    }
    if (s != OK || o->control == NULL)
        return s;
    atomic_fetch_add(&l->n_running, 1);
    s = start_thread(&l->control, run_control, l, e);
    l->has_control = s == OK;
    return s;
}

static void join_live(struct live *l)
{
    begin_end(l);
    queue_close(l->r.commits);
    queue_close(l->r.batches);
    drain_commits(&l->r);
    for (size_t i = 0; i < l->o->n_sources; i++)
        if (l->polls[i].is_started)
            pthread_join(l->polls[i].thread, NULL);
    if (l->has_control)
        pthread_join(l->control, NULL);
    pthread_join(l->packer, NULL);
}

static enum status run_live(struct live *l, struct err *e)
{
    enum status s = start_thread(&l->packer, run_packer, &l->r, e);

    if (s != OK)
        return s;
    s = start_live(l, e);
    if (s == OK)
        s = write_live(l, e);
    join_live(l);
    if (s == OK && l->r.packer_status != OK && l->r.packer_status != ERR_CANCELLED)
        s = err_set(e, l->r.packer_status, "%s", l->r.packer_err.msg);
    return s;
}

static void make_polls(struct live *l)
{
    const struct collect_options *o = l->o;

    l->polls = xcalloc(o->n_sources + 1, sizeof(*l->polls));
    for (size_t i = 0; i < o->n_sources; i++)
        l->polls[i] = (struct polling){.live = l,
                                       .run = {.source = o->sources[i],
                                               .wake = queue_new(1),
                                               .halt = o->halt,
                                               .report_ns = o->report_ns,
                                               .is_once = o->is_once,
                                               .push = push_polled,
                                               .push_ctx = l}};
}

enum status collector_run(const struct collect_options *o, const struct sink_ops *sink, void *ctx,
                          struct err *e)
{
    struct live l = {.o = o,
                     .r = {.sink = sink,
                           .ctx = ctx,
                           .commit_ns = o->commit_ns,
                           .batches = queue_new(QUEUED_BATCHES),
                           .commits = queue_new(QUEUED_COMMITS)}};

    assert(o->commit_ns > 0 && o->halt != NULL && o->stop != NULL);
    make_polls(&l);
    enum status s = run_live(&l, e);
    for (size_t i = 0; i < o->n_sources; i++)
        queue_free(l.polls[i].run.wake);
    free(l.polls);
    queue_free(l.r.batches);
    queue_free(l.r.commits);
    if (s == OK && sink->on_stop != NULL)
        s = sink->on_stop(ctx, e);
    if (s == OK && o->reload != NULL && atomic_load(o->reload) && !atomic_load(o->stop))
        return err_set(e, ERR_AGAIN, "reload");
    return s;
}
