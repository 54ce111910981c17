/* Requests from strangers: a head that is accepted has no second reading, and a chunked body is the
 * same however its bytes arrive. */
#include <stdlib.h>

#include "core/base/http_parse.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX    4096
#define TRAILER_MAX 512

static void check_inside(struct str part, struct str whole)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void check_headers(const struct http_header *items, size_t n, struct str text)
{
    if (n > HTTP_HEADERS_MAX)
        abort();
    for (size_t i = 0; i < n; i++) {
        check_inside(items[i].name, text);
        check_inside(items[i].value, text);
        if (!http_is_token(items[i].name) || !http_is_value(items[i].value))
            abort();
    }
}

static void check_head(struct str text)
{
    AUTO(arena_clear) struct arena a = {0};
    struct http_head h;
    struct http_framing framing;

    if (http_head_parse(text, &a, &h) != 0)
        return;
    check_headers(h.headers, h.n_headers, text);
    check_inside(h.target, text);
    if (!http_is_token(h.method) || h.target.n == 0 || h.target.p[0] != '/' ||
        str_find_char(h.target, ' ') < h.target.n || !http_is_value(h.target))
        abort();
    if (http_framing_of(&h, BODY_MAX, &framing) == 0 &&
        (framing.length > BODY_MAX || (framing.is_chunked && framing.length > 0)))
        abort();
}

struct decoded {
    struct http_chunks chunks;
    struct buf in, body;
    unsigned status;
};

/* Gives the bytes `piece` at a time, as the server does: what was not used comes again. */
static void decode(struct str in, size_t piece, struct decoded *d)
{
    *d = (struct decoded){.chunks = {.trailers = {.max = TRAILER_MAX}},
                          .in = {.max = 1 << 20},
                          .body = {.max = BODY_MAX}};
    while (in.n > 0 && d->status == 0 && d->chunks.state != CHUNK_DONE) {
        buf_add_str(&d->in, str_sub(in, 0, piece));
        in = str_skip(in, piece);
        struct str rest = buf_str(&d->in);
        d->status = http_chunks_take(&d->chunks, &rest, &d->body);
        AUTO(buf_clear) struct buf left = {.max = 1 << 20};
        buf_add_str(&left, rest);
        buf_reset(&d->in);
        buf_add_str(&d->in, buf_str(&left));
    }
}

static void decoded_clear(struct decoded *d)
{
    buf_clear(&d->chunks.trailers);
    buf_clear(&d->in);
    buf_clear(&d->body);
}

static void check_chunks(struct str in)
{
    struct decoded whole, bytes;

    decode(in, in.n + 1, &whole);
    decode(in, 1, &bytes);
    if ((whole.status == 0) != (bytes.status == 0) || whole.chunks.state != bytes.chunks.state ||
        !str_eq(buf_str(&whole.body), buf_str(&bytes.body)) ||
        !str_eq(buf_str(&whole.chunks.trailers), buf_str(&bytes.chunks.trailers)))
        abort();
    decoded_clear(&whole);
    decoded_clear(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    size_t n = http_head_length(in, 0);

    /* Looking in two steps finds the same end. */
    if (size > 2 && n > 0 && http_head_length(str_sub(in, 0, n - 1), 0) != 0)
        abort();
    if (n > 0 && http_head_length(in, n - 1) != n)
        abort();
    check_head(str_sub(in, 0, n));
    check_chunks(str_skip(in, n));
    return 0;
}
