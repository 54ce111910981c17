/* What ARNs say of regions and accounts, by function and over all. */
#include "collector/whereabouts.h"

#include <stdlib.h>

#include "core/base/mem.h"

void whereabouts_clear(struct whereabouts *w)
{
    map_clear(&w->by_name);
    free(w->rows);
    arena_clear(&w->arena);
    stream_book_clear(&w->streams);
    fn_book_clear(&w->book);
    *w = (struct whereabouts){0};
}

static void agree(struct agreed *g, struct str value, struct arena *a)
{
    if (value.n == 0)
        return;
    if (g->value.n > 0 && !str_eq(g->value, value))
        g->is_disputed = true;
    if (g->value.n == 0)
        g->value = arena_str(a, value);
}

static struct whereabouts_row *row_of(struct whereabouts *w, struct str name)
{
    uint64_t *known = map_get(&w->by_name, name);

    if (known != NULL)
        return &w->rows[*known];
    *map_put(&w->by_name, arena_str(&w->arena, name), NULL) = w->n;
    w->rows = mem_grow(w->rows, w->n, &w->cap, sizeof(*w->rows));
    w->rows[w->n] = (struct whereabouts_row){0};
    return &w->rows[w->n++];
}

static void hear_of(struct whereabouts *w, const struct fn_ref *f)
{
    if (f->region.n == 0 && f->account.n == 0)
        return;
    struct whereabouts_row *row = row_of(w, f->name);
    agree(&row->region, f->region, &w->arena);
    agree(&row->account, f->account, &w->arena);
}

void whereabouts_know(struct whereabouts *w, const struct fn_ref *known)
{
    hear_of(w, known);
    fn_book_add(&w->book, known);
}

/* What one file's records say together. */
struct together {
    struct agreed region, account;
};

/* "arn:aws:lambda:eu-west-1:123456789012:function:checkout" or "...::runtime:<hash>". */
static void note_arn(struct whereabouts *w, struct together *all, struct str arn,
                     const struct fn_ref *fn)
{
    enum { FIELDS = 5, SERVICE = 2, REGION, ACCOUNT };
    struct str rest = arn, fields[FIELDS] = {{0}};

    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = str_cut(&rest, ':');
    if (!str_eq(fields[0], STR("arn")) || !str_eq(fields[SERVICE], STR("lambda")))
        return;
    struct fn_ref said = *fn;
    said.region = fields[REGION];
    said.account = fields[ACCOUNT];
    hear_of(w, &said);
    row_of(w, fn->name)->is_told |= said.region.n > 0;
    agree(&all->region, said.region, &w->arena);
    agree(&all->account, said.account, &w->arena);
}

static struct str value_of(const struct agreed *g)
{
    return g->is_disputed ? (struct str){0} : g->value;
}

/* The function a record will be counted for when the file is read. */
static struct str name_of(const struct fn_ref *fn, const struct import_defaults *d)
{
    return str_eq(fn->name, STR("unknown")) && d->function.n > 0 ? d->function : fn->name;
}

void whereabouts_note_file(struct whereabouts *w, const struct batch *head,
                           struct import_defaults *d)
{
    struct together all = {0};

    for (size_t i = 0; i < head->n_records; i++) {
        const struct log_record *r = &head->records[i];
        if (r->platform == NULL)
            continue;
        struct fn_ref fn = *r->origin->fn;
        fn.name = name_of(&fn, d);
        note_arn(w, &all, r->platform->runtime_version_arn, &fn);
        note_arn(w, &all, r->platform->function_arn, &fn);
    }
    for (size_t i = 0; i < head->n_fns; i++) {
        struct whereabouts_row *row = row_of(w, name_of(head->fn_list[i], d));
        agree(&row->nearby_region, value_of(&all.region), &w->arena);
        agree(&row->nearby_account, value_of(&all.account), &w->arena);
    }
    d->nearby_region = value_of(&all.region);
    d->nearby_account = value_of(&all.account);
}

static struct str own_or_nearby(const struct agreed *own, const struct agreed *nearby)
{
    return own->value.n > 0 ? value_of(own) : value_of(nearby);
}

/* What is configured goes before what is only stored. It becomes the record's own where such a
 * function is stored; else the record stays without, as long as nobody else tells. */
static bool fill_as_configured(const struct whereabouts *w, struct fn_ref *fn)
{
    const struct str region = fn_places_region(&w->book.places, fn);
    struct fn_ref there = *fn;

    there.region = region;
    if (region.n > 0 && fn_book_has(&w->book, &there))
        fn->region = region;
    return region.n > 0;
}

bool whereabouts_fill(const struct whereabouts *w, struct fn_ref *fn)
{
    const uint64_t *known = map_get(&w->by_name, fn->name);

    if (known == NULL)
        return false;
    const struct whereabouts_row *row = &w->rows[*known];
    if (fn->region.n == 0 && (row->is_told || !fill_as_configured(w, fn)))
        fn->region = own_or_nearby(&row->region, &row->nearby_region);
    if (fn->account.n == 0)
        fn->account = own_or_nearby(&row->account, &row->nearby_account);
    return true;
}
