/* Private to core/store/verify*.c: checking what is stored against itself. Everything that is
 * written twice must agree: sums and facts, heads and chunks, facts and their entries for look-up,
 * identities and lines; and since migration 7 blobs have checksums. */
#ifndef FNSCOPE_CORE_STORE_VERIFY_PRIVATE_H
#define FNSCOPE_CORE_STORE_VERIFY_PRIVATE_H

#include "core/store/fact_store.h"

/* Lines of one function in one hour of the day at hand, counted. */
struct counted_lines {
    uint32_t fn;
    unsigned hour;
    struct line_counts counts;
};

struct verifier {
    struct store *store;
    store_finding_fn *on_finding;
    void *ctx;
    struct arena arena;
    /* Of the day at hand: */
    struct counted_lines *lines;
    size_t n_lines, cap_lines;
    struct idmap line_index; /* function and hour -> place in lines */
    uint32_t *fns;           /* all that have facts, lines or sums */
    size_t n_fns, cap_fns;
    struct idmap known_fns;
    uint64_t n_entries; /* for look-up by request id */
};

PRINTF_LIKE(3, 4) void verify_finding(struct verifier *v, struct sql *db, const char *fmt, ...);
void verify_note_fn(struct verifier *v, uint32_t fn);
/* "checkout" or, of a function that no row names, "number 7" */
struct str verify_fn_name(struct verifier *v, uint32_t fn);

/* Chunks, their heads and identities; counts their lines (verify_chunks.c). */
enum status verify_chunks(struct verifier *v, struct day *d, struct err *e);
/* Entries for look-up by request id, in themselves (verify_ids.c). */
enum status verify_ids(struct verifier *v, struct day *d, struct err *e);
/* Groups of facts, attempts stored twice, facts that no entry finds (verify_facts.c). */
enum status verify_facts(struct verifier *v, struct day *d, struct err *e);
/* Sums against facts and the lines counted before (verify_sums.c). */
enum status verify_sums(struct verifier *v, struct day *d, struct err *e);

#endif
