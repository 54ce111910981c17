/* groups, streams and events in SQLite; events clustered by (group, time, arrival), the order they
 * are read in. */
#include "executor/log_store_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/base/sql.h"

#define COMMIT_AFTER_NS (20 * NS_PER_MS)
#define COMMIT_LINES    512
#define PENDING_BYTES   ((size_t)64 << 20)
#define KEY_BYTES       32

static const char schema[] =
    "create table if not exists meta(key text primary key, value blob) without rowid;"
    "create table if not exists log_groups(id integer primary key, name text not null unique,"
    " created_ms integer not null, stored_bytes integer not null default 0);"
    "create table if not exists log_streams(id integer primary key, group_id integer not null,"
    " name text not null, created_ms integer not null, first_ms integer, last_ms integer,"
    " last_ingestion_ms integer, unique(group_id, name));"
    "create table if not exists log_events(group_id integer not null, time_ms integer not null,"
    " seq integer not null, stream_id integer not null, ingestion_ms integer not null,"
    " message text not null, primary key(group_id, time_ms, seq)) without rowid;";

struct line {
    int64_t stream, time_ms;
    size_t at, n; /* in the text buffer */
};

/* What a flush does to a stream, summed up over its lines. */
struct stream_state {
    int64_t group, first_ms, last_ms, bytes;
    bool is_changed;
};

struct log_store {
    struct sql *db;
    struct loop *loop;
    int64_t retention_ns, next_seq;
    struct line *lines;
    size_t n_lines, lines_cap;
    struct buf text;
    struct stream_state *streams; /* by id - first of this run; index = id */
    size_t streams_cap;
    struct loop_timer commit_timer;
    struct sql_stmt *insert, *touch_stream, *touch_group;
    char key[KEY_BYTES];
    uint64_t lost; /* lines that could not be stored */
};

/* --- opening --- */

static enum status read_i64(struct sql *db, const char *text, int64_t *out, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    enum status s = sql_prepare(db, str_from(text), &st, e);
    if (s != OK)
        return s;
    s = sql_step(st, &has_row, e);
    if (s == OK && has_row)
        *out = sql_i64(st, 0);
    sql_finalize(st);
    return s;
}

static enum status read_key(struct log_store *s, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    enum status status =
        sql_prepare(s->db, STR("select value from meta where key = 'token_key'"), &st, e);
    if (status != OK)
        return status;
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row && sql_blob(st, 0).n == KEY_BYTES)
        memcpy(s->key, sql_blob(st, 0).p, KEY_BYTES);
    sql_finalize(st);
    return status;
}

static enum status make_key(struct log_store *s, struct err *e)
{
    struct sql_stmt *st;
    char fresh[KEY_BYTES];

    rng_bytes(fresh, sizeof(fresh));
    enum status status = sql_prepare(
        s->db, STR("insert into meta(key, value) values('token_key', ?) on conflict do nothing"),
        &st, e);
    if (status != OK)
        return status;
    sql_bind_blob(st, 1, (struct str){fresh, sizeof(fresh)});
    status = sql_run(st, e);
    sql_finalize(st);
    return status == OK ? read_key(s, e) : status;
}

static enum status prepare(struct log_store *s, struct err *e)
{
    static const char insert[] = "insert into log_events(group_id, time_ms, seq, stream_id,"
                                 " ingestion_ms, message) values(?, ?, ?, ?, ?, ?)";
    static const char stream[] =
        "update log_streams set first_ms = min(coalesce(first_ms, ?2), ?2),"
        " last_ms = max(coalesce(last_ms, ?3), ?3), last_ingestion_ms = ?4 where id = ?1";
    static const char group[] =
        "update log_groups set stored_bytes = stored_bytes + ?2 where id = ?1";

    if (sql_prepare(s->db, str_from(insert), &s->insert, e) != OK ||
        sql_prepare(s->db, str_from(stream), &s->touch_stream, e) != OK ||
        sql_prepare(s->db, str_from(group), &s->touch_group, e) != OK)
        return e ? e->code : ERR_IO;
    return OK;
}

static void on_commit_due(void *ctx)
{
    struct log_store *s = ctx;
    struct err e = {0};

    if (log_store_flush(s, &e) != OK)
        log_event(LOG_ERROR, "log store: %s; lines may be lost", e.msg);
}

static enum status open_into(struct log_store *s, const char *path, struct err *e)
{
    enum status status = sql_open(path, SQL_READ_WRITE, &s->db, e);

    if (status == OK)
        status = sql_exec(s->db, "pragma synchronous=normal; pragma cache_size=-2000", e);
    if (status == OK)
        status = sql_exec(s->db, schema, e);
    if (status == OK)
        status = make_key(s, e);
    if (status == OK)
        status =
            read_i64(s->db, "select coalesce(max(seq), 0) + 1 from log_events", &s->next_seq, e);
    return status == OK ? prepare(s, e) : status;
}

enum status log_store_open(const char *path, struct loop *l, int64_t retention_ns,
                           struct log_store **out, struct err *e)
{
    struct log_store *s = xcalloc(1, sizeof(*s));

    s->loop = l;
    s->retention_ns = retention_ns;
    s->text.max = PENDING_BYTES;
    s->commit_timer = (struct loop_timer){.fn = on_commit_due, .ctx = s};
    enum status status = open_into(s, path, e);
    if (status != OK) {
        log_store_close(s);
        return status;
    }
    *out = s;
    return OK;
}

void log_store_close(struct log_store *s)
{
    if (!s)
        return;
    if (s->insert)
        on_commit_due(s);
    if (s->loop)
        loop_timer_cancel(s->loop, &s->commit_timer);
    sql_finalize(s->insert);
    sql_finalize(s->touch_stream);
    sql_finalize(s->touch_group);
    sql_close(s->db);
    buf_clear(&s->text);
    free(s->lines);
    free(s->streams);
    free(s);
}

struct sql *log_store_db(struct log_store *s)
{
    return s->db;
}

struct str log_store_key(const struct log_store *s)
{
    return (struct str){s->key, sizeof(s->key)};
}

/* --- writing --- */

/* Runs a statement of one text and two numbers that returns an identity; 0 when no row comes. */
static enum status row_id(struct log_store *s, const char *text, struct str name, int64_t number,
                          int64_t *id, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    enum status status = sql_prepare(s->db, str_from(text), &st, e);
    if (status != OK)
        return status;
    sql_bind_str(st, 1, name);
    sql_bind_i64(st, 2, number);
    status = sql_step(st, &has_row, e);
    if (status == OK)
        *id = has_row ? sql_i64(st, 0) : 0;
    sql_finalize(st);
    return status;
}

/* The summary of a stream while its lines wait to be committed. */
static struct stream_state *state_of(struct log_store *s, int64_t id)
{
    size_t i = (size_t)id;

    if (i >= s->streams_cap) {
        size_t cap = i + i / 2 + 64;
        s->streams = xreallocarray(s->streams, cap, sizeof(*s->streams));
        memset(s->streams + s->streams_cap, 0, (cap - s->streams_cap) * sizeof(*s->streams));
        s->streams_cap = cap;
    }
    return &s->streams[i];
}

enum status log_store_stream(struct log_store *s, struct str group, struct str stream,
                             int64_t now_ns, int64_t *id, struct err *e)
{
    static const char add_group[] = "insert into log_groups(name, created_ms) values(?1, ?2)"
                                    " on conflict(name) do update set name = name returning id";
    static const char add_stream[] =
        "insert into log_streams(group_id, name, created_ms) values(?2, ?1, ?3)"
        " on conflict(group_id, name) do update set name = name returning id";
    struct sql_stmt *st;
    int64_t group_id = 0;
    bool has_row;

    enum status status = row_id(s, add_group, group, now_ns / NS_PER_MS, &group_id, e);
    if (status == OK)
        status = sql_prepare(s->db, str_from(add_stream), &st, e);
    if (status != OK)
        return status;
    sql_bind_str(st, 1, stream);
    sql_bind_i64(st, 2, group_id);
    sql_bind_i64(st, 3, now_ns / NS_PER_MS);
    status = sql_step(st, &has_row, e);
    if (status == OK) {
        *id = sql_i64(st, 0);
        state_of(s, *id)->group = group_id;
    }
    sql_finalize(st);
    return status;
}

void log_store_add(struct log_store *s, int64_t stream, int64_t wall_ns, struct str message)
{
    struct stream_state *state = state_of(s, stream);
    int64_t ms = wall_ns / NS_PER_MS;

    if (s->text.n + message.n > s->text.max) {
        s->lost++;
        return;
    }
    s->lines = mem_grow(s->lines, s->n_lines, &s->lines_cap, sizeof(*s->lines));
    s->lines[s->n_lines++] = (struct line){stream, ms, s->text.n, message.n};
    buf_add_str(&s->text, message);
    state->first_ms = state->is_changed && state->first_ms < ms ? state->first_ms : ms;
    state->last_ms = state->is_changed && state->last_ms > ms ? state->last_ms : ms;
    state->bytes += (int64_t)message.n + 26; /* as CloudWatch counts an event */
    state->is_changed = true;
    if (!s->loop)
        return;
    if (s->n_lines >= COMMIT_LINES)
        loop_timer_set(s->loop, &s->commit_timer, loop_now(s->loop));
    else if (!loop_timer_is_set(&s->commit_timer))
        loop_timer_set(s->loop, &s->commit_timer, loop_now(s->loop) + COMMIT_AFTER_NS);
}

static enum status insert_lines(struct log_store *s, int64_t now_ms, struct err *e)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct line *l = &s->lines[i];
        sql_bind_i64(s->insert, 1, state_of(s, l->stream)->group);
        sql_bind_i64(s->insert, 2, l->time_ms);
        sql_bind_i64(s->insert, 3, s->next_seq + (int64_t)i);
        sql_bind_i64(s->insert, 4, l->stream);
        sql_bind_i64(s->insert, 5, now_ms);
        sql_bind_str(s->insert, 6, str_sub(buf_str(&s->text), l->at, l->n));
        if (sql_run(s->insert, e) != OK)
            return e ? e->code : ERR_IO;
    }
    return OK;
}

static enum status touch(struct log_store *s, int64_t stream, int64_t now_ms, struct err *e)
{
    struct stream_state *state = state_of(s, stream);

    sql_bind_i64(s->touch_stream, 1, stream);
    sql_bind_i64(s->touch_stream, 2, state->first_ms);
    sql_bind_i64(s->touch_stream, 3, state->last_ms);
    sql_bind_i64(s->touch_stream, 4, now_ms);
    sql_bind_i64(s->touch_group, 1, state->group);
    sql_bind_i64(s->touch_group, 2, state->bytes);
    if (sql_run(s->touch_stream, e) != OK || sql_run(s->touch_group, e) != OK)
        return e ? e->code : ERR_IO;
    return OK;
}

static enum status touch_changed(struct log_store *s, int64_t now_ms, struct err *e)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        struct stream_state *state = state_of(s, s->lines[i].stream);
        if (!state->is_changed)
            continue;
        state->is_changed = false;
        if (touch(s, s->lines[i].stream, now_ms, e) != OK)
            return e ? e->code : ERR_IO;
    }
    return OK;
}

static void forget_lines(struct log_store *s)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        struct stream_state *state = state_of(s, s->lines[i].stream);
        state->bytes = 0;
        state->is_changed = false;
    }
    s->next_seq += (int64_t)s->n_lines;
    s->n_lines = 0;
    buf_reset(&s->text);
}

enum status log_store_flush(struct log_store *s, struct err *e)
{
    struct err local = {0};
    int64_t now_ms;

    e = e ? e : &local;
    if (s->loop)
        loop_timer_cancel(s->loop, &s->commit_timer);
    if (s->n_lines == 0)
        return OK;
    now_ms = s->loop ? loop_wall(s->loop) / NS_PER_MS : s->lines[s->n_lines - 1].time_ms;
    enum status status = sql_exec(s->db, "begin immediate", e);
    if (status == OK)
        status = insert_lines(s, now_ms, e);
    if (status == OK)
        status = touch_changed(s, now_ms, e);
    if (status == OK)
        status = sql_exec(s->db, "commit", e);
    if (status != OK) {
        (void)!sql_exec(s->db, "rollback", NULL);
        s->lost += s->n_lines;
    }
    forget_lines(s);
    return status;
}

enum status log_store_prune(struct log_store *s, int64_t now_ns, struct err *e)
{
    int64_t before_ms = (now_ns - s->retention_ns) / NS_PER_MS, ignored;
    static const char events[] = "delete from log_events where time_ms < ?2 and ?1 = ''";
    static const char streams[] = "delete from log_streams where last_ms < ?2 and ?1 = ''";

    enum status status = row_id(s, events, STR(""), before_ms, &ignored, e);
    return status == OK ? row_id(s, streams, STR(""), before_ms, &ignored, e) : status;
}
