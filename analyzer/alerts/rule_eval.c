/* A rule over samples: each sample gives one value over the rule's window; values are good, bad or
 * between; runs of bad values say since when the condition holds, runs of good ones since when it
 * is gone. */
#include "analyzer/alerts/rule_eval.h"

#include <assert.h>
#include <string.h>

#include "core/base/timefmt.h"
#include "core/model/money.h"

/* --- one value --- */

static int64_t narrow(wide v)
{
    return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

/* Sum or worst of what ended in (end - over, end]; a level without a window is the last value. */
static bool window_value(const struct rule *r, const struct track *t, int64_t end_ns, wide *out)
{
    const bool is_lower = r->compare == RULE_BELOW || r->compare == RULE_AT_MOST;
    const bool adds = t->signal->kind != SIGNAL_LEVEL;
    const int64_t over_ns = r->over_ns;
    bool is_any = adds;
    wide v = 0;

    for (size_t i = t->n; i-- > 0;) {
        const struct sample *s = &t->samples[i];
        if (s->end_ns > end_ns || s->is_missing)
            continue;
        if (over_ns > 0 && s->end_ns <= end_ns - over_ns)
            break;
        if (adds)
            v += s->value;
        else if (!is_any || (is_lower ? s->value < v : s->value > v))
            v = s->value;
        is_any = true;
        if (over_ns == 0)
            break;
    }
    *out = v;
    return is_any;
}

/* A divisor that is a level (a limit, a timeout) holds until the next value. */
static bool divisor(const struct rule *r, const struct track *t, int64_t end_ns, wide *out)
{
    if (t->signal->kind != SIGNAL_LEVEL)
        return window_value(r, t, end_ns, out);
    for (size_t i = t->n; i-- > 0;) {
        if (t->samples[i].is_missing || t->samples[i].begin_ns > end_ns)
            continue;
        *out = t->samples[i].value;
        return *out > 0;
    }
    return false;
}

#define PPM 1000000

/* One value of a rule; of a ratio, what it is a share of as well. */
struct reading {
    int64_t value, whole;
    enum quorum quorum;
};

/* A share of nothing is none; throttled requests without any invocation are as many times all. */
static void ratio_of(const struct rule *r, wide part, wide whole, struct reading *out)
{
    const bool is_little = whole < (wide)r->min_count;

    out->value = narrow(wide_ratio(part, PPM, whole > 0 ? whole : 1));
    out->whole = narrow(whole);
    out->quorum = whole <= 0 && part == 0 ? QUORUM_NONE : is_little ? QUORUM_FEW : QUORUM_MET;
}

/* What is counted of the same invocations is a part of them. Of what is not, that there were none
 * is known once it is known up to then. */
static bool has_none(const struct rule *r, const struct track *t, int64_t end_ns)
{
    const bool is_apart = r->signal->from != FROM_CELLS || r->per->from != FROM_CELLS;

    return is_apart && t->n > 0 && !t->samples[t->n - 1].is_missing &&
           t->samples[t->n - 1].end_ns >= end_ns;
}

static bool value_at(const struct rule *r, const struct track *of, const struct track *per,
                     int64_t end_ns, struct reading *out)
{
    wide v, d;

    if (!window_value(r, of, end_ns, &v))
        return false;
    if (of->signal->kind == SIGNAL_RATE)
        v = wide_ratio(v, (wide)NS_PER_HOUR, r->over_ns > 0 ? r->over_ns : NS_PER_MIN);
    if (!r->per) {
        *out = (struct reading){.value = narrow(v), .quorum = QUORUM_MET};
        return true;
    }
    if (!per || !divisor(r, per, end_ns, &d) || (d <= 0 && v != 0 && !has_none(r, per, end_ns)))
        return false;
    ratio_of(r, v, d, out);
    return true;
}

/* --- good, bad, between --- */

enum side { SIDE_GOOD, SIDE_BETWEEN, SIDE_BAD };

static bool is_beyond(enum rule_compare c, int64_t value, int64_t limit)
{
    switch (c) {
    case RULE_ABOVE:
        return value > limit;
    case RULE_AT_LEAST:
        return value >= limit;
    case RULE_BELOW:
        return value < limit;
    case RULE_AT_MOST:
    default:
        return value <= limit;
    }
}

/* Too few to judge by begin nothing, and while they fail they end nothing; of none, none fails. */
static enum side side_of(const struct rule *r, const struct reading *x)
{
    const int64_t value = x->value;

    if (x->quorum == QUORUM_NONE)
        return SIDE_GOOD;
    if (is_beyond(r->compare, value, r->threshold))
        return x->quorum == QUORUM_FEW ? SIDE_BETWEEN : SIDE_BAD;
    return r->clear != r->threshold && is_beyond(r->compare, value, r->clear) ? SIDE_BETWEEN
                                                                              : SIDE_GOOD;
}

static bool is_worse(const struct rule *r, int64_t a, int64_t b)
{
    return r->compare == RULE_BELOW || r->compare == RULE_AT_MOST ? a < b : a > b;
}

/* --- runs --- */

/* Samples of one side that follow each other without a gap. */
struct run {
    enum side side;
    int64_t begin_ns, end_ns, worst;
    int64_t held_ns; /* it held then at the latest: the end of its first sample */
};

struct walk {
    const struct rule *rule;
    struct run run;
    bool has_run;
    struct observation *out;
};

/* In which second of its first sample it began nobody can tell: `for` counts from that one's end.
 */
static int64_t began(const struct rule *r, const struct run *run)
{
    return r->for_ns > 0 ? run->held_ns : run->begin_ns;
}

static bool is_due(const struct rule *r, const struct run *run)
{
    return run->side == SIDE_BAD && run->end_ns - began(r, run) >= r->for_ns;
}

static void end_run(struct walk *w)
{
    struct observation *o = w->out;

    if (!w->has_run || !is_due(w->rule, &w->run))
        return;
    if (o->n_past == PAST_RUNS)
        memmove(o->past, o->past + 1, --o->n_past * sizeof(*o->past));
    o->past[o->n_past++] = (struct past_run){began(w->rule, &w->run), w->run.end_ns, w->run.worst};
}

static void add_value(struct walk *w, const struct sample *s, const struct reading *x,
                      int64_t stale_ns)
{
    const enum side side = side_of(w->rule, x);
    const int64_t value = x->value;
    const bool goes_on =
        w->has_run && w->run.side == side && s->begin_ns - w->run.end_ns <= stale_ns;

    if (!goes_on) {
        end_run(w);
        w->run = (struct run){side, s->begin_ns, s->end_ns, value, s->end_ns};
        w->has_run = true;
        return;
    }
    w->run.end_ns = s->end_ns > w->run.end_ns ? s->end_ns : w->run.end_ns;
    if (is_worse(w->rule, value, w->run.worst))
        w->run.worst = value;
}

static void judge(const struct walk *w)
{
    const struct run *run = &w->run;
    struct observation *o = w->out;

    o->started_ns = began(w->rule, run);
    o->begin_ns = run->begin_ns;
    o->end_ns = run->end_ns;
    o->worst = run->worst;
    if (run->side == SIDE_BAD)
        o->verdict = is_due(w->rule, run) ? VERDICT_DUE : VERDICT_HOLDS;
    else if (run->side == SIDE_BETWEEN)
        o->verdict = VERDICT_BAND;
    else
        o->verdict =
            run->end_ns - run->begin_ns >= w->rule->keep_ns ? VERDICT_CLEARED : VERDICT_CLEAR;
}

void rule_eval(const struct rule *r, const struct track *of, const struct track *per,
               int64_t now_ns, int64_t stale_ns, struct observation *out)
{
    struct observation o = {.verdict = VERDICT_MISSING};
    struct walk w = {.rule = r, .out = &o};

    assert(stale_ns > 0);
    for (size_t i = 0; of && i < of->n; i++) {
        const struct sample *s = &of->samples[i];
        struct sample seen = *s; /* a minute that runs ends later */
        struct reading x;
        if (s->is_missing || s->begin_ns > now_ns || !value_at(r, of, per, s->end_ns, &x))
            continue;
        seen.end_ns = s->end_ns < now_ns ? s->end_ns : now_ns;
        add_value(&w, &seen, &x, stale_ns);
        o.value = x.value;
        o.whole = x.whole;
        o.quorum = x.quorum;
        o.data_ns = seen.end_ns;
    }
    if (w.has_run && now_ns - o.data_ns <= stale_ns)
        judge(&w);
    else
        end_run(&w);
    *out = o;
}
