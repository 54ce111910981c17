/* Private to collector/: what an import and a collector share: jobs on their way from a source to
 * the packer, then, as commits, to the writer. */
#ifndef FNSCOPE_COLLECTOR_RUNNER_H
#define FNSCOPE_COLLECTOR_RUNNER_H

#include "collector/file_source.h"
#include "core/base/clock.h"
#include "core/base/queue.h"

enum {
    /* Between two threads: more would only use memory. */
    QUEUED_BATCHES = 1,
    QUEUED_COMMITS = 1,
    IDLE_MS = 1000, /* on_idle when nothing came so long */
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

/* Both take the job or batch, also where they fail. Any thread. */
MUST_CHECK enum status push_job(struct runner *r, struct job *job);
MUST_CHECK enum status push_batch(void *ctx, struct batch *b, const struct import_progress *at);
/* One without records: what is packed so far is to be committed. */
struct job *flush_job(void);
/* The packer thread; ctx is a struct runner. Ends when its queue is closed or it fails. */
void *run_packer(void *ctx);
/* Writer thread. The commit is the sink's afterwards, unless it failed. */
MUST_CHECK enum status commit_job(struct runner *r, struct job *job, struct err *e);
void free_job(struct runner *r, struct job *job);
void drain_commits(struct runner *r);

#endif
