/* Gathers both counts from the store: the provider's from hourly points, the logs' from roll-ups.
 */
#include <stdlib.h>

#include "analyzer/analyzer.h"
#include "core/base/map.h"
#include "core/base/timefmt.h"
#include "core/store/store.h"

struct course {
    struct count_course count;
    struct count_hour *hours;
    size_t cap;
};

struct courses {
    struct store *store;
    struct arena *arena;
    struct range range;
    struct map by_fn; /* text of the reference -> index */
    struct idmap by_id;
    struct course *rows;
    size_t n, cap;
};

static struct str fn_text(struct arena *a, const struct fn_ref *f)
{
    return arena_printf(a, "%s\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, provider_name(f->provider),
                        STR_ARG(f->account), STR_ARG(f->region), STR_ARG(f->name));
}

static struct course *course_of(struct courses *all, const struct fn_ref *fn)
{
    bool is_new;
    uint64_t *at = map_put(&all->by_fn, fn_text(all->arena, fn), &is_new);

    if (is_new) {
        *at = all->n;
        all->rows = arena_grow(all->arena, all->rows, all->n, &all->cap, sizeof(*all->rows));
        all->rows[all->n++] = (struct course){.count = {.fn = *fn, .logs_from_ns = INT64_MAX}};
    }
    return &all->rows[*at];
}

/* The hour's place; hours come ascending, of points first and of logs then, so it may be between.
 */
static struct count_hour *hour_of(struct courses *all, struct course *c, int64_t hour_ns)
{
    size_t i = c->count.n;

    while (i > 0 && c->hours[i - 1].hour_ns > hour_ns)
        i--;
    if (i > 0 && c->hours[i - 1].hour_ns == hour_ns)
        return &c->hours[i - 1];
    c->hours = arena_grow(all->arena, c->hours, c->count.n, &c->cap, sizeof(*c->hours));
    for (size_t k = c->count.n++; k > i; k--)
        c->hours[k] = c->hours[k - 1];
    c->hours[i] = (struct count_hour){.hour_ns = hour_ns};
    c->count.hours = c->hours;
    return &c->hours[i];
}

/* --- the provider's count --- */

static void take_region(const struct metric_series *m, struct reconcile *out)
{
    for (size_t i = 0; i < m->n; i++) {
        int64_t hour = m->points[i].time_ns;
        out->n_hours++;
        if (out->since_ns == 0 || hour < out->since_ns)
            out->since_ns = hour;
        if (hour + NS_PER_HOUR > out->until_ns)
            out->until_ns = hour + NS_PER_HOUR;
    }
}

/* The region's course: its hours are those that were asked as a whole. */
static const struct metric_series *region_of(const struct metric_rows *rows,
                                             const struct fn_ref *of)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct metric_series *m = &rows->rows[i];
        if (m->subject.scope == SCOPE_REGION && m->period_ns == NS_PER_HOUR &&
            m->metric == METRIC_INVOCATIONS && m->subject.of.provider == of->provider &&
            str_eq(m->subject.of.account, of->account) && str_eq(m->subject.of.region, of->region))
            return m;
    }
    return NULL;
}

static void take_function(struct courses *all, const struct metric_rows *rows,
                          const struct metric_series *m)
{
    const struct metric_series *asked = region_of(rows, &m->subject.of);
    struct course *c = course_of(all, &m->subject.of);

    for (size_t i = 0, k = 0; asked != NULL && i < m->n; i++) {
        const struct metric_sample *p = &m->points[i];
        while (k < asked->n && asked->points[k].time_ns < p->time_ns)
            k++;
        if (p->is_missing || p->value < 0 || k == asked->n ||
            asked->points[k].time_ns != p->time_ns)
            continue;
        struct count_hour *h = hour_of(all, c, p->time_ns);
        if (m->metric == METRIC_INVOCATIONS)
            h->counted = (uint64_t)p->value;
        else
            h->counted_errors = (uint64_t)p->value;
    }
}

static enum status load_counts(struct courses *all, const struct fn_filter *f,
                               struct reconcile *out, struct err *e)
{
    static const enum metric metrics[] = {METRIC_INVOCATIONS, METRIC_ERRORS};
    struct metric_request q = {
        .range = all->range,
        .subject = {.scope_mask = 1u << SCOPE_FUNCTION | 1u << SCOPE_REGION,
                    .of = {.region = f->region, .account = f->account, .provider = f->provider}},
        .metrics = metrics,
        .n_metrics = ARRAY_LEN(metrics)};
    struct metric_rows rows;
    enum status s = request_metrics(all->store, &q, all->arena, &rows, e);

    for (size_t i = 0; s == OK && i < rows.n; i++) {
        const struct metric_series *m = &rows.rows[i];
        if (m->period_ns != NS_PER_HOUR)
            continue;
        if (m->subject.scope == SCOPE_FUNCTION &&
            (f->name_glob.n == 0 || str_glob(f->name_glob, m->subject.of.name)))
            take_function(all, &rows, m);
        else if (m->subject.scope == SCOPE_REGION && m->metric == METRIC_INVOCATIONS)
            take_region(m, out);
    }
    return s;
}

/* --- the logs' count --- */

static struct course *known_course(struct courses *all, uint32_t fn_id)
{
    bool is_new;
    uint64_t *at = idmap_put(&all->by_id, fn_id, &is_new);

    if (is_new) {
        const uint64_t *row =
            map_get(&all->by_fn, fn_text(all->arena, store_fn(all->store, fn_id)));
        *at = row != NULL ? *row + 1 : 0;
    }
    return *at > 0 ? &all->rows[*at - 1] : NULL;
}

static enum status on_stored(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *s,
                             struct err *e)
{
    struct courses *all = ctx;
    struct course *c = known_course(all, fn_id);

    UNUSED(e);
    if (c == NULL || s->n == 0)
        return OK;
    if (hour_ns < c->count.logs_from_ns)
        c->count.logs_from_ns = hour_ns;
    if (hour_ns < all->range.since_ns)
        return OK;
    struct count_hour *h = hour_of(all, c, hour_ns);
    h->stored = s->n - s->outcome[OUTCOME_THROTTLED];
    for (int o = 0; o < OUTCOMES; o++)
        if (o != OUTCOME_THROTTLED && outcome_is_failure((enum outcome)o))
            h->stored_errors += s->outcome[o];
    return OK;
}

/* From a day before the range on: whoever logged then has logs for all of the range. */
static enum status load_stored(struct courses *all, const struct fn_filter *f, struct err *e)
{
    struct range r = {all->range.since_ns - NS_PER_DAY, all->range.until_ns};

    return request_hours(all->store, r, f, on_stored, all, e);
}

/* Who reads the logs of a region says how far they are read; nobody: they were imported, whole. */
static enum status load_progress(struct courses *all, struct err *e)
{
    struct source_rows sources;
    enum status s = request_sources(all->store, all->arena, &sources, e);

    for (size_t i = 0; s == OK && i < all->n; i++) {
        struct count_course *c = &all->rows[i].count;
        c->read_to_ns = INT64_MAX;
        for (size_t k = 0; k < sources.n; k++) {
            const struct source_status *from = &sources.rows[k];
            if (from->watermark_ns > 0 && str_eq(from->region, c->fn.region) &&
                str_eq(from->account, c->fn.account) && from->watermark_ns < c->read_to_ns)
                c->read_to_ns = from->watermark_ns;
        }
    }
    return s;
}

/* --- the result --- */

static int compare_gaps(const void *a, const void *b)
{
    const struct count_gap *x = a, *y = b;

    if (x->missing != y->missing)
        return x->missing > y->missing ? -1 : 1;
    if (x->untold_errors != y->untold_errors)
        return x->untold_errors > y->untold_errors ? -1 : 1;
    return str_cmp(x->fn.name, y->fn.name);
}

static void add_gap(struct reconcile *out, const struct count_gap *g)
{
    struct count_gap *t = &out->total;

    t->counted += g->counted;
    t->stored += g->stored;
    t->missing += g->missing;
    t->untold_errors += g->untold_errors;
    t->unread += g->unread;
    t->early += g->early;
    t->pending += g->pending;
    out->n_unread += g->unread > 0;
    if (g->missing > 0 || g->untold_errors > 0)
        out->rows[out->n++] = *g;
}

static void compare(const struct courses *all, struct reconcile *out)
{
    out->rows = arena_new(all->arena, struct count_gap, all->n + 1);
    for (size_t i = 0; i < all->n; i++) {
        struct count_gap g;
        reconcile_course(&all->rows[i].count, &g);
        add_gap(out, &g);
    }
    if (out->n > 1)
        qsort(out->rows, out->n, sizeof(*out->rows), compare_gaps);
}

static struct range whole_hours(struct range r)
{
    const int64_t most = RECONCILE_DAYS * NS_PER_DAY;
    struct range out = {time_floor(r.since_ns + NS_PER_HOUR - 1, NS_PER_HOUR),
                        time_floor(r.until_ns, NS_PER_HOUR)};

    if (out.since_ns < out.until_ns - most)
        out.since_ns = out.until_ns - most;
    return out;
}

enum status reconcile_load(struct store *s, struct range r, const struct fn_filter *f,
                           struct arena *a, struct reconcile *out, struct err *e)
{
    static const struct fn_filter any = {0};
    struct courses all = {.store = s, .arena = a, .range = whole_hours(r)};
    struct reconcile found = {0};

    map_init(&all.by_fn);
    idmap_init(&all.by_id);
    if (f == NULL)
        f = &any;
    enum status status = load_counts(&all, f, &found, e);
    if (status == OK && all.n > 0)
        status = load_stored(&all, f, e);
    if (status == OK)
        status = load_progress(&all, e);
    if (status == OK) {
        compare(&all, &found);
        *out = found;
    }
    map_clear(&all.by_fn);
    idmap_clear(&all.by_id);
    return status == OK ? OK : err_wrap(e, "reconcile");
}
