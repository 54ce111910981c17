/* The correlator's memory: environments and requests, the lists they are on, what the store knows
 * about an id, and who goes first when there are too many. */
#include "analyzer/correlate_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

#define MAX_ENVS  ((size_t)40000)
#define MAX_LOOSE ((size_t)256) /* kept per environment; the newest */

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

void corr_env_remove(struct correlator *c, struct env *v)
{
    *(v->lru_prev ? &v->lru_prev->lru_next : &c->env_first) = v->lru_next;
    *(v->lru_next ? &v->lru_next->lru_prev : &c->env_last) = v->lru_prev;
    v->lru_next = v->lru_prev = NULL;
}

void corr_env_append(struct correlator *c, struct env *v)
{
    v->lru_prev = c->env_last;
    *(c->env_last ? &c->env_last->lru_next : &c->env_first) = v;
    c->env_last = v;
}

void corr_mark_dirty(struct correlator *c, struct assembly *a)
{
    if (a->is_dirty)
        return;
    a->is_dirty = true;
    a->dirty_next = c->dirty;
    c->dirty = a;
}

/* --- environments --- */

struct str corr_keep(struct correlator *c, struct str s)
{
    return s.n > 0 ? intern_str(&c->texts, s) : (struct str){0};
}

void corr_add_loose(struct env *v, const struct loose *l)
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
    struct instance_event_list found = {0};

    if (!c->options.find_instance)
        return OK;
    enum status s =
        c->options.find_instance(c->options.ctx, &v->origin, t_ns, &c->scratch, &found, e);
    for (size_t i = 0; s == OK && i < found.n; i++) {
        struct loose l = {.t_ns = found.rows[i].time_ns,
                          .kind = found.rows[i].kind,
                          .duration_ns = found.rows[i].duration_ns,
                          .status = corr_keep(c, found.rows[i].status),
                          .error_type = corr_keep(c, found.rows[i].error_type),
                          .init_type = corr_keep(c, found.rows[i].init_type),
                          .phase = corr_keep(c, found.rows[i].phase),
                          .was_killed = str_eq(found.rows[i].status, STR("killed"))};
        corr_add_loose(v, &l);
    }
    return s;
}

void corr_free_env(struct correlator *c, struct env *v)
{
    assert(!v->newest);
    corr_env_remove(c, v);
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
            corr_free_env(c, v);
        v = next;
    }
}

enum status corr_env(struct correlator *c, const struct log_record *r, struct env **out,
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
    v->fn = (struct fn_ref){r->origin->fn->provider, corr_keep(c, r->origin->fn->account),
                            corr_keep(c, r->origin->fn->region), corr_keep(c, r->origin->fn->name)};
    v->origin = (struct origin){.fn = &v->fn,
                                .log_group = corr_keep(c, r->origin->log_group),
                                .instance = corr_keep(c, r->origin->instance),
                                .version = corr_keep(c, r->origin->version),
                                .hash = r->origin->hash};
    corr_env_append(c, v);
    c->n_envs++;
    *out = v;
    return load_loose(c, v, r->time_ns, e);
}

/* --- requests --- */

uint64_t corr_id_key(const struct fn_ref *fn, struct str id)
{
    return str_hash(id, fn_hash(fn));
}

struct str corr_id(const struct assembly *a)
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
    uint64_t *head = idmap_put(&c->ids, corr_id_key(&v->fn, id), NULL);
    a->same_id = (struct assembly *)(uintptr_t)*head;
    *head = (uintptr_t)a;
    return a;
}

static void unlink_same_id(struct correlator *c, struct assembly *a)
{
    uint64_t key = corr_id_key(&a->env->fn, corr_id(a));
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
struct str corr_keep_trace(struct assembly *a, struct str trace)
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

void corr_free_assembly(struct correlator *c, struct assembly *a)
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

void corr_evict(struct correlator *c)
{
    while (c->n_assemblies > c->options.max_open)
        corr_free_assembly(c, c->lru_first);
    evict_envs(c);
}

/* --- what the store knows about an id --- */

/* Stored rows become pieces of their environment's assembly. */
static void restore_row(struct correlator *c, struct assembly *a, const struct invocation *row,
                        struct invocation *copy)
{
    struct piece p = {.t_ns = row->start_ns, .kind = PIECE_STORED, .stored = copy};

    *copy = *row;
    copy->error_type = corr_keep(c, row->error_type);
    copy->version = corr_keep(c, row->version);
    copy->trace_id = corr_keep_trace(a, row->trace_id);
    copy->id = corr_id(a);
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
    struct invocation_list found = {0};

    if (!c->options.find_id)
        return OK;
    enum status s = c->options.find_id(c->options.ctx, id, t_ns, &c->scratch, &found, e);
    if (s == OK && found.n > 1)
        qsort(found.rows, found.n, sizeof(*found.rows), compare_starts);
    for (size_t i = 0; s == OK && i < found.n; i++) {
        struct log_record like = {.origin = found.rows[i].origin,
                                  .time_ns = found.rows[i].start_ns};
        struct env *owner;
        if (!fn_eq(found.rows[i].origin->fn, &v->fn))
            continue;
        s = corr_env(c, &like, &owner, e);
        if (s != OK)
            break;
        uint64_t key = str_hash(id, owner->origin.hash);
        uint64_t *at = idmap_get(&c->assemblies, key);
        struct assembly *a =
            at ? (struct assembly *)(uintptr_t)*at : new_assembly(c, owner, id, key);
        /* Every row of one environment in one allocation: pieces point into it. */
        if (!a->stored)
            a->stored = xcalloc(found.n, sizeof(*a->stored));
        restore_row(c, a, &found.rows[i], &a->stored[i]);
    }
    return s;
}

enum status corr_assembly(struct correlator *c, struct env *v, const struct log_record *r,
                          struct assembly **out, struct err *e)
{
    uint64_t key = str_hash(r->invocation_id, v->origin.hash);
    uint64_t *at = idmap_get(&c->assemblies, key);

    if (!at && !idmap_get(&c->ids, corr_id_key(&v->fn, r->invocation_id))) {
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
