/* The answer of a statement typed behind ; as a table. Read-only like everything here. */
#include "core/store/store.h"
#include "tui/view.h"

#define ROWS_SHOWN ((size_t)1000)

struct answer {
    struct app *app;
    struct view_data *data;
    bool has_head;
};

static void take_head(struct answer *k, size_t n, const char *const *names,
                      const struct sql_cell *cells)
{
    struct arena *a = &k->app->data_arena;
    struct table_column *columns = arena_new(a, struct table_column, n + 1);

    for (size_t i = 0; i < n; i++) {
        columns[i].name = columns[i].title = arena_strz(a, str_from(names[i]));
        columns[i].max_width = 60;
        columns[i].is_right = cells && cells[i].is_number;
    }
    table_init(&k->data->table, a, columns, n, "fnscope.top.sql", 1);
    k->has_head = true;
}

static enum status on_row(void *ctx, size_t n, const char *const *names,
                          const struct sql_cell *cells, struct err *e)
{
    struct answer *k = ctx;
    struct arena *a = &k->app->data_arena;
    struct table *t = &k->data->table;

    UNUSED(e);
    n = n > MAX_COLUMNS ? MAX_COLUMNS : n;
    if (!k->has_head)
        take_head(k, n, names, cells);
    if (!cells)
        return OK;
    if (t->n_rows == ROWS_SHOWN) {
        k->data->is_more = true;
        return ERR_CANCELLED;
    }
    view_row(k->data, a);
    for (size_t i = 0; i < n; i++) {
        struct str text = arena_str(a, cells[i].text);
        if (cells[i].is_null)
            continue;
        if (cells[i].is_number)
            table_number(t, i, text, text);
        else
            table_text(t, i, text);
    }
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct answer k = {app, d, false};
    enum status s = store_sql(app->options->store, app_place(app)->id, on_row, &k, e);

    return s == ERR_CANCELLED ? OK : s;
}

const struct view_ops view_sql = {
    .name = "sql",
    .title = "SQL",
    .load = load,
    .has_no_row_identity = true,
    .is_still = true,
    .default_sort = -1,
    .tab = VIEW_SQL,
    .empty = "The statement gave no rows.",
};
