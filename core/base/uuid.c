/* UUID text. */
#include "core/base/uuid.h"

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_make(struct rng *r, char out[UUID_LEN + 1])
{
    uint64_t bits[2] = {rng_u64(r), rng_u64(r)};
    size_t nibble = 0;

    bits[0] = (bits[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    bits[1] = (bits[1] & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    for (size_t i = 0; i < UUID_LEN; i++) {
        if (is_dash_place(i)) {
            out[i] = '-';
            continue;
        }
        out[i] = "0123456789abcdef"[bits[nibble / 16] >> (60 - nibble % 16 * 4) & 15];
        nibble++;
    }
    out[UUID_LEN] = '\0';
}

bool uuid_is_valid(struct str s)
{
    if (s.n != UUID_LEN)
        return false;
    for (size_t i = 0; i < UUID_LEN; i++) {
        char c = s.p[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (is_dash_place(i) ? c != '-' : !is_hex)
            return false;
    }
    return true;
}
