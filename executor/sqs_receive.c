/* ReceiveMessage with long polling, DeleteMessage, ChangeMessageVisibility, and their batches. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/sqs_message.h"
#include "executor/sqs_private.h"

#define MAX_WAIT_S 20

/* A receive that may have to wait. It lives until its answer left or nobody wants it any more. */
struct receive {
    struct api_call *call; /* NULL: the executor is stopping */
    struct mq *mq;
    struct str queue; /* by name: it may be deleted meanwhile */
    int64_t max, visibility_ns, wait_ns;
    const struct json *system_names, *old_names, *attribute_names;
    struct str attempt; /* ReceiveRequestAttemptId; empty: none */
    struct mq_waiter waiter;
    struct loop_timer deadline;
};

/* --- the answer --- */

static bool lists(const struct json *names, struct str name)
{
    struct str s;

    for (size_t i = 0; i < json_count(names); i++)
        if (json_str(json_at(names, i), &s) && (str_eq(s, STR("All")) || str_eq(s, name)))
            return true;
    return false;
}

static bool is_system_wanted(const void *ctx, struct str name)
{
    const struct receive *r = ctx;

    return lists(r->system_names, name) || lists(r->old_names, name);
}

/* "All", ".*", a name, or "prefix.*". */
static bool is_attribute_wanted(const struct receive *r, struct str name)
{
    struct str s;

    if (lists(r->attribute_names, name))
        return true;
    for (size_t i = 0; i < json_count(r->attribute_names); i++)
        if (json_str(json_at(r->attribute_names, i), &s) && str_ends(s, STR(".*")) &&
            str_starts(name, str_sub(s, 0, s.n - 2)))
            return true;
    return false;
}

/* Only those asked for; the checksum is over what is given. */
static void write_attributes(const struct receive *r, struct str stored, struct json_out *o)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL, *subset = NULL;
    AUTO(buf_clear) struct buf text = {0};
    struct sqs_attributes read = {0};
    struct json_out part;
    const struct json *value;
    struct str key, v;

    if (stored.n == 0 || json_parse(stored, &doc, NULL) != OK)
        return;
    buf_init(&text, (size_t)2 << 20);
    jout_init(&part, &text, false);
    jout_open(&part, '{');
    for (size_t it = 0; json_each(json_root(doc), &it, &key, &value);) {
        const struct json *member;
        struct str name;
        if (!is_attribute_wanted(r, key))
            continue;
        jout_key(&part, arena_strz(r->call->arena, key));
        jout_open(&part, '{');
        for (size_t k = 0; json_each(value, &k, &name, &member);)
            if (json_str(member, &v)) {
                jout_key(&part, arena_strz(r->call->arena, name));
                jout_str(&part, v);
            }
        jout_close(&part, '}');
    }
    jout_close(&part, '}');
    if (json_parse(buf_str(&text), &subset, NULL) != OK ||
        sqs_read_attributes(json_root(subset), r->call->arena, &read, NULL) != OK ||
        read.md5.n == 0)
        return;
    jout_key(o, "MD5OfMessageAttributes");
    jout_str(o, read.md5);
    jout_key(o, "MessageAttributes");
    jout_raw(o, read.json);
}

static void write_message(const struct receive *r, const struct mq_queue *q,
                          const struct mq_taken *t, struct json_out *o)
{
    AUTO(buf_clear) struct buf text;

    buf_init(&text, 4096);
    jout_open(o, '{');
    jout_key(o, "MessageId");
    jout_str(o, t->id);
    sqs_receipt_write(q, t, &text);
    jout_key(o, "ReceiptHandle");
    jout_str(o, buf_str(&text));
    buf_reset(&text);
    sqs_md5_body(t->body, &text);
    jout_key(o, "MD5OfBody");
    jout_str(o, buf_str(&text));
    jout_key(o, "Body");
    jout_str(o, t->body);
    if (json_count(r->system_names) + json_count(r->old_names) > 0) {
        jout_key(o, "Attributes");
        sqs_write_system(q, t, is_system_wanted, r, o);
    }
    write_attributes(r, t->attributes, o);
    jout_close(o, '}');
}

static void receive_free(struct receive *r)
{
    mq_wait_cancel(&r->waiter);
    loop_timer_cancel(mq_loop(r->mq), &r->deadline);
    free(r);
}

/* Ends the call with what is in `out`, or with nothing. */
static void answer(struct receive *r, const struct mq_change *change)
{
    struct api_call *c = r->call;
    struct mq_queue *q = mq_find(r->mq, r->queue);
    size_t n = change && q ? mq_taken_count(change) : 0;
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    if (n > 0) {
        jout_key(&o, "Messages");
        jout_open(&o, '[');
        for (size_t i = 0; i < n; i++)
            write_message(r, q, mq_taken(change, i), &o);
        jout_close(&o, ']');
    } else if (q) {
        mq_count_empty_receive(q);
    }
    jout_close(&o, '}');
    receive_free(r);
    sqs_output(c);
    api_finish(c);
}

static void on_taken(void *ctx, struct mq_change *change, enum status s, const struct err *e)
{
    struct receive *r = ctx;
    struct api_call *c = r->call;

    if (!c) {
        receive_free(r); /* the messages come back at their visibility timeout */
        return;
    }
    if (s == OK) {
        if (r->attempt.n > 0)
            mq_remember_attempt(r->mq, r->queue, r->attempt, change);
        answer(r, change);
        return;
    }
    receive_free(r);
    sqs_journal_failed(c, s, e);
    api_finish(c);
}

static void ignore_done(void *ctx, struct mq_change *change, enum status s, const struct err *e)
{
    UNUSED(ctx);
    UNUSED(change);
    UNUSED(s); /* what could not be moved stays where it is */
    UNUSED(e);
}

/* False when nothing can be taken now; what is too old or received too often is gone then. */
static bool try_take(struct receive *r, struct mq_queue *q)
{
    struct mq_change *change = mq_change_new(r->mq);

    if ((r->attempt.n > 0 && mq_add_again(change, q, r->attempt, r->visibility_ns) > 0) ||
        mq_add_take(change, q, (size_t)r->max, r->visibility_ns) > 0) {
        loop_timer_cancel(mq_loop(r->mq), &r->deadline);
        mq_commit(change, on_taken, r);
        return true;
    }
    if (mq_is_empty(change))
        mq_change_abandon(change);
    else
        mq_commit(change, ignore_done, NULL);
    return false;
}

static void on_visible(void *ctx)
{
    struct receive *r = ctx;
    struct mq_queue *q = mq_find(r->mq, r->queue);

    if (!q)
        answer(r, NULL);
    else if (!try_take(r, q))
        mq_wait(q, &r->waiter);
}

static void on_deadline(void *ctx)
{
    answer(ctx, NULL);
}

/* While it waits it can be dropped at once; while a take is under way its end does it. */
static void on_abort(struct api_call *c)
{
    struct receive *r = c->owner;
    bool is_waiting = r->waiter.queue != NULL;

    r->call = NULL;
    if (is_waiting)
        receive_free(r);
}

/* False after answering that there is no such attribute of a message. The old member took those of
 * queues, too, as AWS's model has it. */
static bool check_names(struct api_call *c, const struct json *names, bool may_be_of_queue)
{
    static const char *const known[] = {"All",
                                        "SenderId",
                                        "SentTimestamp",
                                        "ApproximateReceiveCount",
                                        "ApproximateFirstReceiveTimestamp",
                                        "SequenceNumber",
                                        "MessageDeduplicationId",
                                        "MessageGroupId",
                                        "AWSTraceHeader",
                                        "DeadLetterQueueSourceArn"};

    for (size_t i = 0; i < json_count(names); i++) {
        struct str s = {0};
        bool is_known = json_str(json_at(names, i), &s) && may_be_of_queue && sqs_is_attribute(s);
        for (size_t k = 0; !is_known && k < ARRAY_LEN(known); k++)
            is_known = str_eq(s, str_from(known[k]));
        if (is_known)
            continue;
        sqs_no_attribute(c, s);
        return false;
    }
    return true;
}

/* Lets a receive be repeated, of a FIFO queue. */
static bool read_attempt(struct api_call *c, const struct json *in, const struct mq_queue *q,
                         struct str *out)
{
    static const char name[] = "ReceiveRequestAttemptId";

    if (!json_str(json_get(in, name), out))
        return true;
    if (!mq_settings(q)->number[QUEUE_FIFO])
        sqs_invalid(c,
                    "Value " STR_FMT " for parameter %s is invalid. Reason: The request include "
                    "parameter that is not valid for this queue type.",
                    STR_ARG(str_sub(*out, 0, 130)), name);
    else if (!sqs_is_id(*out))
        sqs_invalid(c,
                    "Value " STR_FMT " for parameter %s is invalid. Reason: %s can only include "
                    "alphanumeric and punctuation characters. 1 to 128 in length.",
                    STR_ARG(str_sub(*out, 0, 130)), name, name);
    else
        return true;
    return false;
}

static bool read_most(struct api_call *c, const struct json *in, int64_t *most)
{
    const struct json *given = json_get(in, "MaxNumberOfMessages");

    *most = 1;
    if (!given || (json_i64(given, most) && *most >= 1 && *most <= SQS_MAX_BATCH))
        return true;
    sqs_invalid(c,
                "Value %lld for parameter MaxNumberOfMessages is invalid. Reason: Must be between "
                "1 and %d, if provided.",
                (long long)*most, SQS_MAX_BATCH);
    return false;
}

static bool read_receive(struct api_call *c, const struct json *in, const struct mq_queue *q,
                         struct receive *r)
{
    const struct queue_settings *s = mq_settings(q);
    int64_t wait = s->number[QUEUE_WAIT], visibility = s->number[QUEUE_VISIBILITY];

    r->old_names = json_get(in, "AttributeNames");
    r->system_names = json_get(in, "MessageSystemAttributeNames");
    r->attribute_names = json_get(in, "MessageAttributeNames");
    if (!read_most(c, in, &r->max) || !sqs_number(c, in, "WaitTimeSeconds", MAX_WAIT_S, &wait) ||
        !sqs_number(c, in, "VisibilityTimeout", MQ_MAX_VISIBILITY_S, &visibility) ||
        !check_names(c, r->system_names, false) || !check_names(c, r->old_names, true) ||
        !read_attempt(c, in, q, &r->attempt))
        return false;
    r->wait_ns = wait * NS_PER_SEC;
    r->visibility_ns = visibility * NS_PER_SEC;
    return true;
}

static bool is_full(const struct mq_queue *q)
{
    size_t most = mq_settings(q)->number[QUEUE_FIFO] ? MQ_MAX_IN_FLIGHT_FIFO : MQ_MAX_IN_FLIGHT;

    return mq_stats(q).in_flight >= most;
}

void sqs_receive(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct receive options = {0};

    if (!q || !read_receive(c, in, q, &options))
        return;
    if (is_full(q)) {
        api_error(c, 403, "OverLimit", "OverLimit", "Too many messages are in flight.");
        return;
    }
    struct receive *r = xmemdup(&options, sizeof(options));
    r->call = c;
    r->mq = c->x->queues;
    r->queue = arena_str(c->arena, mq_name(q));
    r->waiter = (struct mq_waiter){.fn = on_visible, .ctx = r};
    r->deadline = (struct loop_timer){.fn = on_deadline, .ctx = r};
    c->owner = r;
    api_defer(c, on_abort);
    if (try_take(r, q))
        return;
    if (r->wait_ns == 0) {
        answer(r, NULL);
        return;
    }
    loop_timer_set(mq_loop(r->mq), &r->deadline, loop_now(mq_loop(r->mq)) + r->wait_ns);
    mq_wait(q, &r->waiter);
}

/* --- delete, visibility --- */

enum found { FOUND, FOUND_NONE, FOUND_BAD_HANDLE };

static enum found find_message(struct api_call *c, const struct mq_queue *q, const struct json *in,
                               struct mq_message **m)
{
    struct str handle, name;
    uint64_t receipt;
    int64_t seq;

    if (!json_str(json_get(in, "ReceiptHandle"), &handle) ||
        !sqs_receipt_read(c->arena, handle, &name, &seq, &receipt) || !str_eq(name, mq_name(q)))
        return FOUND_BAD_HANDLE;
    *m = mq_by_receipt(q, seq, receipt);
    return *m ? FOUND : FOUND_NONE;
}

static void bad_handle(struct api_call *c)
{
    api_error(c, 404, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid",
              "The input receipt handle is invalid.");
}

/* In a FIFO queue a message whose time is over is its group's next: it cannot be deleted any more.
 */
static bool is_expired(const struct mq_queue *q, const struct mq_message *m)
{
    return m && mq_settings(q)->number[QUEUE_FIFO] && !mq_is_in_flight(m);
}

/* A message that is gone already, or was received anew, is no error: the API says so. */
void sqs_delete(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct mq_message *m = NULL;
    struct str handle = {0};

    if (!q || !sqs_text(c, in, "ReceiptHandle", &handle))
        return;
    if (find_message(c, q, in, &m) == FOUND_BAD_HANDLE) {
        bad_handle(c);
        return;
    }
    if (is_expired(q, m)) {
        sqs_invalid(c,
                    "Value " STR_FMT " for parameter ReceiptHandle is invalid. Reason: The "
                    "receipt handle has expired.",
                    STR_ARG(handle));
        return;
    }
    struct mq_change *change = mq_change_new(c->x->queues);
    if (m)
        mq_add_delete(change, m);
    buf_add_z(&c->out, "{}");
    mq_commit(change, sqs_change_done, sqs_later(c));
}

static void not_in_flight(struct api_call *c)
{
    api_error(c, 400, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight",
              "The message referred to is not in flight.");
}

void sqs_visibility(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct mq_message *m = NULL;
    struct str handle;
    int64_t seconds = -1;

    if (!q || !sqs_text(c, in, "ReceiptHandle", &handle) ||
        !sqs_number(c, in, "VisibilityTimeout", MQ_MAX_VISIBILITY_S, &seconds))
        return;
    if (seconds < 0) {
        sqs_missing(c, "VisibilityTimeout");
        return;
    }
    if (find_message(c, q, in, &m) == FOUND_BAD_HANDLE) {
        bad_handle(c);
        return;
    }
    if (!m || !mq_is_in_flight(m)) {
        not_in_flight(c);
        return;
    }
    struct mq_change *change = mq_change_new(c->x->queues);
    mq_add_release(change, m, seconds * NS_PER_SEC, 0);
    buf_add_z(&c->out, "{}");
    mq_commit(change, sqs_change_done, sqs_later(c));
}

/* --- batches --- */

/* Adds what entry i asks for; false when it was added to the failed ones. */
typedef bool entry_fn(struct api_call *c, struct mq_queue *q, struct sqs_batch *b, size_t i,
                      struct mq_change *change);

static bool delete_entry(struct api_call *c, struct mq_queue *q, struct sqs_batch *b, size_t i,
                         struct mq_change *change)
{
    struct mq_message *m = NULL;

    if (find_message(c, q, b->entries[i], &m) == FOUND_BAD_HANDLE) {
        sqs_entry_failed(b, i, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
        return false;
    }
    if (is_expired(q, m)) {
        sqs_entry_failed(b, i, "InvalidParameterValue", "The receipt handle has expired.");
        return false;
    }
    if (m)
        mq_add_delete(change, m);
    return true;
}

static bool visibility_entry(struct api_call *c, struct mq_queue *q, struct sqs_batch *b, size_t i,
                             struct mq_change *change)
{
    struct mq_message *m = NULL;
    int64_t seconds;

    if (!json_i64(json_get(b->entries[i], "VisibilityTimeout"), &seconds) || seconds < 0 ||
        seconds > MQ_MAX_VISIBILITY_S) {
        sqs_entry_failed(b, i, "InvalidParameterValue", "VisibilityTimeout must be 0 to %d.",
                         MQ_MAX_VISIBILITY_S);
        return false;
    }
    if (find_message(c, q, b->entries[i], &m) == FOUND_BAD_HANDLE) {
        sqs_entry_failed(b, i, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
        return false;
    }
    if (!m || !mq_is_in_flight(m)) {
        sqs_entry_failed(b, i, "AWS.SimpleQueueService.MessageNotInflight",
                         "The message referred to is not in flight.");
        return false;
    }
    mq_add_release(change, m, seconds * NS_PER_SEC, 0);
    return true;
}

static void run_batch(struct api_call *c, entry_fn *fn)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct sqs_batch b;
    struct json_out o;

    if (!q)
        return;
    if (sqs_read_batch(c, in, &b)) {
        struct mq_change *change = mq_change_new(c->x->queues);
        jout_init(&o, &c->out, false);
        jout_open(&o, '{');
        jout_key(&o, "Successful");
        jout_open(&o, '[');
        for (size_t i = 0; i < b.n; i++) {
            if (!fn(c, q, &b, i, change))
                continue;
            jout_open(&o, '{');
            jout_key(&o, "Id");
            jout_str(&o, b.ids[i]);
            jout_close(&o, '}');
        }
        jout_close(&o, ']');
        sqs_batch_end(&b, &o);
        mq_commit(change, sqs_change_done, sqs_later(c));
    }
    sqs_batch_clear(&b);
}

void sqs_delete_batch(struct api_call *c)
{
    run_batch(c, delete_entry);
}

void sqs_visibility_batch(struct api_call *c)
{
    run_batch(c, visibility_entry);
}
