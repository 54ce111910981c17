/* What fnscope collect says before the first call is made, and the prices and variables its sources
 * see. */
#ifndef FNSCOPE_CLI_COLLECT_PLAN_H
#define FNSCOPE_CLI_COLLECT_PLAN_H

#include "cli/common.h"
#include "collector/source.h"

struct collect_question {
    bool is_policy; /* the smallest IAM policy (JSON, policy grammar 2012-10-17), not the plan */
    int64_t assumed_functions, assumed_queues; /* what a pattern stands for */
};

/* Prints the answer for these sources; the exit code. No network. */
int collect_tell(struct cli *c, const struct source_list *l, const struct collect_question *q,
                 struct err *e);

/* For struct source_env: the environment, and the price book in price_ctx; of it, dollars only. */
const char *collect_variable(void *ctx, const char *name);
bool collect_find_price(void *ctx, enum provider provider, struct str meter, struct str region,
                        int64_t at_ns, money *out);

#endif
