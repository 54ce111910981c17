/* Counting. Sums of a minute gather in memory and are added to the journal's rows every few seconds
 * and before every read. */
#include "executor/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "executor/message_queue.h"
#include "executor/metrics_private.h"

#define FLUSH_NS  (5 * NS_PER_SEC)
#define MOST_HELD 20000 /* flushes that wait for the disk: a day of them */
/* A queue without messages or calls for this long has no metrics. */
#define IDLE_NS (6 * NS_PER_HOUR)

#define LAMBDA "AWS/Lambda"
#define SQS    "AWS/SQS"

const struct metric_info metric_infos[METRICS] = {
    [METRIC_INVOCATIONS] = {LAMBDA, "Invocations", "Count", 1, false},
    [METRIC_ERRORS] = {LAMBDA, "Errors", "Count", 1, false},
    [METRIC_THROTTLES] = {LAMBDA, "Throttles", "Count", 1, false},
    [METRIC_DURATION] = {LAMBDA, "Duration", "Milliseconds", 1000, true},
    [METRIC_CONCURRENT] = {LAMBDA, "ConcurrentExecutions", "Count", 1, false},
    [METRIC_UNRESERVED] = {LAMBDA, "UnreservedConcurrentExecutions", "Count", 1, false},
    [METRIC_PROVISIONED_USED] = {LAMBDA, "ProvisionedConcurrentExecutions", "Count", 1, false},
    [METRIC_PROVISIONED_SHARE] = {LAMBDA, "ProvisionedConcurrencyUtilization", "Count", 1000000,
                                  false},
    [METRIC_PROVISIONED_INVOCATIONS] = {LAMBDA, "ProvisionedConcurrencyInvocations", "Count", 1,
                                        false},
    [METRIC_PROVISIONED_SPILLOVER] = {LAMBDA, "ProvisionedConcurrencySpilloverInvocations", "Count",
                                      1, false},
    [METRIC_ASYNC_RECEIVED] = {LAMBDA, "AsyncEventsReceived", "Count", 1, false},
    [METRIC_ASYNC_DROPPED] = {LAMBDA, "AsyncEventsDropped", "Count", 1, false},
    [METRIC_ASYNC_AGE] = {LAMBDA, "AsyncEventAge", "Milliseconds", 1000, true},
    [METRIC_DEAD_LETTER_ERRORS] = {LAMBDA, "DeadLetterErrors", "Count", 1, false},
    [METRIC_DESTINATION_FAILURES] = {LAMBDA, "DestinationDeliveryFailures", "Count", 1, false},
    [METRIC_RECURSION_DROPPED] = {LAMBDA, "RecursiveInvocationsDropped", "Count", 1, false},
    [METRIC_QUEUE_VISIBLE] = {SQS, "ApproximateNumberOfMessagesVisible", "Count", 1, false},
    [METRIC_QUEUE_IN_FLIGHT] = {SQS, "ApproximateNumberOfMessagesNotVisible", "Count", 1, false},
    [METRIC_QUEUE_DELAYED] = {SQS, "ApproximateNumberOfMessagesDelayed", "Count", 1, false},
    [METRIC_QUEUE_AGE] = {SQS, "ApproximateAgeOfOldestMessage", "Seconds", 1000000, false},
    [METRIC_QUEUE_SENT] = {SQS, "NumberOfMessagesSent", "Count", 1, false},
    [METRIC_QUEUE_RECEIVED] = {SQS, "NumberOfMessagesReceived", "Count", 1, false},
    [METRIC_QUEUE_DELETED] = {SQS, "NumberOfMessagesDeleted", "Count", 1, false},
    [METRIC_QUEUE_EMPTY_RECEIVES] = {SQS, "NumberOfEmptyReceives", "Count", 1, false},
    [METRIC_QUEUE_SENT_BYTES] = {SQS, "SentMessageSize", "Bytes", 1, false},
};

const struct metric_info *metric_find(struct str space, struct str name)
{
    for (size_t i = 0; i < METRICS; i++)
        if (str_eq(name, str_from(metric_infos[i].name)) &&
            str_eq(space, str_from(metric_infos[i].space)))
            return &metric_infos[i];
    return NULL;
}

/* --- sums --- */

void metric_sum_add(struct metric_sum *s, const struct metric_sum *more)
{
    if (more->n == 0)
        return;
    s->low = s->n == 0 || more->low < s->low ? more->low : s->low;
    s->high = s->n == 0 || more->high > s->high ? more->high : s->high;
    s->n += more->n;
    s->sum += more->sum;
    histogram_merge(&s->histogram, &more->histogram);
}

void metric_sum_clear(struct metric_sum *s)
{
    histogram_clear(&s->histogram);
    *s = (struct metric_sum){0};
}

/* --- counting --- */

/* What one series counted in one minute since the last flush. */
struct cell {
    enum metric metric;
    struct str value; /* of its label; empty: the region */
    int64_t minute;
    struct metric_sum sum;
    struct cell *next;
};

struct queue_seen {
    struct mq_stats last;
    int64_t active_ns;
};

struct metrics {
    struct executor *x;
    struct observer observer;
    struct loop_timer timer;
    struct arena names; /* of values */
    struct map values;  /* interned */
    struct idmap cells; /* key of series and minute -> struct cell * */
    struct cell *first;
    struct cell **recent; /* by series: the region's (0) and each function's (its index + 1) */
    size_t n_recent;
    struct idmap queues; /* hash of the name -> struct queue_seen * */
    int64_t pruned_minute;
    struct flush *held; /* could not be written: tried again with the next */
    size_t n_held;
    bool is_told; /* that they wait */
};

static struct str intern_value(struct metrics *m, struct str s)
{
    struct str key;
    const uint64_t *known = map_get(&m->values, s);

    if (known)
        return (struct str){(const char *)(uintptr_t)*known, s.n};
    key = arena_str(&m->names, s);
    *map_put(&m->values, key, NULL) = (uint64_t)(uintptr_t)key.p;
    return key;
}

static struct cell *cell_of(struct metrics *m, enum metric which, struct str value, int64_t minute)
{
    uint64_t key = str_hash(value, (uint64_t)minute * METRICS + which);
    uint64_t *slot = idmap_put(&m->cells, key, NULL);

    if (*slot)
        return (struct cell *)(uintptr_t)*slot;
    struct cell *c = xcalloc(1, sizeof(*c));
    c->metric = which;
    c->value = value.n > 0 ? intern_value(m, value) : (struct str){0};
    c->minute = minute;
    c->next = m->first;
    m->first = c;
    *slot = (uint64_t)(uintptr_t)c;
    return c;
}

static int64_t minute_of(int64_t at_ns)
{
    return time_floor(at_ns, NS_PER_MIN) / NS_PER_MIN;
}

static void cell_add(struct cell *c, int64_t v)
{
    struct metric_sum *s = &c->sum;

    s->low = s->n == 0 || v < s->low ? v : s->low;
    s->high = s->n == 0 || v > s->high ? v : s->high;
    s->n++;
    s->sum += v;
    if (metric_infos[c->metric].is_timed)
        histogram_add(&s->histogram, bucket_of(v > 0 ? (uint64_t)v : 0), 1);
}

static void count(struct metrics *m, enum metric which, struct str value, int64_t at_ns, int64_t v)
{
    cell_add(cell_of(m, which, value, minute_of(at_ns)), v);
}

/* Of a function; NULL: of the region. Nine of them an invocation: most find their cell at once. */
static void count_fn(struct metrics *m, enum metric which, const struct fndef *fn, int64_t minute,
                     int64_t v)
{
    struct cell **recent = &m->recent[(fn ? fn->index + 1 : 0) * LAMBDA_METRICS + which];

    assert(which < LAMBDA_METRICS);
    if (!*recent || (*recent)->minute != minute)
        *recent = cell_of(m, which, fn ? fn->name : (struct str){0}, minute);
    cell_add(*recent, v);
}

static void count_both(struct metrics *m, enum metric which, const struct fndef *fn, int64_t minute,
                       int64_t v)
{
    count_fn(m, which, fn, minute, v);
    count_fn(m, which, NULL, minute, v);
}

void metrics_add(struct metrics *m, enum metric which, const struct fndef *fn, int64_t value)
{
    if (m)
        count_both(m, which, fn, minute_of(loop_wall(m->x->loop)), value);
}

/* The environments kept ready come first: what more than they run at a time spills over. */
static void count_provisioned(struct metrics *m, const struct invoke_fact *f, int64_t minute)
{
    const int64_t all = f->fn->provisioned, busy = (int64_t)f->concurrent;
    const int64_t used = busy < all ? busy : all;

    if (all == 0)
        return;
    count_fn(m, METRIC_PROVISIONED_USED, f->fn, minute, used);
    count_fn(m, METRIC_PROVISIONED_SHARE, f->fn, minute, used * 1000000 / all);
    count_both(m, busy > all ? METRIC_PROVISIONED_SPILLOVER : METRIC_PROVISIONED_INVOCATIONS, f->fn,
               minute, 1);
}

/* Counted in the minute it began, as Lambda does. A throttle ran nothing: neither an invocation nor
 * an error. */
static void on_invocation(void *ctx, const struct invoke_fact *f)
{
    struct metrics *m = ctx;
    int64_t minute = minute_of(f->end_ns - f->duration_ns - f->init_ns);

    if (f->outcome == OUTCOME_THROTTLED) {
        count_both(m, METRIC_THROTTLES, f->fn, minute, 1);
        return;
    }
    count_both(m, METRIC_INVOCATIONS, f->fn, minute, 1);
    count_both(m, METRIC_ERRORS, f->fn, minute, f->outcome != OUTCOME_OK);
    count_both(m, METRIC_DURATION, f->fn, minute, f->duration_ns / NS_PER_US);
    count_fn(m, METRIC_CONCURRENT, f->fn, minute, f->concurrent);
    count_fn(m, METRIC_CONCURRENT, NULL, minute, f->account_concurrent);
    count_provisioned(m, f, minute);
    if (!f->fn->has_reserved)
        count_fn(m, METRIC_UNRESERVED, NULL, minute, f->account_concurrent);
}

/* --- queues --- */

static struct queue_seen *seen_of(struct metrics *m, const struct mq_queue *q)
{
    uint64_t *slot = idmap_put(&m->queues, str_hash(mq_name(q), 0), NULL);

    if (*slot == 0)
        *slot = (uint64_t)(uintptr_t)xcalloc(1, sizeof(struct queue_seen));
    return (struct queue_seen *)(uintptr_t)*slot;
}

/* A queue of that name that was made anew starts from 0. */
static int64_t grown(uint64_t now, uint64_t before)
{
    return (int64_t)(now >= before ? now - before : now);
}

static void sample_counters(struct metrics *m, struct str name, int64_t now,
                            const struct mq_stats *s, const struct mq_stats *last)
{
    const struct {
        enum metric which;
        int64_t grown;
    } counters[] = {
        {METRIC_QUEUE_SENT, grown(s->sent, last->sent)},
        {METRIC_QUEUE_RECEIVED, grown(s->received, last->received)},
        {METRIC_QUEUE_DELETED, grown(s->deleted, last->deleted)},
        {METRIC_QUEUE_EMPTY_RECEIVES, grown(s->empty_receives, last->empty_receives)},
    };

    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        count(m, counters[i].which, name, now, counters[i].grown);
    if (s->sent > last->sent)
        count(m, METRIC_QUEUE_SENT_BYTES, name, now, grown(s->sent_bytes, last->sent_bytes));
}

static void sample_queue(struct metrics *m, const struct mq_queue *q, int64_t now)
{
    struct queue_seen *seen = seen_of(m, q);
    struct mq_stats s = mq_stats(q);
    struct str name = mq_name(q);
    bool is_active = s.visible + s.in_flight + s.delayed > 0 || s.sent != seen->last.sent ||
                     s.received != seen->last.received || s.deleted != seen->last.deleted ||
                     s.empty_receives != seen->last.empty_receives;

    if (is_active || seen->active_ns == 0)
        seen->active_ns = now;
    if (now - seen->active_ns < IDLE_NS) {
        count(m, METRIC_QUEUE_VISIBLE, name, now, (int64_t)s.visible);
        count(m, METRIC_QUEUE_IN_FLIGHT, name, now, (int64_t)s.in_flight);
        count(m, METRIC_QUEUE_DELAYED, name, now, (int64_t)s.delayed);
        count(m, METRIC_QUEUE_AGE, name, now, s.oldest_ns ? (now - s.oldest_ns) / NS_PER_US : 0);
        sample_counters(m, name, now, &s, &seen->last);
    }
    seen->last = s;
}

static void sample_queues(struct metrics *m)
{
    const struct mq_queue *q;
    int64_t now = loop_wall(m->x->loop);

    for (size_t i = 0; (q = mq_each(m->x->queues, &i));)
        if (!str_starts(mq_name(q), STR(":")))
            sample_queue(m, q, now);
}

/* --- writing --- */

struct flush {
    struct journal_op op; /* first: an operation is its owner */
    struct metrics *metrics;
    struct cell *first;
    int64_t prune_minute; /* 0: not now */
    struct flush *next;   /* of those that failed */
};

static enum status series_id(const struct cell *c, struct journal *j, int64_t *id, struct err *e)
{
    const struct metric_info *info = &metric_infos[c->metric];
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = journal_stmt(j,
                                 "insert into series(space, name, label, value) values(?,?,?,?)"
                                 " on conflict do update set space=space returning id",
                                 &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, str_from(info->space));
    sql_bind_str(st, 2, str_from(info->name));
    sql_bind_str(st, 3,
                 c->value.n == 0              ? STR("")
                 : c->metric < LAMBDA_METRICS ? STR("FunctionName")
                                              : STR("QueueName"));
    sql_bind_str(st, 4, c->value);
    s = sql_step(st, &has_row, e);
    if (s == OK)
        *id = has_row ? sql_i64(st, 0) : 0;
    sql_reset(st);
    return s;
}

static enum status read_point(struct journal *j, int64_t series, int64_t minute,
                              struct metric_sum *sum, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = journal_stmt(
        j, "select n, sum, low, high, data from point where series=? and minute=?", &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, series);
    sql_bind_i64(st, 2, minute);
    s = sql_step(st, &has_row, e);
    if (s == OK && has_row) {
        sum->n = sql_i64(st, 0);
        sum->sum = sql_i64(st, 1);
        sum->low = sql_i64(st, 2);
        sum->high = sql_i64(st, 3);
        histogram_unpack(sql_blob(st, 4), &sum->histogram);
    }
    sql_reset(st);
    return s;
}

static enum status write_point(struct journal *j, int64_t series, int64_t minute,
                               const struct metric_sum *sum, struct err *e)
{
    AUTO(buf_clear) struct buf data = {0};
    struct sql_stmt *st;
    enum status s =
        journal_stmt(j,
                     "insert or replace into point(series, minute, n, sum, low, high, data)"
                     " values(?,?,?,?,?,?,?)",
                     &st, e);

    if (s != OK)
        return s;
    buf_init(&data, (size_t)1 << 20);
    if (sum->histogram.n > 0)
        histogram_pack(&sum->histogram, &data);
    sql_bind_i64(st, 1, series);
    sql_bind_i64(st, 2, minute);
    sql_bind_i64(st, 3, sum->n);
    sql_bind_i64(st, 4, sum->sum);
    sql_bind_i64(st, 5, sum->low);
    sql_bind_i64(st, 6, sum->high);
    sql_bind_blob(st, 7, buf_str(&data));
    return sql_run(st, e);
}

static enum status write_cell(const struct cell *c, struct journal *j, struct err *e)
{
    struct metric_sum total = {0};
    int64_t series;
    enum status s = series_id(c, j, &series, e);

    if (s == OK)
        s = read_point(j, series, c->minute, &total, e);
    if (s == OK) {
        metric_sum_add(&total, &c->sum);
        s = write_point(j, series, c->minute, &total, e);
    }
    metric_sum_clear(&total);
    return s;
}

static enum status prune(struct journal *j, int64_t before, struct err *e)
{
    struct sql_stmt *st;
    enum status s = journal_stmt(j, "delete from point where minute<?", &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, before);
    return sql_run(st, e);
}

static enum status run_flush(struct journal_op *op, struct journal *j, struct err *e)
{
    const struct flush *f = (const struct flush *)op;
    enum status s = f->prune_minute ? prune(j, f->prune_minute, e) : OK;

    for (const struct cell *c = f->first; s == OK && c; c = c->next)
        s = write_cell(c, j, e);
    return s;
}

static void free_cells(struct cell *c)
{
    while (c) {
        struct cell *next = c->next;
        metric_sum_clear(&c->sum);
        free(c);
        c = next;
    }
}

static void free_flush(struct flush *f)
{
    free_cells(f->first);
    free(f);
}

static void flush_done(struct journal_op *op, enum status s, const struct err *e)
{
    struct flush *f = (struct flush *)op;
    struct metrics *m = f->metrics;

    if (s != OK && m->n_held < MOST_HELD) {
        if (!m->is_told)
            log_event(LOG_ERROR, "metrics wait for the disk: %s", e->msg);
        m->is_told = true;
        m->n_held++;
        f->next = m->held;
        m->held = f;
        return;
    }
    if (s != OK)
        log_event(LOG_ERROR, "metrics of some seconds are lost: %s", e->msg);
    m->is_told = m->is_told && s != OK;
    free_flush(f);
}

static void try_again(struct metrics *m)
{
    struct flush *f = m->held;

    m->held = NULL;
    m->n_held = 0;
    while (f) {
        struct flush *next = f->next;
        journal_submit(m->x->journal, &f->op);
        f = next;
    }
}

void metrics_flush(struct metrics *m)
{
    int64_t minute = loop_wall(m->x->loop) / NS_PER_MIN;

    try_again(m);
    if (!m->first)
        return;
    struct flush *f = xcalloc(1, sizeof(*f));
    f->op = (struct journal_op){.run = run_flush, .done = flush_done};
    f->metrics = m;
    f->first = m->first;
    if (minute - m->pruned_minute >= 60) {
        f->prune_minute = minute - METRIC_KEEP_MINUTES;
        m->pruned_minute = minute;
    }
    m->first = NULL;
    idmap_reset(&m->cells);
    memset(m->recent, 0, m->n_recent * sizeof(struct cell *));
    journal_submit(m->x->journal, &f->op);
}

static void on_timer(void *ctx)
{
    struct metrics *m = ctx;

    if (m->x->queues) /* or the file is still being opened */
        sample_queues(m);
    metrics_flush(m);
    loop_timer_set(m->x->loop, &m->timer, loop_now(m->x->loop) + FLUSH_NS);
}

/* --- start, stop --- */

enum status metrics_start(struct executor *x, struct metrics **out, struct err *e)
{
    struct metrics *m = xcalloc(1, sizeof(*m));

    UNUSED(e);
    m->x = x;
    m->n_recent = (x->manifest->n_functions + 1) * LAMBDA_METRICS;
    m->recent = xcalloc(m->n_recent, sizeof(struct cell *));
    arena_init(&m->names);
    map_init(&m->values);
    idmap_init(&m->cells);
    idmap_init(&m->queues);
    m->timer = (struct loop_timer){.fn = on_timer, .ctx = m};
    m->observer = (struct observer){.on_invocation = on_invocation, .ctx = m};
    executor_observe(x, &m->observer);
    loop_timer_set(x->loop, &m->timer, loop_now(x->loop) + FLUSH_NS);
    *out = m;
    return OK;
}

static void stop_observing(struct metrics *m)
{
    struct observer **place = &m->x->observers;

    while (*place && *place != &m->observer)
        place = &(*place)->next;
    if (*place)
        *place = m->observer.next;
}

void metrics_stop(struct metrics *m)
{
    uint64_t key, value;

    if (!m)
        return;
    loop_timer_cancel(m->x->loop, &m->timer);
    stop_observing(m);
    metrics_flush(m);
    journal_flush(m->x->journal); /* what was submitted borrows the names */
    if (m->held)
        log_event(LOG_ERROR, "metrics that waited for the disk are lost");
    while (m->held) {
        struct flush *next = m->held->next;
        free_flush(m->held);
        m->held = next;
    }
    for (size_t i = 0; idmap_next(&m->queues, &i, &key, &value);)
        free((struct queue_seen *)(uintptr_t)value);
    idmap_clear(&m->queues);
    idmap_clear(&m->cells);
    map_clear(&m->values);
    arena_clear(&m->names);
    free(m->recent);
    free(m);
}
