/* Which functions a range knows, and the sums of each: one by one, so that as many as there may be
 * take no room, or all at once. */
#include <stdlib.h>
#include <string.h>

#include "core/base/intern.h"
#include "core/base/mem.h"
#include "core/store/fact_store.h"

/* --- which functions --- */

/* Ascending, each once. */
struct fn_set {
    uint32_t *ids;
    size_t n, cap;
};

static void fn_set_clear(struct fn_set *set)
{
    free(set->ids);
    *set = (struct fn_set){0};
}

/* Both stay ascending; other is empty then. */
static void fn_set_merge(struct fn_set *set, struct fn_set *other)
{
    struct fn_set all = {.cap = set->n + other->n};
    size_t i = 0, k = 0;

    all.ids = xreallocarray(NULL, all.cap + 1, sizeof(*all.ids));
    while (i < set->n || k < other->n) {
        const bool is_own = k == other->n || (i < set->n && set->ids[i] <= other->ids[k]);
        k += is_own && k < other->n && set->ids[i] == other->ids[k];
        all.ids[all.n++] = is_own ? set->ids[i++] : other->ids[k++];
    }
    fn_set_clear(set);
    fn_set_clear(other);
    *set = all;
}

static enum status fns_of_day(struct day *d, struct range r, struct fn_set *set, struct err *e)
{
    int64_t base = d->number * NS_PER_DAY;
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        d->db, STR("select distinct fn from roll where slot between ? and ? order by fn"), &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, (r.since_ns - base) / NS_PER_HOUR);
    sql_bind_i64(st, 2, (r.until_ns - 1 - base) / NS_PER_HOUR);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        set->ids = mem_grow(set->ids, set->n, &set->cap, sizeof(*set->ids));
        set->ids[set->n++] = (uint32_t)sql_i64(st, 0);
    }
    sql_finalize(st);
    return s;
}

enum status fns_of_range(struct store *s, struct range r, struct arena *a, uint32_t **ids,
                         size_t *n, struct err *e)
{
    AUTO(fn_set_clear) struct fn_set set = {0}, of_day = {0};
    enum status status = store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct day *d;
        if (!range_meets_day(r, s->day_numbers[i]))
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = fns_of_day(d, range_of_day(r, s->day_numbers[i]), &of_day, e);
        fn_set_merge(&set, &of_day);
    }
    *n = set.n;
    *ids = arena_alloc(a, (set.n + 1) * sizeof(*set.ids));
    if (set.n > 0)
        memcpy(*ids, set.ids, set.n * sizeof(*set.ids));
    return status;
}

/* Leaves the ids that pass; only 0: any. Names of very many are not kept for it. */
size_t keep_passing(struct store *s, const struct fn_filter *f, uint32_t only, uint32_t *ids,
                    size_t n)
{
    AUTO(arena_clear) struct arena one = {0};
    const bool is_all = fn_filter_is_all(f);
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        arena_reset(&one);
        const struct fn_ref fn = is_all ? (struct fn_ref){0} : dim_fn_in(s, ids[i], &one);
        if ((only == 0 || ids[i] == only) && (is_all || fn_filter_passes(f, &fn)))
            ids[kept++] = ids[i];
    }
    return kept;
}

/* --- one function --- */

/* First or last start of a function in the whole store. */
static int64_t bound_of(struct store *s, uint32_t fn, bool is_first)
{
    for (size_t k = 0; k < s->n_day_numbers; k++) {
        size_t i = is_first ? k : s->n_day_numbers - 1 - k;
        struct day *d;
        struct range bounds;
        bool is_found = false;
        if (store_day(s, s->day_numbers[i], false, &d, NULL) == OK && d &&
            facts_bounds(d, fn, &is_found, &bounds, NULL) == OK && is_found)
            return is_first ? bounds.since_ns : bounds.until_ns;
    }
    return 0;
}

static struct str runtime_of(struct store *s, uint32_t fn, struct arena *a)
{
    struct str runtime = {0};
    struct sql_stmt *st;
    bool has_row = false;

    if (sql_prepare(s->meta, STR("select runtime from fn where id = ?"), &st, NULL) != OK)
        return runtime;
    sql_bind_i64(st, 1, fn);
    if (sql_step(st, &has_row, NULL) == OK && has_row && !sql_is_null(st, 0))
        runtime = arena_str(a, sql_str(st, 0));
    sql_finalize(st);
    return runtime;
}

/* What a pass over functions needs of the whole range. */
struct fn_pass {
    struct held_days held;
    struct idmap edges; /* a function: the place of what its pieces of hours hold */
    struct line_counts *counts;
    size_t n, cap;
    struct arena arena;
};

static void count_edge_line(void *ctx, int64_t time_ns, uint32_t fn, const struct line_counts *add)
{
    struct fn_pass *p = ctx;
    bool is_new;
    uint64_t *place = idmap_put(&p->edges, fn, &is_new);

    UNUSED(time_ns);
    if (is_new) {
        p->counts = arena_grow(&p->arena, p->counts, p->n, &p->cap, sizeof(*p->counts));
        p->counts[p->n] = (struct line_counts){0};
        *place = p->n++;
    }
    struct line_counts *c = &p->counts[*place];
    c->lines += add->lines;
    c->bytes += add->bytes;
    c->errors += add->errors;
}

static void pass_clear(struct fn_pass *p)
{
    idmap_clear(&p->edges);
    arena_clear(&p->arena);
}

static enum status pass_begin(struct fn_pass *p, struct store *s, struct range r, uint32_t only,
                              struct err *e)
{
    static const struct fn_filter any = {0};
    const struct count_request lines = {.range = r, .fn_id = only, .filter = &any};
    enum status status = store_scan_days(s, e);

    if (status == OK)
        status = find_held_days(s, r, &p->arena, &p->held, e);
    return status == OK ? count_edges(&p->held, &lines, count_edge_line, p, e) : status;
}

/* The row, or none where nothing of the function lies in the range; all of it in the arena. */
static enum status fill_row(const struct fn_pass *p, uint32_t fn, struct arena *a,
                            struct fn_row *row, bool *is_there, struct err *e)
{
    struct store *s = p->held.store;
    const uint64_t *edge = idmap_get(&p->edges, fn);

    *row = (struct fn_row){.fn_id = fn};
    enum status status = add_sums(&p->held, fn, &row->stats, e);
    if (edge)
        add_counts(&row->stats, &p->counts[*edge]);
    stats_settle(&row->stats, a);
    *is_there = row->stats.n > 0 || row->stats.log_events > 0;
    if (status != OK || !*is_there)
        return status;
    row->fn = dim_fn_in(s, fn, a);
    row->arch = row->stats.n == 0          ? ARCH_UNKNOWN
                : row->stats.mb_ms_arm > 0 ? ARCH_ARM64
                                           : ARCH_X86_64;
    row->memory_bytes = row->stats.memory_size_bytes;
    row->runtime = runtime_of(s, fn, a);
    row->first_ns = bound_of(s, fn, true);
    row->last_ns = bound_of(s, fn, false);
    return OK;
}

/* --- in the order of their names --- */

struct named_fn {
    uint32_t id;
    enum provider provider;
    struct str account, region, name;
};

static int compare_names(const void *a, const void *b)
{
    const struct named_fn *x = a, *y = b;
    int c;

    if (x->provider != y->provider)
        return x->provider < y->provider ? -1 : 1;
    if ((c = str_cmp(x->account, y->account)) != 0 || (c = str_cmp(x->region, y->region)) != 0)
        return c;
    return str_cmp(x->name, y->name);
}

enum status request_fn_ids(struct store *s, struct range r, const struct fn_filter *f,
                           struct arena *a, struct fn_ids *out, struct err *e)
{
    AUTO(arena_clear) struct arena names = {0}, one = {0};
    AUTO(intern_clear) struct intern places = {0}; /* few, of very many functions */
    uint32_t *ids = NULL;
    size_t n = 0, kept = 0;
    enum status status = s->is_null ? OK : fns_of_range(s, r, &names, &ids, &n, e);

    *out = (struct fn_ids){0};
    if (status != OK)
        return status;
    struct named_fn *fns = arena_new(&names, struct named_fn, n + 1);
    for (size_t i = 0; i < n; i++) {
        arena_reset(&one);
        const struct fn_ref fn = dim_fn_in(s, ids[i], &one);
        if (!fn_filter_passes(f, &fn))
            continue;
        fns[kept++] = (struct named_fn){ids[i], fn.provider, intern_str(&places, fn.account),
                                        intern_str(&places, fn.region), arena_str(&names, fn.name)};
    }
    if (kept > 1)
        qsort(fns, kept, sizeof(*fns), compare_names);
    out->ids = arena_new(a, uint32_t, kept + 1);
    for (size_t i = 0; i < kept; i++)
        out->ids[i] = fns[i].id;
    out->n = kept;
    return OK;
}

/* --- their sums --- */

enum status request_each_function(struct store *s, const struct each_fn_request *q, fn_row_fn *fn,
                                  void *ctx, struct err *e)
{
    AUTO(pass_clear) struct fn_pass p = {0};
    AUTO(arena_clear) struct arena one = {0};
    const uint32_t only = q->fns.n == 1 ? q->fns.ids[0] : 0;
    enum status status = s->is_null ? OK : pass_begin(&p, s, q->range, only, e);

    if (s->is_null || status != OK)
        return status;
    store_hold(s, q->range);
    for (size_t i = 0; status == OK && i < q->fns.n; i++) {
        struct fn_row row;
        bool is_there = false;
        if (!q->keep)
            arena_reset(&one);
        status = fill_row(&p, q->fns.ids[i], q->keep ? q->keep : &one, &row, &is_there, e);
        if (status == OK && is_there)
            status = fn(ctx, &row, e);
    }
    store_release(s);
    return status == ERR_CANCELLED ? OK : status;
}

static enum status give_pair(const struct fn_pass passes[2], uint32_t id, struct arena *one,
                             const struct fn_row *rows[2], struct err *e)
{
    enum status status = OK;

    arena_reset(one);
    for (int i = 0; status == OK && i < 2; i++) {
        struct fn_row *row = arena_new(one, struct fn_row, 1);
        bool is_there = false;
        if (passes[i].held.store)
            status = fill_row(&passes[i], id, one, row, &is_there, e);
        rows[i] = is_there ? row : NULL;
    }
    return status;
}

static enum status give_pairs(const struct fn_pass passes[2], const struct pair_request *q,
                              fn_pair_fn *fn, void *ctx, struct err *e)
{
    AUTO(arena_clear) struct arena one = {0};
    const struct fn_row *rows[2] = {NULL, NULL};
    enum status status = OK;

    for (size_t i = 0; status == OK && i < q->fns.n; i++) {
        status = give_pair(passes, q->fns.ids[i], &one, rows, e);
        if (status == OK && (rows[0] || rows[1]))
            status = fn(ctx, rows[0], rows[1], e);
    }
    return status == ERR_CANCELLED ? OK : status;
}

enum status request_each_pair(struct store *s, const struct pair_request *q, fn_pair_fn *fn,
                              void *ctx, struct err *e)
{
    struct fn_pass passes[2] = {0};
    const bool has_before = q->before.since_ns < q->before.until_ns;
    enum status status = s->is_null ? OK : pass_begin(&passes[0], s, q->range, 0, e);

    if (status == OK && has_before && !s->is_null)
        status = pass_begin(&passes[1], s, q->before, 0, e);
    if (status == OK && !s->is_null) {
        store_hold(s, (struct range){has_before ? q->before.since_ns : q->range.since_ns,
                                     q->range.until_ns});
        status = give_pairs(passes, q, fn, ctx, e);
        store_release(s);
    }
    pass_clear(&passes[0]);
    pass_clear(&passes[1]);
    return status;
}

static enum status keep_row(void *ctx, const struct fn_row *row, struct err *e)
{
    struct fn_rows *rows = ctx;

    UNUSED(e);
    rows->rows[rows->n++] = *row;
    return OK;
}

enum status request_functions(struct store *s, struct range r, const struct fn_filter *f,
                              struct arena *a, struct fn_rows *out, struct err *e)
{
    struct each_fn_request q = {.range = r, .keep = a};
    struct fn_rows rows = {0};
    enum status status = request_fn_ids(s, r, f, a, &q.fns, e);

    *out = rows;
    if (status != OK)
        return status;
    rows.rows = arena_new(a, struct fn_row, q.fns.n + 1);
    status = request_each_function(s, &q, keep_row, &rows, e);
    if (status == OK)
        *out = rows;
    return status;
}

enum status request_function_list(struct store *s, bool has_names, struct arena *a,
                                  struct fn_rows *out, struct err *e)
{
    static const struct fn_filter any = {0};
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    struct fn_ids fns = {0};
    enum status status = has_names || s->is_null ? request_fn_ids(s, all, &any, a, &fns, e)
                                                 : fns_of_range(s, all, a, &fns.ids, &fns.n, e);

    *out = (struct fn_rows){0};
    if (status != OK)
        return status;
    out->rows = arena_new(a, struct fn_row, fns.n + 1);
    out->n = fns.n;
    for (size_t i = 0; i < fns.n; i++) {
        out->rows[i].fn_id = fns.ids[i];
        if (has_names)
            out->rows[i].fn = *dim_fn(s, fns.ids[i]);
    }
    return OK;
}

/* --- places --- */

static enum status has_several(struct store *s, const char *what, bool *out, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const char *queues = schema_has(s->meta, "queue")
                             ? arena_printf(&a, " union all select %s from queue", what).p
                             : "";
    int64_t n = 0;
    const enum status status = sql_read_i64(
        s->meta,
        arena_printf(&a,
                     "select count(*) from (select distinct %s from (select %s from fn%s) limit 2)",
                     what, what, queues)
            .p,
        &n, e);

    *out = n > 1;
    return status;
}

enum status request_places(struct store *s, struct store_places *out, struct err *e)
{
    *out = (struct store_places){0};
    if (s->is_null)
        return OK;
    const enum status status = has_several(s, "account", &out->has_accounts, e);
    return status == OK ? has_several(s, "region", &out->has_regions, e) : status;
}

struct str store_places_name(const struct store_places *p, const struct fn_ref *of, struct arena *a)
{
    const struct str region = p->has_regions ? of->region : (struct str){0};
    const struct str account = p->has_accounts ? of->account : (struct str){0};

    return arena_printf(a, STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(of->name),
                        region.n > 0 ? " in " : "", STR_ARG(region), account.n > 0 ? " of " : "",
                        STR_ARG(account));
}
