/* Starting and stopping the durable half. */
#include "executor/durable.h"

#include "executor/async.h"
#include "executor/journal_schema.h"
#include "executor/manifest_check.h"
#include "executor/message_queue.h"
#include "executor/metrics.h"
#include "executor/move_task.h"
#include "executor/queues_config.h"

enum status durable_open(struct executor *x, struct err *e)
{
    struct str folder = x->state_folder.n > 0 ? x->state_folder : x->scratch_folder;
    struct arena a;

    arena_init(&a);
    struct str path = arena_printf(&a, STR_FMT "/journal.db", STR_ARG(folder));
    enum status s = journal_start(path.p, x->loop, journal_migrate, &x->journal, e);
    arena_clear(&a);
    return s == OK ? metrics_start(x, &x->metrics, e) : s;
}

void durable_go(struct executor *x)
{
    journal_go(x->journal);
}

bool durable_is_open(const struct executor *x)
{
    return journal_is_open(x->journal);
}

enum status durable_start(struct executor *x, struct err *e)
{
    enum status s = journal_ready(x->journal, e);

    if (s == OK)
        s = mq_open(
            x->journal, x->loop,
            &(struct mq_config){.region = x->manifest->region, .account = x->manifest->account},
            &x->queues, e);
    if (s == OK)
        s = move_tasks_open(x->queues, x->journal, &x->moves, e);
    /* One function once (fnexec invoke) needs no queue. */
    if (s == OK && x->state_folder.n > 0)
        s = manifest_check_queues(x->manifest, x->queues, e);
    if (s == OK)
        s = queues_config_apply(x, e);
    return s;
}

enum status durable_resume(struct executor *x, struct err *e)
{
    return async_start(x, &x->async, e);
}

void durable_pause(struct executor *x)
{
    async_stop(x->async);
    x->async = NULL;
}

void durable_stop(struct executor *x)
{
    durable_pause(x);
    metrics_stop(x->metrics);
    x->metrics = NULL;
    if (x->journal)
        journal_flush(x->journal);
    move_tasks_close(x->moves);
    mq_close(x->queues);
    journal_close(x->journal);
    x->moves = NULL;
    x->queues = NULL;
    x->journal = NULL;
}
