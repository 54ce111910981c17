/* Reading the log groups. */
#include <string.h>

#include "core/base/sql.h"
#include "executor/log_store_private.h"

enum status log_store_groups(struct log_store *s, struct arena *a, struct log_group **out,
                             size_t *n, struct err *e)
{
    struct log_group *rows = NULL;
    size_t count = 0, cap = 0;
    struct sql_stmt *st;
    bool has_row;

    enum status status = log_store_flush(s, e);
    if (status == OK)
        status = sql_prepare(
            log_store_db(s),
            STR("select id, name, created_ms, stored_bytes from log_groups order by name"), &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        rows = arena_grow(a, rows, count, &cap, sizeof(*rows));
        rows[count++] = (struct log_group){.id = sql_i64(st, 0),
                                           .name = arena_str(a, sql_str(st, 1)),
                                           .created_ms = sql_i64(st, 2),
                                           .stored_bytes = sql_i64(st, 3)};
    }
    sql_finalize(st);
    if (status == OK) {
        *out = rows;
        *n = count;
    }
    return status;
}

enum status log_store_find_group(struct log_store *s, struct str name, int64_t *id, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    enum status status = log_store_flush(s, e);
    if (status == OK)
        status =
            sql_prepare(log_store_db(s), STR("select id from log_groups where name = ?"), &st, e);
    if (status != OK)
        return status;
    sql_bind_str(st, 1, name);
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row)
        *id = sql_i64(st, 0);
    sql_finalize(st);
    if (status == OK && !has_row)
        return err_set(e, ERR_NOT_FOUND, "The specified log group does not exist.");
    return status;
}

enum status log_store_streams(struct log_store *s, struct arena *a, int64_t group,
                              struct log_stream **out, size_t *n, struct err *e)
{
    static const char text[] = "select id, name, created_ms, coalesce(first_ms, -1),"
                               " coalesce(last_ms, -1), coalesce(last_ingestion_ms, -1)"
                               " from log_streams where group_id = ? order by name";
    struct log_stream *rows = NULL;
    size_t count = 0, cap = 0;
    struct sql_stmt *st;
    bool has_row;

    enum status status = log_store_flush(s, e);
    if (status == OK)
        status = sql_prepare(log_store_db(s), str_from(text), &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, group);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        rows = arena_grow(a, rows, count, &cap, sizeof(*rows));
        rows[count++] = (struct log_stream){.id = sql_i64(st, 0),
                                            .name = arena_str(a, sql_str(st, 1)),
                                            .created_ms = sql_i64(st, 2),
                                            .first_ms = sql_i64(st, 3),
                                            .last_ms = sql_i64(st, 4),
                                            .last_ingestion_ms = sql_i64(st, 5)};
    }
    sql_finalize(st);
    if (status == OK) {
        *out = rows;
        *n = count;
    }
    return status;
}

/* ?1 group, ?2 from, ?3 to, ?4 stream or 0, ?5 ?6 position */
static const char forward[] =
    "select e.seq, e.stream_id, e.time_ms, e.ingestion_ms, s.name, e.message from log_events e"
    " join log_streams s on s.id = e.stream_id where e.group_id = ?1 and e.time_ms between ?2 and "
    "?3"
    " and (?4 = 0 or e.stream_id = ?4) and (e.time_ms, e.seq) > (?5, ?6)"
    " order by e.time_ms, e.seq";
static const char backward[] =
    "select e.seq, e.stream_id, e.time_ms, e.ingestion_ms, s.name, e.message from log_events e"
    " join log_streams s on s.id = e.stream_id where e.group_id = ?1 and e.time_ms between ?2 and "
    "?3"
    " and (?4 = 0 or e.stream_id = ?4) and (e.time_ms, e.seq) < (?5, ?6)"
    " order by e.time_ms desc, e.seq desc";

static void bind_query(struct sql_stmt *st, const struct log_query *q)
{
    bool has = q->has_position;
    int64_t from = has && !q->is_backward && q->after_ms > q->from_ms ? q->after_ms : q->from_ms;
    int64_t to = has && q->is_backward && q->after_ms < q->to_ms ? q->after_ms : q->to_ms;

    sql_bind_i64(st, 1, q->group);
    sql_bind_i64(st, 2, from);
    sql_bind_i64(st, 3, to);
    sql_bind_i64(st, 4, q->stream);
    sql_bind_i64(st, 5, has ? q->after_ms : q->is_backward ? INT64_MAX : INT64_MIN);
    sql_bind_i64(st, 6, has ? q->after_seq : 0);
}

enum status log_store_read(struct log_store *s, const struct log_query *q, log_event_fn *fn,
                           void *ctx, struct err *e)
{
    struct sql_stmt *st;
    bool has_row;

    enum status status = log_store_flush(s, e);
    if (status == OK)
        status =
            sql_prepare(log_store_db(s), str_from(q->is_backward ? backward : forward), &st, e);
    if (status != OK)
        return status;
    bind_query(st, q);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        const struct log_event event = {.seq = sql_i64(st, 0),
                                        .stream = sql_i64(st, 1),
                                        .time_ms = sql_i64(st, 2),
                                        .ingestion_ms = sql_i64(st, 3),
                                        .stream_name = sql_str(st, 4),
                                        .message = sql_str(st, 5)};
        if (!fn(ctx, &event))
            break;
    }
    sql_finalize(st);
    return status;
}
