/* What packs bring to meta.db: dimensions, before the rows that name them (an unused id does no
 * harm), then cursors, counters and the rest, after all rows. */
#include "core/store/store_private.h"

static enum status prepare_once(struct sql *db, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(db, str_from(text), st, e);
}

/* Runs the writes between begin and commit; undoes everything when one fails. */
enum status store_end_transaction(struct sql *db, enum status s, struct err *e)
{
    if (s == OK)
        s = sql_exec(db, "commit", e);
    if (s != OK) {
        enum status undone = sql_exec(db, "rollback", NULL);
        UNUSED(undone); /* SQLite may have rolled back by itself */
    }
    return s;
}

/* --- dimensions --- */

static enum status insert_dim(struct sql_stmt *const st[3], const struct dim_row *d, struct err *e)
{
    struct sql_stmt *s = st[d->kind];

    sql_bind_i64(s, 1, d->id);
    if (d->kind == DIM_TEXT) {
        sql_bind_str(s, 2, d->a);
        return sql_run(s, e);
    }
    sql_bind_i64(s, 2, d->fn);
    sql_bind_str(s, 3, d->a);
    sql_bind_str(s, 4, d->b);
    sql_bind_str(s, 5, d->c);
    if (d->kind == DIM_STREAM) {
        sql_bind_i64(s, 6, (int64_t)d->hash);
        sql_bind_i64(s, 7, d->last_day);
    }
    return sql_run(s, e);
}

static enum status insert_dims(struct store *s, struct pack *const *packs, size_t n, struct err *e)
{
    static const char *const texts[] = {
        [DIM_FN] =
            "insert or ignore into fn(id, provider, account, region, name) values(?,?,?,?,?)",
        [DIM_STREAM] =
            "insert into stream(id, fn, log_group, instance, version, hash, last_day)"
            " values(?,?,?,?,?,?,?) on conflict(id) do update set last_day ="
            " max(ifnull(last_day, excluded.last_day), excluded.last_day),"
            " log_group = case log_group when '' then excluded.log_group else log_group end",
        [DIM_TEXT] = "insert or ignore into text(id, value) values(?,?)",
    };
    struct sql_stmt *st[3] = {NULL};
    enum status status = OK;

    for (int i = 0; status == OK && i < 3; i++)
        status = sql_prepare(s->meta, str_from(texts[i]), &st[i], e);
    for (size_t k = 0; status == OK && k < n; k++) {
        for (size_t i = 0; status == OK && i < packs[k]->n_dims; i++)
            status = insert_dim(st, &packs[k]->dims[i], e);
        if (status == OK)
            status = live_write_series(s, packs[k], e);
    }
    for (int i = 0; i < 3; i++)
        sql_finalize(st[i]);
    return status;
}

/* Before the first row of such a day. */
static enum status mark_guessed(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta, STR("insert or ignore into counter(name, value) values('guessed ' || ?1, ?1)"),
        &st, e);

    for (size_t i = 0; status == OK && i < k->n_guessed_days; i++) {
        sql_bind_i64(st, 1, k->guessed_days[i]);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

static enum status write_dims(struct store *s, struct pack *const *packs, size_t n, struct err *e)
{
    enum status status = insert_dims(s, packs, n, e);

    for (size_t k = 0; status == OK && k < n; k++)
        status = packs[k]->n_guessed_days > 0 ? mark_guessed(s, packs[k], e) : OK;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; status == OK && i < packs[k]->n_moves; i++)
            status = store_write_move(s, packs[k]->moves[i].id, packs[k]->moves[i].fn, e);
    return status;
}

enum status meta_write_dims(struct store *s, struct pack *const *packs, size_t n, struct err *e)
{
    size_t n_new = 0;

    for (size_t k = 0; k < n; k++)
        n_new +=
            packs[k]->n_dims + packs[k]->n_series + packs[k]->n_moves + packs[k]->n_guessed_days;
    if (n_new == 0)
        return OK;
    enum status status = sql_exec(s->meta, "begin immediate", e);
    if (status != OK)
        return status;
    return store_end_transaction(s->meta, write_dims(s, packs, n, e), e);
}

/* --- meta --- */

static enum status write_cursors(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta,
        STR("insert or replace into cursor(source, scope, token, watermark_ns, updated_ns)"
            " values(?,?,?,?,?)"),
        &st, e);

    for (size_t i = 0; status == OK && i < k->n_cursors; i++) {
        sql_bind_str(st, 1, k->cursors[i].source);
        sql_bind_str(st, 2, k->cursors[i].scope);
        sql_bind_str(st, 3, k->cursors[i].token);
        sql_bind_i64(st, 4, k->cursors[i].watermark_ns);
        sql_bind_i64(st, 5, clock_now(&clock));
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

#define QUARANTINE_KEPT "10000"

static enum status write_quarantine(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    struct sql_stmt *st = NULL;
    enum status status = OK;

    if (k->n_quarantine == 0)
        return OK;
    status = sql_prepare(s->meta,
                         STR("insert into quarantine(seen_ns, place, reason, raw) values(?,?,?,?)"),
                         &st, e);
    for (size_t i = 0; status == OK && i < k->n_quarantine; i++) {
        sql_bind_i64(st, 1, clock_now(&clock));
        sql_bind_str(st, 2, k->quarantine[i].place);
        sql_bind_str(st, 3, k->quarantine[i].reason);
        sql_bind_blob(st, 4, k->quarantine[i].raw);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    if (status != OK)
        return status;
    return sql_exec(s->meta,
                    "delete from quarantine where id <= (select max(id) - " QUARANTINE_KEPT
                    " from quarantine)",
                    e);
}

static enum status write_counters(struct store *s, const struct pack *k, struct err *e)
{
    struct clock clock = clock_system();
    const struct {
        const char *name;
        uint64_t add;
    } rows[] = {
        {"read_bytes", k->counts.read_bytes},
        {"events", k->counts.events},
        {"repeats", k->counts.repeats},
        {"late", k->counts.late},
        {"quarantined", k->counts.quarantined},
        {"control_messages", k->counts.control_messages},
        {"unknown_labels", k->counts.unknown_labels},
        {"forged", k->counts.forged},
        {"refuted", (uint64_t)k->counts.refuted},
        {"doubtful", (uint64_t)k->counts.doubtful},
        {"ambiguous", (uint64_t)k->counts.ambiguous},
        {"lost_lines", k->counts.lost_lines},
        {"lost_bytes", k->counts.lost_bytes},
        {"invalid_utf8", k->counts.invalid_utf8},
        {"untimed", k->counts.untimed},
        {"elsewhere", k->counts.elsewhere},
        {"again", k->counts.again},
        {"adopted", k->counts.adopted},
        {"generation", 1},
    };
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(s->meta,
                                     STR("insert into counter(name, value) values(?1,?2) on "
                                         "conflict(name) do update set value = value + ?2"),
                                     &st, e);

    for (size_t i = 0; status == OK && i < ARRAY_LEN(rows); i++) {
        sql_bind_str(st, 1, str_from(rows[i].name));
        sql_bind_i64(st, 2, (int64_t)rows[i].add);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    if (status != OK)
        return status;
    status = sql_prepare(
        s->meta, STR("insert or replace into counter(name, value) values('last_commit_ns', ?)"),
        &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, clock_now(&clock));
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status write_configs(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = OK;

    if (k->n_configs == 0)
        return OK;
    status =
        sql_prepare(s->meta,
                    STR("insert or replace into fn_config(fn, valid_from_ns, arch, memory_bytes,"
                        " storage_bytes, timeout_ns, reserved, runtime, version, code_sha256,"
                        " dead_letter, valid_until_ns) values(?,?,?,?,?,?,?,?,?,?,?,?)"),
                    &st, e);
    for (size_t i = 0; status == OK && i < k->n_configs; i++) {
        const struct fn_config *c = &k->configs[i].config;
        const int64_t numbers[] = {k->configs[i].fn,
                                   c->valid_from_ns,
                                   c->arch,
                                   (int64_t)c->memory_bytes,
                                   (int64_t)c->ephemeral_storage_bytes,
                                   c->timeout_ns,
                                   c->reserved_concurrency};
        for (size_t n = 0; n < ARRAY_LEN(numbers); n++)
            sql_bind_i64(st, (int)n + 1, numbers[n]);
        sql_bind_str(st, 8, c->runtime);
        sql_bind_str(st, 9, c->version);
        sql_bind_str(st, 10, c->code_sha256);
        sql_bind_str(st, 11, c->dead_letter);
        sql_bind_i64(st, 12, c->valid_until_ns);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* The newest runtime seen in an INIT_START becomes the function's. */
static enum status write_runtimes(struct store *s, const struct pack *k, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < k->n_events; i++) {
        if (k->events[i].event.runtime_version.n == 0)
            continue;
        status = prepare_once(s->meta, &st,
                              "update fn set runtime = ?1 where id = ?2 and runtime is not ?1", e);
        if (status != OK)
            break;
        sql_bind_str(st, 1, k->events[i].event.runtime_version);
        sql_bind_i64(st, 2, k->events[i].fn);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* That there is such a day: without its file `db verify` knows that it was lost. Pruning takes the
 * mark along. */
static enum status mark_day(struct store *s, int64_t day, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta, STR("insert or ignore into counter(name, value) values('day ' || ?1, ?1)"), &st,
        e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, day);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status write_parts(struct store *s, const struct pack *k, struct err *e)
{
    static enum status (*const parts[])(struct store *, const struct pack *, struct err *) = {
        write_cursors,  write_quarantine,  write_counters,     write_configs,
        write_runtimes, live_write_queues, live_write_sources,
    };
    enum status status = OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(parts); i++)
        status = parts[i](s, k, e);
    for (size_t i = 0; status == OK && i < k->n_days; i++)
        status = mark_day(s, k->days[i], e);
    return status;
}

enum status meta_write_rest(struct store *s, struct pack *const *packs, size_t n, struct err *e)
{
    enum status status = sql_exec(s->meta, "begin immediate", e);

    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < n; i++)
        status = write_parts(s, packs[i], e);
    return store_end_transaction(s->meta, status, e);
}
