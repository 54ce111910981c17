/* How many environments of functions were kept ready and when, as a collector read it of the
 * account (METRIC_PROVISIONED_LIMIT). A reading holds until the next one, and no longer than a day:
 * a collector that was away does not know. */
#include "analyzer/cost.h"
#include "core/base/clock.h"
#include "core/store/store.h"

#define HOLDS_NS NS_PER_DAY

static void add_step(struct kept_steps *k, struct kept_step *rows, int64_t since_ns, int64_t n)
{
    if (k->n > 0 && rows[k->n - 1].n == n)
        return;
    rows[k->n++] = (struct kept_step){since_ns, n};
}

/* Nothing is known before the first. */
static struct kept_steps steps_of(const struct metric_series *s, struct arena *a)
{
    struct kept_step *rows = arena_new(a, struct kept_step, 2 * s->n + 1);
    struct kept_steps k = {.rows = rows};
    bool is_any = false;

    for (size_t i = 0; i < s->n; i++) {
        const struct metric_sample *p = &s->points[i];
        const int64_t end_ns = p->time_ns + HOLDS_NS;
        add_step(&k, rows, p->time_ns, p->is_missing ? 0 : p->value);
        if (i + 1 == s->n || s->points[i + 1].time_ns > end_ns)
            add_step(&k, rows, end_ns, 0);
        is_any = is_any || (!p->is_missing && p->value > 0);
    }
    return is_any ? k : (struct kept_steps){0};
}

enum status kept_counts_load(struct store *s, struct range r, const struct fn_filter *filter,
                             struct arena *a, struct kept_counts *out, struct err *e)
{
    static const enum metric metric = METRIC_PROVISIONED_LIMIT;
    const struct metric_request q = {.range = {r.since_ns - HOLDS_NS, r.until_ns},
                                     .subject = {1u << SCOPE_FUNCTION, *filter},
                                     .metrics = &metric,
                                     .n_metrics = 1};
    struct metric_rows rows = {0};

    if (request_metrics(s, &q, a, &rows, e) != OK)
        return err_wrap(e, "provisioned concurrency");
    out->steps = arena_new(a, struct kept_steps, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) {
        out->steps[i] = steps_of(&rows.rows[i], a);
        if (out->steps[i].n > 0)
            *idmap_put(&out->index, subject_hash(&rows.rows[i].subject), NULL) = i;
    }
    return OK;
}

void kept_counts_clear(struct kept_counts *k)
{
    idmap_clear(&k->index);
}

struct kept_steps kept_counts_of(const struct kept_counts *k, const struct fn_ref *fn)
{
    const struct subject subject = {SCOPE_FUNCTION, *fn};
    const uint64_t *at = idmap_get(&k->index, subject_hash(&subject));

    return at != NULL ? k->steps[*at] : (struct kept_steps){0};
}
