/* Finds stretches of hours in which a function failed far more than usual, and words for them.
 * Pure: versions, leaks and samples are looked up in incident_load.c. */
#include <assert.h>

#include "analyzer/analyzer.h"
#include "core/base/timefmt.h"

/* An hour counts when at least three attempts and a tenth of all failed: below that it is the noise
 * every function has. Quiet hours in between do not end an incident. */
#define LEAST_FAILED     ((uint64_t)3)
#define LEAST_PERCENT    ((uint64_t)10)
#define QUIET_NS         (2 * NS_PER_HOUR)
#define LEAST_OUT_OF_MEM ((uint64_t)3)

const char *const incident_kind_names[INCIDENT_KINDS] = {
    [INCIDENT_FAILURES] = "failures",   [INCIDENT_BAD_DEPLOY] = "bad deploy",
    [INCIDENT_RETRIES] = "retry storm", [INCIDENT_TIMEOUTS] = "timeouts",
    [INCIDENT_THROTTLES] = "throttles", [INCIDENT_MEMORY] = "out of memory",
};

static uint64_t failed_but_memory(const struct incident_hour *h)
{
    return h->failed - h->outcome[OUTCOME_OOM];
}

static bool is_hot(const struct incident_hour *h)
{
    uint64_t failed = failed_but_memory(h);

    return failed >= LEAST_FAILED && failed * 100 >= h->n * LEAST_PERCENT;
}

static void add_hour(struct incident *i, const struct incident_hour *h)
{
    i->n += h->n;
    i->failed += failed_but_memory(h);
    i->retries += h->retries;
    i->cost_failed += h->cost_failed;
    i->memory_bytes = h->memory_bytes > i->memory_bytes ? h->memory_bytes : i->memory_bytes;
    i->until_ns = h->hour_ns + NS_PER_HOUR;
}

/* What most of the failures were. */
static enum incident_kind kind_of(const struct incident *i, const uint64_t outcome[OUTCOMES])
{
    if (outcome[OUTCOME_TIMEOUT] * 2 > i->failed)
        return INCIDENT_TIMEOUTS;
    if (outcome[OUTCOME_THROTTLED] * 2 > i->failed)
        return INCIDENT_THROTTLES;
    return i->retries * 3 > i->failed ? INCIDENT_RETRIES : INCIDENT_FAILURES;
}

static void append(struct incidents *out, struct arena *a, const struct incident *i)
{
    out->rows = arena_grow(a, out->rows, out->n, &out->cap, sizeof(*out->rows));
    out->rows[out->n++] = *i;
}

/* One stretch, beginning at a hot hour; returns the hours it took. */
static size_t take_stretch(struct incident *i, const struct incident_hour *hours, size_t n)
{
    uint64_t outcome[OUTCOMES] = {0};
    int64_t last_hot = hours[0].hour_ns;
    size_t k = 0;

    assert(n > 0 && is_hot(&hours[0]));
    i->since_ns = hours[0].hour_ns;
    for (; k < n && hours[k].hour_ns - last_hot <= QUIET_NS; k++) {
        if (!is_hot(&hours[k]))
            continue;
        last_hot = hours[k].hour_ns;
        add_hour(i, &hours[k]);
        for (int o = 0; o < OUTCOMES; o++)
            outcome[o] += hours[k].outcome[o];
    }
    i->kind = kind_of(i, outcome);
    return k;
}

static void out_of_memory(const struct incident *of, const struct incident_hour *hours, size_t n,
                          struct arena *a, struct incidents *out)
{
    struct incident i = *of;

    i.kind = INCIDENT_MEMORY;
    for (size_t k = 0; k < n; k++) {
        uint64_t hits = hours[k].outcome[OUTCOME_OOM];
        i.n += hours[k].n;
        if (hits == 0)
            continue;
        i.since_ns = i.failed == 0 ? hours[k].hour_ns : i.since_ns;
        i.until_ns = hours[k].hour_ns + NS_PER_HOUR;
        i.failed += hits;
        /* What failed otherwise in the same hour is small beside it. */
        i.cost_failed += hours[k].cost_failed;
        i.memory_bytes = hours[k].memory_bytes;
    }
    if (i.failed >= LEAST_OUT_OF_MEM)
        append(out, a, &i);
}

void incidents_of_hours(const struct fn_ref *fn, uint32_t fn_id, const struct incident_hour *hours,
                        size_t n, struct arena *a, struct incidents *out)
{
    const struct incident blank = {.fn = *fn, .fn_id = fn_id};

    for (size_t k = 0; k < n;) {
        struct incident i = blank;
        if (!is_hot(&hours[k])) {
            k++;
            continue;
        }
        k += take_stretch(&i, &hours[k], n - k);
        append(out, a, &i);
    }
    out_of_memory(&blank, hours, n, a, out);
}

/* --- words --- */

static void add_minute(struct buf *b, int64_t t_ns, bool with_day)
{
    struct civil c = time_civil(t_ns);

    if (with_day)
        buf_addf(b, "%04d-%02d-%02d ", c.year, c.month, c.day);
    buf_addf(b, "%02d:%02d", c.hour, c.minute);
}

static void add_when(struct buf *b, const struct incident *i)
{
    bool is_one_day = time_floor(i->since_ns, NS_PER_DAY) == time_floor(i->until_ns, NS_PER_DAY);

    buf_add_z(b, ", ");
    add_minute(b, i->since_ns, true);
    buf_add_z(b, " to ");
    add_minute(b, i->until_ns, !is_one_day);
}

static void add_counts(struct buf *b, const struct incident *i)
{
    uint64_t percent = i->n > 0 ? (i->failed * 200 + i->n) / (2 * i->n) : 0;

    buf_addf(b, "%llu of %llu %s", (unsigned long long)i->failed, (unsigned long long)i->n,
             plural(i->n, "attempt", "attempts"));
    if (percent > 0)
        buf_addf(b, " (%llu %%)", (unsigned long long)percent);
}

static void add_memory(struct buf *b, const struct incident *i)
{
    buf_addf(b, "ran out of its %llu MB in ", (unsigned long long)(i->memory_bytes >> 20));
    add_counts(b, i);
    const bool is_small = i->leak_bytes < 1 << 20;
    if (i->leak_bytes > 0)
        buf_addf(b, "; each use of an environment leaves %lld %s more behind: a leak",
                 (long long)(i->leak_bytes >> (is_small ? 10 : 20)), is_small ? "KB" : "MB");
}

/* One type's name stands for all only where it is that of all. */
static void add_types(struct buf *b, const struct incident *i)
{
    const char *before = i->kind == INCIDENT_RETRIES ? "; " : " with ";

    if (i->of_type * 2 <= i->looked_at && i->n_types > 1)
        buf_addf(b, ", with %llu types of errors", (unsigned long long)i->n_types);
    else if (i->error_type.n > 0)
        buf_addf(b, "%s" STR_FMT, i->of_type < i->looked_at ? ", most with " : before,
                 STR_ARG(i->error_type));
}

static void add_failures(struct buf *b, const struct incident *i)
{
    static const char *const verbs[INCIDENT_KINDS] = {
        [INCIDENT_FAILURES] = " failed",          [INCIDENT_BAD_DEPLOY] = " failed",
        [INCIDENT_RETRIES] = " failed",           [INCIDENT_TIMEOUTS] = " ran into the timeout",
        [INCIDENT_THROTTLES] = " were throttled",
    };

    if (i->kind == INCIDENT_BAD_DEPLOY)
        buf_addf(b, "version " STR_FMT ": ", STR_ARG(i->version));
    add_counts(b, i);
    buf_add_z(b, verbs[i->kind]);
    if (i->kind == INCIDENT_RETRIES)
        buf_addf(b, ", %llu were retries", (unsigned long long)i->retries);
    if (i->kind != INCIDENT_TIMEOUTS)
        add_types(b, i);
    if (i->version_before.n > 0)
        buf_addf(b, "; before ran version " STR_FMT, STR_ARG(i->version_before));
}

struct str incident_what(const struct incident *i, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};

    (i->kind == INCIDENT_MEMORY ? add_memory : add_failures)(&b, i);
    return arena_str(a, buf_str(&b));
}

struct str incident_text(const struct incident *i, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};

    buf_add_str(&b, incident_what(i, a));
    add_when(&b, i);
    return arena_str(a, buf_str(&b));
}
