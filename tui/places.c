/* Accounts and regions: shown where the store holds several of them, right behind the name of what
 * is theirs. Rows that say the same are told apart by them alone. */
#include "tui/view.h"

#include <string.h>

static bool is_account(const struct table_column *c)
{
    return strcmp(c->name, "account") == 0;
}

static bool is_region(const struct table_column *c)
{
    return strcmp(c->name, "region") == 0;
}

bool view_is_place(const struct app *app, size_t column)
{
    const struct store_places *p = &app->data.places;
    const struct table_column *c = &app->data.table.columns[column];

    return (p->has_accounts && is_account(c)) || (p->has_regions && is_region(c));
}

void view_show_places(struct app *app)
{
    struct table *t = &app->data.table;
    struct table_column *shown;

    if (t->n_columns == 0 || (!app->data.places.has_accounts && !app->data.places.has_regions))
        return;
    shown = arena_new(&app->data_arena, struct table_column, t->n_columns);
    memcpy(shown, t->columns, t->n_columns * sizeof(*shown));
    for (size_t i = 0; i < t->n_columns; i++)
        shown[i].is_hidden = shown[i].is_hidden && !view_is_place(app, i);
    t->columns = shown;
}
