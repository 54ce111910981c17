/* Metric families as tables: a name, its help, and a function that gives the value of a row. All
 * samples of a family follow its HELP and TYPE lines, as the format wants. */
#include "reports/prometheus.h"

#include <stdlib.h>

#include "core/base/timefmt.h"

#ifndef FNSCOPE_VERSION
#define FNSCOPE_VERSION "0.0.0"
#endif

#define MAX_FUNCTIONS ((size_t)1000)

/* --- functions --- */

static const struct {
    const char *name, *help;
    enum fn_counter counter;
    unsigned scale;       /* decimals */
    const char *currency; /* of the functions it is of; NULL: all */
} fn_counter_families[] = {
    {"fnscope_function_invocations_total", "Attempts that started.", FN_INVOCATIONS, 0, NULL},
    {"fnscope_function_errors_total", "Attempts that failed.", FN_ERRORS, 0, NULL},
    {"fnscope_function_timeouts_total", "Attempts cut off by their timeout.", FN_TIMEOUTS, 0, NULL},
    {"fnscope_function_out_of_memory_total", "Attempts out of memory.", FN_OUT_OF_MEMORY, 0, NULL},
    {"fnscope_function_cold_starts_total", "Cold starts.", FN_COLD_STARTS, 0, NULL},
    {"fnscope_function_billed_seconds_total", "Billed duration.", FN_BILLED, 9, NULL},
    {"fnscope_function_init_seconds_total", "Initialization.", FN_INIT, 9, NULL},
    {"fnscope_function_cost_usd_total", "List cost of the invocations.", FN_COST, 12, "USD"},
    {"fnscope_function_cost_of_failures_usd_total", "List cost of attempts that failed.",
     FN_COST_OF_FAILURES, 12, "USD"},
    {"fnscope_function_cost_cny_total", "List cost of the invocations in China.", FN_COST, 12,
     "CNY"},
    {"fnscope_function_cost_of_failures_cny_total", "List cost of attempts that failed in China.",
     FN_COST_OF_FAILURES, 12, "CNY"},
    {"fnscope_function_log_bytes_total", "Log text.", FN_LOG_BYTES, 0, NULL},
};

/* A function and what was counted of it. */
struct counted_fn {
    const struct fn_row *row;
    const struct fn_counters *counters;
    uint64_t memory_bytes; /* it has now; 0: nobody tells */
};
struct counted_fns {
    struct counted_fn *rows;
    size_t n;
};

typedef struct str fn_value(struct arena *a, const struct counted_fn *f);

static struct str memory_size(struct arena *a, const struct counted_fn *f)
{
    return prom_count(a, f->memory_bytes);
}

static struct str memory_used(struct arena *a, const struct counted_fn *f)
{
    return prom_count(a, f->row->stats.max_memory_used_bytes);
}

static struct str memory_share(struct arena *a, const struct counted_fn *f)
{
    const struct stats *s = &f->row->stats;
    const wide whole = (wide)s->fullest_size_bytes;

    return prom_scaled(a, whole > 0 ? wide_ratio((wide)s->fullest_used_bytes, 1000000, whole) : 0,
                       6);
}

static struct str last_seen(struct arena *a, const struct counted_fn *f)
{
    return prom_scaled(a, f->row->last_ns, 9);
}

static const struct {
    const char *name, *help;
    fn_value *value;
} fn_gauges[] = {
    {"fnscope_function_memory_size_bytes", "Configured memory, the latest.", memory_size},
    {"fnscope_function_memory_used_max_bytes", "Most memory an invocation used.", memory_used},
    {"fnscope_function_memory_used_ratio", "Largest share an invocation used of the memory it had.",
     memory_share},
    {"fnscope_function_last_invocation_timestamp_seconds", "Start of the newest attempt.",
     last_seen},
};

/* A summary: quantiles from the duration buckets, sum and count exact. */
static void add_durations(struct arena *a, const struct counted_fns *r, struct buf *out)
{
    static const struct {
        unsigned permille;
        const char *text;
    } quantiles[] = {{500, "0.5"}, {950, "0.95"}, {990, "0.99"}};

    prom_head(out, "fnscope_function_duration_seconds", "summary",
              "Duration without initialization.");
    for (size_t i = 0; i < r->n; i++) {
        const struct fn_row *row = r->rows[i].row;
        const wide *counters = r->rows[i].counters->value;
        struct prom_label l[PROM_LABELS + 1];
        prom_labels(l, "function", &row->fn);
        for (size_t k = 0; k < ARRAY_LEN(quantiles); k++) {
            uint64_t us;
            l[PROM_LABELS] = (struct prom_label){"quantile", str_from(quantiles[k].text)};
            if (histogram_percentile(&row->stats.duration, quantiles[k].permille, &us))
                prom_sample(out, "fnscope_function_duration_seconds", l, PROM_LABELS + 1,
                            prom_scaled(a, us, 6));
        }
        prom_sample(out, "fnscope_function_duration_seconds_sum", l, PROM_LABELS,
                    prom_scaled(a, counters[FN_DURATION], 9));
        prom_sample(out, "fnscope_function_duration_seconds_count", l, PROM_LABELS,
                    prom_scaled(a, counters[FN_TIMED], 0));
    }
}

static int compare_busy(const void *a, const void *b)
{
    const struct counted_fn *x = a, *y = b;

    if (x->row->stats.n != y->row->stats.n)
        return x->row->stats.n > y->row->stats.n ? -1 : 1;
    return str_cmp(x->row->fn.name, y->row->fn.name);
}

static bool is_of(const struct fn_ref *fn, const char *currency)
{
    return currency == NULL || str_eq(fn_currency(fn), str_from(currency));
}

/* That in CNY is there with the first function that is billed so. */
static bool has_family(const struct counted_fns *r, const char *currency)
{
    bool is_there = currency == NULL || str_eq(str_from(currency), STR("USD"));

    for (size_t i = 0; i < r->n && !is_there; i++)
        is_there = is_of(&r->rows[i].row->fn, currency);
    return is_there;
}

static void add_fn_families(struct arena *a, const struct counted_fns *r, struct buf *out)
{
    struct prom_label l[PROM_LABELS];

    for (size_t f = 0; f < ARRAY_LEN(fn_counter_families); f++) {
        const char *currency = fn_counter_families[f].currency;
        if (!has_family(r, currency))
            continue;
        prom_head(out, fn_counter_families[f].name, "counter", fn_counter_families[f].help);
        for (size_t i = 0; i < r->n; i++) {
            if (!is_of(&r->rows[i].row->fn, currency))
                continue;
            const wide v = r->rows[i].counters->value[fn_counter_families[f].counter];
            prom_labels(l, "function", &r->rows[i].row->fn);
            prom_sample(out, fn_counter_families[f].name, l, PROM_LABELS,
                        prom_scaled(a, v, fn_counter_families[f].scale));
        }
    }
    for (size_t f = 0; f < ARRAY_LEN(fn_gauges); f++) {
        prom_head(out, fn_gauges[f].name, "gauge", fn_gauges[f].help);
        for (size_t i = 0; i < r->n; i++) {
            prom_labels(l, "function", &r->rows[i].row->fn);
            prom_sample(out, fn_gauges[f].name, l, PROM_LABELS, fn_gauges[f].value(a, &r->rows[i]));
        }
    }
    add_durations(a, r, out);
}

/* --- the latest memory size --- */

static enum status configured_sizes(struct store *s, const struct fn_filter *f, struct arena *a,
                                    struct counted_fns *fns, struct err *e)
{
    AUTO(idmap_clear) struct idmap newest = {0};
    struct fn_config_rows r;
    enum status status = request_configs(s, f, a, &r, e);

    for (size_t i = r.n; status == OK && i-- > 0;) /* the newest of a function comes first */
        if (r.rows[i].memory_bytes > 0)
            *idmap_put(&newest, fn_hash(&r.rows[i].fn), NULL) = i;
    for (size_t i = 0; status == OK && i < fns->n; i++) {
        const struct fn_ref *fn = &fns->rows[i].row->fn;
        const uint64_t *at = idmap_get(&newest, fn_hash(fn));
        if (at && fn_eq(&r.rows[*at].fn, fn))
            fns->rows[i].memory_bytes = r.rows[*at].memory_bytes;
    }
    return status;
}

/* Where no configuration tells one, the newest attempt does. */
static enum status latest_sizes(struct store *s, const struct fn_filter *f, struct arena *a,
                                struct counted_fns *fns, struct err *e)
{
    const struct range ahead = {INT64_MAX / 2, INT64_MAX / 2};
    struct fn_size *sizes = arena_new(a, struct fn_size, fns->n + 1);
    enum status status = configured_sizes(s, f, a, fns, e);
    size_t n = 0;

    for (size_t i = 0; i < fns->n; i++)
        if (fns->rows[i].memory_bytes == 0)
            sizes[n++] = (struct fn_size){.fn_id = fns->rows[i].row->fn_id, .is_past = true};
    if (status == OK)
        status = request_sizes_near(s, ahead, sizes, n, e);
    for (size_t i = 0, k = 0; status == OK && i < fns->n; i++)
        if (fns->rows[i].memory_bytes == 0)
            fns->rows[i].memory_bytes = sizes[k++].memory_bytes;
    return status;
}

static enum status add_functions(struct store *s, const struct prometheus_options *o,
                                 struct arena *a, struct buf *out, struct err *e)
{
    const size_t most = o->max_functions ? o->max_functions : MAX_FUNCTIONS;
    struct fn_counters *counters;
    struct fn_rows r;
    enum status status = request_counters(s, &o->filter, a, &r, &counters, e);

    if (status != OK)
        return status;
    const size_t left_out = r.n > most ? r.n - most : 0;
    struct counted_fns shown = {arena_new(a, struct counted_fn, r.n + 1), r.n};
    for (size_t i = 0; i < r.n; i++)
        shown.rows[i] = (struct counted_fn){.row = &r.rows[i], .counters = &counters[i]};
    if (left_out > 0)
        qsort(shown.rows, shown.n, sizeof(*shown.rows), compare_busy);
    shown.n -= left_out;
    if ((status = latest_sizes(s, &o->filter, a, &shown, e)) != OK)
        return status;
    add_fn_families(a, &shown, out);
    prom_head(out, "fnscope_functions_left_out", "gauge", "Functions beyond the limit of series.");
    prom_sample(out, "fnscope_functions_left_out", NULL, 0, prom_count(a, left_out));
    struct prom_fns fns = {arena_new(a, const struct fn_ref *, shown.n + 1), shown.n};
    for (size_t i = 0; i < shown.n; i++)
        fns.refs[i] = &shown.rows[i].row->fn;
    return prom_points(s, o, &fns, a, out, e);
}

/* --- queues --- */

/* What nobody can read any more has no depth now. */
static void drop_absent(struct queue_rows *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].presence == QUEUE_THERE)
            r->rows[n++] = r->rows[i];
    r->n = n;
}

static enum status add_queues(struct store *s, const struct prometheus_options *o, struct arena *a,
                              struct buf *out, struct err *e)
{
    struct prom_label l[PROM_LABELS + 2];
    struct queue_rows r;
    enum status status = request_queues(s, &o->filter, a, &r, e);

    if (status != OK)
        return status;
    drop_absent(&r);
    prom_head(out, "fnscope_queue_messages", "gauge", "Messages in the queue.");
    for (size_t i = 0; i < r.n; i++) {
        const struct msg_queue *q = &r.rows[i];
        const struct {
            const char *state;
            int64_t n;
        } depths[] = {{"visible", q->depth}, {"in_flight", q->in_flight}, {"delayed", q->delayed}};
        prom_labels(l, "queue", &q->of);
        l[PROM_LABELS] = (struct prom_label){"kind", q->is_dlq ? STR("dead_letter") : STR("work")};
        for (size_t k = 0; k < ARRAY_LEN(depths); k++) {
            l[PROM_LABELS + 1] = (struct prom_label){"state", str_from(depths[k].state)};
            prom_sample(out, "fnscope_queue_messages", l, PROM_LABELS + 2,
                        prom_count(a, depths[k].n > 0 ? (uint64_t)depths[k].n : 0));
        }
    }
    prom_head(out, "fnscope_queue_oldest_message_age_seconds", "gauge",
              "Age of the oldest message.");
    for (size_t i = 0; i < r.n; i++) {
        prom_labels(l, "queue", &r.rows[i].of);
        if (r.rows[i].has_age)
            prom_sample(out, "fnscope_queue_oldest_message_age_seconds", l, PROM_LABELS,
                        prom_scaled(a, r.rows[i].oldest_ns, 9));
    }
    prom_head(out, "fnscope_queue_read_timestamp_seconds", "gauge", "When the queue was read.");
    for (size_t i = 0; i < r.n; i++) {
        prom_labels(l, "queue", &r.rows[i].of);
        prom_sample(out, "fnscope_queue_read_timestamp_seconds", l, PROM_LABELS,
                    prom_scaled(a, r.rows[i].seen_ns, 9));
    }
    return OK;
}

/* --- sources --- */

/* Empty: there is none, and no sample. */
typedef struct str source_value(struct arena *a, const struct source_status *r, int64_t now_ns);

/* Longer than the pause between two polls. */
#define SILENT_NS (10 * NS_PER_MIN)

static struct str source_up(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    return prom_count(a,
                      r->failures == 0 && r->success_ns > 0 && now_ns - r->success_ns < SILENT_NS);
}

static struct str source_partial(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_count(a, source_is_partial(r));
}

static struct str source_lag(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    const int64_t as_of_ns = r->success_ns > 0 ? r->success_ns : r->tried_ns;
    const int64_t since_ns = now_ns > as_of_ns ? now_ns - as_of_ns : 0;

    return prom_scaled(a, (wide)r->lag_ns + since_ns, 9);
}

static struct str source_calls(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_count(a, r->add_calls);
}

static struct str source_errors(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_count(a, r->add_errors);
}

static struct str source_throttles(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_count(a, r->add_throttles);
}

static struct str source_bytes(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_count(a, r->add_bytes);
}

static struct str source_cost(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return prom_scaled(a, r->add_cost, 12);
}

static struct str source_quota(struct arena *a, const struct source_status *r, int64_t now_ns)
{
    UNUSED(now_ns);
    return source_has_quota(r) ? prom_scaled(a, r->quota_ppm, 6) : (struct str){0};
}

static const struct {
    const char *name, *type, *help;
    source_value *value;
} source_families[] = {
    {"fnscope_source_up", "gauge", "1: the last poll ended well, and polls go on.", source_up},
    {"fnscope_source_partial", "gauge", "1: something cannot be read while the rest is.",
     source_partial},
    {"fnscope_source_lag_seconds", "gauge", "Age of the newest event read.", source_lag},
    {"fnscope_source_calls_total", "counter", "Calls to the provider.", source_calls},
    {"fnscope_source_errors_total", "counter", "Calls that failed.", source_errors},
    {"fnscope_source_throttles_total", "counter", "Calls refused for their rate.",
     source_throttles},
    {"fnscope_source_received_bytes_total", "counter", "Bytes received.", source_bytes},
    {"fnscope_source_cost_usd_total", "counter", "List price of the source's own calls.",
     source_cost},
    {"fnscope_source_quota_ratio", "gauge", "Use of the tightest quota.", source_quota},
};

/* Of what nobody reads or stores now no poll ends well, whatever the last one said. */
static void stop_unread(enum collector_state c, const struct source_rows *r)
{
    for (size_t i = 0; (c == COLLECTOR_KILLED || c == COLLECTOR_HOLDS) && i < r->n; i++)
        r->rows[i].failures += r->rows[i].failures == 0;
}

static enum status add_sources(struct store *s, const struct prometheus_options *o, struct arena *a,
                               struct buf *out, struct err *e)
{
    struct source_rows r;
    enum status status = request_sources(s, a, &r, e);

    if (status == OK)
        stop_unread(store_collector(s), &r);
    for (size_t f = 0; status == OK && f < ARRAY_LEN(source_families); f++) {
        prom_head(out, source_families[f].name, source_families[f].type, source_families[f].help);
        for (size_t i = 0; i < r.n; i++) {
            const struct prom_label l[] = {{"source", r.rows[i].name}, {"type", r.rows[i].type}};
            const struct str v = source_families[f].value(a, &r.rows[i], o->now_ns);
            if (v.n > 0)
                prom_sample(out, source_families[f].name, l, ARRAY_LEN(l), v);
        }
    }
    return status;
}

/* --- alerts --- */

static enum status add_alerts(struct store *s, struct arena *a, struct buf *out, struct err *e)
{
    const struct alert_request q = {.state_mask = 0};
    struct alert_rows r;
    enum status status = request_alerts(s, &q, a, &r, e);

    if (status != OK)
        return status;
    prom_head(out, "fnscope_alert", "gauge",
              "1 for each alert that is pending or firing, 0 where it is just resolved.");
    for (size_t i = 0; i < r.n; i++) {
        const struct alert *x = &r.rows[i];
        const struct prom_label l[] = {
            {"alertname", x->rule},
            {"state", str_from(alert_state_name(x->state))},
            {"severity", str_from(alert_severity_name(x->severity))},
            {"scope", str_from(metric_scope_name(x->subject.scope))},
            {"account", x->subject.of.account},
            {"region", x->subject.of.region},
            {"name", x->subject.of.name},
        };
        prom_sample(out, "fnscope_alert", l, ARRAY_LEN(l),
                    x->state == ALERT_RESOLVED ? STR("0") : STR("1"));
    }
    return OK;
}

/* --- the provider's own count --- */

static enum status add_reconcile(struct store *s, const struct prometheus_options *o,
                                 struct arena *a, struct buf *out, struct err *e)
{
    struct range r = {o->now_ns - NS_PER_DAY, o->now_ns};
    struct reconcile c;
    enum status status = reconcile_load(s, r, &o->filter, a, &c, e);

    if (status != OK || c.n_hours == 0)
        return status;
    const struct {
        const char *name, *help;
        uint64_t value;
    } rows[] = {
        {"fnscope_reconcile_hours", "Hours of the last day the provider's counts are known of.",
         c.n_hours},
        {"fnscope_reconcile_counted_invocations",
         "Invocations the provider counted in hours whose logs are read.", c.total.counted},
        {"fnscope_reconcile_missing_invocations", "Those of them without a log.", c.total.missing},
        {"fnscope_reconcile_untold_errors", "Errors the provider counted that no log tells of.",
         c.total.untold_errors},
        {"fnscope_reconcile_unread_invocations",
         "Invocations counted of functions whose logs are not collected.", c.total.unread},
        {"fnscope_reconcile_pending_invocations",
         "Invocations counted in hours whose logs are still being read.", c.total.pending},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        prom_head(out, rows[i].name, "gauge", rows[i].help);
        prom_sample(out, rows[i].name, NULL, 0, prom_count(a, rows[i].value));
    }
    return OK;
}

/* --- the store --- */

static enum status add_store(struct store *s, struct arena *a, struct buf *out, struct err *e)
{
    const struct prom_label build[] = {{"version", STR(FNSCOPE_VERSION)}};
    struct ingest_status st;
    enum status status = request_status(s, a, &st, e);

    if (status != OK)
        return status;
    const struct {
        const char *name, *type, *help;
        struct str value;
    } rows[] = {
        {"fnscope_events_total", "counter", "Events read.", prom_count(a, st.counts.events)},
        {"fnscope_repeated_events_total", "counter", "Events that were stored already.",
         prom_count(a, st.counts.repeats)},
        {"fnscope_quarantined_events_total", "counter", "Events that could not be decoded.",
         prom_count(a, st.counts.quarantined)},
        {"fnscope_store_size_bytes", "gauge", "Size of the store on disk.",
         prom_count(a, st.bytes_on_disk)},
        {"fnscope_store_last_commit_timestamp_seconds", "gauge", "When something was stored last.",
         prom_scaled(a, st.last_commit_ns, 9)},
        {"fnscope_store_newest_event_timestamp_seconds", "gauge", "Time of the newest event.",
         prom_scaled(a, st.last_ns, 9)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        prom_head(out, rows[i].name, rows[i].type, rows[i].help);
        prom_sample(out, rows[i].name, NULL, 0, rows[i].value);
    }
    prom_head(out, "fnscope_build_info", "gauge", "The program's version.");
    prom_sample(out, "fnscope_build_info", build, 1, STR("1"));
    return OK;
}

/* --- all --- */

enum status prometheus_write(struct store *s, const struct prometheus_options *o, struct buf *out,
                             struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status status = add_functions(s, o, &a, out, e);

    if (status == OK)
        status = add_queues(s, o, &a, out, e);
    if (status == OK)
        status = add_sources(s, o, &a, out, e);
    if (status == OK)
        status = add_alerts(s, &a, out, e);
    if (status == OK)
        status = add_reconcile(s, o, &a, out, e);
    if (status == OK)
        status = add_store(s, &a, out, e);
    return status == OK ? buf_check(out, "the metrics", e) : err_wrap(e, "metrics");
}
