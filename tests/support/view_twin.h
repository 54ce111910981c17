/* A dashboard over a table in memory, for tests of filter, sort and drawing: no store behind it. */
#ifndef FNSCOPE_TESTS_SUPPORT_VIEW_TWIN_H
#define FNSCOPE_TESTS_SUPPORT_VIEW_TWIN_H

#include "core/base/macros.h"
#include "tui/view.h"

struct view_twin {
    struct tui_options options;
    struct app app;
};

struct twin_row {
    const char *name, *percent, *cost; /* NULL: not known */
    enum style style;
};

static const struct table_column twin_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "error_percent", .title = "ERR%", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
};

static inline void view_twin_open(struct view_twin *w, const struct twin_row *rows, size_t n)
{
    *w = (struct view_twin){
        .options = {.clock = clock_fixed(INT64_C(1768478400000000000)),
                    .range = {INT64_C(1768392000000000000), INT64_C(1768478400000000000)},
                    .view = "functions"}};
    app_init(&w->app, &w->options);
    struct table *t = &w->app.data.table;
    struct arena *a = &w->app.data_arena;
    table_init(t, a, twin_columns, ARRAY_LEN(twin_columns), "twin", 1);
    for (size_t i = 0; i < n; i++) {
        struct row_ref *ref = view_row(&w->app.data, a);
        ref->style = rows[i].style;
        ref->is_problem = rows[i].style == STYLE_BAD;
        table_text(t, 0, str_from(rows[i].name));
        if (rows[i].percent)
            table_number(t, 1, str_from(rows[i].percent), str_from(rows[i].percent));
        if (rows[i].cost)
            table_number(t, 2, str_from(rows[i].cost), str_from(rows[i].cost));
    }
    w->app.has_data = true;
    w->app.must_load = false;
    w->app.data.range = w->options.range;
    app_place(&w->app)->sort_column = -1;
    app_arrange(&w->app);
}

static inline void view_twin_filter(struct view_twin *w, struct str text)
{
    struct app *app = &w->app;

    app->filter_n = text.n < sizeof(app->filter) ? text.n : sizeof(app->filter) - 1;
    for (size_t i = 0; i < app->filter_n; i++)
        app->filter[i] = text.p[i];
    app_arrange(app);
}

#endif
