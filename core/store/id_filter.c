/* Layers of a Bloom filter whose bits of one id lie in one line of the processor's cache. */
#include "core/store/id_filter.h"

#include <stdlib.h>

#include "core/base/mem.h"

enum { LINE_WORDS = 8, LINE_IDS = 32, FIRST_LINES = 4096 };

static uint64_t spread(uint32_t prefix)
{
    uint64_t h = (prefix + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static uint64_t *line_of(const struct id_layer *l, uint64_t h)
{
    return l->words + (size_t)((h >> 32) * l->n_lines >> 32) * LINE_WORDS;
}

/* One bit in each word of the line: which one, six bits of the hash say. */
static uint64_t bit_of(uint64_t h, unsigned word)
{
    uint64_t mixed = (h & UINT32_MAX) * UINT64_C(0xc2b2ae3d27d4eb4f);

    return UINT64_C(1) << (mixed >> (6 * word + 16) & 63);
}

static bool layer_may_hold(const struct id_layer *l, uint64_t h)
{
    const uint64_t *line = line_of(l, h);

    for (unsigned i = 0; i < LINE_WORDS; i++)
        if (!(line[i] & bit_of(h, i)))
            return false;
    return true;
}

static struct id_layer *open_layer(struct id_filter *f)
{
    struct id_layer *last = f->n_layers > 0 ? &f->layers[f->n_layers - 1] : NULL;

    if (last && last->n_ids < last->n_lines * LINE_IDS)
        return last;
    size_t n_lines = last ? 2 * last->n_lines : FIRST_LINES;
    f->layers = mem_grow(f->layers, f->n_layers, &f->cap_layers, sizeof(*f->layers));
    last = &f->layers[f->n_layers++];
    *last = (struct id_layer){.words = xcalloc(n_lines * LINE_WORDS, sizeof(uint64_t)),
                              .n_lines = n_lines};
    return last;
}

void id_filter_add(struct id_filter *f, uint32_t prefix)
{
    struct id_layer *l = open_layer(f);
    uint64_t h = spread(prefix), *line = line_of(l, h);

    for (unsigned i = 0; i < LINE_WORDS; i++)
        line[i] |= bit_of(h, i);
    l->n_ids++;
}

bool id_filter_may_hold(const struct id_filter *f, uint32_t prefix)
{
    uint64_t h = spread(prefix);

    for (size_t i = f->n_layers; i-- > 0;)
        if (layer_may_hold(&f->layers[i], h))
            return true;
    return false;
}

void id_filter_clear(struct id_filter *f)
{
    for (size_t i = 0; i < f->n_layers; i++)
        free(f->layers[i].words);
    free(f->layers);
    *f = (struct id_filter){0};
}
