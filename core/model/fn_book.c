/* Finding the stored function that a record's function is. */
#include "core/model/fn_book.h"

#include <stdlib.h>

#include "core/base/mem.h"

void fn_book_clear(struct fn_book *b)
{
    idmap_clear(&b->first);
    free(b->entries);
    arena_clear(&b->arena);
    *b = (struct fn_book){0};
}

static uint64_t name_key(const struct fn_ref *f)
{
    return str_hash(f->name, (uint64_t)f->provider + 1);
}

static void add_entry(struct fn_book *b, struct fn_ref *fn, uint64_t key)
{
    uint64_t *first = idmap_put(&b->first, key, NULL);

    b->entries = mem_grow(b->entries, b->n, &b->cap, sizeof(*b->entries));
    b->entries[b->n] = (struct fn_book_entry){fn, (size_t)*first};
    *first = ++b->n;
}

void fn_book_add(struct fn_book *b, const struct fn_ref *stored)
{
    struct fn_ref *fn = fn_copy(&b->arena, stored);

    add_entry(b, fn, name_key(fn));
    if (fn->born != NULL && name_key(fn->born) != name_key(fn))
        add_entry(b, fn, name_key(fn->born));
}

struct str fn_places_region(const struct fn_places *p, const struct fn_ref *fn)
{
    return p->region_of != NULL ? p->region_of(p->ctx, fn) : (struct str){0};
}

typedef bool fits_fn(const struct fn_book *b, const struct fn_ref *known, const struct fn_ref *f);

/* The only one that fits; NULL when none or several do. */
static struct fn_ref *find_only(const struct fn_book *b, const struct fn_ref *f, fits_fn *fits)
{
    const uint64_t *first = idmap_get(&b->first, name_key(f));
    struct fn_ref *found = NULL;

    for (size_t i = first != NULL ? (size_t)*first : 0; i != 0; i = b->entries[i - 1].next) {
        if (!fits(b, b->entries[i - 1].fn, f))
            continue;
        if (found != NULL)
            return NULL;
        found = b->entries[i - 1].fn;
    }
    return found;
}

static bool is_same(const struct fn_book *b, const struct fn_ref *known, const struct fn_ref *f)
{
    UNUSED(b);
    return fn_eq(known, f);
}

bool fn_book_has(const struct fn_book *b, const struct fn_ref *f)
{
    return find_only(b, f, is_same) != NULL;
}

static bool is_same_birth(const struct fn_book *b, const struct fn_ref *known,
                          const struct fn_ref *f)
{
    UNUSED(b);
    return fn_eq(fn_born(known), fn_born(f));
}

static bool says_the_same_or_more(struct str known, struct str s)
{
    return known.n == 0 || str_eq(known, s);
}

static bool is_elsewhere(const struct fn_book *b, const struct fn_ref *known, struct str region)
{
    const struct str said =
        known->region.n == 0 ? fn_places_region(&b->places, known) : (struct str){0};

    return said.n > 0 && region.n > 0 && !str_eq(said, region);
}

static bool lacks(const struct fn_book *b, const struct fn_ref *known, const struct fn_ref *f)
{
    return !is_elsewhere(b, known, f->region) && !fn_eq(known, f) &&
           known->provider == f->provider && str_eq(known->name, f->name) &&
           says_the_same_or_more(known->region, f->region) &&
           says_the_same_or_more(known->account, f->account);
}

static enum fn_settled adopt(struct fn_book *b, struct fn_ref *known, struct fn_ref *f)
{
    if (known->born == NULL)
        known->born = fn_copy(&b->arena, known);
    known->region = arena_str(&b->arena, f->region);
    known->account = arena_str(&b->arena, f->account);
    *f = *known;
    b->n_adopted++;
    return FN_ADOPTED;
}

enum fn_settled fn_book_settle(struct fn_book *b, struct fn_ref *f)
{
    struct fn_ref *known = find_only(b, f, is_same);

    if (known == NULL) {
        known = find_only(b, f, is_same_birth);
        if (known != NULL && f->born != NULL && lacks(b, known, f))
            return adopt(b, known, f);
    }
    if (known != NULL) {
        *f = *known;
        return FN_KNOWN;
    }
    known = find_only(b, f, lacks);
    return known != NULL ? adopt(b, known, f) : FN_NEW;
}
