/* Answers and errors in the form each protocol expects. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"
#include "executor/api_answer.h"

void api_add_header(struct api_call *c, const char *name, struct str value)
{
    c->out_headers = arena_grow(c->arena, c->out_headers, c->n_out_headers, &c->out_headers_cap,
                                sizeof(*c->out_headers));
    c->out_headers[c->n_out_headers++] =
        (struct http_header){str_from(name), arena_str(c->arena, value)};
}

/* --- XML --- */

static const char *xml_entity(uint32_t cp)
{
    switch (cp) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;"; /* a parser would turn it into a line feed */
    default:
        return NULL;
    }
}

/* XML 1.0, Char */
static bool is_xml_char(uint32_t cp)
{
    return cp == '\t' || cp == '\n' || cp == '\r' || (cp >= 0x20 && cp <= 0xD7FF) ||
           (cp >= 0xE000 && cp <= 0xFFFD) || (cp >= 0x10000 && cp <= 0x10FFFF);
}

void api_xml_text(struct buf *out, struct str text)
{
    uint32_t cp;

    for (size_t n; (n = utf8_next(text, &cp)) > 0; text = str_skip(text, n)) {
        const char *entity = xml_entity(cp);
        char bytes[4];
        if (entity)
            buf_add_z(out, entity);
        else
            buf_add(out, bytes, utf8_put(is_xml_char(cp) ? cp : 0xFFFD, bytes));
    }
}

void api_xml_element(struct buf *out, const char *name, struct str text)
{
    buf_addf(out, "<%s>", name);
    api_xml_text(out, text);
    buf_addf(out, "</%s>", name);
}

/* --- errors --- */

static void error_xml(struct api_call *c, const char *code, struct str message)
{
    buf_addf(&c->out, "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>",
             c->service && c->service->xml_namespace ? c->service->xml_namespace : "",
             c->status >= 500 ? "Receiver" : "Sender");
    api_xml_element(&c->out, "Code", str_from(code));
    api_xml_element(&c->out, "Message", message);
    buf_add_z(&c->out, "<Detail/></Error>");
    api_xml_element(&c->out, "RequestId", c->request_id);
    buf_add_z(&c->out, "</ErrorResponse>");
}

static void error_json(struct api_call *c, const char *code, const char *query_code,
                       struct str message)
{
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    if (c->protocol == API_REST) {
        jout_key(&o, "Type");
        jout_str(&o, c->status >= 500 ? STR("Service") : STR("User"));
        jout_key(&o, "Message");
    } else {
        const char *space = c->service ? c->service->json_namespace : NULL;
        jout_key(&o, "__type");
        jout_str(&o, arena_printf(c->arena, "%s%s", space ? space : "", code));
        jout_key(&o, "message");
    }
    jout_str(&o, message);
    jout_close(&o, '}');
    api_add_header(c, "x-amzn-ErrorType", str_from(code));
    if (query_code && c->service && c->service->query_version)
        api_add_header(
            c, "x-amzn-query-error",
            arena_printf(c->arena, "%s;%s", query_code, c->status >= 500 ? "Receiver" : "Sender"));
}

void api_error(struct api_call *c, unsigned status, const char *code, const char *query_code,
               const char *fmt, ...)
{
    char message[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    buf_reset(&c->out);
    c->n_out_headers = 0;
    c->is_raw = false;
    c->is_error = true;
    c->status = status;
    if (c->protocol == API_QUERY)
        error_xml(c, query_code ? query_code : code, str_from(message));
    else
        error_json(c, code, query_code, str_from(message));
}

void api_error_status(struct api_call *c, const struct err *e)
{
    static const struct {
        enum status status;
        unsigned http;
        const char *code;
    } table[] = {
        {ERR_NOT_FOUND, 404, "ResourceNotFoundException"},
        {ERR_LIMIT, 400, "LimitExceededException"},
        {ERR_PARSE, 400, "InvalidParameterException"},
        {ERR_USAGE, 400, "InvalidParameterException"},
        {ERR_CONFIG, 400, "InvalidParameterException"},
        {ERR_AUTH, 403, "AccessDeniedException"},
        {ERR_AGAIN, 503, "ServiceUnavailableException"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == e->code) {
            api_error(c, table[i].http, table[i].code, NULL, "%s", e->msg);
            return;
        }
    api_error(c, 500, "InternalFailure", NULL, "%s", e->msg);
}

/* --- what goes out --- */

static struct str content_type(const struct api_call *c)
{
    static const struct str types[] = {
        [API_JSON_1_0] = STR_INIT("application/x-amz-json-1.0"),
        [API_JSON_1_1] = STR_INIT("application/x-amz-json-1.1"),
        [API_QUERY] = STR_INIT("text/xml"),
        [API_REST] = STR_INIT("application/json"),
    };

    return types[c->protocol];
}

/* <OpResponse><OpResult>...</OpResult><ResponseMetadata/></OpResponse>. The result is there when
 * nothing is in it, too: clients look for it, and pass over one they do not expect. */
static struct str wrap_query(struct api_call *c)
{
    struct buf xml = {.max = c->out.max + 4096};

    buf_addf(&xml, "<?xml version=\"1.0\"?><%sResponse xmlns=\"%s\">", c->op->name,
             c->service->xml_namespace);
    buf_addf(&xml, "<%sResult>" STR_FMT "</%sResult>", c->op->name, STR_ARG(buf_str(&c->out)),
             c->op->name);
    buf_add_z(&xml, "<ResponseMetadata>");
    api_xml_element(&xml, "RequestId", c->request_id);
    buf_addf(&xml, "</ResponseMetadata></%sResponse>", c->op->name);
    struct str out = arena_str(c->arena, buf_str(&xml));
    buf_clear(&xml);
    return out;
}

struct str api_answer(struct api_call *c)
{
    struct str body;

    if (c->out.is_full)
        api_error(c, 500, "InternalFailure", NULL, "the answer is larger than %zu bytes",
                  c->out.max);
    body = buf_str(&c->out);
    if (c->protocol == API_QUERY && !c->is_error)
        body = wrap_query(c);
    else if (c->protocol != API_REST && body.n == 0)
        body = STR("{}");
    if (!c->is_raw && c->status != 204)
        api_add_header(c, "Content-Type", content_type(c));
    api_add_header(c, "x-amzn-RequestId", c->request_id);
    return body;
}
