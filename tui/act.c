/* What keys do: each action a small function, all of them in one table. */
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/act.h"

static const struct view_ops *ops_of(struct app *app)
{
    return view_table[app_place(app)->view];
}

/* --- moving --- */

static size_t rows_of(struct app *app)
{
    return ops_of(app)->is_text ? app->n_visual : app->n_shown;
}

void act_select(struct app *app, size_t row)
{
    struct place *p = app_place(app);

    p->selected = row;
    p->is_following = p->view == VIEW_LOG && row + 1 == app->n_shown;
    app_keep_focus(app);
}

/* Whether the log goes on behind the page that is loaded (1), or before it (-1). */
static bool has_more_lines(struct app *app, int step)
{
    return app_place(app)->view == VIEW_LOG &&
           (step > 0 ? app->log_until_ns != 0 : app->data.is_more);
}

/* The page of the log around what was found, or around the cursor, is loaded next. */
static void seek_page(struct app *app, enum seek_kind kind)
{
    const struct row_ref *refs = app->data.refs, *at = app_selected(app);
    size_t n = app->data.table.n_rows;

    if (!at)
        return;
    app->log_seek.kind = kind;
    app->log_seek.page = (struct range){refs[0].time_ns, refs[n - 1].time_ns + 1};
    app->log_seek.selected_ns = at->time_ns;
    app->must_load = true;
}

/* At the edge beyond which the store has more rows another page is loaded. */
static void load_page(struct app *app, int64_t to)
{
    struct place *p = app_place(app);

    if (!app_asks_anew(app) || !app->data.is_more ||
        (p->is_from_end ? to > 0 : to + 1 < (int64_t)app->n_shown))
        return;
    if (p->n_pages >= MOST_PAGES) {
        app->message =
            STR("that many are loaded at once: / s or t choose others, G and g the ends");
        return;
    }
    p->n_pages++;
    app->must_load = true;
}

static void move(struct app *app, int64_t by)
{
    int64_t rows = (int64_t)rows_of(app), at = (int64_t)app_place(app)->selected, to = at + by;

    load_page(app, to);
    if (rows > 0 && at == (by > 0 ? rows - 1 : 0) && has_more_lines(app, by > 0 ? 1 : -1))
        seek_page(app, SEEK_SELECTED);
    else if (rows > 0)
        act_select(app, (size_t)(to < 0 ? 0 : to >= rows ? rows - 1 : to));
}

/* The first page of the store's order, or the last one. */
static void go_to_end(struct app *app, bool is_last)
{
    struct place *p = app_place(app);

    app_ask_anew(app);
    p->is_from_end = p->is_following = is_last;
    p->selected = 0;
    p->selected_key = (struct str){0};
}

void act_move(struct app *app, enum action action)
{
    int64_t page = app->is_wrapped && app->drawn.n_shown > 1 ? (int64_t)app->drawn.n_shown - 1
                   : app->frame.height > 8                   ? app->frame.height - 8
                                                             : 1;
    const int64_t steps[] = {
        [ACT_UP] = -1,          [ACT_DOWN] = 1,        [ACT_PAGE_UP] = -page,
        [ACT_PAGE_DOWN] = page, [ACT_TOP] = INT32_MIN, [ACT_BOTTOM] = INT32_MAX};

    if ((action == ACT_BOTTOM || action == ACT_TOP) && app_asks_anew(app) && app->data.is_more &&
        app_place(app)->is_from_end != (action == ACT_BOTTOM)) {
        go_to_end(app, action == ACT_BOTTOM);
        return;
    }
    if (action == ACT_BOTTOM && has_more_lines(app, 1)) {
        app_reload(app);
        app_place(app)->is_following = true;
        return;
    }
    move(app, steps[action]);
}

static void act_follow(struct app *app, enum action action)
{
    UNUSED(action);
    if (app_place(app)->view == VIEW_LOG)
        act_move(app, ACT_BOTTOM);
    else
        app->message = STR("only the log is followed: 9 opens it");
}

/* --- from row to row --- */

typedef bool row_test(const struct app *app, size_t row, const void *what);

static bool has_style(const struct app *app, size_t row, const void *what)
{
    return app->data.refs[app->order[row]].style == *(const enum style *)what;
}

static bool has_id(const struct app *app, size_t row, const void *what)
{
    return str_eq(app->data.refs[app->order[row]].id, *(const struct str *)what);
}

static void seek_row(struct app *app, int step, row_test *test, const void *what)
{
    size_t n = app->n_shown, at = app_place(app)->selected;

    for (size_t i = 1; i < n; i++) {
        size_t row = (at + (step > 0 ? i : n - i)) % n;
        if (!test(app, row, what))
            continue;
        if ((step > 0) != (row > at))
            app->message = STR("went round the end");
        act_select(app, row);
        return;
    }
    app->message = STR("there is no other");
}

static void act_seek_style(struct app *app, enum action action)
{
    bool is_error = action == ACT_NEXT_ERROR || action == ACT_PREVIOUS_ERROR;
    int step = action == ACT_NEXT_ERROR || action == ACT_NEXT_WARNING ? 1 : -1;
    enum style style = is_error ? STYLE_BAD : STYLE_WARN;

    if (!ops_of(app)->is_text && app->has_data) {
        seek_row(app, step, has_style, &style);
        return;
    }
    size_t at = app_place(app)->selected, n = app->n_visual;
    for (size_t i = 1; i < n; i++) {
        size_t row = (at + (step > 0 ? i : n - i)) % n;
        if (app->visual[row].style == style) {
            act_select(app, row);
            return;
        }
    }
    app->message = STR("there is no other");
}

static void act_seek_same(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);

    if (!ref || ref->id.n == 0)
        app->message = STR("this row belongs to no request");
    else
        seek_row(app, action == ACT_NEXT_SAME ? 1 : -1, has_id, &ref->id);
}

void app_search(struct app *app, int step)
{
    struct re *re = app_filter_re(app);

    if (!re) {
        app->message = STR("/ says what to look for");
        return;
    }
    size_t n = rows_of(app), at = app_place(app)->selected;
    bool is_found = false, is_page = has_more_lines(app, 1) || has_more_lines(app, -1);
    size_t most = !is_page ? n : n == 0 ? 0 : step > 0 ? n - 1 - at : at;
    for (size_t i = 1; i <= most && !is_found; i++) {
        size_t row = (at + (step > 0 ? i : n - i % n)) % n;
        is_found = ops_of(app)->is_text ? re_match(re, app->visual[row].text, NULL, NULL)
                                        : app_row_has(app, row, re);
        if (is_found)
            act_select(app, row);
    }
    if (!is_found && is_page)
        seek_page(app, step > 0 ? SEEK_NEXT_MATCH : SEEK_PREVIOUS_MATCH);
    else if (!is_found)
        app->message = STR("nothing matches");
    re_free(re);
}

static void act_search(struct app *app, enum action action)
{
    app_search(app, action == ACT_NEXT_MATCH ? 1 : -1);
}

/* The search becomes the filter of the log, or the filter is taken off. */
static void act_only_matches(struct app *app, enum action action)
{
    UNUSED(action);
    if (app_place(app)->view != VIEW_LOG) {
        app->message = STR("in tables / filters already; this is for the log");
        return;
    }
    app->log_pattern_n = app->filter_n;
    memcpy(app->log_pattern, app->filter, app->filter_n);
    app->message = app->filter_n > 0 ? STR("only lines that match") : STR("all lines");
    app->filter_n = 0;
    app_reload(app);
}

/* --- choosing and time --- */

static void act_pick(struct app *app, enum action action)
{
    static const enum pick_kind kinds[ACTIONS] = {
        [ACT_SORT] = PICK_SORT,         [ACT_RANGE] = PICK_RANGE,
        [ACT_COLUMNS] = PICK_COLUMNS,   [ACT_BREAKDOWN] = PICK_BREAKDOWN,
        [ACT_ACCOUNTS] = PICK_ACCOUNTS, [ACT_REGIONS] = PICK_REGIONS,
        [ACT_SETUP] = PICK_SETUP};

    picker_open(app, kinds[action]);
}

static void act_zoom(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);
    struct range r = app_range(app);
    int64_t span = r.until_ns - r.since_ns;
    int64_t to = action == ACT_ZOOM_IN ? span / 2 : span * 2;
    int64_t centre = ref && ref->time_ns > 0 ? ref->time_ns : r.since_ns + span / 2;
    bool is_at_end = app->range.until_ns == 0 || app->is_newest;
    bool stays_live = is_at_end && !(ref && ref->time_ns > 0);

    if (to < NS_PER_SEC || to > 400 * NS_PER_DAY) {
        app->message = STR("that is as far as it goes");
        return;
    }
    if (!stays_live) {
        app_set_range(app, (struct range){centre - to / 2, centre - to / 2 + to});
        return;
    }
    bool is_newest = app->is_newest;
    app->span_ns = to;
    app_set_range(app, (struct range){0, 0});
    app->is_newest = is_newest;
}

static void act_shift(struct app *app, enum action action)
{
    struct range r = app_range(app);
    int64_t by = (r.until_ns - r.since_ns) * (action == ACT_SHIFT_BACK ? -1 : 1);

    if (r.until_ns + by >= clock_now(&app->options->clock))
        app_follow_newest(app);
    else
        app_set_range(app, (struct range){r.since_ns + by, r.until_ns + by});
}

static void act_now(struct app *app, enum action action)
{
    UNUSED(action);
    app_follow_newest(app);
}

/* --- places --- */

static void act_quit(struct app *app, enum action action)
{
    UNUSED(action);
    app->must_quit = true;
}

static void act_view(struct app *app, enum action action)
{
    static const enum view_id views[] = {[ACT_VIEW_OVERVIEW] = VIEW_OVERVIEW,
                                         [ACT_VIEW_FUNCTIONS] = VIEW_FUNCTIONS,
                                         [ACT_VIEW_INVOCATIONS] = VIEW_INVOCATIONS,
                                         [ACT_VIEW_TRACES] = VIEW_TRACES,
                                         [ACT_VIEW_COLD] = VIEW_COLD,
                                         [ACT_VIEW_COST] = VIEW_COST,
                                         [ACT_VIEW_QUEUES] = VIEW_QUEUES,
                                         [ACT_VIEW_ALERTS] = VIEW_ALERTS,
                                         [ACT_VIEW_LOG] = VIEW_LOG,
                                         [ACT_VIEW_SOURCES] = VIEW_SOURCES};

    app_switch(app, views[action]);
}

static void act_help(struct app *app, enum action action)
{
    struct place help = {.view = VIEW_HELP};

    UNUSED(action);
    if (app_place(app)->view != VIEW_HELP)
        app_push(app, &help);
}

static struct place place_of(struct app *app, enum view_id view, const struct row_ref *ref)
{
    bool is_row = ref && ref->fn_id != 0;
    struct place p = {.view = view, .fn_id = is_row ? ref->fn_id : app_place(app)->fn_id};

    p.fn_name = is_row ? arena_str(&app->text_arena, ref->fn_name) : app_place(app)->fn_name;
    return p;
}

static void enter(struct app *app, const struct row_ref *ref)
{
    enum view_id to = ref->id.n > 0 ? VIEW_INVOCATION : VIEW_FUNCTION;
    struct place p = place_of(app, ref->leads_to != VIEW_OVERVIEW ? ref->leads_to : to, ref);

    p.id = arena_str(&app->text_arena, ref->id);
    p.error_type = arena_str(&app->text_arena, ref->error_type);
    p.outcome_mask = ref->outcome_mask;
    if (ref->range.until_ns != 0) {
        p.has_own_range = true;
        p.range_before = app->range;
        p.span_before = app->span_ns;
        p.was_newest = app->is_newest;
    }
    struct range own = ref->range;
    app_push(app, &p);
    if (p.has_own_range) {
        app->range = own;
        app->is_newest = false;
        app->span_ns = own.until_ns - own.since_ns;
    }
}

/* From a queue to what its function did. An attempt that handed only some messages back ended well:
 * why it did stands in its lines. */
static void drill_queue(struct app *app)
{
    const struct fn_row *f = app->has_data ? app->data.one : NULL;

    if (!f) {
        app->message = STR("no function that is known to read it ran in the time range");
        return;
    }
    const struct row_ref ref = {.fn_id = f->fn_id, .fn_name = f->fn.name};
    struct place p = place_of(app, stats_failed(&f->stats) > 0 ? VIEW_ERRORS : VIEW_LOG, &ref);
    app_push(app, &p);
}

void act_drill(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);
    struct place attempts = place_of(app, VIEW_INVOCATIONS, NULL);

    UNUSED(action);
    if (app_place(app)->view == VIEW_FUNCTION)
        app_push(app, &attempts);
    else if (app_place(app)->view == VIEW_QUEUE)
        drill_queue(app);
    else if (ref && (ref->id.n > 0 || ref->leads_to != VIEW_OVERVIEW ||
                     (ref->fn_id != 0 && app_place(app)->view != VIEW_LOG)))
        enter(app, ref);
    else
        app->message = ref ? STR("there is nothing further down") : (struct str){0};
}

static void act_lines(struct app *app, enum action action)
{
    struct place p = place_of(app, VIEW_LOG, app_selected(app));

    UNUSED(action);
    app_push(app, &p);
}

/* A single attempt is explained by its receipt, a queue, a source or an alert on its own page. */
static bool explains_itself(enum view_id view)
{
    return view == VIEW_QUEUE || view == VIEW_SOURCE || view == VIEW_INVOCATION ||
           view == VIEW_ALERT;
}

static void act_explain(struct app *app, enum action action)
{
    const struct row_ref *ref = app_selected(app);
    struct place p = place_of(app, VIEW_EXPLAIN, ref);

    if (explains_itself(app_place(app)->view))
        app->message = STR("this page says what the figures are made of");
    else if (ref && ref->id.n > 0)
        act_drill(app, action);
    else if (app_place(app)->view != VIEW_EXPLAIN)
        app_push(app, &p);
}

static void act_back(struct app *app, enum action action)
{
    UNUSED(action);
    app_back(app);
}

/* q leaves the top too, Esc and Backspace do not: they are what one presses once too often. */
static void act_leave(struct app *app, enum action action)
{
    if (app->depth == 1 && app->filter_n == 0)
        act_quit(app, action);
    else
        app_back(app);
}

static void act_trail(struct app *app, enum action action)
{
    bool is_back = action == ACT_TRAIL_BACK || (action == ACT_PREVIOUS && !app->is_swapped);

    app_walk(app, is_back ? -1 : 1);
    app->is_swapped = action == ACT_PREVIOUS && is_back;
}

/* The pane before is the one whose next is this: walk round. */
static enum view_id pane_beside(enum view_id view, bool is_back)
{
    enum view_id at = view_table[view]->tab;

    while (is_back && view_table[at]->tab != view)
        at = view_table[at]->tab;
    return at;
}

static void act_tab(struct app *app, enum action action)
{
    const struct place *here = app_place(app);
    enum view_id other = pane_beside(here->view, action == ACT_TAB_BACK);
    struct place to = {.view = other,
                       .fn_id = here->fn_id,
                       .fn_name = here->fn_name,
                       .sort_column = view_table[other]->default_sort};

    if (other == here->view) {
        app->message = STR("this view has one pane");
        return;
    }
    app_remember(app);
    *app_place(app) = to;
    app->filter_n = 0;
    app->n_tags = 0;
    app_reload(app);
}

/* --- prompts --- */

static void act_prompt(struct app *app, enum action action)
{
    static const enum prompt_kind kinds[] = {[ACT_FILTER] = PROMPT_FILTER,
                                             [ACT_COMMAND] = PROMPT_COMMAND,
                                             [ACT_SQL] = PROMPT_SQL,
                                             [ACT_EXPORT] = PROMPT_EXPORT};

    prompt_open(app, kinds[action]);
}

static void act_nothing(struct app *app, enum action action)
{
    UNUSED(app);
    UNUSED(action);
}

static act_fn *const actions[ACTIONS] = {
    [ACT_NONE] = act_nothing,
    [ACT_QUIT] = act_quit,
    [ACT_UP] = act_move,
    [ACT_DOWN] = act_move,
    [ACT_PAGE_UP] = act_move,
    [ACT_PAGE_DOWN] = act_move,
    [ACT_TOP] = act_move,
    [ACT_BOTTOM] = act_move,
    [ACT_VIEW_OVERVIEW] = act_view,
    [ACT_VIEW_FUNCTIONS] = act_view,
    [ACT_VIEW_INVOCATIONS] = act_view,
    [ACT_VIEW_TRACES] = act_view,
    [ACT_VIEW_COLD] = act_view,
    [ACT_VIEW_COST] = act_view,
    [ACT_VIEW_QUEUES] = act_view,
    [ACT_VIEW_ALERTS] = act_view,
    [ACT_VIEW_LOG] = act_view,
    [ACT_VIEW_SOURCES] = act_view,
    [ACT_HELP] = act_help,
    [ACT_BACK] = act_back,
    [ACT_LEAVE] = act_leave,
    [ACT_DRILL] = act_drill,
    [ACT_PREVIOUS] = act_trail,
    [ACT_TRAIL_BACK] = act_trail,
    [ACT_TRAIL_ON] = act_trail,
    [ACT_TAB] = act_tab,
    [ACT_TAB_BACK] = act_tab,
    [ACT_FILTER] = act_prompt,
    [ACT_COMMAND] = act_prompt,
    [ACT_SQL] = act_prompt,
    [ACT_EXPORT] = act_prompt,
    [ACT_NEXT_MATCH] = act_search,
    [ACT_PREVIOUS_MATCH] = act_search,
    [ACT_NEXT_ERROR] = act_seek_style,
    [ACT_PREVIOUS_ERROR] = act_seek_style,
    [ACT_NEXT_WARNING] = act_seek_style,
    [ACT_PREVIOUS_WARNING] = act_seek_style,
    [ACT_NEXT_SAME] = act_seek_same,
    [ACT_PREVIOUS_SAME] = act_seek_same,
    [ACT_SORT] = act_pick,
    [ACT_SORT_LEFT] = act_sort,
    [ACT_SORT_RIGHT] = act_sort,
    [ACT_INVERT] = act_sort,
    [ACT_RANGE] = act_pick,
    [ACT_ZOOM_IN] = act_zoom,
    [ACT_ZOOM_OUT] = act_zoom,
    [ACT_SHIFT_BACK] = act_shift,
    [ACT_SHIFT_ON] = act_shift,
    [ACT_NOW] = act_now,
    [ACT_PROBLEMS] = act_switch,
    [ACT_ONLY_MATCHES] = act_only_matches,
    [ACT_FOLLOW] = act_follow,
    [ACT_LINES] = act_lines,
    [ACT_PAUSE] = act_switch,
    [ACT_REFRESH] = act_refresh,
    [ACT_COPY] = act_copy,
    [ACT_COPY_ROW] = act_copy_row,
    [ACT_UNIT] = act_unit,
    [ACT_EXPLAIN] = act_explain,
    [ACT_STRIP] = act_switch,
    [ACT_ZONE] = act_zone,
    [ACT_FASTER] = act_speed,
    [ACT_SLOWER] = act_speed,
    [ACT_COLUMNS] = act_pick,
    [ACT_BREAKDOWN] = act_pick,
    [ACT_DISPLAY] = act_display,
    [ACT_TAG] = act_tag,
    [ACT_UNTAG] = act_untag,
    [ACT_MARK] = act_mark,
    [ACT_COMPARE] = act_compare,
    [ACT_ACCOUNTS] = act_pick,
    [ACT_REGIONS] = act_pick,
    [ACT_MOUSE] = act_switch,
    [ACT_SETUP] = act_pick,
    [ACT_ACK] = act_alert,
    [ACT_SILENCE] = act_alert,
    [ACT_FIELDS] = act_log_columns,
    [ACT_TIMES] = act_log_columns,
    [ACT_WRAP] = act_switch,
    [ACT_REDRAW] = act_screen,
    [ACT_SUSPEND] = act_screen,
};

void app_key(struct app *app, uint32_t key)
{
    app->message = (struct str){0};
    if (app->prompt.kind != PROMPT_NONE) {
        prompt_key(app, key);
        return;
    }
    if (app->picker.kind != PICK_NONE) {
        picker_key(app, key);
        return;
    }
    enum action action = key_action(key);
    actions[action](app, action);
}
