/* Attempts of text without times. The time of its file stands in, and one run's lines stand in one
 * instant of it (collector/stand_in.h), which moves where a copy is read or a run lies over two
 * files. So it is REPORTs that tell attempts apart there, by what they measured; all other lines
 * are of the REPORT in their instant, or of one that has none of its own. */
#include "analyzer/assembly.h"

static bool is_same_or_none(int64_t x, int64_t y)
{
    return x == 0 || x == y;
}

/* Whether it is the beginning of the other: a line that was read while it was being written. */
static bool is_part_of(const struct piece *x, const struct piece *y)
{
    return (x->has & y->has) == x->has && x->has != y->has &&
           is_same_or_none(x->duration_ns, y->duration_ns) &&
           is_same_or_none(x->billed_ns, y->billed_ns) &&
           is_same_or_none((int64_t)x->memory_bytes, (int64_t)y->memory_bytes) &&
           is_same_or_none((int64_t)x->max_memory_bytes, (int64_t)y->max_memory_bytes);
}

/* One that says its time measured the same, or another the same and more. */
static bool is_told(const struct pieces *p, const struct piece *report)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct piece *x = &p->rows[i];
        if (x->kind == PIECE_REPORT &&
            (is_part_of(report, x) || (!x->is_time_guessed && piece_measures_as(x, report))))
            return true;
    }
    return false;
}

bool guessed_counts(const struct pieces *p, size_t i)
{
    return p->rows[i].kind != PIECE_REPORT || !is_told(p, &p->rows[i]);
}

/* Whether the next REPORT is this START's. */
static bool has_report(const struct pieces *p, size_t start)
{
    for (size_t i = start + 1; i < p->n; i++) {
        const struct piece *x = &p->rows[i];
        if (x->kind == PIECE_REPORT && x->is_time_guessed && guessed_counts(p, i))
            return true;
        if (x->kind == PIECE_START && x->is_time_guessed)
            return false;
    }
    return false;
}

bool guessed_begins(const struct pieces *p, size_t i, const struct piece *report)
{
    const struct piece *at = &p->rows[i];

    if (!report)
        return false;
    if (at->kind == PIECE_START)
        return has_report(p, i);
    return at->kind == PIECE_REPORT && guessed_counts(p, i) && !piece_measures_as(report, at);
}

/* The REPORT that counts; NULL: there is none. */
static const struct piece *report_of(const struct pieces *p, const struct attempt *at)
{
    const struct piece *report = NULL;

    for (size_t i = at->from; i < at->to; i++) {
        const struct piece *x = &p->rows[i];
        if (x->kind == PIECE_REPORT && (!x->is_time_guessed || (!report && guessed_counts(p, i))))
            report = x;
    }
    return report;
}

static bool has_start_at(const struct pieces *p, const struct attempt *at, int64_t t_ns)
{
    for (size_t i = at->from; i < at->to; i++)
        if (p->rows[i].kind == PIECE_START && p->rows[i].t_ns == t_ns)
            return true;
    return false;
}

struct guessed_at guessed_instant(const struct pieces *p, const struct attempt *at)
{
    const struct piece *report = p->has_guessed ? report_of(p, at) : NULL;

    if (!report)
        return (struct guessed_at){0};
    if (!report->is_time_guessed)
        return (struct guessed_at){.is_known = true, .t_ns = INT64_MIN};
    return (struct guessed_at){has_start_at(p, at, report->t_ns), report->t_ns};
}

bool guessed_is_echo(const struct piece *piece, const struct guessed_at *own)
{
    return own->is_known && piece->is_time_guessed && piece->t_ns != own->t_ns;
}

/* Of attempts in one instant only the first can have a START. */
int64_t guessed_begin(const struct pieces *p, const struct attempt *at, const struct piece *report)
{
    const bool is_shared = at->from > 0 && p->rows[at->from - 1].t_ns == report->t_ns;

    return report->t_ns + (is_shared ? (int64_t)at->from : 0);
}
