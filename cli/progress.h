/* How an import tells how far it is: a bar on a terminal, a line every ten seconds elsewhere, a
 * summary at the end. */
#ifndef FNSCOPE_CLI_PROGRESS_H
#define FNSCOPE_CLI_PROGRESS_H

#include "cli/command.h"
#include "cli/pipeline.h"
#include "collector/collector.h"
#include "core/base/table.h"

struct progress {
    bool is_tty, is_quiet, says_where; /* the person said region, account or function */
    enum table_format format;          /* of the summary */
    int64_t begin_ns, last_ns;         /* monotonic */
    struct clock clock;
};
void progress_begin(struct progress *p, const struct cli *c);
/* As import_options.on_progress; ctx is a struct progress. */
void progress_show(void *ctx, const struct import_progress *now);
void progress_end(struct progress *p); /* clears the bar */
/* What came in, what to look at, and where the first events that could not be decoded stand. */
void progress_summary(struct progress *p, const struct import_progress *r,
                      const struct pipeline_samples *bad, struct buf *out);

#endif
