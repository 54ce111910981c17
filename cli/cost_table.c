/* Cost as a table by function, day, region, account or component (from roll-ups) and by
 * architecture, memory, version or outcome (from single invocations). Counts what is unpriced or
 * assumed and says what would help. Sums never mix currencies: one total a currency. */
#include "cli/cost_views.h"

#include <stdio.h>

#include "core/base/timefmt.h"

enum { MAX_KEY = 300 };

/* What a function's list cost of one calendar month came to on the bill. */
struct month_cost {
    wide list, effective;
};

/* What one function adds up to over the whole range. */
struct fn_cost {
    const struct fn_row *row;
    struct stats_cost list, effective;
    struct standing_cost standing;
    struct month_cost *months; /* NULL: no effective cost is asked for */
    bool lacks_plan;
};

struct view {
    struct cli *c;
    struct store *store;
    const struct cost_options *o;
    const struct cost_context *cc;
    struct range range;
    struct range *months; /* the range cut where calendar months begin */
    size_t n_months;
    struct fn_filter filter;
    struct fn_cost *fns;
    size_t n_fns;
    struct idmap fn_index; /* fn_id -> index into fns */
    struct map keys;       /* currency and key -> index into groups */
    struct cost_group *groups;
    size_t n_groups, cap_groups;
    struct cost_sizes sizes;
    struct standing_tally standing;
};

static bool has_effective(const struct view *v)
{
    return v->o->free_tier || v->o->savings_plan != 0;
}

static struct cost_group *group_for(struct view *v, struct str key, struct str currency)
{
    AUTO(buf_clear) struct buf b = {.max = MAX_KEY};
    bool is_new = false;
    buf_addf(&b, STR_FMT "|" STR_FMT, STR_ARG(currency), STR_ARG(key));
    uint64_t *slot = map_put(&v->keys, arena_str(v->c->arena, buf_str(&b)), &is_new);
    if (is_new) {
        *slot = v->n_groups;
        v->groups =
            arena_grow(v->c->arena, v->groups, v->n_groups, &v->cap_groups, sizeof(*v->groups));
        v->groups[v->n_groups++] = (struct cost_group){
            .key = arena_str(v->c->arena, key), .currency = arena_str(v->c->arena, currency)};
    }
    return &v->groups[*slot];
}

static struct str or_unknown(struct str s)
{
    return s.n > 0 ? s : STR("unknown");
}

static struct fn_cost *fn_cost_of(const struct view *v, uint32_t fn_id)
{
    const uint64_t *at = idmap_get(&v->fn_index, fn_id);
    return at != NULL ? &v->fns[*at] : NULL;
}

/* list x effective / list of the function's month: how a part of it is discounted. */
static wide discount(const struct view *v, uint32_t fn_id, int64_t at_ns, wide cost)
{
    const struct fn_cost *f = fn_cost_of(v, fn_id);
    wide product = 0;
    size_t m = 0;

    if (f == NULL || f->months == NULL)
        return cost;
    while (m + 1 < v->n_months && at_ns >= v->months[m].until_ns)
        m++;
    if (f->months[m].list <= 0 || wide_mul(cost, f->months[m].effective, &product, NULL) != OK)
        return cost;
    return wide_div_round(product, f->months[m].list);
}

static int64_t price_time(struct range r, const struct fn_row *row)
{
    return row->last_ns > 0 && row->last_ns < r.until_ns ? row->last_ns : r.until_ns - 1;
}

static enum status kept_ready(const struct view *v, const struct fn_row *row, struct range r,
                              struct standing_cost *out, struct err *e)
{
    const struct standing_request q = {&row->fn,   &row->stats, r, clock_now(&v->c->clock),
                                       row->sizes, row->kept};

    return cost_standing(v->cc, &q, out, e);
}

static enum status add_standing(struct view *v, struct fn_cost *f, struct err *e)
{
    if (kept_ready(v, f->row, v->range, &f->standing, e) != OK)
        return e->code;
    cost_standing_count(&v->standing, &f->row->fn, &f->standing);
    return OK;
}

/* What did not run costs nothing but what is kept ready of it. */
static enum status add_idle(struct view *v, const struct fn_rows *idle, struct err *e)
{
    for (size_t i = 0; i < idle->n; i++) {
        struct fn_cost *f = &v->fns[v->n_fns];
        f->row = &idle->rows[i];
        if (add_standing(v, f, e) != OK)
            return e->code;
        f->list.currency = f->effective.currency = f->standing.currency;
        v->n_fns += f->standing.provisioned + f->standing.snapshots > 0;
    }
    return OK;
}

static enum status load_functions(struct view *v, struct err *e)
{
    struct fn_rows rows = {0};
    struct standing_idle idle;

    if (request_functions(v->store, v->range, &v->filter, v->c->arena, &rows, e) != OK)
        return err_wrap(e, "functions");
    const struct standing_idle_request q = {v->cc, v->range, &v->filter, &rows};
    if (standing_idle_load(v->store, &q, v->c->arena, &idle, e) != OK)
        return e->code;
    v->standing = (struct standing_tally){.cc = v->cc, .is_met = idle.is_met};
    v->fns = arena_new(v->c->arena, struct fn_cost, rows.n + idle.rows.n + 1);
    v->n_fns = rows.n;
    for (size_t i = 0; i < rows.n; i++) {
        const struct fn_row *row = &rows.rows[i];
        v->fns[i].row = row;
        *idmap_put(&v->fn_index, row->fn_id, NULL) = i;
        if (cost_of_stats(v->cc, &row->fn, &row->stats, price_time(v->range, row), &v->fns[i].list,
                          e) != OK)
            return e->code;
        v->fns[i].effective = v->fns[i].list;
        if (add_standing(v, &v->fns[i], e) != OK)
            return e->code;
    }
    return add_idle(v, &idle.rows, e);
}

/* An open end stands for all there is: it cuts no month that is over. */
static struct range whole_if_over(const struct view *v, struct range part)
{
    const struct settings *set = v->c->settings;
    const int64_t end_ns = time_month(part.since_ns, 1);

    if (end_ns > clock_now(&v->c->clock))
        return part;
    return (struct range){set->since_ns == 0 ? time_month(part.since_ns, 0) : part.since_ns,
                          set->until_ns == 0 ? end_ns : part.until_ns};
}

static void cut_months(struct view *v)
{
    size_t cap = 0;

    for (int64_t at = v->range.since_ns; at < v->range.until_ns;) {
        const int64_t next = time_month(at, 1);
        const int64_t until = next < v->range.until_ns ? next : v->range.until_ns;
        v->months = arena_grow(v->c->arena, v->months, v->n_months, &cap, sizeof(*v->months));
        v->months[v->n_months++] = whole_if_over(v, (struct range){at, until});
        at = until;
    }
}

static void add_month(struct fn_cost *f, size_t month, const struct effective_row *row)
{
    f->months[month] = (struct month_cost){row->list.total, row->effective.total};
    f->effective.duration += row->effective.duration;
    f->effective.request += row->effective.request;
    f->effective.storage += row->effective.storage;
    f->effective.restore += row->effective.restore;
    f->effective.total += row->effective.total;
}

/* The free tier is the payer's: all functions of the month share it, also those not shown. */
static enum status load_month(struct view *v, size_t month, struct arena *scratch, struct err *e)
{
    const struct range part = v->months[month];
    const struct fn_filter everyone = {0};
    struct fn_rows rows = {0};
    const struct effective_options o = {
        .free_requests = v->o->free_tier,
        .free_compute = v->o->free_tier,
        .savings_plan = v->o->savings_plan != 0 ? str_from(savings_plan_names[v->o->savings_plan])
                                                : (struct str){0},
        .range_ns = part.until_ns - part.since_ns,
        .month_ns = time_month(part.since_ns, 1) - time_month(part.since_ns, 0),
        .at_ns = part.until_ns - 1,
    };

    if (request_functions(v->store, part, &everyone, scratch, &rows, e) != OK)
        return err_wrap(e, "functions");
    struct effective_row *all = arena_new(scratch, struct effective_row, rows.n > 0 ? rows.n : 1);
    for (size_t i = 0; i < rows.n; i++) {
        const struct fn_row *row = &rows.rows[i];
        all[i] = (struct effective_row){.fn = &row->fn, .stats = &row->stats};
        if (cost_of_stats(v->cc, &row->fn, &row->stats, price_time(part, row), &all[i].list, e) !=
            OK)
            return e->code;
    }
    if (cost_effective(v->cc, &o, all, rows.n, e) != OK)
        return err_wrap(e, "effective cost");
    for (size_t i = 0; i < rows.n; i++) {
        struct fn_cost *f = fn_cost_of(v, rows.rows[i].fn_id);
        if (f == NULL)
            continue;
        add_month(f, month, &all[i]);
        f->lacks_plan = f->lacks_plan || all[i].lacks_plan;
    }
    return OK;
}

static enum status load_effective(struct view *v, struct err *e)
{
    AUTO(arena_clear) struct arena scratch;

    arena_init(&scratch);
    cut_months(v);
    for (size_t i = 0; i < v->n_fns; i++) {
        v->fns[i].effective = (struct stats_cost){.currency = v->fns[i].list.currency};
        v->fns[i].months = arena_new(v->c->arena, struct month_cost, v->n_months);
    }
    for (size_t m = 0; m < v->n_months; m++) {
        arena_reset(&scratch);
        if (load_month(v, m, &scratch, e) != OK)
            return e->code;
    }
    return OK;
}

static void add_stats(struct view *v, struct str key, const struct stats *s,
                      const struct fn_cost *f)
{
    const struct stats_cost *list = &f->list;
    struct cost_group *g = group_for(v, key, list->currency);
    g->n += s->n;
    g->unpriced += list->is_unpriced ? s->n : s->unpriced;
    g->mb_ms += s->mb_ms;
    g->cost += list->total;
    g->effective += f->effective.total;
    g->logs += list->logs;
    g->standing += f->standing.provisioned + f->standing.snapshots;
    g->is_assumed = g->is_assumed || list->is_assumed;
}

static struct str key_of_function(const struct view *v, const struct fn_ref *fn)
{
    switch (v->o->by) {
    case BY_REGION:
        return or_unknown(fn->region);
    case BY_ACCOUNT:
        return or_unknown(fn->account);
    default:
        return fn->name;
    }
}

static enum status by_function(struct view *v, struct err *e)
{
    UNUSED(e);
    for (size_t i = 0; i < v->n_fns; i++) {
        const struct fn_cost *f = &v->fns[i];
        if (f->row->stats.n > 0 || f->row->stats.log_bytes > 0 || f->standing.provisioned > 0 ||
            f->standing.snapshots > 0)
            add_stats(v, key_of_function(v, &f->row->fn), &f->row->stats, f);
    }
    return OK;
}

/* mb_ms is what this part is billed by; 0 where that is no GB-s. */
static void add_part(struct view *v, const struct fn_cost *f, struct str key, wide mb_ms, wide list,
                     wide effective)
{
    struct cost_group *g = group_for(v, key, f->list.currency);
    g->n += f->row->stats.n;
    g->mb_ms += mb_ms;
    g->cost += list;
    g->effective += effective;
    g->is_assumed = g->is_assumed || f->list.is_assumed;
    g->unpriced += f->list.is_unpriced ? f->row->stats.n : f->row->stats.unpriced;
}

static enum status by_component(struct view *v, struct err *e)
{
    UNUSED(e);
    for (size_t i = 0; i < v->n_fns; i++) {
        const struct fn_cost *f = &v->fns[i];
        add_part(v, f, STR("duration"), f->row->stats.mb_ms, f->list.duration,
                 f->effective.duration);
        add_part(v, f, STR("requests"), 0, f->list.request, f->effective.request);
        add_part(v, f, STR("storage"), f->row->stats.storage_mb_ms, f->list.storage,
                 f->effective.storage);
        if (f->row->stats.restored_mb > 0)
            add_part(v, f, STR("restores"), 0, f->list.restore, f->effective.restore);
    }
    for (size_t i = 0; i < v->n_fns; i++) {
        const struct stats_cost *list = &v->fns[i].list;
        const struct standing_cost *kept = &v->fns[i].standing;
        group_for(v, STR("log ingestion (beside)"), list->currency)->logs += list->logs;
        if (kept->provisioned > 0)
            group_for(v, STR("provisioned concurrency (beside)"), list->currency)->standing +=
                kept->provisioned;
        if (kept->snapshots > 0)
            group_for(v, STR("snapshots kept (beside)"), list->currency)->standing +=
                kept->snapshots;
    }
    return OK;
}

/* What is kept ready costs on days without an attempt as well. */
static enum status add_day_standing(struct view *v, struct str name, struct range day,
                                    struct err *e)
{
    for (size_t i = 0; i < v->n_fns; i++) {
        const struct fn_cost *f = &v->fns[i];
        struct standing_cost s;
        if (f->standing.provisioned == 0 && f->standing.snapshots == 0)
            continue;
        if (kept_ready(v, f->row, day, &s, e) != OK)
            return e->code;
        group_for(v, name, f->standing.currency)->standing += s.provisioned + s.snapshots;
    }
    return OK;
}

static enum status add_day(struct view *v, struct range day, struct arena *scratch, struct err *e)
{
    AUTO(buf_clear) struct buf name = {.max = 32};
    struct fn_rows rows = {0};
    time_format_day(&name, day.since_ns);
    if (request_functions(v->store, day, &v->filter, scratch, &rows, e) != OK)
        return err_wrap(e, "day " STR_FMT, STR_ARG(buf_str(&name)));
    for (size_t i = 0; i < rows.n; i++) {
        const struct fn_row *row = &rows.rows[i];
        struct fn_cost f = {.row = row};
        if (row->stats.n == 0 && row->stats.log_bytes == 0)
            continue;
        if (cost_of_stats(v->cc, &row->fn, &row->stats, day.since_ns, &f.list, e) != OK)
            return e->code;
        f.effective.total = discount(v, row->fn_id, day.since_ns, f.list.total);
        add_stats(v, buf_str(&name), &row->stats, &f);
    }
    return add_day_standing(v, buf_str(&name), day, e);
}

static enum status by_day(struct view *v, struct err *e)
{
    AUTO(arena_clear) struct arena scratch;

    arena_init(&scratch);
    for (int64_t at = time_floor(v->range.since_ns, NS_PER_DAY); at < v->range.until_ns;
         at += NS_PER_DAY) {
        const int64_t end = at + NS_PER_DAY;
        const struct range day = {at > v->range.since_ns ? at : v->range.since_ns,
                                  end < v->range.until_ns ? end : v->range.until_ns};
        arena_reset(&scratch);
        if (add_day(v, day, &scratch, e) != OK)
            return e->code;
    }
    return OK;
}

static struct str key_of_invocation(const struct view *v, const struct invocation *inv, char *text,
                                    size_t size)
{
    switch (v->o->by) {
    case BY_ARCH:
        return str_from(arch_name(inv->arch));
    case BY_OUTCOME:
        return str_from(outcome_name(inv->outcome));
    case BY_VERSION:
        return or_unknown(inv->version);
    default:
        if (inv->memory_bytes == 0)
            return STR("unknown");
        snprintf(text, size, "%llu MB", (unsigned long long)(inv->memory_bytes >> 20));
        return str_from(text);
    }
}

static enum status add_invocation(void *ctx, uint32_t fn_id, const struct invocation *stored,
                                  struct err *e)
{
    struct view *v = ctx;
    struct invocation inv = *stored;
    char text[32];

    if (cost_invocation(v->cc, &inv, e) != OK)
        return e->code;
    const struct str currency = cost_currency(v->cc, inv.origin->fn, inv.start_ns);
    struct cost_group *g = group_for(v, key_of_invocation(v, &inv, text, sizeof(text)), currency);
    if (v->o->by == BY_MEMORY)
        cost_sizes_add(&v->sizes, fn_id, &inv);
    g->n++;
    g->unpriced += !inv.is_priced;
    g->mb_ms += (wide)invocation_billed_ms(&inv) * (wide)(inv.memory_bytes >> 20);
    g->cost += inv.cost;
    g->effective += discount(v, fn_id, inv.start_ns, inv.cost);
    g->is_assumed = g->is_assumed || (inv.evidence & EV_ASSUMED_CONFIG) != 0;
    return OK;
}

static enum status by_invocation(struct view *v, struct err *e)
{
    const struct inv_request q = {.range = v->range, .fn = v->filter};
    return request_scan(v->store, &q, add_invocation, v, e);
}

/* Restores that may be billed and are in no amount. */
static void print_restores(const struct view *v)
{
    uint64_t n = 0, n_all = 0;

    for (size_t i = 0; i < v->n_fns; i++) {
        n += stats_restores_open(&v->fns[i].row->stats);
        n_all += v->fns[i].row->stats.start[START_SNAPSTART];
    }
    if (n > 0)
        cost_hint(v->c,
                  "%llu of %llu %s from snapshots not in the cost: no line names the runtime "
                  "(restores are free for Java), or the region has no price for them; say runtime: "
                  "under functions: in the configuration, then run `fnscope db reprice`",
                  (unsigned long long)n, (unsigned long long)n_all,
                  plural(n_all, "restore", "restores"));
}

/* What was not priced or assumed, and what to do about it. */
static void print_hints(const struct view *v)
{
    uint64_t unpriced = 0;
    size_t n_assumed = 0, n_logs = 0, n_planless = 0;

    for (size_t i = 0; i < v->n_fns; i++) {
        const struct fn_cost *f = &v->fns[i];
        unpriced += f->list.is_unpriced ? f->row->stats.n : f->row->stats.unpriced;
        n_assumed += f->list.is_assumed && f->row->stats.n > 0;
        n_logs += f->list.is_log_unpriced;
        n_planless += f->lacks_plan;
    }
    if (unpriced > 0)
        cost_hint(v->c,
                  "%llu %s not priced: still running, without a REPORT line, or of a "
                  "region, architecture or day the price book does not hold (fnscope query "
                  "shows them)",
                  (unsigned long long)unpriced, plural(unpriced, "attempt is", "attempts are"));
    print_restores(v);
    if (n_logs > 0)
        cost_hint(v->c, "the logs of %zu %s no price in their region", n_logs,
                  plural(n_logs, "function have", "functions have"));
    if (n_planless > 0)
        cost_hint(v->c,
                  "the price book has no %s rate for the region of %zu of %zu %s: EFFECTIVE has "
                  "their list price",
                  savings_plan_names[v->o->savings_plan], n_planless, v->n_fns,
                  plural(v->n_fns, "function", "functions"));
    if (n_assumed > 0)
        cost_hint(v->c,
                  "%zu of %zu %s priced with an assumed region or architecture: state "
                  "them under cost: or functions: in the configuration, then run `fnscope db "
                  "reprice`",
                  n_assumed, v->n_fns, plural(v->n_fns, "function is", "functions are"));
}

typedef enum status by_fn(struct view *v, struct err *e);

static enum status show(struct view *v, struct err *e)
{
    static by_fn *const by[COST_BYS] = {
        [BY_FUNCTION] = by_function,   [BY_DAY] = by_day,
        [BY_REGION] = by_function,     [BY_ACCOUNT] = by_function,
        [BY_ARCH] = by_invocation,     [BY_MEMORY] = by_invocation,
        [BY_VERSION] = by_invocation,  [BY_OUTCOME] = by_invocation,
        [BY_COMPONENT] = by_component,
    };

    if (cli_range(v->c, v->store, 0, &v->range, e) != OK)
        return e->code;
    if (v->range.until_ns <= v->range.since_ns)
        return OK;
    if (load_functions(v, e) != OK || (has_effective(v) && load_effective(v, e) != OK) ||
        by[v->o->by](v, e) != OK)
        return e->code;
    cost_groups_print(v->c, v->o, v->groups, v->n_groups);
    cost_sizes_hint(v->c, &v->sizes);
    print_hints(v);
    cost_standing_hints(v->c, &v->standing, fn_filter_is_all(&v->filter));
    return OK;
}

static void view_clear(struct view *v)
{
    idmap_clear(&v->fn_index);
    map_clear(&v->keys);
    cost_sizes_clear(&v->sizes);
}

int cost_table(struct cli *c, const struct cost_options *o, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    AUTO(view_clear)
    struct view v = {.c = c, .o = o, .filter = cli_filter(c), .sizes.arena = c->arena};

    if (cli_open_store(c, true, &s, e) != OK || cli_cost_open(c, s, &cost, e) != OK ||
        cli_say_if_no_function(c, s, e) != OK)
        return e->code == ERR_USAGE || e->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
    v.store = s;
    v.cc = &cost.context;
    idmap_init(&v.fn_index);
    map_init(&v.keys);
    const enum status st = show(&v, e);
    if (st == OK)
        return EXIT_DONE;
    return st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
