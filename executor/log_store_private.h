/* Private to executor/log_store.c, log_commit.c, log_read.c and xray.c, which keeps its segments in
 * the same file. */
#ifndef FNSCOPE_EXECUTOR_LOG_STORE_PRIVATE_H
#define FNSCOPE_EXECUTOR_LOG_STORE_PRIVATE_H

#include "core/base/buf.h"
#include "executor/journal.h"
#include "executor/log_spool.h"
#include "executor/log_store.h"

#define LOG_KEY_BYTES 32

struct log_line {
    int64_t stream, time_ms;
    size_t at, n; /* in the batch's text */
};

/* What a batch does to a stream and its group. */
struct log_touch {
    int64_t stream, first_ms, last_ms, bytes;
};

/* A stream that the file does not have yet. */
struct log_opened {
    int64_t stream, created_ms;
    char *names; /* of the group, then its own */
    size_t group_n, name_n;
};

/* The rows of the streams, by their identity in memory. Journal's thread. */
struct log_rows {
    struct log_row {
        int64_t stream, group;
    } * items;
    size_t cap;
};

/* Lines that are committed together. Filled on the loop's thread, then read on the journal's. */
struct log_batch {
    struct journal_op op;
    struct log_store *store;
    struct log_rows *rows;
    struct log_line *lines;
    size_t n_lines, lines_cap;
    struct log_opened *opened;
    size_t n_opened, opened_cap;
    struct log_touch *touched;
    size_t n_touched, touched_cap;
    struct buf text;
    int64_t first_seq, now_ms;
    struct log_spool *spool; /* where its lines are until they are committed; NULL: in memory */
};

/* Tables of a log file, and its key. */
MUST_CHECK enum status log_layout(struct sql *db, struct err *e);
/* journal_run_fn of a batch. */
MUST_CHECK enum status log_batch_run(struct journal_op *op, struct journal *j, struct err *e);
/* Removes what is older. Journal's thread. */
MUST_CHECK enum status log_prune_run(struct journal *j, int64_t before_ms, struct err *e);

struct journal *log_store_journal(struct log_store *s);
/* The connection, once nothing is under way; for one call of the loop's thread. */
struct sql *log_store_db(struct log_store *s);

#endif
