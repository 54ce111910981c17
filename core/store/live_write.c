/* Writing what a running collector reads besides records: metric points into the day files, queues
 * and the state of sources into meta.db, all with the batch they came in. */
#include <stdlib.h>

#include "core/store/store_private.h"

/* --- series and points --- */

static enum status insert_series(struct sql_stmt *st, const struct pack_series *r, struct err *e)
{
    sql_bind_i64(st, 1, r->id);
    sql_bind_str(st, 2, str_from(metric_scope_name(r->subject.scope)));
    sql_bind_i64(st, 3, r->subject.of.provider);
    sql_bind_str(st, 4, r->subject.of.account);
    sql_bind_str(st, 5, r->subject.of.region);
    sql_bind_str(st, 6, r->subject.of.name);
    sql_bind_str(st, 7, str_from(metric_info(r->metric)->name));
    sql_bind_i64(st, 8, r->period_ns);
    sql_bind_i64(st, 9, (int64_t)r->hash);
    return sql_run(st, e);
}

enum status live_write_series(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;

    if (k->n_series == 0)
        return OK;
    enum status status = sql_prepare(
        s->meta,
        STR("insert or ignore into series(id, scope, provider, account, region, name, metric, "
            "period_ns, hash) values(?,?,?,?,?,?,?,?,?)"),
        &st, e);
    for (size_t i = 0; status == OK && i < k->n_series; i++)
        status = insert_series(st, &k->series[i], e);
    sql_finalize(st);
    return status;
}

/* Points of a pack come in the order they were read, so a later value of the same instant wins. */
enum status live_write_points(struct day *d, const struct pack *k, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < k->n_points; i++) {
        const struct pack_point *p = &k->points[i];
        if (p->day != d->number)
            continue;
        if (!d->put_point)
            status = sql_prepare(
                d->db,
                STR("insert or replace into point(series, ts, value, weight) values(?,?,?,?)"),
                &d->put_point, e);
        if (status != OK)
            break;
        sql_bind_i64(d->put_point, 1, p->series);
        sql_bind_i64(d->put_point, 2, p->ts_ms);
        if (p->is_missing)
            sql_bind_null(d->put_point, 3);
        else
            sql_bind_i64(d->put_point, 3, p->value);
        sql_bind_i64(d->put_point, 4, p->weight);
        status = sql_run(d->put_point, e);
    }
    return status;
}

/* --- queues --- */

static void bind_queue(struct sql_stmt *st, const struct msg_queue *q)
{
    const struct str texts[] = {q->of.account,  q->of.region, q->of.name,   q->url,   q->arn,
                                q->dead_letter, q->feeders,   q->consumers, q->source};
    const int64_t numbers[] = {q->is_dlq,        q->depth,        q->in_flight,
                               q->delayed,       q->oldest_ns,    q->retention_ns,
                               q->visibility_ns, q->max_receives, q->seen_ns};
    int n = 1;

    sql_bind_i64(st, n++, q->of.provider);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        sql_bind_str(st, n++, texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++, n++) {
        if (&numbers[i] == &numbers[4] && !q->has_age)
            sql_bind_null(st, n);
        else
            sql_bind_i64(st, n, numbers[i]);
    }
}

/* An older reading does not replace a newer one. */
enum status live_write_queues(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;

    if (k->n_queues == 0)
        return OK;
    enum status status = sql_prepare(
        s->meta,
        STR("insert into queue(provider, account, region, name, url, arn, dead_letter, feeders, "
            "consumers, source, is_dlq, depth, in_flight, delayed, oldest_ns, retention_ns, "
            "visibility_ns, "
            "max_receives, seen_ns) values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) on conflict do "
            "update set url=excluded.url, arn=excluded.arn, dead_letter=excluded.dead_letter, "
            "feeders=excluded.feeders, consumers=excluded.consumers, source=excluded.source, "
            "is_dlq=excluded.is_dlq, "
            "depth=excluded.depth, in_flight=excluded.in_flight, delayed=excluded.delayed, "
            "oldest_ns=excluded.oldest_ns, retention_ns=excluded.retention_ns, "
            "visibility_ns=excluded.visibility_ns, max_receives=excluded.max_receives, "
            "seen_ns=excluded.seen_ns where excluded.seen_ns >= queue.seen_ns"),
        &st, e);
    for (size_t i = 0; status == OK && i < k->n_queues; i++) {
        bind_queue(st, &k->queues[i]);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* --- sources --- */

static void bind_source(struct sql_stmt *st, const struct source_status *r)
{
    const struct str texts[] = {r->name, r->type, r->account, r->region, r->error, r->quota};
    const int64_t numbers[] = {r->tried_ns,
                               r->success_ns,
                               r->watermark_ns,
                               r->success_ns > 0 ? r->lag_ns : 0,
                               (int64_t)r->add_calls,
                               (int64_t)r->add_errors,
                               (int64_t)r->add_throttles,
                               (int64_t)r->add_bytes,
                               (int64_t)r->add_events,
                               r->add_cost,
                               r->failures,
                               r->quota_ppm,
                               r->cost_cap,
                               r->cost_today,
                               r->is_capped};
    int n = 1;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        sql_bind_str(st, n++, texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        sql_bind_i64(st, n++, numbers[i]);
}

static void bind_part(struct sql_stmt *st, struct str source, const struct source_part *p)
{
    const int64_t numbers[] = {p->tried_ns,           p->success_ns,          p->round_ns,
                               (int64_t)p->add_calls, (int64_t)p->add_errors, p->add_cost};

    sql_bind_str(st, 1, source);
    sql_bind_str(st, 2, p->name);
    for (int i = 0; i < (int)ARRAY_LEN(numbers); i++)
        sql_bind_i64(st, 3 + i, numbers[i]);
    sql_bind_str(st, 9, p->error);
}

/* Parts that have not run yet say nothing. */
static enum status write_parts(struct sql_stmt *st, const struct source_status *r, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < r->n_parts; i++) {
        if (r->parts[i].tried_ns == 0)
            continue;
        bind_part(st, r->name, &r->parts[i]);
        status = sql_run(st, e);
    }
    return status;
}

/* A statement about a source, or about a part of it. */
static enum status run_about(struct store *s, struct str sql, struct str source, struct str part,
                             struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(s->meta, sql, &st, e);

    if (status != OK)
        return status;
    sql_bind_str(st, 1, source);
    if (part.n > 0)
        sql_bind_str(st, 2, part);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

/* What nobody reads any more stands still for ever: nothing is to wait for it. How far a source
 * has read is how far it has read its logs. */
static enum status forget_parts(struct store *s, const struct source_status *r, struct err *e)
{
    static const struct str gone =
        STR_INIT("delete from source_part where source = ? and part = ?");
    static const struct str unread =
        STR_INIT("update source_state set watermark_ns = 0 where name = ?");
    enum status status = OK;

    for (size_t i = 0; status == OK && i < r->n_parts; i++) {
        if (!r->parts[i].is_off)
            continue;
        status = run_about(s, gone, r->name, r->parts[i].name, e);
        if (status == OK && str_eq(r->parts[i].name, STR(SOURCE_PART_LOGS)))
            status = run_about(s, unread, r->name, (struct str){0}, e);
    }
    return status;
}

static enum status write_all_parts(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta,
        STR("insert into source_part(source, part, tried_ns, success_ns, round_ns, calls, errors, "
            "cost, error) values(?,?,?,?,?,?,?,?,?) on conflict do update set "
            "tried_ns=max(tried_ns, excluded.tried_ns), "
            "success_ns=max(success_ns, excluded.success_ns), "
            "round_ns=max(round_ns, excluded.round_ns), calls=calls+excluded.calls, "
            "errors=errors+excluded.errors, cost=cost+excluded.cost, error=excluded.error"),
        &st, e);

    for (size_t i = 0; status == OK && i < k->n_sources; i++)
        status = write_parts(st, &k->sources[i], e);
    sql_finalize(st);
    for (size_t i = 0; status == OK && i < k->n_sources; i++)
        status = forget_parts(s, &k->sources[i], e);
    return status;
}

/* Counters add up; times only go forward; the lag is the one of the last success, before the first
 * the time between the first try and the last. */
enum status live_write_sources(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;

    if (k->n_sources == 0)
        return OK;
    enum status status = sql_prepare(
        s->meta,
        STR("insert into source_state(name, type, account, region, error, quota, tried_ns, "
            "success_ns, watermark_ns, lag_ns, calls, errors, throttles, bytes, events, cost, "
            "failures, quota_ppm, cost_cap, cost_today, is_capped) "
            "values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) on conflict do update set "
            "type=excluded.type, account=excluded.account, region=excluded.region, "
            "error=excluded.error, quota=excluded.quota, tried_ns=max(tried_ns, "
            "excluded.tried_ns), "
            "success_ns=max(success_ns, excluded.success_ns), "
            "watermark_ns=max(watermark_ns, excluded.watermark_ns), "
            "lag_ns=case when excluded.success_ns > 0 then excluded.lag_ns when success_ns > 0 "
            "then lag_ns else lag_ns + max(0, excluded.tried_ns - tried_ns) end, "
            "calls=calls+excluded.calls, errors=errors+excluded.errors, "
            "throttles=throttles+excluded.throttles, bytes=bytes+excluded.bytes, "
            "events=events+excluded.events, cost=cost+excluded.cost, failures=excluded.failures, "
            "quota_ppm=excluded.quota_ppm, cost_cap=excluded.cost_cap, "
            "cost_today=excluded.cost_today, is_capped=excluded.is_capped"),
        &st, e);
    for (size_t i = 0; status == OK && i < k->n_sources; i++) {
        bind_source(st, &k->sources[i]);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status == OK ? write_all_parts(s, k, e) : status;
}

static bool is_among(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static enum status forget_source(struct store *s, struct str name, struct err *e)
{
    static const struct str rows[] = {STR_INIT("delete from source_part where source = ?"),
                                      STR_INIT("delete from source_state where name = ?")};
    enum status status = OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(rows); i++)
        status = run_about(s, rows[i], name, (struct str){0}, e);
    return status;
}

enum status store_keep_sources(struct store *s, const struct str *names, size_t n, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct source_rows r;
    enum status status = request_sources(s, &a, &r, e);

    for (size_t i = 0; status == OK && i < r.n; i++)
        if (!is_among(r.rows[i].name, names, n))
            status = forget_source(s, r.rows[i].name, e);
    return status == OK ? OK : err_wrap(e, "sources");
}

enum status store_rename_source(struct store *s, struct str old, struct str name, struct err *e)
{
    static const struct str rows[] = {
        STR_INIT("update cursor set source = ?2 where source = ?1"),
        STR_INIT("update source_part set source = ?2 where source = ?1"),
        STR_INIT("update source_state set name = ?2 where name = ?1"),
        STR_INIT("update queue set source = ?2 where source = ?1"),
    };
    enum status status = sql_exec(s->meta, "begin immediate", e);

    for (size_t i = 0; status == OK && i < ARRAY_LEN(rows); i++)
        status = run_about(s, rows[i], old, name, e);
    if (status == OK)
        status = sql_exec(s->meta, "commit", e);
    if (status == OK)
        return OK;
    enum status undone = sql_exec(s->meta, "rollback", NULL);
    UNUSED(undone); /* SQLite may have rolled back by itself */
    return err_wrap(e, "sources");
}
