/* What fnscope collect says before the first call: what a day would call and cost, and what the
 * calls need. */
#include "cli/collect_plan.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/timefmt.h"

const char *collect_variable(void *ctx, const char *name)
{
    UNUSED(ctx);
    return getenv(name);
}

/* Bills of sources are in dollars. */
bool collect_find_price(void *ctx, enum provider provider, struct str meter, struct str region,
                        int64_t at_ns, money *out)
{
    const struct price *row = pricebook_find(ctx, provider, meter, region, at_ns);

    if (row == NULL || !str_eq(row->currency, STR("USD")))
        return false;
    *out = row->unit_price;
    return true;
}

/* --- the plan --- */

static void plan_row(struct table *t, const struct plan_line *l, money *total)
{
    table_row(t);
    table_text(t, 0, l->source);
    table_text(t, 1, l->call);
    table_i64(t, 2, (int64_t)l->calls);
    table_i64(t, 3, (int64_t)l->units);
    if (!l->is_unpriced)
        cli_money_cell(t, 4, l->cost, STR("USD"));
    table_text(t, 5,
               l->is_assumed ? arena_printf(t->arena, STR_FMT " (assumed)", STR_ARG(l->why))
                             : l->why);
    if (money_add(*total, l->cost, total, NULL) != OK)
        *total = INT64_MAX;
}

/* What is not seen any more when a call must wait. */
static const struct {
    const char *call, *unseen;
} blinds[] = {
    {"sqs:GetQueueAttributes", "queues (dlq-depth, dlq-age, queue-age)"},
    {"cloudwatch:GetMetricData", "metrics (throttles, concurrency, events-lost, events-dropped)"},
    {"xray:BatchGetTraces", "traces"},
};

static struct str unseen_of(const struct plan *p, struct str source, struct arena *a)
{
    struct str out = {0};

    for (size_t k = 0; k < ARRAY_LEN(blinds); k++)
        for (size_t i = 0; i < p->n; i++) {
            const struct plan_line *l = &p->lines[i];
            if (l->cost == 0 || !str_eq(l->source, source) ||
                !str_eq(l->call, str_from(blinds[k].call)))
                continue;
            out = arena_printf(a, STR_FMT "%s%s", STR_ARG(out), out.n > 0 ? ", " : "",
                               blinds[k].unseen);
            break;
        }
    return out;
}

/* Spent evenly over the day. */
static struct str spent_after(const struct plan_budget *b, struct arena *a)
{
    AUTO(buf_clear) struct buf text = {.max = 64};
    int64_t minutes = (int64_t)((wide)b->cap * 1440 / b->wanted);

    duration_format(&text, (minutes > 0 ? minutes : 1) * NS_PER_MIN);
    return arena_str(a, buf_str(&text));
}

/* A row that takes off what the budget holds back, so that the total is what is paid. */
static void budget_row(struct table *t, const struct plan *p, const struct plan_budget *b,
                       money *total)
{
    AUTO(buf_clear) struct buf cap = {.max = 64};
    struct str after = spent_after(b, t->arena), unseen = unseen_of(p, b->source, t->arena);
    struct plan_line held = {
        .source = b->source, .call = STR("budget"), .cost = b->cap - b->wanted};

    money_format(&cap, b->cap, 2);
    held.why =
        arena_printf(t->arena,
                     "held back: $" STR_FMT " is spent " STR_FMT
                     " into a day (UTC); unseen in the rest of it, with these alerts: " STR_FMT,
                     STR_ARG(buf_str(&cap)), STR_ARG(after),
                     STR_ARG(unseen.n > 0 ? unseen : STR("what they bring")));
    plan_row(t, &held, total);
}

static void print_plan(struct cli *c, const struct plan *p)
{
    static const struct table_column columns[] = {
        {.name = "source"},
        {.name = "call"},
        {.name = "calls_per_day", .title = "CALLS/DAY", .is_right = true},
        {.name = "units_per_day", .title = "BILLED/DAY", .is_right = true},
        {.name = "cost_per_day", .title = "COST/DAY", .is_right = true},
        {.name = "what"},
    };
    struct table t;
    money total = 0;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.plan", 1);
    struct plan_line sum = {.source = STR("total"), .why = STR("list price, before free tiers")};
    for (size_t i = 0; i < p->n; i++) {
        plan_row(&t, &p->lines[i], &total);
        sum.calls += p->lines[i].calls;
        sum.units += p->lines[i].cost > 0 ? p->lines[i].units : 0;
        if (p->lines[i].is_unpriced)
            sum.why = STR("list price, before free tiers, without calls that have no price");
    }
    for (size_t i = 0; i < p->n_budgets; i++)
        budget_row(&t, p, &p->budgets[i], &total);
    sum.cost = total;
    money ignored = 0;
    plan_row(&t, &sum, &ignored);
    cli_print_table(c, &t);
}

/* --- the policy --- */

static int compare_calls(const void *a, const void *b)
{
    return str_cmp(((const struct plan_line *)a)->call, ((const struct plan_line *)b)->call);
}

static void open_statement(struct json_out *j, const char *id)
{
    jout_open(j, '{');
    if (id != NULL)
        jout_put_str(j, "Sid", str_from(id));
    jout_put_str(j, "Effect", STR("Allow"));
    jout_key(j, "Action");
}

/* Belongs to whoever has the keys; the other statement to the roles. */
static void put_roles(struct json_out *j, const struct plan *p)
{
    open_statement(j, "AssumeRoles");
    jout_open(j, '[');
    jout_str(j, STR("sts:AssumeRole"));
    jout_close(j, ']');
    jout_key(j, "Resource");
    jout_open(j, '[');
    for (size_t i = 0; i < p->n_roles; i++)
        jout_str(j, p->roles[i]);
    jout_close(j, ']');
    jout_close(j, '}');
}

/* The actions bear the names of the calls. */
static void print_policy(struct cli *c, struct plan *p)
{
    struct json_out j;

    if (p->n > 0)
        qsort(p->lines, p->n, sizeof(*p->lines), compare_calls);
    jout_init(&j, &c->out, true);
    jout_open(&j, '{');
    jout_put_str(&j, "Version", STR("2012-10-17"));
    jout_key(&j, "Statement");
    jout_open(&j, '[');
    open_statement(&j, p->n_roles > 0 ? "Read" : NULL);
    jout_open(&j, '[');
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || !str_eq(p->lines[i].call, p->lines[i - 1].call))
            jout_str(&j, p->lines[i].call);
    jout_close(&j, ']');
    jout_put_str(&j, "Resource", STR("*"));
    jout_close(&j, '}');
    if (p->n_roles > 0)
        put_roles(&j, p);
    jout_close(&j, ']');
    jout_close(&j, '}');
    buf_add_c(&c->out, '\n');
}

static enum status load_book(const struct cli *c, struct pricebook **out, struct err *e)
{
    struct str dir;
    enum status s = cli_prices_dir(c, &dir, e);

    if (s == OK)
        s = pricebook_load(arena_strz(c->arena, dir), out, e);
    return s == OK ? OK : err_wrap(e, "prices");
}

int collect_tell(struct cli *c, const struct source_list *l, const struct collect_question *q,
                 struct err *e)
{
    struct pricebook *book = NULL;
    if (load_book(c, &book, e) != OK)
        return EXIT_FAILED;
    struct source_env env = {
        .variable = collect_variable, .find_price = collect_find_price, .price_ctx = book};
    struct plan p = {.arena = c->arena,
                     .env = &env,
                     .now_ns = clock_now(&c->clock),
                     .assumed_functions = (uint64_t)q->assumed_functions,
                     .assumed_queues = (uint64_t)q->assumed_queues};

    for (size_t i = 0; i < l->n; i++)
        if (l->items[i]->ops->plan != NULL)
            l->items[i]->ops->plan(l->items[i], &p);
    if (q->is_policy)
        print_policy(c, &p);
    else
        print_plan(c, &p);
    pricebook_free(book);
    return EXIT_DONE;
}
