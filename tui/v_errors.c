/* Errors: failed attempts that look alike, with one message each. */
#include "tui/view.h"

static const struct table_column columns[] = {
    {.name = "count", .title = "COUNT", .is_right = true},
    {.name = "function", .title = "FUNCTION", .max_width = 28},
    {.name = "outcome", .title = "RESULT"},
    {.name = "error_type", .title = "TYPE", .max_width = 30},
    {.name = "first_time", .title = "FIRST"},
    {.name = "last_time", .title = "LAST"},
    {.name = "sample", .title = "MESSAGE"},
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "region", .title = "REGION", .is_hidden = true},
};
static const unsigned char first[] = {0, 1, 2, 3, 6, 5, 4, 7, 8};

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct error_request q = {
        .range = d->range, .fn = app->fn_filter, .fn_id = app_place(app)->fn_id, .limit = 200};
    struct error_rows rows;

    if (request_errors(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.errors", 1);
    for (size_t i = 0; i < rows.n; i++) {
        const struct error_row *r = &rows.rows[i];
        struct row_ref *ref = view_row(d, &app->data_arena);
        struct table *t = &d->table;
        ref->leads_to = VIEW_INVOCATIONS;
        ref->fn_id = r->fn_id;
        ref->fn_name = r->fn.name;
        ref->error_type = r->error_type;
        ref->time_ns = r->last_ns;
        ref->outcome_mask = 1u << r->outcome;
        ref->style = STYLE_BAD;
        ref->is_problem = true;
        cell_count(t, 0, r->count);
        table_text(t, 1, r->fn.name);
        table_text_shown(t, 2, str_from(outcome_name(r->outcome)),
                         str_from(view_result(r->outcome)));
        table_text(t, 3, r->error_type);
        cell_time(t, 4, r->first_ns);
        cell_time(t, 5, r->last_ns);
        table_text(t, 6, r->sample);
        table_text(t, 7, r->fn.account);
        table_text(t, 8, r->fn.region);
    }
    return OK;
}

const struct view_ops view_errors = {
    .name = "errors",
    .title = "Errors",
    .load = load,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .named_column = 1,
    .has_no_row_identity = true,
    .default_sort = -1,
    .tab = VIEW_TRACES,
    .empty = "Nothing failed in this time range.",
};
