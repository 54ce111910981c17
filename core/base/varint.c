/* Integers of seven bits a byte, least significant first. Pure. */
#include "core/base/varint.h"

static uint64_t fail(struct varint_reader *r)
{
    r->is_bad = true;
    r->rest.n = 0;
    return 0;
}

uint64_t varint_read(struct varint_reader *r)
{
    const unsigned char *p = (const unsigned char *)r->rest.p;
    uint64_t v = 0;
    size_t i = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (i >= r->rest.n || (shift == 63 && p[i] > 1)) /* cut, or beyond 64 bits */
            return fail(r);
        v |= (uint64_t)(p[i] & 0x7Fu) << shift;
        if (p[i++] < 0x80) {
            r->rest.p += i;
            r->rest.n -= i;
            return v;
        }
    }
    return fail(r);
}

int64_t svarint_read(struct varint_reader *r)
{
    uint64_t v = varint_read(r);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct str bytes_read(struct varint_reader *r, uint64_t n)
{
    struct str s = {r->rest.p, (size_t)n};

    if (n > r->rest.n)
        fail(r);
    if (r->is_bad || n == 0)
        return (struct str){0};
    r->rest.p += s.n;
    r->rest.n -= s.n;
    return s;
}
