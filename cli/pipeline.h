/* The writing side in one place: what happens to a batch between its source and the store. */
#ifndef FNSCOPE_CLI_PIPELINE_H
#define FNSCOPE_CLI_PIPELINE_H

#include "analyzer/analyzer.h"
#include "cli/live_cost.h"
#include "cli/watch.h"
#include "collector/collector.h"
#include "core/store/store.h"

/* The first events that could not be decoded, for the summary; cut to fit. */
struct pipeline_samples {
    struct {
        char place[160], reason[120];
    } first[3];
    size_t n;
};

void pipeline_sample(struct pipeline_samples *s,
                     const struct quarantined *q); /* while there is room */

/* One run of the writing side. Everything is borrowed but the correlator and packer inside. */
struct pipeline {
    struct store *store;
    const struct cost_context *cost;
    struct packer *packer;
    struct correlator *correlator;
    bool gathers_commits;  /* several in one transaction: nobody reads the rows on this side */
    struct watch *watch;   /* evaluates alerts after commits and when idle; NULL: nobody does */
    int64_t said_ns;       /* monotonic: when the log last said that alerts are not evaluated */
    struct live_cost live; /* configurations that came meanwhile */
    struct pipeline_samples samples; /* written by the packer thread; read when it has ended */
};

MUST_CHECK enum status pipeline_open(struct pipeline *p, struct store *s,
                                     const struct cost_context *cost, struct err *e);
void pipeline_close(struct pipeline *p);
/* Between two runs, when all that came is stored: `cost` is read from the store since, and borrowed
 * as that of pipeline_open. */
void pipeline_price_with(struct pipeline *p, const struct cost_context *cost);
/* What an import asks of the store, on a connection of its own: that of the thread that reads the
 * files. NULL: there is nothing yet. */
struct import_lookups pipeline_lookups(struct store *reader);
extern const struct sink_ops pipeline_sink; /* its ctx is a struct pipeline */

#endif
