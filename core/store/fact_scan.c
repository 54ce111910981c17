/* Reading facts of one function and a range of one day, from groups or from the rows of an older
 * file. */
#include "core/store/fact_store.h"

/* The writer moves the rows of an older file into groups in one transaction. A reader may have the
 * file open then, so it looks again until it has found groups. */
static bool has_groups(struct sql *db, bool had_groups)
{
    return had_groups || schema_has(db, "facts");
}

static enum status prepare(struct fact_cursor *c, struct err *e)
{
    return sql_prepare(c->db,
                       c->has_groups
                           ? STR("select id, t0, t1, data from facts where id between ?1 and ?2"
                                 " and t0 < ?4 and t1 >= ?3")
                           : STR("select " FACT_ROW_COLUMNS
                                 " from inv where fn = ?5 and ts >= ?3 and ts < ?4"
                                 " order by ts, seq"),
                       &c->st, e);
}

enum status fact_cursor_open(struct fact_cursor *c, struct day *d, struct err *e)
{
    d->has_groups = has_groups(d->db, d->has_groups);
    c->has_groups = d->has_groups;
    c->day = d->number;
    c->db = d->db;
    enum status s = prepare(c, e);
    if (!schema_has_moved(c->db, "facts", c->has_groups, s))
        return s;
    c->has_groups = true;
    return prepare(c, e);
}

void fact_cursor_seek(struct fact_cursor *c, uint32_t fn, struct range r)
{
    int64_t base = c->day * NS_PER_DAY;

    r = range_of_day(r, c->day);
    if (r.until_ns <= r.since_ns)
        r = (struct range){base, base};
    sql_reset(c->st);
    c->is_in_group = c->has_given = false;
    c->fn = fn;
    c->range = r;
    unsigned last = r.until_ns > base ? hour_of_day(r.until_ns - 1, c->day) : 0;
    if (c->has_groups) {
        sql_bind_i64(c->st, 1, group_first_id(fn, hour_of_day(r.since_ns, c->day)));
        sql_bind_i64(c->st, 2, group_last_id(fn, last));
    } else {
        sql_bind_i64(c->st, 5, fn);
    }
    sql_bind_i64(c->st, 3, r.since_ns - base);
    sql_bind_i64(c->st, 4, r.until_ns - base);
}

static enum status next_group(struct fact_cursor *c, bool *has_fact, struct err *e)
{
    int64_t base = c->day * NS_PER_DAY;
    enum status s = sql_step(c->st, has_fact, e);

    if (s != OK || !*has_fact)
        return s;
    struct range bounds = {base + sql_i64(c->st, 1), base + sql_i64(c->st, 2)};
    struct str data = sql_blob(c->st, 3);
    group_open(&c->group, c->fn, bounds, c->keep ? arena_str(c->keep, data) : data);
    c->group.keep = c->keep;
    c->is_in_group = true;
    return OK;
}

static enum status next_of_groups(struct fact_cursor *c, struct fact *f, bool *has_fact,
                                  struct err *e)
{
    for (;;) {
        while (c->is_in_group && group_next(&c->group, f))
            if (f->ts_ns >= c->range.since_ns && f->ts_ns < c->range.until_ns &&
                (c->has_forged || !(f->evidence & EV_FORGED))) {
                *has_fact = true;
                return OK;
            }
        if (c->is_in_group && c->group.in.is_bad)
            return err_set(e, ERR_PARSE,
                           STR_FMT ": a damaged group of invocations: run `fnscope db verify`",
                           STR_ARG(sql_path(c->db)));
        c->is_in_group = false;
        enum status s = next_group(c, has_fact, e);
        if (s != OK || !*has_fact)
            return s;
    }
}

static enum status next_row(struct fact_cursor *c, struct fact *f, bool *has_fact, struct err *e)
{
    enum status s = sql_step(c->st, has_fact, e);

    if (s != OK || !*has_fact)
        return s;
    c->has_given = true;
    fact_row_read(c->st, c->day, f);
    if (!c->keep)
        return OK;
    f->id = arena_str(c->keep, f->id);
    f->trace = arena_str(c->keep, f->trace);
    f->pieces = arena_str(c->keep, f->pieces);
    return OK;
}

static enum status turn_to_groups(struct fact_cursor *c, struct err *e)
{
    sql_finalize(c->st);
    c->st = NULL;
    c->has_groups = true;
    enum status s = prepare(c, e);
    if (s == OK)
        fact_cursor_seek(c, c->fn, c->range);
    return s;
}

/* A row that was given holds the moment that the next ones are of: what fails behind it has another
 * reason. */
enum status fact_cursor_next(struct fact_cursor *c, struct fact *f, bool *has_fact, struct err *e)
{
    struct err failure = {0};

    if (c->has_groups)
        return next_of_groups(c, f, has_fact, e);
    enum status s = next_row(c, f, has_fact, &failure);
    if (s != OK && !c->has_given && schema_has_moved(c->db, "facts", false, s)) {
        s = turn_to_groups(c, e);
        return s == OK ? next_of_groups(c, f, has_fact, e) : s;
    }
    if (s != OK && e)
        *e = failure;
    return s;
}

void fact_cursor_close(struct fact_cursor *c)
{
    sql_finalize(c->st);
    c->st = NULL;
}

enum status facts_each(struct day *d, uint32_t fn, struct range r, struct fact_sink sink,
                       struct err *e)
{
    AUTO(fact_cursor_close) struct fact_cursor c = {.has_forged = sink.has_forged};
    bool has_fact = false;
    struct fact f;
    enum status s = fact_cursor_open(&c, d, e);

    if (s == OK)
        fact_cursor_seek(&c, fn, r);
    while (s == OK && (s = fact_cursor_next(&c, &f, &has_fact, e)) == OK && has_fact)
        s = sink.fn(sink.ctx, &f, e);
    return s;
}

/* Before migration 5 roll-ups had no bounds: of groups those of the first and last hour are looked
 * at. */
static const char *bounds_query(struct day *d)
{
    d->has_groups = has_groups(d->db, d->has_groups);
    if (day_has_heads(d))
        return "select t0, t1 from roll where fn = ?3 and slot = ?5";
    if (!d->has_groups)
        return "select min(ts), max(ts) from inv where fn = ?3";
    return "select (select min(t0) from facts where id between ?1 and"
           " (select min(id) from facts where id between ?1 and ?2) | ?4),"
           " (select max(t1) from facts where id between"
           " (select max(id) from facts where id between ?1 and ?2) & ~?4 and ?2)";
}

static enum status read_bounds(struct day *d, uint32_t fn, bool *is_found, struct range *bounds,
                               struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct sql_stmt *st;
    bool has_row = false;
    const char *query = bounds_query(d);
    enum status s = sql_prepare(d->db, str_from(query), &st, e);

    if (s != OK)
        return s;
    if (d->has_heads) {
        sql_bind_i64(st, 5, ROLL_DAY_SLOT);
    } else if (d->has_groups) {
        sql_bind_i64(st, 1, group_first_id(fn, 0));
        sql_bind_i64(st, 2, group_last_id(fn, 31));
        sql_bind_i64(st, 4, ((int64_t)1 << GROUP_HOUR_BITS) - 1);
    }
    if (!d->has_groups || d->has_heads)
        sql_bind_i64(st, 3, fn);
    s = sql_step(st, &has_row, e);
    *is_found = s == OK && has_row && !sql_is_null(st, 0);
    if (*is_found)
        *bounds = (struct range){base + sql_i64(st, 0), base + sql_i64(st, 1)};
    sql_finalize(st);
    return s;
}

enum status facts_bounds(struct day *d, uint32_t fn, bool *is_found, struct range *bounds,
                         struct err *e)
{
    struct err failure = {0};
    enum status s = read_bounds(d, fn, is_found, bounds, &failure);

    if (s != OK && schema_has_moved(d->db, "facts", d->has_groups, s))
        return read_bounds(d, fn, is_found, bounds, e);
    if (s != OK && e)
        *e = failure;
    return s;
}

enum status facts_narrow(struct day *d, uint32_t fn, struct range *r, struct err *e)
{
    struct range facts = {0};
    bool is_found = false;
    enum status s = facts_bounds(d, fn, &is_found, &facts, e);

    if (s != OK)
        return s;
    if (!is_found)
        facts = (struct range){r->since_ns, r->since_ns - 1};
    r->since_ns = facts.since_ns > r->since_ns ? facts.since_ns : r->since_ns;
    r->until_ns = facts.until_ns + 1 < r->until_ns ? facts.until_ns + 1 : r->until_ns;
    return OK;
}
