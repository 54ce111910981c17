/* What a source will call in a day, and what that costs: printed before the first call is made. */
#ifndef FNSCOPE_COLLECTOR_PLAN_H
#define FNSCOPE_COLLECTOR_PLAN_H

#include "core/base/arena.h"
#include "core/model/money.h"

struct plan_line {
    struct str source, call; /* "prod-eu", "cloudwatch:GetMetricData" */
    struct str why;          /* "12 region metrics every 5m" */
    uint64_t calls, units;   /* a day; units are what is billed: calls, metrics, traces */
    money cost;              /* a day, list price, without free tiers */
    bool is_unpriced;        /* it is billed, but the price book has no price: cost is 0 */
    bool is_assumed;         /* a number stands in for what is not known before the first call */
};

/* A source whose day would cost more than its budget allows. */
struct plan_budget {
    struct str source;
    money cap, wanted; /* a day */
};

struct source_env;
struct plan {
    struct arena *arena;
    struct source_env *env; /* of which only variables and prices are asked */
    int64_t now_ns;         /* prices of this day */
    struct plan_line *lines;
    size_t n, cap;
    struct plan_budget *budgets; /* only of sources that will be held */
    size_t n_budgets, cap_budgets;
    struct str *roles; /* to be assumed; each once */
    size_t n_roles, cap_roles;
    uint64_t assumed_functions, assumed_queues; /* where a pattern says how many only AWS knows */
};

struct plan_line *plan_add(struct plan *p); /* zeroed */
struct plan_budget *plan_add_budget(struct plan *p);
void plan_add_role(struct plan *p, struct str arn);

#endif
