/* Who is kept ready without having run: the memory size is that of the nearest attempt the store
 * has. Reads the store only where a rule keeps something. */
#include "analyzer/cost.h"
#include "core/base/map.h"
#include "core/store/store.h"

static bool keeps(const struct fn_rule *r)
{
    return r->provisioned.n > 0 || r->snapshots.n > 0;
}

static bool any_keeps(const struct cost_context *c)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (keeps(&c->rules[i]))
            return true;
    return false;
}

static bool is_kept(const struct cost_context *c, const struct fn_ref *fn)
{
    const struct cost_facts f = cost_facts_of(c, fn, INT64_MAX, ARCH_UNKNOWN);

    return f.provisioned.n > 0 || f.snapshots.n > 0;
}

static bool has_memory(void *ctx, const struct invocation *inv)
{
    UNUSED(ctx);
    return inv->memory_bytes > 0;
}

/* The last one before the range, else the first one after it. */
static enum status find_nearest(struct store *s, uint32_t fn_id, struct range r, struct arena *a,
                                struct inv_rows *out, struct err *e)
{
    struct inv_request q = {.range = {INT64_MIN / 2, r.since_ns},
                            .fn_id = fn_id,
                            .test = has_memory,
                            .order = INV_NEWEST,
                            .limit = 1};
    const enum status status = request_invocations(s, &q, a, out, e);

    if (status != OK || out->n > 0)
        return status;
    q.range = (struct range){r.until_ns, INT64_MAX / 2};
    q.order = INV_OLDEST;
    return request_invocations(s, &q, a, out, e);
}

static enum status add_size(struct store *s, struct range r, struct arena *a, struct fn_row *row,
                            struct err *e)
{
    struct inv_rows near = {0};

    if (row->stats.memory_size_bytes > 0)
        return OK;
    if (find_nearest(s, row->fn_id, r, a, &near, e) != OK)
        return err_wrap(e, "the memory size of " STR_FMT, STR_ARG(row->fn.name));
    if (near.n == 0)
        return OK;
    row->stats.memory_size_bytes = near.rows[0].memory_bytes;
    if (row->stats.n == 0) /* nothing was billed: the share of arm64 is that one's */
        row->stats.mb_ms_arm = near.rows[0].arch == ARCH_ARM64;
    return OK;
}

static void meet(const struct cost_context *c, const struct fn_row *row, bool *is_met)
{
    for (size_t i = 0; row->stats.memory_size_bytes > 0 && i < c->n_rules; i++)
        is_met[i] = is_met[i] || str_glob(c->rules[i].name_glob, row->fn.name);
}

/* Those that ran come first; known is all of the store. */
static enum status find_idle(struct store *s, const struct standing_idle_request *q,
                             const struct fn_rows *known, struct arena *a,
                             struct standing_idle *out, struct err *e)
{
    AUTO(idmap_clear) struct idmap ran = {0};

    for (size_t i = 0; i < q->ran->n; i++) {
        struct fn_row *row = &q->ran->rows[i];
        *idmap_put(&ran, row->fn_id, NULL) = i;
        if (is_kept(q->cost, &row->fn) && add_size(s, q->range, a, row, e) != OK)
            return e->code;
        meet(q->cost, row, out->is_met);
    }
    for (size_t i = 0; i < known->n; i++) {
        struct fn_row row = known->rows[i];
        if (idmap_get(&ran, row.fn_id) || !fn_filter_passes(q->filter, &row.fn) ||
            !is_kept(q->cost, &row.fn))
            continue;
        if (add_size(s, q->range, a, &row, e) != OK)
            return e->code;
        meet(q->cost, &row, out->is_met);
        if (row.stats.memory_size_bytes > 0)
            out->rows.rows[out->rows.n++] = row;
    }
    return OK;
}

static void find_unmet(const struct cost_context *c, struct standing_idle *out)
{
    for (size_t i = 0; i < c->n_rules; i++)
        out->n_unmet += keeps(&c->rules[i]) && !out->is_met[i];
}

enum status standing_idle_load(struct store *s, const struct standing_idle_request *q,
                               struct arena *a, struct standing_idle *out, struct err *e)
{
    struct standing_idle idle = {.is_met = arena_new(a, bool, q->cost->n_rules + 1)};
    struct fn_rows known = {0};

    *out = idle;
    if (!any_keeps(q->cost))
        return OK;
    if (request_function_list(s, true, a, &known, e) != OK)
        return err_wrap(e, "functions kept ready");
    idle.rows.rows = arena_new(a, struct fn_row, known.n + 1);
    if (find_idle(s, q, &known, a, &idle, e) != OK)
        return e->code;
    find_unmet(q->cost, &idle);
    *out = idle;
    return OK;
}
