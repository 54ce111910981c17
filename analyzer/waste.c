/* Money that bought nothing: failed attempts, timeouts, retries, initialization, memory that nobody
 * used. Knows no prices: costs come with the sums and invocations. Pure. */
#include "analyzer/analyzer.h"

#include "core/base/macros.h"

enum { HEADROOM_PERMILLE = 1200 /* memory kept above the most that was used */ };

static wide share_of(wide cost, uint64_t part, uint64_t whole)
{
    return whole > 0 ? wide_div_round(cost * (wide)part, (wide)whole) : 0;
}

/* Cost of memory above 1.2 x the largest share that was used; 0 when nothing is known or it is
 * needed. */
static wide over_memory(const struct stats *s, wide duration_cost)
{
    const wide size = (wide)s->fullest_size_bytes * 1000;
    const wide needed = (wide)s->fullest_used_bytes * HEADROOM_PERMILLE;

    if (s->fullest_used_bytes == 0 || needed >= size || duration_cost <= 0)
        return 0;
    /* MB are fine enough and keep the product small */
    return wide_div_round(duration_cost * ((size - needed) >> 20), size >> 20);
}

void waste_of_stats(const struct stats *s, wide duration_cost, struct waste *out)
{
    uint64_t n_failed = 0;

    for (size_t i = 0; i < OUTCOMES; i++)
        if (outcome_is_failure((enum outcome)i))
            n_failed += s->outcome[i];
    *out = (struct waste){
        .failed = s->cost_failed,
        .timeouts = share_of(s->cost_failed, s->outcome[OUTCOME_TIMEOUT], n_failed),
        .retries = share_of(s->cost, s->retries, s->n),
        .init = s->cost_init,
        .over_memory = over_memory(s, duration_cost),
        .n_failed = n_failed,
        .n_timeouts = s->outcome[OUTCOME_TIMEOUT],
        .n_retries = s->retries,
        .n_cold = s->start[START_COLD] + s->start[START_SNAPSTART],
        .is_estimated = s->retries > 0 ||
                        (s->outcome[OUTCOME_TIMEOUT] > 0 && s->outcome[OUTCOME_TIMEOUT] < n_failed),
    };
}

void waste_add_invocation(struct waste *w, const struct invocation *inv)
{
    const wide cost = inv->is_priced ? inv->cost : 0;

    if (outcome_is_failure(inv->outcome)) {
        w->failed += cost;
        w->n_failed++;
    }
    if (inv->outcome == OUTCOME_TIMEOUT) {
        w->timeouts += cost;
        w->n_timeouts++;
    }
    if (inv->attempt > 1) {
        w->retries += cost;
        w->n_retries++;
    }
    w->n_cold += inv->start == START_COLD || inv->start == START_SNAPSTART;
    w->init += invocation_cost_init(inv);
}
