/* gzip and zstd streams: fed whole, byte by byte and in small portions they give the same bytes and
 * end in the same way; how much of a damaged block comes out may differ. */
#include <assert.h>

#include "core/base/compress.h"
#include "tests/fuzz/fuzz.h"

enum { MOST = 1 << 16 };

static enum status unpack(struct str in, size_t piece, size_t portion, struct buf *out)
{
    struct unpacker *u = unpacker_new(codec_detect(in));
    enum status s = OK;
    struct err e = {0};

    while (s == OK && in.n > 0 && out->n < MOST) {
        struct str part = str_sub(in, 0, piece);
        size_t before = part.n;
        s = unpacker_feed(u, &part, out, out->n + portion < MOST ? out->n + portion : MOST, &e);
        assert(part.n <= before);
        in = str_skip(in, before - part.n);
    }
    if (s == OK && in.n == 0)
        s = unpacker_finish(u, &e);
    assert(s == OK || e.msg[0] != '\0');
    unpacker_free(u);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    static const size_t ways[][2] = {{1, SIZE_MAX / 2}, {7, 100}, {SIZE_MAX, 1000}};
    AUTO(buf_clear) struct buf whole = {.max = 2 * MOST};
    enum status end = unpack(in, SIZE_MAX, SIZE_MAX / 2, &whole);

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        AUTO(buf_clear) struct buf b = {.max = 2 * MOST};
        enum status other = unpack(in, ways[i][0], ways[i][1], &b);
        if (whole.n >= MOST || b.n >= MOST)
            continue;
        assert(other == end);
        size_t common = b.n < whole.n ? b.n : whole.n;
        assert(str_eq(str_sub(buf_str(&b), 0, common), str_sub(buf_str(&whole), 0, common)));
        assert(end != OK || b.n == whole.n);
    }
    return 0;
}
