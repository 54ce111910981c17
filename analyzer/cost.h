/* Inside of analyzer/: what a provider's cost file gives to cost.c, and what it gets from it. */
#ifndef FNSCOPE_ANALYZER_COST_H
#define FNSCOPE_ANALYZER_COST_H

#include "analyzer/analyzer.h"
#include "core/base/map.h"

/* Which meter a line belongs to; the order of a receipt. */
enum cost_part {
    PART_DURATION,
    PART_REQUEST,
    PART_STORAGE,
    PART_RESTORE,
    COST_PARTS,
    PART_PROVISIONED = COST_PARTS, /* duration on provisioned concurrency: a meter of its own */
    METER_PARTS
};

/* What the price depends on, resolved from evidence, rules, configs and defaults. */
struct cost_facts {
    struct str region;
    enum arch arch;
    uint64_t storage_bytes;
    enum runtime_kind runtime; /* whether a restore from a snapshot is billed */
    struct kept_rule provisioned, snapshots;
    bool is_assumed;     /* region or architecture is a default nobody stated */
    bool is_arch_stated; /* by a rule or by option, not by what was seen */
    bool keeps_stored;   /* see struct cost_context */
};

/* What is charged by time and not by use; see cost_standing. */
enum standing_part { STANDING_PROVISIONED, STANDING_SNAPSHOTS, STANDING_PARTS };

/* What is kept ready as collectors read it of the accounts: analyzer/standing_counts.c. */
struct kept_counts {
    struct idmap index; /* by hash of the subject */
    struct kept_steps *steps;
};
MUST_CHECK enum status kept_counts_load(struct store *s, struct range r,
                                        const struct fn_filter *filter, struct arena *a,
                                        struct kept_counts *out, struct err *e);
void kept_counts_clear(struct kept_counts *k);
struct kept_steps kept_counts_of(const struct kept_counts *k, const struct fn_ref *fn);

/* A rule keeps something of it. */
bool standing_is_kept(const struct cost_context *c, const struct fn_ref *fn);

struct cost_facts cost_facts_of(const struct cost_context *c, const struct fn_ref *fn,
                                int64_t at_ns, enum arch seen);

/* One meter's share: units / divisor x price. Amount is exact to 10^-12. */
struct cost_share {
    struct str meter, unit;
    wide units;
    int64_t divisor;
    const struct price *price; /* NULL: not priced */
    money amount;
};

/* What the sums of a function over a time are priced with. */
struct cost_period {
    const struct pricebook *book;
    const struct cost_facts *facts;
    const struct fn_ref *fn;
    int64_t at_ns;
    struct price_set *used; /* gets the rows that were taken; NULL: nobody asks */
};
void price_set_add(struct price_set *s, const struct price *row); /* NULL s or row: nothing */

/* How a provider bills; pure functions, all required. Their err is never NULL. */
struct cost_ops {
    enum provider provider;
    /* Architecture and region do not matter for this function's price: nothing is assumed then. */
    bool (*is_global)(const struct fn_ref *fn);
    /* What the attempt used of each meter; the prices are cost.c's to find. */
    void (*shares)(const struct cost_facts *f, const struct invocation *inv,
                   struct cost_share out[COST_PARTS]);
    struct str (*rounding)(enum cost_part part, const struct invocation *inv, struct arena *a);
    MUST_CHECK enum status (*logs)(const struct pricebook *p, struct str region, int64_t at_ns,
                                   uint64_t log_bytes, struct cost_share *out, struct err *e);
    MUST_CHECK enum status (*of_stats)(const struct cost_period *d, const struct stats *s,
                                       struct stats_cost *out, struct err *e);
    /* Without units: those are MB x seconds. */
    struct cost_share (*standing)(const struct cost_period *d, enum standing_part part);
    const char *(*meter)(enum cost_part part, const struct fn_ref *fn, enum arch arch);
    struct str (*currency)(const struct pricebook *p, struct str region, int64_t at_ns);
};

extern const struct cost_ops cost_aws;
/* NULL: a provider without prices. */
const struct cost_ops *cost_ops_of(enum provider provider);

/* Most of the function's billed time ran on arm64, as far as is known or stated. */
bool cost_is_arm(const struct cost_context *c, const struct fn_ref *fn, const struct stats *s);

/* As cost_of_stats, all of it on arm64. */
MUST_CHECK enum status cost_of_stats_on_arm(const struct cost_context *c, const struct fn_ref *fn,
                                            const struct stats *s, int64_t at_ns,
                                            struct stats_cost *out, struct err *e);

/* Quantity x price / divisor, rounded once to 10^-12; a share without price stays at 0. */
MUST_CHECK enum status cost_share_price(struct cost_share *s, struct err *e);

#endif
