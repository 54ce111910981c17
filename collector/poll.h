/* Inside of collector/: one source, polled until it is told to end. No threads here: the runner
 * gives each its own. */
#ifndef FNSCOPE_COLLECTOR_POLL_H
#define FNSCOPE_COLLECTOR_POLL_H

#include "collector/source.h"
#include "core/base/queue.h"

struct poll_run {
    struct source *source;
    struct queue *wake; /* closed: wake up and look at the halt flag */
    const atomic_bool *halt;
    int64_t report_ns;
    bool is_once; /* ends after a round, or when the source has failed for a minute on end: its
                     status then has failures */
    enum status (*push)(void *ctx, struct batch *b); /* takes the batch in any case */
    void *push_ctx;
};
void poll_source(const struct poll_run *r);

#endif
