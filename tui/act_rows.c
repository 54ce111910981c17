/* What is done with rows: copied, tagged, marked and compared; orders about alerts; the mouse. */
#include <string.h>

#include "tui/act.h"

void act_copy(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);
    struct str id = app_place(app)->view == VIEW_INVOCATION ? app_place(app)->id
                    : !ref                                  ? (struct str){0}
                    : ref->id.n > 0                         ? ref->id
                                                            : ref->fn_name;

    UNUSED(action);
    app->clipboard = arena_str(&app->text_arena, id);
    app->message = id.n > 0 ? arena_printf(&app->text_arena, "copied " STR_FMT, STR_ARG(id))
                            : STR("this row has no id to copy");
}

void act_copy_row(struct app *app, enum action action)
{
    AUTO(buf_clear) struct buf out = {.max = 1u << 20};
    const struct table *from = &app->data.table;
    struct table t = *from;

    UNUSED(action);
    if (!app_selected(app)) {
        app->message = STR("there is no row to copy");
        return;
    }
    if (app->n_tags > 0) {
        app_shown_table(app, &t);
    } else {
        t.cells += app->order[app_place(app)->selected] * from->n_columns;
        t.n_rows = 1;
    }
    table_print(&t, TABLE_NDJSON, false, &out);
    app->clipboard = arena_str(&app->text_arena, buf_str(&out));
    app->message = arena_printf(&app->text_arena, "copied %zu row%s as JSON", t.n_rows,
                                plural(t.n_rows, "", "s"));
}

/* --- tags --- */

bool app_is_tagged(const struct app *app, size_t row)
{
    struct str key = app_row_key(app, row);

    for (size_t i = 0; i < app->n_tags; i++)
        if (str_eq(app->tags[i], key))
            return true;
    return false;
}

static void untag(struct app *app, struct str key)
{
    for (size_t i = 0; i < app->n_tags; i++)
        if (str_eq(app->tags[i], key))
            app->tags[i--] = app->tags[--app->n_tags];
}

static void tag(struct app *app)
{
    size_t row = app->order[app_place(app)->selected];
    struct str key = app_row_key(app, row);

    if (app_is_tagged(app, row))
        untag(app, key);
    else if (app->n_tags < MAX_TAGS)
        app->tags[app->n_tags++] = arena_str(&app->text_arena, key);
    else
        app->message = STR("no more rows can be tagged: u untags all");
    if (app->message.n == 0)
        app->message = arena_printf(&app->text_arena, "%zu tagged", app->n_tags);
}

/* The row of the log is bookmarked with m; there Space turns the page. */
void act_tag(struct app *app, enum action action)
{
    bool is_page = app_place(app)->view == VIEW_LOG && action == ACT_TAG;

    if (is_page || view_table[app_place(app)->view]->is_text) {
        act_move(app, ACT_PAGE_DOWN);
        return;
    }
    if (!app_selected(app))
        return;
    tag(app);
    if (action == ACT_TAG)
        act_move(app, ACT_DOWN);
}

void act_untag(struct app *app, enum action action)
{
    UNUSED(action);
    app->n_tags = 0;
    app->message = STR("no row is tagged");
}

/* --- mark and compare --- */

/* The row's function or group; in a view without them the function of the place, or all. */
static struct subject_mark subject_here(struct app *app, const struct row_ref *ref)
{
    const struct place *p = app_place(app);
    struct subject_mark m = {
        .is_set = true, .range = app_range(app), .fn_id = p->fn_id, .fn_name = p->fn_name};

    if (ref && ref->fn_id != 0) {
        m.fn_id = ref->fn_id;
        m.fn_name = arena_str(&app->text_arena, ref->fn_name);
    }
    if (ref && ref->group.p) {
        m.dimension = p->id;
        m.group = arena_str(&app->text_arena, ref->group);
    }
    return m;
}

static struct str subject_name(const struct subject_mark *m)
{
    return m->group.p ? m->group : m->fn_id != 0 ? m->fn_name : STR("all functions");
}

void act_mark(struct app *app, enum action action)
{
    if (app_place(app)->view == VIEW_LOG) {
        act_tag(app, action);
        return;
    }
    app->mark = subject_here(app, app_selected(app));
    app->message = arena_printf(&app->text_arena, "marked " STR_FMT ": d compares with it",
                                STR_ARG(subject_name(&app->mark)));
}

/* Two tagged rows say what is meant as well as a mark does. */
static bool take_tagged(struct app *app)
{
    struct subject_mark *to[] = {&app->mark, &app->other};
    size_t n = 0;

    for (size_t i = 0; app->n_tags == 2 && i < app->n_shown && n < 2; i++)
        if (app_is_tagged(app, app->order[i]))
            *to[n++] = subject_here(app, &app->data.refs[app->order[i]]);
    return n == 2;
}

static bool is_same(const struct subject_mark *a, const struct subject_mark *b)
{
    return a->fn_id == b->fn_id && str_eq(a->dimension, b->dimension) &&
           str_eq(a->group, b->group) && a->range.since_ns == b->range.since_ns &&
           a->range.until_ns == b->range.until_ns;
}

void act_compare(struct app *app, enum action action)
{
    struct place p = {.view = VIEW_COMPARE};

    UNUSED(action);
    if (app_place(app)->view == VIEW_COMPARE)
        return;
    if (!take_tagged(app)) {
        if (!app->mark.is_set) {
            app->message = STR("m marks what to compare with, on another row or in another range");
            return;
        }
        app->other = subject_here(app, app_selected(app));
    }
    if (is_same(&app->mark, &app->other)) {
        app->message = STR("that is what is marked: go to another row or range, then d");
        return;
    }
    app_push(app, &p);
}

/* --- alerts: never by one key; it writes the command, Enter gives it --- */

void act_alert(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);
    bool is_alerts = app_place(app)->view == VIEW_ALERTS && ref;
    struct str key = is_alerts                            ? ref->id
                     : app_place(app)->view == VIEW_ALERT ? app_place(app)->id
                                                          : (struct str){0};

    if (key.n == 0) {
        app->message = STR("on an alert, please: 8 lists them");
        return;
    }
    prompt_begin(app, PROMPT_COMMAND,
                 arena_printf(&app->text_arena,
                              action == ACT_ACK ? "ack " STR_FMT : "silence " STR_FMT " 2h",
                              STR_ARG(key)));
}

/* --- the mouse --- */

static void turn_wheel(struct app *app, enum action action)
{
    for (int i = 0; i < 3; i++)
        act_move(app, action);
}

static void click_header(struct app *app, unsigned x)
{
    const struct drawn *w = &app->drawn;

    for (size_t c = 0; c < app->data.table.n_columns; c++)
        if (x >= w->column_x[c] && x < w->column_end[c] && app_place(app)->view != VIEW_LOG) {
            act_sort_by(app, (int)c);
            return;
        }
}

/* A click chooses the row; another one, or a double click, opens it. */
static void click_row(struct app *app, unsigned line, bool is_double)
{
    struct place *p = app_place(app);

    if (line >= app->drawn.rows)
        return;
    size_t row = app->drawn.row_at[line];
    bool was_selected = p->selected == row;
    act_select(app, row);
    if (is_double || was_selected)
        act_drill(app, ACT_DRILL);
}

void app_mouse(struct app *app, const struct mouse_event *ev)
{
    const struct drawn *w = &app->drawn;

    app->message = (struct str){0};
    if (app->picker.kind != PICK_NONE || app->prompt.kind != PROMPT_NONE)
        return;
    if (ev->kind == MOUSE_UP || ev->kind == MOUSE_DOWN)
        turn_wheel(app, ev->kind == MOUSE_UP ? ACT_UP : ACT_DOWN);
    else if (w->rows > 0 && ev->y == w->table_y)
        click_header(app, ev->x);
    else if (w->rows > 0 && ev->y > w->table_y)
        click_row(app, ev->y - w->table_y - 1, ev->kind == MOUSE_DOUBLE);
}
