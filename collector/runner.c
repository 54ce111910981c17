/* Three threads around two bounded queues: the source thread reads and decodes, the packer thread
 * turns batches into commits, the caller's thread commits them. A slow writer blocks the source; a
 * failure anywhere closes both queues, and what was not committed is freed. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "collector/file_source.h"
#include "core/base/mem.h"
#include "core/base/queue.h"

enum {
    /* Between two threads: more would only use memory. */
    QUEUED_BATCHES = 1,
    QUEUED_COMMITS = 1,
    IDLE_MS = 1000, /* on_idle when nothing came so long */
};

/* A batch on its way to the packer; then its commit on its way to the writer. */
struct job {
    struct batch *batch;
    void *commit;
    bool is_flush;
    struct import_progress at;
    struct batch_counts counts;
};

struct runner {
    struct file_source source;
    struct queue *batches, *commits;
    const struct sink_ops *sink;
    void *ctx;
    /* Each written by one thread, read after it was joined. */
    enum status source_status, packer_status;
    struct err source_err, packer_err;
};

/* --- source thread
 * ---------------------------------------------------------------------------------------- */

static enum status push_batch(void *ctx, struct batch *b, const struct import_progress *at)
{
    struct runner *r = ctx;
    struct job *job = xcalloc(1, sizeof(*job));

    job->batch = b;
    job->at = *at;
    enum status s = queue_push(r->batches, job);
    if (s != OK) {
        batch_free(b);
        free(job);
    }
    return s;
}

static void push_flush(struct runner *r)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->batch = batch_new();
    job->is_flush = true;
    job->at = r->source.at;
    if (queue_push(r->batches, job) == OK)
        return;
    batch_free(job->batch);
    free(job);
}

static void *run_source(void *ctx)
{
    struct runner *r = ctx;

    r->source_status = file_source_run(&r->source, &r->source_err);
    /* Stopped or failed: what was read so far is kept all the same. */
    push_flush(r);
    queue_close(r->batches);
    return NULL;
}

/* --- packer thread
 * ---------------------------------------------------------------------------------------- */

static enum status pack_job(struct runner *r, struct job *job)
{
    enum status s =
        r->sink->on_batch(r->ctx, job->batch, job->is_flush, &job->commit, &r->packer_err);
    job->counts = job->batch->counts;
    batch_free(job->batch);
    job->batch = NULL;
    if (s == OK)
        s = queue_push(r->commits, job);
    if (s == OK)
        return OK;
    if (job->commit != NULL)
        r->sink->drop_commit(r->ctx, job->commit);
    free(job);
    return s;
}

static void drain_batches(struct runner *r)
{
    for (struct job *job; (job = queue_pop(r->batches, -1, NULL)) != NULL;) {
        batch_free(job->batch);
        free(job);
    }
}

static void *run_packer(void *ctx)
{
    struct runner *r = ctx;

    for (struct job *job; (job = queue_pop(r->batches, -1, NULL)) != NULL;) {
        r->packer_status = pack_job(r, job);
        if (r->packer_status != OK)
            break;
    }
    queue_close(r->batches);
    drain_batches(r);
    queue_close(r->commits);
    return NULL;
}

/* --- writer: the caller's thread
 * ------------------------------------------------------------------------------- */

static void add_counts(struct batch_counts *to, const struct batch_counts *c)
{
    to->read_bytes += c->read_bytes;
    to->events += c->events;
    to->repeats += c->repeats;
    to->late += c->late;
    to->quarantined += c->quarantined;
    to->control_messages += c->control_messages;
    to->unknown_labels += c->unknown_labels;
    to->forged += c->forged;
    to->invalid_utf8 += c->invalid_utf8;
    to->invocations += c->invocations;
}

static enum status commit_job(struct runner *r, struct job *job, struct err *e)
{
    assert(job->batch == NULL); /* the packer freed it */
    if (job->commit == NULL)
        return OK;
    enum status s = r->sink->on_commit(r->ctx, job->commit, e);
    if (s != OK)
        r->sink->drop_commit(r->ctx, job->commit);
    return s;
}

static enum status write_all(struct runner *r, const struct import_options *o,
                             struct import_progress *result, struct err *e)
{
    for (;;) {
        bool is_closed = false;
        enum status s = OK;
        struct job *job = queue_pop(r->commits, IDLE_MS, &is_closed);
        if (job == NULL && is_closed)
            return OK;
        if (job == NULL) {
            s = r->sink->on_idle != NULL ? r->sink->on_idle(r->ctx, e) : OK;
        } else {
            struct batch_counts sum = result->counts;
            s = commit_job(r, job, e);
            add_counts(&sum, &job->counts);
            *result = job->at;
            result->counts = sum;
            free(job);
        }
        if (s != OK)
            return s;
        if (o->on_progress != NULL)
            o->on_progress(o->progress_ctx, result);
    }
}

static void drain_commits(struct runner *r)
{
    for (struct job *job; (job = queue_pop(r->commits, -1, NULL)) != NULL;) {
        if (job->commit != NULL)
            r->sink->drop_commit(r->ctx, job->commit);
        free(job);
    }
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
    pthread_t source, packer;

    if (pthread_create(&packer, NULL, run_packer, r) != 0)
        return err_set(e, ERR_IO, "starting a thread failed");
    if (pthread_create(&source, NULL, run_source, r) != 0) {
        queue_close(r->batches);
        pthread_join(packer, NULL);
        return err_set(e, ERR_IO, "starting a thread failed");
    }
    enum status written = write_all(r, o, result, e);
    /* After a failure this makes the others end; else they have ended. */
    queue_close(r->commits);
    queue_close(r->batches);
    drain_commits(r);
    pthread_join(source, NULL);
    pthread_join(packer, NULL);
    return outcome(r, written, e);
}

enum status collector_import(const struct import_options *o, const struct sink_ops *sink, void *ctx,
                             struct import_progress *result, struct err *e)
{
    struct runner r = {
        .source = {.options = o, .take = push_batch},
        .sink = sink,
        .ctx = ctx,
    };

    assert(sink->on_batch != NULL && sink->on_commit != NULL && sink->drop_commit != NULL);
    *result = (struct import_progress){0};
    r.source.take_ctx = &r;
    enum status s = file_source_open(&r.source, e);
    if (s == OK) {
        r.batches = queue_new(QUEUED_BATCHES);
        r.commits = queue_new(QUEUED_COMMITS);
        s = run_threads(&r, o, result, e);
        queue_free(r.batches);
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
