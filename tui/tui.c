/* The front door: the loop of the live screen, one frame as text, one view as rows. */
#include "tui/tui.h"

#include "tui/view.h"

#define POLL_MS 100

static void handle_key(struct app *app, struct screen *screen, uint32_t key)
{
    if (key == 0 || key == TK_RESIZE)
        return;
    app_key(app, key);
    if (str_starts(app->message, STR("copied ")))
        screen_copy(screen, str_skip(app->message, 7));
}

enum status tui_run(const struct tui_options *o, struct err *e)
{
    struct clock ticking = clock_system();
    struct screen *screen;
    struct app app;
    unsigned width, height;

    if (screen_open(&screen, o->no_color, e) != OK)
        return ERR_USAGE;
    app_init(&app, o);
    while (!app.must_quit && !screen_is_told_to_stop()) {
        screen_size(screen, &width, &height);
        if (!app.has_data && app.must_load) { /* the place is shown before its data is there */
            app_draw(&app, width, height);
            screen_paint(screen, &app.frame);
        }
        if (app_is_stale(&app, clock_monotonic(&ticking)))
            app_load(&app);
        app_draw(&app, width, height);
        screen_paint(screen, &app.frame);
        handle_key(&app, screen, screen_key(screen, POLL_MS));
    }
    screen_close(screen);
    app_clear(&app);
    return OK;
}

enum status tui_frame(const struct tui_options *o, unsigned width, unsigned height, struct buf *out,
                      struct err *e)
{
    struct app app;

    app_init(&app, o);
    app_load(&app);
    app_draw(&app, width, height);
    frame_print(&app.frame, out);
    enum status s = app.error.code;
    if (s != OK && e)
        *e = app.error;
    app_clear(&app);
    return s;
}

/* Text views have no rows: their lines are the rows. */
static void lines_as_table(struct app *app, struct table *t)
{
    static const struct table_column columns[] = {{.name = "line", .title = "LINE"}};

    table_init(t, &app->data_arena, columns, 1, "fnscope.lines", 1);
    for (size_t i = 0; i < app->data.n_lines; i++) {
        table_row(t);
        table_text(t, 0, app->data.lines[i]);
    }
}

static void shown_as_table(struct app *app, struct table *t)
{
    const struct table *from = &app->data.table;

    table_init(t, &app->data_arena, from->columns, from->n_columns, from->schema, from->version);
    for (size_t i = 0; i < app->n_shown; i++) {
        table_row(t);
        for (size_t c = 0; c < from->n_columns; c++)
            t->cells[i * from->n_columns + c] = from->cells[app->order[i] * from->n_columns + c];
    }
}

enum status tui_table(const struct tui_options *o, enum table_format f, struct buf *out,
                      struct err *e)
{
    struct app app;
    struct table t;

    app_init(&app, o);
    app_load(&app);
    enum status s = app.error.code;
    if (s != OK && e)
        *e = app.error;
    if (s == OK) {
        (view_table[app.stack[0].view].is_text ? lines_as_table : shown_as_table)(&app, &t);
        table_print(&t, f, true, out);
    }
    app_clear(&app);
    return s;
}
