/* Queues and dead-letter queues: how much waits, how long, whether it gets less. */
#include "tui/view.h"

#define TREND_CELLS 12
/* A queue not read for so long may hold anything by now. */
#define STALE_NS (10 * NS_PER_MIN)

static const struct table_column columns[] = {
    {.name = "queue", .title = "QUEUE", .max_width = 40},
    {.name = "state", .title = "STATE"},
    {.name = "depth", .title = "DEPTH", .is_right = true},
    {.name = "oldest_ms", .title = "OLDEST", .is_right = true},
    {.name = "trend", .title = "TREND"},
    {.name = "per_hour", .title = "CHANGE/H", .is_right = true},
    {.name = "drains_in_ms", .title = "DRAINS", .is_right = true},
    {.name = "in_flight", .title = "FLIGHT", .is_right = true},
    {.name = "delayed", .title = "DELAYED", .is_right = true},
    {.name = "dead_letter", .title = "DLQ", .max_width = 30},
    {.name = "fed_by", .title = "FED BY", .max_width = 40},
    {.name = "read_by", .title = "READ BY", .max_width = 40},
    {.name = "max_receives", .title = "TRIES", .is_right = true},
    {.name = "retention_ms", .title = "KEPT", .is_right = true},
    {.name = "seen_time", .title = "READ"},
};
static const unsigned char first[] = {0, 1, 2, 3, 5, 4, 6, 7, 10, 11, 9, 8, 12, 13, 14};

enum {
    COLUMN_QUEUE,
    COLUMN_STATE,
    COLUMN_DEPTH,
    COLUMN_OLDEST,
    COLUMN_TREND,
    COLUMN_CHANGE,
    COLUMN_DRAINS,
    COLUMN_IN_FLIGHT,
    COLUMN_DELAYED,
    COLUMN_DLQ,
    COLUMN_FED_BY,
    COLUMN_READ_BY,
    COLUMN_TRIES,
    COLUMN_KEPT,
    COLUMN_READ
};

/* Readings of one queue's depth over the range; NULL: none. */
static const struct metric_series *depths_of(const struct metric_rows *m, const struct msg_queue *q)
{
    struct subject s = {.scope = SCOPE_QUEUE, .of = q->of};

    for (size_t i = 0; i < m->n; i++)
        if (m->rows[i].metric == METRIC_QUEUE_DEPTH && subject_eq(&m->rows[i].subject, &s))
            return &m->rows[i];
    return NULL;
}

/* The first and the last reading that hold a value; false: fewer than two. */
static bool ends_of(const struct metric_series *s, const struct metric_sample **from,
                    const struct metric_sample **to)
{
    *from = *to = NULL;
    for (size_t i = 0; s && i < s->n; i++) {
        if (s->points[i].is_missing)
            continue;
        *from = *from ? *from : &s->points[i];
        *to = &s->points[i];
    }
    return *from != *to && *from;
}

/* Depth over the range in a few cells: the largest reading of each part. */
static struct str trend_of(struct app *app, const struct metric_series *s)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
    AUTO(buf_clear) struct buf b = {.max = 256};
    int64_t most[TREND_CELLS] = {0}, top = 0;
    int64_t since = app->data.range.since_ns, span = app->data.range.until_ns - since;

    for (size_t i = 0; s && i < s->n && span > 0; i++) {
        int64_t at = (s->points[i].time_ns - since) / (span / TREND_CELLS + 1);
        int64_t v = s->points[i].is_missing ? 0 : s->points[i].value;
        if (at < 0 || at >= TREND_CELLS)
            continue;
        most[at] = v > most[at] ? v : most[at];
        top = v > top ? v : top;
    }
    for (size_t i = 0; i < TREND_CELLS && top > 0; i++)
        buf_add_z(&b, (app->frame.is_ascii ? ascii : blocks)[(most[i] * 8 + top - 1) / top]);
    return arena_str(&app->data_arena, buf_str(&b));
}

static const char *state_of(const struct app *app, const struct msg_queue *q, int64_t per_hour,
                            enum style *style)
{
    *style = STYLE_BAD;
    if (q->is_dlq && q->depth > 0)
        return "x dead letters";
    if (q->retention_ns > 0 && q->has_age && q->oldest_ns > q->retention_ns / 10 * 8)
        return "x expires soon";
    *style = STYLE_WARN;
    if (clock_now(&app->options->clock) - q->seen_ns > STALE_NS && app->range.until_ns == 0)
        return "? not read lately";
    if (per_hour > 0 && q->depth > 0)
        return "! grows";
    *style = STYLE_PLAIN;
    return q->depth > 0 ? "  drains" : "  empty";
}

static void change_cells(struct table *t, const struct msg_queue *q, int64_t per_hour)
{
    const int64_t hour = NS_PER_HOUR;

    table_i64(t, COLUMN_CHANGE, per_hour);
    if (per_hour < 0 && q->depth > 0)
        cell_duration(t, COLUMN_DRAINS, (int64_t)wide_div_round((wide)q->depth * hour, -per_hour));
}

/* Who reads it, or for a dead-letter queue whose failures it holds: there Enter leads. An attempt
 * that handed only some messages back ended well: why it did stands in its lines. */
static void find_function(const struct view_data *d, const struct msg_queue *q, struct row_ref *ref)
{
    struct str names = q->is_dlq && q->feeders.n > 0 ? q->feeders : q->consumers;

    for (size_t i = 0; i < d->functions.n; i++) {
        struct str rest = names, name = d->functions.rows[i].fn.name;
        while (rest.n > 0) {
            struct str one = str_trim(str_cut(&rest, ','));
            one = str_starts(one, STR("function:")) ? str_skip(one, 9) : one;
            if (!str_eq(one, name))
                continue;
            ref->fn_id = d->functions.rows[i].fn_id;
            ref->fn_name = name;
            ref->leads_to = stats_failed(&d->functions.rows[i].stats) > 0 ? VIEW_ERRORS : VIEW_LOG;
            return;
        }
    }
}

/* A dead-letter queue names the queues that feed it: their readers are whose work failed. */
static void find_through_feeders(const struct view_data *d, const struct queue_rows *all,
                                 const struct msg_queue *q, struct row_ref *ref)
{
    struct str rest = q->feeders;

    find_function(d, q, ref);
    while (rest.n > 0 && ref->fn_id == 0) {
        struct str one = str_trim(str_cut(&rest, ','));
        for (size_t i = 0; i < all->n && ref->fn_id == 0; i++)
            if (str_eq(all->rows[i].of.name, one) && !all->rows[i].is_dlq)
                find_function(d, &all->rows[i], ref);
    }
}

static void queue_row(struct app *app, struct view_data *d, const struct msg_queue *q,
                      const struct metric_series *depths)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    const struct metric_sample *from, *to;
    const int64_t hour = NS_PER_HOUR;
    int64_t per_hour = 0;

    bool has_change = ends_of(depths, &from, &to) && to->time_ns > from->time_ns;
    if (has_change)
        per_hour = (int64_t)wide_div_round((wide)(to->value - from->value) * hour,
                                           to->time_ns - from->time_ns);
    const char *state = state_of(app, q, per_hour, &ref->style);
    ref->is_problem = ref->style != STYLE_PLAIN;
    table_text(t, COLUMN_QUEUE, q->of.name);
    table_text_shown(t, COLUMN_STATE, str_trim(str_from(state)), str_from(state));
    table_i64(t, COLUMN_DEPTH, q->depth);
    if (q->has_age)
        cell_duration(t, COLUMN_OLDEST, q->oldest_ns);
    table_text(t, COLUMN_TREND, trend_of(app, depths));
    if (has_change)
        change_cells(t, q, per_hour);
    table_i64(t, COLUMN_IN_FLIGHT, q->in_flight);
    table_i64(t, COLUMN_DELAYED, q->delayed);
    if (q->dead_letter.n > 0)
        table_text(t, COLUMN_DLQ, q->dead_letter);
    if (q->feeders.n > 0)
        table_text(t, COLUMN_FED_BY, q->feeders);
    if (q->consumers.n > 0)
        table_text(t, COLUMN_READ_BY, q->consumers);
    if (q->max_receives > 0)
        table_i64(t, COLUMN_TRIES, q->max_receives);
    if (q->retention_ns > 0)
        cell_duration(t, COLUMN_KEPT, q->retention_ns);
    cell_time(t, COLUMN_READ, q->seen_ns);
}

static enum status load(struct app *app, struct view_data *d, struct err *e)
{
    static const enum metric metrics[] = {METRIC_QUEUE_DEPTH};
    struct metric_request q = {.range = d->range,
                               .subject = {.scope_mask = 1u << SCOPE_QUEUE},
                               .metrics = metrics,
                               .n_metrics = ARRAY_LEN(metrics)};
    struct fn_filter filter = app->fn_filter;
    struct queue_rows queues;
    struct metric_rows readings;

    filter.name_glob = (struct str){0}; /* it is for functions */
    enum status s = view_load_functions(app, d, e);
    if (s == OK)
        s = request_queues(app->options->store, &filter, &app->data_arena, &queues, e);
    if (s == OK)
        s = request_metrics(app->options->store, &q, &app->data_arena, &readings, e);
    if (s != OK)
        return s;
    table_init(&d->table, &app->data_arena, columns, ARRAY_LEN(columns), "fnscope.top.queues", 1);
    for (size_t i = 0; i < queues.n; i++) {
        queue_row(app, d, &queues.rows[i], depths_of(&readings, &queues.rows[i]));
        find_through_feeders(d, &queues, &queues.rows[i], &d->refs[d->table.n_rows - 1]);
    }
    return OK;
}

const struct view_ops view_queues = {
    .name = "queues",
    .title = "Queues",
    .load = load,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .default_sort = COLUMN_DEPTH,
    .tab = VIEW_QUEUES,
    .empty = "No queue is known: a collector that reads an account's queues fills this.",
};
