/* Queues and dead-letter queues: how much waits, how long, whether it gets less. */
#include "tui/view.h"

#define TREND_CELLS 12
/* What a queue did in these last minutes tells what it does. */
#define TREND_NS (5 * NS_PER_MIN)
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

const struct metric_series *view_queue_series(const struct metric_rows *m,
                                              const struct msg_queue *q, enum metric of)
{
    struct subject s = {.scope = SCOPE_QUEUE, .of = q->of};

    for (size_t i = 0; i < m->n; i++)
        if (m->rows[i].metric == of && subject_eq(&m->rows[i].subject, &s))
            return &m->rows[i];
    return NULL;
}

struct str view_queue_id(struct arena *a, const struct msg_queue *q)
{
    if (q->arn.n > 0)
        return q->arn;
    return arena_printf(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(q->of.account),
                        STR_ARG(q->of.region), STR_ARG(q->of.name));
}

/* The newest reading, and the first of the minutes before it: the one before where there is none.
 * An empty queue begins anew: what was taken away before says nothing about what came since. */
void view_queue_change(const struct metric_series *s, struct queue_change *out)
{
    const struct metric_sample *from = NULL, *to = NULL;
    const int64_t hour = NS_PER_HOUR;

    *out = (struct queue_change){.is_known = false};
    for (size_t i = s ? s->n : 0; i-- > 0;) {
        const struct metric_sample *p = &s->points[i];
        if (p->is_missing)
            continue;
        to = to ? to : p;
        if (p == to)
            continue;
        if (from && p->time_ns < to->time_ns - TREND_NS)
            break;
        from = p;
        if (p->value == 0)
            break;
    }
    if (!from || to->time_ns <= from->time_ns)
        return;
    out->is_known = true;
    out->from = *from;
    out->to = *to;
    out->per_hour = (int64_t)wide_div_round((wide)(to->value - from->value) * hour,
                                            to->time_ns - from->time_ns);
}

int64_t view_queue_drains(const struct msg_queue *q, const struct queue_change *c)
{
    const int64_t hour = NS_PER_HOUR;

    return c->per_hour < 0 ? (int64_t)wide_div_round((wide)q->depth * hour, -c->per_hour) : 0;
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

/* Where the messages of a queue go. */
static const char *course_of(const struct msg_queue *q, int64_t per_hour, enum style *style)
{
    *style = per_hour > 0 || (per_hour == 0 && q->in_flight == 0) ? STYLE_WARN : STYLE_PLAIN;
    if (per_hour != 0)
        return per_hour > 0 ? "! grows" : "  drains";
    /* And nobody has a message of it in hand? */
    return q->in_flight == 0 ? "! not draining" : "  not draining";
}

const char *view_queue_state(const struct app *app, const struct msg_queue *q, int64_t per_hour,
                             enum style *style)
{
    *style = STYLE_DIM;
    if (q->presence == QUEUE_GONE)
        return "- no longer there";
    if (q->presence == QUEUE_UNREAD)
        return "- no source reads it";
    *style = STYLE_BAD;
    if (q->is_dlq && q->depth > 0)
        return "x dead letters";
    if (q->retention_ns > 0 && q->has_age && q->oldest_ns > q->retention_ns / 10 * 8)
        return "x expires soon";
    *style = STYLE_WARN;
    if (clock_now(&app->options->clock) - q->seen_ns > STALE_NS && app->range.until_ns == 0)
        return "? not read lately";
    if (q->depth > 0)
        return course_of(q, per_hour, style);
    *style = STYLE_PLAIN;
    return "  empty";
}

/* --- whose work it is --- */

static bool names_function(struct str list, struct str name)
{
    while (list.n > 0) {
        struct str one = str_trim(str_cut(&list, ','));
        one = str_starts(one, STR("function:")) ? str_skip(one, 9) : one;
        if (str_eq(one, name))
            return true;
    }
    return false;
}

static bool is_beside(const struct fn_ref *a, const struct fn_ref *b)
{
    return a->provider == b->provider && str_eq(a->account, b->account) &&
           str_eq(a->region, b->region);
}

/* A dead-letter queue names the queues that feed it: their readers are whose work failed. */
bool view_queue_is_worked_on(const struct queue_rows *all, const struct msg_queue *q,
                             const struct fn_ref *fn)
{
    if (!is_beside(fn, &q->of))
        return false;
    if (names_function(q->consumers, fn->name) || names_function(q->feeders, fn->name))
        return true;
    for (size_t i = 0; i < all->n; i++) {
        const struct msg_queue *f = &all->rows[i];
        if (names_function(q->feeders, f->of.name) && is_beside(&f->of, &q->of) &&
            names_function(f->consumers, fn->name))
            return true;
    }
    return false;
}

/* Whose lines l shows. */
static void find_function(const struct view_data *d, const struct queue_rows *all,
                          const struct msg_queue *q, struct row_ref *ref)
{
    for (size_t i = 0; i < d->functions.n && ref->fn_id == 0; i++) {
        if (!view_queue_is_worked_on(all, q, &d->functions.rows[i].fn))
            continue;
        ref->fn_id = d->functions.rows[i].fn_id;
        ref->fn_name = d->functions.rows[i].fn.name;
    }
}

static void queue_row(struct app *app, struct view_data *d, const struct msg_queue *q,
                      const struct metric_series *depths)
{
    struct row_ref *ref = view_row(d, &app->data_arena);
    struct table *t = &d->table;
    struct queue_change change;

    view_queue_change(depths, &change);
    const char *state = view_queue_state(app, q, change.per_hour, &ref->style);
    ref->leads_to = VIEW_QUEUE;
    ref->id = view_queue_id(&app->data_arena, q);
    ref->is_problem = ref->style == STYLE_BAD || ref->style == STYLE_WARN;
    table_text(t, COLUMN_QUEUE, q->of.name);
    table_text_shown(t, COLUMN_STATE, str_trim(str_from(state)), str_from(state));
    table_i64(t, COLUMN_DEPTH, q->depth);
    if (q->has_age)
        cell_duration(t, COLUMN_OLDEST, q->oldest_ns);
    table_text(t, COLUMN_TREND, trend_of(app, depths));
    if (change.is_known)
        table_i64(t, COLUMN_CHANGE, change.per_hour);
    if (change.per_hour < 0 && q->depth > 0)
        cell_duration(t, COLUMN_DRAINS, view_queue_drains(q, &change));
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
        const struct msg_queue *one = &queues.rows[i];
        if (one->presence != QUEUE_THERE && one->seen_ns < d->range.since_ns)
            continue; /* nothing of it lies in the range */
        queue_row(app, d, one, view_queue_series(&readings, one, METRIC_QUEUE_DEPTH));
        find_function(d, &queues, one, &d->refs[d->table.n_rows - 1]);
    }
    return OK;
}

const struct view_ops view_queues = {
    .name = "queues",
    .title = "Queues",
    .load = load,
    .has_ages = true,
    .first = first,
    .n_first = ARRAY_LEN(first),
    .default_sort = COLUMN_DEPTH,
    .tab = VIEW_QUEUES,
    .empty = "No queue is known: a collector that reads an account's queues fills this.",
};
