/* Who printed whom in a stream that Lambda named, where one request runs at a time: the runs of all
 * its requests, in memory and in the store, under trees, so that each verdict costs a look-up
 * however many ran at the same time, as where a shipper stamped the lines of a batch with one time.
 * Of the stored ones only those come back of which a verdict changes. */
#include "analyzer/correlate_private.h"

#include "core/base/clock.h"

/* --- gathering --- */

static void add_run(struct correlator *c, struct run_list *to, struct range ran)
{
    to->rows = arena_grow(&c->scratch, to->rows, to->n, &to->cap, sizeof(*to->rows));
    to->rows[to->n++] = (struct run_span){ran, NULL};
}

static void add_runs(struct correlator *c, const struct pieces *p, const struct attempt *at,
                     struct run_list *measured, struct run_list *plain)
{
    struct range runs[MAX_PIECES];
    const size_t n = attempt_measured_runs(p, at, runs);

    for (size_t i = 0; i < n; i++)
        add_run(c, measured, runs[i]);
    if (n > 0 && attempt_plain_run(p, at, &runs[0]))
        add_run(c, plain, runs[0]);
}

static void add_decoded(void *ctx, const struct piece *p)
{
    pieces_add(ctx, p);
}

void corr_add_stored_run(struct correlator *c, struct env *v, const struct invocation *row)
{
    struct pieces *p = &c->decoded;
    struct runs *r = &v->runs;

    p->n = 0;
    pieces_decode(row, add_decoded, p);
    const struct attempt at = {0, p->n};
    if (p->n == 0)
        return;
    r->stored[r->n_stored++] = (struct stored_run){
        .id = row->id,
        .start_ns = row->start_ns,
        .run = {pieces_span(p), attempt_claim(p, &at), attempt_is_suspect(p, &at)},
        .reach = pieces_reach(p),
        .verdict = row->evidence & EV_VERDICT,
        .is_unbilled = attempt_is_unbilled(p, &at)};
    add_runs(c, p, &at, &r->stored_measured, &r->stored_plain);
}

/* Backwards in time: who is crossed by one that began before is crossed by one that begins within.
 */
static struct run_span mirrored(const struct run_span *s)
{
    return (struct run_span){{-s->ran.until_ns, -s->ran.since_ns}, NULL};
}

/* Who forges a START in one request and its REPORT in a later one would enclose genuine ones: such
 * a run begins and ends in the midst of others. */
static struct run_spans lone_of(struct correlator *c, const struct run_list *plain)
{
    struct run_span *rows = arena_new(&c->scratch, struct run_span, plain->n + 1);
    struct run_span *back = arena_new(&c->scratch, struct run_span, plain->n + 1);
    struct run_span *lone = arena_new(&c->scratch, struct run_span, plain->n + 1);
    size_t n = 0;

    for (size_t i = 0; i < plain->n; i++) {
        rows[i] = plain->rows[i];
        back[i] = mirrored(&plain->rows[i]);
    }
    const struct run_spans ahead = corr_spans_of(c, rows, plain->n);
    const struct run_spans behind = corr_spans_of(c, back, plain->n);
    for (size_t i = 0; i < plain->n; i++) {
        const struct run_span mirror = mirrored(&plain->rows[i]);
        if (!corr_is_crossed(&ahead, &plain->rows[i].ran) && !corr_is_crossed(&behind, &mirror.ran))
            lone[n++] = plain->rows[i];
    }
    return corr_spans_of(c, lone, n);
}

static struct run_list copy_of(struct correlator *c, const struct run_list *l)
{
    struct run_list own = {0};

    for (size_t i = 0; i < l->n; i++)
        add_run(c, &own, l->rows[i].ran);
    return own;
}

static void list_runs(struct correlator *c, struct env *v)
{
    struct run_list measured = copy_of(c, &v->runs.stored_measured);
    struct run_list plain = copy_of(c, &v->runs.stored_plain);
    struct attempt attempts[MAX_ATTEMPTS];

    for (const struct assembly *a = v->newest; a; a = a->env_next) {
        const size_t n = a->pieces.n > 0 ? pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS) : 0;
        for (size_t i = 0; i < n; i++)
            add_runs(c, &a->pieces, &attempts[i], &measured, &plain);
    }
    v->runs.measured = corr_spans_of(c, measured.rows, measured.n);
    v->runs.lone = lone_of(c, &plain);
    v->runs.of_feed = c->n_feeds;
}

/* --- judging --- */

/* A REPORT alone that stands at the very begin or end of another's run may be genuine, of one that
 * ended as the other began, unless somebody ran in the time it claims or the environment began in
 * it. */
static bool is_claim_false(const struct env *v, const struct tried_run *run)
{
    const struct range within = {run->ran.since_ns + 1, run->ran.until_ns - 1};

    return run->claim.until_ns > 0 && corr_is_enclosed(&v->runs.measured, &within) &&
           (corr_is_run_in(&v->runs.measured, &run->claim) ||
            corr_is_begun_anew(v, run->claim.since_ns, run->claim.until_ns));
}

unsigned corr_judge_run(const struct correlator *c, const struct env *v,
                        const struct tried_run *run)
{
    if (v->runs.of_feed != c->n_feeds)
        return 0; /* every line came behind the one before: nobody ran at the same time */
    const bool is_forged =
        run->is_suspect ? corr_is_enclosed(&v->runs.measured, &run->ran) || is_claim_false(v, run)
                        : corr_is_enclosed(&v->runs.lone, &run->ran);
    return is_forged ? EV_FORGED : 0;
}

static bool is_beside(const struct range *x, const struct range *y)
{
    return x->since_ns < y->until_ns && y->since_ns < x->until_ns;
}

static bool changes(struct correlator *c, const struct assembly *a)
{
    struct attempt attempts[MAX_ATTEMPTS];
    const size_t n = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);

    for (size_t i = 0; i < n; i++)
        if (corr_judge_attempt(c, a, &attempts[i]) != corr_verdict(c, a, &attempts[i]))
            return true;
    return false;
}

static void judge_anew(struct correlator *c, struct assembly *a)
{
    a->judged_in_feed = c->n_feeds;
    corr_mark_dirty(c, a);
}

static void judge_in_memory(struct correlator *c, struct env *v, const struct range *ran)
{
    struct span_query q = corr_overlapping(c, v, ran);

    for (struct assembly *a = corr_next(&q); a; a = corr_next(&q))
        if (!a->is_dirty && changes(c, a))
            judge_anew(c, a);
}

static enum status bring_back(struct correlator *c, struct env *v, const struct stored_run *s,
                              struct err *e)
{
    enum status status = corr_restore(c, v, s->id, s->start_ns, e);
    struct assembly *a = status == OK ? corr_find(c, v, s->id) : NULL;

    if (a)
        judge_anew(c, a);
    return status;
}

static enum status judge_stored(struct correlator *c, struct env *v, const struct range *ran,
                                struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < v->runs.n_stored; i++) {
        const struct stored_run *s = &v->runs.stored[i];
        if (s->is_unbilled || !is_beside(&s->reach, ran))
            continue;
        if (corr_judge_run(c, v, &s->run) != s->verdict)
            status = bring_back(c, v, s, e);
    }
    return status;
}

/* --- how far a change reaches --- */

/* With all that ran at the same time. */
static struct range widened(struct correlator *c, struct env *v, struct range ran)
{
    struct range out = ran;
    struct span_query q = corr_overlapping(c, v, &ran);

    for (const struct assembly *a = corr_next(&q); a; a = corr_next(&q))
        out = range_hull(out, pieces_reach(&a->pieces));
    for (size_t i = 0; i < v->runs.n_stored; i++)
        if (is_beside(&v->runs.stored[i].reach, &ran))
            out = range_hull(out, v->runs.stored[i].reach);
    return out;
}

/* A run that changed tells of those within it, and whether the runs that it crosses tell of those
 * within them: all lie in the range that is widened once. What tells of these lies in the range
 * that is widened twice, and what crosses it runs then. */
enum status corr_look_around(struct correlator *c, struct env *v, struct range ran, struct err *e)
{
    enum status s = corr_load_runs(c, v, ran, e);

    if (s != OK || (ran.since_ns > v->mixed_to_ns && v->runs.n_stored == 0))
        return s;
    const struct range near = widened(c, v, ran);
    s = corr_load_runs(c, v, near, e);
    if (s == OK)
        s = corr_load_runs(c, v, widened(c, v, near), e);
    if (s != OK)
        return s;
    list_runs(c, v);
    judge_in_memory(c, v, &near);
    return judge_stored(c, v, &near, e);
}
