/* Identity and stable hashes of functions and environments. The hashes are stored in files: a
 * change here is a change of the store's format. Pure. */
#include "core/model/fn.h"

#include <assert.h>

bool fn_eq(const struct fn_ref *a, const struct fn_ref *b)
{
    return a == b || (a->provider == b->provider && str_eq(a->name, b->name) &&
                      str_eq(a->region, b->region) && str_eq(a->account, b->account));
}

/* Each part seeds the hash of the next, so that ("ab", "c") and ("a", "bc") differ. */
uint64_t fn_hash(const struct fn_ref *f)
{
    uint64_t h = str_hash(f->account, (uint64_t)f->provider + 1);
    h = str_hash(f->region, h);
    return str_hash(f->name, h);
}

const struct fn_ref *fn_born(const struct fn_ref *f)
{
    return f->born != NULL ? f->born : f;
}

struct str fn_currency(const struct fn_ref *f)
{
    const bool is_at_edge = str_starts(f->name, STR("us-east-1.")); /* Lambda@Edge: not in China */

    return f->provider == PROVIDER_AWS && str_starts(f->region, STR("cn-")) && !is_at_edge
               ? STR("CNY")
               : STR("USD");
}

bool fn_is_usd(const struct fn_ref *f)
{
    return str_eq(fn_currency(f), STR("USD"));
}

struct fn_ref *fn_copy(struct arena *a, const struct fn_ref *f)
{
    struct fn_ref *copy = arena_new(a, struct fn_ref, 1);

    *copy = (struct fn_ref){.provider = f->provider,
                            .account = arena_str(a, f->account),
                            .region = arena_str(a, f->region),
                            .name = arena_str(a, f->name)};
    if (f->born != NULL)
        copy->born = fn_copy(a, f->born);
    return copy;
}

static uint64_t hash_origin(const struct origin *o, struct str log_group)
{
    assert(o->fn != NULL);
    uint64_t h = str_hash(log_group, fn_hash(fn_born(o->fn)));
    h = str_hash(o->instance, h);
    return str_hash(o->version, h);
}

uint64_t origin_hash(const struct origin *o)
{
    return hash_origin(o, o->version.n > 0 ? (struct str){0} : o->log_group);
}

uint64_t origin_hash_with_group(const struct origin *o)
{
    return hash_origin(o, o->log_group);
}

bool origin_eq(const struct origin *a, const struct origin *b)
{
    return a == b || (str_eq(a->instance, b->instance) && str_eq(a->log_group, b->log_group) &&
                      str_eq(a->version, b->version) && fn_eq(a->fn, b->fn));
}
