/* Whose evidence is it: lines without a request id belong to the one request that was running in
 * their environment, and genuine platform lines are told from printed ones. Everything here is a
 * function of the requests and the evidence in memory, not of the order in which they came; the
 * correlator sees to it that all that matters is in memory. */
#include <stdlib.h>

#include "analyzer/correlate_private.h"
#include "core/base/clock.h"
#include "core/model/arrival.h"

/* One attempt as a possible owner. */
struct claim {
    const struct assembly *a;
    int64_t start_ns, end_ns;
    bool is_open; /* neither its end nor its REPORT is known */
    bool is_guessed;
    uint16_t arrival; /* of its START */
};

/* The line of a crash may trail the end by a moment. */
#define CRASH_TRAIL_NS NS_PER_SEC
/* So may a line that was on its way when the request ended, where no other request began. */
#define LINE_TRAIL_NS (100 * NS_PER_MS)

bool corr_has_owner(const struct loose *l)
{
    return l->kind == PLATFORM_OTHER || l->kind == PLATFORM_RUNTIME_EXIT ||
           l->kind == PLATFORM_INIT_REPORT;
}

/* All its lines lie inside another request of the same environment: where one request runs at a
 * time they cannot be genuine, somebody printed them. So it is in a stream that Lambda named;
 * others may hold the lines of many environments, and what can be genuine there counts, in doubt.
 */
unsigned corr_judge_attempt(struct correlator *c, const struct assembly *a,
                            const struct attempt *at)
{
    const struct range all = {a->pieces.rows[at->from].t_ns, a->pieces.rows[at->to - 1].t_ns};
    struct tried_run run = {all, attempt_claim(&a->pieces, at), false};

    if (attempt_is_unbilled(&a->pieces, at) ||
        (all.until_ns >= a->env->newest_ns && run.claim.until_ns == 0))
        return 0; /* in order, nothing has come behind it yet */
    run.is_suspect = attempt_is_suspect(&a->pieces, at);
    if (corr_runs_alone(a->env))
        return corr_judge_run(c, a->env, &run);
    if (!run.is_suspect)
        return 0;
    unsigned verdict = 0;
    struct span_query q = corr_around(c, a->env, &all);
    for (const struct assembly *o = corr_next(&q); o; o = corr_next(&q)) {
        if (o == a || !pieces_enclose(&o->pieces, all.since_ns, all.until_ns))
            continue;
        if (attempt_is_refuted(&a->pieces, at, &o->pieces))
            return EV_FORGED;
        verdict = EV_DOUBTFUL;
    }
    return verdict;
}

unsigned corr_verdict(struct correlator *c, const struct assembly *a, const struct attempt *at)
{
    const int64_t start_ns = attempt_start(&a->pieces, at);

    if (a->judged_in_feed == c->n_feeds)
        return corr_judge_attempt(c, a, at);
    for (size_t i = 0; i < a->n_given; i++)
        if (a->given[i].start_ns == start_ns)
            return a->given[i].verdict & EV_DUPLICATE ? 0 : a->given[i].verdict & EV_VERDICT;
    return 0;
}

bool corr_is_forged(struct correlator *c, const struct assembly *a, const struct attempt *at)
{
    return corr_verdict(c, a, at) == EV_FORGED;
}

/* --- claims --- */

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return (x->a->key > y->a->key) - (x->a->key < y->a->key);
}

static uint16_t start_arrival(const struct pieces *p, const struct attempt *at)
{
    for (size_t i = at->from; i < at->to; i++)
        if (p->rows[i].kind == PIECE_START)
            return p->rows[i].arrival;
    return 0;
}

static void add_claims(struct correlator *c, struct assembly *a, struct claim *out, size_t *n)
{
    struct attempt attempts[MAX_ATTEMPTS];
    size_t n_attempts = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);

    for (size_t i = 0; i < n_attempts; i++) {
        struct invocation inv = {0};
        attempt_assemble(&a->pieces, &attempts[i], NULL, 0, &inv);
        /* On a managed instance requests run side by side: such lines are nobody's. */
        if (inv.evidence & EV_NO_BILLING || corr_is_forged(c, a, &attempts[i]))
            continue;
        int64_t last_ns = a->pieces.rows[attempts[i].to - 1].t_ns;
        int64_t computed_ns =
            inv.evidence & EV_TIME_GUESSED ? last_ns : inv.start_ns + inv.duration_ns;
        out[(*n)++] = (struct claim){
            .a = a,
            .start_ns = inv.start_ns,
            .end_ns = last_ns > computed_ns ? last_ns : computed_ns,
            .is_open = !(inv.evidence & (EV_END | EV_REPORT | EV_RUNTIME_DONE)),
            .is_guessed = (inv.evidence & EV_TIME_GUESSED) != 0,
            .arrival = start_arrival(&a->pieces, &attempts[i]),
        };
    }
}

bool corr_is_begun_anew(const struct env *v, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < v->n_loose; i++)
        if (v->loose[i].kind == PLATFORM_INIT_START && v->loose[i].t_ns > from_ns &&
            v->loose[i].t_ns <= to_ns)
            return true;
    return false;
}

static bool runs_at(const struct env *v, const struct claim *c, const struct loose *l)
{
    int64_t trail_ns = l->kind == PLATFORM_RUNTIME_EXIT ? CRASH_TRAIL_NS : 0;

    if (c->is_open)
        return l->t_ns <= c->start_ns + LONGEST_RUN_NS &&
               !corr_is_begun_anew(v, c->start_ns, l->t_ns);
    return l->t_ns <= c->end_ns + trail_ns;
}

/* The first claim that began at t_ns or later. */
static size_t first_from(const struct claim *claims, size_t n, int64_t t_ns)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (claims[mid].start_ns < t_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool ends_before(const struct claim *x, const struct claim *y)
{
    if (x->is_open != y->is_open)
        return y->is_open;
    return x->is_open ? x->start_ns > y->start_ns : x->end_ns < y->end_ns;
}

/* The claim a line without an id is given to; NULL: none. */
struct choice {
    const struct claim *claim;
    bool is_guess; /* it may be another's as well */
};

/* Where several environments are mixed: of those that run then, the one that ends first, since an
 * error nobody caught ends its request at once; of those that are not known to end, the newest.
 * Where more than one runs that is no more than a guess. claims[n] is the first that began later.
 */
static struct choice ends_first(const struct env *v, const struct claim *claims, size_t n,
                                const struct loose *l)
{
    enum { MOST_AT_ONCE = 1000 }; /* as many as an account runs at once */
    struct choice best = {0};

    for (size_t i = n;
         i-- > 0 && n - i <= MOST_AT_ONCE && claims[i].start_ns >= l->t_ns - LONGEST_RUN_NS;) {
        if (!runs_at(v, &claims[i], l))
            continue;
        best.is_guess = best.claim != NULL;
        if (!best.claim || ends_before(&claims[i], best.claim))
            best.claim = &claims[i];
    }
    return best;
}

/* Of those that began in the line's very instant the last whose START arrived before it; NULL:
 * there is none, or nothing tells. */
static const struct claim *arrived_before(const struct claim *claims, size_t n, size_t next,
                                          const struct loose *l)
{
    const struct claim *last = NULL;

    for (size_t i = next; i < n && claims[i].start_ns == l->t_ns; i++)
        if (arrival_is_after(l->arrival, claims[i].arrival) &&
            (!last || arrival_is_after(claims[i].arrival, last->arrival)))
            last = &claims[i];
    return last;
}

static bool is_order_known(const struct claim *claim, const struct loose *l)
{
    return l->arrival > 0 && claim->arrival > 0;
}

/* On its way when the request ended. */
static bool trails(const struct claim *claim, const struct loose *l)
{
    return !claim->is_open && l->kind == PLATFORM_OTHER && l->t_ns <= claim->end_ns + LINE_TRAIL_NS;
}

/* One request runs at a time. In the instant in which one ends and the next begins, a line without
 * an id is of the next if it is known to have arrived behind its START, else of the one that ends:
 * the platform begins the next after it has written all of it; where nothing tells which of the two
 * came first, that is a guess. */
static struct choice owner_of(const struct env *v, const struct claim *claims, size_t n,
                              const struct loose *l)
{
    size_t next = first_from(claims, n, l->t_ns);
    const struct claim *before = next > 0 ? &claims[next - 1] : NULL;

    const bool is_tie = next < n && claims[next].start_ns == l->t_ns;

    if (is_tie && claims[next].is_guessed)
        return (struct choice){.claim = &claims[next]};
    const struct choice first = corr_runs_alone(v)
                                    ? (struct choice){.claim = arrived_before(claims, n, next, l)}
                                    : ends_first(v, claims, next, l);
    if (first.claim)
        return first;
    if (before && runs_at(v, before, l))
        return (struct choice){before, is_tie && !is_order_known(&claims[next], l)};
    if (is_tie)
        return (struct choice){.claim = &claims[next]};
    return (struct choice){.claim = before && trails(before, l) ? before : NULL};
}

void corr_settle_owners(struct correlator *c, struct env *v)
{
    size_t n = 0, n_max = 0;
    bool is_needed = false;

    if (v->owners_of_feed == c->n_feeds)
        return;
    v->owners_of_feed = c->n_feeds;
    v->owners = arena_new(&c->scratch, struct owner, v->n_loose + 1);
    for (size_t i = 0; i < v->n_loose; i++)
        is_needed = is_needed || corr_has_owner(&v->loose[i]);
    if (!is_needed)
        return;
    for (struct assembly *a = v->newest; a; a = a->env_next)
        n_max += a->pieces.n; /* an attempt has one at least */
    struct claim *claims = arena_new(&c->scratch, struct claim, n_max + 1);
    for (struct assembly *a = v->newest; a; a = a->env_next)
        if (a->pieces.n > 0)
            add_claims(c, a, claims, &n);
    if (n > 1)
        qsort(claims, n, sizeof(*claims), compare_claims);
    for (size_t i = 0; i < v->n_loose; i++) {
        if (!corr_has_owner(&v->loose[i]))
            continue;
        const struct choice o = owner_of(v, claims, n, &v->loose[i]);
        if (o.claim)
            v->owners[i] = (struct owner){o.claim->a, o.claim->start_ns, o.is_guess};
    }
}

size_t corr_evidence_of(const struct assembly *a, int64_t start_ns, struct loose *out)
{
    const struct env *v = a->env;
    size_t n = 0;

    for (size_t i = 0; i < v->n_loose; i++) {
        const struct owner *o = &v->owners[i];
        const struct loose *l = &v->loose[i];
        bool is_own = corr_has_owner(l) ? o->a == a && o->start_ns == start_ns : true;
        if (!is_own && !(o->a == NULL && loose_is_silent_init(l) && l->t_ns < start_ns))
            continue;
        out[n] = *l;
        out[n++].is_guess = o->is_guess;
    }
    return n;
}
