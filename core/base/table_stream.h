/* Rows printed as they come, so that an answer of any length takes no memory. Of formats for people
 * the columns depend on all rows: where there are many, they are asked for twice, first to be
 * measured and then to be printed; few are held. */
#ifndef FNSCOPE_CORE_BASE_TABLE_STREAM_H
#define FNSCOPE_CORE_BASE_TABLE_STREAM_H

#include "core/base/err.h"
#include "core/base/table.h"

/* Where rows go. */
struct table_out {
    struct buf *buf;
    enum table_format format;
    int (*flush)(void *ctx); /* writes and empties buf; not 0: nobody reads any more */
    void *ctx;
};

/* What a table_rows_fn fills: a row by table_row() and its cells, then table_stream_row(). */
struct table_stream {
    struct table table; /* its arena is emptied there when its rows are printed */
    const struct table_out *out;
    struct table_column *columns;
    struct arena rows, own; /* of the rows in the table; of what lasts */
    size_t *widths;         /* by column, text only */
    struct str *same;       /* by column, what all rows so far have in it; p NULL: they differ */
    size_t n_printed;
    bool is_measuring, is_dropped; /* rows were measured and dropped: they will come again */
};
/* A row is full. ERR_CANCELLED: nobody reads any more; return OK or that. */
MUST_CHECK enum status table_stream_row(struct table_stream *s);
/* Is done with the rows there are, whatever their number: before memory goes that they look into.
 */
MUST_CHECK enum status table_stream_flush(struct table_stream *s);

/* Gives all rows; called again, it gives the same. */
typedef enum status table_rows_fn(void *ctx, struct table_stream *s, struct err *e);
struct table_shape {
    const struct table_column *columns;
    size_t n_columns;
    const char *schema;
    int version;
};
/* Nothing is printed where `give` fails before its first row is. */
MUST_CHECK enum status table_stream_print(const struct table_out *out,
                                          const struct table_shape *shape, table_rows_fn *give,
                                          void *ctx, struct err *e);

#endif
