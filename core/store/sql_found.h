/* Private to core/store: what look-ups of a table by id found lately. In a join the same request is
 * asked for line after line, and lines of some requests alternate. */
#ifndef FNSCOPE_CORE_STORE_SQL_FOUND_H
#define FNSCOPE_CORE_STORE_SQL_FOUND_H

#include "core/base/map.h"
#include "core/store/sql_tables.h"

struct found_ids { /* starts with zeros */
    const struct sql_table *table;
    struct table_filter like; /* all but the id is that of every look-up held */
    struct map index;         /* an id: its place */
    struct table_rows *rows;
    size_t n, cap;
    struct arena arena;
};
void found_clear(struct found_ids *f);

/* The rows of all days that pass a filter with an id, for a table that is loaded by day. They stay
 * until the next call. */
MUST_CHECK enum status found_look_up(struct found_ids *f, struct store *s,
                                     const struct table_filter *filter, struct table_rows *out,
                                     struct err *e);

#endif
