/* Whether somebody set the wall clock, between one look at it and the next: what was done by the
 * old one then seems long ago, or to come. Pure but for the clock it is given. */
#ifndef FNSCOPE_CORE_BASE_CLOCK_LOOK_H
#define FNSCOPE_CORE_BASE_CLOCK_LOOK_H

#include <stdbool.h>

#include "core/base/clock.h"

/* Zeroed before the first look. */
struct clock_look {
    int64_t ahead_ns; /* wall before monotonic */
    bool has_looked;
};

/* Steps of less than five seconds are corrections. False at the first look. */
bool clock_was_set(struct clock_look *l, const struct clock *c);

#endif
