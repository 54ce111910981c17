/* A number against its own past, by median and median deviation: a single wild day in the past
 * neither hides nor makes a finding. Pure. */
#include "analyzer/analyzer.h"

#include <stdlib.h>

enum { DEVIATIONS = 6 };

static int compare(const void *a, const void *b)
{
    const wide *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static wide distance(wide a, wide b)
{
    return a > b ? a - b : b - a;
}

static wide median(wide *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare);
    return n % 2 == 1 ? v[n / 2] : wide_div_round(v[n / 2 - 1] + v[n / 2], 2);
}

struct unusual unusual_of(const wide *past, size_t n, wide now, wide floor)
{
    struct unusual u = {0};
    wide v[ANOMALY_MOST_PAST];

    if (n > ANOMALY_MOST_PAST) {
        past += n - ANOMALY_MOST_PAST;
        n = ANOMALY_MOST_PAST;
    }
    if (n < ANOMALY_LEAST_PAST)
        return u;
    for (size_t i = 0; i < n; i++)
        v[i] = past[i];
    u.usual = median(v, n);
    for (size_t i = 0; i < n; i++)
        v[i] = distance(past[i], u.usual);
    wide spread = median(v, n);
    u.excess = now - u.usual;
    wide size = distance(now, u.usual);
    u.is_found = size > DEVIATIONS * spread && size * 2 > u.usual && size >= floor && size > 0;
    return u;
}
