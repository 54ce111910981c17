/* Private to analyzer/alerts: what an alert says to people. Pure. */
#ifndef FNSCOPE_ANALYZER_ALERTS_ALERT_TEXT_H
#define FNSCOPE_ANALYZER_ALERTS_ALERT_TEXT_H

#include "analyzer/alerts/rule_eval.h"

/* "queue orders-dlq: 12 messages in the dead-letter queue (threshold > 0)". A ratio of too few to
 * judge by says of how many, and one of nothing says that; o is NULL where the value was judged.
 */
struct str alert_summary(struct arena *a, const struct rule *r, const struct alert *alert,
                         const struct observation *o, bool is_ambiguous);
/* The same of an episode that was over before it was seen: what it came to, from when to when. */
struct str alert_passed_summary(struct arena *a, const struct rule *r, const struct alert *alert,
                                bool is_ambiguous);
/* While it still fires, and does not hold any more. */
struct str alert_leaving_summary(struct arena *a, const struct rule *r, const struct alert *alert);
/* Of one that ends for another reason than its condition: what was last said, and why. */
struct str alert_ended_summary(struct arena *a, const struct alert *alert, const char *why);
/* What a command needs so that it shows this subject and no other. */
struct alert_reach {
    struct str flags;  /* of the store: " --store '/var/lib/fnscope'"; empty: the usual one */
    bool is_ambiguous; /* there are others of that name */
};
/* A command of this program that shows what the alert rests on, safe to paste into a shell:
 * characters of the name that a shell would act on stand as '?', which the command takes for any.
 */
struct str alert_evidence(struct arena *a, const struct rule *r, const struct alert *alert,
                          const struct alert_reach *reach);

#endif
