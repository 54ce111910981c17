/* ListQueues and GetQueueAttributes as forms and XML. */
#include "collector/aws/aws_queue_form.h"

#include "collector/aws/aws_xml.h"
#include "core/base/json.h"
#include "core/base/url.h"

enum { FORM_MAX_BYTES = 16 << 10, JSON_MAX_BYTES = 8 << 20 };
#define VERSION "2012-11-05"

static void put(struct buf *b, const char *key, struct str value)
{
    buf_addf(b, "&%s=", key);
    url_encode(b, value, false);
}

/* "http://host:9324/000000000000/orders" -> "/000000000000/orders": a queue is asked at its own
 * address. */
static struct str path_of(struct str url)
{
    size_t scheme = str_find(url, STR("://"));
    struct str rest = scheme < url.n ? str_skip(url, scheme + 3) : url;

    return str_skip(rest, str_find_char(rest, '/'));
}

void queue_form(const struct queue_question *question, struct aws_request *out, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = FORM_MAX_BYTES};

    if (question->op == OP_LIST_QUEUES) {
        buf_addf(&b, "Action=ListQueues&Version=" VERSION "&MaxResults=1000");
        if (question->token.n > 0)
            put(&b, "NextToken", question->token);
    } else {
        buf_addf(&b, "Action=GetQueueAttributes&Version=" VERSION "&AttributeName.1=All");
        put(&b, "QueueUrl", question->url);
        out->path = path_of(question->url);
    }
    out->body = arena_str(a, buf_str(&b));
    out->is_form = true;
}

static void put_text(struct json_out *o, const char *key, struct str xml, const char *element,
                     struct arena *a)
{
    struct str text;

    if (aws_xml_text(xml, element, a, &text))
        jout_put_str(o, key, text);
}

static void write_list(struct json_out *o, struct str result, struct arena *a)
{
    struct str rest = result, url;

    jout_key(o, "QueueUrls");
    jout_open(o, '[');
    while (aws_xml_next(&rest, "QueueUrl", &url))
        jout_str(o, aws_xml_unescape(url, a));
    jout_close(o, ']');
    put_text(o, "NextToken", result, "NextToken", a);
}

static void write_attributes(struct json_out *o, struct str result, struct arena *a)
{
    struct str rest = result, attribute, name;

    jout_key(o, "Attributes");
    jout_open(o, '{');
    while (aws_xml_next(&rest, "Attribute", &attribute))
        if (aws_xml_text(attribute, "Name", a, &name))
            put_text(o, arena_printf(a, STR_FMT, STR_ARG(name)).p, attribute, "Value", a);
    jout_close(o, '}');
}

bool queue_form_json(enum aws_op op, struct str *body, struct arena *a)
{
    const bool is_list = op == OP_LIST_QUEUES;
    AUTO(buf_clear) struct buf b = {.max = JSON_MAX_BYTES};
    struct json_out o;
    const char *element = is_list ? "ListQueuesResult" : "GetQueueAttributesResult";
    struct str empty = arena_printf(a, "<%s/>", element), result = {0}, rest = *body;

    if (!aws_xml_next(&rest, element, &result) && str_find(*body, empty) == body->n)
        return false;
    jout_init(&o, &b, false);
    jout_open(&o, '{');
    if (is_list)
        write_list(&o, result, a);
    else
        write_attributes(&o, result, a);
    jout_close(&o, '}');
    *body = arena_str(a, buf_str(&b));
    return true;
}
