/* Inside of cli/: what `fnscope cost` can show, one file a view. */
#ifndef FNSCOPE_CLI_COST_VIEWS_H
#define FNSCOPE_CLI_COST_VIEWS_H

#include "cli/common.h"

enum cost_by {
    BY_FUNCTION,
    BY_DAY,
    BY_REGION,
    BY_ACCOUNT,
    BY_ARCH,
    BY_MEMORY,
    BY_VERSION,
    BY_OUTCOME,
    BY_COMPONENT,
    COST_BYS
};
extern const char *const cost_by_names[]; /* NULL-terminated */

struct cost_options {
    int by; /* enum cost_by */
    bool free_tier;
    int savings_plan; /* index into savings_plan_names; 0: none */
    struct str explain;
    struct str usage;
};
extern const char *const savings_plan_names[];

int cost_table(struct cli *c, const struct cost_options *o, struct err *e);
int cost_explain(struct cli *c, const struct cost_options *o, struct err *e);
int cost_usage(struct cli *c, const struct cost_options *o, struct err *e);

/* A row of the cost table. */
struct cost_group {
    struct str key, currency;
    uint64_t n, unpriced;
    wide mb_ms, cost, effective, logs, standing; /* money: 10^-12 */
    bool is_assumed;
};
/* Sorts the groups (days by day, others by cost) and prints them. */
void cost_groups_print(struct cli *c, const struct cost_options *o, struct cost_group *groups,
                       size_t n);

/* What is charged by the hour, over all functions: cost_standing.c. */
struct standing_tally {
    const struct cost_context *cc;
    bool *is_met; /* by rule: a function of the range is its */
    size_t n_kept, n_provisioned_open, n_snapshots_open, n_unpriced;
    struct str provisioned_open, snapshots_open, unpriced; /* a name of each */
};
void cost_standing_begin(struct standing_tally *t, const struct cost_context *cc, struct arena *a);
void cost_standing_count(struct standing_tally *t, const struct fn_ref *fn,
                         const struct standing_cost *s);
/* What is in no amount, and what to say about it; is_all: no filter leaves functions out. */
void cost_standing_hints(const struct cli *c, const struct standing_tally *t, bool is_all);

/* One line on standard error, unless --quiet. */
void cost_hint(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Cells of an exact decimal: quantities of 10^-12 units, amounts and unit prices. */
void cost_quantity_cell(struct table *t, size_t column, wide quantity);
void cost_exact_cell(struct table *t, size_t column, money m);

#endif
