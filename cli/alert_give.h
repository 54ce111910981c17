/* Giving an order about alerts to whoever may carry it out: the running collector, which holds the
 * store's writing end, or this process for the moment it takes. */
#ifndef FNSCOPE_CLI_ALERT_GIVE_H
#define FNSCOPE_CLI_ALERT_GIVE_H

#include "cli/command.h"

/* The order is one of alert_orders.h; reply is a line for the person. */
MUST_CHECK enum status alert_give(struct cli *c, struct str order, struct buf *reply,
                                  struct err *e);

#endif
