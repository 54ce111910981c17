/* Private to core/store: in which functions and seconds of a day a request id occurs. Every commit
 * adds a run, its entries sorted and cut into blobs of which two fill a page; a blob's row id is
 * its run and its first prefix. Sixteen runs of a level become one of the next, so that a look-up
 * reads a page of each of few runs however many commits a day has seen (docs/decisions/0020).
 *
 * A replaced fact leaves its entry behind: who follows an entry looks whether the fact is there. */
#ifndef FNSCOPE_CORE_STORE_ID_INDEX_H
#define FNSCOPE_CORE_STORE_ID_INDEX_H

#include "core/store/store_private.h"

#define ID_ENTRY_BYTES ((size_t)11) /* prefix 4, function 4, second of the day 3; big-endian */
struct id_entry {
    uint32_t prefix, fn, second;
};
void id_entry_pack(const struct id_entry *en, uint8_t out[ID_ENTRY_BYTES]);
void id_entry_unpack(const uint8_t in[ID_ENTRY_BYTES], struct id_entry *en);

/* --- reading (id_index.c) --- */

/* Calls fn for every entry of a day whose prefix lies in the range, in no order. Of a file before
 * migration 6 likewise. */
typedef enum status id_entry_fn(void *ctx, int64_t day, const struct id_entry *en, struct err *e);
struct prefix_range {
    uint32_t low, high; /* both included */
};
MUST_CHECK enum status id_scan(struct store *s, int64_t day, struct prefix_range r, id_entry_fn *fn,
                               void *ctx, struct err *e);
/* All facts with exactly this request id in a day, views in `a`. */
MUST_CHECK enum status facts_by_id(struct store *s, int64_t day, struct str id, struct arena *a,
                                   struct fact_sink sink, struct err *e);

/* --- writing (id_run.c): inside the day's transaction --- */

/* Adds packed entries as one run; sorts them. */
MUST_CHECK enum status ids_add(struct day *d, uint8_t *entries, size_t n, struct err *e);
/* Moves what files held before migration 6 into one run. */
MUST_CHECK enum status ids_upgrade(struct sql *db, struct err *e);

#endif
