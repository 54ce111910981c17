/* Drawing a frame: title line, what the view has on top, table or lines, hints. Reads the app and
 * writes cells. */
#include <assert.h>

#include "core/base/timefmt.h"
#include "core/base/utf8.h"
#include "tui/view.h"

/* --- title and bottom --- */

/* "24h", "7d": whole units, without the minutes a duration has. */
static void span_format(struct buf *b, int64_t ns)
{
    if (ns % NS_PER_DAY == 0 && ns > NS_PER_DAY)
        buf_addf(b, "%lldd", (long long)(ns / NS_PER_DAY));
    else if (ns % NS_PER_HOUR == 0)
        buf_addf(b, "%lldh", (long long)(ns / NS_PER_HOUR));
    else if (ns % NS_PER_MIN == 0)
        buf_addf(b, "%lldm", (long long)(ns / NS_PER_MIN));
    else
        duration_format(b, ns);
}

static void add_range(const struct app *app, struct buf *b)
{
    struct range r = app->data.range;

    if (app->range.until_ns == 0) {
        buf_add_z(b, "last ");
        span_format(b, app->span_ns);
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
        buf_addf(&left, " %s %s", f->is_ascii ? ">" : "›", view_table[p->view]->title);
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

/* What is in force and would surprise who forgot it. Returns the cells used. */
static unsigned states(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};

    if (app->filter_n > 0)
        buf_addf(&b, "/%.*s  ", (int)app->filter_n, app->filter);
    if (app->log_pattern_n > 0 && app->stack[app->depth - 1].view == VIEW_LOG)
        buf_addf(&b, "only \\%.*s  ", (int)app->log_pattern_n, app->log_pattern);
    if (app->only_problems)
        buf_add_z(&b, "! problems only  ");
    if (app->fn_filter.account.n > 0 &&
        !str_eq(app->fn_filter.account, app->options->filter.account))
        buf_addf(&b, "P " STR_FMT "  ", STR_ARG(app->fn_filter.account));
    if (app->fn_filter.region.n > 0 && !str_eq(app->fn_filter.region, app->options->filter.region))
        buf_addf(&b, "R " STR_FMT "  ", STR_ARG(app->fn_filter.region));
    if (app->hidden[app->stack[app->depth - 1].view] != 0)
        buf_add_z(&b, "c some columns  ");
    if (app->n_tags > 0)
        buf_addf(&b, "%zu tagged  ", app->n_tags);
    return b.n > 0 ? frame_text(f, 1, y, f->width / 2, buf_str(&b), STYLE_ACCENT) : 0;
}

/* Where in how much. */
static unsigned position(const struct app *app, struct frame *f, unsigned y)
{
    const struct place *p = &app->stack[app->depth - 1];
    AUTO(buf_clear) struct buf b = {.max = 128};
    bool is_text = view_table[p->view]->is_text;
    size_t n = is_text ? app->n_visual : app->n_shown;

    if (!app->has_data || n == 0)
        return 0;
    buf_addf(&b, "%zu/%zu%s", p->selected + 1, n, app->data.is_more ? "+" : "");
    frame_right(f, f->width - (unsigned)b.n - 1, y, (unsigned)b.n, buf_str(&b), STYLE_DIM);
    return (unsigned)b.n;
}

static const char *hints(const struct app *app)
{
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];

    if (app->stack[app->depth - 1].view == VIEW_FUNCTION)
        return "Enter invocations  Esc back  b break down  v graph  l log  m mark  d compare";
    if (ops->is_text)
        return "Esc back  / search  n next  y copy id  ? help  q up";
    if (ops->is_searched)
        return "? help  Enter request  / search  n next  \\ only these  f follow  ! problems";
    if (app->depth > 1)
        return "? help  Enter open  Esc back  / filter  s sort  t time  l log  D explain";
    return "? help  Enter open  / filter  q quit  s sort  t time  l log  D explain  : more";
}

/* As many of the hints as fit, none cut: they stand two blanks apart, the dearest first. */
static struct str fitting(struct str all, size_t width)
{
    size_t n = 0;

    for (size_t at = 0; at < all.n;) {
        size_t end = at + str_find(str_skip(all, at), STR("  "));
        if (utf8_width(str_sub(all, 0, end)) > width)
            break;
        n = end;
        at = end + 2;
    }
    return str_sub(all, 0, n);
}

static void bottom_line(const struct app *app, struct frame *f)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};
    unsigned y = f->height - 1;

    if (app->prompt.kind != PROMPT_NONE) {
        prompt_draw(app, f);
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
    unsigned used = states(app, f, y);
    unsigned right = position(app, f, y);
    if (used + right + 4 < f->width)
        frame_text(f, used + 1, y, f->width - used - right - 3,
                   fitting(str_from(hints(app)), f->width - used - right - 3), STYLE_DIM);
}

/* --- table --- */

struct layout {
    unsigned width[MAX_COLUMNS]; /* 0: there is no room for it */
    struct re *marks;            /* what a search marks; NULL: nothing */
};

static struct str shown(const struct table_cell *c)
{
    if (c->type == CELL_NULL)
        return STR("-");
    return c->shown.p ? c->shown : c->raw;
}

static struct str relative(struct app *app, struct str time)
{
    int64_t t_ns;

    return time_parse(time, &t_ns) ? view_ago(app, &app->frame_arena, t_ns) : time;
}

/* Times are shown without their date while the range is short, and without the zone. */
static struct str shown_in(struct app *app, size_t column, const struct table_cell *c)
{
    struct str s = shown(c);
    bool is_time = s.n == 24 && s.p[10] == 'T' && s.p[23] == 'Z' &&
                   str_ends(str_from(app->data.table.columns[column].name), STR("time"));
    bool is_short = app->data.range.until_ns - app->data.range.since_ns <= NS_PER_DAY;

    if (!is_time)
        return s;
    if (app->is_relative)
        return relative(app, s);
    return is_short ? str_sub(s, 11, 12) : str_sub(s, 5, 14);
}

#define TEXT_LEAST 12u /* a text column narrower than this says nothing */

static unsigned natural_width(struct app *app, size_t c, size_t rows)
{
    const struct table *t = &app->data.table;
    size_t w = utf8_width(str_from(t->columns[c].title)) + 1;
    size_t first = app->stack[app->depth - 1].scroll;

    for (size_t i = first; i < app->n_shown && i < first + rows; i++) {
        size_t cw = utf8_width(shown_in(app, c, &t->cells[app->order[i] * t->n_columns + c]));
        w = cw > w ? cw : w;
    }
    unsigned most = t->columns[c].max_width;
    return most > 0 && w > most ? most : (unsigned)w;
}

/* Columns get room in the order of the view; a text that does not fit is cut and ends the row. The
 * first one, the name, leaves two thirds to the others. */
static void lay_out(struct app *app, const struct frame *f, size_t rows, struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];
    unsigned used = 1, third = f->width / 3 > TEXT_LEAST ? f->width / 3 : TEXT_LEAST;

    *l = (struct layout){.marks = NULL};
    assert(t->n_columns <= MAX_COLUMNS);
    for (size_t k = 0; k < t->n_columns; k++) {
        size_t c = k < ops->n_first ? ops->first[k] : k;
        if (app->hidden[app_place(app)->view] >> c & 1)
            continue;
        unsigned room = f->width > used ? f->width - used : 0, want = natural_width(app, c, rows);
        if (k == 0 && want > third && t->n_columns > 1)
            want = third;
        if (want > room && (t->columns[c].is_right || room < TEXT_LEAST))
            continue;
        l->width[c] = want < room ? want : room;
        used += l->width[c] + 2;
    }
}

static void header_line(struct app *app, struct frame *f, unsigned y, const struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct place *p = &app->stack[app->depth - 1];
    unsigned x = 1;

    for (size_t c = 0; c < t->n_columns; c++) {
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

static void table_line(struct app *app, struct frame *f, unsigned y, size_t row,
                       const struct layout *l)
{
    const struct table *t = &app->data.table;
    const struct row_ref *ref = &app->data.refs[row];
    unsigned x = 1;

    for (size_t c = 0; c < t->n_columns; c++) {
        struct str s = shown_in(app, c, &t->cells[row * t->n_columns + c]);
        bool is_tagged = ref->tag != STYLE_PLAIN && (c == 1 || c == 2);
        enum style style = is_tagged ? ref->tag : ref->style;
        if (l->width[c] == 0)
            continue;
        if (t->columns[c].is_right)
            frame_right(f, x, y, l->width[c], s, style);
        else
            frame_text(f, x, y, l->width[c], s, style);
        if (x == 1 && app->n_tags > 0 && app_is_tagged(app, row))
            frame_text(f, 0, y, 1, f->is_ascii ? STR("*") : STR("●"), STYLE_ACCENT);
        if (l->marks)
            mark_match(f, x, y, str_sub(s, 0, l->width[c]), l->marks);
        x += l->width[c] + 2;
    }
}

static void empty_hint(const struct app *app, struct frame *f, unsigned y)
{
    const char *own = view_table[app->stack[app->depth - 1].view]->empty;
    const char *text = (app->filter_n > 0 || app->only_problems) && app->data.table.n_rows > 0
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
    l.marks = view_table[p->view]->is_searched ? app_filter_re(app) : NULL;
    header_line(app, f, y, &l);
    app->drawn.table_y = y;
    app->drawn.rows = rows;
    for (unsigned i = 0; i < rows && p->scroll + i < app->n_shown; i++) {
        table_line(app, f, y + 1 + i, app->order[p->scroll + i], &l);
        if (p->scroll + i == p->selected)
            frame_restyle(f, y + 1 + i, STYLE_SELECTED);
    }
    re_free(l.marks);
}

/* --- the whole --- */

void app_draw(struct app *app, unsigned width, unsigned height)
{
    const struct view_ops *ops = view_table[app_place(app)->view];
    struct frame *f = &app->frame;
    unsigned y = 1, used = 0;

    arena_reset(&app->frame_arena);
    app->drawn = (struct drawn){0};
    app->must_load |= ops->fits_width && app->has_data && f->width != width;
    frame_init(f, &app->frame_arena, width, height);
    if (width < TUI_LEAST_WIDTH || height < TUI_LEAST_HEIGHT) {
        AUTO(buf_clear) struct buf b = {.max = 128};
        buf_addf(&b, "needs %ux%u", TUI_LEAST_WIDTH, TUI_LEAST_HEIGHT);
        frame_text(f, 0, 0, width, buf_str(&b), STYLE_PLAIN);
        if (height > 1)
            frame_text(f, 0, 1, width, arena_printf(&app->frame_arena, "have %ux%u", width, height),
                       STYLE_PLAIN);
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
        bool is_course = ops->has_course && app_place(app)->display != DISPLAY_TABLE;
        (is_course ? draw_course : ops->is_text ? draw_lines : draw_table)(app, f, y);
    }
    bottom_line(app, f);
    if (app->picker.kind != PICK_NONE)
        picker_draw(app, f);
}
