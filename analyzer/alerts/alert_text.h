/* Private to analyzer/alerts: what an alert says to people. Pure. */
#ifndef FNSCOPE_ANALYZER_ALERTS_ALERT_TEXT_H
#define FNSCOPE_ANALYZER_ALERTS_ALERT_TEXT_H

#include "analyzer/alerts/signal.h"

/* "queue orders-dlq: 12 messages in the dead-letter queue (threshold > 0)" */
struct str alert_summary(struct arena *a, const struct rule *r, const struct alert *alert);
/* A command of this program that shows what the alert rests on, safe to paste into a shell:
 * characters of the name that a shell would act on stand as '?', which the command takes for any.
 */
struct str alert_evidence(struct arena *a, const struct rule *r, const struct alert *alert);

#endif
