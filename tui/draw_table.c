/* Tables: columns get room by their worth, rows below the header, one line each or wrapped (^W).
 * Says in app->drawn where things stand, for the mouse and for turning pages. */
#include <assert.h>

#include "core/base/safe_text.h"
#include "core/base/utf8.h"
#include "tui/view.h"

struct layout {
    unsigned width[MAX_COLUMNS]; /* 0: there is no room for it */
    size_t at[MAX_COLUMNS];      /* columns from left to right */
    int wrapped;                 /* column that goes on in the next line; -1: none */
    struct re *marks;            /* what a search marks; NULL: nothing */
};

#define TEXT_LEAST 12u /* a text column narrower than this says nothing */

/* What the widest cell in sight needs, however wide. */
static unsigned natural_width(struct app *app, size_t c, size_t rows)
{
    const struct table *t = &app->data.table;
    size_t w = utf8_width(str_from(t->columns[c].title)) + 1;
    size_t first = app->stack[app->depth - 1].scroll;

    for (size_t i = first; i < app->n_shown && i < first + rows; i++) {
        size_t cw = utf8_width(
            view_cell(app, &app->frame_arena, c, &t->cells[app->order[i] * t->n_columns + c]));
        w = cw > w ? cw : w;
    }
    return (unsigned)w;
}

static size_t column_at(const struct view_ops *ops, size_t k)
{
    return k < ops->n_first ? ops->first[k] : k;
}

/* What nobody took goes to the columns that were cut, dearest first. */
static void hand_out_rest(const struct view_ops *ops, const unsigned *natural, size_t n,
                          unsigned left, struct layout *l)
{
    for (size_t k = 0; k < n; k++) {
        size_t c = column_at(ops, k);
        unsigned lacks = natural[c] > l->width[c] ? natural[c] - l->width[c] : 0;
        unsigned gets = l->width[c] > 0 ? (lacks < left ? lacks : left) : 0;
        l->width[c] += gets;
        left -= gets;
    }
}

/* The cells column c would like; the first one, the name, leaves two thirds to the others. */
static unsigned wanted_width(const struct table *t, size_t c, bool is_first, unsigned natural,
                             unsigned frame_width)
{
    unsigned most = t->columns[c].max_width, third = frame_width / 3;
    unsigned want = most > 0 && natural > most ? most : natural;

    third = third > TEXT_LEAST ? third : TEXT_LEAST;
    return is_first && want > third && t->n_columns > 1 ? third : want;
}

/* The last text that is cut, where texts are wrapped. */
static int wrapped_column(const struct app *app, const unsigned *natural, const struct layout *l)
{
    const struct table *t = &app->data.table;
    int found = -1;

    for (size_t c = 0; app->is_wrapped && c < t->n_columns; c++)
        if (l->width[c] > 0 && natural[c] > l->width[c] && !t->columns[c].is_right)
            found = (int)c;
    return found;
}

/* Moves a column forward in the order in which they get room; never back. */
static void move_up(size_t *order, size_t n, size_t column, size_t to)
{
    size_t at = to;

    while (at < n && order[at] != column)
        at++;
    if (at == n)
        return;
    for (; at > to; at--)
        order[at] = order[at - 1];
    order[to] = column;
}

/* Accounts and regions, where there are several, behind the name. */
static void move_places(const struct app *app, const struct view_ops *ops, size_t *order)
{
    const size_t n = app->data.table.n_columns;
    size_t named = 0;

    while (named < n && order[named] != ops->named_column)
        named++;
    for (size_t c = n; c-- > 0;)
        if (view_is_place(app, c))
            move_up(order, n, c, named + 1);
}

/* The view's order, but the column the rows are sorted by is the second. */
static void order_columns(const struct app *app, const struct view_ops *ops, size_t *order)
{
    const size_t n = app->data.table.n_columns;
    const int sorted = app->stack[app->depth - 1].sort_column;

    for (size_t k = 0; k < n; k++)
        order[k] = column_at(ops, k);
    if (sorted >= 0)
        move_up(order, n, (size_t)sorted, 1);
    move_places(app, ops, order);
}

/* Columns get room in the order of the view; a text that does not fit is cut and ends the row. */
static void lay_out(struct app *app, const struct frame *f, size_t rows, struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];
    unsigned natural[MAX_COLUMNS] = {0}, used = 1;
    size_t order[MAX_COLUMNS] = {0};

    *l = (struct layout){.wrapped = -1};
    assert(t->n_columns <= MAX_COLUMNS);
    order_columns(app, ops, order);
    for (size_t c = 0; c < t->n_columns; c++)
        l->at[c] = c;
    move_places(app, ops, l->at);
    for (size_t k = 0; k < t->n_columns; k++) {
        const size_t c = order[k];
        if (t->columns[c].is_hidden || (app->hidden[app_place(app)->view] >> c & 1) != 0)
            continue;
        unsigned room = f->width > used ? f->width - used : 0;
        natural[c] = natural_width(app, c, rows);
        unsigned want = wanted_width(t, c, k == 0, natural[c], f->width);
        if (want > room && (t->columns[c].is_right || room < TEXT_LEAST))
            continue;
        l->width[c] = want < room ? want : room;
        used += l->width[c] + 2;
    }
    hand_out_rest(ops, natural, t->n_columns, f->width + 1 > used ? f->width + 1 - used : 0, l);
    l->wrapped = wrapped_column(app, natural, l);
}

static void header_line(struct app *app, struct frame *f, unsigned y, const struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct place *p = &app->stack[app->depth - 1];
    unsigned x = 1;

    for (size_t k = 0; k < t->n_columns; k++) {
        const size_t c = l->at[k];
        if (l->width[c] == 0)
            continue;
        AUTO(buf_clear) struct buf title = {.max = 256};
        bool is_sorted = p->sort_column == (int)c;
        bool is_down = t->columns[c].is_right != p->is_inverted;
        buf_add_z(&title, t->columns[c].title);
        if (is_sorted)
            buf_add_z(&title, f->is_ascii ? (is_down ? "v" : "^") : is_down ? "▾" : "▴");
        if (t->columns[c].is_right)
            frame_right(f, x, y, l->width[c], buf_str(&title),
                        is_sorted ? STYLE_ACCENT : STYLE_DIM);
        else
            frame_text(f, x, y, l->width[c], buf_str(&title), is_sorted ? STYLE_ACCENT : STYLE_DIM);
        app->drawn.column_x[c] = x;
        app->drawn.column_end[c] = x + l->width[c];
        x += l->width[c] + 2;
    }
}

static void mark_match(struct frame *f, unsigned x, unsigned y, struct str s, struct re *re)
{
    size_t from, to;

    if (!re_match(re, s, &from, &to) || to <= from)
        return;
    size_t begin = x + utf8_width(str_sub(s, 0, from));
    size_t end = begin + utf8_width(str_sub(s, from, to - from));
    for (size_t i = begin; i < end && i < f->width; i++)
        f->cells[(size_t)y * f->width + i].style = STYLE_MATCH;
}

static struct str wrapped_text(struct app *app, size_t row, const struct layout *l)
{
    const struct table *t = &app->data.table;
    AUTO(buf_clear) struct buf safe = {.max = 1u << 20};

    safe_text(&safe,
              view_cell(app, &app->frame_arena, (size_t)l->wrapped,
                        &t->cells[row * t->n_columns + (size_t)l->wrapped]),
              SAFE_KEEP_NONE);
    return arena_str(&app->frame_arena, buf_str(&safe));
}

/* Cuts the next line off; the blank it is broken at is in neither. */
static struct str cut_line(struct str *rest, unsigned width)
{
    size_t n = view_fill(*rest, width);
    struct str line = str_sub(*rest, 0, n);

    *rest = str_skip(*rest, n);
    while (rest->n > 0 && rest->p[0] == ' ')
        *rest = str_skip(*rest, 1);
    return line;
}

/* Lines a row takes; never more than the screen has. */
static unsigned row_height(struct app *app, size_t row, const struct layout *l, unsigned most)
{
    unsigned n = 1;

    if (l->wrapped < 0)
        return 1;
    struct str rest = wrapped_text(app, row, l);
    for (; n < most; n++) {
        cut_line(&rest, l->width[l->wrapped]);
        if (rest.n == 0)
            break;
    }
    return n < most ? n : most;
}

/* The lines below the first; the last one that has room is cut. */
static void wrapped_lines(struct app *app, struct frame *f, const unsigned at[2], size_t row,
                          const struct layout *l)
{
    struct str rest = wrapped_text(app, row, l);
    unsigned width = l->width[l->wrapped], x = app->drawn.column_x[l->wrapped];

    for (unsigned i = 0; i < at[1] && (i == 0 || rest.n > 0); i++) {
        struct str line = i + 1 < at[1] ? cut_line(&rest, width) : rest;
        frame_text(f, x, at[0] + i, width, line, app->data.refs[row].style);
        if (l->marks)
            mark_match(f, x, at[0] + i, utf8_fit(line, width), l->marks);
    }
}

static void table_line(struct app *app, struct frame *f, const unsigned at[2], size_t row,
                       const struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct row_ref *ref = &app->data.refs[row];
    unsigned x = 1, y = at[0];

    for (size_t k = 0; k < t->n_columns; k++) {
        const size_t c = l->at[k];
        struct str s = view_cell(app, &app->frame_arena, c, &t->cells[row * t->n_columns + c]);
        bool is_tagged = ref->tag != STYLE_PLAIN && (c == 1 || c == 2);
        enum style style = is_tagged ? ref->tag : ref->style;
        if (l->width[c] == 0)
            continue;
        if (t->columns[c].is_right)
            frame_right(f, x, y, l->width[c], s, style);
        else if ((int)c == l->wrapped)
            wrapped_lines(app, f, at, row, l);
        else
            frame_text(f, x, y, l->width[c], s, style);
        if (x == 1 && app->n_tags > 0 && app_is_tagged(app, row))
            frame_text(f, 0, y, 1, f->is_ascii ? STR("*") : STR("●"), STYLE_ACCENT);
        if (l->marks && (int)c != l->wrapped)
            mark_match(f, x, y, str_sub(s, 0, l->width[c]), l->marks);
        x += l->width[c] + 2;
    }
}

static void empty_hint(const struct app *app, struct frame *f, unsigned y)
{
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];
    const char *own = ops->empty;
    const char *text = (app->filter_n > 0 || app->only_problems) &&
                               (app->data.table.n_rows > 0 || app_asks_anew(app))
                           ? "Nothing passes the filter: / and ! change it."
                       : own ? own
                             : "Nothing in this time range: t chooses another, { goes back.";

    struct str rest = str_from(text);
    for (unsigned i = 0; rest.n > 0 && y + 1 + i + 1 < f->height; i++) { /* broken at a blank */
        size_t fit = utf8_fit(rest, f->width - 4).n, cut = fit;
        while (fit < rest.n && cut > 0 && rest.p[cut] != ' ')
            cut--;
        cut = cut > 0 ? cut : fit;
        frame_text(f, 2, y + 1 + i, f->width - 3, str_sub(rest, 0, cut), STYLE_DIM);
        rest = str_trim(str_skip(rest, cut));
    }
}

/* The selected row is in sight, whole. */
static void scroll_to_selected(struct app *app, const struct layout *l, unsigned rows)
{
    struct place *p = app_place(app);
    unsigned used = 0;

    if (l->wrapped < 0)
        return; /* a line each: done already */
    for (size_t i = p->scroll; i <= p->selected; i++)
        used += row_height(app, app->order[i], l, rows);
    for (; used > rows && p->scroll < p->selected; p->scroll++)
        used -= row_height(app, app->order[p->scroll], l, rows);
}

static void draw_rows(struct app *app, struct frame *f, unsigned y, unsigned rows,
                      const struct layout *l)
{
    const struct place *p = app_place(app);
    struct drawn *d = &app->drawn;
    size_t row = p->scroll;

    d->row_at = arena_new(&app->frame_arena, size_t, rows > 0 ? rows : 1);
    for (unsigned line = 0; line < rows && row < app->n_shown; row++) {
        unsigned height = row_height(app, app->order[row], l, rows);
        height = height > rows - line ? rows - line : height;
        table_line(app, f, (const unsigned[2]){y + line, height}, app->order[row], l);
        for (unsigned i = 0; i < height; i++, line++) {
            d->row_at[line] = row;
            if (row == p->selected)
                frame_restyle(f, y + line, STYLE_SELECTED);
        }
        d->rows = line;
    }
    d->n_shown = row - p->scroll;
}

void draw_table(struct app *app, struct frame *f, unsigned y)
{
    struct place *p = app_place(app);
    unsigned rows = f->height > y + 2 ? f->height - y - 2 : 0;
    struct layout l;

    if (app->n_shown == 0) {
        empty_hint(app, f, y);
        return;
    }
    /* The list became shorter. Wrapped rows may fill the screen from further down. */
    if (p->scroll + (app->is_wrapped ? 1 : rows) > app->n_shown)
        p->scroll = app->n_shown > rows ? app->n_shown - rows : 0;
    if (p->selected < p->scroll)
        p->scroll = p->selected;
    if (rows > 0 && p->selected >= p->scroll + rows)
        p->scroll = p->selected - rows + 1;
    lay_out(app, f, rows, &l);
    scroll_to_selected(app, &l, rows);
    l.marks = view_table[p->view]->is_searched ? app_filter_re(app) : NULL;
    header_line(app, f, y, &l);
    app->drawn.table_y = y;
    draw_rows(app, f, y + 1, rows, &l);
    re_free(l.marks);
}
