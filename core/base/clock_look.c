/* Wall and monotonic time run side by side until the wall clock is set. */
#include "core/base/clock_look.h"

#define SET_NS (5 * NS_PER_SEC)

bool clock_was_set(struct clock_look *l, const struct clock *c)
{
    const int64_t ahead_ns = clock_now(c) - clock_monotonic(c), by_ns = ahead_ns - l->ahead_ns;
    const bool was_set = l->has_looked && (by_ns > SET_NS || by_ns < -SET_NS);

    *l = (struct clock_look){ahead_ns, true};
    return was_set;
}
