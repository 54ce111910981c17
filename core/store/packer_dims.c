/* Functions, streams and texts get their small integers here, when they are first seen. */
#include "core/store/packer_private.h"

/* --- dimensions --- */

static struct dim_row *add_dim(struct pack *k, enum dim_kind kind, uint32_t id)
{
    k->dims = arena_grow(&k->arena, k->dims, k->n_dims, &k->cap_dims, sizeof(*k->dims));
    struct dim_row *row = &k->dims[k->n_dims++];
    *row = (struct dim_row){.id = id, .kind = kind};
    return row;
}

uint32_t packer_fn(struct packer *p, const struct fn_ref *f)
{
    struct pack *k = p->current;
    bool is_new;
    uint64_t *id = idmap_put(&p->fns, fn_hash(f), &is_new);

    if (!is_new)
        return (uint32_t)*id;
    *id = p->next_fn++;
    struct dim_row *row = add_dim(k, DIM_FN, (uint32_t)*id);
    row->fn = (uint32_t)f->provider;
    row->a = arena_str(&k->arena, f->account);
    row->b = arena_str(&k->arena, f->region);
    row->c = arena_str(&k->arena, f->name);
    return (uint32_t)*id;
}

uint32_t packer_stream(struct packer *p, const struct origin *o, uint32_t fn)
{
    struct pack *k = p->current;
    bool is_new;
    uint64_t *id = idmap_put(&p->streams, o->hash, &is_new);

    if (!is_new)
        return (uint32_t)*id;
    *id = p->next_stream++;
    struct dim_row *row = add_dim(k, DIM_STREAM, (uint32_t)*id);
    row->fn = fn;
    row->hash = o->hash;
    row->a = arena_str(&k->arena, o->log_group);
    row->b = arena_str(&k->arena, o->instance);
    row->c = arena_str(&k->arena, o->version);
    return (uint32_t)*id;
}

uint32_t packer_text(struct packer *p, struct str s)
{
    bool is_new;

    if (s.n == 0)
        return 0;
    uint64_t *id = idmap_put(&p->texts, str_hash(s, 0), &is_new);
    if (is_new) {
        *id = p->next_text++;
        add_dim(p->current, DIM_TEXT, (uint32_t)*id)->a = arena_str(&p->current->arena, s);
    }
    return (uint32_t)*id;
}
