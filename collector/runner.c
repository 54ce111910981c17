/* Threads around bounded queues. An import reads, decodes and packs its files on one thread, the
 * caller's thread commits; a collector (live.c) has a packer thread in between. A slow writer
 * blocks the sources; a failure anywhere closes the queues, and what was not committed is freed. */
#include "collector/runner.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/mem.h"

enum {
    HELD_JOBS = 64, /* batches without a commit between two signs of progress */
    SETTLE_MS = 5,  /* how soon the packer gets the rows it waits for */
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

void free_job(struct runner *r, struct job *job)
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

enum status push_job(struct runner *r, struct job *job)
{
    enum status s = queue_push(r->batches, job);

    if (s != OK)
        free_job(r, job);
    return s;
}

enum status push_batch(void *ctx, struct batch *b, const struct import_progress *at)
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
struct job *flush_job(void)
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

void *run_packer(void *ctx)
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

enum status commit_job(struct runner *r, struct job *job, struct err *e)
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

void drain_commits(struct runner *r)
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
