/* The dashboard as lines: the place, its numbers, ten rows at a time; after a key what it changed;
 * between keys what new data changed. No boxes, no charts, nothing is drawn over. */
#include "tui/speak.h"

#include <string.h>

#include "core/base/safe_text.h"

/* The app draws unseen: so it knows how texts wrap, and a page is ten rows. */
enum { UNSEEN_WIDTH = 100, UNSEEN_HEIGHT = 18, PAGE = 10, MOST_CHANGES = 5 };

/* --- rows as text --- */

static void add_safe(struct buf *out, struct str text)
{
    safe_text(out, text, SAFE_KEEP_NONE);
}

/* "cost_usd" is said as "cost": the value has its unit, or the name keeps it. */
static void add_name(struct buf *out, struct str name, struct str value)
{
    static const char *const units[] = {"_usd", "_ms", "_percent", "_time"};
    bool has_unit = value.p[0] == '$' || value.p[value.n - 1] == '%' ||
                    value.p[value.n - 1] == 's' || value.p[value.n - 1] == 'Z';

    for (size_t i = 0; has_unit && i < ARRAY_LEN(units); i++)
        if (str_ends(name, str_from(units[i])))
            name.n -= strlen(units[i]);
    for (size_t i = 0; i < name.n; i++)
        buf_add_c(out, name.p[i] == '_' ? ' ' : name.p[i]);
}

static struct str cell_text(const struct table_cell *c)
{
    return c->type == CELL_NULL ? (struct str){0} : c->shown.p ? c->shown : c->raw;
}

/* "checkout-api: invocations 12, failed 3": cells that say nothing are left out. */
static void add_row(struct buf *out, const struct table *t, size_t row)
{
    const struct table_cell *cells = &t->cells[row * t->n_columns];
    bool is_first = true;

    add_safe(out, str_trim(cell_text(&cells[0])));
    for (size_t c = 1; c < t->n_columns; c++) {
        struct str text = str_trim(cell_text(&cells[c]));
        if (text.n == 0 || t->columns[c].is_hidden)
            continue;
        buf_add_z(out, is_first ? ": " : ", ");
        add_name(out, str_from(t->columns[c].name), text);
        buf_add_c(out, ' ');
        add_safe(out, text);
        is_first = false;
    }
}

static bool is_text(struct app *app)
{
    return view_table[app_place(app)->view]->is_text;
}

static size_t count_of(struct app *app, const struct table *t)
{
    return is_text(app) ? app->n_visual : t->n_rows;
}

static void say_row(struct app *app, const struct table *t, size_t row, struct buf *out)
{
    if (is_text(app)) {
        add_safe(out, app->visual[row].text);
    } else {
        buf_addf(out, "%zu. ", row + 1);
        add_row(out, t, row);
    }
    buf_add_c(out, '\n');
}

static void say_where(struct app *app, size_t from, size_t until, size_t n, struct buf *out)
{
    size_t at = app_place(app)->selected;

    buf_addf(out, "%zu to %zu of %zu%s", from + 1, until, n, app->data.is_more ? " and more" : "");
    if (!is_text(app) && at != from)
        buf_addf(out, ", at %zu", at + 1);
    buf_addf(out, "%s\n", until < n ? "; <PgDn> goes on" : "");
}

/* From the row at hand on; at the end the last page whole. */
static void say_page(struct app *app, struct buf *out)
{
    const char *empty = view_table[app_place(app)->view]->empty;
    struct table t;

    app_shown_table(app, &t);
    size_t n = count_of(app, &t), from = app_place(app)->selected;
    if (n == 0) {
        buf_addf(out, "%s\n",
                 empty && app->filter_n == 0 ? empty : "no rows: / ! and t choose which");
        return;
    }
    from = from + PAGE <= n ? from : n > PAGE ? n - PAGE : 0;
    size_t until = from + PAGE < n ? from + PAGE : n;
    for (size_t i = from; i < until; i++)
        say_row(app, &t, i, out);
    if (n > PAGE)
        say_where(app, from, until, n, out);
}

/* --- the whole view --- */

static void say_tiles(const struct app *app, struct buf *out)
{
    AUTO(arena_clear) struct arena a = {0};
    struct tile tiles[OVERVIEW_TILES];

    view_tiles(app, &a, tiles);
    for (size_t i = 0; i < ARRAY_LEN(tiles); i++)
        buf_addf(out, "%s%s " STR_FMT, i > 0 ? ", " : "", tiles[i].label,
                 STR_ARG(str_trim(tiles[i].value)));
    buf_add_c(out, '\n');
}

/* What stands above the table, without its charts. */
static void add_top(const struct app *app, struct buf *out)
{
    const struct view_ops *ops = view_table[app->stack[app->depth - 1].view];
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf text = {.max = 1u << 16};
    struct app bare = *app;
    struct frame f = {.is_ascii = true};
    unsigned used = 0;

    if (!ops->draw_top || !app->has_data)
        return;
    frame_init(&f, &a, UNSEEN_WIDTH * 2, UNSEEN_HEIGHT + 6);
    bare.no_strip = true;
    ops->draw_top(&bare, &f, 0, &used);
    frame_print(&f, &text);
    struct str rest = buf_str(&text);
    unsigned skip = ops->draw_top == view_draw_overview ? 2 : 0; /* the tiles are said as words */
    for (unsigned i = 0; i < used && rest.n > 0; i++) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        while (line.n > 0 && line.p[line.n - 1] == '#')
            line.n--;
        if (i >= skip && line.n > 0)
            buf_addf(out, STR_FMT "\n", STR_ARG(str_trim(line)));
    }
}

static void say_view(struct app *app, struct buf *out)
{
    AUTO(buf_clear) struct buf where = {.max = 1024};
    AUTO(buf_clear) struct buf when = {.max = 1024};

    view_title(app, true, &where, &when);
    buf_addf(out, "\n%s; %s\n", where.p, when.p);
    if (!app->has_data)
        return;
    if (view_table[app_place(app)->view]->draw_top == view_draw_overview)
        say_tiles(app, out);
    add_top(app, out);
    say_page(app, out);
}

/* --- what was said, to tell what changed --- */

static void remember_problems(struct speaker *s)
{
    AUTO(buf_clear) struct buf top = {.max = 1u << 16};
    size_t cap = 0;

    s->problems = NULL;
    s->n_problems = 0;
    add_top(&s->app, &top);
    for (struct str rest = buf_str(&top); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("x ")))
            continue;
        s->problems = arena_grow(&s->arena, s->problems, s->n_problems, &cap, sizeof(struct str));
        s->problems[s->n_problems++] = arena_str(&s->arena, line);
    }
}

static void remember(struct speaker *s)
{
    struct table t;

    arena_reset(&s->arena);
    s->rows = NULL;
    s->n = 0;
    remember_problems(s);
    if (!s->app.has_data || is_text(&s->app))
        return;
    app_shown_table(&s->app, &t);
    s->rows = arena_new(&s->arena, struct said_row, t.n_rows + 1);
    for (size_t i = 0; i < t.n_rows; i++) {
        AUTO(buf_clear) struct buf text = {.max = 1u << 20};
        bool has_key = t.n_rows == s->app.n_shown;
        add_row(&text, &t, i);
        s->rows[s->n++] = (struct said_row){
            arena_str(&s->arena, has_key ? app_row_key(&s->app, s->app.order[i]) : t.cells[i].raw),
            arena_str(&s->arena, buf_str(&text))};
    }
}

/* "new", "now", or NULL where the row was said as it is. */
static const char *change_of(const struct said_row *row, const struct said_row *old, size_t n)
{
    const char *change = "new";

    for (size_t i = 0; i < n; i++) {
        if (!str_eq(row->key, old[i].key))
            continue;
        if (str_eq(row->text, old[i].text))
            return NULL;
        change = "now";
    }
    return change;
}

static void say_problems(const struct speaker *s, const struct speaker *old, struct buf *out)
{
    for (size_t i = 0; i < s->n_problems; i++) {
        bool is_new = true;
        for (size_t k = 0; k < old->n_problems; k++)
            is_new &= !str_eq(s->problems[i], old->problems[k]);
        if (is_new)
            buf_addf(out, STR_FMT "\n", STR_ARG(s->problems[i]));
    }
}

static void say_changes(const struct speaker *s, const struct speaker *old, struct buf *out)
{
    size_t said = 0, more = 0;

    say_problems(s, old, out);
    for (size_t i = 0; i < s->n; i++) {
        const char *change = change_of(&s->rows[i], old->rows, old->n);
        if (!change)
            continue;
        more += said == MOST_CHANGES;
        if (said < MOST_CHANGES) {
            buf_addf(out, "%s: " STR_FMT "\n", change, STR_ARG(s->rows[i].text));
            said++;
        }
    }
    if (more > 0)
        buf_addf(out, "and %zu more row%s changed\n", more, plural(more, "", "s"));
}

/* --- keys --- */

/* All that makes another view of it; the row at hand is not in it. */
enum { VIEW_PARTS = 16 };
struct view_state {
    int64_t parts[VIEW_PARTS];
};

static struct view_state state_of(struct app *app)
{
    const struct place *p = app_place(app);

    return (struct view_state){
        {(int64_t)app->depth, (int64_t)app->n_shown, (int64_t)app->filter_n,
         (int64_t)app->log_pattern_n, (int64_t)app->n_tags, (int64_t)p->view, (int64_t)p->display,
         (int64_t)app->unit, p->sort_column, p->is_inverted, app->only_problems, app->is_paused,
         (int64_t)app->zone, app->range.since_ns, app->range.until_ns, app->span_ns}};
}

static bool is_same_view(const struct view_state *a, const struct view_state *b)
{
    return memcmp(a->parts, b->parts, sizeof(a->parts)) == 0;
}

static void press(struct app *app, uint32_t key)
{
    app_key(app, key);
    if (app->must_load)
        app_load(app);
    app_draw(app, UNSEEN_WIDTH, UNSEEN_HEIGHT);
}

static void press_all(struct app *app, struct str keys)
{
    bool has_typed = keys.n == 0;

    if (keys.n == 0)
        press(app, TK_ENTER);
    while (keys.n > 0) {
        bool was_open = app->prompt.kind != PROMPT_NONE;
        uint32_t key = key_parse(&keys);
        if (key == 0) {
            app->message = STR("there is no key of that name: ? lists them; a < itself is <lt>");
            return;
        }
        has_typed |= was_open;
        press(app, key);
    }
    if (app->prompt.kind != PROMPT_NONE && has_typed)
        press(app, TK_ENTER);
}

/* Where the key led within the view: a row, or a page when it went further. */
static void say_move(struct app *app, size_t was, struct buf *out)
{
    size_t at = app_place(app)->selected;
    struct table t;

    if (is_text(app) || at > was + 1 || was > at + 1) {
        say_page(app, out);
        return;
    }
    app_shown_table(app, &t);
    if (at < t.n_rows)
        say_row(app, &t, at, out);
}

void speaker_line(struct speaker *s, struct str keys, struct buf *out)
{
    struct app *app = &s->app;
    struct view_state before = state_of(app);
    size_t was = app_place(app)->selected;
    struct str id = app_place(app)->id;

    press_all(app, keys);
    struct view_state after = state_of(app);
    if (app->must_quit)
        return;
    if (app->error.code != OK)
        buf_addf(out, "! %s\n", app->error.msg);
    if (app->picker.kind != PICK_NONE)
        picker_print(app, out);
    else if (app->prompt.kind != PROMPT_NONE)
        buf_add_z(out, "type the text, then Enter; <Esc> leaves\n");
    else if (!is_same_view(&before, &after) || !str_eq(id, app_place(app)->id) || app->must_repaint)
        say_view(app, out);
    else if (app->message.n == 0 || app_place(app)->selected != was)
        say_move(app, was, out);
    if (app->message.n > 0)
        buf_addf(out, STR_FMT "\n", STR_ARG(app->message));
    app->must_repaint = app->must_suspend = false;
    remember(s);
}

void speaker_look(struct speaker *s, int64_t now_ns, struct buf *out)
{
    struct err was = s->app.error;

    if (!app_is_stale(&s->app, now_ns))
        return;
    struct speaker old = *s;
    s->arena = (struct arena){0};
    app_load(&s->app);
    app_draw(&s->app, UNSEEN_WIDTH, UNSEEN_HEIGHT);
    remember(s);
    if (s->app.error.code != OK && strcmp(s->app.error.msg, was.msg) != 0)
        buf_addf(out, "! %s\n", s->app.error.msg);
    say_changes(s, &old, out);
    arena_clear(&old.arena);
}

/* --- from beginning to end --- */

void speaker_open(struct speaker *s, const struct tui_options *o)
{
    *s = (struct speaker){0};
    app_init(&s->app, o);
    s->app.frame.is_ascii = s->app.is_spoken = true;
    s->app.frame.width = UNSEEN_WIDTH;
    app_load(&s->app);
    app_draw(&s->app, UNSEEN_WIDTH, UNSEEN_HEIGHT);
    remember(s);
}

void speaker_say(struct speaker *s, struct buf *out)
{
    buf_add_z(out, "Type keys, then Enter; ? lists them, an empty line opens the row, q leaves.\n");
    if (s->app.error.code != OK)
        buf_addf(out, "! %s\n", s->app.error.msg);
    say_view(&s->app, out);
}

void speaker_close(struct speaker *s)
{
    app_clear(&s->app);
    arena_clear(&s->arena);
}
