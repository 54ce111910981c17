/* Random identifiers. */
#include "executor/ids.h"

#include "core/base/clock.h"
#include "core/base/crypto.h"
#include "core/base/rng.h"

#define RANDOM_MAX ((size_t)32)

struct str hex_new(struct arena *a, size_t n_bytes)
{
    uint8_t bytes[RANDOM_MAX];
    struct buf text = {.max = 2 * RANDOM_MAX};

    n_bytes = n_bytes > RANDOM_MAX ? RANDOM_MAX : n_bytes;
    rng_bytes(bytes, n_bytes);
    hex_add(&text, bytes, n_bytes);
    struct str out = arena_str(a, buf_str(&text));
    buf_clear(&text);
    return out;
}

struct str uuid_new(struct arena *a)
{
    static const char digits[] = "0123456789abcdef";
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
    uint8_t bytes[16];
    char *out = arena_alloc(a, sizeof(shape));
    size_t nibble = 0;

    rng_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(shape); i++) {
        unsigned v = nibble < 32 ? (unsigned)bytes[nibble / 2] >> (nibble % 2 ? 0 : 4) & 15U : 0;
        bool is_random = shape[i] == 'x' || shape[i] == 'N';
        out[i] = shape[i] == 'x' ? digits[v] : shape[i] == 'N' ? digits[8 | (v & 3U)] : shape[i];
        nibble += is_random;
    }
    return (struct str){out, sizeof(shape) - 1};
}

struct str trace_id_new(struct arena *a, int64_t wall_ns)
{
    struct str tail = hex_new(a, 12);

    return arena_printf(a, "1-%08x-" STR_FMT, (unsigned)(wall_ns / NS_PER_SEC), STR_ARG(tail));
}
