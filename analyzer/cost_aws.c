/* How AWS Lambda bills one attempt: billed ms x configured MB, one request, ephemeral storage above
 * 512 MB (not multiplied by memory), the restore of a snapshot by configured GB, logs beside.
 * Billed Duration already holds initialization where that is charged (every cold start since
 * 2025-08-01), so init is never added. Pure. */
#include "analyzer/cost.h"

#include <assert.h>

#include "core/base/macros.h"

#define MB            (UINT64_C(1) << 20)
#define EDGE_NAME     STR("us-east-1.")
#define RESTORE_METER "Lambda-SnapStart-Restored-GB"

/* GB-s = MB x ms / (1024 x 1000); log GB are decimal */
#define MB_MS_PER_GB_S INT64_C(1024000)
#define BYTES_PER_GB   INT64_C(1000000000)
#define MB_PER_GB      1024

enum meter_set { SET_X86, SET_ARM, SET_EDGE, METER_SETS };

static const struct str meters[METER_SETS][METER_PARTS] = {
    [SET_X86] = {STR_INIT("Lambda-GB-Second"), STR_INIT("Request"),
                 STR_INIT("Lambda-Storage-GB-Second"), STR_INIT(RESTORE_METER),
                 STR_INIT("Lambda-Provisioned-GB-Second")},
    [SET_ARM] = {STR_INIT("Lambda-GB-Second-ARM"), STR_INIT("Request-ARM"),
                 STR_INIT("Lambda-Storage-GB-Second-ARM"), STR_INIT(RESTORE_METER),
                 STR_INIT("Lambda-Provisioned-GB-Second-ARM")},
    [SET_EDGE] = {STR_INIT("Lambda-Edge-GB-Second"), STR_INIT("Lambda-Edge-Request"),
                  STR_INIT("Lambda-Storage-GB-Second"), STR_INIT(RESTORE_METER),
                  STR_INIT("Lambda-Edge-GB-Second")},
};

/* Lambda@Edge replicas log as us-east-1.<name> in the region nearest to the viewer. */
static bool is_edge(const struct fn_ref *fn)
{
    return str_starts(fn->name, EDGE_NAME) && fn->name.n > EDGE_NAME.n;
}

static enum meter_set set_of(const struct fn_ref *fn, enum arch arch)
{
    return is_edge(fn) ? SET_EDGE : arch == ARCH_ARM64 ? SET_ARM : SET_X86;
}

static struct cost_share use_of(struct str meter, wide units)
{
    return (struct cost_share){
        .meter = meter,
        .unit = STR("GB-s"),
        .units = units,
        .divisor = MB_MS_PER_GB_S,
    };
}

static struct cost_share share(const struct pricebook *p, struct str meter, struct str region,
                               int64_t at_ns)
{
    struct cost_share s = use_of(meter, 0);

    s.price = pricebook_find(p, PROVIDER_AWS, s.meter, region, at_ns);
    return s;
}

static void aws_shares(const struct cost_facts *f, const struct invocation *inv,
                       struct cost_share out[COST_PARTS])
{
    const enum meter_set set = set_of(inv->origin->fn, f->arch);
    const bool is_provisioned = inv->start == START_PROVISIONED;
    const wide ms = invocation_billed_ms(inv);
    const bool is_restored = inv->start == START_SNAPSTART && f->runtime == RUNTIME_OTHER;
    const wide memory_mb = (wide)(inv->memory_bytes / MB);

    assert(ms >= 0);
    out[PART_DURATION] =
        use_of(meters[set][is_provisioned ? PART_PROVISIONED : PART_DURATION], ms * memory_mb);
    out[PART_REQUEST] = use_of(meters[set][PART_REQUEST], inv->outcome != OUTCOME_THROTTLED);
    out[PART_REQUEST].unit = STR("request");
    out[PART_REQUEST].divisor = 1;
    out[PART_STORAGE] =
        use_of(meters[set][PART_STORAGE], ms * (wide)invocation_paid_storage_mb(inv));
    out[PART_RESTORE] = use_of(meters[set][PART_RESTORE], is_restored ? memory_mb : 0);
    out[PART_RESTORE].unit = STR("GB");
    out[PART_RESTORE].divisor = MB_PER_GB;
}

static struct str rounding_of_duration(const struct invocation *inv, struct arena *a)
{
    if ((inv->evidence & EV_NO_BILLING) != 0)
        return STR("managed instance: no duration charge, the instance is billed by EC2");
    const long long init_ms = invocation_billed_init_ms(inv);
    const struct str init =
        init_ms > 0 ? arena_printf(a, ", %lld ms of it initialization", init_ms) : STR("");
    return arena_printf(
        a, "%lld ms billed (rounded up to 1 ms by the provider" STR_FMT ") x %llu MB / 1,024,000%s",
        (long long)invocation_billed_ms(inv), STR_ARG(init),
        (unsigned long long)(inv->memory_bytes / MB),
        inv->start == START_PROVISIONED
            ? "; the charge by the hour for keeping it ready is not in it (fnscope cost)"
            : "");
}

static struct str rounding_of_restore(const struct invocation *inv, struct arena *a)
{
    if ((inv->evidence & EV_RESTORE_FREE) != 0)
        return STR("restored from a snapshot: free for Java managed runtimes");
    if ((inv->evidence & EV_RESTORE_BILLED) != 0)
        return arena_printf(a, "restored from a snapshot: %llu MB configured / 1024",
                            (unsigned long long)(inv->memory_bytes / MB));
    return STR(
        "restored from a snapshot: free for Java managed runtimes, else billed by configured "
        "GB; not in the cost, because its runtime (say it under functions: in the "
        "configuration) or its price is not known");
}

static struct str aws_rounding(enum cost_part part, const struct invocation *inv, struct arena *a)
{
    if (part == PART_DURATION)
        return rounding_of_duration(inv, a);
    if (part == PART_REQUEST && inv->outcome == OUTCOME_THROTTLED)
        return STR("throttled: never started, no request is billed");
    if (part == PART_REQUEST)
        return STR("every attempt that started is one request");
    if (part == PART_RESTORE)
        return rounding_of_restore(inv, a);
    const unsigned long long paid_mb = invocation_paid_storage_mb(inv);
    if (paid_mb == 0)
        return STR("ephemeral storage up to 512 MB is free");
    return arena_printf(a, "%lld ms billed x %llu MB above the free 512 MB / 1,024,000",
                        (long long)invocation_billed_ms(inv), paid_mb);
}

static struct str aws_currency(const struct pricebook *p, struct str region, int64_t at_ns)
{
    const struct price *row =
        pricebook_find(p, PROVIDER_AWS, meters[SET_X86][PART_REQUEST], region, at_ns);
    return row != NULL ? row->currency : STR("USD");
}

/* Lambda logs are vended logs since 2025-05-01; the rows' dates say so. A row that stands in for
 * all regions does not for those billed in another currency. */
static enum status aws_logs(const struct pricebook *p, struct str region, int64_t at_ns,
                            uint64_t log_bytes, struct cost_share *out, struct err *e)
{
    struct cost_share s = share(p, STR("VendedLog-Bytes"), region, at_ns);

    if (s.price == NULL)
        s = share(p, STR("DataProcessing-Bytes"), region, at_ns);
    if (s.price != NULL && !str_eq(s.price->currency, aws_currency(p, region, at_ns)))
        s.price = NULL;
    s.unit = STR("GB");
    s.units = (wide)log_bytes;
    s.divisor = BYTES_PER_GB;
    *out = s;
    return cost_share_price(out, e);
}

/* Sums being priced. */
struct pricing {
    const struct cost_period *period;
    const struct stats *stats;
    bool is_unpriced; /* a used meter has no price */
};

/* Exact product of sums, rounded once to 10^-12. */
static enum status add_amount(struct pricing *d, struct str meter, wide units, int64_t divisor,
                              wide *sum, struct err *e)
{
    const struct cost_period *p = d->period;
    const struct price *row =
        pricebook_find(p->book, PROVIDER_AWS, meter, p->facts->region, p->at_ns);
    wide product = 0;

    if (units == 0)
        return OK;
    if (row == NULL) {
        d->is_unpriced = true;
        return OK;
    }
    price_set_add(p->used, row);
    if (wide_mul(units, row->unit_price, &product, e) != OK)
        return err_wrap(e, "meter " STR_FMT, STR_ARG(meter));
    *sum += wide_div_round(product, divisor);
    return OK;
}

/* Sums tell the architectures apart as they were when the attempts were priced; a rule that states
 * one since then counts more. */
static wide arm_part(const struct cost_facts *f, wide all, wide arm)
{
    if (!f->is_arch_stated)
        return arm;
    return f->arch == ARCH_ARM64 ? all : 0;
}

/* Of mb_ms on one of the duration meters. */
static enum status add_duration(struct pricing *d, enum cost_part part, wide all, wide arm,
                                wide *sum, struct err *e)
{
    const bool is_at_edge = is_edge(d->period->fn);
    const struct str x86_meter = meters[is_at_edge ? SET_EDGE : SET_X86][part];
    const wide on_arm = is_at_edge ? 0 : arm_part(d->period->facts, all, arm);

    if (add_amount(d, x86_meter, all - on_arm, MB_MS_PER_GB_S, sum, e) != OK ||
        add_amount(d, meters[SET_ARM][part], on_arm, MB_MS_PER_GB_S, sum, e) != OK)
        return e->code;
    return OK;
}

static enum status add_durations(struct pricing *d, struct stats_cost *c, struct err *e)
{
    const struct stats *s = d->stats;

    if (add_duration(d, PART_PROVISIONED, s->provisioned_mb_ms, s->provisioned_mb_ms_arm,
                     &c->provisioned, e) != OK ||
        add_duration(d, PART_DURATION, s->mb_ms - s->provisioned_mb_ms,
                     s->mb_ms_arm - s->provisioned_mb_ms_arm, &c->duration, e) != OK)
        return e->code;
    c->duration += c->provisioned;
    return OK;
}

/* Logs stand beside the total. */
static void put_logs(const struct cost_period *p, const struct cost_share *logs,
                     struct stats_cost *c)
{
    c->logs = logs->amount;
    price_set_add(p->used, logs->units > 0 ? logs->price : NULL);
    c->is_log_unpriced = logs->price == NULL && logs->units > 0;
}

/* Attempts ran, and of none is the REPORT there that says what it costs. */
static bool is_all_open(const struct stats *s, uint64_t requests)
{
    return s->n > s->outcome[OUTCOME_THROTTLED] && requests == 0;
}

/* With attempts on provisioned concurrency, or when other settings made the stored costs, the
 * stored exact sum of the single costs is the total, and duration is what the other parts leave of
 * it. */
static enum status aws_of_stats(const struct cost_period *p, const struct stats *s,
                                struct stats_cost *out, struct err *e)
{
    struct pricing d = {.period = p, .stats = s};
    const bool is_all_arm = s->mb_ms > 0 && arm_part(p->facts, s->mb_ms, s->mb_ms_arm) == s->mb_ms;
    const enum meter_set set = set_of(p->fn, is_all_arm ? ARCH_ARM64 : ARCH_X86_64);
    const uint64_t requests = stats_requests(s, p->facts->keeps_stored);
    struct cost_share logs = {0};
    struct stats_cost c = {0};

    assert(requests <= s->n);
    if (add_durations(&d, &c, e) != OK ||
        add_amount(&d, meters[set][PART_REQUEST], (wide)requests, 1, &c.request, e) != OK ||
        add_amount(&d, meters[set][PART_STORAGE], s->storage_mb_ms, MB_MS_PER_GB_S, &c.storage,
                   e) != OK ||
        add_amount(&d, STR(RESTORE_METER), s->restored_mb, MB_PER_GB, &c.restore, e) != OK ||
        aws_logs(p->book, p->facts->region, p->at_ns, stats_ingested_bytes(s), &logs, e) != OK)
        return e->code;
    put_logs(p, &logs, &c);
    if ((p->facts->keeps_stored || s->start[START_PROVISIONED] > 0) && s->cost > 0)
        c.duration = s->cost - c.request - c.storage - c.restore;
    if (c.provisioned > c.duration)
        c.provisioned = c.duration;
    c.total = c.duration + c.request + c.storage + c.restore;
    c.is_unpriced = d.is_unpriced || (is_all_open(s, requests) && c.total == 0);
    *out = c;
    return OK;
}

static struct cost_share aws_standing(const struct cost_period *d, enum standing_part part)
{
    const bool is_arm = d->facts->arch == ARCH_ARM64;
    const struct str provisioned =
        is_arm ? STR("Lambda-Provisioned-Concurrency-ARM") : STR("Lambda-Provisioned-Concurrency");
    const struct str meter =
        part == STANDING_PROVISIONED ? provisioned : STR("Lambda-SnapStart-Cached-GB-Second");
    struct cost_share s = share(d->book, meter, d->facts->region, d->at_ns);

    s.divisor = MB_PER_GB;
    return s;
}

static const char *aws_meter(enum cost_part part, const struct fn_ref *fn, enum arch arch)
{
    return meters[set_of(fn, arch)][part].p;
}

const struct cost_ops cost_aws = {
    .provider = PROVIDER_AWS,
    .is_global = is_edge,
    .shares = aws_shares,
    .rounding = aws_rounding,
    .logs = aws_logs,
    .of_stats = aws_of_stats,
    .standing = aws_standing,
    .meter = aws_meter,
    .currency = aws_currency,
};
