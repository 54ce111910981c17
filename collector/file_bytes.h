/* Inside of collector/: a file's plain bytes on their way to a decoder. What was read and not
 * decoded yet is carried over and comes again with fresh bytes behind it. Runs on the source
 * thread. */
#ifndef FNSCOPE_COLLECTOR_FILE_BYTES_H
#define FNSCOPE_COLLECTOR_FILE_BYTES_H

#include "collector/plain_reader.h"
#include "core/base/arena.h"
#include "core/base/buf.h"

/* Zeroed is ready, once `reader` is open; file_bytes_close() closes it. */
struct file_bytes {
    struct plain_reader *reader;
    struct buf carry; /* read, not decoded yet */
    uint64_t offset;  /* in the plain stream, of carry's first byte */
    bool is_copied;   /* the decoder keeps nothing of a piece: each is read into the carry itself,
                         memory that the processor's cache still holds from the piece before */
};

/* Reads up to `most` bytes into the carry, *n of them; less: that is all, or damage, or a stop came
 * before, which the next read meets again. A byte order mark is passed over. */
MUST_CHECK enum status file_bytes_head(struct file_bytes *f, size_t most, size_t *n, struct err *e);
/* The carried bytes and *n fresh ones together, 0 at the end: in the arena, or where is_copied in
 * the carry, until the next call. On failure the piece is what was carried. */
MUST_CHECK enum status file_bytes_next(struct file_bytes *f, struct arena *a, struct str *piece,
                                       size_t *n, struct err *e);
/* The decoder took so many bytes of the piece. False: it leaves more than can be carried. */
bool file_bytes_take(struct file_bytes *f, struct str piece, size_t used);
/* Drops plain bytes up to the offset; false when the stream is shorter. */
bool file_bytes_skip_to(struct file_bytes *f, uint64_t offset);
void file_bytes_close(struct file_bytes *f);

#endif
