/* The line at the bottom that takes text: filter and search, commands, SQL, the name of an export.
 */
#include <string.h>

#include "analyzer/alerts/alerts.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"
#include "tui/view.h"

#define CONTROL(c) ((uint32_t)(c)&0x1F)

static struct str prompt_text(const struct app *app)
{
    return (struct str){app->prompt.text, app->prompt.n};
}

static void say(struct app *app, struct str text)
{
    app->message = text;
}

static struct str kept(struct app *app, struct str text)
{
    return arena_str(&app->text_arena, text);
}

void prompt_begin(struct app *app, enum prompt_kind kind, struct str text)
{
    app->prompt = (struct prompt){.kind = kind};
    app->prompt.n = text.n < sizeof(app->prompt.text) ? text.n : 0;
    if (app->prompt.n > 0)
        memcpy(app->prompt.text, text.p, text.n);
    app->prompt.is_untouched = kind == PROMPT_FILTER && app->prompt.n > 0;
}

void prompt_open(struct app *app, enum prompt_kind kind)
{
    struct str begin =
        kind == PROMPT_FILTER ? (struct str){app->filter, app->filter_n} : (struct str){0};

    if (kind == PROMPT_EXPORT)
        begin = arena_printf(&app->text_arena, "fnscope-%s.csv",
                             view_table[app_place(app)->view]->name);
    prompt_begin(app, kind, begin);
}

/* --- commands --- */

struct palette_entry {
    const char *name, *word, *help;
    void (*run)(struct app *app, struct str word);
};

static void run_function(struct app *app, struct str word)
{
    struct place p = {.view = VIEW_INVOCATIONS};
    AUTO(arena_clear) struct arena a = {0};
    struct fn_rows all;

    if (request_functions(app->options->store, app_range(app), &app->fn_filter, &a, &all,
                          &app->error) != OK)
        return;
    for (size_t pass = 0; pass < 3 && p.fn_id == 0; pass++)
        for (size_t i = 0; i < all.n && p.fn_id == 0; i++) {
            struct str name = all.rows[i].fn.name;
            if (pass == 0   ? str_eq(name, word)
                : pass == 1 ? str_starts(name, word)
                            : str_find(name, word) < name.n) {
                p.fn_id = all.rows[i].fn_id;
                p.fn_name = kept(app, name);
            }
        }
    if (p.fn_id == 0)
        say(app, STR("no function of the range has a name like that"));
    else
        app_push(app, &p);
}

static void run_id(struct app *app, struct str word)
{
    struct place p = {.view = VIEW_INVOCATION, .id = kept(app, word)};

    app_push(app, &p);
}

static void run_at(struct app *app, struct str word)
{
    int64_t t_ns, span = app->span_ns > 0 ? app->span_ns : NS_PER_DAY;
    struct err e = {0};

    if (view_time_parse(app, word, &t_ns, &e) != OK) {
        say(app, kept(app, str_from(e.msg)));
        return;
    }
    app_set_range(app, (struct range){t_ns - span / 2, t_ns + span / 2});
}

/* "2h", "2026-01-15", "2026-01-15 12:00 to 13:00". */
static void run_range(struct app *app, struct str word)
{
    int64_t span = 0;
    size_t to = str_find(word, STR(" to "));
    struct str from = str_trim(str_sub(word, 0, to)), until = str_trim(str_skip(word, to + 4));
    struct err e = {0};
    struct range r;

    if (to == word.n && duration_parse(from, &span, NULL) == OK && span > 0) {
        app->span_ns = span;
        app_set_range(app, (struct range){0, 0});
        return;
    }
    if (view_time_parse(app, from, &r.since_ns, &e) != OK) {
        say(app, kept(app, str_from(e.msg)));
        return;
    }
    r.until_ns = view_day_after(app, r.since_ns);
    if (until.n == 5 && from.n >= 10) /* a time of the same day */
        until = arena_printf(&app->text_arena, "%.10s " STR_FMT, from.p, STR_ARG(until));
    if (until.n > 0 && view_time_parse(app, until, &r.until_ns, &e) != OK) {
        say(app, kept(app, str_from(e.msg)));
        return;
    }
    if (r.until_ns <= r.since_ns)
        say(app, STR("the range ends before it begins"));
    else
        app_set_range(app, r);
}

static void run_sql(struct app *app, struct str word)
{
    struct place p = {.view = VIEW_SQL, .id = kept(app, word)};

    if (word.n > 0)
        app_push(app, &p);
}

static const struct {
    const char *ending;
    enum table_format format;
} endings[] = {{".csv", TABLE_CSV},     {".json", TABLE_JSON}, {".ndjson", TABLE_NDJSON},
               {".md", TABLE_MARKDOWN}, {".tsv", TABLE_TSV},   {".txt", TABLE_TEXT}};

static void run_export(struct app *app, struct str word)
{
    AUTO(buf_clear) struct buf out = {.max = (size_t)64 << 20};
    struct table t;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (!str_ends(word, str_from(endings[i].ending)))
            continue;
        app_shown_table(app, &t);
        table_print(&t, endings[i].format, true, &out);
        enum status s = file_write(arena_strz(&app->text_arena, word), buf_str(&out), 0644, &e);
        say(app, s == OK ? arena_printf(&app->text_arena, "wrote %zu %s to " STR_FMT "%s", t.n_rows,
                                        plural(t.n_rows, "row", "rows"), STR_ARG(word),
                                        app->data.is_more ? "; there are more than are loaded" : "")
                         : kept(app, str_from(e.msg)));
        return;
    }
    say(app, STR("the name says the format: .csv .json .ndjson .md .tsv .txt"));
}

/* --- orders about alerts --- */

static void order(struct app *app, struct str text)
{
    const struct tui_options *o = app->options;
    AUTO(buf_clear) struct buf reply = {.max = 4096};
    struct err e = {0};

    if (!o->alert_order) {
        say(app, STR("nothing may be changed from here: `fnscope alert` does"));
        return;
    }
    if (o->alert_order(o->alert_ctx, text, &reply, &e) != OK)
        buf_add_z(&reply, e.msg);
    say(app, kept(app, str_trim(buf_str(&reply))));
    app->must_load = true;
}

static void run_ack(struct app *app, struct str word)
{
    order(app, arena_printf(&app->text_arena, "alert ack\n" STR_FMT "\n%s", STR_ARG(word),
                            app->options->user ? app->options->user : ""));
}

/* "KEY 2h": the alert's own rule and subject are muted. */
static void run_silence(struct app *app, struct str word)
{
    const struct tui_options *o = app->options;
    struct str span = word, key = str_cut(&span, ' ');
    struct alert_request q = {.state_mask = UINT32_MAX, .key = key};
    AUTO(arena_clear) struct arena a = {0};
    struct alert_rows rows;
    int64_t ns = 0;

    if (key.n < 4 || duration_parse(str_trim(span), &ns, NULL) != OK || ns <= 0) {
        say(app, STR("silence KEY 2h"));
        return;
    }
    if (request_alerts(o->store, &q, &a, &rows, &app->error) != OK)
        return;
    if (rows.n != 1) {
        say(app, rows.n == 0 ? STR("there is no alert of that key")
                             : STR("several alerts begin so: more digits"));
        return;
    }
    struct silence s = alert_silence(&a, &rows.rows[0]);
    s.until_ns = clock_now(&o->clock) + ns;
    s.by = str_from(o->user ? o->user : "");
    s.comment = STR("from the dashboard");
    order(app, alert_silence_order(&app->text_arena, &s));
}

static void run_diff(struct app *app, struct str word)
{
    const struct place *here = app_place(app);
    struct str b = word, a = str_cut(&b, ' ');
    struct place p = {.view = VIEW_COMPARE};

    b = str_trim(b);
    if (here->fn_id == 0 || a.n == 0 || b.n == 0) {
        say(app, STR("diff VERSION VERSION, in the view of a function"));
        return;
    }
    app->mark = (struct subject_mark){true,           here->fn_id,  here->fn_name,
                                      STR("version"), kept(app, a), app_range(app)};
    app->other = app->mark;
    app->other.group = kept(app, b);
    app_push(app, &p);
}

static void run_theme(struct app *app, struct str word)
{
    for (int i = 0; i < THEMES; i++)
        if (str_eq(word, str_from(tui_theme_names[i]))) {
            app->theme = (enum tui_theme)i;
            return;
        }
    say(app, STR("theme default, colour-blind, contrast or mono"));
}

static void run_quit(struct app *app, struct str word)
{
    UNUSED(word);
    app->must_quit = true;
}

static const struct palette_entry palette[] = {
    {"fn", "NAME", "the invocations of a function; a part of its name does", run_function},
    {"id", "REQUEST-ID", "one request; the start of its id does", run_id},
    {"at", "TIME", "the range around a time: 2026-01-15 12:30", run_at},
    {"range", "2h | FROM to UNTIL", "the time range", run_range},
    {"sql", "STATEMENT", "read-only SQL, also ;", run_sql},
    {"export", "FILE", "the rows shown into a file, also x", run_export},
    {"diff", "VERSION VERSION", "compare two versions of the function", run_diff},
    {"ack", "KEY", "acknowledge an alert", run_ack},
    {"silence", "KEY 2h", "mute an alert's rule and subject for a time", run_silence},
    {"theme", "NAME", "default, colour-blind, contrast, mono", run_theme},
    {"quit", "", "leave", run_quit},
};

void prompt_help(struct view_data *d, struct arena *a)
{
    for (size_t i = 0; i < ARRAY_LEN(palette); i++)
        view_line_in(
            d, a, STYLE_PLAIN,
            arena_printf(a, "  %-7s %-20s %s", palette[i].name, palette[i].word, palette[i].help),
            31);
    view_line_in(d, a, STYLE_PLAIN,
                 STR("  overview incidents functions invocations errors traces coldstarts cost "
                     "queues alerts "
                     "episodes log sources help: the views; Tab completes"),
                 2);
}

/* The i-th name that can stand first in a command: palette, then views. NULL at the end. */
static const char *command_name(size_t i)
{
    return i < ARRAY_LEN(palette) ? palette[i].name : tui_view_names[i - ARRAY_LEN(palette)];
}

static enum view_id view_named(struct str name)
{
    for (int v = 0; v < VIEWS; v++)
        if (str_eq(str_from(view_table[v]->name), name))
            return (enum view_id)v;
    return VIEWS;
}

/* The start of a name is enough where it is the only one. */
static const char *only_match(struct str start)
{
    const char *found = NULL;

    for (size_t i = 0; command_name(i); i++) {
        struct str name = str_from(command_name(i));
        if (str_eq(name, start))
            return command_name(i);
        if (!str_starts(name, start))
            continue;
        if (found)
            return NULL;
        found = command_name(i);
    }
    return found;
}

static void run_command(struct app *app, struct str text)
{
    struct str word = str_trim(text), first = str_cut(&word, ' ');
    const char *name = first.n > 0 ? only_match(first) : NULL;

    if (first.n == 0)
        return;
    if (!name) {
        say(app, arena_printf(&app->text_arena, "\"" STR_FMT "\" is no command: ? lists them",
                              STR_ARG(first)));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(palette); i++)
        if (strcmp(name, palette[i].name) == 0) {
            palette[i].run(app, str_trim(word));
            return;
        }
    app_switch(app, view_named(str_from(name)));
}

static void complete(struct app *app)
{
    const char *name = only_match(prompt_text(app));

    if (app->prompt.kind != PROMPT_COMMAND || !name)
        return;
    app->prompt.n = strlen(name);
    memcpy(app->prompt.text, name, app->prompt.n);
    app->prompt.text[app->prompt.n++] = ' ';
}

/* --- keys --- */

static void set_filter(struct app *app)
{
    app->filter_n = app->prompt.n < sizeof(app->filter) ? app->prompt.n : sizeof(app->filter) - 1;
    memcpy(app->filter, app->prompt.text, app->filter_n);
    if (app->has_data)
        app_arrange(app);
}

/* Says what of a comparison cannot be understood: true. */
static bool check_comparison(struct app *app, struct str text)
{
    const struct view_ops *ops = view_table[app_place(app)->view];
    struct condition c;
    struct err e = {0};

    if (ops->is_text || ops->is_searched || !app->has_data)
        return false;
    const enum status s = condition_parse(text, &app->data.table, &c, &e);
    re_free(c.re);
    if (s != OK)
        app->message = arena_printf(&app->text_arena, "%s", e.msg);
    return s != OK || c.column >= 0;
}

/* What is no pattern is looked for as it stands, and that is said. */
static void check_filter(struct app *app, struct str text)
{
    struct re *re = NULL;
    struct err e = {0};

    if (check_comparison(app, text))
        return;
    if (str_starts(text, STR("!")))
        text = str_skip(text, 1);
    if (text.n > 0 && re_new(text, "i", &re, &e) != OK)
        app->message = arena_printf(&app->text_arena, "%s: taken as plain text", e.msg);
    re_free(re);
}

/* On a page the next match; in the log, where one is at the newest lines, the newest from here on
 * back. */
static void go_to_match(struct app *app)
{
    const struct view_ops *ops = view_table[app_place(app)->view];
    struct re *re = ops->is_searched && app->has_data ? app_filter_re(app) : NULL;

    if (ops->is_text)
        app_search(app, 1);
    else if (re && (app_place(app)->selected >= app->n_shown ||
                    !app_row_has(app, app_place(app)->selected, re)))
        app_search(app, -1);
    re_free(re);
}

static void accept(struct app *app)
{
    struct str text = kept(app, prompt_text(app));
    enum prompt_kind kind = app->prompt.kind;

    app->prompt.kind = PROMPT_NONE;
    if (kind == PROMPT_FILTER)
        go_to_match(app);
    if (kind == PROMPT_FILTER) {
        check_filter(app, text);
        app_ask_anew(app);
    }
    if (kind == PROMPT_COMMAND)
        run_command(app, text);
    if (kind == PROMPT_SQL)
        run_sql(app, str_trim(text));
    if (kind == PROMPT_EXPORT)
        run_export(app, str_trim(text));
}

static void cut_last(struct prompt *p)
{
    while (p->n > 0 && ((unsigned char)p->text[p->n - 1] & 0xC0) == 0x80)
        p->n--; /* the whole character, not its last byte */
    p->n -= p->n > 0;
}

static void cut_word(struct prompt *p)
{
    while (p->n > 0 && p->text[p->n - 1] == ' ')
        p->n--;
    while (p->n > 0 && p->text[p->n - 1] != ' ')
        p->n--;
}

static void edit(struct app *app, uint32_t key)
{
    struct prompt *p = &app->prompt;
    const bool is_text = key >= 0x20 && key <= 0xFF && key != 0x7F;

    if (p->is_untouched && is_text)
        p->n = 0;
    p->is_untouched = false;
    if (key == TK_BACKSPACE)
        cut_last(p);
    else if (key == CONTROL('u'))
        p->n = 0;
    else if (key == CONTROL('w'))
        cut_word(p);
    else if (key == TK_TAB)
        complete(app);
    else if (is_text && p->n + 1 < sizeof(p->text))
        p->text[p->n++] = (char)key;
}

void prompt_key(struct app *app, uint32_t key)
{
    struct prompt *p = &app->prompt;

    if (key == TK_ENTER) {
        accept(app);
        return;
    }
    if (key == TK_ESCAPE || key == CONTROL('c')) {
        p->n = p->kind == PROMPT_FILTER ? 0 : p->n;
        if (p->kind == PROMPT_FILTER) {
            set_filter(app);
            app_ask_anew(app);
        }
        p->kind = PROMPT_NONE;
        return;
    }
    edit(app, key);
    if (p->kind == PROMPT_FILTER)
        set_filter(app);
}

void prompt_draw(const struct app *app, struct frame *f)
{
    static const char *const signs[] = {[PROMPT_FILTER] = "/",
                                        [PROMPT_COMMAND] = ":",
                                        [PROMPT_SQL] = "sql; ",
                                        [PROMPT_EXPORT] = "export to "};
    static const char *const hints[] = {[PROMPT_FILTER] =
                                            "Enter keeps  Esc clears  !not  col>number  col=word",
                                        [PROMPT_COMMAND] = "Tab completes  Enter runs  ? lists",
                                        [PROMPT_SQL] = "Enter runs  Esc leaves",
                                        [PROMPT_EXPORT] = ".csv .json .ndjson .md .tsv .txt"};
    AUTO(buf_clear) struct buf b = {.max = 4096};
    unsigned y = f->height - 1;
    struct str text = prompt_text(app);
    struct str hint = str_from(hints[app->prompt.kind]);

    if (app->prompt.is_untouched)
        hint = STR("type a new one, or edit  Enter keeps  Esc clears");

    buf_addf(&b, "%s" STR_FMT "_", signs[app->prompt.kind], STR_ARG(text));
    size_t width = utf8_width(buf_str(&b));
    struct str s = buf_str(&b);
    while (width > f->width - 2) { /* the end is where one types */
        s = str_skip(s, 1);
        width = utf8_width(s);
    }
    frame_text(f, 1, y, f->width - 1, s, STYLE_ACCENT);
    if (width + hint.n + 4 < f->width)
        frame_right(f, (unsigned)width + 2, y, f->width - (unsigned)width - 3, hint, STYLE_DIM);
}
