/* Which sources leave a gap in a range, and how it is told. */
#include "analyzer/analyzer.h"

#include "core/base/timefmt.h"
#include "core/store/store.h"

#define GOES_ON_NS NS_PER_MIN        /* a range that ends so close to now goes on */
#define FAILING_NS NS_PER_MIN        /* single failures are tried again within that */
#define SILENT_NS  (10 * NS_PER_MIN) /* longer than the pause between two polls */

static bool is_over(struct range r, int64_t now_ns)
{
    return r.until_ns < now_ns - GOES_ON_NS;
}

bool source_has_gap(const struct source_status *s, struct range r, int64_t now_ns)
{
    const int64_t end_ns = r.until_ns < now_ns ? r.until_ns : now_ns;
    const int64_t allowed_ns = is_over(r, now_ns) ? 0 : s->failures > 0 ? FAILING_NS : SILENT_NS;

    if (s->success_ns == 0)
        return s->failures > 0 || s->tried_ns < end_ns - allowed_ns;
    return s->success_ns < end_ns - allowed_ns;
}

/* The parts that wait for the budget of the day that now is. */
static struct str capped_parts(const struct source_status *s, const struct source_gap_request *q,
                               struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 512};
    const bool is_today = s->tried_ns / NS_PER_DAY == q->now_ns / NS_PER_DAY;

    for (size_t i = 0; s->is_capped && is_today && !is_over(q->range, q->now_ns) && i < s->n_parts;
         i++)
        if (source_part_is_capped(&s->parts[i]))
            buf_addf(&b, "%s" STR_FMT, b.n > 0 ? ", " : "", STR_ARG(s->parts[i].name));
    return arena_str(a, buf_str(&b));
}

/* Up to when a source that reads in part has read all; INT64_MAX: it reads all, or the range ended
 * before. */
static int64_t partial_since(const struct source_status *s, struct range r)
{
    const struct source_part *logs = source_find_part(s, SOURCE_PART_LOGS);

    return source_is_partial(s) && logs && logs->round_ns < r.until_ns ? logs->round_ns : INT64_MAX;
}

/* Before its first answer a source does not know its account. */
static bool passes(const struct fn_filter *f, const struct source_status *s)
{
    const struct fn_filter known = {
        .region = s->region.n > 0 ? f->region : (struct str){0},
        .account = s->account.n > 0 ? f->account : (struct str){0},
    };
    const struct fn_ref of = {.account = s->account, .region = s->region};

    return fn_filter_passes(&known, &of);
}

enum status source_gaps_load(struct store *s, const struct source_gap_request *q, struct arena *a,
                             struct source_gaps *out, struct err *e)
{
    struct source_gaps gaps = {0};
    struct source_rows sources;
    enum status status = request_sources(s, a, &sources, e);

    if (status != OK)
        return status;
    gaps.rows = arena_new(a, struct source_gap, sources.n + 1);
    for (size_t i = 0; i < sources.n; i++) {
        const struct source_status *row = &sources.rows[i];
        if (!passes(&q->filter, row))
            continue;
        const bool is_gap = source_has_gap(row, q->range, q->now_ns);
        const bool is_told = !is_gap || source_rests(row); /* the budget is all there is to tell */
        const struct str capped = is_told ? capped_parts(row, q, a) : (struct str){0};
        const int64_t since_ns = partial_since(row, q->range);
        const bool is_partial = !is_gap && since_ns < INT64_MAX;
        if (!is_gap && !is_partial && capped.n == 0) {
            gaps.n_whole++;
            continue;
        }
        gaps.rows[gaps.n++] =
            (struct source_gap){.name = row->name,
                                .error = row->error,
                                .read_ns = is_partial ? since_ns : row->success_ns,
                                .is_failing = row->failures > 0,
                                .is_partial = is_partial,
                                .capped = is_partial ? (struct str){0} : capped,
                                .cap = row->cost_cap};
    }
    *out = gaps;
    return OK;
}

struct str source_gap_text(const struct source_gap *g, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};

    buf_addf(&b, "source " STR_FMT, STR_ARG(g->name));
    if (g->capped.n > 0) {
        buf_add_z(&b, " has spent its budget of ");
        money_format_short(&b, g->cap, STR("USD"));
        buf_addf(&b, " a day: not read until midnight UTC: " STR_FMT, STR_ARG(g->capped));
        return arena_str(a, buf_str(&b));
    }
    if (g->is_partial) {
        buf_addf(&b, " is not read whole: " STR_FMT, STR_ARG(g->error));
        return arena_str(a, buf_str(&b));
    }
    if (g->read_ns == 0) {
        buf_add_z(&b, " was never read whole");
    } else {
        buf_add_z(&b, " was read only up to ");
        time_format(&b, g->read_ns, 0);
    }
    if (g->error.n > 0)
        buf_addf(&b, " (" STR_FMT ")", STR_ARG(g->error));
    return arena_str(a, buf_str(&b));
}

struct str source_gap_remedy(const struct source_gap *g)
{
    if (g->capped.n > 0)
        return STR("give it a larger budget: or longer pauses (queues_every:, metrics_every:); "
                   "fnscope collect --plan says what a day of it costs");
    if (g->is_partial)
        return STR("allow it (README has the policy; keys need kms:Decrypt), or leave it out by "
                   "log_groups:, "
                   "queues: or collect: in the configuration; all else is read");
    return g->is_failing ? STR("what it had to tell is missing until it answers, or is taken out "
                               "of the configuration")
                         : STR("what came since is missing; a collector that runs reads it");
}

/* --- nobody reads --- */

enum status watch_gap_load(struct store *s, int64_t now_ns, struct arena *a, struct str *out,
                           struct err *e)
{
    static const char *const says[] = {
        [COLLECTOR_NONE] = "no collector runs",
        [COLLECTOR_KILLED] = "no collector runs, the last one was killed",
        [COLLECTOR_HOLDS] = "the collector cannot write",
        [COLLECTOR_AT_WORK] = NULL,
    };
    const enum collector_state c = store_collector(s);
    AUTO(buf_clear) struct buf b = {.max = 256};
    struct source_rows sources;
    struct ingest_status st;

    *out = (struct str){0};
    if (says[c] == NULL)
        return OK;
    enum status status = request_sources(s, a, &sources, e);
    if (status == OK && sources.n > 0)
        status = request_status(s, a, &st, e);
    if (status != OK || sources.n == 0)
        return status;
    buf_add_z(&b, says[c]);
    if (st.last_commit_ns > 0 && now_ns - st.last_commit_ns >= NS_PER_SEC) {
        buf_add_z(&b, ": nothing was stored for ");
        duration_format(&b, (now_ns - st.last_commit_ns) / NS_PER_SEC * NS_PER_SEC);
    }
    *out = arena_str(a, buf_str(&b));
    return OK;
}
