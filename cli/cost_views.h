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

/* Of what a row of the cost table is: few, for very many rows. */
struct cost_place {
    struct str currency;
    struct str account, region; /* of a function; of other groups empty */
};
/* A row of the cost table. */
struct cost_group {
    struct str key;
    const struct cost_place *place;
    uint64_t n, unpriced;
    wide mb_ms, cost, effective, logs, standing; /* money: 10^-12 */
    bool is_assumed, is_log_unpriced;
};
/* Sorts the groups (days by day, others by cost) and prints them. Of one key in one place there may
 * be several: they are one row. */
struct cost_groups {
    struct cost_group *rows;
    size_t n, cap;
};
MUST_CHECK enum status cost_groups_print(struct cli *c, const struct cost_options *o,
                                         struct cost_groups *groups, struct err *e);

/* What functions' list costs come to on the bill (cost_months.c). Start with zeros; in the cli's
 * arena but for the index. Where none was loaded there are no functions. */
struct month_cost {
    wide list, effective;
};
struct fn_bill { /* over all months */
    wide duration, request, storage, restore, total;
    bool lacks_plan;
};
struct cost_months {
    struct range *months; /* the range cut where calendar months begin */
    size_t n;
    struct idmap index; /* a function: its place */
    struct fn_bill *fns;
    struct month_cost *costs; /* n a function */
};
struct cost_months_request {
    const struct cli *cli;
    struct store *store;
    const struct cost_options *options;
    const struct cost_context *cost;
    struct range range;
    const struct fn_ids *fns; /* those that are asked for */
};
MUST_CHECK enum status cost_months_load(const struct cost_months_request *q,
                                        struct cost_months *out, struct err *e);
void cost_months_clear(struct cost_months *m);
const struct fn_bill *cost_months_of(const struct cost_months *m, uint32_t fn_id); /* or NULL */
/* list x effective / list of the function's month: how a part of it is discounted. */
wide cost_months_part(const struct cost_months *m, uint32_t fn_id, int64_t at_ns, wide cost);
/* When the prices of a function's sums are of. */
int64_t cost_price_time(struct range r, const struct fn_row *row);

/* What is charged by the hour, over all functions: cost_standing.c. */
struct standing_count {
    size_t n;
    struct str first; /* one of the functions */
};
struct standing_tally {
    const struct cost_context *cc;
    struct arena *arena;
    const bool *is_met; /* by rule: a function of known memory size is its */
    size_t n_kept;
    struct standing_count provisioned_open, snapshots_open, unpriced;
};
void cost_standing_count(struct standing_tally *t, const struct fn_ref *fn,
                         const struct standing_cost *s);
/* What is in no amount, and what to say about it; is_all: no filter leaves functions out. */
void cost_standing_hints(const struct cli *c, const struct standing_tally *t, bool is_all);

/* What the attempts of each function and memory size add up to, and for functions that ran with
 * several which was best at what (cost_sizes.c). Start with zeros and an arena. */
struct cost_sizes {
    struct arena *arena;
    struct size_sum *rows;
    size_t n, cap;
    struct idmap first; /* of a function: the place of the size it was seen with first */
};
void cost_sizes_clear(struct cost_sizes *all);
void cost_sizes_add(struct cost_sizes *all, uint32_t fn_id, const struct invocation *inv);
void cost_sizes_hint(const struct cli *c, const struct cost_sizes *all);

/* One line on standard error, unless --quiet. */
void cost_hint(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Cells of an exact decimal: quantities of 10^-12 units, amounts and unit prices. */
void cost_quantity_cell(struct table *t, size_t column, wide quantity);
void cost_exact_cell(struct table *t, size_t column, money m);

#endif
