/* Traces: requests that name a trace, put together by it; one row a trace, the newest first. */
#include "core/base/map.h"
#include "tui/view.h"

#define ATTEMPTS_READ ((size_t)5000)

static const struct table_column columns[] = {
    {.name = "start_time", .title = "TIME"},
    {.name = "function", .title = "FIRST FUNCTION", .max_width = 28},
    {.name = "outcome", .title = "WORST"},
    {.name = "duration_ms", .title = "DUR", .is_right = true},
    {.name = "functions", .title = "FNS", .is_right = true},
    {.name = "attempts", .title = "TRIES", .is_right = true},
    {.name = "failed", .title = "FAILED", .is_right = true},
    {.name = "cold_starts", .title = "COLD", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "trace_id", .title = "TRACE ID"},
};
static const unsigned char first[] = {0, 1, 2, 3, 5, 8, 4, 6, 7, 9};

enum { MAX_FUNCTIONS = 16 };

struct trace {
    struct str id;
    const struct invocation *root; /* the first attempt */
    int64_t until_ns;
    uint64_t attempts, failed, cold;
    uint32_t fn_ids[MAX_FUNCTIONS];
    size_t n_functions; /* MAX_FUNCTIONS: or more */
    enum outcome worst;
    wide cost;
};

/* The order in which an outcome is worth telling. */
static int badness(enum outcome o)
{
    static const unsigned char order[OUTCOMES] = {
        [OUTCOME_OK] = 0,    [OUTCOME_UNKNOWN] = 1, [OUTCOME_THROTTLED] = 2,
        [OUTCOME_ERROR] = 3, [OUTCOME_TIMEOUT] = 4, [OUTCOME_INIT_ERROR] = 5,
        [OUTCOME_OOM] = 6};

    return order[o];
}

static void add_function(struct trace *t, uint32_t fn_id)
{
    for (size_t i = 0; i < t->n_functions; i++)
        if (t->fn_ids[i] == fn_id)
            return;
    if (t->n_functions < MAX_FUNCTIONS)
        t->fn_ids[t->n_functions++] = fn_id;
}

static void add_attempt(struct trace *t, const struct invocation *inv, uint32_t fn_id)
{
    int64_t end = inv->start_ns + inv->duration_ns;

    if (!t->root || inv->start_ns < t->root->start_ns)
        t->root = inv;
    t->until_ns = end > t->until_ns ? end : t->until_ns;
    t->attempts++;
    t->failed += view_result_style(inv->outcome) == STYLE_BAD;
    t->cold += inv->start == START_COLD || inv->start == START_SNAPSTART;
    t->worst =
        t->attempts == 1 || badness(inv->outcome) > badness(t->worst) ? inv->outcome : t->worst;
    t->cost += inv->cost;
    add_function(t, fn_id);
}

/* By the order of their newest attempt. */
static size_t gather(struct app *app, const struct inv_rows *rows, struct trace **out)
{
    struct trace *traces = arena_new(&app->data_arena, struct trace, rows->n + 1);
    struct map index = {0};
    size_t n = 0;
    bool is_new;

    for (size_t i = 0; i < rows->n; i++) {
        if (rows->rows[i].trace_id.n == 0)
            continue;
        uint64_t *at = map_put(&index, rows->rows[i].trace_id, &is_new);
        if (is_new) {
            *at = n;
            traces[n++] = (struct trace){.id = rows->rows[i].trace_id};
        }
        add_attempt(&traces[*at], &rows->rows[i], rows->fn_ids[i]);
    }
    map_clear(&index);
    *out = traces;
    return n;
}

static void trace_row(struct app *app, struct view_data *d, const struct trace *x)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;

    *ref = (struct row_ref){.id = x->root->id,
                            .time_ns = x->root->start_ns,
                            .style = view_result_style(x->worst),
                            .is_problem = x->failed > 0};
    cell_time(t, 0, x->root->start_ns);
    table_text(t, 1, x->root->origin->fn->name);
    table_text_shown(t, 2, str_from(outcome_name(x->worst)), str_from(view_result(x->worst)));
    cell_duration(t, 3, x->until_ns - x->root->start_ns);
    cell_count(t, 4, x->n_functions);
    cell_count(t, 5, x->attempts);
    cell_count(t, 6, x->failed);
    cell_count(t, 7, x->cold);
    cell_money_of(t, 8, x->cost, x->root->origin->fn);
    table_text(t, 9, x->id);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    struct inv_request q = {.range = d->range,
                            .fn = app->fn_filter,
                            .fn_id = app_place(app)->fn_id,
                            .order = INV_NEWEST,
                            .limit = ATTEMPTS_READ};
    struct inv_rows rows;
    struct trace *traces;

    if (request_invocations(app->options->store, &q, &app->data_arena, &rows, e) != OK)
        return e->code;
    size_t n = gather(app, &rows, &traces);
    d->is_more = rows.is_more;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.traces", 1);
    for (size_t i = 0; i < n; i++)
        trace_row(app, d, &traces[i]);
    return OK;
}

const struct view_ops view_traces = {
    .name = "traces",
    .title = "Traces",
    .load = load,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .is_newest_first = true,
    .default_sort = -1,
    .tab = VIEW_INVOCATIONS,
    .empty = "No request of this time range names a trace: tracing is off, or { goes back.",
};
