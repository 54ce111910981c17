/* The correlator: which request and environment a record belongs to, what is kept in memory, what
 * is given out. What the pieces of a request make of it is in assembly.c.
 *
 * In memory are the requests touched last; older ones are found again in the store through the
 * callbacks, so memory is bounded and a restart forgets nothing. Every feed gives out all attempts
 * it changed: what was fed is then either in the store or in the same commit as its log lines. */
#include "analyzer/analyzer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/assembly.h"
#include "core/base/clock.h"
#include "core/base/intern.h"
#include "core/base/mem.h"

#define DEFAULT_OPEN                                                                               \
    ((size_t)40000) /* above twice the facts of a pack: see PACK_FACTS in core/store/packer.c */
#define MAX_ENVS       ((size_t)40000)
#define MAX_ATTEMPTS   ((size_t)64)  /* of one request id in one environment */
#define MAX_LOOSE      ((size_t)256) /* kept per environment; the newest */
#define LOOK_BACK_NS   NS_PER_DAY
#define LONGEST_RUN_NS (2 * NS_PER_HOUR) /* the longest timeout a function can have is 5,400 s */

struct env {
    struct origin origin; /* texts interned */
    struct fn_ref fn;
    struct assembly *newest; /* list of this environment's requests */
    struct loose *loose;
    size_t n_loose, cap_loose, n_assemblies, n_startless;
    struct env *lru_next, *lru_prev;
};

/* What was given out of one attempt. */
struct given {
    int64_t start_ns;
    uint64_t hash; /* of its content */
};

struct assembly {
    struct env *env;
    uint64_t key;
    char *id; /* request id, own copy, id_n bytes */
    size_t id_n;
    struct pieces pieces;
    struct given *given;
    size_t n_given;
    uint32_t n_log, n_error_log;
    bool is_dirty, is_startless;
    struct str *traces; /* trace ids of its pieces, own copies: one as a rule */
    size_t n_traces;
    struct invocation *stored; /* rows found in the store that pieces point to */
    struct assembly *env_next, *env_prev, *lru_next, *lru_prev, *dirty_next, *same_id;
};

struct correlator {
    struct correlator_options options;
    struct intern texts;
    struct idmap envs, assemblies,
        ids; /* hash -> struct pointer; ids: head of the list of one request id */
    struct assembly *lru_first, *lru_last, *dirty;
    struct env *env_first, *env_last;
    size_t n_assemblies, n_envs;
    struct arena scratch;
};

/* --- lists --- */

static void lru_remove(struct correlator *c, struct assembly *a)
{
    *(a->lru_prev ? &a->lru_prev->lru_next : &c->lru_first) = a->lru_next;
    *(a->lru_next ? &a->lru_next->lru_prev : &c->lru_last) = a->lru_prev;
    a->lru_next = a->lru_prev = NULL;
}

static void lru_append(struct correlator *c, struct assembly *a)
{
    a->lru_prev = c->lru_last;
    *(c->lru_last ? &c->lru_last->lru_next : &c->lru_first) = a;
    c->lru_last = a;
}

static void env_lru_remove(struct correlator *c, struct env *v)
{
    *(v->lru_prev ? &v->lru_prev->lru_next : &c->env_first) = v->lru_next;
    *(v->lru_next ? &v->lru_next->lru_prev : &c->env_last) = v->lru_prev;
    v->lru_next = v->lru_prev = NULL;
}

static void env_lru_append(struct correlator *c, struct env *v)
{
    v->lru_prev = c->env_last;
    *(c->env_last ? &c->env_last->lru_next : &c->env_first) = v;
    c->env_last = v;
}

static void mark_dirty(struct correlator *c, struct assembly *a)
{
    if (a->is_dirty)
        return;
    a->is_dirty = true;
    a->dirty_next = c->dirty;
    c->dirty = a;
}

/* --- environments --- */

static struct str keep(struct correlator *c, struct str s)
{
    return s.n > 0 ? intern_str(&c->texts, s) : (struct str){0};
}

static void add_loose(struct env *v, const struct loose *l)
{
    for (size_t i = 0; i < v->n_loose; i++)
        if (v->loose[i].t_ns == l->t_ns && v->loose[i].kind == l->kind &&
            str_eq(v->loose[i].error_type, l->error_type))
            return;
    if (v->n_loose == MAX_LOOSE) { /* the oldest goes: it is in the store */
        size_t oldest = 0;
        for (size_t i = 1; i < v->n_loose; i++)
            if (v->loose[i].t_ns < v->loose[oldest].t_ns)
                oldest = i;
        v->loose[oldest] = *l;
        return;
    }
    v->loose = mem_grow(v->loose, v->n_loose, &v->cap_loose, sizeof(*v->loose));
    v->loose[v->n_loose++] = *l;
}

static enum status load_loose(struct correlator *c, struct env *v, int64_t t_ns, struct err *e)
{
    struct instance_event *rows = NULL;
    size_t n = 0;

    if (!c->options.find_instance)
        return OK;
    enum status s = c->options.find_instance(c->options.ctx, &v->origin, t_ns - LOOK_BACK_NS,
                                             t_ns + LOOK_BACK_NS, &c->scratch, &rows, &n, e);
    for (size_t i = 0; s == OK && i < n; i++) {
        struct loose l = {.t_ns = rows[i].time_ns,
                          .kind = rows[i].kind,
                          .duration_ns = rows[i].duration_ns,
                          .status = keep(c, rows[i].status),
                          .error_type = keep(c, rows[i].error_type),
                          .init_type = keep(c, rows[i].init_type),
                          .phase = keep(c, rows[i].phase),
                          .was_killed = str_eq(rows[i].status, STR("killed"))};
        add_loose(v, &l);
    }
    return s;
}

static void free_env(struct correlator *c, struct env *v)
{
    assert(!v->newest);
    env_lru_remove(c, v);
    idmap_remove(&c->envs, v->origin.hash);
    c->n_envs--;
    free(v->loose);
    free(v);
}

/* Environments without a request in memory go first; one that has some stays. */
static void evict_envs(struct correlator *c)
{
    for (struct env *v = c->env_first; v && c->n_envs > MAX_ENVS;) {
        struct env *next = v->lru_next;
        if (!v->newest)
            free_env(c, v);
        v = next;
    }
}

static enum status env_of(struct correlator *c, const struct log_record *r, struct env **out,
                          struct err *e)
{
    bool is_new;
    uint64_t *at = idmap_put(&c->envs, r->origin->hash, &is_new);

    if (!is_new) {
        *out = (struct env *)(uintptr_t)*at;
        return OK;
    }
    struct env *v = xcalloc(1, sizeof(*v));
    *at = (uintptr_t)v;
    v->fn = (struct fn_ref){r->origin->fn->provider, keep(c, r->origin->fn->account),
                            keep(c, r->origin->fn->region), keep(c, r->origin->fn->name)};
    v->origin = (struct origin){.fn = &v->fn,
                                .log_group = keep(c, r->origin->log_group),
                                .instance = keep(c, r->origin->instance),
                                .version = keep(c, r->origin->version),
                                .hash = r->origin->hash};
    env_lru_append(c, v);
    c->n_envs++;
    *out = v;
    return load_loose(c, v, r->time_ns, e);
}

/* --- requests --- */

static uint64_t id_key(const struct fn_ref *fn, struct str id)
{
    return str_hash(id, fn_hash(fn));
}

static struct str assembly_id(const struct assembly *a)
{
    return (struct str){a->id, a->id_n};
}

static struct assembly *new_assembly(struct correlator *c, struct env *v, struct str id,
                                     uint64_t key)
{
    struct assembly *a = xcalloc(1, sizeof(*a));

    a->env = v;
    a->key = key;
    a->id = xmemdup(id.p, id.n);
    a->id_n = id.n;
    a->env_next = v->newest;
    if (v->newest)
        v->newest->env_prev = a;
    v->newest = a;
    v->n_assemblies++;
    lru_append(c, a);
    c->n_assemblies++;
    *idmap_put(&c->assemblies, key, NULL) = (uintptr_t)a;
    uint64_t *head = idmap_put(&c->ids, id_key(&v->fn, id), NULL);
    a->same_id = (struct assembly *)(uintptr_t)*head;
    *head = (uintptr_t)a;
    return a;
}

static void unlink_same_id(struct correlator *c, struct assembly *a)
{
    uint64_t key = id_key(&a->env->fn, assembly_id(a));
    uint64_t *head = idmap_get(&c->ids, key);
    struct assembly *first = (struct assembly *)(uintptr_t)*head;

    if (first == a && !a->same_id) {
        idmap_remove(&c->ids, key);
        return;
    }
    if (first == a) {
        *head = (uintptr_t)a->same_id;
        return;
    }
    while (first->same_id != a)
        first = first->same_id;
    first->same_id = a->same_id;
}

static void free_traces(struct assembly *a)
{
    for (size_t i = 0; i < a->n_traces; i++) {
        char *p;
        memcpy(&p, &a->traces[i].p, sizeof(p)); /* made by keep_trace */
        free(p);
    }
    free(a->traces);
}

/* Trace ids are as many as requests: they live and die with theirs. */
static struct str keep_trace(struct assembly *a, struct str trace)
{
    for (size_t i = 0; i < a->n_traces; i++)
        if (str_eq(a->traces[i], trace))
            return a->traces[i];
    if (trace.n == 0)
        return (struct str){0};
    a->traces = xreallocarray(a->traces, a->n_traces + 1, sizeof(*a->traces));
    a->traces[a->n_traces] = (struct str){xmemdup(trace.p, trace.n), trace.n};
    return a->traces[a->n_traces++];
}

static void free_assembly(struct correlator *c, struct assembly *a)
{
    assert(!a->is_dirty);
    unlink_same_id(c, a);
    idmap_remove(&c->assemblies, a->key);
    *(a->env_prev ? &a->env_prev->env_next : &a->env->newest) = a->env_next;
    if (a->env_next)
        a->env_next->env_prev = a->env_prev;
    a->env->n_assemblies--;
    a->env->n_startless -= a->is_startless;
    lru_remove(c, a);
    c->n_assemblies--;
    free_traces(a);
    free(a->pieces.rows);
    free(a->given);
    free(a->stored);
    free(a->id);
    free(a);
}

static void evict(struct correlator *c)
{
    while (c->n_assemblies > c->options.max_open)
        free_assembly(c, c->lru_first);
    evict_envs(c);
}

/* --- what the store knows about an id --- */

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

/* Stored rows become pieces of their environment's assembly. */
static void restore_row(struct correlator *c, struct assembly *a, const struct invocation *row,
                        struct invocation *copy)
{
    struct piece p = {.t_ns = row->start_ns, .kind = PIECE_STORED, .stored = copy};

    *copy = *row;
    copy->error_type = keep(c, row->error_type);
    copy->version = keep(c, row->version);
    copy->trace_id = keep_trace(a, row->trace_id);
    copy->id = assembly_id(a);
    copy->origin = &a->env->origin;
    copy->evidence &= ~(unsigned)EV_ASSUMED_CONFIG; /* the price's business */
    a->n_log += row->n_log;
    a->n_error_log += row->n_error_log;
    copy->n_log = copy->n_error_log = 0;
    pieces_add(&a->pieces, &p);
    a->given = xreallocarray(a->given, a->n_given + 1, sizeof(*a->given));
    a->given[a->n_given++] = (struct given){row->start_ns, 0};
}

static int compare_starts(const void *a, const void *b)
{
    const struct invocation *x = a, *y = b;

    return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

static enum status restore(struct correlator *c, struct env *v, struct str id, int64_t t_ns,
                           struct err *e)
{
    struct invocation *rows = NULL;
    size_t n = 0;

    if (!c->options.find_id)
        return OK;
    enum status s = c->options.find_id(c->options.ctx, id, t_ns, &c->scratch, &rows, &n, e);
    if (s == OK && n > 1)
        qsort(rows, n, sizeof(*rows), compare_starts);
    for (size_t i = 0; s == OK && i < n; i++) {
        struct log_record like = {.origin = rows[i].origin, .time_ns = rows[i].start_ns};
        struct env *owner;
        if (!fn_eq(rows[i].origin->fn, &v->fn))
            continue;
        s = env_of(c, &like, &owner, e);
        if (s != OK)
            break;
        uint64_t key = str_hash(id, owner->origin.hash);
        uint64_t *at = idmap_get(&c->assemblies, key);
        struct assembly *a =
            at ? (struct assembly *)(uintptr_t)*at : new_assembly(c, owner, id, key);
        /* Every row of one environment in one allocation: pieces point into it. */
        if (!a->stored)
            a->stored = xcalloc(n, sizeof(*a->stored));
        restore_row(c, a, &rows[i], &a->stored[i]);
    }
    return s;
}

static enum status assembly_of(struct correlator *c, struct env *v, const struct log_record *r,
                               struct assembly **out, struct err *e)
{
    uint64_t key = str_hash(r->invocation_id, v->origin.hash);
    uint64_t *at = idmap_get(&c->assemblies, key);

    if (!at && !idmap_get(&c->ids, id_key(&v->fn, r->invocation_id))) {
        enum status s = restore(c, v, r->invocation_id, r->time_ns, e);
        if (s != OK)
            return s;
        at = idmap_get(&c->assemblies, key);
    }
    struct assembly *a =
        at ? (struct assembly *)(uintptr_t)*at : new_assembly(c, v, r->invocation_id, key);
    if (a != c->lru_last) {
        lru_remove(c, a);
        lru_append(c, a);
    }
    *out = a;
    return OK;
}

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
        out->error_type = keep(c, r->error_type);
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
    out->status = keep(c, p->status);
    out->error_type = keep(c, p->error_type);
    out->version = keep(c, p->version.n > 0 ? p->version : r->origin->version);
    out->was_killed = says_killed(p);
    return true;
}

static enum status take_request(struct correlator *c, struct env *v, const struct log_record *r,
                                struct err *e)
{
    struct assembly *a;
    struct piece p;
    enum status s = assembly_of(c, v, r, &a, e);

    if (s != OK)
        return s;
    if (make_piece(c, r, &p)) {
        p.trace_id = keep_trace(a, r->trace_id);
        pieces_add(&a->pieces, &p);
    }
    if (r->kind == RECORD_APP) {
        a->n_log++;
        a->n_error_log += r->severity >= SEVERITY_ERROR;
    }
    if (a->pieces.n > 0)
        mark_dirty(c, a);
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
                mark_dirty(c, a);
        }
    }
}

static void take_loose(struct correlator *c, struct env *v, const struct log_record *r,
                       struct batch *b)
{
    const struct platform_event *p = r->platform;
    struct loose l = {.t_ns = r->time_ns, .kind = p ? p->kind : PLATFORM_OTHER};

    l.error_type = keep(c, p ? p->error_type : r->error_type);
    if (p) {
        l.duration_ns = p->duration_ns;
        l.status = keep(c, p->status);
        l.init_type = keep(c, p->init_type);
        l.phase = keep(c, p->phase);
        l.was_killed = says_killed(p);
    }
    add_loose(v, &l);
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
    enum status s = env_of(c, r, &v, e);
    if (s != OK)
        return s;
    if (v != c->env_last) {
        env_lru_remove(c, v);
        env_lru_append(c, v);
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
        inv.id = arena_str(&b->arena, assembly_id(a));
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
    const uint64_t *head = idmap_get(&c->ids, id_key(&a->env->fn, assembly_id(a)));
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
        const uint64_t *head = idmap_get(&c->ids, id_key(&a->env->fn, assembly_id(a)));
        struct assembly *first = (struct assembly *)(uintptr_t)*head;
        for (struct assembly *o = first; o && first->same_id; o = o->same_id)
            if (o->pieces.n > 0)
                mark_dirty(c, o);
        for (struct assembly *o = a->env->newest; o && a->env->n_startless > 0; o = o->env_next)
            if (o->is_startless)
                mark_dirty(c, o);
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
        free_assembly(c, c->lru_first);
    }
    while (c->env_first)
        free_env(c, c->env_first);
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
    evict(c);
    arena_reset(&c->scratch);
    return OK;
}
