/* What of an invocation is billed. Pure. */
#include "core/model/invocation.h"

#include <assert.h>

#include "core/base/clock.h"

#define MB (UINT64_C(1) << 20)

enum { FREE_STORAGE_MB = 512 };

int64_t invocation_billed_ms(const struct invocation *inv)
{
    if (inv->billed_ns <= 0 || (inv->evidence & EV_NO_BILLING) != 0)
        return 0;
    return inv->billed_ns / NS_PER_MS + (inv->billed_ns % NS_PER_MS > 0);
}

int64_t invocation_billed_init_ms(const struct invocation *inv)
{
    const int64_t billed_ms = invocation_billed_ms(inv);
    const int64_t run_ms = (inv->duration_ns + NS_PER_MS - 1) / NS_PER_MS;
    const int64_t init_ms = (inv->init_ns + inv->restore_ns + NS_PER_MS - 1) / NS_PER_MS;
    assert(billed_ms >= 0);
    const int64_t beyond_run_ms = billed_ms > run_ms ? billed_ms - run_ms : 0;
    return beyond_run_ms < init_ms ? beyond_run_ms : init_ms;
}

wide invocation_cost_init(const struct invocation *inv)
{
    const int64_t billed_ms = invocation_billed_ms(inv);
    const wide by_time = (wide)inv->cost - inv->cost_restore;

    if (!inv->is_priced || billed_ms == 0)
        return 0;
    return inv->cost_restore + wide_div_round(by_time * invocation_billed_init_ms(inv), billed_ms);
}

uint64_t invocation_paid_storage_mb(const struct invocation *inv)
{
    const uint64_t mb = inv->storage_bytes / MB;
    return mb > FREE_STORAGE_MB ? mb - FREE_STORAGE_MB : 0;
}
