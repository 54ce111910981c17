/* The rules there are without configuration. An entry of the same name under alerts: changes one
 * or, with `enabled: false`, removes it. Thresholds are in
 * fnscope.yaml(5) with their reasons. */
#include "analyzer/alerts/signal.h"

#include "core/base/timefmt.h"

/* clang-format off */
const struct builtin builtin_table[] = {
    {"dlq-depth", "queue.dlq_depth > 0", ALERT_CRITICAL, "messages have failed for good"},
    {"dlq-age", "queue.dlq_age > 1d", ALERT_WARNING, "a failed message lies unattended and will expire"},
    {"queue-age", "queue.age > 15m for 5m clear 10m", ALERT_WARNING, "a queue's consumers do not keep up"},
    {"throttles", "throttles > 0 over 3m keep 5m", ALERT_WARNING, "requests are refused for lack of concurrency"},
    {"concurrency", "concurrency / concurrency_limit >= 80% over 3m clear 70% min 3", ALERT_WARNING,
     "the concurrency limit is near"},
    {"error-rate", "errors / invocations > 1% over 10m min 20 clear 0.8% keep 5m", ALERT_WARNING,
     "invocations fail"},
    {"duration", "duration.max / timeout >= 90% over 5m keep 5m", ALERT_WARNING,
     "invocations run close to their timeout"},
    {"memory", "memory.max / memory >= 95% over 5m keep 5m", ALERT_WARNING,
     "invocations use nearly all their memory"},
    {"spend-rate", "spend.total > $10/h over 10m clear $8/h", ALERT_WARNING, "spending is high"},
    {"spend-rate-cny", "spend.total.cny > CNY70/h over 10m clear CNY56/h", ALERT_WARNING, "spending in China is high"},
    {"stale-data", "source.lag > 5m", ALERT_CRITICAL, "a source gives no data: nothing is watched there"},
    {"events-lost", "dlq.errors > 0 over 5m keep 5m", ALERT_CRITICAL, "failed events could not even be set aside"},
    {"events-dropped", "async.dropped > 0 over 5m keep 5m", ALERT_WARNING, "asynchronous events were given up"},
    {0},
};
/* clang-format on */

#define REPEAT_NS (4 * NS_PER_HOUR)

enum status builtin_rules(struct arena *a, struct rule **out, size_t *n, struct err *e)
{
    const size_t count = ARRAY_LEN(builtin_table) - 1;
    struct rule *rules = arena_new(a, struct rule, count);

    for (size_t i = 0; i < count; i++) {
        rules[i] = (struct rule){
            .name = str_from(builtin_table[i].name),
            .severity = builtin_table[i].severity,
            .repeat_ns = REPEAT_NS,
            .notify_all = true,
        };
        if (rule_parse(&rules[i], str_from(builtin_table[i].when), e) != OK)
            return err_wrap(e, "rule %s", builtin_table[i].name);
    }
    *out = rules;
    *n = count;
    return OK;
}
