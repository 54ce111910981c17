/* Private to core/store/packer*.c: records one behind the other that are of one origin and hour, as
 * most are of those before them. What depends on these alone is found once for all of them. */
#ifndef FNSCOPE_CORE_STORE_PACKER_RUN_H
#define FNSCOPE_CORE_STORE_PACKER_RUN_H

#include "core/model/batch.h"

struct record_run {
    const struct log_record *records;
    size_t n;
    int64_t day, t0_ns, t1_ns; /* from the earliest to the latest */
};

/* The longest run that begins at that record of the batch. */
struct record_run record_run_at(const struct batch *b, size_t at);

#endif
