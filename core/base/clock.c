/* The only reader of the clock. */
#include "core/base/clock.h"

#include <time.h>

#include "core/base/macros.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static int64_t system_now(const struct clock *c)
{
    UNUSED(c);
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(const struct clock *c)
{
    UNUSED(c);
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t fixed_now(const struct clock *c)
{
    return c->fixed_ns;
}

struct clock clock_system(void)
{
    return (struct clock){.now = system_now, .monotonic = system_monotonic};
}

struct clock clock_fixed(int64_t wall_ns)
{
    return (struct clock){.now = fixed_now, .monotonic = fixed_now, .fixed_ns = wall_ns};
}

int64_t clock_now(const struct clock *c)
{
    return c->now(c);
}

int64_t clock_monotonic(const struct clock *c)
{
    return c->monotonic(c);
}
