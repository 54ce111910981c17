/* What is charged by the hour, used or not: how much is configured comes from rules, how large an
 * environment is from the sizes of the attempts. Knows no meter names. Pure. */
#include "analyzer/cost.h"

#include <assert.h>

#include "core/base/clock.h"

#define MB (UINT64_C(1) << 20)

/* How the time from the first to the last moment it was kept is charged. */
static const struct {
    int64_t step_ns, least_ns;
} charged[STANDING_PARTS] = {
    [STANDING_PROVISIONED] = {300 * NS_PER_SEC, 0},
    [STANDING_SNAPSHOTS] = {NS_PER_SEC, 3 * NS_PER_HOUR},
};

/* The end of what is charged. What began nobody knows when has run long enough to be charged as it
 * is. */
static int64_t charged_until(const struct range *when, enum standing_part part)
{
    const int64_t step_ns = charged[part].step_ns, least_ns = charged[part].least_ns;

    if (when->until_ns == 0)
        return INT64_MAX;
    if (when->since_ns == 0 || when->until_ns <= when->since_ns)
        return when->until_ns;
    const int64_t span_ns = when->until_ns - when->since_ns;
    const int64_t whole_ns = (span_ns / step_ns + (span_ns % step_ns > 0)) * step_ns;
    return when->since_ns + (whole_ns > least_ns ? whole_ns : least_ns);
}

/* What of it lies in the range, so that slices of a range add up; nothing of the future is charged
 * yet. */
static struct range range_charged(const struct kept_rule *k, const struct standing_request *q,
                                  enum standing_part part)
{
    const int64_t end_ns = charged_until(&k->when, part);
    struct range r = q->range;

    r.since_ns = k->when.since_ns > r.since_ns ? k->when.since_ns : r.since_ns;
    r.until_ns = q->now_ns < r.until_ns ? q->now_ns : r.until_ns;
    r.until_ns = end_ns < r.until_ns ? end_ns : r.until_ns;
    return r;
}

enum { ON_X86, ON_ARM, ARCHS };

/* MB x ns of n environments in the range, by architecture. */
static void measure(const struct standing_request *q, const struct cost_facts *f, struct range r,
                    int64_t n, wide mb_ns[ARCHS])
{
    const struct size_step whole = {INT64_MIN, q->stats->memory_size_bytes, f->arch};
    const struct size_steps all = q->sizes.n > 0 ? q->sizes : (struct size_steps){&whole, 1};

    for (size_t i = 0; i < all.n; i++) {
        const struct size_step *s = &all.rows[i];
        const int64_t end_ns = i + 1 < all.n ? s[1].since_ns : INT64_MAX;
        const int64_t from_ns = i > 0 && s->since_ns > r.since_ns ? s->since_ns : r.since_ns;
        const int64_t to_ns = end_ns < r.until_ns ? end_ns : r.until_ns;
        const enum arch arch = f->is_arch_stated ? f->arch : s->arch;
        if (to_ns > from_ns)
            mb_ns[arch == ARCH_ARM64 ? ON_ARM : ON_X86] +=
                (wide)(s->memory_bytes / MB) * n * (to_ns - from_ns);
    }
}

/* As many as a collector read at each time. */
static void measure_kept(const struct standing_request *q, const struct cost_facts *f,
                         wide mb_ns[ARCHS])
{
    const struct kept_rule all = {0};
    const struct range r = range_charged(&all, q, STANDING_PROVISIONED);

    for (size_t i = 0; i < q->kept.n; i++) {
        const struct kept_step *k = &q->kept.rows[i];
        struct range part = r;
        part.since_ns = k->since_ns > r.since_ns ? k->since_ns : r.since_ns;
        if (i + 1 < q->kept.n && k[1].since_ns < r.until_ns)
            part.until_ns = k[1].since_ns;
        measure(q, f, part, k->n, mb_ns);
    }
}

static enum status add_part(const struct cost_period *d, enum standing_part part, wide units,
                            struct standing_cost *out, struct err *e)
{
    const struct cost_share s = cost_ops_of(d->fn->provider)->standing(d, part);
    wide product = 0;

    if (units == 0)
        return OK;
    if (s.price == NULL) {
        out->is_unpriced = true;
        return OK;
    }
    if (wide_mul(units, s.price->unit_price, &product, e) != OK)
        return err_wrap(e, "meter " STR_FMT, STR_ARG(s.meter));
    *(part == STANDING_PROVISIONED ? &out->provisioned : &out->snapshots) +=
        wide_div_round(product, (wide)s.divisor * NS_PER_SEC);
    return OK;
}

/* What a rule or config says, else what was told of its restores. */
static bool is_java(const struct cost_facts *f, const struct stats *s)
{
    if (s->restored_mb > 0)
        return false;
    return f->runtime == RUNTIME_JAVA || s->restores_known > 0;
}

static enum status add_kept(const struct cost_period *d, const struct standing_request *q,
                            enum standing_part part, struct standing_cost *out, struct err *e)
{
    static const enum arch archs[ARCHS] = {[ON_X86] = ARCH_X86_64, [ON_ARM] = ARCH_ARM64};
    const struct kept_rule *k =
        part == STANDING_PROVISIONED ? &d->facts->provisioned : &d->facts->snapshots;
    wide mb_ns[ARCHS] = {0};
    enum status s = OK;

    if (part == STANDING_PROVISIONED && !k->is_said)
        measure_kept(q, d->facts, mb_ns);
    else
        measure(q, d->facts, range_charged(k, q, part), k->n, mb_ns);
    for (size_t i = 0; s == OK && i < ARCHS; i++) {
        struct cost_facts f = *d->facts;
        struct cost_period of = *d;
        f.arch = archs[i];
        of.facts = &f;
        s = add_part(&of, part, mb_ns[i], out, e);
    }
    return s;
}

enum status cost_standing(const struct cost_context *c, const struct standing_request *q,
                          struct standing_cost *out, struct err *e)
{
    const struct cost_ops *ops = cost_ops_of(q->fn->provider);
    const struct stats *s = q->stats;
    const int64_t at_ns = q->range.until_ns - 1;
    struct cost_facts f = cost_facts_of(c, q->fn, at_ns, ARCH_UNKNOWN);
    const struct cost_period d = {.book = c->book, .facts = &f, .fn = q->fn, .at_ns = at_ns};
    struct standing_cost cost = {0};
    struct err own = {0};

    if (e == NULL)
        e = &own;
    *out = cost;
    if (ops == NULL)
        return OK;
    f.arch = cost_is_arm(c, q->fn, s) ? ARCH_ARM64 : ARCH_X86_64;
    cost.currency = ops->currency(c->book, f.region, at_ns);
    cost.is_provisioned_open =
        s->start[START_PROVISIONED] > 0 && !f.provisioned.is_said && q->kept.n == 0;
    cost.are_snapshots_open =
        s->start[START_SNAPSTART] > 0 && !f.snapshots.is_said && !is_java(&f, s);
    enum status status = add_kept(&d, q, STANDING_PROVISIONED, &cost, e);
    if (status == OK && !is_java(&f, s))
        status = add_kept(&d, q, STANDING_SNAPSHOTS, &cost, e);
    if (status != OK)
        return err_wrap(e, "function " STR_FMT, STR_ARG(q->fn->name));
    *out = cost;
    return OK;
}
