/* What happens to environments and invocations, written down: platform and application lines into
 * the log groups, facts to observers, segments for X-Ray. */
#ifndef FNSCOPE_EXECUTOR_TELEMETRY_H
#define FNSCOPE_EXECUTOR_TELEMETRY_H

#include "executor/executor.h"
#include "executor/log_store.h"
#include "executor/platform_lines.h"

#define LOG_TAIL_BYTES ((size_t)4096) /* of X-Amz-Log-Result */

struct telemetry;

/* A log stream: one execution environment. */
struct telemetry_stream {
    const struct fndef *fn;
    struct log_target log; /* named 2026/01/15[$LATEST]<32 hex>; in the owner's arena */
};

/* Lines may be added at once. telemetry_go() begins to open the log store, from which they can be
 * read after telemetry_ready(), which waits for it. */
MUST_CHECK enum status telemetry_start(struct executor *x, int64_t retention_ns,
                                       struct telemetry **out, struct err *e);
void telemetry_go(struct telemetry *t);
MUST_CHECK enum status telemetry_ready(struct telemetry *t, struct err *e);
bool telemetry_is_open(const struct telemetry *t); /* whether it would not wait */
void telemetry_close(struct telemetry *t);         /* NULL is fine */
/* What is logged of this function goes to standard error as well, as it comes. NULL: of none. */
void telemetry_echo(struct telemetry *t, const struct fndef *fn);
struct log_store *telemetry_logs(struct telemetry *t);

void telemetry_stream_open(struct telemetry *t, const struct fndef *fn, struct arena *a,
                           struct telemetry_stream *out);
/* Both also append to `tail` when it is given, which keeps the last LOG_TAIL_BYTES at least. */
void telemetry_platform(struct telemetry *t, const struct telemetry_stream *s, struct buf *tail,
                        enum platform_line kind, const struct platform_facts *f);
/* One event of the function: secrets are taken out. */
void telemetry_line(struct telemetry *t, const struct telemetry_stream *s, struct buf *tail,
                    struct str message);

#endif
