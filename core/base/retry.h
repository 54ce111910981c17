/* When to try again, and how fast to ask: pure, over readings of a clock that the caller passes.
 *
 *     int64_t wait_ns = rate_take(&rate, clock_monotonic(&clock));
 *     if (wait_ns > 0) ... come back after wait_ns ...
 *     ... the call failed for the n-th time ...
 *     wait_ns = retry_wait(&retry_standard, n, asked_ns, &rng);
 */
#ifndef FNSCOPE_CORE_BASE_RETRY_H
#define FNSCOPE_CORE_BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/rng.h"
#include "core/base/str.h"

struct retry_policy {
    unsigned attempts; /* of one call, the first one included */
    int64_t base_ns, cap_ns;
};
extern const struct retry_policy retry_standard; /* 5 attempts, 1 s doubled up to 20 s */

/* How long to wait after the n-th failure (n from 1): random between 0 and base x 2^(n-1), at most
 * the cap; never less than what the server asked for (0: nothing), which counts up to 15 min. */
int64_t retry_wait(const struct retry_policy *p, unsigned n, int64_t asked_ns, struct rng *r);

/* The value of Retry-After: seconds, or an HTTP date seen from now_ns (wall). False when neither.
 */
bool retry_after_parse(struct str value, int64_t now_ns, int64_t *wait_ns);

/* "Tue, 01 Sep 2026 10:00:00 GMT" (RFC 9110), as in Date and Retry-After. */
bool http_date_parse(struct str s, int64_t *t_ns);

/* A token bucket kept as one number: the time at which it will be full again. */
struct rate {
    int64_t interval_ns; /* between two tokens; 0: no limit */
    int64_t burst_ns;    /* interval x size of the bucket */
    int64_t full_ns;     /* monotonic */
    int64_t paused_ns;   /* no token before; holds without a limit too */
};
/* Calls per 1000 s, so that 17500 is 17.5 a second; 0: no limit. burst at least 1. */
void rate_init(struct rate *r, int64_t per_1000_s, unsigned burst);
/* 0: a token was taken. Else nothing was taken, and one will be there after so many ns. */
int64_t rate_take(struct rate *r, int64_t now_ns);
/* How long until a token is there; takes nothing. */
int64_t rate_wait(const struct rate *r, int64_t now_ns);
/* The server said that it is too fast: no token for that long. */
void rate_pause(struct rate *r, int64_t now_ns, int64_t wait_ns);

#endif
