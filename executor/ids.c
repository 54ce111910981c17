/* Random identifiers. */
#include "executor/ids.h"

#include "core/base/clock.h"
#include "core/base/uuid.h"

#define RANDOM_MAX ((size_t)32)

struct str hex_new(struct rng *rng, struct arena *a, size_t n_bytes)
{
    size_t n = 2 * (n_bytes > RANDOM_MAX ? RANDOM_MAX : n_bytes);
    char *out = arena_alloc(a, n + 1);
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++, bits >>= 4) {
        bits = i % 16 == 0 ? rng_u64(rng) : bits;
        out[i] = "0123456789abcdef"[bits & 15];
    }
    out[n] = '\0';
    return (struct str){out, n};
}

struct str uuid_new(struct rng *rng, struct arena *a)
{
    char *out = arena_alloc(a, UUID_LEN + 1);

    uuid_make(rng, out);
    return (struct str){out, UUID_LEN};
}

struct str trace_id_new(struct rng *rng, struct arena *a, int64_t wall_ns)
{
    struct str tail = hex_new(rng, a, 12);

    return arena_printf(a, "1-%08x-" STR_FMT, (unsigned)(wall_ns / NS_PER_SEC), STR_ARG(tail));
}
