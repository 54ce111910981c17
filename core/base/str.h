/* A view of bytes owned by someone else (an arena, a page, a literal). It may hold NUL and is not
 * terminated. Functions never allocate and never modify; an empty view may have p == NULL. */
#ifndef FNSCOPE_CORE_BASE_STR_H
#define FNSCOPE_CORE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* The same as initializer of static data, where C wants a constant. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

struct str str_from(const char *z);                      /* NULL gives the empty view */
struct str str_sub(struct str s, size_t from, size_t n); /* clamped to s */
struct str str_skip(struct str s, size_t n);             /* clamped to s */

bool str_eq(struct str a, struct str b);
static inline bool str_eq_few(struct str a, struct str b); /* the same, faster up to 24 bytes */
bool str_eq_nocase(struct str a, struct str b);            /* ASCII */
int str_cmp(struct str a, struct str b);                   /* bytewise, shorter first; for qsort */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Offset of the first match, or s.n when there is none. */
size_t str_find(struct str s, struct str needle);
size_t str_find_char(struct str s, char c);
size_t str_rfind_char(struct str s, char c); /* last match, or s.n */

struct str str_trim(struct str s); /* blanks, tabs, CR, LF at both ends */
struct str str_trim_right(struct str s);

/* Cuts the part before the first sep off *rest and returns it; without sep returns all of *rest
 * and leaves it empty. */
struct str str_cut(struct str *rest, char sep);

/* Shell-style match of the whole view: * ? and [..]; case matters. */
bool str_glob(struct str pattern, struct str s);

/* Whole view is a decimal number that fits; no blanks, sign only for i64. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);

bool str_are_digits(const char p[8]); /* all eight are decimal digits */
/* The number in n decimal digits, 8 to 16; false: not all are digits. */
bool str_digits(const char *p, size_t n, uint64_t *out);
/* Decimal with up to scale fraction digits, as an integer of 10^-scale: "2.46", 3 -> 2460. More
 * digits, exponents and other text are refused. */
bool str_to_scaled(struct str s, unsigned scale, int64_t *out);

/* The words for one, or for any other number: plural(n, "file is", "files are"). */
const char *plural(uint64_t n, const char *one, const char *many);

/* Stable 64-bit hash (same on every machine and run; stored in files). seed separates uses. */
uint64_t str_hash(struct str s, uint64_t seed);
uint64_t str_hash_u64(uint64_t v, uint64_t seed); /* of its eight bytes, the lowest first */
/* Another one, stable as well, three times as fast for kilobytes: four hashes side by side. */
uint64_t str_hash_block(struct str s, uint64_t seed);

static inline uint64_t str_load64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Words of eight bytes; the last one overlaps the one before. */
static inline bool str_eq_few(struct str a, struct str b)
{
    const size_t last = a.n - sizeof(uint64_t);

    if (a.n != b.n || a.n < sizeof(uint64_t))
        return str_eq(a, b);
    for (size_t i = 0; i < last; i += sizeof(uint64_t))
        if (str_load64(a.p + i) != str_load64(b.p + i))
            return false;
    return str_load64(a.p + last) == str_load64(b.p + last);
}

#endif
