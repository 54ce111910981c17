/* What happens to the log file on the journal's thread: events clustered by (group, time, arrival),
 * the order they are read in. */
#include "executor/log_store_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/rng.h"

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
    "create index if not exists segments_end on segments(end_ms);";

static enum status make_key(struct sql *db, struct err *e)
{
    char fresh[LOG_KEY_BYTES];
    struct sql_stmt *st;
    enum status s = sql_prepare(
        db, STR("insert into meta(key, value) values('token_key', ?) on conflict do nothing"), &st,
        e);

    if (s != OK)
        return s;
    rng_bytes(fresh, sizeof(fresh));
    sql_bind_blob(st, 1, (struct str){fresh, sizeof(fresh)});
    s = sql_run(st, e);
    sql_finalize(st);
    return s;
}

/* Lines may be lost with the power, never the file; so empty tables need not wait for the disk.
 * Closing the file undoes what an error leaves open. */
enum status log_layout(struct sql *db, struct err *e)
{
    enum status s = sql_exec(db, "pragma synchronous=off; pragma cache_size=-2000", e);

    if (s == OK)
        s = sql_exec(db, schema, e);
    if (s == OK)
        s = make_key(db, e);
    return s == OK ? sql_exec(db, "commit; pragma synchronous=normal", e) : s;
}

/* Runs a statement that returns one number. */
static enum status run_for_id(struct sql_stmt *st, int64_t *id, struct err *e)
{
    bool has_row = false;
    enum status s = sql_step(st, &has_row, e);

    if (s == OK && !has_row)
        s = err_set(e, ERR_BUG, "log store: a row has no identity");
    if (s == OK)
        *id = sql_i64(st, 0);
    sql_reset(st);
    return s;
}

static enum status make_rows(const struct log_opened *o, struct log_row *row, struct journal *j,
                             struct err *e)
{
    static const char group_text[] = "insert into log_groups(name, created_ms) values(?1, ?2)"
                                     " on conflict(name) do update set name = name returning id";
    static const char stream_text[] =
        "insert into log_streams(group_id, name, created_ms) values(?1, ?2, ?3)"
        " on conflict(group_id, name) do update set name = name returning id";
    struct sql_stmt *group, *stream;
    enum status s = journal_stmt(j, group_text, &group, e);

    if (s == OK)
        s = journal_stmt(j, stream_text, &stream, e);
    if (s != OK)
        return s;
    sql_bind_str(group, 1, (struct str){o->names, o->group_n});
    sql_bind_i64(group, 2, o->created_ms);
    s = run_for_id(group, &row->group, e);
    if (s != OK)
        return s;
    sql_bind_i64(stream, 1, row->group);
    sql_bind_str(stream, 2, (struct str){o->names + o->group_n, o->name_n});
    sql_bind_i64(stream, 3, o->created_ms);
    return run_for_id(stream, &row->stream, e);
}

static struct log_row *row_of(struct log_rows *rows, int64_t stream)
{
    size_t i = (size_t)stream;

    if (i >= rows->cap) {
        size_t cap = i + i / 2 + 64;
        rows->items = xreallocarray(rows->items, cap, sizeof(*rows->items));
        memset(rows->items + rows->cap, 0, (cap - rows->cap) * sizeof(*rows->items));
        rows->cap = cap;
    }
    return &rows->items[i];
}

static enum status open_streams(const struct log_batch *b, struct journal *j, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < b->n_opened; i++)
        s = make_rows(&b->opened[i], row_of(b->rows, b->opened[i].stream), j, e);
    return s;
}

static enum status insert_lines(const struct log_batch *b, struct journal *j, struct err *e)
{
    static const char text[] = "insert into log_events(group_id, time_ms, seq, stream_id,"
                               " ingestion_ms, message) values(?, ?, ?, ?, ?, ?)";
    struct sql_stmt *st;
    enum status s = journal_stmt(j, text, &st, e);

    for (size_t i = 0; s == OK && i < b->n_lines; i++) {
        const struct log_line *l = &b->lines[i];
        const struct log_row *row = row_of(b->rows, l->stream);
        sql_bind_i64(st, 1, row->group);
        sql_bind_i64(st, 2, l->time_ms);
        sql_bind_i64(st, 3, b->first_seq + (int64_t)i);
        sql_bind_i64(st, 4, row->stream);
        sql_bind_i64(st, 5, b->now_ms);
        sql_bind_str(st, 6, str_sub(buf_str(&b->text), l->at, l->n));
        s = sql_run(st, e);
    }
    return s;
}

static enum status touch(const struct log_touch *t, const struct log_row *row, int64_t now_ms,
                         struct journal *j, struct err *e)
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
    sql_bind_i64(stream, 1, row->stream);
    sql_bind_i64(stream, 2, t->first_ms);
    sql_bind_i64(stream, 3, t->last_ms);
    sql_bind_i64(stream, 4, now_ms);
    sql_bind_i64(group, 1, row->group);
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
    enum status s = open_streams(b, j, e);

    if (s == OK)
        s = insert_lines(b, j, e);
    for (size_t i = 0; s == OK && i < b->n_touched; i++)
        s = touch(&b->touched[i], row_of(b->rows, b->touched[i].stream), b->now_ms, j, e);
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
