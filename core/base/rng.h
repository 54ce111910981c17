/* Randomness. The seeded generator (xoshiro256++, public domain algorithm by Blackman and Vigna)
 * gives the same numbers on every machine; rng_seed_system() is for back-off jitter and keys only.
 */
#ifndef FNSCOPE_CORE_BASE_RNG_H
#define FNSCOPE_CORE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};
void rng_seed(struct rng *r, uint64_t seed);
void rng_seed_system(struct rng *r);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0..n-1, unbiased; n > 0 */
double rng_unit(struct rng *r);                /* [0, 1); never for money */
void rng_bytes(void *out, size_t n);           /* from the system */

#endif
