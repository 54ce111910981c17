/* One line a span: indented by depth, a bar where it lies in the time of the whole trace. */
#include "cli/trace_views.h"

#include "core/base/safe_text.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"

enum { BAR_CELLS = 32, NAME_CELLS = 34, INDENT_MAX = 12 };

static size_t cell_of(struct range r, int64_t t_ns)
{
    wide length = r.until_ns - r.since_ns;

    return length == 0 ? 0 : (size_t)((wide)(t_ns - r.since_ns) * BAR_CELLS / length);
}

/* An open span reaches to the right edge and ends in an arrow; the shortest still shows. */
static void add_bar(struct buf *b, struct range r, const struct span *s)
{
    bool is_open = (s->flags & SPAN_OPEN) != 0;
    size_t from = cell_of(r, s->start_ns);
    size_t to = is_open ? BAR_CELLS : cell_of(r, s->end_ns);

    from = from < BAR_CELLS ? from : BAR_CELLS - 1;
    to = to > from ? to : from + 1;
    buf_add_c(b, '|');
    for (size_t i = 0; i < BAR_CELLS; i++)
        buf_add_c(b, i < from || i >= to ? ' ' : is_open && i + 1 == to ? '>' : '=');
    buf_add_c(b, '|');
}

static void add_name(struct buf *b, const struct span *s)
{
    AUTO(buf_clear) struct buf name = {.max = 4096};
    unsigned indent = 2 * s->depth < INDENT_MAX ? 2 * s->depth : INDENT_MAX;

    buf_addf(&name, "%*s", (int)indent, "");
    safe_text(&name, s->name, SAFE_KEEP_NONE);
    if (s->detail.n > 0) {
        buf_add_c(&name, ' ');
        safe_text(&name, s->detail, SAFE_KEEP_NONE);
    }
    struct str shown = utf8_fit(buf_str(&name), NAME_CELLS);
    size_t width = utf8_width(shown);
    buf_add_str(b, shown);
    buf_addf(b, "%*s", (int)(width < NAME_CELLS ? NAME_CELLS - width : 0), "");
}

static void add_facts(struct buf *b, const struct span *s)
{
    buf_add_c(b, ' ');
    if ((s->flags & SPAN_OPEN) == 0)
        duration_format(b, s->end_ns - s->start_ns);
    if ((s->flags & (SPAN_FAULT | SPAN_ERROR | SPAN_THROTTLE | SPAN_OPEN)) != 0)
        buf_addf(b, " %s", span_state(s));
    if (s->http_status > 0)
        buf_addf(b, " %u", s->http_status);
    if (s->error.n > 0) {
        buf_add_c(b, ' ');
        safe_text(b, s->error, SAFE_KEEP_NONE);
    }
}

void trace_waterfall(struct buf *b, const struct span_list *l)
{
    if (l->n == 0)
        return;
    struct range r = spans_extent(l);
    buf_addf(b, "\n  %zu %s in ", l->n, plural(l->n, "span", "spans"));
    duration_format(b, r.until_ns - r.since_ns);
    buf_add_c(b, '\n');
    for (size_t i = 0; i < l->n; i++) {
        buf_add_z(b, "  ");
        add_name(b, &l->rows[i]);
        add_bar(b, r, &l->rows[i]);
        add_facts(b, &l->rows[i]);
        buf_add_c(b, '\n');
    }
}

/* --- as a table --- */

enum {
    COL_START,
    COL_DURATION,
    COL_STATE,
    COL_HTTP,
    COL_DEPTH,
    COL_TEXTS,
    COLS = COL_TEXTS + 11,
};

static const struct table_column columns[COLS] = {
    [COL_START] = {.name = "start_time", .title = "TIME"},
    [COL_DURATION] = {.name = "duration_ms", .title = "DURATION", .is_right = true},
    [COL_STATE] = {.name = "state", .title = "STATE"},
    [COL_HTTP] = {.name = "http_status", .title = "HTTP", .is_right = true},
    [COL_DEPTH] = {.name = "depth", .title = "DEPTH", .is_right = true},
    [COL_TEXTS] = {.name = "name", .title = "NAME", .max_width = 32},
    {.name = "detail", .title = "DETAIL", .max_width = 32},
    {.name = "origin", .title = "ORIGIN"},
    {.name = "function", .title = "FUNCTION", .max_width = 32},
    {.name = "error", .title = "ERROR", .max_width = 40},
    {.name = "annotations", .title = "ANNOTATIONS", .max_width = 40},
    {.name = "request_id", .title = "REQUEST ID"},
    {.name = "trace_id", .title = "TRACE"},
    {.name = "span_id", .title = "SPAN"},
    {.name = "parent_id", .title = "PARENT"},
    {.name = "region", .title = "REGION"},
};

static void add_row(struct table *t, const struct span *s)
{
    const struct str texts[] = {s->name,  s->detail,      s->origin,     s->of.name,
                                s->error, s->annotations, s->request_id, s->trace_id,
                                s->id,    s->parent_id,   s->of.region};

    table_row(t);
    cli_time_cell(t, COL_START, s->start_ns);
    if ((s->flags & SPAN_OPEN) == 0)
        cli_duration_cell(t, COL_DURATION, s->end_ns - s->start_ns);
    table_text(t, COL_STATE, str_from(span_state(s)));
    if (s->http_status > 0)
        table_i64(t, COL_HTTP, s->http_status);
    table_i64(t, COL_DEPTH, s->depth);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].n > 0)
            table_text(t, COL_TEXTS + i, texts[i]);
}

void trace_table_print(struct cli *c, const struct span_list *l)
{
    struct table t;

    table_init(&t, c->arena, columns, COLS, "fnscope.spans", 1);
    for (size_t i = 0; i < l->n; i++)
        add_row(&t, &l->rows[i]);
    cli_print_table(c, &t);
}
