/* The one rule that puts durations into buckets: an exponent and 6 mantissa bits of the value in
 * microseconds, 1.6 % wide, integers only. The same rule runs here, as SQLite function bucket() and
 * as ClickHouse SQL, so percentiles are equal on every engine. Values below 64 us have a bucket
 * each. Pure. */
#ifndef FNSCOPE_CORE_MODEL_BUCKET_H
#define FNSCOPE_CORE_MODEL_BUCKET_H

#include "core/base/buf.h"

#define BUCKETS 2432 /* up to 2^43 us = 101 days; larger values go to the last one */

unsigned bucket_of(uint64_t us);
uint64_t bucket_low(unsigned bucket);  /* smallest value in it, us */
uint64_t bucket_high(unsigned bucket); /* largest value in it */
uint64_t bucket_mid(unsigned bucket);  /* what a percentile reports: at most 0.8 % off */

/* Counts per bucket, sparse while small. */
struct histogram {
    uint32_t *bucket; /* ascending */
    uint64_t *count;
    size_t n, cap;
    uint64_t total;
    uint64_t largest; /* the exact largest value, us: no percentile is above it; 0: not known */
};
void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, unsigned bucket, uint64_t count);
void histogram_merge(struct histogram *h, const struct histogram *from);
/* What is known of the largest value beside its bucket; the packed form does not hold it. */
void histogram_bound(struct histogram *h, uint64_t us);
/* Value (us) below which `permille` of the counts lie, nearest rank; false when empty. */
bool histogram_percentile(const struct histogram *h, unsigned permille, uint64_t *us);
/* The same of any part, part <= whole: 9999 of 10000 is p99.99. */
bool histogram_quantile(const struct histogram *h, uint64_t part, uint64_t whole, uint64_t *us);
/* Compact form for roll-ups: varint bucket deltas and counts. */
void histogram_pack(const struct histogram *h, struct buf *out);
bool histogram_unpack(struct str packed, struct histogram *add_to); /* false: damaged */

#endif
