/* The source: which task is due, and what its failure means. */
#include "collector/aws/aws_source.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/aws/aws.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

/* How soon it is looked for again whether the account is known. */
#define ACCOUNT_WAIT_NS NS_PER_SEC

static const struct {
    const char *name;
    enum aws_part part;
} parts[] = {
    {"logs", PART_LOGS},       {"config", PART_CONFIG}, {"queues", PART_QUEUES},
    {"metrics", PART_METRICS}, {"traces", PART_TRACES},
};

static_assert((int)AWS_TASKS <= (int)SOURCE_MAX_PARTS, "each task is a part of the source");

static const struct {
    const char *name;
    enum aws_part part;
    enum aws_op op;
    aws_step_fn *step;
} task_rows[AWS_TASKS] = {
    [TASK_GROUPS] = {"log groups", PART_LOGS, OP_DESCRIBE_LOG_GROUPS, aws_groups_step},
    [TASK_LOGS] = {SOURCE_PART_LOGS, PART_LOGS, OP_FILTER_LOG_EVENTS, aws_logs_step},
    [TASK_CONFIG] = {"config", PART_CONFIG, OP_GET_ACCOUNT_SETTINGS, aws_config_step},
    [TASK_QUEUES] = {SOURCE_PART_QUEUES, PART_QUEUES, OP_LIST_QUEUES, aws_queues_step},
    [TASK_METRICS] = {SOURCE_PART_METRICS, PART_METRICS, OP_GET_METRIC_DATA, aws_metrics_step},
    [TASK_TRACES] = {"traces", PART_TRACES, OP_GET_TRACE_SUMMARIES, aws_xray_step},
    [TASK_RECONCILE] = {"reconcile", PART_METRICS, OP_GET_METRIC_DATA, aws_reconcile_step},
    [TASK_IDENTITY] = {"account", PARTS_ALL, OP_GET_CALLER_IDENTITY, aws_identity_step},
};

int64_t aws_mono(const struct aws_ctx *x)
{
    return clock_monotonic(&x->source->env.clock);
}

unsigned aws_parts_of(const struct aws_ctx *x)
{
    return x->parts;
}

/* --- opening
 * ------------------------------------------------------------------------------------------------
 */

static enum status add_parts(const struct opt_list *names, unsigned *out, struct err *e)
{
    const char *known[ARRAY_LEN(parts) + 1] = {NULL};
    unsigned found = 0;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        known[i] = parts[i].name;
    for (size_t k = 0; k < names->count; k++) {
        unsigned one = 0;
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            if (str_eq(names->items[k], str_from(parts[i].name)))
                one = parts[i].part;
        if (one == 0)
            return err_set(e, ERR_CONFIG,
                           "collect: there is no part " STR_FMT "; did you mean " STR_FMT "?",
                           STR_ARG(names->items[k]), STR_ARG(opt_suggest(names->items[k], known)));
        found |= one;
    }
    *out = found != 0 ? found : PARTS_ALL;
    return OK;
}

enum status aws_check_parts(const struct aws_options *o, struct err *e)
{
    unsigned ignored;

    return add_parts(&o->collect, &ignored, e);
}

/* "aws-queues" is one part; "aws" all, or those of `collect`. */
enum status aws_find_parts(const struct source *s, unsigned *out, struct err *e)
{
    const struct aws_options *o = s->options;
    struct str part = str_skip(str_from(s->ops->type), STR("aws-").n);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (str_eq(part, str_from(parts[i].name))) {
            *out = parts[i].part;
            return OK;
        }
    return add_parts(&o->collect, out, e);
}

static enum status find_region(struct aws_ctx *x, struct err *e)
{
    struct source *s = x->source;
    struct aws_auth_options auth = {.profile = x->o->profile};

    x->client.region = s->region;
    if (x->client.region.n == 0)
        x->client.region = aws_auth_region(&auth, &s->env, &s->arena);
    if (x->client.region.n == 0)
        return err_set(e, ERR_CONFIG, "no region: add region: to the source, or set AWS_REGION");
    s->status.region = x->client.region;
    return OK;
}

/* What was spent today before this run: a restart does not open the purse again. */
static void recall_cost(struct aws_ctx *x)
{
    AUTO(arena_clear) struct arena a = {0};
    struct source_env *env = &x->source->env;
    struct cursor c;

    x->client.meter.day = clock_now(&env->clock) / NS_PER_DAY;
    if (env->find_cursor == NULL ||
        !env->find_cursor(env->cursor_ctx, x->source->name, STR("spent"), &a, &c) ||
        c.watermark_ns / NS_PER_DAY != x->client.meter.day ||
        !str_to_i64(c.token, &x->client.meter.today))
        x->client.meter.today = 0;
}

/* A pause of 0s: never. */
static bool is_asked(const struct aws_ctx *x, int task)
{
    const bool is_never[AWS_TASKS] = {
        [TASK_QUEUES] = x->o->queues_ns <= 0,    [TASK_METRICS] = x->o->metrics_ns <= 0,
        [TASK_TRACES] = x->o->traces_ns <= 0,    [TASK_RECONCILE] = x->o->reconcile_ns <= 0,
        [TASK_IDENTITY] = !aws_asks_identity(x),
    };

    return (x->parts & task_rows[task].part) != 0 && !is_never[task];
}

static void name_parts(struct aws_ctx *x)
{
    struct source_status *status = &x->source->status;

    for (int i = 0; i < AWS_TASKS; i++) {
        status->parts[i].name = str_from(task_rows[i].name);
        status->parts[i].is_off = !is_asked(x, i);
    }
    status->n_parts = AWS_TASKS;
}

static void make_tasks(struct aws_ctx *x)
{
    int64_t now = aws_mono(x);

    name_parts(x);
    x->began_ns = now;
    for (int i = 0; i < AWS_TASKS; i++) {
        bool is_on = is_asked(x, i);
        x->tasks[i] = (struct aws_task){.name = task_rows[i].name,
                                        .op = task_rows[i].op,
                                        .step = task_rows[i].step,
                                        .next_ns = is_on ? now : INT64_MAX,
                                        .is_round_done = !is_on};
    }
}

static enum status aws_open(struct source *s, struct err *e)
{
    struct aws_ctx *x = s->ctx;

    x->source = s;
    x->o = s->options;
    enum status st = aws_find_parts(s, &x->parts, e);
    if (st == OK)
        st = find_region(x, e);
    const struct aws_auth_options auth = {x->o->profile, x->o->role_arn, x->o->external_id,
                                          x->o->session_name};
    if (st == OK)
        st = aws_auth_endpoints(&auth, &s->env, &s->arena, &x->client.profile, e);
    if (st == OK && x->o->budget.n > 0)
        st = money_parse(x->o->budget, &x->client.meter.cap, e);
    if (st != OK)
        return st;
    aws_auth_init(&x->client.auth, &auth, &s->env, x->client.region);
    x->account = x->o->account;
    s->status.account = x->account;
    x->client.endpoint = x->o->endpoint;
    x->client.quota_percent = (unsigned)x->o->quota_percent;
    x->client.n_sharing = s->n_sharing;
    aws_client_init(&x->client, &s->env, &s->status);
    recall_cost(x);
    x->logs.state = xcalloc(1, sizeof(*x->logs.state));
    map_init(&x->logs.by_name);
    make_tasks(x);
    return OK;
}

static void aws_close(struct source *s)
{
    struct aws_ctx *x = s->ctx;

    aws_logs_clear(&x->logs);
    aws_functions_clear(&x->fns);
    aws_queues_clear(&x->queues);
    aws_metrics_clear(&x->metrics);
    aws_traces_clear(&x->traces);
    aws_reconcile_clear(&x->reconcile);
    aws_client_clear(&x->client);
    for (int i = 0; i < AWS_TASKS; i++) {
        free(x->tasks[i].error);
        free(x->tasks[i].partial);
    }
    free(x->error);
    free(x->partial);
}

/* Calls that cost wait for the next day once the budget is spent. */
bool aws_wait_for_budget(struct aws_ctx *x, struct aws_task *t, enum aws_op op, uint64_t units)
{
    if (!aws_is_capped(&x->client, op, units))
        return false;
    int64_t now = aws_now(&x->client);
    t->next_ns = aws_mono(x) + time_floor(now, NS_PER_DAY) + NS_PER_DAY - now;
    t->is_round_done = t->is_capped = true;
    return true;
}

/* Groups, functions and queues tell it, else STS; those that are refused do not. */
bool aws_wait_for_account(struct aws_ctx *x, struct aws_task *t)
{
    static const int tellers[] = {TASK_GROUPS, TASK_CONFIG, TASK_QUEUES, TASK_IDENTITY};

    for (size_t i = 0; x->account.n == 0 && i < ARRAY_LEN(tellers); i++) {
        const struct aws_task *teller = &x->tasks[tellers[i]];
        if (teller->is_round_done && !teller->is_tried_again)
            continue;
        t->next_ns = aws_mono(x) + ACCOUNT_WAIT_NS;
        return true;
    }
    return false;
}

/* --- polling
 * ------------------------------------------------------------------------------------------------
 */

/* When a task can go on: it is due, and its next call is within the quota. */
static int64_t ready_at(const struct aws_ctx *x, const struct aws_task *t)
{
    int64_t quota = aws_mono(x) + aws_ready(&x->client, t->op);

    return t->next_ns > quota ? t->next_ns : quota;
}

/* The task to run now, or, where none is ready, the first to become so; *at says when. */
static struct aws_task *first_task(struct aws_ctx *x, int64_t *at)
{
    struct aws_task *first = &x->tasks[0];
    int64_t now = aws_mono(x);

    *at = INT64_MAX;
    for (int i = 0; i < AWS_TASKS; i++) {
        struct aws_task *t = &x->tasks[i];
        int64_t when = t->next_ns == INT64_MAX ? INT64_MAX : ready_at(x, t);
        when = when < now ? now : when;
        if (when > *at || (when == *at && t->ran_ns >= first->ran_ns))
            continue;
        first = t;
        *at = when;
    }
    return first;
}

/* What failed in passing is tried again first. */
static bool all_done(const struct aws_ctx *x)
{
    for (int i = 0; i < AWS_TASKS; i++)
        if (!x->tasks[i].is_round_done || x->tasks[i].is_tried_again)
            return false;
    return true;
}

static bool is_logs(const struct aws_ctx *x, const struct aws_task *t)
{
    return t == &x->tasks[TASK_LOGS];
}

/* Logs pace themselves group by group; other tasks wait as a whole. */
static void back_off(struct aws_ctx *x, struct aws_task *t, enum status s)
{
    int64_t now = aws_mono(x), wait;

    t->is_tried_again = s == ERR_AGAIN;
    t->is_refused = s != ERR_AGAIN;
    if (s == ERR_AGAIN) {
        if (is_logs(x, t))
            return;
        wait = retry_wait(&retry_standard, ++t->failures, x->client.fault.asked_ns,
                          &x->source->env.rng);
    } else {
        t->failures++;
        wait = AWS_DENIED_WAIT_NS;
        t->is_round_done = true; /* a single round does not wait for what is not allowed */
    }
    if (t->next_ns < now + wait)
        t->next_ns = now + wait;
}

/* What the step added to the source's counters is the part's. */
static void note_part(struct aws_ctx *x, const struct aws_task *t, const struct source_status *old)
{
    struct source_status *status = &x->source->status;
    struct source_part *p = &status->parts[t - x->tasks];

    p->tried_ns = aws_now(&x->client);
    p->success_ns = t->has_error || t->is_capped ? p->success_ns : p->tried_ns;
    p->round_ns = t->round_ns;
    p->error = t->has_error   ? str_from(t->error)
               : t->is_capped ? STR(SOURCE_BUDGET_SPENT)
                              : str_from(t->partial);
    p->add_calls += status->add_calls - old->add_calls;
    p->add_errors += status->add_errors - old->add_errors;
    p->add_cost += status->add_cost - old->add_cost;
}

/* A page that came well of a list without an end makes nothing well. */
static bool is_endless(const struct aws_ctx *x, const struct aws_task *t)
{
    const struct aws_pages *const lists[AWS_TASKS] = {
        [TASK_GROUPS] = &x->logs.pages,
        [TASK_CONFIG] = &x->fns.pages,
        [TASK_QUEUES] = &x->queues.pages,
        [TASK_METRICS] = &x->metrics.ask.pages,
        [TASK_RECONCILE] = &x->reconcile.ask.pages,
        [TASK_TRACES] = &x->traces.pages,
    };
    const struct aws_pages *list = lists[t - x->tasks];

    return list != NULL && list->is_broken;
}

static void note_result(struct aws_ctx *x, struct aws_task *t, enum status s, const struct err *e)
{
    struct source_status *status = &x->source->status;
    int64_t now = aws_now(&x->client);
    bool is_dead = aws_note_partial(x, t);

    status->tried_ns = now;
    if (s == OK && !is_dead && !is_endless(x, t)) {
        t->failures = 0;
        t->has_error = t->is_tried_again = false;
    } else if (s != OK) {
        t->has_error = true;
        x->error = aws_keep(x->error, str_from(e->msg));
        t->error = aws_keep(t->error, str_from(e->msg));
        status->error = str_from(x->error);
        status->failures++;
    }
    aws_tell_partial(x);
    for (int i = 0; i < AWS_TASKS; i++)
        if (x->tasks[i].has_error && !(i == TASK_TRACES && x->tasks[i].is_refused))
            return; /* no alert rests on traces */
    status->success_ns = now;
    status->error = str_from(x->partial);
    status->failures = 0;
}

/* Use of the quota that is nearest to its end: how much of a second's calls are gone. */
static void note_quota(struct aws_ctx *x, enum aws_op op)
{
    const struct rate *r = &x->client.rates[op];
    struct source_status *status = &x->source->status;
    int64_t lack = r->full_ns - aws_mono(x);

    if (r->burst_ns == 0 && status->quota.n == 0)
        status->quota = STR(SOURCE_NO_QUOTA);
    if (r->burst_ns == 0)
        return;
    lack = lack < 0 ? 0 : lack > r->burst_ns ? r->burst_ns : lack;
    uint32_t ppm = (uint32_t)(lack * 1000 / (r->burst_ns / 1000 + 1));
    if (ppm < status->quota_ppm && !str_eq(status->quota, str_from(aws_op_info(op)->name)))
        return;
    status->quota_ppm = ppm;
    status->quota = str_from(aws_op_info(op)->name);
}

static void keep_cost(struct aws_ctx *x, money before, struct batch *out)
{
    const struct aws_meter *m = &x->client.meter;

    if (m->today == before)
        return;
    batch_cursor(out,
                 &(struct cursor){.source = x->source->name,
                                  .scope = STR("spent"),
                                  .token = arena_printf(&out->arena, "%lld", (long long)m->today),
                                  .watermark_ns = m->day * NS_PER_DAY});
}

/* Steps that ask for more than one unit look at the budget themselves as well. */
static enum status run_step(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e)
{
    t->is_capped = false;
    return aws_wait_for_budget(x, t, t->op, 1) ? OK : t->step(x, t, out, e);
}

static enum status aws_poll(struct source *s, struct batch *out, enum poll_result *more,
                            struct err *e)
{
    struct aws_ctx *x = s->ctx;
    struct err local = {0};
    int64_t at = INT64_MAX;
    struct aws_task *t = first_task(x, &at);
    enum status st = OK;

    if (at <= aws_mono(x)) {
        enum aws_op op = t->op;
        money before = x->client.meter.today;
        const struct source_status old = s->status;
        t->ran_ns = aws_mono(x);
        st = run_step(x, t, out, &local);
        if (st == ERR_CANCELLED)
            return err_set(e, st, "stopped");
        if (st != OK)
            back_off(x, t, st);
        note_result(x, t, st, &local);
        note_part(x, t, &old);
        note_quota(x, op);
        keep_cost(x, before, out);
        first_task(x, &at);
    }
    s->next_ns = at;
    *more = all_done(x) ? POLL_IDLE : POLL_MORE;
    return st == OK ? OK : err_set(e, st, "%s", local.msg);
}

static const struct opt_list *aws_regions(const void *options)
{
    const struct aws_options *o = options;

    return &o->regions;
}

/* Quotas are an account's and region's; the account is known by the way to its credentials. */
static bool aws_shares(const struct source *a, const struct source *b)
{
    const struct aws_options *p = a->options, *q = b->options;
    unsigned of_a = PARTS_ALL, of_b = PARTS_ALL;

    if (aws_find_parts(a, &of_a, NULL) != OK || aws_find_parts(b, &of_b, NULL) != OK)
        return false;
    return (of_a & of_b) != 0 && str_eq(a->region, b->region) && str_eq(p->profile, q->profile) &&
           str_eq(p->role_arn, q->role_arn) && str_eq(p->endpoint, q->endpoint);
}

/* --- the types
 * ----------------------------------------------------------------------------------------------
 */

/* clang-format off */
#define AWS_TYPE(name, text)                                                                       \
    { .type = (name), .help = (text), .options = aws_option_defs,                                      \
      .options_size = sizeof(struct aws_options), .ctx_size = sizeof(struct aws_ctx),              \
      .check = aws_check, .open = aws_open, .poll = aws_poll, .close = aws_close, .plan = aws_plan,                    \
      .regions = aws_regions, .shares_quota = aws_shares, .overlap = aws_overlap }
/* clang-format on */

const struct source_ops aws_source =
    AWS_TYPE("aws", "logs, configuration, queues, metrics and traces");
const struct source_ops aws_logs_source = AWS_TYPE("aws-logs", "logs of functions");
const struct source_ops aws_config_source = AWS_TYPE("aws-config", "how functions are configured");
const struct source_ops aws_queues_source = AWS_TYPE("aws-queues", "depth of SQS queues");
const struct source_ops aws_metrics_source = AWS_TYPE("aws-metrics", "metrics of CloudWatch");
const struct source_ops aws_traces_source = AWS_TYPE("aws-traces", "traces of X-Ray");
