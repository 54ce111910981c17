/* The growable buffer with a maximum. */
#include "core/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->is_full = false;
    if (b->p)
        b->p[0] = 0;
}

/* Room for extra bytes and the NUL is there already, as mostly. */
static inline bool has_room(const struct buf *b, size_t extra)
{
    return !b->is_full && extra < b->cap - b->n && extra <= b->max - b->n;
}

/* Room for extra bytes and the NUL; false and is_full when that is more than the maximum. */
static bool make_room(struct buf *b, size_t extra)
{
    assert(b->max > 0);
    if (b->is_full || extra > b->max - b->n) {
        b->is_full = true;
        return false;
    }
    size_t want = b->n + extra + 1;
    if (want <= b->cap)
        return true;
    size_t cap = b->cap < 32 ? 64 : b->cap * 2;
    b->cap = cap < want ? want : cap;
    b->p = xrealloc(b->p, b->cap);
    return true;
}

void buf_reserve(struct buf *b, size_t extra)
{
    bool was_full = b->is_full;

    if (!make_room(b, extra))
        b->is_full = was_full; /* asking is not adding */
    else
        b->p[b->n] = 0;
}

void buf_grown(struct buf *b, size_t n)
{
    if (n == 0)
        return;
    assert(b->p && n < b->cap - b->n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!has_room(b, n) && !make_room(b, n))
        return;
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_z(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_add_c(struct buf *b, char c)
{
    if (b->n + 1 < b->cap && b->n < b->max && !b->is_full) {
        b->p[b->n++] = c;
        b->p[b->n] = 0;
        return;
    }
    buf_add(b, &c, 1);
}

void buf_add_u64(struct buf *b, uint64_t v, unsigned width)
{
    char digits[20];
    size_t at = sizeof(digits);

    assert(width <= sizeof(digits));
    for (; v > 0; v /= 10)
        digits[--at] = (char)('0' + v % 10);
    while (at == sizeof(digits) || sizeof(digits) - at < width)
        digits[--at] = '0';
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_add_repeat(struct buf *b, char c, size_t n)
{
    if (!make_room(b, n))
        return;
    memset(b->p + b->n, c, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    if (make_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_cut(struct buf *b, size_t n)
{
    if (n >= b->n)
        return;
    b->n = n;
    b->p[n] = 0;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}

char *buf_take(struct buf *b)
{
    char *p = b->p ? b->p : xstrdup("");

    *b = (struct buf){.max = b->max};
    return p;
}

enum status buf_check(const struct buf *b, const char *what, struct err *e)
{
    if (!b->is_full)
        return OK;
    return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, b->max);
}

static size_t put_varint(char *to, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (char)(unsigned char)(v | 0x80);
    to[n++] = (char)(unsigned char)v;
    return n;
}

/* Apart, so that numbers of one byte, most of all, cost no stack. */
static __attribute__((noinline)) void add_long_varint(struct buf *b, uint64_t v)
{
    char bytes[10];

    if (has_room(b, sizeof(bytes))) {
        b->n += put_varint(b->p + b->n, v);
        b->p[b->n] = 0;
        return;
    }
    buf_add(b, bytes, put_varint(bytes, v));
}

void buf_add_varint(struct buf *b, uint64_t v)
{
    if (v >= 0x80 || !has_room(b, 1)) {
        add_long_varint(b, v);
        return;
    }
    b->p[b->n++] = (char)v;
    b->p[b->n] = 0;
}

void buf_add_svarint(struct buf *b, int64_t v)
{
    buf_add_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}
