/* What people tell the alerts: acknowledge, silence, end a silence. An order is a few lines of
 * text, so that it can travel to a running collector; whoever holds the store's writing end carries
 * it out. */
#ifndef FNSCOPE_CLI_ALERT_ORDERS_H
#define FNSCOPE_CLI_ALERT_ORDERS_H

#include "core/store/store.h"

/* "alert ack\nKEY\nBY", "alert unsilence\nID", "alert silence\nRULE\nNAME\nUNTIL-NS\nBY\nCOMMENT\n
 * ACCOUNT\nREGION" (alert_silence_order of analyzer/alerts). */
bool alert_order_is(struct str text);
/* Carries it out on the writer's store; reply is a line for the person. ERR_NOT_FOUND, ERR_USAGE.
 */
MUST_CHECK enum status alert_order_run(struct store *s, struct str text, int64_t now_ns,
                                       struct buf *reply, struct err *e);

/* Of a key or at least 4 digits of one: the only alert it can mean. */
MUST_CHECK enum status alert_by_key(struct store *s, struct str key, struct arena *a,
                                    struct alert *out, struct err *e);

#endif
