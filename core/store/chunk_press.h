/* Private to core/store: lines of log chunks on their way from the packer to the writer, which
 * makes the blobs of them (chunk_press.c). The packer owns lines until it hands the pack over. */
#ifndef FNSCOPE_CORE_STORE_CHUNK_PRESS_H
#define FNSCOPE_CORE_STORE_CHUNK_PRESS_H

#include <stddef.h>

#include "core/base/err.h"

struct chunk_line;
struct chunk_press;
struct pack;
struct packed_chunk;

/* Lines as the packer took them, empty when zeroed; moved by copying (chunk_press.c). */
struct kept_lines {
    struct kept_block {
        struct kept_block *next;
        size_t n, cap;
        char lines[];
    } * first, *last;
};

/* Adds it behind the others; gives the bytes that it takes. */
size_t kept_lines_add(struct kept_lines *l, const struct chunk_line *line);
void kept_lines_clear(struct kept_lines *l);
/* Makes the blobs of the pack's chunks, once. The press is made when it is first needed. */
MUST_CHECK enum status press_chunks(struct chunk_press **press, struct pack *k, struct err *e);
void packed_chunk_clear(struct packed_chunk *c); /* lines and data; the rest is not its own */
void chunk_press_free(struct chunk_press *p);    /* NULL is fine */

#endif
