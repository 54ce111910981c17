/* Private to core/store: the tables a person's SQL sees. One description per table; vtab_tables.c
 * serves them all to SQLite. */
#ifndef FNSCOPE_CORE_STORE_SQL_TABLES_H
#define FNSCOPE_CORE_STORE_SQL_TABLES_H

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
    void *rows;
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

/* A table is read by day: the reader gives the rows of one day at a time into an array of its own.
 */
struct table_reader;
struct sql_table {
    const char *name;
    const char *schema;             /* as in create table */
    int time_column;                /* column the range is taken from; -1: none */
    int function_column, id_column; /* -1: none */
    /* Reads the rows of a day that pass (no row that passes may be missing; others may be there).
     */
    enum status (*load)(struct store *s, int64_t day, const struct table_filter *f, struct arena *a,
                        struct table_rows *out, struct err *e);
    void (*cell)(struct store *s, const void *row, int column, const struct cell_out *out);
    size_t row_bytes;
    bool is_timeless; /* read once, not by day */
};

extern const struct sql_table *const sql_tables[]; /* NULL-terminated */

/* Gives a connection (sqlite3 *) the sum(), total() and avg() of vtab_sum.c; false: it refused. */
MUST_CHECK bool sql_add_sums(void *db);

#endif
