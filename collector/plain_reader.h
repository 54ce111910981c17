/* Inside of collector/: a file or standard input as one stream of plain bytes. Recognises gzip
 * (many members) and zstd (many frames) by content, and what is compressed again inside, as
 * Firehose does. Reads in bounded steps: a bomb costs time only. One thread. */
#ifndef FNSCOPE_COLLECTOR_PLAIN_READER_H
#define FNSCOPE_COLLECTOR_PLAIN_READER_H

#include <stdatomic.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct plain_reader;

/* What ends the waiting for bytes of a pipe, terminal or socket: the flag set, or the other end of
 * the handle closed. NULL, 0: nothing. */
struct plain_stop {
    const atomic_bool *flag;
    int fd;
};

/* path "-" is standard input. With fd > 0 that handle is read and closed, and path only names it. A
 * named pipe without a writer is open at once; reading waits for one. ERR_NOT_FOUND, ERR_IO,
 * ERR_CANCELLED. */
MUST_CHECK enum status plain_open(const char *path, int fd, const struct plain_stop *stop,
                                  struct plain_reader **out, struct err *e);
void plain_close(struct plain_reader *r); /* NULL is fine */
/* Up to cap bytes to `to`; *n 0 at the end. ERR_PARSE where compressed data is damaged or cut off:
 * everything before the damage was delivered by the calls before. ERR_CANCELLED once stopped. */
MUST_CHECK enum status plain_read(struct plain_reader *r, char *to, size_t cap, size_t *n,
                                  struct err *e);
/* Bytes taken from the file itself: for the progress bar and the bomb check. */
uint64_t plain_raw_bytes(const struct plain_reader *r);
/* Hash of those bytes. */
uint64_t plain_hash(const struct plain_reader *r);
/* Whether it is a regular file, not compressed, that somebody has open for writing (fcntl(2),
 * "Leases"). Where that is not told, as of another user's file: whether it changed less than a
 * minute before now_ns, or since. */
bool plain_is_being_written(const struct plain_reader *r, int64_t now_ns);
/* False for what is no regular file. */
bool plain_size(const struct plain_reader *r, uint64_t *size);
/* Does the file still begin with the `raw` bytes that had this plain_hash? Reads them all, past
 * this reader; hashing them is fifty times as fast as decoding them. */
bool plain_begins_with(const struct plain_reader *r, uint64_t raw, uint64_t hash);
/* Time of last change; 0: not known, or no regular file. */
int64_t plain_changed_ns(const struct plain_reader *r);

#endif
