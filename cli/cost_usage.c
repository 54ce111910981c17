/* The bill of a usage file: reads it, has the analyzer make the lines, prints them with their price
 * rows. Needs no store. */
#include "cli/cost_views.h"

#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "core/base/yaml.h"

enum { MAX_FILE_BYTES = 16 << 20, CENTS = 2 };

static const struct table_column columns[] = {
    {.name = "case", .max_width = 32},
    {.name = "meter"},
    {.name = "quantity", .is_right = true},
    {.name = "unit"},
    {.name = "unit_price", .is_right = true},
    {.name = "amount", .is_right = true},
    {.name = "currency"},
    {.name = "price_retrieved"},
    {.name = "price_confidence"},
    {.name = "rounding", .max_width = 60},
};
enum {
    C_CASE,
    C_METER,
    C_QUANTITY,
    C_UNIT,
    C_UNIT_PRICE,
    C_AMOUNT,
    C_CURRENCY,
    C_RETRIEVED,
    C_CONFIDENCE,
    C_ROUNDING
};

static void add_line(struct table *t, struct str id, const struct cost_line *l)
{
    table_row(t);
    table_text(t, C_CASE, id);
    table_text(t, C_METER, l->meter);
    cost_quantity_cell(t, C_QUANTITY, l->quantity);
    table_text(t, C_ROUNDING,
               l->lacks_plan ? arena_printf(t->arena,
                                            STR_FMT "; no rate of the savings plan: list "
                                                    "price",
                                            STR_ARG(l->rounding))
                             : l->rounding);
    if (l->price == NULL)
        return;
    table_text(t, C_UNIT, l->unit);
    cost_exact_cell(t, C_UNIT_PRICE, l->price->unit_price);
    cost_exact_cell(t, C_AMOUNT, l->amount);
    table_text(t, C_CURRENCY, l->price->currency);
    table_text(t, C_RETRIEVED, l->price->retrieved);
    table_text(t, C_CONFIDENCE, l->price->confidence);
}

/* Exact in machine formats, in cents for people. */
static void add_total(struct table *t, struct str id, money total, struct str currency,
                      size_t n_unpriced)
{
    AUTO(buf_clear) struct buf raw = {.max = 64};
    AUTO(buf_clear) struct buf shown = {.max = 64};
    money_format_exact(&raw, total);
    money_format(&shown, total, CENTS);
    table_row(t);
    table_text(t, C_CASE, id);
    table_text(t, C_METER, STR("total"));
    table_money(t, C_AMOUNT, arena_str(t->arena, buf_str(&raw)),
                arena_str(t->arena, buf_str(&shown)));
    table_text(t, C_CURRENCY, currency);
    if (n_unpriced > 0)
        table_text(t, C_ROUNDING,
                   arena_printf(t->arena, "incomplete: %zu %s not priced", n_unpriced,
                                plural(n_unpriced, "line is", "lines are")));
}

/* The plan's rates are known for few regions: what was billed at list price is said. */
static void note_plan(struct cli *c, const struct usage_case *k, const struct cost_lines *made)
{
    size_t n = 0;

    for (size_t i = 0; i < made->n; i++)
        n += made->lines[i].lacks_plan;
    if (n > 0)
        cost_hint(
            c,
            STR_FMT ": savings_plan: the price book has no " STR_FMT " rate for %zu %s in "
                    "region " STR_FMT ": billed at list price; name a plan or region with rates, "
                    "or add rows SavingsPlan:" STR_FMT ":METER to the book (--prices)",
            STR_ARG(k->plan_place), STR_ARG(k->bill.savings_plan), n, plural(n, "line", "lines"),
            STR_ARG(k->bill.region), STR_ARG(k->bill.savings_plan));
}

static enum status bill_case(struct cli *c, const struct pricebook *book,
                             const struct usage_case *k, struct table *t, struct err *e)
{
    struct cost_lines made = {0};
    struct str currency = {0};
    size_t n_unpriced = 0;

    if (bill_make(book, &k->bill, c->arena, &made, e) != OK)
        return err_wrap(e, "case " STR_FMT, STR_ARG(k->id));
    for (size_t i = 0; i < made.n; i++) {
        add_line(t, k->id, &made.lines[i]);
        n_unpriced += made.lines[i].price == NULL;
        if (made.lines[i].price != NULL)
            currency = made.lines[i].price->currency;
    }
    add_total(t, k->id, made.total, currency, n_unpriced);
    note_plan(c, k, &made);
    if (n_unpriced > 0)
        cost_hint(c,
                  "case " STR_FMT ": %zu %s no price in region " STR_FMT ": the total is too low",
                  STR_ARG(k->id), n_unpriced, plural(n_unpriced, "line has", "lines have"),
                  STR_ARG(k->bill.region));
    return OK;
}

/* What a file came to: cases left out, and the first that could not be billed. */
struct tally {
    size_t n_skipped, n_failed;
    struct err first;
};

/* A case that fails costs no other its bill. */
static void try_case(struct cli *c, const struct pricebook *book, const struct usage_case *k,
                     struct table *t, struct tally *y)
{
    struct err own = {0};
    enum status s = OK;

    if (k->problem.n > 0)
        s = err_set(&own, ERR_CONFIG, STR_FMT, STR_ARG(k->problem));
    else if (!k->is_covered)
        y->n_skipped++;
    else
        s = bill_case(c, book, k, t, &own);
    if (k->unused.n > 0 && s == OK)
        cost_hint(c, STR_FMT "%sinputs that are not billed: " STR_FMT, STR_ARG(k->id),
                  k->id.n > 0 ? ": " : "", STR_ARG(k->unused));
    if (s == OK)
        return;
    if (y->n_failed++ == 0)
        y->first = own;
    else
        cost_hint(c, "%s", own.msg);
}

static enum status bill_cases(struct cli *c, const struct pricebook *book,
                              const struct usage_cases *u, struct err *e)
{
    struct table t;
    struct tally y = {0};

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.bill", 1);
    for (size_t i = 0; i < u->n; i++)
        try_case(c, book, &u->cases[i], &t, &y);
    if (y.n_skipped == u->n && u->n > 0)
        return err_set(e, ERR_CONFIG,
                       "the price book covers no service of the file; it knows lambda, "
                       "lambda@edge, lambda-microvm and cloudwatch-logs of aws");
    if (y.n_skipped > 0)
        cost_hint(c, "%zu of %zu %s of services without prices and left out", y.n_skipped, u->n,
                  plural(u->n, "case is", "cases are"));
    if (y.n_failed < u->n || u->n == 0)
        cli_print_table(c, &t);
    if (y.n_failed == 0)
        return OK;
    if (u->n > 1)
        return err_set(e, y.first.code, "%zu of %zu cases are not billed: %s", y.n_failed, u->n,
                       y.first.msg);
    return err_set(e, y.first.code, "%s", y.first.msg);
}

static enum status read_usage(struct cli *c, struct str path, struct yaml_node **root,
                              struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = MAX_FILE_BYTES};
    const bool is_stdin = str_eq(path, STR("-"));
    const char *name = is_stdin ? "standard input" : arena_strz(c->arena, path);
    if (file_read(is_stdin ? "/dev/stdin" : name, &text, e) != OK)
        return err_wrap(e, "usage");
    if (yaml_parse(c->arena, arena_str(c->arena, buf_str(&text)), name, root, e) != OK)
        return e->code;
    return *root != NULL ? OK : err_set(e, ERR_CONFIG, "%s: nothing in it", name);
}

static enum status run_usage(struct cli *c, struct str path, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    struct yaml_node *root = NULL;
    struct usage_cases u = {0};

    if (read_usage(c, path, &root, e) != OK || cli_cost_open(c, NULL, &cost, e) != OK)
        return e->code;
    const struct usage_options o = {
        .book = cost.book,
        .default_region = cost.context.default_region,
        .at_ns = clock_now(&c->clock),
    };
    const char *name = arena_strz(c->arena, path);
    if (usage_read(&o, c->arena, root, name, &u, e) != OK)
        return e->code;
    return bill_cases(c, cost.book, &u, e);
}

int cost_usage(struct cli *c, const struct cost_options *o, struct err *e)
{
    const enum status s = run_usage(c, o->usage, e);

    if (s == OK)
        return EXIT_DONE;
    return s == ERR_CONFIG || s == ERR_PARSE ? EXIT_USAGE : EXIT_FAILED;
}
