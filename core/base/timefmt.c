/* Times as text. Hand scanners: a log line has a time at its start, millions of times over. */
#include "core/base/timefmt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- calendar --- */

/* Days since 1970-01-01 of a proleptic Gregorian date; months counted from March, so that the leap
 * day is the year's last. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    const uint64_t year = (uint64_t)(y - (m <= 2));
    const uint64_t day_of_year = (153 * (unsigned)(m + (m > 2 ? -3 : 9)) + 2) / 5 + (unsigned)d - 1;

    assert(y > 0);
    return (int64_t)(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year) - 719468;
}

int64_t time_floor(int64_t t_ns, int64_t step_ns)
{
    assert(step_ns > 0);
    int64_t rest = t_ns % step_ns;
    return t_ns - (rest < 0 ? rest + step_ns : rest);
}

struct civil time_civil(int64_t t_ns)
{
    int64_t day_start = time_floor(t_ns, NS_PER_DAY);
    int64_t days = day_start / NS_PER_DAY, rest = t_ns - day_start;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct civil){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / NS_PER_HOUR),
        .minute = (int)(rest / NS_PER_MIN % 60),
        .second = (int)(rest / NS_PER_SEC % 60),
        .ns = rest % NS_PER_SEC,
        .weekday = (int)(((days % 7) + 11) % 7),
    };
}

int64_t time_from_civil(const struct civil *c)
{
    int64_t days = days_from_civil(c->year, c->month, c->day);

    return days * NS_PER_DAY + c->hour * NS_PER_HOUR + c->minute * NS_PER_MIN +
           c->second * NS_PER_SEC + c->ns;
}

int64_t time_month(int64_t t_ns, int months_on)
{
    const struct civil c = time_civil(t_ns);
    const int month = c.month - 1 + months_on;

    assert(months_on >= 0);
    return days_from_civil(c.year + month / 12, month % 12 + 1, 1) * NS_PER_DAY;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* --- reading RFC 3339 --- */

/* n digits at offset i; -1 when there are fewer. */
static int digits_at(struct str s, size_t i, size_t n)
{
    int v = 0;

    if (i + n > s.n)
        return -1;
    for (size_t k = i; k < i + n; k++) {
        unsigned digit = (unsigned)(s.p[k] - '0');
        if (digit > 9)
            return -1;
        v = v * 10 + (int)digit;
    }
    return v;
}

/* Two digits; NO_PAIR for anything else, which no part of a date or clock reaches. */
enum { NO_PAIR = 10000 };
static int pair_at(const char *p)
{
    unsigned tens = (unsigned)(p[0] - '0'), ones = (unsigned)(p[1] - '0');

    return tens > 9 || ones > 9 ? NO_PAIR : (int)(tens * 10 + ones);
}

static bool char_at(struct str s, size_t i, char c)
{
    return i < s.n && s.p[i] == c;
}

static bool is_date(const struct civil *c)
{
    return c->year >= 1678 && c->year <= 2261 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month);
}

/* Which of eight characters stand as they are, in "0000-00-", "00:00:00" and ":00.000Z". */
#define FIXED_OF_DATE  UINT64_C(0xFF0000FF00000000)
#define FIXED_OF_CLOCK UINT64_C(0x0000FF0000FF0000)
#define FIXED_OF_END   UINT64_C(0xFF000000FF0000FF)

/* Eight characters at once (little-endian machines): where the form has a 0 stands a digit, which
 * becomes its value, the others are the form's. False: they do not. */
static bool eight_at(const char *p, const char form[8], uint64_t fixed, uint64_t *values)
{
    const uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0), sixes = UINT64_C(0x0606060606060606);
    uint64_t v, f;

    memcpy(&v, p, sizeof(v));
    memcpy(&f, form, sizeof(f));
    v ^= f;
    *values = v;
    return ((v | (v + sixes)) & high) == 0 && (v & fixed) == 0;
}

/* Of eight values each and the next as one number, all at once: at most 99, a byte holds it. */
static uint64_t pairs_of(uint64_t values)
{
    return values * 10 + (values >> 8);
}

static int pair(uint64_t pairs, unsigned i)
{
    return (int)(pairs >> 8 * i & 0xFF);
}

/* "2026-01-15" at the start of s. */
static bool read_date(struct str s, struct civil *c)
{
    uint64_t v;

    if (s.n < 10 || !eight_at(s.p, "0000-00-", FIXED_OF_DATE, &v))
        return false;
    v = pairs_of(v);
    c->year = pair(v, 0) * 100 + pair(v, 2);
    c->month = pair(v, 5);
    c->day = pair_at(s.p + 8);
    return is_date(c);
}

/* "12:30:59" at p. */
static bool read_clock(const char *p, struct civil *c)
{
    uint64_t v;

    if (!eight_at(p, "00:00:00", FIXED_OF_CLOCK, &v))
        return false;
    v = pairs_of(v);
    c->hour = pair(v, 0);
    c->minute = pair(v, 3);
    c->second = pair(v, 6);
    return c->hour <= 23 && c->minute <= 59 && c->second <= 59;
}

/* ".123" or ",123": up to 9 digits count, further ones are cut off. Returns the new offset. */
static size_t read_fraction(struct str s, size_t i, int64_t *ns)
{
    int64_t scale = NS_PER_SEC / 10;
    size_t k = i + 1;

    *ns = 0;
    if (!char_at(s, i, '.') && !char_at(s, i, ','))
        return i;
    for (; k < s.n && s.p[k] >= '0' && s.p[k] <= '9'; k++, scale /= 10)
        *ns += (s.p[k] - '0') * scale;
    return k > i + 1 ? k : i;
}

/* "Z", "+01:00", "+0100", "-07" or nothing. Returns the new offset. */
static size_t read_zone(struct str s, size_t i, int64_t *offset_ns)
{
    *offset_ns = 0;
    if (char_at(s, i, 'Z') || char_at(s, i, 'z'))
        return i + 1;
    if (!char_at(s, i, '+') && !char_at(s, i, '-'))
        return i;
    int hours = digits_at(s, i + 1, 2);
    bool has_colon = char_at(s, i + 3, ':');
    int minutes = digits_at(s, i + 3 + has_colon, 2);
    if (hours < 0 || hours > 23 || minutes > 59)
        return i;
    size_t end = minutes < 0 ? i + 3 : i + 5 + has_colon;
    int64_t size = hours * NS_PER_HOUR + (minutes < 0 ? 0 : minutes) * NS_PER_MIN;
    *offset_ns = s.p[i] == '-' ? -size : size;
    return end;
}

/* " +09:00", " +0900", " (+09:00)" as a word of its own behind the time, as Serilog, Ruby and the
 * Serverless Framework write it. Returns the new offset, i where there is none. */
static size_t read_far_zone(struct str s, size_t i, int64_t *offset_ns)
{
    enum { MOST_HOURS = 14, SHORTEST = 5 };
    const bool is_bracketed = char_at(s, i + 1, '(');
    const size_t begin = i + 1 + is_bracketed;

    if (!char_at(s, i, ' ') || (!char_at(s, begin, '+') && !char_at(s, begin, '-')) ||
        digits_at(s, begin + 1, 2) > MOST_HOURS)
        return i;
    size_t end = read_zone(s, begin, offset_ns);
    bool is_zone = end >= begin + SHORTEST && (!is_bracketed || char_at(s, end, ')'));
    end += is_bracketed;
    is_zone = is_zone && (end >= s.n || s.p[end] == ' ' || s.p[end] == '\t');
    *offset_ns = is_zone ? *offset_ns : 0;
    return is_zone ? end : i;
}

bool time_behind_minute(const char p[8], int64_t *ns)
{
    uint64_t v;

    if (!eight_at(p, ":00.000Z", FIXED_OF_END, &v))
        return false;
    const int second = pair(pairs_of(v), 1), millis = pair(pairs_of(v), 4) * 10 + (int)(v >> 48);
    *ns = second * NS_PER_SEC + millis * NS_PER_MS;
    return second <= 59;
}

/* "2026-01-15T12:30:59.123Z", the form of nearly all times in logs, in three steps of eight
 * characters. False: another form or no time, which the general way tells. */
static bool read_millis(const char *p, struct civil *c)
{
    uint64_t date, clock;
    int64_t ns;

    if (!eight_at(p, "0000-00-", FIXED_OF_DATE, &date) ||
        !eight_at(p + 8, "00T00:00", FIXED_OF_CLOCK, &clock) || !time_behind_minute(p + 16, &ns))
        return false;
    date = pairs_of(date);
    clock = pairs_of(clock);
    *c = (struct civil){
        .year = pair(date, 0) * 100 + pair(date, 2),
        .month = pair(date, 5),
        .day = pair(clock, 0),
        .hour = pair(clock, 3),
        .minute = pair(clock, 6),
        .ns = ns,
    };
    return is_date(c) && c->hour <= 23 && c->minute <= 59;
}

enum { MILLIS = 24 };

size_t time_parse_prefix(struct str s, int64_t *t_ns)
{
    struct civil c = {0};
    int64_t zone;

    if (s.n >= MILLIS && read_millis(s.p, &c)) {
        *t_ns = time_from_civil(&c);
        return MILLIS;
    }
    if (s.n < 19 || !read_date(s, &c) || (s.p[10] != 'T' && s.p[10] != ' ' && s.p[10] != 't') ||
        !read_clock(s.p + 11, &c))
        return 0;
    const size_t clock_end = read_fraction(s, 19, &c.ns);
    size_t i = read_zone(s, clock_end, &zone);
    if (i == clock_end)
        i = read_far_zone(s, i, &zone);
    *t_ns = time_from_civil(&c) - zone;
    return i;
}

size_t time_prefix_length(struct str s)
{
    struct civil c;
    int64_t t_ns;

    return s.n >= MILLIS && read_millis(s.p, &c) ? MILLIS : time_parse_prefix(s, &t_ns);
}

bool time_parse(struct str s, int64_t *t_ns)
{
    int64_t t;

    if (s.n == 0 || time_parse_prefix(s, &t) != s.n)
        return false;
    *t_ns = t;
    return true;
}

/* --- what a person types --- */

/* "2026-01-15", or without seconds "2026-01-15 12:30", "2026-01-15T12:30+01:00". */
static bool parse_short(struct str s, int64_t *t_ns)
{
    enum { TO_MINUTES = 16, ZONE = 6 };
    struct civil c = {0};
    char whole[TO_MINUTES + ZONE + 4];

    if (s.n == 10 && read_date(s, &c)) {
        *t_ns = time_from_civil(&c);
        return true;
    }
    if (s.n < TO_MINUTES || s.n > TO_MINUTES + ZONE || s.p[13] != ':')
        return false;
    int n = snprintf(whole, sizeof(whole), STR_FMT ":00" STR_FMT,
                     STR_ARG(str_sub(s, 0, TO_MINUTES)), STR_ARG(str_skip(s, TO_MINUTES)));
    return time_parse((struct str){whole, (size_t)n}, t_ns);
}

/* "14:50", "14:50:30": when the clock showed that last. */
static bool parse_clock(struct str s, int64_t now_ns, int64_t *t_ns)
{
    enum { TO_MINUTES = 5, TO_SECONDS = 8 };
    struct civil c = {0};
    char whole[TO_SECONDS];

    if (s.n != TO_MINUTES && s.n != TO_SECONDS)
        return false;
    memcpy(whole, "00:00:00", TO_SECONDS);
    memcpy(whole, s.p, s.n);
    if (!read_clock(whole, &c))
        return false;
    *t_ns = time_floor(now_ns, NS_PER_DAY) + c.hour * NS_PER_HOUR + c.minute * NS_PER_MIN +
            c.second * NS_PER_SEC;
    if (*t_ns > now_ns)
        *t_ns -= NS_PER_DAY;
    return true;
}

/* Epoch seconds, or milliseconds from 10^11 on (seconds reach that in the year 5138). */
static bool parse_epoch(struct str s, int64_t *t_ns)
{
    int64_t v;

    if (!str_to_i64(s, &v) || v < 0)
        return false;
    return !__builtin_mul_overflow(v, v < INT64_C(100000000000) ? NS_PER_SEC : NS_PER_MS, t_ns);
}

static bool parse_word(struct str s, int64_t now_ns, int64_t *t_ns)
{
    int64_t today = time_floor(now_ns, NS_PER_DAY);
    const struct {
        struct str word;
        int64_t t_ns;
    } words[] = {
        {STR("now"), now_ns},
        {STR("today"), today},
        {STR("yesterday"), today - NS_PER_DAY},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(s, words[i].word)) {
            *t_ns = words[i].t_ns;
            return true;
        }
    return false;
}

enum status time_parse_human(struct str s, int64_t now_ns, int64_t *t_ns, struct err *e)
{
    int64_t ago = 0;

    if (parse_word(s, now_ns, t_ns) || time_parse(s, t_ns) || parse_short(s, t_ns) ||
        parse_clock(s, now_ns, t_ns) || parse_epoch(s, t_ns))
        return OK;
    if (duration_parse(s, &ago, NULL) == OK) {
        *t_ns = now_ns - ago;
        return OK;
    }
    return err_set(
        e, ERR_USAGE,
        "\"" STR_FMT
        "\" is no time: write 2026-01-15, 2026-01-15T12:30:00Z, 14:50, 15m (ago), today or now",
        STR_ARG(s));
}

/* --- writing times --- */

static void add_digits(char *at, int64_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v /= 10)
        at[i] = (char)('0' + v % 10);
}

void time_format(struct buf *b, int64_t t_ns, unsigned fraction_digits)
{
    struct civil c = time_civil(t_ns);
    char text[32] = "0000-00-00T00:00:00.000000000Z";
    int64_t fraction = c.ns;
    size_t n = 19;

    assert(fraction_digits <= 9);
    add_digits(text, c.year, 4);
    add_digits(text + 5, c.month, 2);
    add_digits(text + 8, c.day, 2);
    add_digits(text + 11, c.hour, 2);
    add_digits(text + 14, c.minute, 2);
    add_digits(text + 17, c.second, 2);
    for (unsigned i = fraction_digits; i < 9; i++)
        fraction /= 10;
    if (fraction_digits > 0) {
        add_digits(text + 20, fraction, fraction_digits);
        n = 20 + fraction_digits;
    }
    text[n] = 'Z';
    buf_add(b, text, n + 1);
}

void time_format_day(struct buf *b, int64_t t_ns)
{
    struct civil c = time_civil(t_ns);

    buf_addf(b, "%04d-%02d-%02d", c.year, c.month, c.day);
}
