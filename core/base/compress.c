/* zstd for chunks, and one streaming unpacker for gzip, zstd and plain input. */
#include "core/base/compress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "core/base/mem.h"

/* --- chunks --- */

struct zstd_ctx {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

struct zstd_ctx *zstd_ctx_new(int level)
{
    struct zstd_ctx *z = xcalloc(1, sizeof(*z));

    z->pack = ZSTD_createCCtx();
    z->unpack = ZSTD_createDCtx();
    assert(z->pack && z->unpack);
    ZSTD_CCtx_setParameter(z->pack, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(z->pack, ZSTD_c_checksumFlag, 1); /* a turned bit is found */
    return z;
}

/* Log lines repeat in long runs: short matches hardly gain bytes and cost a third of the time, and
 * a small table of places stays in the nearest cache. A chunk has a checksum of its own. */
struct zstd_ctx *zstd_ctx_for_lines(void)
{
    struct zstd_ctx *z = zstd_ctx_new(1);

    ZSTD_CCtx_setParameter(z->pack, ZSTD_c_minMatch, 7);
    ZSTD_CCtx_setParameter(z->pack, ZSTD_c_hashLog, 12);
    ZSTD_CCtx_setParameter(z->pack, ZSTD_c_checksumFlag, 0);
    return z;
}

void zstd_ctx_free(struct zstd_ctx *z)
{
    if (!z)
        return;
    ZSTD_freeCCtx(z->pack);
    ZSTD_freeDCtx(z->unpack);
    free(z);
}

enum status zstd_pack(struct zstd_ctx *z, struct str in, struct buf *out, struct err *e)
{
    size_t bound = ZSTD_compressBound(in.n);

    if (out->max - out->n < bound)
        return err_set(e, ERR_LIMIT, "compressing %zu bytes: the buffer may hold %zu only", in.n,
                       out->max);
    buf_reserve(out, bound);
    size_t n = ZSTD_compress2(z->pack, out->p + out->n, bound, in.p, in.n);
    if (ZSTD_isError(n))
        return err_set(e, ERR_BUG, "compressing: %s", ZSTD_getErrorName(n));
    buf_grown(out, n);
    return OK;
}

enum status zstd_unpack(struct zstd_ctx *z, struct str in, size_t raw_bytes, struct buf *out,
                        struct err *e)
{
    if (out->max - out->n < raw_bytes)
        return err_set(e, ERR_LIMIT, "decompressing %zu bytes: the buffer may hold %zu only",
                       raw_bytes, out->max);
    buf_reserve(out, raw_bytes);
    size_t n =
        ZSTD_decompressDCtx(z->unpack, out->p ? out->p + out->n : NULL, raw_bytes, in.p, in.n);
    if (ZSTD_isError(n) || n != raw_bytes)
        return err_set(e, ERR_PARSE, "damaged compressed data: %s",
                       ZSTD_isError(n) ? ZSTD_getErrorName(n) : "its size is not the expected one");
    buf_grown(out, n);
    return OK;
}

/* --- streams --- */

#define STEP_BYTES ((size_t)65536)

struct unpacker {
    enum stream_codec codec;
    z_stream gzip;
    ZSTD_DStream *zstd;
    bool in_member; /* some input of a member was taken, its end not seen */
    bool is_damaged;
    bool has_more; /* the step was filled: the library may hold more output than it had room for */
    char *step;    /* STEP_BYTES of output */
};

enum stream_codec codec_detect(struct str head)
{
    if (str_starts(head, STR("\x1f\x8b")))
        return CODEC_GZIP;
    return str_starts(head, STR("\x28\xb5\x2f\xfd")) ? CODEC_ZSTD : CODEC_PLAIN;
}

struct unpacker *unpacker_new(enum stream_codec c)
{
    struct unpacker *u = xcalloc(1, sizeof(*u));

    u->codec = c;
    if (c == CODEC_GZIP) {
        int code = inflateInit2(&u->gzip, 15 + 16); /* largest window, gzip wrapper only */
        assert(code == Z_OK);
        UNUSED(code);
    }
    if (c == CODEC_ZSTD)
        u->zstd = ZSTD_createDStream();
    if (c != CODEC_PLAIN)
        u->step = xmalloc(STEP_BYTES);
    return u;
}

void unpacker_free(struct unpacker *u)
{
    if (!u)
        return;
    if (u->codec == CODEC_GZIP)
        inflateEnd(&u->gzip);
    ZSTD_freeDStream(u->zstd);
    free(u->step);
    free(u);
}

static enum status damaged(struct unpacker *u, const char *what, struct err *e)
{
    u->is_damaged = true;
    return err_set(e, ERR_PARSE, "damaged compressed data: %s", what);
}

/* gzip members may be followed by zeros (tape padding) and by further members. */
static enum status gzip_step(struct unpacker *u, struct str *in, struct buf *out, struct err *e)
{
    if (!u->in_member && in->n > 0 && in->p[0] == 0) {
        *in = str_skip(*in, 1);
        return OK;
    }
    unsigned n = in->n > UINT32_MAX ? UINT32_MAX : (unsigned)in->n;
    unsigned char *next;
    memcpy(&next, &in->p, sizeof(next)); /* zlib's interface predates const */
    u->gzip.next_in = next;
    u->gzip.avail_in = n;
    u->gzip.next_out = (unsigned char *)u->step;
    u->gzip.avail_out = STEP_BYTES;
    u->in_member = true;
    int code = inflate(&u->gzip, Z_NO_FLUSH);
    buf_add(out, u->step, STEP_BYTES - u->gzip.avail_out);
    *in = str_skip(*in, n - u->gzip.avail_in);
    u->has_more = u->gzip.avail_out == 0 && code == Z_OK;
    if (code == Z_STREAM_END) {
        u->in_member = false;
        inflateReset(&u->gzip);
        return OK;
    }
    return code == Z_OK || code == Z_BUF_ERROR ? OK
                                               : damaged(u, u->gzip.msg ? u->gzip.msg : "gzip", e);
}

static enum status zstd_step(struct unpacker *u, struct str *in, struct buf *out, struct err *e)
{
    ZSTD_inBuffer source = {in->p, in->n, 0};
    ZSTD_outBuffer target = {u->step, STEP_BYTES, 0};
    size_t left = ZSTD_decompressStream(u->zstd, &target, &source);

    buf_add(out, u->step, target.pos);
    *in = str_skip(*in, source.pos);
    u->has_more = target.pos == target.size && !ZSTD_isError(left);
    if (ZSTD_isError(left))
        return damaged(u, ZSTD_getErrorName(left), e);
    u->in_member = left != 0;
    return OK;
}

static enum status plain_step(struct unpacker *u, struct str *in, struct buf *out, struct err *e)
{
    UNUSED(u);
    UNUSED(e);
    struct str piece = str_sub(*in, 0, STEP_BYTES);
    buf_add_str(out, piece);
    *in = str_skip(*in, piece.n);
    return OK;
}

enum status unpacker_feed(struct unpacker *u, struct str *in, struct buf *out, size_t most,
                          struct err *e)
{
    static enum status (*const steps[])(struct unpacker *, struct str *, struct buf *,
                                        struct err *) = {
        [CODEC_PLAIN] = plain_step,
        [CODEC_GZIP] = gzip_step,
        [CODEC_ZSTD] = zstd_step,
    };

    if (u->is_damaged)
        return damaged(u, "nothing can be read after the damage", e);
    while ((in->n > 0 || u->has_more) && out->n < most) {
        enum status s = steps[u->codec](u, in, out, e);
        if (s != OK)
            return s;
        if (out->is_full)
            return buf_check(out, "decompressed data", e);
    }
    return OK;
}

enum status unpacker_finish(struct unpacker *u, struct err *e)
{
    if (u->is_damaged)
        return damaged(u, "nothing can be read after the damage", e);
    if (u->in_member)
        return err_set(e, ERR_PARSE, "truncated: the compressed data ends in the middle");
    return OK;
}
