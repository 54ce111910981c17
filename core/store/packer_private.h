/* Private to core/store/packer*.c: the packer's state. */
#ifndef FNSCOPE_CORE_STORE_PACKER_PRIVATE_H
#define FNSCOPE_CORE_STORE_PACKER_PRIVATE_H

#include "core/store/id_filter.h"
#include "core/store/seen.h"

struct open_chunk {
    int64_t day, t0_ns, t1_ns, last_ns, last_stream;
    unsigned shard, level_mask;
    struct buf raw;
    uint64_t *seen;
    size_t n, cap;
};

struct packer {
    struct store *store, *reader;
    struct zstd_ctx *zstd;
    struct pack *current;
    uint64_t next_pack;
    struct idmap fns, streams, texts, series; /* hash -> id */
    uint32_t next_fn, next_stream, next_text, next_series;
    struct open_chunk *chunks;
    size_t n_chunks, cap_chunks;
    struct seen seen;
    struct id_filter *filters;
    size_t n_filters, cap_filters;
    struct arena scratch;
};

/* Ids of dimensions, given when first asked for; the rows ride in the current pack. */
uint32_t packer_fn(struct packer *p, const struct fn_ref *f);
uint32_t packer_stream(struct packer *p, const struct origin *o, uint32_t fn);
uint32_t packer_text(struct packer *p, struct str s); /* 0 for the empty text */
/* Copies a batch's metric points, queues and sources into the current pack. */
void packer_live(struct packer *p, const struct batch *b);
/* The filter of a day, filled from its file when the day is first touched; NULL on a read error. */
struct id_filter *packer_filter(struct packer *p, int64_t day, struct err *e);

#endif
