/* Spreads free tier, volume tiers and savings plan over functions: usage of a part is stretched
 * to its month, billed by region and architecture through bill_make, and each function pays its
 * meter's share. List cost is its input and stays untouched. Pure. */
#include "analyzer/cost.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/mem.h"

#define MB_MS_PER_GB_S INT64_C(1024000)
#define MB_PER_GB      1024

/* What is billed together: one region, one architecture (or Lambda@Edge). */
struct pool {
    enum provider provider;
    struct str region, currency;
    const char *meter[METER_PARTS];
    wide quantity[METER_PARTS]; /* 10^-12 units a month */
    wide list[METER_PARTS];     /* what the functions' list costs say, 10^-12 a month */
    wide billed[METER_PARTS];
    bool lacks_plan; /* billed at list price where the plan has no rate */
};

struct effective {
    const struct cost_context *c;
    struct effective_options own, *o;
    struct arena arena;
    struct pool *pools;
    size_t n, cap;
    wide free_quantity[METER_PARTS], sharing[METER_PARTS];
    struct str free_currency;
    bool is_too_large;
};

struct effective *effective_new(const struct cost_context *c, const struct effective_options *o)
{
    struct effective *s = xcalloc(1, sizeof(*s));

    assert(o->range_ns > 0 && o->month_ns >= o->range_ns);
    s->c = c;
    s->own = *o;
    s->o = &s->own;
    return s;
}

void effective_free(struct effective *s)
{
    if (s)
        arena_clear(&s->arena);
    free(s);
}

/* a x b / by, rounded; remembers when it left the range. */
static wide scaled(struct effective *s, wide a, wide b, wide by)
{
    wide product = 0;

    if (wide_mul(a, b, &product, NULL) != OK)
        s->is_too_large = true;
    return wide_div_round(product, by);
}

static wide to_month(struct effective *s, wide v)
{
    const int64_t range_ns = s->o->range_ns > NS_PER_DAY ? s->o->range_ns : NS_PER_DAY;
    return scaled(s, v, s->o->month_ns / NS_PER_US, range_ns / NS_PER_US);
}

/* The free tier covers requests and on-demand duration, in the currency of its own list. */
static bool shares_free_tier(const struct effective *s, const struct pool *p, enum cost_part part)
{
    static const char *const names[] = {"Lambda-GB-Second", "Lambda-GB-Second-ARM", "Request",
                                        "Request-ARM"};
    if (!str_eq(p->currency, s->free_currency))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(str_from(p->meter[part]), str_from(names[i])))
            return true;
    return false;
}

/* As a row's functions are billed; currency is set where the pool is made. */
static struct pool pool_like(const struct effective *s, const struct cost_ops *ops,
                             const struct effective_row *row)
{
    const enum arch arch = cost_is_arm(s->c, row->fn, row->stats) ? ARCH_ARM64 : ARCH_X86_64;
    struct pool like = {.provider = row->fn->provider, .region = cost_region(s->c, row->fn)};

    for (size_t i = 0; i < METER_PARTS; i++)
        like.meter[i] = ops->meter((enum cost_part)i, row->fn, arch);
    return like;
}

static struct pool *find_pool(const struct effective *s, const struct pool *like)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->pools[i].meter[0] == like->meter[0] && s->pools[i].provider == like->provider &&
            str_eq(s->pools[i].region, like->region))
            return &s->pools[i];
    return NULL;
}

static struct pool *make_pool(struct effective *s, const struct cost_ops *ops,
                              const struct pool *like)
{
    s->pools = arena_grow(&s->arena, s->pools, s->n, &s->cap, sizeof(*s->pools));
    struct pool *p = &s->pools[s->n++];
    *p = *like;
    p->region = arena_str(&s->arena, like->region);
    p->currency = ops->currency(s->c->book, p->region, s->o->at_ns);
    return p;
}

static void add_row(struct effective *s, struct pool *p, const struct effective_row *row)
{
    const struct stats *st = row->stats;
    const wide units[METER_PARTS] = {
        [PART_DURATION] = scaled(s, st->mb_ms - st->provisioned_mb_ms, MONEY_UNIT, MB_MS_PER_GB_S),
        [PART_REQUEST] = (wide)stats_requests(st, s->c->keeps_stored) * MONEY_UNIT,
        [PART_STORAGE] = scaled(s, st->storage_mb_ms, MONEY_UNIT, MB_MS_PER_GB_S),
        [PART_RESTORE] = scaled(s, st->restored_mb, MONEY_UNIT, MB_PER_GB),
        [PART_PROVISIONED] = scaled(s, st->provisioned_mb_ms, MONEY_UNIT, MB_MS_PER_GB_S),
    };
    const wide list[METER_PARTS] = {
        [PART_DURATION] = row->list.duration - row->list.provisioned,
        [PART_REQUEST] = row->list.request,
        [PART_STORAGE] = row->list.storage,
        [PART_RESTORE] = row->list.restore,
        [PART_PROVISIONED] = row->list.provisioned,
    };

    for (size_t i = 0; i < METER_PARTS; i++) {
        p->quantity[i] += to_month(s, units[i]);
        p->list[i] += to_month(s, list[i]);
    }
}

/* How much of an allowance of `all` falls to a pool, pro rata by quantity. */
static wide free_share(struct effective *s, const struct pool *p, enum cost_part part)
{
    const wide all = s->free_quantity[part], total = s->sharing[part];

    if (total == 0 || !shares_free_tier(s, p, part))
        return 0;
    if (total <= all)
        return p->quantity[part];
    /* whole units times 10^-12 units by 10^-3 units: 10^-9 exact */
    return scaled(s, p->quantity[part], all / MONEY_UNIT * 1000, total / (MONEY_UNIT / 1000));
}

static enum status bill_pool(struct effective *s, struct pool *p, struct err *e)
{
    for (size_t i = 0; i < METER_PARTS; i++) {
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

static void find_allowances(struct effective *s)
{
    static const char *const names[METER_PARTS] = {"Global-Lambda-GB-Second", "Global-Request",
                                                   NULL};
    const bool is_asked[METER_PARTS] = {s->o->free_compute, s->o->free_requests, false};

    for (size_t i = 0; i < METER_PARTS; i++) {
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

    out.provisioned =
        part_of(list->provisioned, p->billed[PART_PROVISIONED], p->list[PART_PROVISIONED]);
    out.duration = out.provisioned + part_of(list->duration - list->provisioned,
                                             p->billed[PART_DURATION], p->list[PART_DURATION]);
    out.request = part_of(list->request, p->billed[PART_REQUEST], p->list[PART_REQUEST]);
    out.storage = part_of(list->storage, p->billed[PART_STORAGE], p->list[PART_STORAGE]);
    out.restore = part_of(list->restore, p->billed[PART_RESTORE], p->list[PART_RESTORE]);
    out.total = out.duration + out.request + out.storage + out.restore;
    row->effective = out;
    row->lacks_plan = p->lacks_plan;
}

/* NULL: nothing of it is billed here. */
static const struct cost_ops *ops_of(const struct effective_row *row)
{
    return row->list.is_unpriced ? NULL : cost_ops_of(row->fn->provider);
}

void effective_add(struct effective *s, const struct effective_row *row)
{
    const struct cost_ops *ops = ops_of(row);

    if (ops == NULL)
        return;
    const struct pool like = pool_like(s, ops, row);
    struct pool *p = find_pool(s, &like);
    add_row(s, p ? p : make_pool(s, ops, &like), row);
}

enum status effective_bill(struct effective *s, struct err *e)
{
    struct err own = {0};

    e = e ? e : &own;
    find_allowances(s);
    for (size_t i = 0; i < s->n; i++)
        if (bill_pool(s, &s->pools[i], e) != OK)
            return e->code;
    return s->is_too_large ? err_set(e, ERR_LIMIT, "the usage of a month is beyond 128 bits") : OK;
}

void effective_give(const struct effective *s, struct effective_row *row)
{
    const struct cost_ops *ops = ops_of(row);

    row->effective = row->list;
    if (ops == NULL)
        return;
    const struct pool like = pool_like(s, ops, row);
    const struct pool *p = find_pool(s, &like);
    if (p)
        make_effective(p, row);
}
