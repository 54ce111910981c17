/* Invocations summed by function and minute, read in one pass over the facts of the range. */
#include "analyzer/alerts/tracks.h"

#include "core/base/timefmt.h"
#include "core/model/money.h"

#define CATCH_UP_NS (5 * NS_PER_MIN)
#define PPM         1000000

struct cell {
    int64_t member[CELL_MEMBERS];
};

struct fn_cells {
    const struct fn_ref *fn;
    struct cell *minutes;
    const struct fn_config *configs; /* newest first */
    size_t n_configs;
    uint64_t memory_bytes; /* newest configured size */
    int64_t newest_ns;     /* start of the newest */
    bool knows_timeout, knows_memory;
};

struct cells {
    struct tracks *tracks;
    struct fn_cells *rows;
    size_t n, cap, n_minutes;
    struct idmap by_fn;
};

/* The function's part of the rows, which go by function. */
static void find_configs(const struct cells *c, struct fn_cells *f)
{
    const struct fn_config_rows *r = &c->tracks->configs;
    const uint64_t *first = idmap_get(&c->tracks->config_index, fn_hash(f->fn));

    for (size_t i = first ? (size_t)*first : r->n; i < r->n && fn_eq(&r->rows[i].fn, f->fn); i++) {
        f->configs = &r->rows[i - f->n_configs];
        f->n_configs++;
    }
}

/* In force at the time; of before the first, that one stands. NULL: none is known. */
static const struct fn_config *config_at(const struct fn_cells *f, int64_t at_ns)
{
    for (size_t i = 0; i < f->n_configs; i++)
        if (f->configs[i].valid_from_ns <= at_ns || i + 1 == f->n_configs)
            return &f->configs[i];
    return NULL;
}

static struct fn_cells *cells_of(struct cells *c, uint32_t fn_id, const struct invocation *inv)
{
    bool is_new;
    uint64_t *at = idmap_put(&c->by_fn, fn_id, &is_new);

    if (!is_new)
        return &c->rows[*at];
    *at = c->n;
    c->rows = arena_grow(c->tracks->arena, c->rows, c->n, &c->cap, sizeof(*c->rows));
    c->rows[c->n] = (struct fn_cells){
        .fn = inv->origin->fn,
        .minutes = arena_new(c->tracks->arena, struct cell, c->n_minutes),
    };
    find_configs(c, &c->rows[c->n]);
    return &c->rows[c->n++];
}

static void raise_to(int64_t *to, int64_t v)
{
    *to = v > *to ? v : *to;
}

static void raise_share(int64_t *to, int64_t used, int64_t whole, bool *is_known)
{
    if (whole <= 0)
        return;
    *is_known = true;
    raise_to(to, (int64_t)wide_ratio(used, PPM, whole));
}

/* Of the limits that held when it began: the attempt's own, as far as it tells them. */
static void add_shares(struct fn_cells *f, int64_t *member, const struct invocation *inv)
{
    const struct fn_config *k = config_at(f, inv->start_ns);
    const uint64_t memory_bytes = inv->memory_bytes == 0 && k ? k->memory_bytes : inv->memory_bytes;

    raise_share(&member[CELL_DURATION_SHARE], inv->duration_ns, k ? k->timeout_ns : 0,
                &f->knows_timeout);
    raise_share(&member[CELL_MEMORY_SHARE], (int64_t)inv->max_memory_bytes, (int64_t)memory_bytes,
                &f->knows_memory);
}

static enum status add_invocation(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                  struct err *e)
{
    struct cells *c = ctx;
    struct fn_cells *f = cells_of(c, fn_id, inv);
    const size_t minute = (size_t)((inv->start_ns - c->tracks->range.since_ns) / NS_PER_MIN);

    UNUSED(e);
    if (minute >= c->n_minutes)
        return OK;
    int64_t *m = f->minutes[minute].member;
    m[CELL_INVOCATIONS]++;
    m[CELL_ERRORS] += outcome_is_failure(inv->outcome);
    m[CELL_TIMEOUTS] += inv->outcome == OUTCOME_TIMEOUT;
    m[CELL_OOM] += inv->outcome == OUTCOME_OOM;
    m[CELL_COLD_STARTS] += inv->start == START_COLD;
    m[fn_is_usd(inv->origin->fn) ? CELL_COST : CELL_COST_CNY] += inv->cost;
    raise_to(&m[CELL_DURATION_MAX], inv->duration_ns);
    raise_to(&m[CELL_MEMORY_MAX], (int64_t)inv->max_memory_bytes);
    add_shares(f, m, inv);
    if (inv->memory_bytes > 0)
        f->memory_bytes = inv->memory_bytes;
    raise_to(&f->newest_ns, inv->start_ns);
    raise_to(&place_of(&c->tracks->places, f->fn)->newest_log_ns, inv->start_ns);
    raise_to(&c->tracks->newest_ns, inv->start_ns);
    return OK;
}

/* Up to where the function is known: its log is read in order of time. */
static int64_t function_until(struct cells *c, const struct fn_cells *f)
{
    const int64_t until_ns = place_logs_until(place_of(&c->tracks->places, f->fn));

    return f->newest_ns > until_ns ? f->newest_ns : until_ns;
}

/* The newest invocation of one function says nothing of the others while a source catches up. */
static int64_t region_until(struct cells *c, const struct fn_ref *of)
{
    const struct place *p = place_of(&c->tracks->places, of);
    const int64_t until_ns = place_logs_until(p);
    const bool catches_up = p->newest_log_ns - until_ns > CATCH_UP_NS;

    return catches_up || p->newest_log_ns < until_ns ? until_ns : p->newest_log_ns;
}

/* Minutes up to where data is complete; the last one is cut there. */
static void put_minutes(struct cells *c, struct track *track, const struct cell *minutes,
                        unsigned member, int64_t until_ns)
{
    struct tracks *t = c->tracks;

    for (size_t i = 0; i < c->n_minutes; i++) {
        struct sample s = {.begin_ns = t->range.since_ns + (int64_t)i * NS_PER_MIN};
        s.end_ns = s.begin_ns + NS_PER_MIN;
        if (s.begin_ns > until_ns)
            break;
        if (s.end_ns > t->now_ns)
            s.end_ns = t->now_ns;
        s.value = minutes[i].member[member];
        track_put(t, track, &s);
    }
}

/* A share of what nobody knows has no value. */
static bool is_unknown(const struct fn_cells *f, unsigned member)
{
    return (member == CELL_DURATION_SHARE && !f->knows_timeout) ||
           (member == CELL_MEMORY_SHARE && !f->knows_memory);
}

static void put_cells(struct cells *c, const struct fn_cells *f, const struct signal_info *signal)
{
    const struct subject subject = {SCOPE_FUNCTION, *f->fn};
    struct track *track = tracks_add(c->tracks, signal, &subject);

    if (!is_unknown(f, signal->member))
        put_minutes(c, track, f->minutes, signal->member, function_until(c, f));
}

static void put_function(struct cells *c, const struct fn_cells *f, const bool *wants)
{
    const struct subject subject = {SCOPE_FUNCTION, *f->fn};

    for (size_t i = 0; signals[i].name; i++) {
        if (!wants[i] || !signal_is_of(&signals[i], f->fn))
            continue;
        if (signals[i].from == FROM_CELLS)
            put_cells(c, f, &signals[i]);
        if (signals[i].from == FROM_CONFIG && signals[i].member == CONFIG_MEMORY &&
            f->memory_bytes > 0) {
            const struct sample s = {.value = (int64_t)f->memory_bytes};
            track_put(c->tracks, tracks_add(c->tracks, &signals[i], &subject), &s);
        }
    }
}

/* The functions of one account and region together. */
static void put_regions(struct cells *c, const struct signal_info *signal)
{
    for (size_t i = 0; i < c->n; i++) {
        struct subject subject = {SCOPE_REGION, *c->rows[i].fn};
        subject.of.name = (struct str){0};
        if (!signal_is_of(signal, &subject.of) || tracks_find(c->tracks, signal, &subject))
            continue;
        struct cell *sum = arena_new(c->tracks->arena, struct cell, c->n_minutes);
        for (size_t k = i; k < c->n; k++) {
            struct fn_ref of = *c->rows[k].fn;
            of.name = (struct str){0};
            if (!fn_eq(&of, &subject.of))
                continue;
            for (size_t m = 0; m < c->n_minutes; m++)
                sum[m].member[signal->member] += c->rows[k].minutes[m].member[signal->member];
        }
        put_minutes(c, tracks_add(c->tracks, signal, &subject), sum, signal->member,
                    region_until(c, &subject.of));
    }
}

static bool wants_cells(const bool *wants)
{
    for (size_t i = 0; signals[i].name; i++)
        if (wants[i] && signals[i].from != FROM_POINTS && signals[i].from != FROM_SOURCES)
            return true;
    return false;
}

enum status cells_load(struct tracks *t, struct store *s, const bool *wants, struct err *e)
{
    const int64_t span_ns = t->range.until_ns - t->range.since_ns;
    struct cells c = {.tracks = t, .n_minutes = (size_t)((span_ns + NS_PER_MIN - 1) / NS_PER_MIN)};
    const struct inv_request q = {.range = t->range};

    if (!wants_cells(wants))
        return OK;
    enum status status = request_scan(s, &q, add_invocation, &c, e);
    for (size_t i = 0; status == OK && i < c.n; i++)
        put_function(&c, &c.rows[i], wants);
    for (size_t i = 0; status == OK && signals[i].name; i++)
        if (wants[i] && signals[i].from == FROM_ALL_CELLS)
            put_regions(&c, &signals[i]);
    idmap_clear(&c.by_fn);
    return status;
}
