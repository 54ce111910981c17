/* The provider's own count, hour by hour: Invocations and Errors of each function over whole hours
 * that have settled, so that what the logs gave can be held against it. A metric costs the same for
 * one hour or a hundred, and functions are asked only while their region's sum is not zero. The
 * region's count is stored last: an hour that has it was asked as a whole. */
#include <stdlib.h>

#include "collector/aws/aws_source.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

/* A value belongs to the start of a run of up to 15 minutes, and comes some minutes after its end;
 * by then late log lines have come as well. */
#define SETTLE_NS (30 * NS_PER_MIN)
#define WAIT_NS   NS_PER_SEC
/* So that 500 functions and all hours stay below the 100,800 points of one call. */
#define MOST_HOURS 168
#define CAP_SHARE  5 /* of the day's budget a fifth */

/* clang-format off */
static const struct metric_row rows[] = {
    { "Invocations", "Sum", METRIC_INVOCATIONS, 0, true, false, OF_FUNCTIONS },
    { "Errors", "Sum", METRIC_ERRORS, 0, true, false, OF_FUNCTIONS },
};
/* clang-format on */
static const struct str scope = STR_INIT("reconcile");

static int64_t hour_after(int64_t t_ns)
{
    return time_floor(t_ns + NS_PER_HOUR - 1, NS_PER_HOUR);
}

static void keep_place(const struct aws_ctx *x, struct batch *out)
{
    batch_cursor(out, &(struct cursor){.source = x->source->name,
                                       .scope = scope,
                                       .watermark_ns = x->reconcile.done_to_ns});
}

/* Logs are read from the first whole hour of the backfill on: no hour before can be complete. That
 * is kept at once: whoever starts anew before the first round has read no less. */
static void recall(struct aws_ctx *x, struct batch *out)
{
    AUTO(arena_clear) struct arena a = {0};
    struct source_env *env = &x->source->env;
    struct cursor c;
    int64_t began = aws_now(&x->client) - (aws_mono(x) - x->began_ns);

    x->reconcile.done_to_ns = hour_after(began - x->o->backfill_ns);
    if (env->find_cursor != NULL &&
        env->find_cursor(env->cursor_ctx, x->source->name, scope, &a, &c))
        x->reconcile.done_to_ns = c.watermark_ns;
    else
        keep_place(x, out);
}

/* False: no hour has settled since the last round. */
static bool begin_round(struct aws_ctx *x)
{
    struct aws_reconcile *r = &x->reconcile;

    r->ask.period_ns = NS_PER_HOUR;
    r->ask.end_ns = time_floor(aws_now(&x->client) - SETTLE_NS, NS_PER_HOUR);
    r->ask.start_ns = r->done_to_ns;
    if (r->ask.start_ns < r->ask.end_ns - MOST_HOURS * NS_PER_HOUR)
        r->ask.start_ns = r->ask.end_ns - MOST_HOURS * NS_PER_HOUR;
    if (r->ask.start_ns >= r->ask.end_ns)
        return false;
    r->is_drilling = false;
    r->active = 0;
    r->n_marks = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        metric_ask_add(&r->ask, &rows[i], STR(""));
    return true;
}

static void begin_functions(struct aws_ctx *x)
{
    struct aws_reconcile *r = &x->reconcile;

    metric_ask_reset(&r->ask);
    r->is_drilling = true;
    for (size_t row = 0; row < ARRAY_LEN(rows); row++)
        for (size_t i = 0; i < x->fns.n && (r->active >> row & 1) != 0; i++)
            metric_ask_add(&r->ask, &rows[row], str_from(x->fns.items[i].name));
}

static void on_point(struct aws_ctx *x, const struct metric_query *q, int64_t time_ns,
                     int64_t value, struct batch *out)
{
    struct aws_reconcile *r = &x->reconcile;

    if (q->name != NULL) {
        metric_ask_point(x, &r->ask, q, time_ns, out)->value = value;
        return;
    }
    if (value > 0)
        r->active |= UINT64_C(1) << (size_t)(q->row - rows);
    if (q->row->metric != METRIC_INVOCATIONS)
        return;
    r->marks = mem_grow(r->marks, r->n_marks, &r->cap_marks, sizeof(*r->marks));
    r->marks[r->n_marks++] = (struct hour_mark){time_ns, value};
}

static const struct hour_mark *mark_at(const struct aws_reconcile *r, int64_t hour_ns)
{
    for (size_t i = 0; i < r->n_marks; i++)
        if (r->marks[i].time_ns == hour_ns)
            return &r->marks[i];
    return NULL;
}

/* Every hour asked gets its mark: without a value nothing ran, and that is known now too. */
static void put_marks(const struct aws_ctx *x, struct batch *out)
{
    const struct aws_reconcile *r = &x->reconcile;
    const struct metric_query region = {.row = &rows[0]};

    for (int64_t hour = r->ask.start_ns; hour < r->ask.end_ns; hour += NS_PER_HOUR) {
        const struct hour_mark *mark = mark_at(r, hour);
        struct metric_point *p = metric_ask_point(x, &r->ask, &region, hour, out);
        p->value = mark != NULL ? mark->value : 0;
        p->is_missing = mark == NULL;
    }
}

/* Hours asked together cost what one does, so with many functions rounds are rarer: what alerts
 * look at must not lack the money. */
int64_t aws_reconcile_every(int64_t wanted_ns, uint64_t functions, money unit_price, money cap)
{
    wide day = (wide)(functions + 1) * ARRAY_LEN(rows) * unit_price * 24, share = cap / CAP_SHARE;
    wide hours = cap > 0 ? (day + share - 1) / (share > 0 ? share : 1) : 1;
    int64_t every = (hours < MOST_HOURS ? (int64_t)hours : MOST_HOURS) * NS_PER_HOUR;

    return every > wanted_ns ? every : wanted_ns;
}

/* When the next hour will have settled, but no sooner than asked for. */
static void rest(struct aws_ctx *x, struct aws_task *t)
{
    money price = x->client.is_free[t->op] ? 0 : x->client.prices[t->op];
    int64_t every = aws_reconcile_every(x->o->reconcile_ns, x->fns.n, price, x->client.meter.cap);
    int64_t now = aws_now(&x->client);
    int64_t next = time_floor(now - SETTLE_NS, NS_PER_HOUR) + NS_PER_HOUR + SETTLE_NS;

    while (next - now < every - NS_PER_HOUR)
        next += NS_PER_HOUR;
    t->is_round_done = true;
    t->next_ns = aws_mono(x) + (next - now);
}

static void end_round(struct aws_ctx *x, struct aws_task *t, struct batch *out)
{
    struct aws_reconcile *r = &x->reconcile;

    put_marks(x, out);
    r->done_to_ns = r->ask.end_ns;
    metric_ask_reset(&r->ask);
    keep_place(x, out);
    rest(x, t);
}

/* Without functions there is nothing to hold against each other. */
static bool knows_functions(struct aws_ctx *x, struct aws_task *t)
{
    bool is_asked = x->tasks[TASK_CONFIG].is_round_done;

    if (is_asked && x->fns.n > 0)
        return true;
    if (is_asked)
        rest(x, t);
    else
        t->next_ns = aws_mono(x) + WAIT_NS;
    return false;
}

enum status aws_reconcile_step(struct aws_ctx *x, struct aws_task *t, struct batch *out,
                               struct err *e)
{
    struct aws_reconcile *r = &x->reconcile;
    bool is_done = false;

    if (r->done_to_ns == 0)
        recall(x, out);
    if (r->ask.n == 0) {
        if (!knows_functions(x, t))
            return OK;
        if (!begin_round(x)) {
            rest(x, t);
            return OK;
        }
    }
    if (aws_wait_for_budget(x, t, OP_GET_METRIC_DATA, metric_ask_units(&r->ask))) {
        metric_ask_reset(&r->ask);
        return OK;
    }
    enum status s = metric_ask_step(x, &r->ask, on_point, out, &is_done, e);
    if (s != OK) {
        metric_ask_reset(&r->ask); /* the hours are asked again as a whole */
        return s;
    }
    t->next_ns = aws_mono(x);
    if (is_done && !r->is_drilling && r->active != 0) {
        begin_functions(x);
        is_done = false;
    }
    if (is_done)
        end_round(x, t, out);
    return OK;
}

uint64_t aws_reconciled_metrics(void)
{
    return ARRAY_LEN(rows);
}

void aws_reconcile_clear(struct aws_reconcile *r)
{
    metric_ask_clear(&r->ask);
    free(r->marks);
}
