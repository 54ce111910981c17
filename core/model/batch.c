/* A batch: arena, growing arrays and the two look-up tables that make functions and origins unique
 * inside it. Most events repeat the origin of the event before, so the last one is tried first. */
#include "core/model/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

struct batch *batch_new(void)
{
    struct batch *b = xcalloc(1, sizeof(*b));
    arena_init(&b->arena);
    idmap_init(&b->fns);
    idmap_init(&b->origins);
    return b;
}

void batch_expect_like(struct batch *b, const struct batch *before)
{
    const size_t n = before->n_records + before->n_records / 8;

    assert(b->cap_records == 0);
    if (n == 0)
        return;
    b->records = arena_alloc(&b->arena, n * sizeof(*b->records));
    b->cap_records = n;
    idmap_expect(&b->origins, before->n_origins);
    idmap_expect(&b->fns, before->n_fns);
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    idmap_clear(&b->fns);
    idmap_clear(&b->origins);
    arena_clear(&b->arena);
    free(b);
}

void batch_counts_add(struct batch_counts *to, const struct batch_counts *from)
{
    to->read_bytes += from->read_bytes;
    to->events += from->events;
    to->repeats += from->repeats;
    to->late += from->late;
    to->quarantined += from->quarantined;
    to->control_messages += from->control_messages;
    to->unknown_labels += from->unknown_labels;
    to->forged += from->forged;
    to->refuted += from->refuted;
    to->doubtful += from->doubtful;
    to->ambiguous += from->ambiguous;
    to->lost_lines += from->lost_lines;
    to->lost_bytes += from->lost_bytes;
    to->invalid_utf8 += from->invalid_utf8;
    to->untimed += from->untimed;
    to->elsewhere += from->elsewhere;
    to->again += from->again;
    to->adopted += from->adopted;
    to->invocations += from->invocations;
}

static const struct fn_ref *new_fn(struct batch *b, const struct fn_ref *like)
{
    struct fn_ref *f = fn_copy(&b->arena, like);

    b->fn_list = arena_grow(&b->arena, b->fn_list, b->n_fns, &b->cap_fns, sizeof(struct fn_ref *));
    b->fn_list[b->n_fns++] = f;
    return f;
}

/* Equal hashes of different functions are told apart: the next free key is used. */
const struct fn_ref *batch_fn(struct batch *b, const struct fn_ref *like)
{
    assert(like != NULL);
    if (b->last_fn != NULL && fn_eq(b->last_fn, like))
        return b->last_fn;
    for (uint64_t hash = fn_hash(like);; hash++) {
        bool is_new = false;
        uint64_t *slot = idmap_put(&b->fns, hash, &is_new);
        if (is_new) {
            *slot = b->n_fns;
            b->last_fn = new_fn(b, like);
            return b->last_fn;
        }
        if (fn_eq(b->fn_list[*slot], like)) {
            b->last_fn = b->fn_list[*slot];
            return b->last_fn;
        }
    }
}

static const struct origin *new_origin(struct batch *b, const struct origin *like)
{
    struct origin *o = arena_new(&b->arena, struct origin, 1);
    o->fn = batch_fn(b, like->fn);
    o->log_group = arena_str(&b->arena, like->log_group);
    o->instance = arena_str(&b->arena, like->instance);
    o->version = arena_str(&b->arena, like->version);
    o->hash = like->hash;
    o->place = (uint32_t)b->n_origins;
    b->origin_list = arena_grow(&b->arena, b->origin_list, b->n_origins, &b->cap_origins,
                                sizeof(struct origin *));
    b->origin_list[b->n_origins++] = o;
    return o;
}

const struct origin *batch_origin(struct batch *b, const struct origin *like)
{
    assert(like->fn != NULL);
    if (b->last_origin != NULL && origin_eq(b->last_origin, like))
        return b->last_origin;
    struct origin hashed = *like;
    hashed.hash = origin_hash(like);
    return batch_origin_again(b, &hashed);
}

const struct origin *batch_origin_again(struct batch *b, const struct origin *like)
{
    assert(like->fn != NULL);
    for (uint64_t key = like->hash;; key++) {
        bool is_new = false;
        uint64_t *slot = idmap_put(&b->origins, key, &is_new);
        if (is_new) {
            *slot = b->n_origins;
            b->last_origin = new_origin(b, like);
            return b->last_origin;
        }
        if (origin_eq(b->origin_list[*slot], like)) {
            b->last_origin = b->origin_list[*slot];
            return b->last_origin;
        }
    }
}

void batch_settle(struct batch *b, batch_settle_fn *settle, void *ctx)
{
    bool is_changed = false;

    for (size_t i = 0; i < b->n_fns; i++)
        is_changed |= settle(ctx, b->fn_list[i]);
    for (size_t i = 0; is_changed && i < b->n_origins; i++)
        b->origin_list[i]->hash = origin_hash(b->origin_list[i]);
}

struct log_record *batch_record(struct batch *b)
{
    b->records =
        arena_grow(&b->arena, b->records, b->n_records, &b->cap_records, sizeof(*b->records));
    struct log_record *r = &b->records[b->n_records++];
    *r = (struct log_record){0};
    return r;
}

struct invocation *batch_invocation(struct batch *b)
{
    b->invocations = arena_grow(&b->arena, b->invocations, b->n_invocations, &b->cap_invocations,
                                sizeof(*b->invocations));
    struct invocation *inv = &b->invocations[b->n_invocations++];
    *inv = (struct invocation){0};
    return inv;
}

void batch_expect_invocations(struct batch *b, size_t n)
{
    const size_t cap = b->n_invocations + n;

    if (cap <= b->cap_invocations)
        return;
    struct invocation *rows = arena_alloc(&b->arena, cap * sizeof(*rows));
    if (b->n_invocations > 0)
        memcpy(rows, b->invocations, b->n_invocations * sizeof(*rows));
    b->invocations = rows;
    b->cap_invocations = cap;
}

struct instance_event *batch_instance_event(struct batch *b)
{
    b->instance_events = arena_grow(&b->arena, b->instance_events, b->n_instance_events,
                                    &b->cap_instance_events, sizeof(*b->instance_events));
    struct instance_event *ev = &b->instance_events[b->n_instance_events++];
    *ev = (struct instance_event){0};
    return ev;
}

struct fn_config *batch_config(struct batch *b)
{
    b->configs =
        arena_grow(&b->arena, b->configs, b->n_configs, &b->cap_configs, sizeof(*b->configs));
    struct fn_config *c = &b->configs[b->n_configs++];
    *c = (struct fn_config){.reserved_concurrency = -1};
    return c;
}

struct metric_point *batch_point(struct batch *b)
{
    b->points = arena_grow(&b->arena, b->points, b->n_points, &b->cap_points, sizeof(*b->points));
    struct metric_point *p = &b->points[b->n_points++];
    *p = (struct metric_point){.weight = 1};
    return p;
}

struct msg_queue *batch_queue(struct batch *b)
{
    b->queues = arena_grow(&b->arena, b->queues, b->n_queues, &b->cap_queues, sizeof(*b->queues));
    struct msg_queue *q = &b->queues[b->n_queues++];
    *q = (struct msg_queue){0};
    return q;
}

struct source_status *batch_source(struct batch *b)
{
    b->sources =
        arena_grow(&b->arena, b->sources, b->n_sources, &b->cap_sources, sizeof(*b->sources));
    struct source_status *s = &b->sources[b->n_sources++];
    *s = (struct source_status){0};
    return s;
}

struct span *batch_span(struct batch *b)
{
    b->spans = arena_grow(&b->arena, b->spans, b->n_spans, &b->cap_spans, sizeof(*b->spans));
    struct span *s = &b->spans[b->n_spans++];
    *s = (struct span){0};
    return s;
}

void batch_quarantine(struct batch *b, struct str place, struct str reason, struct str raw)
{
    b->counts.quarantined++;
    if (b->n_quarantine >= BATCH_MAX_QUARANTINE)
        return;
    b->quarantine = arena_grow(&b->arena, b->quarantine, b->n_quarantine, &b->cap_quarantine,
                               sizeof(*b->quarantine));
    b->quarantine[b->n_quarantine++] = (struct quarantined){
        .place = arena_str(&b->arena, place),
        .reason = arena_str(&b->arena, reason),
        .raw = arena_str(&b->arena, str_sub(raw, 0, BATCH_MAX_RAW)),
    };
}

void batch_cursor(struct batch *b, const struct cursor *c)
{
    b->cursors =
        arena_grow(&b->arena, b->cursors, b->n_cursors, &b->cap_cursors, sizeof(*b->cursors));
    b->cursors[b->n_cursors++] = (struct cursor){
        .source = arena_str(&b->arena, c->source),
        .scope = arena_str(&b->arena, c->scope),
        .token = arena_str(&b->arena, c->token),
        .watermark_ns = c->watermark_ns,
    };
}
