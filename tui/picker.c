/* The list that opens over a view: to choose a column to sort by, columns to show, a time range, a
 * breakdown, accounts, regions, settings. One widget; what it lists and what a choice does stand in
 * a table. */
#include <stdlib.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "core/base/utf8.h"
#include "tui/act.h"

struct pick_ops {
    const char *title;
    uint32_t again; /* the key that opened it goes one further */
    bool is_multi;
    void (*fill)(struct app *app, struct picker *p);
    void (*accept)(struct app *app, struct picker *p);
};

static struct pick_item *add(struct picker *p, struct str text, int value)
{
    if (p->n == MAX_PICKS)
        return &p->items[MAX_PICKS - 1];
    p->items[p->n] = (struct pick_item){.text = text, .value = value};
    return &p->items[p->n++];
}

static bool has_columns(const struct app *app)
{
    const struct place *p = &app->stack[app->depth - 1];

    return app->has_data && !view_table[p->view]->is_text && app->data.table.n_columns > 0;
}

/* --- sort --- */

static void fill_sort(struct app *app, struct picker *p)
{
    const struct place *place = app_place(app);

    if (!has_columns(app) || place->view == VIEW_LOG)
        return;
    for (size_t i = 0; i < app->data.table.n_columns; i++) {
        if (app->data.table.columns[i].is_hidden)
            continue;
        struct pick_item *item = add(p, str_from(app->data.table.columns[i].title), (int)i);
        item->is_chosen = place->sort_column == (int)i;
        p->at = item->is_chosen ? p->n - 1 : p->at;
    }
}

static void accept_sort(struct app *app, struct picker *p)
{
    act_sort_by(app, p->items[p->at].value);
}

/* --- time range --- */

enum { RANGE_ALL = -1, RANGE_FROM_TO = -2 };

static void fill_range(struct app *app, struct picker *p)
{
    static const struct {
        const char *text;
        int minutes;
    } spans[] = {
        {"5 minutes", 5},   {"15 minutes", 15},          {"1 hour", 60},
        {"6 hours", 360},   {"24 hours", 1440},          {"7 days", 7 * 1440},
        {"30 days", 43200}, {"all there is", RANGE_ALL}, {"from ... to ...", RANGE_FROM_TO}};

    for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
        struct pick_item *item = add(p, str_from(spans[i].text), spans[i].minutes);
        item->is_chosen = spans[i].minutes > 0 && spans[i].minutes * NS_PER_MIN == app->span_ns;
        p->at = item->is_chosen ? i : p->at;
    }
}

static void whole_store(struct app *app)
{
    AUTO(arena_clear) struct arena a = {0};
    struct ingest_status st;

    if (request_status(app->options->store, &a, &st, NULL) == OK && st.last_ns > 0)
        app_set_range(app, (struct range){st.first_ns, st.last_ns + 1});
}

/* A range of the past keeps its end. */
static void accept_range(struct app *app, struct picker *p)
{
    int minutes = p->items[p->at].value;
    int64_t span = minutes * NS_PER_MIN, end = app->range.until_ns;

    if (minutes == RANGE_ALL) {
        whole_store(app);
    } else if (minutes == RANGE_FROM_TO) {
        prompt_begin(app, PROMPT_COMMAND, STR("range "));
    } else {
        bool is_newest = app->is_newest;
        app_set_range(app, end == 0 ? (struct range){0, 0} : (struct range){end - span, end});
        app->span_ns = span;
        app->is_newest = is_newest;
    }
}

/* --- columns --- */

static void fill_columns(struct app *app, struct picker *p)
{
    uint32_t hidden = app->hidden[app_place(app)->view];

    if (!has_columns(app))
        return;
    for (size_t i = 0; i < app->data.table.n_columns; i++)
        if (!app->data.table.columns[i].is_hidden)
            add(p, str_from(app->data.table.columns[i].title), (int)i)->is_chosen =
                (hidden >> i & 1) == 0;
}

static void accept_columns(struct app *app, struct picker *p)
{
    uint32_t *hidden = &app->hidden[app_place(app)->view];
    size_t shown = 0;

    for (size_t i = 0; i < p->n; i++)
        shown += p->items[i].is_chosen;
    *hidden = 0;
    if (shown == 0) {
        app->message = STR("a table without columns shows nothing: all are back");
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        *hidden |= p->items[i].is_chosen ? 0 : 1u << p->items[i].value;
}

/* --- breakdown --- */

static void fill_breakdown(struct app *app, struct picker *p)
{
    const struct place *place = app_place(app);

    for (int i = 0; breakdown_names[i]; i++) {
        struct str name = str_from(breakdown_names[i]);
        add(p, name, i);
        if (place->view == VIEW_BREAKDOWN && str_eq(name, place->id))
            p->at = (size_t)i;
    }
}

static void accept_breakdown(struct app *app, struct picker *p)
{
    const struct row_ref *ref = app_selected(app);
    struct place *here = app_place(app);
    bool is_row = ref && ref->fn_id != 0;
    struct place to = {.view = VIEW_BREAKDOWN,
                       .fn_id = is_row ? ref->fn_id : here->fn_id,
                       .fn_name =
                           is_row ? arena_str(&app->text_arena, ref->fn_name) : here->fn_name,
                       .id = p->items[p->at].text};

    if (here->view == VIEW_BREAKDOWN) {
        app_remember(app);
        here->id = to.id;
        app_reload(app);
    } else {
        app_push(app, &to);
    }
}

/* --- accounts and regions --- */

static struct str *filter_of(struct app *app, enum pick_kind kind)
{
    return kind == PICK_ACCOUNTS ? &app->fn_filter.account : &app->fn_filter.region;
}

static int compare_items(const void *a, const void *b)
{
    const struct pick_item *x = a, *y = b;

    return str_cmp(x->text, y->text);
}

static bool is_listed(const struct picker *p, struct str text)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->items[i].text, text))
            return true;
    return false;
}

static bool is_in_force(struct str list, struct str text)
{
    if (list.n == 0)
        return true;
    while (list.n > 0)
        if (str_eq(str_cut(&list, ','), text))
            return true;
    return false;
}

static void fill_places(struct app *app, struct picker *p)
{
    AUTO(arena_clear) struct arena a = {0};
    struct fn_ref *known;
    size_t n = 0;

    if (request_known_fns(app->options->store, &a, &known, &n, &app->error) != OK)
        return;
    for (size_t i = 0; i < n && p->n < MAX_PICKS; i++) {
        struct str name = p->kind == PICK_ACCOUNTS ? known[i].account : known[i].region;
        if (name.n > 0 && !is_listed(p, name))
            add(p, arena_str(&app->text_arena, name), 0)->is_chosen =
                is_in_force(*filter_of(app, p->kind), name);
    }
    qsort(p->items, p->n, sizeof(p->items[0]), compare_items);
}

static void accept_places(struct app *app, struct picker *p)
{
    AUTO(buf_clear) struct buf list = {.max = 1u << 16};
    size_t chosen = 0;

    for (size_t i = 0; i < p->n; i++) {
        if (!p->items[i].is_chosen)
            continue;
        if (chosen++ > 0)
            buf_add_c(&list, ',');
        buf_add_str(&list, p->items[i].text);
    }
    bool is_all = chosen == 0 || chosen == p->n;
    *filter_of(app, p->kind) =
        is_all ? (struct str){0} : arena_str(&app->text_arena, buf_str(&list));
    app_reload(app);
}

/* --- setup --- */

enum { GROUP_THEME = 1, GROUP_UNIT, GROUP_ZONE };
enum { SET_STRIP = 100, SET_ASCII, SET_MOUSE };

static void fill_setup(struct app *app, struct picker *p)
{
    static const char *const units[UNITS] = {"cost in total", "cost per million",
                                             "cost as a share"};
    static const char *const zones[ZONES] = {"times in UTC", "times in local time",
                                             "times as ages"};

    add(p, STR("strips over time"), SET_STRIP)->is_chosen = !app->no_strip;
    add(p, STR("ASCII charts"), SET_ASCII)->is_chosen = app->frame.is_ascii;
    add(p, STR("mouse"), SET_MOUSE)->is_chosen = app->has_mouse;
    for (int i = 0; i < ZONES; i++) {
        struct pick_item *item = add(p, str_from(zones[i]), i);
        item->group = GROUP_ZONE;
        item->is_chosen = app->zone == (enum tui_zone)i;
    }
    for (int i = 0; i < UNITS; i++) {
        struct pick_item *item = add(p, str_from(units[i]), i);
        item->group = GROUP_UNIT;
        item->is_chosen = app->unit == (enum cost_unit)i;
    }
    for (int i = 0; i < THEMES; i++) {
        struct pick_item *item =
            add(p, arena_printf(&app->text_arena, "theme %s", tui_theme_names[i]), i);
        item->group = GROUP_THEME;
        item->is_chosen = app->theme == (enum tui_theme)i;
    }
}

static void accept_setup(struct app *app, struct picker *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct pick_item *item = &p->items[i];
        if (item->group == GROUP_THEME && item->is_chosen)
            app->theme = (enum tui_theme)item->value;
        else if (item->group == GROUP_UNIT && item->is_chosen)
            app->unit = (enum cost_unit)item->value;
        else if (item->group == GROUP_ZONE && item->is_chosen)
            app->zone = (enum tui_zone)item->value;
        else if (item->value == SET_STRIP)
            app->no_strip = !item->is_chosen;
        else if (item->value == SET_ASCII)
            app->frame.is_ascii = item->is_chosen;
        else if (item->value == SET_MOUSE)
            app->has_mouse = item->is_chosen;
    }
    app->must_load = true;
}

/* --- the widget --- */

static const struct pick_ops pick_table[PICK_KINDS] = {
    [PICK_SORT] = {"sort by", 's', false, fill_sort, accept_sort},
    [PICK_RANGE] = {"time range", 't', false, fill_range, accept_range},
    [PICK_COLUMNS] = {"columns", 'c', true, fill_columns, accept_columns},
    [PICK_BREAKDOWN] = {"break down by", 'b', false, fill_breakdown, accept_breakdown},
    [PICK_ACCOUNTS] = {"accounts", 'P', true, fill_places, accept_places},
    [PICK_REGIONS] = {"regions", 'R', true, fill_places, accept_places},
    [PICK_SETUP] = {"setup", TK_F2, true, fill_setup, accept_setup},
};

void picker_open(struct app *app, enum pick_kind kind)
{
    struct picker *p = &app->picker;

    *p = (struct picker){.kind = kind};
    pick_table[kind].fill(app, p);
    if (p->n > 0)
        return;
    p->kind = PICK_NONE;
    app->message = kind == PICK_ACCOUNTS || kind == PICK_REGIONS
                       ? STR("the store names none")
                       : STR("this view has its own order and columns");
}

static void toggle(struct picker *p)
{
    struct pick_item *item = &p->items[p->at];

    if (item->group == 0) {
        item->is_chosen = !item->is_chosen;
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].group == item->group)
            p->items[i].is_chosen = i == p->at;
}

static void choose_all(struct picker *p)
{
    bool is_any = false;

    for (size_t i = 0; i < p->n; i++)
        is_any |= p->items[i].group == 0 && p->items[i].is_chosen;
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].group == 0)
            p->items[i].is_chosen = !is_any;
}

static void accept(struct app *app)
{
    struct picker chosen = app->picker;

    app->picker.kind = PICK_NONE;
    pick_table[chosen.kind].accept(app, &chosen);
}

/* Where a key moves to; the place itself: it does not move. */
static size_t moved(const struct picker *p, uint32_t key)
{
    if (key == TK_UP || key == 'k')
        return p->at > 0 ? p->at - 1 : p->n - 1;
    if (key == TK_DOWN || key == 'j' || key == pick_table[p->kind].again)
        return p->at + 1 < p->n ? p->at + 1 : 0;
    if (key == TK_HOME || key == 'g')
        return 0;
    return key == TK_END || key == 'G' ? p->n - 1 : p->at;
}

void picker_key(struct app *app, uint32_t key)
{
    struct picker *p = &app->picker;
    bool is_multi = pick_table[p->kind].is_multi;

    if (key == TK_ENTER)
        accept(app);
    else if (key == TK_ESCAPE || key == TK_LEFT || key == 'q' || key == 3 /* ^C */)
        p->kind = PICK_NONE;
    else if (key == ' ' && is_multi)
        toggle(p);
    else if (key == 'a' && is_multi)
        choose_all(p);
    else
        p->at = moved(p, key);
}

/* --- drawing --- */

struct box {
    unsigned x, y, width, rows;
};

static void border(struct frame *f, const struct box *b, struct str title)
{
    AUTO(buf_clear) struct buf top = {.max = 4096};
    AUTO(buf_clear) struct buf bottom = {.max = 4096};
    bool is_ascii = f->is_ascii;

    buf_add_z(&top, is_ascii ? "+" : "┌");
    buf_add_z(&bottom, is_ascii ? "+" : "└");
    for (unsigned i = 2; i < b->width; i++) {
        buf_add_z(&top, is_ascii ? "-" : "─");
        buf_add_z(&bottom, is_ascii ? "-" : "─");
    }
    buf_add_z(&top, is_ascii ? "+" : "┐");
    buf_add_z(&bottom, is_ascii ? "+" : "┘");
    frame_text(f, b->x, b->y, b->width, buf_str(&top), STYLE_ACCENT);
    frame_text(f, b->x, b->y + b->rows + 1, b->width, buf_str(&bottom), STYLE_ACCENT);
    frame_text(f, b->x + 2, b->y, b->width - 3, title, STYLE_BOLD);
    for (unsigned i = 1; i <= b->rows; i++) {
        frame_text(f, b->x, b->y + i, 1, is_ascii ? STR("|") : STR("│"), STYLE_ACCENT);
        for (unsigned k = 1; k + 1 < b->width; k++)
            frame_text(f, b->x + k, b->y + i, 1, STR(" "), STYLE_PLAIN);
        frame_text(f, b->x + b->width - 1, b->y + i, 1, is_ascii ? STR("|") : STR("│"),
                   STYLE_ACCENT);
    }
}

static const char *sign_of(const struct pick_ops *ops, const struct pick_item *item)
{
    if (!ops->is_multi)
        return item->is_chosen ? "* " : "  ";
    if (item->group > 0)
        return item->is_chosen ? "(*) " : "( ) ";
    return item->is_chosen ? "[x] " : "[ ] ";
}

static const char *picker_hint(const struct pick_ops *ops)
{
    return ops->is_multi ? "Space changes  a all or none  Enter takes  Esc leaves"
                         : "Up Down move  Enter takes  Esc leaves";
}

void picker_print(const struct app *app, struct buf *out)
{
    const struct picker *p = &app->picker;
    const struct pick_ops *ops = &pick_table[p->kind];

    buf_addf(out, "%s  (%s)\n", ops->title, picker_hint(ops));
    for (size_t i = 0; i < p->n; i++)
        buf_addf(out, "%s%s" STR_FMT "\n", i == p->at ? "> " : "  ", sign_of(ops, &p->items[i]),
                 STR_ARG(p->items[i].text));
}

void picker_draw(const struct app *app, struct frame *f)
{
    const struct picker *p = &app->picker;
    const struct pick_ops *ops = &pick_table[p->kind];
    struct box b = {.rows = f->height - 4, .width = (unsigned)strlen(ops->title) + 6};

    for (size_t i = 0; i < p->n; i++) {
        unsigned w = (unsigned)utf8_width(p->items[i].text) + 9;
        b.width = w > b.width ? w : b.width;
    }
    b.rows = p->n < b.rows ? (unsigned)p->n : b.rows;
    b.width = b.width > f->width - 4 ? f->width - 4 : b.width;
    b.x = (f->width - b.width) / 2;
    b.y = (f->height - b.rows - 2) / 2;
    AUTO(buf_clear) struct buf title = {.max = 64};
    buf_addf(&title, " %s ", ops->title);
    border(f, &b, buf_str(&title));
    size_t first = p->at >= b.rows ? p->at - b.rows + 1 : 0;
    for (unsigned i = 0; i < b.rows; i++) {
        const struct pick_item *item = &p->items[first + i];
        enum style style = first + i == p->at ? STYLE_SELECTED : STYLE_PLAIN;
        AUTO(buf_clear) struct buf line = {.max = 1024};
        buf_addf(&line, " %s" STR_FMT, sign_of(ops, item), STR_ARG(item->text));
        while (utf8_width(buf_str(&line)) < b.width - 2)
            buf_add_c(&line, ' ');
        frame_text(f, b.x + 1, b.y + 1 + i, b.width - 2, buf_str(&line), style);
    }
    frame_fill(f, f->height - 1, STYLE_PLAIN);
    frame_z(f, 1, f->height - 1, picker_hint(ops), STYLE_ACCENT);
}
