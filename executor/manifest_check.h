/* What a manifest names is held against what is there: programs of functions, queues. `fnexec
 * check` and `fnexec serve` ask the same questions here, so that neither passes what the other
 * refuses. Errors are ERR_CONFIG "functions.yaml:3:5: what is wrong and what to do". */
#ifndef FNSCOPE_EXECUTOR_MANIFEST_CHECK_H
#define FNSCOPE_EXECUTOR_MANIFEST_CHECK_H

#include "executor/fndef.h"
#include "executor/message_queue.h"

/* The program of runtime c, the bootstrap of runtime provided. */
MUST_CHECK enum status manifest_check_programs(const struct manifest *m, struct err *e);

/* Each dead-letter queue, destination and queue trigger finds its queue, or its function. `made`:
 * the queues that exist already, made through the API too; NULL: a manifest stands by itself. What
 * the manifest defines counts as it defines it. */
MUST_CHECK enum status manifest_check_queues(const struct manifest *m, const struct mq *made,
                                             struct err *e);

/* Adds a line "functions.yaml:3:5: ..." for each thing that is allowed and yet looks like a slip.
 * `runtimes`: the folder of the bootstraps; empty: not looked at. */
void manifest_doubts(const struct manifest *m, struct str runtimes, int64_t now_ns,
                     struct buf *out);
/* The same to the log. */
void manifest_log_doubts(const struct manifest *m, struct str runtimes);
/* One such line: "functions.yaml:3:5: what why". */
void manifest_doubt(const struct manifest *m, const struct yaml_node *n, struct buf *out,
                    struct str what, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
