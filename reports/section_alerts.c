/* Sections that a running collector fills: alert episodes, queues. A store without one has neither,
 * and a report of it says nothing about them. */
#include <string.h>

#include "core/base/timefmt.h"
#include "reports/report_data.h"

/* --- alert episodes --- */

static struct str value_text(struct arena *a, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    alert_value_format(&b, value, unit);
    return arena_str(a, buf_str(&b));
}

/* How long it took: while it is open to now, or to the end of a range in the past. */
static int64_t length_ns(const struct report_data *r, const struct alert *a)
{
    const int64_t now_ns = r->options->now_ns;
    const int64_t end_ns = r->range.until_ns < now_ns ? r->range.until_ns : now_ns;
    const int64_t until_ns = a->resolved_ns ? a->resolved_ns : end_ns;

    return until_ns > a->started_ns ? until_ns - a->started_ns : 0;
}

static struct str duration_text(struct arena *a, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    return arena_str(a, buf_str(&b));
}

static void episode_row(const struct report_data *r, struct table *t, const struct alert *a)
{
    const struct str name =
        a->subject.scope == SCOPE_REGION ? a->subject.of.region : a->subject.of.name;

    table_row(t);
    table_text(t, 0, str_from(alert_severity_name(a->severity)));
    table_text(t, 1, a->rule);
    table_text(t, 2, name);
    table_number(t, 3, arena_printf(r->arena, "%lld", (long long)a->peak),
                 value_text(r->arena, a->peak, a->unit));
    table_text(t, 4, str_from(metric_unit_name(a->unit)));
    time_cell(t, 5, a->started_ns);
    if (a->resolved_ns)
        time_cell(t, 6, a->resolved_ns);
    table_number(t, 7, arena_printf(r->arena, "%lld", (long long)(length_ns(r, a) / NS_PER_SEC)),
                 duration_text(r->arena, length_ns(r, a)));
    table_text(t, 8, a->acked_by);
    table_text(t, 9, a->evidence);
}

void section_episodes(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "severity", .title = "Severity"},
        {.name = "rule", .title = "Rule"},
        {.name = "name", .title = "About", .max_width = 28},
        {.name = "peak", .title = "Worst", .is_right = true},
        {.name = "unit", .is_hidden = true},
        {.name = "started_time", .title = "Since"},
        {.name = "resolved_time", .title = "Until"},
        {.name = "seconds", .title = "Took", .is_right = true},
        {.name = "acknowledged_by", .title = "Taken by"},
        {.name = "evidence", .title = "Shown by", .is_command = true},
    };
    size_t open = 0;

    if (r->episodes.n == 0)
        return;
    for (size_t i = 0; i < r->episodes.n; i++)
        open += r->episodes.rows[i].resolved_ns == 0;
    struct doc_section *s = doc_section(d, "alerts", "Alerts");
    doc_text(d, s, open > 0 ? TONE_BAD : TONE_WARN,
             arena_printf(r->arena, "%zu alert%s; %zu still open.", r->episodes.n,
                          plural(r->episodes.n, "", "s"), open));
    struct table *t = doc_table(d, s, "episodes", columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < r->episodes.n; i++)
        episode_row(r, t, &r->episodes.rows[i]);
}

/* --- queues --- */

static size_t count_failed_messages(const struct report_data *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->queues.n; i++)
        if (r->queues.rows[i].is_dlq && r->queues.rows[i].depth > 0)
            n += (size_t)r->queues.rows[i].depth;
    return n;
}

static const struct table_column queue_columns[] = {
    {.name = "queue", .title = "Queue", .max_width = 32},
    {.name = "region", .title = "Region"},
    {.name = "kind", .title = "Kind"},
    {.name = "messages", .title = "Messages", .is_right = true},
    {.name = "in_flight", .title = "In flight", .is_right = true},
    {.name = "oldest_seconds", .title = "Oldest", .is_right = true},
    {.name = "other_end", .title = "From / fails to", .max_width = 32},
    {.name = "seen_time", .title = "As of"},
    {.name = "account", .title = "Account"},
};
enum { QUEUE_ACCOUNT = ARRAY_LEN(queue_columns) - 1 };

static bool is_of_one_account(const struct queue_rows *q)
{
    for (size_t i = 1; i < q->n; i++)
        if (!str_eq(q->rows[i].of.account, q->rows[0].of.account))
            return false;
    return true;
}

/* People see the account where it tells queues apart. */
static struct table *queue_table(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    struct table_column *columns =
        arena_new(r->arena, struct table_column, ARRAY_LEN(queue_columns));

    memcpy(columns, queue_columns, sizeof(queue_columns));
    columns[QUEUE_ACCOUNT].is_hidden = is_of_one_account(&r->queues);
    return doc_table(d, s, "list", columns, ARRAY_LEN(queue_columns));
}

static void queue_row(const struct report_data *r, struct table *t, const struct msg_queue *q)
{
    table_row(t);
    table_text(t, 0, q->of.name);
    table_text(t, 1, q->of.region);
    table_text(t, 2, q->is_dlq ? STR("dead letters") : STR("work"));
    table_i64(t, 3, q->depth);
    table_i64(t, 4, q->in_flight);
    if (q->has_age)
        table_number(t, 5, arena_printf(r->arena, "%lld", (long long)(q->oldest_ns / NS_PER_SEC)),
                     duration_text(r->arena, q->oldest_ns));
    table_text(t, 6, q->is_dlq ? q->feeders : q->dead_letter);
    time_cell(t, 7, q->seen_ns);
    table_text(t, QUEUE_ACCOUNT, q->of.account);
}

void section_queues(const struct report_data *r, struct doc *d)
{
    const size_t failed = count_failed_messages(r);

    if (r->queues.n == 0)
        return;
    struct doc_section *s = doc_section(d, "queues", "Queues");
    doc_text(d, s, failed > 0 ? TONE_BAD : TONE_GOOD,
             failed > 0 ? arena_printf(r->arena, "%zu %s in dead-letter queues.", failed,
                                       plural(failed, "message waits", "messages wait"))
                        : STR("No message waits in a dead-letter queue."));
    struct table *t = queue_table(r, d, s);
    for (size_t i = 0; i < r->queues.n; i++)
        queue_row(r, t, &r->queues.rows[i]);
}
