/* Random identifiers. */
#include "executor/ids.h"

#include "core/base/clock.h"
#include "core/base/uuid.h"

#define RANDOM_MAX ((size_t)32)

static void put_hex(char *out, size_t n, uint64_t bits)
{
    for (size_t i = 0; i < n; i++, bits >>= 4)
        out[i] = "0123456789abcdef"[bits & 15];
}

struct str hex_new(struct rng *rng, struct arena *a, size_t n_bytes)
{
    size_t n = 2 * (n_bytes > RANDOM_MAX ? RANDOM_MAX : n_bytes);
    char *out = arena_alloc(a, n + 1);

    for (size_t i = 0; i < n; i += 16)
        put_hex(out + i, n - i < 16 ? n - i : 16, rng_u64(rng));
    out[n] = '\0';
    return (struct str){out, n};
}

struct str uuid_new(struct rng *rng, struct arena *a)
{
    char *out = arena_alloc(a, UUID_LEN + 1);

    uuid_make(rng, out);
    return (struct str){out, UUID_LEN};
}

/* "1-", seconds in eight digits, "-", 24 random digits. */
struct str trace_id_new(struct rng *rng, struct arena *a, int64_t wall_ns)
{
    char seconds[8];
    uint32_t s = (uint32_t)(wall_ns / NS_PER_SEC);

    for (size_t i = sizeof(seconds); i > 0; i--, s >>= 4)
        put_hex(&seconds[i - 1], 1, s);
    const struct str parts[] = {
        STR("1-"), {seconds, sizeof(seconds)}, STR("-"), hex_new(rng, a, 12)};
    return arena_join(a, parts, ARRAY_LEN(parts));
}
