/* Sources whose names have changed: a place is kept under a name ("prod", of several regions
 * "prod/eu-west-1"), and must not be lost with it. */
#ifndef FNSCOPE_CLI_SOURCE_NAMES_H
#define FNSCOPE_CLI_SOURCE_NAMES_H

#include "collector/source.h"
#include "core/store/store.h"

/* Before the sources of a whole configuration are opened: one that is new goes on where the one
 * stopped that is configured no more and is of the same type and region, where there is one such of
 * each; else it is warned of that the new one does not begin there. Writer thread. */
MUST_CHECK enum status source_names_follow(struct store *s, const struct source_list *l,
                                           struct err *e);

#endif
