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
#include "core/base/file.h"
#include "core/base/mem.h"
#include "tests/sim/runs.h"

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
    sim_print_difference(buf_str(&want), buf_str(&got));
    if (sim_number_of("REWRITE", 0) == 1 && file_write(path, buf_str(&got), 0644, &e) != OK)
        printf("%s\n", e.msg);
    return false;
}

static bool check_seeds(struct sim *s, struct str want)
{
    uint64_t hash = twin_hash(&s->twin), only = sim_number_of("SEED", 0);
    uint64_t last = only ? only : sim_number_of("SHUFFLES", 2000);

    for (uint64_t seed = only ? only : 1; seed <= last; seed++) {
        sim_run_seed(s, seed);
        if (!s->twin.fault && twin_hash(&s->twin) == hash)
            continue;
        AUTO(buf_clear) struct buf got = {.max = 1u << 20};
        twin_dump(&s->twin, &got);
        printf("SEED=%llu%s%s\n", (unsigned long long)seed, s->twin.fault ? ": " : "",
               s->twin.fault ? s->twin.fault : "");
        sim_print_difference(want, buf_str(&got));
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
    struct batch *scenario = read_scenario(argv[1], &text);
    struct sim s;
    sim_init(&s, scenario);
    s.is_in_memory = argc > 3;
    sim_run_in_order(&s);
    bool is_good = is_expected(&s, argv[2]);
    twin_dump(&s.twin, &want);
    is_good = check_seeds(&s, buf_str(&want)) && is_good;
    sim_clear(&s);
    batch_free(scenario);
    return is_good ? 0 : 1;
}
