/* What is charged by the hour, used or not: how much is configured comes from rules, how large an
 * environment is from the sums. Knows no meter names. Pure. */
#include "analyzer/cost.h"

#include <assert.h>

#include "core/base/clock.h"

#define MB (UINT64_C(1) << 20)

enum { PROVISIONED_STEP_S = 300 };

static int64_t seconds_of(struct range r, int64_t step_s)
{
    const int64_t step_ns = step_s * NS_PER_SEC, span_ns = r.until_ns - r.since_ns;

    assert(span_ns >= 0);
    return (span_ns / step_ns + (span_ns % step_ns > 0)) * step_s;
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
    *(part == STANDING_PROVISIONED ? &out->provisioned : &out->snapshots) =
        wide_div_round(product, s.divisor);
    return OK;
}

/* What a rule or config says, else what was told of its restores. */
static bool is_java(const struct cost_facts *f, const struct stats *s)
{
    if (s->restored_mb > 0)
        return false;
    return f->runtime == RUNTIME_JAVA || s->restores_known > 0;
}

enum status cost_standing(const struct cost_context *c, const struct fn_ref *fn,
                          const struct stats *s, struct range r, struct standing_cost *out,
                          struct err *e)
{
    const struct cost_ops *ops = cost_ops_of(fn->provider);
    struct cost_facts f = cost_facts_of(c, fn, r.until_ns - 1, ARCH_UNKNOWN);
    const struct cost_period d = {.book = c->book, .facts = &f, .fn = fn, .at_ns = r.until_ns - 1};
    const wide mb = (wide)(s->memory_size_bytes / MB);
    struct standing_cost cost = {0};
    struct err own = {0};

    if (e == NULL)
        e = &own;
    *out = cost;
    if (ops == NULL)
        return OK;
    f.arch = cost_is_arm(c, fn, s) ? ARCH_ARM64 : ARCH_X86_64;
    cost.currency = ops->currency(c->book, f.region, d.at_ns);
    cost.is_provisioned_open = s->start[START_PROVISIONED] > 0 && !f.has_provisioned;
    cost.are_snapshots_open = s->start[START_SNAPSTART] > 0 && !f.has_snapshots && !is_java(&f, s);
    if (add_part(&d, STANDING_PROVISIONED, mb * f.provisioned * seconds_of(r, PROVISIONED_STEP_S),
                 &cost, e) != OK ||
        (!is_java(&f, s) &&
         add_part(&d, STANDING_SNAPSHOTS, mb * f.snapshots * seconds_of(r, 1), &cost, e) != OK))
        return err_wrap(e, "function " STR_FMT, STR_ARG(fn->name));
    *out = cost;
    return OK;
}
