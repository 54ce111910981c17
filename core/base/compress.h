/* zstd for the store's chunks, and one streaming reader for gzip (many members), zstd (many frames)
 * and plain input. The only user of zlib and libzstd. */
#ifndef FNSCOPE_CORE_BASE_COMPRESS_H
#define FNSCOPE_CORE_BASE_COMPRESS_H

#include "core/base/buf.h"

struct zstd_ctx; /* reusable; one thread */
struct zstd_ctx *zstd_ctx_new(int level);
struct zstd_ctx *zstd_ctx_for_lines(void); /* level 1, for 256 KB of log lines; no checksum */
void zstd_ctx_free(struct zstd_ctx *z);
MUST_CHECK enum status zstd_pack(struct zstd_ctx *z, struct str in, struct buf *out, struct err *e);
/* raw_bytes is the expected size: another size is ERR_PARSE, so a bomb cannot grow. */
MUST_CHECK enum status zstd_unpack(struct zstd_ctx *z, struct str in, size_t raw_bytes,
                                   struct buf *out, struct err *e);

enum stream_codec { CODEC_PLAIN, CODEC_GZIP, CODEC_ZSTD };
struct unpacker;                                 /* push compressed bytes in, get plain bytes out */
enum stream_codec codec_detect(struct str head); /* by magic number */
struct unpacker *unpacker_new(enum stream_codec c);
void unpacker_free(struct unpacker *u);
/* Consumes all of *in and appends what it gives, but stops once out holds at least `most` bytes
 * (call again with the rest of *in). Members and frames may follow one another. ERR_PARSE on damage
 * with everything before the damage delivered. */
MUST_CHECK enum status unpacker_feed(struct unpacker *u, struct str *in, struct buf *out,
                                     size_t most, struct err *e);
/* At end of input: ERR_PARSE "truncated" inside a member. */
MUST_CHECK enum status unpacker_finish(struct unpacker *u, struct err *e);

#endif
