/* The program behind the screen: the stack of places, the trail, when data is loaded. Touches
 * neither terminal nor clock but through what it is given. What keys do is in act.c. */
#include <assert.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

/* A window that slides is loaded anew when it has moved by this part of itself. */
#define SLIDE_PARTS 400

static void settle(struct place *p)
{
    p->sort_column = view_table[p->view]->default_sort;
    p->is_following = p->view == VIEW_LOG;
}

/* A dashboard over an export shows what it holds and not an empty day, and goes along while more of
 * it is imported. What is live stays so: that nothing comes any more is to be seen. */
static void find_newest(struct app *app)
{
    int64_t now = clock_now(&app->options->clock), last_ns = 0;
    int64_t span = app->span_ns > NS_PER_DAY ? app->span_ns : NS_PER_DAY;

    if (!app->is_newest || request_newest(app->options->store, &last_ns, NULL) != OK)
        return;
    bool is_old = last_ns > 0 && last_ns < now - span;
    app->range =
        is_old ? (struct range){last_ns + 1 - app->span_ns, last_ns + 1} : (struct range){0, 0};
    app->is_newest = is_old || last_ns == 0;
}

void app_init(struct app *app, const struct tui_options *o)
{
    *app = (struct app){
        .options = o, .refresh_ns = o->refresh_ns ? o->refresh_ns : NS_PER_SEC, .must_load = true};
    app->range = o->range;
    app->span_ns = o->range.until_ns == 0
                       ? (o->range.since_ns ? clock_now(&o->clock) - o->range.since_ns : NS_PER_DAY)
                       : o->range.until_ns - o->range.since_ns;
    app->is_newest = o->is_newest;
    find_newest(app);
    app->fn_filter = o->filter;
    app->theme = o->no_color ? THEME_MONO : o->theme;
    app->has_mouse = o->has_mouse;
    app->zone = o->zone;
    app->frame.is_ascii = o->is_ascii;
    app->trail = arena_new(&app->text_arena, struct trail_step, MAX_TRAIL);
    struct place *p = &app->stack[app->depth++];
    for (int i = 0; o->view && i < VIEWS; i++)
        if (str_eq(str_from(o->view), str_from(view_table[i]->name)))
            p->view = (enum view_id)i;
    if (o->id.n > 0) {
        p->view = VIEW_INVOCATION;
        p->id = o->id;
    }
    settle(p);
}

void app_clear(struct app *app)
{
    arena_clear(&app->data_arena);
    arena_clear(&app->text_arena);
    arena_clear(&app->frame_arena);
}

struct range app_range(const struct app *app)
{
    if (app->range.until_ns != 0)
        return app->range;
    int64_t now = clock_now(&app->options->clock);
    return (struct range){now - app->span_ns, now};
}

/* --- loading --- */

struct str app_row_key(const struct app *app, size_t row)
{
    const struct row_ref *ref = &app->data.refs[row];

    if (ref->id.n > 0)
        return ref->id;
    return app->data.table.cells[row * app->data.table.n_columns].raw;
}

void app_keep_focus(struct app *app)
{
    struct place *p = app_place(app);

    p->selected_key = (struct str){0};
    if (!app->has_data || view_table[p->view]->is_text || p->selected >= app->n_shown ||
        view_table[p->view]->has_no_row_identity ||
        (view_table[p->view]->is_newest_first && p->selected == 0 && p->sort_column < 0 &&
         !p->is_from_end))
        return;
    p->selected_ns = app->data.refs[app->order[p->selected]].time_ns;
    p->selected_key = arena_str(&app->text_arena, app_row_key(app, app->order[p->selected]));
}

void app_load(struct app *app)
{
    struct arena old = app->data_arena;
    struct view_data old_data = app->data;
    struct err e = {0};

    find_newest(app);
    app->must_load = false;
    app->loaded_ns = clock_monotonic(&app->options->clock);
    app->data_arena = (struct arena){0};
    app->took_ns = 0;
    app->data = (struct view_data){.range = app_range(app)};
    app->collector = store_collector(app->options->store);
    if (watch_gap_load(app->options->store, clock_now(&app->options->clock), &app->data_arena,
                       &app->data.unwatched, &e) != OK ||
        request_places(app->options->store, &app->data.places, &e) != OK ||
        view_table[app_place(app)->view]->load(app, &app->data, &e) != OK) {
        arena_clear(&app->data_arena);
        app->data_arena = old;
        app->data = old_data;
        app->log_seek = (struct log_seek){0};
        app->error = e;
        return;
    }
    arena_clear(&old);
    app->took_ns = clock_monotonic(&app->options->clock) - app->loaded_ns;
    app->log_seek = (struct log_seek){0};
    app->error = (struct err){0};
    app->has_data = true;
    view_times_shown(app, &app->data.table);
    view_show_places(app);
    app->visual = NULL;
    app->n_visual = app->visual_width = 0;
    app_arrange(app);
}

/* Whether a live window has moved enough to show. */
static bool has_slid(const struct app *app)
{
    int64_t moved = clock_now(&app->options->clock) - app->data.range.until_ns;

    return app->range.until_ns == 0 && moved >= app->span_ns / SLIDE_PARTS &&
           !view_table[app->stack[app->depth - 1].view]->is_still;
}

/* Ages go on while nothing comes. Texts for the ear say only what is new. */
static bool has_aged(const struct app *app)
{
    const bool has_ages = view_table[app->stack[app->depth - 1].view]->has_ages;

    return !app->is_spoken && app->range.until_ns == 0 && (has_ages || app->data.unwatched.n > 0) &&
           !view_table[app->stack[app->depth - 1].view]->is_still;
}

/* What was stored is to be seen at once; a view is loaded once in refresh_ns all the same, and one
 * that takes long takes no more than a part of the time from the keys. */
#define LOOK_NS (200 * NS_PER_MS)
enum { LOAD_SHARE = 5 };

bool app_is_stale(struct app *app, int64_t now_ns)
{
    uint64_t generation = app->generation;

    if (app->must_load)
        return true;
    if (app->is_paused || now_ns - app->loaded_ns < app->refresh_ns ||
        now_ns - app->loaded_ns < LOAD_SHARE * app->took_ns || now_ns - app->looked_ns < LOOK_NS)
        return false;
    app->looked_ns = now_ns;
    if (request_generation(app->options->store, &generation, NULL) != OK)
        return false;
    bool is_new =
        generation != app->generation || store_collector(app->options->store) != app->collector;
    app->generation = generation;
    app_keep_focus(app);
    return is_new || has_slid(app) || has_aged(app);
}

/* --- places --- */

void app_reload(struct app *app)
{
    app->has_data = false;
    app->must_load = true;
    app->log_until_ns = 0;
}

static struct trail_step step_here(const struct app *app)
{
    struct trail_step t = {.depth = app->depth,
                           .range = app->range,
                           .span_ns = app->span_ns,
                           .is_newest = app->is_newest};

    memcpy(t.stack, app->stack, sizeof(t.stack));
    return t;
}

/* What is looked for, and where in the log, for whoever comes back. */
static void leave(struct app *app)
{
    struct place *p = app_place(app);

    app_keep_focus(app);
    p->filter = arena_str(&app->text_arena, (struct str){app->filter, app->filter_n});
    p->log_until_ns = app->log_until_ns;
}

static void come_back(struct app *app)
{
    const struct place *p = app_place(app);

    app_reload(app);
    app->n_tags = 0;
    app->filter_n = p->filter.n;
    if (p->filter.n > 0)
        memcpy(app->filter, p->filter.p, p->filter.n);
    app->log_until_ns = p->log_until_ns;
}

void app_remember(struct app *app)
{
    leave(app);
    app->is_swapped = false;
    if (app->trail_at + 1 == MAX_TRAIL) {
        memmove(app->trail, app->trail + 1, (MAX_TRAIL - 1) * sizeof(*app->trail));
        app->trail_at--;
    }
    app->trail[app->trail_at++] = step_here(app);
    app->n_trail = app->trail_at + 1;
}

void app_walk(struct app *app, int steps)
{
    int64_t to = (int64_t)app->trail_at + steps;

    if (to < 0 || to >= (int64_t)app->n_trail) {
        app->message = steps < 0 ? STR("this is the first place") : STR("this is the last place");
        return;
    }
    leave(app);
    app->trail[app->trail_at] = step_here(app);
    app->trail_at = (size_t)to;
    const struct trail_step *t = &app->trail[to];
    memcpy(app->stack, t->stack, sizeof(app->stack));
    app->depth = t->depth;
    app->range = t->range;
    app->span_ns = t->span_ns;
    app->is_newest = t->is_newest;
    come_back(app);
}

void app_push(struct app *app, const struct place *p)
{
    if (app->depth == MAX_DEPTH) {
        app->message = STR("that is deep enough: Esc goes up");
        return;
    }
    app_remember(app);
    app->stack[app->depth] = *p;
    settle(&app->stack[app->depth++]);
    app->filter_n = app->n_tags = 0;
    app_reload(app);
}

void app_switch(struct app *app, enum view_id view)
{
    app_remember(app);
    app->depth = 1;
    app->stack[0] = (struct place){.view = view};
    settle(&app->stack[0]);
    app->filter_n = app->n_tags = 0;
    app_reload(app);
}

void app_back(struct app *app)
{
    if (app->filter_n > 0) {
        app->filter_n = 0;
        app_ask_anew(app);
        app_arrange(app);
        return;
    }
    if (app->depth == 1) {
        app->message = STR("this is the top: q or ^C ends");
        return;
    }
    app_remember(app);
    const struct place *left = &app->stack[--app->depth];
    if (left->has_own_range) {
        app->range = left->range_before;
        app->span_ns = left->span_before;
        app->is_newest = left->was_newest;
    }
    come_back(app);
}

void app_set_range(struct app *app, struct range r)
{
    app_remember(app);
    app->range = r;
    app->is_newest = false;
    if (r.until_ns != 0)
        app->span_ns = r.until_ns - r.since_ns;
    app_reload(app);
}

void app_follow_newest(struct app *app)
{
    app_set_range(app, (struct range){0, 0});
    app->is_newest = true;
    find_newest(app);
}

const struct row_ref *app_selected(struct app *app)
{
    const struct place *p = app_place(app);

    if (!app->has_data || view_table[p->view]->is_text || p->selected >= app->n_shown)
        return NULL;
    return &app->data.refs[app->order[p->selected]];
}
