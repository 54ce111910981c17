/* Where the pieces of a request are cut into attempts. A function of the set of pieces, as all of
 * assembly.c is. */
#include <assert.h>

#include "analyzer/assembly.h"
#include "core/base/clock.h"

/* What the attempt at hand has already. */
struct progress {
    bool has_start, has_report;
    bool is_whole; /* a REPORT measured just this run */
    bool has_end;
    bool is_guessed;                     /* so far */
    int64_t start_ns, report_ns, end_ns; /* end_ns: of the first */
    const struct piece *report;
};

static int64_t measured_from(const struct piece *report)
{
    return report->is_time_guessed ? report->t_ns : report->t_ns - report->duration_ns;
}

int64_t report_begin(const struct piece *report)
{
    int64_t earliest_ns = report->t_ns - LONGEST_RUN_NS, start_ns = measured_from(report);

    return start_ns > earliest_ns ? start_ns : earliest_ns;
}

int64_t report_lag(const struct piece *report, int64_t start_ns)
{
    return measured_from(report) - report->init_ns - report->restore_ns - start_ns;
}

/* How much later than its run's START what a REPORT measured may begin; times in whole seconds are
 * off by up to one. */
static int64_t run_slack(const struct piece *report, int64_t start_ns)
{
    const bool is_coarse = report->t_ns % NS_PER_SEC == 0 && start_ns % NS_PER_SEC == 0;

    return RUN_SLACK_NS + (is_coarse ? NS_PER_SEC : 0);
}

bool report_is_of_run(const struct piece *report, int64_t start_ns)
{
    const int64_t slack_ns = run_slack(report, start_ns);

    return report_lag(report, start_ns) <= slack_ns && measured_from(report) >= start_ns - slack_ns;
}

static void note(struct progress *g, const struct piece *p)
{
    const bool is_first = !g->has_start || (g->is_guessed && !p->is_time_guessed);

    if (p->kind == PIECE_START && is_first) {
        g->has_start = true;
        g->start_ns = p->t_ns;
    }
    if ((p->kind == PIECE_END || p->kind == PIECE_RUNTIME_DONE) && !g->has_end) {
        g->has_end = true;
        g->end_ns = p->t_ns;
    }
    if (p->kind == PIECE_REPORT) {
        g->is_whole = g->is_whole || (g->has_start && report_is_of_run(p, g->start_ns));
        g->has_report = true;
        g->report_ns = p->t_ns;
        g->report = p;
    }
    g->is_guessed = g->is_guessed && p->is_time_guessed;
}

bool piece_measures_as(const struct piece *x, const struct piece *y)
{
    return x->duration_ns == y->duration_ns && x->billed_ns == y->billed_ns &&
           x->init_ns == y->init_ns && x->restore_ns == y->restore_ns &&
           x->memory_bytes == y->memory_bytes && x->max_memory_bytes == y->max_memory_bytes;
}

/* The run that this REPORT measured began with the attempt's START: whatever stands in between was
 * printed by the function. A retry may come at once, in the same environment: its REPORT measures
 * from after the end of a whole run, or after an END, on, where that of the run itself, with a
 * REPORT forged in its midst, measures from its START on. */
static bool covers(const struct piece *report, const struct progress *g)
{
    if (report->kind != PIECE_REPORT || !g->has_start)
        return false;
    int64_t lag_ns = report_lag(report, g->start_ns);
    bool is_behind = g->is_whole ? measured_from(report) >= g->report_ns
                                 : g->has_end && measured_from(report) >= g->end_ns;
    bool is_retry = is_behind && lag_ns > run_slack(report, g->start_ns);
    return lag_ns <= REPORT_LAG_NS && !is_retry;
}

static bool is_covered(const struct pieces *p, size_t from, const struct progress *g)
{
    for (size_t i = from; i < p->n; i++)
        if (covers(&p->rows[i], g))
            return true;
    return false;
}

static bool is_measured(const struct pieces *p, size_t from, int64_t start_ns)
{
    for (size_t i = from; i < p->n; i++)
        if (p->rows[i].kind == PIECE_REPORT && report_is_of_run(&p->rows[i], start_ns))
            return true;
    return false;
}

/* A START whose run a later REPORT measured, as none measured that of the START before: the REPORT
 * of that one is lost. */
static bool is_next_run(const struct pieces *p, size_t at, const struct progress *g)
{
    return p->rows[at].kind == PIECE_START && g->has_start && !g->is_whole &&
           !is_measured(p, at, g->start_ns) && is_measured(p, at, p->rows[at].t_ns);
}

static bool begins_timed(const struct progress *g, const struct pieces *p, size_t i)
{
    const struct piece *at = &p->rows[i];
    bool is_report = at->kind == PIECE_REPORT;

    if ((!is_report && at->kind != PIECE_START) || (!g->has_start && !g->has_report) ||
        (is_covered(p, i, g) && !is_next_run(p, i, g)))
        return false;
    if (is_report && g->has_report && piece_measures_as(g->report, at) &&
        at->t_ns - g->report_ns <= REPORT_LAG_NS)
        return false; /* no START in between: written twice */
    int64_t start_ns = is_report ? measured_from(at) : at->t_ns;
    return !(g->has_start && start_ns <= g->start_ns) &&
           !(g->has_report && start_ns <= g->report_ns);
}

static bool begins_attempt(const struct progress *g, const struct pieces *p, size_t i)
{
    if (p->rows[i].is_time_guessed)
        return guessed_begins(p, i, g->report);
    return (!g->is_guessed || g->has_report) && begins_timed(g, p, i);
}

/* Where the attempt begins whose first START or REPORT stands at i: what else was said while a
 * REPORT measured is its own, as its END is. */
static size_t first_of(const struct pieces *p, size_t after, size_t i)
{
    const struct piece *at = &p->rows[i];

    if (at->kind != PIECE_REPORT)
        return i;
    while (i - 1 > after && p->rows[i - 1].kind != PIECE_START &&
           p->rows[i - 1].kind != PIECE_REPORT && p->rows[i - 1].t_ns >= measured_from(at))
        i--;
    return i;
}

size_t pieces_attempts(const struct pieces *p, struct attempt *out, size_t max)
{
    struct progress g = {.is_guessed = true};
    size_t n = 0;

    assert(max > 0 && p->n > 0);
    out[n++] = (struct attempt){0, p->n};
    for (size_t i = 0; i < p->n; i++) {
        if (n < max && begins_attempt(&g, p, i)) {
            const size_t first = first_of(p, out[n - 1].from, i);
            out[n - 1].to = first;
            out[n++] = (struct attempt){first, p->n};
            g = (struct progress){.is_guessed = true};
        }
        if (!p->rows[i].is_time_guessed || guessed_counts(p, i))
            note(&g, &p->rows[i]);
    }
    return n;
}

int64_t attempt_start(const struct pieces *p, const struct attempt *at)
{
    const struct guessed_at own = guessed_instant(p, at);
    int64_t start_ns = p->rows[at->from].t_ns;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        if (guessed_is_echo(x, &own))
            continue;
        if (x->kind == PIECE_START)
            return x->t_ns;
        if (x->kind == PIECE_REPORT)
            start_ns = x->is_time_guessed ? guessed_begin(p, at, x) : report_begin(x);
    }
    return start_ns;
}
