/* SendMessage and SendMessageBatch. */
#include <stdio.h>

#include "core/base/crypto.h"
#include "executor/sqs_message.h"
#include "executor/sqs_private.h"

/* One message to send: read from JSON, checked, with what the answer says of it. */
struct outgoing {
    struct mq_send send;
    struct str group; /* of a message in a standard queue */
    struct sqs_attributes attributes, system_attributes;
    struct mq_sent sent;
    const char *code; /* of a refusal, as the Query protocol calls it; NULL: fine */
    bool is_request;  /* the whole batch is refused with it */
    char message[512];
};

static bool refuse(struct outgoing *m, const char *code, const char *message)
{
    m->code = code;
    snprintf(m->message, sizeof(m->message), "%s", message);
    return false;
}

static bool read_body(const struct mq_queue *q, const struct json *in, struct outgoing *m)
{
    if (!json_str(json_get(in, "MessageBody"), &m->send.body) || m->send.body.n == 0)
        return refuse(m, "MissingParameter", "The request must contain the parameter MessageBody.");
    if (!sqs_is_body(m->send.body))
        return refuse(m, "InvalidMessageContents",
                      "Invalid characters in the message body. Allowed are #x9, #xA, #xD, #x20 to "
                      "#xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF.");
    int64_t most = mq_settings(q)->number[QUEUE_MAX_SIZE];
    if ((int64_t)(m->send.body.n + m->attributes.n_bytes) <= most)
        return true;
    m->code = "InvalidParameterValue";
    snprintf(m->message, sizeof(m->message),
             "One or more parameters are invalid. Reason: Message must be shorter than %lld bytes.",
             (long long)most);
    return false;
}

static bool read_delay(const struct mq_queue *q, const struct json *in, struct outgoing *m)
{
    const struct json *given = json_get(in, "DelaySeconds");
    int64_t seconds;

    m->send.delay_ns = -1;
    if (!given)
        return true;
    if (!json_i64(given, &seconds) || seconds < 0 || seconds > MQ_MAX_DELAY_S)
        return refuse(m, "InvalidParameterValue",
                      "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be "
                      ">= 0 and <= 900.");
    if (mq_settings(q)->number[QUEUE_FIFO]) {
        m->code = "InvalidParameterValue";
        snprintf(m->message, sizeof(m->message),
                 "Value %lld for parameter DelaySeconds is invalid. Reason: The request include "
                 "parameter that is not valid for this queue type.",
                 (long long)seconds);
        return false;
    }
    m->send.delay_ns = seconds * NS_PER_SEC;
    return true;
}

/* An identifier of FIFO queues, where it is given: printable, without blanks. */
static bool read_id(const struct json *in, const char *name, struct outgoing *m, struct str *out)
{
    if (json_says_null(json_get(in, name)) || !json_str(json_get(in, name), out))
        return true;
    if (sqs_is_id(*out))
        return true;
    m->code = "InvalidParameterValue";
    snprintf(m->message, sizeof(m->message),
             "Value " STR_FMT " for parameter %s is invalid. Reason: %s can only include "
             "alphanumeric and punctuation characters. 1 to 128 in length.",
             STR_ARG(str_sub(*out, 0, 130)), name, name);
    return false;
}

static struct str hash_of(struct arena *a, struct str body)
{
    AUTO(buf_clear) struct buf hex;
    uint8_t sum[32];

    buf_init(&hex, 128);
    sha256(body, sum);
    hex_add(&hex, sum, sizeof(sum));
    return arena_str(a, buf_str(&hex));
}

/* The group of a message in a standard queue changes nothing here, but is given back. */
static bool read_fifo(const struct mq_queue *q, const struct json *in, struct arena *a,
                      struct outgoing *m)
{
    struct str group = {0};

    if (!read_id(in, "MessageGroupId", m, &group) ||
        !read_id(in, "MessageDeduplicationId", m, &m->send.dedup))
        return false;
    if (!mq_settings(q)->number[QUEUE_FIFO]) {
        m->group = group;
        return m->send.dedup.n == 0 ||
               refuse(m, "InvalidParameterValue",
                      "The request include parameter MessageDeduplicationId that is not valid for "
                      "this queue type");
    }
    m->is_request = true;
    m->send.group = group;
    if (group.n == 0)
        return refuse(m, "MissingParameter",
                      "The request must contain the parameter MessageGroupId.");
    if (m->send.dedup.n == 0 && !mq_settings(q)->number[QUEUE_CONTENT_DEDUP])
        return refuse(m, "InvalidParameterValue",
                      "The queue should either have ContentBasedDeduplication enabled or "
                      "MessageDeduplicationId provided explicitly");
    m->is_request = false;
    if (m->send.dedup.n == 0)
        m->send.dedup = hash_of(a, m->send.body);
    return true;
}

/* What is kept beside the message and shown as its system attributes. */
static struct str system_text(const struct json *in, const struct outgoing *m, struct arena *a)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;
    struct str trace;
    const struct json *given = json_get(
        json_get(json_get(in, "MessageSystemAttributes"), "AWSTraceHeader"), "StringValue");

    buf_init(&text, (size_t)1 << 20);
    jout_init(&o, &text, false);
    jout_open(&o, '{');
    if (json_str(given, &trace)) {
        jout_key(&o, "AWSTraceHeader");
        jout_str(&o, trace);
    }
    if (m->send.dedup.n > 0)
        jout_put_str(&o, "MessageDeduplicationId", m->send.dedup);
    if (m->group.n > 0)
        jout_put_str(&o, "MessageGroupId", m->group);
    jout_close(&o, '}');
    return text.n > 2 ? arena_str(a, buf_str(&text)) : (struct str){0};
}

/* AWSTraceHeader is all there is, and is a text. */
static bool check_system(const struct json *attributes, struct outgoing *m)
{
    const struct json *value;
    struct str key, type;

    for (size_t it = 0; json_each(attributes, &it, &key, &value);) {
        if (str_eq(key, STR("AWSTraceHeader")) && json_str(json_get(value, "DataType"), &type) &&
            str_eq(type, STR("String")))
            continue;
        m->code = "InvalidParameterValue";
        snprintf(m->message, sizeof(m->message),
                 "Message system attribute '" STR_FMT "' is invalid: AWSTraceHeader of type String "
                 "is the only one supported.",
                 STR_ARG(str_sub(key, 0, 100)));
        return false;
    }
    return true;
}

static bool read_message(const struct mq_queue *q, const struct json *in, struct arena *a,
                         struct outgoing *m)
{
    struct err e = {0};

    *m = (struct outgoing){0};
    if (!check_system(json_get(in, "MessageSystemAttributes"), m))
        return false;
    if (sqs_read_attributes(json_get(in, "MessageAttributes"), a, &m->attributes, &e) != OK ||
        sqs_read_attributes(json_get(in, "MessageSystemAttributes"), a, &m->system_attributes,
                            &e) != OK)
        return refuse(m, "InvalidParameterValue", e.msg);
    if (!read_body(q, in, m) || !read_delay(q, in, m) || !read_fifo(q, in, a, m))
        return false;
    m->send.attributes = m->attributes.json;
    m->send.system = system_text(in, m, a);
    return true;
}

static void write_sent(const struct mq_queue *q, const struct outgoing *m, struct json_out *o)
{
    AUTO(buf_clear) struct buf sum;
    char sequence[32];

    buf_init(&sum, 64);
    sqs_md5_body(m->send.body, &sum);
    jout_key(o, "MessageId");
    jout_str(o, str_from(m->sent.id));
    jout_key(o, "MD5OfMessageBody");
    jout_str(o, buf_str(&sum));
    if (m->attributes.md5.n > 0) {
        jout_key(o, "MD5OfMessageAttributes");
        jout_str(o, m->attributes.md5);
    }
    if (m->system_attributes.md5.n > 0) {
        jout_key(o, "MD5OfMessageSystemAttributes");
        jout_str(o, m->system_attributes.md5);
    }
    if (mq_settings(q)->number[QUEUE_FIFO]) {
        snprintf(sequence, sizeof(sequence), "%020lld", (long long)m->sent.seq);
        jout_key(o, "SequenceNumber");
        jout_str(o, str_from(sequence));
    }
}

static void answer_refused(struct api_call *c, const struct outgoing *m, const char *query_code)
{
    static const struct {
        const char *query, *json;
    } codes[] = {{"InvalidParameterValue", "InvalidParameterValueException"},
                 {"MissingParameter", "MissingRequiredParameterException"}};
    const char *code = query_code;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(str_from(query_code), str_from(codes[i].query)))
            code = codes[i].json;
    api_error(c, 400, code, query_code, "%s", m->message);
}

void sqs_send(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct outgoing m;
    struct json_out o;

    if (!q)
        return;
    if (!read_message(q, in, c->arena, &m)) {
        answer_refused(c, &m, m.code);
        return;
    }
    struct mq_change *change = mq_change_new(c->x->queues);
    mq_add_send(change, q, &m.send, &m.sent);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    write_sent(q, &m, &o);
    jout_close(&o, '}');
    mq_commit(change, sqs_change_done, sqs_later(c));
}

#define BATCH_MAX_BYTES ((size_t)1 << 20)

/* All bodies together are held to the same limit as one. */
static bool check_length(struct api_call *c, const struct sqs_batch *b, const struct outgoing *list)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += list[i].send.body.n + list[i].attributes.n_bytes;
    if (n <= BATCH_MAX_BYTES)
        return true;
    api_error(c, 400, "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
              "Batch requests cannot be longer than %zu bytes. You have sent %zu bytes.",
              BATCH_MAX_BYTES, n);
    return false;
}

/* Without its group or identifier no message of a FIFO queue can be told from another: such a
 * request is refused whole. */
static bool check_entries(struct api_call *c, const struct sqs_batch *b,
                          const struct outgoing *list)
{
    for (size_t i = 0; i < b->n; i++)
        if (list[i].code && list[i].is_request) {
            answer_refused(c, &list[i], "InvalidParameterValue");
            return false;
        }
    return true;
}

static void send_all(struct api_call *c, struct mq_queue *q, struct sqs_batch *b,
                     struct outgoing *list)
{
    struct mq_change *change = mq_change_new(c->x->queues);
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Successful");
    jout_open(&o, '[');
    for (size_t i = 0; i < b->n; i++) {
        if (list[i].code) {
            sqs_entry_failed(b, i, list[i].code, "%s", list[i].message);
            continue;
        }
        mq_add_send(change, q, &list[i].send, &list[i].sent);
        jout_open(&o, '{');
        jout_key(&o, "Id");
        jout_str(&o, b->ids[i]);
        write_sent(q, &list[i], &o);
        jout_close(&o, '}');
    }
    jout_close(&o, ']');
    sqs_batch_end(b, &o);
    mq_commit(change, sqs_change_done, sqs_later(c));
}

void sqs_send_batch(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct sqs_batch b;

    if (!q)
        return;
    if (sqs_read_batch(c, in, &b)) {
        struct outgoing *list = arena_new(c->arena, struct outgoing, b.n);
        for (size_t i = 0; i < b.n; i++)
            list[i].code = read_message(q, b.entries[i], c->arena, &list[i]) ? NULL : list[i].code;
        if (check_length(c, &b, list) && check_entries(c, &b, list))
            send_all(c, q, &b, list);
    }
    sqs_batch_clear(&b);
}
