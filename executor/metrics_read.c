/* Minutes become periods, sums become statistics. */
#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "executor/metric_trim.h"

static struct metric_period *period_of(struct metric_request *rq, int64_t start_s)
{
    if (rq->n > 0 && rq->periods[rq->n - 1].start_s == start_s)
        return &rq->periods[rq->n - 1];
    rq->periods = mem_grow(rq->periods, rq->n, &rq->cap, sizeof(*rq->periods));
    rq->periods[rq->n] = (struct metric_period){.start_s = start_s};
    return &rq->periods[rq->n++];
}

static void add_row(struct metric_request *rq, struct sql_stmt *st)
{
    struct metric_sum one = {
        .n = sql_i64(st, 1), .sum = sql_i64(st, 2), .low = sql_i64(st, 3), .high = sql_i64(st, 4)};
    int64_t at_s = sql_i64(st, 0) * 60;
    struct metric_period *p = period_of(rq, time_floor(at_s, rq->period_s));

    histogram_unpack(sql_blob(st, 5), &one.histogram);
    metric_sum_add(&p->sum, &one);
    metric_sum_clear(&one);
}

enum status metric_read(struct metric_request *rq, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = true;
    enum status s = journal_stmt(j,
                                 "select minute, n, sum, low, high, data from point where series="
                                 "(select id from series where space=? and name=? and label=? and"
                                 " value=?) and minute>=? and minute<? order by minute",
                                 &st, e);

    if (s != OK)
        return s;
    metric_request_clear(rq); /* a group that failed runs again */
    int64_t from = time_floor(rq->from_s, rq->period_s);
    sql_bind_str(st, 1, rq->key.space);
    sql_bind_str(st, 2, rq->key.name);
    sql_bind_str(st, 3, rq->key.label);
    sql_bind_str(st, 4, rq->key.value);
    sql_bind_i64(st, 5, from / 60);
    sql_bind_i64(st, 6, time_floor(rq->to_s + rq->period_s - 1, rq->period_s) / 60);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        add_row(rq, st);
    sql_reset(st);
    /* The end is exclusive for the start of a period. */
    while (rq->n > 0 && rq->periods[rq->n - 1].start_s >= rq->to_s)
        metric_sum_clear(&rq->periods[--rq->n].sum);
    return s;
}

void metric_request_clear(struct metric_request *rq)
{
    for (size_t i = 0; i < rq->n; i++)
        metric_sum_clear(&rq->periods[i].sum);
    free(rq->periods);
    rq->periods = NULL;
    rq->n = rq->cap = 0;
}

/* --- statistics --- */

bool metric_choice_read(struct str text, struct metric_choice *out)
{
    static const char *const names[] = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"};
    int64_t part;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(text, str_from(names[i]))) {
            *out = (struct metric_choice){.stat = (enum metric_stat)i};
            return true;
        }
    if (metric_trim_read(text, out))
        return true;
    if (!str_starts(text, STR("p")) || !str_to_scaled(str_skip(text, 1), 10, &part) || part < 0 ||
        part > (int64_t)METRIC_PARTS)
        return false;
    *out = (struct metric_choice){.stat = STAT_PERCENTILE, .part = (uint64_t)part};
    return true;
}

/* Decimals of a value are exact for scales that are powers of ten; a mean is cut after six. */
static void add_ratio(struct buf *out, wide numerator, wide denominator)
{
    const int64_t million = 1000000;
    wide scaled = numerator * million / denominator;
    int64_t whole = (int64_t)(scaled / million), rest = (int64_t)(scaled % million);
    unsigned digits = 6;

    assert(denominator > 0);
    buf_addf(out, "%s%lld", numerator < 0 && whole == 0 ? "-" : "", (long long)whole);
    if (rest < 0)
        rest = -rest;
    while (digits > 1 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    buf_addf(out, ".%0*lld", (int)digits, (long long)rest);
}

/* The ends are exact, and the middle of a class must not lie outside of them. */
static bool percentile(const struct metric_sum *s, uint64_t part, wide *us)
{
    uint64_t found = 0;

    if (!histogram_quantile(&s->histogram, part, METRIC_PARTS, &found))
        return false;
    *us = part == 0 || (int64_t)found < s->low               ? s->low
          : part == METRIC_PARTS || (int64_t)found > s->high ? s->high
                                                             : (int64_t)found;
    return true;
}

static bool ratio_of(const struct metric_info *info, const struct metric_sum *s,
                     struct metric_choice choice, wide *numerator, wide *denominator)
{
    const wide values[] = {[STAT_SAMPLES] = (wide)s->n * info->scale,
                           [STAT_AVERAGE] = s->sum,
                           [STAT_SUM] = s->sum,
                           [STAT_MIN] = s->low,
                           [STAT_MAX] = s->high};

    if (s->n == 0)
        return false;
    if (choice.stat > STAT_PERCENTILE)
        return metric_trim_value(info, s, choice, numerator, denominator);
    *denominator = (wide)info->scale * (choice.stat == STAT_AVERAGE ? s->n : 1);
    if (choice.stat == STAT_PERCENTILE)
        return percentile(s, choice.part, numerator);
    *numerator = values[choice.stat];
    return true;
}

bool metric_value(const struct metric_info *info, const struct metric_sum *s,
                  struct metric_choice choice, struct buf *out)
{
    wide numerator, denominator;

    if (!ratio_of(info, s, choice, &numerator, &denominator))
        return false;
    add_ratio(out, numerator, denominator);
    return true;
}

bool metric_number(const struct metric_info *info, const struct metric_sum *s,
                   struct metric_choice choice, double *out)
{
    wide numerator, denominator;

    if (!ratio_of(info, s, choice, &numerator, &denominator))
        return false;
    *out = (double)numerator / (double)denominator;
    return true;
}
