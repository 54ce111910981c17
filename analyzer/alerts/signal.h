/* Private to analyzer/alerts: what rules can look at. */
#ifndef FNSCOPE_ANALYZER_ALERTS_SIGNAL_H
#define FNSCOPE_ANALYZER_ALERTS_SIGNAL_H

#include "analyzer/alerts/alerts.h"

/* Where the values of a signal come from. */
enum signal_source {
    FROM_POINTS,    /* metric points of the signal's metric */
    FROM_CELLS,     /* invocations, summed by function and minute */
    FROM_ALL_CELLS, /* the same of all functions of a region together */
    FROM_CONFIG,    /* configuration of the function: one value */
    FROM_SOURCES    /* state of the collector's sources */
};

/* How values of a window become one. */
enum signal_kind {
    SIGNAL_SUM,  /* they add up; nothing is zero */
    SIGNAL_RATE, /* they add up and are said an hour */
    SIGNAL_LEVEL /* the worst counts */
};

enum queue_class { ANY_QUEUE, WORK_QUEUE, DEAD_LETTER_QUEUE };

/* Numbers of a minute of a function that FROM_CELLS may name. */
enum cell_member {
    CELL_INVOCATIONS,
    CELL_ERRORS,
    CELL_TIMEOUTS,
    CELL_OOM,
    CELL_COLD_STARTS,
    CELL_DURATION_MAX,
    CELL_MEMORY_MAX,
    CELL_DURATION_SHARE, /* of each attempt's own timeout and memory, 10^-6 */
    CELL_MEMORY_SHARE,
    CELL_COST, /* in USD */
    CELL_COST_CNY,
    CELL_MEMBERS
};

enum config_member { CONFIG_TIMEOUT, CONFIG_MEMORY, CONFIG_CONCURRENCY };
enum source_member { SOURCE_LAG, SOURCE_FAILURES, SOURCE_QUOTA };

struct signal_info {
    const char *name;
    unsigned scope_mask; /* 1 << enum metric_scope */
    enum metric_unit unit;
    enum signal_kind kind;
    enum signal_source from;
    unsigned member;           /* metric, cell, config or source member, by `from` */
    enum metric region_metric; /* FROM_POINTS: what stands for it in a region; METRICS: the same */
    enum queue_class queues;
    const char *phrase; /* "messages waiting" */
    const char *one;    /* "message waiting"; NULL: what it counts is no number of things */
    const char *help;
};

extern const struct signal_info signals[];              /* ends with a NULL name */
const struct signal_info *signal_find(struct str name); /* NULL: none */
/* A limit may change: what was used of it is a share of what it was then. "memory.max / memory" and
 * "duration.max / timeout" are such shares, attempt by attempt; NULL: a ratio like others. */
const struct signal_info *signal_share(const struct signal_info *of, const struct signal_info *per);
/* Amounts are of what is billed in their currency, everything else of anything. */
bool signal_is_of(const struct signal_info *s, const struct fn_ref *of);
struct str signal_suggest(struct str name);           /* the nearest; empty: none */
const char *rule_value_sample(enum metric_unit unit); /* as a rule writes it: "30s" (rule.c) */

#endif
