/* When a schedule fires next: `rate(5 minutes)`, `cron(0 18 ? * MON-FRI *)` and
 * `at(2027-01-15T12:00:00)` in the grammar of EventBridge (six cron fields, with L, W and #). Pure.
 *
 * cron() and at() are read in the schedule's time zone: a local time that a spring-forward skips
 * does not fire, one that a fall-back repeats fires once. rate() counts from an anchor and ignores
 * zones. */
#ifndef FNSCOPE_EXECUTOR_CRON_H
#define FNSCOPE_EXECUTOR_CRON_H

#include "core/base/err.h"
#include "core/base/str.h"
#include "executor/zone.h"

enum cron_kind { CRON_RATE, CRON_FIELDS, CRON_AT };

/* How the days of a month are named. */
enum cron_days {
    CRON_DAYS_OF_MONTH, /* the bits of month_days */
    CRON_LAST_DAY,      /* L */
    CRON_NEAR_WEEKDAY,  /* 15W: the weekday nearest to month_day, within the month */
    CRON_LAST_WEEKDAY,  /* LW */
    CRON_DAYS_OF_WEEK,  /* the bits of week_days */
    CRON_NTH_WEEK_DAY,  /* 3#2: week_day for the nth time */
    CRON_LAST_WEEK_DAY  /* 6L */
};

#define CRON_FIRST_YEAR 1970
#define CRON_LAST_YEAR  2199

struct cron {
    enum cron_kind kind;
    int64_t every_ns; /* of a rate */
    int64_t at_ns;    /* of at(), as if UTC */
    uint64_t minutes;
    uint32_t hours, months, month_days;
    uint32_t week_days; /* bit 1 = Sunday */
    uint64_t years[4];  /* bit 0 = 1970 */
    enum cron_days days;
    int month_day, week_day, nth;
};

/* ERR_CONFIG, with the field that is wrong. */
MUST_CHECK enum status cron_parse(struct str text, struct cron *out, struct err *e);

/* The first firing strictly after after_ns; false when there is none. zone NULL is UTC. A rate
 * fires at anchor_ns + n * every. */
bool cron_next(const struct cron *c, const struct zone *zone, int64_t anchor_ns, int64_t after_ns,
               int64_t *next_ns);

#endif
