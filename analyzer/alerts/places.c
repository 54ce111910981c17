/* What sources say about how far they have read, by account and region. */
#include "analyzer/alerts/places.h"

#include "core/base/clock.h"
#include "core/base/macros.h"

/* How late logs and metrics may be when a source has just read them. */
#define LOGS_DELAY_NS    (2 * NS_PER_MIN)
#define METRICS_DELAY_NS (5 * NS_PER_MIN)
#define BEGINNING        (INT64_MIN / 2)

/* Of a source that has not told its account or region yet it may be any. */
static bool reads(const struct source_status *s, const struct fn_ref *of)
{
    return (s->account.n == 0 || str_eq(s->account, of->account)) &&
           (s->region.n == 0 || str_eq(s->region, of->region));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void look_at_sources(const struct source_rows *sources, struct place *p)
{
    for (size_t i = 0; i < sources->n; i++) {
        const struct source_status *s = &sources->rows[i];
        const struct source_part *metrics = source_find_part(s, SOURCE_PART_METRICS);
        const bool has_logs = s->watermark_ns > 0 || source_find_part(s, SOURCE_PART_LOGS);
        if (!reads(s, &p->of))
            continue;
        p->reads_logs = p->reads_logs || has_logs || s->n_parts == 0;
        p->reads_metrics = p->reads_metrics || metrics || s->n_parts == 0;
        if (has_logs)
            p->logs_until_ns = earlier(p->logs_until_ns, s->watermark_ns);
        if (metrics)
            p->metrics_until_ns = earlier(p->metrics_until_ns, metrics->round_ns);
    }
}

struct place *place_of(struct places *p, const struct fn_ref *of)
{
    const struct subject region = {
        SCOPE_REGION, {.provider = of->provider, .account = of->account, .region = of->region}};
    bool is_new;
    uint64_t *at = idmap_put(&p->index, subject_hash(&region), &is_new);

    if (!is_new)
        return &p->rows[*at];
    *at = p->n;
    p->rows = arena_grow(p->arena, p->rows, p->n, &p->cap, sizeof(*p->rows));
    p->rows[p->n] = (struct place){.of = region.of,
                                   .logs_until_ns = INT64_MAX,
                                   .metrics_until_ns = INT64_MAX,
                                   .newest_log_ns = BEGINNING,
                                   .newest_metric_ns = BEGINNING};
    look_at_sources(&p->sources, &p->rows[p->n]);
    return &p->rows[p->n++];
}

void places_clear(struct places *p)
{
    idmap_clear(&p->index);
}

int64_t place_logs_until(const struct place *p)
{
    if (p->logs_until_ns == INT64_MAX)
        return p->newest_log_ns;
    return p->logs_until_ns - LOGS_DELAY_NS;
}

/* A round that has ended read every metric: what is newest of it is the newest of all. One that is
 * under way has stored the metrics of some functions before those of others. */
int64_t place_metrics_until(const struct place *p)
{
    if (p->metrics_until_ns == INT64_MAX)
        return p->newest_metric_ns;
    return later(p->metrics_until_ns - METRICS_DELAY_NS,
                 earlier(p->newest_metric_ns, p->metrics_until_ns));
}
