/* Requests and the streams they ran in. A request id alone is not enough: an event that is tried
 * again has the same one in another environment, so the time of its START must agree. */
#include "collector/stream_clue.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"

static bool is_start(const struct log_record *r)
{
    return r->platform != NULL && r->platform->kind == PLATFORM_START && r->invocation_id.n > 0;
}

void stream_clues_read(struct stream_clues *c, const struct batch *head, struct arena *a)
{
    for (size_t i = 0; i < head->n_records && c->n < MAX_CLUES; i++)
        if (is_start(&head->records[i]))
            c->clues[c->n++] = (struct request_begin){arena_str(a, head->records[i].invocation_id),
                                                      head->records[i].time_ns};
}

void stream_book_note(struct stream_book *b, const struct batch *head, struct str function)
{
    for (size_t i = 0; i < head->n_records; i++) {
        const struct log_record *r = &head->records[i];
        const struct str name = r->origin->fn->name;
        bool is_new;
        if (!is_start(r) || r->origin->version.n == 0)
            continue;
        uint64_t *place = map_put(&b->by_id, arena_str(&b->arena, r->invocation_id), &is_new);
        if (!is_new)
            continue;
        *place = b->n;
        b->rows = mem_grow(b->rows, b->n, &b->cap, sizeof(*b->rows));
        b->rows[b->n++] = (struct stream_row){
            .start_ns = r->time_ns,
            .stream = arena_str(&b->arena, r->origin->instance),
            .function = arena_str(&b->arena, str_eq(name, STR("unknown")) ? function : name)};
    }
}

static bool find_in_book(const struct stream_book *b, const struct request_begin *r,
                         struct request_place *out)
{
    const uint64_t *place = map_get(&b->by_id, r->id);

    if (place == NULL || b->rows[*place].start_ns != r->start_ns)
        return false;
    *out = (struct request_place){b->rows[*place].stream, b->rows[*place].function,
                                  b->rows[*place].start_ns};
    return true;
}

bool stream_clues_follow(const struct stream_clues *c, const struct stream_book *b,
                         const struct import_options *o, struct arena *a, struct import_defaults *d)
{
    struct request_place at = {0};
    bool is_found = false;

    assert(c->n <= MAX_CLUES);
    for (size_t i = 0; i < c->n && !is_found; i++)
        is_found = find_in_book(b, &c->clues[i], &at) ||
                   (o->lookups.find_request != NULL &&
                    o->lookups.find_request(o->lookups.ctx, &c->clues[i], a, &at));
    if (!is_found)
        return false;
    d->instance = at.stream;
    if (at.function.n > 0 && o->defaults.function.n == 0)
        d->function = at.function;
    return true;
}

void stream_book_clear(struct stream_book *b)
{
    map_clear(&b->by_id);
    free(b->rows);
    arena_clear(&b->arena);
    *b = (struct stream_book){0};
}
