/* sim_correlate SCENARIO.ndjson EXPECTED.dump [in-memory]: any order of arrival gives one result.
 *
 * The scenario's records are fed in the order of the file first; what comes out must be the
 * expected dump. Then, SHUFFLES times (default 2,000): in a random order, cut into random batches,
 * with random repeats, with room for a random number of requests in memory, and with the correlator
 * thrown away and made anew in between, so that what it forgot must come back from the store's
 * twin (not so with in-memory). A seed that fails is printed; SEED=n runs that one alone. */
#include <stdio.h>
#include <stdlib.h>

#include "collector/decode.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "tests/sim/twin.h"

struct sim {
    struct batch *scenario;
    struct twin twin;
    size_t *order; /* indices of records, some of them twice */
    size_t n_order;
    bool *is_fed;
    bool is_in_memory; /* nothing is forgotten */
};

static struct batch *read_scenario(const char *path, struct buf *text)
{
    static const struct import_defaults none = {.now_ns = 1};
    struct batch *b = batch_new();
    struct err e = {0};
    size_t used = 0;

    if (file_read(path, text, &e) != OK) {
        fprintf(stderr, "%s\n", e.msg);
        exit(2);
    }
    const struct decoder_ops *d = decoder_detect(buf_str(text));
    void *state = xcalloc(1, d->state_size);
    struct decode_input in = {
        .path = str_from(path), .bytes = buf_str(text), .is_last = true, .defaults = &none};
    if (d->decode(state, &in, b, &used, &e) != OK || b->n_records == 0 || b->n_quarantine > 0) {
        fprintf(stderr, "%s: cannot be read: %s\n", path, e.msg);
        exit(2);
    }
    if (d->close)
        d->close(state);
    free(state);
    return b;
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

static void run_in_order(struct sim *s)
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

static void run_seed(struct sim *s, uint64_t seed)
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

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    uint64_t n;

    return text && str_to_u64(str_from(text), &n) ? n : otherwise;
}

/* What differs, both ways: a line that should not be there, a line that is missing. */
static void print_difference(struct str want, struct str got)
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

static bool is_expected(const struct sim *s, const char *path)
{
    AUTO(buf_clear) struct buf want = {.max = 1u << 20}, got = {.max = 1u << 20};
    struct err e = {0};

    twin_dump(&s->twin, &got);
    if (file_read(path, &want, &e) != OK)
        printf("%s\n", e.msg);
    if (s->twin.fault)
        printf("in order: %s\n", s->twin.fault);
    if (str_eq(buf_str(&want), buf_str(&got)))
        return s->twin.fault == NULL;
    print_difference(buf_str(&want), buf_str(&got));
    if (number_of("REWRITE", 0) == 1 && file_write(path, buf_str(&got), 0644, &e) != OK)
        printf("%s\n", e.msg);
    return false;
}

static bool check_seeds(struct sim *s, struct str want)
{
    uint64_t hash = twin_hash(&s->twin), only = number_of("SEED", 0);
    uint64_t last = only ? only : number_of("SHUFFLES", 2000);

    for (uint64_t seed = only ? only : 1; seed <= last; seed++) {
        run_seed(s, seed);
        if (!s->twin.fault && twin_hash(&s->twin) == hash)
            continue;
        AUTO(buf_clear) struct buf got = {.max = 1u << 20};
        twin_dump(&s->twin, &got);
        printf("SEED=%llu%s%s\n", (unsigned long long)seed, s->twin.fault ? ": " : "",
               s->twin.fault ? s->twin.fault : "");
        print_difference(want, buf_str(&got));
        return false;
    }
    printf("%llu shuffles of %zu records give one dump of %zu invocations\n",
           (unsigned long long)last, s->scenario->n_records, s->twin.n_rows);
    return true;
}

int main(int argc, char **argv)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20}, want = {.max = 1u << 20};

    if (argc < 3) {
        fprintf(stderr, "usage: %s SCENARIO.ndjson EXPECTED.dump [in-memory]\n", argv[0]);
        return 2;
    }
    struct sim s = {.scenario = read_scenario(argv[1], &text)};
    size_t n = s.scenario->n_records;
    s.twin.scenario = s.scenario;
    s.is_in_memory = argc > 3;
    s.order = xcalloc(2 * n, sizeof(*s.order));
    s.is_fed = xcalloc(n, sizeof(*s.is_fed));
    run_in_order(&s);
    bool is_good = is_expected(&s, argv[2]);
    twin_dump(&s.twin, &want);
    is_good = check_seeds(&s, buf_str(&want)) && is_good;
    twin_clear(&s.twin);
    batch_free(s.scenario);
    free(s.order);
    free(s.is_fed);
    return is_good ? 0 : 1;
}
