/* Makes a period's bill from summed usage: free tier as a step of its own, monthly tiers, savings
 * plan rates. Quantities stay exact; each line is rounded once to 10 decimals. Knows meters only
 * where a rule names them (what the free tier and the plan cover). Pure. */
#include "analyzer/pricebook.h"

#include <assert.h>

#include "core/base/macros.h"

enum { MAX_TIERS = 16, BILL_DECIMALS = 10, MAX_METER = 120 };

/* The monthly free tier: which meters share an allowance. */
struct allowance {
    const char *meter; /* its row in the price book */
    const char *covers[2];
    bool is_requests;
};

static const struct allowance allowances[] = {
    {"Global-Request", {"Request", "Request-ARM"}, true},
    {"Global-Lambda-GB-Second", {"Lambda-GB-Second", "Lambda-GB-Second-ARM"}, false},
};

struct bill {
    const struct pricebook *book;
    const struct bill_input *in;
    struct arena *arena;
    struct cost_line *lines;
    size_t n, cap;
    wide allowance_left[ARRAY_LEN(allowances)];
    wide used[BILL_MAX_LINES]; /* quantity priced so far, by the meter's first usage */
    struct str currency;
};

static struct cost_line *add_line(struct bill *b, struct str meter, wide quantity,
                                  const struct price *price)
{
    b->lines = arena_grow(b->arena, b->lines, b->n, &b->cap, sizeof(*b->lines));
    struct cost_line *l = &b->lines[b->n++];
    *l = (struct cost_line){
        .meter = meter,
        .unit = price != NULL ? price->unit : (struct str){0},
        .quantity = quantity,
        .price = price,
        .is_estimated = price == NULL || str_eq(price->confidence, STR("inferred")) ||
                        str_eq(price->confidence, STR("recalled")),
    };
    return l;
}

static enum status price_line(struct bill *b, struct cost_line *l, struct err *e)
{
    const wide step = 100; /* 10^-12 to 10^-10 */
    wide product = 0;

    if (b->currency.n == 0)
        b->currency = l->price->currency;
    if (!str_eq(b->currency, l->price->currency))
        return err_set(e, ERR_CONFIG, "a bill mixes " STR_FMT " and " STR_FMT, STR_ARG(b->currency),
                       STR_ARG(l->price->currency));
    if (wide_mul(l->quantity, l->price->unit_price, &product, e) != OK)
        return err_wrap(e, "meter " STR_FMT, STR_ARG(l->meter));
    return money_narrow(wide_div_round(product, MONEY_UNIT * step) * step, &l->amount, e);
}

static bool is_covered(const struct allowance *a, struct str meter)
{
    return str_eq(meter, str_from(a->covers[0])) || str_eq(meter, str_from(a->covers[1]));
}

/* A free tier in another currency belongs to another price list: China has none here. */
static const struct price *free_row(const struct bill *b, const struct allowance *a,
                                    const struct price *paid)
{
    const bool is_asked = a->is_requests ? b->in->free_requests : b->in->free_compute;
    if (!is_asked || paid == NULL)
        return NULL;
    const struct price *row =
        pricebook_find(b->book, b->in->provider, str_from(a->meter), b->in->region, b->in->at_ns);
    return row != NULL && str_eq(row->currency, paid->currency) ? row : NULL;
}

/* Takes what the free tier covers off the quantity and writes the line that says so. */
static wide take_free(struct bill *b, struct str meter, const struct price *paid, wide quantity)
{
    for (size_t i = 0; i < ARRAY_LEN(allowances); i++) {
        const struct price *row = free_row(b, &allowances[i], paid);
        if (row == NULL || !is_covered(&allowances[i], meter))
            continue;
        const wide taken = quantity < b->allowance_left[i] ? quantity : b->allowance_left[i];
        if (taken == 0)
            continue;
        b->allowance_left[i] -= taken;
        quantity -= taken;
        add_line(b, row->meter, taken, row)->rounding = STR("monthly free tier, taken off first");
    }
    return quantity;
}

static void fill_allowances(struct bill *b)
{
    for (size_t i = 0; i < ARRAY_LEN(allowances); i++) {
        const struct price *row = pricebook_find(
            b->book, b->in->provider, str_from(allowances[i].meter), b->in->region, b->in->at_ns);
        wide all = row != NULL ? row->tier_end : 0;
        if (b->in->free_permille > 0)
            all = all * b->in->free_permille / 1000;
        b->allowance_left[i] = all;
    }
}

static const struct price *plan_row(const struct bill *b, struct str meter)
{
    struct buf name;
    const struct price *row = NULL;

    if (b->in->savings_plan.n == 0)
        return NULL;
    buf_init(&name, MAX_METER);
    buf_addf(&name, "SavingsPlan:" STR_FMT ":" STR_FMT, STR_ARG(b->in->savings_plan),
             STR_ARG(meter));
    if (!name.is_full)
        row = pricebook_find(b->book, b->in->provider, buf_str(&name), b->in->region, b->in->at_ns);
    buf_clear(&name);
    return row;
}

/* Compute Savings Plans cover durations and provisioned concurrency; nothing else of Lambda here.
 */
static bool plan_covers(struct str meter)
{
    static const char *const covered[] = {
        "Lambda-GB-Second",
        "Lambda-GB-Second-ARM",
        "Lambda-Provisioned-Concurrency",
        "Lambda-Provisioned-Concurrency-ARM",
        "Lambda-Provisioned-GB-Second",
        "Lambda-Provisioned-GB-Second-ARM",
    };
    for (size_t i = 0; i < ARRAY_LEN(covered); i++)
        if (str_eq(meter, str_from(covered[i])))
            return true;
    return false;
}

/* What of this meter was priced by earlier usage lines: tiers go on there. */
static wide *used_of(struct bill *b, size_t usage)
{
    for (size_t i = 0; i < usage; i++)
        if (str_eq(str_from(b->in->usage[i].meter), str_from(b->in->usage[usage].meter)))
            return &b->used[i];
    return &b->used[usage];
}

static enum status price_tiers(struct bill *b, const struct price *const *tiers, size_t n_tiers,
                               size_t usage, wide quantity, struct err *e)
{
    const struct str meter = str_from(b->in->usage[usage].meter);
    wide *used = used_of(b, usage);
    wide left = quantity;

    for (size_t i = 0; i < n_tiers; i++) {
        const bool is_last = i + 1 == n_tiers || tiers[i]->tier_end == 0;
        const wide room = is_last ? left : tiers[i]->tier_end - *used;
        const wide here = left < room ? left : room;
        if (here <= 0 && !(quantity == 0 && i == 0))
            continue;
        struct cost_line *l = add_line(b, meter, here, tiers[i]);
        l->rounding = b->in->usage[usage].rounding;
        if (price_line(b, l, e) != OK)
            return e->code;
        *used += here;
        left -= here;
    }
    assert(left == 0);
    return OK;
}

static enum status bill_usage(struct bill *b, size_t usage, struct err *e)
{
    const struct price *tiers[MAX_TIERS];
    const struct str meter = str_from(b->in->usage[usage].meter);
    const struct price *first =
        pricebook_find(b->book, b->in->provider, meter, b->in->region, b->in->at_ns);
    wide quantity = b->in->usage[usage].quantity;

    assert(quantity >= 0);
    const wide given = b->in->usage[usage].free_quantity;
    quantity -= given < quantity ? given : quantity;
    quantity = take_free(b, meter, first, quantity);
    if (first == NULL) {
        add_line(b, meter, quantity, NULL)->rounding =
            STR("not priced: the price book has no row for this meter, region and date");
        return OK;
    }
    const struct price *plan = plan_row(b, meter);
    if (plan != NULL)
        return price_tiers(b, &plan, 1, usage, quantity, e);
    const size_t n = pricebook_tiers(b->book, first, tiers, ARRAY_LEN(tiers));
    const size_t n_before = b->n;
    if (price_tiers(b, tiers, n, usage, quantity, e) != OK)
        return e->code;
    for (size_t i = n_before; i < b->n && b->in->savings_plan.n > 0; i++)
        b->lines[i].lacks_plan = plan_covers(meter) && b->lines[i].quantity > 0;
    return OK;
}

enum status bill_make(const struct pricebook *p, const struct bill_input *in, struct arena *a,
                      struct cost_lines *out, struct err *e)
{
    struct bill b = {.book = p, .in = in, .arena = a};
    struct err own = {0};
    money sum = 0;

    if (e == NULL)
        e = &own;
    assert(in->n_usage <= BILL_MAX_LINES);
    fill_allowances(&b);
    for (size_t i = 0; i < in->n_usage; i++)
        if (bill_usage(&b, i, e) != OK)
            return e->code;
    for (size_t i = 0; i < b.n; i++)
        if (money_add(sum, b.lines[i].amount, &sum, e) != OK)
            return err_wrap(e, "total of the bill");
    *out = (struct cost_lines){.lines = b.lines, .n = b.n, .total = sum};
    return OK;
}
