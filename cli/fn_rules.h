/* The section `functions:` of the configuration: what logs do not say and prices depend on.
 * Private to cli. */
#ifndef FNSCOPE_CLI_FN_RULES_H
#define FNSCOPE_CLI_FN_RULES_H

#include "cli/common.h"

/* Sets rules and n_rules, in the cli's arena. ERR_CONFIG names file, line and column. */
MUST_CHECK enum status fn_rules_read(const struct cli *c, struct cost_context *cc, struct err *e);
/* Has the book prices for each region that is said there? As cli_check_region(). */
MUST_CHECK enum status fn_rules_check_regions(const struct cli *c, const struct pricebook *book,
                                              struct err *e);

#endif
