/* Who is kept ready without having run: the memory size is that of the nearest attempt the store
 * has. Reads the store only where a rule keeps something. */
#include <stdlib.h>

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

static bool is_ruled(const struct cost_context *c, const struct fn_ref *fn)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (keeps(&c->rules[i]) && str_glob(c->rules[i].name_glob, fn->name))
            return true;
    return false;
}

static void meet(const struct cost_context *c, const struct fn_row *row, bool *is_met)
{
    for (size_t i = 0; row->stats.memory_size_bytes > 0 && i < c->n_rules; i++)
        is_met[i] = is_met[i] || str_glob(c->rules[i].name_glob, row->fn.name);
}

static void add_row(struct fn_rows *rows, const struct fn_ref *fn, uint32_t fn_id, struct arena *a)
{
    struct fn_row *row = &rows->rows[rows->n++];

    *row = (struct fn_row){.fn = *fn_copy(a, fn), .fn_id = fn_id};
}

/* Functions that pass the filter and of which a rule or a collector says that something is kept, in
 * the order of their names. */
static enum status find_ruled(struct store *s, const struct standing_idle_request *q,
                              const struct kept_counts *counts, struct arena *a, struct fn_ids *out,
                              struct err *e)
{
    AUTO(arena_clear) struct arena one = {0};
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    size_t n = 0;

    if (request_fn_ids(s, all, q->filter, a, out, e) != OK)
        return err_wrap(e, "functions kept ready");
    for (size_t i = 0; i < out->n; i++) {
        arena_reset(&one);
        const struct fn_ref fn = store_fn_in(s, out->ids[i], &one);
        if (is_ruled(q->cost, &fn) || kept_counts_of(counts, &fn).n > 0)
            out->ids[n++] = out->ids[i];
    }
    out->n = n;
    return OK;
}

/* Those of them that ran. */
struct ran {
    const struct standing_idle_request *request;
    struct standing_idle *idle;
    struct arena *arena;
    struct idmap ids;
    struct kept_counts counts;
    struct fn_rows sized; /* that are kept, with a memory size in their sums */
};

static void ran_clear(struct ran *r)
{
    idmap_clear(&r->ids);
    kept_counts_clear(&r->counts);
}

static bool is_kept(const struct ran *r, const struct fn_ref *fn)
{
    return standing_is_kept(r->request->cost, fn) || kept_counts_of(&r->counts, fn).n > 0;
}

static enum status on_ran(void *ctx, const struct fn_row *row, struct err *e)
{
    struct ran *r = ctx;

    UNUSED(e);
    *idmap_put(&r->ids, row->fn_id, NULL) = 1;
    meet(r->request->cost, row, r->idle->is_met);
    if (!is_kept(r, &row->fn))
        return OK;
    struct fn_rows *to = row->stats.memory_size_bytes > 0 ? &r->sized : &r->idle->sizeless;
    add_row(to, &row->fn, row->fn_id, r->arena);
    struct stats *sums = &to->rows[to->n - 1].stats;
    to->rows[to->n - 1].kept = kept_counts_of(&r->counts, &row->fn);
    *sums = row->stats;
    sums->duration = sums->init = (struct histogram){0};
    return OK;
}

static void add_idle(struct store *s, const struct ran *r, const struct fn_ids *ruled)
{
    AUTO(arena_clear) struct arena one = {0};

    for (size_t i = 0; i < ruled->n; i++) {
        arena_reset(&one);
        const struct fn_ref fn = store_fn_in(s, ruled->ids[i], &one);
        if (idmap_get(&r->ids, ruled->ids[i]) || !is_kept(r, &fn))
            continue;
        add_row(&r->idle->rows, &fn, ruled->ids[i], r->arena);
        r->idle->rows.rows[r->idle->rows.n - 1].kept = kept_counts_of(&r->counts, &fn);
    }
}

static void take_sizes(struct fn_rows *rows, const struct fn_size *sizes)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct stats *sums = &rows->rows[i].stats;
        sums->memory_size_bytes = sizes[i].memory_bytes;
        if (sums->n == 0) /* nothing was billed: the share of arm64 is that one's */
            sums->mb_ms_arm = sizes[i].arch == ARCH_ARM64;
    }
}

/* All are looked for at once. */
static enum status add_sizes(struct store *s, struct range r, struct standing_idle *idle,
                             struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const size_t n_ran = idle->sizeless.n, n = n_ran + idle->rows.n;
    struct fn_size *sizes = arena_new(&a, struct fn_size, n + 1);

    for (size_t i = 0; i < n; i++)
        sizes[i].fn_id =
            i < n_ran ? idle->sizeless.rows[i].fn_id : idle->rows.rows[i - n_ran].fn_id;
    if (request_sizes_near(s, r, sizes, n, e) != OK)
        return err_wrap(e, "memory sizes of functions kept ready");
    take_sizes(&idle->sizeless, sizes);
    take_sizes(&idle->rows, sizes + n_ran);
    return OK;
}

static int compare_ids(const void *a, const void *b)
{
    const struct fn_row *x = a, *y = b;

    return (x->fn_id > y->fn_id) - (x->fn_id < y->fn_id);
}

static void sort_by_id(struct fn_rows *rows)
{
    if (rows->n > 1)
        qsort(rows->rows, rows->n, sizeof(*rows->rows), compare_ids);
}

static const struct fn_row *find_by_id(const struct fn_rows *rows, const struct fn_row *like)
{
    return rows->n > 0 ? bsearch(like, rows->rows, rows->n, sizeof(*rows->rows), compare_ids)
                       : NULL;
}

void standing_complete(const struct standing_idle *idle, struct fn_row *row)
{
    const struct fn_row *changing = find_by_id(&idle->changing, row);
    const struct fn_row *sizeless = find_by_id(&idle->sizeless, row);

    if (changing) {
        row->sizes = changing->sizes;
        row->kept = changing->kept;
    }
    if (!sizeless)
        return;
    row->kept = sizeless->kept;
    row->stats.memory_size_bytes = sizeless->stats.memory_size_bytes;
    if (row->stats.n == 0)
        row->stats.mb_ms_arm = sizeless->stats.mb_ms_arm;
}

/* Those of several sizes, or of which a collector read how much is kept. */
static enum status find_changing(struct store *s, const struct ran *r, struct err *e)
{
    const struct standing_sizes_request q = {r->request->cost, r->request->range,
                                             r->request->filter, r->sized.rows, r->sized.n};
    struct fn_rows *to = &r->idle->changing;

    if (standing_sizes_load(s, &q, r->arena, e) != OK)
        return e->code;
    *to = r->sized;
    to->n = 0;
    for (size_t i = 0; i < r->sized.n; i++)
        if (r->sized.rows[i].sizes.n > 0 || r->sized.rows[i].kept.n > 0)
            to->rows[to->n++] = r->sized.rows[i];
    return OK;
}

static void meet_all(const struct cost_context *c, const struct fn_rows *rows, bool *is_met)
{
    for (size_t i = 0; i < rows->n; i++)
        meet(c, &rows->rows[i], is_met);
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

static void settle(const struct cost_context *c, struct standing_idle *idle)
{
    keep_sized(&idle->rows);
    meet_all(c, &idle->rows, idle->is_met);
    meet_all(c, &idle->sizeless, idle->is_met);
    sort_by_id(&idle->sizeless);
    sort_by_id(&idle->changing);
    for (size_t i = 0; i < c->n_rules; i++)
        idle->n_unmet += keeps(&c->rules[i]) && !idle->is_met[i];
}

enum status standing_idle_load(struct store *s, const struct standing_idle_request *q,
                               struct arena *a, struct standing_idle *out, struct err *e)
{
    AUTO(arena_clear) struct arena own = {0};
    struct standing_idle idle = {.is_met = arena_new(a, bool, q->cost->n_rules + 1)};
    AUTO(ran_clear) struct ran ran = {.request = q, .idle = &idle, .arena = a};
    struct each_fn_request each = {.range = q->range};

    *out = idle;
    if (kept_counts_load(s, q->range, q->filter, a, &ran.counts, e) != OK)
        return e->code;
    if (!any_keeps(q->cost) && ran.counts.index.count == 0)
        return OK;
    if (find_ruled(s, q, &ran.counts, &own, &each.fns, e) != OK)
        return e->code;
    idle.rows.rows = arena_new(a, struct fn_row, each.fns.n + 1);
    idle.sizeless.rows = arena_new(a, struct fn_row, each.fns.n + 1);
    ran.sized.rows = arena_new(a, struct fn_row, each.fns.n + 1);
    if (request_each_function(s, &each, on_ran, &ran, e) != OK)
        return err_wrap(e, "functions kept ready");
    add_idle(s, &ran, &each.fns);
    if (find_changing(s, &ran, e) != OK || add_sizes(s, q->range, &idle, e) != OK)
        return e->code;
    settle(q->cost, &idle);
    *out = idle;
    return OK;
}
