/* A fact between struct invocation and its stored form. Ids are packed: a UUID is 16 bytes, a trace
 * id likewise; what has another form is kept as text, so nothing is lost. How facts become bytes is
 * in fact_group.c. */
#include <assert.h>
#include <string.h>

#include "core/base/crypto.h"
#include "core/base/uuid.h"
#include "core/store/store_private.h"

/* --- ids --- */

#define TRACE_LENGTH 35 /* "1-8hex-24hex" */

static const uint8_t uuid_groups[] = {8, 4, 4, 4, 12};

/* Value + 1 of a lower-case hex digit, 0 for any other byte: upper case would not come back as it
 * was. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* Eight digits to four bytes at once. All arithmetic is by byte: a letter has bit 6, and no sum or
 * difference of digits leaves its byte; 0: each is one. */
static uint64_t pack_eight(uint64_t text, uint8_t out[4])
{
    const uint64_t ones = UINT64_C(0x0101010101010101), letters = text >> 6 & ones;
    const uint64_t from_0_or_a = text - ones * '0' - letters * ('a' - '0');
    const uint64_t values = from_0_or_a + letters * 10;
    /* up to 9, of letters up to 5 */
    const uint64_t bad = (from_0_or_a | (from_0_or_a + ones * 6 + letters * 4)) & ones * 0xf0;
    const uint64_t pairs = (values << 4 | values >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t halves = (pairs | pairs >> 8) & UINT64_C(0x0000ffff0000ffff);
    const uint32_t packed = (uint32_t)(halves | halves >> 16);

    memcpy(out, &packed, sizeof(packed));
    return bad;
}

static uint64_t eight_at(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t four_and_four(const char *low, const char *high)
{
    uint32_t v[2];

    memcpy(&v[0], low, sizeof(v[0]));
    memcpy(&v[1], high, sizeof(v[1]));
    return v[0] | (uint64_t)v[1] << 32;
}

bool hex_digits_pack(const char *p, size_t n, uint8_t *out)
{
    unsigned all = 0; /* has more than four bits as soon as one is no digit */
    uint64_t bad = 0;

    for (; n >= 4; n -= 4, p += 8, out += 4)
        bad |= pack_eight(eight_at(p), out);
    for (size_t i = 0; i < n; i++) {
        const unsigned high = hex_digit[(unsigned char)p[2 * i]] - 1u;
        const unsigned low = hex_digit[(unsigned char)p[2 * i + 1]] - 1u;
        all |= high | low;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return bad == 0 && all <= 15;
}

/* Hex groups joined by '-' to bytes; the caller knows that s is as long as they are together. */
static bool groups_pack(struct str s, const uint8_t *groups, size_t n_groups, uint8_t *out)
{
    const char *p = s.p;

    for (size_t i = 0; i < n_groups; i++) {
        if (i > 0 && *p++ != '-')
            return false;
        if (!hex_digits_pack(p, groups[i] / 2u, out))
            return false;
        p += groups[i];
        out += groups[i] / 2u;
    }
    assert(p == s.p + s.n);
    return true;
}

static struct str groups_unpack(struct str blob, const char *prefix, const uint8_t *groups,
                                size_t n_groups, struct arena *a)
{
    AUTO(buf_clear) struct buf text = {.max = 64};
    const uint8_t *p = (const uint8_t *)blob.p;

    buf_add_z(&text, prefix);
    for (size_t i = 0; i < n_groups; i++) {
        buf_add_z(&text, i ? "-" : "");
        hex_add(&text, p, groups[i] / 2u);
        p += groups[i] / 2u;
    }
    return arena_str(a, buf_str(&text));
}

bool id_pack(struct str id, uint8_t out[16])
{
    const char *p = id.p;

    if (id.n != UUID_LEN || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    return (pack_eight(eight_at(p), out) | pack_eight(four_and_four(p + 9, p + 14), out + 4) |
            pack_eight(four_and_four(p + 19, p + 24), out + 8) |
            pack_eight(eight_at(p + 28), out + 12)) == 0;
}

struct str id_unpack(struct str blob, struct arena *a)
{
    if (blob.n != 16)
        return arena_str(a, blob);
    return groups_unpack(blob, "", uuid_groups, ARRAY_LEN(uuid_groups), a);
}

static const uint8_t trace_groups[] = {8, 24};

bool trace_pack(struct str trace, uint8_t out[16])
{
    return trace.n == TRACE_LENGTH && str_starts(trace, STR("1-")) &&
           groups_pack(str_skip(trace, 2), trace_groups, ARRAY_LEN(trace_groups), out);
}

struct str trace_unpack(struct str blob, struct arena *a)
{
    if (blob.n != 16)
        return arena_str(a, blob);
    return groups_unpack(blob, "1-", trace_groups, ARRAY_LEN(trace_groups), a);
}

/* The first four bytes of a UUID, so that a prefix of its text is a range; a hash for other ids. */
uint32_t id_prefix(struct str id)
{
    uint8_t b[4];

    if (id.n == UUID_LEN && id.p[8] == '-' && hex_digits_pack(id.p, sizeof(b), b))
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return (uint32_t)str_hash(id, 0);
}

/* --- kind: small enumerations in one integer --- */

#define KIND_OUTCOME 0
#define KIND_START   3
#define KIND_ARCH    6
#define KIND_TRIGGER 8
#define KIND_PRICED  11
#define KIND_FINAL   12
#define KIND_ATTEMPT 13

uint32_t fact_kind(const struct invocation *inv)
{
    uint32_t attempt = inv->attempt > 0 ? inv->attempt - 1 : 0;

    if (attempt > 0xFFFF)
        attempt = 0xFFFF;
    return (uint32_t)inv->outcome << KIND_OUTCOME | (uint32_t)inv->start << KIND_START |
           (uint32_t)inv->arch << KIND_ARCH | (uint32_t)inv->trigger << KIND_TRIGGER |
           (uint32_t)inv->is_priced << KIND_PRICED | (uint32_t)inv->is_final << KIND_FINAL |
           attempt << KIND_ATTEMPT;
}

bool fact_kind_is_right(uint32_t kind)
{
    return (kind >> KIND_OUTCOME & 7) < OUTCOMES && (kind >> KIND_START & 7) < START_KINDS &&
           (kind >> KIND_ARCH & 3) <= ARCH_ARM64 && (kind >> KIND_TRIGGER & 7) <= TRIGGER_OTHER;
}

static void kind_to_invocation(uint32_t kind, struct invocation *inv)
{
    inv->outcome = (enum outcome)(kind >> KIND_OUTCOME & 7);
    inv->start = (enum start_kind)(kind >> KIND_START & 7);
    inv->arch = (enum arch)(kind >> KIND_ARCH & 3);
    inv->trigger = (enum trigger)(kind >> KIND_TRIGGER & 7);
    inv->is_priced = kind >> KIND_PRICED & 1;
    inv->is_final = kind >> KIND_FINAL & 1;
    inv->attempt = (kind >> KIND_ATTEMPT) + 1;
}

/* --- invocation <-> fact --- */

#define MB ((uint64_t)1 << 20)

void fact_from_invocation(const struct invocation *inv, struct fact *f)
{
    *f = (struct fact){
        .ts_ns = inv->start_ns,
        .id = inv->id,
        .trace = inv->trace_id,
        .duration_ns = inv->duration_ns,
        .billed_ns = inv->billed_ns,
        .init_ns = inv->init_ns,
        .restore_ns = inv->restore_ns,
        .lead_ns = inv->init_lead_ns,
        .memory_mb = inv->memory_bytes / MB,
        .used_mb = inv->max_memory_bytes / MB,
        .storage_mb = inv->storage_bytes / MB,
        .kind = fact_kind(inv),
        .evidence = inv->evidence,
        .pieces = inv->pieces,
        .cost = inv->cost,
        .cost_restore = inv->cost_restore,
    };
}

void fact_to_sums(const struct fact *f, struct invocation *inv)
{
    *inv = (struct invocation){
        .id = f->id,
        .trace_id = f->trace,
        .start_ns = f->ts_ns,
        .duration_ns = f->duration_ns,
        .init_ns = f->init_ns,
        .restore_ns = f->restore_ns,
        .billed_ns = f->billed_ns,
        .init_lead_ns = f->lead_ns,
        .memory_bytes = f->memory_mb * MB,
        .max_memory_bytes = f->used_mb * MB,
        .storage_bytes = f->storage_mb * MB,
        .evidence = f->evidence,
        .pieces = f->pieces,
        .cost = f->cost,
        .cost_restore = f->cost_restore,
        .has_stored = true,
        .stored_start_ns = f->ts_ns,
    };
    kind_to_invocation(f->kind, inv);
}

void fact_to_invocation(struct store *s, const struct fact *f, struct invocation *inv)
{
    fact_to_sums(f, inv);
    inv->origin = dim_origin(s, f->stream);
    inv->error_type = dim_text(s, f->error_type);
    inv->version = dim_text(s, f->version);
}

bool fact_has_id(const struct fact *f, struct str id)
{
    uint8_t packed[16];

    if (!f->id_is_packed || f->id.n != sizeof(packed))
        return str_eq(f->id, id);
    return id_pack(id, packed) && memcmp(f->id.p, packed, sizeof(packed)) == 0;
}

bool fact_has_other_id(const struct fact *f, struct str prefix)
{
    enum { UUID_TEXT = 36 };

    return f->id_is_packed && prefix.n == UUID_TEXT && !fact_has_id(f, prefix);
}

void fact_settle(struct fact *f, struct arena *a)
{
    f->id = f->id_is_packed ? id_unpack(f->id, a) : arena_str(a, f->id);
    if (f->trace.n > 0)
        f->trace = f->trace_is_packed ? trace_unpack(f->trace, a) : arena_str(a, f->trace);
    f->pieces = arena_str(a, f->pieces);
    f->id_is_packed = f->trace_is_packed = false;
}
