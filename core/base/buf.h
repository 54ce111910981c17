/* A growable byte buffer with a mandatory maximum. Appending past the maximum, or after it, adds
 * nothing and sets `is_full`; a writer appends freely and looks once at the end:
 *
 *     AUTO(buf_clear) struct buf b;
 *     buf_init(&b, 1 << 20);
 *     buf_addf(&b, "%d", n);
 *     return buf_check(&b, "report", e);
 *
 * p is always terminated by a NUL that n does not count (p is "" when empty). */
#ifndef FNSCOPE_CORE_BASE_BUF_H
#define FNSCOPE_CORE_BASE_BUF_H

#include "core/base/err.h"
#include "core/base/str.h"

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max; /* most bytes it may hold */
    bool is_full;
};

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees; b may be used again with the same max */
void buf_reset(struct buf *b); /* empties, keeps memory */
void buf_reserve(struct buf *b, size_t extra);
/* n bytes were written behind the end, into room that buf_reserve made. */
void buf_grown(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_z(struct buf *b, const char *z);
void buf_add_c(struct buf *b, char c);
void buf_add_repeat(struct buf *b, char c, size_t n);
void buf_add_u64(struct buf *b, uint64_t v, unsigned width); /* decimal, zeros up to width <= 20 */
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_cut(struct buf *b, size_t n);   /* shortens to n bytes */
struct str buf_str(const struct buf *b); /* view, valid until the next append */
char *buf_take(struct buf *b);           /* gives the memory away; b is empty after */

/* ERR_LIMIT "<what> is larger than <max> bytes" when something did not fit. */
MUST_CHECK enum status buf_check(const struct buf *b, const char *what, struct err *e);

/* LEB128 unsigned and zigzag signed integers, as the log chunks use them. */
void buf_add_varint(struct buf *b, uint64_t v);
void buf_add_svarint(struct buf *b, int64_t v);

#endif
