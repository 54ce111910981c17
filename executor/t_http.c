/* Requests to events. */
#include "executor/t_http.h"

#include <string.h>

#include "core/base/base64.h"
#include "core/base/timefmt.h"
#include "core/base/url.h"
#include "core/base/utf8.h"
#include "executor/ids.h"
#include "executor/invoke.h"
#include "executor/lambda_api.h"
#include "executor/url_reply.h"
#include "executor/url_stream.h"

#define EVENT_MAX_BYTES ((size_t)9 << 20) /* 6 MiB as base64, and the rest */
#define PREFIX          "/lambda-url/"

enum invoke_mode { MODE_BUFFERED, MODE_RESPONSE_STREAM };
static const char *const mode_names[] = {"buffered", "response_stream", NULL};

struct t_http_settings {
    int invoke_mode; /* enum invoke_mode */
};

static const struct opt_def options[] = {
    {.key = "invoke_mode",
     .type = OPT_CHOICE,
     .offset = offsetof(struct t_http_settings, invoke_mode),
     .default_text = "buffered",
     .choices = mode_names,
     .help = "whether a streamed answer leaves while the function runs"},
    {0}};

const struct trigger_ops trigger_http = {
    .type = "http",
    .help = "a URL: requests become events of payload format 2.0",
    .options = options,
    .settings_size = sizeof(struct t_http_settings),
};

static const struct t_http_settings *url_of(const struct fndef *fn)
{
    for (size_t i = 0; i < fn->n_triggers; i++)
        if (fn->triggers[i].ops == &trigger_http)
            return fn->triggers[i].settings;
    return NULL;
}

static bool has_url(const struct fndef *fn)
{
    return url_of(fn) != NULL;
}

static bool is_streaming(const struct fndef *fn)
{
    return url_of(fn)->invoke_mode == MODE_RESPONSE_STREAM;
}

/* --- event --- */

static void lower(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_c(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i]);
}

static bool is_first_of_name(const struct http_call *rq, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq_nocase(rq->headers[k].name, rq->headers[i].name))
            return false;
    return true;
}

/* Names in lower case, values of one name joined by commas; cookies have their own list. */
static void put_headers(struct json_out *o, const struct http_call *rq)
{
    struct buf name = {.max = 65536}, value = {.max = 1 << 20};

    jout_key(o, "headers");
    jout_open(o, '{');
    for (size_t i = 0; i < rq->n_headers; i++) {
        if (!is_first_of_name(rq, i) || str_eq_nocase(rq->headers[i].name, STR("Cookie")))
            continue;
        buf_reset(&name);
        buf_reset(&value);
        lower(&name, rq->headers[i].name);
        for (size_t k = i; k < rq->n_headers; k++)
            if (str_eq_nocase(rq->headers[k].name, rq->headers[i].name)) {
                buf_add_z(&value, value.n > 0 ? "," : "");
                buf_add_str(&value, rq->headers[k].value);
            }
        jout_put_str(o, name.p, buf_str(&value));
    }
    jout_close(o, '}');
    buf_clear(&name);
    buf_clear(&value);
}

static void put_cookies(struct json_out *o, const struct http_call *rq)
{
    struct str cookies;

    if (!http_header(rq, "Cookie", &cookies))
        return;
    jout_key(o, "cookies");
    jout_open(o, '[');
    while (cookies.n > 0)
        jout_str(o, str_trim(str_cut(&cookies, ';')));
    jout_close(o, ']');
}

struct parameter {
    struct str name, value;
};

static size_t read_query(struct arena *a, struct str query, struct parameter **out)
{
    struct parameter *items = NULL;
    size_t n = 0, cap = 0;

    while (query.n > 0) {
        struct str value = str_cut(&query, '&');
        struct str name = str_cut(&value, '=');
        items = arena_grow(a, items, n, &cap, sizeof(*items));
        if (!url_decode(a, name, true, &items[n].name))
            items[n].name = name;
        if (!url_decode(a, value, true, &items[n].value))
            items[n].value = value;
        n++;
    }
    *out = items;
    return n;
}

static void put_query(struct json_out *o, struct arena *a, struct str query)
{
    struct parameter *items;
    size_t n = read_query(a, query, &items);

    if (n == 0)
        return;
    jout_key(o, "queryStringParameters");
    jout_open(o, '{');
    for (size_t i = 0; i < n; i++) {
        struct str joined = items[i].value;
        bool is_first = true;
        for (size_t k = 0; k < n; k++) {
            if (!str_eq(items[k].name, items[i].name))
                continue;
            is_first = is_first && k >= i;
            if (k > i)
                joined =
                    arena_printf(a, STR_FMT "," STR_FMT, STR_ARG(joined), STR_ARG(items[k].value));
        }
        if (is_first)
            jout_put_str(o, arena_strz(a, items[i].name), joined);
    }
    jout_close(o, '}');
}

static void put_http(struct json_out *o, const struct http_call *rq, struct str path)
{
    struct str agent = {0};

    http_header(rq, "User-Agent", &agent);
    jout_key(o, "http");
    jout_open(o, '{');
    jout_put_str(o, "method", rq->method);
    jout_put_str(o, "path", path);
    jout_put_str(o, "protocol", rq->version);
    jout_put_str(o, "sourceIp", rq->peer);
    jout_put_str(o, "userAgent", agent);
    jout_close(o, '}');
}

static struct str common_log_time(struct arena *a, int64_t wall_ns)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil t = time_civil(wall_ns);

    return arena_printf(a, "%02d/%.3s/%04d:%02d:%02d:%02d +0000", t.day,
                        months + 3 * ((size_t)t.month - 1), t.year, t.hour, t.minute, t.second);
}

static void put_context(struct json_out *o, const struct http_call *rq,
                        const struct function_url *u)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str host = {0};

    http_header(rq, "Host", &host);
    jout_key(o, "requestContext");
    jout_open(o, '{');
    jout_put_str(o, "accountId", STR("anonymous"));
    jout_put_str(o, "apiId", u->fn->name);
    jout_put_str(o, "domainName", host);
    jout_put_str(o, "domainPrefix", u->fn->name);
    put_http(o, rq, u->path);
    jout_put_str(o, "requestId", u->request_id);
    jout_put_str(o, "routeKey", STR("$default"));
    jout_put_str(o, "stage", STR("$default"));
    jout_put_str(o, "time", common_log_time(&a, u->wall_ns));
    jout_put_i64(o, "timeEpoch", u->wall_ns / NS_PER_MS);
    jout_close(o, '}');
}

/* Text goes as it is; anything else, and anything that is no valid UTF-8, as base64. */
static bool is_text(const struct http_call *rq)
{
    static const char *const types[] = {"text/", "application/json", "application/xml",
                                        "application/javascript",
                                        "application/x-www-form-urlencoded"};
    struct str type;

    if (!utf8_is_valid(rq->body))
        return false;
    if (!http_header(rq, "Content-Type", &type))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_starts(type, str_from(types[i])))
            return true;
    return str_find(type, STR("+json")) < type.n || str_find(type, STR("+xml")) < type.n;
}

static void put_body(struct json_out *o, const struct http_call *rq)
{
    bool as_text = is_text(rq);
    struct buf encoded = {.max = EVENT_MAX_BYTES};

    if (rq->body.n > 0 && as_text) {
        jout_put_str(o, "body", rq->body);
    } else if (rq->body.n > 0) {
        base64_add(&encoded, rq->body);
        jout_put_str(o, "body", buf_str(&encoded));
    }
    jout_put_bool(o, "isBase64Encoded", rq->body.n > 0 && !as_text);
    buf_clear(&encoded);
}

/* A proxy in front has said where the request comes from: this one's peer is added to it. */
static struct str forwarded_for(struct http_call *rq)
{
    struct str before;

    if (!http_header(rq, "X-Forwarded-For", &before) || before.n == 0)
        return rq->peer;
    return arena_printf(&rq->arena, STR_FMT ", " STR_FMT, STR_ARG(before), STR_ARG(rq->peer));
}

void function_url_forward(struct http_call *rq, const struct function_url *u)
{
    const struct http_header ours[] = {
        {STR("x-amzn-trace-id"), u->trace},
        {STR("x-forwarded-for"), forwarded_for(rq)},
        {STR("x-forwarded-port"), arena_printf(&rq->arena, "%u", u->port)},
        {STR("x-forwarded-proto"), STR("http")},
    };

    url_headers_set(&rq->arena, &rq->headers, &rq->n_headers, ours, ARRAY_LEN(ours));
}

void function_url_event(struct buf *out, const struct http_call *rq, const struct function_url *u)
{
    AUTO(arena_clear) struct arena a = {0};
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_put_str(&o, "version", STR("2.0"));
    jout_put_str(&o, "routeKey", STR("$default"));
    jout_put_str(&o, "rawPath", u->path);
    jout_put_str(&o, "rawQueryString", rq->query);
    put_cookies(&o, rq);
    put_headers(&o, rq);
    put_query(&o, &a, rq->query);
    put_context(&o, rq, u);
    put_body(&o, rq);
    jout_close(&o, '}');
}

/* --- calls --- */

static void on_done(void *ctx, const struct invoke_result *r)
{
    struct http_call *rq = ctx;
    struct http_reply reply;

    if (r->status == INVOKE_OK && r->is_streamed)
        url_reply_of_stream(&rq->arena, r->content_type, r->payload, &reply);
    else if (r->status == INVOKE_OK)
        url_reply_of(&rq->arena, r->payload, &reply);
    else if (r->status == INVOKE_THROTTLED)
        url_reply_throttled(&rq->arena, r, &reply);
    else
        url_reply_bad_gateway(&reply);
    url_reply_name(&rq->arena, r, &reply);
    reply.at_once = r->at_once;
    http_respond(rq, &reply);
}

static void not_found(struct http_call *rq)
{
    http_respond(rq, &(struct http_reply){.status = 404,
                                          .headers = &url_json_type,
                                          .n_headers = 1,
                                          .body = STR("{\"message\":\"Not Found\"}")});
}

/* The function's name and the path of its own; false when the call is for something else. */
static bool split_url(const struct http_call *rq, struct str *name, struct str *path)
{
    struct str host = {0};

    http_header(rq, "Host", &host);
    size_t at = str_find(host, STR(".lambda-url."));
    if (at < host.n) {
        *name = str_sub(host, 0, at);
        *path = rq->path;
        return true;
    }
    if (!str_starts(rq->path, STR(PREFIX)))
        return false;
    struct str rest = str_skip(rq->path, strlen(PREFIX));
    size_t n = str_find_char(rest, '/');
    *name = str_sub(rest, 0, n);
    *path = n < rest.n ? str_skip(rest, n) : STR("/");
    return true;
}

static struct str begin_trace(struct executor *x, struct http_call *rq, int64_t wall_ns)
{
    struct str id = trace_id_new(&x->rng, &rq->arena, wall_ns);

    return arena_printf(&rq->arena, "Root=" STR_FMT, STR_ARG(id));
}

bool function_url_take(struct executor *x, struct http_call *rq)
{
    struct buf event = {.max = EVENT_MAX_BYTES};
    struct function_url u = {.wall_ns = loop_wall(x->loop), .port = x->port};
    struct str name;

    if (!split_url(rq, &name, &u.path))
        return false;
    u.fn = manifest_find(x->manifest, name, NULL);
    if (!u.fn || !has_url(u.fn)) {
        not_found(rq);
        return true;
    }
    u.request_id = uuid_new(&x->rng, &rq->arena);
    if (!http_header(rq, "X-Amzn-Trace-Id", &u.trace))
        u.trace = begin_trace(x, rq, u.wall_ns);
    function_url_forward(rq, &u);
    function_url_event(&event, rq, &u);
    struct invoke_request ask = {.fn = u.fn,
                                 .request_id = u.request_id,
                                 .payload = buf_str(&event),
                                 .trace = u.trace,
                                 .trigger = TRIGGER_HTTP};
    if (is_streaming(u.fn))
        url_stream_invoke(x->invoker, rq, &ask);
    else
        invoke(x->invoker, &ask, on_done, rq);
    buf_clear(&event);
    return true;
}

/* --- what the API says about it --- */

static void put_url_config(struct json_out *o, struct api_call *c, const struct fndef *fn)
{
    struct buf time = {.max = 64};

    time_format(&time, fn->modified_ns, 3);
    jout_open(o, '{');
    jout_put_str(o, "FunctionUrl",
                 arena_printf(c->arena, STR_FMT PREFIX STR_FMT "/", STR_ARG(c->x->endpoint),
                              STR_ARG(fn->name)));
    jout_put_str(o, "FunctionArn", fn->arn);
    jout_put_str(o, "AuthType", STR("NONE"));
    jout_put_str(o, "CreationTime", buf_str(&time));
    jout_put_str(o, "LastModifiedTime", buf_str(&time));
    jout_put_str(o, "InvokeMode", is_streaming(fn) ? STR("RESPONSE_STREAM") : STR("BUFFERED"));
    jout_close(o, '}');
    buf_clear(&time);
}

void lambda_get_url_config(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (fn && !has_url(fn))
        api_error(c, 404, "ResourceNotFoundException", NULL,
                  "The resource you requested does not exist.");
    if (!fn || !has_url(fn))
        return;
    jout_init(&o, &c->out, false);
    put_url_config(&o, c, fn);
}

void lambda_list_url_configs(struct api_call *c)
{
    struct str qualifier;
    const struct fndef *fn = lambda_function(c, &qualifier);
    struct json_out o;

    if (!fn)
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "FunctionUrlConfigs");
    jout_open(&o, '[');
    if (has_url(fn))
        put_url_config(&o, c, fn);
    jout_close(&o, ']');
    jout_close(&o, '}');
}
