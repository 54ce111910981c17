/* Spreads free tier, volume tiers and savings plan over functions: usage of a part is stretched
 * to its month, billed by region and architecture through bill_make, and each function pays its
 * meter's share. Owns nothing; list cost is its input and stays untouched. Pure. */
#include "analyzer/cost.h"

#include <assert.h>

#include "core/base/clock.h"
#include "core/base/macros.h"

#define MB_MS_PER_GB_S INT64_C(1024000)
#define MB_PER_GB      1024

/* What is billed together: one region, one architecture (or Lambda@Edge). */
struct pool {
    enum provider provider;
    struct str region, currency;
    const char *meter[COST_PARTS];
    wide quantity[COST_PARTS]; /* 10^-12 units a month */
    wide list[COST_PARTS];     /* what the functions' list costs say, 10^-12 a month */
    wide billed[COST_PARTS];
    bool lacks_plan; /* billed at list price where the plan has no rate */
};

struct spread {
    const struct cost_context *c;
    const struct effective_options *o;
    struct arena arena;
    struct pool *pools;
    size_t n, cap;
    size_t *pool_of; /* by row */
    wide free_quantity[COST_PARTS], sharing[COST_PARTS];
    struct str free_currency;
    bool is_too_large;
};

static void spread_clear(struct spread *s)
{
    arena_clear(&s->arena);
}

/* a x b / by, rounded; remembers when it left the range. */
static wide scaled(struct spread *s, wide a, wide b, wide by)
{
    wide product = 0;

    if (wide_mul(a, b, &product, NULL) != OK)
        s->is_too_large = true;
    return wide_div_round(product, by);
}

static wide to_month(struct spread *s, wide v)
{
    const int64_t range_ns = s->o->range_ns > NS_PER_DAY ? s->o->range_ns : NS_PER_DAY;
    return scaled(s, v, s->o->month_ns / NS_PER_US, range_ns / NS_PER_US);
}

/* The free tier covers requests and on-demand duration, in the currency of its own list. */
static bool shares_free_tier(const struct spread *s, const struct pool *p, enum cost_part part)
{
    static const char *const names[] = {"Lambda-GB-Second", "Lambda-GB-Second-ARM", "Request",
                                        "Request-ARM"};
    if (part >= PART_STORAGE || !str_eq(p->currency, s->free_currency))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(str_from(p->meter[part]), str_from(names[i])))
            return true;
    return false;
}

static size_t pool_for(struct spread *s, const struct cost_ops *ops, const struct fn_ref *fn,
                       bool is_arm)
{
    const enum arch arch = is_arm ? ARCH_ARM64 : ARCH_X86_64;
    const struct str region = cost_region(s->c, fn);
    struct pool like = {.provider = fn->provider,
                        .region = region,
                        .currency = ops->currency(s->c->book, region, s->o->at_ns)};

    for (size_t i = 0; i < COST_PARTS; i++)
        like.meter[i] = ops->meter((enum cost_part)i, fn, arch);
    for (size_t i = 0; i < s->n; i++)
        if (s->pools[i].meter[0] == like.meter[0] && s->pools[i].provider == like.provider &&
            str_eq(s->pools[i].region, region))
            return i;
    s->pools = arena_grow(&s->arena, s->pools, s->n, &s->cap, sizeof(*s->pools));
    s->pools[s->n] = like;
    return s->n++;
}

static void add_row(struct spread *s, struct pool *p, const struct effective_row *row)
{
    const struct stats *st = row->stats;
    const uint64_t not_billed = st->outcome[OUTCOME_THROTTLED] + st->outcome[OUTCOME_UNKNOWN];
    const wide units[COST_PARTS] = {
        [PART_DURATION] = scaled(s, st->mb_ms, MONEY_UNIT, MB_MS_PER_GB_S),
        [PART_REQUEST] = (wide)(st->n - not_billed) * MONEY_UNIT,
        [PART_STORAGE] = scaled(s, st->storage_mb_ms, MONEY_UNIT, MB_MS_PER_GB_S),
        [PART_RESTORE] = scaled(s, st->restored_mb, MONEY_UNIT, MB_PER_GB),
    };
    const wide list[COST_PARTS] = {row->list.duration, row->list.request, row->list.storage,
                                   row->list.restore};

    for (size_t i = 0; i < COST_PARTS; i++) {
        p->quantity[i] += to_month(s, units[i]);
        p->list[i] += to_month(s, list[i]);
    }
}

/* How much of an allowance of `all` falls to a pool, pro rata by quantity. */
static wide free_share(struct spread *s, const struct pool *p, enum cost_part part)
{
    const wide all = s->free_quantity[part], total = s->sharing[part];

    if (total == 0 || !shares_free_tier(s, p, part))
        return 0;
    if (total <= all)
        return p->quantity[part];
    /* whole units times 10^-12 units by 10^-3 units: 10^-9 exact */
    return scaled(s, p->quantity[part], all / MONEY_UNIT * 1000, total / (MONEY_UNIT / 1000));
}

static enum status bill_pool(struct spread *s, struct pool *p, struct err *e)
{
    for (size_t i = 0; i < COST_PARTS; i++) {
        struct bill_input in = {.provider = p->provider,
                                .region = p->region,
                                .at_ns = s->o->at_ns,
                                .savings_plan = s->o->savings_plan,
                                .n_usage = 1};
        struct cost_lines bill = {0};
        in.usage[0].meter = p->meter[i];
        in.usage[0].quantity = p->quantity[i];
        in.usage[0].free_quantity = free_share(s, p, (enum cost_part)i);
        if (bill_make(s->c->book, &in, &s->arena, &bill, e) != OK)
            return err_wrap(e, "region " STR_FMT, STR_ARG(p->region));
        p->billed[i] = bill.total;
        for (size_t k = 0; k < bill.n; k++)
            p->lacks_plan = p->lacks_plan || bill.lines[k].lacks_plan;
    }
    return OK;
}

static void find_allowances(struct spread *s)
{
    static const char *const names[COST_PARTS] = {"Global-Lambda-GB-Second", "Global-Request",
                                                  NULL};
    const bool is_asked[COST_PARTS] = {s->o->free_compute, s->o->free_requests, false};

    for (size_t i = 0; i < COST_PARTS; i++) {
        if (!is_asked[i])
            continue;
        const struct price *row = pricebook_find(s->c->book, PROVIDER_AWS, str_from(names[i]),
                                                 STR("us-east-1"), s->o->at_ns);
        if (row == NULL)
            continue;
        s->free_quantity[i] = row->tier_end;
        s->free_currency = row->currency;
        for (size_t k = 0; k < s->n; k++)
            if (shares_free_tier(s, &s->pools[k], (enum cost_part)i))
                s->sharing[i] += s->pools[k].quantity[i];
    }
}

/* What a row pays of its pool's bill. */
static wide part_of(wide list, wide billed, wide of)
{
    return of > 0 ? wide_ratio(list, billed, of) : list;
}

static void make_effective(const struct pool *p, struct effective_row *row)
{
    const struct stats_cost *list = &row->list;
    struct stats_cost out = *list;

    out.duration = part_of(list->duration, p->billed[PART_DURATION], p->list[PART_DURATION]);
    out.request = part_of(list->request, p->billed[PART_REQUEST], p->list[PART_REQUEST]);
    out.storage = part_of(list->storage, p->billed[PART_STORAGE], p->list[PART_STORAGE]);
    out.restore = part_of(list->restore, p->billed[PART_RESTORE], p->list[PART_RESTORE]);
    out.total = out.duration + out.request + out.storage + out.restore;
    row->effective = out;
    row->lacks_plan = p->lacks_plan;
}

static enum status spread_rows(struct spread *s, struct effective_row *rows, size_t n,
                               struct err *e)
{
    assert(s->n == 0 && s->o->range_ns > 0);
    s->pool_of = arena_new(&s->arena, size_t, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) {
        const struct cost_ops *ops = cost_ops_of(rows[i].fn->provider);
        s->pool_of[i] = SIZE_MAX;
        if (ops == NULL || rows[i].list.is_unpriced)
            continue;
        s->pool_of[i] = pool_for(s, ops, rows[i].fn, cost_is_arm(s->c, rows[i].fn, rows[i].stats));
        add_row(s, &s->pools[s->pool_of[i]], &rows[i]);
    }
    find_allowances(s);
    for (size_t i = 0; i < s->n; i++)
        if (bill_pool(s, &s->pools[i], e) != OK)
            return e->code;
    if (s->is_too_large)
        return err_set(e, ERR_LIMIT, "the usage of a month is beyond 128 bits");
    for (size_t i = 0; i < n; i++) {
        rows[i].effective = rows[i].list;
        if (s->pool_of[i] != SIZE_MAX)
            make_effective(&s->pools[s->pool_of[i]], &rows[i]);
    }
    return OK;
}

enum status cost_effective(const struct cost_context *c, const struct effective_options *o,
                           struct effective_row *rows, size_t n, struct err *e)
{
    assert(o->range_ns > 0 && o->month_ns >= o->range_ns);
    AUTO(spread_clear) struct spread s = {.c = c, .o = o};
    struct err own = {0};

    if (e == NULL)
        e = &own;
    arena_init(&s.arena);
    return spread_rows(&s, rows, n, e);
}
