/* Functions pass one by one, with what each did in the range before: they are summed up, and those
 * that a section may show are held. Then those pass that are gone. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/top_n.h"
#include "reports/report_data.h"

/* A function with all its line points to; freed when no ranking holds it. */
struct passed {
    struct fn_line line;
    struct fn_row now, before;
    struct arena arena;
    size_t place; /* in which it passed */
    unsigned uses;
    struct passed *next; /* of those held at the end */
};

/* Its row in a ranking. */
struct ranked {
    struct passed *fn;
};

enum rank { RANK_COST, RANK_COLD, RANK_FULLEST, RANK_MOVED, RANKS };

struct pass {
    struct report_data *report;
    struct top_n best[RANKS]; /* of struct ranked */
    struct arena arena;
    struct standing_idle idle;
    uint8_t *has_now; /* a bit each function of the store: it has something in the range */
    struct fn_ids gone;
    size_t n_passed;
};

/* --- order --- */

static int by_cost(const struct passed *x, const struct passed *y)
{
    const struct fn_line *a = &x->line, *b = &y->line;

    if (!a->now || !b->now)
        return (a->now == NULL) - (b->now == NULL);
    if (a->cost.total != b->cost.total)
        return a->cost.total > b->cost.total ? -1 : 1;
    if (a->now->stats.n != b->now->stats.n)
        return a->now->stats.n > b->now->stats.n ? -1 : 1;
    return str_cmp(a->now->fn.name, b->now->fn.name);
}

static struct str name_of(const struct passed *p)
{
    return p->line.now ? p->line.now->fn.name : p->line.before->fn.name;
}

static wide cold_of(const struct passed *p)
{
    return p->line.now ? (wide)count_cold(&p->line.now->stats) : 0;
}

static wide fullness_of(const struct passed *p)
{
    const struct fn_row *now = p->line.now;

    return now && now->stats.fullest_size_bytes > 0
               ? (wide)permille_of(now->stats.fullest_used_bytes, now->stats.fullest_size_bytes) + 1
               : 0;
}

static wide change_of(const struct passed *p)
{
    const wide change = p->line.cost.total - p->line.cost_before.total;

    return change < 0 ? -change : change;
}

/* Largest first; 0: not ranked. RANK_COST has an order of its own. */
static wide (*const values[RANKS])(const struct passed *) = {
    [RANK_COLD] = cold_of, [RANK_FULLEST] = fullness_of, [RANK_MOVED] = change_of};

static int compare(const void *ctx, const void *pa, const void *pb)
{
    const struct passed *a = ((const struct ranked *)pa)->fn, *b = ((const struct ranked *)pb)->fn;
    wide (*const *value)(const struct passed *) = ctx;
    int order = 0;

    if (*value) {
        const wide x = (*value)(a), y = (*value)(b);
        order = x != y ? (x > y ? -1 : 1) : str_cmp(name_of(a), name_of(b));
    }
    if (order == 0)
        order = by_cost(a, b);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* --- holding --- */

static void hold_histogram(struct histogram *h, struct arena *a)
{
    uint32_t *bucket = arena_new(a, uint32_t, h->n + 1);
    uint64_t *count = arena_new(a, uint64_t, h->n + 1);

    for (size_t i = 0; i < h->n; i++) {
        bucket[i] = h->bucket[i];
        count[i] = h->count[i];
    }
    h->bucket = bucket;
    h->count = count;
    h->cap = h->n;
}

static const struct fn_row *hold_row(struct fn_row *to, const struct fn_row *row, struct arena *a)
{
    if (!row)
        return NULL;
    *to = *row;
    to->fn = *fn_copy(a, &row->fn);
    to->runtime = arena_str(a, row->runtime);
    hold_histogram(&to->stats.duration, a);
    hold_histogram(&to->stats.init, a);
    return to;
}

static struct passed *hold(const struct passed *p)
{
    struct passed *own = xcalloc(1, sizeof(*own));

    own->line = p->line;
    own->place = p->place;
    own->line.now = hold_row(&own->now, p->line.now, &own->arena);
    own->line.before = hold_row(&own->before, p->line.before, &own->arena);
    return own;
}

static void release(struct passed *p)
{
    if (--p->uses > 0)
        return;
    arena_clear(&p->arena);
    free(p);
}

static void add_other(struct report_data *r, const struct passed *p)
{
    if (!p->line.now)
        return;
    stats_merge(&r->others.sums, &p->line.now->stats);
    r->others.cost += p->line.cost.total;
    r->others.n++;
}

/* Leaves a place where the worst one was. */
static void evict(struct pass *p, enum rank rank)
{
    struct passed *worst = ((const struct ranked *)top_n_row(&p->best[rank], 0))->fn;

    if (rank == RANK_COST)
        add_other(p->report, worst);
    release(worst);
}

static bool is_ranked(enum rank rank, const struct passed *p)
{
    return values[rank] ? values[rank](p) > 0 : p->line.now != NULL;
}

static void rank_one(struct pass *p, struct passed *passing)
{
    struct passed *held = NULL;

    for (int i = 0; i < RANKS; i++) {
        const enum rank rank = (enum rank)i;
        struct top_n *t = &p->best[rank];
        if (!is_ranked(rank, passing))
            continue;
        if (!top_n_wants(t, &(struct ranked){passing})) {
            if (rank == RANK_COST)
                add_other(p->report, passing);
            continue;
        }
        held = held ? held : hold(passing);
        held->uses++;
        if (t->n == t->limit)
            evict(p, rank);
        top_n_add(t, &(struct ranked){held});
    }
}

/* --- sums --- */

static enum status price_row(const struct report_data *r, const struct fn_row *row, int64_t at_ns,
                             struct stats_cost *out, struct err *e)
{
    *out = (struct stats_cost){0};
    return row ? cost_of_stats(r->options->cost, &row->fn, &row->stats, at_ns, out, e) : OK;
}

static int rank_of_currency(struct str s)
{
    return str_eq(s, STR("USD")) ? 0 : 1;
}

/* In its place: the first one is what sums are in. */
static void note_currency(struct report_data *r, struct str currency)
{
    size_t at = r->n_currencies;

    if (currency.n == 0)
        return;
    for (size_t i = 0; i < r->n_currencies; i++)
        if (str_eq(r->currencies[i], currency))
            return;
    r->currencies = arena_grow(r->arena, r->currencies, r->n_currencies, &r->cap_currencies,
                               sizeof(*r->currencies));
    for (; at > 0 && rank_of_currency(r->currencies[at - 1]) > rank_of_currency(currency); at--)
        r->currencies[at] = r->currencies[at - 1];
    r->currencies[at] = currency;
    r->n_currencies++;
    r->currency = r->currencies[0];
}

static void add_waste(struct waste *to, const struct waste *from)
{
    to->failed += from->failed;
    to->timeouts += from->timeouts;
    to->retries += from->retries;
    to->init += from->init;
    to->over_memory += from->over_memory;
    to->n_failed += from->n_failed;
    to->n_timeouts += from->n_timeouts;
    to->n_retries += from->n_retries;
    to->n_cold += from->n_cold;
}

/* What the roundings of one function's divisions come to at most, 10^-12: no cause of anything. */
#define DUST ((wide)1000)

/* The change of one function in parts that add up exactly. */
static void split_change(const struct fn_line *l, wide parts[PARTS])
{
    const struct stats *now = &l->now->stats, *before = l->before ? &l->before->stats : NULL;
    wide change = l->cost.total - l->cost_before.total;

    if (!before || before->n == 0 || now->n == 0) {
        parts[PART_NEW] += change;
        return;
    }
    wide n0 = before->n, n1 = now->n;
    wide volume = wide_div_round((n1 - n0) * l->cost_before.total, n0);
    wide cold = now->cost_init - wide_div_round(before->cost_init * n1, n0);
    wide per_mb_ms = before->mb_ms > 0 ? l->cost_before.duration : 0;
    wide work = before->mb_ms > 0
                    ? wide_div_round((now->mb_ms - wide_div_round(before->mb_ms * n1, n0)) *
                                         (per_mb_ms / 1000),
                                     before->mb_ms) *
                          1000
                    : 0;
    parts[PART_VOLUME] += volume;
    parts[PART_COLD] += cold;
    wide rest = change - volume - work;
    bool is_dust = rest <= DUST && rest >= -DUST;
    parts[PART_DURATION] += work - cold + (is_dust ? rest : 0);
    parts[PART_OTHER] += is_dust ? 0 : rest;
}

static void add_parts(struct report_data *r, const struct fn_line *l)
{
    if (l->cost.currency.n == 0)
        return;
    r->components.duration += l->cost.duration;
    r->components.request += l->cost.request;
    r->components.storage += l->cost.storage;
    r->components.restore += l->cost.restore;
    split_change(l, r->change);
}

static enum status price_line(struct report_data *r, struct fn_line *l, struct err *e)
{
    const int64_t end_ns = r->range.until_ns - 1;

    if (price_row(r, l->now, end_ns, &l->cost, e) != OK ||
        price_row(r, l->before, r->range.since_ns - 1, &l->cost_before, e) != OK ||
        cost_prices_of_stats(r->options->cost, &l->now->fn, &l->now->stats, end_ns, &r->prices,
                             e) != OK)
        return e ? e->code : ERR_BUG;
    waste_of_stats(&l->now->stats, l->cost.duration, &l->waste);
    return OK;
}

static void sum_line(struct report_data *r, const struct fn_line *l)
{
    r->n++;
    r->n_ran += l->now->stats.n > 0;
    r->n_assumed += l->cost.is_assumed && l->now->stats.n > 0;
    r->n_unpriced += l->cost.is_unpriced && stats_open(&l->now->stats) < l->now->stats.n;
    r->is_log_unpriced = r->is_log_unpriced || l->cost.is_log_unpriced;
    stats_merge(&r->total, &l->now->stats);
    if (l->before)
        stats_merge(&r->total_before, &l->before->stats);
    note_currency(r, l->cost.currency);
    add_parts(r, l);
    r->cost += l->cost.total;
    r->cost_logs += l->cost.logs;
    r->cost_before += l->cost_before.total;
    add_waste(&r->waste, &l->waste);
}

/* Charged by the hour, beside the cost; what is not known of it is counted. */
static enum status add_standing(struct report_data *r, const struct fn_row *now, struct err *e)
{
    const struct standing_request q = {&now->fn,           &now->stats, r->range,
                                       r->options->now_ns, now->sizes,  now->kept};
    struct standing_cost s;

    if (cost_standing(r->options->cost, &q, &s, e) != OK)
        return e ? e->code : ERR_BUG;
    if (s.provisioned > 0 || s.snapshots > 0)
        note_currency(r, s.currency);
    r->standing += s.provisioned + s.snapshots;
    r->n_standing_open += s.is_provisioned_open || s.are_snapshots_open || s.is_unpriced;
    return OK;
}

static enum status on_function(void *ctx, const struct fn_row *stored, const struct fn_row *before,
                               struct err *e)
{
    struct pass *p = ctx;
    struct fn_row now;

    if (!stored)
        return OK;
    now = *stored;
    p->has_now[now.fn_id / 8] |= (uint8_t)(1u << now.fn_id % 8);
    standing_complete(&p->idle, &now);
    struct passed passing = {.line = {.now = &now, .before = before}, .place = p->n_passed++};
    if (price_line(p->report, &passing.line, e) != OK)
        return e ? e->code : ERR_BUG;
    sum_line(p->report, &passing.line);
    rank_one(p, &passing);
    return add_standing(p->report, &now, e);
}

static enum status on_gone(void *ctx, const struct fn_row *before, struct err *e)
{
    struct pass *p = ctx;
    struct report_data *r = p->report;
    struct passed passing = {.line = {.before = before}, .place = p->n_passed++};
    struct stats_cost *cost = &passing.line.cost_before;

    if (price_row(r, before, r->range.since_ns - 1, cost, e) != OK)
        return e ? e->code : ERR_BUG;
    passing.line.cost.currency = cost->currency;
    stats_merge(&r->total_before, &before->stats);
    note_currency(r, cost->currency);
    r->cost_before += cost->total;
    r->change[PART_GONE] -= cost->total;
    rank_one(p, &passing);
    return OK;
}

/* --- together --- */

/* What is kept ready costs also where nothing ran. */
static enum status add_idle(struct report_data *r, const struct standing_idle *idle, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < idle->rows.n; i++)
        status = add_standing(r, &idle->rows.rows[i], e);
    r->n_standing_unmet = fn_filter_is_all(&r->options->filter) ? idle->n_unmet : 0;
    return status;
}

static void begin_ranks(struct pass *p)
{
    const size_t top = p->report->options->top;
    const size_t limits[RANKS] = {[RANK_COST] = top > LINES_HELD ? top : LINES_HELD,
                                  [RANK_COLD] = COLD_SHOWN,
                                  [RANK_FULLEST] = FULLEST_SHOWN,
                                  [RANK_MOVED] = MOVERS_SHOWN};

    for (int i = 0; i < RANKS; i++) {
        top_n_init(&p->best[i], &p->arena, sizeof(struct ranked), limits[i]);
        p->best[i].compare = compare;
        p->best[i].ctx = &values[i];
    }
}

static void end_rank(struct pass *p, enum rank rank, struct fn_lines *out)
{
    struct report_data *r = p->report;
    struct top_n *t = &p->best[rank];

    top_n_sort(t);
    out->rows = arena_new(r->arena, struct fn_line, t->n + 1);
    for (size_t i = 0; i < t->n; i++) {
        struct passed *held = ((const struct ranked *)top_n_row(t, i))->fn;
        out->rows[out->n++] = held->line;
        if (--held->uses == 0) {
            held->next = r->passed;
            r->passed = held;
        }
    }
}

static void end_ranks(struct pass *p)
{
    struct report_data *r = p->report;
    struct fn_lines *const out[RANKS] = {[RANK_COST] = &r->lines,
                                         [RANK_COLD] = &r->cold,
                                         [RANK_FULLEST] = &r->fullest,
                                         [RANK_MOVED] = &r->movers};

    for (int i = 0; i < RANKS; i++)
        end_rank(p, (enum rank)i, out[i]);
}

/* Ids of both ranges; those of the one before are gone where nothing of them is in the range. */
static enum status find_functions(struct store *s, struct pass *p, struct pair_request *q,
                                  struct err *e)
{
    const struct report_data *r = p->report;
    const struct fn_filter *f = &r->options->filter;
    uint32_t most = 0;

    *q = (struct pair_request){.range = r->range};
    if (request_fn_ids(s, r->range, f, &p->arena, &q->fns, e) != OK)
        return e ? e->code : ERR_BUG;
    if (!r->options->no_compare) {
        q->before = r->before;
        if (request_fn_ids(s, r->before, f, &p->arena, &p->gone, e) != OK)
            return e ? e->code : ERR_BUG;
    }
    for (size_t i = 0; i < q->fns.n; i++)
        most = q->fns.ids[i] > most ? q->fns.ids[i] : most;
    for (size_t i = 0; i < p->gone.n; i++)
        most = p->gone.ids[i] > most ? p->gone.ids[i] : most;
    p->has_now = arena_new(&p->arena, uint8_t, most / 8 + 1);
    return OK;
}

static enum status see_gone(struct store *s, struct pass *p, struct err *e)
{
    struct each_fn_request q = {.range = p->report->before, .fns = p->gone};
    size_t n = 0;

    for (size_t i = 0; i < q.fns.n; i++)
        if ((p->has_now[q.fns.ids[i] / 8] & 1u << q.fns.ids[i] % 8) == 0)
            q.fns.ids[n++] = q.fns.ids[i];
    q.fns.n = n;
    return n > 0 ? request_each_function(s, &q, on_gone, p, e) : OK;
}

static enum status see_all(struct store *s, struct pass *p, struct err *e)
{
    struct report_data *r = p->report;
    const struct standing_idle_request idle = {r->options->cost, r->range, &r->options->filter};
    struct pair_request q;
    enum status status = find_functions(s, p, &q, e);

    if (status == OK)
        status = standing_idle_load(s, &idle, r->arena, &p->idle, e);
    if (status == OK)
        status = request_each_pair(s, &q, on_function, p, e);
    if (status == OK)
        status = add_idle(r, &p->idle, e);
    return status == OK ? see_gone(s, p, e) : status;
}

enum status report_load_functions(struct store *s, struct report_data *r, struct err *e)
{
    struct pass p = {.report = r};

    begin_ranks(&p);
    const enum status status = see_all(s, &p, e);
    end_ranks(&p);
    arena_clear(&p.arena);
    r->has_before = r->total_before.n > 0;
    return status;
}

void report_clear(struct report_data *r)
{
    for (struct passed *p = r->passed, *next; p; p = next) {
        next = p->next;
        arena_clear(&p->arena);
        free(p);
    }
    stats_clear(&r->total);
    stats_clear(&r->total_before);
    stats_clear(&r->others.sums);
    for (size_t i = 0; i < r->n_parts; i++)
        report_clear(&r->parts[i]);
    r->n_parts = 0;
}
