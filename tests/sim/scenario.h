/* Random scenarios whose truth is known: which requests ran, which lines were printed, what is lost
 * of them. */
#ifndef FNSCOPE_TESTS_SIM_SCENARIO_H
#define FNSCOPE_TESTS_SIM_SCENARIO_H

#include "core/model/batch.h"

enum { MAX_RUNS = 96, ID_BYTES = 37 };

/* One run of a request, or what another one printed as such. */
struct run {
    char id[ID_BYTES];
    size_t env;
    int64_t start_ns, end_ns;     /* of its lines */
    int64_t duration_ns;          /* of its REPORT; no two runs have the same */
    const struct run *printer;    /* NULL: it ran */
    bool is_overbilled;           /* its REPORT is no platform's */
    size_t starts, ends, reports; /* of its lines, as many as there are left */
};

struct scenario {
    struct batch *batch;
    struct run runs[MAX_RUNS];
    size_t n_runs;
    bool is_named[4]; /* by environment: its lines say their stream; the others are mixed */
    size_t n_envs;
};

/* The same for the same seed. */
void scenario_make(struct scenario *s, uint64_t seed);
void scenario_clear(struct scenario *s);

#endif
