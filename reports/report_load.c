/* Loads everything a report says from the store. */
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/timefmt.h"
#include "reports/report_data.h"

#define ERRORS_SHOWN    ((size_t)25)
#define INCIDENTS_SHOWN ((size_t)10)
#define HOURLY_UP_TO_NS (8 * NS_PER_DAY)

/* By the number the store gave the function: of one store, so they are equal or not. */
static void index_rows(struct idmap *m, const struct fn_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++)
        *idmap_put(m, rows->rows[i].fn_id, NULL) = i;
}

static const struct fn_row *find_row(const struct fn_rows *rows, const struct idmap *index,
                                     const struct fn_row *like)
{
    const uint64_t *at = idmap_get(index, like->fn_id);

    return at ? &rows->rows[*at] : NULL;
}

static enum status price_row(const struct report_data *r, const struct fn_row *row, int64_t at_ns,
                             struct stats_cost *out, struct err *e)
{
    *out = (struct stats_cost){0};
    return row ? cost_of_stats(r->options->cost, &row->fn, &row->stats, at_ns, out, e) : OK;
}

/* The first priced function says what money is; others are counted and left out of sums. */
static bool is_summed(struct report_data *r, const struct stats_cost *c)
{
    if (r->currency.n == 0 && c->currency.n > 0)
        r->currency = c->currency;
    if (c->currency.n == 0 || str_eq(c->currency, r->currency))
        return true;
    r->other_currencies++;
    return false;
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

static enum status add_line(struct report_data *r, const struct fn_row *now,
                            const struct fn_row *before, struct err *e)
{
    struct fn_line *l = &r->lines[r->n++];

    *l = (struct fn_line){.now = now, .before = before};
    if (price_row(r, now, r->range.until_ns - 1, &l->cost, e) != OK ||
        price_row(r, before, r->range.since_ns - 1, &l->cost_before, e) != OK)
        return e ? e->code : ERR_BUG;
    if (cost_prices_of_stats(r->options->cost, &now->fn, &now->stats, r->range.until_ns - 1,
                             &r->prices, e) != OK)
        return e ? e->code : ERR_BUG;
    waste_of_stats(&now->stats, l->cost.duration, &l->waste);
    r->n_assumed += l->cost.is_assumed && now->stats.n > 0;
    r->n_unpriced += l->cost.is_unpriced;
    stats_merge(&r->total, &now->stats);
    if (before)
        stats_merge(&r->total_before, &before->stats);
    if (!is_summed(r, &l->cost))
        return OK;
    r->cost += l->cost.total;
    r->cost_logs += l->cost.logs;
    r->cost_before += l->cost_before.total;
    add_waste(&r->waste, &l->waste);
    return OK;
}

/* Charged by the hour, beside the cost; what is not known of it is counted. */
static enum status add_standing(struct report_data *r, const struct fn_row *now, struct err *e)
{
    const struct standing_request q = {&now->fn,           &now->stats, r->range,
                                       r->options->now_ns, now->sizes,  now->kept};
    struct standing_cost s;

    if (cost_standing(r->options->cost, &q, &s, e) != OK)
        return e ? e->code : ERR_BUG;
    if (r->currency.n == 0)
        r->currency = s.currency;
    if (str_eq(s.currency, r->currency))
        r->standing += s.provisioned + s.snapshots;
    r->n_standing_open += s.is_provisioned_open || s.are_snapshots_open || s.is_unpriced;
    return OK;
}

static enum status add_gone(struct report_data *r, const struct fn_rows *before,
                            const struct idmap *now, struct err *e)
{
    r->gone = arena_new(r->arena, struct fn_row, before->n + 1);
    r->gone_cost = arena_new(r->arena, struct stats_cost, before->n + 1);
    for (size_t i = 0; i < before->n; i++) {
        if (idmap_get(now, before->rows[i].fn_id))
            continue;
        r->gone[r->n_gone] = before->rows[i];
        if (price_row(r, &before->rows[i], r->range.since_ns - 1, &r->gone_cost[r->n_gone], e) !=
            OK)
            return e ? e->code : ERR_BUG;
        stats_merge(&r->total_before, &before->rows[i].stats);
        if (is_summed(r, &r->gone_cost[r->n_gone]))
            r->cost_before += r->gone_cost[r->n_gone].total;
        r->n_gone++;
    }
    return OK;
}

static int compare_lines(const void *a, const void *b)
{
    const struct fn_line *x = a, *y = b;

    if (x->cost.total != y->cost.total)
        return x->cost.total > y->cost.total ? -1 : 1;
    if (x->now->stats.n != y->now->stats.n)
        return x->now->stats.n > y->now->stats.n ? -1 : 1;
    return str_cmp(x->now->fn.name, y->now->fn.name);
}

/* What is kept ready costs also where nothing ran. */
static enum status add_idle(struct report_data *r, const struct standing_idle *idle, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < idle->rows.n; i++)
        status = add_standing(r, &idle->rows.rows[i], e);
    r->n_standing_unmet = fn_filter_is_all(&r->options->filter) ? idle->n_unmet : 0;
    return status;
}

static enum status load_functions(struct store *s, struct report_data *r, struct err *e)
{
    struct standing_idle idle = {0};
    const struct report_options *o = r->options;
    struct fn_rows now = {0}, before = {0};
    struct idmap now_index = {0}, before_index = {0};
    enum status status = request_functions(s, r->range, &o->filter, r->arena, &now, e);

    if (status == OK && !o->no_compare)
        status = request_functions(s, r->before, &o->filter, r->arena, &before, e);
    const struct standing_idle_request q = {o->cost, r->range, &o->filter};
    if (status == OK)
        status = standing_idle_load(s, &q, r->arena, &idle, e);
    index_rows(&now_index, &now);
    index_rows(&before_index, &before);
    r->lines = arena_new(r->arena, struct fn_line, now.n + 1);
    for (size_t i = 0; status == OK && i < now.n; i++)
        standing_complete(&idle, &now.rows[i]);
    for (size_t i = 0; status == OK && i < now.n; i++)
        if ((status = add_line(r, &now.rows[i], find_row(&before, &before_index, &now.rows[i]),
                               e)) == OK)
            status = add_standing(r, &now.rows[i], e);
    if (status == OK)
        status = add_idle(r, &idle, e);
    if (status == OK)
        status = add_gone(r, &before, &now_index, e);
    idmap_clear(&now_index);
    idmap_clear(&before_index);
    if (r->n > 1)
        qsort(r->lines, r->n, sizeof(*r->lines), compare_lines);
    r->has_before = r->total_before.n > 0;
    return status;
}

/* Metrics know most; some providers write refused calls down as invocations. */
static enum status load_throttles(struct store *s, struct report_data *r, struct err *e)
{
    const uint64_t written = r->total.outcome[OUTCOME_THROTTLED];
    enum status status =
        throttles_load(s, r->range, &r->options->filter, r->arena, &r->throttles, e);

    r->throttles.n = written > r->throttles.n ? written : r->throttles.n;
    return status;
}

static enum status load_series(struct store *s, struct report_data *r, struct err *e)
{
    int64_t span = r->range.until_ns - r->range.since_ns;
    int64_t step = span <= HOURLY_UP_TO_NS ? NS_PER_HOUR : NS_PER_DAY;
    struct series_request q = {.range = r->range, .step_ns = step, .fn = r->options->filter};

    return request_series(s, &q, r->arena, &r->series, e);
}

/* The last event, and as long again as one takes to come after another: few are not over because
 * the next has not come yet. */
static enum status expected_end(struct store *s, const struct report_data *r, int64_t *end_ns,
                                struct err *e)
{
    const int64_t last_ns = r->status.last_ns;
    struct series_request q = {.range = r->range, .step_ns = NS_PER_DAY};
    struct series all;
    int64_t n = 0;

    if (request_series(s, &q, r->arena, &all, e) != OK)
        return err_wrap(e, "the end of the data");
    for (size_t i = 0; i < all.n; i++)
        n += (int64_t)all.points[i].n;
    *end_ns = last_ns + 1 + (last_ns - r->range.since_ns) / (n > 0 ? n : 1);
    return OK;
}

/* Sources that were read to the end say that nothing more came; of exports only their last event
 * does. An hour is left, as nights may be quiet. */
static enum status find_seen(struct store *s, struct report_data *r, struct err *e)
{
    const struct ingest_status *st = &r->status;
    int64_t end_ns = r->range.until_ns;

    r->seen = r->range;
    if (st->first_ns > r->range.since_ns + NS_PER_HOUR && st->first_ns < r->range.until_ns)
        r->seen.since_ns = st->first_ns;
    if (r->gaps.n == 0 && r->gaps.n_whole > 0)
        end_ns = r->options->now_ns;
    else if (st->last_ns >= r->range.since_ns && st->last_ns < r->range.until_ns) {
        if (expected_end(s, r, &end_ns, e) != OK)
            return e->code;
    }
    if (end_ns > r->seen.since_ns && end_ns < r->range.until_ns - NS_PER_HOUR)
        r->seen.until_ns = end_ns;
    return OK;
}

/* A day is compared with the same weekday, or with the day before while that weekday is not stored;
 * more with as much in front of it. Only what the store holds whole can be compared with, but for
 * an hour, as nights may begin quietly; empty: nothing is. */
static struct range range_before(struct range r, int64_t seen_until_ns, int64_t first_ns)
{
    const int64_t span = r.until_ns - r.since_ns;
    const int64_t backs[] = {span > NS_PER_DAY ? span : 7 * NS_PER_DAY,
                             span > NS_PER_DAY ? span : NS_PER_DAY};

    for (size_t i = 0; i < ARRAY_LEN(backs); i++)
        if (r.since_ns - backs[i] + NS_PER_HOUR >= first_ns)
            return (struct range){r.since_ns - backs[i], seen_until_ns - backs[i]};
    return (struct range){r.since_ns, r.since_ns};
}

static enum status on_environment(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                  struct err *e)
{
    struct report_data *r = ctx;

    UNUSED(e);
    deployments_see(&r->deployments, r->arena, fn_id, inv);
    return OK;
}

/* Those of the day in front only say what ran before. */
static void keep_own(struct report_data *r)
{
    struct deployments *d = &r->deployments;
    size_t kept = 0;

    for (size_t i = 0; i < d->n; i++)
        if (d->rows[i].at_ns >= r->range.since_ns)
            d->rows[kept++] = d->rows[i];
    d->n = kept;
}

/* A new version begins with an environment of its own: those few attempts tell. */
static enum status load_deployments(struct store *s, struct report_data *r, struct err *e)
{
    const struct inv_request q = {.range = {r->range.since_ns - NS_PER_DAY, r->range.until_ns},
                                  .fn = r->options->filter,
                                  .start_mask = ~(1u << START_WARM)};
    enum status status = request_scan(s, &q, on_environment, r, e);

    keep_own(r);
    if (status == OK)
        deployments_judge(&r->deployments, &r->incidents);
    return status;
}

/* What a collector knows besides invocations. */
static enum status load_live(struct store *s, struct report_data *r, struct err *e)
{
    const struct subject_filter subjects = {.of = r->options->filter};
    const struct source_gap_request gaps = {r->options->filter, r->range, r->options->now_ns};
    enum status status = request_episodes(s, r->range, &subjects, r->arena, &r->episodes, e);

    if (status == OK)
        status = request_queues(s, &r->options->filter, r->arena, &r->queues, e);
    if (status == OK)
        status = source_gaps_load(s, &gaps, r->arena, &r->gaps, e);
    return status == OK
               ? reconcile_load(s, r->range, &r->options->filter, r->arena, &r->reconcile, e)
               : status;
}

bool report_ends_early(const struct report_data *r)
{
    return r->seen.until_ns < r->range.until_ns;
}

int64_t report_last(const struct report_data *r)
{
    return r->status.last_ns < r->seen.until_ns ? r->status.last_ns : r->seen.until_ns;
}

enum status report_load(struct store *s, const struct report_options *o, struct arena *a,
                        struct report_data *out, struct err *e)
{
    struct report_data r = {.arena = a, .options = o, .range = o->range, .prices = {.arena = a}};
    const struct incident_request incidents = {&o->range, &o->filter, INCIDENTS_SHOWN};
    struct error_request errors = {.range = o->range, .fn = o->filter, .limit = ERRORS_SHOWN};

    enum status status = request_status(s, a, &r.status, e);
    if (status == OK)
        status = load_live(s, &r, e);
    if (status == OK)
        status = find_seen(s, &r, e);
    r.before = range_before(o->range, r.seen.until_ns, r.status.first_ns);
    if (status == OK)
        status = load_functions(s, &r, e);
    if (status == OK)
        status = request_errors(s, &errors, a, &r.errors, e);
    if (status == OK)
        status = incidents_load(s, &incidents, a, &r.incidents, e);
    if (status == OK)
        status = load_throttles(s, &r, e);
    if (status == OK)
        status = load_deployments(s, &r, e);
    if (status == OK)
        status = load_series(s, &r, e);
    if (r.currency.n == 0)
        r.currency = STR("USD");
    if (status == OK)
        status = outlook_load(s, &r, e);
    r.price_date = o->cost->book ? pricebook_date(o->cost->book, PROVIDER_AWS) : (struct str){0};
    if (status != OK) {
        stats_clear(&r.total);
        stats_clear(&r.total_before);
        return status;
    }
    *out = r;
    return OK;
}
