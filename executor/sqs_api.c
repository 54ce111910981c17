/* The operation table of SQS and what its handlers share. */
#include "executor/sqs_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/sqs_private.h"

static const struct query_name names[] = {
    {"Attributes", "Attribute", QUERY_MAP_NAME, NULL},
    {"AttributeNames", "AttributeName", QUERY_LIST, NULL},
    {"MessageAttributeNames", "MessageAttributeName", QUERY_LIST, NULL},
    {"MessageSystemAttributeNames", "MessageSystemAttributeName", QUERY_LIST, NULL},
    {"MessageAttributes", "MessageAttribute", QUERY_MAP_NAME, NULL},
    {"MessageSystemAttributes", "MessageSystemAttribute", QUERY_MAP_NAME, NULL},
    {"tags", "Tag", QUERY_MAP_KEY, "CreateQueue"},
    {"Tags", "Tag", QUERY_MAP_KEY, NULL},
    {"TagKeys", "TagKey", QUERY_LIST, NULL},
    {"AWSAccountIds", "AWSAccountId", QUERY_LIST, NULL},
    {"Actions", "ActionName", QUERY_LIST, NULL},
    {"Entries", "SendMessageBatchRequestEntry", QUERY_LIST, "SendMessageBatch"},
    {"Entries", "DeleteMessageBatchRequestEntry", QUERY_LIST, "DeleteMessageBatch"},
    {"Entries", "ChangeMessageVisibilityBatchRequestEntry", QUERY_LIST,
     "ChangeMessageVisibilityBatch"},
    {"Successful", "SendMessageBatchResultEntry", QUERY_LIST, "SendMessageBatch"},
    {"Successful", "DeleteMessageBatchResultEntry", QUERY_LIST, "DeleteMessageBatch"},
    {"Successful", "ChangeMessageVisibilityBatchResultEntry", QUERY_LIST,
     "ChangeMessageVisibilityBatch"},
    {"Failed", "BatchResultErrorEntry", QUERY_LIST, NULL},
    {"Messages", "Message", QUERY_LIST, NULL},
    {"QueueUrls", "QueueUrl", QUERY_LIST, "ListQueues"},
    {"queueUrls", "QueueUrl", QUERY_LIST, "ListDeadLetterSourceQueues"},
    {"Results", "Result", QUERY_LIST, NULL},
    {NULL, NULL, QUERY_LIST, NULL},
};

static const struct api_op operations[] = {
    {.name = "CreateQueue", .handler = sqs_create_queue},
    {.name = "DeleteQueue", .handler = sqs_delete_queue},
    {.name = "PurgeQueue", .handler = sqs_purge_queue},
    {.name = "GetQueueUrl", .handler = sqs_get_queue_url},
    {.name = "ListQueues", .handler = sqs_list_queues},
    {.name = "GetQueueAttributes", .handler = sqs_get_attributes},
    {.name = "SetQueueAttributes", .handler = sqs_set_attributes},
    {.name = "ListDeadLetterSourceQueues", .handler = sqs_list_sources},
    {.name = "ListQueueTags", .handler = sqs_list_tags},
    {.name = "TagQueue", .handler = sqs_tag},
    {.name = "UntagQueue", .handler = sqs_untag},
    {.name = "AddPermission", .handler = sqs_add_permission},
    {.name = "RemovePermission", .handler = sqs_remove_permission},
    {.name = "SendMessage", .handler = sqs_send},
    {.name = "SendMessageBatch", .handler = sqs_send_batch},
    {.name = "ReceiveMessage", .handler = sqs_receive},
    {.name = "DeleteMessage", .handler = sqs_delete},
    {.name = "DeleteMessageBatch", .handler = sqs_delete_batch},
    {.name = "ChangeMessageVisibility", .handler = sqs_visibility},
    {.name = "ChangeMessageVisibilityBatch", .handler = sqs_visibility_batch},
    {.name = "StartMessageMoveTask", .handler = sqs_start_move},
    {.name = "ListMessageMoveTasks", .handler = sqs_list_moves},
    {.name = "CancelMessageMoveTask", .handler = sqs_cancel_move},
    {0},
};

const struct api_service sqs_service = {
    .name = "sqs",
    .target = "AmazonSQS",
    .query_version = "2012-11-05",
    .xml_namespace = "http://queue.amazonaws.com/doc/2012-11-05/",
    .json_namespace = "com.amazonaws.sqs#",
    .operations = operations,
};

/* --- input --- */

const struct json *sqs_input(struct api_call *c)
{
    return api_input(c, names);
}

void sqs_no_queue(struct api_call *c)
{
    api_error(c, 400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
              "The specified queue does not exist%s.",
              c->protocol == API_QUERY ? " for this wsdl version" : "");
}

void sqs_invalid(struct api_call *c, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    api_error(c, 400, "InvalidParameterValueException", "InvalidParameterValue", "%s", text);
}

void sqs_missing(struct api_call *c, const char *name)
{
    api_error(c, 400, "MissingRequiredParameterException", "MissingParameter",
              "The request must contain the parameter %s.", name);
}

bool sqs_text(struct api_call *c, const struct json *in, const char *name, struct str *out)
{
    if (json_str(json_get(in, name), out))
        return true;
    sqs_missing(c, name);
    return false;
}

bool sqs_number(struct api_call *c, const struct json *in, const char *name, int64_t max,
                int64_t *value)
{
    const struct json *given = json_get(in, name);
    struct str text = {0};
    int64_t v;

    if (!given)
        return true;
    if (json_i64(given, &v) && v >= 0 && v <= max) {
        *value = v;
        return true;
    }
    if (!json_str(given, &text) && json_i64(given, &v))
        text = arena_printf(c->arena, "%lld", (long long)v);
    sqs_invalid(c,
                "Value " STR_FMT " for parameter %s is invalid. Reason: Must be >= 0 and <= %lld, "
                "if provided.",
                STR_ARG(str_sub(text, 0, 40)), name, (long long)max);
    return false;
}

bool sqs_is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0 && s.n <= 128;
}

struct str sqs_queue_name(struct str url)
{
    size_t slash = str_rfind_char(url, '/');

    return slash < url.n ? str_skip(url, slash + 1) : url;
}

/* http://host/123456789012/name of another account: what has twelve digits there is one. */
static bool is_of_other(const struct api_call *c, struct str url)
{
    size_t slash = str_rfind_char(url, '/');
    struct str account = sqs_queue_name(str_sub(url, 0, slash < url.n ? slash : 0));
    uint64_t digits;

    return account.n == 12 && str_to_u64(account, &digits) &&
           !str_eq(account, mq_account(c->x->queues));
}

/* Queues of the executor itself (':...') are nobody else's. */
struct mq_queue *sqs_queue(struct api_call *c, const struct json *in)
{
    struct str url;

    if (!sqs_text(c, in, "QueueUrl", &url))
        return NULL;
    struct str name = sqs_queue_name(url);
    bool is_ours = !str_starts(name, STR(":")) && !is_of_other(c, url);
    struct mq_queue *q = is_ours ? mq_find(c->x->queues, name) : NULL;
    if (!q)
        sqs_no_queue(c);
    return q;
}

void sqs_url(struct api_call *c, struct str name, struct buf *out)
{
    struct str host = api_header(c, "Host");

    buf_addf(out, "http://" STR_FMT "/" STR_FMT "/" STR_FMT,
             STR_ARG(host.n > 0 ? host : STR("127.0.0.1")), STR_ARG(mq_account(c->x->queues)),
             STR_ARG(name));
}

/* --- answering later --- */

/* Outlives the call when the executor stops first. */
struct sqs_reply {
    struct api_call *call;
};

static void forget_call(struct api_call *c)
{
    struct sqs_reply *r = c->owner;

    r->call = NULL;
}

struct sqs_reply *sqs_later(struct api_call *c)
{
    struct sqs_reply *r = xcalloc(1, sizeof(*r));

    r->call = c;
    c->owner = r;
    api_defer(c, forget_call);
    return r;
}

void sqs_output(struct api_call *c)
{
    api_output(c, names);
}

void sqs_journal_failed(struct api_call *c, enum status s, const struct err *e)
{
    if (s == ERR_LIMIT)
        api_error(c, 503, "ServiceUnavailable", "ServiceUnavailable", "%s", e->msg);
    else
        api_error(c, 500, "InternalFailure", "InternalFailure", "%s", e->msg);
}

void sqs_done(void *reply, enum status s, const struct err *e)
{
    struct sqs_reply *r = reply;
    struct api_call *c = r->call;

    free(r);
    if (!c)
        return;
    if (s == OK) {
        sqs_output(c);
        api_finish(c);
        return;
    }
    sqs_journal_failed(c, s, e);
    api_finish(c);
}

void sqs_change_done(void *reply, struct mq_change *change, enum status s, const struct err *e)
{
    UNUSED(change);
    sqs_done(reply, s, e);
}

/* --- batches --- */

static bool is_batch_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return id.n > 0 && id.n <= MQ_MAX_NAME;
}

static bool check_batch_id(struct api_call *c, const struct sqs_batch *b, size_t i)
{
    if (!is_batch_id(b->ids[i])) {
        api_error(c, 400, "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId",
                  "A batch entry id can only contain alphanumeric characters, hyphens and "
                  "underscores. It can be at most 80 letters long.");
        return false;
    }
    for (size_t k = 0; k < i; k++)
        if (str_eq(b->ids[k], b->ids[i])) {
            api_error(c, 400, "BatchEntryIdsNotDistinct",
                      "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id " STR_FMT " repeated.",
                      STR_ARG(b->ids[i]));
            return false;
        }
    return true;
}

bool sqs_read_batch(struct api_call *c, const struct json *in, struct sqs_batch *b)
{
    const struct json *entries = json_get(in, "Entries");
    size_t n = json_count(entries);

    *b = (struct sqs_batch){.n = n};
    buf_init(&b->failed, (size_t)1 << 20);
    jout_init(&b->failed_out, &b->failed, false);
    if (n == 0 || !json_has_elements(entries)) {
        api_error(c, 400, "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest",
                  "There should be at least one entry in the request.");
        return false;
    }
    if (n > SQS_MAX_BATCH) {
        api_error(c, 400, "TooManyEntriesInBatchRequest",
                  "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
                  "Maximum number of entries per request are %d. You have sent %zu.", SQS_MAX_BATCH,
                  n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        b->entries[i] = json_at(entries, i);
        json_str(json_get(b->entries[i], "Id"), &b->ids[i]);
        if (!check_batch_id(c, b, i))
            return false;
    }
    return true;
}

void sqs_entry_failed(struct sqs_batch *b, size_t i, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    jout_open(&b->failed_out, '{');
    jout_key(&b->failed_out, "Id");
    jout_str(&b->failed_out, b->ids[i]);
    jout_key(&b->failed_out, "SenderFault");
    jout_bool(&b->failed_out, true);
    jout_key(&b->failed_out, "Code");
    jout_str(&b->failed_out, str_from(code));
    jout_key(&b->failed_out, "Message");
    jout_str(&b->failed_out, str_from(text));
    jout_close(&b->failed_out, '}');
}

void sqs_batch_end(struct sqs_batch *b, struct json_out *o)
{
    jout_key(o, "Failed");
    jout_open(o, '[');
    if (b->failed.n > 0)
        jout_raw(o, buf_str(&b->failed));
    jout_close(o, ']');
    jout_close(o, '}');
}

void sqs_batch_clear(struct sqs_batch *b)
{
    buf_clear(&b->failed);
}
