/* UTF-8 decoding, validation and display width. */
#include "core/base/utf8.h"

#include <string.h>

#define HIGH_BITS   UINT64_C(0x8080808080808080)
#define REPLACEMENT 0xFFFDu

static bool is_tail(struct str s, size_t i)
{
    return i < s.n && ((unsigned char)s.p[i] & 0xC0u) == 0x80u;
}

/* Length by lead byte, 0 for a byte that cannot begin a code point (80..C1, F5..FF). */
static unsigned lead_length(unsigned char c)
{
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Overlong forms, surrogates and values above U+10FFFF are told by the first two bytes (Unicode
 * table 3-7). */
static bool second_fits(unsigned char lead, unsigned char second)
{
    if (lead == 0xE0)
        return second >= 0xA0;
    if (lead == 0xED)
        return second < 0xA0;
    if (lead == 0xF0)
        return second >= 0x90;
    if (lead == 0xF4)
        return second < 0x90;
    return true;
}

static size_t bad_byte(uint32_t *cp)
{
    *cp = REPLACEMENT;
    return 1;
}

size_t utf8_next(struct str s, uint32_t *cp)
{
    static const unsigned char lead_masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};

    if (s.n == 0)
        return 0;
    unsigned char lead = (unsigned char)s.p[0];
    unsigned n = lead_length(lead);
    if (n == 0 || (n > 1 && (!is_tail(s, 1) || !second_fits(lead, (unsigned char)s.p[1]))))
        return bad_byte(cp);
    uint32_t v = lead & lead_masks[n];
    for (unsigned i = 1; i < n; i++) {
        if (!is_tail(s, i))
            return bad_byte(cp);
        v = v << 6 | ((unsigned char)s.p[i] & 0x3Fu);
    }
    *cp = v;
    return n;
}

static bool is_real(struct str s, size_t used, uint32_t cp)
{
    return cp != REPLACEMENT || (used == 3 && memcmp(s.p, "\xEF\xBF\xBD", 3) == 0);
}

enum { STRIDE = 32 };

static bool is_ascii(const char stride[STRIDE])
{
    uint64_t word[STRIDE / sizeof(uint64_t)];

    memcpy(word, stride, sizeof(word));
    return ((word[0] | word[1] | word[2] | word[3]) & HIGH_BITS) == 0;
}

/* Bytes at the front that are ASCII, as far as strides tell; the last one overlaps that before, so
 * that no byte is looked at alone. */
static size_t ascii_length(struct str s)
{
    size_t i = 0;

    while (s.n - i >= STRIDE && is_ascii(s.p + i))
        i += STRIDE;
    return s.n - i < STRIDE && i > 0 && is_ascii(s.p + s.n - STRIDE) ? s.n : i;
}

bool utf8_is_valid(struct str s)
{
    s = str_skip(s, ascii_length(s));
    while (s.n > 0) {
        uint64_t word;
        uint32_t cp;
        if (s.n >= sizeof(word)) {
            memcpy(&word, s.p, sizeof(word));
            if ((word & HIGH_BITS) == 0) {
                s = str_skip(s, sizeof(word));
                continue;
            }
        }
        size_t used = utf8_next(s, &cp);
        if (!is_real(s, used, cp))
            return false;
        s = str_skip(s, used);
    }
    return true;
}

size_t utf8_put(uint32_t cp, char out[4])
{
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
        cp = REPLACEMENT;
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80u | (cp & 0x3Fu));
    out[0] = (char)(leads[n] | cp);
    return n;
}

/* --- width --- */

struct span {
    uint32_t first, last;
};

/* Combining and other zero-width marks (Unicode 15 general categories Mn, Me, Cf of the scripts in
 * common use). */
static const struct span zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948},
    {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x206F},
    {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

/* East Asian wide and emoji (Unicode 15 EastAsianWidth W and F). */
static const struct span double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x26BD, 0x26BE},
    {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},
    {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
    {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static bool in_spans(const struct span *spans, size_t n, uint32_t cp)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (cp > spans[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && cp >= spans[low].first;
}

int utf8_cp_width(uint32_t cp)
{
    if (cp < 0x300)
        return 1;
    if (in_spans(zero_width, sizeof(zero_width) / sizeof(zero_width[0]), cp))
        return 0;
    return in_spans(double_width, sizeof(double_width) / sizeof(double_width[0]), cp) ? 2 : 1;
}

size_t utf8_width(struct str s)
{
    size_t width = 0, used;
    uint32_t cp;

    for (; (used = utf8_next(s, &cp)) > 0; s = str_skip(s, used))
        width += (size_t)utf8_cp_width(cp);
    return width;
}

struct str utf8_fit(struct str s, size_t cells)
{
    struct str rest = s;
    size_t used;
    uint32_t cp;

    for (; (used = utf8_next(rest, &cp)) > 0; rest = str_skip(rest, used)) {
        size_t width = (size_t)utf8_cp_width(cp);
        if (width > cells)
            break;
        cells -= width;
    }
    return str_sub(s, 0, s.n - rest.n);
}

void utf8_wrap(struct buf *out, struct str text, size_t width, size_t indent)
{
    size_t column = indent;

    while (text.n > 0) {
        struct str word = str_cut(&text, ' ');
        size_t w = utf8_width(word);
        if (column > indent && column + 1 + w > width) {
            buf_add_c(out, '\n');
            buf_add_repeat(out, ' ', indent);
            column = indent;
        } else if (column > indent) {
            buf_add_c(out, ' ');
            column++;
        }
        buf_add_str(out, word);
        column += w;
    }
    buf_add_c(out, '\n');
}
