/* Open addressing with linear probing; capacity is a power of two, at most 3/4 full. */
#include "core/base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

#define FIRST_CAP ((size_t)16)

struct map_slot {
    struct str key;
    uint64_t hash; /* 0: free */
    uint64_t value;
};

/* A slot with this key is free. As a real key it has a slot behind the others, whose key tells
 * whether it is used. */
#define KEY_FREE UINT64_C(0)
#define KEY_USED UINT64_C(1)

struct idmap_slot {
    uint64_t key, value;
};

/* --- keys that are views --- */

static uint64_t key_hash(struct str key)
{
    uint64_t h = str_hash(key, 0);

    return h ? h : 1;
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_clear(struct map *m)
{
    free(m->slots);
    map_init(m);
}

static struct map_slot *map_find(struct map_slot *slots, size_t cap, struct str key, uint64_t hash)
{
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1))
        if (slots[i].hash == 0 || (slots[i].hash == hash && str_eq(slots[i].key, key)))
            return &slots[i];
}

static void map_enlarge(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : FIRST_CAP;
    struct map_slot *slots = xcalloc(cap, sizeof(*slots));

    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].hash != 0)
            *map_find(slots, cap, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

uint64_t *map_get(const struct map *m, struct str key)
{
    if (m->cap == 0)
        return NULL;
    struct map_slot *slot = map_find(m->slots, m->cap, key, key_hash(key));
    return slot->hash != 0 ? &slot->value : NULL;
}

uint64_t *map_put(struct map *m, struct str key, bool *is_new)
{
    if ((m->count + 1) * 4 > m->cap * 3)
        map_enlarge(m);
    uint64_t hash = key_hash(key);
    struct map_slot *slot = map_find(m->slots, m->cap, key, hash);
    bool was_free = slot->hash == 0;
    if (was_free) {
        *slot = (struct map_slot){.key = key, .hash = hash};
        m->count++;
    }
    if (is_new)
        *is_new = was_free;
    return &slot->value;
}

bool map_next(const struct map *m, size_t *i, struct str *key, uint64_t *value)
{
    for (; *i < m->cap; ++*i) {
        if (m->slots[*i].hash == 0)
            continue;
        *key = m->slots[*i].key;
        *value = m->slots[*i].value;
        ++*i;
        return true;
    }
    return false;
}

/* --- keys that are numbers --- */

void idmap_init(struct idmap *m)
{
    *m = (struct idmap){0};
}

/* With the one apart. */
static struct idmap_slot *new_slots(size_t cap)
{
    return xcalloc(cap + 1, sizeof(struct idmap_slot));
}

void idmap_expect(struct idmap *m, size_t n)
{
    size_t cap = FIRST_CAP;

    assert(m->cap == 0);
    while ((n + 1) * 4 > cap * 3)
        cap *= 2;
    m->slots = new_slots(cap);
    m->cap = cap;
}

void idmap_clear(struct idmap *m)
{
    free(m->slots);
    idmap_init(m);
}

void idmap_reset(struct idmap *m)
{
    if (m->cap > 0)
        memset(m->slots, 0, (m->cap + 1) * sizeof(*m->slots));
    m->count = 0;
}

/* Keys may be sequential, or differ in their high bits only: a multiplication (2^64 / golden ratio)
 * carries every bit of the key into the top bits of the product, and those are used. */
static size_t id_start(uint64_t key, size_t cap)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (__builtin_clzll(cap) + 1));
}

/* Where the key is, or a free slot where it may be put. */
static struct idmap_slot *idmap_place(struct idmap_slot *slots, size_t cap, uint64_t key)
{
    if (key == KEY_FREE)
        return &slots[cap];
    size_t i = id_start(key, cap);
    while (slots[i].key != key && slots[i].key != KEY_FREE)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void idmap_enlarge(struct idmap *m)
{
    const size_t cap = m->cap ? m->cap * 2 : FIRST_CAP;
    struct idmap_slot *slots = new_slots(cap);

    if (m->cap > 0)
        slots[cap] = m->slots[m->cap];
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key != KEY_FREE)
            *idmap_place(slots, cap, m->slots[i].key) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

uint64_t *idmap_get(const struct idmap *m, uint64_t key)
{
    struct idmap_slot *slot = m->cap > 0 ? idmap_place(m->slots, m->cap, key) : NULL;

    return slot && slot->key != KEY_FREE ? &slot->value : NULL;
}

uint64_t *idmap_put(struct idmap *m, uint64_t key, bool *is_new)
{
    if ((m->count + 1) * 4 > m->cap * 3)
        idmap_enlarge(m);
    struct idmap_slot *slot = idmap_place(m->slots, m->cap, key);
    const bool was_free = slot->key == KEY_FREE;
    if (was_free) {
        *slot = (struct idmap_slot){.key = key == KEY_FREE ? KEY_USED : key};
        m->count++;
    }
    if (is_new)
        *is_new = was_free;
    return &slot->value;
}

/* Those behind it move up as far as where they begin lets them, so that each is still found from
 * there without a gap. */
static void close_gap(struct idmap *m, size_t gap)
{
    const size_t mask = m->cap - 1;

    for (size_t i = (gap + 1) & mask; m->slots[i].key != KEY_FREE; i = (i + 1) & mask) {
        const size_t from_start = (i - id_start(m->slots[i].key, m->cap)) & mask;
        if (from_start < ((i - gap) & mask))
            continue;
        m->slots[gap] = m->slots[i];
        gap = i;
    }
    m->slots[gap].key = KEY_FREE;
}

bool idmap_remove(struct idmap *m, uint64_t key)
{
    struct idmap_slot *slot = m->cap > 0 ? idmap_place(m->slots, m->cap, key) : NULL;

    if (!slot || slot->key == KEY_FREE)
        return false;
    if (key == KEY_FREE)
        slot->key = KEY_FREE;
    else
        close_gap(m, (size_t)(slot - m->slots));
    assert(m->count > 0);
    m->count--;
    return true;
}

bool idmap_next(const struct idmap *m, size_t *i, uint64_t *key, uint64_t *value)
{
    const size_t n = m->cap > 0 ? m->cap + 1 : 0;

    for (; *i < n; ++*i) {
        const struct idmap_slot *slot = &m->slots[*i];
        if (slot->key == KEY_FREE)
            continue;
        *key = *i == m->cap ? KEY_FREE : slot->key;
        *value = slot->value;
        ++*i;
        return true;
    }
    return false;
}
