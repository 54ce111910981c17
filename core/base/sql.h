/* SQLite behind a small door: opening with our pragmas, statements, errors with context. The only
 * user of sqlite3.h besides core/store/vtab_*.c. A handle belongs to one thread. */
#ifndef FNSCOPE_CORE_BASE_SQL_H
#define FNSCOPE_CORE_BASE_SQL_H

#include "core/base/err.h"
#include "core/base/str.h"

struct sql;      /* a connection */
struct sql_stmt; /* a prepared statement */

enum sql_mode {
    SQL_READ_ONLY,  /* never creates, never checkpoints */
    SQL_READ_WRITE, /* creates 0600; WAL, synchronous=FULL, page 4096, cache 7 MB, checkpoint
                       10000 */
    SQL_EXCLUSIVE   /* the same, for a file that nobody else opens meanwhile: no locks to take for
                       each statement, no shared memory. ERR_AGAIN for the second. A new file is
                       not waited for: sql_sync() before the first commit that matters */
};

#define SQL_IN_MEMORY ":memory:" /* as a path: a database without a file */
/* As a path, SQL_EXCLUSIVE: one for much that is to be sorted. What its 2 MB of cache do not hold
 * goes to a file without a name in the temporary folder (SQLITE_TMPDIR, TMPDIR, /var/tmp, /tmp). */
#define SQL_IN_TEMPORARY_FILE ""

/* For programs that start often, before the first connection and the first thread: SQLite keeps no
 * statistics of its memory, a lock around every allocation, and makes no pages in advance. */
void sql_start_quickly(void);
/* For programs that fill the cache of a connection, before the first one and the first thread: its
 * pages lie together, in large pages where the system has some, instead of between everything else
 * that comes and goes. Without statistics, as above. */
void sql_pool_pages(void);

MUST_CHECK enum status sql_open(const char *path, enum sql_mode mode, struct sql **out,
                                struct err *e);
void sql_close(struct sql *db); /* finalizes what is left; NULL is fine */
/* Waits until a new SQL_EXCLUSIVE file is on the disk, WAL or not; does nothing when it is. */
MUST_CHECK enum status sql_sync(struct sql *db, struct err *e);
MUST_CHECK enum status sql_exec(struct sql *db, const char *text, struct err *e);
MUST_CHECK enum status sql_prepare(struct sql *db, struct str text, struct sql_stmt **out,
                                   struct err *e);
void sql_finalize(struct sql_stmt *st);
void sql_reset(struct sql_stmt *st); /* also clears bindings */

/* Parameters count from 1, columns from 0. Bound views must live until the step (no copy). */
void sql_bind_i64(struct sql_stmt *st, int i, int64_t v);
void sql_bind_str(struct sql_stmt *st, int i, struct str v);
void sql_bind_blob(struct sql_stmt *st, int i, struct str v);
void sql_bind_null(struct sql_stmt *st, int i);
/* *has_row false at the end. ERR_AGAIN when locked, ERR_IO with the file name else. */
MUST_CHECK enum status sql_step(struct sql_stmt *st, bool *has_row, struct err *e);
MUST_CHECK enum status sql_run(struct sql_stmt *st,
                               struct err *e); /* step to the end, then reset */
/* The first column of the first row of a query without parameters; no row leaves *out as it was. */
MUST_CHECK enum status sql_read_i64(struct sql *db, const char *text, int64_t *out, struct err *e);

int sql_columns(const struct sql_stmt *st);
const char *sql_column_name(const struct sql_stmt *st, int i);
bool sql_is_null(const struct sql_stmt *st, int i);
int64_t sql_i64(const struct sql_stmt *st, int i);
struct str sql_str(const struct sql_stmt *st, int i); /* valid until the next step */
struct str sql_blob(const struct sql_stmt *st, int i);
int64_t sql_changes(struct sql *db);
struct str sql_path(const struct sql *db);
void *sql_raw(struct sql *db); /* sqlite3 *, for vtab_*.c */

#endif
