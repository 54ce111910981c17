/* Inside of collector/: a file or standard input as one stream of plain bytes. Recognises gzip
 * (many members) and zstd (many frames) by content, and what is compressed again inside, as
 * Firehose does. Reads in bounded steps: a bomb costs time only. One thread. */
#ifndef FNSCOPE_COLLECTOR_PLAIN_READER_H
#define FNSCOPE_COLLECTOR_PLAIN_READER_H

#include "core/base/err.h"
#include "core/base/str.h"

struct plain_reader;

/* path "-" is standard input. With fd > 0 that handle is read and closed, and path only names it.
 * ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum status plain_open(const char *path, int fd, struct plain_reader **out,
                                  struct err *e);
void plain_close(struct plain_reader *r); /* NULL is fine */
/* Up to cap bytes to `to`; *n 0 at the end. ERR_PARSE where compressed data is damaged or cut off:
 * everything before the damage was delivered by the calls before. */
MUST_CHECK enum status plain_read(struct plain_reader *r, char *to, size_t cap, size_t *n,
                                  struct err *e);
/* Bytes taken from the file itself: for the progress bar and the bomb check. */
uint64_t plain_raw_bytes(const struct plain_reader *r);
/* Hash of the file's last 4 KB before raw offset `at`, and its size: tell whether a file is still
 * the one read before, and whether it has grown. False for what is no regular file or is shorter.
 */
bool plain_stamp(const struct plain_reader *r, uint64_t at, uint64_t *hash, uint64_t *size);
/* Time of last change; 0: not known. */
int64_t plain_changed_ns(const struct plain_reader *r);

#endif
