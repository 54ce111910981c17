/* Runs of records; see the header. */
#include "core/store/packer_run.h"

#include <assert.h>

#include "core/base/timefmt.h"
#include "core/store/store_private.h"

struct record_run record_run_at(const struct batch *b, size_t at)
{
    const struct log_record *first = &b->records[at], *end = b->records + b->n_records;
    const int64_t t_ns = first->time_ns, hour_ns = time_floor(t_ns, NS_PER_HOUR);
    struct record_run run = {first, 1, day_of(t_ns), t_ns, t_ns};

    assert(at < b->n_records && first->origin != NULL);
    for (const struct log_record *r = first + 1; r < end && r->origin == first->origin; r++) {
        if (r->time_ns < hour_ns || r->time_ns - hour_ns >= NS_PER_HOUR)
            break;
        run.t0_ns = r->time_ns < run.t0_ns ? r->time_ns : run.t0_ns;
        run.t1_ns = r->time_ns > run.t1_ns ? r->time_ns : run.t1_ns;
        run.n++;
    }
    return run;
}
