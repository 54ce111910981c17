/* Private to core/store: is a request id possibly stored in a day? A false alarm costs a look-up, a
 * miss would cost a request. Eight bits in one line of the processor's cache per id, 16 bits an id,
 * growing by layers each larger than the one before: at most some false alarms in a thousand.
 * Packer thread. */
#ifndef FNSCOPE_CORE_STORE_ID_FILTER_H
#define FNSCOPE_CORE_STORE_ID_FILTER_H

#include "core/store/store_private.h"

struct id_layer {
    uint64_t *words;
    size_t n_lines; /* of eight words */
    size_t n_ids;
};
struct id_set {
    struct id_layer *layers;
    size_t n, cap;
};
/* Of ids in the file only prefixes are at hand. Those added since are known whole, so that ids
 * which begin alike (some makers count in the last digits) cause no false alarms among them. */
struct id_filter {
    int64_t day;
    struct id_set stored, added;
};

void id_filter_add_stored(struct id_filter *f, uint32_t prefix);
void id_filter_add(struct id_filter *f, uint64_t id_hash); /* str_hash(id, 0) */
bool id_filter_may_hold(const struct id_filter *f, struct str id);
void id_filter_clear(struct id_filter *f);

#endif
