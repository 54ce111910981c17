/* The spans of one trace: as a waterfall for people, as a table for programs. */
#ifndef FNSCOPE_CLI_TRACE_VIEWS_H
#define FNSCOPE_CLI_TRACE_VIEWS_H

#include "cli/common.h"

/* Nothing for a trace without spans. The spans are in the order of spans_arrange. */
void trace_waterfall(struct buf *b, const struct span_list *l);
void trace_table_print(struct cli *c, const struct span_list *l);

#endif
