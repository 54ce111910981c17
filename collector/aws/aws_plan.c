/* What a day of a source will call and cost, from its configuration alone. */
#include "collector/aws/aws_source.h"

#include "core/base/timefmt.h"

static uint64_t per_day(int64_t every_ns)
{
    return every_ns > 0 ? (uint64_t)(NS_PER_DAY / every_ns) : 0;
}

static bool is_exact(const struct opt_list *globs)
{
    for (size_t i = 0; i < globs->count; i++)
        if (str_find_char(globs->items[i], '*') < globs->items[i].n ||
            str_find_char(globs->items[i], '?') < globs->items[i].n ||
            str_find_char(globs->items[i], '[') < globs->items[i].n)
            return false;
    return globs->count > 0;
}

struct planned {
    uint64_t calls, units_each;
    struct str why;
    enum aws_op op;
    bool is_assumed;
};

/* The endpoint, when it is on this machine: no bill comes from there, and no quota of AWS's holds.
 */
static struct str local_endpoint(const struct source *s, const struct plan *p, enum aws_op op)
{
    const struct aws_options *o = s->options;
    const struct aws_auth_options auth = {.profile = o->profile};
    struct aws_profile_endpoints profile;
    const bool has_profile = aws_auth_endpoints(&auth, p->env, p->arena, &profile, NULL) == OK;
    const struct aws_endpoint_rules where = {o->endpoint, has_profile ? &profile : NULL, s->region};
    const struct aws_endpoint at =
        aws_endpoint_of(aws_op_info(op)->service, &where, p->env, p->arena);

    return at.is_local ? at.url : (struct str){0};
}

static void add_line(const struct source *s, struct plan *p, const struct planned *row)
{
    struct plan_line *l = plan_add(p);
    const struct aws_op_info *info = aws_op_info(row->op);
    struct str endpoint = local_endpoint(s, p, row->op);
    money price = 0;

    l->source = s->name;
    l->call = str_from(info->name);
    l->why = row->why;
    l->calls = row->calls;
    l->units = row->calls * row->units_each;
    l->is_assumed = row->is_assumed;
    if (endpoint.n > 0)
        l->why = arena_printf(p->arena, STR_FMT "; free at " STR_FMT, STR_ARG(row->why),
                              STR_ARG(endpoint));
    else if (!aws_price(p->env, row->op, s->region, p->now_ns, &price))
        l->is_unpriced = true;
    else if (money_mul_div((wide)l->units, price, 1, &l->cost, NULL) != OK)
        l->cost = INT64_MAX;
}

static uint64_t at_most_quota(const struct source *s, const struct plan *p, enum aws_op op,
                              uint64_t calls)
{
    const struct aws_options *o = s->options;
    int64_t quota = aws_quota(op, s->region) * o->quota_percent / (INT64_C(100) * s->n_sharing);
    uint64_t most = (uint64_t)quota * 86400 / 1000;

    return calls < most || local_endpoint(s, p, op).n > 0 ? calls : most;
}

static void plan_logs(const struct source *s, const struct aws_options *o, struct plan *p)
{
    bool is_known = is_exact(&o->log_groups);
    uint64_t groups = is_known ? o->log_groups.count : p->assumed_functions;
    uint64_t wanted =
        groups * (per_day(o->poll_ns) + per_day(o->late_every_ns) + per_day(o->deep_every_ns));
    struct planned rows[] = {
        {per_day(o->discover_ns) * (groups / 50 + 1), 1, STR("discovery"), OP_DESCRIBE_LOG_GROUPS,
         !is_known},
        {at_most_quota(s, p, OP_FILTER_LOG_EVENTS, wanted), 1,
         arena_printf(p->arena, "%llu log groups", (unsigned long long)groups),
         OP_FILTER_LOG_EVENTS, !is_known},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_line(s, p, &rows[i]);
}

static void plan_config(const struct source *s, const struct aws_options *o, struct plan *p)
{
    uint64_t rounds = per_day(o->config_ns), n = p->assumed_functions;
    struct str each = arena_printf(p->arena, "%llu %s", (unsigned long long)n,
                                   plural(n, "function", "functions"));
    struct planned rows[] = {
        {rounds, 1, STR("the account's limits"), OP_GET_ACCOUNT_SETTINGS, false},
        {rounds * (n / 50 + 1), 1, each, OP_LIST_FUNCTIONS, true},
        {rounds * (n / 100 + 1), 1, STR("what feeds them"), OP_LIST_EVENT_SOURCE_MAPPINGS, true},
        {rounds * n, 1, each, OP_GET_FUNCTION_CONCURRENCY, true},
        {rounds * n, 1, each, OP_LIST_PROVISIONED, true},
        {rounds * n, 1, each, OP_GET_EVENT_INVOKE_CONFIG, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_line(s, p, &rows[i]);
}

static void plan_queues(const struct source *s, const struct aws_options *o, struct plan *p)
{
    bool is_known = is_exact(&o->queues);
    uint64_t n = is_known ? o->queues.count : p->assumed_queues;
    struct planned rows[] = {
        {per_day(o->discover_ns), 1, STR("discovery"), OP_LIST_QUEUES, false},
        {per_day(o->queues_ns) * n, 1,
         arena_printf(p->arena, "%llu %s", (unsigned long long)n, plural(n, "queue", "queues")),
         OP_GET_QUEUE_ATTRIBUTES, !is_known},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_line(s, p, &rows[i]);
}

/* A round asks for all of its hours at once. */
static void plan_reconcile(const struct source *s, const struct aws_options *o, struct plan *p)
{
    unsigned found = PARTS_ALL;
    uint64_t n = p->assumed_functions, each = aws_reconciled_metrics();
    money cap = 0, price = 0;

    if (aws_find_parts(s, &found, NULL) != OK || (found & PART_CONFIG) == 0 || o->reconcile_ns == 0)
        return;
    if (o->budget.n > 0 && money_parse(o->budget, &cap, NULL) != OK)
        return;
    if (local_endpoint(s, p, OP_GET_METRIC_DATA).n == 0 &&
        !aws_price(p->env, OP_GET_METRIC_DATA, s->region, p->now_ns, &price))
        price = 0;
    uint64_t rounds = per_day(aws_reconcile_every(o->reconcile_ns, n, price, cap));
    struct planned rows[] = {
        {rounds, each, STR("the region's count of each hour"), OP_GET_METRIC_DATA, false},
        {rounds * (n / 500 + 1), each * n / (n / 500 + 1),
         arena_printf(p->arena, "that of %llu %s, while the region's is not zero",
                      (unsigned long long)n, plural(n, "function", "functions")),
         OP_GET_METRIC_DATA, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_line(s, p, &rows[i]);
}

static void plan_metrics(const struct source *s, const struct aws_options *o, struct plan *p)
{
    struct planned row = {per_day(o->metrics_ns), aws_region_metrics(),
                          STR("metrics of the region; more while one is not zero"),
                          OP_GET_METRIC_DATA, false};

    add_line(s, p, &row);
    plan_reconcile(s, o, p);
}

/* How many traces there are only AWS knows: by default one a second is sampled. */
static void plan_traces(const struct source *s, const struct aws_options *o, struct plan *p)
{
    enum { TRACES_A_DAY = 86400 };
    uint64_t rounds = per_day(o->traces_ns), traces = TRACES_A_DAY;
    struct planned rows[] = {
        {rounds, traces / (rounds > 0 ? rounds : 1) + 1, STR("one sampled trace a second"),
         OP_GET_TRACE_SUMMARIES, true},
        {traces / 5, 5, STR("five a call"), OP_BATCH_GET_TRACES, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_line(s, p, &rows[i]);
}

static const struct {
    enum aws_part part;
    void (*plan)(const struct source *, const struct aws_options *, struct plan *);
} planners[] = {
    {PART_LOGS, plan_logs},       {PART_CONFIG, plan_config}, {PART_QUEUES, plan_queues},
    {PART_METRICS, plan_metrics}, {PART_TRACES, plan_traces},
};

/* What the budget does not allow is not called. */
static void add_budget(const struct source *s, struct plan *p, size_t first)
{
    const struct aws_options *o = s->options;
    struct plan_budget b = {.source = s->name};

    if (o->budget.n == 0 || money_parse(o->budget, &b.cap, NULL) != OK || b.cap == 0)
        return;
    for (size_t i = first; i < p->n; i++)
        if (money_add(b.wanted, p->lines[i].cost, &b.wanted, NULL) != OK)
            b.wanted = INT64_MAX;
    if (b.wanted > b.cap)
        *plan_add_budget(p) = b;
}

/* Who calls must be allowed to become whom the source or its profile names. */
static void add_role(const struct source *s, struct plan *p)
{
    const struct aws_options *o = s->options;
    const struct aws_auth_options auth = {.profile = o->profile};
    const struct str roles[] = {o->role_arn, aws_auth_profile_role(&auth, p->env, p->arena)};

    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (roles[i].n > 0)
            plan_add_role(p, roles[i]);
}

void aws_plan(const struct source *s, struct plan *p)
{
    unsigned found = PARTS_ALL;
    size_t first = p->n;

    if (aws_find_parts(s, &found, NULL) != OK)
        return;
    for (size_t i = 0; i < ARRAY_LEN(planners); i++)
        if ((found & planners[i].part) != 0)
            planners[i].plan(s, s->options, p);
    add_budget(s, p, first);
    add_role(s, p);
}
