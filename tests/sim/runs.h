/* A scenario's records, fed in some order to correlators with a twin of the store behind them. */
#ifndef FNSCOPE_TESTS_SIM_RUNS_H
#define FNSCOPE_TESTS_SIM_RUNS_H

#include "tests/sim/twin.h"

struct sim {
    const struct batch *scenario;
    struct twin twin;
    size_t *order; /* indices of records, some of them twice */
    size_t n_order;
    bool *is_fed;
    bool is_in_memory; /* nothing is forgotten */
};

void sim_init(struct sim *s, const struct batch *scenario);
void sim_clear(struct sim *s);
/* All in one batch, as they stand. */
void sim_run_in_order(struct sim *s);
/* In a random order, cut into random batches, with random repeats, with room for a random number of
 * requests in memory, and with the correlator thrown away and made anew in between. */
void sim_run_seed(struct sim *s, uint64_t seed);
/* A number in the environment, else another. */
uint64_t sim_number_of(const char *variable, uint64_t otherwise);
/* What differs, both ways: a line that should not be there, a line that is missing. */
void sim_print_difference(struct str want, struct str got);

#endif
