/* Invocations, however many, printed as they come: in the order of time piece by piece of the
 * range, in any other one out of a temporary file. */
#ifndef FNSCOPE_CLI_INV_STREAM_H
#define FNSCOPE_CLI_INV_STREAM_H

#include "cli/invocation_table.h"

enum { INV_STREAM_FROM = 20000 }; /* rows; so many are better held */

/* In the format of --format. q->limit 0: all; no offset. */
MUST_CHECK enum status inv_stream_print(struct cli *c, struct store *s, const struct inv_request *q,
                                        struct err *e);

#endif
