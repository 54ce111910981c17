/* The correlator: which request and environment a record belongs to, what is kept in memory, what
 * is given out. What the pieces of a request make of it is in assembly.c.
 *
 * In memory are the requests touched last; older ones are found again in the store through the
 * callbacks, so memory is bounded and a restart forgets nothing. Every feed gives out all attempts
 * it changed: what was fed is then either in the store or in the same commit as its log lines. */
#include "analyzer/correlate_private.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

/* Above twice the facts of a pack: see PACK_FACTS in core/store/packer.c. */
#define DEFAULT_OPEN   ((size_t)9000)
#define MAX_ATTEMPTS   ((size_t)64)      /* of one request id in one environment */
#define LONGEST_RUN_NS (2 * NS_PER_HOUR) /* the longest timeout a function can have is 5,400 s */

/* --- records to pieces --- */

static bool piece_kind_of(enum platform_kind kind, enum piece_kind *out)
{
    static const struct {
        enum platform_kind from;
        enum piece_kind to;
    } kinds[] = {
        {PLATFORM_START, PIECE_START},     {PLATFORM_END, PIECE_END},
        {PLATFORM_REPORT, PIECE_REPORT},   {PLATFORM_RUNTIME_DONE, PIECE_RUNTIME_DONE},
        {PLATFORM_TIMEOUT, PIECE_TIMEOUT}, {PLATFORM_RUNTIME_EXIT, PIECE_EXIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].from == kind) {
            *out = kinds[i].to;
            return true;
        }
    return false;
}

static bool says_killed(const struct platform_event *p)
{
    return str_find(p->error_message, STR("signal: killed")) < p->error_message.n;
}

static bool make_piece(struct correlator *c, const struct log_record *r, struct piece *out)
{
    const struct platform_event *p = r->platform;

    *out = (struct piece){.t_ns = r->time_ns, .kind = PIECE_APP_ERROR};
    if (!p) {
        out->error_type = corr_keep(c, r->error_type);
        return r->is_error;
    }
    if (!piece_kind_of(p->kind, &out->kind))
        return false;
    out->has = p->has;
    out->duration_ns = p->duration_ns;
    out->billed_ns = p->billed_ns + p->billed_restore_ns;
    out->init_ns = p->init_ns;
    out->restore_ns = p->restore_ns;
    out->memory_bytes = p->memory_bytes;
    out->max_memory_bytes = p->max_memory_bytes;
    out->status = corr_keep(c, p->status);
    out->error_type = corr_keep(c, p->error_type);
    out->version = corr_keep(c, p->version.n > 0 ? p->version : r->origin->version);
    out->was_killed = says_killed(p);
    return true;
}

static enum status take_request(struct correlator *c, struct env *v, const struct log_record *r,
                                struct err *e)
{
    struct assembly *a;
    struct piece p;
    enum status s = corr_assembly(c, v, r, &a, e);

    if (s != OK)
        return s;
    if (make_piece(c, r, &p)) {
        p.trace_id = corr_keep_trace(a, r->trace_id);
        pieces_add(&a->pieces, &p);
    }
    if (r->kind == RECORD_APP) {
        a->n_log++;
        a->n_error_log += r->severity >= SEVERITY_ERROR;
    }
    if (a->pieces.n > 0)
        corr_mark_dirty(c, a);
    return OK;
}

/* --- records of the environment --- */

static bool is_environments(enum platform_kind kind)
{
    static const enum platform_kind kinds[] = {PLATFORM_INIT_START,        PLATFORM_INIT_REPORT,
                                               PLATFORM_INIT_RUNTIME_DONE, PLATFORM_RESTORE_START,
                                               PLATFORM_RESTORE_REPORT,    PLATFORM_RUNTIME_EXIT};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* Requests of the environment that the new evidence may concern. */
static void touch_around(struct correlator *c, struct env *v, const struct loose *l)
{
    for (struct assembly *a = v->newest; a; a = a->env_next) {
        bool is_init = l->kind == PLATFORM_INIT_START;
        for (size_t i = 0; i < a->n_given; i++) {
            int64_t start = a->given[i].start_ns;
            if (is_init ? start >= l->t_ns : start <= l->t_ns && start >= l->t_ns - LONGEST_RUN_NS)
                corr_mark_dirty(c, a);
        }
    }
}

static void take_loose(struct correlator *c, struct env *v, const struct log_record *r,
                       struct batch *b)
{
    const struct platform_event *p = r->platform;
    struct loose l = {.t_ns = r->time_ns, .kind = p ? p->kind : PLATFORM_OTHER};

    l.error_type = corr_keep(c, p ? p->error_type : r->error_type);
    if (p) {
        l.duration_ns = p->duration_ns;
        l.status = corr_keep(c, p->status);
        l.init_type = corr_keep(c, p->init_type);
        l.phase = corr_keep(c, p->phase);
        l.was_killed = says_killed(p);
    }
    corr_add_loose(v, &l);
    touch_around(c, v, &l);
    struct instance_event *ev = batch_instance_event(b);
    *ev = (struct instance_event){.origin = r->origin,
                                  .time_ns = l.t_ns,
                                  .kind = l.kind,
                                  .duration_ns = l.duration_ns,
                                  .status = l.was_killed ? STR("killed") : l.status,
                                  .error_type = l.error_type,
                                  .init_type = l.init_type,
                                  .phase = l.phase,
                                  .runtime_version = p ? p->runtime_version : (struct str){0}};
}

static enum status take_record(struct correlator *c, const struct log_record *r, struct batch *b,
                               struct err *e)
{
    bool is_loose =
        r->invocation_id.n == 0 && (r->platform ? is_environments(r->platform->kind) : r->is_error);
    struct env *v;

    if (r->invocation_id.n == 0 && !is_loose)
        return OK;
    enum status s = corr_env(c, r, &v, e);
    if (s != OK)
        return s;
    if (v != c->env_last) {
        corr_env_remove(c, v);
        corr_env_append(c, v);
    }
    if (!is_loose)
        return take_request(c, v, r, e);
    take_loose(c, v, r, b);
    return OK;
}

/* --- giving out --- */

/* A REPORT without START or END whose time lies inside another request of the same environment
 * cannot be genuine where one request runs at a time: somebody printed it. */
static bool is_forged(const struct assembly *a, const struct invocation *inv)
{
    unsigned own = EV_START | EV_END | EV_RUNTIME_DONE;

    if (inv->evidence & (own | EV_NO_BILLING))
        return false;
    int64_t at_ns = inv->start_ns + inv->duration_ns;
    for (const struct assembly *o = a->env->newest; o; o = o->env_next) {
        struct pieces copy = o->pieces;
        int64_t start = INT64_MAX, end = INT64_MIN;
        if (o == a)
            continue;
        for (size_t i = 0; i < copy.n; i++) {
            start = copy.rows[i].kind == PIECE_START && copy.rows[i].t_ns < start
                        ? copy.rows[i].t_ns
                        : start;
            end = copy.rows[i].kind == PIECE_REPORT && copy.rows[i].t_ns > end ? copy.rows[i].t_ns
                                                                               : end;
        }
        if (start < at_ns && at_ns < end)
            return true;
    }
    return false;
}

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
                               inv->n_log,
                               inv->n_error_log,
                               inv->is_final};
    uint64_t h = str_hash((struct str){(const char *)numbers, sizeof(numbers)}, 0);

    h = str_hash(inv->error_type, h);
    h = str_hash(inv->version, h);
    return str_hash(inv->trace_id, h);
}

static void give(struct assembly *a, size_t i, struct invocation *inv, bool is_removed,
                 struct batch *b)
{
    bool was_given = i < a->n_given;
    uint64_t hash = is_removed ? 1 : content_hash(inv);

    if (was_given && a->given[i].hash == hash)
        return;
    if (!was_given) {
        if (is_removed)
            return;
        a->given = xreallocarray(a->given, a->n_given + 1, sizeof(*a->given));
        a->given[a->n_given++] = (struct given){0};
    }
    inv->is_removed = is_removed;
    inv->has_stored = was_given;
    inv->stored_start_ns = was_given ? a->given[i].start_ns : 0;
    inv->seq = (uint32_t)a->key;
    a->given[i] = (struct given){inv->start_ns, hash};
    *batch_invocation(b) = *inv;
    b->counts.invocations += !was_given;
}

/* Lines with the request's id are counted for its last attempt: at a given moment that is the one
 * that runs. */
static void give_assembly(struct assembly *a, const struct origin *origin, uint32_t first_attempt,
                          struct batch *b)
{
    struct attempt attempts[MAX_ATTEMPTS];
    size_t n = pieces_attempts(&a->pieces, attempts, MAX_ATTEMPTS);

    for (size_t i = 0; i < n; i++) {
        struct invocation inv = {.origin = origin, .attempt = first_attempt + (uint32_t)i};
        attempt_assemble(&a->pieces, &attempts[i], a->env->loose, a->env->n_loose, &inv);
        inv.origin = origin;
        inv.attempt = first_attempt + (uint32_t)i;
        inv.id = arena_str(&b->arena, corr_id(a));
        inv.trace_id = inv.trace_id.n > 0 ? arena_str(&b->arena, inv.trace_id) : (struct str){0};
        inv.n_log = i + 1 == n ? a->n_log : 0;
        inv.n_error_log = i + 1 == n ? a->n_error_log : 0;
        bool forged = is_forged(a, &inv);
        b->counts.forged += forged && !(i < a->n_given && a->given[i].hash == 1);
        give(a, i, &inv, forged, b);
    }
}

static int64_t first_time(const struct assembly *a)
{
    int64_t t = INT64_MAX;

    for (size_t i = 0; i < a->pieces.n; i++)
        t = a->pieces.rows[i].t_ns < t ? a->pieces.rows[i].t_ns : t;
    return t;
}

/* Attempts of the same id in other environments that began before this one's. */
static uint32_t attempts_before(struct correlator *c, const struct assembly *a)
{
    struct attempt ignored[MAX_ATTEMPTS];
    const uint64_t *head = idmap_get(&c->ids, corr_id_key(&a->env->fn, corr_id(a)));
    int64_t own = first_time(a);
    uint32_t n = 0;

    for (struct assembly *o = (struct assembly *)(uintptr_t)*head; o; o = o->same_id) {
        int64_t t = o->pieces.n > 0 ? first_time(o) : INT64_MAX;
        bool is_before = t < own || (t == own && o->env->origin.hash < a->env->origin.hash);
        if (o != a && o->pieces.n > 0 && is_before)
            n += (uint32_t)pieces_attempts(&o->pieces, ignored, MAX_ATTEMPTS);
    }
    return n;
}

/* A change may move attempt numbers of the same id elsewhere, and tell genuine from forged in the
 * same environment. */
static void spread_dirt(struct correlator *c)
{
    for (struct assembly *a = c->dirty; a; a = a->dirty_next) {
        const uint64_t *head = idmap_get(&c->ids, corr_id_key(&a->env->fn, corr_id(a)));
        struct assembly *first = (struct assembly *)(uintptr_t)*head;
        for (struct assembly *o = first; o && first->same_id; o = o->same_id)
            if (o->pieces.n > 0)
                corr_mark_dirty(c, o);
        for (struct assembly *o = a->env->newest; o && a->env->n_startless > 0; o = o->env_next)
            if (o->is_startless)
                corr_mark_dirty(c, o);
    }
}

static void note_startless(struct assembly *a)
{
    bool is_startless = a->pieces.n > 0;

    for (size_t i = 0; i < a->pieces.n; i++)
        is_startless = is_startless && a->pieces.rows[i].kind == PIECE_REPORT;
    a->env->n_startless += is_startless;
    a->env->n_startless -= a->is_startless;
    a->is_startless = is_startless;
}

static void give_dirty(struct correlator *c, struct batch *b)
{
    for (struct assembly *a = c->dirty; a; a = a->dirty_next)
        note_startless(a);
    spread_dirt(c);
    while (c->dirty) {
        struct assembly *a = c->dirty;
        c->dirty = a->dirty_next;
        a->is_dirty = false;
        give_assembly(a, batch_origin(b, &a->env->origin), attempts_before(c, a) + 1, b);
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
    while (c->env_first)
        corr_free_env(c, c->env_first);
    idmap_clear(&c->envs);
    idmap_clear(&c->assemblies);
    idmap_clear(&c->ids);
    intern_clear(&c->texts);
    arena_clear(&c->scratch);
    free(c);
}

enum status correlator_feed(struct correlator *c, struct batch *b, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < b->n_records; i++)
        if (!b->records[i].is_repeat)
            s = take_record(c, &b->records[i], b, e);
    if (s != OK)
        return err_wrap(e, "correlate");
    give_dirty(c, b);
    corr_evict(c);
    arena_reset(&c->scratch);
    return OK;
}
