/* Memory that is freed at once: one arena a batch, a report, a screen refresh. Not thread-safe; an
 * arena belongs to whoever owns its batch. Memory is not zeroed except by arena_new/arena_zalloc.
 */
#ifndef FNSCOPE_CORE_BASE_ARENA_H
#define FNSCOPE_CORE_BASE_ARENA_H

#include "core/base/macros.h"
#include "core/base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used_bytes; /* handed out since the last reset */
};

void arena_init(struct arena *a);
void arena_clear(struct arena *a); /* frees everything; a may be used again */
void arena_reset(struct arena *a); /* forgets everything, keeps the largest block */

void *arena_alloc(struct arena *a, size_t n_bytes); /* aligned for any type */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
#define arena_new(a, type, count) ((type *)arena_zalloc((a), (count), sizeof(type)))

/* The allocation p of old_bytes needs only new_bytes: the rest is handed out again where p was the
 * last one. For text whose length is known only when it is written. */
void arena_shrink(struct arena *a, void *p, size_t old_bytes, size_t new_bytes);

struct str arena_lower(struct arena *a, struct str s); /* a copy, A-Z as a-z */
struct str arena_str(struct arena *a, struct str s);   /* copy, with a NUL behind it */
char *arena_strz(struct arena *a, struct str s);       /* copy as a C string */
/* The parts one behind the other. */
struct str arena_join(struct arena *a, const struct str *parts, size_t n_parts);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As mem_grow, in the arena: the old array is left behind. */
void *arena_grow(struct arena *a, void *p, size_t count, size_t *cap, size_t size);

#endif
