/* StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask. */
#include <assert.h>

#include "executor/move_task.h"
#include "executor/sqs_private.h"

static bool is_dead_letter_queue(struct api_call *c, const struct mq_queue *q)
{
    const struct mq_queue *x;

    for (size_t i = 0; (x = mq_each(c->x->queues, &i));)
        if (mq_dead_letter(x) == q)
            return true;
    return false;
}

static void not_found(struct api_call *c, const char *message)
{
    api_error(c, 404, "ResourceNotFoundException", "ResourceNotFoundException", "%s", message);
}

static void unsupported(struct api_call *c, const char *message)
{
    api_error(c, 400, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "%s",
              message);
}

/* The queue of an ARN member; NULL after answering with an error. */
static struct mq_queue *queue_of(struct api_call *c, const struct json *in, const char *name)
{
    struct str arn;

    if (!sqs_text(c, in, name, &arn))
        return NULL;
    struct mq_queue *q = mq_find_arn(c->x->queues, arn);
    if (!q)
        not_found(c, "The resource that you specified for the SourceArn parameter doesn't exist.");
    return q;
}

void sqs_start_move(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct move_plan plan = {.source = in ? queue_of(c, in, "SourceArn") : NULL};
    const struct move_task *task;
    struct json_out o;
    struct err e;

    if (!plan.source ||
        !sqs_number(c, in, "MaxNumberOfMessagesPerSecond", MOVE_MAX_RATE, &plan.rate))
        return;
    if (json_get(in, "DestinationArn") && !(plan.target = queue_of(c, in, "DestinationArn")))
        return;
    if (!is_dead_letter_queue(c, plan.source)) {
        sqs_invalid(c, "Source queue must be configured as a Dead Letter Queue.");
        return;
    }
    struct mq_change *change = mq_change_new(c->x->queues);
    if (move_start(c->x->moves, change, &plan, &task, &e) != OK) {
        mq_change_abandon(change);
        unsupported(c, e.msg);
        return;
    }
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "TaskHandle");
    jout_str(&o, str_from(task->handle));
    jout_close(&o, '}');
    mq_commit(change, sqs_change_done, sqs_later(c));
}

static void write_task(const struct move_task *t, struct json_out *o)
{
    jout_open(o, '{');
    if (t->status == MOVE_RUNNING) {
        jout_key(o, "TaskHandle");
        jout_str(o, str_from(t->handle));
    }
    jout_key(o, "Status");
    jout_str(o, str_from(move_status_name(t->status)));
    jout_key(o, "SourceArn");
    jout_str(o, t->source_arn);
    if (t->target_arn.n > 0) {
        jout_key(o, "DestinationArn");
        jout_str(o, t->target_arn);
    }
    if (t->rate > 0) {
        jout_key(o, "MaxNumberOfMessagesPerSecond");
        jout_i64(o, t->rate);
    }
    jout_key(o, "ApproximateNumberOfMessagesMoved");
    jout_i64(o, t->moved);
    jout_key(o, "ApproximateNumberOfMessagesToMove");
    jout_i64(o, t->total);
    if (t->reason) {
        jout_key(o, "FailureReason");
        jout_str(o, str_from(t->reason));
    }
    jout_key(o, "StartedTimestamp");
    jout_i64(o, t->started_ns / NS_PER_MS);
    jout_close(o, '}');
}

void sqs_list_moves(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    const struct mq_queue *source = in ? queue_of(c, in, "SourceArn") : NULL;
    const struct move_task *t;
    struct json_out o;
    int64_t max = 1;

    if (!source || !sqs_number(c, in, "MaxResults", 10, &max))
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Results");
    jout_open(&o, '[');
    for (size_t i = 0; max > 0 && (t = move_each(c->x->moves, source, &i)); max--)
        write_task(t, &o);
    jout_close(&o, ']');
    jout_close(&o, '}');
    sqs_output(c);
}

void sqs_cancel_move(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    const struct move_task *t = NULL;
    struct json_out o;
    struct str handle;
    struct err e;

    if (!in || !sqs_text(c, in, "TaskHandle", &handle))
        return;
    enum status s = move_cancel(c->x->moves, handle, &t, &e);
    if (s == ERR_NOT_FOUND) {
        not_found(c, e.msg);
        return;
    }
    if (s != OK) {
        unsupported(c, e.msg);
        return;
    }
    assert(t != NULL);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "ApproximateNumberOfMessagesMoved");
    jout_i64(&o, t->moved);
    jout_close(&o, '}');
    sqs_output(c);
}
