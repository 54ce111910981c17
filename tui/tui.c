/* The front door: the loop of the live screen, one frame as text, one view as rows. */
#include "tui/tui.h"

#include "tui/view.h"

#define POLL_MS 100

const char *const tui_theme_names[] = {"default", "colour-blind", "contrast", "mono", NULL};

static void handle_key(struct app *app, struct screen *screen, uint32_t key)
{
    enum tui_theme theme = app->theme;
    bool had_mouse = app->has_mouse;
    struct mouse_event ev;

    if (key != TK_MOUSE)
        app_key(app, key);
    else if (screen_mouse(screen, &ev))
        app_mouse(app, &ev);
    if (app->must_suspend)
        screen_suspend(screen);
    if (theme != app->theme || app->must_repaint)
        screen_theme(screen, app->theme);
    if (had_mouse != app->has_mouse)
        screen_use_mouse(screen, app->has_mouse);
    if (app->clipboard.n > 0)
        screen_copy(screen, app->clipboard);
    app->clipboard = (struct str){0};
    app->must_suspend = app->must_repaint = false;
}

static void show(struct app *app, struct screen *screen)
{
    unsigned width, height;

    screen_size(screen, &width, &height);
    app_draw(app, width, height);
    screen_paint(screen, &app->frame);
}

enum status tui_run(const struct tui_options *o, struct err *e)
{
    struct clock ticking = clock_system();
    struct screen *screen = NULL;
    struct app app;
    bool must_show = true;

    if (screen_open(&screen, o->no_color, e) != OK)
        return ERR_USAGE;
    app_init(&app, o);
    screen_theme(screen, app.theme);
    screen_use_mouse(screen, app.has_mouse);
    while (!app.must_quit && !screen_is_told_to_stop()) {
        if (!app.has_data && app.must_load) /* also sets the width that some texts are made for */
            show(&app, screen);             /* the place is shown before its data is there */
        if (app_is_stale(&app, clock_monotonic(&ticking))) {
            app_load(&app);
            must_show = true;
        }
        if (must_show)
            show(&app, screen);
        uint32_t key = screen_key(screen, POLL_MS);
        must_show = key != 0;
        if (key != 0 && key != TK_RESIZE)
            handle_key(&app, screen, key);
    }
    screen_close(screen);
    app_clear(&app);
    return OK;
}

static enum status press(struct app *app, struct str keys, unsigned width, unsigned height,
                         struct err *e)
{
    while (keys.n > 0) {
        struct str at = keys;
        uint32_t key = key_parse(&keys);
        if (key == 0)
            return err_set(e, ERR_USAGE,
                           "\"" STR_FMT "\" begins with no key: ? lists them; a < itself is <lt>",
                           STR_ARG(at));
        app_key(app, key);
        if (app->must_load)
            app_load(app);
        app_draw(app, width, height); /* moving in texts needs to know how they are wrapped */
    }
    return OK;
}

enum status tui_frame(const struct tui_options *o, struct str keys, unsigned width, unsigned height,
                      struct buf *out, struct err *e)
{
    struct app app;

    app_init(&app, o);
    app.frame.width = width; /* some texts are made for it */
    app_load(&app);
    app_draw(&app, width, height);
    enum status s = app.error.code;
    if (s != OK && e)
        *e = app.error;
    if (s == OK)
        s = press(&app, keys, width, height, e);
    if (s == OK)
        frame_print(&app.frame, out);
    app_clear(&app);
    return s;
}

/* Text views have no rows: their lines are the rows. */
static void lines_as_table(struct app *app, struct table *t)
{
    static const struct table_column columns[] = {{.name = "line", .title = "LINE"}};

    table_init(t, &app->data_arena, columns, 1, "fnscope.top.lines", 1);
    for (size_t i = 0; i < app->data.n_lines; i++) {
        table_row(t);
        table_text(t, 0, app->data.lines[i].text);
    }
}

static void shown_as_table(struct app *app, struct table *t)
{
    const struct table *from = &app->data.table;

    table_init(t, &app->data_arena, from->columns, from->n_columns, from->schema, from->version);
    table_reserve(t, app->n_shown);
    for (size_t i = 0; i < app->n_shown; i++) {
        if (app->n_tags > 0 && !app_is_tagged(app, app->order[i]))
            continue;
        table_row(t);
        for (size_t c = 0; c < from->n_columns; c++)
            t->cells[(t->n_rows - 1) * from->n_columns + c] =
                from->cells[app->order[i] * from->n_columns + c];
    }
}

void app_shown_table(struct app *app, struct table *t)
{
    const struct view_ops *ops = view_table[app_place(app)->view];
    bool is_course = ops->has_course && app_place(app)->display != DISPLAY_TABLE;

    (is_course ? course_table : ops->is_text ? lines_as_table : shown_as_table)(app, t);
}

enum { TABLE_WIDTH = 120, TABLE_HEIGHT = 40 }; /* where keys are pressed for a table */

/* What is loaded page by page is loaded with more of them; of rows that come one by one all are
 * printed, but where only tagged ones are wanted. */
static void load_more(struct app *app, const struct table_out *out)
{
    const bool is_course = app_place(app)->display != DISPLAY_TABLE;

    if (app->data.is_window && app->n_tags == 0 && !is_course)
        app->rows_out = out;
    app_place(app)->n_pages = app->data.is_window ? ALL_PAGES : MOST_PAGES;
    app_load(app);
}

enum status tui_table(const struct tui_options *o, struct str keys, const struct table_out *out,
                      bool *is_more, struct err *e)
{
    struct app app;
    struct table t;

    app_init(&app, o);
    app.frame.width = TABLE_WIDTH;
    app.rows_out = keys.n == 0 ? out : NULL;
    app_load(&app);
    enum status s = app.error.code;
    if (s == OK && keys.n > 0) {
        app_draw(&app, TABLE_WIDTH, TABLE_HEIGHT);
        s = press(&app, keys, TABLE_WIDTH, TABLE_HEIGHT, e);
    }
    if (s == OK && app_asks_anew(&app) && !app.data.is_printed)
        load_more(&app, out);
    if (app.error.code != OK && e) {
        *e = app.error;
        s = e->code;
    }
    if (s == OK && !app.data.is_printed) {
        app_shown_table(&app, &t);
        table_print(&t, out->format, true, out->buf);
    }
    *is_more = s == OK && app.data.is_more;
    app_clear(&app);
    return s;
}
