#include "core/store/line_owner.h"

#include <stdint.h>

#include "core/store/id_index.h"

enum { ID_MAX = 64 };

/* A request id by value: streams live longer than the memory of lines. */
struct owner_id {
    size_t n;
    char text[ID_MAX];
};

struct running {
    struct owner_id id;
    int64_t begun_ns;
};

struct waiting {
    struct str *owner;
    struct arena *keep; /* of its id */
    int64_t time_ns;
};

/* One log stream, or what of a function is without. */
struct owner_track {
    const struct origin *origin;
    struct running first; /* most run one request at a time: `open` begins here */
    struct running *open;
    size_t n_open, cap_open;
    /* Those that another began beside, the newest last; they end by their own lines. */
    struct running *beside;
    size_t n_beside, cap_beside;
    bool is_shared;       /* one of those did end: this is a managed instance */
    struct owner_id last; /* the request that ended before; only with a stream */
    int64_t ended_ns;
    bool is_init;
    int64_t init_ns;
    struct waiting *waiting; /* lines of an initialization */
    size_t n_waiting, cap_waiting;
    bool is_settled; /* it was heard where a request began or ended */
};

void line_owners_init(struct line_owners *o, struct store *s, struct arena *a)
{
    *o = (struct line_owners){.store = s, .arena = a};
    idmap_init(&o->track_of);
}

void line_owners_clear(struct line_owners *o)
{
    idmap_clear(&o->track_of);
    arena_clear(&o->asked_arena);
}

static const struct owner_track *find_track(const struct line_owners *o,
                                            const struct origin *origin)
{
    const uint64_t *at = idmap_get(&o->track_of, (uintptr_t)origin);

    return at != NULL ? (const struct owner_track *)(uintptr_t)*at : NULL;
}

static struct owner_track *track_for(struct line_owners *o, const struct origin *origin)
{
    bool is_new = false;
    uint64_t *at = idmap_put(&o->track_of, (uintptr_t)origin, &is_new);

    if (is_new) {
        struct owner_track *t = arena_new(o->arena, struct owner_track, 1);
        *t = (struct owner_track){.origin = origin, .open = &t->first, .cap_open = 1};
        *at = (uintptr_t)t;
    }
    return (struct owner_track *)(uintptr_t)*at;
}

static bool has_stream(const struct owner_track *t)
{
    return t->origin->instance.n > 0;
}

static struct str id_str(const struct owner_id *id)
{
    return (struct str){id->text, id->n};
}

/* Ids of log lines are UUIDs (log_scan.c). */
static struct owner_id id_of(struct str id)
{
    struct owner_id out = {.n = id.n < ID_MAX ? id.n : 0};

    for (size_t i = 0; i < out.n; i++)
        out.text[i] = id.p[i];
    return out;
}

/* --- what is stored of an id --- */

struct attempt_list {
    struct store *store;
    struct arena *arena;
    struct attempts *out;
};

static enum status add_attempt(void *ctx, const struct fact *f, struct err *e)
{
    const struct attempt_list *l = ctx;
    struct attempts *out = l->out;

    UNUSED(e);
    out->rows = arena_grow(l->arena, out->rows, out->n, &out->cap, sizeof(*out->rows));
    fact_to_invocation(l->store, f, &out->rows[out->n].inv);
    out->rows[out->n++].fn_id = f->fn;
    return OK;
}

enum status attempts_read(struct store *s, struct str id, struct arena *a, struct attempts *out,
                          struct err *e)
{
    struct attempt_list list = {s, a, out};
    enum status status = OK;

    *out = (struct attempts){0};
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = facts_by_id(s, s->day_numbers[i], id, a,
                             (struct fact_sink){add_attempt, &list, true}, e);
    return status;
}

struct range line_owner_reach(const struct invocation *inv)
{
    const int64_t run_ns =
        inv->is_final ? inv->duration_ns + inv->init_ns + inv->restore_ns : LINE_OWNER_RUN_NS;

    return (struct range){inv->start_ns - LINE_OWNER_INIT_NS - LOG_AFTERMATH_NS,
                          inv->start_ns + run_ns + LOG_AFTERMATH_NS};
}

static void ask(struct line_owners *o, struct str id)
{
    if (str_eq(o->asked, id))
        return;
    arena_reset(&o->asked_arena);
    o->asked = arena_str(&o->asked_arena, id);
    if (attempts_read(o->store, o->asked, &o->asked_arena, &o->attempts, &o->failure) != OK)
        o->attempts.n = 0;
}

/* --- the platform's lines --- */

static size_t find_in(const struct running *rows, size_t n, struct str id)
{
    size_t i = 0;

    while (i < n && !str_eq(id_str(&rows[i].id), id))
        i++;
    return i;
}

static size_t find_open(const struct owner_track *t, struct str id)
{
    return find_in(t->open, t->n_open, id);
}

static void close_at(struct owner_track *t, size_t i)
{
    if (i < t->n_open)
        t->open[i] = t->open[--t->n_open];
}

static void close_beside(struct owner_track *t, size_t i)
{
    for (t->n_beside--; i < t->n_beside; i++)
        t->beside[i] = t->beside[i + 1];
}

/* The oldest goes where there are too many: a managed instance runs 64 at once. */
static void put_beside(struct line_owners *o, struct owner_track *t)
{
    enum { MAX_BESIDE = 64 };

    if (t->n_beside == MAX_BESIDE)
        close_beside(t, 0);
    t->beside = arena_grow(o->arena, t->beside, t->n_beside, &t->cap_beside, sizeof(*t->beside));
    t->beside[t->n_beside++] = t->open[0];
}

/* Whether its REPORT says that it was still running then. */
static bool ran_on(struct line_owners *o, struct str id, const struct log_line *then)
{
    ask(o, id);
    for (size_t i = 0; i < o->attempts.n; i++) {
        const struct invocation *inv = &o->attempts.rows[i].inv;
        if (inv->origin == then->origin && inv->is_final && inv->start_ns <= then->time_ns &&
            then->time_ns < inv->start_ns + inv->duration_ns)
            return true;
    }
    return false;
}

/* In a stream that Lambda did not name it may be of another environment. */
static void step_aside(struct line_owners *o, struct owner_track *t, const struct log_line *l)
{
    if (!str_eq(id_str(&t->open[0].id), l->invocation_id)) {
        t->is_shared |= l->origin->version.n == 0 && ran_on(o, id_str(&t->open[0].id), l);
        put_beside(o, t);
    }
    t->n_open = 0;
}

static void begin(struct line_owners *o, struct owner_track *t, const struct log_line *l)
{
    t->is_settled = has_stream(t);
    if (has_stream(t) && t->n_open > 0)
        step_aside(o, t, l);
    close_at(t, find_open(t, l->invocation_id));
    t->open = arena_grow(o->arena, t->open, t->n_open, &t->cap_open, sizeof(*t->open));
    t->open[t->n_open++] = (struct running){id_of(l->invocation_id), l->time_ns};
}

/* Places of lines that wait too long may be gone: they are not touched. */
static void settle_init(struct owner_track *t, struct str id, int64_t now_ns)
{
    for (size_t i = 0; i < t->n_waiting; i++)
        if (now_ns - t->waiting[i].time_ns <= LINE_OWNER_INIT_NS)
            *t->waiting[i].owner = arena_str(t->waiting[i].keep, id);
    t->n_waiting = 0;
    t->is_init = false;
}

static void end(struct owner_track *t, const struct log_line *l)
{
    const size_t beside = find_in(t->beside, t->n_beside, l->invocation_id);

    if (beside < t->n_beside) {
        t->is_shared = true;
        close_beside(t, beside);
        return;
    }
    if (t->is_shared && find_open(t, l->invocation_id) == t->n_open)
        return;
    close_at(t, find_open(t, l->invocation_id));
    if (!has_stream(t))
        return;
    settle_init(t, l->invocation_id, l->time_ns);
    t->is_settled = true;
    t->n_open = 0;
    t->last = id_of(l->invocation_id);
    t->ended_ns = l->time_ns;
}

static void hear_platform(struct line_owners *o, struct owner_track *t, const struct log_line *l)
{
    if (l->invocation_id.n == 0) {
        if ((has_stream(t) || t->n_open == 0) &&
            log_line_says(l, STR("INIT_START"), STR("platform.initStart"))) {
            t->is_init = true;
            t->init_ns = l->time_ns;
            t->is_shared |= str_find(l->body, STR("managed-instances")) < l->body.n;
        }
    } else if (log_line_says(l, STR("START "), STR("platform.start"))) {
        begin(o, t, l);
        if (t->n_open == 1)
            settle_init(t, l->invocation_id, l->time_ns);
    } else if (log_line_says(l, STR("END "), STR("platform.runtimeDone")) ||
               log_line_says(l, STR("REPORT "), STR("platform.report"))) {
        end(t, l);
    }
}

/* --- what a line mentions --- */

static bool is_mentioned_close_by(struct line_owners *o, const struct log_line *l)
{
    ask(o, l->invocation_id);
    for (size_t i = 0; i < o->attempts.n; i++) {
        const struct invocation *inv = &o->attempts.rows[i].inv;
        const struct range r = line_owner_reach(inv);
        if (inv->origin == l->origin && l->time_ns >= r.since_ns && l->time_ns < r.until_ns)
            return true;
    }
    return o->attempts.n == 0 && l->says_id;
}

/* --- the others --- */

static void forget_old(struct owner_track *t, int64_t now_ns)
{
    for (size_t i = t->n_open; i-- > 0;)
        if (now_ns - t->open[i].begun_ns > LINE_OWNER_RUN_NS)
            close_at(t, i);
    while (t->n_beside > 0 && now_ns - t->beside[0].begun_ns > LINE_OWNER_RUN_NS)
        close_beside(t, 0);
    if (t->is_init && now_ns - t->init_ns > LINE_OWNER_INIT_NS) {
        t->is_init = false;
        t->n_waiting = 0;
    }
}

static bool holds(const struct log_line *l, const struct owner_id *id)
{
    return id->n > 0 && str_find(l->body, id_str(id)) < l->body.n;
}

static void wait_for_start(struct line_owners *o, struct owner_track *t, int64_t time_ns,
                           struct str *owner, struct arena *keep)
{
    if (owner == NULL)
        return;
    t->waiting =
        arena_grow(o->arena, t->waiting, t->n_waiting, &t->cap_waiting, sizeof(*t->waiting));
    t->waiting[t->n_waiting++] = (struct waiting){owner, keep, time_ns};
}

/* On a managed instance; it has none beside by its id. */
static struct str of_shared(const struct owner_track *t, const struct log_line *l)
{
    const bool is_own =
        t->n_open > 0 && l->says_id && str_eq(l->invocation_id, id_str(&t->open[0].id));

    if (is_own || (t->n_open > 0 && t->n_beside == 0))
        return id_str(&t->open[0].id);
    return t->n_open == 0 && t->n_beside == 1 ? id_str(&t->beside[0].id) : (struct str){0};
}

static struct str by_stream(const struct owner_track *t, const struct log_line *l)
{
    const bool is_aftermath = t->last.n > 0 && l->time_ns - t->ended_ns <= LOG_AFTERMATH_NS;
    const size_t beside =
        l->says_id ? find_in(t->beside, t->n_beside, l->invocation_id) : t->n_beside;

    if (beside < t->n_beside)
        return id_str(&t->beside[beside].id);
    if (t->is_shared)
        return of_shared(t, l);
    if (t->n_open == 0)
        return is_aftermath && !t->is_init ? id_str(&t->last) : (struct str){0};
    if (is_aftermath && holds(l, &t->last) && !holds(l, &t->open[0].id))
        return id_str(&t->last);
    return id_str(&t->open[0].id);
}

static struct str without_stream(const struct owner_track *t, const struct log_line *l)
{
    const size_t named = l->invocation_id.n > 0 ? find_open(t, l->invocation_id) : t->n_open;

    if (named < t->n_open)
        return id_str(&t->open[named].id);
    for (size_t i = 0; l->invocation_id.n > 0 && i < t->n_open; i++)
        if (holds(l, &t->open[i].id))
            return id_str(&t->open[i].id);
    return t->n_open == 1 ? id_str(&t->open[0].id) : (struct str){0};
}

static struct str owner_of(struct line_owners *o, const struct owner_track *t,
                           const struct log_line *l)
{
    const struct str id = has_stream(t) ? by_stream(t, l) : without_stream(t, l);

    if (id.n > 0 || l->invocation_id.n == 0)
        return id;
    return is_mentioned_close_by(o, l) ? l->invocation_id : (struct str){0};
}

void line_owners_hear(struct line_owners *o, const struct log_line *l, struct str *owner,
                      struct arena *keep)
{
    struct owner_track *t = track_for(o, l->origin);
    const bool is_platform = l->kind == RECORD_PLATFORM;

    forget_old(t, l->time_ns);
    if (is_platform)
        hear_platform(o, t, l);
    if (owner == NULL)
        return;
    const bool is_named = is_platform && l->invocation_id.n > 0;
    *owner = arena_str(keep, is_named ? l->invocation_id : owner_of(o, t, l));
    if (t->is_init && !is_named)
        wait_for_start(o, t, l->time_ns, owner, keep);
}

bool line_owners_is_sure(const struct line_owners *o, const struct origin *origin)
{
    const struct owner_track *t = find_track(o, origin);

    return t != NULL && t->is_settled && !t->is_shared;
}

bool line_owners_goes_on(const struct line_owners *o, const struct origin *origin, struct str id,
                         int64_t from_ns)
{
    const struct owner_track *t = find_track(o, origin);

    if (t == NULL)
        return false;
    return find_open(t, id) < t->n_open || find_in(t->beside, t->n_beside, id) < t->n_beside ||
           (str_eq(id_str(&t->last), id) && from_ns - t->ended_ns <= LOG_AFTERMATH_NS);
}
