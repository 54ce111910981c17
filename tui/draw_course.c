/* Courses over time in place of a table: graphs of the series, or a heat map of time and duration;
 * and the same points as rows. */
#include "core/base/timefmt.h"
#include "tui/view.h"

#define LABEL 16u /* cells left of a chart */

/* --- graphs --- */

struct curve {
    const char *name;
    uint64_t (*of)(const struct stats *s);
    struct str (*text)(struct arena *a, uint64_t v);
    enum style style;
    bool is_sum; /* points in one cell are added up; else the largest counts */
};

static uint64_t n_of(const struct stats *s)
{
    return s->n;
}

static uint64_t p95_of(const struct stats *s)
{
    uint64_t us = 0;

    return histogram_percentile(&s->duration, 950, &us) ? us : 0;
}

static uint64_t cost_of(const struct stats *s)
{
    return (uint64_t)s->cost;
}

static struct str duration_text(struct arena *a, uint64_t us)
{
    return view_duration(a, (int64_t)us * NS_PER_US);
}

static struct str money_text(struct arena *a, uint64_t pico)
{
    return view_money(a, pico);
}

static bool is_in_cny(const struct app *app)
{
    return app->data.usd == 0 && app->data.cny != 0;
}

static const struct curve curves[] = {
    {"invocations", n_of, view_count, STYLE_ACCENT, true},
    {"failed", stats_failed, view_count, STYLE_BAD, true},
    {"p95", p95_of, duration_text, STYLE_WARN, false},
    {"cold", stats_cold, view_count, STYLE_GOOD, true},
    {"cost", cost_of, money_text, STYLE_PLAIN, true},
};

static uint64_t cell_value(const struct series *s, const struct curve *c, unsigned x,
                           unsigned width)
{
    size_t from = (size_t)x * s->n / width, to = (size_t)(x + 1) * s->n / width;
    uint64_t sum = 0, top = 0;

    to = to > from ? to : from + 1;
    for (size_t i = from; i < to && i < s->n; i++) {
        uint64_t v = c->of(&s->points[i]);
        sum += v;
        top = v > top ? v : top;
    }
    return c->is_sum ? sum : top;
}

/* One column of `height` cells, in eighths. */
static void draw_column(struct frame *f, unsigned x, unsigned y, unsigned height, uint64_t eighths,
                        enum style style)
{
    static const char *const blocks[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

    for (unsigned i = 0; i < height; i++) {
        uint64_t above = (uint64_t)i * 8;
        uint64_t level = eighths <= above ? 0 : eighths - above >= 8 ? 8 : eighths - above;
        if (level == 0)
            break;
        const char *sign = f->is_ascii ? (level > 3 ? "#" : ".") : blocks[level];
        frame_text(f, x, y + height - 1 - i, 1, str_from(sign), style);
    }
}

/* Costs may all be in CNY. */
static struct str curve_text(const struct app *app, struct arena *a, const struct curve *c,
                             uint64_t v)
{
    return c->text == money_text && is_in_cny(app) ? view_money_in(a, v, STR("CNY"))
                                                   : c->text(a, v);
}

static void draw_curve(const struct app *app, struct frame *f, unsigned y, unsigned height,
                       const struct curve *c)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct series *s = &app->data.series;
    unsigned width = f->width - LABEL - 2;
    uint64_t *values = arena_new(&a, uint64_t, width), top = 0;

    for (unsigned x = 0; x < width; x++) {
        values[x] = cell_value(s, c, x, width);
        top = values[x] > top ? values[x] : top;
    }
    frame_z(f, 1, y, c->name, STYLE_BOLD);
    if (height > 1)
        frame_text(f, 1, y + 1, LABEL - 1,
                   arena_printf(&a, "top " STR_FMT, STR_ARG(curve_text(app, &a, c, top))),
                   STYLE_DIM);
    for (unsigned x = 0; x < width && top > 0; x++)
        draw_column(f, LABEL + 1 + x, y, height,
                    (uint64_t)(((wide)values[x] * height * 8 + top - 1) / top), c->style);
}

static void draw_graphs(const struct app *app, struct frame *f, unsigned y, unsigned rows)
{
    unsigned n = (unsigned)ARRAY_LEN(curves), each;

    while (n > 1 && rows / n < 3)
        n--;
    each = rows / n;
    for (unsigned i = 0; i < n; i++)
        draw_curve(app, f, y + i * each, each > 3 ? each - 1 : each, &curves[i]);
}

/* --- heat map --- */

/* Rows from the slowest down: each twice as long as the one below. */
static unsigned row_of_us(uint64_t us, unsigned first_bit, unsigned rows)
{
    unsigned bit = 0;

    while (bit < 63 && us >> bit > 1)
        bit++;
    unsigned at = bit > first_bit ? bit - first_bit : 0;
    return at < rows ? at : rows - 1;
}

struct heat {
    uint64_t *cells; /* rows from the fastest up, width each */
    unsigned width, rows, first_bit;
    uint64_t top;
};

static void heat_fill(struct heat *h, const struct series *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct histogram *g = &s->points[i].duration;
        size_t from = i * h->width / s->n, to = (i + 1) * h->width / s->n;
        for (size_t k = 0; k < g->n; k++)
            for (size_t x = from; x < (to > from ? to : from + 1); x++)
                h->cells[(size_t)row_of_us(bucket_mid(g->bucket[k]), h->first_bit, h->rows) *
                             h->width +
                         x] += g->count[k];
    }
    for (size_t i = 0; i < (size_t)h->width * h->rows; i++)
        h->top = h->cells[i] > h->top ? h->cells[i] : h->top;
}

/* By the logarithm: one slow call among thousands is what one looks for. */
static unsigned shade_of(uint64_t v, uint64_t top)
{
    unsigned bits = 0, most = 1;

    while (v >> bits)
        bits++;
    while (top >> most)
        most++;
    return v == 0 ? 0 : 1 + bits * 4 / (most + 1);
}

static void span_of(const struct series *s, unsigned *lowest, unsigned *highest)
{
    *lowest = 63;
    *highest = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct histogram *g = &s->points[i].duration;
        if (g->n == 0)
            continue;
        unsigned low = row_of_us(bucket_mid(g->bucket[0]), 0, 64);
        unsigned high = row_of_us(bucket_mid(g->bucket[g->n - 1]), 0, 64);
        *lowest = low < *lowest ? low : *lowest;
        *highest = high > *highest ? high : *highest;
    }
}

static void draw_heat(const struct app *app, struct frame *f, unsigned y, unsigned rows)
{
    static const char *const shades[] = {" ", "░", "▒", "▓", "█"};
    static const char *const ascii[] = {" ", ".", ":", "*", "#"};
    AUTO(arena_clear) struct arena a = {0};
    const struct series *s = &app->data.series;
    struct heat h = {.width = f->width - LABEL - 2};
    unsigned highest;

    span_of(s, &h.first_bit, &highest);
    if (highest < h.first_bit)
        return;
    h.rows = highest - h.first_bit + 1;
    if (h.rows > rows) { /* the fast ones share the lowest row */
        h.first_bit += h.rows - rows;
        h.rows = rows;
    }
    h.cells = arena_zalloc(&a, (size_t)h.width * h.rows, sizeof(*h.cells));
    heat_fill(&h, s);
    for (unsigned r = 0; r < h.rows; r++) {
        unsigned line = y + h.rows - 1 - r;
        int64_t us = INT64_C(1) << (h.first_bit + r);
        frame_right(f, 1, line, LABEL - 2, view_duration(&a, us * NS_PER_US), STYLE_DIM);
        for (unsigned x = 0; x < h.width; x++) {
            unsigned k = shade_of(h.cells[(size_t)r * h.width + x], h.top);
            frame_text(f, LABEL + 1 + x, line, 1, str_from(f->is_ascii ? ascii[k] : shades[k]),
                       STYLE_ACCENT);
        }
    }
}

/* --- both --- */

static void draw_axis(const struct app *app, struct frame *f, unsigned y)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct series *s = &app->data.series;
    int64_t until = s->since_ns + (int64_t)s->n * s->step_ns;
    struct str from = view_time(app, &a, s->since_ns, TIME_MINUTE);
    struct str to = view_time(app, &a, until, TIME_MINUTE);

    frame_text(f, LABEL + 1, y, 16, from, STYLE_DIM);
    frame_right(f, f->width - 18, y, 17, to, STYLE_DIM);
}

void draw_course(struct app *app, struct frame *f, unsigned y)
{
    bool is_heat = app_place(app)->display == DISPLAY_HEAT;
    unsigned rows = f->height > y + 3 ? f->height - y - 3 : 1;

    if (app->data.series.n == 0) {
        frame_z(f, 2, y + 1, "Nothing in this time range: t chooses another.", STYLE_DIM);
        return;
    }
    frame_z(f, 1, y, is_heat ? "how long attempts took" : "over time", STYLE_BOLD);
    (is_heat ? draw_heat : draw_graphs)(app, f, y + 1, rows);
    draw_axis(app, f, f->height - 2);
}

void course_table(struct app *app, struct table *t)
{
    static const struct table_column columns[] = {
        {.name = "time"},   {.name = "invocations"}, {.name = "failed"}, {.name = "cold_starts"},
        {.name = "p50_ms"}, {.name = "p95_ms"},      {.name = "p99_ms"}, {.name = "cost_usd"}};
    const struct series *s = &app->data.series;

    table_init(t, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.course", 1);
    for (size_t i = 0; i < s->n; i++) {
        const struct stats *p = &s->points[i];
        table_row(t);
        cell_time(t, 0, s->since_ns + (int64_t)i * s->step_ns);
        cell_count(t, 1, p->n);
        cell_count(t, 2, stats_failed(p));
        cell_count(t, 3, stats_cold(p));
        cell_percentile(t, 4, &p->duration, 500);
        cell_percentile(t, 5, &p->duration, 950);
        cell_percentile(t, 6, &p->duration, 990);
        cell_money(t, 7, p->cost);
        if (is_in_cny(app))
            table_null_shown(t, 7, view_money_in(t->arena, p->cost, STR("CNY")));
    }
}
