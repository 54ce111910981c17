/* Inside of analyzer/: what the cost files need of the price book beyond analyzer.h. */
#ifndef FNSCOPE_ANALYZER_PRICEBOOK_H
#define FNSCOPE_ANALYZER_PRICEBOOK_H

#include "analyzer/analyzer.h"

/* Whether pricebook_find would give this row, which it gave before for something else; false where
 * only the search can tell. Rows of one meter and region do not overlap. */
bool pricebook_gives(const struct price *row, struct str meter, struct str region, int64_t at_ns);

/* Some row names this region itself (not by "*"). */
bool pricebook_has_region(const struct pricebook *p, enum provider provider, struct str region);

#endif
