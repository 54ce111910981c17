/* The log: lines of many functions merged in time order, newest at the bottom. Each function has a
 * colour and a sign of its own, so that colour is not the only one. */
#include "core/model/log_text.h"
#include "tui/view.h"

#define ROWS_SHOWN ((size_t)1000)

static const struct table_column columns[] = {
    {.name = "time", .title = "TIME"},
    {.name = "tag", .title = ""},
    {.name = "function", .title = "FUNCTION", .max_width = 20},
    {.name = "level", .title = "LEVEL"},
    {.name = "message", .title = "MESSAGE"},
    {.name = "request_id", .title = "REQUEST ID"},
    {.name = "account", .title = "ACCOUNT", .is_hidden = true},
    {.name = "region", .title = "REGION", .is_hidden = true},
};
static const unsigned char first[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* Columns for machines are the same; the body is whole there. */
enum {
    COLUMN_TIME,
    COLUMN_TAG,
    COLUMN_FUNCTION,
    COLUMN_LEVEL,
    COLUMN_MESSAGE,
    COLUMN_ID,
    COLUMN_ACCOUNT,
    COLUMN_REGION
};

struct line {
    enum severity severity;
    enum record_kind kind;
};

struct tail {
    struct arena *arena;
    struct line_at *lines; /* newest first */
    struct line *rows;     /* what else is shown of each */
    size_t n, cap_lines, cap;
};

static enum status on_line(void *ctx, const struct log_line *l, struct err *e)
{
    struct tail *t = ctx;

    UNUSED(e);
    t->lines = arena_grow(t->arena, t->lines, t->n, &t->cap_lines, sizeof(*t->lines));
    t->rows = arena_grow(t->arena, t->rows, t->n, &t->cap, sizeof(*t->rows));
    t->lines[t->n] =
        (struct line_at){l->time_ns, l->origin, l->fn_id, arena_str(t->arena, l->body), {0}};
    t->rows[t->n++] = (struct line){l->severity, l->kind};
    return OK;
}

/* --- pages ---
 *
 * The range may hold far more lines than are loaded: n, N and the cursor at an edge load the page
 * around the next match or the selected line. */

struct found {
    struct re *also; /* the filter of the log; NULL: none */
    int64_t time_ns;
    bool is_found;
};

static enum status on_found(void *ctx, const struct log_line *l, struct err *e)
{
    struct found *f = ctx;

    UNUSED(e);
    if (f->also && !re_match(f->also, l->body, NULL, NULL))
        return OK;
    f->time_ns = l->time_ns;
    f->is_found = true;
    return ERR_CANCELLED;
}

/* The newest or the oldest match in a part of the range; from the end in windows that grow, for
 * what is newest is asked for often. */
static enum status find_match(struct app *app, struct log_request q, struct found *f, struct err *e)
{
    struct range all = q.range;
    enum status s = OK;

    if (all.since_ns >= all.until_ns)
        return OK;
    if (!q.newest_first)
        return request_logs(app->options->store, &q, on_found, f, e);
    for (int64_t window = 10 * NS_PER_MIN; s == OK && !f->is_found; window *= 6) {
        bool is_whole = all.until_ns - all.since_ns <= window;
        q.range.since_ns = is_whole ? all.since_ns : all.until_ns - window;
        s = request_logs(app->options->store, &q, on_found, f, e);
        if (is_whole)
            break;
        q.range.until_ns = q.range.since_ns;
    }
    return s;
}

static enum status on_count(void *ctx, const struct log_line *l, struct err *e)
{
    UNUSED(e);
    *(int64_t *)ctx = l->time_ns;
    return OK;
}

/* A page with as much behind that time as before it. */
static enum status centre_page(struct app *app, struct log_request q, int64_t t_ns, struct err *e)
{
    int64_t last_ns = t_ns, until_ns = q.range.until_ns, after_ns = 0;

    q.newest_first = false;
    q.limit = ROWS_SHOWN / 2;
    q.range.since_ns = t_ns;
    enum status s = request_logs(app->options->store, &q, on_count, &last_ns, e);
    q.range = (struct range){last_ns + 1, until_ns};
    q.limit = 1;
    if (s == OK && last_ns + 1 < until_ns)
        s = request_logs(app->options->store, &q, on_count, &after_ns, e);
    if (s == OK)
        app->log_until_ns = after_ns > 0 ? last_ns + 1 : 0;
    return s;
}

/* Beyond the page first, then from the other end of the range. */
static enum status seek_match(struct app *app, const struct log_request *q, struct found *f,
                              struct err *e)
{
    bool is_back = app->log_seek.kind == SEEK_PREVIOUS_MATCH;
    struct log_request ask = *q;

    f->also = q->pattern;
    ask.limit = 0;
    ask.newest_first = is_back;
    ask.pattern = app_filter_re(app);
    if (is_back)
        ask.range.until_ns = app->log_seek.page.since_ns;
    else
        ask.range.since_ns = app->log_seek.page.until_ns;
    enum status s = find_match(app, ask, f, e);
    if (s == OK && !f->is_found) {
        ask.range = q->range;
        s = find_match(app, ask, f, e);
        app->message = f->is_found ? STR("went round the end")
                                   : STR("nothing matches in the lines of this range");
    }
    re_free(ask.pattern);
    return s;
}

/* Sets which page is loaded; f tells where the cursor goes. */
static enum status seek(struct app *app, const struct log_request *q, struct found *f,
                        struct err *e)
{
    enum status s = OK;

    if (app->log_seek.kind == SEEK_NONE)
        return OK;
    if (app->log_seek.kind == SEEK_SELECTED)
        *f = (struct found){.time_ns = app->log_seek.selected_ns, .is_found = true};
    else
        s = seek_match(app, q, f, e);
    return s == OK && f->is_found ? centre_page(app, *q, f->time_ns, e) : s;
}

/* The cursor on the line that was looked for: the one of that time that matches. */
static void select_found(struct app *app, const struct tail *t, const struct found *f)
{
    bool is_match = app->log_seek.kind != SEEK_SELECTED;
    struct re *re = is_match && f->is_found ? app_filter_re(app) : NULL;
    struct place *p = app_place(app);

    for (size_t i = 0; f->is_found && i < t->n; i++) {
        const struct line_at *l = &t->lines[t->n - 1 - i];
        if (l->time_ns != f->time_ns || (re && !re_match(re, l->body, NULL, NULL)))
            continue;
        p->selected = i;
        p->selected_key = (struct str){0};
        p->is_following = false;
        break;
    }
    re_free(re);
}

/* The newest lines lie near the end: a window from there grows until it holds enough. */
static enum status read_tail(struct app *app, struct log_request *q, struct tail *t, struct err *e)
{
    struct range all = q->range;
    enum status s = OK;

    for (int64_t window = 10 * NS_PER_MIN; s == OK; window *= 6) {
        bool is_whole = all.until_ns - all.since_ns <= window;
        *t = (struct tail){.arena = &app->data_arena};
        q->range.since_ns = is_whole ? all.since_ns : all.until_ns - window;
        s = request_logs(app->options->store, q, on_line, t, e);
        if (is_whole || t->n >= q->limit)
            break;
    }
    return s;
}

/* By the store's number of the function: the same every time, and no two of the first 62 alike. */
static char tag_of(uint32_t fn_id)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    return fn_id == 0 ? '?' : signs[(fn_id - 1) % (sizeof(signs) - 1)];
}

enum style view_line_style(enum record_kind kind, enum severity severity)
{
    if (kind == RECORD_PLATFORM)
        return STYLE_DIM;
    return severity >= SEVERITY_ERROR  ? STYLE_BAD
           : severity == SEVERITY_WARN ? STYLE_WARN
                                       : STYLE_PLAIN;
}

static struct str one_line(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '\t' || p[i] == '\r' || p[i] == '\n' ? ' ' : p[i];
    return (struct str){p, s.n};
}

static void log_row(struct app *app, struct view_data *d, const struct line_at *l,
                    const struct line *shown)
{
    struct arena *a = &app->data_arena;
    struct row_ref *ref = view_row(d, a);
    struct table *t = &d->table;
    bool is_app = shown->kind == RECORD_APP;

    *ref = (struct row_ref){.fn_id = l->fn_id,
                            .fn_name = l->origin->fn->name,
                            .id = l->owner,
                            .time_ns = l->time_ns,
                            .style = view_line_style(shown->kind, shown->severity),
                            .tag = (enum style)(STYLE_TAG0 + l->fn_id % 6),
                            .is_problem = is_app && shown->severity >= SEVERITY_WARN};
    cell_time(t, COLUMN_TIME, l->time_ns);
    table_text(t, COLUMN_TAG, arena_printf(a, "%c", tag_of(l->fn_id)));
    table_text(t, COLUMN_FUNCTION, l->origin->fn->name);
    table_text(t, COLUMN_LEVEL,
               !is_app                               ? STR("-")
               : shown->severity == SEVERITY_UNKNOWN ? STR("")
                                                     : str_from(severity_name(shown->severity)));
    table_text_shown(t, COLUMN_MESSAGE, l->body, one_line(a, is_app ? log_text(l->body) : l->body));
    if (l->owner.n > 0)
        table_text(t, COLUMN_ID, l->owner);
    table_text(t, COLUMN_ACCOUNT, l->origin->fn->account);
    table_text(t, COLUMN_REGION, l->origin->fn->region);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct log_request q = {.range = d->range,
                            .fn = app->fn_filter,
                            .fn_id = app_place(app)->fn_id,
                            .min_severity = app->only_problems ? SEVERITY_WARN : SEVERITY_UNKNOWN,
                            .newest_first = true,
                            .limit = ROWS_SHOWN};
    struct str pattern = {app->log_pattern, app->log_pattern_n};
    struct re *re = NULL;
    struct found found = {0};
    struct tail t = {0};

    if (pattern.n > 0 && re_new(pattern, "i", &re, e) != OK)
        return e->code;
    q.pattern = re;
    enum status s = seek(app, &q, &found, e);
    if (app->log_until_ns != 0)
        q.range.until_ns = app->log_until_ns;
    s = s == OK ? read_tail(app, &q, &t, e) : s;
    re_free(re);
    if (s == OK)
        s = request_line_owners(app->options->store, t.lines, t.n, &app->data_arena, e);
    if (s == OK)
        s = view_load_series(app, d, e);
    if (s != OK)
        return s;
    d->is_more = t.n >= ROWS_SHOWN;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.log", 1);
    for (size_t i = t.n; i-- > 0;)
        log_row(app, d, &t.lines[i], &t.rows[i]);
    select_found(app, &t, &found);
    return OK;
}

static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    *used = 0;
    if (app->no_strip || app->data.series.n < 2 || f->height < 18)
        return;
    view_strip(app, f, y, STRIP_LINES);
    view_strip(app, f, y + 1, STRIP_LOG_ERRORS);
    *used = 2;
    if (f->height >= 24)
        view_strip_axis(app, f, y + (*used)++);
}

const struct view_ops view_log = {
    .name = "log",
    .title = "Log",
    .load = load,
    .draw_top = draw_top,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .named_column = COLUMN_FUNCTION,
    .is_searched = true,
    .default_sort = -1,
    .tab = VIEW_LOG,
    .empty = "No log lines: \\ without a search takes the filter off, t chooses another time.",
};
