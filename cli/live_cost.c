/* One array of configurations, replaced in place where the same row comes again. */
#include "cli/live_cost.h"

#include <stdlib.h>

#include "core/base/mem.h"

static void keep_text(struct arena *a, struct str *s)
{
    *s = arena_str(a, *s);
}

static struct fn_config copy_of(struct arena *a, const struct fn_config *c)
{
    struct fn_config copy = *c;
    struct str *const texts[] = {&copy.fn.account, &copy.fn.region, &copy.fn.name,
                                 &copy.runtime,    &copy.version,   &copy.code_sha256,
                                 &copy.dead_letter};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        keep_text(a, texts[i]);
    return copy;
}

static void put(struct live_cost *l, struct fn_config c)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->configs[i].valid_from_ns == c.valid_from_ns && fn_eq(&l->configs[i].fn, &c.fn)) {
            l->configs[i] = c;
            return;
        }
    l->configs = mem_grow(l->configs, l->n, &l->cap, sizeof(*l->configs));
    l->configs[l->n++] = c;
}

void live_cost_add(struct live_cost *l, const struct cost_context *known, const struct batch *b)
{
    if (b->n_configs == 0)
        return;
    if (l->index == NULL) {
        l->context = *known;
        for (size_t i = 0; i < known->n_configs; i++)
            put(l, known->configs[i]);
    }
    for (size_t i = 0; i < b->n_configs; i++)
        put(l, copy_of(&l->arena, &b->configs[i]));
    cost_index_free(l->index);
    l->index = cost_index_new(l->configs, l->n);
    l->context.configs = l->configs;
    l->context.n_configs = l->n;
    l->context.index = l->index;
}

void live_cost_clear(struct live_cost *l)
{
    cost_index_free(l->index);
    free(l->configs);
    arena_clear(&l->arena);
    *l = (struct live_cost){0};
}
