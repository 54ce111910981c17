/* Answers of functions as HTTP: the response format of payload 2.0, and the heads of streams. */
#include "executor/url_reply.h"

#include "core/base/base64.h"
#include "core/base/json.h"

static const struct str gap = STR_INIT("\0\0\0\0\0\0\0\0");

const struct http_header url_json_type = {STR_INIT("Content-Type"), STR_INIT("application/json")};

void url_reply_bad_gateway(struct http_reply *out)
{
    *out = (struct http_reply){.status = 502,
                               .headers = &url_json_type,
                               .n_headers = 1,
                               .body = STR("{\"message\":\"Internal Server Error\"}")};
}

struct headers {
    struct http_header *items;
    size_t n, cap;
    bool has_type;
};

static struct str scalar_text(struct arena *a, const struct json *v)
{
    struct str text = {0};
    int64_t number;
    bool flag;

    if (json_str(v, &text))
        return arena_str(a, text);
    if (json_i64(v, &number))
        return arena_printf(a, "%lld", (long long)number);
    return json_bool(v, &flag) ? str_from(flag ? "true" : "false") : text;
}

static void add_header(struct arena *a, struct headers *h, struct str name, struct str value)
{
    h->items = arena_grow(a, h->items, h->n, &h->cap, sizeof(*h->items));
    h->items[h->n++] = (struct http_header){arena_str(a, name), value};
    h->has_type = h->has_type || str_eq_nocase(name, STR("Content-Type"));
}

/* What belongs to the connection is ours to say. */
static bool is_ours(struct str name)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "connection",
                                        "date"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

static void read_headers(struct arena *a, const struct json *root, struct headers *h)
{
    const struct json *headers = json_get(root, "headers"), *cookies = json_get(root, "cookies");
    const struct json *value;
    struct str name;

    for (size_t it = 0; headers && json_each(headers, &it, &name, &value);)
        if (!is_ours(name))
            add_header(a, h, name, scalar_text(a, value));
    for (size_t i = 0; i < json_count(cookies); i++)
        add_header(a, h, STR("Set-Cookie"), scalar_text(a, json_at(cookies, i)));
    if (!h->has_type)
        add_header(a, h, STR("Content-Type"), STR("application/json"));
}

static bool read_body(struct arena *a, const struct json *root, struct str *out)
{
    struct str body = {0};
    bool is_base64 = false;
    struct buf decoded = {.max = (size_t)6 << 20};

    json_str(json_get(root, "body"), &body);
    json_bool(json_get(root, "isBase64Encoded"), &is_base64);
    if (!is_base64) {
        *out = arena_str(a, body);
        return true;
    }
    bool ok = base64_parse(body, &decoded, NULL) == OK;
    *out = arena_str(a, buf_str(&decoded));
    buf_clear(&decoded);
    return ok;
}

/* statusCode, headers, cookies, body: each may be missing. False: it is a bad gateway. */
static bool shaped_reply(struct arena *a, const struct json *root, struct http_reply *out)
{
    const struct json *given = json_get(root, "statusCode");
    struct headers h = {0};
    int64_t status = 200;
    struct str body;

    url_reply_bad_gateway(out);
    if ((given && !json_i64(given, &status)) || status < 200 || status > 599 ||
        !read_body(a, root, &body))
        return false;
    read_headers(a, root, &h);
    *out = (struct http_reply){
        .status = (unsigned)status, .headers = h.items, .n_headers = h.n, .body = body};
    return true;
}

void url_reply_of(struct arena *a, struct str answer, struct http_reply *out)
{
    struct json_doc *doc = NULL;

    /* jansson refuses a text or number alone; such an answer is JSON all the same. */
    if (json_parse(answer, &doc, NULL) != OK || !json_has_members(json_root(doc)) ||
        !json_get(json_root(doc), "statusCode")) {
        *out = (struct http_reply){
            .status = 200, .headers = &url_json_type, .n_headers = 1, .body = arena_str(a, answer)};
        json_doc_free(doc);
        return;
    }
    shaped_reply(a, json_root(doc), out);
    json_doc_free(doc);
}

/* --- streams --- */

bool url_stream_has_head(struct str type)
{
    return str_eq(type, STR("application/vnd.awslambda.http-integration-response"));
}

void url_stream_plain(struct arena *a, struct str type, struct http_reply *out)
{
    struct http_header *own = arena_new(a, struct http_header, 1);

    *own = (struct http_header){STR("Content-Type"),
                                arena_str(a, type.n > 0 ? type : STR("application/octet-stream"))};
    *out = (struct http_reply){.status = 200, .headers = own, .n_headers = 1};
}

enum url_head url_stream_head(struct arena *a, struct str bytes, struct http_reply *out,
                              struct str *rest)
{
    size_t end = str_find(bytes, gap);
    struct json_doc *doc = NULL;

    if (end >= bytes.n)
        return bytes.n > URL_HEAD_BYTES ? URL_HEAD_BAD : URL_HEAD_SHORT;
    bool ok = json_parse(str_sub(bytes, 0, end), &doc, NULL) == OK &&
              json_has_members(json_root(doc)) && shaped_reply(a, json_root(doc), out);
    json_doc_free(doc);
    out->body = (struct str){0};
    *rest = str_skip(bytes, end + gap.n);
    return ok ? URL_HEAD_WHOLE : URL_HEAD_BAD;
}

void url_reply_of_stream(struct arena *a, struct str type, struct str answer,
                         struct http_reply *out)
{
    struct str body = answer;

    if (!url_stream_has_head(type)) {
        url_stream_plain(a, type, out);
    } else if (url_stream_head(a, answer, out, &body) != URL_HEAD_WHOLE) {
        url_reply_bad_gateway(out);
        return;
    }
    out->body = arena_str(a, body);
}

/* --- every answer --- */

void url_reply_throttled(struct arena *a, const struct invoke_result *r, struct http_reply *out)
{
    url_reply_bad_gateway(out);
    out->status = 429;
    out->body = arena_printf(a,
                             "{\"Reason\":\"" STR_FMT "\",\"Type\":\"User\","
                             "\"message\":\"Rate Exceeded.\"}",
                             STR_ARG(r->reason));
}

static bool is_one_of(struct str name, const struct http_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, headers[i].name))
            return true;
    return false;
}

void url_headers_set(struct arena *a, struct http_header **items, size_t *n,
                     const struct http_header *ours, size_t n_ours)
{
    struct http_header *all = arena_new(a, struct http_header, *n + n_ours);
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++)
        if (!is_one_of((*items)[i].name, ours, n_ours))
            all[kept++] = (*items)[i];
    for (size_t i = 0; i < n_ours; i++)
        if (ours[i].value.n > 0)
            all[kept++] = ours[i];
    *items = all;
    *n = kept;
}

void url_reply_name(struct arena *a, const struct invoke_result *r, struct http_reply *reply)
{
    const struct http_header ours[] = {{STR("x-amzn-RequestId"), r->request_id},
                                       {STR("X-Amzn-Trace-Id"), r->trace}};
    struct http_header *items = arena_new(a, struct http_header, reply->n_headers);

    for (size_t i = 0; i < reply->n_headers; i++)
        items[i] = reply->headers[i];
    url_headers_set(a, &items, &reply->n_headers, ours, ARRAY_LEN(ours));
    reply->headers = items;
}
