/* Whether somebody forged a request is told by those of its environment that ran at the same time:
 * who they are, in memory and in the store, and which of them are to be looked at again when one
 * changed. The judgement itself is in evidence.c. */
#include "analyzer/correlate_private.h"
#include "core/base/clock.h"

/* --- whom to bring back --- */

static void want(struct correlator *c, const struct assembly *a)
{
    struct env *v = a->env;
    const struct range span = pieces_span(&a->pieces);

    if (!v->is_wanting) {
        v->is_wanting = true;
        v->wanted = span;
        v->wanting_next = c->wanting;
        c->wanting = v;
        return;
    }
    v->wanted.since_ns = span.since_ns < v->wanted.since_ns ? span.since_ns : v->wanted.since_ns;
    v->wanted.until_ns = span.until_ns > v->wanted.until_ns ? span.until_ns : v->wanted.until_ns;
}

static enum status bring_back(struct correlator *c, struct err *e)
{
    enum status s = OK;

    while (c->wanting) {
        struct env *v = c->wanting;
        c->wanting = v->wanting_next;
        v->is_wanting = false;
        if (s == OK)
            s = corr_recall_runs(c, v, v->wanted, e);
    }
    return s;
}

/* --- whom to look at again --- */

static bool runs_around_attempt(const struct assembly *outer, const struct assembly *a)
{
    struct attempt attempts[MAX_ATTEMPTS];
    struct range runs[MAX_PLAIN_RUNS];
    size_t n_runs = pieces_plain_runs(&outer->pieces, runs, MAX_PLAIN_RUNS);
    size_t n = n_runs > 0 ? pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct range own = {a->pieces.rows[attempts[i].from].t_ns,
                                  a->pieces.rows[attempts[i].to - 1].t_ns};
        for (size_t k = 0; k < n_runs; k++)
            if (range_lies_within(&own, &runs[k]))
                return true;
    }
    return false;
}

static void note_nesting(struct correlator *c, struct assembly *a, const struct assembly *outer)
{
    if (a->is_within || !runs_around_attempt(outer, a))
        return;
    a->is_within = true;
    corr_set_suspect(a, true);
    corr_mark_dirty(c, a);
}

/* On a managed instance requests run side by side, and none tells of another. */
static bool has_bill(const struct assembly *a)
{
    for (size_t i = 0; i < a->pieces.n; i++)
        if (a->pieces.rows[i].kind == PIECE_REPORT && (a->pieces.rows[i].has & PH_BILLED))
            return true;
    return false;
}

/* Only of a stream that Lambda named is it known that one request runs at a time: an export without
 * streams holds many environments. */
static void look_at_kin(struct correlator *c, struct assembly *a)
{
    const bool is_alone = a->env->origin.version.n > 0 && has_bill(a);
    const struct range span = pieces_span(&a->pieces);
    struct span_query q = corr_overlapping(c, a->env, &span);

    for (struct assembly *o = corr_next(&q); o; o = corr_next(&q)) {
        if (o == a)
            continue;
        bool is_pair = is_alone && has_bill(o);
        if (a->env->origin.version.n > 0) {
            note_nesting(c, a, o);
            note_nesting(c, o, a);
        }
        if (o->is_suspect || is_pair)
            corr_mark_dirty(c, o);
    }
}

/* A change may also move attempt numbers of the same id elsewhere. Where every line came behind the
 * one before, and each request's after the last one's, nobody ran at the same time. */
static void spread(struct correlator *c, struct assembly *a)
{
    for (struct assembly *o = a->same_id; o != a; o = o->same_id)
        corr_mark_dirty(c, o);
    if (pieces_span(&a->pieces).since_ns <= a->env->mixed_to_ns)
        look_at_kin(c, a);
}

enum status corr_judge(struct correlator *c, struct err *e)
{
    const struct assembly *done = NULL;
    enum status s = OK;

    while (s == OK && c->dirty != done) { /* what is marked goes in front */
        struct assembly *first = c->dirty;
        for (struct assembly *a = first; a != done; a = a->dirty_next) {
            a->judged_in_feed = c->n_feeds;
            want(c, a);
        }
        s = bring_back(c, e);
        for (struct assembly *a = first; s == OK && a != done; a = a->dirty_next)
            spread(c, a);
        done = first;
    }
    return s;
}
