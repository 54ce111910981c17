/* Durations and sizes, read and written; timefmt.h. */
#include "core/base/timefmt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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
