/* Two open-addressing hash tables. Keys of `struct map` are views that must outlive the map (intern
 * or arena them); `struct idmap` maps 64-bit keys. Values are 64-bit: an index or a pointer as
 * uintptr_t. Iteration order is not defined: sort before you show. */
#ifndef FNSCOPE_CORE_BASE_MAP_H
#define FNSCOPE_CORE_BASE_MAP_H

#include "core/base/str.h"

struct map_slot;
struct idmap_slot;

struct map {
    struct map_slot *slots;
    size_t count, cap;
};

struct idmap {
    struct idmap_slot *slots;
    size_t count, cap;
};

void map_init(struct map *m);
void map_clear(struct map *m);                          /* frees; the map may be used again */
uint64_t *map_get(const struct map *m, struct str key); /* NULL when absent */
/* The value's place, a new one holding 0. *is_new may be NULL. Valid until the next map_put. */
uint64_t *map_put(struct map *m, struct str key, bool *is_new);
/* for (size_t i = 0; map_next(m, &i, &key, &value);) */
bool map_next(const struct map *m, size_t *i, struct str *key, uint64_t *value);

void idmap_init(struct idmap *m);
void idmap_expect(struct idmap *m, size_t n); /* room for n keys at once, before the first one */
void idmap_clear(struct idmap *m);
void idmap_reset(struct idmap *m); /* empties, keeps memory */
/* As above; values' places hold until the next idmap_put or idmap_remove. */
uint64_t *idmap_get(const struct idmap *m, uint64_t key);
uint64_t *idmap_put(struct idmap *m, uint64_t key, bool *is_new);
bool idmap_remove(struct idmap *m, uint64_t key);
/* Removing the one just given moves others: some may be left out then, or be given twice. */
bool idmap_next(const struct idmap *m, size_t *i, uint64_t *key, uint64_t *value);

#endif
