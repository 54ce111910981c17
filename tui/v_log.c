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
};
static const unsigned char first[] = {0, 1, 2, 3, 4, 5};

/* Columns for machines are the same; the body is whole there. */
enum { COLUMN_TIME, COLUMN_TAG, COLUMN_FUNCTION, COLUMN_LEVEL, COLUMN_MESSAGE, COLUMN_ID };

struct line {
    int64_t time_ns;
    uint32_t fn_id;
    struct str fn_name, id, body;
    enum severity severity;
    enum record_kind kind;
};

struct tail {
    struct arena *arena;
    struct line *rows; /* newest first */
    size_t n, cap;
};

static enum status on_line(void *ctx, const struct log_line *l, struct err *e)
{
    struct tail *t = ctx;

    UNUSED(e);
    t->rows = arena_grow(t->arena, t->rows, t->n, &t->cap, sizeof(*t->rows));
    t->rows[t->n++] = (struct line){.time_ns = l->time_ns,
                                    .fn_id = l->fn_id,
                                    .fn_name = l->origin->fn->name,
                                    .id = arena_str(t->arena, l->invocation_id),
                                    .body = arena_str(t->arena, l->body),
                                    .severity = l->severity,
                                    .kind = l->kind};
    return OK;
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

static enum style line_style(const struct line *l)
{
    if (l->kind == RECORD_PLATFORM)
        return STYLE_DIM;
    return l->severity >= SEVERITY_ERROR  ? STYLE_BAD
           : l->severity == SEVERITY_WARN ? STYLE_WARN
                                          : STYLE_PLAIN;
}

static struct str one_line(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '\t' || p[i] == '\r' || p[i] == '\n' ? ' ' : p[i];
    return (struct str){p, s.n};
}

static void log_row(struct app *app, struct view_data *d, const struct line *l)
{
    struct arena *a = &app->data_arena;
    struct row_ref *ref = view_row(d, a);
    struct table *t = &d->table;
    bool is_app = l->kind == RECORD_APP;

    *ref = (struct row_ref){.fn_id = l->fn_id,
                            .fn_name = l->fn_name,
                            .id = l->id,
                            .time_ns = l->time_ns,
                            .style = line_style(l),
                            .tag = (enum style)(STYLE_TAG0 + l->fn_id % 6),
                            .is_problem = is_app && l->severity >= SEVERITY_WARN};
    cell_time(t, COLUMN_TIME, l->time_ns);
    table_text(t, COLUMN_TAG, arena_printf(a, "%c", tag_of(l->fn_id)));
    table_text(t, COLUMN_FUNCTION, l->fn_name);
    table_text(t, COLUMN_LEVEL,
               !is_app                           ? STR("-")
               : l->severity == SEVERITY_UNKNOWN ? STR("")
                                                 : str_from(severity_name(l->severity)));
    table_text_shown(t, COLUMN_MESSAGE, l->body, one_line(a, is_app ? log_text(l->body) : l->body));
    if (l->id.n > 0)
        table_text(t, COLUMN_ID, l->id);
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
    struct tail t;

    if (pattern.n > 0 && re_new(pattern, "i", &re, e) != OK)
        return e->code;
    q.pattern = re;
    enum status s = read_tail(app, &q, &t, e);
    re_free(re);
    if (s == OK)
        s = view_load_series(app, d, e);
    if (s != OK)
        return s;
    d->is_more = t.n >= ROWS_SHOWN;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.log", 1);
    for (size_t i = t.n; i-- > 0;)
        log_row(app, d, &t.rows[i]);
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
    .is_searched = true,
    .default_sort = -1,
    .tab = VIEW_LOG,
    .empty = "No log lines: \\ without a search takes the filter off, t chooses another time.",
};
