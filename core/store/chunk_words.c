/* Cuts a log line into a template and the values in its gaps: chunk_format.h. Pure. */
#include <assert.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/store/chunk_format.h"

/* --- which bytes are digits, which letters --- */

enum { WORD_BITS = 64, CLASS_WORDS = CHUNK_CUT_MOST / WORD_BITS + 2 };
#define NOWHERE SIZE_MAX

/* A bit a byte of the line; those behind its end are 0, one word more than are asked for. */
struct classes {
    uint64_t digit[CLASS_WORDS], alnum[CLASS_WORDS];
    size_t n_words;
    bool has_codes; /* bytes below GAP_KINDS */
};

#ifdef __SSE2__
static __m128i at_most(__m128i v, char most)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(most)), v);
}

/* Of WORD_BITS bytes. */
static void classify_word(const char *p, struct classes *c, size_t word)
{
    __m128i codes = _mm_setzero_si128();
    uint64_t digit = 0, alnum = 0;

#pragma GCC unroll 4
    for (int i = 0; i < WORD_BITS; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(p + i));
        __m128i d = at_most(_mm_sub_epi8(v, _mm_set1_epi8('0')), 9);
        __m128i low = _mm_or_si128(v, _mm_set1_epi8('a' - 'A'));
        __m128i w = _mm_or_si128(d, at_most(_mm_sub_epi8(low, _mm_set1_epi8('a')), 'z' - 'a'));
        codes = _mm_or_si128(codes, at_most(v, GAP_KINDS - 1));
        digit |= (uint64_t)(unsigned)_mm_movemask_epi8(d) << i;
        alnum |= (uint64_t)(unsigned)_mm_movemask_epi8(w) << i;
    }
    c->digit[word] = digit;
    c->alnum[word] = alnum;
    c->has_codes |= _mm_movemask_epi8(codes) != 0;
}
#else
static void classify_word(const char *p, struct classes *c, size_t word)
{
    c->digit[word] = c->alnum[word] = 0;
    for (unsigned i = 0; i < WORD_BITS; i++) {
        unsigned char b = (unsigned char)p[i], low = b | ('a' - 'A');
        uint64_t is_digit = b >= '0' && b <= '9', is_letter = low >= 'a' && low <= 'z';
        c->digit[word] |= is_digit << i;
        c->alnum[word] |= (is_digit | is_letter) << i;
        c->has_codes |= b < GAP_KINDS;
    }
}
#endif

static void classify(const char *p, size_t n, struct classes *c)
{
    c->has_codes = false;
    c->n_words = (n + WORD_BITS - 1) / WORD_BITS;
    for (size_t i = 0; i < c->n_words; i++)
        classify_word(p + i * WORD_BITS, c, i);
    c->digit[c->n_words] = c->alnum[c->n_words] = 0;
}

static size_t next_set(const struct classes *c, const uint64_t *bits, size_t from)
{
    size_t word = from / WORD_BITS;
    uint64_t left = bits[word] & (~UINT64_C(0) << from % WORD_BITS);

    while (left == 0) {
        if (++word >= c->n_words)
            return NOWHERE;
        left = bits[word];
    }
    return word * WORD_BITS + (size_t)__builtin_ctzll(left);
}

/* The end of the run of set bits that goes on at `from`. */
static size_t run_end(const uint64_t *bits, size_t from)
{
    size_t word = from / WORD_BITS;
    uint64_t clear = ~bits[word] & (~UINT64_C(0) << from % WORD_BITS);

    while (clear == 0)
        clear = ~bits[++word];
    return word * WORD_BITS + (size_t)__builtin_ctzll(clear);
}

/* --- writing pieces --- */

/* In steps of 16: there is room behind both. */
static char *copy_text(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        memcpy(to + i, from + i, 16);
    return to + n;
}

static char *put_varint(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(unsigned char)(v | 0x80);
    *to++ = (char)v;
    return to;
}

/* --- kinds of words: each adds the values of its gap; false: it is none --- */

enum { DIGITS_MOST = 16 }; /* of a gap, so that the number fits */

struct word {
    size_t begin, end;    /* of letters and digits */
    size_t digit, digits; /* its first run of digits */
    bool has_more;        /* digits behind that */
};

/* The bytes of p as they differ from those of `form`: a digit in place of 0 gives its value. False
 * where one is above 9, or differs from another byte: `above` holds 0x76 for digits, else 0x7f, so
 * that such sums pass 0x7f. */
static bool read_form(const char *p, const char *form, uint64_t above, uint64_t *v)
{
    uint64_t want;

    memcpy(&want, form, sizeof(want));
    memcpy(v, p, sizeof(*v));
    *v ^= want;
    return ((*v | (*v + above)) & UINT64_C(0x8080808080808080)) == 0;
}

static int64_t digit_at(uint64_t v, unsigned place)
{
    return (int64_t)(v >> 8 * place & 15);
}

static int64_t two_digits(uint64_t v, unsigned place)
{
    return digit_at(v, place) * 10 + digit_at(v, place + 1);
}

/* "12:00:00.000Z" */
static bool read_clock(const char *p, int64_t *ms)
{
    uint64_t clock, rest;

    if (!read_form(p, "00:00:00", UINT64_C(0x76767f76767f7676), &clock) ||
        !read_form(p + 5, ":00.000Z", UINT64_C(0x7f7676767f76767f), &rest))
        return false;
    const int64_t hour = two_digits(clock, 0), minute = two_digits(clock, 3),
                  second = two_digits(clock, 6);
    *ms =
        ((hour * 60 + minute) * 60 + second) * 1000 + two_digits(rest, 4) * 10 + digit_at(rest, 6);
    return hour < 24 && minute < 60 && second < 60;
}

bool time_stands_at(const struct cut_line *o, size_t at, int64_t *off)
{
    if (o->n - at < CHUNK_TIME || memcmp(o->body + at, o->date, CHUNK_DATE) != 0 ||
        !read_clock(o->body + at + CHUNK_DATE, off))
        return false;
    *off -= o->ms;
    return true;
}

void time_off_cut(struct cut_line *o, int64_t off)
{
    if (off != 0)
        o->numbers = put_varint(o->numbers, (uint64_t)off << 1 ^ (uint64_t)(off >> 63));
}

static bool cut_time(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    int64_t off = 0;

    if (w->digits - w->digit != 4 || !time_stands_at(o, w->digit, &off))
        return false;
    time_off_cut(o, off);
    *gap =
        (struct cut_gap){w->digit, w->digit + CHUNK_TIME, off == 0 ? GAP_TIME : GAP_TIME_NEAR, 0};
    return true;
}

static bool cut_id(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    const char *p = o->body + w->begin;
    const struct str id = {p, CHUNK_UUID};
    uint8_t packed[16];

    if (w->end - w->begin != 8 || o->n - w->begin < CHUNK_UUID || p[8] != '-')
        return false;
    const bool is_last = memcmp(p, o->last_id, CHUNK_UUID) == 0;
    if (!is_last && !id_pack(id, packed))
        return false;
    const enum chunk_gap others = o->new_id ? GAP_ID_OTHER : GAP_ID_NEW;
    *gap = (struct cut_gap){w->begin, w->begin + CHUNK_UUID, is_last ? GAP_ID : others, 0};
    if (!is_last) {
        memcpy(o->ids, packed, sizeof(packed));
        o->ids += sizeof(packed);
        if (!o->new_id)
            o->new_id = o->last_id = p;
    }
    return true;
}

/* The value of n <= 8 digits with a 1 before them: the digits of eight bytes are added pairwise. */
static inline uint64_t short_number(const char *p, size_t n)
{
    static const uint32_t ones[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    v = (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << (64 - 8 * n); /* lowest byte first: zeros before */
    v = (v * (1 + (10 << 8)) >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v * (1 + (100 << 16)) >> 16) & UINT64_C(0x0000ffff0000ffff);
    v = v * (1 + (UINT64_C(10000) << 32)) >> 32;
    return v + ones[n];
}

static uint64_t number_of(const char *p, size_t n)
{
    if (n <= 8)
        return short_number(p, n);
    uint64_t v = 1;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned)(p[i] - '0');
    return v;
}

static void cut_digits(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    size_t at = w->digit;

    for (; w->digits - at > DIGITS_MOST; at += DIGITS_MOST)
        o->numbers = put_varint(o->numbers, number_of(o->body + at, DIGITS_MOST));
    o->numbers = put_varint(o->numbers, number_of(o->body + at, w->digits - at));
    *gap = (struct cut_gap){w->digit, w->digits, GAP_NUMBER, 0};
}

/* Identifiers of 8 digits and more, an even number of them. */
static bool cut_hex(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    const size_t n = w->end - w->begin;

    if (n < 8 || n > 128 || n % 2 != 0 ||
        !hex_digits_pack(o->body + w->begin, n / 2, (uint8_t *)o->hex))
        return false;
    *gap = (struct cut_gap){w->begin, w->end, GAP_HEX, (uint8_t)(n / 2)};
    o->hex += n / 2;
    return true;
}

static void cut_text(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    const size_t n = w->end - w->begin;

    *gap = (struct cut_gap){w->begin, w->end, GAP_TEXT, 0};
    o->numbers = put_varint(o->numbers, n);
    o->texts = copy_text(o->texts, o->body + w->begin, n);
}

/* Digits in a word of letters are a number where they stand together: "key0", "12ms". */
static void cut_mixed(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    if (cut_hex(o, w, gap))
        return;
    if (w->has_more)
        cut_text(o, w, gap);
    else
        cut_digits(o, w, gap);
}

static void cut_word(struct cut_line *o, const struct word *w, struct cut_gap *gap)
{
    if (cut_time(o, w, gap) || cut_id(o, w, gap))
        return;
    if (w->digits - w->digit == w->end - w->begin)
        cut_digits(o, w, gap);
    else
        cut_mixed(o, w, gap);
}

/* --- a line whose template is not known --- */

static bool is_letter(char b)
{
    const unsigned char low = (unsigned char)b | ('a' - 'A');

    return low >= 'a' && low <= 'z';
}

static struct word word_around(const char *p, const struct classes *c, size_t from, size_t digit)
{
    struct word w = {.begin = digit,
                     .end = run_end(c->alnum, digit),
                     .digit = digit,
                     .digits = run_end(c->digit, digit)};

    while (w.begin > from && is_letter(p[w.begin - 1]))
        w.begin--;
    w.has_more = next_set(c, c->digit, w.digits) < w.end;
    return w;
}

/* The text from `done` on to the gap, and what stands for it. */
static void put_gap(struct cut_line *o, size_t done, const struct cut_gap *gap)
{
    o->template_end = copy_text(o->template_end, o->body + done, gap->from - done);
    *o->template_end++ = (char)gap->kind;
    if (gap->kind == GAP_HEX)
        *o->template_end++ = (char)gap->width;
    for (size_t n = gap->to - gap->from; gap->kind == GAP_NUMBER && n > DIGITS_MOST;
         n -= DIGITS_MOST)
        *o->template_end++ = GAP_NUMBER;
}

/* Where to look on: not in the rest of the word, but times and UUIDs are more than one. */
static size_t behind_gap(const struct word *w, const struct cut_gap *gap)
{
    return gap->to > w->end ? gap->to : w->end;
}

bool line_cut(struct cut_line *line)
{
    struct classes classes;
    size_t done = 0;

    assert(line->n <= CHUNK_CUT_MOST);
    classify(line->body, line->n, &classes);
    if (classes.has_codes)
        return false;
    for (size_t from = 0, digit; (digit = next_set(&classes, classes.digit, from)) != NOWHERE;) {
        const struct word w = word_around(line->body, &classes, from, digit);
        struct cut_gap gap;
        cut_word(line, &w, &gap);
        put_gap(line, done, &gap);
        done = gap.to;
        from = behind_gap(&w, &gap);
    }
    line->template_end = copy_text(line->template_end, line->body + done, line->n - done);
    return true;
}

/* --- a word that stands where a known template has a gap --- */

bool gap_cut(struct cut_line *o, size_t at, size_t lead, struct cut_gap *gap)
{
    struct classes c;

    c.has_codes = false;
    classify_word(o->body + at, &c, 0);
    if (c.digit[0] == 0 || ~c.alnum[0] == 0)
        return false;
    const unsigned end = (unsigned)__builtin_ctzll(~c.alnum[0]),
                   digit = (unsigned)__builtin_ctzll(c.digit[0]);
    if (digit > end)
        return false;
    const uint64_t from_digit = c.digit[0] >> digit;
    const unsigned digits = digit + (unsigned)__builtin_ctzll(~from_digit);
    const struct word w = {.begin = at - lead,
                           .end = at + end,
                           .digit = at + digit,
                           .digits = at + digits,
                           .has_more = (c.digit[0] & ((UINT64_C(1) << end) - 1)) >> digits != 0};
    cut_word(o, &w, gap);
    return gap->kind != GAP_NUMBER || gap->to - gap->from <= DIGITS_MOST;
}

/* How many digits stand at p; 8: or more. */
static unsigned digits_at(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    v ^= UINT64_C(0x3030303030303030);
    v = (v | (v + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
    return v == 0 ? 8 : (unsigned)__builtin_ctzll(v) / 8;
}

size_t number_cut(struct cut_line *o, size_t at, size_t lead)
{
    const char *p = o->body + at;
    const unsigned n = digits_at(p);

    if (n == 0 || n >= 8 || is_letter(p[n]) || (lead > 0 && lead + n >= 8) ||
        (n == 4 && p[n] == '-')) /* or it may be a time; of a UUID they are eight */
        return 0;
    o->numbers = put_varint(o->numbers, short_number(p, n));
    return at + n;
}

/* Letters among hexadecimal digits have this bit, those up to 9 do not. */
#define LETTER_BITS UINT64_C(0x4040404040404040)

static uint64_t letters_of(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v & LETTER_BITS;
}

bool new_id_cut(struct cut_line *o, size_t at)
{
    const char *p = o->body + at;

    if (o->n - at < CHUNK_UUID || o->new_id || letters_of(p) == LETTER_BITS ||
        memcmp(p, o->last_id, CHUNK_UUID) == 0 ||
        !id_pack((struct str){p, CHUNK_UUID}, (uint8_t *)o->ids))
        return false;
    o->ids += 16;
    o->new_id = o->last_id = p;
    return true;
}

/* Of n >= 8 hexadecimal digits: both letters and others. */
static bool is_mixed(const char *p, size_t n)
{
    uint64_t any = letters_of(p + n - 8), all = any;

    for (size_t i = 0; i + 8 < n; i += 8) {
        any |= letters_of(p + i);
        all &= letters_of(p + i);
    }
    return any != 0 && all != LETTER_BITS;
}

bool hex_cut(struct cut_line *o, size_t at, size_t width)
{
    const size_t n = 2 * width;
    const char *p = o->body + at, *end = p + n;

    assert(width >= 4);
    if (o->n - at < n || is_letter(*end) || (*end >= '0' && *end <= '9') || !is_mixed(p, n) ||
        !hex_digits_pack(p, width, (uint8_t *)o->hex))
        return false;
    if (*end == '-' && (end[3] == '-' || end[5] == '-')) /* of a time, of a UUID */
        return false;
    o->hex += width;
    return true;
}
