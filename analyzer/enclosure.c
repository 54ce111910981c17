/* Lines of one request that lie inside another's, or are told by another export of the same log. */
#include <assert.h>
#include <stdlib.h>

#include "analyzer/assembly.h"
#include "core/base/clock.h"

/* How far the times of START and REPORT may be off. */
#define CLOCK_SLACK_NS (100 * NS_PER_MS)

/* Times in whole seconds, as `aws logs tail --format short` writes them, are off by up to one. */
static int64_t clock_slack(const struct piece *a, const struct piece *b)
{
    return a->t_ns % NS_PER_SEC == 0 && b->t_ns % NS_PER_SEC == 0 ? NS_PER_SEC : CLOCK_SLACK_NS;
}

/* No rule of the provider's bills more: before 2020-12 it rounded up to 100 ms. */
static bool is_overbilled(const struct piece *report)
{
    return report->billed_ns - report->duration_ns - report->init_ns - report->restore_ns >
           CLOCK_SLACK_NS;
}

bool report_is_possible(const struct piece *report, const struct piece *start)
{
    return !is_overbilled(report) &&
           (report->is_time_guessed || start->is_time_guessed ||
            report->t_ns - start->t_ns + clock_slack(report, start) >= report->duration_ns);
}

/* Its first START, its last REPORT. */
struct marks {
    const struct piece *start, *report;
    bool has_end;
};

static struct marks marks_of(const struct pieces *p, const struct attempt *at)
{
    struct marks m = {0};

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        m.start = x->kind == PIECE_START && !m.start ? x : m.start;
        m.report = x->kind == PIECE_REPORT ? x : m.report;
        m.has_end = m.has_end || x->kind == PIECE_END;
    }
    return m;
}

bool attempt_is_suspect(const struct pieces *p, const struct attempt *at)
{
    const struct marks m = marks_of(p, at);

    return !m.start || !m.report || !report_is_possible(m.report, m.start);
}

struct range attempt_claim(const struct pieces *p, const struct attempt *at)
{
    const struct marks m = marks_of(p, at);

    if (m.start || !m.report || !(m.report->has & PH_BILLED))
        return (struct range){0};
    const int64_t since_ns = report_begin(m.report);
    const int64_t slack_ns = clock_slack(m.report, m.report);
    return since_ns + slack_ns < m.report->t_ns
               ? (struct range){since_ns + slack_ns, m.report->t_ns}
               : (struct range){0};
}

/* Of one time may also be what a shipper read at once. */
static bool is_too_short(const struct marks *m)
{
    return m->start->t_ns < m->report->t_ns && !m->start->is_time_borrowed &&
           !m->report->is_time_borrowed && !report_is_possible(m->report, m->start);
}

/* What it measured began behind the printer's START, so that its own START would stand there, and
 * the END that the text format writes with every REPORT is missing, where the printer has one. Of
 * two lines lost of one request nothing else is known: exports of live logs miss lines of streams
 * that come late, but END and REPORT come together. */
static bool lacks_its_lines(const struct marks *m, const struct pieces *printer)
{
    const struct piece *start = NULL;
    bool has_end = false;

    for (size_t i = 0; i < printer->n; i++) {
        const struct piece *x = &printer->rows[i];
        has_end = has_end || x->kind == PIECE_END;
        start = x->kind == PIECE_START && x->t_ns < m->report->t_ns ? x : start;
    }
    return !m->has_end && m->report->status.n == 0 && has_end && start &&
           report_lag(m->report, start->t_ns) > clock_slack(m->report, start);
}

bool attempt_is_refuted(const struct pieces *p, const struct attempt *at,
                        const struct pieces *printer)
{
    const struct marks m = marks_of(p, at);

    if (!m.report)
        return !m.start; /* a line that only mentions a request makes none */
    if (is_overbilled(m.report))
        return true;
    return m.start ? is_too_short(&m) : lacks_its_lines(&m, printer);
}

static bool measures(const struct piece *report, const struct piece *start)
{
    int64_t between_ns = report->t_ns - start->t_ns;

    return (report->has & PH_BILLED) && !report->is_time_guessed && !start->is_time_guessed &&
           between_ns <= LONGEST_RUN_NS &&
           between_ns + clock_slack(report, start) >= report->duration_ns &&
           between_ns <= report->duration_ns + report->init_ns + report->restore_ns + REPORT_LAG_NS;
}

static bool attempt_encloses(const struct pieces *p, const struct attempt *at, int64_t first_ns,
                             int64_t last_ns)
{
    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *start = &p->rows[i];
        if (start->kind != PIECE_START || start->t_ns >= first_ns)
            continue;
        for (size_t k = i + 1; k < at->to; k++) {
            const struct piece *report = &p->rows[k];
            if (report->kind == PIECE_REPORT && report->t_ns > last_ns && measures(report, start))
                return true;
        }
    }
    return false;
}

enum { MAX_PLAIN_RUNS = 64 }; /* attempts of another request that are looked at */

bool pieces_enclose(const struct pieces *p, int64_t first_ns, int64_t last_ns)
{
    struct attempt attempts[MAX_PLAIN_RUNS];

    if (p->n == 0 || p->rows[0].t_ns >= first_ns || p->rows[p->n - 1].t_ns <= last_ns)
        return false; /* by the order of pieces: this is asked of every request in memory */
    const size_t n = pieces_attempts(p, attempts, MAX_PLAIN_RUNS);
    for (size_t i = 0; i < n; i++)
        if (attempt_encloses(p, &attempts[i], first_ns, last_ns))
            return true;
    return false;
}

bool attempt_is_unbilled(const struct pieces *p, const struct attempt *at)
{
    bool has_report = false;

    for (size_t i = at->from; i < at->to; i++) {
        has_report = has_report || p->rows[i].kind == PIECE_REPORT;
        if (p->rows[i].kind == PIECE_REPORT && (p->rows[i].has & PH_BILLED))
            return false;
    }
    return has_report;
}

struct range pieces_span(const struct pieces *p)
{
    return p->n > 0 ? (struct range){p->rows[0].t_ns, p->rows[p->n - 1].t_ns} : (struct range){0};
}

struct range pieces_reach(const struct pieces *p)
{
    const struct range span = pieces_span(p);
    size_t i = 0;

    while (i < p->n && p->rows[i].kind != PIECE_REPORT && p->rows[i].kind != PIECE_START)
        i++;
    if (i == p->n || p->rows[i].kind == PIECE_START)
        return span;
    return range_hull(span, (struct range){report_begin(&p->rows[i]), p->rows[i].t_ns + 1});
}

struct range range_hull(struct range x, struct range y)
{
    return (struct range){x.since_ns < y.since_ns ? x.since_ns : y.since_ns,
                          x.until_ns > y.until_ns ? x.until_ns : y.until_ns};
}

bool range_lies_within(const struct range *inner, const struct range *outer)
{
    return outer->since_ns < inner->since_ns && inner->until_ns < outer->until_ns;
}

bool pieces_say(const struct pieces *p, const struct piece *piece)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->rows[i].kind == piece->kind && piece_measures_as(&p->rows[i], piece) &&
            str_eq(p->rows[i].status, piece->status) &&
            str_eq(p->rows[i].error_type, piece->error_type))
            return true;
    return false;
}

static bool is_reported_by(const struct piece *report, const struct pieces *other)
{
    for (size_t i = 0; i < other->n; i++) {
        const struct piece *y = &other->rows[i];
        if (y->kind == PIECE_REPORT && piece_measures_as(report, y) &&
            (report->is_time_guessed ||
             llabs(report->t_ns - y->t_ns) <= NS_PER_SEC + report->duration_ns))
            return true;
    }
    return false;
}

/* Whether one of the other's attempts ran then. */
static bool lies_in_attempt(const struct range *own, const struct pieces *other)
{
    struct attempt attempts[MAX_PLAIN_RUNS];
    size_t n = other->n > 0 ? pieces_attempts(other, attempts, MAX_PLAIN_RUNS) : 0;

    for (size_t i = 0; i < n; i++)
        if (own->since_ns >= other->rows[attempts[i].from].t_ns - NS_PER_SEC &&
            own->until_ns <= other->rows[attempts[i].to - 1].t_ns + NS_PER_SEC)
            return true;
    return false;
}

bool attempt_is_told_by(const struct pieces *p, const struct attempt *at,
                        const struct pieces *other)
{
    const struct range own = {p->rows[at->from].t_ns, p->rows[at->to - 1].t_ns};
    bool has_report = false;

    for (size_t i = at->from; i < at->to; i++) {
        if (p->rows[i].kind != PIECE_REPORT)
            continue;
        has_report = true;
        if (is_reported_by(&p->rows[i], other))
            return true;
    }
    return !has_report && lies_in_attempt(&own, other);
}

static bool says_time(const struct piece *x)
{
    return !x->is_time_borrowed && !x->is_time_guessed;
}

static bool is_measured_beside(const struct pieces *p, const struct attempt *at,
                               const struct piece *report)
{
    for (size_t i = 0; i < p->n; i++)
        if ((i < at->from || i >= at->to) && p->rows[i].kind == PIECE_REPORT &&
            says_time(&p->rows[i]) && piece_measures_as(&p->rows[i], report))
            return true;
    return false;
}

bool attempt_is_echo(const struct pieces *p, const struct attempt *at)
{
    const struct piece *report = NULL;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        if (says_time(x) && (x->kind == PIECE_START || x->kind == PIECE_REPORT))
            return false;
        report = x->kind == PIECE_REPORT ? x : report;
    }
    return report != NULL && report->is_time_borrowed && is_measured_beside(p, at, report);
}

/* START and REPORT of the attempt, if it has one of each and they agree as they do where nobody
 * printed either. */
bool attempt_plain_run(const struct pieces *p, const struct attempt *at, struct range *run)
{
    const struct piece *start = NULL, *report = NULL;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        if ((x->kind == PIECE_START && start) || (x->kind == PIECE_REPORT && report))
            return false;
        start = x->kind == PIECE_START ? x : start;
        report = x->kind == PIECE_REPORT ? x : report;
    }
    if (!start || !report || !measures(report, start) || !report_is_of_run(report, start->t_ns))
        return false;
    *run = (struct range){start->t_ns, report->t_ns};
    return true;
}

size_t attempt_measured_runs(const struct pieces *p, const struct attempt *at, struct range *out)
{
    size_t n = 0;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *start = &p->rows[i], *last = NULL;
        for (size_t k = i + 1; start->kind == PIECE_START && k < at->to; k++)
            if (p->rows[k].kind == PIECE_REPORT && measures(&p->rows[k], start))
                last = &p->rows[k];
        if (last)
            out[n++] = (struct range){start->t_ns, last->t_ns};
    }
    return n;
}
