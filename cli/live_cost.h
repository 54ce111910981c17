/* Prices while configurations arrive: what a batch says about functions holds for the invocations
 * after it, on top of what the store knew at the start. Packer thread. */
#ifndef FNSCOPE_CLI_LIVE_COST_H
#define FNSCOPE_CLI_LIVE_COST_H

#include "analyzer/analyzer.h"

struct live_cost {
    struct cost_context context; /* valid once something was added */
    struct fn_config *configs;
    size_t n, cap;
    struct cost_index *index;
    struct arena arena; /* texts of the configurations that came */
};

/* Zeroed is ready. Takes the batch's configurations; `known` is what held before the first. */
void live_cost_add(struct live_cost *l, const struct cost_context *known, const struct batch *b);
void live_cost_clear(struct live_cost *l);

#endif
