/* Layers of a blocked Bloom filter. */
#include "core/store/id_filter.h"

#include <stdlib.h>

#include "core/base/mem.h"

#define LAYER_WORDS ((size_t)65536) /* 512 KB */
#define LAYER_IDS   ((size_t)350000)

static uint64_t spread(uint32_t prefix)
{
    return (prefix + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t word_of(uint64_t h)
{
    return (size_t)(h >> 48);
}

static uint64_t bits_of(uint64_t h)
{
    return UINT64_C(1) << (h >> 20 & 63) | UINT64_C(1) << (h >> 26 & 63) |
           UINT64_C(1) << (h >> 32 & 63) | UINT64_C(1) << (h >> 38 & 63);
}

void id_filter_add(struct id_filter *f, uint32_t prefix)
{
    uint64_t h = spread(prefix);

    if (f->n_layers == 0 || f->in_last >= LAYER_IDS) {
        f->layers = mem_grow(f->layers, f->n_layers, &f->cap_layers, sizeof(*f->layers));
        f->layers[f->n_layers++] = xcalloc(LAYER_WORDS, sizeof(uint64_t));
        f->in_last = 0;
    }
    f->layers[f->n_layers - 1][word_of(h)] |= bits_of(h);
    f->in_last++;
}

bool id_filter_may_hold(const struct id_filter *f, uint32_t prefix)
{
    uint64_t h = spread(prefix), bits = bits_of(h);

    for (size_t i = 0; i < f->n_layers; i++)
        if ((f->layers[i][word_of(h)] & bits) == bits)
            return true;
    return false;
}

void id_filter_clear(struct id_filter *f)
{
    for (size_t i = 0; i < f->n_layers; i++)
        free(f->layers[i]);
    free(f->layers);
    *f = (struct id_filter){0};
}
