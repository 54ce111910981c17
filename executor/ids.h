/* Identifiers as AWS writes them. They are unique, not secret: a generator that is seeded once
 * gives them, because an invocation needs four and the system's would cost a call each. */
#ifndef FNSCOPE_EXECUTOR_IDS_H
#define FNSCOPE_EXECUTOR_IDS_H

#include "core/base/arena.h"
#include "core/base/rng.h"

/* Version 4, lower case, 36 characters. */
struct str uuid_new(struct rng *rng, struct arena *a);
/* 2 n_bytes lower case digits. */
struct str hex_new(struct rng *rng, struct arena *a, size_t n_bytes);
/* "1-5759e988-bd862e3fe1be46a994272793": epoch seconds, then 96 random bits. */
struct str trace_id_new(struct rng *rng, struct arena *a, int64_t wall_ns);

#endif
