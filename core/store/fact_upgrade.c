/* Facts as files had them before migration 4: one a row, in a table of their own. A reader takes
 * them as they are; the writer moves them into groups when it opens the file. */
#include "core/store/fact_store.h"

enum {
    C_FN,
    C_TS,
    C_RID,
    C_STREAM,
    C_KIND,
    C_DUR,
    C_BILLED,
    C_MEM,
    C_USED,
    C_INIT,
    C_EVIDENCE,
    C_COST,
    C_ERROR,
    C_VERSION,
    C_TRACE,
    C_EXTRA
};

/* Rare members (restore, lead, storage) as varints, then the pieces. */
static void read_extra(struct str blob, struct fact *f)
{
    struct varint_reader in = {.rest = blob};

    if (blob.n == 0)
        return;
    f->restore_ns = (int64_t)varint_read(&in);
    f->lead_ns = svarint_read(&in);
    f->storage_mb = varint_read(&in);
    f->pieces = in.rest;
}

/* Most durations are whole microseconds, stored doubled; others are nanoseconds doubled plus one.
 */
static int64_t row_time(int64_t v)
{
    return v & 1 ? v >> 1 : (v >> 1) * NS_PER_US;
}

void fact_row_read(const struct sql_stmt *st, int64_t day, struct fact *f)
{
    struct str id = sql_blob(st, C_RID), trace = sql_blob(st, C_TRACE);

    *f = (struct fact){
        .fn = (uint32_t)sql_i64(st, C_FN),
        .ts_ns = day * NS_PER_DAY + sql_i64(st, C_TS),
        .id = id,
        .id_is_packed = id.n == 16,
        .trace = trace,
        .trace_is_packed = trace.n == 16,
        .stream = (uint32_t)sql_i64(st, C_STREAM),
        .kind = (uint32_t)sql_i64(st, C_KIND),
        .duration_ns = row_time(sql_i64(st, C_DUR)),
        .billed_ns = sql_i64(st, C_BILLED) * NS_PER_MS,
        .memory_mb = (uint64_t)sql_i64(st, C_MEM),
        .used_mb = (uint64_t)sql_i64(st, C_USED),
        .init_ns = row_time(sql_i64(st, C_INIT)),
        .evidence = (uint32_t)sql_i64(st, C_EVIDENCE),
        .cost = sql_i64(st, C_COST),
        .error_type = (uint32_t)sql_i64(st, C_ERROR),
        .version = (uint32_t)sql_i64(st, C_VERSION),
    };
    if (!fact_kind_is_right(f->kind))
        f->kind = 0;
    read_extra(sql_blob(st, C_EXTRA), f);
}

struct upgrade {
    struct day day; /* times within the day are all that counts: day 0 */
    struct fact_filler filler;
    uint32_t fn;
    unsigned hour;
};

static enum status move_fact(struct upgrade *u, const struct fact *f, struct err *e)
{
    unsigned hour = hour_of_day(f->ts_ns, 0);
    enum status s = OK;

    if (f->fn != u->fn || hour != u->hour) {
        s = fact_filler_end(&u->filler, &u->day, e);
        u->fn = f->fn;
        u->hour = hour;
        u->filler.next_id = group_first_id(f->fn, hour);
        u->filler.last_id = group_last_id(f->fn, hour);
    }
    return s == OK ? fact_filler_add(&u->filler, &u->day, f, e) : s;
}

static enum status move_rows(struct upgrade *u, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        u->day.db, STR("select " FACT_ROW_COLUMNS " from inv order by fn, ts, seq"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fact f;
        fact_row_read(st, 0, &f);
        s = move_fact(u, &f, e);
        if (s != OK)
            break;
    }
    sql_finalize(st);
    return s == OK ? fact_filler_end(&u->filler, &u->day, e) : s;
}

enum status facts_upgrade(struct sql *db, struct err *e)
{
    struct upgrade u = {.day = {.db = db, .has_groups = true}, .hour = UINT32_MAX};
    enum status s = move_rows(&u, e);

    sql_finalize(u.day.put_group);
    fact_filler_clear(&u.filler);
    return s == OK ? sql_exec(db, "drop table inv", e) : s;
}
