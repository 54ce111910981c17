#include "tests/sim/runs.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/rng.h"

void sim_init(struct sim *s, const struct batch *scenario)
{
    *s = (struct sim){.scenario = scenario, .twin = {.scenario = scenario}};
    s->order = xcalloc(2 * scenario->n_records, sizeof(*s->order));
    s->is_fed = xcalloc(scenario->n_records, sizeof(*s->is_fed));
}

void sim_clear(struct sim *s)
{
    twin_clear(&s->twin);
    free(s->order);
    free(s->is_fed);
}

static struct correlator *new_correlator(struct sim *s, size_t max_open)
{
    struct correlator_options o = {.max_open = max_open,
                                   .find_id = twin_find_id,
                                   .find_instance = twin_find_instance,
                                   .find_requests = twin_find_requests,
                                   .knows_instance = twin_knows_instance,
                                   .ctx = &s->twin};

    return correlator_new(&o);
}

/* Feeds order[from, to) as one batch. */
static void feed(struct sim *s, struct correlator *c, size_t from, size_t to)
{
    struct batch *b = batch_new();
    struct err e = {0};

    for (size_t i = from; i < to; i++) {
        size_t at = s->order[i];
        struct log_record *r = batch_record(b);
        *r = s->scenario->records[at];
        r->is_repeat = s->is_fed[at];
        s->is_fed[at] = true;
    }
    if (correlator_feed(c, b, &e) != OK)
        s->twin.fault = "the correlator failed";
    twin_take(&s->twin, b);
    batch_free(b);
}

static void begin(struct sim *s)
{
    twin_reset(&s->twin);
    for (size_t i = 0; i < s->scenario->n_records; i++)
        s->is_fed[i] = false;
}

void sim_run_in_order(struct sim *s)
{
    struct correlator *c = new_correlator(s, 0);

    begin(s);
    s->n_order = s->scenario->n_records;
    for (size_t i = 0; i < s->n_order; i++)
        s->order[i] = i;
    feed(s, c, 0, s->n_order);
    correlator_free(c);
}

static void shuffle(struct sim *s, struct rng *r)
{
    size_t n = s->scenario->n_records, n_twice = rng_below(r, 4) == 0 ? rng_below(r, n) : 0;

    s->n_order = n + n_twice;
    for (size_t i = 0; i < s->n_order; i++)
        s->order[i] = i < n ? i : rng_below(r, n);
    for (size_t i = s->n_order; i > 1; i--) {
        size_t k = rng_below(r, i), swap = s->order[k];
        s->order[k] = s->order[i - 1];
        s->order[i - 1] = swap;
    }
}

void sim_run_seed(struct sim *s, uint64_t seed)
{
    static const size_t rooms[] = {0, 0, 1, 2, 5};
    struct rng r;

    rng_seed(&r, seed);
    begin(s);
    shuffle(s, &r);
    size_t room = s->is_in_memory ? 0 : rooms[rng_below(&r, ARRAY_LEN(rooms))];
    size_t longest = 1 + rng_below(&r, s->n_order);
    uint64_t reopen = rng_below(&r, 3) == 0 ? 2 : 8;
    struct correlator *c = new_correlator(s, room);
    for (size_t from = 0; from < s->n_order;) {
        size_t left = s->n_order - from, n = 1 + rng_below(&r, longest < left ? longest : left);
        feed(s, c, from, from + n);
        from += n;
        if (!s->is_in_memory && rng_below(&r, reopen) == 0) {
            correlator_free(c);
            c = new_correlator(s, room);
        }
    }
    correlator_free(c);
}

uint64_t sim_number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    uint64_t n;

    return text && str_to_u64(str_from(text), &n) ? n : otherwise;
}

void sim_print_difference(struct str want, struct str got)
{
    struct str rest = got;

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (str_find(want, line) == want.n)
            printf("got      " STR_FMT "\n", STR_ARG(line));
    }
    while (want.n > 0) {
        struct str line = str_cut(&want, '\n');
        if (str_find(got, line) == got.n)
            printf("expected " STR_FMT "\n", STR_ARG(line));
    }
}
