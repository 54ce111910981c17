/* The correlator's memory: environments and requests, the lists they are on, and who goes first
 * when there are too many. */
#include "analyzer/correlate_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

#define MAX_ENVS     ((size_t)40000)
#define SPARE_PIECES ((size_t)6) /* room for more is not kept */
#define SPARE_TRACES ((size_t)1)
#define MAX_LOOSE    ((size_t)256) /* kept per environment; the newest */

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

static void env_remove(struct correlator *c, struct env *v)
{
    *(v->lru_prev ? &v->lru_prev->lru_next : &c->env_first) = v->lru_next;
    *(v->lru_next ? &v->lru_next->lru_prev : &c->env_last) = v->lru_prev;
    v->lru_next = v->lru_prev = NULL;
}

static void env_append(struct correlator *c, struct env *v)
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

static int compare_loose(const struct loose *a, const struct loose *b)
{
    int c = str_cmp(a->error_type, b->error_type);

    if (c == 0)
        c = str_cmp(a->status, b->status);
    if (c == 0)
        c = str_cmp(a->init_type, b->init_type);
    if (c == 0)
        c = str_cmp(a->phase, b->phase);
    if (c == 0)
        c = str_cmp(a->runtime, b->runtime);
    if (c == 0)
        c = (a->duration_ns > b->duration_ns) - (a->duration_ns < b->duration_ns);
    return c != 0 ? c : (a->arrival < b->arrival) - (a->arrival > b->arrival);
}

/* Of two of a kind in one instant the smaller stays, as in the store: of the same one that of which
 * is known when it arrived. */
void corr_add_loose(struct env *v, const struct loose *l)
{
    size_t oldest = 0;

    for (size_t i = 0; i < v->n_loose; i++) {
        struct loose *own = &v->loose[i];
        if (own->t_ns == l->t_ns && own->kind == l->kind) {
            *own = compare_loose(l, own) < 0 ? *l : *own;
            return;
        }
        oldest = own->t_ns < v->loose[oldest].t_ns ? i : oldest;
    }
    if (v->n_loose == MAX_LOOSE) { /* the oldest goes: it is in the store */
        v->loose[oldest] = *l;
        v->has_all_loose = false;
        return;
    }
    if (v->n_loose == v->cap_loose) { /* one is the rule: tens of thousands of environments */
        v->cap_loose = v->cap_loose == 0 ? 1 : v->cap_loose * 2;
        v->loose = xreallocarray(v->loose, v->cap_loose, sizeof(*v->loose));
    }
    v->loose[v->n_loose++] = *l;
}

static enum status load_loose(struct correlator *c, struct env *v, int64_t t_ns, struct err *e)
{
    struct instance_event_list found = {0};

    v->known_from_ns = t_ns - NS_PER_DAY / 2;
    v->known_to_ns = t_ns + NS_PER_DAY / 2;
    if (!c->options.find_instance || v->has_all_loose)
        return OK;
    enum status s =
        c->options.find_instance(c->options.ctx, &v->origin, t_ns, &c->scratch, &found, e);
    for (size_t i = 0; s == OK && i < found.n; i++) {
        struct str status = found.rows[i].status;
        struct loose l = {.t_ns = found.rows[i].time_ns,
                          .kind = found.rows[i].kind,
                          .duration_ns = found.rows[i].duration_ns,
                          .status = corr_keep(c, status),
                          .error_type = corr_keep(c, found.rows[i].error_type),
                          .init_type = corr_keep(c, found.rows[i].init_type),
                          .phase = corr_keep(c, found.rows[i].phase),
                          .runtime = corr_keep(c, found.rows[i].runtime_version),
                          .arrival = found.rows[i].arrival,
                          .was_killed = str_eq(status, STR("killed"))};
        corr_add_loose(v, &l);
    }
    return s;
}

void corr_free_env(struct correlator *c, struct env *v)
{
    assert(!v->newest && !v->is_stirred);
    env_remove(c, v);
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

static struct fn_ref keep_fn(struct correlator *c, const struct fn_ref *f)
{
    return (struct fn_ref){.provider = f->provider,
                           .account = corr_keep(c, f->account),
                           .region = corr_keep(c, f->region),
                           .name = corr_keep(c, f->name)};
}

static struct env *new_env(struct correlator *c, const struct origin *o)
{
    struct env *v = xcalloc(1, sizeof(*v));

    v->fn = keep_fn(c, o->fn);
    if (o->fn->born != NULL) {
        v->born = keep_fn(c, o->fn->born);
        v->fn.born = &v->born;
    }
    v->origin = (struct origin){.fn = &v->fn,
                                .log_group = corr_keep(c, o->log_group),
                                .instance = corr_keep(c, o->instance),
                                .version = corr_keep(c, o->version),
                                .hash = o->hash};
    v->fn_hash = fn_hash(fn_born(&v->fn));
    v->has_all_loose = c->options.knows_instance && !c->options.knows_instance(c->options.ctx, o);
    v->has_all_requests = v->has_all_loose;
    v->lost_to_ns = v->has_all_requests ? INT64_MIN : INT64_MAX;
    v->kept_to_ns = v->has_all_requests ? INT64_MAX : INT64_MIN;
    v->mixed_to_ns = INT64_MIN;
    env_append(c, v);
    c->n_envs++;
    return v;
}

enum status corr_env(struct correlator *c, const struct origin *o, int64_t t_ns, struct env **out,
                     struct err *e)
{
    bool is_new;
    uint64_t *at = idmap_put(&c->envs, o->hash, &is_new);

    if (is_new)
        *at = (uintptr_t)new_env(c, o);
    struct env *v = (struct env *)(uintptr_t)*at;
    *out = v;
    if (is_new || t_ns < v->known_from_ns || t_ns > v->known_to_ns)
        return load_loose(c, v, t_ns, e);
    return OK;
}

/* One look-up for each environment of a batch, and one move in the list of those met last. */
enum status corr_env_of(struct correlator *c, const struct log_record *r, struct env **out,
                        struct err *e)
{
    size_t place = r->origin->place;

    while (c->n_env_of <= place) {
        c->env_of = mem_grow(c->env_of, c->n_env_of, &c->cap_env_of, sizeof(struct env *));
        c->env_of[c->n_env_of++] = NULL;
    }
    struct env *v = c->env_of[place];
    if (!v || r->time_ns < v->known_from_ns || r->time_ns > v->known_to_ns) {
        enum status s = corr_env(c, r->origin, r->time_ns, &v, e);
        if (s != OK)
            return s;
        env_remove(c, v);
        env_append(c, v);
        c->env_of[place] = v;
        v->met_as = r->origin;
        v->met_in_feed = c->n_feeds;
    }
    *out = v;
    return OK;
}

/* --- requests --- */

static uint64_t id_key_of(const struct env *v, struct str id)
{
    return str_hash(id, v->fn_hash);
}

static struct assembly *ring_of(const struct correlator *c, uint64_t id_key)
{
    const uint64_t *one = idmap_get(&c->ids, id_key);

    return one ? (struct assembly *)(uintptr_t)*one : NULL;
}

struct assembly *corr_find_id(const struct correlator *c, const struct env *v, struct str id)
{
    return ring_of(c, id_key_of(v, id));
}

static struct assembly *find_in_ring(struct assembly *ring, const struct env *v)
{
    struct assembly *a = ring;

    while (a && a->env != v)
        a = a->same_id != ring ? a->same_id : NULL;
    return a;
}

struct assembly *corr_find(const struct correlator *c, const struct env *v, struct str id)
{
    return find_in_ring(corr_find_id(c, v, id), v);
}

struct str corr_id(const struct assembly *a)
{
    return (struct str){a->id.p, a->id.n};
}

/* A new request, with the memory of one that was freed if there is one. */
static struct assembly *take_spare(struct correlator *c)
{
    struct assembly *a = c->spare;

    if (!a)
        return xcalloc(1, sizeof(*a));
    c->spare = a->lru_next;
    *a = (struct assembly){.id = a->id,
                           .pieces = {.rows = a->pieces.rows, .cap = a->pieces.cap},
                           .traces = a->traces,
                           .cap_traces = a->cap_traces,
                           .given = a->given,
                           .cap_given = a->cap_given};
    return a;
}

static void set_text(struct own_text *t, struct str s)
{
    assert(s.n > 0);
    if (s.n > t->cap) {
        free(t->p);
        t->p = xmalloc(s.n);
        t->cap = s.n;
    }
    memcpy(t->p, s.p, s.n);
    t->n = s.n;
}

enum piece_news corr_add_piece(struct assembly *a, const struct piece *p)
{
    struct env *v = a->env;

    v->newest_ns = p->t_ns > v->newest_ns ? p->t_ns : v->newest_ns;
    v->spans_of_feed = 0;
    return pieces_add(&a->pieces, p);
}

void corr_room_for_given(struct assembly *a, size_t n)
{
    if (n <= a->cap_given)
        return;
    a->given = xreallocarray(a->given, n, sizeof(*a->given));
    a->cap_given = n;
}

static void link_same_id(struct correlator *c, struct assembly *a)
{
    bool is_first;
    uint64_t *one = idmap_put(&c->ids, a->id_key, &is_first);
    struct assembly *other = (struct assembly *)(uintptr_t)*one;

    *one = (uintptr_t)a;
    a->same_id = is_first ? a : other->same_id;
    if (!is_first)
        other->same_id = a;
}

static void unlink_same_id(struct correlator *c, struct assembly *a)
{
    struct assembly *before = a->same_id;

    if (before == a) {
        idmap_remove(&c->ids, a->id_key);
        return;
    }
    while (before->same_id != a)
        before = before->same_id;
    before->same_id = a->same_id;
    uint64_t *one = idmap_get(&c->ids, a->id_key);
    assert(one != NULL);
    *one = (uintptr_t)before;
}

static struct assembly *new_assembly(struct correlator *c, struct env *v, struct str id,
                                     uint64_t id_key)
{
    struct assembly *a = take_spare(c);

    a->env = v;
    a->key = str_hash(id, v->origin.hash);
    a->id_key = id_key;
    set_text(&a->id, id);
    a->env_next = v->newest;
    if (v->newest)
        v->newest->env_prev = a;
    v->newest = a;
    v->n_assemblies++;
    lru_append(c, a);
    c->n_assemblies++;
    link_same_id(c, a);
    return a;
}

struct assembly *corr_new_assembly(struct correlator *c, struct env *v, struct str id)
{
    return new_assembly(c, v, id, id_key_of(v, id));
}

/* All but the first `kept` ones. */
static void free_traces(struct assembly *a, size_t kept)
{
    while (a->cap_traces > kept)
        free(a->traces[--a->cap_traces].p);
    if (kept == 0)
        free(a->traces);
}

/* Trace ids are as many as requests: they live and die with theirs. */
struct str corr_keep_trace(struct assembly *a, struct str trace)
{
    if (trace.n == 0)
        return (struct str){0};
    for (size_t i = 0; i < a->n_traces; i++)
        if (str_eq((struct str){a->traces[i].p, a->traces[i].n}, trace))
            return (struct str){a->traces[i].p, a->traces[i].n};
    if (a->n_traces == a->cap_traces) {
        a->traces = xreallocarray(a->traces, a->n_traces + 1, sizeof(*a->traces));
        a->traces[a->cap_traces++] = (struct own_text){0};
    }
    struct own_text *own = &a->traces[a->n_traces++];
    set_text(own, trace);
    return (struct str){own->p, own->n};
}

void corr_free_assembly(struct correlator *c, struct assembly *a)
{
    assert(!a->is_dirty);
    unlink_same_id(c, a);
    *(a->env_prev ? &a->env_prev->env_next : &a->env->newest) = a->env_next;
    if (a->env_next)
        a->env_next->env_prev = a->env_prev;
    a->env->n_assemblies--;
    a->env->has_all_requests = false;
    int64_t last_ns = pieces_reach(&a->pieces).until_ns;
    a->env->lost_to_ns = last_ns > a->env->lost_to_ns ? last_ns : a->env->lost_to_ns;
    lru_remove(c, a);
    c->n_assemblies--;
    free_traces(a, SPARE_TRACES);
    if (a->pieces.cap > SPARE_PIECES) {
        free(a->pieces.rows);
        a->pieces = (struct pieces){0};
    }
    a->lru_next = c->spare;
    c->spare = a;
}

void corr_free_spare(struct correlator *c)
{
    while (c->spare) {
        struct assembly *a = c->spare;
        c->spare = a->lru_next;
        free(a->pieces.rows);
        free(a->given);
        free_traces(a, 0);
        free(a->id.p);
        free(a);
    }
}

/* All requests of one id go together: numbering their attempts takes all or none. */
static void free_same_id(struct correlator *c, struct assembly *a)
{
    while (a->same_id != a)
        corr_free_assembly(c, a->same_id);
    corr_free_assembly(c, a);
}

void corr_evict(struct correlator *c)
{
    while (c->n_assemblies > c->options.max_open)
        free_same_id(c, c->lru_first);
    evict_envs(c);
}

/* --- the request of a record --- */

static enum status find_assembly(struct correlator *c, struct env *v, const struct log_record *r,
                                 struct assembly **out, struct err *e)
{
    const uint64_t id_key = id_key_of(v, r->invocation_id);
    struct assembly *ring = ring_of(c, id_key);
    size_t n_stored = 0;

    if (!ring) {
        enum status s = corr_bring_back(c, v, r->invocation_id, r->time_ns, &n_stored, e);
        if (s != OK)
            return s;
    }
    if (n_stored > 0)
        ring = ring_of(c, id_key);
    struct assembly *a = find_in_ring(ring, v);
    a = a ? a : new_assembly(c, v, r->invocation_id, id_key);
    a->looked_ns = a->looked_ns == 0 ? r->time_ns : a->looked_ns;
    *out = a;
    return OK;
}

/* Files that tell of one request may have changed years apart. */
static enum status look_near(struct correlator *c, struct assembly *a, const struct log_record *r,
                             struct err *e)
{
    size_t n_stored;

    if (r->time_ns >= a->looked_ns - NS_PER_DAY && r->time_ns <= a->looked_ns + NS_PER_DAY)
        return OK;
    a->looked_ns = r->time_ns;
    return corr_bring_back(c, a->env, r->invocation_id, r->time_ns, &n_stored, e);
}

/* An environment runs one request at a time: mostly it is the one met last. */
enum status corr_assembly(struct correlator *c, struct env *v, const struct log_record *r,
                          struct assembly **out, struct err *e)
{
    struct assembly *a = v->newest;

    if (!a || !str_eq(corr_id(a), r->invocation_id)) {
        enum status s = find_assembly(c, v, r, &a, e);
        if (s != OK)
            return s;
    }
    if (a != c->lru_last) {
        lru_remove(c, a);
        lru_append(c, a);
    }
    *out = a;
    return r->is_time_guessed ? look_near(c, a, r, e) : OK;
}
