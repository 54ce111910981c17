/* From the numbers of a usage file to billed quantities of AWS Lambda, Lambda@Edge, MicroVMs and
 * Lambda's logs. Exact: products of 10^-6 numbers in 128 bits, brought to 10^-12 units once. Knows
 * no prices. Pure. */
#include "analyzer/usage.h"

#include <assert.h>

#include "core/base/macros.h"

enum {
    MB_PER_GB = 1024,
    FREE_STORAGE_MB = 512,
    STREAM_FREE_MB = 6,         /* of each response */
    STREAM_FREE_GB_MONTH = 100, /* part of the free tier */
    PC_STEP_S = 300,            /* provisioned concurrency time rounds up to 5 minutes */
    SNAPSTART_LEAST_S = 10800,
    EVENT_FIRST_KB = 256, /* one request covers this much of an asynchronous event */
    EVENT_STEP_KB = 64,
    LOG_FREE_GB = 5,
    MICROVM_LIFE_S = 28800 /* a launch lives 8 hours unless suspended_s is given */
};

#define MONTH_S INT64_C(2592000) /* 30 days, as the provider's examples count storage */

/* What one builder works on. */
struct builder {
    const struct usage_inputs *u;
    struct arena *arena;
    struct bill_input *in;
};

/* Product of two to four 10^-6 numbers divided by a plain number, as 10^-12 units. */
static enum status quantity_of(const wide *factors, size_t n, int64_t divisor, wide *out,
                               struct err *e)
{
    wide v = 1, scale = divisor;

    assert(n >= 2 && n <= 4);
    for (size_t i = 0; i < n; i++) {
        if (wide_mul(v, factors[i], &v, e) != OK)
            return err_wrap(e, "usage is too large");
        if (i >= 2) /* two of them make the 10^-12 */
            scale *= USAGE_ONE;
    }
    *out = wide_div_round(v, scale);
    return OK;
}

static void add_usage(struct builder *b, const char *meter, wide quantity, struct str rounding)
{
    assert(b->in->n_usage < BILL_MAX_LINES);
    b->in->usage[b->in->n_usage].meter = meter;
    b->in->usage[b->in->n_usage].quantity = quantity;
    b->in->usage[b->in->n_usage].free_quantity = 0;
    b->in->usage[b->in->n_usage].rounding = rounding;
    b->in->n_usage++;
}

/* A number that is a quantity as it stands. */
static void add_plain(struct builder *b, enum usage_number n, const char *meter, const char *how)
{
    if (b->u->has[n])
        add_usage(b, meter, (wide)b->u->number[n] * USAGE_ONE, str_from(how));
}

static const char *by_arch(const struct builder *b, const char *x86, const char *arm)
{
    return b->u->arch == ARCH_ARM64 ? arm : x86;
}

static int64_t steps_of(int64_t v, int64_t step)
{
    assert(v >= 0 && step > 0);
    return v / step + (v % step != 0);
}

/* GB are of the memory size: without one, a bill would be too low and nobody would see it. */
static enum status need_memory(const struct usage_inputs *u, struct err *e)
{
    static const enum usage_number by_gb[] = {
        U_AVG_MS,
        U_OD_AVG_MS,
        U_PC,
        U_PC_AVG_MS,
        U_TENANT_ENVIRONMENTS,
        U_SNAPSTART_CACHED_S,
        U_SNAPSTART_RESTORES,
    };
    for (size_t i = 0; i < ARRAY_LEN(by_gb); i++)
        if (u->has[by_gb[i]] && u->number[by_gb[i]] > 0 && !u->has[U_MEMORY_MB])
            return err_set(e, ERR_CONFIG, "memory_mb is missing: durations are billed by GB");
    return OK;
}

/* What is left of a monthly allowance, where the inputs say so. */
static void take_left(struct builder *b, enum usage_number left)
{
    if (b->u->has[left])
        b->in->usage[b->in->n_usage - 1].free_quantity = (wide)b->u->number[left] * USAGE_ONE;
}

static enum status add_provisioned(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    wide q = 0;

    if (!u->has[U_PC])
        return OK;
    const int64_t steps = steps_of(u->number[U_PC_SECONDS], PC_STEP_S * USAGE_ONE);
    const wide seconds = (wide)steps * PC_STEP_S * USAGE_ONE;
    const wide f[] = {u->number[U_PC], u->number[U_MEMORY_MB], seconds};
    if (quantity_of(f, ARRAY_LEN(f), MB_PER_GB, &q, e) != OK)
        return err_wrap(e, "provisioned concurrency");
    add_usage(b, by_arch(b, "Lambda-Provisioned-Concurrency", "Lambda-Provisioned-Concurrency-ARM"),
              q, STR("concurrency x GB x seconds, seconds rounded up to 5 minutes"));
    return OK;
}

static wide streamed_invocations(const struct usage_inputs *u)
{
    wide n = 0;
    for (size_t i = 0; i < u->n_streams; i++)
        n += u->streams[i].invocations;
    return n;
}

static wide on_demand_invocations(const struct usage_inputs *u)
{
    return u->has[U_INVOCATIONS] ? u->number[U_INVOCATIONS] : streamed_invocations(u);
}

static bool has_requests(const struct usage_inputs *u)
{
    return u->has[U_INVOCATIONS] || u->n_streams > 0 || u->has[U_OD_INVOCATIONS] ||
           u->has[U_PC_INVOCATIONS] || u->has[U_REQUESTS_BILLED];
}

static void add_requests(struct builder *b)
{
    const struct usage_inputs *u = b->u;
    assert(u->number[U_EVENT_KB] >= 0);
    wide n = on_demand_invocations(u) + u->number[U_OD_INVOCATIONS] + u->number[U_PC_INVOCATIONS];
    struct str how = STR("one request an invocation");

    if (u->number[U_EVENT_KB] > EVENT_FIRST_KB * USAGE_ONE) {
        const int64_t step = EVENT_STEP_KB * USAGE_ONE;
        const int64_t beyond = u->number[U_EVENT_KB] - EVENT_FIRST_KB * USAGE_ONE;
        n *= 1 + steps_of(beyond, step);
        how = STR("one request for 256 KB of each event and one for each further 64 KB");
    }
    if (u->has[U_REQUESTS_BILLED]) {
        n = u->number[U_REQUESTS_BILLED];
        how = STR("requests as stated");
    }
    add_usage(b, by_arch(b, "Request", "Request-ARM"), n * USAGE_ONE, how);
    take_left(b, U_FREE_REQUESTS_LEFT);
}

/* MB x ms of `invocations` into *sum, 10^-12 GB-s. */
static enum status add_gb_seconds(int64_t mb, wide invocations, int64_t ms, wide *sum,
                                  struct err *e)
{
    const wide f[] = {mb, invocations, ms};
    wide q = 0;

    if (quantity_of(f, ARRAY_LEN(f), INT64_C(1000) * MB_PER_GB, &q, e) != OK)
        return err_wrap(e, "duration");
    *sum += q;
    return OK;
}

static enum status add_provisioned_duration(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    wide q = 0;

    if (!u->has[U_PC_INVOCATIONS])
        return OK;
    if (add_gb_seconds(u->number[U_MEMORY_MB], u->number[U_PC_INVOCATIONS], u->number[U_PC_AVG_MS],
                       &q, e) != OK)
        return err_wrap(e, "provisioned");
    add_usage(b, by_arch(b, "Lambda-Provisioned-GB-Second", "Lambda-Provisioned-GB-Second-ARM"), q,
              STR("invocations x billed ms x MB / 1,024,000"));
    return OK;
}

static enum status add_duration(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    const int64_t mb = u->number[U_MEMORY_MB];
    wide q = 0;

    if (!u->has[U_AVG_MS] && !u->has[U_OD_INVOCATIONS])
        return OK;
    if (add_gb_seconds(mb, on_demand_invocations(u), u->number[U_AVG_MS], &q, e) != OK ||
        add_gb_seconds(mb, u->number[U_OD_INVOCATIONS], u->number[U_OD_AVG_MS], &q, e) != OK)
        return err_wrap(e, "on demand");
    add_usage(b, by_arch(b, "Lambda-GB-Second", "Lambda-GB-Second-ARM"), q,
              STR("invocations x billed ms x MB / 1,024,000"));
    take_left(b, U_FREE_GB_S_LEFT);
    return OK;
}

static enum status add_storage(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    const int64_t mb = u->number[U_STORAGE_MB] - FREE_STORAGE_MB * USAGE_ONE;
    wide q = 0;

    if (!u->has[U_STORAGE_MB] || mb <= 0)
        return OK;
    if (add_gb_seconds(mb, on_demand_invocations(u), u->number[U_AVG_MS], &q, e) != OK ||
        add_gb_seconds(mb, u->number[U_OD_INVOCATIONS], u->number[U_OD_AVG_MS], &q, e) != OK ||
        add_gb_seconds(mb, u->number[U_PC_INVOCATIONS], u->number[U_PC_AVG_MS], &q, e) != OK)
        return err_wrap(e, "ephemeral storage");
    add_usage(b, by_arch(b, "Lambda-Storage-GB-Second", "Lambda-Storage-GB-Second-ARM"), q,
              STR("invocations x billed ms x MB above 512 / 1,024,000"));
    return OK;
}

static enum status add_streaming(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    wide sum = (wide)u->number[U_STREAM_GB] * USAGE_ONE;

    if (u->n_streams == 0 && !u->has[U_STREAM_GB])
        return OK;
    for (size_t i = 0; i < u->n_streams; i++) {
        const struct usage_stream *s = &u->streams[i];
        const int64_t paid = s->size - STREAM_FREE_MB * s->units_per_mb * USAGE_ONE;
        const wide f[] = {s->invocations, paid};
        wide q = 0;
        if (paid > 0 && quantity_of(f, ARRAY_LEN(f), MB_PER_GB * s->units_per_mb, &q, e) != OK)
            return err_wrap(e, "streams");
        sum += q;
    }
    add_usage(b, "Lambda-Streaming-Response-Processed-Bytes", sum,
              STR("MB past the first 6 of each response / 1024"));
    int64_t free_gb = u->free_compute ? STREAM_FREE_GB_MONTH * USAGE_ONE : 0;
    if (u->has[U_STREAM_FREE_GB])
        free_gb = u->number[U_STREAM_FREE_GB];
    b->in->usage[b->in->n_usage - 1].free_quantity = (wide)free_gb * USAGE_ONE;
    return OK;
}

/* A number times the memory size in GB. */
static enum status add_per_gb(struct builder *b, enum usage_number n, int64_t least,
                              const char *meter, struct err *e)
{
    const struct usage_inputs *u = b->u;
    wide q = 0;

    if (!u->has[n])
        return OK;
    const int64_t v = u->number[n] > least ? u->number[n] : least;
    const wide f[] = {v, u->number[U_MEMORY_MB]};
    if (quantity_of(f, ARRAY_LEN(f), MB_PER_GB, &q, e) != OK)
        return err_wrap(e, "%s", meter);
    add_usage(b, meter, q, STR("number x configured GB"));
    return OK;
}

enum status usage_lambda(const struct usage_inputs *u, struct arena *a, struct bill_input *in,
                         struct err *e)
{
    struct builder b = {.u = u, .arena = a, .in = in};

    if (need_memory(u, e) != OK || add_provisioned(&b, e) != OK)
        return e->code;
    if (has_requests(u))
        add_requests(&b);
    if (add_provisioned_duration(&b, e) != OK || add_duration(&b, e) != OK ||
        add_storage(&b, e) != OK || add_streaming(&b, e) != OK ||
        add_per_gb(&b, U_TENANT_ENVIRONMENTS, 0,
                   by_arch(&b, "Tenant-Isolation", "Tenant-Isolation-ARM"), e) != OK)
        return e->code;
    add_plain(&b, U_SQS_EPU_HOURS, "SQS-Event-Poller-Unit-Hours", "poller hours as stated");
    add_plain(&b, U_EPU_HOURS, "Event-Poller-Unit-Hours", "poller hours as stated");
    if (!u->is_java &&
        (add_per_gb(&b, U_SNAPSTART_CACHED_S, SNAPSTART_LEAST_S * USAGE_ONE,
                    "Lambda-SnapStart-Cached-GB-Second", e) != OK ||
         add_per_gb(&b, U_SNAPSTART_RESTORES, 0, "Lambda-SnapStart-Restored-GB", e) != OK))
        return e->code;
    add_plain(&b, U_DURABLE_OPERATIONS, "Lambda-Durable-Operation", "operations as stated");
    add_plain(&b, U_DURABLE_WRITTEN_GB, "Lambda-Durable-Data-Written", "decimal GB");
    add_plain(&b, U_DURABLE_RETAINED_GB_MONTH, "Lambda-Durable-Data-Retained", "GB x months");
    add_plain(&b, U_MANAGED_INVOCATIONS, "Lambda-Managed-Instances-Request",
              "one request an invocation");
    add_plain(&b, U_EC2_ON_DEMAND, "Lambda-Managed-Instances-Management-Fee",
              "a share of the on-demand price of the instances, even when they are discounted");
    return OK;
}

enum status usage_edge(const struct usage_inputs *u, struct arena *a, struct bill_input *in,
                       struct err *e)
{
    struct builder b = {.u = u, .arena = a, .in = in};
    wide q = 0;

    if (need_memory(u, e) != OK || add_gb_seconds(u->number[U_MEMORY_MB], u->number[U_INVOCATIONS],
                                                  u->number[U_AVG_MS], &q, e) != OK)
        return e->code;
    add_usage(&b, "Lambda-Edge-GB-Second", q, STR("invocations x billed ms x MB / 1,024,000"));
    add_plain(&b, U_INVOCATIONS, "Lambda-Edge-Request", "one request an invocation");
    return OK;
}

/* Snapshots are written at each suspend and read at each launch and each resume. */
static enum status add_snapshots(struct builder *b, struct err *e)
{
    const struct usage_inputs *u = b->u;
    const int64_t gb = u->number[U_SNAPSHOT_GB], suspends = u->number[U_SUSPENDS];
    const wide written[] = {suspends, gb}, read[] = {(wide)suspends + u->number[U_LAUNCHES], gb};
    wide q = 0;

    if (quantity_of(written, 2, 1, &q, e) != OK)
        return err_wrap(e, "snapshots");
    add_usage(b, "Lambda-MicroVM-Snapshot-Write", q, STR("suspends x snapshot GB"));
    if (quantity_of(read, 2, 1, &q, e) != OK)
        return err_wrap(e, "snapshots");
    add_usage(b, "Lambda-MicroVM-Snapshot-Read", q, STR("(suspends + launches) x snapshot GB"));
    add_plain(b, U_IMAGES_GB, "Lambda-MicroVM-Storage", "images: GB x months");
    wide suspended = u->number[U_SUSPENDED_S];
    if (!u->has[U_SUSPENDED_S])
        suspended = (wide)u->number[U_LAUNCHES] * MICROVM_LIFE_S - u->number[U_PEAK_S] -
                    u->number[U_BASE_S];
    if (suspended <= 0)
        return OK;
    const wide kept[] = {suspended, gb};
    if (quantity_of(kept, 2, MONTH_S, &q, e) != OK)
        return err_wrap(e, "snapshots");
    add_usage(b, "Lambda-MicroVM-Storage", q,
              STR("suspended seconds x snapshot GB / 2,592,000; without suspended_s every launch "
                  "lives 8 hours"));
    return OK;
}

enum status usage_microvm(const struct usage_inputs *u, struct arena *a, struct bill_input *in,
                          struct err *e)
{
    static const struct {
        enum usage_number seconds, size;
        const char *meter, *how;
    } rows[] = {
        {U_PEAK_S, U_PEAK_VCPU, "Lambda-MicroVM-vCPU-Second", "peak seconds x vCPU"},
        {U_PEAK_S, U_PEAK_GB, "Lambda-MicroVM-GB-Second", "peak seconds x GB"},
        {U_BASE_S, U_BASE_VCPU, "Lambda-MicroVM-vCPU-Second", "baseline seconds x vCPU"},
        {U_BASE_S, U_BASE_GB, "Lambda-MicroVM-GB-Second", "baseline seconds x GB"},
    };
    struct builder b = {.u = u, .arena = a, .in = in};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const wide f[] = {u->number[rows[i].seconds], u->number[rows[i].size]};
        wide q = 0;
        if (!u->has[rows[i].seconds])
            continue;
        if (quantity_of(f, 2, 1, &q, e) != OK)
            return err_wrap(e, "%s", rows[i].how);
        add_usage(&b, rows[i].meter, q, str_from(rows[i].how));
    }
    return u->has[U_SNAPSHOT_GB] ? add_snapshots(&b, e) : OK;
}

enum status usage_logs(const struct usage_inputs *u, struct arena *a, struct bill_input *in,
                       struct err *e)
{
    struct builder b = {.u = u, .arena = a, .in = in};

    UNUSED(e);
    add_plain(&b, U_LOG_GB, u->is_log_tb_binary ? "VendedLog-Bytes:binary" : "VendedLog-Bytes",
              "GB as stated");
    if (u->has[U_LOG_GB] && (u->free_requests || u->free_compute))
        in->usage[in->n_usage - 1].free_quantity = (wide)LOG_FREE_GB * MONEY_UNIT;
    return OK;
}
