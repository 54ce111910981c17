/* Waiting times. */
#include "executor/backoff.h"

#define THROTTLE_FIRST_NS NS_PER_SEC
#define THROTTLE_MOST_NS  (5 * NS_PER_MIN)

int64_t backoff_error(int64_t first_ns, unsigned n)
{
    return n <= 1 ? first_ns : 2 * first_ns;
}

int64_t backoff_throttle(unsigned n)
{
    /* 2^9 s is past the most already. */
    unsigned doublings = n <= 1 ? 0 : n - 1 > 9 ? 9 : n - 1;
    int64_t wait = THROTTLE_FIRST_NS << doublings;

    return wait < THROTTLE_MOST_NS ? wait : THROTTLE_MOST_NS;
}
