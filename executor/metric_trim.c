/* Bounds out of text, and one walk over the classes of values. */
#include "executor/metric_trim.h"

#include <assert.h>

/* --- reading --- */

static const struct {
    struct str name;
    enum metric_stat stat;
} names[] = {{STR_INIT("tm"), STAT_TRIMMED_MEAN},
             {STR_INIT("wm"), STAT_WINSORIZED_MEAN},
             {STR_INIT("tc"), STAT_TRIMMED_COUNT},
             {STR_INIT("ts"), STAT_TRIMMED_SUM},
             {STR_INIT("pr"), STAT_PERCENTILE_RANK}};

static bool read_stat(struct str text, enum metric_stat *out)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(text, names[i].name)) {
            *out = names[i].stat;
            return true;
        }
    return false;
}

/* "10%" in METRIC_PARTS, "150" in 10^-10 of the unit; empty: left out. */
static bool read_bound(struct str text, bool *is_part, int64_t *out, bool *is_there)
{
    *is_there = text.n > 0;
    *is_part = str_ends(text, STR("%"));
    if (text.n == 0)
        return true;
    struct str digits = *is_part ? str_sub(text, 0, text.n - 1) : text;
    return str_to_scaled(digits, 10, out) && *out >= 0 &&
           (!*is_part || *out <= (int64_t)METRIC_PARTS);
}

/* "10%:90%", ":300", "80%:". Both bounds are of a kind, and the lower is the lower. */
static bool read_range(struct str text, struct metric_choice *out)
{
    struct str high = text, low = str_cut(&high, ':');
    bool is_low_part = false, is_high_part = false, has_low = false, has_high = false;

    if (str_find_char(text, ':') == text.n || !read_bound(low, &is_low_part, &out->low, &has_low) ||
        !read_bound(high, &is_high_part, &out->high, &has_high))
        return false;
    if ((!has_low && !has_high) || (has_low && has_high && is_low_part != is_high_part))
        return false;
    out->is_part = is_low_part || is_high_part;
    if (!has_low)
        out->low = out->is_part ? 0 : -1; /* 0 lies within */
    if (!has_high)
        out->high = out->is_part ? (int64_t)METRIC_PARTS : INT64_MAX;
    return out->low < out->high;
}

static bool read_call(struct str text, struct metric_choice *out)
{
    size_t open = str_find_char(text, '(');

    return open < text.n && read_stat(str_sub(text, 0, open), &out->stat) &&
           read_range(str_sub(text, open + 1, text.n - open - 2), out) &&
           (out->stat != STAT_PERCENTILE_RANK || !out->is_part);
}

/* "tm90": what lies below the 90th percentile. */
static bool read_short(struct str text, struct metric_choice *out)
{
    struct str digits = str_skip(text, 2);

    out->is_part = true;
    return read_stat(str_sub(text, 0, 2), &out->stat) && out->stat != STAT_PERCENTILE_RANK &&
           str_to_scaled(digits, 10, &out->high) && out->high > 0 &&
           out->high <= (int64_t)METRIC_PARTS;
}

bool metric_trim_read(struct str text, struct metric_choice *out)
{
    static const struct metric_choice quartiles = {.stat = STAT_TRIMMED_MEAN,
                                                   .is_part = true,
                                                   .low = (int64_t)(METRIC_PARTS / 4),
                                                   .high = (int64_t)(METRIC_PARTS / 4 * 3)};

    *out = quartiles;
    if (str_eq_nocase(text, STR("iqm")))
        return true;
    *out = (struct metric_choice){0};
    return str_ends(text, STR(")")) ? read_call(text, out) : read_short(text, out);
}

/* --- the walk --- */

/* The values within: how many, their sum, the ones at the ends, and how many lie on either side. */
struct trimmed {
    uint64_t n, below, above;
    wide sum;
    int64_t first, last;
};

/* The middle of a class must not lie outside of what was counted. */
static int64_t value_of(const struct metric_sum *s, unsigned bucket)
{
    int64_t us = (int64_t)bucket_mid(bucket);

    return us < s->low ? s->low : us > s->high ? s->high : us;
}

static void take(struct trimmed *t, uint64_t n, int64_t value)
{
    if (n == 0)
        return;
    if (t->n == 0)
        t->first = value;
    t->last = value;
    t->n += n;
    t->sum += (wide)n * value;
}

static uint64_t overlap(uint64_t from, uint64_t to, uint64_t low, uint64_t high)
{
    uint64_t begin = from > low ? from : low, end = to < high ? to : high;

    return end > begin ? end - begin : 0;
}

static void trim_parts(const struct metric_sum *s, struct metric_choice choice, struct trimmed *t)
{
    const wide parts = (wide)METRIC_PARTS;
    wide total = (wide)s->histogram.total;
    uint64_t low = (uint64_t)(total * choice.low / parts);
    uint64_t high = (uint64_t)((total * choice.high + parts - 1) / parts);
    uint64_t seen = 0;

    for (size_t i = 0; i < s->histogram.n; i++) {
        uint64_t n = s->histogram.count[i];
        take(t, overlap(seen, seen + n, low, high), value_of(s, s->histogram.bucket[i]));
        seen += n;
    }
    t->below = low;
    t->above = s->histogram.total - high;
}

/* A bound of the unit shown, as a counted value; what is beyond all values stays there. */
static int64_t counted(const struct metric_info *info, int64_t bound)
{
    const int64_t scale = INT64_C(10000000000);
    wide v = (wide)bound * info->scale / scale;

    return bound < 0 ? -1 : v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void trim_values(const struct metric_info *info, const struct metric_sum *s,
                        struct metric_choice choice, struct trimmed *t)
{
    int64_t low = counted(info, choice.low), high = counted(info, choice.high);

    for (size_t i = 0; i < s->histogram.n; i++) {
        int64_t value = value_of(s, s->histogram.bucket[i]);
        uint64_t n = s->histogram.count[i];
        if (value <= low)
            t->below += n;
        else if (value > high)
            t->above += n;
        else
            take(t, n, value);
    }
    t->first = low < 0 ? 0 : low;
    t->last = high;
}

bool metric_trim_value(const struct metric_info *info, const struct metric_sum *s,
                       struct metric_choice choice, wide *numerator, wide *denominator)
{
    struct trimmed t = {0};

    if (!info->is_timed || s->histogram.total == 0)
        return false;
    if (choice.is_part)
        trim_parts(s, choice, &t);
    else
        trim_values(info, s, choice, &t);
    const wide all = (wide)s->histogram.total, n = (wide)t.n;
    const struct {
        wide numerator, denominator;
    } values[] = {
        [STAT_TRIMMED_MEAN] = {t.sum, n * info->scale},
        [STAT_WINSORIZED_MEAN] = {t.sum + (wide)t.below * t.first + (wide)t.above * t.last,
                                  all * info->scale},
        [STAT_TRIMMED_COUNT] = {n, 1},
        [STAT_TRIMMED_SUM] = {t.sum, info->scale},
        [STAT_PERCENTILE_RANK] = {n * 100, all},
    };
    assert(choice.stat >= STAT_TRIMMED_MEAN && choice.stat < ARRAY_LEN(values));
    *numerator = values[choice.stat].numerator;
    *denominator = values[choice.stat].denominator;
    return *denominator > 0;
}
