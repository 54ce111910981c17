/* Tables:
 *
 * queue        the queues, with their attributes as the JSON object the SQS API shows, and when
 *              they were purged last
 * message      every message and every waiting asynchronous event; the body last, so that reading
 *              the other columns at start does not touch its pages
 * dedup        de-duplication ids of FIFO queues, for five minutes
 * move_task    redrives of dead-letter queues
 * schedule     the last due time that was fired, by schedule
 * seen_file    the files a storage trigger has reported
 * series, point  metrics: sums of a minute */
#include "executor/journal_schema.h"

#include <stdio.h>

/* "FNSx" */
#define APPLICATION_ID 0x464e5378

static const char *const migrations[] = {
    "create table queue(id integer primary key, name text unique, created_ns int, modified_ns int,"
    " attributes text, tags text);"
    "create table message(seq integer primary key, queue int, id text, sent_ns int, arrived_ns int,"
    " visible_ns int, first_ns int, received int, receipt int, attempts int, source int, size int,"
    " grp text, attributes text, system text, body blob);"
    "create table dedup(queue int, id text, seq int, message text, until_ns int,"
    " primary key(queue, id)) without rowid;"
    "create table move_task(handle text primary key, source int, target int, rate int, status text,"
    " moved int, total int, started_ns int, reason text) without rowid;"
    "create table schedule(name text primary key, due_ns int) without rowid;"
    "create table seen_file(place text, path text, size int, mtime_ns int, inode int,"
    " primary key(place, path)) without rowid;"
    "create table series(id integer primary key, space text, name text, label text, value text,"
    " unique(space, name, label, value));"
    "create table point(series int, minute int, n int, sum int, low int, high int, data blob,"
    " primary key(series, minute)) without rowid;",
    "alter table queue add column purged_ns int not null default 0;",
};

static enum status check_identity(struct sql *db, int64_t *version, struct err *e)
{
    int64_t id = 0, tables = 0;
    enum status s = sql_read_i64(db, "pragma application_id", &id, e);

    if (s == OK)
        s = sql_read_i64(db, "pragma user_version", version, e);
    if (s == OK)
        s = sql_read_i64(db, "select count(*) from sqlite_schema", &tables, e);
    if (s != OK)
        return s;
    if (id != APPLICATION_ID && (id != 0 || tables != 0))
        return err_set(e, ERR_CONFIG,
                       STR_FMT ": a SQLite file of another program; name another state folder",
                       STR_ARG(sql_path(db)));
    if (*version > (int64_t)ARRAY_LEN(migrations))
        return err_set(e, ERR_CONFIG,
                       STR_FMT ": written by a newer fnexec (layout %lld, this one knows %zu): "
                               "update fnscope",
                       STR_ARG(sql_path(db)), (long long)*version, ARRAY_LEN(migrations));
    return OK;
}

/* Closing the file undoes what an error leaves open. */
static enum status migrate_from(struct sql *db, int64_t version, struct err *e)
{
    char text[128];

    if (sql_exec(db, "begin immediate", e) != OK)
        return err_wrap(e, "migration");
    for (size_t i = (size_t)version; i < ARRAY_LEN(migrations); i++)
        if (sql_exec(db, migrations[i], e) != OK)
            return err_wrap(e, "migration %zu", i + 1);
    snprintf(text, sizeof(text), "pragma application_id=%d; pragma user_version=%zu",
             APPLICATION_ID, ARRAY_LEN(migrations));
    if (sql_exec(db, text, e) != OK || sql_exec(db, "commit", e) != OK)
        return err_wrap(e, "migration");
    return OK;
}

enum status journal_migrate(struct sql *db, struct err *e)
{
    int64_t version = 0;
    enum status s = check_identity(db, &version, e);

    if (s != OK || version == (int64_t)ARRAY_LEN(migrations))
        return s;
    if (version > 0)
        return migrate_from(db, version, e);
    /* Empty tables are no loss: the first commit of a row waits for the disk, and takes them along.
     */
    if (sql_exec(db, "pragma synchronous=off", e) != OK)
        return err_wrap(e, "migration");
    s = migrate_from(db, version, e);
    return s == OK ? sql_exec(db, "pragma synchronous=full", e) : s;
}
