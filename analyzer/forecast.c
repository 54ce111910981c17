/* Month's end from the days seen: the mean of the same weekdays, or of all days while there are
 * few, with a band from how far the days lie from it. Integers only. */
#include "analyzer/analyzer.h"

#include <assert.h>

#include "core/base/timefmt.h"

/* Squares of nano units fit 128 bits up to 10^10 currency units a day */
#define PICO_PER_NANO 1000
/* Standard deviations from the middle to the 10th and 90th percentile of a normal distribution */
#define BAND_E4 12816

static wide square_root(wide v)
{
    wide root = 0;

    for (wide bit = (wide)1 << 62; bit > 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= v)
            root += bit;
    return root;
}

static wide mean(const struct forecast_input *in, int weekday, bool is_weekly)
{
    wide sum = 0, n = 0;

    for (size_t i = 0; i < in->n; i++) {
        if (is_weekly && (in->first_weekday + (int)(i % 7)) % 7 != weekday)
            continue;
        sum += in->days[i];
        n++;
    }
    return n > 0 ? wide_div_round(sum, n) : 0;
}

/* Of the days around their means, nano squared. */
static wide variance(const struct forecast_input *in, const wide means[7])
{
    const size_t freedom = in->n > 1 ? in->n - 1 : 1;
    wide sum = 0;

    for (size_t i = 0; i < in->n; i++) {
        wide d = wide_div_round(in->days[i] - means[(in->first_weekday + (int)(i % 7)) % 7],
                                PICO_PER_NANO);
        sum += d * d;
    }
    return wide_div_round(sum, (wide)freedom);
}

/* The days ahead, the first one only in part. */
static wide rest_of_month(const struct forecast_input *in, const wide means[7], wide *days_e3)
{
    const int64_t day_ns = NS_PER_DAY;
    wide sum = 0;

    *days_e3 = 0;
    for (int64_t t = in->now_ns; t < in->end_ns;) {
        int64_t next = time_floor(t, NS_PER_DAY) + NS_PER_DAY;
        int64_t until = next < in->end_ns ? next : in->end_ns;
        sum += wide_ratio(means[time_civil(t).weekday], until - t, day_ns);
        *days_e3 += wide_ratio(1000, until - t, day_ns);
        t = until;
    }
    return sum;
}

bool forecast_month(const struct forecast_input *in, struct forecast *out)
{
    wide means[7], days_e3 = 0;

    assert(in->first_weekday >= 0 && in->first_weekday < 7);
    if (in->n < FORECAST_LEAST_DAYS)
        return false;
    out->is_weekly = in->n >= FORECAST_WEEKLY_DAYS;
    for (int w = 0; w < 7; w++)
        means[w] = mean(in, w, out->is_weekly);
    wide rest = rest_of_month(in, means, &days_e3);
    /* Days differ (m x v), and so does the mean that they are measured by (m x m x v / n) */
    wide v = variance(in, means);
    wide of_days = wide_ratio(v, days_e3, 1000);
    wide of_mean = wide_ratio(of_days, days_e3, (wide)in->n * 1000);
    wide band = wide_ratio(square_root(of_days + of_mean) * PICO_PER_NANO, BAND_E4, 10000);
    out->middle = in->spent + rest;
    out->low = rest > band ? out->middle - band : in->spent;
    out->high = out->middle + band;
    return true;
}
