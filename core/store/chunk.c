/* The inside of a log chunk: lines as differences to the line before. Pure. */
#include <assert.h>

#include "core/store/store_private.h"

static size_t put_varint(unsigned char *to, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (unsigned char)(v | 0x80);
    to[n++] = (unsigned char)v;
    return n;
}

static size_t put_svarint(unsigned char *to, int64_t v)
{
    return put_varint(to, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* Record: svarint time difference (ns), svarint stream difference, byte severity | kind << 4,
 * varint length, bytes. */
void chunk_add_line(struct buf *raw, int64_t *last_ns, int64_t *last_stream, int64_t day,
                    const struct chunk_line *line)
{
    int64_t in_day = line->time_ns - day * NS_PER_DAY;

    unsigned char head[3 * 10 + 1];
    size_t n = put_svarint(head, in_day - *last_ns);

    n += put_svarint(head + n, (int64_t)line->stream - *last_stream);
    head[n++] = (unsigned char)((unsigned)line->severity | (unsigned)line->kind << 4);
    n += put_varint(head + n, line->body.n);
    buf_add(raw, head, n);
    buf_add_str(raw, line->body);
    *last_ns = in_day;
    *last_stream = line->stream;
}

void chunk_begin(struct chunk_cursor *c, struct str raw, int64_t day)
{
    *c = (struct chunk_cursor){.rest = raw, .total = raw.n, .day = day};
}

static uint64_t cut_varint(struct chunk_cursor *c)
{
    const unsigned char *p = (const unsigned char *)c->rest.p;
    uint64_t v = 0;
    size_t i = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (i >= c->rest.n) {
            c->is_bad = true;
            return 0;
        }
        v |= (uint64_t)(p[i] & 0x7Fu) << shift;
        if (p[i++] < 0x80)
            break;
    }
    c->rest.p += i;
    c->rest.n -= i;
    return v;
}

static int64_t cut_svarint(struct chunk_cursor *c)
{
    uint64_t v = cut_varint(c);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool chunk_next(struct chunk_cursor *c, struct chunk_line *line)
{
    if (c->rest.n == 0 || c->is_bad)
        return false;
    line->offset = c->total - c->rest.n;
    c->time_ns += cut_svarint(c);
    c->stream += cut_svarint(c);
    if (c->rest.n == 0)
        c->is_bad = true;
    if (c->is_bad)
        return false;
    unsigned mark = (unsigned char)c->rest.p[0];
    c->rest = str_skip(c->rest, 1);
    uint64_t n = cut_varint(c);
    if (c->is_bad || n > c->rest.n) {
        c->is_bad = true;
        return false;
    }
    line->time_ns = c->day * NS_PER_DAY + c->time_ns;
    line->stream = (uint32_t)c->stream;
    line->severity = (enum severity)(mark & 15);
    line->kind = (enum record_kind)(mark >> 4);
    line->body = str_sub(c->rest, 0, (size_t)n);
    c->rest = str_skip(c->rest, (size_t)n);
    return true;
}
