/* The alerts: and notify: sections of the configuration: built-in rules, changed and joined by the
 * user's, and whom they tell. */
#ifndef FNSCOPE_CLI_ALERT_CONFIG_H
#define FNSCOPE_CLI_ALERT_CONFIG_H

#include "analyzer/alerts/alerts.h"
#include "cli/command.h"
#include "reports/notify/notify.h"

struct alert_config {
    struct rule *rules; /* also those that are off */
    size_t n_rules;
    struct notifier *notifiers;
    size_t n_notifiers;
    struct alert_set set; /* for alerts_evaluate */
};

/* Reads and checks both sections; everything lives in the cli's arena. ERR_CONFIG names line and
 * column. Without sections: the built-in rules and nobody to tell. */
MUST_CHECK enum status alert_config_read(const struct cli *c, struct alert_config *out,
                                         struct err *e);

/* Says of each notifier whose secret cannot be read now that nobody is told by it. */
void alert_config_warn(const struct cli *c, const struct alert_config *k);

/* The keys of an entry under alerts:, for the manual. */
extern const struct opt_def alert_entry_options[];

#endif
