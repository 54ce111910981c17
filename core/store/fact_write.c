/* Adding and removing facts. New ones of an hour join its last group while that is small, so that
 * commits of few facts do not leave many small groups; removing one rewrites its group. Both happen
 * inside the day's transaction. */
#include <assert.h>
#include <string.h>

#include "core/store/fact_store.h"

static enum status prepare_once(struct day *d, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(d->db, str_from(text), st, e);
}

/* --- groups --- */

static enum status put_group(struct day *d, int64_t id, const struct group_writer *w, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    enum status s = prepare_once(
        d, &d->put_group,
        "insert or replace into facts(id, n, t0, t1, data, sum) values(?,?,?,?,?,?)", e);

    if (s == OK)
        s = buf_check(&w->data, "a group of facts", e);
    if (s != OK)
        return s;
    sql_bind_i64(d->put_group, 1, id);
    sql_bind_i64(d->put_group, 2, (int64_t)w->n);
    sql_bind_i64(d->put_group, 3, w->t0_ns - base);
    sql_bind_i64(d->put_group, 4, w->t1_ns - base);
    sql_bind_blob(d->put_group, 5, buf_str(&w->data));
    sql_bind_i64(d->put_group, 6, blob_sum(buf_str(&w->data), id));
    return sql_run(d->put_group, e);
}

static enum status drop_group(struct day *d, int64_t id, struct err *e)
{
    enum status s = prepare_once(d, &d->drop_group, "delete from facts where id = ?", e);

    if (s != OK)
        return s;
    sql_bind_i64(d->drop_group, 1, id);
    return sql_run(d->drop_group, e);
}

enum status fact_filler_end(struct fact_filler *w, struct day *d, struct err *e)
{
    if (w->group.n == 0)
        return OK;
    if (w->next_id > w->last_id)
        return err_set(e, ERR_LIMIT, STR_FMT ": too many groups of facts in one hour",
                       STR_ARG(sql_path(d->db)));
    enum status s = put_group(d, w->next_id++, &w->group, e);
    group_reset(&w->group);
    return s;
}

enum status fact_filler_add(struct fact_filler *w, struct day *d, const struct fact *f,
                            struct err *e)
{
    enum status s = OK;

    if (w->group.data.max == 0)
        group_reset(&w->group);
    if (group_is_full(&w->group))
        s = fact_filler_end(w, d, e);
    if (s == OK)
        group_add(&w->group, f);
    return s;
}

void fact_filler_clear(struct fact_filler *w)
{
    buf_clear(&w->group.data);
}

/* Facts of a group, copied: their row may be written over. */
struct fact_list {
    struct arena *arena;
    struct fact *rows;
    size_t n, cap;
};

/* Columns: id, t0, t1, data. */
static enum status read_group(struct day *d, const struct sql_stmt *st, struct fact_list *out,
                              struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct range bounds = {base + sql_i64(st, 1), base + sql_i64(st, 2)};
    struct group_reader r;
    struct fact f;

    group_open(&r, group_fn(sql_i64(st, 0)), bounds, arena_str(out->arena, sql_blob(st, 3)));
    r.keep = out->arena;
    while (group_next(&r, &f)) {
        out->rows = arena_grow(out->arena, out->rows, out->n, &out->cap, sizeof(*out->rows));
        out->rows[out->n++] = f;
    }
    return r.in.is_bad ? err_set(e, ERR_PARSE, STR_FMT ": a damaged group of invocations",
                                 STR_ARG(sql_path(d->db)))
                       : OK;
}

/* --- adding --- */

/* Where the hour's new facts go: into its last group when that is small, whose facts are given,
 * else behind it. */
static enum status open_hour(struct day *d, struct fact_filler *w, int64_t first_id,
                             struct fact_list *open, struct err *e)
{
    bool has_row = false;
    enum status s = prepare_once(d, &d->last_group,
                                 "select id, t0, t1, data from facts where id between ? and ?"
                                 " order by id desc limit 1",
                                 e);

    if (s != OK)
        return s;
    w->next_id = first_id;
    sql_bind_i64(d->last_group, 1, first_id);
    sql_bind_i64(d->last_group, 2, w->last_id);
    s = sql_step(d->last_group, &has_row, e);
    if (s == OK && has_row) {
        bool is_open = sql_blob(d->last_group, 3).n < GROUP_OPEN;
        w->next_id = sql_i64(d->last_group, 0) + !is_open;
        if (is_open)
            s = read_group(d, d->last_group, open, e);
    }
    sql_reset(d->last_group);
    return s;
}

/* Both in the order of time; of the same time those that were there come first. */
static enum status add_merged(struct day *d, struct fact_filler *w, const struct fact_list *open,
                              const struct fact *const *facts, size_t n, struct err *e)
{
    enum status s = OK;
    size_t i = 0, k = 0;

    while (s == OK && (i < open->n || k < n)) {
        if (k + FACTS_AHEAD < n)
            fact_fetch(facts[k + FACTS_AHEAD]);
        bool is_old = k == n || (i < open->n && open->rows[i].ts_ns <= facts[k]->ts_ns);
        s = fact_filler_add(w, d, is_old ? &open->rows[i++] : facts[k++], e);
    }
    return s == OK ? fact_filler_end(w, d, e) : s;
}

enum status facts_insert(struct day *d, const struct fact *const *facts, size_t n, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct fact_filler w = {0};
    enum status s = OK;

    for (size_t i = 0, run; s == OK && i < n; i += run) {
        unsigned hour = hour_of_day(facts[i]->ts_ns, d->number);
        struct fact_list open = {.arena = &a};
        for (run = 1; i + run < n && facts[i + run]->fn == facts[i]->fn &&
                      hour_of_day(facts[i + run]->ts_ns, d->number) == hour;)
            run++;
        w.last_id = group_last_id(facts[i]->fn, hour);
        s = open_hour(d, &w, group_first_id(facts[i]->fn, hour), &open, e);
        if (s == OK)
            s = add_merged(d, &w, &open, facts + i, run, e);
        arena_reset(&a);
    }
    fact_filler_clear(&w);
    return s;
}

/* --- removing --- */

/* Takes the fact out of the list; false when it is not there. */
static bool cut_fact(struct fact_list *l, const struct fact_key *key)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct fact *f = &l->rows[i];
        if (f->ts_ns != key->ts_ns || f->stream != key->stream || !fact_has_id(f, key->id))
            continue;
        memmove(&l->rows[i], &l->rows[i + 1], (l->n - i - 1) * sizeof(*l->rows));
        l->n--;
        return true;
    }
    return false;
}

/* The group that holds the fact, without it. */
static enum status find_group(struct day *d, const struct fact_key *key, struct fact_list *out,
                              int64_t *id, bool *is_found, struct err *e)
{
    unsigned hour = hour_of_day(key->ts_ns, d->number);
    int64_t ts_ns = key->ts_ns - d->number * NS_PER_DAY;
    bool has_row = false;
    enum status s = prepare_once(d, &d->groups_at,
                                 "select id, t0, t1, data from facts"
                                 " where id between ?1 and ?2 and t0 <= ?3 and t1 >= ?3",
                                 e);

    *is_found = false;
    if (s != OK)
        return s;
    sql_bind_i64(d->groups_at, 1, group_first_id(key->fn, hour));
    sql_bind_i64(d->groups_at, 2, group_last_id(key->fn, hour));
    sql_bind_i64(d->groups_at, 3, ts_ns);
    while (!*is_found && (s = sql_step(d->groups_at, &has_row, e)) == OK && has_row) {
        out->n = 0;
        s = read_group(d, d->groups_at, out, e);
        if (s != OK)
            break;
        *id = sql_i64(d->groups_at, 0);
        *is_found = cut_fact(out, key);
    }
    sql_reset(d->groups_at);
    return s;
}

/* A group only shrinks here, so it stays one. */
static enum status rewrite_group(struct day *d, int64_t id, const struct fact_list *l,
                                 struct err *e)
{
    struct group_writer w = {0};

    if (l->n == 0)
        return drop_group(d, id, e);
    group_reset(&w);
    for (size_t i = 0; i < l->n; i++)
        group_add(&w, &l->rows[i]);
    enum status s = put_group(d, id, &w, e);
    buf_clear(&w.data);
    return s;
}

enum status fact_delete(struct day *d, const struct fact_key *key, bool *was_there, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct fact_list group = {.arena = &a};
    int64_t id = 0;
    bool is_found = false;

    assert(key->day == d->number);
    *was_there = false;
    enum status s = find_group(d, key, &group, &id, &is_found, e);
    if (s == OK && is_found)
        s = rewrite_group(d, id, &group, e);
    *was_there = s == OK && is_found;
    return s;
}
