/* A look-up unpacks a group of facts: some thousand answers are held, then all are forgotten. */
#include "core/store/sql_found.h"

#include <string.h>

enum { MOST_BYTES = 4 << 20 };

static void forget(struct found_ids *f)
{
    map_clear(&f->index);
    arena_reset(&f->arena);
    f->rows = NULL;
    f->n = f->cap = 0;
}

void found_clear(struct found_ids *f)
{
    map_clear(&f->index);
    arena_clear(&f->arena);
}

static bool is_alike(const struct table_filter *a, const struct table_filter *b)
{
    return a->range.since_ns == b->range.since_ns && a->range.until_ns == b->range.until_ns &&
           a->columns == b->columns && str_eq(a->function, b->function);
}

static void begin_anew(struct found_ids *f, const struct table_filter *filter)
{
    forget(f);
    f->like = *filter;
    f->like.function = arena_str(&f->arena, filter->function);
}

static void append(struct found_ids *f, struct table_rows *to, struct table_rows more)
{
    const size_t size = f->table->row_bytes;

    if (more.n == 0)
        return;
    char *all = arena_alloc(&f->arena, (to->n + more.n) * size);
    if (to->n > 0)
        memcpy(all, to->rows, to->n * size);
    memcpy(all + to->n * size, more.rows, more.n * size);
    *to = (struct table_rows){all, to->n + more.n};
}

static enum status load_days(struct found_ids *f, struct store *s,
                             const struct table_filter *filter, struct table_rows *out,
                             struct err *e)
{
    enum status status = OK;

    *out = (struct table_rows){0};
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct table_rows loaded = {0};
        if (!range_meets_day(filter->range, s->day_numbers[i]))
            continue;
        status = f->table->load(s, s->day_numbers[i], filter, &f->arena, &loaded, e);
        append(f, out, loaded);
    }
    return status;
}

enum status found_look_up(struct found_ids *f, struct store *s, const struct table_filter *filter,
                          struct table_rows *out, struct err *e)
{
    if (f->arena.used_bytes > MOST_BYTES || !is_alike(&f->like, filter))
        begin_anew(f, filter);
    const uint64_t *at = map_get(&f->index, filter->request_id);
    if (at) {
        *out = f->rows[*at];
        return OK;
    }
    const enum status status = load_days(f, s, filter, out, e);
    if (status != OK)
        return status;
    *map_put(&f->index, arena_str(&f->arena, filter->request_id), NULL) = f->n;
    f->rows = arena_grow(&f->arena, f->rows, f->n, &f->cap, sizeof(*f->rows));
    f->rows[f->n++] = *out;
    return OK;
}
