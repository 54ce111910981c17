/* Deployments as logs show them: a version's first environment; and what became of them. Pure. */
#include "analyzer/analyzer.h"

#include "core/base/clock.h"

#define WINDOW_NS (DEPLOY_WINDOW_MIN * NS_PER_MIN)

struct deploy_seen {
    struct str version;
    size_t deployment; /* of it; NO_DEPLOYMENT: it ran before the range's first change */
};
#define NO_DEPLOYMENT SIZE_MAX

static const struct deploy_seen *find_version(const struct deployments *d, struct str version)
{
    for (size_t i = d->n_seen; i-- > 0;)
        if (str_eq(d->seen[i].version, version))
            return &d->seen[i];
    return NULL;
}

/* What was seen last of the function. */
static const struct deploy_seen *newest_of(const struct deployments *d)
{
    return d->n_seen > 0 ? &d->seen[d->n_seen - 1] : NULL;
}

static void add_version(struct deployments *d, struct arena *a, const struct invocation *inv)
{
    const struct deploy_seen *before = newest_of(d);
    const struct str was = before ? before->version : (struct str){0};
    size_t deployment = NO_DEPLOYMENT;

    if (before) {
        d->rows = arena_grow(a, d->rows, d->n, &d->cap, sizeof(*d->rows));
        deployment = d->n++;
        d->rows[deployment] = (struct deployment){.fn = *fn_copy(a, inv->origin->fn),
                                                  .fn_id = d->fn_id,
                                                  .version = arena_str(a, inv->version),
                                                  .before = was,
                                                  .at_ns = inv->start_ns};
    }
    d->seen = arena_grow(a, d->seen, d->n_seen, &d->cap_seen, sizeof(*d->seen));
    d->seen[d->n_seen++] = (struct deploy_seen){arena_str(a, inv->version), deployment};
}

void deployments_see(struct deployments *d, struct arena *a, uint32_t fn_id,
                     const struct invocation *inv)
{
    if (inv->version.n == 0)
        return;
    if (fn_id != d->fn_id)
        d->n_seen = 0;
    d->fn_id = fn_id;
    d->has_versions |= !str_eq(inv->version, STR("$LATEST"));
    const struct deploy_seen *known = find_version(d, inv->version);
    const struct deploy_seen *newest = newest_of(d);
    if (!known) {
        add_version(d, a, inv);
        return;
    }
    if (newest->deployment == NO_DEPLOYMENT)
        return;
    struct deployment *last = &d->rows[newest->deployment];
    if (known == newest)
        last->back_ns = 0; /* two versions side by side: traffic is shifted, nothing came back */
    else if (last->back_ns == 0)
        last->back_ns = inv->start_ns;
}

/* Where the failed ones name the version that ran, they may come before its first environment that
 * logs show: then it began with them. */
static bool is_of(const struct incident *n, const struct deployment *x)
{
    bool is_version = n->version.n > 0 && str_eq(n->version, x->version);
    int64_t early = is_version ? WINDOW_NS : NS_PER_MIN;

    return n->fn_id == x->fn_id && n->since_ns >= x->at_ns - early &&
           n->since_ns <= x->at_ns + WINDOW_NS;
}

void deployments_judge(struct deployments *d, const struct incidents *incidents)
{
    for (size_t i = 0; i < d->n; i++) {
        struct deployment *x = &d->rows[i];
        x->is_failed = x->back_ns != 0 && x->back_ns - x->at_ns <= WINDOW_NS;
        x->recovered_ns = x->is_failed ? x->back_ns : 0;
        for (size_t k = 0; k < incidents->n; k++) {
            const struct incident *n = &incidents->rows[k];
            if (!is_of(n, x))
                continue;
            x->is_failed = true;
            x->at_ns = n->since_ns < x->at_ns ? n->since_ns : x->at_ns;
            x->recovered_ns = n->until_ns > x->recovered_ns ? n->until_ns : x->recovered_ns;
        }
    }
}
