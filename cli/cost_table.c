/* Cost as a table by function, day, region, account or component (from roll-ups) and by
 * architecture, memory, version or outcome (from single invocations). Functions pass one by one:
 * only groups and counts are held. Says what is unpriced or assumed and what would help. Sums never
 * mix currencies: one total a currency. */
#include "cli/cost_views.h"

#include <stdio.h>

#include "core/base/timefmt.h"

enum { MAX_KEY = 1000 };

/* What one function adds up to over the whole range, while it passes. */
struct fn_cost {
    const struct fn_row *row;
    struct stats_cost list, effective;
    struct standing_cost standing;
};

/* What is to be said beside the table. */
struct hints {
    size_t n_fns, n_assumed, n_logs, n_planless;
    uint64_t unpriced, restores_open, restores;
};

struct view {
    struct cli *c;
    struct store *store;
    const struct cost_options *o;
    const struct cost_context *cc;
    struct range range;
    struct fn_filter filter;
    struct each_fn_request fns; /* those with something in the range */
    struct cost_months months;
    struct map keys; /* currency and key -> index into groups */
    struct cost_groups groups;
    struct cost_sizes sizes;
    struct standing_idle idle;
    struct fn_rows kept; /* functions that are kept ready, whether they ran or not */
    size_t cap_kept;
    struct standing_tally standing;
    struct hints hints;
    struct str day; /* of which functions are added, and its time */
    struct range day_range;
};

static bool has_effective(const struct view *v)
{
    return v->o->free_tier || v->o->savings_plan != 0;
}

static const struct cost_place *add_place(struct view *v, const struct cost_place *place)
{
    struct arena *a = v->c->arena;
    struct cost_place *own = arena_new(a, struct cost_place, 1);

    *own = (struct cost_place){arena_str(a, place->currency), arena_str(a, place->account),
                               arena_str(a, place->region)};
    return own;
}

/* Places are few and groups many: neighbours share them. */
static const struct cost_place *place_like(struct view *v, const struct cost_place *place)
{
    const struct cost_place *last = v->groups.n > 0 ? v->groups.rows[v->groups.n - 1].place : NULL;
    const bool is_same = last != NULL && str_eq(last->currency, place->currency) &&
                         str_eq(last->account, place->account) &&
                         str_eq(last->region, place->region);

    return is_same ? last : add_place(v, place);
}

static struct cost_group *add_group(struct view *v, struct str key, const struct cost_place *place)
{
    struct cost_groups *g = &v->groups;

    g->rows = arena_grow(v->c->arena, g->rows, g->n, &g->cap, sizeof(*g->rows));
    g->rows[g->n] = (struct cost_group){.key = key, .place = place_like(v, place)};
    return &g->rows[g->n++];
}

/* Very many: each gets one of its own, those of one name are joined when all are there. */
static struct cost_group *group_of_function(struct view *v, const struct fn_ref *fn,
                                            struct str currency)
{
    const struct cost_place place = {currency, fn->account, fn->region};

    return add_group(v, arena_str(v->c->arena, fn->name), &place);
}

static struct cost_group *group_for(struct view *v, struct str key, struct str currency)
{
    AUTO(buf_clear) struct buf b = {.max = MAX_KEY};
    const struct cost_place place = {.currency = currency};

    buf_addf(&b, STR_FMT "|" STR_FMT, STR_ARG(currency), STR_ARG(key));
    const uint64_t *at = map_get(&v->keys, buf_str(&b));
    if (at != NULL)
        return &v->groups.rows[*at];
    const struct str name = arena_str(v->c->arena, buf_str(&b));
    *map_put(&v->keys, name, NULL) = v->groups.n;
    return add_group(v, str_sub(name, currency.n + 1, key.n), &place);
}

static struct str or_unknown(struct str s)
{
    return s.n > 0 ? s : STR("unknown");
}

static enum status kept_ready(const struct view *v, const struct fn_row *row, struct range r,
                              struct standing_cost *out, struct err *e)
{
    const struct standing_request q = {&row->fn,   &row->stats, r, clock_now(&v->c->clock),
                                       row->sizes, row->kept};

    return cost_standing(v->cc, &q, out, e);
}

static bool is_kept(const struct fn_cost *f)
{
    return f->standing.provisioned > 0 || f->standing.snapshots > 0;
}

/* --- groups of functions --- */

static void add_stats(struct view *v, struct str key, const struct fn_cost *f)
{
    const struct stats_cost *list = &f->list;
    const struct stats *s = &f->row->stats;
    struct cost_group *g = v->o->by == BY_FUNCTION
                               ? group_of_function(v, &f->row->fn, list->currency)
                               : group_for(v, key, list->currency);

    g->n += s->n;
    g->unpriced += list->is_unpriced ? s->n : s->unpriced;
    g->mb_ms += s->mb_ms;
    g->cost += list->total;
    g->effective += f->effective.total;
    g->logs += list->logs;
    g->standing += f->standing.provisioned + f->standing.snapshots;
    g->is_assumed = g->is_assumed || list->is_assumed;
    g->is_log_unpriced = g->is_log_unpriced || list->is_log_unpriced;
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

static void add_function(struct view *v, const struct fn_cost *f)
{
    if (f->row->stats.n > 0 || f->row->stats.log_bytes > 0 || is_kept(f))
        add_stats(v, key_of_function(v, &f->row->fn), f);
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

static void add_beside(struct view *v, const struct fn_cost *f)
{
    const struct standing_cost *kept = &f->standing;

    struct cost_group *logs = group_for(v, STR("log ingestion (beside)"), f->list.currency);

    logs->logs += f->list.logs;
    logs->is_log_unpriced = logs->is_log_unpriced || f->list.is_log_unpriced;
    if (kept->provisioned > 0)
        group_for(v, STR("provisioned concurrency (beside)"), f->list.currency)->standing +=
            kept->provisioned;
    if (kept->snapshots > 0)
        group_for(v, STR("snapshots kept (beside)"), f->list.currency)->standing += kept->snapshots;
}

static void add_components(struct view *v, const struct fn_cost *f)
{
    const struct stats *s = &f->row->stats;

    add_part(v, f, STR("duration"), s->mb_ms, f->list.duration, f->effective.duration);
    add_part(v, f, STR("requests"), 0, f->list.request, f->effective.request);
    add_part(v, f, STR("storage"), s->storage_mb_ms, f->list.storage, f->effective.storage);
    if (s->restored_mb > 0)
        add_part(v, f, STR("restores"), 0, f->list.restore, f->effective.restore);
    add_beside(v, f);
}

/* --- functions, one by one --- */

static void count_hints(struct view *v, const struct fn_cost *f)
{
    const struct stats *s = &f->row->stats;
    const struct fn_bill *bill = cost_months_of(&v->months, f->row->fn_id);
    struct hints *h = &v->hints;

    h->n_fns++;
    h->unpriced += f->list.is_unpriced ? s->n : s->unpriced;
    h->n_assumed += f->list.is_assumed && s->n > 0;
    h->n_logs += f->list.is_log_unpriced;
    h->n_planless += bill != NULL && bill->lacks_plan;
    h->restores_open += stats_restores_open(s);
    h->restores += s->start[START_SNAPSTART];
}

/* Of their sums only what cost_standing reads. */
static void keep(struct view *v, const struct fn_row *row)
{
    struct arena *a = v->c->arena;

    v->kept.rows = arena_grow(a, v->kept.rows, v->kept.n, &v->cap_kept, sizeof(*v->kept.rows));
    struct fn_row *kept = &v->kept.rows[v->kept.n++];
    *kept = *row;
    kept->fn = *fn_copy(a, &row->fn);
    kept->runtime = (struct str){0};
    kept->stats.duration = kept->stats.init = (struct histogram){0};
}

static void take_bill(const struct view *v, struct fn_cost *f)
{
    const struct fn_bill *bill = cost_months_of(&v->months, f->row->fn_id);
    struct stats_cost *to = &f->effective;

    *to = f->list;
    if (!has_effective(v))
        return;
    *to = (struct stats_cost){.currency = f->list.currency};
    if (bill == NULL)
        return;
    to->duration = bill->duration;
    to->request = bill->request;
    to->storage = bill->storage;
    to->restore = bill->restore;
    to->total = bill->total;
}

/* What attempts and days add up to is asked for apart. */
static void (*const adders[COST_BYS])(struct view *, const struct fn_cost *) = {
    [BY_FUNCTION] = add_function,
    [BY_REGION] = add_function,
    [BY_ACCOUNT] = add_function,
    [BY_COMPONENT] = add_components,
};

static void add_whole(struct view *v, struct fn_cost *f)
{
    take_bill(v, f);
    count_hints(v, f);
    if (is_kept(f))
        keep(v, f->row);
    if (adders[v->o->by])
        adders[v->o->by](v, f);
}

static enum status on_function(void *ctx, const struct fn_row *stored, struct err *e)
{
    struct view *v = ctx;
    struct fn_row row = *stored;
    struct fn_cost f = {.row = &row};

    standing_complete(&v->idle, &row);
    if (cost_of_stats(v->cc, &row.fn, &row.stats, cost_price_time(v->range, &row), &f.list, e) !=
            OK ||
        kept_ready(v, &row, v->range, &f.standing, e) != OK)
        return e->code;
    cost_standing_count(&v->standing, &row.fn, &f.standing);
    add_whole(v, &f);
    return OK;
}

/* What did not run costs nothing but what is kept ready of it. */
static enum status add_idle(struct view *v, struct err *e)
{
    for (size_t i = 0; i < v->idle.rows.n; i++) {
        struct fn_cost f = {.row = &v->idle.rows.rows[i]};
        if (kept_ready(v, f.row, v->range, &f.standing, e) != OK)
            return e->code;
        cost_standing_count(&v->standing, &f.row->fn, &f.standing);
        f.list.currency = f.standing.currency;
        if (is_kept(&f))
            add_whole(v, &f);
    }
    return OK;
}

static enum status add_functions(struct view *v, struct err *e)
{
    const struct standing_idle_request q = {v->cc, v->range, &v->filter};

    if (standing_idle_load(v->store, &q, v->c->arena, &v->idle, e) != OK)
        return e->code;
    v->standing =
        (struct standing_tally){.cc = v->cc, .arena = v->c->arena, .is_met = v->idle.is_met};
    if (v->o->by == BY_FUNCTION) { /* growing would hold very many twice */
        v->groups.cap = v->fns.fns.n + v->idle.rows.n + 1;
        v->groups.rows = arena_alloc(v->c->arena, v->groups.cap * sizeof(*v->groups.rows));
    }
    if (request_each_function(v->store, &v->fns, on_function, v, e) != OK)
        return err_wrap(e, "functions");
    return add_idle(v, e);
}

/* --- by day --- */

/* What is kept ready costs on days without an attempt as well. */
static enum status add_day_standing(struct view *v, struct err *e)
{
    for (size_t i = 0; i < v->kept.n; i++) {
        struct standing_cost s;
        if (kept_ready(v, &v->kept.rows[i], v->day_range, &s, e) != OK)
            return e->code;
        group_for(v, v->day, s.currency)->standing += s.provisioned + s.snapshots;
    }
    return OK;
}

static enum status add_to_day(void *ctx, const struct fn_row *row, struct err *e)
{
    struct view *v = ctx;
    struct fn_cost f = {.row = row};
    const int64_t at_ns = v->day_range.since_ns;

    if (row->stats.n == 0 && row->stats.log_bytes == 0)
        return OK;
    if (cost_of_stats(v->cc, &row->fn, &row->stats, at_ns, &f.list, e) != OK)
        return e->code;
    f.effective.total = cost_months_part(&v->months, row->fn_id, at_ns, f.list.total);
    add_stats(v, v->day, &f);
    return OK;
}

static enum status add_day(struct view *v, struct range day, struct arena *scratch, struct err *e)
{
    AUTO(buf_clear) struct buf name = {.max = 32};
    struct each_fn_request q = {.range = day};

    time_format_day(&name, day.since_ns);
    v->day = buf_str(&name);
    v->day_range = day;
    if (request_fn_ids(v->store, day, &v->filter, scratch, &q.fns, e) != OK ||
        request_each_function(v->store, &q, add_to_day, v, e) != OK || add_day_standing(v, e) != OK)
        return err_wrap(e, "day " STR_FMT, STR_ARG(v->day));
    return OK;
}

/* Each day that the range has a part of. */
typedef enum status day_fn(struct view *v, struct range day, struct arena *scratch, struct err *e);

static enum status each_day(struct view *v, day_fn *fn, struct err *e)
{
    AUTO(arena_clear) struct arena scratch = {0};

    for (int64_t at = time_floor(v->range.since_ns, NS_PER_DAY); at < v->range.until_ns;
         at += NS_PER_DAY) {
        const int64_t end = at + NS_PER_DAY;
        const struct range day = {at > v->range.since_ns ? at : v->range.since_ns,
                                  end < v->range.until_ns ? end : v->range.until_ns};
        arena_reset(&scratch);
        if (fn(v, day, &scratch, e) != OK)
            return e->code;
    }
    return OK;
}

/* --- by what attempts have --- */

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

    if (cost_invocation(v->cc, NULL, &inv, e) != OK)
        return e->code;
    const struct str currency = cost_currency(v->cc, inv.origin->fn, inv.start_ns);
    struct cost_group *g = group_for(v, key_of_invocation(v, &inv, text, sizeof(text)), currency);
    if (v->o->by == BY_MEMORY)
        cost_sizes_add(&v->sizes, fn_id, &inv);
    g->n++;
    g->unpriced += !inv.is_priced;
    g->mb_ms += (wide)invocation_billed_ms(&inv) * (wide)(inv.memory_bytes >> 20);
    g->cost += inv.cost;
    g->effective += cost_months_part(&v->months, fn_id, inv.start_ns, inv.cost);
    g->is_assumed = g->is_assumed || (inv.evidence & EV_ASSUMED_CONFIG) != 0;
    return OK;
}

static enum status add_invocations(struct view *v, struct range day, struct arena *scratch,
                                   struct err *e)
{
    const struct inv_request q = {.range = day, .fn = v->filter, .names_pass = true};

    UNUSED(scratch);
    return request_scan(v->store, &q, add_invocation, v, e);
}

static day_fn *const day_adders[COST_BYS] = {
    [BY_DAY] = add_day,
    [BY_ARCH] = add_invocations,
    [BY_MEMORY] = add_invocations,
    [BY_VERSION] = add_invocations,
    [BY_OUTCOME] = add_invocations,
};

/* --- what is said beside --- */

/* Restores that may be billed and are in no amount. */
static void print_restores(const struct view *v)
{
    const struct hints *h = &v->hints;

    if (h->restores_open > 0)
        cost_hint(v->c,
                  "%llu of %llu %s from snapshots not in the cost: no line names the runtime "
                  "(restores are free for Java), or the region has no price for them; say runtime: "
                  "under functions: in the configuration, then run `fnscope db reprice`",
                  (unsigned long long)h->restores_open, (unsigned long long)h->restores,
                  plural(h->restores, "restore", "restores"));
}

/* What was not priced or assumed, and what to do about it. */
static void print_hints(const struct view *v)
{
    const struct hints *h = &v->hints;

    if (h->unpriced > 0)
        cost_hint(v->c,
                  "%llu %s not priced: still running, without a REPORT line, or of a "
                  "region, architecture or day the price book does not hold (fnscope query "
                  "shows them)",
                  (unsigned long long)h->unpriced,
                  plural(h->unpriced, "attempt is", "attempts are"));
    print_restores(v);
    if (h->n_logs > 0)
        cost_hint(v->c, "the logs of %zu %s no price in their region", h->n_logs,
                  plural(h->n_logs, "function have", "functions have"));
    if (h->n_planless > 0)
        cost_hint(v->c,
                  "the price book has no %s rate for the region of %zu of %zu %s: EFFECTIVE has "
                  "their list price",
                  savings_plan_names[v->o->savings_plan], h->n_planless, h->n_fns,
                  plural(h->n_fns, "function", "functions"));
    if (h->n_assumed > 0)
        cost_hint(v->c,
                  "%zu of %zu %s priced with an assumed region or architecture: state "
                  "them under cost: or functions: in the configuration, then run `fnscope db "
                  "reprice`",
                  h->n_assumed, h->n_fns, plural(h->n_fns, "function is", "functions are"));
}

static enum status load(struct view *v, struct err *e)
{
    const struct cost_months_request months = {v->c, v->store, v->o, v->cc, v->range, &v->fns.fns};

    v->fns.range = v->range;
    if (request_fn_ids(v->store, v->range, &v->filter, v->c->arena, &v->fns.fns, e) != OK)
        return err_wrap(e, "functions");
    if (has_effective(v) && cost_months_load(&months, &v->months, e) != OK)
        return e->code;
    if (add_functions(v, e) != OK)
        return e->code;
    return day_adders[v->o->by] ? each_day(v, day_adders[v->o->by], e) : OK;
}

static enum status show(struct view *v, struct err *e)
{
    if (cli_range(v->c, v->store, 0, &v->range, e) != OK)
        return e->code;
    if (v->range.until_ns <= v->range.since_ns)
        return OK;
    if (load(v, e) != OK || cost_groups_print(v->c, v->o, &v->groups, e) != OK)
        return e->code;
    cost_sizes_hint(v->c, &v->sizes);
    print_hints(v);
    cost_standing_hints(v->c, &v->standing, fn_filter_is_all(&v->filter));
    return OK;
}

static void view_clear(struct view *v)
{
    cost_months_clear(&v->months);
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
    map_init(&v.keys);
    const enum status st = show(&v, e);
    if (st == OK)
        return EXIT_DONE;
    return st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
