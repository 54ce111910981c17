/* The bucket rule and sparse histograms over it. Owns the histogram's two arrays; knows nothing of
 * functions. Integers only, so that every engine gives the same percentiles. */
#include "core/model/bucket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

enum { MANTISSA_BITS = 6, PER_POWER = 1 << MANTISSA_BITS };

unsigned bucket_of(uint64_t us)
{
    if (us < PER_POWER)
        return (unsigned)us;
    const unsigned exponent = 63 - (unsigned)__builtin_clzll(us);
    const unsigned mantissa = (unsigned)(us >> (exponent - MANTISSA_BITS)) - PER_POWER;
    const unsigned bucket = PER_POWER * (exponent - MANTISSA_BITS + 1) + mantissa;
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

uint64_t bucket_low(unsigned bucket)
{
    assert(bucket < BUCKETS);
    if (bucket < PER_POWER)
        return bucket;
    return (uint64_t)(PER_POWER + bucket % PER_POWER) << (bucket / PER_POWER - 1);
}

uint64_t bucket_high(unsigned bucket)
{
    assert(bucket < BUCKETS);
    const uint64_t width = bucket < PER_POWER ? 1 : UINT64_C(1) << (bucket / PER_POWER - 1);
    return bucket_low(bucket) + width - 1;
}

uint64_t bucket_mid(unsigned bucket)
{
    const uint64_t low = bucket_low(bucket);
    return low + (bucket_high(bucket) - low) / 2;
}

void histogram_clear(struct histogram *h)
{
    free(h->bucket);
    free(h->count);
    *h = (struct histogram){0};
}

/* First position whose bucket is not below the wanted one. Most additions hit the end or near. */
static size_t position_of(const struct histogram *h, unsigned bucket)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (h->bucket[mid] < bucket)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void make_room(struct histogram *h, size_t n)
{
    if (n <= h->cap)
        return;
    size_t cap = h->cap > 0 ? h->cap : 16;
    while (cap < n)
        cap *= 2;
    h->bucket = xreallocarray(h->bucket, cap, sizeof(*h->bucket));
    h->count = xreallocarray(h->count, cap, sizeof(*h->count));
    h->cap = cap;
}

void histogram_add(struct histogram *h, unsigned bucket, uint64_t count)
{
    assert(bucket < BUCKETS);
    if (count == 0)
        return;
    const size_t at = position_of(h, bucket);
    h->total += count;
    if (at < h->n && h->bucket[at] == bucket) {
        h->count[at] += count;
        return;
    }
    make_room(h, h->n + 1);
    memmove(h->bucket + at + 1, h->bucket + at, (h->n - at) * sizeof(*h->bucket));
    memmove(h->count + at + 1, h->count + at, (h->n - at) * sizeof(*h->count));
    h->bucket[at] = bucket;
    h->count[at] = count;
    h->n++;
}

static size_t count_new(const struct histogram *h, const struct histogram *from)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; j < from->n; j++) {
        while (i < h->n && h->bucket[i] < from->bucket[j])
            i++;
        n += i == h->n || h->bucket[i] != from->bucket[j];
    }
    return n;
}

void histogram_bound(struct histogram *h, uint64_t us)
{
    if (us > h->largest)
        h->largest = us;
}

/* Merges from the back, in place: no second array. */
void histogram_merge(struct histogram *h, const struct histogram *from)
{
    assert(h != from);
    const size_t n = h->n + count_new(h, from);
    size_t i = h->n, j = from->n, to = n;

    make_room(h, n);
    while (j > 0) {
        const bool take_own = i > 0 && h->bucket[i - 1] >= from->bucket[j - 1];
        const bool take_other = i == 0 || h->bucket[i - 1] <= from->bucket[j - 1];
        const uint32_t bucket = take_own ? h->bucket[i - 1] : from->bucket[j - 1];
        uint64_t count = 0;
        if (take_own)
            count += h->count[--i];
        if (take_other)
            count += from->count[--j];
        to--;
        h->bucket[to] = bucket;
        h->count[to] = count;
    }
    h->n = n;
    h->total += from->total;
    histogram_bound(h, from->largest);
}

__extension__ typedef unsigned __int128 uwide;

bool histogram_percentile(const struct histogram *h, unsigned permille, uint64_t *us)
{
    return histogram_quantile(h, permille, 1000, us);
}

bool histogram_quantile(const struct histogram *h, uint64_t part, uint64_t whole, uint64_t *us)
{
    assert(part <= whole && whole > 0);
    if (h->total == 0)
        return false;
    /* rounded up; the lowest rank is 1 */
    uint64_t rank = (uint64_t)(((uwide)h->total * part + whole - 1) / whole);
    if (rank == 0)
        rank = 1;
    uint64_t seen = 0;
    size_t i = 0;
    for (; i + 1 < h->n; i++) {
        seen += h->count[i];
        if (seen >= rank)
            break;
    }
    *us = bucket_mid(h->bucket[i]);
    if (h->largest > 0 && *us > h->largest)
        *us = h->largest;
    return true;
}

void histogram_pack(const struct histogram *h, struct buf *out)
{
    uint32_t before = 0;

    buf_add_varint(out, h->n);
    for (size_t i = 0; i < h->n; i++) {
        buf_add_varint(out, h->bucket[i] - before);
        buf_add_varint(out, h->count[i]);
        before = h->bucket[i];
    }
}

static bool take_varint(struct str *s, uint64_t *out)
{
    uint64_t v = 0;

    if (s->n > 0 && (unsigned char)s->p[0] < 0x80) { /* most */
        *out = (unsigned char)s->p[0];
        *s = (struct str){s->p + 1, s->n - 1};
        return true;
    }

    for (unsigned shift = 0; shift < 64 && s->n > 0; shift += 7) {
        const uint64_t byte = (unsigned char)s->p[0];
        *s = str_skip(*s, 1);
        if (shift == 63 && byte > 1)
            return false;
        v |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool unpack_rows(struct str packed, struct histogram *h)
{
    uint64_t n = 0, bucket = 0, delta = 0, count = 0;

    if (!take_varint(&packed, &n) || n > BUCKETS)
        return false;
    make_room(h, (size_t)n);
    for (uint64_t i = 0; i < n; i++) {
        if (!take_varint(&packed, &delta) || !take_varint(&packed, &count))
            return false;
        if ((i > 0 && delta == 0) || delta >= BUCKETS || count == 0 ||
            count > UINT64_MAX - h->total)
            return false;
        bucket += delta;
        if (bucket >= BUCKETS)
            return false;
        h->bucket[h->n] = (uint32_t)bucket;
        h->count[h->n++] = count;
        h->total += count;
    }
    return packed.n == 0;
}

bool histogram_unpack(struct str packed, struct histogram *add_to)
{
    struct histogram read = {0};
    const bool is_good = unpack_rows(packed, &read) && read.total <= UINT64_MAX - add_to->total;

    if (is_good)
        histogram_merge(add_to, &read);
    histogram_clear(&read);
    return is_good;
}
