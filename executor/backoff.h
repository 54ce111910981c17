/* How long an asynchronous event waits before its next attempt. Pure. */
#ifndef FNSCOPE_EXECUTOR_BACKOFF_H
#define FNSCOPE_EXECUTOR_BACKOFF_H

#include "core/base/clock.h"

/* After the nth error of a function (1: the first): `first` after the first, twice that after the
 * second: 1 and 2 minutes unless set otherwise. */
int64_t backoff_error(int64_t first_ns, unsigned n);
/* After the nth throttle or fault of ours (1: the first): 1 s, doubled each time, at most 5 min. */
int64_t backoff_throttle(unsigned n);

#endif
