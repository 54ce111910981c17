/* Move tasks: each turn takes a few messages, and sends and deletes them in one change. */
#include "executor/move_task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/base/uuid.h"
#include "executor/message_private.h"

#define BATCH       10
#define MAX_RUNNING 100
#define MAX_KEPT    10 /* finished ones of a queue */
/* A moment for the change that starts it. */
#define START_NS      (10 * NS_PER_MS)
#define VISIBILITY_NS (30 * NS_PER_SEC)

struct task {
    struct move_task seen;
    struct move_tasks *all;
    struct arena arena; /* of the ARNs */
    struct loop_timer timer;
    bool is_busy; /* a change of its is under way */
};

struct move_tasks {
    struct mq *mq;
    struct task **tasks; /* in the order they were started */
    size_t n, cap;
    struct rng rng;
};

static const char *const status_names[] = {"RUNNING", "COMPLETED", "CANCELLED", "FAILED"};

const char *move_status_name(enum move_status s)
{
    assert((size_t)s < ARRAY_LEN(status_names));
    return status_names[s];
}

/* --- the journal --- */

/* What is written of a task: a copy, since the loop goes on. */
struct row {
    char handle[MQ_ID_LEN + 1];
    int64_t source, target, rate, moved, total, started_ns;
    const char *status, *reason;
};

static enum status write_row(void *data, struct journal *j, struct err *e)
{
    const struct row *r = data;
    struct sql_stmt *st;
    enum status s = journal_stmt(j,
                                 "insert or replace into move_task(handle, source, target, rate,"
                                 " status, moved, total, started_ns, reason)"
                                 " values(?,?,?,?,?,?,?,?,?)",
                                 &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, str_from(r->handle));
    sql_bind_i64(st, 2, r->source);
    sql_bind_i64(st, 3, r->target);
    sql_bind_i64(st, 4, r->rate);
    sql_bind_str(st, 5, str_from(r->status));
    sql_bind_i64(st, 6, r->moved);
    sql_bind_i64(st, 7, r->total);
    sql_bind_i64(st, 8, r->started_ns);
    sql_bind_str(st, 9, str_from(r->reason));
    return sql_run(st, e);
}

static void add_row(struct mq_change *c, const struct move_task *t)
{
    struct row *r = arena_new(mq_change_arena(c), struct row, 1);

    memcpy(r->handle, t->handle, sizeof(r->handle));
    r->source = t->source;
    r->target = t->target;
    r->rate = t->rate;
    r->moved = t->moved;
    r->total = t->total;
    r->started_ns = t->started_ns;
    r->status = move_status_name(t->status);
    r->reason = t->reason;
    mq_add_extra(c, write_row, r);
}

static void row_kept(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    UNUSED(ctx);
    UNUSED(c);
    UNUSED(s); /* a task whose end is not noted goes on after a restart, and ends again */
    UNUSED(e);
}

static void finish(struct task *t, enum move_status status, const char *reason)
{
    struct mq_change *c = mq_change_new(t->all->mq);

    t->seen.status = status;
    t->seen.reason = reason;
    loop_timer_cancel(t->all->mq->loop, &t->timer);
    add_row(c, &t->seen);
    mq_commit(c, row_kept, NULL);
}

/* --- moving --- */

static void plan_next(struct task *t, size_t n_moved)
{
    struct loop *l = t->all->mq->loop;
    int64_t rate = t->seen.rate > 0 ? t->seen.rate : MOVE_MAX_RATE;

    loop_timer_set(l, &t->timer, loop_now(l) + (int64_t)n_moved * NS_PER_SEC / rate);
}

static void on_moved(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct task *t = ctx;

    UNUSED(c);
    UNUSED(e);
    t->is_busy = false;
    if (t->seen.status != MOVE_RUNNING)
        return;
    if (s != OK)
        finish(t, MOVE_FAILED, "InternalError");
    else if (t->seen.moved >= t->seen.total)
        finish(t, MOVE_COMPLETED, NULL);
    else
        plan_next(t, BATCH);
}

/* Where one message goes; NULL when that queue is not there. */
static struct mq_queue *target_of(const struct task *t, const struct mq_taken *m)
{
    return t->seen.target ? mqueue_by_id(t->all->mq, t->seen.target) : m->source;
}

static void on_taken(void *ctx, struct mq_change *taken, enum status s, const struct err *e)
{
    struct task *t = ctx;
    size_t n = mq_taken_count(taken);

    UNUSED(e);
    t->is_busy = false;
    if (t->seen.status != MOVE_RUNNING)
        return;
    if (s != OK) {
        finish(t, MOVE_FAILED, "InternalError");
        return;
    }
    struct mq_change *c = mq_change_new(t->all->mq);
    for (size_t i = 0; i < n; i++) {
        const struct mq_taken *m = mq_taken(taken, i);
        struct mq_queue *to = target_of(t, m);
        struct mq_sent sent;
        if (!to) {
            mq_change_abandon(c);
            finish(t, MOVE_FAILED, "CouldNotDetermineMessageSource");
            return;
        }
        mq_add_send(c, to,
                    &(struct mq_send){.body = m->body,
                                      .attributes = m->attributes,
                                      .system = m->system,
                                      .group = m->group},
                    &sent);
        mq_add_delete(c, m->message);
    }
    t->seen.moved += (int64_t)n;
    add_row(c, &t->seen);
    t->is_busy = true;
    mq_commit(c, on_moved, t);
}

static void on_turn(void *ctx)
{
    struct task *t = ctx;
    struct mq_queue *q = mqueue_by_id(t->all->mq, t->seen.source);
    int64_t left = t->seen.total - t->seen.moved;

    if (t->is_busy)
        return;
    if (!q) {
        finish(t, MOVE_FAILED, "QueueDoesNotExist");
        return;
    }
    struct mq_change *c = mq_change_new(t->all->mq);
    if (mq_add_take(c, q, (size_t)(left < BATCH ? left : BATCH), VISIBILITY_NS) == 0) {
        /* What another consumer has in flight stays with it. */
        mq_change_abandon(c);
        finish(t, MOVE_COMPLETED, NULL);
        return;
    }
    t->is_busy = true;
    mq_commit(c, on_taken, t);
}

/* --- tasks --- */

static struct str arn_of(struct arena *a, const struct mq_queue *q)
{
    AUTO(buf_clear) struct buf arn = {0};

    if (!q)
        return (struct str){0};
    buf_init(&arn, 1024);
    mq_arn(q, &arn);
    return arena_str(a, buf_str(&arn));
}

static struct task *task_new(struct move_tasks *all, int64_t source, int64_t target)
{
    struct task *t = xcalloc(1, sizeof(*t));

    t->all = all;
    arena_init(&t->arena);
    t->timer = (struct loop_timer){.fn = on_turn, .ctx = t};
    t->seen.source = source;
    t->seen.target = target;
    t->seen.source_arn = arn_of(&t->arena, mqueue_by_id(all->mq, source));
    t->seen.target_arn = arn_of(&t->arena, target ? mqueue_by_id(all->mq, target) : NULL);
    all->tasks = mem_grow(all->tasks, all->n, &all->cap, sizeof(struct task *));
    all->tasks[all->n++] = t;
    return t;
}

static void task_free(struct task *t)
{
    loop_timer_cancel(t->all->mq->loop, &t->timer);
    arena_clear(&t->arena);
    free(t);
}

/* The oldest finished task of a queue that has enough of them. */
static void forget_old(struct move_tasks *all, int64_t source)
{
    size_t n = 0, oldest = all->n;

    for (size_t i = all->n; i-- > 0;) {
        const struct task *t = all->tasks[i];
        if (t->seen.source != source || t->seen.status == MOVE_RUNNING || t->is_busy)
            continue;
        n++;
        oldest = i;
    }
    if (n < MAX_KEPT)
        return;
    task_free(all->tasks[oldest]);
    all->n--;
    memmove(&all->tasks[oldest], &all->tasks[oldest + 1],
            (all->n - oldest) * sizeof(struct task *));
}

static enum status check_start(const struct move_tasks *all, const struct mq_queue *source,
                               struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++) {
        if (all->tasks[i]->seen.status != MOVE_RUNNING)
            continue;
        n++;
        if (all->tasks[i]->seen.source == source->id)
            return err_set(e, ERR_AGAIN,
                           "There is already a task running. Only one active task is "
                           "allowed for a source queue arn at a given time.");
    }
    if (n >= MAX_RUNNING)
        return err_set(e, ERR_LIMIT, "Only %d tasks may run at a time.", MAX_RUNNING);
    return OK;
}

enum status move_start(struct move_tasks *all, struct mq_change *c, const struct move_plan *plan,
                       const struct move_task **out, struct err *e)
{
    enum status s = check_start(all, plan->source, e);

    if (s != OK)
        return s;
    forget_old(all, plan->source->id);
    struct task *t = task_new(all, plan->source->id, plan->target ? plan->target->id : 0);
    uuid_make(&all->rng, t->seen.handle);
    t->seen.rate = plan->rate;
    t->seen.total = (int64_t)mq_stats(plan->source).visible;
    t->seen.started_ns = loop_wall(all->mq->loop);
    loop_timer_set(all->mq->loop, &t->timer, loop_now(all->mq->loop) + START_NS);
    add_row(c, &t->seen);
    *out = &t->seen;
    return OK;
}

enum status move_cancel(struct move_tasks *all, struct str handle, const struct move_task **out,
                        struct err *e)
{
    for (size_t i = 0; i < all->n; i++) {
        struct task *t = all->tasks[i];
        if (!str_eq(str_from(t->seen.handle), handle))
            continue;
        if (t->seen.status != MOVE_RUNNING)
            return err_set(e, ERR_USAGE, "The task cannot be cancelled: it is %s.",
                           move_status_name(t->seen.status));
        finish(t, MOVE_CANCELLED, NULL);
        *out = &t->seen;
        return OK;
    }
    return err_set(e, ERR_NOT_FOUND, "Task does not exist.");
}

const struct move_task *move_each(const struct move_tasks *all, const struct mq_queue *source,
                                  size_t *i)
{
    while (*i < all->n) {
        const struct task *t = all->tasks[all->n - ++*i];
        if (t->seen.source == source->id)
            return &t->seen;
    }
    return NULL;
}

/* --- start --- */

static enum move_status status_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
        if (str_eq(name, str_from(status_names[i])))
            return (enum move_status)i;
    return MOVE_FAILED;
}

static void load_task(struct move_tasks *all, struct sql_stmt *st)
{
    struct task *t = task_new(all, sql_i64(st, 1), sql_i64(st, 2));
    struct str handle = sql_str(st, 0);

    memcpy(t->seen.handle, handle.p, handle.n < MQ_ID_LEN ? handle.n : MQ_ID_LEN);
    t->seen.rate = sql_i64(st, 3);
    t->seen.status = status_of(sql_str(st, 4));
    t->seen.moved = sql_i64(st, 5);
    t->seen.total = sql_i64(st, 6);
    t->seen.started_ns = sql_i64(st, 7);
    if (t->seen.status == MOVE_FAILED)
        t->seen.reason = arena_strz(&t->arena, sql_str(st, 8));
    if (t->seen.status == MOVE_RUNNING)
        loop_timer_set(all->mq->loop, &t->timer, loop_now(all->mq->loop));
}

enum status move_tasks_open(struct mq *m, struct journal *j, struct move_tasks **out, struct err *e)
{
    struct move_tasks *all = xcalloc(1, sizeof(*all));
    struct sql_stmt *st;
    bool has_row = true;

    all->mq = m;
    rng_seed_system(&all->rng);
    enum status s = journal_stmt(j,
                                 "select handle, source, target, rate, status, moved, total,"
                                 " started_ns, reason from move_task order by started_ns",
                                 &st, e);
    if (s != OK) {
        move_tasks_close(all);
        return s;
    }
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        load_task(all, st);
    sql_reset(st);
    if (s != OK) {
        move_tasks_close(all);
        return s;
    }
    *out = all;
    return OK;
}

void move_tasks_close(struct move_tasks *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++)
        task_free(all->tasks[i]);
    free(all->tasks);
    free(all);
}
