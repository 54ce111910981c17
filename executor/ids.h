/* Identifiers as AWS writes them. */
#ifndef FNSCOPE_EXECUTOR_IDS_H
#define FNSCOPE_EXECUTOR_IDS_H

#include "core/base/arena.h"

struct str uuid_new(struct arena *a); /* random (version 4), lower case, 36 characters */
struct str hex_new(struct arena *a, size_t n_bytes); /* random, 2 n_bytes lower case digits */
/* "1-5759e988-bd862e3fe1be46a994272793": epoch seconds, then 96 random bits. */
struct str trace_id_new(struct arena *a, int64_t wall_ns);

#endif
