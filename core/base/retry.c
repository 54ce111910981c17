/* Back-off, Retry-After, token buckets. */
#include "core/base/retry.h"

#include <assert.h>

#include "core/base/macros.h"
#include "core/base/timefmt.h"

const struct retry_policy retry_standard = {
    .attempts = 5,
    .base_ns = NS_PER_SEC,
    .cap_ns = 20 * NS_PER_SEC,
};

#define ASKED_MAX_NS (15 * NS_PER_MIN)

int64_t retry_wait(const struct retry_policy *p, unsigned n, int64_t asked_ns, struct rng *r)
{
    int64_t most = p->base_ns;

    assert(n > 0 && p->base_ns > 0 && p->cap_ns >= p->base_ns);
    for (unsigned i = 1; i < n && most < p->cap_ns; i++)
        most *= 2;
    most = most < p->cap_ns ? most : p->cap_ns;
    int64_t wait = (int64_t)rng_below(r, (uint64_t)most + 1);
    int64_t asked = asked_ns < ASKED_MAX_NS ? asked_ns : ASKED_MAX_NS;
    return wait > asked ? wait : asked;
}

static bool find_month(struct str name, int *month)
{
    static const struct str names = STR_INIT("JanFebMarAprMayJunJulAugSepOctNovDec");
    size_t at = str_find(names, name);

    if (name.n != 3 || at >= names.n || at % 3 != 0)
        return false;
    *month = (int)(at / 3) + 1;
    return true;
}

static bool number(struct str s, int *out)
{
    uint64_t v;

    if (!str_to_u64(s, &v) || v > 9999)
        return false;
    *out = (int)v;
    return true;
}

static bool is_civil(const struct civil *c)
{
    return c->year >= 1970 && c->year <= 2261 && c->day >= 1 && c->day <= 31 && c->hour <= 23 &&
           c->minute <= 59 && c->second <= 60;
}

bool http_date_parse(struct str s, int64_t *t_ns)
{
    struct civil c = {0};
    const struct {
        int *to;
        size_t at, n;
    } parts[] = {
        {&c.day, 5, 2}, {&c.year, 12, 4}, {&c.hour, 17, 2}, {&c.minute, 20, 2}, {&c.second, 23, 2}};

    if (s.n != 29 || !str_ends(s, STR(" GMT")) || s.p[3] != ',' ||
        !find_month(str_sub(s, 8, 3), &c.month))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!number(str_sub(s, parts[i].at, parts[i].n), parts[i].to))
            return false;
    if (!is_civil(&c))
        return false;
    *t_ns = time_from_civil(&c);
    return true;
}

bool retry_after_parse(struct str value, int64_t now_ns, int64_t *wait_ns)
{
    uint64_t seconds;
    int64_t at_ns;

    if (str_to_u64(value, &seconds)) {
        *wait_ns = seconds < 86400 ? (int64_t)seconds * NS_PER_SEC : NS_PER_DAY;
        return true;
    }
    if (!http_date_parse(value, &at_ns))
        return false;
    *wait_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    return true;
}

void rate_init(struct rate *r, int64_t per_1000_s, unsigned burst)
{
    assert(per_1000_s >= 0 && burst > 0);
    int64_t interval = per_1000_s > 0 ? 1000 * NS_PER_SEC / per_1000_s : 0;
    *r = (struct rate){.interval_ns = interval, .burst_ns = interval * (int64_t)burst};
}

int64_t rate_wait(const struct rate *r, int64_t now_ns)
{
    /* With a token gone the bucket is full one interval later; it may lack at most `burst`. */
    int64_t lack = (r->full_ns > now_ns ? r->full_ns - now_ns : 0) + r->interval_ns - r->burst_ns;
    int64_t pause = r->paused_ns > now_ns ? r->paused_ns - now_ns : 0;

    return lack > pause ? lack : pause;
}

int64_t rate_take(struct rate *r, int64_t now_ns)
{
    int64_t wait = rate_wait(r, now_ns);

    if (wait == 0 && r->interval_ns > 0)
        r->full_ns = (r->full_ns > now_ns ? r->full_ns : now_ns) + r->interval_ns;
    return wait;
}

void rate_pause(struct rate *r, int64_t now_ns, int64_t wait_ns)
{
    if (now_ns + wait_ns > r->paused_ns)
        r->paused_ns = now_ns + wait_ns;
}
