/* Times and durations as text. No locale, no time-zone database: UTC, or a fixed offset in the
 * input. Pure. */
#ifndef FNSCOPE_CORE_BASE_TIMEFMT_H
#define FNSCOPE_CORE_BASE_TIMEFMT_H

#include "core/base/buf.h"
#include "core/base/clock.h"

struct civil {
    int year, month, day, hour, minute, second; /* month 1-12, day 1-31 */
    int64_t ns;                                 /* within the second */
    int weekday;                                /* 0 = Sunday */
};

struct civil time_civil(int64_t t_ns);
int64_t time_from_civil(const struct civil *c);
int64_t time_floor(int64_t t_ns, int64_t step_ns); /* also for times before 1970 */
/* Where the UTC month of a time begins, or the one so many months after it: months_on >= 0. */
int64_t time_month(int64_t t_ns, int months_on);

/* RFC 3339 as the providers write it: date, 'T' or blank, time, optional fraction (up to 9 digits),
 * 'Z', +hh:mm, +hhmm, the last two also behind a blank or in brackets there, or nothing (= UTC).
 * The whole view must match. Years 1678-2261. */
bool time_parse(struct str s, int64_t *t_ns);
/* As time_parse for a prefix of s; returns the bytes used, 0 when none. */
size_t time_parse_prefix(struct str s, int64_t *t_ns);
size_t time_prefix_length(struct str s); /* what it returns, for who needs no more */
/* What the last eight characters of "2026-01-15T12:30:59.123Z" say: the time behind the minute, for
 * lines that begin with the minute of the line before. False: another form. */
bool time_behind_minute(const char p[8], int64_t *ns);
/* What a person types: RFC 3339, "2026-01-15", "2026-01-15 12:30", epoch seconds or milliseconds,
 * "now", "today", "yesterday", "14:50" or "14:50:30" = when the clock (of now_ns) showed that last,
 * or "15m" = that long before now. */
MUST_CHECK enum status time_parse_human(struct str s, int64_t now_ns, int64_t *t_ns, struct err *e);

void time_format(struct buf *b, int64_t t_ns,
                 unsigned fraction_digits);        /* 2026-01-15T12:00:00.000Z */
void time_format_day(struct buf *b, int64_t t_ns); /* 2026-01-15 */

/* "1.5s", "30d", "250ms", "1h30m"; units ns us ms s m h d w. A bare number is refused. */
MUST_CHECK enum status duration_parse(struct str s, int64_t *ns, struct err *e);
void duration_format(struct buf *b,
                     int64_t ns); /* for people: 0 "0", "834us", "2.46ms", "1.2s", "3m05s" */

/* "512MB" "1.5GiB" "64k": decimal kB MB GB TB, binary KiB MiB GiB TiB, bare = bytes. */
MUST_CHECK enum status size_parse(struct str s, uint64_t *bytes, struct err *e);
/* Memory and storage of functions: AWS writes kB, MB and GB for 2^10, 2^20 and 2^30, and so are
 * they read here, in small letters and without the B, too. Bare = bytes. */
MUST_CHECK enum status memory_parse(struct str s, uint64_t *bytes, struct err *e);
void size_format(struct buf *b, uint64_t bytes); /* for people: "1.4 MB" (decimal) */

#endif
