/* The table of what rules can look at. A new signal is one row, if its values come from where
 * others' come from. */
#include "analyzer/alerts/signal.h"

#include "core/base/opt.h"

#define FUNCTION (1u << SCOPE_FUNCTION)
#define QUEUE    (1u << SCOPE_QUEUE)
#define SOURCE   (1u << SCOPE_SOURCE)
#define REGION   (1u << SCOPE_REGION)

/* clang-format off */
const struct signal_info signals[] = {
    {"queue.depth", QUEUE, UNIT_COUNT, SIGNAL_LEVEL, FROM_POINTS, METRIC_QUEUE_DEPTH, METRICS, WORK_QUEUE,
     "messages waiting", "message waiting", "messages waiting in a queue that is no dead-letter queue"},
    {"queue.age", QUEUE, UNIT_NS, SIGNAL_LEVEL, FROM_POINTS, METRIC_QUEUE_AGE, METRICS, WORK_QUEUE,
     "age of the oldest message", NULL, "age of the oldest message of a queue that is no dead-letter queue"},
    {"queue.in_flight", QUEUE, UNIT_COUNT, SIGNAL_LEVEL, FROM_POINTS, METRIC_QUEUE_IN_FLIGHT, METRICS, WORK_QUEUE,
     "messages in flight", "message in flight", "messages received and not yet deleted"},
    {"queue.dlq_depth", QUEUE, UNIT_COUNT, SIGNAL_LEVEL, FROM_POINTS, METRIC_QUEUE_DEPTH, METRICS, DEAD_LETTER_QUEUE,
     "messages in the dead-letter queue", "message in the dead-letter queue", "messages in a dead-letter queue"},
    {"queue.dlq_age", QUEUE, UNIT_NS, SIGNAL_LEVEL, FROM_POINTS, METRIC_QUEUE_AGE, METRICS, DEAD_LETTER_QUEUE,
     "age of the oldest message of the dead-letter queue", NULL, "age of the oldest message of a dead-letter queue"},
    {"invocations", FUNCTION, UNIT_COUNT, SIGNAL_SUM, FROM_CELLS, CELL_INVOCATIONS, METRICS, ANY_QUEUE,
     "invocations", "invocation", "attempts that started"},
    {"errors", FUNCTION, UNIT_COUNT, SIGNAL_SUM, FROM_CELLS, CELL_ERRORS, METRICS, ANY_QUEUE,
     "failed invocations", "failed invocation", "attempts that failed: errors, timeouts, out of memory"},
    {"timeouts", FUNCTION, UNIT_COUNT, SIGNAL_SUM, FROM_CELLS, CELL_TIMEOUTS, METRICS, ANY_QUEUE,
     "timeouts", "timeout", "attempts cut off by their timeout"},
    {"oom", FUNCTION, UNIT_COUNT, SIGNAL_SUM, FROM_CELLS, CELL_OOM, METRICS, ANY_QUEUE,
     "attempts out of memory", "attempt out of memory", "attempts that ran out of memory"},
    {"cold_starts", FUNCTION, UNIT_COUNT, SIGNAL_SUM, FROM_CELLS, CELL_COLD_STARTS, METRICS, ANY_QUEUE,
     "cold starts", "cold start", "attempts that began with an initialization"},
    {"duration.max", FUNCTION, UNIT_NS, SIGNAL_LEVEL, FROM_CELLS, CELL_DURATION_MAX, METRICS, ANY_QUEUE,
     "longest duration", NULL, "longest duration"},
    {"memory.max", FUNCTION, UNIT_BYTES, SIGNAL_LEVEL, FROM_CELLS, CELL_MEMORY_MAX, METRICS, ANY_QUEUE,
     "most memory used", NULL, "most memory an invocation used"},
    {"duration.share", FUNCTION, UNIT_PPM, SIGNAL_LEVEL, FROM_CELLS, CELL_DURATION_SHARE, METRICS, ANY_QUEUE,
     "of its timeout used", NULL, "largest share an invocation used of the timeout it had; duration.max / timeout says the same"},
    {"memory.share", FUNCTION, UNIT_PPM, SIGNAL_LEVEL, FROM_CELLS, CELL_MEMORY_SHARE, METRICS, ANY_QUEUE,
     "of its memory used", NULL, "largest share an invocation used of the memory it had; memory.max / memory says the same"},
    {"spend", FUNCTION, UNIT_PICO_HOUR, SIGNAL_RATE, FROM_CELLS, CELL_COST, METRICS, ANY_QUEUE,
     "spending", NULL, "list cost of a function's invocations, an hour"},
    {"spend.total", REGION, UNIT_PICO_HOUR, SIGNAL_RATE, FROM_ALL_CELLS, CELL_COST, METRICS, ANY_QUEUE,
     "spending", NULL, "list cost of all functions of an account and region, an hour"},
    {"spend.cny", FUNCTION, UNIT_PICO_CNY_HOUR, SIGNAL_RATE, FROM_CELLS, CELL_COST_CNY, METRICS, ANY_QUEUE,
     "spending", NULL, "the same of a function in China, which is billed in CNY"},
    {"spend.total.cny", REGION, UNIT_PICO_CNY_HOUR, SIGNAL_RATE, FROM_ALL_CELLS, CELL_COST_CNY, METRICS, ANY_QUEUE,
     "spending", NULL, "the same of a region in China, which is billed in CNY"},
    {"timeout", FUNCTION, UNIT_NS, SIGNAL_LEVEL, FROM_CONFIG, CONFIG_TIMEOUT, METRICS, ANY_QUEUE,
     "timeout", NULL, "the function's configured timeout"},
    {"memory", FUNCTION, UNIT_BYTES, SIGNAL_LEVEL, FROM_CONFIG, CONFIG_MEMORY, METRICS, ANY_QUEUE,
     "memory", NULL, "the function's configured memory"},
    {"throttles", FUNCTION | REGION, UNIT_COUNT, SIGNAL_SUM, FROM_POINTS, METRIC_THROTTLES, METRICS, ANY_QUEUE,
     "throttled requests", "throttled request", "requests refused for lack of concurrency"},
    {"concurrency", FUNCTION | REGION, UNIT_COUNT, SIGNAL_LEVEL, FROM_POINTS, METRIC_CONCURRENCY,
     METRIC_CONCURRENCY_CLAIMED, ANY_QUEUE, "concurrency", NULL, "environments at work at a time; in a region, claimed"},
    {"concurrency_limit", FUNCTION | REGION, UNIT_COUNT, SIGNAL_LEVEL, FROM_POINTS, METRIC_CONCURRENCY_LIMIT, METRICS,
     ANY_QUEUE, "concurrency allowed", NULL, "the function's reserved or the account's concurrency"},
    {"async.dropped", FUNCTION | REGION, UNIT_COUNT, SIGNAL_SUM, FROM_POINTS, METRIC_ASYNC_DROPPED, METRICS, ANY_QUEUE,
     "asynchronous events given up", "asynchronous event given up", "asynchronous events given up"},
    {"async.age", REGION, UNIT_NS, SIGNAL_LEVEL, FROM_POINTS, METRIC_ASYNC_AGE, METRICS, ANY_QUEUE,
     "age of the oldest asynchronous event", NULL, "age of the oldest asynchronous event"},
    {"dlq.errors", FUNCTION | REGION, UNIT_COUNT, SIGNAL_SUM, FROM_POINTS, METRIC_DLQ_ERRORS, METRICS, ANY_QUEUE,
     "events lost before the dead-letter queue", "event lost before the dead-letter queue", "events the dead-letter queue refused: they are lost"},
    {"destination.errors", FUNCTION | REGION, UNIT_COUNT, SIGNAL_SUM, FROM_POINTS, METRIC_DESTINATION_ERRORS, METRICS,
     ANY_QUEUE, "events lost before their destination", "event lost before its destination", "events a destination refused: they are lost"},
    {"iterator.age", FUNCTION | REGION, UNIT_NS, SIGNAL_LEVEL, FROM_POINTS, METRIC_ITERATOR_AGE, METRICS, ANY_QUEUE,
     "age of stream records", NULL, "age of the last record read from a stream"},
    {"recursion.dropped", FUNCTION | REGION, UNIT_COUNT, SIGNAL_SUM, FROM_POINTS, METRIC_RECURSION_DROPPED, METRICS,
     ANY_QUEUE, "invocations stopped as a loop", "invocation stopped as a loop", "invocations stopped as part of a loop"},
    {"source.lag", SOURCE, UNIT_NS, SIGNAL_LEVEL, FROM_SOURCES, SOURCE_LAG, METRICS, ANY_QUEUE,
     "since its last good poll", NULL, "time since a source of the collector last answered"},
    {"source.failures", SOURCE, UNIT_COUNT, SIGNAL_LEVEL, FROM_SOURCES, SOURCE_FAILURES, METRICS, ANY_QUEUE,
     "failed polls in a row", "failed poll", "polls of a source that failed in a row"},
    {"source.quota", SOURCE, UNIT_PPM, SIGNAL_LEVEL, FROM_SOURCES, SOURCE_QUOTA, METRICS, ANY_QUEUE,
     "of its quota", NULL, "use of a source's tightest quota"},
    {0},
};
/* clang-format on */

enum { N_SIGNALS = ARRAY_LEN(signals) - 1 };

const struct signal_info *signal_find(struct str name)
{
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (str_eq(name, str_from(signals[i].name)))
            return &signals[i];
    return NULL;
}

const struct signal_info *signal_share(const struct signal_info *of, const struct signal_info *per)
{
    static const struct {
        const char *of, *per, *share;
    } shares[] = {{"duration.max", "timeout", "duration.share"},
                  {"memory.max", "memory", "memory.share"}};

    for (size_t i = 0; per != NULL && i < ARRAY_LEN(shares); i++)
        if (of == signal_find(str_from(shares[i].of)) &&
            per == signal_find(str_from(shares[i].per)))
            return signal_find(str_from(shares[i].share));
    return NULL;
}

bool signal_is_of(const struct signal_info *s, const struct fn_ref *of)
{
    const bool is_money = s->unit == UNIT_PICO_HOUR || s->unit == UNIT_PICO_CNY_HOUR;

    return !is_money || fn_is_usd(of) == (s->unit == UNIT_PICO_HOUR);
}

struct str signal_suggest(struct str name)
{
    const char *names[N_SIGNALS + 1] = {0};

    for (size_t i = 0; i < N_SIGNALS; i++)
        names[i] = signals[i].name;
    return opt_suggest(name, names);
}

bool signal_help(size_t i, struct signal_help *out)
{
    static const char *const scopes[] = {
        [FUNCTION] = "function",
        [QUEUE] = "queue",
        [SOURCE] = "source",
        [REGION] = "region",
        [FUNCTION | REGION] = "function, region",
    };

    if (i >= N_SIGNALS)
        return false;
    const struct signal_info *s = &signals[i];
    *out =
        (struct signal_help){s->name, rule_value_sample(s->unit), scopes[s->scope_mask], s->help};
    return true;
}
