#include "core/model/arrival.h"

/* 10^14 is a multiple of 2^14: so many digits tell so many bits of a number. */
enum { ARRIVAL_DIGITS = ARRIVAL_BITS };

uint16_t arrival_of(struct str event_id)
{
    uint64_t n;

    if (event_id.n < ARRIVAL_DIGITS ||
        !str_to_u64(str_skip(event_id, event_id.n - ARRIVAL_DIGITS), &n))
        return 0;
    return (uint16_t)(n % (1u << ARRIVAL_BITS) + 1);
}

/* Numbers go on behind the largest at the smallest: nearer is what counts. */
bool arrival_is_after(uint16_t x, uint16_t y)
{
    const unsigned ahead = ((unsigned)x - y) % (1u << ARRIVAL_BITS);

    return x > 0 && y > 0 && ahead > 0 && ahead < 1u << (ARRIVAL_BITS - 1);
}
