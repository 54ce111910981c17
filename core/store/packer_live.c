/* Metric points, queues, sources and spans of a batch on their way into the pack: copied, with a
 * small integer for each series. */
#include "core/store/packer_private.h"

#include "core/base/timefmt.h"

uint64_t series_hash(const struct subject *subject, enum metric m, int64_t period_ns)
{
    return str_hash(str_from(metric_info(m)->name), subject_hash(subject) ^ (uint64_t)period_ns);
}

static struct fn_ref copy_ref(struct arena *a, const struct fn_ref *f)
{
    return (struct fn_ref){.provider = f->provider,
                           .account = arena_str(a, f->account),
                           .region = arena_str(a, f->region),
                           .name = arena_str(a, f->name)};
}

static uint32_t series_id(struct packer *p, const struct metric_point *m)
{
    struct pack *k = p->current;
    const uint64_t hash = series_hash(&m->subject, m->metric, m->period_ns);
    bool is_new;
    uint64_t *id = idmap_put(&p->series, hash, &is_new);

    if (!is_new)
        return (uint32_t)*id;
    *id = p->next_series++;
    k->series = arena_grow(&k->arena, k->series, k->n_series, &k->cap_series, sizeof(*k->series));
    k->series[k->n_series++] = (struct pack_series){
        .id = (uint32_t)*id,
        .subject = {m->subject.scope, copy_ref(&k->arena, &m->subject.of)},
        .metric = m->metric,
        .period_ns = m->period_ns,
        .hash = hash,
    };
    return (uint32_t)*id;
}

static void add_point(struct packer *p, const struct metric_point *m)
{
    struct pack *k = p->current;
    const int64_t day = day_of(m->time_ns);
    const uint32_t series = series_id(p, m);

    k->points = arena_grow(&k->arena, k->points, k->n_points, &k->cap_points, sizeof(*k->points));
    k->points[k->n_points++] = (struct pack_point){
        .day = day,
        .ts_ms = (m->time_ns - day * NS_PER_DAY) / NS_PER_MS,
        .value = m->value,
        .series = series,
        .weight = m->weight ? m->weight : 1,
        .is_missing = m->is_missing,
    };
}

static void add_queue(struct pack *k, const struct msg_queue *q)
{
    struct arena *a = &k->arena;
    struct msg_queue copy = *q;

    copy.of = copy_ref(a, &q->of);
    struct str *const texts[] = {&copy.url,     &copy.arn,       &copy.dead_letter,
                                 &copy.feeders, &copy.consumers, &copy.source};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    k->queues = arena_grow(a, k->queues, k->n_queues, &k->cap_queues, sizeof(*k->queues));
    k->queues[k->n_queues++] = copy;
}

static void add_source(struct pack *k, const struct source_status *s)
{
    struct arena *a = &k->arena;
    struct source_status copy = *s;
    struct str *const texts[] = {&copy.name,   &copy.type,  &copy.account,
                                 &copy.region, &copy.error, &copy.quota};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    for (size_t i = 0; i < copy.n_parts; i++) {
        copy.parts[i].name = arena_str(a, copy.parts[i].name);
        copy.parts[i].error = arena_str(a, copy.parts[i].error);
    }
    k->sources = arena_grow(a, k->sources, k->n_sources, &k->cap_sources, sizeof(*k->sources));
    k->sources[k->n_sources++] = copy;
}

static void add_span(struct pack *k, const struct span *s)
{
    struct arena *a = &k->arena;
    struct span copy = *s;

    copy.of = copy_ref(a, &s->of);
    struct str *const texts[] = {&copy.trace_id, &copy.id,          &copy.parent_id,
                                 &copy.name,     &copy.origin,      &copy.detail,
                                 &copy.error,    &copy.annotations, &copy.request_id};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    k->spans = arena_grow(a, k->spans, k->n_spans, &k->cap_spans, sizeof(*k->spans));
    k->spans[k->n_spans++] = copy;
}

void packer_live(struct packer *p, const struct batch *b)
{
    for (size_t i = 0; i < b->n_points; i++)
        add_point(p, &b->points[i]);
    for (size_t i = 0; i < b->n_queues; i++)
        add_queue(p->current, &b->queues[i]);
    for (size_t i = 0; i < b->n_sources; i++)
        add_source(p->current, &b->sources[i]);
    for (size_t i = 0; i < b->n_spans; i++)
        add_span(p->current, &b->spans[i]);
}
