/* Counters never fall (who reads them takes a fall for a new beginning, and counts all again), but
 * what the store holds does: days are removed, attempts are replaced by what is known later, costs
 * are those of other prices. What was counted and is there no more is kept in the table `gone`, in
 * the transaction that takes it away: in a day file while the day is there, then in meta.db.
 *
 * A day is removed in three steps: what it counted and the mark "gone N" are committed, its file is
 * unlinked, the mark goes. Whoever comes in between sees the mark and not the file. */
#include <assert.h>

#include "core/store/fact_store.h"
#include "core/store/gone.h"

/* --- counters --- */

static void add_stats(struct fn_counters *to, const struct stats *s)
{
    uint64_t failed = 0;

    for (int i = 0; i < OUTCOMES; i++)
        failed += outcome_is_failure((enum outcome)i) ? s->outcome[i] : 0;
    const wide add[FN_COUNTERS] = {
        [FN_INVOCATIONS] = s->n,
        [FN_ERRORS] = failed,
        [FN_TIMEOUTS] = s->outcome[OUTCOME_TIMEOUT],
        [FN_OUT_OF_MEMORY] = s->outcome[OUTCOME_OOM],
        [FN_COLD_STARTS] = s->start[START_COLD],
        [FN_BILLED] = s->sum_billed_ns,
        [FN_INIT] = s->sum_init_ns,
        [FN_DURATION] = s->sum_duration_ns,
        [FN_COST] = s->cost,
        [FN_COST_OF_FAILURES] = s->cost_failed,
        [FN_LOG_BYTES] = s->log_bytes,
        [FN_TIMED] = (wide)s->duration.total,
    };
    for (size_t i = 0; i < FN_COUNTERS; i++)
        to->value[i] += add[i];
}

static void add_counters(struct fn_counters *to, const struct fn_counters *add)
{
    for (size_t i = 0; i < FN_COUNTERS; i++)
        to->value[i] += add->value[i];
}

static bool unpack(struct str packed, struct fn_counters *add_to)
{
    struct varint_reader r = {packed, false};
    struct fn_counters c;

    for (size_t i = 0; i < FN_COUNTERS; i++) /* older rows have no FN_TIMED: then all were */
        c.value[i] = i == FN_TIMED && r.rest.n == 0 ? c.value[FN_INVOCATIONS] : wide_unpack(&r);
    if (!r.is_bad)
        add_counters(add_to, &c);
    return !r.is_bad;
}

/* --- by function --- */

struct gone {
    struct arena arena;
    struct idmap places; /* a function: its row */
    struct gone_row {
        uint32_t fn;
        struct fn_counters counters;
    } * rows;
    size_t n, cap;
};

static void gone_clear(struct gone *g)
{
    idmap_clear(&g->places);
    arena_clear(&g->arena);
}

static struct fn_counters *counters_of(struct gone *g, uint32_t fn)
{
    bool is_new;
    uint64_t *place = idmap_put(&g->places, fn, &is_new);

    if (is_new) {
        g->rows = arena_grow(&g->arena, g->rows, g->n, &g->cap, sizeof(*g->rows));
        g->rows[g->n] = (struct gone_row){.fn = fn};
        *place = g->n++;
    }
    assert(g->rows != NULL);
    return &g->rows[*place].counters;
}

/* --- the table --- */

static enum status read_rows(struct sql *db, struct gone *to, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    if (!schema_has(db, "gone"))
        return OK; /* of before migration 15 */
    enum status status = sql_prepare(db, STR("select fn, data from gone"), &st, e);
    if (status != OK)
        return status;
    while (status == OK && (status = sql_step(st, &has_row, e)) == OK && has_row)
        if (!unpack(sql_blob(st, 1), counters_of(to, (uint32_t)sql_i64(st, 0))))
            status = err_set(e, ERR_PARSE, STR_FMT ": damaged counters", STR_ARG(sql_path(db)));
    sql_finalize(st);
    return status;
}

static enum status read_row(struct sql *db, uint32_t fn, struct fn_counters *add_to, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(db, STR("select data from gone where fn = ?"), &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, fn);
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row && !unpack(sql_blob(st, 0), add_to))
        status = err_set(e, ERR_PARSE, STR_FMT ": damaged counters", STR_ARG(sql_path(db)));
    sql_finalize(st);
    return status;
}

static enum status write_row(struct sql *db, uint32_t fn, const struct fn_counters *c,
                             struct err *e)
{
    AUTO(buf_clear) struct buf data = {.max = 1024};
    struct sql_stmt *st;
    enum status status =
        sql_prepare(db, STR("insert or replace into gone(fn, data) values(?, ?)"), &st, e);

    if (status != OK)
        return status;
    for (size_t i = 0; i < FN_COUNTERS; i++)
        wide_pack(&data, c->value[i]);
    sql_bind_i64(st, 1, fn);
    sql_bind_blob(st, 2, buf_str(&data));
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status add_row(struct sql *db, uint32_t fn, const struct fn_counters *add,
                           struct err *e)
{
    struct fn_counters sum = *add;
    const enum status status = read_row(db, fn, &sum, e);

    return status == OK ? write_row(db, fn, &sum, e) : status;
}

enum status gone_note_fall(struct day *d, uint32_t fn, const struct stats *was,
                           const struct stats *now, struct err *e)
{
    struct fn_counters before = {0}, after = {0}, fall = {0};
    bool has_fallen = false;

    add_stats(&before, was);
    add_stats(&after, now);
    for (size_t i = 0; i < FN_COUNTERS; i++)
        if (after.value[i] < before.value[i]) {
            fall.value[i] = before.value[i] - after.value[i];
            has_fallen = true;
        }
    return has_fallen ? add_row(d->db, fn, &fall, e) : OK;
}

/* --- days --- */

static enum status read_day(struct day *d, struct gone *to, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status =
        sql_prepare(d->db, STR("select fn, data from roll where slot = 24"), &st, e);

    if (status != OK)
        return status;
    while (status == OK && (status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct stats sum = {0};
        if (stats_unpack(sql_blob(st, 1), &sum))
            add_stats(counters_of(to, (uint32_t)sql_i64(st, 0)), &sum);
        stats_clear(&sum);
    }
    sql_finalize(st);
    return status == OK ? read_rows(d->db, to, e) : status;
}

static enum status mark(struct store *s, int64_t number, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const long long n = number;

    return sql_exec(s->meta,
                    arena_printf(&a,
                                 "delete from counter where name in ('day %lld', 'guessed %lld');"
                                 "insert or replace into counter values('gone %lld', %lld);"
                                 "insert into counter values('removals', 1)"
                                 " on conflict(name) do update set value = value + 1",
                                 n, n, n, n)
                        .p,
                    e);
}

/* In `counter`, "points N": what was in series N and is stored no more. */
static enum status keep_points(struct store *s, const struct series_sums *sums, struct err *e)
{
    struct sql_stmt *st;
    enum status status = sql_prepare(s->meta,
                                     STR("insert into counter values('points ' || ?, ?) on "
                                         "conflict(name) do update set value = value + "
                                         "excluded.value"),
                                     &st, e);

    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < sums->n; i++) {
        sql_bind_i64(st, 1, sums->rows[i].series);
        sql_bind_i64(st, 2, sums->rows[i].sum);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

enum status gone_keep_day(struct store *s, int64_t number, struct err *e)
{
    AUTO(gone_clear) struct gone g = {0};
    struct series_sums points = {0};
    struct day *d = NULL;

    /* A day too damaged to be read is removed all the same. */
    const bool is_there = store_day(s, number, false, &d, NULL) == OK && d != NULL;
    if (is_there && read_day(d, &g, NULL) != OK)
        g.n = 0;
    if (is_there && live_sum_day(s, d, &g.arena, &points, NULL) != OK)
        points.n = 0;
    enum status status = sql_exec(s->meta, "begin immediate", e);
    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < g.n; i++)
        status = add_row(s->meta, g.rows[i].fn, &g.rows[i].counters, e);
    if (status == OK)
        status = keep_points(s, &points, e);
    if (status == OK)
        status = mark(s, number, e);
    return store_end_transaction(s->meta, status, e);
}

enum status gone_read_days(struct store *s, struct arena *a, int64_t **numbers, size_t *n,
                           struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    enum status status =
        sql_prepare(s->meta, STR("select value from counter where name glob 'gone *'"), &st, e);

    *numbers = NULL;
    *n = 0;
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        *numbers = arena_grow(a, *numbers, *n, &cap, sizeof(**numbers));
        (*numbers)[(*n)++] = sql_i64(st, 0);
    }
    sql_finalize(st);
    return status;
}

enum status gone_hide_days(struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    int64_t *hidden;
    size_t n_hidden, n = 0;
    enum status status = gone_read_days(s, &a, &hidden, &n_hidden, e);

    if (status != OK || n_hidden == 0)
        return status;
    for (size_t i = 0; i < s->n_day_numbers; i++) {
        bool is_hidden = false;
        for (size_t k = 0; k < n_hidden; k++)
            is_hidden = is_hidden || hidden[k] == s->day_numbers[i];
        if (!is_hidden)
            s->day_numbers[n++] = s->day_numbers[i];
    }
    s->n_day_numbers = n;
    return OK;
}

/* --- asked for --- */

enum status gone_removals(struct store *s, int64_t *out, struct err *e)
{
    return sql_read_i64(
        s->meta, "select coalesce(sum(value), 0) from counter where name = 'removals'", out, e);
}

static enum status read_all(struct store *s, struct gone *to, struct err *e)
{
    enum status status = read_rows(s->meta, to, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct day *d = NULL;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d != NULL)
            status = read_rows(d->db, to, e);
    }
    return status;
}

static enum status count_once(struct store *s, const struct fn_filter *f, struct arena *a,
                              struct fn_rows *rows, struct fn_counters **counters, struct err *e)
{
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    AUTO(gone_clear) struct gone g = {0};
    enum status status = request_functions(s, all, f, a, rows, e);

    if (status == OK)
        status = read_all(s, &g, e);
    if (status != OK)
        return status;
    *counters = arena_new(a, struct fn_counters, rows->n + 1);
    for (size_t i = 0; i < rows->n; i++) {
        const uint64_t *place = idmap_get(&g.places, rows->rows[i].fn_id);
        (*counters)[i] = (struct fn_counters){0};
        add_stats(&(*counters)[i], &rows->rows[i].stats);
        if (place != NULL && g.rows != NULL)
            add_counters(&(*counters)[i], &g.rows[*place].counters);
    }
    return OK;
}

enum status request_counters(struct store *s, const struct fn_filter *f, struct arena *a,
                             struct fn_rows *rows, struct fn_counters **counters, struct err *e)
{
    int64_t before = 0, after = 1;
    enum status status = OK;

    *rows = (struct fn_rows){0};
    *counters = NULL;
    if (s->is_null)
        return OK;
    /* A day removed meanwhile would be counted twice or not at all. */
    for (int tries = 0; status == OK && before != after && tries < 5; tries++) {
        status = gone_removals(s, &before, e);
        if (status == OK)
            status = count_once(s, f, a, rows, counters, e);
        if (status == OK)
            status = gone_removals(s, &after, e);
    }
    return status;
}
