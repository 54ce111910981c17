/* Sums over invocations: the content of a roll-up row, of a table row, of a point in a series.
 * Integer sums only, so that cost is priced from exact quantities and adding is order-independent.
 */
#ifndef FNSCOPE_CORE_MODEL_STATS_H
#define FNSCOPE_CORE_MODEL_STATS_H

#include "core/model/bucket.h"
#include "core/model/invocation.h"

struct stats {
    uint64_t n;                  /* attempts that started */
    uint64_t outcome[OUTCOMES];  /* by outcome; sums to n */
    uint64_t start[START_KINDS]; /* by start kind */
    uint64_t retries;            /* attempts after the first */
    int64_t sum_duration_ns, sum_init_ns, sum_billed_ns;
    int64_t max_duration_ns;
    int64_t first_ns, last_ns; /* the earliest and latest start; 0 without attempts */
    uint64_t max_memory_used_bytes, memory_size_bytes; /* largest seen, maybe of two attempts */
    /* Of one attempt: the one that came nearest to its memory, the largest of those that came as
     * near. 0 while none tells its size. */
    uint64_t fullest_used_bytes, fullest_size_bytes;
    wide mb_ms;              /* billed ms x configured MB, both architectures: GB-s = / 1,024,000 */
    wide mb_ms_arm;          /* the arm64 part of it */
    wide storage_mb_ms;      /* billed ms x MB of ephemeral storage above 512 */
    wide cost;               /* sum of the invocations' list cost, 10^-12 */
    wide cost_failed;        /* the part spent on attempts that did not end OK */
    wide cost_init;          /* of initialization and restore: invocation_cost_init */
    uint64_t unpriced;       /* attempts without a price */
    wide restored_mb;        /* configured MB of the restores from snapshots that cost has in it */
    uint64_t restores_known; /* restores that are in cost or known to be free */
    /* The parts of mb_ms and mb_ms_arm on provisioned concurrency, and of how many attempts they
     * are: all of start[START_PROVISIONED], but in roll-ups of before migration 16. */
    wide provisioned_mb_ms, provisioned_mb_ms_arm;
    uint64_t provisioned_known;
    uint64_t log_events, log_bytes, log_errors; /* all records of the function */
    struct histogram duration, init;            /* us; duration of all, init of cold starts */
};
void stats_clear(struct stats *s);
void stats_add_invocation(struct stats *s, const struct invocation *inv);
/* Takes the attempt as the fullest if it is; sizes of MB are told apart, not those of bytes. */
void stats_add_fullest(struct stats *s, uint64_t used_bytes, uint64_t size_bytes);
void stats_merge(struct stats *s, const struct stats *from);
/* Lambda ends each event with a line end, which is ingested and billed (IncomingBytes: what is
 * uploaded), but neither stored nor in every export. The 26 bytes an event of PutLogEvents are of
 * its limit alone. */
enum { LOG_LINE_END_BYTES = 1 };
uint64_t stats_ingested_bytes(const struct stats *s);
/* Attempts of which no REPORT is there, at least: those of unknown outcome, or those without a
 * duration, whichever are more. */
uint64_t stats_open(const struct stats *s);
/* Attempts that are billed as a request: all but those that were throttled and those that have no
 * price yet, if the stored prices are those that count. */
uint64_t stats_requests(const struct stats *s, bool are_prices_stale);
/* Restores that may be billed and are not in cost: of a runtime nobody named, or without a price.
 */
uint64_t stats_restores_open(const struct stats *s);

#endif
