/* The incidents of a range: hours from the store, then for the worst ones what single attempts
 * tell: when exactly, which version, which error, whether memory leaks. */
#include <stdlib.h>

#include "analyzer/analyzer.h"
#include "core/base/map.h"
#include "core/base/timefmt.h"
#include "core/store/store.h"

#define MOST_SHOWN    ((size_t)20)
#define ATTEMPTS_READ ((size_t)2000)
#define USES_READ     ((size_t)200)
#define LIVES_READ    ((size_t)5)
#define LEAST_USES    ((size_t)4) /* fewer uses of an environment tell no trend */

struct history {
    uint32_t fn_id;
    struct incident_hour *hours; /* from the first one on in which something failed */
    size_t n, cap;
};

/* A value of the index: attempts before the first that failed, or a place among the rows. */
#define HAS_FAILED (UINT64_C(1) << 63)

struct histories {
    struct arena *arena;
    struct idmap index;
    struct history *rows; /* of functions of which something failed: most never fail */
    size_t n, cap;
};

static struct incident_hour *add_hour(struct histories *all, struct history *h)
{
    h->hours = arena_grow(all->arena, h->hours, h->n, &h->cap, sizeof(*h->hours));
    return &h->hours[h->n++];
}

/* Attempts before the first failure are one hour. */
static void begin_history(struct histories *all, uint32_t fn_id, uint64_t quiet, int64_t hour_ns)
{
    all->rows = arena_grow(all->arena, all->rows, all->n, &all->cap, sizeof(*all->rows));
    struct history *h = &all->rows[all->n++];

    *h = (struct history){.fn_id = fn_id};
    if (quiet > 0)
        *add_hour(all, h) = (struct incident_hour){.hour_ns = hour_ns - NS_PER_HOUR, .n = quiet};
}

/* Hours in which nothing failed are kept only as attempts: they cannot begin or join a stretch. */
static enum status on_hour(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *s,
                           struct err *e)
{
    struct histories *all = ctx;
    uint64_t *known = idmap_put(&all->index, fn_id, NULL);
    uint64_t failed = s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];

    UNUSED(e);
    if ((*known & HAS_FAILED) == 0 && failed == 0) {
        *known += s->n;
        return OK;
    }
    if ((*known & HAS_FAILED) == 0) {
        begin_history(all, fn_id, *known, hour_ns);
        *known = HAS_FAILED | (all->n - 1);
    }
    struct incident_hour *hour = add_hour(all, &all->rows[*known & ~HAS_FAILED]);
    *hour = (struct incident_hour){.hour_ns = hour_ns,
                                   .n = s->n,
                                   .retries = s->retries,
                                   .cost_failed = s->cost_failed,
                                   .memory_bytes = s->memory_size_bytes};
    for (int o = 0; o < OUTCOMES; o++)
        hour->outcome[o] = s->outcome[o];
    hour->failed = failed;
    return OK;
}

/* --- what attempts tell --- */

static uint32_t failed_mask(enum incident_kind k)
{
    if (k == INCIDENT_MEMORY)
        return 1u << OUTCOME_OOM;
    return 1u << OUTCOME_ERROR | 1u << OUTCOME_TIMEOUT | 1u << OUTCOME_INIT_ERROR |
           1u << OUTCOME_THROTTLED;
}

/* What ran in the time before an incident that one version failed in. */
struct before {
    const struct incident *incident;
    struct arena *arena;
    struct str other; /* the version that ran last, but for the one that failed */
    int64_t other_ns;
};

static enum status on_attempt_before(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                     struct err *e)
{
    struct before *b = ctx;

    UNUSED(fn_id), UNUSED(e);
    if (inv->version.n == 0 || str_eq(inv->version, b->incident->version) ||
        inv->start_ns < b->other_ns)
        return OK;
    if (!str_eq(inv->version, b->other))
        b->other = arena_str(b->arena, inv->version);
    b->other_ns = inv->start_ns;
    return OK;
}

/* A version is deployed when it was not among the attempts before the window. */
static enum status look_further_back(struct store *s, int64_t until_ns, struct before *b,
                                     bool *is_deployed, struct err *e)
{
    const struct inv_request q = {.range = {until_ns - NS_PER_DAY, until_ns},
                                  .fn_id = b->incident->fn_id,
                                  .order = INV_NEWEST,
                                  .limit = USES_READ};
    struct inv_rows rows;

    if (request_invocations(s, &q, b->arena, &rows, e) != OK)
        return err_wrap(e, "incident");
    *is_deployed = true;
    for (size_t k = 0; k < rows.n; k++) {
        *is_deployed = *is_deployed && !str_eq(rows.rows[k].version, b->incident->version);
        (void)on_attempt_before(b, 0, &rows.rows[k], e);
    }
    return OK;
}

/* The version that ran before the one that failed, if that one was new: its first attempts may well
 * have ended OK. */
static enum status find_version_before(struct store *s, struct incident *i, struct arena *a,
                                       struct err *e)
{
    const int64_t window_ns = i->since_ns - DEPLOY_WINDOW_MIN * NS_PER_MIN;
    const struct inv_request q = {.range = {window_ns, i->since_ns}, .fn_id = i->fn_id};
    struct before before = {.incident = i, .arena = a};
    bool is_deployed = false;

    if (i->version.n == 0)
        return OK;
    if (request_scan(s, &q, on_attempt_before, &before, e) != OK)
        return err_wrap(e, "incident");
    if (look_further_back(s, window_ns, &before, &is_deployed, e) != OK)
        return e->code;
    if (is_deployed && before.other.n > 0) {
        i->version_before = before.other;
        i->kind = i->kind == INCIDENT_FAILURES ? INCIDENT_BAD_DEPLOY : i->kind;
    }
    return OK;
}

/* Environments of one function: what their memory did from use to use. */
struct lives {
    size_t longest;
    int64_t growth;          /* of the longest one, a use */
    int64_t rises, variance; /* Mann-Kendall's S and 18 x its variance, summed over the lives */
};

/* Growth from use to use: the mean of the later half against the earlier, half the uses apart. */
static int64_t growth(const struct invocation *uses, size_t n)
{
    size_t half = n / 2;
    int64_t early = 0, late = 0;

    for (size_t k = 0; k < half; k++) {
        early += (int64_t)(uses[k].max_memory_bytes / half);
        late += (int64_t)(uses[n - 1 - k].max_memory_bytes / half);
    }
    return (late - early) / (int64_t)(n - half);
}

/* Pairs of uses in which the later one used more, less those in which it used less. */
static int64_t rises_of(const struct invocation *uses, size_t n)
{
    int64_t rises = 0;

    for (size_t k = 0; k < n; k++)
        for (size_t m = k + 1; m < n; m++)
            rises += (uses[m].max_memory_bytes > uses[k].max_memory_bytes) -
                     (uses[m].max_memory_bytes < uses[k].max_memory_bytes);
    return rises;
}

static void add_life(struct lives *l, const struct invocation *uses, size_t n)
{
    const int64_t count = (int64_t)n;

    if (n < LEAST_USES)
        return;
    l->rises += rises_of(uses, n);
    l->variance += count * (count - 1) * (2 * count + 5);
    if (n > l->longest) {
        l->longest = n;
        l->growth = growth(uses, n);
    }
}

/* Uses that differ by chance rise as often as they fall: three standard deviations are no chance.
 * Growth that does not add up to a tenth of the memory is none to speak of. */
static bool is_leak(const struct lives *l, uint64_t memory_bytes)
{
    return l->rises > 0 && l->rises * l->rises * 18 > 9 * l->variance &&
           l->growth * (int64_t)l->longest * 5 > (int64_t)memory_bytes;
}

/* The environments of some attempts that ran out of memory; the longest life tells how much. */
static enum status measure_leak(struct store *s, struct incident *i, const struct inv_rows *hits,
                                struct arena *a, struct err *e)
{
    size_t step = hits->n / LIVES_READ + 1;
    struct lives lives = {0};

    for (size_t k = 0; k < hits->n; k += step) {
        struct inv_request q = {
            .range = {hits->rows[k].start_ns - NS_PER_DAY, hits->rows[k].start_ns + 1},
            .fn_id = i->fn_id,
            .instance = hits->rows[k].origin->instance,
            .order = INV_OLDEST,
            .limit = USES_READ};
        struct inv_rows uses;
        if (q.instance.n == 0)
            continue;
        if (request_invocations(s, &q, a, &uses, e) != OK)
            return err_wrap(e, "incident");
        /* The hit itself is the most there is: it was chosen for that and proves nothing. */
        add_life(&lives, uses.rows, uses.n > 0 && !uses.is_more ? uses.n - 1 : uses.n);
    }
    if (is_leak(&lives, i->memory_bytes))
        i->leak_bytes = lives.growth;
    return OK;
}

static enum status on_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                              struct err *e)
{
    struct incident *i = ctx;
    const bool is_failed = (1u << inv->outcome & failed_mask(i->kind)) != 0;

    UNUSED(fn_id), UNUSED(e);
    if (!str_eq(inv->version, i->version))
        return OK;
    i->n++;
    i->failed += is_failed;
    i->retries += inv->attempt > 1;
    i->cost_failed += is_failed ? inv->cost : 0;
    return OK;
}

/* A bad deploy is what one version did: sums do not tell versions apart. */
static enum status count_version(struct store *s, struct incident *i, struct err *e)
{
    const struct inv_request q = {.range = {i->since_ns, i->until_ns + 1}, .fn_id = i->fn_id};

    i->n = i->failed = i->retries = 0;
    i->cost_failed = 0;
    return request_scan(s, &q, on_attempt, i, e) == OK ? OK : err_wrap(e, "incident");
}

/* Hours gave the first idea; what is told is of the time that is told. */
static enum status count_attempts(struct store *s, struct incident *i, struct arena *a,
                                  struct err *e)
{
    const struct series_request q = {
        .range = {i->since_ns, i->until_ns + 1}, .step_ns = NS_PER_DAY, .fn_id = i->fn_id};
    struct series days;
    struct stats all = {0};

    if (i->kind == INCIDENT_BAD_DEPLOY)
        return count_version(s, i, e);
    if (request_series(s, &q, a, &days, e) != OK)
        return err_wrap(e, "incident");
    for (size_t k = 0; k < days.n; k++)
        stats_merge(&all, &days.points[k]);
    const uint64_t out_of_memory = all.outcome[OUTCOME_OOM];
    const uint64_t failed = all.n - all.outcome[OUTCOME_OK] - all.outcome[OUTCOME_UNKNOWN];
    i->n = all.n;
    i->failed = i->kind == INCIDENT_MEMORY ? out_of_memory : failed - out_of_memory;
    i->retries = all.retries;
    i->cost_failed = all.cost_failed;
    stats_clear(&all);
    return OK;
}

/* A bad deploy is what its version did: stray errors of the version before, in the same hour, are
 * not of it. */
static void narrow_to_version(struct incident *i, const struct inv_rows *rows)
{
    size_t first = 0, last = rows->n - 1;

    while (first < last && !str_eq(rows->rows[first].version, i->version))
        first++;
    while (last > first && !str_eq(rows->rows[last].version, i->version))
        last--;
    i->since_ns = rows->rows[first].start_ns;
    if (!rows->is_more)
        i->until_ns = rows->rows[last].start_ns;
}

/* The last failed attempt, where there are more than were read. */
static enum status find_end(struct store *s, struct incident *i, struct inv_request q,
                            struct arena *a, struct err *e)
{
    struct inv_rows rows;

    q.order = INV_NEWEST;
    q.limit = 1;
    if (request_invocations(s, &q, a, &rows, e) != OK)
        return err_wrap(e, "incident");
    if (rows.n > 0)
        i->until_ns = rows.rows[0].start_ns;
    return OK;
}

static bool is_of_incident(const struct incident *i, const struct invocation *inv)
{
    return i->kind != INCIDENT_BAD_DEPLOY || str_eq(inv->version, i->version);
}

/* The type of error that most have; of those that as many have, that of the attempt nearest behind
 * the middle, as is the sample. */
static void count_types(struct incident *i, const struct inv_rows *rows)
{
    AUTO(map_clear) struct map types = {0};

    map_init(&types);
    for (size_t k = 0; k < rows->n; k++) {
        if (!is_of_incident(i, &rows->rows[k]))
            continue;
        i->looked_at++;
        *map_put(&types, rows->rows[k].error_type, NULL) += 1;
    }
    i->n_types = types.count;
    for (size_t k = 0; k < rows->n; k++) {
        const struct invocation *inv = &rows->rows[(rows->n / 2 + k) % rows->n];
        if (!is_of_incident(i, inv) || *map_put(&types, inv->error_type, NULL) <= i->of_type)
            continue;
        i->of_type = *map_put(&types, inv->error_type, NULL);
        i->error_type = inv->error_type;
        i->sample_id = inv->id;
    }
}

/* The attempt in the middle tells the version. */
static enum status look_at_attempts(struct store *s, struct incident *i, struct arena *a,
                                    struct err *e)
{
    struct inv_request q = {.range = {i->since_ns, i->until_ns},
                            .fn_id = i->fn_id,
                            .outcome_mask = failed_mask(i->kind),
                            .order = INV_OLDEST,
                            .limit = ATTEMPTS_READ};
    struct inv_rows rows;

    if (request_invocations(s, &q, a, &rows, e) != OK)
        return err_wrap(e, "incident");
    if (rows.n == 0)
        return OK;
    const struct invocation *middle = &rows.rows[rows.n / 2];
    i->version = middle->version;
    i->since_ns = rows.rows[0].start_ns;
    i->until_ns = rows.rows[rows.n - 1].start_ns;
    enum status status = rows.is_more ? find_end(s, i, q, a, e) : OK;
    if (status == OK)
        status = i->kind == INCIDENT_MEMORY ? measure_leak(s, i, &rows, a, e)
                                            : find_version_before(s, i, a, e);
    if (status == OK && i->kind == INCIDENT_BAD_DEPLOY)
        narrow_to_version(i, &rows);
    count_types(i, &rows);
    return status == OK ? count_attempts(s, i, a, e) : status;
}

/* --- together --- */

static int compare_incidents(const void *a, const void *b)
{
    const struct incident *x = a, *y = b;

    if (x->failed != y->failed)
        return x->failed > y->failed ? -1 : 1;
    if (x->since_ns != y->since_ns)
        return x->since_ns < y->since_ns ? -1 : 1;
    int c = str_cmp(x->fn.name, y->fn.name);
    if (c != 0)
        return c;
    return x->fn_id != y->fn_id ? (x->fn_id > y->fn_id) - (x->fn_id < y->fn_id)
                                : (x->kind > y->kind) - (x->kind < y->kind);
}

enum status incidents_load(struct store *s, const struct incident_request *q, struct arena *a,
                           struct incidents *out, struct err *e)
{
    struct histories all = {.arena = a};
    struct incidents found = {0};
    enum status status = request_hours(s, *q->range, q->fn, on_hour, &all, e);

    idmap_clear(&all.index);
    for (size_t i = 0; status == OK && i < all.n; i++)
        incidents_of_hours(store_fn(s, all.rows[i].fn_id), all.rows[i].fn_id, all.rows[i].hours,
                           all.rows[i].n, a, &found);
    if (found.n > 1)
        qsort(found.rows, found.n, sizeof(*found.rows), compare_incidents);
    size_t limit = q->limit > 0 ? q->limit : MOST_SHOWN;
    found.n = found.n > limit ? limit : found.n;
    for (size_t i = 0; status == OK && i < found.n; i++)
        status = look_at_attempts(s, &found.rows[i], a, e);
    if (status == OK)
        *out = found;
    return status;
}
