/* The correlator: which request and environment a record belongs to, what is kept in memory, what
 * is given out. What the pieces of a request make of it is in assembly.c.
 *
 * In memory are the requests touched last; older ones are found again in the store through the
 * callbacks, so memory is bounded and a restart forgets nothing. Every feed gives out all attempts
 * it changed: what was fed is then either in the store or in the same commit as its log lines. */
#include "analyzer/correlate_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

#define DEFAULT_OPEN ((size_t)6000)

/* --- records of requests --- */

/* In memory and in the store others may have run in what a REPORT without START claims. */
static void note_claim(struct assembly *a, const struct piece *p)
{
    struct env *v = a->env;

    if (p->kind == PIECE_REPORT && a->pieces.rows[0].kind != PIECE_START &&
        v->mixed_to_ns < p->t_ns)
        v->mixed_to_ns = p->t_ns;
}

static enum status take_request(struct correlator *c, struct env *v, const struct log_record *r,
                                struct err *e)
{
    struct assembly *a;
    struct piece p;
    enum status s = corr_assembly(c, v, r, &a, e);

    if (s != OK || !corr_make_piece(c, v, r, &p))
        return s;
    p.trace_id = corr_keep_trace(a, r->trace_id);
    if (a != v->newest || p.t_ns < v->newest_ns)
        v->mixed_to_ns = v->newest_ns > v->mixed_to_ns ? v->newest_ns : v->mixed_to_ns;
    if (p.kind == PIECE_REPORT && p.is_time_guessed && pieces_say(&a->pieces, &p)) {
        c->n_again++; /* read before, at another guess */
        return OK;
    }
    const enum piece_news news = corr_add_piece(a, &p);
    if (news == PIECE_ARRIVAL) {
        corr_mark_dirty(c, a);
    } else if (news == PIECE_NEW) {
        a->was_told = a->was_told && p.kind != PIECE_REPORT; /* one more export may tell it */
        corr_mark_dirty(c, a);
        note_claim(a, &p);
    } else if (p.kind == PIECE_REPORT && a->pieces.n < MAX_PIECES) {
        c->n_again++; /* no repeat by its identity: another export of the same log says the same */
    }
    return OK;
}

/* --- records of the environment --- */

static bool is_environments(enum platform_kind kind)
{
    static const enum platform_kind kinds[] = {
        PLATFORM_INIT_START,    PLATFORM_INIT_REPORT,    PLATFORM_INIT_RUNTIME_DONE,
        PLATFORM_RESTORE_START, PLATFORM_RESTORE_REPORT, PLATFORM_RUNTIME_EXIT,
        PLATFORM_FAULT};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* Requests that began in the range are to be looked at again. */
static void stir(struct correlator *c, struct env *v, struct range r)
{
    if (!v->is_stirred) {
        v->is_stirred = true;
        v->stirred_from_ns = r.since_ns;
        v->stirred_to_ns = r.until_ns;
        v->stirred_next = c->stirred;
        c->stirred = v;
        return;
    }
    v->stirred_from_ns = r.since_ns < v->stirred_from_ns ? r.since_ns : v->stirred_from_ns;
    v->stirred_to_ns = r.until_ns > v->stirred_to_ns ? r.until_ns : v->stirred_to_ns;
}

/* Requests that new evidence may concern: an INIT_START or a restore those that began after it, and
 * those that it says are over, what names the runtime those that began after it; anything else
 * those that may have been running. */
static struct range concerned_by(const struct loose *l)
{
    bool is_init = l->kind == PLATFORM_INIT_START || l->kind == PLATFORM_RESTORE_REPORT ||
                   loose_is_silent_init(l) || l->runtime.n > 0;

    return (struct range){l->t_ns - LONGEST_RUN_NS, is_init ? l->t_ns + NS_PER_DAY : l->t_ns + 1};
}

static void take_loose(struct correlator *c, struct env *v, const struct log_record *r,
                       struct batch *b)
{
    const struct platform_event *p = r->platform;
    struct loose l = {
        .t_ns = r->time_ns, .kind = p ? p->kind : PLATFORM_OTHER, .arrival = r->arrival};

    l.error_type = corr_keep(c, p ? p->error_type : r->error_type);
    if (p) {
        l.kind = p->kind == PLATFORM_FAULT ? PLATFORM_RUNTIME_EXIT : p->kind;
        l.duration_ns = p->duration_ns;
        l.status = corr_keep(c, p->status);
        l.init_type = corr_keep(c, p->init_type);
        l.phase = corr_keep(c, p->phase);
        l.runtime = corr_keep(c, p->runtime_version);
        l.was_killed = corr_says_killed(p);
    }
    corr_add_loose(v, &l);
    stir(c, v, concerned_by(&l));
    struct instance_event *ev = batch_instance_event(b);
    *ev = (struct instance_event){.origin = r->origin,
                                  .time_ns = l.t_ns,
                                  .kind = l.kind,
                                  .duration_ns = l.duration_ns,
                                  .status = l.was_killed ? STR("killed") : l.status,
                                  .error_type = l.error_type,
                                  .init_type = l.init_type,
                                  .phase = l.phase,
                                  .runtime_version = l.runtime,
                                  .arrival = l.arrival};
}

static enum status take_record(struct correlator *c, const struct log_record *r, struct batch *b,
                               struct err *e)
{
    bool is_loose = r->invocation_id.n == 0;
    struct env *v;

    if (is_loose ? !(r->platform ? is_environments(r->platform->kind) : r->is_error)
                 : !corr_is_piece(r))
        return OK;
    enum status s = corr_env_of(c, r, &v, e);
    if (s != OK)
        return s;
    if (!is_loose)
        return take_request(c, v, r, e);
    take_loose(c, v, r, b);
    return OK;
}

/* --- giving out --- */

static uint64_t content_hash(const struct invocation *inv)
{
    const int64_t numbers[] = {inv->start_ns,
                               inv->duration_ns,
                               inv->init_ns,
                               inv->restore_ns,
                               inv->billed_ns,
                               inv->init_lead_ns,
                               (int64_t)inv->memory_bytes,
                               (int64_t)inv->max_memory_bytes,
                               inv->outcome,
                               inv->start,
                               inv->attempt,
                               inv->evidence,
                               inv->is_final};
    uint64_t h = str_hash((struct str){(const char *)numbers, sizeof(numbers)}, 0);

    h = str_hash(inv->error_type, h);
    h = str_hash(inv->version, h);
    h = str_hash(inv->pieces, h);
    return str_hash(inv->trace_id, h);
}

/* The rows of one request as they are to be, and which given row each of them replaces. */
struct rows {
    struct invocation *inv;
    size_t *replaces; /* index into the given ones; NO_ROW: none */
    size_t n;
};
#define NO_ROW SIZE_MAX

static struct str encode(struct correlator *c, const struct assembly *a, const struct attempt *at,
                         const struct invocation *inv, struct arena *to)
{
    buf_reset(&c->code);
    pieces_encode(&a->pieces, at, inv, &c->code);
    return arena_str(to, buf_str(&c->code));
}

/* An export without streams tells what one with streams tells better, one without times what one
 * with times does. */
static bool is_told_twice(const struct assembly *a, const struct attempt *at)
{
    if (attempt_is_echo(&a->pieces, at))
        return true;
    if (a->env->origin.instance.n > 0)
        return false;
    for (const struct assembly *o = a->same_id; o != a; o = o->same_id)
        if (o->env->fn_hash == a->env->fn_hash && o->env->origin.instance.n > 0 &&
            attempt_is_told_by(&a->pieces, at, &o->pieces))
            return true;
    return false;
}

/* The number of an attempt among all of its id: those in other environments that began before it
 * come first. */
static uint32_t attempts_before(struct correlator *c, const struct assembly *a, int64_t start_ns)
{
    uint32_t n = 0;

    for (const struct assembly *o = a->same_id; o != a; o = o->same_id) {
        struct attempt attempts[MAX_ATTEMPTS];
        if (o->pieces.n == 0)
            continue;
        size_t n_attempts = pieces_attempts(&o->pieces, attempts, MAX_ATTEMPTS);
        for (size_t i = 0; i < n_attempts; i++) {
            int64_t t_ns = attempt_start(&o->pieces, &attempts[i]);
            bool is_before =
                t_ns < start_ns || (t_ns == start_ns && o->env->origin.hash < a->env->origin.hash);
            n +=
                is_before && !is_told_twice(o, &attempts[i]) && !corr_is_forged(c, o, &attempts[i]);
        }
    }
    return n;
}

/* What stands there twice is kept, too: its other lines may come late. */
static unsigned verdict_on(struct correlator *c, struct assembly *a, const struct attempt *at,
                           struct batch_counts *counts)
{
    const unsigned verdict = corr_verdict(c, a, at);

    if (verdict != EV_FORGED && is_told_twice(a, at)) {
        counts->again += !a->was_told;
        a->was_told = true;
        return EV_FORGED | EV_DUPLICATE;
    }
    return verdict;
}

static void assemble(struct correlator *c, struct assembly *a, const struct origin *origin,
                     struct batch *b, struct rows *out)
{
    struct attempt attempts[MAX_ATTEMPTS];
    size_t n = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);
    uint32_t n_genuine = 0;
    bool is_suspect = false;

    struct loose *own = arena_alloc(&c->scratch, (a->env->n_loose + 1) * sizeof(*own));

    c->n_assembled++;
    corr_settle_owners(c, a->env);
    out->inv = arena_alloc(&c->scratch, n * sizeof(*out->inv));
    out->replaces = arena_alloc(&c->scratch, n * sizeof(*out->replaces));
    for (size_t i = 0; i < n; i++) {
        struct invocation *inv = &out->inv[out->n];
        *inv = (struct invocation){.origin = origin};
        size_t n_own = corr_evidence_of(a, attempt_start(&a->pieces, &attempts[i]), own);
        attempt_assemble(&a->pieces, &attempts[i], own, n_own, inv);
        is_suspect = is_suspect || attempt_is_suspect(&a->pieces, &attempts[i]);
        const unsigned verdict = verdict_on(c, a, &attempts[i], &b->counts);
        inv->evidence |= verdict;
        inv->attempt = verdict & EV_FORGED ? 1 : ++n_genuine + attempts_before(c, a, inv->start_ns);
        inv->id = arena_str(&b->arena, corr_id(a));
        inv->trace_id = inv->trace_id.n > 0 ? arena_str(&b->arena, inv->trace_id) : (struct str){0};
        inv->pieces = encode(c, a, &attempts[i], inv, &b->arena);
        inv->seq = (uint32_t)a->key;
        out->replaces[out->n++] = NO_ROW;
    }
    a->is_suspect = is_suspect;
}

static size_t find_given(const struct assembly *a, int64_t start_ns)
{
    for (size_t i = 0; i < a->n_given; i++)
        if (a->given[i].start_ns == start_ns)
            return i;
    return NO_ROW;
}

/* A row replaces the given one that began when it does; what is left over on both sides is paired
 * in order. So no row ever takes the key of another that is still to be replaced. */
static void pair(const struct assembly *a, struct rows *rows, bool *is_taken)
{
    size_t next = 0;

    for (size_t i = 0; i < rows->n; i++) {
        rows->replaces[i] = find_given(a, rows->inv[i].start_ns);
        if (rows->replaces[i] != NO_ROW)
            is_taken[rows->replaces[i]] = true;
    }
    for (size_t i = 0; i < rows->n; i++) {
        while (next < a->n_given && is_taken[next])
            next++;
        if (rows->replaces[i] == NO_ROW && next < a->n_given) {
            is_taken[next] = true;
            rows->replaces[i] = next;
        }
    }
}

static void give_removed(const struct assembly *a, const struct origin *origin, int64_t start_ns,
                         struct batch *b)
{
    *batch_invocation(b) = (struct invocation){.origin = origin,
                                               .id = arena_str(&b->arena, corr_id(a)),
                                               .start_ns = start_ns,
                                               .stored_start_ns = start_ns,
                                               .seq = (uint32_t)a->key,
                                               .has_stored = true,
                                               .is_removed = true};
}

static void give_row(const struct assembly *a, struct invocation *inv, size_t replaces,
                     struct batch *b)
{
    inv->has_stored = replaces != NO_ROW;
    inv->stored_start_ns = inv->has_stored ? a->given[replaces].start_ns : 0;
    *batch_invocation(b) = *inv;
    b->counts.invocations += !(inv->evidence & EV_FORGED) &&
                             (replaces == NO_ROW || (a->given[replaces].verdict & EV_FORGED) != 0);
}

/* What was thought of a request before counts no more. */
static void count_verdict(unsigned verdict, int64_t by, struct batch_counts *n)
{
    n->doubtful += (verdict & EV_VERDICT) == EV_DOUBTFUL ? by : 0;
    n->refuted += (verdict & EV_VERDICT) == EV_FORGED ? by : 0;
    n->ambiguous += (verdict & EV_ERROR_GUESSED) && !(verdict & EV_FORGED) ? by : 0;
}

static void give_assembly(struct correlator *c, struct assembly *a, const struct origin *origin,
                          struct batch *b)
{
    struct rows rows = {0};

    assemble(c, a, origin, b, &rows);
    bool *is_taken = arena_new(&c->scratch, bool, a->n_given + 1);
    pair(a, &rows, is_taken);
    for (size_t i = 0; i < a->n_given; i++) {
        count_verdict(a->given[i].verdict, -1, &b->counts);
        if (!is_taken[i])
            give_removed(a, origin, a->given[i].start_ns, b);
    }
    struct given *given = arena_alloc(&c->scratch, (rows.n + 1) * sizeof(*given));
    for (size_t i = 0; i < rows.n; i++) {
        size_t replaces = rows.replaces[i];
        given[i] = (struct given){rows.inv[i].start_ns, content_hash(&rows.inv[i]),
                                  rows.inv[i].evidence & EV_COUNTED};
        count_verdict(given[i].verdict, 1, &b->counts);
        if (replaces == NO_ROW || a->given[replaces].hash != given[i].hash)
            give_row(a, &rows.inv[i], replaces, b);
    }
    corr_room_for_given(a, rows.n);
    if (rows.n > 0)
        memcpy(a->given, given, rows.n * sizeof(*given));
    a->n_given = rows.n;
}

/* When the attempts began that were given out and those that will be. */
static struct range starts_of(struct assembly *a)
{
    struct attempt attempts[MAX_ATTEMPTS];
    size_t n = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);
    struct range r = {attempt_start(&a->pieces, &attempts[0]),
                      attempt_start(&a->pieces, &attempts[n - 1])};

    for (size_t i = 0; i < a->n_given; i++) {
        r.since_ns = a->given[i].start_ns < r.since_ns ? a->given[i].start_ns : r.since_ns;
        r.until_ns = a->given[i].start_ns > r.until_ns ? a->given[i].start_ns : r.until_ns;
    }
    return r;
}

/* The requests of its environment among which a line is to be given to one, if this is one of them;
 * an empty range: no such line. */
static struct range rivals_of(struct assembly *a)
{
    const struct env *v = a->env;
    struct range own = {0}, all = {0};
    bool is_own_known = false; /* mostly nobody asks: an INIT_START has no owner */

    for (size_t i = 0; i < v->n_loose; i++) {
        const struct loose *l = &v->loose[i];
        if (!corr_has_owner(l))
            continue;
        own = is_own_known ? own : starts_of(a);
        is_own_known = true;
        if (l->t_ns < own.since_ns || l->t_ns > own.until_ns + LONGEST_RUN_NS)
            continue;
        struct range r = {l->t_ns - LONGEST_RUN_NS, l->t_ns + 1};
        bool is_first = all.since_ns == all.until_ns;
        all.since_ns = is_first || r.since_ns < all.since_ns ? r.since_ns : all.since_ns;
        all.until_ns = is_first || r.until_ns > all.until_ns ? r.until_ns : all.until_ns;
    }
    return all;
}

/* A request that changed may gain or lose such a line, and others lose or gain it. */
static void stir_rivals(struct correlator *c)
{
    for (struct assembly *a = c->dirty; a; a = a->dirty_next) {
        struct range r = rivals_of(a);
        if (r.since_ns < r.until_ns)
            stir(c, a->env, r);
    }
}

/* Requests in memory and in the store that late evidence of their environment concerns. */
static enum status look_again(struct correlator *c, struct err *e)
{
    enum status s = OK;

    while (c->stirred) {
        struct env *v = c->stirred;
        c->stirred = v->stirred_next;
        v->is_stirred = false;
        if (s == OK)
            s = corr_recall(c, v, (struct range){v->stirred_from_ns, v->stirred_to_ns}, e);
        for (struct assembly *a = v->newest; a; a = a->env_next)
            for (size_t i = 0; i < a->n_given; i++)
                if (a->given[i].start_ns >= v->stirred_from_ns &&
                    a->given[i].start_ns < v->stirred_to_ns)
                    corr_mark_dirty(c, a);
    }
    return s;
}

/* Whatever is given out anew: those it shares lines with must be in memory to tell whose they are.
 * They themselves did not change. */
static enum status recall_rivals(struct correlator *c, struct err *e)
{
    enum status s = OK;

    for (struct assembly *a = c->dirty; a && s == OK; a = a->dirty_next) {
        struct range r = rivals_of(a);
        if (r.since_ns < r.until_ns)
            s = corr_recall(c, a->env, r, e);
    }
    return s;
}

static const struct origin *origin_in(const struct correlator *c, const struct env *v,
                                      struct batch *b)
{
    return v->met_in_feed == c->n_feeds ? v->met_as : batch_origin(b, &v->origin);
}

static void give_dirty(struct correlator *c, struct batch *b)
{
    size_t n = 0;

    for (const struct assembly *a = c->dirty; a; a = a->dirty_next)
        n++;
    batch_expect_invocations(b, n); /* mostly a row each */
    while (c->dirty) {
        struct assembly *a = c->dirty;
        c->dirty = a->dirty_next;
        a->is_dirty = false;
        give_assembly(c, a, origin_in(c, a->env, b), b);
    }
}

/* --- the door --- */

struct correlator *correlator_new(const struct correlator_options *o)
{
    struct correlator *c = xcalloc(1, sizeof(*c));

    c->options = *o;
    if (c->options.max_open == 0)
        c->options.max_open = DEFAULT_OPEN;
    intern_init(&c->texts);
    buf_init(&c->code, 1u << 20);
    return c;
}

void correlator_free(struct correlator *c)
{
    if (!c)
        return;
    while (c->lru_first) {
        c->lru_first->is_dirty = false;
        corr_free_assembly(c, c->lru_first);
    }
    corr_free_spare(c);
    while (c->env_first)
        corr_free_env(c, c->env_first);
    idmap_clear(&c->envs);
    idmap_clear(&c->ids);
    intern_clear(&c->texts);
    free(c->env_of);
    arena_clear(&c->scratch);
    buf_clear(&c->code);
    free(c->decoded.rows);
    free(c);
}

/* platform.logsDropped: what was lost on the way to the log is nowhere else. */
static void count_lost(const struct log_record *r, struct batch_counts *n)
{
    if (r->platform == NULL || r->platform->kind != PLATFORM_LOGS_DROPPED)
        return;
    n->lost_lines += r->platform->dropped_records;
    n->lost_bytes += r->platform->dropped_bytes;
}

enum status correlator_feed(struct correlator *c, struct batch *b, struct err *e)
{
    enum status s = OK;

    c->n_env_of = 0;
    c->n_feeds++;
    c->n_elsewhere = c->n_again = 0;
    for (size_t i = 0; s == OK && i < b->n_records; i++) {
        if (b->records[i].is_repeat)
            continue;
        count_lost(&b->records[i], &b->counts);
        s = take_record(c, &b->records[i], b, e);
    }
    if (s == OK) {
        stir_rivals(c);
        s = look_again(c, e);
    }
    if (s == OK) {
        s = corr_judge(c, e);
    }
    if (s == OK) {
        s = recall_rivals(c, e);
    }
    if (s != OK)
        return err_wrap(e, "correlate");
    give_dirty(c, b);
    b->counts.elsewhere += c->n_elsewhere;
    b->counts.again += c->n_again;
    corr_evict(c);
    arena_reset(&c->scratch);
    return OK;
}
