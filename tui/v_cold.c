/* Cold starts: how many, how long, and why. */
#include "core/base/map.h"
#include "tui/view.h"

/* Causes are found in the single attempts: beyond this many only counts are shown. */
#define MOST_ATTEMPTS ((uint64_t)400000)

static const struct table_column columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "cold_starts", .title = "COLD", .is_right = true},
    {.name = "cold_percent", .title = "COLD%", .is_right = true},
    {.name = "init_p50_ms", .title = "INIT50", .is_right = true},
    {.name = "init_p95_ms", .title = "INIT95", .is_right = true},
    {.name = "init_p99_ms", .title = "INIT99", .is_right = true},
    {.name = "idle", .title = "IDLE", .is_right = true},
    {.name = "scale_out", .title = "SCALE", .is_right = true},
    {.name = "deploy", .title = "DEPLOY", .is_right = true},
    {.name = "failure", .title = "FAILED", .is_right = true},
    {.name = "first_seen", .title = "FIRST", .is_right = true},
    {.name = "waited_ms", .title = "WAITED", .is_right = true},
    {.name = "init_cost_usd", .title = "INIT COST", .is_right = true},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "memory_mb", .title = "MB", .is_right = true},
    {.name = "runtime", .title = "RUNTIME", .max_width = 24},
};
static const unsigned char first[] = {0, 1, 2, 4, 6, 7, 8, 9, 3, 11, 12, 10, 5, 15, 13, 14};
static const unsigned char cause_columns[COLD_CAUSES] = {[COLD_IDLE] = 6,
                                                         [COLD_SCALE_OUT] = 7,
                                                         [COLD_DEPLOY] = 8,
                                                         [COLD_FAILURE] = 9,
                                                         [COLD_FIRST] = 10};

struct tally {
    uint32_t n[COLD_CAUSES]; /* at most MOST_ATTEMPTS */
};

struct causes {
    struct cold_watch watch;
    struct arena *arena;
    struct idmap index;
    struct tally *tallies;
    size_t n, cap;
};

static enum status on_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                              struct err *e)
{
    struct causes *c = ctx;
    enum cold_cause cause = COLD_FIRST;
    bool is_new;

    UNUSED(e);
    if (!cold_watch_see(&c->watch, fn_id, inv, &cause))
        return OK;
    uint64_t *at = idmap_put(&c->index, fn_id, &is_new);
    if (is_new) {
        *at = c->n;
        c->tallies = arena_grow(c->arena, c->tallies, c->n, &c->cap, sizeof(*c->tallies));
        c->tallies[c->n++] = (struct tally){{0}};
    }
    c->tallies[*at].n[cause]++;
    return OK;
}

static enum status find_causes(struct app *app, struct view_data *d, struct causes *c,
                               struct err *e)
{
    struct inv_request q = {.range = d->range,
                            .fn = app->fn_filter,
                            .fn_id = app_place(app)->fn_id,
                            .names_pass = true};
    uint64_t attempts = 0;

    for (size_t i = 0; i < d->series.n; i++)
        attempts += d->series.points[i].n;
    return attempts <= MOST_ATTEMPTS ? request_scan(app->options->store, &q, on_attempt, c, e) : OK;
}

static const struct tally *tally_of(const struct fn_rows_pass *p, const struct fn_row *f)
{
    const struct causes *c = p->ctx;
    const uint64_t *at = idmap_get(&c->index, f->fn_id);

    return at ? &c->tallies[*at] : NULL;
}

static enum status see(struct fn_rows_pass *p, const struct fn_row *f, struct err *e)
{
    const struct tally *why = tally_of(p, f);

    UNUSED(e);
    for (int k = 0; why && k < COLD_CAUSES; k++)
        p->data->cold_causes[k] += why->n[k];
    return OK;
}

static enum status fill(struct fn_rows_pass *p, struct table *t, struct row_ref *ref,
                        const struct fn_row *f, struct err *e)
{
    const struct tally *why = tally_of(p, f);
    const uint64_t cold = stats_cold(&f->stats);

    UNUSED(e);
    ref->is_problem = cold * 10 > f->stats.n;
    ref->style = ref->is_problem ? STYLE_WARN : STYLE_PLAIN;
    table_text(t, 0, f->fn.name);
    cell_count(t, 1, cold);
    cell_percent(t, 2, cold, f->stats.n);
    cell_percentile(t, 3, &f->stats.init, 500);
    cell_percentile(t, 4, &f->stats.init, 950);
    cell_percentile(t, 5, &f->stats.init, 990);
    for (int k = 0; why && k < COLD_CAUSES; k++)
        if (why->n[k] > 0)
            cell_count(t, cause_columns[k], why->n[k]);
    cell_duration(t, 11, f->stats.sum_init_ns);
    cell_money(t, 12, f->stats.cost_init);
    cell_count(t, 13, f->stats.n);
    table_i64(t, 14, (int64_t)(f->stats.memory_size_bytes >> 20));
    table_text(t, 15, f->runtime);
    return OK;
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct causes *c = arena_new(&app->data_arena, struct causes, 1);
    struct fn_rows_pass p = {.app = app, .data = d, .ctx = c, .see = see, .fill = fill};
    enum status s = view_load_series(app, d, e);

    c->arena = &app->data_arena;
    if (s == OK)
        s = find_causes(app, d, c, e);
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.coldstarts",
               2);
    if (s == OK)
        s = view_load_fn_rows(&p, e);
    idmap_clear(&c->index);
    return s;
}

/* Causes of all functions together, a bar each. */
static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    static const enum cold_cause order[] = {COLD_IDLE, COLD_SCALE_OUT, COLD_DEPLOY, COLD_FAILURE,
                                            COLD_FIRST};
    AUTO(arena_clear) struct arena a = {0};
    uint64_t all = 0;

    *used = 0;
    for (int k = 0; k < COLD_CAUSES; k++)
        all += app->data.cold_causes[k];
    if (all == 0 || f->height < 22 || app->no_strip)
        return;
    for (size_t k = 0; k < ARRAY_LEN(order); k++) {
        uint64_t n = app->data.cold_causes[order[k]];
        unsigned line = y + (*used)++;
        frame_z(f, 1, line, cold_cause_names[order[k]], STYLE_DIM);
        frame_right(f, 17, line, 8, view_count(&a, n), STYLE_PLAIN);
        frame_right(f, 26, line, 7, view_share(&a, n, all), STYLE_PLAIN);
        if (f->width > 40)
            frame_bar(f, 35, line, f->width - 37 > 60 ? 60 : f->width - 37,
                      (unsigned)(n * 1000 / all), STYLE_ACCENT);
    }
    (*used)++;
}

const struct view_ops view_cold = {
    .name = "coldstarts",
    .title = "Cold starts",
    .load = load,
    .draw_top = draw_top,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .default_sort = 1,
    .tab = VIEW_COLD,
};
