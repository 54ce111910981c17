/* Private to core/store: which events are stored already. Identities of stored events lie in
 * arrays beside their chunks; of those only the arrays whose chunk overlaps the batch at hand in
 * day, shard and time are in memory, in one set. Packer thread. */
#ifndef FNSCOPE_CORE_STORE_SEEN_H
#define FNSCOPE_CORE_STORE_SEEN_H

#include "core/store/store_private.h"

enum { SEEN_AHEAD = 24 }; /* identities between asking for a place and using it */

struct seen_segment {
    int64_t chunk, t0_ns, t1_ns;
    int64_t newest_ns; /* the latest t1_ns of this one and all before it in the day */
    uint64_t *hashes;  /* NULL: in the day file only */
    size_t n;
    uint64_t pack; /* 0: read from the file; else the pack that brings it there */
    unsigned shard;
    uint64_t fns;   /* which functions its events are of, by their bits; more at worst */
    bool is_loaded; /* in the set */
};

/* Events of one batch in one day and shard: when and whose they are. */
struct seen_window {
    int64_t day, t0_ns, t1_ns;
    unsigned shard;
    uint64_t fns;
};

struct seen_day {
    int64_t day, next_chunk; /* chunk ids are given by the packer */
    struct seen_segment *segments;
    size_t n, cap;
};

struct seen {
    struct store *reader;
    struct seen_day *days;
    size_t n_days, cap_days;
    uint64_t *slots; /* open addressing, 0 is free */
    size_t count, cap;
    size_t budget;   /* of identities in the set */
    uint64_t n_read; /* arrays read from day files: a count of work */
};

void seen_init(struct seen *w, struct store *reader);
void seen_clear(struct seen *w);
enum status seen_day(struct seen *w, int64_t day, struct seen_day **out, struct err *e);
/* Makes sure that everything stored of these functions in that day, shard and time is in the set.
 */
enum status seen_load(struct seen *w, const struct seen_window *of, struct err *e);
/* True when it was there already; else it is now. */
bool seen_test_and_add(struct seen *w, uint64_t identity);
/* Has the place of an identity brought near that is asked for soon. */
void seen_prefetch(const struct seen *w, uint64_t identity);
/* When the set is over its budget: empties it, and frees the arrays of packs that are committed.
 * The caller adds what is in its open chunks and loads anew. */
bool seen_is_over_budget(const struct seen *w);
void seen_empty(struct seen *w, uint64_t committed_pack);
/* After it was loaded anew: the budget becomes twice what the batch at hand needs, within bounds.
 * Lines in no order need all of their day, and would have it read again at every batch. */
void seen_set_budget(struct seen *w);
/* Days before that one were removed: what was committed of them is not stored any more. Empties the
 * set, as above. */
void seen_forget(struct seen *w, int64_t before_day, uint64_t committed_pack);
/* Takes ownership of hashes. */
enum status seen_add_segment(struct seen *w, int64_t day, const struct seen_segment *s,
                             struct err *e);

#endif
