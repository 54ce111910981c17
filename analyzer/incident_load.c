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
    struct incident_hour *hours;
    size_t n, cap;
};

struct histories {
    struct arena *arena;
    struct idmap index;
    struct history *rows;
    size_t n, cap;
};

static struct history *history_of(struct histories *h, uint32_t fn_id)
{
    bool is_new;
    uint64_t *at = idmap_put(&h->index, fn_id, &is_new);

    if (is_new) {
        *at = h->n;
        h->rows = arena_grow(h->arena, h->rows, h->n, &h->cap, sizeof(*h->rows));
        h->rows[h->n++] = (struct history){.fn_id = fn_id};
    }
    return &h->rows[*at];
}

/* Hours in which nothing failed are kept only as attempts: they cannot begin or join a stretch. */
static enum status on_hour(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *s,
                           struct err *e)
{
    struct histories *all = ctx;
    struct history *h = history_of(all, fn_id);
    struct incident_hour *hour;

    UNUSED(e);
    h->hours = arena_grow(all->arena, h->hours, h->n, &h->cap, sizeof(*h->hours));
    hour = &h->hours[h->n++];
    *hour = (struct incident_hour){.hour_ns = hour_ns,
                                   .n = s->n,
                                   .retries = s->retries,
                                   .cost_failed = s->cost_failed,
                                   .memory_bytes = s->memory_size_bytes};
    for (int o = 0; o < OUTCOMES; o++)
        hour->outcome[o] = s->outcome[o];
    hour->failed = s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];
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

/* The version that ran last before the incident. */
static enum status find_version_before(struct store *s, struct incident *i, struct arena *a,
                                       struct err *e)
{
    struct inv_request q = {.range = {i->since_ns - NS_PER_DAY, i->since_ns},
                            .fn_id = i->fn_id,
                            .outcome_mask = 1u << OUTCOME_OK,
                            .order = INV_NEWEST,
                            .limit = 1};
    struct inv_rows rows;

    if (request_invocations(s, &q, a, &rows, e) != OK)
        return err_wrap(e, "incident");
    if (rows.n > 0 && rows.rows[0].version.n > 0 && i->version.n > 0 &&
        !str_eq(rows.rows[0].version, i->version)) {
        i->version_before = rows.rows[0].version;
        i->kind = i->kind == INCIDENT_FAILURES ? INCIDENT_BAD_DEPLOY : i->kind;
    }
    return OK;
}

/* Growth from use to use: the mean of the later half against the earlier, half the uses apart.
 * Noise evens out; below a tenth of the memory there is none to speak of. */
static int64_t growth(const struct inv_rows *rows, uint64_t memory_bytes)
{
    size_t half = rows->n / 2;
    int64_t early = 0, late = 0;

    if (rows->n < LEAST_USES)
        return 0;
    for (size_t k = 0; k < half; k++) {
        early += (int64_t)(rows->rows[k].max_memory_bytes / half);
        late += (int64_t)(rows->rows[rows->n - 1 - k].max_memory_bytes / half);
    }
    return (late - early) * 10 > (int64_t)memory_bytes ? (late - early) / (int64_t)(rows->n - half)
                                                       : 0;
}

/* The environments of some attempts that ran out of memory; the longest life tells most. */
static enum status measure_leak(struct store *s, struct incident *i, const struct inv_rows *hits,
                                struct arena *a, struct err *e)
{
    size_t step = hits->n / LIVES_READ + 1, longest = 0;

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
        if (uses.n <= longest)
            continue;
        longest = uses.n;
        i->leak_bytes = growth(&uses, i->memory_bytes);
    }
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

/* The attempt in the middle stands for the rest. */
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
    i->error_type = middle->error_type;
    i->sample_id = middle->id;
    i->version = middle->version;
    i->since_ns = rows.rows[0].start_ns;
    i->until_ns = rows.rows[rows.n - 1].start_ns;
    enum status status = rows.is_more ? find_end(s, i, q, a, e) : OK;
    if (status == OK)
        status = i->kind == INCIDENT_MEMORY ? measure_leak(s, i, &rows, a, e)
                                            : find_version_before(s, i, a, e);
    if (status == OK && i->kind == INCIDENT_BAD_DEPLOY)
        narrow_to_version(i, &rows);
    return status;
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
