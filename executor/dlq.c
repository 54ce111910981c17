/* Envelopes of ended events. */
#include "executor/dlq.h"

#include "core/base/json.h"
#include "core/base/jsonpull.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"

#define MAX_MESSAGE_BYTES 1024

static const char *condition_name(enum dlq_condition c)
{
    static const char *const names[] = {"Success", "RetriesExhausted", "EventAgeExceeded"};

    return names[c];
}

/* A payload that is no JSON goes out as a text. */
static void add_json(struct json_out *o, struct str text)
{
    struct arena scratch;
    struct jp j;

    arena_init(&scratch);
    jp_init(&j, text, &scratch);
    if (jp_skip(&j) && jp_at_end(&j))
        jout_raw(o, text);
    else
        jout_str(o, text);
    arena_clear(&scratch);
}

static void add_context(const struct dlq_event *ev, struct json_out *o)
{
    jout_key(o, "requestContext");
    jout_open(o, '{');
    jout_key(o, "requestId");
    jout_str(o, ev->request_id);
    jout_key(o, "functionArn");
    AUTO(buf_clear) struct buf arn;
    buf_init(&arn, 1024);
    buf_addf(&arn, STR_FMT ":$LATEST", STR_ARG(ev->function_arn));
    jout_str(o, buf_str(&arn));
    jout_key(o, "condition");
    jout_str(o, str_from(condition_name(ev->condition)));
    jout_key(o, "approximateInvokeCount");
    jout_i64(o, ev->invoke_count);
    jout_close(o, '}');
}

static void add_response(const struct dlq_event *ev, struct json_out *o)
{
    jout_key(o, "responseContext");
    jout_open(o, '{');
    jout_key(o, "statusCode");
    jout_i64(o, 200);
    jout_key(o, "executedVersion");
    jout_str(o, STR("$LATEST"));
    if (ev->function_error.n > 0) {
        jout_key(o, "functionError");
        jout_str(o, ev->function_error);
    }
    jout_close(o, '}');
    jout_key(o, "responsePayload");
    add_json(o, ev->response);
}

void dlq_write_record(const struct dlq_event *ev, struct buf *out)
{
    AUTO(buf_clear) struct buf time;
    struct json_out o;

    buf_init(&time, 64);
    time_format(&time, ev->now_ns, 3);
    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_key(&o, "version");
    jout_str(&o, STR("1.0"));
    jout_key(&o, "timestamp");
    jout_str(&o, buf_str(&time));
    add_context(ev, &o);
    jout_key(&o, "requestPayload");
    add_json(&o, ev->payload.n > 0 ? ev->payload : STR("null"));
    if (ev->response.n > 0)
        add_response(ev, &o);
    jout_close(&o, '}');
}

/* The error's text, from the JSON that the attempt left. */
static struct str error_message(const struct dlq_event *ev, const struct json_doc *doc)
{
    struct str text;

    if (ev->condition == DLQ_AGE_EXCEEDED)
        return STR("Event age exceeded");
    if (!doc)
        return STR("No attempt could run");
    return json_str(json_get(json_root(doc), "errorMessage"), &text) && text.n > 0
               ? text
               : STR("Unhandled error");
}

static void add_attribute(struct json_out *o, const char *name, const char *type, struct str value)
{
    jout_key(o, name);
    jout_open(o, '{');
    jout_key(o, "StringValue");
    jout_str(o, value);
    jout_key(o, "DataType");
    jout_str(o, str_from(type));
    jout_close(o, '}');
}

/* Whole characters only. */
static struct str first_kb(struct str s)
{
    if (s.n <= MAX_MESSAGE_BYTES)
        return s;
    s.n = MAX_MESSAGE_BYTES;
    while (s.n > 0 && !utf8_is_valid(s))
        s.n--;
    return s;
}

void dlq_write_attributes(const struct dlq_event *ev, struct buf *out)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct json_out o;
    bool has_run = ev->response.n > 0;

    if (has_run && json_parse(ev->response, &doc, NULL) != OK)
        doc = NULL;
    jout_init(&o, out, false);
    jout_open(&o, '{');
    add_attribute(&o, "RequestID", "String", ev->request_id);
    add_attribute(&o, "ErrorCode", "Number", has_run ? STR("200") : STR("429"));
    add_attribute(&o, "ErrorMessage", "String", first_kb(error_message(ev, doc)));
    jout_close(&o, '}');
}
