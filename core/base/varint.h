/* Reads what buf_add_varint and buf_add_svarint wrote, from bytes that may be damaged: past the end
 * every read gives 0 and the reader stays bad.
 *
 *     struct varint_reader r = {.rest = blob};
 *     uint64_t n = varint_read(&r);
 *     if (r.is_bad)
 *         ...
 */
#ifndef FNSCOPE_CORE_BASE_VARINT_H
#define FNSCOPE_CORE_BASE_VARINT_H

#include "core/base/str.h"

struct varint_reader {
    struct str rest;
    bool is_bad;
};

uint64_t varint_read(struct varint_reader *r);
int64_t svarint_read(struct varint_reader *r);
/* The next n bytes as a view. */
struct str bytes_read(struct varint_reader *r, uint64_t n);

#endif
