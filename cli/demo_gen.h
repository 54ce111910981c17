/* Writes logs of an invented company: forty functions over some days, with the troubles people
 * have. The same seed, days and end give the same bytes. */
#ifndef FNSCOPE_CLI_DEMO_GEN_H
#define FNSCOPE_CLI_DEMO_GEN_H

#include "core/base/buf.h"

struct demo_options {
    uint64_t seed;
    unsigned days, functions; /* functions: at most 40 */
    int64_t end_ns;           /* the last day ends here */
};

struct demo_totals {
    uint64_t files, invocations, events;
};

/* One zstd file a function into the folder, in the form Firehose delivers subscription records.
 * What happens, by design: a memory leak that ends out of memory (image-resize), a bad deploy
 * rolled back (checkout-api), a storm of asynchronous retries (order-events), a wave of timeouts
 * (report-builder). */
MUST_CHECK enum status demo_generate(const char *dir, const struct demo_options *o,
                                     struct demo_totals *out, struct err *e);

#endif
