/* Private to core/base/sql.c: a VFS over the system's that gathers writes to a WAL or a database
 * which follow one another, and makes one of them. SQLite hands over each page of a WAL in two
 * writes, 24 bytes and 4,096, and a checkpoint each page of the database in one: tens of thousands
 * of calls for some megabytes in a row.
 *
 * What is gathered reaches the file before anything else is done with it through this connection: a
 * read, a sync, a truncation. Others read of a WAL only what its commit shows them, and of the
 * database only what a checkpoint says it has put there; with synchronous=FULL both are synced
 * before; so this VFS is for connections that keep to FULL. A
 * process that dies loses what it had gathered: the same as if it had died before those writes. */
#ifndef FNSCOPE_CORE_BASE_SQL_GATHER_H
#define FNSCOPE_CORE_BASE_SQL_GATHER_H

/* The VFS's name, for sqlite3_open_v2. */
const char *sql_gather_vfs(void);

#endif
