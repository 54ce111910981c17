/* Whether somebody forged a request is told by those of its environment that ran at the same time:
 * who they are, in memory and in the store, and which of them are to be looked at again when one
 * changed. The judgement itself is in evidence.c. */
#include "analyzer/correlate_private.h"
#include "core/base/clock.h"

/* --- whom to bring back --- */

static void want(struct correlator *c, const struct assembly *a)
{
    struct env *v = a->env;
    const struct range span = pieces_reach(&a->pieces);

    if (!v->is_wanting) {
        v->is_wanting = true;
        v->wanted = span;
        v->wanting_next = c->wanting;
        c->wanting = v;
        return;
    }
    v->wanted = range_hull(v->wanted, span);
}

static enum status bring_back(struct correlator *c, struct err *e)
{
    enum status s = OK;

    while (c->wanting) {
        struct env *v = c->wanting;
        c->wanting = v->wanting_next;
        v->is_wanting = false;
        if (s == OK)
            s = corr_runs_alone(v) ? corr_look_around(c, v, v->wanted, e)
                                   : corr_recall_runs(c, v, v->wanted, e);
    }
    return s;
}

/* --- whom to look at again --- */

/* An export without streams holds many environments, whose requests run side by side: only those
 * that others may have printed hang on them. */
static void look_at_kin(struct correlator *c, struct assembly *a)
{
    const struct range span = pieces_span(&a->pieces);
    struct span_query q = corr_overlapping(c, a->env, &span);

    for (struct assembly *o = corr_next(&q); o; o = corr_next(&q))
        if (o != a && o->is_suspect)
            corr_mark_dirty(c, o);
}

/* A change may also move attempt numbers of the same id elsewhere. Where every line came behind the
 * one before, and each request's after the last one's, nobody ran at the same time. */
static void spread(struct correlator *c, struct assembly *a)
{
    for (struct assembly *o = a->same_id; o != a; o = o->same_id)
        corr_mark_dirty(c, o);
    if (!corr_runs_alone(a->env) && pieces_span(&a->pieces).since_ns <= a->env->mixed_to_ns)
        look_at_kin(c, a);
}

enum status corr_judge(struct correlator *c, struct err *e)
{
    const struct assembly *done = NULL;
    enum status s = OK;

    while (s == OK && c->dirty != done) { /* what is marked goes in front */
        struct assembly *first = c->dirty;
        for (struct assembly *a = first; a != done; a = a->dirty_next) {
            if (a->judged_in_feed != c->n_feeds)
                want(c, a);
            a->judged_in_feed = c->n_feeds;
        }
        s = bring_back(c, e);
        for (struct assembly *a = first; s == OK && a != done; a = a->dirty_next)
            spread(c, a);
        done = first;
    }
    return s;
}
