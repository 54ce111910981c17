/* Private to core/store: is a request id possibly stored in a day? Four bits in one 64-bit word per
 * id, about 12 bits an id, growing by whole filters: at most a per cent of false alarms, no miss.
 * Packer thread. */
#ifndef FNSCOPE_CORE_STORE_ID_FILTER_H
#define FNSCOPE_CORE_STORE_ID_FILTER_H

#include "core/store/store_private.h"

struct id_filter {
    int64_t day;
    uint64_t **layers;
    size_t n_layers, cap_layers, in_last;
};

void id_filter_add(struct id_filter *f, uint32_t prefix);
bool id_filter_may_hold(const struct id_filter *f, uint32_t prefix);
void id_filter_clear(struct id_filter *f);

#endif
