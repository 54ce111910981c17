/* Private to core/base/sql.c: a VFS over the system's that gathers writes to a WAL which follow one
 * another, and makes one of them. SQLite hands over each page in two writes, 24 bytes and 4,096:
 * tens of thousands of calls for some megabytes in a row.
 *
 * What is gathered reaches the file before anything else is done with it through this connection: a
 * read, a sync, a truncation. Others read of a WAL only what its commit shows them, and with
 * synchronous=FULL that is synced before; so this VFS is for connections that keep to FULL. A
 * process that dies loses what it had gathered: the same as if it had died before those writes.
 *
 * Not of the database: a checkpoint that readers hold up notes how far it came without a sync, and
 * a write that fails or is lost behind that note is never made again. */
#ifndef FNSCOPE_CORE_BASE_SQL_GATHER_H
#define FNSCOPE_CORE_BASE_SQL_GATHER_H

/* The VFS's name, for sqlite3_open_v2. */
const char *sql_gather_vfs(void);

#endif
