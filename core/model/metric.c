/* The name table of metrics, and identity of what they are about. Pure. */
#include "core/model/metric.h"

#include <assert.h>

#include "core/base/macros.h"

/* clang-format off */
static const struct metric_info infos[METRICS] = {
    [METRIC_INVOCATIONS] = {"fnscope.invocations", UNIT_COUNT, true, "Attempts that started."},
    [METRIC_ERRORS] = {"faas.errors", UNIT_COUNT, true, "Attempts that ended in an error."},
    [METRIC_TIMEOUTS] = {"faas.timeouts", UNIT_COUNT, true, "Attempts that were cut off by their timeout."},
    [METRIC_THROTTLES] = {"fnscope.throttles", UNIT_COUNT, true, "Requests refused for lack of concurrency."},
    [METRIC_DURATION_AVG] = {"fnscope.duration.avg", UNIT_NS, false, "Mean duration without initialization."},
    [METRIC_DURATION_MAX] = {"fnscope.duration.max", UNIT_NS, false, "Longest duration without initialization."},
    [METRIC_CONCURRENCY] = {"fnscope.concurrency", UNIT_COUNT, false, "Most environments at work at a time."},
    [METRIC_CONCURRENCY_CLAIMED] = {"fnscope.concurrency.claimed", UNIT_COUNT, false, "Concurrency in use and set aside."},
    [METRIC_CONCURRENCY_UNRESERVED] = {"fnscope.concurrency.unreserved", UNIT_COUNT, false, "Concurrency in use outside reservations."},
    [METRIC_CONCURRENCY_LIMIT] = {"fnscope.concurrency.limit", UNIT_COUNT, false, "Concurrency that is allowed."},
    [METRIC_PROVISIONED] = {"fnscope.provisioned", UNIT_COUNT, false, "Provisioned environments in use."},
    [METRIC_PROVISIONED_USE] = {"fnscope.provisioned.use", UNIT_PPM, false, "Utilization of provisioned environments."},
    [METRIC_PROVISIONED_SPILLOVER] = {"fnscope.provisioned.spillover", UNIT_COUNT, true, "Attempts beyond the provisioned environments."},
    [METRIC_ASYNC_RECEIVED] = {"fnscope.async.received", UNIT_COUNT, true, "Asynchronous events accepted."},
    [METRIC_ASYNC_AGE] = {"fnscope.async.age", UNIT_NS, false, "Age of the oldest asynchronous event."},
    [METRIC_ASYNC_DROPPED] = {"fnscope.async.dropped", UNIT_COUNT, true, "Asynchronous events given up."},
    [METRIC_DLQ_ERRORS] = {"fnscope.dlq.errors", UNIT_COUNT, true, "Events lost because the dead-letter queue refused them."},
    [METRIC_DESTINATION_ERRORS] = {"fnscope.destination.errors", UNIT_COUNT, true, "Events lost because their destination refused them."},
    [METRIC_ITERATOR_AGE] = {"fnscope.iterator.age", UNIT_NS, false, "Age of the last record read from a stream."},
    [METRIC_RECURSION_DROPPED] = {"fnscope.recursion.dropped", UNIT_COUNT, true, "Invocations stopped as part of a loop."},
    [METRIC_QUEUE_DEPTH] = {"fnscope.queue.depth", UNIT_COUNT, false, "Messages waiting."},
    [METRIC_QUEUE_IN_FLIGHT] = {"fnscope.queue.in_flight", UNIT_COUNT, false, "Messages received and not yet deleted."},
    [METRIC_QUEUE_DELAYED] = {"fnscope.queue.delayed", UNIT_COUNT, false, "Messages that may not be received yet."},
    [METRIC_QUEUE_AGE] = {"fnscope.queue.age", UNIT_NS, false, "Age of the oldest message."},
    [METRIC_QUEUE_SENT] = {"fnscope.queue.sent", UNIT_COUNT, true, "Messages sent; moves to a dead-letter queue do not count."},
    [METRIC_QUEUE_RECEIVED] = {"fnscope.queue.received", UNIT_COUNT, true, "Messages received."},
    [METRIC_QUEUE_DELETED] = {"fnscope.queue.deleted", UNIT_COUNT, true, "Messages deleted."},
    [METRIC_SOURCE_LAG] = {"fnscope.source.lag", UNIT_NS, false, "Age of the newest event a source has read."},
    [METRIC_SOURCE_CALLS] = {"fnscope.source.calls", UNIT_COUNT, true, "Calls a source made to its provider."},
    [METRIC_SOURCE_ERRORS] = {"fnscope.source.errors", UNIT_COUNT, true, "Calls of a source that failed."},
    [METRIC_SOURCE_COST] = {"fnscope.source.cost", UNIT_PICO, true, "List price of a source's own calls."},
    [METRIC_SOURCE_QUOTA] = {"fnscope.source.quota", UNIT_PPM, false, "Use of a source's tightest quota."},
    [METRIC_PROVISIONED_LIMIT] = {"fnscope.provisioned.limit", UNIT_COUNT, false, "Provisioned environments that are configured."},
};
/* clang-format on */

static const char *const scope_names[METRIC_SCOPES] = {
    [SCOPE_FUNCTION] = "function",
    [SCOPE_QUEUE] = "queue",
    [SCOPE_SOURCE] = "source",
    [SCOPE_REGION] = "region",
};

static const char *const unit_names[METRIC_UNITS] = {
    [UNIT_COUNT] = "1",
    [UNIT_NS] = "ns",
    [UNIT_BYTES] = "bytes",
    [UNIT_PPM] = "ppm",
    [UNIT_PICO] = "pico",
    [UNIT_PICO_HOUR] = "pico/h",
    [UNIT_PICO_CNY_HOUR] = "pico-cny/h",
};

const struct metric_info *metric_info(enum metric m)
{
    assert(m < METRICS && infos[m].name);
    return &infos[m];
}

bool metric_parse(struct str name, enum metric *out)
{
    for (unsigned i = 0; i < METRICS; i++) {
        if (!str_eq(name, str_from(infos[i].name)))
            continue;
        *out = (enum metric)i;
        return true;
    }
    return false;
}

const char *metric_scope_name(enum metric_scope s)
{
    return s < METRIC_SCOPES ? scope_names[s] : "unknown";
}

bool metric_scope_parse(struct str s, enum metric_scope *out)
{
    for (unsigned i = 0; i < METRIC_SCOPES; i++) {
        if (!str_eq(s, str_from(scope_names[i])))
            continue;
        *out = (enum metric_scope)i;
        return true;
    }
    return false;
}

const char *metric_unit_name(enum metric_unit u)
{
    return u < METRIC_UNITS ? unit_names[u] : "unknown";
}

bool subject_eq(const struct subject *a, const struct subject *b)
{
    return a->scope == b->scope && fn_eq(&a->of, &b->of);
}

uint64_t subject_hash(const struct subject *s)
{
    return str_hash(str_from(metric_scope_name(s->scope)), fn_hash(&s->of));
}
