/* Sorts rows by the bytes of a key at their front, as memcmp orders them: numbers lie in it with
 * their highest byte first. Rows of equal keys keep their order. A pass for each byte in which some
 * keys differ: of thousands of rows far fewer steps than comparing them. Row and key sizes are
 * constants where it is called, so that a row is moved in a few steps. */
#ifndef FNSCOPE_CORE_BASE_BYTE_SORT_H
#define FNSCOPE_CORE_BASE_BYTE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/base/mem.h"

/* Where rows with each value of the byte begin; false: all have one value. */
static inline bool byte_sort_places(const uint8_t *rows, size_t n, size_t row_bytes, size_t at,
                                    size_t places[256])
{
    size_t before = 0;

    memset(places, 0, 256 * sizeof(*places));
    for (size_t i = 0; i < n; i++)
        places[rows[i * row_bytes + at]]++;
    if (places[rows[at]] == n)
        return false;
    for (size_t v = 0; v < 256; v++) {
        const size_t count = places[v];
        places[v] = before;
        before += count;
    }
    return true;
}

static inline void byte_sort(void *rows, size_t n, size_t row_bytes, size_t key_bytes)
{
    if (n < 2)
        return;
    AUTO(mem_free_ptr) uint8_t *spare = xmalloc(n * row_bytes);
    uint8_t *from = rows, *to = spare;
    size_t places[256];

    for (size_t at = key_bytes; at-- > 0;) {
        if (!byte_sort_places(from, n, row_bytes, at, places))
            continue;
        for (size_t i = 0; i < n; i++)
            memcpy(to + places[from[i * row_bytes + at]]++ * row_bytes, from + i * row_bytes,
                   row_bytes);
        uint8_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != rows)
        memcpy(rows, from, n * row_bytes);
}

#endif
