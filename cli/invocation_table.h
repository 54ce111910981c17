/* Invocations as a table: the columns every command that lists them shares. */
#ifndef FNSCOPE_CLI_INVOCATION_TABLE_H
#define FNSCOPE_CLI_INVOCATION_TABLE_H

#include "cli/common.h"

void invocation_table_fill(struct table *t, struct arena *a, const struct inv_rows *rows);
/* The same, row by row. */
extern const struct table_shape invocation_table_shape;
void invocation_table_init(struct table *t, struct arena *a);
void invocation_table_row(struct table *t, const struct invocation *inv);
void invocation_table_print(struct cli *c, const struct inv_rows *rows);

#endif
