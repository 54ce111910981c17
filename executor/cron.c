/* Schedule expressions: fields become bit sets, the next firing is found by carrying from the year
 * down to the minute. */
#include "executor/cron.h"

#include <assert.h>

#include "core/base/timefmt.h"

/* --- reading --- */

/* One cron field: its range and the names that stand for numbers. */
struct field {
    const char *name;
    int min, max;
    const char *words; /* three letters each, the first means `min` */
};

static const struct field minute_field = {"minutes", 0, 59, ""};
static const struct field hour_field = {"hours", 0, 23, ""};
static const struct field month_day_field = {"day-of-month", 1, 31, ""};
static const struct field month_field = {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"};
static const struct field week_day_field = {"day-of-week", 1, 7, "SUNMONTUEWEDTHUFRISAT"};
static const struct field year_field = {"year", CRON_FIRST_YEAR, CRON_LAST_YEAR, ""};

static bool read_value(struct str s, const struct field *f, int *out)
{
    struct str words = str_from(f->words);
    int64_t v;

    for (size_t i = 0; s.n == 3 && i < words.n; i += 3) {
        if (!str_eq_nocase(s, str_sub(words, i, 3)))
            continue;
        *out = f->min + (int)(i / 3);
        return true;
    }
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '+' || !str_to_i64(s, &v))
        return false;
    if (v < f->min || v > f->max)
        return false;
    *out = (int)v;
    return true;
}

static void set_bit(uint64_t bits[4], int i)
{
    assert(i >= 0 && i < 256);
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool has_bit(const uint64_t bits[4], int i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* A range may run over the end of its field: 20-2 are the hours 20 to 23 and 0 to 2. */
static void set_range(const struct field *f, int from, int to, int step, uint64_t bits[4])
{
    int size = f->max - f->min + 1;
    int length = to >= from ? to - from : to + size - from;

    for (int i = 0; i <= length; i += step)
        set_bit(bits, (from - f->min + i) % size);
}

/* "*", "5", "5-9", "MON-FRI", each with an optional "/step". */
static bool read_part(struct str part, const struct field *f, uint64_t bits[4])
{
    bool has_step = str_find_char(part, '/') < part.n;
    struct str range = str_cut(&part, '/');
    int64_t step = 1;
    int from = f->min, to = f->max;

    if (has_step && (!str_to_i64(part, &step) || step < 1 || step > f->max))
        return false;
    if (!str_eq(range, STR("*"))) {
        bool has_end = str_find_char(range, '-') < range.n;
        if (!read_value(str_cut(&range, '-'), f, &from))
            return false;
        to = has_step ? f->max : from;
        if (has_end && !read_value(range, f, &to))
            return false;
        if (to < from && f == &year_field) /* years do not come round again */
            return false;
    }
    set_range(f, from, to, (int)step, bits);
    return true;
}

static enum status wrong_field(struct str text, const struct field *f, struct err *e)
{
    return err_set(e, ERR_CONFIG, "cron field %s: \"" STR_FMT "\" is not understood", f->name,
                   STR_ARG(text));
}

/* bits count from the field's minimum. */
static enum status read_field(struct str text, const struct field *f, uint64_t bits[4],
                              struct err *e)
{
    struct str rest = text;

    bits[0] = bits[1] = bits[2] = bits[3] = 0;
    if (text.n == 0 || text.p[text.n - 1] == ',')
        return wrong_field(text, f, e);
    while (rest.n > 0)
        if (!read_part(str_cut(&rest, ','), f, bits))
            return wrong_field(text, f, e);
    return OK;
}

/* A set of at most 32 values, with bit v for the value v. */
static enum status read_small_field(struct str text, const struct field *f, uint32_t *out,
                                    struct err *e)
{
    uint64_t bits[4];

    if (read_field(text, f, bits, e) != OK)
        return e ? e->code : ERR_CONFIG;
    *out = (uint32_t)bits[0] << f->min;
    return OK;
}

static bool ends_with_letter(struct str text, struct str letter)
{
    return text.n > 0 && str_eq_nocase(str_skip(text, text.n - 1), letter);
}

static enum status read_month_days(struct str text, struct cron *c, struct err *e)
{
    c->days = CRON_DAYS_OF_MONTH;
    if (str_eq_nocase(text, STR("L"))) {
        c->days = CRON_LAST_DAY;
    } else if (str_eq_nocase(text, STR("LW"))) {
        c->days = CRON_LAST_WEEKDAY;
    } else if (ends_with_letter(text, STR("W"))) {
        c->days = CRON_NEAR_WEEKDAY;
        if (!read_value(str_sub(text, 0, text.n - 1), &month_day_field, &c->month_day))
            return wrong_field(text, &month_day_field, e);
    } else {
        return read_small_field(text, &month_day_field, &c->month_days, e);
    }
    return OK;
}

static enum status read_week_days(struct str text, struct cron *c, struct err *e)
{
    struct str rest = text, day = str_cut(&rest, '#');
    int64_t nth = 0;

    if (str_eq_nocase(text, STR("L"))) {
        c->days = CRON_DAYS_OF_WEEK;
        c->week_days = 1U << 7;
    } else if (text.n > 1 && ends_with_letter(text, STR("L"))) {
        c->days = CRON_LAST_WEEK_DAY;
        if (!read_value(str_sub(text, 0, text.n - 1), &week_day_field, &c->week_day))
            return wrong_field(text, &week_day_field, e);
    } else if (rest.n > 0) {
        c->days = CRON_NTH_WEEK_DAY;
        if (!read_value(day, &week_day_field, &c->week_day) || !str_to_i64(rest, &nth) || nth < 1 ||
            nth > 5)
            return wrong_field(text, &week_day_field, e);
        c->nth = (int)nth;
    } else {
        c->days = CRON_DAYS_OF_WEEK;
        return read_small_field(text, &week_day_field, &c->week_days, e);
    }
    return OK;
}

static enum status read_days(struct str month_days, struct str week_days, struct cron *c,
                             struct err *e)
{
    bool any_month_day = str_eq(month_days, STR("?")), any_week_day = str_eq(week_days, STR("?"));

    if (any_month_day == any_week_day)
        return err_set(e, ERR_CONFIG,
                       "cron: exactly one of day-of-month and day-of-week must be \"?\"");
    return any_week_day ? read_month_days(month_days, c, e) : read_week_days(week_days, c, e);
}

static enum status read_cron(struct str body, struct cron *c, struct err *e)
{
    struct str parts[7];
    uint64_t minutes[4];
    size_t n = 0;

    for (body = str_trim(body); body.n > 0 && n < ARRAY_LEN(parts); body = str_trim(body))
        parts[n++] = str_cut(&body, ' ');
    if (n != 6)
        return err_set(e, ERR_CONFIG,
                       "cron: six fields are needed (minutes hours day-of-month month day-of-week "
                       "year)");
    c->kind = CRON_FIELDS;
    if (read_field(parts[0], &minute_field, minutes, e) != OK ||
        read_small_field(parts[1], &hour_field, &c->hours, e) != OK ||
        read_small_field(parts[3], &month_field, &c->months, e) != OK ||
        read_field(parts[5], &year_field, c->years, e) != OK ||
        read_days(parts[2], parts[4], c, e) != OK)
        return ERR_CONFIG;
    c->minutes = minutes[0];
    return OK;
}

/* Seven days at most are 600,000 s; the bound keeps value * unit far from overflow. */
#define RATE_MAX 1000000

static enum status read_rate(struct str body, struct cron *c, struct err *e)
{
    static const struct {
        const char *one, *many;
        int64_t ns;
    } units[] = {{"minute", "minutes", NS_PER_MIN},
                 {"hour", "hours", NS_PER_HOUR},
                 {"day", "days", NS_PER_DAY}};
    struct str unit = str_trim(body), number = str_cut(&unit, ' ');
    int64_t value;

    unit = str_trim(unit);
    if (!str_to_i64(number, &value) || value < 1 || value > RATE_MAX)
        return err_set(e, ERR_CONFIG, "rate: \"" STR_FMT "\" is no whole number from 1 on",
                       STR_ARG(number));
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!str_eq(unit, str_from(value == 1 ? units[i].one : units[i].many)))
            continue;
        c->kind = CRON_RATE;
        c->every_ns = value * units[i].ns;
        return OK;
    }
    return err_set(e, ERR_CONFIG,
                   "rate: unit \"" STR_FMT "\" (minute, hour or day after 1; minutes, hours or "
                   "days after more)",
                   STR_ARG(unit));
}

static enum status read_at(struct str body, struct cron *c, struct err *e)
{
    if (body.n != 19 || body.p[10] != 'T' || !time_parse(body, &c->at_ns))
        return err_set(e, ERR_CONFIG, "at: \"" STR_FMT "\" is not yyyy-mm-ddThh:mm:ss",
                       STR_ARG(body));
    c->kind = CRON_AT;
    return OK;
}

enum status cron_parse(struct str text, struct cron *out, struct err *e)
{
    static const struct {
        struct str prefix;
        enum status (*read)(struct str, struct cron *, struct err *);
    } forms[] = {
        {STR_INIT("rate("), read_rate}, {STR_INIT("cron("), read_cron}, {STR_INIT("at("), read_at}};
    struct cron c = {0};

    text = str_trim(text);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct str prefix = forms[i].prefix;
        if (!str_starts(text, prefix) || !str_ends(text, STR(")")))
            continue;
        enum status s = forms[i].read(str_sub(text, prefix.n, text.n - prefix.n - 1), &c, e);
        if (s == OK)
            *out = c;
        return s;
    }
    return err_set(e, ERR_CONFIG, "schedule \"" STR_FMT "\" is not rate(...), cron(...) or at(...)",
                   STR_ARG(text));
}

/* --- days of a month --- */

struct month {
    int year, month, n_days;
    int first_week_day; /* of its first day, 1 = Sunday */
};

static struct month month_of(int year, int month)
{
    struct civil c = {.year = year, .month = month, .day = 1};
    struct civil next = {
        .year = month == 12 ? year + 1 : year, .month = month == 12 ? 1 : month + 1, .day = 1};
    int64_t start = time_from_civil(&c);

    return (struct month){.year = year,
                          .month = month,
                          .n_days = (int)((time_from_civil(&next) - start) / NS_PER_DAY),
                          .first_week_day = time_civil(start).weekday + 1};
}

static int week_day_of(const struct month *m, int day)
{
    return (m->first_week_day - 1 + day - 1) % 7 + 1;
}

static bool is_weekend(const struct month *m, int day)
{
    int w = week_day_of(m, day);

    return w == 1 || w == 7;
}

static int last_weekday(const struct month *m)
{
    int day = m->n_days;

    while (is_weekend(m, day))
        day--;
    return day;
}

/* Saturday moves to Friday, Sunday to Monday, unless that would leave the month. 0 when the month
 * has no such day. */
static int near_weekday(const struct month *m, int day)
{
    if (day > m->n_days)
        return 0;
    int w = week_day_of(m, day);
    if (w == 7)
        return day > 1 ? day - 1 : day + 2;
    if (w == 1)
        return day < m->n_days ? day + 1 : day - 2;
    return day;
}

static bool day_matches(const struct cron *c, const struct month *m, int day)
{
    int w = week_day_of(m, day);

    switch (c->days) {
    case CRON_DAYS_OF_MONTH:
        return c->month_days >> day & 1;
    case CRON_LAST_DAY:
        return day == m->n_days;
    case CRON_NEAR_WEEKDAY:
        return day == near_weekday(m, c->month_day);
    case CRON_LAST_WEEKDAY:
        return day == last_weekday(m);
    case CRON_DAYS_OF_WEEK:
        return c->week_days >> w & 1;
    case CRON_NTH_WEEK_DAY:
        return w == c->week_day && (day - 1) / 7 == c->nth - 1;
    case CRON_LAST_WEEK_DAY:
        return w == c->week_day && day + 7 > m->n_days;
    }
    return false;
}

/* --- the next firing, in local time --- */

/* Lowest set bit at or above `from`, -1 when there is none. */
static int bit_from(uint64_t bits, int from)
{
    uint64_t rest = from > 63 ? 0 : bits >> from;

    return rest ? from + __builtin_ctzll(rest) : -1;
}

static bool next_in_day(const struct cron *c, int hour, int minute, struct civil *out)
{
    int h = bit_from(c->hours, hour);

    if (h < 0)
        return false;
    int m = bit_from(c->minutes, h == hour ? minute : 0);
    if (m < 0) {
        h = bit_from(c->hours, h + 1);
        m = bit_from(c->minutes, 0);
    }
    if (h < 0)
        return false;
    out->hour = h;
    out->minute = m;
    return true;
}

/* The first firing of the month at or after `from`, whose day, hour and minute count. */
static bool next_in_month(const struct cron *c, const struct civil *from, struct civil *out)
{
    struct month m = month_of(from->year, from->month);

    for (int day = from->day; day <= m.n_days; day++) {
        bool is_first = day == from->day;
        *out = (struct civil){.year = m.year, .month = m.month, .day = day};
        if (day_matches(c, &m, day) &&
            next_in_day(c, is_first ? from->hour : 0, is_first ? from->minute : 0, out))
            return true;
    }
    return false;
}

/* The first whole minute at or after `from` that all fields name. */
static bool next_local(const struct cron *c, struct civil from, struct civil *out)
{
    if (from.year < CRON_FIRST_YEAR)
        from = (struct civil){.year = CRON_FIRST_YEAR, .month = 1, .day = 1};
    while (from.year <= CRON_LAST_YEAR) {
        bool is_named = has_bit(c->years, from.year - CRON_FIRST_YEAR);
        if (is_named && c->months >> from.month & 1 && next_in_month(c, &from, out))
            return true;
        int month = is_named ? from.month + 1 : 13;
        from = (struct civil){.year = month > 12 ? from.year + 1 : from.year,
                              .month = month > 12 ? 1 : month,
                              .day = 1};
    }
    return false;
}

static bool next_cron(const struct cron *c, const struct zone *zone, int64_t after_ns,
                      int64_t *next_ns)
{
    int64_t after_s = time_floor(after_ns, NS_PER_SEC) / NS_PER_SEC;
    int64_t local_s = after_s + zone_offset(zone, after_s);
    int64_t utc_s;
    struct civil found;

    /* Skipped local times lead to the next one; a repeated one was fired the first time. */
    do {
        local_s = (time_floor(local_s, 60) + 60);
        if (!next_local(c, time_civil(local_s * NS_PER_SEC), &found))
            return false;
        local_s = time_from_civil(&found) / NS_PER_SEC;
    } while (!zone_instant(zone, local_s, &utc_s) || utc_s <= after_s);
    *next_ns = utc_s * NS_PER_SEC;
    return true;
}

static bool next_rate(const struct cron *c, int64_t anchor_ns, int64_t after_ns, int64_t *next_ns)
{
    if (after_ns < anchor_ns) {
        *next_ns = anchor_ns;
        return true;
    }
    *next_ns = after_ns - (after_ns - anchor_ns) % c->every_ns + c->every_ns;
    return true;
}

static bool next_at(const struct cron *c, const struct zone *zone, int64_t after_ns,
                    int64_t *next_ns)
{
    int64_t utc_s;

    if (!zone_instant(zone, c->at_ns / NS_PER_SEC, &utc_s) || utc_s * NS_PER_SEC <= after_ns)
        return false;
    *next_ns = utc_s * NS_PER_SEC;
    return true;
}

bool cron_next(const struct cron *c, const struct zone *zone, int64_t anchor_ns, int64_t after_ns,
               int64_t *next_ns)
{
    if (c->kind == CRON_RATE)
        return next_rate(c, anchor_ns, after_ns, next_ns);
    if (c->kind == CRON_AT)
        return next_at(c, zone, after_ns, next_ns);
    return next_cron(c, zone, after_ns, next_ns);
}
