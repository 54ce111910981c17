/* Dead-letter queues and destinations. */
#include "executor/destination.h"

#include "core/base/log.h"
#include "executor/metrics.h"

static struct mq_queue *find_queue(const struct mq *m, struct str target)
{
    return str_find_char(target, ':') < target.n ? mq_find_arn(m, target) : mq_find(m, target);
}

static void missing(struct executor *x, const struct fndef *fn, struct str target,
                    enum metric counted)
{
    metrics_add(x->metrics, counted, fn, 1);
    log_event(LOG_ERROR,
              "event of " STR_FMT " is lost: its destination " STR_FMT
              " does not exist; add it under queues in the manifest",
              STR_ARG(fn->name), STR_ARG(target));
}

static void send_dead_letter(struct executor *x, struct mq_change *c, const struct fndef *fn,
                             const struct dlq_event *ev)
{
    AUTO(buf_clear) struct buf attributes = {0};
    struct mq_queue *q = find_queue(x->queues, fn->dlq);
    struct mq_sent sent;

    if (!q) {
        missing(x, fn, fn->dlq, METRIC_DEAD_LETTER_ERRORS);
        return;
    }
    buf_init(&attributes, 64 << 10);
    dlq_write_attributes(ev, &attributes);
    mq_add_send(c, q,
                &(struct mq_send){.body = ev->payload,
                                  .attributes = buf_str(&attributes),
                                  .group = ev->request_id,
                                  .delay_ns = -1},
                &sent);
}

static void send_record(struct executor *x, struct async *a, struct mq_change *c,
                        const struct fndef *fn, const struct dlq_event *ev, struct str target)
{
    AUTO(buf_clear) struct buf record;
    struct mq_queue *q = find_queue(x->queues, target);
    const struct fndef *next = q ? NULL : manifest_find(x->manifest, target, NULL);
    char request_id[UUID_LEN + 1];
    struct mq_sent sent;

    buf_init(&record, (size_t)32 << 20);
    dlq_write_record(ev, &record);
    if (q)
        mq_add_send(
            c, q,
            &(struct mq_send){.body = buf_str(&record), .group = ev->request_id, .delay_ns = -1},
            &sent);
    else if (next)
        async_add(a, c,
                  &(struct async_event){
                      .fn = next, .payload = buf_str(&record), .trigger = TRIGGER_OTHER},
                  request_id);
    else
        missing(x, fn, target, METRIC_DESTINATION_FAILURES);
}

void destination_add(struct executor *x, struct async *a, struct mq_change *c,
                     const struct fndef *fn, const struct dlq_event *ev)
{
    bool is_success = ev->condition == DLQ_SUCCESS;
    struct str target = is_success ? fn->on_success : fn->on_failure;

    if (!is_success && fn->dlq.n > 0)
        send_dead_letter(x, c, fn, ev);
    if (target.n > 0)
        send_record(x, a, c, fn, ev, target);
}
