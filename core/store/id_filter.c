/* Layers of a Bloom filter whose bits of one id lie in one line of the processor's cache. */
#include "core/store/id_filter.h"

#include <stdlib.h>

#include "core/base/mem.h"

/* A new id is taken for a known one once in 100,000: the packer waits for the writer then, which
 * commits before its time. */
enum { LINE_WORDS = 8, LINE_IDS = 16 };

/* A page for a quiet day: there may be hundreds of them. Of a busy one few layers, for each is
 * asked for every new id. */
static size_t lines_after(size_t n_lines)
{
    enum { FIRST = 64, FULL = 4096, STEP = 8 };

    if (n_lines == 0)
        return FIRST;
    return n_lines < FULL ? n_lines * STEP : n_lines * 2;
}

static uint64_t spread(uint64_t v)
{
    uint64_t h = (v + 1) * UINT64_C(0x9e3779b97f4a7c15);

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

static struct id_layer *open_layer(struct id_set *s)
{
    struct id_layer *last = s->n > 0 ? &s->layers[s->n - 1] : NULL;

    if (last && last->n_ids < last->n_lines * LINE_IDS)
        return last;
    size_t n_lines = lines_after(last ? last->n_lines : 0);
    s->layers = mem_grow(s->layers, s->n, &s->cap, sizeof(*s->layers));
    last = &s->layers[s->n++];
    *last = (struct id_layer){.words = xcalloc(n_lines * LINE_WORDS, sizeof(uint64_t)),
                              .n_lines = n_lines};
    return last;
}

static void set_add(struct id_set *s, uint64_t v)
{
    struct id_layer *l = open_layer(s);
    uint64_t h = spread(v), *line = line_of(l, h);

    for (unsigned i = 0; i < LINE_WORDS; i++)
        line[i] |= bit_of(h, i);
    l->n_ids++;
}

static bool set_may_hold(const struct id_set *s, uint64_t v)
{
    uint64_t h = spread(v);

    for (size_t i = s->n; i-- > 0;)
        if (layer_may_hold(&s->layers[i], h))
            return true;
    return false;
}

static void set_clear(struct id_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->layers[i].words);
    free(s->layers);
}

void id_filter_add_stored(struct id_filter *f, uint32_t prefix)
{
    set_add(&f->stored, prefix);
}

void id_filter_add(struct id_filter *f, uint64_t id_hash)
{
    set_add(&f->added, id_hash);
}

bool id_filter_may_hold(const struct id_filter *f, struct str id)
{
    return (f->added.n > 0 && set_may_hold(&f->added, str_hash(id, 0))) ||
           (f->stored.n > 0 && set_may_hold(&f->stored, id_prefix(id)));
}

void id_filter_clear(struct id_filter *f)
{
    set_clear(&f->stored);
    set_clear(&f->added);
    *f = (struct id_filter){0};
}
