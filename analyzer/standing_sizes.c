/* The memory sizes functions had in a range and from when on, for what is kept ready of them. The
 * sums tell who had a single one all the time; only of the others the attempts are read. */
#include "analyzer/cost.h"
#include "core/base/clock.h"
#include "core/store/store.h"

enum { MOST_STEPS = 65536 };

struct walk {
    struct arena *arena;
    struct size_step *steps;
    size_t n, cap;
};

bool standing_is_kept(const struct cost_context *c, const struct fn_ref *fn)
{
    const struct cost_facts f = cost_facts_of(c, fn, INT64_MAX, ARCH_UNKNOWN);

    return f.provisioned.n > 0 || f.snapshots.n > 0;
}

static void add_step(struct walk *w, const struct size_step *step)
{
    struct size_step *last = w->n > 0 ? &w->steps[w->n - 1] : NULL;

    if (last && last->memory_bytes == step->memory_bytes && last->arch == step->arch)
        return;
    if (w->n == MOST_STEPS) {
        if (step->memory_bytes > last->memory_bytes)
            last->memory_bytes = step->memory_bytes;
        return;
    }
    w->steps = arena_grow(w->arena, w->steps, w->n, &w->cap, sizeof(*w->steps));
    w->steps[w->n++] = *step;
}

static enum status see_attempt(void *ctx, uint32_t fn_id, const struct invocation *inv,
                               struct err *e)
{
    const struct size_step step = {inv->start_ns, inv->memory_bytes, inv->arch};

    UNUSED(fn_id);
    UNUSED(e);
    if (inv->memory_bytes > 0)
        add_step(ctx, &step);
    return OK;
}

/* Of the sums, and of the attempt before them, if there is one. */
static bool has_one_size(const struct stats *s, const struct fn_size *before)
{
    const wide mb = (wide)(s->memory_size_bytes >> 20);
    const bool is_arm = s->mb_ms_arm > 0;

    if (s->mb_ms != mb * (s->sum_billed_ns / NS_PER_MS) || (is_arm && s->mb_ms_arm != s->mb_ms))
        return false;
    return before->memory_bytes == 0 ||
           (before->memory_bytes == s->memory_size_bytes && (before->arch == ARCH_ARM64) == is_arm);
}

static enum status load_steps(struct store *s, struct range r, struct fn_row *row,
                              const struct fn_size *before, struct walk *w, struct err *e)
{
    const struct inv_request q = {.range = r, .fn_id = row->fn_id};
    const struct size_step first = {INT64_MIN, before->memory_bytes, before->arch};

    if (has_one_size(&row->stats, before))
        return OK;
    if (before->memory_bytes > 0)
        add_step(w, &first);
    if (request_scan(s, &q, see_attempt, w, e) != OK)
        return err_wrap(e, "memory sizes of " STR_FMT, STR_ARG(row->fn.name));
    row->sizes = (struct size_steps){w->steps, w->n};
    return OK;
}

static bool is_kept_sized(const struct cost_context *c, const struct fn_row *row)
{
    return row->stats.memory_size_bytes > 0 && (row->kept.n > 0 || standing_is_kept(c, &row->fn));
}

static enum status load_counts(struct store *s, const struct standing_sizes_request *q,
                               struct arena *a, struct err *e)
{
    AUTO(kept_counts_clear) struct kept_counts counts = {0};

    if (kept_counts_load(s, q->range, q->filter, a, &counts, e) != OK)
        return e->code;
    for (size_t i = 0; i < q->n; i++)
        q->rows[i].kept = kept_counts_of(&counts, &q->rows[i].fn);
    return OK;
}

enum status standing_sizes_load(struct store *s, const struct standing_sizes_request *q,
                                struct arena *a, struct err *e)
{
    AUTO(arena_clear) struct arena own = {0};
    struct fn_row **kept = arena_new(&own, struct fn_row *, q->n + 1);
    struct fn_size *before = arena_new(&own, struct fn_size, q->n + 1);
    size_t n = 0;

    if (load_counts(s, q, a, e) != OK)
        return e->code;
    for (size_t i = 0; i < q->n; i++) {
        if (!is_kept_sized(q->cost, &q->rows[i]))
            continue;
        before[n] = (struct fn_size){.fn_id = q->rows[i].fn_id, .is_past = true};
        kept[n++] = &q->rows[i];
    }
    if (request_sizes_near(s, q->range, before, n, e) != OK)
        return err_wrap(e, "memory sizes of functions kept ready");
    for (size_t i = 0; i < n; i++) {
        struct walk w = {.arena = a};
        if (load_steps(s, q->range, kept[i], &before[i], &w, e) != OK)
            return e->code;
    }
    return OK;
}
