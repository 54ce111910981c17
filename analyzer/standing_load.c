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

/* Rows without a memory size: all of them are looked for at once. */
struct sought {
    struct fn_row **rows;
    struct fn_size *sizes;
    size_t n;
};

static void seek(struct sought *w, struct fn_row *row)
{
    w->rows[w->n] = row;
    w->sizes[w->n++].fn_id = row->fn_id;
}

static enum status add_sizes(struct store *s, struct range r, const struct sought *w, struct err *e)
{
    if (request_sizes_near(s, r, w->sizes, w->n, e) != OK)
        return err_wrap(e, "memory sizes of functions kept ready");
    for (size_t i = 0; i < w->n; i++) {
        struct stats *sums = &w->rows[i]->stats;
        sums->memory_size_bytes = w->sizes[i].memory_bytes;
        if (sums->n == 0) /* nothing was billed: the share of arm64 is that one's */
            sums->mb_ms_arm = w->sizes[i].arch == ARCH_ARM64;
    }
    return OK;
}

static void meet(const struct cost_context *c, const struct fn_row *row, bool *is_met)
{
    for (size_t i = 0; row->stats.memory_size_bytes > 0 && i < c->n_rules; i++)
        is_met[i] = is_met[i] || str_glob(c->rules[i].name_glob, row->fn.name);
}

/* Of those that pass the filter; the ids in the arena, in the order of names. */
static enum status find_idle(struct store *s, const struct standing_idle_request *q,
                             const struct kept_counts *counts, struct arena *a, struct fn_ids *out,
                             struct err *e)
{
    AUTO(idmap_clear) struct idmap ran = {0};
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    size_t n = 0;

    for (size_t i = 0; i < q->ran->n; i++)
        *idmap_put(&ran, q->ran->rows[i].fn_id, NULL) = i;
    if (request_fn_ids(s, all, q->filter, a, out, e) != OK)
        return err_wrap(e, "functions kept ready");
    for (size_t i = 0; i < out->n; i++) {
        const struct fn_ref *fn = store_fn(s, out->ids[i]);
        if (!idmap_get(&ran, out->ids[i]) &&
            (standing_is_kept(q->cost, fn) || kept_counts_of(counts, fn).n > 0))
            out->ids[n++] = out->ids[i];
    }
    out->n = n;
    return OK;
}

static void seek_all(struct store *s, const struct standing_idle_request *q,
                     const struct fn_ids *idle, const struct kept_counts *counts,
                     struct fn_row *rows, struct sought *w)
{
    for (size_t i = 0; i < q->ran->n; i++) {
        struct fn_row *row = &q->ran->rows[i];
        if (row->stats.memory_size_bytes == 0 &&
            (row->kept.n > 0 || standing_is_kept(q->cost, &row->fn)))
            seek(w, row);
    }
    for (size_t i = 0; i < idle->n; i++) {
        rows[i] = (struct fn_row){.fn = *store_fn(s, idle->ids[i]), .fn_id = idle->ids[i]};
        rows[i].kept = kept_counts_of(counts, &rows[i].fn);
        seek(w, &rows[i]);
    }
}

static void meet_all(const struct standing_idle_request *q, struct standing_idle *out)
{
    for (size_t i = 0; i < q->ran->n; i++)
        meet(q->cost, &q->ran->rows[i], out->is_met);
    for (size_t i = 0; i < out->rows.n; i++)
        meet(q->cost, &out->rows.rows[i], out->is_met);
}

/* A function of unknown size is in no row. */
static void keep_sized(struct fn_rows *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].stats.memory_size_bytes > 0)
            rows->rows[n++] = rows->rows[i];
    rows->n = n;
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
    AUTO(arena_clear) struct arena own = {0};
    struct fn_ids ids = {0};

    *out = idle;
    const struct standing_sizes_request sizes = {q->cost, q->range, q->filter, q->ran->rows,
                                                 q->ran->n};
    AUTO(kept_counts_clear) struct kept_counts counts = {0};
    if (kept_counts_load(s, q->range, q->filter, a, &counts, e) != OK)
        return e->code;
    if (!any_keeps(q->cost) && counts.index.count == 0)
        return OK;
    if (standing_sizes_load(s, &sizes, a, e) != OK)
        return e->code;
    if (find_idle(s, q, &counts, &own, &ids, e) != OK)
        return e->code;
    const size_t most = q->ran->n + ids.n + 1;
    struct sought w = {arena_new(&own, struct fn_row *, most),
                       arena_new(&own, struct fn_size, most), 0};
    idle.rows = (struct fn_rows){arena_new(a, struct fn_row, ids.n + 1), ids.n};
    seek_all(s, q, &ids, &counts, idle.rows.rows, &w);
    if (add_sizes(s, q->range, &w, e) != OK)
        return e->code;
    keep_sized(&idle.rows);
    meet_all(q, &idle);
    find_unmet(q->cost, &idle);
    *out = idle;
    return OK;
}
