/* Log lines that no commit has stored yet, where the end of this process does not reach: a file
 * that is mapped and shared, so that adding a line is a copy and no system call, and the kernel
 * keeps what was copied whatever becomes of us. The next start finds the file and stores its lines.
 * (A machine that loses its power may lose them: nothing here is synced. Each record has a check
 * sum, so what the disk has of a file is read as far as it is whole.)
 *
 * The log store has two, one a batch, and fills them in turn. Whether the lines of a file are
 * stored already is said by the number of its first line: below the store's next one, which is
 * committed with the lines. A file belongs to one thread. */
#ifndef FNSCOPE_EXECUTOR_LOG_SPOOL_H
#define FNSCOPE_EXECUTOR_LOG_SPOOL_H

#include "core/base/err.h"
#include "core/base/str.h"

struct log_spool;

/* A line; or, with a group, what the stream of this number is called: before its first line. */
struct spool_record {
    int64_t stream, ms; /* of the line; when the stream was made */
    struct str group, text;
};

/* Makes the file BASE-spool-NUMBER, which must not exist. ERR_IO. */
MUST_CHECK enum status log_spool_create(const char *base, uint64_t number, struct log_spool **out,
                                        struct err *e);
/* The files that runs before this one left, oldest first. The caller closes or removes each, and
 * frees the list. ERR_IO. */
MUST_CHECK enum status log_spool_leftovers(const char *base, struct log_spool ***out, size_t *n,
                                           struct err *e);

/* Empties it for the lines of a batch. The numbers of batches rise. */
void log_spool_begin(struct log_spool *sp, uint64_t number, int64_t first_seq);
/* Its lines are stored: gives them and their memory back. */
void log_spool_clear(struct log_spool *sp);
/* first_seq 0: not known yet, so none of its lines is stored. */
void log_spool_place(struct log_spool *sp, int64_t first_seq);
/* A disk without room is told once a batch; its further lines are in memory only. */
void log_spool_add(struct log_spool *sp, const struct spool_record *r);

uint64_t log_spool_number(const struct log_spool *sp);
int64_t log_spool_first_seq(const struct log_spool *sp);
/* The record at *at (0: the first), and goes on to the next. Views into the file. */
bool log_spool_next(const struct log_spool *sp, size_t *at, struct spool_record *out);

/* NULL is fine for both. */
void log_spool_close(struct log_spool *sp); /* the file stays */
void log_spool_remove(struct log_spool *sp);

#endif
