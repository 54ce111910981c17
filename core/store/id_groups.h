/* Private to core/store: the facts that an entry of the id index leads to. */
#ifndef FNSCOPE_CORE_STORE_ID_GROUPS_H
#define FNSCOPE_CORE_STORE_ID_GROUPS_H

#include "core/store/fact_store.h"
#include "core/store/id_index.h"

/* Gives facts of the entry's function and second: those whose ids have its prefix, and maybe
 * others. A reader that looks up many in one hour keeps in memory which group holds which prefix,
 * some 20 bytes a fact and at most 20 MB a day file; what another connection wrote since is seen.
 * Ids are as stored: fact_settle. */
MUST_CHECK enum status facts_at(struct day *d, const struct id_entry *at, struct fact_sink sink,
                                struct err *e);
void id_groups_free(struct id_groups *g); /* NULL is fine */

#endif
