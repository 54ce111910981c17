/* The only reader of the clock. Wall time is int64 nanoseconds since 1970-01-01 UTC, monotonic time
 * nanoseconds since an arbitrary start. Functions that need the time take a `struct clock`, so that
 * tests, `--clock` and SOURCE_DATE_EPOCH can fix it. */
#ifndef FNSCOPE_CORE_BASE_CLOCK_H
#define FNSCOPE_CORE_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_SEC  INT64_C(1000000000)
#define NS_PER_MIN  (60 * NS_PER_SEC)
#define NS_PER_HOUR (3600 * NS_PER_SEC)
#define NS_PER_DAY  (86400 * NS_PER_SEC)

struct range {
    int64_t since_ns, until_ns; /* [since, until) */
};

struct clock {
    int64_t (*now)(const struct clock *c);       /* wall */
    int64_t (*monotonic)(const struct clock *c); /* never goes back */
    int64_t fixed_ns;                            /* of a fixed clock */
};

struct clock clock_system(void);
struct clock clock_fixed(int64_t wall_ns); /* the test twin: both readings stand still */
int64_t clock_now(const struct clock *c);
int64_t clock_monotonic(const struct clock *c);

#endif
