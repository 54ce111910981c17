/* What the files of the metrics share: metrics.c (counting, writing), metrics_read.c (periods from
 * minutes), metrics_api.c, metrics_data.c and metrics_stats.c (the CloudWatch API). */
#ifndef FNSCOPE_EXECUTOR_METRICS_PRIVATE_H
#define FNSCOPE_EXECUTOR_METRICS_PRIVATE_H

#include "core/model/bucket.h"
#include "executor/journal.h"
#include "executor/metrics.h"

__extension__ typedef __int128 wide;

#define METRIC_KEEP_MINUTES (INT64_C(15) * 24 * 60)

struct metric_info {
    const char *space, *name, *unit;
    int64_t scale; /* counted units in one unit shown */
    bool is_timed; /* has a histogram */
};
extern const struct metric_info metric_infos[METRICS];

/* One value of several: what a minute or a period holds. */
struct metric_sum {
    int64_t n, sum, low, high;
    struct histogram histogram; /* of timed metrics, in microseconds */
};
void metric_sum_add(struct metric_sum *s, const struct metric_sum *more);
void metric_sum_clear(struct metric_sum *s);

/* A series as the API names it; label and value empty for the region's. */
struct metric_key {
    struct str space, name, label, value;
};
const struct metric_info *metric_find(struct str space, struct str name);

/* Writes what was counted since the last time. Reads submitted afterwards see it. */
void metrics_flush(struct metrics *m);

/* --- reading, on the journal's thread --- */

struct metric_period {
    int64_t start_s;
    struct metric_sum sum;
};

struct metric_request {
    struct metric_key key;
    int64_t from_s, to_s; /* to exclusive */
    int64_t period_s;
    struct metric_period *periods; /* ascending, those with values only */
    size_t n, cap;
};
MUST_CHECK enum status metric_read(struct metric_request *rq, struct journal *j, struct err *e);
void metric_request_clear(struct metric_request *rq);

enum metric_stat {
    STAT_SAMPLES,
    STAT_AVERAGE,
    STAT_SUM,
    STAT_MIN,
    STAT_MAX,
    STAT_PERCENTILE, /* from here on: of the distribution */
    STAT_TRIMMED_MEAN,
    STAT_WINSORIZED_MEAN,
    STAT_TRIMMED_COUNT,
    STAT_TRIMMED_SUM,
    STAT_PERCENTILE_RANK
};
struct metric_choice {
    enum metric_stat stat;
    uint64_t part; /* STAT_PERCENTILE, of METRIC_PARTS */
    /* of the ones behind it, metric_trim.h: in METRIC_PARTS, or in 10^-10 of the unit */
    bool is_part;
    int64_t low, high;
};
#define METRIC_PARTS UINT64_C(1000000000000)
#define METRIC_CHOICES                                                                             \
    "SampleCount, Average, Sum, Minimum, Maximum, p0 to p100 with decimals, TM, WM, TC, TS, PR "   \
    "and IQM"
/* "Sum", "p99", "p99.99": ten decimals, as CloudWatch allows. False for METRIC_CHOICES' others. */
bool metric_choice_read(struct str text, struct metric_choice *out);
/* As a JSON number; false when the period cannot give it. */
bool metric_value(const struct metric_info *info, const struct metric_sum *s,
                  struct metric_choice choice, struct buf *out);
/* The same as a number to calculate with. */
bool metric_number(const struct metric_info *info, const struct metric_sum *s,
                   struct metric_choice choice, double *out);

#endif
