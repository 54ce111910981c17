/* Events of queue triggers. */
#include "executor/queue_event.h"

#include "core/base/json.h"
#include "executor/sqs_message.h"

/* The API's {"StringValue":..,"DataType":..} in the event's spelling. */
static void write_attribute(struct json_out *o, const struct json *v)
{
    static const char *const kinds[][2] = {{"StringValue", "stringValue"},
                                           {"BinaryValue", "binaryValue"}};
    struct str text;

    jout_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (json_str(json_get(v, kinds[i][0]), &text)) {
            jout_key(o, kinds[i][1]);
            jout_str(o, text);
        }
    jout_key(o, "stringListValues");
    jout_raw(o, STR("[]"));
    jout_key(o, "binaryListValues");
    jout_raw(o, STR("[]"));
    if (json_str(json_get(v, "DataType"), &text)) {
        jout_key(o, "dataType");
        jout_str(o, text);
    }
    jout_close(o, '}');
}

static void write_attributes(struct json_out *o, struct str stored)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct arena names;
    const struct json *value;
    struct str key;

    arena_init(&names);
    jout_key(o, "messageAttributes");
    jout_open(o, '{');
    if (stored.n > 0 && json_parse(stored, &doc, NULL) == OK)
        for (size_t it = 0; json_each(json_root(doc), &it, &key, &value);) {
            jout_key(o, arena_strz(&names, key));
            write_attribute(o, value);
        }
    jout_close(o, '}');
    arena_clear(&names);
}

static void put(struct json_out *o, const char *key, const struct buf *text)
{
    jout_key(o, key);
    jout_str(o, buf_str(text));
}

void queue_event_record(const struct mq_queue *q, const struct mq_taken *t, struct buf *out)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;

    buf_init(&text, 4096);
    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_key(&o, "messageId");
    jout_str(&o, t->id);
    sqs_receipt_write(q, t, &text);
    put(&o, "receiptHandle", &text);
    jout_key(&o, "body");
    jout_str(&o, t->body);
    jout_key(&o, "attributes");
    sqs_write_system(q, t, NULL, NULL, &o);
    write_attributes(&o, t->attributes);
    buf_reset(&text);
    sqs_md5_body(t->body, &text);
    put(&o, "md5OfBody", &text);
    jout_key(&o, "eventSource");
    jout_str(&o, STR("aws:sqs"));
    buf_reset(&text);
    mq_arn(q, &text);
    put(&o, "eventSourceARN", &text);
    jout_key(&o, "awsRegion");
    jout_str(&o, mq_region(mq_of(q)));
    jout_close(&o, '}');
}

static size_t find_id(const struct str *ids, size_t n, struct str id)
{
    size_t i = 0;

    while (i < n && !str_eq(ids[i], id))
        i++;
    return i;
}

static void set_all(bool *has_failed, size_t from, size_t n, bool value)
{
    for (size_t i = from; i < n; i++)
        has_failed[i] = value;
}

void queue_event_failures(struct str answer, const struct str *ids, size_t n, bool is_fifo,
                          bool *has_failed)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    size_t first = n;

    set_all(has_failed, 0, n, false);
    if (str_trim(answer).n == 0 || json_parse(answer, &doc, NULL) != OK)
        return; /* null or another bare value is no report */
    const struct json *list = json_get(json_root(doc), "batchItemFailures");
    for (size_t k = 0; k < json_count(list); k++) {
        struct str id = {0};
        bool is_named = json_str(json_get(json_at(list, k), "itemIdentifier"), &id);
        size_t i = is_named && id.n > 0 ? find_id(ids, n, id) : n;
        if (i == n) {
            set_all(has_failed, 0, n, true);
            return;
        }
        has_failed[i] = true;
        first = i < first ? i : first;
    }
    if (is_fifo)
        set_all(has_failed, first, n, true);
}
