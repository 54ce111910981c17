/* Alerts: rules over metric points and invocations, a state for each rule and subject, and messages
 * about changes of state. Front door of analyzer/alerts.
 *
 *     rule_parse(&r, text, e)            one `when:` line to a rule          pure
 *     alerts_evaluate(&set, store, ...)  what changed as of a time           reads the store
 *     store_write_alerts(store, ...)     state and messages, one transaction (core/store)
 *
 * Evaluation looks at a window of data each time and not at what it saw before, so late data
 * changes the verdict like data in time, and evaluating again changes nothing. Only the state (who
 * was told what) is remembered. Runs on the writer thread, after a commit and when idle; or in a
 * read-only process that only looks (`fnscope alert check`). */
#ifndef FNSCOPE_ANALYZER_ALERTS_ALERTS_H
#define FNSCOPE_ANALYZER_ALERTS_ALERTS_H

#include "core/store/store.h"

/* What a rule can look at: one row of the table in signal.c. */
struct signal_info;

enum rule_compare { RULE_ABOVE, RULE_AT_LEAST, RULE_BELOW, RULE_AT_MOST };

/* What no data means. */
enum rule_missing { RULE_MISSING_KEEPS, RULE_MISSING_FIRES, RULE_MISSING_CLEARS };
extern const char *const rule_missing_names[]; /* "keep", "fire", "clear", NULL */

struct rule {
    struct str name;                        /* "dlq-depth" */
    struct str when;                        /* as written */
    const struct signal_info *signal, *per; /* per NULL: no ratio */
    enum rule_compare compare;
    int64_t threshold;
    int64_t clear; /* the condition is gone when the value is on the other side of it; without
                      `clear` the threshold */
    enum metric_unit unit;
    int64_t for_ns;     /* it must hold so long before it is due */
    int64_t over_ns;    /* each value is taken over so long */
    int64_t keep_ns;    /* it must be gone so long before it is over */
    uint64_t min_count; /* of the divisor of a ratio: below, it begins nothing */
    enum alert_severity severity;
    enum rule_missing missing;
    struct str name_glob, region, account; /* empty: any */
    int64_t repeat_ns;                     /* remind while firing; 0: never */
    const struct str *notify;              /* names of notifiers */
    size_t n_notify;
    bool notify_all; /* all that are configured */
    bool is_off;
};

/* Parses "queue.dlq_depth > 0 for 5m" into the parts of *r that `when` says; the rest is left.
 *
 *     when   := signal [ "/" signal ] ( ">" | ">=" | "<" | "<=" ) value clause*
 *     clause := "for" DURATION | "over" DURATION | "clear" value | "keep" DURATION | "min" COUNT
 *     value  := 5 | 1.5% | 30s | 512MB | $2 | $2/h      in the signal's unit
 *
 * ERR_CONFIG with the column (from 1, bytes) in the message and, for a signal that is none, the
 * nearest one. Views point into `text`. */
MUST_CHECK enum status rule_parse(struct rule *r, struct str text, struct err *e);

/* Is the rule's signal about functions, queues, ...? */
bool rule_is_about(const struct rule *r, enum metric_scope scope);

/* Names of signals with their help, for the manual and completion; sample: a value of theirs as a
 * rule writes it, "$2.50/h". */
struct signal_help {
    const char *name, *sample, *scopes, *help;
};
bool signal_help(size_t i, struct signal_help *out); /* false after the last */

/* The rules there are without configuration: NULL name ends. when is parsed by builtin_rules. */
struct builtin {
    const char *name, *when;
    enum alert_severity severity;
    const char *help;
};
extern const struct builtin builtin_table[];
/* All of them as rules, in the arena. */
MUST_CHECK enum status builtin_rules(struct arena *a, struct rule **out, size_t *n, struct err *e);

/* What is evaluated and who is told. */
struct alert_set {
    const struct rule *rules;
    size_t n_rules;
    const struct str *notifiers; /* all configured: for rules with notify_all */
    size_t n_notifiers;
    bool tells_newcomers; /* who was told nothing of an alert that fires is told: after a change of
                             the configuration, and it costs a look into the outbox an alert */
    struct str reach;     /* flags with which another process finds this store: " --store '/x'" */
    int64_t begun_ns;     /* when the collector began: sources it has not polled yet have a minute
                             before anybody is told that they lag; 0: no collector asks */
};

struct alert_verdicts {
    struct alert_changes changes; /* for store_write_alerts */
    struct alert *current;        /* all that are not inactive, worst first */
    size_t n_current;
    size_t n_looked_at; /* pairs of rule and subject */
    int64_t data_ns;    /* newest data there was; 0: none */
};

/* How far back rules look. */
int64_t alerts_lookback_ns(const struct alert_set *set);

/* As of now_ns. Everything in *out lives in the arena. The store is only read. */
MUST_CHECK enum status alerts_evaluate(const struct alert_set *set, struct store *s, int64_t now_ns,
                                       struct arena *a, struct alert_verdicts *out, struct err *e);

/* Is the notifier told of alerts of this rule? */
bool alert_tells(const struct alert_set *set, const struct alert *a, struct str notifier);

/* Acknowledges a firing alert: *changed becomes the row to write, false when it is not firing. */
bool alert_acknowledge(struct alert *a, struct str by, int64_t now_ns);

/* What mutes this alert and no other of its rule; without times and author. Its globs match odd
 * bytes of names by `?`. */
struct silence alert_silence(struct arena *a, const struct alert *alert);
/* A silence as the writer of the store is told of it (cli/alert_orders.h). */
struct str alert_silence_order(struct arena *a, const struct silence *s);

/* The commands that mute this alert and no other of its rule, and that take it, safe to paste into
 * a shell; reach as in struct alert_set. */
struct str alert_mute(struct arena *a, const struct alert *alert, struct str reach);
struct str alert_take(struct arena *a, const struct alert *alert, struct str reach);

/* A message that tests a notifier: nothing is stored about an alert. */
struct outbox_entry alert_test_message(struct arena *a, struct str notifier, struct str reach,
                                       int64_t now_ns);

#endif
