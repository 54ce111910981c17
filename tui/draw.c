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
    AUTO(arena_clear) struct arena a = {0};
    buf_add_str(b, view_range(app, &a, r));
}

/* What the place is about, unless the one before it said so already. A queue's id is an ARN or a
 * path: its last part is the name. */
static struct str place_name(const struct app *app, size_t depth)
{
    const struct place *p = &app->stack[depth], *up = depth > 0 ? p - 1 : NULL;
    struct str name = p->id;

    if (p->view == VIEW_SOURCE)
        return name;
    if (p->view != VIEW_QUEUE)
        return !up || up->view == VIEW_QUEUE || up->fn_id != p->fn_id ? p->fn_name
                                                                      : (struct str){0};
    for (size_t i = name.n; i-- > 0;)
        if (name.p[i] == ':' || name.p[i] == '/')
            return str_skip(name, i + 1);
    return name;
}

void view_title(const struct app *app, bool is_ascii, struct buf *where, struct buf *when)
{
    buf_add_z(where, "fnscope");
    for (size_t i = 0; i < app->depth; i++) {
        const struct place *p = &app->stack[i];
        buf_addf(where, " %s %s", is_ascii ? ">" : "›", view_table[p->view]->title);
        const struct str name = place_name(app, i);
        if (name.n > 0)
            buf_addf(where, " " STR_FMT, STR_ARG(name));
    }
    add_range(app, when);
    buf_add_z(when, "  ");
    view_zone(app, when);
    if (app->is_paused)
        buf_add_z(when, "  PAUSED");
    else if (app->range.until_ns == 0)
        buf_add_z(when, app->data.unwatched.n == 0          ? "  live"
                        : app->collector == COLLECTOR_HOLDS ? "  NOT STORED"
                                                            : "  NO COLLECTOR");
}

static void title_line(const struct app *app, struct frame *f)
{
    AUTO(buf_clear) struct buf left = {.max = 1024};
    AUTO(buf_clear) struct buf right = {.max = 1024};

    frame_fill(f, 0, STYLE_BAR);
    buf_add_c(&left, ' ');
    view_title(app, f->is_ascii, &left, &right);
    buf_add_c(&right, ' ');
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
    if (p->is_from_end && app->data.is_more)
        buf_addf(&b, "%zu before the end", n - 1 - p->selected);
    else
        buf_addf(&b, "%zu/%zu%s", p->selected + 1, n, app->data.is_more ? "+" : "");
    frame_right(f, f->width - (unsigned)b.n - 1, y, (unsigned)b.n, buf_str(&b), STYLE_DIM);
    return (unsigned)b.n;
}

static const char *hints(const struct app *app)
{
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];

    if (app->stack[app->depth - 1].view == VIEW_FUNCTION)
        return "Enter invocations  Esc back  b break down  v graph  l log  m mark  d compare";
    if (app->stack[app->depth - 1].view == VIEW_QUEUE)
        return "Enter its function's errors or log  l log  Esc back  / search  t time  ? help";
    if (ops->is_text)
        return "Esc back  / search  n next  y copy id  ? help  q up";
    if (ops->is_searched)
        return "? help  Enter request  / search  n next  \\ only these  f follow  ! problems";
    if (app->stack[app->depth - 1].view == VIEW_SOURCES)
        return "? help  Enter open  / filter  q quit  s sort  t time  D explain  : more";
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
    if (app->message.n > 0) {
        frame_text(f, 1, y, f->width - 1, app->message, STYLE_ACCENT);
        return;
    }
    if (app->error.code != OK) {
        buf_addf(&b, "! %s", app->error.msg);
        frame_text(f, 1, y, f->width - 1, buf_str(&b), STYLE_BAD);
        return;
    }
    unsigned used = states(app, f, y);
    unsigned right = position(app, f, y);
    if (used + right + 4 < f->width)
        frame_text(f, used + 1, y, f->width - used - right - 3,
                   fitting(str_from(hints(app)), f->width - used - right - 3), STYLE_DIM);
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
        if (ops->draw_top && width >= TUI_ROOMY_WIDTH && height >= TUI_ROOMY_HEIGHT)
            ops->draw_top(app, f, y, &used);
        y += used;
        bool is_course = ops->has_course && app_place(app)->display != DISPLAY_TABLE;
        (is_course ? draw_course : ops->is_text ? draw_lines : draw_table)(app, f, y);
    }
    bottom_line(app, f);
    if (app->picker.kind != PICK_NONE)
        picker_draw(app, f);
}
