/* Reads TZif version 2 and later: transitions with 64-bit times and the POSIX rule behind them. */
#include "executor/zone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

#define MAX_FILE_BYTES ((size_t)256 << 10)
#define HEADER_BYTES   44
#define S_PER_DAY      INT64_C(86400)
#define S_PER_HOUR     INT64_C(3600)
/* Widest offsets that occur are -12 h and +14 h; a local time's instant lies within this. */
#define MAX_OFFSET_S (INT64_C(26) * 3600)

/* When daylight time starts or ends: week `week` (5 = last) of `month`, on `week_day`. */
struct change {
    int64_t month, week, week_day;
    int64_t time_s; /* of local time, after midnight */
};

struct zone {
    size_t count;
    int64_t *at_s;     /* transitions, ascending */
    int64_t *offset_s; /* in force from each */
    int64_t first_offset_s;
    bool has_rule, has_daylight;
    int64_t standard_s, daylight_s;
    struct change starts, ends;
};

/* --- POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3" --- */

struct scan {
    struct str rest;
    bool is_wrong;
};

static bool scan_char(struct scan *s, char c)
{
    if (s->rest.n == 0 || s->rest.p[0] != c)
        return false;
    s->rest = str_skip(s->rest, 1);
    return true;
}

static int64_t scan_number(struct scan *s, int64_t max)
{
    int64_t v = 0;
    size_t n = 0;

    while (n < s->rest.n && n < 4 && s->rest.p[n] >= '0' && s->rest.p[n] <= '9')
        v = v * 10 + (s->rest.p[n++] - '0');
    if (n == 0 || v > max)
        s->is_wrong = true;
    s->rest = str_skip(s->rest, n);
    return v;
}

/* [+-]hh[:mm[:ss]] */
static int64_t scan_time(struct scan *s)
{
    bool is_negative = scan_char(s, '-');

    if (!is_negative)
        scan_char(s, '+');
    int64_t t = scan_number(s, 167) * S_PER_HOUR;
    if (scan_char(s, ':'))
        t += scan_number(s, 59) * 60;
    if (scan_char(s, ':'))
        t += scan_number(s, 59);
    return is_negative ? -t : t;
}

/* CET or <+0330> */
static void scan_name(struct scan *s)
{
    bool is_quoted = scan_char(s, '<');
    size_t n = 0;

    while (n < s->rest.n) {
        char c = s->rest.p[n];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (is_quoted ? c == '>' : !is_letter)
            break;
        n++;
    }
    s->is_wrong |= n == 0;
    s->rest = str_skip(s->rest, n);
    if (is_quoted && !scan_char(s, '>'))
        s->is_wrong = true;
}

static struct change scan_change(struct scan *s)
{
    struct change c = {.time_s = 2 * S_PER_HOUR};

    if (!scan_char(s, ',') || !scan_char(s, 'M'))
        s->is_wrong = true;
    c.month = scan_number(s, 12);
    s->is_wrong |= c.month < 1 || !scan_char(s, '.');
    c.week = scan_number(s, 5);
    s->is_wrong |= c.week < 1 || !scan_char(s, '.');
    c.week_day = scan_number(s, 6);
    if (scan_char(s, '/'))
        c.time_s = scan_time(s);
    return c;
}

static bool read_rule(struct str text, struct zone *z)
{
    struct scan s = {.rest = text};

    if (text.n == 0)
        return true;
    scan_name(&s);
    z->standard_s = -scan_time(&s);
    if (s.rest.n > 0) {
        z->has_daylight = true;
        scan_name(&s);
        z->daylight_s = z->standard_s + S_PER_HOUR;
        if (s.rest.n > 0 && s.rest.p[0] != ',')
            z->daylight_s = -scan_time(&s);
        z->starts = scan_change(&s);
        z->ends = scan_change(&s);
    }
    z->has_rule = !s.is_wrong && s.rest.n == 0;
    return z->has_rule;
}

/* Local seconds at which the change happens in a year. */
static int64_t change_local(const struct change *c, int year)
{
    struct civil first = {.year = year, .month = (int)c->month, .day = 1};
    struct civil after = {.year = c->month == 12 ? year + 1 : year,
                          .month = c->month == 12 ? 1 : (int)c->month + 1,
                          .day = 1};
    int64_t start_ns = time_from_civil(&first);
    int64_t n_days = (time_from_civil(&after) - start_ns) / NS_PER_DAY;
    int64_t day = (c->week_day - time_civil(start_ns).weekday + 7) % 7 + (c->week - 1) * 7;

    while (day >= n_days)
        day -= 7;
    return start_ns / NS_PER_SEC + day * S_PER_DAY + c->time_s;
}

static int64_t rule_offset(const struct zone *z, int64_t utc_s)
{
    if (!z->has_daylight)
        return z->standard_s;
    int year = time_civil((utc_s + z->standard_s) * NS_PER_SEC).year;
    int64_t from = change_local(&z->starts, year) - z->standard_s;
    int64_t to = change_local(&z->ends, year) - z->daylight_s;
    /* South of the equator daylight time spans the turn of the year. */
    bool is_daylight = from < to ? utc_s >= from && utc_s < to : utc_s >= from || utc_s < to;
    return is_daylight ? z->daylight_s : z->standard_s;
}

/* --- the file --- */

static int64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return n == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

struct counts {
    size_t is_ut, is_std, leaps, times, types, chars;
};

static bool read_header(struct str file, struct counts *c)
{
    size_t *fields[] = {&c->is_ut, &c->is_std, &c->leaps, &c->times, &c->types, &c->chars};

    if (file.n < HEADER_BYTES || !str_starts(file, STR("TZif")) || file.p[4] < '2')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        int64_t v = big_endian(file.p + 20 + i * 4, 4);
        if (v < 0 || v > (int64_t)MAX_FILE_BYTES)
            return false;
        *fields[i] = (size_t)v;
    }
    return true;
}

static size_t block_bytes(const struct counts *c, size_t time_bytes)
{
    return c->times * (time_bytes + 1) + c->types * 6 + c->chars + c->leaps * (time_bytes + 4) +
           c->is_std + c->is_ut;
}

/* An offset outside a day is no zone on earth and would carry schedules away. */
static bool is_plausible(int64_t offset_s)
{
    return offset_s > -MAX_OFFSET_S && offset_s < MAX_OFFSET_S;
}

static bool read_block(const char *p, const struct counts *c, struct zone *z)
{
    const char *index = p + c->times * 8, *types = index + c->times;

    if (c->types == 0)
        return false;
    z->first_offset_s = big_endian(types, 4);
    z->at_s = xcalloc(c->times + 1, sizeof(*z->at_s));
    z->offset_s = xcalloc(c->times + 1, sizeof(*z->offset_s));
    z->count = c->times;
    for (size_t i = 0; i < c->times; i++) {
        size_t type = (unsigned char)index[i];
        if (type >= c->types)
            return false;
        z->at_s[i] = big_endian(p + i * 8, 8);
        z->offset_s[i] = big_endian(types + type * 6, 4);
        if (!is_plausible(z->offset_s[i]) || (i > 0 && z->at_s[i] <= z->at_s[i - 1]))
            return false;
    }
    return is_plausible(z->first_offset_s);
}

static bool read_file(struct str file, struct zone *z)
{
    struct counts c;

    if (!read_header(file, &c))
        return false;
    file = str_skip(file, HEADER_BYTES + block_bytes(&c, 4));
    if (!read_header(file, &c))
        return false;
    file = str_skip(file, HEADER_BYTES);
    size_t n = block_bytes(&c, 8);
    if (file.n < n || !read_block(file.p, &c, z))
        return false;
    struct str footer = str_skip(file, n);
    if (footer.n > 0 && footer.p[0] == '\n')
        footer = str_skip(footer, 1);
    return read_rule(str_cut(&footer, '\n'), z) && is_plausible(z->standard_s) &&
           is_plausible(z->daylight_s);
}

enum status zone_parse(struct str file, struct zone **out, struct err *e)
{
    struct zone *z = xcalloc(1, sizeof(*z));

    if (!read_file(file, z)) {
        zone_free(z);
        return err_set(e, ERR_PARSE, "not a time zone file (TZif version 2 or later)");
    }
    *out = z;
    return OK;
}

static bool is_zone_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '+' || (c == '/' && i > 0);
        if (!is_ok)
            return false;
    }
    return name.n > 0 && name.n < 64;
}

enum status zone_load(const char *folder, struct str name, struct zone **out, struct err *e)
{
    AUTO(buf_clear) struct buf file;
    char path[512];

    buf_init(&file, MAX_FILE_BYTES);
    if (!is_zone_name(name))
        return err_set(e, ERR_CONFIG, "time zone \"" STR_FMT "\" is no name like Europe/Zurich",
                       STR_ARG(name));
    snprintf(path, sizeof(path), "%s/" STR_FMT, folder, STR_ARG(name));
    if (file_read(path, &file, NULL) != OK)
        return err_set(e, ERR_CONFIG,
                       "time zone \"" STR_FMT "\" is not in %s (Debian package tzdata)",
                       STR_ARG(name), folder);
    if (zone_parse(buf_str(&file), out, e) != OK)
        return err_wrap(e, "time zone " STR_FMT, STR_ARG(name));
    return OK;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

/* --- questions --- */

int64_t zone_offset(const struct zone *z, int64_t utc_s)
{
    if (!z)
        return 0;
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (z->at_s[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->count && z->has_rule)
        return rule_offset(z, utc_s);
    return low == 0 ? z->first_offset_s : z->offset_s[low - 1];
}

bool zone_instant(const struct zone *z, int64_t local_s, int64_t *utc_s)
{
    /* The offsets a day before and after are those around any change in between; the larger one
     * gives the earlier instant. */
    int64_t before = zone_offset(z, local_s - MAX_OFFSET_S);
    int64_t after = zone_offset(z, local_s + MAX_OFFSET_S);
    int64_t larger = before > after ? before : after, smaller = before > after ? after : before;
    int64_t candidates[] = {local_s - larger, local_s - smaller};

    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        if (candidates[i] + zone_offset(z, candidates[i]) != local_s)
            continue;
        *utc_s = candidates[i];
        return true;
    }
    return false;
}
