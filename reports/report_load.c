/* Loads everything a report says from the store. */
#include "core/base/timefmt.h"
#include "reports/report_data.h"

#define ERRORS_SHOWN    ((size_t)25)
#define INCIDENTS_SHOWN ((size_t)10)
#define HOURLY_UP_TO_NS (8 * NS_PER_DAY)

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

struct billed_in {
    const struct report_options *options;
    struct str currency;
};

static bool is_billed_in(const void *ctx, const struct fn_ref *fn)
{
    const struct billed_in *b = ctx;

    return str_eq(cost_currency(b->options->cost, fn, b->options->range.until_ns - 1), b->currency);
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
                                  .start_mask = ~(1u << START_WARM),
                                  .names_pass = true};
    enum status status = request_scan(s, &q, on_environment, r, e);

    keep_own(r);
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

struct str currency_of(const struct report_data *r, const struct fn_ref *fn)
{
    return r->n_parts == 0 ? r->currency
                           : cost_currency(r->options->cost, fn, r->options->range.until_ns - 1);
}

enum status report_load_parts(struct store *s, struct report_data *r, struct err *e)
{
    if (r->n_currencies < 2)
        return OK;
    r->parts = arena_new(r->arena, struct report_data, r->n_currencies);
    for (size_t i = 0; i < r->n_currencies; i++) {
        struct billed_in *in = arena_new(r->arena, struct billed_in, 1);
        struct report_options *o = arena_new(r->arena, struct report_options, 1);
        *in = (struct billed_in){r->options, r->currencies[i]};
        *o = *r->options;
        o->filter.test = is_billed_in;
        o->filter.test_ctx = in;
        if (report_load(s, o, r->arena, &r->parts[i], e) != OK)
            return err_wrap(e, "functions billed in " STR_FMT, STR_ARG(in->currency));
        r->n_parts++;
    }
    return OK;
}

enum status report_load(struct store *s, const struct report_options *o, struct arena *a,
                        struct report_data *out, struct err *e)
{
    struct report_data r = {.arena = a, .options = o, .range = o->range, .prices = {.arena = a}};
    const struct incident_request incidents = {&o->range, &o->filter, INCIDENTS_SHOWN};
    struct error_request errors = {.range = o->range, .fn = o->filter, .limit = ERRORS_SHOWN};

    enum status status = load_deployments(s, &r, e);
    if (status == OK)
        status = request_status(s, a, &r.status, e);
    if (status == OK)
        status = request_places(s, &r.places, e);
    if (status == OK)
        status = load_live(s, &r, e);
    if (status == OK)
        status = find_seen(s, &r, e);
    r.before = range_before(o->range, r.seen.until_ns, r.status.first_ns);
    if (status == OK)
        status = report_load_functions(s, &r, e);
    if (status == OK)
        status = request_errors(s, &errors, a, &r.errors, e);
    if (status == OK)
        status = incidents_load(s, &incidents, a, &r.incidents, e);
    if (status == OK)
        status = load_throttles(s, &r, e);
    if (status == OK)
        deployments_judge(&r.deployments, &r.incidents);
    if (status == OK)
        status = load_series(s, &r, e);
    if (r.currency.n == 0)
        r.currency = STR("USD");
    if (status == OK)
        status = outlook_load(s, &r, e);
    r.price_date = o->cost->book ? pricebook_date(o->cost->book, PROVIDER_AWS) : (struct str){0};
    if (status != OK) {
        report_clear(&r);
        return status;
    }
    *out = r;
    return OK;
}
