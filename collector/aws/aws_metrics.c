/* Metrics by GetMetricData: a dozen sums and levels of the region as a whole, and only for those
 * that are not zero the same by function: every metric asked for costs. The trailing window is read
 * again each time, because a value belongs to the invocation's start and comes after its end. */
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

#define PERIOD_NS NS_PER_MIN
#define REREAD_NS (20 * NS_PER_MIN) /* the longest run of 15 minutes, and how late values come */
#define FIRST_NS  NS_PER_HOUR
/* 500 metrics asked of at once come to 90,000 values, of 100,800 an answer may have. */
#define WINDOW_NS (3 * NS_PER_HOUR)
#define KEPT_NS   (15 * NS_PER_DAY) /* values of a minute: CloudWatch keeps them no longer */

/* clang-format off */
static const struct metric_row rows[] = {
    { "Invocations", "Sum", METRIC_INVOCATIONS, 0, false, false, OF_FUNCTIONS },
    { "Errors", "Sum", METRIC_ERRORS, 0, false, false, OF_FUNCTIONS },
    { "Throttles", "Sum", METRIC_THROTTLES, 0, true, false, OF_FUNCTIONS },
    { "ConcurrentExecutions", "Maximum", METRIC_CONCURRENCY, 0, false, true, OF_FUNCTIONS },
    { "ClaimedAccountConcurrency", "Maximum", METRIC_CONCURRENCY_CLAIMED, 0, false, false, OF_FUNCTIONS },
    { "UnreservedConcurrentExecutions", "Maximum", METRIC_CONCURRENCY_UNRESERVED, 0, false, false, OF_FUNCTIONS },
    { "AsyncEventsReceived", "Sum", METRIC_ASYNC_RECEIVED, 0, false, false, OF_FUNCTIONS },
    { "AsyncEventAge", "Maximum", METRIC_ASYNC_AGE, 6, false, false, OF_FUNCTIONS },
    { "AsyncEventsDropped", "Sum", METRIC_ASYNC_DROPPED, 0, true, false, OF_FUNCTIONS },
    { "DeadLetterErrors", "Sum", METRIC_DLQ_ERRORS, 0, true, false, OF_FUNCTIONS },
    { "DestinationDeliveryFailures", "Sum", METRIC_DESTINATION_ERRORS, 0, true, false, OF_FUNCTIONS },
    { "IteratorAge", "Maximum", METRIC_ITERATOR_AGE, 6, true, false, OF_FUNCTIONS },
    { "RecursiveInvocationsDropped", "Sum", METRIC_RECURSION_DROPPED, 0, true, false, OF_FUNCTIONS },
    { "ProvisionedConcurrencySpilloverInvocations", "Sum", METRIC_PROVISIONED_SPILLOVER, 0, true, false, OF_FUNCTIONS },
};
/* Asked of functions that have some, not of the region: how much of it is used is a matter of each. */
static const struct metric_row provisioned_use = {
    "ProvisionedConcurrentExecutions", "Maximum", METRIC_PROVISIONED, 0, false, false, OF_FUNCTIONS };
static const struct metric_row queue_age = {
    "ApproximateAgeOfOldestMessage", "Maximum", METRIC_QUEUE_AGE, 9, false, false, OF_QUEUE };
/* clang-format on */

/* --- what to ask
 * --------------------------------------------------------------------------------------------
 */

/* The cursor's token where the values stand under no account. */
static const struct str nameless = STR_INIT("nameless");

static void recall(struct aws_ctx *x)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct source_env *env = &x->source->env;
    struct cursor c;

    x->metrics.is_recalled = true;
    if (env->find_cursor != NULL &&
        env->find_cursor(env->cursor_ctx, x->source->name, STR("metrics"), &a, &c)) {
        x->metrics.read_to_ns = c.watermark_ns;
        x->metrics.was_nameless = str_eq(c.token, nameless);
    }
}

/* From where it had read to, also in a run before; after a pause window by window. What was read
 * before the account was known is not stored under its number once more. */
static void place_window(struct aws_ctx *x)
{
    struct aws_metrics *m = &x->metrics;
    const int64_t now = aws_now(&x->client), now_end = time_floor(now, PERIOD_NS) + PERIOD_NS;
    const int64_t read_to = m->read_to_ns < now ? m->read_to_ns : now; /* our clock was wrong */
    const bool is_named_since = m->was_nameless && x->account.n > 0;
    const int64_t again = is_named_since ? 0 : REREAD_NS;
    const int64_t start = read_to > 0 ? read_to - again : now - FIRST_NS;
    const int64_t oldest = now_end - KEPT_NS;

    m->ask.start_ns = time_floor(start > oldest ? start : oldest, PERIOD_NS);
    m->ask.end_ns = now_end - m->ask.start_ns > WINDOW_NS ? m->ask.start_ns + WINDOW_NS : now_end;
    m->is_behind = m->ask.end_ns < now_end;
}

static void begin_region(struct aws_ctx *x)
{
    struct aws_metrics *m = &x->metrics;

    if (!m->is_recalled)
        recall(x);

    metric_ask_reset(&m->ask);
    m->ask.period_ns = PERIOD_NS;
    m->is_drilling = false;
    m->active = 0;
    m->began_ns = aws_mono(x);
    place_window(x);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        metric_ask_add(&m->ask, &rows[i], STR(""));
    for (size_t i = 0; i < x->fns.n; i++)
        if (x->fns.items[i].told.n > 0)
            metric_ask_add(&m->ask, &provisioned_use, str_from(x->fns.items[i].name));
    for (size_t i = 0; i < x->queues.n; i++)
        if (x->queues.items[i].is_filled)
            metric_ask_add(&m->ask, &queue_age, str_from(x->queues.items[i].name));
}

static void begin_drilling(struct aws_ctx *x)
{
    struct aws_metrics *m = &x->metrics;

    metric_ask_reset(&m->ask);
    m->is_drilling = true;
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        for (size_t i = 0; i < x->fns.n && (m->active >> r & 1) != 0; i++) {
            const struct aws_function *f = &x->fns.items[i];
            if (rows[r].by_function || (rows[r].by_reserved && f->concurrency >= 0))
                metric_ask_add(&m->ask, &rows[r], str_from(f->name));
        }
}

/* --- the answer
 * ---------------------------------------------------------------------------------------------
 */

static void keep_age(struct aws_ctx *x, const struct metric_query *q, int64_t age_ns,
                     int64_t time_ns)
{
    for (size_t i = 0; q->row->of == OF_QUEUE && i < x->queues.n; i++)
        if (str_eq(str_from(x->queues.items[i].name), str_from(q->name)))
            aws_queue_aged(&x->queues.items[i], age_ns, time_ns);
}

static void put_point(struct aws_ctx *x, const struct metric_query *q, int64_t time_ns,
                      int64_t value, struct batch *out)
{
    metric_ask_point(x, &x->metrics.ask, q, time_ns, out)->value = value;
}

/* Were the region's throttles stored before those of its functions, somebody would be woken for
 * both: they wait for each other. */
static bool must_hold(const struct aws_metrics *m, const struct metric_query *q)
{
    return q->name == NULL && q->row->by_function && !m->has_failed;
}

static void hold(struct aws_metrics *m, const struct metric_query *q, int64_t time_ns,
                 int64_t value)
{
    m->held = mem_grow(m->held, m->n_held, &m->cap_held, sizeof(*m->held));
    m->held[m->n_held++] = (struct held_point){q->row, time_ns, value};
}

static void release(struct aws_ctx *x, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    for (size_t i = 0; i < m->n_held; i++) {
        const struct metric_query q = {.row = m->held[i].row};
        put_point(x, &q, m->held[i].time_ns, m->held[i].value, out);
    }
    m->n_held = 0;
}

static void on_point(struct aws_ctx *x, const struct metric_query *q, int64_t time_ns,
                     int64_t value, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    if (must_hold(m, q))
        hold(m, q, time_ns, value);
    else
        put_point(x, q, time_ns, value, out);
    keep_age(x, q, value, time_ns);
    if (value > 0 && q->name == NULL)
        m->active |= UINT64_C(1) << (size_t)(q->row - rows);
}

/* --- the round
 * ----------------------------------------------------------------------------------------------
 */

static void end_round(struct aws_ctx *x, struct aws_task *t, struct batch *out)
{
    struct aws_metrics *m = &x->metrics;

    release(x, out);
    m->has_failed = false;
    m->read_to_ns = m->ask.end_ns - PERIOD_NS;
    m->was_nameless = x->account.n == 0;
    metric_ask_reset(&m->ask);
    batch_cursor(out, &(struct cursor){.source = x->source->name,
                                       .scope = STR("metrics"),
                                       .token = m->was_nameless ? nameless : STR(""),
                                       .watermark_ns = m->read_to_ns});
    t->round_ns = m->read_to_ns;
    if (m->is_behind)
        return;
    t->is_round_done = true;
    t->next_ns = m->began_ns + x->o->metrics_ns;
}

enum status aws_metrics_step(struct aws_ctx *x, struct aws_task *t, struct batch *out,
                             struct err *e)
{
    struct aws_metrics *m = &x->metrics;
    bool is_done = false;

    if (aws_wait_for_account(x, t))
        return OK;
    if (m->ask.n == 0)
        begin_region(x);
    if (aws_wait_for_budget(x, t, OP_GET_METRIC_DATA, metric_ask_units(&m->ask))) {
        metric_ask_reset(&m->ask);
        release(x, out);
        return OK;
    }
    enum status s = metric_ask_step(x, &m->ask, on_point, out, &is_done, e);
    if (s != OK) {
        m->has_failed = m->has_failed || m->is_drilling;
        m->n_held = 0;
        metric_ask_reset(&m->ask); /* the window is read again as a whole */
        return s;
    }
    t->next_ns = aws_mono(x);
    if (!is_done)
        return OK;
    if (!m->is_drilling && m->active != 0) {
        begin_drilling(x);
        is_done = m->ask.n == 0;
    }
    if (is_done)
        end_round(x, t, out);
    return OK;
}

uint64_t aws_region_metrics(void)
{
    return ARRAY_LEN(rows);
}

void aws_metrics_clear(struct aws_metrics *m)
{
    metric_ask_clear(&m->ask);
    free(m->held);
}
