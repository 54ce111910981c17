/* Scanners shared by the decoders of Lambda lines: ids, numbers with units, level words. Hot path:
 * table look-ups, no allocation, no library calls but memcmp. */
#include "collector/aws/scan.h"

#include <assert.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/clock.h"

#define MAX_DURATION_NS (366 * NS_PER_DAY)
#define MAX_MEMORY_MB   (UINT64_C(1) << 20)

/* 1 for the lower-case hexadecimal digits. */
static const unsigned char hex_digit[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
};

/* n hexadecimal digits at p, "xmpl" standing for four of them (documentation's samples). */
static bool is_hex_run(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (hex_digit[(unsigned char)p[i]])
            continue;
        if (i + 4 > n || memcmp(p + i, "xmpl", 4) != 0)
            return false;
        i += 3;
    }
    return true;
}

static bool has_uuid_dashes(const char *p)
{
    return p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-';
}

#ifdef __SSE2__
/* Which of the 16 bytes at p are lower-case hexadecimal digits, bit i for byte i: those that come
 * out as they went in when they are brought between the ends of a range. */
static unsigned hex_bytes(const char *p)
{
    const __m128i v = _mm_loadu_si128((const void *)p);
    const __m128i digit = _mm_max_epu8(_mm_min_epu8(v, _mm_set1_epi8('9')), _mm_set1_epi8('0'));
    const __m128i letter = _mm_max_epu8(_mm_min_epu8(v, _mm_set1_epi8('f')), _mm_set1_epi8('a'));

    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(v, digit), _mm_cmpeq_epi8(v, letter)));
}

/* The usual case without a branch per digit: 32 digits around 4 dashes, at bits 8, 13, 18 and 23.
 */
static bool is_plain_uuid(const char *p)
{
    const uint64_t dashes = UINT64_C(1) << 8 | 1 << 13 | 1 << 18 | 1 << 23;
    const uint64_t hex = hex_bytes(p) | (uint64_t)hex_bytes(p + 16) << 16 |
                         (uint64_t)hex_bytes(p + UUID_LEN - 16) << (UUID_LEN - 16);

    return (hex | dashes) == (UINT64_C(1) << UUID_LEN) - 1;
}

static bool is_hex_16(const char *p)
{
    return hex_bytes(p) == 0xFFFF;
}
#else
static uint64_t load32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Two times four characters side by side. */
static uint64_t load_fours(const char *p, const char *q)
{
    return load32(p) | load32(q) << 32;
}

/* The high bit of each byte that is no lower-case hexadecimal digit: sums of a byte below 0x80 and
 * 0x80 - c have it from the character c on. */
static uint64_t no_hex(uint64_t v)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = v & ones * 0x7F;
    const uint64_t is_digit = (low + ones * (0x80 - '0')) & ~(low + ones * (0x80 - '9' - 1));
    const uint64_t is_letter = (low + ones * (0x80 - 'a')) & ~(low + ones * (0x80 - 'f' - 1));

    return (v | ~(is_digit | is_letter)) & ones * 0x80;
}

/* The usual case without a branch per digit: 32 digits around 4 dashes. */
static bool is_plain_uuid(const char *p)
{
    return (no_hex(load_fours(p, p + 4)) | no_hex(load_fours(p + 9, p + 14)) |
            no_hex(load_fours(p + 19, p + 24)) | no_hex(load_fours(p + 28, p + 32))) == 0;
}

static bool is_hex_16(const char *p)
{
    return (no_hex(load_fours(p, p + 4)) | no_hex(load_fours(p + 8, p + 12))) == 0;
}
#endif

bool scan_uuid(struct str s)
{
    if (s.n < UUID_LEN || !has_uuid_dashes(s.p))
        return false;
    const char *p = s.p;
    return is_plain_uuid(p) || (is_hex_run(p, 8) && is_hex_run(p + 9, 4) && is_hex_run(p + 14, 4) &&
                                is_hex_run(p + 19, 4) && is_hex_run(p + 24, 12));
}

static size_t scan_digits(struct str s, size_t i, int64_t *out)
{
    int64_t v = 0;
    size_t k = i;
    for (; k < s.n && s.p[k] >= '0' && s.p[k] <= '9' && k - i < 15; k++)
        v = v * 10 + (s.p[k] - '0');
    *out = v;
    return k;
}

bool scan_ms(struct str s, int64_t *ns)
{
    int64_t whole;
    size_t i = scan_digits(s, 0, &whole);

    if (i == 0 || whole > MAX_DURATION_NS / NS_PER_MS)
        return false;
    int64_t v = whole * NS_PER_MS;
    if (i < s.n && s.p[i] == '.') {
        int64_t scale = NS_PER_MS / 10;
        size_t from = ++i;
        for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
            v += (s.p[i] - '0') * scale;
        if (i == from)
            return false;
    }
    if (i != s.n)
        return false;
    assert(v >= 0 && v <= MAX_DURATION_NS + NS_PER_MS);
    *ns = v;
    return true;
}

bool scan_mb(struct str s, uint64_t *bytes)
{
    int64_t v;
    size_t i = scan_digits(s, 0, &v);

    if (i + 2 == s.n && s.p[i] == '.' && s.p[i + 1] == '0')
        i = s.n; /* a JSON writer's "128.0" */
    if (i == 0 || i != s.n || (uint64_t)v > MAX_MEMORY_MB)
        return false;
    *bytes = (uint64_t)v << 20;
    return true;
}

/* v * 10^power, what is behind the point cut off. */
static bool shift_decimal(int64_t v, int64_t power, int64_t *out)
{
    for (; power > 0 && v != 0; power--)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    for (; power < 0 && v != 0; power++)
        v /= 10;
    *out = v;
    return true;
}

bool scan_number(struct str s, int shift, int64_t *out)
{
    const int64_t enough = INT64_C(100000000000000000); /* digits behind these change nothing */
    int64_t v = 0, power = shift, exponent = 0;
    bool is_fraction = false;
    size_t i = 0;

    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.' && !is_fraction) {
            is_fraction = true;
        } else if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        } else if (v < enough) {
            v = v * 10 + (s.p[i] - '0');
            power -= is_fraction;
        } else {
            power += !is_fraction;
        }
    }
    if (i < s.n) {
        struct str rest = str_skip(s, i + 1);
        if (!str_to_i64(str_skip(rest, str_starts(rest, STR("+"))), &exponent) || exponent < -100 ||
            exponent > 100)
            return false;
    }
    return i > 0 && shift_decimal(v, power + exponent, out);
}

bool scan_level(struct str s, enum severity *out)
{
    static const struct {
        struct str word;
        enum severity severity;
    } common[] = {
        {{"INFO", 4}, SEVERITY_INFO},   {{"DEBUG", 5}, SEVERITY_DEBUG},
        {{"ERROR", 5}, SEVERITY_ERROR}, {{"WARN", 4}, SEVERITY_WARN},
        {{"info", 4}, SEVERITY_INFO},   {{"WARNING", 7}, SEVERITY_WARN},
        {{"LOG", 3}, SEVERITY_INFO}, /* NestJS, PostgreSQL */
    };

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (str_eq(s, common[i].word)) {
            *out = common[i].severity;
            return true;
        }
    enum severity v;
    for (size_t i = 1; i + 1 < s.n; i++)
        if ((s.p[i] == '+' || s.p[i] == '-') && s.p[i + 1] >= '0' && s.p[i + 1] <= '9')
            return scan_level(str_sub(s, 0, i), out); /* slog: "ERROR+4" */
    if (s.n == 0 || s.n > 12 || !severity_parse(s, &v) || v == SEVERITY_UNKNOWN)
        return false;
    *out = v;
    return true;
}

bool scan_json_level(struct str s, enum severity *out)
{
    /* winston's npm levels; Android's and others' letters */
    static const struct {
        struct str word;
        enum severity severity;
    } words[] = {
        {{"log", 3}, SEVERITY_INFO}, /* NestJS */
        {{"http", 4}, SEVERITY_INFO}, {{"silly", 5}, SEVERITY_TRACE}, {{"v", 1}, SEVERITY_TRACE},
        {{"t", 1}, SEVERITY_TRACE},   {{"c", 1}, SEVERITY_FATAL},
    };

    if (scan_level(s, out))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(s, words[i].word)) {
            *out = words[i].severity;
            return true;
        }
    return false;
}

enum severity scan_syslog_level(int64_t number)
{
    static const enum severity levels[] = {SEVERITY_FATAL, SEVERITY_FATAL, SEVERITY_FATAL,
                                           SEVERITY_ERROR, SEVERITY_WARN,  SEVERITY_INFO,
                                           SEVERITY_INFO,  SEVERITY_DEBUG};

    return number >= 0 && number < (int64_t)ARRAY_LEN(levels) ? levels[number] : SEVERITY_UNKNOWN;
}

/* "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8" */
static bool is_plain_trace_id(struct str s)
{
    enum { LENGTH = 35, TIME = 2, TIME_DIGITS = 8, REST = 11 };

    return s.n == LENGTH && s.p[0] == '1' && s.p[1] == '-' && s.p[REST - 1] == '-' &&
           is_hex_run(s.p + TIME, TIME_DIGITS) && is_hex_16(s.p + REST) &&
           is_hex_16(s.p + LENGTH - 16);
}

struct str scan_trace_id(struct str header)
{
    static const bool ends[256] = {[';'] = true, ['"'] = true, [' '] = true, ['\t'] = true};
    struct str id = header;

    if (is_plain_trace_id(header))
        return header;
    if (str_find_char(header, '=') < header.n) {
        const size_t root = str_find(header, STR("Root="));
        id = root < header.n ? str_skip(header, root + 5) : header;
    }
    size_t n = 0;
    while (n < id.n && !ends[(unsigned char)id.p[n]])
        n++;
    id.n = n;
    bool is_id = n >= 10 && id.p[0] == '1' && id.p[1] == '-';
    return is_id ? id : (struct str){0};
}
