/* Prices everything stored anew, with the settings in force. Part of cmd_db.c. */
#ifndef FNSCOPE_CLI_REPRICE_H
#define FNSCOPE_CLI_REPRICE_H

#include "cli/common.h"

/* `s` is open for writing. *changed: invocations whose cost, architecture or storage is another
 * now. Interrupted, it leaves a store whose prices count as changed: run it again. */
MUST_CHECK enum status reprice(struct cli *c, struct store *s, uint64_t *changed, struct err *e);

#endif
