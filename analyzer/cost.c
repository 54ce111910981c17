/* Prices invocations and sums: finds out region, architecture and storage from evidence, rules,
 * stored configs and defaults, and asks the provider's file for the amounts. Knows no meter names
 * and no rules of a provider. Pure. */
#include "analyzer/cost.h"

#include <assert.h>
#include <stdlib.h>

#include "analyzer/pricebook.h"
#include "core/base/macros.h"
#include "core/base/map.h"
#include "core/base/mem.h"

#define MB              (UINT64_C(1) << 20)
#define DEFAULT_STORAGE (512 * MB)
#define EV_RESTORE_BITS ((uint32_t)(EV_RESTORE_FREE | EV_RESTORE_BILLED))

static const struct cost_ops *const providers[] = {&cost_aws};

const struct cost_ops *cost_ops_of(enum provider provider)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (providers[i]->provider == provider)
            return providers[i];
    return NULL;
}

/* A plain name is more exact than any pattern, a pattern the more so the more of a name it says. */
static size_t exactness(struct str glob)
{
    size_t literal = 0;

    for (size_t i = 0; i < glob.n; i++)
        literal += glob.p[i] != '*' && glob.p[i] != '?' && glob.p[i] != '[';
    return literal == glob.n ? SIZE_MAX : literal + 1;
}

/* A rule says something, and more exactly than the one before that did. */
static bool is_more_exact(bool is_said, size_t exact, size_t *best)
{
    if (!is_said || exact <= *best)
        return false;
    *best = exact;
    return true;
}

static bool rule_fits(const struct fn_rule *r, const struct fn_ref *fn)
{
    const bool is_other = r->account.n > 0 && fn->account.n > 0 && !str_eq(r->account, fn->account);
    return !is_other && str_glob(r->name_glob, fn->name);
}

/* What all rules that fit say together; of two that say the same, the more exact one holds, and of
 * equals the first. */
static struct fn_rule rule_for(const struct cost_context *c, const struct fn_ref *fn)
{
    struct fn_rule out = {0};
    struct {
        size_t region, arch, storage, runtime, provisioned, snapshots;
    } best = {0};

    for (size_t i = 0; i < c->n_rules; i++) {
        const struct fn_rule *r = &c->rules[i];
        const size_t exact = exactness(r->name_glob);
        if (!rule_fits(r, fn))
            continue;
        if (is_more_exact(r->region.n > 0, exact, &best.region))
            out.region = r->region;
        if (is_more_exact(r->arch != ARCH_UNKNOWN, exact, &best.arch))
            out.arch = r->arch;
        if (is_more_exact(r->storage_bytes > 0, exact, &best.storage))
            out.storage_bytes = r->storage_bytes;
        if (is_more_exact(r->runtime.n > 0, exact, &best.runtime))
            out.runtime = r->runtime;
        if (is_more_exact(r->provisioned.is_said, exact, &best.provisioned))
            out.provisioned = r->provisioned;
        if (is_more_exact(r->snapshots.is_said, exact, &best.snapshots))
            out.snapshots = r->snapshots;
    }
    return out;
}

/* Chains of configs with the same hash of their function. */
struct cost_index {
    const struct fn_config *configs;
    struct idmap first; /* hash -> position + 1 */
    size_t *next;       /* position + 1 of the next in the chain; 0: none */
};

struct cost_index *cost_index_new(const struct fn_config *configs, size_t n)
{
    struct cost_index *x = xcalloc(1, sizeof(*x));

    x->configs = configs;
    x->next = xcalloc(n > 0 ? n : 1, sizeof(*x->next));
    idmap_init(&x->first);
    for (size_t i = n; i-- > 0;) { /* so that chains keep the order of the array */
        uint64_t *slot = idmap_put(&x->first, fn_hash(&configs[i].fn), NULL);
        x->next[i] = (size_t)*slot;
        *slot = i + 1;
    }
    return x;
}

void cost_index_free(struct cost_index *x)
{
    if (x == NULL)
        return;
    idmap_clear(&x->first);
    free(x->next);
    free(x);
}

/* Position + 1 of the first config that may be the function's, or of the one after `at`. */
static size_t next_config(const struct cost_context *c, const struct fn_ref *fn, size_t at)
{
    if (c->index == NULL)
        return at < c->n_configs ? at + 1 : 0;
    if (at > 0)
        return c->index->next[at - 1];
    const uint64_t *slot = idmap_get(&c->index->first, fn_hash(fn));
    return slot != NULL ? (size_t)*slot : 0;
}

static bool is_better(const struct fn_config *k, const struct fn_config *best, int64_t at_ns)
{
    if (best == NULL)
        return true;
    const bool is_in_force = k->valid_from_ns <= at_ns;
    const bool is_best_in_force = best->valid_from_ns <= at_ns;
    const bool is_newer = k->valid_from_ns > best->valid_from_ns;
    return is_in_force == is_best_in_force ? is_newer == is_in_force : is_in_force;
}

/* The newest config in force at the time; when all are newer, the oldest stands for what was. */
static const struct fn_config *config_for(const struct cost_context *c, const struct fn_ref *fn,
                                          int64_t at_ns)
{
    const struct fn_config *best = NULL;

    for (size_t i = 0; c->n_configs > 0 && (i = next_config(c, fn, i)) != 0;) {
        const struct fn_config *k = &c->configs[i - 1];
        if (fn_eq(&k->fn, fn) && is_better(k, best, at_ns))
            best = k;
    }
    return best;
}

static enum arch first_arch(enum arch a, enum arch b, enum arch c)
{
    return a != ARCH_UNKNOWN ? a : b != ARCH_UNKNOWN ? b : c;
}

static struct str region_for(const struct cost_context *c, const struct fn_ref *fn, struct str rule,
                             bool *is_assumed)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    struct str region = fn->region.n > 0 ? fn->region : rule;

    if (region.n == 0) {
        region = c->default_region.n > 0 ? c->default_region : STR("us-east-1");
        *is_assumed = *is_assumed || !c->is_region_said;
    }
    if (ops != NULL && ops->is_global(fn) && str_starts(region, STR("cn-")))
        region = STR("us-east-1"); /* China has no Lambda@Edge: the region was told wrongly */
    return region;
}

struct cost_facts cost_facts_of(const struct cost_context *c, const struct fn_ref *fn,
                                int64_t at_ns, enum arch seen)
{
    static const struct fn_config no_config = {0};
    const struct fn_rule rule = rule_for(c, fn);
    const struct fn_config *config = config_for(c, fn, at_ns);
    struct cost_facts f = {0};

    if (config == NULL)
        config = &no_config;
    f.is_assumed = config->is_assumed;
    f.keeps_stored = c->keeps_stored;
    f.region = region_for(c, fn, rule.region, &f.is_assumed);
    f.arch = first_arch(seen, rule.arch, config->arch);
    f.is_arch_stated = !c->keeps_stored && (rule.arch != ARCH_UNKNOWN ||
                                            (config->arch == ARCH_UNKNOWN && c->is_arch_said));
    if (f.arch == ARCH_UNKNOWN) {
        f.arch = c->default_arch != ARCH_UNKNOWN ? c->default_arch : ARCH_X86_64;
        f.is_assumed = f.is_assumed || !c->is_arch_said;
    }
    f.storage_bytes = rule.storage_bytes > 0 ? rule.storage_bytes : config->ephemeral_storage_bytes;
    if (f.storage_bytes == 0)
        f.storage_bytes = DEFAULT_STORAGE;
    f.provisioned = rule.provisioned;
    f.snapshots = rule.snapshots;
    f.runtime = runtime_kind_of(rule.runtime.n > 0 ? rule.runtime : config->runtime);
    return f;
}

/* A restore that was priced stays what it was; else what the environment's own lines say counts
 * more than what is configured. */
static enum runtime_kind runtime_of_invocation(const struct invocation *inv, bool is_kept,
                                               enum runtime_kind configured)
{
    const uint32_t java = is_kept ? EV_RESTORE_FREE : EV_JAVA_RUNTIME;
    const uint32_t other = is_kept ? EV_RESTORE_BILLED : EV_OTHER_RUNTIME;

    if ((inv->evidence & (java | other)) != 0)
        return (inv->evidence & java) != 0 ? RUNTIME_JAVA : RUNTIME_OTHER;
    return is_kept ? RUNTIME_UNKNOWN : configured;
}

/* An architecture that an earlier pricing only assumed is no evidence. */
static struct cost_facts facts_of_invocation(const struct cost_context *c,
                                             const struct invocation *inv)
{
    const bool is_kept = c->keeps_stored && inv->is_priced;
    const bool was_assumed = (inv->evidence & EV_ASSUMED_CONFIG) != 0;
    struct cost_facts f = cost_facts_of(c, inv->origin->fn, inv->start_ns,
                                        was_assumed && !is_kept ? ARCH_UNKNOWN : inv->arch);

    if (is_kept && inv->storage_bytes > 0)
        f.storage_bytes = inv->storage_bytes;
    f.runtime = runtime_of_invocation(inv, is_kept, f.runtime);
    return f;
}

static uint64_t mixed(uint64_t h, uint64_t v)
{
    return str_hash((struct str){(const char *)&v, sizeof(v)}, h);
}

/* What is kept ready is priced when asked: no part of stored costs. */
static bool is_of_stored_costs(const struct fn_rule *r)
{
    return r->region.n > 0 || r->arch != ARCH_UNKNOWN || r->storage_bytes > 0 || r->runtime.n > 0;
}

static uint64_t rule_fingerprint(const struct fn_rule *r, uint64_t h)
{
    if (!is_of_stored_costs(r))
        return h;
    h = str_hash(r->name_glob, h);
    h = str_hash(r->region, h);
    h = str_hash(r->account, h);
    if (r->runtime.n > 0)
        h = str_hash(r->runtime, h);
    return mixed(mixed(h, r->arch), r->storage_bytes);
}

static uint64_t row_fingerprint(const struct price *p, uint64_t h)
{
    h = str_hash(p->meter, h);
    h = str_hash(p->region, h);
    h = mixed(h, (uint64_t)p->unit_price);
    h = mixed(h, (uint64_t)p->tier_begin);
    return mixed(mixed(h, (uint64_t)p->valid_from_ns), (uint64_t)p->valid_to_ns);
}

uint64_t cost_fingerprint(const struct cost_context *c)
{
    const struct price *row = NULL;
    uint64_t h = mixed(str_hash(c->default_region, 0), c->default_arch);

    for (size_t i = 0; i < c->n_rules; i++)
        h = rule_fingerprint(&c->rules[i], h);
    for (size_t i = 0; (i = pricebook_each(c->book, i, &row)) != 0;)
        if (!str_starts(row->meter, STR("API:"))) /* calls of our own: no part of stored costs */
            h = row_fingerprint(row, h);
    h &= (uint64_t)INT64_MAX & ~(uint64_t)PRICED_SAID; /* as a database keeps integers */
    return (h > 0 ? h : PRICED_SAID + 1) | (c->is_region_said ? PRICED_REGION_SAID : 0) |
           (c->is_arch_said ? PRICED_ARCH_SAID : 0);
}

enum status cost_share_price(struct cost_share *s, struct err *e)
{
    assert(s->divisor > 0);
    s->amount = 0;
    if (s->price == NULL)
        return OK;
    if (money_mul_div(s->units, s->price->unit_price, s->divisor, &s->amount, e) != OK)
        return err_wrap(e, "meter " STR_FMT, STR_ARG(s->meter));
    return OK;
}

/* What the price of an invocation is found with. */
struct pricing {
    const struct cost_ops *ops;
    const struct pricebook *book;
    struct cost_memo *before; /* NULL: there is none */
    struct cost_facts facts;
    struct invocation *inv; /* with what the facts say */
    struct arena *arena;    /* a receipt's; NULL: only the cost is wanted */
    bool is_assumed;
};

/* A restore is told whether its price is known, billed or not. */
static bool needs_price(const struct cost_share *s, enum cost_part part,
                        const struct invocation *inv)
{
    return s->units > 0 || (part == PART_RESTORE && inv->start == START_SNAPSTART);
}

_Static_assert(ARRAY_LEN(((struct cost_memo *)0)->rows) == COST_PARTS, "a row for each part");

/* Mostly that of the invocation before. */
static const struct price *find_price(const struct pricing *p, enum cost_part part,
                                      struct str meter)
{
    const struct price *last = p->before != NULL ? p->before->rows[part] : NULL;
    const int64_t at_ns = p->inv->start_ns;

    if (last != NULL && last->provider == p->ops->provider &&
        pricebook_gives(last, meter, p->facts.region, at_ns))
        return last;
    last = pricebook_find(p->book, p->ops->provider, meter, p->facts.region, at_ns);
    if (p->before != NULL)
        p->before->rows[part] = last;
    return last;
}

/* Of its meters an invocation mostly uses two. Only receipts tell the prices of the others. */
static enum status price_shares(const struct pricing *p, struct cost_share out[COST_PARTS],
                                struct err *e)
{
    enum status s = OK;

    assert(p->facts.region.n > 0);
    p->ops->shares(&p->facts, p->inv, out);
    for (size_t i = 0; s == OK && i < COST_PARTS; i++) {
        if (p->arena == NULL && !needs_price(&out[i], (enum cost_part)i, p->inv))
            continue;
        out[i].price = find_price(p, (enum cost_part)i, out[i].meter);
        s = cost_share_price(&out[i], e);
    }
    return s;
}

/* No price is needed where nothing was used. A restore without one is told apart. */
static bool is_priced(const struct cost_share shares[COST_PARTS])
{
    for (size_t i = 0; i < COST_PARTS; i++)
        if (shares[i].price == NULL && shares[i].units > 0 && i != PART_RESTORE)
            return false;
    return true;
}

/* Free or in the cost; 0: neither is known, or there is none. */
static uint32_t restore_evidence(const struct cost_facts *f, const struct invocation *inv,
                                 const struct cost_share *s)
{
    if (inv->start != START_SNAPSTART || f->runtime == RUNTIME_UNKNOWN)
        return 0;
    if (f->runtime == RUNTIME_JAVA)
        return EV_RESTORE_FREE;
    return s->price != NULL ? EV_RESTORE_BILLED : 0;
}

static bool can_be_priced(const struct invocation *inv)
{
    const bool is_metered = (inv->evidence & EV_NO_BILLING) == 0;
    const bool is_said = inv->billed_ns > 0 || (inv->evidence & EV_REPORT) != 0; /* 0 ms is said */
    const bool is_known = is_said && inv->memory_bytes > 0;
    return inv->outcome == OUTCOME_THROTTLED || !is_metered || is_known;
}

enum status cost_invocation(const struct cost_context *c, struct cost_memo *before,
                            struct invocation *inv, struct err *e)
{
    assert(inv->origin != NULL && inv->origin->fn != NULL);
    const struct cost_ops *ops = cost_ops_of(inv->origin->fn->provider);
    struct invocation priced = *inv;
    const struct pricing p = {ops,     c->book, before, facts_of_invocation(c, inv),
                              &priced, NULL,    false};
    struct cost_share shares[COST_PARTS] = {0};
    const bool has_price = ops != NULL && can_be_priced(inv);
    wide sum = 0;
    struct err own = {0};

    if (c->keeps_stored && inv->is_priced)
        return OK;
    if (e == NULL)
        e = &own;
    priced.arch = p.facts.arch;
    priced.storage_bytes = p.facts.storage_bytes;
    priced.evidence &= ~(EV_ASSUMED_CONFIG | EV_RESTORE_BITS);
    if (p.facts.is_assumed && !(ops != NULL && ops->is_global(inv->origin->fn)))
        priced.evidence |= EV_ASSUMED_CONFIG;
    if (has_price && price_shares(&p, shares, e) != OK)
        return err_wrap(e, "invocation " STR_FMT, STR_ARG(inv->id));
    for (size_t i = 0; i < COST_PARTS; i++)
        sum += shares[i].amount;
    priced.is_priced = has_price && is_priced(shares);
    priced.cost = 0;
    priced.cost_restore = 0;
    if (!priced.is_priced) {
        *inv = priced;
        return OK;
    }
    priced.evidence |= restore_evidence(&p.facts, &priced, &shares[PART_RESTORE]);
    if (money_narrow(sum, &priced.cost, e) != OK)
        return err_wrap(e, "invocation " STR_FMT, STR_ARG(inv->id));
    priced.cost_restore = shares[PART_RESTORE].amount;
    *inv = priced;
    return OK;
}

static bool is_weak(const struct price *p)
{
    return p != NULL &&
           (str_eq(p->confidence, STR("inferred")) || str_eq(p->confidence, STR("recalled")));
}

static struct cost_line line_of(const struct cost_share *s, bool is_assumed)
{
    return (struct cost_line){
        .meter = s->meter,
        .unit = s->price != NULL ? s->price->unit : s->unit,
        .quantity = wide_ratio(s->units, MONEY_UNIT, s->divisor),
        .price = s->price,
        .amount = s->amount,
        .is_estimated = is_assumed || is_weak(s->price),
    };
}

/* What stands beside the cost. */
static enum status add_logs(const struct pricing *p, uint64_t log_bytes, struct cost_lines *r,
                            struct err *e)
{
    struct cost_share s = {0};

    if (log_bytes == 0)
        return OK;
    if (p->ops->logs(p->book, p->facts.region, p->inv->start_ns, log_bytes, &s, e) != OK)
        return e->code;
    r->lines[r->n] = line_of(&s, p->is_assumed);
    r->lines[r->n++].rounding = arena_printf(
        p->arena, "%llu bytes of log / 10^9; beside the cost of the invocation, not in it",
        (unsigned long long)log_bytes);
    return OK;
}

static void add_part(const struct pricing *p, const struct cost_share *s, enum cost_part part,
                     struct cost_lines *r)
{
    r->lines[r->n] = line_of(s, p->is_assumed);
    r->lines[r->n++].rounding = p->ops->rounding(part, p->inv, p->arena);
}

/* Nobody knows whether it is billed, or at what price: what it would be stands beside. */
static enum status add_open_restore(const struct pricing *p, struct cost_lines *r, struct err *e)
{
    struct cost_share shares[COST_PARTS] = {0};
    struct pricing billed = *p;

    billed.facts.runtime = RUNTIME_OTHER;
    if (price_shares(&billed, shares, e) != OK)
        return e->code;
    add_part(p, &shares[PART_RESTORE], PART_RESTORE, r);
    r->lines[r->n - 1].is_estimated = true;
    return OK;
}

/* Only what was restored has a line of it; with its price or known to be free it is in the cost. */
static enum status make_receipt(const struct pricing *p, uint64_t log_bytes, struct cost_lines *out,
                                struct err *e)
{
    enum { BESIDE = 1 };
    struct cost_share shares[COST_PARTS] = {0};
    struct cost_lines r = {.lines = arena_new(p->arena, struct cost_line, COST_PARTS + BESIDE)};
    wide sum = 0;

    if (price_shares(p, shares, e) != OK)
        return e->code;
    const uint32_t known = restore_evidence(&p->facts, p->inv, &shares[PART_RESTORE]);
    p->inv->evidence = (p->inv->evidence & ~EV_RESTORE_BITS) | known;
    for (size_t i = 0; i < COST_PARTS; i++) {
        sum += shares[i].amount;
        if (i != PART_RESTORE || known != 0)
            add_part(p, &shares[i], (enum cost_part)i, &r);
    }
    r.n_in_cost = r.n;
    if (add_logs(p, log_bytes, &r, e) != OK || money_narrow(sum, &r.total, e) != OK)
        return e->code;
    if (p->inv->start == START_SNAPSTART && known == 0 && add_open_restore(p, &r, e) != OK)
        return e->code;
    *out = r;
    return OK;
}

enum status cost_receipt(const struct cost_context *c, const struct invocation *inv,
                         uint64_t log_bytes, struct arena *a, struct cost_lines *out, struct err *e)
{
    const struct fn_ref *fn = inv->origin->fn;
    struct invocation priced = *inv;
    struct pricing p = {.ops = cost_ops_of(fn->provider),
                        .book = c->book,
                        .facts = facts_of_invocation(c, inv),
                        .inv = &priced,
                        .arena = a};
    struct err own = {0};

    if (e == NULL)
        e = &own;
    if (p.ops == NULL)
        return err_set(e, ERR_NOT_FOUND, "provider %s has no prices yet",
                       provider_name(fn->provider));
    priced.arch = p.facts.arch;
    priced.storage_bytes = p.facts.storage_bytes;
    p.is_assumed = p.facts.is_assumed && !p.ops->is_global(fn);
    if (make_receipt(&p, log_bytes, out, e) != OK)
        return err_wrap(e, "invocation " STR_FMT, STR_ARG(inv->id));
    return OK;
}

enum status cost_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                          const struct stats *s, int64_t at_ns, struct stats_cost *out,
                          struct err *e)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    const struct cost_facts f = cost_facts_of(c, fn, at_ns, ARCH_UNKNOWN);
    const struct cost_period d = {.book = c->book, .facts = &f, .fn = fn, .at_ns = at_ns};
    struct stats_cost cost = {0};
    struct err own = {0};

    if (e == NULL)
        e = &own;
    if (ops == NULL) { /* what was stored is all there is */
        *out = (struct stats_cost){.total = s->cost, .duration = s->cost, .currency = STR("USD")};
        return OK;
    }
    if (ops->of_stats(&d, s, &cost, e) != OK)
        return err_wrap(e, "function " STR_FMT, STR_ARG(fn->name));
    cost.is_assumed = f.is_assumed && !ops->is_global(fn);
    cost.currency = ops->currency(c->book, f.region, at_ns);
    *out = cost;
    return OK;
}

enum status cost_of_stats_on_arm(const struct cost_context *c, const struct fn_ref *fn,
                                 const struct stats *s, int64_t at_ns, struct stats_cost *out,
                                 struct err *e)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    struct cost_facts f = cost_facts_of(c, fn, at_ns, ARCH_ARM64);
    const struct cost_period d = {.book = c->book, .facts = &f, .fn = fn, .at_ns = at_ns};

    assert(ops != NULL);
    f.arch = ARCH_ARM64;
    f.is_arch_stated = true;
    return ops->of_stats(&d, s, out, e);
}

void price_set_add(struct price_set *s, const struct price *row)
{
    if (s == NULL || row == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i] == row)
            return;
    s->rows = arena_grow(s->arena, (void *)s->rows, s->n, &s->cap, sizeof(struct price *));
    s->rows[s->n++] = row;
}

enum status cost_prices_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                                 const struct stats *s, int64_t at_ns, struct price_set *into,
                                 struct err *e)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    const struct cost_facts f = cost_facts_of(c, fn, at_ns, ARCH_UNKNOWN);
    const struct cost_period d = {c->book, &f, fn, at_ns, into};
    struct stats_cost cost;

    return ops != NULL ? ops->of_stats(&d, s, &cost, e) : OK;
}

bool cost_is_arm(const struct cost_context *c, const struct fn_ref *fn, const struct stats *s)
{
    const struct cost_facts f = cost_facts_of(c, fn, INT64_MAX, ARCH_UNKNOWN);
    return f.is_arch_stated ? f.arch == ARCH_ARM64 : s->mb_ms_arm * 2 > s->mb_ms;
}

struct str cost_currency(const struct cost_context *c, const struct fn_ref *fn, int64_t at_ns)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    const struct cost_facts f = cost_facts_of(c, fn, at_ns, ARCH_UNKNOWN);
    return ops != NULL ? ops->currency(c->book, f.region, at_ns) : STR("USD");
}

struct str cost_rule_region(const struct cost_context *c, const struct fn_ref *fn)
{
    return rule_for(c, fn).region;
}

struct str cost_region(const struct cost_context *c, const struct fn_ref *fn)
{
    return cost_facts_of(c, fn, INT64_MAX, ARCH_UNKNOWN).region;
}
