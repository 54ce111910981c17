/* What could be saved on a function, from its sums: another architecture, less memory, fewer
 * failures. Prices are exact; durations are taken to stay, which only a test can tell. Pure. */
#include "analyzer/cost.h"

#include <assert.h>

#define MB ((uint64_t)1 << 20)

enum {
    STEP_MB = 64, /* sizes worth configuring */
    LEAST_MB = 128,
    HEADROOM_PERMILLE = 1200, /* memory kept above the most that was used */
};

/* Its costs are not simply sums x price: kept ready, or priced by other settings. */
static bool is_special(const struct cost_context *c, const struct stats *s)
{
    return c->keeps_stored || s->start[START_PROVISIONED] > 0 || s->mb_ms <= 0;
}

static enum status arm_saving(const struct cost_context *c, const struct fn_ref *fn,
                              const struct stats *s, int64_t at_ns, wide *out, struct err *e)
{
    struct stats_cost now = {0}, arm = {0};

    *out = 0;
    if (cost_of_stats(c, fn, s, at_ns, &now, e) != OK ||
        cost_of_stats_on_arm(c, fn, s, at_ns, &arm, e) != OK)
        return e->code;
    if (!now.is_unpriced && !arm.is_unpriced)
        *out = now.total - arm.total;
    return OK;
}

/* 1.2 x what the fullest attempt used, rounded up; 0: it is that small already, or nobody knows. */
static uint64_t smaller_mb(const struct stats *s)
{
    uint64_t used = s->fullest_used_bytes / MB, size = s->fullest_size_bytes / MB;
    uint64_t want = (used * HEADROOM_PERMILLE / 1000 + STEP_MB) / STEP_MB * STEP_MB;

    want = want < LEAST_MB ? LEAST_MB : want;
    return used > 0 && want < size ? want : 0;
}

static wide memory_saving(const struct stats *s, wide duration_cost, uint64_t want_mb)
{
    const uint64_t size_mb = s->fullest_size_bytes / MB;

    return wide_ratio(duration_cost, (wide)(size_mb - want_mb), (wide)size_mb);
}

static void add(struct advices *out, struct advice a)
{
    if (a.saving > 0)
        out->items[out->n++] = a;
}

enum status advice_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                            const struct stats *s, int64_t at_ns, struct advices *out,
                            struct err *e)
{
    struct stats_cost cost = {0};
    struct err own = {0};
    wide saving = 0;

    out->n = 0;
    if (e == NULL)
        e = &own;
    add(out, (struct advice){.kind = ADVICE_FAILURES, .saving = s->cost_failed});
    if (is_special(c, s) || cost_ops_of(fn->provider) == NULL)
        return OK;
    if (arm_saving(c, fn, s, at_ns, &saving, e) != OK ||
        cost_of_stats(c, fn, s, at_ns, &cost, e) != OK)
        return e->code;
    add(out, (struct advice){.kind = ADVICE_ARM, .saving = saving});
    const uint64_t want = smaller_mb(s);
    if (want > 0)
        add(out, (struct advice){.kind = ADVICE_MEMORY,
                                 .saving = memory_saving(s, cost.duration, want),
                                 .memory_mb = want,
                                 .now_mb = s->fullest_size_bytes / MB});
    return OK;
}

/* --- which of the sizes tried is best --- */

static wide most(const struct rightsize_option *o, size_t n, bool is_cost)
{
    wide top = 1;

    for (size_t i = 0; i < n; i++) {
        wide v = is_cost ? o[i].cost : o[i].duration;
        top = v > top ? v : top;
    }
    return top;
}

const struct rightsize_option *rightsize_pick(const struct rightsize_option *options, size_t n,
                                              enum rightsize_strategy strategy,
                                              unsigned weight_permille)
{
    const unsigned weight = strategy == RIGHTSIZE_COST    ? 1000
                            : strategy == RIGHTSIZE_SPEED ? 0
                                                          : weight_permille;
    const wide top_cost = most(options, n, true), top_duration = most(options, n, false);
    const struct rightsize_option *best = NULL;
    wide least = 0;

    assert(n > 0 && weight <= 1000);
    for (size_t i = 0; i < n; i++) {
        const struct rightsize_option *o = &options[i];
        /* weight x cost / top + (1 - weight) x duration / top, times both tops */
        wide score = weight * o->cost * top_duration + (1000 - weight) * o->duration * top_cost;
        bool is_tie = best != NULL && score == least;
        bool is_better = is_tie
                             ? (weight == 0 ? o->cost < best->cost : o->duration < best->duration)
                             : best == NULL || score < least;
        if (is_better) {
            best = o;
            least = score;
        }
    }
    return best;
}
