/* The order of the rows: by which column, and which way round. */
#include "tui/act.h"

static void sort_anew(struct app *app)
{
    const struct place *p = app_place(app);
    const struct view_ops *ops = view_table[p->view];
    const bool is_part = ops->is_asked_of_store && app->data.is_more && p->sort_column >= 0 &&
                         !(ops->store_sorts & 1u << p->sort_column);

    if (is_part)
        app->message = STR("by this only the rows that are loaded are sorted");
    app_ask_anew(app);
    app_arrange(app);
}

/* The next column, round and round, past those that only programs get. */
static int next_column(const struct table *t, int column, int step)
{
    const int n = (int)t->n_columns;

    do
        column = (column + step + n) % n;
    while (t->columns[column].is_hidden && column != 0);
    return column;
}

void act_sort(struct app *app, enum action action)
{
    struct place *p = app_place(app);
    const struct table *t = &app->data.table;

    if (view_table[p->view]->is_text || t->n_columns == 0 || p->view == VIEW_LOG) {
        app->message = STR("this view has its own order");
        return;
    }
    if (action == ACT_INVERT) {
        p->is_inverted = !p->is_inverted;
        app->message = p->sort_column < 0 && p->view == VIEW_INVOCATIONS
                           ? STR("s chooses a column first: I turns its order round")
                           : (struct str){0};
    } else {
        p->sort_column = next_column(t, p->sort_column, action == ACT_SORT_LEFT ? -1 : 1);
        p->is_inverted = false;
    }
    sort_anew(app);
}

void act_sort_by(struct app *app, int column)
{
    struct place *p = app_place(app);

    p->is_inverted = p->sort_column == column && !p->is_inverted;
    p->sort_column = column;
    sort_anew(app);
}
