/* One request as JSON (fnscope.request), or one attempt a line. */
#ifndef FNSCOPE_CLI_SHOW_JSON_H
#define FNSCOPE_CLI_SHOW_JSON_H

#include "cli/common.h"

/* On an error what is written so far is no complete JSON. */
MUST_CHECK enum status show_json(struct cli *c, struct store *s, const struct cost_context *cc,
                                 const struct inv_rows *rows, bool with_logs, struct err *e);

#endif
