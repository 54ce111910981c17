/* Drawing a frame: title line, what the view has on top, table or lines, hints. Reads the app and
 * writes cells. */
#include <assert.h>

#include "core/base/timefmt.h"
#include "core/base/utf8.h"
#include "tui/view.h"

/* --- title and bottom --- */

static void add_range(const struct app *app, struct buf *b)
{
    struct range r = app->data.range;

    if (app->range.until_ns == 0) {
        buf_add_z(b, "last ");
        duration_format(b, app->span_ns);
        return;
    }
    AUTO(buf_clear) struct buf since = {.max = 64};
    AUTO(buf_clear) struct buf until = {.max = 64};
    time_format(&since, r.since_ns, 0);
    time_format(&until, r.until_ns, 0);
    buf_addf(b, "%.16s to %.16s", since.p, until.p);
}

static void title_line(const struct app *app, struct frame *f)
{
    AUTO(buf_clear) struct buf left = {.max = 1024};
    AUTO(buf_clear) struct buf right = {.max = 1024};

    frame_fill(f, 0, STYLE_BAR);
    buf_add_z(&left, " fnscope");
    for (size_t i = 0; i < app->depth; i++) {
        const struct place *p = &app->stack[i];
        buf_addf(&left, " %s %s", f->is_ascii ? ">" : "›", view_table[p->view].title);
        if (p->fn_name.n > 0 && (i == 0 || app->stack[i - 1].fn_id != p->fn_id))
            buf_addf(&left, " " STR_FMT, STR_ARG(p->fn_name));
    }
    add_range(app, &right);
    buf_add_z(&right, app->is_paused ? "  PAUSED " : app->range.until_ns == 0 ? "  live " : " ");
    size_t w = utf8_width(buf_str(&right));
    frame_text(f, 0, 0, f->width > w + 1 ? f->width - (unsigned)w - 1 : 0, buf_str(&left),
               STYLE_BAR);
    if (w < f->width)
        frame_text(f, f->width - (unsigned)w, 0, (unsigned)w, buf_str(&right), STYLE_BAR);
}

static void bottom_line(const struct app *app, struct frame *f)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};
    unsigned y = f->height - 1;

    if (app->is_typing) {
        buf_addf(&b, "/%.*s_   Enter keeps, Esc clears", (int)app->filter_n, app->filter);
        frame_text(f, 1, y, f->width - 1, buf_str(&b), STYLE_ACCENT);
        return;
    }
    if (app->error.code != OK) {
        buf_addf(&b, "! %s", app->error.msg);
        frame_text(f, 1, y, f->width - 1, buf_str(&b), STYLE_BAD);
        return;
    }
    if (app->message.n > 0) {
        frame_text(f, 1, y, f->width - 1, app->message, STYLE_ACCENT);
        return;
    }
    if (app->filter_n > 0)
        buf_addf(&b, "filter %.*s   ", (int)app->filter_n, app->filter);
    if (app->only_problems)
        buf_add_z(&b, "problems only   ");
    buf_add_z(&b, "Enter open  Esc back  / filter  s sort  t range  1-6 views  ? help  q quit");
    frame_text(f, 1, y, f->width - 1, buf_str(&b), STYLE_DIM);
}

/* --- table --- */

struct layout {
    unsigned width[MAX_COLUMNS];
    size_t n; /* columns that fit */
};

static struct str shown(const struct table_cell *c)
{
    if (c->type == CELL_NULL)
        return STR("-");
    return c->shown.p ? c->shown : c->raw;
}

/* Times are shown without their date while the range is short, and without the zone. */
static struct str shown_in(const struct app *app, size_t column, const struct table_cell *c)
{
    struct str s = shown(c);
    bool is_time = s.n == 24 && s.p[10] == 'T' && s.p[23] == 'Z' &&
                   str_ends(str_from(app->data.table.columns[column].name), STR("time"));
    bool is_short = app->data.range.until_ns - app->data.range.since_ns <= NS_PER_DAY;

    if (!is_time)
        return s;
    return is_short ? str_sub(s, 11, 12) : str_sub(s, 5, 14);
}

/* Priority is the order of the columns: what does not fit is left out from the right. */
static void lay_out(const struct app *app, const struct frame *f, size_t rows, struct layout *l)
{
    const struct table *t = &app->data.table;
    unsigned used = 1;

    *l = (struct layout){.n = 0};
    assert(t->n_columns <= MAX_COLUMNS);
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t w = utf8_width(str_from(t->columns[c].title)) + 1;
        size_t first = app->stack[app->depth - 1].scroll;
        for (size_t i = first; i < app->n_shown && i < first + rows; i++) {
            size_t cw = utf8_width(shown_in(app, c, &t->cells[app->order[i] * t->n_columns + c]));
            w = cw > w ? cw : w;
        }
        if (t->columns[c].max_width > 0 && w > t->columns[c].max_width)
            w = t->columns[c].max_width;
        if (used + 6 > f->width)
            break;
        if (used + w > f->width) {
            if (t->columns[c].is_right || f->width - used < 8)
                break;
            w = f->width - used; /* a last text column is cut rather than dropped */
        }
        l->width[l->n++] = (unsigned)w;
        used += (unsigned)w + 2;
    }
}

static void header_line(const struct app *app, struct frame *f, unsigned y, const struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct place *p = &app->stack[app->depth - 1];
    unsigned x = 1;

    for (size_t c = 0; c < l->n; c++) {
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
        x += l->width[c] + 2;
    }
}

static void table_line(const struct app *app, struct frame *f, unsigned y, size_t row,
                       const struct layout *l)
{
    const struct table *t = &app->data.table;
    unsigned x = 1;

    for (size_t c = 0; c < l->n; c++) {
        struct str s = shown_in(app, c, &t->cells[row * t->n_columns + c]);
        if (t->columns[c].is_right)
            frame_right(f, x, y, l->width[c], s, app->data.refs[row].style);
        else
            frame_text(f, x, y, l->width[c], s, app->data.refs[row].style);
        x += l->width[c] + 2;
    }
}

static void empty_hint(const struct app *app, struct frame *f, unsigned y)
{
    const char *text = app->filter_n > 0 || app->only_problems
                           ? "Nothing passes the filter: / and ! change it."
                           : "Nothing in this time range: t chooses another, { goes back.";

    frame_z(f, 2, y + 1, text, STYLE_DIM);
}

static void draw_table(struct app *app, struct frame *f, unsigned y)
{
    struct place *p = app_place(app);
    unsigned rows = f->height > y + 2 ? f->height - y - 2 : 0;
    struct layout l;

    if (app->n_shown == 0) {
        empty_hint(app, f, y);
        return;
    }
    if (p->selected < p->scroll)
        p->scroll = p->selected;
    if (rows > 0 && p->selected >= p->scroll + rows)
        p->scroll = p->selected - rows + 1;
    lay_out(app, f, rows, &l);
    header_line(app, f, y, &l);
    for (unsigned i = 0; i < rows && p->scroll + i < app->n_shown; i++) {
        table_line(app, f, y + 1 + i, app->order[p->scroll + i], &l);
        if (p->scroll + i == p->selected)
            frame_restyle(f, y + 1 + i, STYLE_SELECTED);
    }
}

static void draw_lines(struct app *app, struct frame *f, unsigned y)
{
    struct place *p = app_place(app);
    unsigned rows = f->height > y + 1 ? f->height - y - 1 : 0;
    size_t last = app->data.n_lines > rows ? app->data.n_lines - rows : 0;

    if (p->selected > last)
        p->selected = last;
    p->scroll = p->selected; /* texts scroll, they have no cursor */
    for (unsigned i = 0; i < rows && p->scroll + i < app->data.n_lines; i++)
        frame_text(f, 1, y + i, f->width - 1, app->data.lines[p->scroll + i],
                   app->data.line_styles[p->scroll + i]);
}

/* --- the whole --- */

#define LEAST_WIDTH  60u
#define LEAST_HEIGHT 16u

void app_draw(struct app *app, unsigned width, unsigned height)
{
    const struct view_ops *ops = &view_table[app_place(app)->view];
    struct frame *f = &app->frame;
    unsigned y = 1, used = 0;

    frame_init(f, &app->data_arena, width, height);
    if (width < LEAST_WIDTH || height < LEAST_HEIGHT) {
        AUTO(buf_clear) struct buf b = {.max = 128};
        buf_addf(&b, "needs %ux%u, have %ux%u", LEAST_WIDTH, LEAST_HEIGHT, width, height);
        frame_text(f, 0, 0, width, buf_str(&b), STYLE_PLAIN);
        return;
    }
    title_line(app, f);
    if (!app->has_data) {
        if (app->error.code == OK)
            frame_z(f, 2, 2, "loading ...", STYLE_DIM);
    } else {
        if (ops->draw_top)
            ops->draw_top(app, f, y, &used);
        y += used;
        (ops->is_text ? draw_lines : draw_table)(app, f, y);
    }
    bottom_line(app, f);
}
