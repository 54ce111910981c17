/* Keeps one copy of each distinct string for as long as the table lives; equal strings give equal
 * pointers. One thread. */
#ifndef FNSCOPE_CORE_BASE_INTERN_H
#define FNSCOPE_CORE_BASE_INTERN_H

#include "core/base/arena.h"
#include "core/base/map.h"

struct intern {
    struct arena arena;
    struct map map;
};

void intern_init(struct intern *t);
void intern_clear(struct intern *t);
struct str intern_str(struct intern *t, struct str s); /* terminated by a NUL */

#endif
