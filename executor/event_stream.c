/* Three headers an event; sums over what was written. */
#include "executor/event_stream.h"

#include "core/base/macros.h"

enum { PRELUDE_BYTES = 12, SUM_BYTES = 4, TEXT_HEADER = 7 };

/* CRC-32 of gzip, half a byte at a time; fnexec does without zlib. */
static uint32_t crc32_of(struct str bytes)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= (unsigned char)bytes.p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void add_u32(struct buf *out, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_c(out, (char)(v >> shift));
}

static void add_header(struct buf *out, const char *name, const char *value)
{
    struct str n = str_from(name), v = str_from(value);

    if (!value)
        return;
    buf_add_c(out, (char)n.n);
    buf_add_str(out, n);
    buf_add_c(out, TEXT_HEADER);
    buf_add_c(out, (char)(v.n >> 8));
    buf_add_c(out, (char)v.n);
    buf_add_str(out, v);
}

void event_stream_add(struct buf *out, const char *event_type, const char *content_type,
                      struct str payload)
{
    AUTO(buf_clear) struct buf headers = {.max = 1024};
    size_t begin = out->n;

    add_header(&headers, ":message-type", "event");
    add_header(&headers, ":event-type", event_type);
    add_header(&headers, ":content-type", content_type);
    add_u32(out, (uint32_t)(PRELUDE_BYTES + headers.n + payload.n + SUM_BYTES));
    add_u32(out, (uint32_t)headers.n);
    add_u32(out, crc32_of(str_skip(buf_str(out), begin)));
    buf_add_str(out, buf_str(&headers));
    buf_add_str(out, payload);
    add_u32(out, crc32_of(str_skip(buf_str(out), begin)));
}
