/* The tables of `fnscope alert`: alerts, episodes, silences, messages, rules, signals. */
#ifndef FNSCOPE_CLI_ALERT_TABLES_H
#define FNSCOPE_CLI_ALERT_TABLES_H

#include "cli/alert_config.h"
#include "cli/common.h"

void alert_table(struct cli *c, const struct alert *rows, size_t n, int64_t now_ns);
void silence_table(struct cli *c, const struct silence *rows, size_t n);
void message_table(struct cli *c, const struct outbox_entry *rows, size_t n);
void rule_table(struct cli *c, const struct alert_config *k);
void signal_table(struct cli *c);

#endif
