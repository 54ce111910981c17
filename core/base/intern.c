/* One copy of each distinct string. */
#include "core/base/intern.h"

void intern_init(struct intern *t)
{
    arena_init(&t->arena);
    map_init(&t->map);
}

void intern_clear(struct intern *t)
{
    map_clear(&t->map);
    arena_clear(&t->arena);
}

/* The map keeps the caller's view as key, so a new string is copied before it is put. */
struct str intern_str(struct intern *t, struct str s)
{
    uint64_t *known = map_get(&t->map, s);

    if (known)
        return (struct str){(const char *)(uintptr_t)*known, s.n};
    struct str copy = arena_str(&t->arena, s);
    *map_put(&t->map, copy, NULL) = (uint64_t)(uintptr_t)copy.p;
    return copy;
}
