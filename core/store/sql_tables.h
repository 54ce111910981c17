/* Private to core/store: the tables a person's SQL sees. One description per table; vtab_tables.c
 * serves them all to SQLite. */
#ifndef FNSCOPE_CORE_STORE_SQL_TABLES_H
#define FNSCOPE_CORE_STORE_SQL_TABLES_H

#include "core/base/timefmt.h"
#include "core/store/store_private.h"

/* What a query asks of a table, as far as the table can use it. */
struct table_filter {
    struct range range;    /* of start_ns or time_ns */
    struct str function;   /* exact; empty: any */
    struct str request_id; /* exact; empty: any */
    uint64_t columns;      /* a bit for each that is looked at: count(*) looks at none */
    int64_t step_ns;       /* roll-ups: set by the table */
};

struct table_rows {
    const void *rows;
    size_t n;
};

/* Where a value goes: SQLite's result of a column, behind functions so that only vtab_*.c knows
 * SQLite. */
struct cell_out {
    void (*put_i64)(void *to, int64_t v);
    void (*put_str)(void *to, struct str v);
    /* v of 10^-scale, scale up to 15: the nearest number SQLite has, so that it sorts and compares
     * as one. Up to 15 digits it is printed exactly as it is. */
    void (*put_scaled)(void *to, wide v, unsigned scale);
    void (*put_null)(void *to);
    void *to;
};

/* One reading of a table that gives its rows part by part. */
struct table_scan {
    struct store *store;
    struct table_filter filter;
    void *state; /* the table's own; NULL at first */
};

/* What a look-up costs and gives, in rows read one after another; zero: as any other table. */
struct table_cost {
    double by_id;      /* a look-up by id */
    double rows_of_id; /* that it gives */
    uint64_t rare;     /* a bit for each column where what is neither null nor 'ok' is rare */
    double rows;       /* of the whole table, by order of magnitude */
};

/* A table is read by day, or in parts of its own: then load is NULL. */
struct sql_table {
    const char *name;
    const char *schema;             /* as in create table */
    int time_column;                /* column the range is taken from; -1: none */
    int function_column, id_column; /* -1: none */
    /* Reads the rows of a day that pass (no row that passes may be missing; others may be there).
     */
    enum status (*load)(struct store *s, int64_t day, const struct table_filter *f, struct arena *a,
                        struct table_rows *out, struct err *e);
    /* The next rows, valid until the next call; none: there are no more. */
    enum status (*next)(struct table_scan *scan, struct table_rows *out, struct err *e);
    void (*end)(struct table_scan *scan); /* also after none or a failed call of next */
    void (*cell)(struct store *s, const void *row, int column, const struct cell_out *out);
    size_t row_bytes;
    bool is_timeless; /* read once, not by day */
    struct table_cost cost;
};

/* A glob that only this name passes; empty, which all pass, for a name that holds one's signs. */
struct str glob_of_name(struct str name);

/* Cells that are null where there is nothing, and times as RFC 3339 with milliseconds. */
static inline void put_text(const struct cell_out *out, struct str s)
{
    if (s.n > 0)
        out->put_str(out->to, s);
    else
        out->put_null(out->to);
}

static inline void put_time(const struct cell_out *out, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    out->put_str(out->to, buf_str(&b));
}

extern const struct sql_table *const sql_tables[]; /* NULL-terminated */

/* Gives a connection (sqlite3 *) the sum(), total() and avg() of vtab_sum.c; false: it refused. */
MUST_CHECK bool sql_add_sums(void *db);

#endif
