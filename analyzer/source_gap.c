/* Which sources leave a gap in a range, and how it is told. */
#include "analyzer/analyzer.h"

#include "core/base/timefmt.h"

#define GOES_ON_NS NS_PER_MIN        /* a range that ends so close to now goes on */
#define FAILING_NS NS_PER_MIN        /* single failures are tried again within that */
#define SILENT_NS  (10 * NS_PER_MIN) /* longer than the pause between two polls */

bool source_has_gap(const struct source_status *s, struct range r, int64_t now_ns)
{
    const bool is_over = r.until_ns < now_ns - GOES_ON_NS;
    const int64_t end_ns = r.until_ns < now_ns ? r.until_ns : now_ns;
    const int64_t allowed_ns = is_over ? 0 : s->failures > 0 ? FAILING_NS : SILENT_NS;

    if (s->success_ns == 0)
        return s->failures > 0 || s->tried_ns < end_ns - allowed_ns;
    return s->success_ns < end_ns - allowed_ns;
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
        if (!source_has_gap(row, q->range, q->now_ns)) {
            gaps.n_whole++;
            continue;
        }
        gaps.rows[gaps.n++] =
            (struct source_gap){row->name, row->error, row->success_ns, row->failures > 0};
    }
    *out = gaps;
    return OK;
}

struct str source_gap_text(const struct source_gap *g, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 1024};

    buf_addf(&b, "source " STR_FMT, STR_ARG(g->name));
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
    return g->is_failing ? STR("what it had to tell is missing until it answers, or is taken out "
                               "of the configuration")
                         : STR("what came since is missing: is a collector running?");
}
