/* Adds invocations into sums. Integer additions only: the order does not matter. Knows no prices:
 * an invocation brings its cost along. */
#include "core/model/stats.h"

#include <assert.h>

#include "core/base/clock.h"

#define MB (UINT64_C(1) << 20)

void stats_clear(struct stats *s)
{
    histogram_clear(&s->duration);
    histogram_clear(&s->init);
    *s = (struct stats){0};
}

static void add_cost(struct stats *s, const struct invocation *inv)
{
    if (!inv->is_priced) {
        s->unpriced++;
        return;
    }
    s->cost += inv->cost;
    if (outcome_is_failure(inv->outcome))
        s->cost_failed += inv->cost;
    s->cost_init += invocation_cost_init(inv);
}

static void add_durations(struct stats *s, const struct invocation *inv)
{
    s->sum_duration_ns += inv->duration_ns;
    s->sum_init_ns += inv->init_ns;
    s->sum_billed_ns += inv->billed_ns;
    if (inv->duration_ns > s->max_duration_ns)
        s->max_duration_ns = inv->duration_ns;
    histogram_bound(&s->duration, (uint64_t)(s->max_duration_ns / NS_PER_US));
    if (inv->is_final || inv->duration_ns > 0) /* a running one has no duration yet */
        histogram_add(&s->duration, bucket_of((uint64_t)(inv->duration_ns / NS_PER_US)), 1);
    if (inv->start == START_COLD && inv->init_ns > 0)
        histogram_add(&s->init, bucket_of((uint64_t)(inv->init_ns / NS_PER_US)), 1);
    if (inv->start == START_SNAPSTART && inv->restore_ns > 0)
        histogram_add(&s->init, bucket_of((uint64_t)(inv->restore_ns / NS_PER_US)), 1);
}

static void add_restore(struct stats *s, const struct invocation *inv)
{
    const bool is_billed = (inv->evidence & EV_RESTORE_BILLED) != 0;

    s->restores_known += is_billed || (inv->evidence & EV_RESTORE_FREE) != 0;
    if (is_billed)
        s->restored_mb += (wide)(inv->memory_bytes / MB);
}

uint64_t stats_ingested_bytes(const struct stats *s)
{
    return s->log_bytes + LOG_LINE_END_BYTES * s->log_events;
}

uint64_t stats_open(const struct stats *s)
{
    const uint64_t timed = s->duration.total;
    const uint64_t untimed = s->n > timed ? s->n - timed : 0;
    return untimed > s->outcome[OUTCOME_UNKNOWN] ? untimed : s->outcome[OUTCOME_UNKNOWN];
}

uint64_t stats_requests(const struct stats *s, bool are_prices_stale)
{
    const uint64_t open = s->outcome[OUTCOME_UNKNOWN];
    const uint64_t unpriced = are_prices_stale || s->unpriced < open ? open : s->unpriced;
    const uint64_t not_billed = s->outcome[OUTCOME_THROTTLED] + unpriced;

    return s->n > not_billed ? s->n - not_billed : 0;
}

uint64_t stats_restores_open(const struct stats *s)
{
    assert(s->restores_known <= s->start[START_SNAPSTART]);
    return s->start[START_SNAPSTART] - s->restores_known;
}

static void add_memory_time(struct stats *s, const struct invocation *inv, wide mb_ms)
{
    const wide arm = inv->arch == ARCH_ARM64 ? mb_ms : 0;

    s->mb_ms += mb_ms;
    s->mb_ms_arm += arm;
    if (inv->start != START_PROVISIONED)
        return;
    s->provisioned_mb_ms += mb_ms;
    s->provisioned_mb_ms_arm += arm;
    s->provisioned_known++;
}

static void widen(struct stats *s, int64_t first_ns, int64_t last_ns)
{
    if (first_ns == 0)
        return;
    if (s->first_ns == 0 || first_ns < s->first_ns)
        s->first_ns = first_ns;
    if (last_ns > s->last_ns)
        s->last_ns = last_ns;
}

/* In KB, so that a product has room. */
static bool is_fuller(uint64_t used, uint64_t size, const struct stats *than)
{
    const wide mine = (wide)(used >> 10) * (wide)(than->fullest_size_bytes >> 10);
    const wide theirs = (wide)(than->fullest_used_bytes >> 10) * (wide)(size >> 10);

    return mine > theirs || (mine == theirs && size > than->fullest_size_bytes);
}

void stats_add_fullest(struct stats *s, uint64_t used_bytes, uint64_t size_bytes)
{
    const bool is_of_one_size = size_bytes == s->fullest_size_bytes;

    if (is_of_one_size ? used_bytes <= s->fullest_used_bytes : size_bytes == 0)
        return;
    if (!is_of_one_size && s->fullest_size_bytes > 0 && !is_fuller(used_bytes, size_bytes, s))
        return;
    s->fullest_used_bytes = size_bytes > 0 ? used_bytes : 0;
    s->fullest_size_bytes = size_bytes;
}

void stats_add_invocation(struct stats *s, const struct invocation *inv)
{
    const wide billed_ms = invocation_billed_ms(inv);

    assert((unsigned)inv->outcome < OUTCOMES && (unsigned)inv->start < START_KINDS);
    s->n++;
    s->outcome[inv->outcome]++;
    s->start[inv->start]++;
    s->retries += inv->attempt > 1;
    if (inv->max_memory_bytes > s->max_memory_used_bytes)
        s->max_memory_used_bytes = inv->max_memory_bytes;
    if (inv->memory_bytes > s->memory_size_bytes)
        s->memory_size_bytes = inv->memory_bytes;
    stats_add_fullest(s, inv->max_memory_bytes, inv->memory_bytes);
    add_memory_time(s, inv, billed_ms * (wide)(inv->memory_bytes / MB));
    s->storage_mb_ms += billed_ms * (wide)invocation_paid_storage_mb(inv);
    widen(s, inv->start_ns, inv->start_ns);
    add_durations(s, inv);
    add_restore(s, inv);
    add_cost(s, inv);
}

void stats_merge(struct stats *s, const struct stats *from)
{
    assert(s != from);
    s->n += from->n;
    for (size_t i = 0; i < OUTCOMES; i++)
        s->outcome[i] += from->outcome[i];
    for (size_t i = 0; i < START_KINDS; i++)
        s->start[i] += from->start[i];
    s->retries += from->retries;
    s->sum_duration_ns += from->sum_duration_ns;
    s->sum_init_ns += from->sum_init_ns;
    s->sum_billed_ns += from->sum_billed_ns;
    if (from->max_duration_ns > s->max_duration_ns)
        s->max_duration_ns = from->max_duration_ns;
    widen(s, from->first_ns, from->last_ns);
    if (from->max_memory_used_bytes > s->max_memory_used_bytes)
        s->max_memory_used_bytes = from->max_memory_used_bytes;
    if (from->memory_size_bytes > s->memory_size_bytes)
        s->memory_size_bytes = from->memory_size_bytes;
    stats_add_fullest(s, from->fullest_used_bytes, from->fullest_size_bytes);
    s->mb_ms += from->mb_ms;
    s->mb_ms_arm += from->mb_ms_arm;
    s->storage_mb_ms += from->storage_mb_ms;
    s->cost += from->cost;
    s->cost_failed += from->cost_failed;
    s->cost_init += from->cost_init;
    s->unpriced += from->unpriced;
    s->restored_mb += from->restored_mb;
    s->restores_known += from->restores_known;
    s->provisioned_mb_ms += from->provisioned_mb_ms;
    s->provisioned_mb_ms_arm += from->provisioned_mb_ms_arm;
    s->provisioned_known += from->provisioned_known;
    s->log_events += from->log_events;
    s->log_bytes += from->log_bytes;
    s->log_errors += from->log_errors;
    histogram_bound(&s->duration, (uint64_t)(s->max_duration_ns / NS_PER_US));
    histogram_merge(&s->duration, &from->duration);
    histogram_merge(&s->init, &from->init);
}
