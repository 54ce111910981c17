/* Which memory size of a function cost least, was fastest, or is best of both: of those it ran with
 * often enough. For `fnscope cost --by memory`. */
#include "cli/cost_views.h"

/* A size that ran less often says nothing about duration. */
enum { LEAST_ATTEMPTS = 20, MOST_SIZES = 32, EVEN_WEIGHT = 500 };

/* What one function's attempts of one memory size add up to. */
struct size_sum {
    uint32_t fn_id;
    struct str name;
    uint64_t memory_mb, n;
    wide cost, duration_ns;
    size_t next; /* of the same function, from 1; 0: none */
};

/* A function's sizes are a chain from its first one. */
static struct size_sum *size_for(struct cost_sizes *all, uint32_t fn_id,
                                 const struct invocation *inv)
{
    const uint64_t mb = inv->memory_bytes >> 20;
    bool is_new;
    uint64_t *first = idmap_put(&all->first, fn_id, &is_new);
    size_t last = 0;

    for (size_t i = is_new ? 0 : *first + 1; i > 0; i = all->rows[i - 1].next) {
        if (all->rows[i - 1].memory_mb == mb)
            return &all->rows[i - 1];
        last = i;
    }
    if (is_new)
        *first = all->n;
    else
        all->rows[last - 1].next = all->n + 1;
    all->rows = arena_grow(all->arena, all->rows, all->n, &all->cap, sizeof(*all->rows));
    all->rows[all->n] = (struct size_sum){
        .fn_id = fn_id, .name = arena_str(all->arena, inv->origin->fn->name), .memory_mb = mb};
    return &all->rows[all->n++];
}

void cost_sizes_add(struct cost_sizes *all, uint32_t fn_id, const struct invocation *inv)
{
    if (inv->memory_bytes == 0 || !inv->is_priced || inv->outcome != OUTCOME_OK)
        return;
    struct size_sum *s = size_for(all, fn_id, inv);
    s->n++;
    s->cost += inv->cost;
    s->duration_ns += inv->duration_ns;
}

/* The sizes a function ran with often enough to be compared; their number. */
static size_t options_of(const struct cost_sizes *all, size_t first, struct rightsize_option *out)
{
    size_t n = 0;

    for (size_t i = first + 1; i > 0 && n < MOST_SIZES; i = all->rows[i - 1].next) {
        const struct size_sum *s = &all->rows[i - 1];
        if (s->n >= LEAST_ATTEMPTS)
            out[n++] = (struct rightsize_option){s->memory_mb, wide_div_round(s->cost, s->n),
                                                 wide_div_round(s->duration_ns, s->n)};
    }
    return n;
}

static unsigned long long picked(const struct rightsize_option *o, size_t n,
                                 enum rightsize_strategy by)
{
    return (unsigned long long)rightsize_pick(o, n, by, EVEN_WEIGHT)->memory_mb;
}

/* For a function that ran with several sizes: which was best at what. */
void cost_sizes_hint(const struct cli *c, const struct cost_sizes *all)
{
    struct rightsize_option options[MOST_SIZES];

    for (size_t i = 0; i < all->n; i++) {
        const struct size_sum *s = &all->rows[i];
        const size_t n = *idmap_get(&all->first, s->fn_id) == i ? options_of(all, i, options) : 0;
        if (n < 2)
            continue;
        cost_hint(c,
                  STR_FMT
                  " ran with %zu sizes: %llu MB cost least, %llu MB was fastest, %llu MB is "
                  "best of both",
                  STR_ARG(s->name), n, picked(options, n, RIGHTSIZE_COST),
                  picked(options, n, RIGHTSIZE_SPEED), picked(options, n, RIGHTSIZE_BALANCED));
    }
}

void cost_sizes_clear(struct cost_sizes *all)
{
    idmap_clear(&all->first);
}
