/* Reads what rules look at: invocations by minute (cells.c), metric points, configurations, the
 * state of sources. */
#include "analyzer/alerts/tracks.h"

#include <assert.h>

#include "core/base/timefmt.h"

enum { MAX_SIGNALS = 64 };

/* A collector that was not running missed nothing that the first poll does not bring. */
#define FIRST_POLL_NS NS_PER_MIN

/* --- tracks --- */

static uint64_t track_key(const struct signal_info *signal, const struct subject *subject)
{
    return subject_hash(subject) ^
           ((uint64_t)(signal - signals) + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

struct track *tracks_add(struct tracks *t, const struct signal_info *signal,
                         const struct subject *subject)
{
    t->rows = arena_grow(t->arena, t->rows, t->n, &t->cap, sizeof(*t->rows));
    *idmap_put(&t->index, track_key(signal, subject), NULL) = t->n;
    t->rows[t->n] = (struct track){.signal = signal, .subject = *subject};
    return &t->rows[t->n++];
}

const struct track *tracks_find(const struct tracks *t, const struct signal_info *signal,
                                const struct subject *subject)
{
    const uint64_t *at = idmap_get(&t->index, track_key(signal, subject));

    return at && subject_eq(&t->rows[*at].subject, subject) ? &t->rows[*at] : NULL;
}

void track_put(struct tracks *t, struct track *track, const struct sample *s)
{
    track->samples =
        arena_grow(t->arena, track->samples, track->n, &track->cap, sizeof(*track->samples));
    track->samples[track->n++] = *s;
}

static void put_zeros(struct tracks *t, struct track *track, int64_t from_ns, int64_t until_ns,
                      int64_t step_ns)
{
    for (int64_t at = from_ns; at + step_ns <= until_ns; at += step_ns) {
        const struct sample s = {.begin_ns = at, .end_ns = at + step_ns};
        track_put(t, track, &s);
    }
}

static bool is_of_cells(const struct signal_info *signal)
{
    return signal->from == FROM_CELLS || signal->from == FROM_ALL_CELLS;
}

const struct track *tracks_idle(struct tracks *t, const struct signal_info *signal,
                                const struct subject *subject)
{
    const bool is_cells = is_of_cells(signal);

    if ((!is_cells && signal->from != FROM_POINTS) ||
        (subject->scope != SCOPE_FUNCTION && subject->scope != SCOPE_REGION))
        return NULL;
    const struct place *place = place_of(&t->places, &subject->of);
    struct track *track = tracks_add(t, signal, subject);
    put_zeros(t, track, t->range.since_ns,
              is_cells ? place_logs_until(place) : place_metrics_until(place), NS_PER_MIN);
    return track;
}

const struct track *tracks_divisor(struct tracks *t, const struct signal_info *per,
                                   const struct subject *subject)
{
    const struct track *found = per ? tracks_find(t, per, subject) : NULL;

    return found || !per || per->kind == SIGNAL_LEVEL ? found : tracks_idle(t, per, subject);
}

/* --- sources --- */

static int64_t source_value(const struct source_status *r, unsigned member, int64_t now_ns)
{
    /* one that never gave data lacks it since it was first tried */
    const int64_t since = r->success_ns > 0 ? r->success_ns : r->tried_ns - r->lag_ns;

    switch ((enum source_member)member) {
    case SOURCE_FAILURES:
        return r->failures;
    case SOURCE_QUOTA:
        return r->quota_ppm;
    case SOURCE_LAG:
    default:
        return !source_rests(r) && now_ns > since ? now_ns - since : 0;
    }
}

static bool is_to_be_polled(const struct tracks *t, const struct source_status *r)
{
    return r->tried_ns < t->begun_ns && t->now_ns - t->begun_ns < FIRST_POLL_NS;
}

static void put_source(struct tracks *t, const struct signal_info *signal,
                       const struct source_status *row)
{
    const struct subject subject = {SCOPE_SOURCE,
                                    {.provider = PROVIDER_UNKNOWN,
                                     .account = row->account,
                                     .region = row->region,
                                     .name = row->name}};
    const struct sample one = {t->now_ns, t->now_ns, source_value(row, signal->member, t->now_ns),
                               false};
    struct track *track = tracks_add(t, signal, &subject);

    if (!is_to_be_polled(t, row))
        track_put(t, track, &one);
}

static enum status load_sources(struct tracks *t, struct store *s, const bool *wants, struct err *e)
{
    struct source_rows *r = &t->places.sources;
    enum status status = request_sources(s, t->arena, r, e);

    for (size_t i = 0; status == OK && i < r->n; i++) {
        if (r->rows[i].watermark_ns > t->newest_ns)
            t->newest_ns = r->rows[i].watermark_ns;
        for (size_t k = 0; signals[k].name; k++)
            if (wants[k] && signals[k].from == FROM_SOURCES)
                put_source(t, &signals[k], &r->rows[i]);
    }
    return status;
}

/* --- configurations --- */

static int64_t config_value(const struct fn_config *c, const struct signal_info *signal)
{
    if (signal->from == FROM_POINTS) /* the limit of a function is its reservation */
        return c->reserved_concurrency > 0 ? c->reserved_concurrency : 0;
    return signal->member == CONFIG_TIMEOUT ? c->timeout_ns : (int64_t)c->memory_bytes;
}

static bool is_configured(const struct signal_info *signal)
{
    return signal->from == FROM_CONFIG ||
           (signal->from == FROM_POINTS && signal->member == METRIC_CONCURRENCY_LIMIT);
}

static enum status load_configs(struct tracks *t, struct store *s, struct err *e)
{
    const struct fn_filter any = {0};
    enum status status = request_configs(s, &any, t->arena, &t->configs, e);

    for (size_t i = t->configs.n; status == OK && i-- > 0;)
        *idmap_put(&t->config_index, fn_hash(&t->configs.rows[i].fn), NULL) = i;
    return status;
}

/* Newest first a function: the first that says something holds, and what a point or an invocation
 * said before is left. */
static void put_configs(struct tracks *t, const bool *wants)
{
    const struct fn_config_rows *r = &t->configs;

    for (size_t i = 0; i < r->n; i++) {
        const struct subject subject = {SCOPE_FUNCTION, r->rows[i].fn};
        for (size_t k = 0; signals[k].name; k++) {
            if (!wants[k] || !is_configured(&signals[k]))
                continue;
            const struct sample one = {.value = config_value(&r->rows[i], &signals[k])};
            if (one.value > 0 && !tracks_find(t, &signals[k], &subject))
                track_put(t, tracks_add(t, &signals[k], &subject), &one);
        }
    }
}

/* --- points --- */

struct point_load {
    struct tracks *tracks;
    const bool *wants;
};

static const struct msg_queue *find_queue(const struct tracks *t, const struct subject *subject)
{
    for (size_t i = 0; subject->scope == SCOPE_QUEUE && i < t->queues.n; i++)
        if (fn_eq(&t->queues.rows[i].of, &subject->of))
            return &t->queues.rows[i];
    return NULL;
}

static enum queue_class class_of(const struct tracks *t, const struct subject *subject)
{
    const struct msg_queue *q = find_queue(t, subject);

    if (q)
        return q->is_dlq ? DEAD_LETTER_QUEUE : WORK_QUEUE;
    return subject->scope == SCOPE_QUEUE ? WORK_QUEUE : ANY_QUEUE;
}

/* Which queues are dead-letter queues is told by those that feed them: when all have been read. */
static bool knows_feeders(const struct tracks *t, const struct msg_queue *q)
{
    for (size_t i = 0; i < t->places.sources.n; i++) {
        const struct source_status *s = &t->places.sources.rows[i];
        const struct source_part *queues = source_find_part(s, SOURCE_PART_QUEUES);
        if (str_eq(s->name, q->source) && queues)
            return queues->round_ns > 0 && queues->round_ns >= t->begun_ns;
    }
    return false;
}

static const char *why_of_another_class(const struct tracks *t, const struct signal_info *signal,
                                        const struct subject *subject)
{
    if (signal->queues == ANY_QUEUE || signal->queues == class_of(t, subject))
        return NULL;
    return signal->queues == DEAD_LETTER_QUEUE ? "the queue is no dead-letter queue any more"
                                               : "the queue is a dead-letter queue now";
}

/* A source that has got another name takes its queues over with its first poll. */
const char *tracks_why_unwatched(const struct tracks *t, const struct signal_info *signal,
                                 const struct subject *subject)
{
    const struct msg_queue *q = find_queue(t, subject);
    const bool is_new = t->now_ns - t->begun_ns < FIRST_POLL_NS;

    if (!q || (q->presence == QUEUE_UNREAD && is_new))
        return NULL;
    if (q->presence == QUEUE_THERE)
        return knows_feeders(t, q) ? why_of_another_class(t, signal, subject) : NULL;
    return q->presence == QUEUE_GONE ? "the queue is no longer there"
                                     : "no source reads the queue any more";
}

/* Without a collector that has had its time nobody knows who reads. */
const char *tracks_why_unread(struct tracks *t, const struct signal_info *signal,
                              const struct subject *subject)
{
    const bool is_placed = subject->scope == SCOPE_FUNCTION || subject->scope == SCOPE_REGION;

    if (!is_placed || t->begun_ns == 0 || t->now_ns - t->begun_ns < FIRST_POLL_NS)
        return NULL;
    const struct place *place = place_of(&t->places, &subject->of);
    if (is_of_cells(signal))
        return place->reads_logs ? NULL : "no source reads its logs any more";
    return signal->from != FROM_POINTS || place->reads_metrics
               ? NULL
               : "no source reads its metrics any more";
}

bool tracks_shares_name(const struct tracks *t, const struct subject *subject)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct subject *s = &t->rows[i].subject;
        if (s->scope == subject->scope && str_eq(s->of.name, subject->of.name) &&
            !subject_eq(s, subject))
            return true;
    }
    return false;
}

static enum metric metric_of(const struct signal_info *signal, enum metric_scope scope)
{
    const bool has_own = scope == SCOPE_REGION && signal->region_metric != METRICS;

    return has_own ? signal->region_metric : (enum metric)signal->member;
}

static bool is_of_signal(const struct point_load *l, const struct signal_info *signal,
                         const struct metric_series *series)
{
    return signal->from == FROM_POINTS && (signal->scope_mask >> series->subject.scope & 1) != 0 &&
           metric_of(signal, series->subject.scope) == series->metric &&
           signal->queues == class_of(l->tracks, &series->subject);
}

/* A sum has a value in every period: where the provider has none it is zero. After its last point a
 * function or region is idle; a queue is unknown. */
static void put_series(struct tracks *t, struct track *track, const struct metric_series *series)
{
    const int64_t step_ns = series->period_ns;
    const bool fills = track->signal->kind == SIGNAL_SUM && step_ns > 0;
    int64_t next_ns = fills ? time_floor(t->range.since_ns, step_ns) : 0;

    for (size_t i = 0; i < series->n; i++) {
        const struct metric_sample *p = &series->points[i];
        const struct sample s = {p->time_ns, p->time_ns + step_ns,
                                 p->value * (fills ? (int64_t)p->weight : 1), p->is_missing};
        if (fills)
            put_zeros(t, track, next_ns, p->time_ns, step_ns);
        track_put(t, track, &s);
        next_ns = s.end_ns;
    }
    if (step_ns > 0 && track->subject.scope != SCOPE_QUEUE && !is_configured(track->signal))
        put_zeros(t, track, next_ns, place_metrics_until(place_of(&t->places, &track->subject.of)),
                  step_ns);
}

static struct track *region_of(const struct tracks *t, const struct track *of)
{
    const struct fn_ref *fn = &of->subject.of;
    const struct subject region = {
        .scope = SCOPE_REGION,
        .of = {.provider = fn->provider, .account = fn->account, .region = fn->region}};
    const uint64_t *at = idmap_get(&t->index, track_key(of->signal, &region));

    return at && subject_eq(&t->rows[*at].subject, &region) ? &t->rows[*at] : NULL;
}

/* Both in time order. */
static void take_away(struct track *region, const struct track *function)
{
    size_t k = 0;

    for (size_t i = 0; i < function->n; i++) {
        const struct sample *f = &function->samples[i];
        while (k < region->n && region->samples[k].begin_ns < f->begin_ns)
            k++;
        if (k == region->n)
            return;
        struct sample *r = &region->samples[k];
        if (r->begin_ns == f->begin_ns && r->end_ns == f->end_ns && !f->is_missing)
            r->value = r->value > f->value ? r->value - f->value : 0;
    }
}

/* What a region counts and its functions count too is told of the functions: nobody wants to be
 * woken twice for one thing. A region keeps what none of them accounts for. */
static void attribute(struct tracks *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct track *f = &t->rows[i];
        if (f->subject.scope != SCOPE_FUNCTION || f->signal->from != FROM_POINTS ||
            f->signal->kind != SIGNAL_SUM)
            continue;
        struct track *region = region_of(t, f);
        if (region)
            take_away(region, f);
    }
}

static void note_newest(struct tracks *t, const struct metric_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct metric_series *s = &r->rows[i];
        const int64_t end_ns = s->points[s->n - 1].time_ns + s->period_ns;
        struct place *place = place_of(&t->places, &s->subject.of);
        if (s->subject.scope != SCOPE_QUEUE && s->period_ns > 0 && end_ns > place->newest_metric_ns)
            place->newest_metric_ns = end_ns;
        if (end_ns > t->newest_ns)
            t->newest_ns = end_ns;
    }
}

static size_t wanted_metrics(const bool *wants, enum metric *out)
{
    size_t n = 0;

    for (size_t i = 0; signals[i].name; i++) {
        if (!wants[i] || signals[i].from != FROM_POINTS)
            continue;
        out[n++] = (enum metric)signals[i].member;
        if (signals[i].region_metric != METRICS)
            out[n++] = signals[i].region_metric;
    }
    return n;
}

static enum status load_points(struct tracks *t, struct store *s, const bool *wants, struct err *e)
{
    enum metric metrics[MAX_SIGNALS * 2];
    const size_t n = wanted_metrics(wants, metrics);
    const struct metric_request q = {.range = t->range, .metrics = metrics, .n_metrics = n};
    struct point_load l = {.tracks = t, .wants = wants};
    const struct fn_filter any = {0};
    struct metric_rows r;

    if (n == 0)
        return OK;
    enum status status = request_queues(s, &any, t->arena, &t->queues, e);
    if (status == OK)
        status = request_metrics(s, &q, t->arena, &r, e);
    if (status != OK)
        return status;
    note_newest(t, &r);
    for (size_t i = 0; i < r.n; i++)
        for (size_t k = 0; signals[k].name; k++)
            /* the finer period comes first and is the one that counts */
            if (wants[k] && is_of_signal(&l, &signals[k], &r.rows[i]) &&
                !tracks_find(t, &signals[k], &r.rows[i].subject))
                put_series(t, tracks_add(t, &signals[k], &r.rows[i].subject), &r.rows[i]);
    attribute(t);
    return OK;
}

/* --- all --- */

static void mark(bool *wants, const struct signal_info *signal)
{
    if (signal)
        wants[signal - signals] = true;
}

enum status tracks_load(struct tracks *t, struct store *s, const struct alert_set *set,
                        struct err *e)
{
    bool wants[MAX_SIGNALS] = {false};

    assert(t->range.since_ns % NS_PER_MIN == 0);
    for (size_t i = 0; i < set->n_rules; i++) {
        if (set->rules[i].is_off)
            continue;
        mark(wants, set->rules[i].signal);
        mark(wants, set->rules[i].per);
    }
    enum status status = load_sources(t, s, wants, e);
    if (status == OK)
        status = load_configs(t, s, e);
    if (status == OK)
        status = cells_load(t, s, wants, e);
    if (status == OK)
        status = load_points(t, s, wants, e);
    if (status == OK)
        put_configs(t, wants);
    return status;
}

void tracks_clear(struct tracks *t)
{
    idmap_clear(&t->index);
    idmap_clear(&t->config_index);
    places_clear(&t->places);
}
