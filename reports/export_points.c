/* What the provider's metrics alone tell: calls that were refused, events that were lost, how many
 * environments were at work. Counters add up the points of all minutes there ever were; of a
 * function whose region's metrics are read, no point is a 0, since a region is asked first and its
 * functions only where it has something (aws_metrics.c). Gauges are of the newest minute. */
#include "core/base/map.h"
#include "reports/prometheus.h"

#define MAX_FUNCTIONS ((size_t)1000)
#define STALE_NS      (15 * NS_PER_MIN) /* values of a minute come some minutes late */
#define LIMIT_NS      NS_PER_DAY        /* a limit holds until another is read */

struct family {
    enum metric metric;
    const char *name, *help;
    const char *of_region; /* the same of a region: functions that are gone count, too */
};

static const struct family counters[] = {
    {METRIC_THROTTLES, "fnscope_function_throttles_total",
     "Calls refused for lack of concurrency, as the provider counts them.",
     "fnscope_region_throttles_total"},
    {METRIC_ASYNC_DROPPED, "fnscope_function_async_events_dropped_total",
     "Asynchronous events given up without a run that ended well.",
     "fnscope_region_async_events_dropped_total"},
    {METRIC_DLQ_ERRORS, "fnscope_function_dead_letter_errors_total",
     "Events lost because the dead-letter queue refused them.",
     "fnscope_region_dead_letter_errors_total"},
    {METRIC_DESTINATION_ERRORS, "fnscope_function_destination_errors_total",
     "Events lost because their destination refused them.",
     "fnscope_region_destination_errors_total"},
};
static const struct {
    struct family of;
    enum metric_scope scope;
    int64_t age_ns;
} gauges[] = {
    {{METRIC_CONCURRENCY, "fnscope_function_concurrent_executions",
      "Most environments at work at a time in the newest minute; of functions with a reservation.",
      NULL},
     SCOPE_FUNCTION,
     STALE_NS},
    {{METRIC_CONCURRENCY_LIMIT, "fnscope_function_reserved_concurrency",
      "Environments reserved, and the most there may be.", NULL},
     SCOPE_FUNCTION,
     LIMIT_NS},
    {{METRIC_CONCURRENCY, "fnscope_region_concurrent_executions",
      "Most environments at work at a time in the region in the newest minute.", NULL},
     SCOPE_REGION,
     STALE_NS},
    {{METRIC_CONCURRENCY_LIMIT, "fnscope_region_concurrency_limit",
      "Environments the account may have at work in the region.", NULL},
     SCOPE_REGION,
     LIMIT_NS},
};

/* --- counters --- */

static bool is_same_place(const struct fn_ref *x, const struct fn_ref *y)
{
    return x->provider == y->provider && str_eq(x->account, y->account) &&
           str_eq(x->region, y->region);
}

static bool is_wanted(const struct prometheus_options *o, const struct fn_ref *of)
{
    return o->filter.name_glob.n == 0 || str_glob(o->filter.name_glob, of->name);
}

/* Minutes only: the same may be stored by the hour as well. */
static bool is_of(const struct metric_total *t, enum metric metric, enum metric_scope scope)
{
    return t->metric == metric && t->subject.scope == scope && t->period_ns == NS_PER_MIN;
}

static bool is_read(const struct metric_totals *t, enum metric metric, const struct fn_ref *of)
{
    for (size_t i = 0; i < t->n; i++)
        if (is_of(&t->rows[i], metric, SCOPE_REGION) && is_same_place(&t->rows[i].subject.of, of))
            return true;
    return false;
}

static void fn_sample(struct buf *out, const struct family *f, const struct fn_ref *of,
                      struct str value)
{
    struct prom_label l[PROM_LABELS];

    prom_labels(l, "function", of);
    prom_sample(out, f->name, l, PROM_LABELS, value);
}

static struct str key_of(struct arena *a, const struct fn_ref *of)
{
    return arena_printf(a, "%d\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, (int)of->provider,
                        STR_ARG(of->account), STR_ARG(of->region), STR_ARG(of->name));
}

struct shown {
    const struct prometheus_options *options;
    const struct prom_fns *fns;
    size_t most;
};

/* Functions with points, then those without that ran. */
static void add_counter(const struct family *f, const struct metric_totals *t,
                        const struct shown *sh, struct arena *a, struct buf *out)
{
    const struct prom_fns *fns = sh->fns;
    struct map told;
    size_t shown = 0;

    map_init(&told);
    prom_head(out, f->name, "counter", f->help);
    for (size_t i = 0; i < t->n && shown < sh->most; i++) {
        const struct metric_total *x = &t->rows[i];
        if (!is_of(x, f->metric, SCOPE_FUNCTION) || !is_wanted(sh->options, &x->subject.of))
            continue;
        fn_sample(out, f, &x->subject.of, prom_scaled(a, x->sum, 0));
        *map_put(&told, key_of(a, &x->subject.of), NULL) = 1;
        shown++;
    }
    for (size_t i = 0; i < fns->n; i++) {
        const struct fn_ref *of = fns->refs[i];
        if (map_get(&told, key_of(a, of)) == NULL && is_read(t, f->metric, of))
            fn_sample(out, f, of, STR("0"));
    }
    map_clear(&told);
}

static void add_region_counter(const struct family *f, const struct metric_totals *t,
                               struct arena *a, struct buf *out)
{
    const struct family of = {f->metric, f->of_region, f->help, NULL};

    prom_head(out, of.name, "counter", of.help);
    for (size_t i = 0; i < t->n; i++)
        if (is_of(&t->rows[i], f->metric, SCOPE_REGION))
            fn_sample(out, &of, &t->rows[i].subject.of, prom_scaled(a, t->rows[i].sum, 0));
}

static enum status add_counters(struct store *s, const struct prometheus_options *o,
                                const struct prom_fns *fns, struct arena *a, struct buf *out,
                                struct err *e)
{
    enum metric metrics[ARRAY_LEN(counters)];
    struct metric_request q = {.subject = {.scope_mask = 1u << SCOPE_FUNCTION | 1u << SCOPE_REGION,
                                           .of = {.region = o->filter.region,
                                                  .account = o->filter.account,
                                                  .provider = o->filter.provider}},
                               .metrics = metrics,
                               .n_metrics = ARRAY_LEN(counters)};
    const struct shown shown = {o, fns, o->max_functions > 0 ? o->max_functions : MAX_FUNCTIONS};
    struct metric_totals t;

    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        metrics[i] = counters[i].metric;
    if (request_metric_totals(s, &q, a, &t, e) != OK)
        return e->code;
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        add_counter(&counters[i], &t, &shown, a, out);
        add_region_counter(&counters[i], &t, a, out);
    }
    return OK;
}

/* --- gauges --- */

static const struct metric_sample *newest(const struct metric_series *m, int64_t since_ns)
{
    for (size_t i = m->n; i-- > 0;)
        if (!m->points[i].is_missing)
            return m->points[i].time_ns >= since_ns ? &m->points[i] : NULL;
    return NULL;
}

static enum status add_gauges(struct store *s, const struct prometheus_options *o, struct arena *a,
                              struct buf *out, struct err *e)
{
    static const enum metric metrics[] = {METRIC_CONCURRENCY, METRIC_CONCURRENCY_LIMIT};
    const struct metric_request q = {
        .range = {o->now_ns - LIMIT_NS, o->now_ns + NS_PER_MIN},
        .subject = {.scope_mask = 1u << SCOPE_FUNCTION | 1u << SCOPE_REGION,
                    .of = {.region = o->filter.region,
                           .account = o->filter.account,
                           .provider = o->filter.provider}},
        .metrics = metrics,
        .n_metrics = ARRAY_LEN(metrics)};
    struct metric_rows r;

    if (request_metrics(s, &q, a, &r, e) != OK)
        return e->code;
    for (size_t g = 0; g < ARRAY_LEN(gauges); g++) {
        prom_head(out, gauges[g].of.name, "gauge", gauges[g].of.help);
        for (size_t i = 0; i < r.n; i++) {
            const struct metric_series *m = &r.rows[i];
            const struct metric_sample *p = newest(m, o->now_ns - gauges[g].age_ns);
            if (m->metric == gauges[g].of.metric && m->subject.scope == gauges[g].scope &&
                p != NULL && (m->subject.scope == SCOPE_REGION || is_wanted(o, &m->subject.of)))
                fn_sample(out, &gauges[g].of, &m->subject.of, prom_scaled(a, p->value, 0));
        }
    }
    return OK;
}

enum status prom_points(struct store *s, const struct prometheus_options *o,
                        const struct prom_fns *fns, struct arena *a, struct buf *out, struct err *e)
{
    const enum status status = add_counters(s, o, fns, a, out, e);

    return status == OK ? add_gauges(s, o, a, out, e) : status;
}
