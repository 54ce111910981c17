/* fnscope cost: what functions cost. Chooses the view (table, receipt, bill of a usage file) and
 * holds the cells they share; prices come from the analyzer. */
#include "cli/commands.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/cost_views.h"
#include "core/base/safe_text.h"

const char *const cost_by_names[] = {
    "function", "day",     "region",  "account",   "arch",
    "memory",   "version", "outcome", "component", NULL,
};
const char *const savings_plan_names[] = {"none", "no-upfront", "all-upfront", NULL};

#define AT(member) offsetof(struct cost_options, member)

/* clang-format off */
static const struct opt_def cost_option_defs[] = {
    { .flag = "by", .type = OPT_CHOICE, .offset = AT(by), .choices = cost_by_names,
      .default_text = "function", .help = "what a row of the table is" },
    { .key = "cost.free_tier", .flag = "free-tier", .type = OPT_BOOL, .offset = AT(free_tier),
      .help = "add the cost after the monthly free tier, spread over all functions",
      .manual = "Adds a column with the cost after the provider's monthly free tier. The free tier "
                "belongs to the payer, not to a function: what it takes off is spread pro rata over "
                "all functions of all regions in the store, also where filters show only some of them. "
                "A calendar month (UTC) that is over is billed by its own total, unless --since or --until "
                "cuts it; so is one that lies whole between them. A month that is cut, or that goes on, is "
                "billed as if all of it went at the pace of its part in the range, which ends with the "
                "newest data where --until is not given. Volume tiers are applied as well." },
    { .key = "cost.savings_plan", .flag = "savings-plan", .type = OPT_CHOICE, .offset = AT(savings_plan),
      .choices = savings_plan_names, .default_text = "none",
      .help = "add the cost at the rates of a Compute Savings Plan",
      .manual = "Adds a column with the cost at the rates of a Compute Savings Plan that covers all "
                "duration. Requests and storage are never covered, nor are regions for which the price "
                "book has no rate." },
    { .flag = "explain", .type = OPT_STRING, .offset = AT(explain), .value_name = "REQUEST-ID",
      .help = "show the receipt of one request: quantity, unit price, rounding, price row",
      .manual = "Shows the receipt of one request, attempt by attempt: quantity, unit price, how the "
                "quantity was made, and the row of the price book with its dates, source and "
                "confidence. The first characters of the id are enough when they are unique." },
    { .flag = "usage", .type = OPT_STRING, .offset = AT(usage), .value_name = "FILE",
      .help = "bill the usage in FILE (YAML or JSON, - for standard input) instead of the store",
      .manual = "Makes the bill of a usage file instead of the store: what was or would be used in a "
                "month. A file holds one table of inputs, or a list of cases under the key cases, each "
                "with id, service, region and inputs. A case that cannot be billed is named, the others "
                "are. Services are lambda (the default), lambda@edge, "
                "lambda-microvm and cloudwatch-logs. Inputs of lambda: arch, memory_mb, invocations, "
                "avg_billed_ms, ephemeral_storage_mb, free_tier (true, false, \"compute only\", "
                "\"requests only\"), savings_plan, provisioned_concurrency, pc_seconds, "
                "pc_invocations, pc_avg_ms, od_invocations, od_avg_ms, requests_billed, event_kb, "
                "streams, free_requests_left, free_gb_s_left, stream_free_gb_left, sqs_epu_hours, epu_hours, tenant_environments, "
                "snapstart_cached_seconds, snapstart_restores, runtime, durable_operations, "
                "durable_written_gb, durable_retained_gb_month, managed_invocations, ec2_on_demand, "
                "date (whose prices to use). Numbers have at most 6 decimals or an exponent; memory_gb, "
                "ephemeral_storage_gb, avg_seconds and pc_hours are the same in another unit." },
    { 0 },
};
/* clang-format on */

void cost_hint(const struct cli *c, const char *fmt, ...)
{
    AUTO(buf_clear) struct buf safe = {.max = 4096};
    char text[512];
    va_list ap;

    if (c->settings->is_quiet)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    safe_text(&safe, str_from(text), SAFE_KEEP_NONE);
    fprintf(stderr, "fnscope: " STR_FMT "\n", STR_ARG(buf_str(&safe)));
}

void cost_quantity_cell(struct table *t, size_t column, wide quantity)
{
    AUTO(buf_clear) struct buf raw = {.max = 64};
    wide_format_scaled(&raw, quantity, 12);
    table_money(t, column, arena_str(t->arena, buf_str(&raw)), (struct str){0});
}

void cost_exact_cell(struct table *t, size_t column, money m)
{
    AUTO(buf_clear) struct buf raw = {.max = 64};
    money_format_exact(&raw, m);
    table_money(t, column, arena_str(t->arena, buf_str(&raw)), (struct str){0});
}

static int run_cost(struct cli *c, struct err *e)
{
    const struct cost_options *o = c->options;

    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    if (opt_is_set(c->set, &o->explain) && o->explain.n == 0) {
        (void)err_set(e, ERR_USAGE, "cost: --explain needs a request id or its first characters");
        return EXIT_USAGE;
    }
    if (opt_is_set(c->set, &o->usage) && o->usage.n == 0) {
        (void)err_set(e, ERR_USAGE, "cost: --usage needs the name of a file, or -");
        return EXIT_USAGE;
    }
    if (o->explain.n > 0 && o->usage.n > 0) {
        (void)err_set(e, ERR_USAGE, "cost: --explain reads the store and --usage a file: use one");
        return EXIT_USAGE;
    }
    if (o->usage.n > 0)
        return cost_usage(c, o, e);
    return o->explain.n > 0 ? cost_explain(c, o, e) : cost_table(c, o, e);
}

const struct command cmd_cost = {
    .name = "cost",
    .summary = "show what functions cost, and why to the last digit",
    .description =
        "Shows list cost by function, day, region and more, from exact quantities and the dated "
        "price book. Cost is the marginal list price: no free tier, no discount; those are a "
        "column "
        "of their own. Ingestion of the function's logs stands beside, not in the cost. A restore "
        "from "
        "a SnapStart snapshot is in it where its runtime is known and is not Java.\n\n"
        "What is charged by the hour, used or not, stands beside as well: provisioned concurrency "
        "and kept snapshots, as provisioned_concurrency: and snapstart_versions: say under "
        "functions: in the configuration. Logs do not tell; where there is no such word for a "
        "function that used them, that is said. A pattern counts for each function it matches.\n\n"
        "Region, architecture and ephemeral storage are not in the logs of every function. Where "
        "they are not known, us-east-1 and x86_64 are assumed and the rows are marked: say what is "
        "true under cost: or functions: in the configuration and run fnscope db reprice, which "
        "makes "
        "the stored prices anew. Amounts of different currencies are never added.\n\n"
        "A function's cost here is its summed quantities times the price, rounded once to 12 "
        "decimals; query, top and metrics add up the invocations, each rounded so. The two differ "
        "by less than 10^-12 an invocation.",
    .examples = "fnscope cost --by day --since 7d\tcost of each of the last seven days\n"
                "fnscope cost --by function --free-tier -o csv\twhat a bill would make of it\n"
                "fnscope cost --explain 8d5958b5\tthe receipt of one request\n"
                "fnscope cost --usage month.yaml\tthe bill of a month as planned\n",
    .options = cost_option_defs,
    .options_size = sizeof(struct cost_options),
    .run = run_cost,
};
