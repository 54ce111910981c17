/* Times and durations as text. Hand scanners: a log line has a time at its start, millions of times
 * over. */
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
    size_t i = read_fraction(s, 19, &c.ns);
    i = read_zone(s, i, &zone);
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

/* --- durations --- */

static const struct {
    struct str unit;
    int64_t ns;
} units[] = {
    {STR_INIT("ns"), 1},         {STR_INIT("us"), NS_PER_US},     {STR_INIT("ms"), NS_PER_MS},
    {STR_INIT("s"), NS_PER_SEC}, {STR_INIT("m"), NS_PER_MIN},     {STR_INIT("h"), NS_PER_HOUR},
    {STR_INIT("d"), NS_PER_DAY}, {STR_INIT("w"), 7 * NS_PER_DAY},
};

static bool find_unit(struct str name, int64_t *ns)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq(name, units[i].unit)) {
            *ns = units[i].ns;
            return true;
        }
    return false;
}

static size_t span_of(struct str s, const char *set)
{
    struct str chars = str_from(set);
    size_t n = 0;

    while (n < s.n && str_find_char(chars, s.p[n]) < chars.n)
        n++;
    return n;
}

/* number x unit with up to 9 decimals, exactly. */
static bool scale_number(struct str number, int64_t unit, int64_t *out)
{
    int64_t scaled;
    __extension__ typedef __int128 i128;

    if (!str_to_scaled(number, 9, &scaled))
        return false;
    i128 product = (i128)scaled * unit / 1000000000;
    if (product > INT64_MAX)
        return false;
    *out = (int64_t)product;
    return true;
}

enum status duration_parse(struct str s, int64_t *ns, struct err *e)
{
    struct str rest = s;
    int64_t total = 0;

    while (rest.n > 0) {
        size_t n_number = span_of(rest, "0123456789.");
        size_t n_unit = span_of(str_skip(rest, n_number), "nsumhdw");
        int64_t unit = 0, part = 0;
        if (!find_unit(str_sub(rest, n_number, n_unit), &unit) ||
            !scale_number(str_sub(rest, 0, n_number), unit, &part) ||
            __builtin_add_overflow(total, part, &total))
            break;
        rest = str_skip(rest, n_number + n_unit);
    }
    if (s.n == 0 || rest.n > 0)
        return err_set(e, ERR_USAGE,
                       "\"" STR_FMT
                       "\" is no duration: write a number with ms, s, m, h, d or w: 30s, 1h30m",
                       STR_ARG(s));
    *ns = total;
    return OK;
}

static void add_decimal(struct buf *b, int64_t ns, int64_t unit, const char *name)
{
    int64_t hundredths = (ns + unit / 200) / (unit / 100);

    if (hundredths >= 10000)
        buf_addf(b, "%lld%s", (long long)((ns + unit / 2) / unit), name);
    else if (hundredths >= 1000)
        buf_addf(b, "%lld.%lld%s", (long long)(hundredths / 100), (long long)(hundredths / 10 % 10),
                 name);
    else
        buf_addf(b, "%lld.%02lld%s", (long long)(hundredths / 100), (long long)(hundredths % 100),
                 name);
}

void duration_format(struct buf *b, int64_t ns)
{
    if (ns < 0) {
        buf_add_c(b, '-');
        ns = ns == INT64_MIN ? INT64_MAX : -ns;
    }
    if (ns == 0)
        buf_add_c(b, '0');
    else if (ns < NS_PER_MS)
        buf_addf(b, "%lldus", (long long)((ns + 500) / NS_PER_US));
    else if (ns < NS_PER_SEC)
        add_decimal(b, ns, NS_PER_MS, "ms");
    else if (ns < NS_PER_MIN)
        add_decimal(b, ns, NS_PER_SEC, "s");
    else if (ns < NS_PER_HOUR)
        buf_addf(b, "%lldm%02llds", (long long)(ns / NS_PER_MIN),
                 (long long)(ns / NS_PER_SEC % 60));
    else if (ns < 2 * NS_PER_DAY)
        buf_addf(b, "%lldh%02lldm", (long long)(ns / NS_PER_HOUR),
                 (long long)(ns / NS_PER_MIN % 60));
    else
        buf_addf(b, "%lldd%02lldh", (long long)(ns / NS_PER_DAY),
                 (long long)(ns / NS_PER_HOUR % 24));
}

/* --- sizes --- */

static const struct {
    struct str unit;
    int64_t bytes;
} size_units[] = {
    {STR_INIT(""), 1},
    {STR_INIT("B"), 1},
    {STR_INIT("k"), 1000},
    {STR_INIT("kB"), 1000},
    {STR_INIT("KB"), 1000},
    {STR_INIT("MB"), 1000000},
    {STR_INIT("GB"), 1000000000},
    {STR_INIT("TB"), INT64_C(1000000000000)},
    {STR_INIT("KiB"), 1024},
    {STR_INIT("MiB"), 1048576},
    {STR_INIT("GiB"), 1073741824},
    {STR_INIT("TiB"), INT64_C(1099511627776)},
};

enum status size_parse(struct str s, uint64_t *bytes, struct err *e)
{
    size_t n_number = span_of(s, "0123456789.");
    struct str unit = str_trim(str_skip(s, n_number));
    int64_t v;

    for (size_t i = 0; i < ARRAY_LEN(size_units) && n_number > 0; i++)
        if (str_eq(unit, size_units[i].unit) &&
            scale_number(str_sub(s, 0, n_number), size_units[i].bytes, &v)) {
            *bytes = (uint64_t)v;
            return OK;
        }
    return err_set(e, ERR_USAGE,
                   "\"" STR_FMT "\" is no size: write a number with kB, MB, GB, KiB, MiB or GiB",
                   STR_ARG(s));
}

/* "", "B", "m", "MB", "MiB": bytes of one; 0: no unit. */
static int64_t memory_unit(struct str unit)
{
    static const char letters[] = "kmgt";
    const struct str rest = str_skip(unit, 1);

    if (unit.n == 0 || str_eq_nocase(unit, STR("b")))
        return 1;
    const char *at = strchr(letters, unit.p[0] | 0x20);
    if (at == NULL ||
        (rest.n > 0 && !str_eq_nocase(rest, STR("b")) && !str_eq_nocase(rest, STR("ib"))))
        return 0;
    return INT64_C(1024) << (10 * (at - letters));
}

enum status memory_parse(struct str s, uint64_t *bytes, struct err *e)
{
    const size_t n_number = span_of(s, "0123456789.");
    const int64_t unit = memory_unit(str_trim(str_skip(s, n_number)));
    int64_t v;

    if (n_number == 0 || unit == 0 || !scale_number(str_sub(s, 0, n_number), unit, &v))
        return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is no size: write a number with MB or GB",
                       STR_ARG(s));
    *bytes = (uint64_t)v;
    return OK;
}

void size_format(struct buf *b, uint64_t bytes)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    uint64_t scale = 1;

    while (unit + 1 < ARRAY_LEN(names) && bytes / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    uint64_t whole = bytes / scale, tenths = bytes % scale * 10 / scale;
    if (unit == 0 || whole >= 100)
        buf_addf(b, "%llu %s", (unsigned long long)whole, names[unit]);
    else
        buf_addf(b, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenths,
                 names[unit]);
}
