/* Rows of functions: all, or of very many a window or one after the other. Then a first pass finds
 * which are to be shown in which order, a second one makes their rows. */
#include "core/base/table_stream.h"
#include "core/base/top_n.h"
#include "tui/view.h"

/* One that is to be shown: of the store, or of p->more where that is not 0, counted from 1. */
struct shown_fn {
    uint32_t id, more;
};

struct shown_fns {
    struct shown_fn *rows;
    size_t n;
    bool are_chosen; /* p->see has seen them */
};

/* --- choosing --- */

/* Its cell is that of the column they are sorted by. */
struct chosen {
    struct table_cell cell;
    struct shown_fn fn;
    uint32_t place;
};

struct chooser {
    struct fn_rows_pass *pass;
    const struct place *place;
    struct condition condition;
    struct table row;          /* of one function */
    struct arena arena, cells; /* of that row; of what is chosen */
    struct top_n best;
    uint32_t n_seen;
};

static void chooser_clear(struct chooser *c)
{
    re_free(c->condition.re);
    arena_clear(&c->arena);
    arena_clear(&c->cells);
}

static int compare_chosen(const void *ctx, const void *a, const void *b)
{
    const struct chooser *c = ctx;
    const struct chosen *x = a, *y = b;
    const int column = c->place->sort_column;
    const bool is_down = column >= 0 && c->row.columns[column].is_right != c->place->is_inverted;
    int order = column >= 0 ? view_compare_cells(&x->cell, &y->cell) : 0;

    if (order != 0)
        order = is_down ? -order : order;
    else
        order = (x->place > y->place) - (x->place < y->place);
    if (column < 0 && c->place->is_inverted)
        order = -order;
    return c->place->is_from_end ? -order : order;
}

static enum status choose(struct chooser *c, const struct fn_row *f, uint32_t more, struct err *e)
{
    struct fn_rows_pass *p = c->pass;
    struct table *t = &c->row;
    struct chosen x = {.fn = {f->fn_id, more}, .place = c->n_seen++};
    struct row_ref ref = {0};

    if (p->see && p->see(p, f, e) != OK)
        return e->code;
    arena_reset(&c->arena);
    table_init(t, &c->arena, t->columns, t->n_columns, t->schema, t->version);
    table_row(t);
    if (p->fill(p, t, &ref, f, e) != OK)
        return e->code;
    row_amounts(t, f);
    if (c->place->sort_column >= 0)
        x.cell = t->cells[c->place->sort_column];
    if ((p->app->only_problems && !ref.is_problem) || !condition_holds(&c->condition, t, 0) ||
        !top_n_wants(&c->best, &x))
        return OK;
    x.cell.raw = arena_str(&c->cells, x.cell.raw);
    top_n_add(&c->best, &x);
    return OK;
}

static enum status choose_stored(void *ctx, const struct fn_row *f, struct err *e)
{
    return choose(ctx, f, 0, e);
}

static void take_chosen(struct chooser *c, struct shown_fns *out)
{
    struct top_n *best = &c->best;

    top_n_sort(best);
    *out = (struct shown_fns){.n = best->n, .are_chosen = true};
    out->rows = arena_new(&c->pass->app->data_arena, struct shown_fn, best->n + 1);
    for (size_t i = 0; i < best->n; i++) {
        const struct chosen *x = top_n_row(best, c->place->is_from_end ? best->n - 1 - i : i);
        out->rows[i] = x->fn;
    }
}

static enum status choose_fns(struct fn_rows_pass *p, const struct fn_ids *fns, size_t most,
                              struct shown_fns *out, struct err *e)
{
    const struct app *app = p->app;
    const struct each_fn_request q = {.range = p->data->range, .fns = *fns};
    AUTO(arena_clear) struct arena held = {0};
    AUTO(chooser_clear)
    struct chooser c = {.pass = p, .place = app_place(p->app), .row = p->data->table};

    (void)condition_parse((struct str){app->filter, app->filter_n}, &c.row, &c.condition, NULL);
    top_n_init(&c.best, &held, sizeof(struct chosen), most);
    c.best.compare = compare_chosen;
    c.best.ctx = &c;
    enum status s = request_each_function(app->options->store, &q, choose_stored, &c, e);
    for (size_t i = 0; s == OK && i < p->more.n; i++)
        s = choose(&c, &p->more.rows[i], (uint32_t)i + 1, e);
    if (s != OK)
        return s;
    take_chosen(&c, out);
    p->data->is_more = c.best.was_cut;
    p->data->is_window = true;
    return OK;
}

static void take_all(const struct fn_rows_pass *p, const struct fn_ids *fns, struct shown_fns *out)
{
    *out = (struct shown_fns){0};
    out->rows = arena_new(&p->app->data_arena, struct shown_fn, fns->n + p->more.n + 1);
    for (size_t i = 0; i < fns->n; i++)
        out->rows[out->n++] = (struct shown_fn){fns->ids[i], 0};
    for (size_t i = 0; i < p->more.n; i++)
        out->rows[out->n++] = (struct shown_fn){p->more.rows[i].fn_id, (uint32_t)i + 1};
}

/* --- giving --- */

struct giving {
    struct fn_rows_pass *pass;
    const struct shown_fns *fns;
    size_t next;
    struct table_stream *to; /* NULL: into the view */
};

static enum status give(struct giving *g, const struct fn_row *f, struct err *e)
{
    struct fn_rows_pass *p = g->pass;
    struct row_ref unused = {0};
    struct row_ref *ref = g->to ? &unused : view_row(p->data, &p->app->data_arena);
    struct table *t = g->to ? &g->to->table : &p->data->table;
    struct fn_row row = *f;

    if (g->to)
        table_row(t);
    row.fn = *fn_copy(t->arena, &f->fn);
    row.runtime = arena_str(t->arena, f->runtime);
    ref->fn_id = f->fn_id;
    ref->fn_name = row.fn.name;
    if ((!g->fns->are_chosen && p->see && p->see(p, f, e) != OK) ||
        p->fill(p, t, ref, &row, e) != OK)
        return e->code;
    row_amounts(t, &row);
    return g->to ? table_stream_row(g->to) : OK;
}

/* Those of p->more that stand before the function in the order; 0: all that are left. */
static enum status give_more_before(struct giving *g, uint32_t id, struct err *e)
{
    enum status s = OK;

    while (s == OK && g->next < g->fns->n) {
        const struct shown_fn *x = &g->fns->rows[g->next++];
        if (x->more > 0)
            s = give(g, &g->pass->more.rows[x->more - 1], e);
        else if (x->id == id)
            break; /* others that came before it have gone meanwhile */
    }
    return s;
}

static enum status give_stored(void *ctx, const struct fn_row *f, struct err *e)
{
    struct giving *g = ctx;
    const enum status s = give_more_before(g, f->fn_id, e);

    return s == OK ? give(g, f, e) : s;
}

static enum status give_all(struct giving *g, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct each_fn_request q = {.range = g->pass->data->range};

    g->next = 0;
    q.fns.ids = arena_new(&a, uint32_t, g->fns->n + 1);
    for (size_t i = 0; i < g->fns->n; i++)
        if (g->fns->rows[i].more == 0)
            q.fns.ids[q.fns.n++] = g->fns->rows[i].id;
    const enum status s =
        request_each_function(g->pass->app->options->store, &q, give_stored, g, e);
    return s == OK ? give_more_before(g, 0, e) : s;
}

static enum status give_to_stream(void *ctx, struct table_stream *to, struct err *e)
{
    struct giving *g = ctx;

    g->to = to;
    return give_all(g, e);
}

static enum status print_rows(struct fn_rows_pass *p, const struct shown_fns *fns, struct err *e)
{
    const struct table *t = &p->data->table;
    const struct table_shape shape = {t->columns, t->n_columns, t->schema, t->version};
    struct giving g = {.pass = p, .fns = fns};

    p->data->is_printed = true;
    return table_stream_print(p->app->rows_out, &shape, give_to_stream, &g, e);
}

/* --- together --- */

enum status view_load_fn_rows(struct fn_rows_pass *p, struct err *e)
{
    struct app *app = p->app;
    const size_t window = PAGE_ROWS * (app_place(app)->n_pages + 1);
    AUTO(arena_clear) struct arena a = {0};
    struct fn_ids ids;
    struct shown_fns fns;

    if (request_fn_ids(app->options->store, p->data->range, &app->fn_filter, &a, &ids, e) != OK)
        return e->code;
    const size_t n = ids.n + p->more.n;
    const bool is_part = n > window || app->rows_out;
    if (!is_part)
        take_all(p, &ids, &fns);
    else if (choose_fns(p, &ids, app->rows_out ? n + 1 : window, &fns, e) != OK)
        return e->code;
    if (app->rows_out)
        return print_rows(p, &fns, e);
    view_reserve(p->data, &app->data_arena, fns.n);
    return give_all(&(struct giving){.pass = p, .fns = &fns}, e);
}
