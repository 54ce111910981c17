/* Rows printed as they come, so that an answer of any length takes no memory. Formats for people,
 * whose columns depend on all rows, are held and printed at the end. */
#ifndef FNSCOPE_CLI_ROW_STREAM_H
#define FNSCOPE_CLI_ROW_STREAM_H

#include "cli/common.h"

/* Fill rows into `table`; after each call row_stream_row. The table's arena is emptied there when
 * its rows are printed: nothing of a row may be used behind it. */
struct row_stream {
    struct cli *cli;
    struct table table;
    struct arena own;
    size_t n_printed;
    bool is_held;
};
void row_stream_begin(struct row_stream *s, struct cli *c, const struct table_column *columns,
                      size_t n_columns, const char *schema);
/* A row is full. ERR_CANCELLED: nobody reads any more. */
MUST_CHECK enum status row_stream_row(struct row_stream *s);
/* Prints what there is, whatever its number: before memory goes that rows look into. */
MUST_CHECK enum status row_stream_flush(struct row_stream *s);
void row_stream_end(struct row_stream *s);
void row_stream_clear(struct row_stream *s);

#endif
