/* What happens to the log file on the journal's thread: events clustered by (group, time, arrival),
 * the order they are read in. */
#include "executor/log_store_private.h"

static const char schema[] =
    "begin immediate;"
    "create table if not exists meta(key text primary key, value blob) without rowid;"
    "create table if not exists log_groups(id integer primary key, name text not null unique,"
    " created_ms integer not null, stored_bytes integer not null default 0);"
    "create table if not exists log_streams(id integer primary key, group_id integer not null,"
    " name text not null, created_ms integer not null, first_ms integer, last_ms integer,"
    " last_ingestion_ms integer, unique(group_id, name));"
    "create table if not exists log_events(group_id integer not null, time_ms integer not null,"
    " seq integer not null, stream_id integer not null, ingestion_ms integer not null,"
    " message text not null, primary key(group_id, time_ms, seq)) without rowid;"
    "create table if not exists segments(trace_id text not null, id text not null,"
    " begin_ms integer not null, end_ms integer not null, flags integer not null,"
    " name text not null, document text not null, primary key(trace_id, id)) without rowid;"
    "create index if not exists segments_time on segments(begin_ms);"
    "create index if not exists segments_end on segments(end_ms);"
    "commit";

/* Lines may be lost with the power, never the file; so empty tables need not wait for the disk. */
enum status log_layout(struct sql *db, struct err *e)
{
    enum status s = sql_exec(db, "pragma synchronous=off; pragma cache_size=-2000", e);

    if (s == OK)
        s = sql_exec(db, schema, e);
    return s == OK ? sql_exec(db, "pragma synchronous=normal", e) : s;
}

static enum status insert_lines(const struct log_batch *b, struct journal *j, struct err *e)
{
    static const char text[] = "insert into log_events(group_id, time_ms, seq, stream_id,"
                               " ingestion_ms, message) values(?, ?, ?, ?, ?, ?)";
    struct sql_stmt *st;
    enum status s = journal_stmt(j, text, &st, e);

    for (size_t i = 0; s == OK && i < b->n_lines; i++) {
        const struct log_line *l = &b->lines[i];
        sql_bind_i64(st, 1, l->group);
        sql_bind_i64(st, 2, l->time_ms);
        sql_bind_i64(st, 3, b->first_seq + (int64_t)i);
        sql_bind_i64(st, 4, l->stream);
        sql_bind_i64(st, 5, b->now_ms);
        sql_bind_str(st, 6, str_sub(buf_str(&b->text), l->at, l->n));
        s = sql_run(st, e);
    }
    return s;
}

static enum status touch(const struct log_touch *t, int64_t now_ms, struct journal *j,
                         struct err *e)
{
    static const char stream_text[] =
        "update log_streams set first_ms = min(coalesce(first_ms, ?2), ?2),"
        " last_ms = max(coalesce(last_ms, ?3), ?3), last_ingestion_ms = ?4 where id = ?1";
    static const char group_text[] =
        "update log_groups set stored_bytes = stored_bytes + ?2 where id = ?1";
    struct sql_stmt *stream, *group;
    enum status s = journal_stmt(j, stream_text, &stream, e);

    if (s == OK)
        s = journal_stmt(j, group_text, &group, e);
    if (s != OK)
        return s;
    sql_bind_i64(stream, 1, t->stream);
    sql_bind_i64(stream, 2, t->first_ms);
    sql_bind_i64(stream, 3, t->last_ms);
    sql_bind_i64(stream, 4, now_ms);
    sql_bind_i64(group, 1, t->group);
    sql_bind_i64(group, 2, t->bytes);
    s = sql_run(stream, e);
    return s == OK ? sql_run(group, e) : s;
}

/* Where the next run of the program goes on counting; finding the newest would read every line. */
static enum status put_next_seq(int64_t next, struct journal *j, struct err *e)
{
    static const char text[] = "insert into meta(key, value) values('next_seq', ?)"
                               " on conflict(key) do update set value = excluded.value";
    struct sql_stmt *st;
    enum status s = journal_stmt(j, text, &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, next);
    return sql_run(st, e);
}

enum status log_batch_run(struct journal_op *op, struct journal *j, struct err *e)
{
    const struct log_batch *b = (const struct log_batch *)op;
    enum status s = insert_lines(b, j, e);

    for (size_t i = 0; s == OK && i < b->n_touched; i++)
        s = touch(&b->touched[i], b->now_ms, j, e);
    return s == OK ? put_next_seq(b->first_seq + (int64_t)b->n_lines, j, e) : s;
}

static enum status run_before(struct journal *j, const char *text, int64_t before_ms, struct err *e)
{
    struct sql_stmt *st;
    enum status s = journal_stmt(j, text, &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, before_ms);
    return sql_run(st, e);
}

enum status log_prune_run(struct journal *j, int64_t before_ms, struct err *e)
{
    static const char events[] = "delete from log_events where group_id in"
                                 " (select id from log_groups) and time_ms < ?";
    static const char streams[] = "delete from log_streams where last_ms < ?";
    static const char segments[] = "delete from segments where begin_ms < ?";
    enum status s = run_before(j, events, before_ms, e);

    if (s == OK)
        s = run_before(j, streams, before_ms, e);
    return s == OK ? run_before(j, segments, before_ms, e) : s;
}
