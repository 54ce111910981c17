/* A breakdown: what ran, by one property of the attempts or their functions; and the sums of one
 * group, for the comparison. */
#include <string.h>

#include "core/base/map.h"
#include "tui/view.h"

/* Attempts are looked at one by one: of a longer range its newest part that holds about as many. */
#define MOST_ATTEMPTS ((uint64_t)100000)

typedef struct str property_fn(struct arena *a, const struct invocation *inv);

static struct str version_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->version.n > 0 ? inv->version : STR("not said");
}

static struct str result_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return str_from(outcome_name(inv->outcome));
}

static struct str error_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->error_type.n > 0 ? inv->error_type : STR("none");
}

static struct str start_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return str_from(start_kind_name(inv->start));
}

static struct str trigger_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return str_from(trigger_name(inv->trigger));
}

static struct str memory_of(struct arena *a, const struct invocation *inv)
{
    return arena_printf(a, "%llu MB", (unsigned long long)(inv->memory_bytes >> 20));
}

static struct str attempt_of(struct arena *a, const struct invocation *inv)
{
    return arena_printf(a, "attempt %u", inv->attempt);
}

static struct str function_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->origin->fn->name;
}

static struct str region_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->origin->fn->region;
}

static struct str account_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->origin->fn->account.n > 0 ? inv->origin->fn->account : STR("not said");
}

static struct str environment_of(struct arena *a, const struct invocation *inv)
{
    UNUSED(a);
    return inv->origin->instance;
}

static property_fn *const properties[] = {version_of,  result_of, error_of,   start_of,
                                          trigger_of,  memory_of, attempt_of, environment_of,
                                          function_of, region_of, account_of};
const char *const breakdown_names[] = {"version",  "result", "error",   "start",
                                       "trigger",  "memory", "attempt", "environment",
                                       "function", "region", "account", NULL};
_Static_assert(ARRAY_LEN(properties) + 1 == ARRAY_LEN(breakdown_names), "a name each");

struct group {
    struct str value;
    struct subject_sums sums;
    uint32_t fn_id; /* of all its attempts; 0: of several */
    int64_t first_ns, last_ns;
};

struct groups {
    struct arena *arena;
    property_fn *property;
    struct str only; /* other values are passed over; NULL p: none is */
    struct map index;
    struct group *rows;
    size_t n, cap;
};

static property_fn *property_named(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        if (str_eq(str_from(breakdown_names[i]), name))
            return properties[i];
    return properties[0];
}

static struct group *group_of(struct groups *g, struct str value, uint32_t fn_id)
{
    uint64_t *at = map_get(&g->index, value);

    if (!at) {
        struct str kept = arena_str(g->arena, value);
        g->rows = arena_grow(g->arena, g->rows, g->n, &g->cap, sizeof(*g->rows));
        g->rows[g->n] = (struct group){.value = kept, .fn_id = fn_id};
        at = map_put(&g->index, kept, NULL);
        *at = g->n++;
    }
    return &g->rows[*at];
}

static void add_attempt(struct subject_sums *to, const struct invocation *inv)
{
    const wide cost = to->stats.cost, failed = to->stats.cost_failed;

    stats_add_invocation(&to->stats, inv);
    if (fn_is_usd(inv->origin->fn))
        return;
    to->cny += to->stats.cost - cost;
    to->cny_failed += to->stats.cost_failed - failed;
}

static void add_sums(struct subject_sums *to, const struct subject_sums *s)
{
    stats_merge(&to->stats, &s->stats);
    to->cny += s->cny;
    to->cny_failed += s->cny_failed;
}

static enum status on_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                              struct err *e)
{
    AUTO(arena_clear) struct arena scratch = {0};
    struct groups *g = ctx;
    struct str value = g->property(&scratch, inv);

    UNUSED(e);
    if (g->only.p && !str_eq(value, g->only))
        return OK;
    struct group *k = group_of(g, value, fn_id);
    add_attempt(&k->sums, inv);
    k->fn_id = k->fn_id == fn_id ? fn_id : 0;
    k->first_ns = k->first_ns == 0 || inv->start_ns < k->first_ns ? inv->start_ns : k->first_ns;
    k->last_ns = inv->start_ns > k->last_ns ? inv->start_ns : k->last_ns;
    return OK;
}

static void groups_clear(struct groups *g)
{
    for (size_t i = 0; i < g->n; i++)
        stats_clear(&g->rows[i].sums.stats);
    map_clear(&g->index);
}

/* Reads attempts of the newest part of the range that is not too long; *range says which. */
static enum status scan(struct app *app, struct range *range, uint32_t fn_id, struct groups *g,
                        struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct fn_rows all;
    uint64_t attempts = 0;

    if (request_functions(app->options->store, *range, &app->fn_filter, &a, &all, e) != OK)
        return e->code;
    for (size_t i = 0; i < all.n; i++)
        attempts += fn_id == 0 || all.rows[i].fn_id == fn_id ? all.rows[i].stats.n : 0;
    if (attempts > MOST_ATTEMPTS)
        range->since_ns = range->until_ns - (int64_t)((wide)(range->until_ns - range->since_ns) *
                                                      (wide)MOST_ATTEMPTS / (wide)attempts);
    struct inv_request q = {.range = *range, .fn = app->fn_filter, .fn_id = fn_id};
    return request_scan(app->options->store, &q, on_attempt, g, e);
}

static void add_function(struct subject_sums *to, const struct fn_row *row)
{
    const bool is_usd = fn_is_usd(&row->fn);

    stats_merge(&to->stats, &row->stats);
    to->cny += is_usd ? 0 : row->stats.cost;
    to->cny_failed += is_usd ? 0 : row->stats.cost_failed;
}

enum status breakdown_sums(struct app *app, const struct subject_mark *m, struct subject_sums *out,
                           struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct fn_rows all;

    *out = (struct subject_sums){0};
    if (m->group.p) {
        struct groups g = {.arena = &a, .property = property_named(m->dimension), .only = m->group};
        struct range r = m->range;
        enum status s = scan(app, &r, m->fn_id, &g, e);
        for (size_t i = 0; s == OK && i < g.n; i++)
            add_sums(out, &g.rows[i].sums);
        groups_clear(&g);
        return s;
    }
    if (request_functions(app->options->store, m->range, &app->fn_filter, &a, &all, e) != OK)
        return e->code;
    for (size_t i = 0; i < all.n; i++)
        if (m->fn_id == 0 || all.rows[i].fn_id == m->fn_id)
            add_function(out, &all.rows[i]);
    return OK;
}

/* --- the view --- */

static const struct table_column columns[] = {
    {.name = "value", .title = "VALUE", .max_width = 48},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "share_percent", .title = "SHARE", .is_right = true},
    {.name = "error_percent", .title = "ERR%", .is_right = true},
    {.name = "cold_percent", .title = "COLD%", .is_right = true},
    {.name = "p50_ms", .title = "P50", .is_right = true},
    {.name = "p95_ms", .title = "P95", .is_right = true},
    {.name = "p99_ms", .title = "P99", .is_right = true},
    {.name = "max_memory_mb", .title = "MEM", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "per_million_usd", .title = "PER 1M", .is_right = true},
    {.name = "first_time", .title = "FIRST"},
    {.name = "last_time", .title = "LAST"},
};
static const unsigned char first[] = {0, 1, 3, 9, 6, 4, 5, 7, 10, 2, 8, 12, 11};

static void group_row(struct app *app, struct view_data *d, const struct group *g, uint64_t all)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    const struct stats *s = &g->sums.stats;
    const wide cny = g->sums.cny;

    view_state(s, &ref->style);
    ref->is_problem = ref->style != STYLE_PLAIN;
    ref->fn_id = g->fn_id;
    ref->fn_name = g->fn_id != 0 ? store_fn(app->options->store, g->fn_id)->name : (struct str){0};
    ref->group = g->value;
    ref->leads_to = VIEW_INVOCATIONS;
    for (int o = 0; o < OUTCOMES; o++)
        if (str_eq(app_place(app)->id, STR("result")) &&
            str_eq(g->value, str_from(outcome_name((enum outcome)o))))
            ref->outcome_mask = 1u << o;
    if (str_eq(app_place(app)->id, STR("error")) && !str_eq(g->value, STR("none")))
        ref->error_type = g->value;
    table_text(t, 0, g->value);
    cell_count(t, 1, s->n);
    cell_percent(t, 2, s->n, all);
    cell_percent(t, 3, stats_failed(s), s->n);
    cell_percent(t, 4, stats_cold(s), s->n);
    cell_percentile(t, 5, &s->duration, 500);
    cell_percentile(t, 6, &s->duration, 950);
    cell_percentile(t, 7, &s->duration, 990);
    table_i64(t, 8, (int64_t)(s->max_memory_used_bytes >> 20));
    cell_costs(t, 9, s->cost - cny, cny);
    if (s->n > 0)
        cell_costs(t, 10, wide_div_round((s->cost - cny) * 1000000, s->n),
                   wide_div_round(cny * 1000000, s->n));
    cell_time(t, 11, g->first_ns);
    cell_time(t, 12, g->last_ns);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    const struct place *p = app_place(app);
    struct groups g = {.arena = &app->data_arena, .property = property_named(p->id)};
    uint64_t all = 0;
    enum status s = scan(app, &d->range, p->fn_id, &g, e);

    if (s == OK)
        table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns),
                   "fnscope.top.breakdown", 1);
    for (size_t i = 0; s == OK && i < g.n; i++)
        all += g.rows[i].sums.stats.n;
    for (size_t i = 0; s == OK && i < g.n; i++)
        group_row(app, d, &g.rows[i], all);
    groups_clear(&g);
    return s;
}

static void draw_top(const struct app *app, struct frame *f, unsigned y, unsigned *used)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct place *p = &app->stack[app->depth - 1];
    bool is_part = app->data.range.since_ns > app_range(app).since_ns + NS_PER_MIN;
    struct str since = view_time(app, &a, app->data.range.since_ns, TIME_MINUTE);

    frame_text(f, 1, y, f->width - 2,
               arena_printf(&a, "by " STR_FMT "%s%.*s", STR_ARG(p->id),
                            is_part ? "; many attempts: only those since " : "", is_part ? 16 : 0,
                            since.p),
               is_part ? STYLE_WARN : STYLE_BOLD);
    *used = 1;
}

const struct view_ops view_breakdown = {
    .name = "breakdown",
    .title = "Breakdown",
    .load = load,
    .draw_top = draw_top,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .default_sort = 1,
    .tab = VIEW_BREAKDOWN,
};
