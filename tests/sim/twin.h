/* The store's test twin: what the correlator gives out, kept in memory under the rules of the real
 * one, and found again through the same look-ups. Origins are those of the scenario's batch, so
 * that rows outlive the batches they came in. */
#ifndef FNSCOPE_TESTS_SIM_TWIN_H
#define FNSCOPE_TESTS_SIM_TWIN_H

#include "analyzer/analyzer.h"

struct twin {
    const struct batch *scenario;
    struct arena arena;
    struct invocation *rows;
    size_t n_rows, cap_rows;
    struct instance_event *events;
    size_t n_events, cap_events;
    const char *fault; /* a broken promise of the correlator; NULL: none */
};

void twin_reset(struct twin *t); /* empties, keeps memory */
void twin_clear(struct twin *t);
void twin_take(struct twin *t, const struct batch *b);
/* Callbacks of the correlator; ctx is the twin. */
enum status twin_find_id(void *ctx, struct str id, int64_t around_ns, struct arena *a,
                         struct invocation_list *out, struct err *e);
enum status twin_find_instance(void *ctx, const struct origin *o, int64_t around_ns,
                               struct arena *a, struct instance_event_list *out, struct err *e);
bool twin_knows_instance(void *ctx, const struct origin *o);
enum status twin_find_requests(void *ctx, const struct origin *o, struct range r, struct arena *a,
                               struct invocation_list *out, struct err *e);
/* A number that depends on the set of rows and events only. */
uint64_t twin_hash(const struct twin *t);
/* The same as text, a line each, sorted. */
void twin_dump(const struct twin *t, struct buf *out);

#endif
