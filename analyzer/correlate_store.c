/* What the store knows of requests that are not in memory: they come back with all their pieces. */
#include "analyzer/correlate_private.h"

#include <stdlib.h>

#include "core/base/clock.h"

struct restoring {
    struct correlator *c;
    struct assembly *a;
};

static void restore_piece(void *ctx, const struct piece *piece)
{
    const struct restoring *r = ctx;
    struct piece p = *piece;

    p.status = corr_keep(r->c, p.status);
    p.error_type = corr_keep(r->c, p.error_type);
    p.version = corr_keep(r->c, p.version);
    p.trace_id = corr_keep_trace(r->a, p.trace_id);
    corr_add_piece(r->a, &p);
}

static void note_suspicion(struct assembly *a)
{
    struct attempt attempts[MAX_ATTEMPTS];
    size_t n = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);

    a->is_suspect = false;
    for (size_t i = 0; i < n; i++)
        a->is_suspect = a->is_suspect || attempt_is_suspect(&a->pieces, &attempts[i]);
}

static bool is_given(const struct assembly *a, int64_t start_ns)
{
    for (size_t i = 0; i < a->n_given; i++)
        if (a->given[i].start_ns == start_ns)
            return true;
    return false;
}

/* A stored row gives its pieces back to its environment's assembly. */
static enum status restore_row(struct correlator *c, const struct invocation *row, struct err *e)
{
    struct env *owner;
    enum status s = corr_env(c, row->origin, row->start_ns, &owner, e);

    if (s != OK)
        return s;
    struct assembly *known = corr_find(c, owner, row->id);
    if (known && is_given(known, row->start_ns))
        return OK; /* another look found it */
    struct assembly *a = known ? known : corr_new_assembly(c, owner, row->id);
    struct restoring r = {c, a};
    const unsigned verdict = row->evidence & EV_COUNTED;
    pieces_decode(row, restore_piece, &r);
    corr_room_for_given(a, a->n_given + 1);
    a->given[a->n_given++] = (struct given){row->start_ns, 0, verdict};
    a->was_told = a->was_told || (verdict & EV_DUPLICATE) != 0;
    owner->mixed_to_ns =
        owner->newest_ns > owner->mixed_to_ns ? owner->newest_ns : owner->mixed_to_ns;
    note_suspicion(a);
    return OK;
}

static int compare_starts(const void *a, const void *b)
{
    const struct invocation *x = a, *y = b;

    return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

enum status corr_bring_back(struct correlator *c, const struct env *v, struct str id, int64_t t_ns,
                            size_t *n, struct err *e)
{
    struct invocation_list found = {0};

    *n = 0;
    if (!c->options.find_id)
        return OK;
    enum status s = c->options.find_id(c->options.ctx, id, t_ns, &c->scratch, &found, e);
    if (s == OK && found.n > 1)
        qsort(found.rows, found.n, sizeof(*found.rows), compare_starts);
    bool is_own = false, is_elsewhere = false;
    for (size_t i = 0; s == OK && i < found.n; i++) {
        bool is_same = fn_eq(fn_born(found.rows[i].origin->fn), fn_born(&v->fn));
        if (is_same)
            s = restore_row(c, &found.rows[i], e);
        is_own |= is_same;
        is_elsewhere |= !is_same;
    }
    c->n_elsewhere += is_elsewhere && !is_own;
    *n = found.n;
    return s;
}

enum status corr_restore(struct correlator *c, const struct env *v, struct str id, int64_t t_ns,
                         struct err *e)
{
    size_t n;

    return corr_find_id(c, v, id) ? OK : corr_bring_back(c, v, id, t_ns, &n, e);
}

/* Widens the range by what was asked for in this feed already; false: it lies within. */
static bool widen_recalled(struct correlator *c, struct env *v, struct range *r)
{
    if (v->recalled_in_feed == c->n_feeds) {
        if (r->since_ns >= v->recalled_from_ns && r->until_ns <= v->recalled_to_ns)
            return false;
        r->since_ns = r->since_ns < v->recalled_from_ns ? r->since_ns : v->recalled_from_ns;
        r->until_ns = r->until_ns > v->recalled_to_ns ? r->until_ns : v->recalled_to_ns;
    }
    v->recalled_in_feed = c->n_feeds;
    v->recalled_from_ns = r->since_ns;
    v->recalled_to_ns = r->until_ns;
    return true;
}

enum status corr_recall(struct correlator *c, struct env *v, struct range r, struct err *e)
{
    struct invocation_list found = {0};

    if (!c->options.find_requests || v->has_all_requests || !widen_recalled(c, v, &r))
        return OK;
    enum status s = c->options.find_requests(c->options.ctx, &v->origin, r, &c->scratch, &found, e);
    for (size_t i = 0; s == OK && i < found.n; i++)
        s = corr_restore(c, v, found.rows[i].id, found.rows[i].start_ns, e);
    return s;
}

static void widen_span(void *ctx, const struct piece *p)
{
    struct range *span = ctx;

    span->since_ns = p->t_ns < span->since_ns ? p->t_ns : span->since_ns;
    span->until_ns = p->t_ns > span->until_ns ? p->t_ns : span->until_ns;
}

/* What is left in the store: of those that began before next_ns all ended by ended_ns. */
struct left {
    int64_t ended_ns, next_ns;
};

static void leave(struct left *left, const struct range *span, int64_t start_ns, struct range ran)
{
    if (span->since_ns > ran.until_ns)
        left->next_ns = start_ns < left->next_ns ? start_ns : left->next_ns;
    else if (span->until_ns > left->ended_ns)
        left->ended_ns = span->until_ns;
}

static bool ran_beside_judged(const struct correlator *c, struct span_query q)
{
    for (const struct assembly *a = corr_next(&q); a; a = corr_next(&q))
        if (a->judged_in_feed == c->n_feeds)
            return true;
    return false;
}

/* Of the stored rows those that ran beside one that is judged. */
static enum status restore_runs(struct correlator *c, struct env *v,
                                const struct invocation_list *found, struct range ran,
                                struct left *left, struct err *e)
{
    const struct range always = {INT64_MIN + 1, INT64_MAX - 1};
    struct span_query q = corr_overlapping(c, v, &always);
    enum status s = OK;

    for (size_t i = 0; s == OK && i < found->n; i++) {
        struct range span = {INT64_MAX, INT64_MIN};
        pieces_decode(&found->rows[i], widen_span, &span);
        q.began_to_ns = span.until_ns - 1;
        q.ended_from_ns = span.since_ns + 1;
        if (ran_beside_judged(c, q))
            s = corr_restore(c, v, found->rows[i].id, found->rows[i].start_ns, e);
        else
            leave(left, &span, found->rows[i].start_ns, ran);
    }
    return s;
}

static bool has_runs_in(const struct correlator *c, const struct env *v, const struct range *ran)
{
    return c->options.find_requests && !v->has_all_requests &&
           !(v->lost_to_ns <= ran->since_ns && ran->until_ns < v->kept_to_ns);
}

static void learn_left(struct env *v, const struct range *r, const struct left *left)
{
    if (v->kept_to_ns > r->until_ns && v->lost_to_ns >= r->until_ns)
        return;
    if (v->kept_to_ns <= r->until_ns || left->ended_ns < v->lost_to_ns)
        v->lost_to_ns = left->ended_ns;
    v->kept_to_ns = r->until_ns > v->kept_to_ns ? r->until_ns : v->kept_to_ns;
    v->kept_to_ns = left->next_ns < v->kept_to_ns ? left->next_ns : v->kept_to_ns;
}

/* What ran began at most LONGEST_RUN_NS before. Nothing newer than what is at hand is stored as a
 * rule, so that looking a day further ahead spares the next ones the question. */
enum status corr_recall_runs(struct correlator *c, struct env *v, struct range ran, struct err *e)
{
    struct invocation_list found = {0};
    struct range r = {ran.since_ns - LONGEST_RUN_NS,
                      ran.until_ns + (ran.until_ns >= v->kept_to_ns ? NS_PER_DAY : 1)};
    struct left left = {ran.since_ns - 1, INT64_MAX}; /* as do those that began before the range */

    if (!has_runs_in(c, v, &ran))
        return OK;
    enum status s = c->options.find_requests(c->options.ctx, &v->origin, r, &c->scratch, &found, e);
    if (s == OK)
        s = restore_runs(c, v, &found, ran, &left, e);
    if (s == OK)
        learn_left(v, &r, &left);
    return s;
}

static void take_runs(struct correlator *c, struct env *v, const struct invocation_list *found,
                      struct range ran)
{
    struct left left = {ran.since_ns - 1, INT64_MAX};
    struct runs *runs = &v->runs;

    runs->stored = arena_new(&c->scratch, struct stored_run, found->n + 1);
    runs->n_stored = 0;
    runs->stored_measured = runs->stored_plain = (struct run_list){0};
    for (size_t i = 0; i < found->n; i++)
        if (!corr_find(c, v, found->rows[i].id))
            corr_add_stored_run(c, v, &found->rows[i]);
    for (size_t i = 0; i < runs->n_stored; i++) {
        const struct stored_run *s = &runs->stored[i];
        const int64_t last_ns = s->run.ran.until_ns;
        v->newest_ns = last_ns > v->newest_ns ? last_ns : v->newest_ns;
        leave(&left, &s->reach, s->start_ns, ran);
    }
    learn_left(v, &runs->loaded, &left);
}

/* A look at an hour more spares the next ones the question: changes reach a little further than
 * they are. */
enum status corr_load_runs(struct correlator *c, struct env *v, struct range ran, struct err *e)
{
    struct invocation_list found = {0};
    struct runs *runs = &v->runs;
    struct range r = {ran.since_ns - LONGEST_RUN_NS, ran.until_ns + 1};

    if (runs->loaded_in_feed != c->n_feeds)
        runs->n_stored = runs->stored_measured.n = runs->stored_plain.n = 0;
    if (!has_runs_in(c, v, &ran))
        return OK;
    if (runs->loaded_in_feed == c->n_feeds) {
        if (runs->loaded.since_ns <= r.since_ns && r.until_ns <= runs->loaded.until_ns)
            return OK;
        r = range_hull(r, runs->loaded);
    }
    runs->loaded_in_feed = c->n_feeds;
    runs->loaded =
        (struct range){r.since_ns - NS_PER_HOUR,
                       r.until_ns + (ran.until_ns >= v->kept_to_ns ? NS_PER_DAY : NS_PER_HOUR)};
    enum status s =
        c->options.find_requests(c->options.ctx, &v->origin, runs->loaded, &c->scratch, &found, e);
    if (s == OK)
        take_runs(c, v, &found, ran);
    return s;
}
