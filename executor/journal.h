/* The durable memory of the executor: a SQLite file (WAL, synchronous=FULL unless its layout says
 * otherwise, 0600) and one thread that owns it. There are two: the journal of queues, events and
 * metrics, and the log store. The loop's thread submits operations; the journal's thread runs all
 * that have gathered in one transaction, commits, and hands them back; their `done` then runs on
 * the loop's thread. What was gathered while a commit was under way is the next transaction, at
 * most JOURNAL_GROUP operations: a lone operation waits for one commit only, a crowd shares one.
 *
 *     op->run: journal thread, inside the transaction, may run twice (a group that fails is rolled
 *              back and its operations are tried one by one), so it must not depend on having run
 *     op->done: loop thread, after the commit (OK) or when nothing of it was kept (anything else)
 *
 * Operations are run and handed back in the order they were submitted. They live in their owner's
 * struct and are borrowed until `done`.
 *
 * Without a loop (loop NULL: tests, loading) there is no thread: journal_submit() runs, commits and
 * calls `done` before it returns. */
#ifndef FNSCOPE_EXECUTOR_JOURNAL_H
#define FNSCOPE_EXECUTOR_JOURNAL_H

#include "core/base/loop.h"
#include "core/base/sql.h"

#define JOURNAL_GROUP 256
/* Operations under way; more are refused at once, so that a slow disk cannot eat the memory. */
#define JOURNAL_MAX_PENDING 65536

struct journal;
struct journal_op;

typedef enum status journal_run_fn(struct journal_op *op, struct journal *j, struct err *e);
typedef void journal_done_fn(struct journal_op *op, enum status s, const struct err *e);

struct journal_op {
    journal_run_fn *run;
    journal_done_fn *done;
    /* the journal's */
    enum status status;
    struct err *error; /* of a failed one */
};

/* Makes the tables of a file that has just been opened, or brings them to the newest layout. */
typedef enum status journal_layout_fn(struct sql *db, struct err *e);

/* Creates path or brings it to the newest layout. ERR_CONFIG for a foreign file or one of a newer
 * program, ERR_IO. */
MUST_CHECK enum status journal_open(const char *path, struct loop *l, journal_layout_fn *layout,
                                    struct journal **out, struct err *e);
/* The same in steps: with a loop, the file is opened on the journal's thread, which journal_go()
 * starts. Operations that are submitted before wait for it, and all fail when it cannot be opened;
 * what reads may be called after journal_ready() only, which waits. */
MUST_CHECK enum status journal_start(const char *path, struct loop *l, journal_layout_fn *layout,
                                     struct journal **out, struct err *e);
void journal_go(struct journal *j);
MUST_CHECK enum status journal_ready(struct journal *j, struct err *e);
/* Whether journal_ready() would not wait. */
bool journal_is_open(const struct journal *j);
/* Finishes what was submitted, calls its `done`, ends the thread. NULL is fine. */
void journal_close(struct journal *j);

/* Never blocks. ERR_LIMIT is given to `done` before this returns when too much is under way. */
void journal_submit(struct journal *j, struct journal_op *op);
/* Waits until everything submitted is done. Loop thread. */
void journal_flush(struct journal *j);
size_t journal_pending(const struct journal *j);

/* For `run`: a statement kept prepared, known by the address of its text. The caller resets it
 * (sql_run does). The loop's thread may use it for reading after journal_flush(), until it submits
 * the next operation. */
MUST_CHECK enum status journal_stmt(struct journal *j, const char *text, struct sql_stmt **out,
                                    struct err *e);

/* The connection, for the loop's thread: waits like journal_flush(), then is its own until it
 * submits the next operation. */
struct sql *journal_sql(struct journal *j);

/* Commits since the start and operations in them, for the metrics of the executor itself. */
struct journal_counts {
    uint64_t commits, operations, failures;
};
struct journal_counts journal_counts(const struct journal *j);

#endif
