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
};

static bool is_size_of(const struct size_sum *s, uint32_t fn_id, uint64_t memory_mb)
{
    return s->fn_id == fn_id && s->memory_mb == memory_mb;
}

/* In the order of the scan a function's attempts come together: mostly the one before fits. */
static struct size_sum *size_for(struct cost_sizes *all, uint32_t fn_id,
                                 const struct invocation *inv)
{
    const uint64_t mb = inv->memory_bytes >> 20;
    size_t i = all->last;

    if (i < all->n && is_size_of(&all->rows[i], fn_id, mb))
        return &all->rows[i];
    for (i = 0; i < all->n && !is_size_of(&all->rows[i], fn_id, mb); i++)
        ;
    if (i == all->n) {
        all->rows = arena_grow(all->arena, all->rows, i, &all->cap, sizeof(*all->rows));
        all->rows[all->n++] = (struct size_sum){
            .fn_id = fn_id, .name = arena_str(all->arena, inv->origin->fn->name), .memory_mb = mb};
    }
    all->last = i;
    return &all->rows[i];
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
static size_t options_of(const struct cost_sizes *all, uint32_t fn_id, struct rightsize_option *out)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n && n < MOST_SIZES; i++) {
        const struct size_sum *s = &all->rows[i];
        if (s->fn_id == fn_id && s->n >= LEAST_ATTEMPTS)
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
        bool is_first = true;
        for (size_t k = 0; k < i; k++)
            is_first = is_first && all->rows[k].fn_id != s->fn_id;
        const size_t n = is_first ? options_of(all, s->fn_id, options) : 0;
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
