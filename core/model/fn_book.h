/* The functions of a store, so that what is read later finds the one it belongs to. A log often
 * says no region or account; when a later one does, it is the same function, not a second: it is
 * adopted. Hashes in the store's files stand for what was said first, `born`, and stay.
 *
 *     fn_book_add(&book, &stored);           // each function of the store
 *     fn_book_settle(&book, &f);             // f is now what the store calls it
 *
 * One thread. The book owns copies of what is added; what settle puts into `f` lives as long as it.
 */
#ifndef FNSCOPE_CORE_MODEL_FN_BOOK_H
#define FNSCOPE_CORE_MODEL_FN_BOOK_H

#include "core/base/arena.h"
#include "core/base/map.h"
#include "core/model/fn.h"

/* What somebody beside the logs says of the regions of functions; empty: nothing. */
struct fn_places {
    struct str (*region_of)(const void *ctx, const struct fn_ref *fn); /* NULL: of none */
    const void *ctx;
};
struct str fn_places_region(const struct fn_places *p, const struct fn_ref *fn);

struct fn_book {
    struct arena arena;
    struct fn_places places; /* who lacks a region is in none but the one that is said there */
    struct idmap first;      /* provider and name -> place of an entry + 1 */
    struct fn_book_entry {
        struct fn_ref *fn;
        size_t next; /* of the same provider and name, place + 1; 0: none */
    } * entries;
    size_t n, cap;
    uint64_t n_adopted; /* what was settled before may be called otherwise since */
};

enum fn_settled {
    FN_NEW,    /* none of its kind is in the book, which stays as it was */
    FN_KNOWN,  /* `f` is one of the book */
    FN_ADOPTED /* one of the book that lacked region or account has those of `f` from now on */
};

void fn_book_clear(struct fn_book *b);
bool fn_book_has(const struct fn_book *b, const struct fn_ref *f); /* called so now */
void fn_book_add(struct fn_book *b, const struct fn_ref *stored);
/* In this order: the same account, region and name; the same birth (then the book's region and
 * account hold, unless `f` has one and says more); the only one of its name that lacks what `f`
 * says and contradicts none of it. */
enum fn_settled fn_book_settle(struct fn_book *b, struct fn_ref *f);

#endif
