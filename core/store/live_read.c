/* Reading metric points, queues and sources. Files of an older version have no tables for them and
 * give no rows. */
#include <stdlib.h>

#include "core/base/timefmt.h"
#include "core/store/gone.h"

bool subject_passes(const struct subject_filter *f, const struct subject *s)
{
    if (f->scope_mask != 0 && (f->scope_mask >> s->scope & 1) == 0)
        return false;
    return fn_filter_passes(&f->of, &s->of);
}

/* --- series --- */

struct series_id {
    struct metric_series series;
    uint32_t id;
    size_t cap;
};

struct series_list {
    struct arena *arena;
    struct series_id *rows;
    size_t n, cap;
};

static bool wants_metric(const struct metric_request *q, enum metric m)
{
    for (size_t i = 0; i < q->n_metrics; i++)
        if (q->metrics[i] == m)
            return true;
    return q->n_metrics == 0;
}

static void add_series(struct series_list *l, const struct metric_request *q,
                       const struct sql_stmt *st)
{
    struct series_id r = {.id = (uint32_t)sql_i64(st, 0)};
    struct fn_ref *of = &r.series.subject.of;

    if (!metric_scope_parse(sql_str(st, 1), &r.series.subject.scope) ||
        !metric_parse(sql_str(st, 6), &r.series.metric) || !wants_metric(q, r.series.metric))
        return;
    *of = (struct fn_ref){
        .provider = (enum provider)sql_i64(st, 2), sql_str(st, 3), sql_str(st, 4), sql_str(st, 5)};
    if (!subject_passes(&q->subject, &r.series.subject))
        return;
    of->account = arena_str(l->arena, of->account);
    of->region = arena_str(l->arena, of->region);
    of->name = arena_str(l->arena, of->name);
    r.series.period_ns = sql_i64(st, 7);
    l->rows = arena_grow(l->arena, l->rows, l->n, &l->cap, sizeof(*l->rows));
    l->rows[l->n++] = r;
}

static enum status list_series(struct store *s, const struct metric_request *q,
                               struct series_list *l, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(
        s->meta,
        STR("select id, scope, provider, account, region, name, metric, period_ns from series"),
        &st, e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row)
        add_series(l, q, st);
    sql_finalize(st);
    return status;
}

static int compare_refs(const struct fn_ref *a, const struct fn_ref *b)
{
    int c = (a->provider > b->provider) - (a->provider < b->provider);

    c = c ? c : str_cmp(a->account, b->account);
    c = c ? c : str_cmp(a->region, b->region);
    return c ? c : str_cmp(a->name, b->name);
}

static int compare_series(const void *a, const void *b)
{
    const struct metric_series *x = &((const struct series_id *)a)->series,
                               *y = &((const struct series_id *)b)->series;
    int c = (x->subject.scope > y->subject.scope) - (x->subject.scope < y->subject.scope);

    c = c ? c : compare_refs(&x->subject.of, &y->subject.of);
    c = c ? c : (x->metric > y->metric) - (x->metric < y->metric);
    return c ? c : (x->period_ns > y->period_ns) - (x->period_ns < y->period_ns);
}

/* --- points --- */

static void add_sample(struct series_list *l, struct series_id *r, int64_t base,
                       const struct sql_stmt *st)
{
    r->series.points =
        arena_grow(l->arena, r->series.points, r->series.n, &r->cap, sizeof(*r->series.points));
    r->series.points[r->series.n++] = (struct metric_sample){
        .time_ns = base + sql_i64(st, 0) * NS_PER_MS,
        .value = sql_i64(st, 1),
        .weight = (uint32_t)sql_i64(st, 2),
        .is_missing = sql_is_null(st, 1),
    };
}

/* Milliseconds of the day, rounded up: a bound of [since, until). */
static int64_t bound_ms(int64_t t_ns, int64_t base)
{
    const int64_t in_day = t_ns < base ? 0 : t_ns - base;

    return in_day > NS_PER_DAY ? NS_PER_DAY / NS_PER_MS : (in_day + NS_PER_MS - 1) / NS_PER_MS;
}

static enum status read_day(struct store *s, int64_t number, struct range r, struct series_list *l,
                            struct err *e)
{
    const int64_t base = number * NS_PER_DAY;
    struct sql_stmt *st;
    struct day *d;
    bool has_row = false;
    enum status status = store_day(s, number, false, &d, e);

    if (status != OK || !d || !schema_has(d->db, "point"))
        return status;
    status = sql_prepare(d->db,
                         STR("select ts, value, weight from point where series = ? and ts >= ? and "
                             "ts < ? order by ts"),
                         &st, e);
    for (size_t i = 0; status == OK && i < l->n; i++) {
        sql_bind_i64(st, 1, l->rows[i].id);
        sql_bind_i64(st, 2, bound_ms(r.since_ns, base));
        sql_bind_i64(st, 3, bound_ms(r.until_ns, base));
        while ((status = sql_step(st, &has_row, e)) == OK && has_row)
            add_sample(l, &l->rows[i], base, st);
        sql_reset(st);
    }
    sql_finalize(st);
    return status;
}

enum status request_metrics(struct store *s, const struct metric_request *q, struct arena *a,
                            struct metric_rows *out, struct err *e)
{
    struct series_list l = {.arena = a};
    struct metric_rows r = {0};
    enum status status = OK;

    if (!s->is_null && schema_has(s->meta, "series")) {
        status = list_series(s, q, &l, e);
        if (status == OK)
            status = store_scan_days(s, e);
    }
    if (l.n > 1)
        qsort(l.rows, l.n, sizeof(*l.rows), compare_series);
    for (size_t i = 0; status == OK && l.n > 0 && i < s->n_day_numbers; i++)
        if (range_meets_day(q->range, s->day_numbers[i]))
            status = read_day(s, s->day_numbers[i], q->range, &l, e);
    if (status != OK)
        return status;
    r.rows = arena_new(a, struct metric_series, l.n + 1);
    for (size_t i = 0; i < l.n; i++)
        if (l.rows[i].series.n > 0)
            r.rows[r.n++] = l.rows[i].series;
    *out = r;
    return OK;
}

/* --- sums of points --- */

/* As a whole number that does not overflow: a day must be removable, whatever it holds. */
static enum status sum_day(struct day *d, const struct series_list *l, int64_t *add_to,
                           struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    if (!schema_has(d->db, "point"))
        return OK;
    enum status status = sql_prepare(
        d->db,
        STR("select cast(total(value * max(weight, 1)) as integer) from point where series = ?"),
        &st, e);
    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < l->n; i++) {
        sql_bind_i64(st, 1, l->rows[i].id);
        status = sql_step(st, &has_row, e);
        if (status == OK && has_row)
            add_to[i] += sql_i64(st, 0);
        sql_reset(st);
    }
    sql_finalize(st);
    return status;
}

static enum status list_sums(struct store *s, const struct metric_request *q, struct series_list *l,
                             struct err *e)
{
    size_t n = 0;

    if (s->is_null || !schema_has(s->meta, "series"))
        return OK;
    const enum status status = list_series(s, q, l, e);
    for (size_t i = 0; i < l->n; i++)
        if (metric_info(l->rows[i].series.metric)->is_sum)
            l->rows[n++] = l->rows[i];
    l->n = n;
    return status;
}

enum status live_sum_day(struct store *s, struct day *d, struct arena *a, struct series_sums *out,
                         struct err *e)
{
    static const struct metric_request all = {.n_metrics = 0};
    struct series_list l = {.arena = a};
    enum status status = list_sums(s, &all, &l, e);
    int64_t *sums = arena_new(a, int64_t, l.n + 1);

    *out = (struct series_sums){arena_new(a, struct series_sum, l.n + 1), 0};
    if (status == OK)
        status = sum_day(d, &l, sums, e);
    for (size_t i = 0; status == OK && i < l.n; i++)
        if (sums[i] != 0)
            out->rows[out->n++] = (struct series_sum){l.rows[i].id, sums[i]};
    return status;
}

static enum status sum_removed(struct store *s, const struct series_list *l, int64_t *sums,
                               struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status =
        sql_prepare(s->meta, STR("select value from counter where name = 'points ' || ?"), &st, e);

    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < l->n; i++) {
        sql_bind_i64(st, 1, l->rows[i].id);
        status = sql_step(st, &has_row, e);
        sums[i] = status == OK && has_row ? sql_i64(st, 0) : 0;
        sql_reset(st);
    }
    sql_finalize(st);
    return status;
}

static enum status sum_once(struct store *s, const struct series_list *l, int64_t *sums,
                            struct err *e)
{
    enum status status = sum_removed(s, l, sums, e);

    if (status == OK)
        status = store_scan_days(s, e);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct day *d = NULL;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d != NULL)
            status = sum_day(d, l, sums, e);
    }
    return status;
}

enum status request_metric_totals(struct store *s, const struct metric_request *q, struct arena *a,
                                  struct metric_totals *out, struct err *e)
{
    struct series_list l = {.arena = a};
    int64_t before = 0, after = 1;
    enum status status = list_sums(s, q, &l, e);
    int64_t *sums = arena_new(a, int64_t, l.n + 1);

    *out = (struct metric_totals){arena_new(a, struct metric_total, l.n + 1), 0};
    if (l.n > 1)
        qsort(l.rows, l.n, sizeof(*l.rows), compare_series);
    /* A day removed meanwhile would be counted twice or not at all. */
    for (int tries = 0; status == OK && l.n > 0 && before != after && tries < 5; tries++) {
        status = gone_removals(s, &before, e);
        if (status == OK)
            status = sum_once(s, &l, sums, e);
        if (status == OK)
            status = gone_removals(s, &after, e);
    }
    for (size_t i = 0; status == OK && i < l.n; i++) {
        const struct metric_series *m = &l.rows[i].series;
        out->rows[out->n++] = (struct metric_total){m->subject, m->metric, m->period_ns, sums[i]};
    }
    return status;
}

/* --- sources --- */

static struct str copy(struct arena *a, const struct sql_stmt *st, int column)
{
    return arena_str(a, sql_str(st, column));
}

static struct source_status read_source(const struct sql_stmt *st, struct arena *a)
{
    return (struct source_status){
        .name = copy(a, st, 0),
        .type = copy(a, st, 1),
        .account = copy(a, st, 2),
        .region = copy(a, st, 3),
        .tried_ns = sql_i64(st, 4),
        .success_ns = sql_i64(st, 5),
        .watermark_ns = sql_i64(st, 6),
        .lag_ns = sql_i64(st, 7),
        .add_calls = (uint64_t)sql_i64(st, 8),
        .add_errors = (uint64_t)sql_i64(st, 9),
        .add_throttles = (uint64_t)sql_i64(st, 10),
        .add_bytes = (uint64_t)sql_i64(st, 11),
        .add_events = (uint64_t)sql_i64(st, 12),
        .add_cost = sql_i64(st, 13),
        .failures = (uint32_t)sql_i64(st, 14),
        .error = copy(a, st, 15),
        .quota_ppm = (uint32_t)sql_i64(st, 16),
        .quota = copy(a, st, 17),
        .cost_cap = sql_i64(st, 18),
        .cost_today = sql_i64(st, 19),
        .is_capped = sql_i64(st, 20) != 0,
    };
}

static struct source_part read_part(const struct sql_stmt *st, struct arena *a)
{
    return (struct source_part){
        .name = copy(a, st, 1),
        .tried_ns = sql_i64(st, 2),
        .success_ns = sql_i64(st, 3),
        .round_ns = sql_i64(st, 4),
        .add_calls = (uint64_t)sql_i64(st, 5),
        .add_errors = (uint64_t)sql_i64(st, 6),
        .add_cost = sql_i64(st, 7),
        .error = copy(a, st, 8),
    };
}

static struct source_status *source_named(const struct source_rows *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->rows[i].name, name))
            return &r->rows[i];
    return NULL;
}

static enum status read_parts(struct store *s, const struct source_rows *r, struct arena *a,
                              struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    if (!schema_has(s->meta, "source_part"))
        return OK;
    enum status status =
        sql_prepare(s->meta,
                    STR("select source, part, tried_ns, success_ns, round_ns, calls, errors, cost, "
                        "error from source_part order by source, part"),
                    &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct source_status *of = source_named(r, sql_str(st, 0));
        if (of && of->n_parts < SOURCE_MAX_PARTS)
            of->parts[of->n_parts++] = read_part(st, a);
    }
    sql_finalize(st);
    return status;
}

enum status request_sources(struct store *s, struct arena *a, struct source_rows *out,
                            struct err *e)
{
    struct source_rows r = {0};
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;

    *out = r;
    if (s->is_null || !schema_has(s->meta, "source_state"))
        return OK;
    enum status status = sql_prepare(
        s->meta,
        STR("select name, type, account, region, tried_ns, success_ns, watermark_ns, lag_ns, "
            "calls, "
            "errors, throttles, bytes, events, cost, failures, error, quota_ppm, quota, cost_cap, "
            "cost_today, is_capped from source_state order by name"),
        &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        r.rows = arena_grow(a, r.rows, r.n, &cap, sizeof(*r.rows));
        r.rows[r.n++] = read_source(st, a);
    }
    sql_finalize(st);
    if (status == OK)
        status = read_parts(s, &r, a, e);
    if (status == OK)
        *out = r;
    return status;
}

/* --- queues --- */

#define QUEUE_COLUMNS                                                                              \
    "provider, account, region, name, url, arn, dead_letter, feeders, consumers, is_dlq, depth, "  \
    "in_flight, delayed, oldest_ns, retention_ns, visibility_ns, max_receives, seen_ns"
#define QUEUE_ORDER " from queue order by 1, 2, 3, 4"

static struct msg_queue read_queue(const struct sql_stmt *st, struct arena *a)
{
    return (struct msg_queue){
        .of = {.provider = (enum provider)sql_i64(st, 0),
               .account = copy(a, st, 1),
               .region = copy(a, st, 2),
               .name = copy(a, st, 3)},
        .url = copy(a, st, 4),
        .arn = copy(a, st, 5),
        .dead_letter = copy(a, st, 6),
        .feeders = copy(a, st, 7),
        .consumers = copy(a, st, 8),
        .is_dlq = sql_i64(st, 9) != 0,
        .depth = sql_i64(st, 10),
        .in_flight = sql_i64(st, 11),
        .delayed = sql_i64(st, 12),
        .has_age = !sql_is_null(st, 13),
        .oldest_ns = sql_i64(st, 13),
        .retention_ns = sql_i64(st, 14),
        .visibility_ns = sql_i64(st, 15),
        .max_receives = (uint32_t)sql_i64(st, 16),
        .seen_ns = sql_i64(st, 17),
        .source = copy(a, st, 18),
    };
}

static const struct source_part *queues_part(const struct source_status *s)
{
    for (size_t i = 0; i < s->n_parts; i++)
        if (str_eq(s->parts[i].name, STR(SOURCE_PART_QUEUES)))
            return &s->parts[i];
    return NULL;
}

static bool has_missed(const struct source_status *s, const struct msg_queue *q)
{
    const struct source_part *part = queues_part(s);

    return part && part->round_ns > q->seen_ns;
}

/* A row of an older store does not name its source: any that reads the queues there would have met
 * it. */
static bool is_missed_by_any(const struct source_rows *sources, const struct msg_queue *q)
{
    for (size_t i = 0; i < sources->n; i++) {
        const struct source_status *s = &sources->rows[i];
        const struct source_part *part = queues_part(s);
        if (part && part->add_calls > 0 && str_eq(s->region, q->of.region) &&
            (s->account.n == 0 || str_eq(s->account, q->of.account)) && has_missed(s, q))
            return true;
    }
    return false;
}

static enum queue_presence presence_of(const struct source_rows *sources, const struct msg_queue *q)
{
    const struct source_status *own = source_named(sources, q->source);

    if (q->source.n == 0)
        return is_missed_by_any(sources, q) ? QUEUE_GONE : QUEUE_THERE;
    if (!own || (own->n_parts > 0 && !queues_part(own)))
        return QUEUE_UNREAD;
    return has_missed(own, q) ? QUEUE_GONE : QUEUE_THERE;
}

enum status request_queues(struct store *s, const struct fn_filter *f, struct arena *a,
                           struct queue_rows *out, struct err *e)
{
    struct queue_rows r = {0};
    struct source_rows sources;
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;

    *out = r;
    if (s->is_null || !schema_has(s->meta, "queue"))
        return OK;
    enum status status = request_sources(s, a, &sources, e);
    if (status == OK)
        status = sql_prepare(s->meta,
                             schema_has(s->meta, "source_part")
                                 ? STR("select " QUEUE_COLUMNS ", source" QUEUE_ORDER)
                                 : STR("select " QUEUE_COLUMNS ", ''" QUEUE_ORDER),
                             &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct msg_queue q = read_queue(st, a);
        if (!fn_filter_passes(f, &q.of))
            continue;
        q.presence = presence_of(&sources, &q);
        r.rows = arena_grow(a, r.rows, r.n, &cap, sizeof(*r.rows));
        r.rows[r.n++] = q;
    }
    sql_finalize(st);
    if (status == OK)
        *out = r;
    return status;
}
