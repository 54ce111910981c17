/* Inside of analyzer/: what the cost files need of the price book beyond analyzer.h. */
#ifndef FNSCOPE_ANALYZER_PRICEBOOK_H
#define FNSCOPE_ANALYZER_PRICEBOOK_H

#include "analyzer/analyzer.h"

/* Some row names this region itself (not by "*"). */
bool pricebook_has_region(const struct pricebook *p, enum provider provider, struct str region);

#endif
