/* The program behind the screen: the stack of places, what keys do to it, when data is loaded.
 * Touches neither terminal nor clock but through what it is given. */
#include <assert.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

static const int64_t spans[] = {NS_PER_HOUR,    6 * NS_PER_HOUR, NS_PER_DAY,
                                7 * NS_PER_DAY, 30 * NS_PER_DAY, 0};

void app_init(struct app *app, const struct tui_options *o)
{
    *app = (struct app){
        .options = o, .refresh_ns = o->refresh_ns ? o->refresh_ns : NS_PER_SEC, .must_load = true};
    app->range = o->range;
    app->span_ns = o->range.until_ns == 0
                       ? (o->range.since_ns ? clock_now(&o->clock) - o->range.since_ns : NS_PER_DAY)
                       : o->range.until_ns - o->range.since_ns;
    app->frame.is_ascii = o->is_ascii;
    struct place *p = &app->stack[app->depth++];
    for (int i = 0; o->view && i < VIEWS; i++)
        if (str_eq(str_from(o->view), str_from(view_table[i].name)))
            p->view = (enum view_id)i;
    if (o->id.n > 0) {
        p->view = VIEW_INVOCATION;
        p->id = o->id;
    }
    p->sort_column = view_table[p->view].default_sort;
}

void app_clear(struct app *app)
{
    arena_clear(&app->data_arena);
    arena_clear(&app->text_arena);
}

struct range app_range(const struct app *app)
{
    if (app->range.until_ns != 0)
        return app->range;
    int64_t now = clock_now(&app->options->clock);
    return (struct range){now - app->span_ns, now};
}

/* --- loading --- */

static void remember_selection(struct app *app)
{
    struct place *p = app_place(app);

    if (!app->has_data || view_table[p->view].is_text || p->selected >= app->n_shown)
        return;
    p->selected_key =
        arena_str(&app->text_arena,
                  app->data.table.cells[app->order[p->selected] * app->data.table.n_columns].raw);
}

void app_load(struct app *app)
{
    struct arena old = app->data_arena;
    struct view_data old_data = app->data;
    struct err e = {0};

    app->must_load = false;
    app->loaded_ns = clock_monotonic(&app->options->clock);
    app->data_arena = (struct arena){0};
    app->data = (struct view_data){.range = app_range(app)};
    if (view_table[app_place(app)->view].load(app, &app->data, &e) != OK) {
        arena_clear(&app->data_arena);
        app->data_arena = old;
        app->data = old_data;
        app->error = e;
        return;
    }
    arena_clear(&old);
    app->error = (struct err){0};
    app->has_data = true;
    app_arrange(app);
}

bool app_is_stale(struct app *app, int64_t now_ns)
{
    uint64_t generation = app->generation;
    bool is_live = app->range.until_ns == 0;

    if (app->must_load)
        return true;
    if (app->is_paused || now_ns - app->loaded_ns < app->refresh_ns)
        return false;
    if (request_generation(app->options->store, &generation, NULL) != OK)
        return false;
    bool is_new = generation != app->generation;
    app->generation = generation;
    app->loaded_ns = now_ns;
    remember_selection(app);
    /* A sliding window loses rows at its old end even when nothing comes in. */
    return is_new || (is_live && app_place(app)->view != VIEW_INVOCATION &&
                      app_place(app)->view != VIEW_HELP);
}

/* --- places --- */

static void go(struct app *app)
{
    app->has_data = false;
    app->must_load = true;
    app->message = (struct str){0};
}

static void push(struct app *app, const struct place *p)
{
    if (app->depth == MAX_DEPTH)
        return;
    app->previous = *app_place(app);
    app->stack[app->depth] = *p;
    app->stack[app->depth++].sort_column = view_table[p->view].default_sort;
    app->filter_n = 0;
    go(app);
}

static void switch_to(struct app *app, enum view_id view)
{
    app->previous = *app_place(app);
    app->depth = 1;
    app->stack[0] = (struct place){.view = view, .sort_column = view_table[view].default_sort};
    app->filter_n = 0;
    go(app);
}

static void back(struct app *app)
{
    if (app->filter_n > 0) {
        app->filter_n = 0;
        app_arrange(app);
        return;
    }
    if (app->depth == 1) {
        app->must_quit = true;
        return;
    }
    app->previous = *app_place(app);
    app->depth--;
    go(app);
}

static const struct row_ref *selected_ref(struct app *app)
{
    const struct place *p = app_place(app);

    if (!app->has_data || view_table[p->view].is_text || p->selected >= app->n_shown)
        return NULL;
    return &app->data.refs[app->order[p->selected]];
}

/* Where Enter leads from each view. */
static void drill(struct app *app)
{
    const struct row_ref *ref = selected_ref(app);
    struct place next = {.view = VIEW_INVOCATIONS};

    if (!ref)
        return;
    remember_selection(app);
    if (ref->id.n > 0) {
        next.view = VIEW_INVOCATION;
        next.id = arena_str(&app->text_arena, ref->id);
    } else {
        const struct place *p = app_place(app);
        size_t column = p->view == VIEW_ERRORS ? 1 : 0;
        const struct table *t = &app->data.table;
        next.fn_id = ref->fn_id;
        next.outcome_mask = ref->outcome_mask;
        next.fn_name = arena_str(&app->text_arena,
                                 t->cells[app->order[p->selected] * t->n_columns + column].raw);
    }
    push(app, &next);
}

/* --- moving, sorting, time --- */

static void move(struct app *app, int64_t by)
{
    struct place *p = app_place(app);
    size_t rows = view_table[p->view].is_text ? app->data.n_lines : app->n_shown;
    int64_t to = (int64_t)p->selected + by;

    if (rows == 0)
        return;
    p->selected = to < 0 ? 0 : (size_t)to >= rows ? rows - 1 : (size_t)to;
    remember_selection(app);
}

static void sort_by(struct app *app, int by)
{
    struct place *p = app_place(app);
    int n = (int)app->data.table.n_columns;

    if (view_table[p->view].is_text || n == 0)
        return;
    p->sort_column = (p->sort_column + by + n) % n;
    p->is_inverted = false;
    if (p->view == VIEW_INVOCATIONS)
        app->must_load =
            true; /* the store sorts by duration and cost itself: more than what is loaded */
    app_arrange(app);
}

static void next_span(struct app *app)
{
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(spans) && spans[i] != app->span_ns)
        i++;
    i = (i + 1) % ARRAY_LEN(spans);
    if (spans[i] == 0) {
        struct ingest_status st;
        AUTO(arena_clear) struct arena a = {0};
        if (request_status(app->options->store, &a, &st, NULL) == OK && st.last_ns > 0) {
            app->range = (struct range){st.first_ns, st.last_ns + 1};
            app->span_ns = 0;
        }
    } else {
        int64_t end = app->range.until_ns;
        app->span_ns = spans[i];
        app->range = end == 0 ? (struct range){0, 0} : (struct range){end - spans[i], end};
    }
    go(app);
}

static void shift(struct app *app, int direction)
{
    struct range r = app_range(app);
    int64_t span = r.until_ns - r.since_ns;

    app->range = (struct range){r.since_ns + direction * span, r.until_ns + direction * span};
    if (app->range.until_ns >= clock_now(&app->options->clock) && app->span_ns > 0)
        app->range = (struct range){0, 0};
    go(app);
}

/* --- keys --- */

static void type_filter(struct app *app, uint32_t key)
{
    if (key == TK_ENTER || key == TK_ESCAPE) {
        app->is_typing = false;
        app->filter_n = key == TK_ESCAPE ? 0 : app->filter_n;
    } else if (key == TK_BACKSPACE) {
        app->filter_n -= app->filter_n > 0;
    } else if (key >= 0x20 && key < 0x7F && app->filter_n + 1 < sizeof(app->filter)) {
        app->filter[app->filter_n++] = (char)key;
    }
    if (app->has_data)
        app_arrange(app);
}

static void act_move(struct app *app, enum action action)
{
    int64_t page = app->frame.height > 6 ? app->frame.height - 6 : 1;
    const int64_t steps[] = {
        [ACT_UP] = -1,          [ACT_DOWN] = 1,        [ACT_PAGE_UP] = -page,
        [ACT_PAGE_DOWN] = page, [ACT_TOP] = INT32_MIN, [ACT_BOTTOM] = INT32_MAX};

    move(app, steps[action]);
}

static void act_view(struct app *app, enum action action)
{
    static const enum view_id views[] = {[ACT_VIEW_OVERVIEW] = VIEW_OVERVIEW,
                                         [ACT_VIEW_FUNCTIONS] = VIEW_FUNCTIONS,
                                         [ACT_VIEW_INVOCATIONS] = VIEW_INVOCATIONS,
                                         [ACT_VIEW_ERRORS] = VIEW_ERRORS,
                                         [ACT_VIEW_COLD] = VIEW_COLD,
                                         [ACT_VIEW_COST] = VIEW_COST};
    struct place help = {.view = VIEW_HELP};

    if (action == ACT_HELP)
        push(app, &help);
    else
        switch_to(app, views[action]);
}

static void act_sort(struct app *app, enum action action)
{
    if (action == ACT_INVERT)
        app_place(app)->is_inverted = !app_place(app)->is_inverted;
    else
        sort_by(app, action == ACT_SORT_LEFT ? -1 : 1);
    if (app->has_data)
        app_arrange(app);
}

static void act_time(struct app *app, enum action action)
{
    if (action == ACT_RANGE) {
        next_span(app);
    } else if (action == ACT_NOW) {
        app->range = (struct range){0, 0};
        app->span_ns = app->span_ns ? app->span_ns : NS_PER_DAY;
        go(app);
    } else {
        shift(app, action == ACT_SHIFT_BACK ? -1 : 1);
    }
}

static void act_place(struct app *app, enum action action)
{
    if (action == ACT_DRILL) {
        drill(app);
    } else if (action == ACT_BACK) {
        back(app);
    } else {
        struct place now = *app_place(app);
        if (app->depth > 0 && (app->previous.sort_column != 0 ||
                               app->previous.view != VIEW_OVERVIEW || app->previous.fn_id != 0)) {
            *app_place(app) = app->previous;
            app->previous = now;
            go(app);
        }
    }
}

static void act_switch(struct app *app, enum action action)
{
    if (action == ACT_FILTER)
        app->is_typing = true;
    if (action == ACT_PROBLEMS)
        app->only_problems = !app->only_problems;
    if (action == ACT_PAUSE)
        app->is_paused = !app->is_paused;
    if (action == ACT_UNIT)
        app->unit = (enum cost_unit)((app->unit + 1) % UNITS);
    if (action == ACT_FASTER && app->refresh_ns > 200 * NS_PER_MS)
        app->refresh_ns /= 2;
    if (action == ACT_SLOWER && app->refresh_ns < NS_PER_MIN)
        app->refresh_ns *= 2;
    if (action == ACT_UNIT || action == ACT_REFRESH || action == ACT_PROBLEMS)
        app->must_load = true;
    if (action == ACT_QUIT)
        app->must_quit = true;
}

static void act_copy(struct app *app)
{
    const struct row_ref *ref = selected_ref(app);
    struct str id = app_place(app)->view == VIEW_INVOCATION ? app_place(app)->id
                    : ref                                   ? ref->id
                                                            : (struct str){0};

    app->message = id.n > 0 ? arena_printf(&app->text_arena, "copied " STR_FMT, STR_ARG(id))
                            : STR("this row has no id to copy");
}

void app_key(struct app *app, uint32_t key)
{
    if (app->is_typing) {
        type_filter(app, key);
        return;
    }
    app->message = (struct str){0};
    enum action a = key_action(key);
    if (a >= ACT_UP && a <= ACT_BOTTOM)
        act_move(app, a);
    else if (a >= ACT_VIEW_OVERVIEW && a <= ACT_HELP)
        act_view(app, a);
    else if (a >= ACT_SORT && a <= ACT_INVERT)
        act_sort(app, a);
    else if (a >= ACT_RANGE && a <= ACT_NOW)
        act_time(app, a);
    else if (a == ACT_DRILL || a == ACT_BACK || a == ACT_PREVIOUS)
        act_place(app, a);
    else if (a == ACT_COPY)
        act_copy(app);
    else
        act_switch(app, a);
}
