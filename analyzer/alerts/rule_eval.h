/* Private to analyzer/alerts: a rule over the data of one subject. Pure: the same data give the
 * same verdict, in whatever order they came in. */
#ifndef FNSCOPE_ANALYZER_ALERTS_RULE_EVAL_H
#define FNSCOPE_ANALYZER_ALERTS_RULE_EVAL_H

#include "analyzer/alerts/signal.h"

/* One value and the time it is about: [begin, end), or an instant with begin == end. */
struct sample {
    int64_t begin_ns, end_ns, value;
    bool is_missing;
};

/* The values of one signal about one subject, in time order. */
struct track {
    const struct signal_info *signal;
    struct subject subject;
    struct sample *samples;
    size_t n, cap;
};

enum verdict {
    VERDICT_MISSING, /* no data, or none that is fresh */
    VERDICT_CLEAR,   /* gone, but not for as long as the rule wants */
    VERDICT_CLEARED, /* gone for good */
    VERDICT_BAND,    /* between the threshold and the clear value */
    VERDICT_HOLDS,   /* it holds, but not for as long as the rule wants */
    VERDICT_DUE
};

/* Whether a ratio is a share of enough to judge by (`min`). */
enum quorum {
    QUORUM_MET,
    QUORUM_FEW, /* its value is the real one, but begins no episode, nor ends one unless it is good
                 */
    QUORUM_NONE /* of nothing: nothing is wrong, and there is no value to show */
};

/* A run that was due and is over. */
struct past_run {
    int64_t started_ns, ended_ns, worst;
};
enum { PAST_RUNS = 32 };

struct observation {
    enum verdict verdict;
    int64_t value;      /* newest */
    int64_t whole;      /* of a ratio: what it is a share of */
    enum quorum quorum; /* of value */
    int64_t worst;      /* of the run that holds */
    int64_t data_ns;    /* end of the newest sample, now at the latest; 0: none */
    int64_t started_ns; /* HOLDS, DUE: since when it holds: the begin of the run, and where it must
                           hold `for` a while, the end of the run's first sample */
    int64_t begin_ns, end_ns; /* HOLDS, DUE: of the run */
    /* The last of the window, oldest first: for who looks too late to see them hold. */
    struct past_run past[PAST_RUNS];
    size_t n_past;
};

/* per is NULL for rules that are no ratio. A value is stale after stale_ns, and a longer gap
 * between two samples ends a run. */
void rule_eval(const struct rule *r, const struct track *of, const struct track *per,
               int64_t now_ns, int64_t stale_ns, struct observation *out);

#endif
