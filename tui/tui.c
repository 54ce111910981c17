/* The front door: the loop of the live screen, one frame as text, one view as rows. */
#include "tui/tui.h"

#include "tui/view.h"

#define POLL_MS 100

static void handle_key(struct app *app, struct screen *screen, uint32_t key)
{
    app_key(app, key);
    if (app->clipboard.n > 0)
        screen_copy(screen, app->clipboard);
    app->clipboard = (struct str){0};
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
    struct screen *screen;
    struct app app;
    bool must_show = true;

    if (screen_open(&screen, o->no_color, e) != OK)
        return ERR_USAGE;
    app_init(&app, o);
    while (!app.must_quit && !screen_is_told_to_stop()) {
        if (!app.has_data && app.must_load)
            show(&app, screen); /* the place is shown before its data is there */
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
            return err_set(e, ERR_USAGE, "\"" STR_FMT "\" begins with no key: fnscope top, then ?",
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

    table_init(t, &app->data_arena, columns, 1, "fnscope.lines", 1);
    for (size_t i = 0; i < app->data.n_lines; i++) {
        table_row(t);
        table_text(t, 0, app->data.lines[i].text);
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

void app_shown_table(struct app *app, struct table *t)
{
    (view_table[app_place(app)->view]->is_text ? lines_as_table : shown_as_table)(app, t);
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
        app_shown_table(&app, &t);
        table_print(&t, f, true, out);
    }
    app_clear(&app);
    return s;
}
