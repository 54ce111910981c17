/* Prices what is stored anew, with the settings in force. */
#ifndef FNSCOPE_CLI_REPRICE_H
#define FNSCOPE_CLI_REPRICE_H

#include "cli/common.h"

/* `s` is open for writing. *changed: invocations whose cost, architecture or storage is another
 * now. Interrupted, it leaves a store whose prices count as changed: run it again. */
MUST_CHECK enum status reprice(struct cli *c, struct store *s, uint64_t *changed, struct err *e);
/* The same for functions that are called otherwise than when they were priced: their region is
 * another. Mostly there are none. Interrupted, it does all of it again. */
MUST_CHECK enum status reprice_moved(struct cli *c, struct store *s, struct err *e);

#endif
