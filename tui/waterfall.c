/* The trace of a request as a waterfall: a line a span, its bar where and as long as it ran. */
#include "core/base/utf8.h"
#include "core/model/span.h"
#include "tui/view.h"

#define NAME_CELLS 28u
#define TEXT_CELLS 34u /* right of the bar: state, begin, duration */
#define LEAST_BAR  16u
#define MOST_BAR   120u

static unsigned bar_cells(const struct app *app)
{
    unsigned width = app->frame.width > 0 ? app->frame.width : 100;
    unsigned cells =
        width > NAME_CELLS + TEXT_CELLS + LEAST_BAR ? width - NAME_CELLS - TEXT_CELLS : LEAST_BAR;

    return cells > MOST_BAR ? MOST_BAR : cells;
}

/* One that is still running reaches to the end of what is known. */
static int64_t end_of(const struct span *s, int64_t until_ns)
{
    return s->end_ns > 0 ? s->end_ns : until_ns;
}

static struct str bar_of(struct app *app, const struct span *s, struct range whole)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};
    unsigned cells = bar_cells(app);
    int64_t length = whole.until_ns > whole.since_ns ? whole.until_ns - whole.since_ns : 1;
    size_t from = (size_t)((wide)(s->start_ns - whole.since_ns) * cells / length);
    size_t to = (size_t)((wide)(end_of(s, whole.until_ns) - whole.since_ns) * cells / length);
    const char *sign = app->frame.is_ascii ? "#" : s->flags & SPAN_INFERRED ? "▒" : "█";

    from = from >= cells ? cells - 1 : from;
    to = to > from ? to : from + 1;
    for (size_t i = 0; i < cells; i++)
        buf_add_z(&b, i >= from && i < to ? sign : " ");
    return arena_str(&app->data_arena, buf_str(&b));
}

static struct str name_of(struct arena *a, const struct span *s)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};
    unsigned indent = s->depth < 8 ? s->depth * 2 : 16;

    buf_addf(&b, "%*s" STR_FMT, (int)indent, "", STR_ARG(s->name));
    if (s->detail.n > 0)
        buf_addf(&b, " " STR_FMT, STR_ARG(s->detail));
    struct str fit = utf8_fit(buf_str(&b), NAME_CELLS);
    int pad = (int)(NAME_CELLS - utf8_width(fit));
    return arena_printf(a, STR_FMT "%*s", STR_ARG(fit), pad > 0 ? pad : 0, "");
}

static enum style style_of(const struct span *s)
{
    return s->flags & (SPAN_FAULT | SPAN_ERROR) ? STYLE_BAD
           : s->flags & SPAN_THROTTLE           ? STYLE_WARN
           : s->flags & SPAN_INFERRED           ? STYLE_DIM
                                                : STYLE_PLAIN;
}

static void span_line(struct app *app, struct view_data *d, const struct span *s,
                      struct range whole)
{
    struct arena *a = &app->data_arena;
    const char *state = span_state(s);
    bool is_bad = style_of(s) == STYLE_BAD || style_of(s) == STYLE_WARN;

    view_line_in(d, a, style_of(s),
                 arena_printf(a, "  " STR_FMT " %s" STR_FMT " %s%s +" STR_FMT " " STR_FMT,
                              STR_ARG(name_of(a, s)), app->frame.is_ascii ? "|" : "▏",
                              STR_ARG(bar_of(app, s, whole)), is_bad ? "x " : "", state,
                              STR_ARG(view_duration(a, s->start_ns - whole.since_ns)),
                              STR_ARG(view_duration(a, end_of(s, whole.until_ns) - s->start_ns))),
                 NAME_CELLS);
    if (s->error.n > 0)
        view_line_in(d, a, STYLE_BAD,
                     arena_printf(a, "  %*s" STR_FMT, (int)(s->depth < 8 ? s->depth * 2 + 2 : 18),
                                  "", STR_ARG(s->error)),
                     6);
}

enum status view_waterfall(struct app *app, struct view_data *d, const struct inv_rows *rows,
                           struct err *e)
{
    struct arena *a = &app->data_arena;
    struct span_list spans = {0};
    size_t i = 0;

    while (i < rows->n && rows->rows[i].trace_id.n == 0)
        i++;
    if (i == rows->n)
        return OK;
    if (request_trace(app->options->store, rows->rows[i].trace_id, rows->rows[i].start_ns, a,
                      &spans, e) != OK)
        return e->code;
    if (spans.n == 0)
        return OK;
    struct range whole = spans_extent(&spans);
    view_line(d, a, STYLE_BOLD,
              arena_printf(a, "Trace " STR_FMT ": %zu span%s in " STR_FMT,
                           STR_ARG(rows->rows[i].trace_id), spans.n, plural(spans.n, "", "s"),
                           STR_ARG(view_duration(a, whole.until_ns - whole.since_ns))));
    for (size_t k = 0; k < spans.n; k++)
        span_line(app, d, &spans.rows[k], whole);
    view_line(d, a, STYLE_PLAIN, STR(""));
    return OK;
}
