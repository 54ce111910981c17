/* Views: comparing, finding, cutting, reading numbers, hashing. */
#include "core/base/str.h"

#include <assert.h>
#include <string.h>

struct str str_from(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

struct str str_skip(struct str s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return (struct str){s.p ? s.p + n : NULL, s.n - n};
}

struct str str_sub(struct str s, size_t from, size_t n)
{
    struct str rest = str_skip(s, from);

    if (n < rest.n)
        rest.n = n;
    return rest;
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    if (prefix.n == 0)
        return true;
    return s.n >= prefix.n && s.p != NULL && memcmp(s.p, prefix.p, prefix.n) == 0;
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

size_t str_find(struct str s, struct str needle)
{
    if (needle.n == 0)
        return 0;
    const char *at = s.n > 0 ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

size_t str_find_char(struct str s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

size_t str_rfind_char(struct str s, char c)
{
    const char *at = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim_right(struct str s)
{
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = str_skip(s, 1);
    return str_trim_right(s);
}

struct str str_cut(struct str *rest, char sep)
{
    size_t at = str_find_char(*rest, sep);
    struct str head = str_sub(*rest, 0, at);

    *rest = str_skip(*rest, at < rest->n ? at + 1 : at);
    return head;
}

/* --- glob --- */

/* One [set] at the start of p against c; *used is its length, 0 when it is not closed (then '[' is
 * itself). */
static bool set_matches(struct str p, char c, size_t *used)
{
    assert(p.p);
    size_t i = 1;
    bool is_inverse = i < p.n && (p.p[i] == '!' || p.p[i] == '^');
    bool is_in = false;

    i += is_inverse;
    for (size_t first = i; i < p.n && (p.p[i] != ']' || i == first); i++) {
        char low = p.p[i], high = low;
        if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
            high = p.p[i + 2];
            i += 2;
        }
        is_in = is_in || (c >= low && c <= high);
    }
    *used = i < p.n ? i + 1 : 0;
    return is_in != is_inverse;
}

/* One pattern element other than '*' against the first character of s; *used is the element's
 * length. */
static bool element_matches(struct str p, struct str s, size_t *used)
{
    assert(p.n > 0 && p.p);
    *used = 1;
    if (s.n == 0 || !s.p)
        return false;
    if (p.p[0] == '?')
        return true;
    if (p.p[0] == '[') {
        bool is_match = set_matches(p, s.p[0], used);
        if (*used > 0)
            return is_match;
        *used = 1;
    }
    return p.p[0] == s.p[0];
}

bool str_glob(struct str pattern, struct str s)
{
    struct str star_pattern = {0}, star_text = {0};
    bool has_star = false;

    for (;;) {
        size_t used;
        if (pattern.n > 0 && pattern.p && pattern.p[0] == '*') {
            has_star = true;
            pattern = str_skip(pattern, 1);
            star_pattern = pattern;
            star_text = s;
        } else if (pattern.n > 0 && pattern.p && element_matches(pattern, s, &used)) {
            pattern = str_skip(pattern, used);
            s = str_skip(s, 1);
        } else if (pattern.n == 0 && s.n == 0) {
            return true;
        } else if (has_star && star_text.n > 0) {
            star_text = str_skip(star_text, 1); /* let the last star take one more */
            s = star_text;
            pattern = star_pattern;
        } else {
            return false;
        }
    }
}

/* --- numbers --- */

bool str_are_digits(const char p[8])
{
    const uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0), threes = UINT64_C(0x3030303030303030);
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return (v & high) == threes && ((v + UINT64_C(0x0606060606060606)) & high) == threes;
}

/* Eight digits at once (little-endian machines): pairs, fours, then both halves are put together by
 * multiplications. */
static uint64_t eight_digits(const char p[8])
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    v = (v & UINT64_C(0x0F0F0F0F0F0F0F0F)) * 2561 >> 8;
    v = (v & UINT64_C(0x00FF00FF00FF00FF)) * 6553601 >> 16;
    return (v & UINT64_C(0x0000FFFF0000FFFF)) * UINT64_C(42949672960001) >> 32;
}

bool str_digits(const char *p, size_t n, uint64_t *out)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};

    assert(n >= 8 && n <= 16);
    if (!str_are_digits(p) || !str_are_digits(p + n - 8))
        return false;
    const uint64_t behind = powers[n - 8];
    *out = eight_digits(p) * behind + eight_digits(p + n - 8) % behind;
    return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}

static bool apply_sign(uint64_t v, bool is_negative, int64_t *out)
{
    if (v > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool cut_sign(struct str *s)
{
    bool is_negative = s->n > 0 && s->p[0] == '-';

    if (is_negative)
        *s = str_skip(*s, 1);
    return is_negative;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool is_negative = cut_sign(&s);
    uint64_t v;

    return str_to_u64(s, &v) && apply_sign(v, is_negative, out);
}

bool str_to_scaled(struct str s, unsigned scale, int64_t *out)
{
    bool is_negative = cut_sign(&s);
    uint64_t v = 0;
    unsigned decimals = 0, digits = 0;
    bool has_point = false;

    assert(scale <= 18);
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (s.p[i] == '.' && !has_point && digits > 0) {
            has_point = true;
            continue;
        }
        if (digit > 9 || (has_point && ++decimals > scale) || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
        digits++;
    }
    if (digits == 0 || (has_point && decimals == 0))
        return false;
    for (; decimals < scale; decimals++)
        if (__builtin_mul_overflow(v, 10u, &v))
            return false;
    return apply_sign(v, is_negative, out);
}

/* --- hash --- */

static uint64_t load64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Both halves of the 128-bit product folded: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Odd constants with balanced bits: the fraction digits of sqrt(2), sqrt(3), sqrt(5). */
#define K0 UINT64_C(0x6a09e667f3bcc909)
#define K1 UINT64_C(0xbb67ae8584caa73b)
#define K2 UINT64_C(0x3c6ef372fe94f82b)

static uint64_t load32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t byte_at(const char *p, size_t i)
{
    return (uint64_t)(unsigned char)p[i] << 8 * i;
}

/* One to eight bytes, the rest zero, by loads that overlap: a copy of n bytes would be a call. */
static inline uint64_t load_part(const char *p, size_t n)
{
    if (n >= 4)
        return load32(p) | load32(p + n - 4) << 8 * (n - 4);
    return byte_at(p, 0) | byte_at(p, n / 2) | byte_at(p, n - 1);
}

/* Two 64-bit lanes a step (little-endian machines only: amd64, arm64). */
static uint64_t mix_lanes(const char *p, uint64_t h)
{
    return mix(load64(p) ^ K1 ^ h, load64(p + 8) ^ K2);
}

uint64_t str_hash(struct str s, uint64_t seed)
{
    uint64_t h = seed ^ mix(s.n ^ K0, K1);
    const char *p = s.p;
    size_t n = s.n;

    for (; n > 32; n -= 32, p += 32)
        h = mix_lanes(p + 16, mix_lanes(p, h));
    for (; n > 16; n -= 16, p += 16)
        h = mix_lanes(p, h);
    uint64_t a = 0, b = 0;
    if (n > 8) {
        a = load64(p);
        b = load_part(p + 8, n - 8);
    } else if (n > 0) {
        a = load_part(p, n);
    }
    return mix(mix(a ^ K1 ^ h, b ^ K2), K0 ^ s.n);
}

uint64_t str_hash_u64(uint64_t v, uint64_t seed)
{
    const uint64_t n = sizeof(v);

    return mix(mix(v ^ K1 ^ seed ^ mix(n ^ K0, K1), K2), K0 ^ n);
}

uint64_t str_hash_block(struct str s, uint64_t seed)
{
    uint64_t a = seed, b = seed ^ K0, c = seed ^ K1, d = seed ^ K2;

    for (; s.n >= 64; s.n -= 64, s.p += 64) {
        a = mix_lanes(s.p, a);
        b = mix_lanes(s.p + 16, b);
        c = mix_lanes(s.p + 32, c);
        d = mix_lanes(s.p + 48, d);
    }
    return str_hash(s, mix(mix(a ^ K1, b ^ K2) ^ K0, mix(c ^ K2, d ^ K1)));
}

const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
