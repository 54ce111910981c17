/* Rows of a table in an order, however many: their cells go to a database without a name, which
 * sorts them in its files. A few MB of memory, about the rows' size twice on the disk. */
#ifndef FNSCOPE_CORE_BASE_ROW_SORT_H
#define FNSCOPE_CORE_BASE_ROW_SORT_H

#include "core/base/table_stream.h"

struct row_sort;

/* Largest value first, then the latest, then by number, then by id. */
struct row_key {
    int64_t value, time_ns, number;
    struct str id;
};

MUST_CHECK enum status row_sort_new(struct row_sort **out, struct err *e);
void row_sort_free(struct row_sort *s); /* NULL is fine */
/* The last row of the table. ERR_IO: the temporary folder is full, or not there. */
MUST_CHECK enum status row_sort_add(struct row_sort *s, const struct row_key *k,
                                    const struct table *t, struct err *e);
/* The first `limit` rows, 0: all; as often as wanted. Nothing may be added after it. */
MUST_CHECK enum status row_sort_give(struct row_sort *s, size_t limit, struct table_stream *to,
                                     struct err *e);

#endif
