/* SQLite's side of the tables in sql_tables.c: one virtual table module for all. A cursor walks the
 * days that the query's time range leaves, newest rows last, and holds one day's rows at a time. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "core/base/mem.h"
#include "core/store/sql_found.h"

/* What SQLite hands to the module when a table is used. */
struct binding {
    const struct sql_table *table;
    struct store *store;
};

struct vtab {
    sqlite3_vtab base; /* first: SQLite's view of it */
    struct binding binding;
};

struct cursor_state {
    sqlite3_vtab_cursor base; /* first: SQLite's view of it */
    struct arena arena, filter_arena;
    struct table_scan scan;
    struct found_ids found;
    size_t next_day, row, n_rows;
    const char *rows;
    bool is_done;
    sqlite3_int64 rowid;
};

static const struct binding *binding_of(const sqlite3_vtab *v)
{
    return &((const struct vtab *)(const void *)v)->binding;
}

static struct cursor_state *state_of(sqlite3_vtab_cursor *c)
{
    return (struct cursor_state *)(void *)c;
}

static int fail(sqlite3_vtab *v, const struct err *e)
{
    sqlite3_free(v->zErrMsg);
    v->zErrMsg = sqlite3_mprintf("%s", e->msg);
    return SQLITE_ERROR;
}

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **error)
{
    const struct binding *b = aux;

    UNUSED(argc);
    UNUSED(argv);
    UNUSED(error);
    int code = sqlite3_declare_vtab(db, b->table->schema);
    if (code != SQLITE_OK)
        return code;
    struct vtab *v = xcalloc(1, sizeof(*v));
    v->binding = *b;
    *out = &v->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *v)
{
    free(v);
    return SQLITE_OK;
}

/* --- planning: which constraints a table can use --- */

enum plan_bit { PLAN_SINCE = 1, PLAN_UNTIL = 2, PLAN_FUNCTION = 4, PLAN_ID = 8 };
enum { PLAN_COLUMNS_SHIFT = 4, PLAN_COLUMNS = 26 }; /* above: a bit for each column in use */

static int plan_bit_of(const struct sql_table *t, const struct sqlite3_index_constraint *c)
{
    bool is_low = c->op == SQLITE_INDEX_CONSTRAINT_GE || c->op == SQLITE_INDEX_CONSTRAINT_GT;
    bool is_high = c->op == SQLITE_INDEX_CONSTRAINT_LE || c->op == SQLITE_INDEX_CONSTRAINT_LT;

    if (!c->usable)
        return 0;
    if (c->iColumn == t->time_column && (is_low || is_high))
        return is_low ? PLAN_SINCE : PLAN_UNTIL;
    if (c->op != SQLITE_INDEX_CONSTRAINT_EQ)
        return 0;
    if (c->iColumn == t->function_column)
        return PLAN_FUNCTION;
    return c->iColumn == t->id_column ? PLAN_ID : 0;
}

/* SQLite's last bit stands for all columns from the 64th on; no table has so many. */
static unsigned columns_used(const sqlite3_index_info *info)
{
    return (unsigned)(info->colUsed & ((UINT64_C(1) << PLAN_COLUMNS) - 1));
}

/* --- what a plan costs: a row read one after another is one --- */

static bool is_among(uint64_t columns, int column)
{
    return column >= 0 && column < 64 && (columns >> column & 1) != 0;
}

static bool is_ok(sqlite3_index_info *info, int i)
{
    sqlite3_value *v = NULL;

    return sqlite3_vtab_rhs_value(info, i, &v) == SQLITE_OK && v &&
           sqlite3_value_type(v) == SQLITE_TEXT &&
           strcmp((const char *)sqlite3_value_text(v), "ok") == 0;
}

/* Which part of the rows passes one condition, roughly. */
static double part_passing(const struct sql_table *t, sqlite3_index_info *info, int i)
{
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];

    switch (c->op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
    case SQLITE_INDEX_CONSTRAINT_IS:
        return is_among(t->cost.rare, c->iColumn) && is_ok(info, i) ? 0.9 : 0.02;
    case SQLITE_INDEX_CONSTRAINT_NE:
    case SQLITE_INDEX_CONSTRAINT_ISNOT:
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
        return is_among(t->cost.rare, c->iColumn) ? 0.02 : 0.9;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return c->iColumn == t->time_column ? 0.1 : 0.3;
    case SQLITE_INDEX_CONSTRAINT_LIKE:
    case SQLITE_INDEX_CONSTRAINT_GLOB:
    case SQLITE_INDEX_CONSTRAINT_REGEXP:
        return 0.05;
    default:
        return 1;
    }
}

static double rows_passing(const struct sql_table *t, sqlite3_index_info *info, bool is_used_only)
{
    double rows = t->cost.rows > 0 ? t->cost.rows : t->is_timeless ? 1e3 : 1e5;

    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].usable &&
            (!is_used_only || info->aConstraintUsage[i].argvIndex > 0))
            rows *= part_passing(t, info, i);
    return rows > 1 ? rows : 1;
}

static void tell_cost(const struct sql_table *t, sqlite3_index_info *info, int plan)
{
    if (plan & PLAN_ID) {
        info->estimatedCost = t->cost.by_id > 0 ? t->cost.by_id : 10;
        info->estimatedRows = t->cost.rows_of_id > 0 ? (sqlite3_int64)t->cost.rows_of_id : 1;
        return;
    }
    info->estimatedCost = rows_passing(t, info, true);
    if (t->is_timeless)
        info->estimatedCost *= 10; /* sums of all roll-ups */
    info->estimatedRows = (sqlite3_int64)rows_passing(t, info, false);
}

/* SQLite checks every constraint again, so a plan may be loose; arguments come in the order of the
 * bits. */
static int best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
    const struct sql_table *t = binding_of(v)->table;
    int plan = 0, next = 1;

    for (int bit = PLAN_SINCE; bit <= PLAN_ID; bit *= 2)
        for (int i = 0; i < info->nConstraint; i++) {
            if (plan & bit || plan_bit_of(t, &info->aConstraint[i]) != bit)
                continue;
            plan |= bit;
            info->aConstraintUsage[i].argvIndex = next++;
        }
    info->idxNum = plan | (int)columns_used(info) << PLAN_COLUMNS_SHIFT;
    tell_cost(t, info, plan);
    return SQLITE_OK;
}

/* --- walking --- */

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    struct cursor_state *c = xcalloc(1, sizeof(*c));

    UNUSED(v);
    *out = &c->base;
    return SQLITE_OK;
}

static void end_scan(struct cursor_state *c)
{
    const struct sql_table *t = binding_of(c->base.pVtab)->table;

    if (t->end)
        t->end(&c->scan);
    c->scan.state = NULL;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    struct cursor_state *c = state_of(cursor);

    end_scan(c);
    found_clear(&c->found);
    arena_clear(&c->arena);
    arena_clear(&c->filter_arena);
    free(c);
    return SQLITE_OK;
}

static bool day_is_wanted(const struct cursor_state *c, int64_t day)
{
    return c->scan.filter.range.until_ns > day * NS_PER_DAY &&
           c->scan.filter.range.since_ns < (day + 1) * NS_PER_DAY;
}

static int load_part(struct cursor_state *c)
{
    struct table_rows part = {0};
    struct err e = {0};

    if (binding_of(c->base.pVtab)->table->next(&c->scan, &part, &e) != OK)
        return fail(c->base.pVtab, &e);
    c->rows = part.rows;
    c->n_rows = part.n;
    c->is_done = part.n == 0;
    return SQLITE_OK;
}

/* All rows of a request at once. */
static int load_found(struct cursor_state *c)
{
    const struct binding *b = binding_of(c->base.pVtab);
    struct table_rows found = {0};
    struct err e = {0};

    c->row = c->n_rows = 0;
    c->found.table = b->table;
    if (found_look_up(&c->found, b->store, &c->scan.filter, &found, &e) != OK)
        return fail(c->base.pVtab, &e);
    c->rows = found.rows;
    c->n_rows = found.n;
    c->next_day = b->store->n_day_numbers;
    c->is_done = found.n == 0;
    return SQLITE_OK;
}

/* Loads days until one has rows, or the next part. */
static int load_next(struct cursor_state *c)
{
    const struct binding *b = binding_of(c->base.pVtab);
    struct err e = {0};

    c->row = c->n_rows = 0;
    if (b->table->next)
        return load_part(c);
    while (c->n_rows == 0) {
        struct table_rows loaded = {0};
        size_t i = c->next_day++, n_days = b->table->is_timeless ? 1 : b->store->n_day_numbers;
        if (i >= n_days) {
            c->is_done = true;
            return SQLITE_OK;
        }
        int64_t day = b->table->is_timeless ? 0 : b->store->day_numbers[i];
        if (!b->table->is_timeless && !day_is_wanted(c, day))
            continue;
        arena_reset(&c->arena);
        if (b->table->load(b->store, day, &c->scan.filter, &c->arena, &loaded, &e) != OK)
            return fail(c->base.pVtab, &e);
        c->rows = loaded.rows;
        c->n_rows = loaded.n;
    }
    return SQLITE_OK;
}

static struct str value_text(struct cursor_state *c, sqlite3_value *v)
{
    const char *p = (const char *)sqlite3_value_text(v);

    return arena_str(&c->filter_arena, (struct str){p, p ? (size_t)sqlite3_value_bytes(v) : 0});
}

static int64_t limited(int64_t v)
{
    return v < INT64_MIN / 2 ? INT64_MIN / 2 : v > INT64_MAX / 2 ? INT64_MAX / 2 : v;
}

static int filter(sqlite3_vtab_cursor *cursor, int plan, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct cursor_state *c = state_of(cursor);
    int next = 0;

    UNUSED(text);
    UNUSED(argc);
    end_scan(c);
    arena_reset(&c->filter_arena);
    c->scan.store = binding_of(cursor->pVtab)->store;
    c->scan.filter = (struct table_filter){.range = {INT64_MIN / 2, INT64_MAX / 2},
                                           .columns = (unsigned)plan >> PLAN_COLUMNS_SHIFT};
    if (plan & PLAN_SINCE)
        c->scan.filter.range.since_ns = limited(sqlite3_value_int64(argv[next++]));
    if (plan & PLAN_UNTIL) /* <= and < alike: the row at the bound is checked by SQLite */
        c->scan.filter.range.until_ns = limited(sqlite3_value_int64(argv[next++])) + 1;
    if (plan & PLAN_FUNCTION)
        c->scan.filter.function = value_text(c, argv[next++]);
    if (plan & PLAN_ID)
        c->scan.filter.request_id = value_text(c, argv[next++]);
    assert(next == argc);
    c->next_day = 0;
    c->rowid = 0;
    c->is_done = plan & PLAN_ID && c->scan.filter.request_id.n == 0; /* null equals nothing */
    if (c->is_done)
        return SQLITE_OK;
    const struct sql_table *t = binding_of(cursor->pVtab)->table;
    return plan & PLAN_ID && t->load && !t->is_timeless ? load_found(c) : load_next(c);
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
    struct cursor_state *c = state_of(cursor);

    c->rowid++;
    return ++c->row < c->n_rows ? SQLITE_OK : load_next(c);
}

static int is_eof(sqlite3_vtab_cursor *cursor)
{
    return state_of(cursor)->is_done;
}

static void put_i64(void *to, int64_t v)
{
    sqlite3_result_int64(to, v);
}

static void put_str(void *to, struct str v)
{
    sqlite3_result_text64(to, v.p ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* The nearest double: both operands are exact up to 2^53, and a division rounds once. */
static void put_scaled(void *to, wide v, unsigned scale)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

    assert(scale < ARRAY_LEN(powers));
    sqlite3_result_double(to, (double)v / powers[scale]);
}

static void put_null(void *to)
{
    sqlite3_result_null(to);
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int i)
{
    struct cursor_state *c = state_of(cursor);
    const struct binding *b = binding_of(cursor->pVtab);
    const struct cell_out out = {put_i64, put_str, put_scaled, put_null, ctx};

    b->table->cell(b->store, c->rows + c->row * b->table->row_bytes, i, &out);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    *out = state_of(cursor)->rowid;
    return SQLITE_OK;
}

/* xCreate NULL: the tables are there without being created. */
static const sqlite3_module module = {
    .iVersion = 1,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next_row,
    .xEof = is_eof,
    .xColumn = column,
    .xRowid = rowid,
};

/* --- one query --- */

/* Reading only: no attach, no pragma, no writing, no loading of code. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *database,
                     const char *trigger)
{
    UNUSED(ctx);
    UNUSED(a);
    UNUSED(b);
    UNUSED(database);
    UNUSED(trigger);
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION ||
                   action == SQLITE_RECURSIVE
               ? SQLITE_OK
               : SQLITE_DENY;
}

static void free_binding(void *p)
{
    free(p);
}

/* A first use connects a table; done before the authorizer is set, which would refuse the
 * declaration. */
static bool connect_now(sqlite3 *db, const char *name)
{
    char text[128];

    sqlite3_snprintf(sizeof(text), text, "select 1 from %s limit 0", name);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static enum status register_all(struct store *s, sqlite3 *db, struct err *e)
{
    for (size_t i = 0; sql_tables[i]; i++) {
        struct binding *b = xcalloc(1, sizeof(*b));
        *b = (struct binding){sql_tables[i], s};
        if (sqlite3_create_module_v2(db, sql_tables[i]->name, &module, b, free_binding) !=
                SQLITE_OK ||
            !connect_now(db, sql_tables[i]->name))
            return err_set(e, ERR_BUG, "table %s cannot be offered", sql_tables[i]->name);
    }
    return OK;
}

struct query {
    sqlite3 *db;
    sqlite3_stmt *st;
    struct arena arena, row;
    const char **names;
    struct sql_cell *cells;
    size_t n;
};

static void query_clear(struct query *q)
{
    sqlite3_finalize(q->st);
    sqlite3_close(q->db);
    arena_clear(&q->arena);
    arena_clear(&q->row);
}

static enum status prepare_query(struct query *q, struct str sql, struct err *e)
{
    const char *tail = NULL;

    if (sqlite3_prepare_v2(q->db, sql.p, (int)sql.n, &q->st, &tail) != SQLITE_OK)
        return err_set(
            e, ERR_USAGE, "SQL: %s%s", sqlite3_errmsg(q->db),
            sqlite3_errcode(q->db) == SQLITE_AUTH ? ": the store is open for reading only" : "");
    if (!q->st)
        return err_set(e, ERR_USAGE, "SQL: the query is empty");
    struct str rest = str_trim(str_skip(sql, (size_t)(tail - sql.p)));
    if (rest.n > 0 && !str_eq(rest, STR(";")))
        return err_set(e, ERR_USAGE, "SQL: one query at a time, please");
    q->n = (size_t)sqlite3_column_count(q->st);
    q->names = arena_new(&q->arena, const char *, q->n + 1);
    q->cells = arena_new(&q->arena, struct sql_cell, q->n + 1);
    for (size_t i = 0; i < q->n; i++)
        q->names[i] = sqlite3_column_name(q->st, (int)i);
    return OK;
}

/* SQLite's text of a number, "1.667e-06" or "30000.0", as people write it: "0.000001667", "30000".
 * It has 15 digits, more than a cost of 10^-12 has below a thousand: nothing is rounded away. */
static struct str plain_number(struct arena *a, struct str text)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    int64_t exponent = 0;
    struct str rest = text, digits = str_cut(&rest, 'e');

    if (str_ends(digits, STR(".0")))
        digits.n -= 2;
    if (rest.n == 0)
        return digits;
    if (!str_to_i64(rest, &exponent) || exponent >= 0 || exponent < -30)
        return text;
    if (str_starts(digits, STR("-"))) {
        buf_add_c(&b, '-');
        digits = str_skip(digits, 1);
    }
    buf_add_z(&b, "0.");
    buf_add_repeat(&b, '0', (size_t)(-exponent - 1));
    buf_add_str(&b, str_cut(&digits, '.'));
    buf_add_str(&b, digits);
    return arena_str(a, buf_str(&b));
}

static void read_cells(struct query *q)
{
    arena_reset(&q->row);
    for (size_t i = 0; i < q->n; i++) {
        int type = sqlite3_column_type(q->st, (int)i); /* before the text, which may change it */
        const char *p = (const char *)sqlite3_column_text(q->st, (int)i);
        struct str text = {p, (size_t)sqlite3_column_bytes(q->st, (int)i)};
        q->cells[i] =
            (struct sql_cell){.text = type == SQLITE_FLOAT ? plain_number(&q->row, text) : text,
                              .is_null = !p,
                              .is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT};
    }
}

static enum status run_query(struct query *q, sql_row_fn *on_row, void *ctx, struct err *e)
{
    bool has_rows = false;

    for (;;) {
        int code = sqlite3_step(q->st);
        if (code == SQLITE_DONE)
            return has_rows ? OK : on_row(ctx, q->n, q->names, NULL, e);
        if (code != SQLITE_ROW)
            return err_set(e, ERR_USAGE, "SQL: %s", sqlite3_errmsg(q->db));
        has_rows = true;
        read_cells(q);
        enum status s = on_row(ctx, q->n, q->names, q->cells, e);
        if (s != OK)
            return s;
    }
}

enum status store_sql(struct store *s, struct str sql, sql_row_fn *on_row, void *ctx, struct err *e)
{
    AUTO(query_clear) struct query q = {0};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    if (status == OK && sqlite3_open(":memory:", &q.db) != SQLITE_OK)
        status = err_set(e, ERR_BUG, "SQL: %s", sqlite3_errmsg(q.db));
    if (status == OK && !sql_add_sums(q.db))
        status = err_set(e, ERR_BUG, "SQL: %s", sqlite3_errmsg(q.db));
    if (status == OK)
        status = register_all(s, q.db, e);
    if (status != OK)
        return status;
    sqlite3_set_authorizer(q.db, authorize, NULL);
    status = prepare_query(&q, sql, e);
    return status == OK ? run_query(&q, on_row, ctx, e) : status;
}
