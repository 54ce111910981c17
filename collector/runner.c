/* Threads around bounded queues. An import reads, decodes and packs its files on one thread, the
 * caller's thread commits. A collector has many sources, each polled on a thread of its own, a
 * packer thread that turns their batches into commits, and a thread for the control socket. A slow
 * writer blocks the sources; a failure anywhere closes the queues, and what was not committed is
 * freed. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "collector/control.h"
#include "collector/file_source.h"
#include "collector/poll.h"
#include "core/base/mem.h"
#include "core/base/queue.h"

enum {
    /* Between two threads: more would only use memory. */
    QUEUED_BATCHES = 1,
    QUEUED_COMMITS = 1,
    HELD_JOBS = 64, /* batches without a commit between two signs of progress */
    IDLE_MS = 1000, /* on_idle when nothing came so long */
    SETTLE_MS = 5,  /* how soon the packer gets the rows it waits for */
    TICK_MS = 100,  /* how soon a collector sees a signal */
};

/* What a control client waits for: everything before it is committed, its command has run. */
struct request {
    struct queue *done;
    struct str command; /* empty: none */
    struct buf *reply;
    enum status status;
    struct err err;
};

/* A batch on its way to the packer; then its commit on its way to the writer. */
struct job {
    struct batch *batch;
    void *commit;
    bool is_flush;
    struct import_progress at;
    struct batch_counts counts;
    struct request *request; /* NULL: nobody waits */
};

/* What jobs counted that brought nothing to commit: it goes on with the next one that does. Were
 * each of them handed to the writer, the packer would wait for it at every batch while it writes.
 */
struct held {
    struct batch_counts counts;
    size_t n_jobs;
};

struct runner {
    struct file_source source;
    struct queue *batches, *commits;
    const struct sink_ops *sink;
    void *ctx;
    int64_t commit_ns; /* flush after so long; 0: only where a job says so */
    struct held held;  /* of the packer */
    /* Each written by one thread, read after it was joined. */
    enum status source_status, packer_status;
    struct err source_err, packer_err;
};

static void end_request(struct request *q, enum status s, const char *why)
{
    q->status = s;
    if (s != OK)
        err_set(&q->err, s, "%s", why);
    enum status pushed = queue_push(q->done, q);
    assert(pushed == OK); /* room for one */
    UNUSED(pushed);
}

static void free_job(struct runner *r, struct job *job)
{
    batch_free(job->batch);
    if (job->commit != NULL)
        r->sink->drop_commit(r->ctx, job->commit);
    if (job->request != NULL)
        end_request(job->request, ERR_CANCELLED, "the collector has stopped");
    free(job);
}

/* --- source thread
 * ---------------------------------------------------------------------------------------- */

static enum status push_job(struct runner *r, struct job *job)
{
    enum status s = queue_push(r->batches, job);

    if (s != OK)
        free_job(r, job);
    return s;
}

static enum status push_batch(void *ctx, struct batch *b, const struct import_progress *at)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->batch = b;
    job->at = *at;
    return push_job(ctx, job);
}

/* --- packer thread
 * ---------------------------------------------------------------------------------------- */

/* True: the job ends here, the writer has nothing to do for it. */
static bool hold_job(struct runner *r, struct job *job)
{
    batch_counts_add(&r->held.counts, &job->counts);
    if (job->commit == NULL && job->request == NULL && !job->is_flush &&
        ++r->held.n_jobs < HELD_JOBS) {
        free_job(r, job);
        return true;
    }
    job->counts = r->held.counts;
    r->held = (struct held){0};
    return false;
}

static enum status pack_job(struct runner *r, struct job *job)
{
    enum status s =
        r->sink->on_batch(r->ctx, job->batch, job->is_flush, &job->commit, &r->packer_err);
    job->counts = job->batch->counts;
    batch_free(job->batch);
    job->batch = NULL;
    if (s == OK && hold_job(r, job))
        return OK;
    if (s == OK)
        s = queue_push(r->commits, job);
    if (s != OK)
        free_job(r, job);
    else
        queue_wait_taken(r->commits); /* a commit being written and one being filled: no third */
    return s;
}

static void drain_batches(struct runner *r)
{
    for (struct job *job; (job = queue_pop(r->batches, -1, NULL)) != NULL;)
        free_job(r, job);
}

/* Nothing came for a while, or for ever: what is packed so far is to be committed. */
static struct job *flush_job(void)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->batch = batch_new();
    job->is_flush = true;
    return job;
}

struct flushing {
    struct clock clock;
    int64_t due_ns; /* monotonic; 0: nothing waits to be committed */
};

/* The next job; with commit_ns, one that flushes once that time has passed since the first job that
 * was not. NULL: the end. */
static struct job *next_job(struct runner *r, struct flushing *f)
{
    bool is_closed = false;
    int64_t now = clock_monotonic(&f->clock);
    int wait_ms = -1;

    if (f->due_ns != 0)
        wait_ms = f->due_ns > now ? (int)((f->due_ns - now) / NS_PER_MS) + 1 : 0;
    struct job *job = queue_pop(r->batches, wait_ms, &is_closed);
    if (job == NULL && f->due_ns == 0)
        return NULL;
    if (job == NULL)
        job = flush_job();
    now = clock_monotonic(&f->clock);
    if (r->commit_ns > 0 && f->due_ns == 0)
        f->due_ns = now + r->commit_ns;
    job->is_flush = job->is_flush || (f->due_ns != 0 && now >= f->due_ns);
    if (job->is_flush)
        f->due_ns = 0;
    return job;
}

static void *run_packer(void *ctx)
{
    struct runner *r = ctx;
    struct flushing f = {.clock = clock_system()};

    for (struct job *job; (job = next_job(r, &f)) != NULL;) {
        r->packer_status = pack_job(r, job);
        if (r->packer_status != OK)
            break;
    }
    queue_close(r->batches);
    drain_batches(r);
    queue_close(r->commits);
    return NULL;
}

/* An import's one source packs what it reads itself: handed to another thread, every record would
 * have to be fetched from the other processor's cache, which costs more than is gained. */
static enum status pack_batch(void *ctx, struct batch *b, const struct import_progress *at)
{
    struct runner *r = ctx;
    struct job *job = xcalloc(1, sizeof(*job));

    job->batch = b;
    job->at = *at;
    r->packer_status = pack_job(r, job);
    return r->packer_status;
}

static void *run_import(void *ctx)
{
    struct runner *r = ctx;

    r->source_status = file_source_run(&r->source, &r->source_err);
    /* Stopped or failed: what was read so far is kept all the same. */
    if (r->packer_status == OK) {
        struct job *job = flush_job();
        job->at = r->source.at;
        r->packer_status = pack_job(r, job);
    }
    queue_close(r->commits);
    return NULL;
}

/* --- writer: the caller's thread
 * ------------------------------------------------------------------------------- */

static void answer_request(struct runner *r, struct request *q)
{
    enum status s = OK;

    if (q->command.n > 0)
        s = r->sink->on_command != NULL
                ? r->sink->on_command(r->ctx, q->command, q->reply, &q->err)
                : err_set(&q->err, ERR_USAGE, "the collector knows no commands");
    struct err why = q->err;
    end_request(q, s, why.msg);
}

static enum status commit_job(struct runner *r, struct job *job, struct err *e)
{
    enum status s = OK;

    assert(job->batch == NULL); /* the packer freed it */
    if (job->commit != NULL)
        s = r->sink->on_commit(r->ctx, job->commit, e);
    if (s != OK)
        return s;
    job->commit = NULL;
    if (job->request != NULL)
        answer_request(r, job->request);
    job->request = NULL;
    return OK;
}

static enum status settle_open(struct runner *r, bool is_end, bool *is_open, struct err *e)
{
    *is_open = false;
    return r->sink->settle != NULL ? r->sink->settle(r->ctx, is_end, is_open, e) : OK;
}

/* Nothing came for a while. */
static enum status idle(struct runner *r, bool *is_open, struct err *e)
{
    if (*is_open)
        return settle_open(r, false, is_open, e);
    return r->sink->on_idle != NULL ? r->sink->on_idle(r->ctx, e) : OK;
}

static enum status write_all(struct runner *r, const struct import_options *o,
                             struct import_progress *result, struct err *e)
{
    for (bool is_open = false;;) {
        bool is_closed = false;
        enum status s = OK;
        struct job *job = queue_pop(r->commits, is_open ? SETTLE_MS : IDLE_MS, &is_closed);
        if (job == NULL && is_closed)
            return settle_open(r, true, &is_open, e);
        if (job == NULL) {
            s = idle(r, &is_open, e);
        } else {
            struct batch_counts sum = result->counts;
            s = commit_job(r, job, e);
            is_open = true;
            batch_counts_add(&sum, &job->counts);
            *result = job->at;
            result->counts = sum;
            free_job(r, job);
        }
        if (s != OK)
            return s;
        if (o->on_progress != NULL)
            o->on_progress(o->progress_ctx, result);
    }
}

static void drain_commits(struct runner *r)
{
    for (struct job *job; (job = queue_pop(r->commits, -1, NULL)) != NULL;)
        free_job(r, job);
}

/* The first failure on the way from the disk is the one to tell. */
static enum status outcome(struct runner *r, enum status written, struct err *e)
{
    if (written != OK)
        return written;
    if (r->packer_status != OK && r->packer_status != ERR_CANCELLED)
        return err_set(e, r->packer_status, "%s", r->packer_err.msg);
    if (r->source_status == ERR_CANCELLED)
        return err_set(e, ERR_CANCELLED, "stopped");
    if (r->source_status != OK)
        return err_set(e, r->source_status, "%s", r->source_err.msg);
    return OK;
}

static enum status run_threads(struct runner *r, const struct import_options *o,
                               struct import_progress *result, struct err *e)
{
    pthread_t import;

    if (pthread_create(&import, NULL, run_import, r) != 0)
        return err_set(e, ERR_IO, "starting a thread failed");
    enum status written = write_all(r, o, result, e);
    /* After a failure this makes the other end; else it has ended. */
    queue_close(r->commits);
    drain_commits(r);
    pthread_join(import, NULL);
    return outcome(r, written, e);
}

enum status collector_import(const struct import_options *o, const struct sink_ops *sink, void *ctx,
                             struct import_progress *result, struct err *e)
{
    struct runner r = {
        .source = {.options = o, .take = pack_batch},
        .sink = sink,
        .ctx = ctx,
    };

    assert(sink->on_batch != NULL && sink->on_commit != NULL && sink->drop_commit != NULL);
    *result = (struct import_progress){0};
    r.source.take_ctx = &r;
    enum status s = file_source_open(&r.source, e);
    if (s == OK) {
        r.commits = queue_new(QUEUED_COMMITS);
        s = run_threads(&r, o, result, e);
        queue_free(r.commits);
        if ((s == OK || s == ERR_CANCELLED) && sink->on_stop != NULL) {
            enum status stopped = sink->on_stop(ctx, e);
            s = stopped != OK ? stopped : s;
        }
    }
    result->path = (struct str){0};
    file_source_close(&r.source);
    return s;
}

/* --- a collector
 * --------------------------------------------------------------------------------------------
 */

struct live;

struct polling {
    struct live *live;
    struct poll_run run;
    pthread_t thread;
    bool is_started;
};

struct live {
    struct runner r;
    const struct collect_options *o;
    struct polling *polls;
    atomic_size_t n_running; /* sources and the control thread */
    pthread_t control, packer;
    bool has_control;
    bool is_ending;
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

static enum status write_live(struct live *l, struct err *e)
{
    for (;;) {
        bool is_closed = false;
        struct job *job = queue_pop(l->r.commits, TICK_MS, &is_closed);
        if (job == NULL && is_closed)
            return OK;
        enum status s = OK;
        if (job != NULL) {
            s = commit_job(&l->r, job, e);
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
