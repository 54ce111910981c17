/* Private to core/base/jsonpull.c: where the special bytes of a string are: a quote, a backslash, a
 * control character, what is not ASCII. */
#ifndef FNSCOPE_CORE_BASE_JSON_SPECIAL_H
#define FNSCOPE_CORE_BASE_JSON_SPECIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bytes that are looked at together. */
enum { JSON_STRIDE = 16, JSON_BLOCK = 4 * JSON_STRIDE };

/* Of the stride at p: bit i stands for byte i. */
#ifdef __SSE2__
static inline unsigned json_special(const char *p)
{
    __m128i v = _mm_loadu_si128((const void *)p);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    /* Signed: bytes from 0x80 on are below 0x20 too. */
    __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
}
#else
#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bit set in every byte of v that is below n (n <= 128), as long as it has no byte above 127.
 */
static inline uint64_t json_bytes_below(uint64_t v, uint64_t n)
{
    return (v - ONES * n) & ~v & HIGHS;
}

static inline unsigned json_special_word(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    v = json_bytes_below(v, 0x20) | json_bytes_below(v ^ ONES * '"', 1) |
        json_bytes_below(v ^ ONES * '\\', 1) | (v & HIGHS);
    return (unsigned)((v >> 7) * UINT64_C(0x0102040810204080) >> 56); /* the high bits, gathered */
}

static inline unsigned json_special(const char *p)
{
    return json_special_word(p) | json_special_word(p + 8) << 8;
}
#endif

/* Of the block at p. */
static inline uint64_t json_special_block(const char *p)
{
    const uint64_t a = json_special(p), b = json_special(p + JSON_STRIDE),
                   c = json_special(p + 2 * JSON_STRIDE), d = json_special(p + 3 * JSON_STRIDE);

    return a | b << JSON_STRIDE | c << 2 * JSON_STRIDE | d << 3 * JSON_STRIDE;
}

static inline bool json_is_special(char c)
{
    return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 || c == '"' || c == '\\';
}

#endif
