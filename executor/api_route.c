/* Finds the operation of a request in the services' tables. What the three protocols share is the
 * table; how each names its operation and carries its input is one function a protocol. */
#include "executor/api_route.h"

#include <assert.h>
#include <string.h>

#include "core/base/url.h"
#include "executor/ids.h"

static bool header_of(const struct api_call *c, const char *name, struct str *value)
{
    for (size_t i = 0; i < c->n_headers; i++)
        if (str_eq_nocase(c->headers[i].name, str_from(name))) {
            *value = c->headers[i].value;
            return true;
        }
    return false;
}

struct str api_header(const struct api_call *c, const char *name)
{
    struct str value = {0};

    header_of(c, name, &value);
    return value;
}

struct str api_param(const struct api_call *c, const char *name)
{
    for (size_t i = 0; i < c->n_params; i++)
        if (str_eq(c->params[i].name, str_from(name)))
            return c->params[i].value;
    return (struct str){0};
}

struct str api_query(const struct api_call *c, const char *name)
{
    struct str value = {0};

    return url_query(c->arena, c->query, str_from(name), &value) ? value : (struct str){0};
}

static const struct api_op *find_op(const struct api_service *s, struct str name)
{
    for (const struct api_op *op = s->operations; op->name; op++)
        if (str_eq(str_from(op->name), name))
            return op;
    return NULL;
}

/* --- awsJson: X-Amz-Target: Prefix.Operation --- */

static bool route_json(struct api_call *c)
{
    struct str target = api_header(c, "X-Amz-Target");
    struct str type = api_header(c, "Content-Type");
    size_t dot = str_rfind_char(target, '.');

    c->protocol = str_starts(type, STR("application/x-amz-json-1.0")) ? API_JSON_1_0 : API_JSON_1_1;
    for (size_t i = 0; api_services[i]; i++) {
        const struct api_service *s = api_services[i];
        if (!s->target || !str_eq(str_sub(target, 0, dot), str_from(s->target)))
            continue;
        c->service = s;
        c->op = find_op(s, str_skip(target, dot + 1));
        return c->op != NULL;
    }
    return false;
}

/* --- Query: Action=Operation&Version=... in a form body or the query string --- */

static bool add_fields(struct api_call *c, struct str form, size_t *cap)
{
    struct api_param *params = (struct api_param *)(uintptr_t)c->params;

    while (form.n > 0) {
        struct str value = str_cut(&form, '&');
        struct str name = str_cut(&value, '=');
        params = arena_grow(c->arena, params, c->n_params, cap, sizeof(*params));
        struct api_param *p = &params[c->n_params];
        if (!url_decode(c->arena, name, true, &p->name) ||
            !url_decode_bytes(c->arena, value, true, &p->value))
            return false;
        c->params = params;
        c->n_params++;
    }
    return true;
}

static bool route_query(struct api_call *c)
{
    size_t cap = 0;

    if (!add_fields(c, c->query, &cap) || !add_fields(c, c->body, &cap))
        return false;
    c->protocol = API_QUERY;
    for (size_t i = 0; api_services[i]; i++) {
        const struct api_service *s = api_services[i];
        if (!s->query_version || !str_eq(api_param(c, "Version"), str_from(s->query_version)))
            continue;
        c->service = s;
        c->op = find_op(s, api_param(c, "Action"));
        return c->op != NULL;
    }
    return false;
}

static bool is_query(const struct api_call *c)
{
    struct str ignored;

    return str_starts(api_header(c, "Content-Type"), STR("application/x-www-form-urlencoded")) ||
           url_query(c->arena, c->query, STR("Action"), &ignored);
}

/* --- REST: method and path --- */

static struct str next_segment(struct str *path)
{
    *path = str_skip(*path, 1);
    size_t n = str_find_char(*path, '/');
    struct str segment = str_sub(*path, 0, n);
    *path = str_skip(*path, n);
    return segment;
}

struct rest_match {
    struct api_param params[8];
    size_t n;
};

/* One segment of the pattern against one of the path. "{Name+}" takes the rest. */
static bool match_segment(struct arena *a, struct str want, struct str got, struct rest_match *m)
{
    if (want.n < 2 || want.p[0] != '{')
        return str_eq(want, got);
    struct str name = str_sub(want, 1, want.n - 2);
    if (str_ends(name, STR("+")))
        name.n--;
    if (got.n == 0 || m->n == ARRAY_LEN(m->params))
        return false;
    m->params[m->n].name = name;
    return url_decode(a, got, false, &m->params[m->n++].value);
}

static bool match_uri(struct arena *a, struct str pattern, struct str path, struct rest_match *m)
{
    m->n = 0;
    while (pattern.n > 1) {
        struct str rest = path;
        struct str want = next_segment(&pattern);
        struct str got = path.n > 0 ? next_segment(&path) : (struct str){0};
        if (str_ends(want, STR("+}"))) {
            got = str_skip(rest, 1);
            path = (struct str){0};
        }
        if (!match_segment(a, want, got, m))
            return false;
    }
    return path.n == 0 || str_eq(path, STR("/"));
}

static bool route_rest(struct api_call *c)
{
    struct rest_match m;

    c->protocol = API_REST;
    for (size_t i = 0; api_services[i]; i++)
        for (const struct api_op *op = api_services[i]->operations; op->name; op++) {
            if (!op->uri || !str_eq(c->method, str_from(op->method)) ||
                !match_uri(c->arena, str_from(op->uri), c->path, &m))
                continue;
            struct api_param *params = arena_new(c->arena, struct api_param, m.n + 1);
            memcpy(params, m.params, m.n * sizeof(*params));
            c->params = params;
            c->n_params = m.n;
            c->service = api_services[i];
            c->op = op;
            return true;
        }
    return false;
}

/* --- dispatch --- */

static bool read_input(struct api_call *c)
{
    struct err e = {0};
    bool is_json = c->protocol != API_QUERY && !c->op->has_raw_body;

    if (!is_json || (c->protocol == API_REST && str_trim(c->body).n == 0))
        return true;
    if (json_parse(c->body.n > 0 ? c->body : STR("{}"), &c->doc, &e) != OK ||
        !json_has_members(json_root(c->doc))) {
        api_error(c, 400,
                  c->protocol == API_REST ? "InvalidRequestContentException"
                                          : "SerializationException",
                  "MalformedInput", "Could not parse request body into json: %s",
                  e.code ? e.msg : "an object is expected");
        return false;
    }
    c->input = json_root(c->doc);
    return true;
}

static bool route(struct api_call *c)
{
    struct str ignored;

    if (header_of(c, "X-Amz-Target", &ignored))
        return route_json(c);
    /* A path of its own is the surest sign: clients send payloads under any content type. */
    return route_rest(c) || (is_query(c) && route_query(c));
}

/* A page in a browser may send requests to this machine: AWS clients never name an origin. */
static bool is_from_a_page(const struct api_call *c)
{
    return api_header(c, "Origin").n > 0;
}

static void refuse_unknown(struct api_call *c)
{
    bool is_known = c->service != NULL;

    api_error(c, is_known || c->protocol != API_REST ? 400 : 404,
              c->protocol == API_REST ? "UnknownOperationException" : "UnknownOperation",
              "InvalidAction", "this endpoint does not serve %s",
              c->protocol == API_REST ? "that method and path" : "that operation");
}

static void begin(struct api_call *c)
{
    c->request_id = c->request_id.n > 0 ? c->request_id : uuid_new(&c->x->rng, c->arena);
    c->out.max = c->out.max ? c->out.max : (size_t)16 << 20;
}

static void refuse(struct api_call *c)
{
    api_error(c, c->refusal.status, c->refusal.code, c->refusal.query_code, "%s",
              c->refusal.message);
}

void api_refuse_head(struct api_call *c)
{
    begin(c);
    route(c); /* for the protocol: which operation it is may stand in the body */
    refuse(c);
}

void api_dispatch(struct api_call *c)
{
    begin(c);
    bool is_routed = route(c);
    if (is_from_a_page(c)) {
        api_error(c, 403, "AccessDeniedException", "AccessDenied",
                  "requests of web pages are not served here");
    } else if (c->refusal.code != NULL) {
        refuse(c);
    } else if (!is_routed) {
        refuse_unknown(c);
    } else if (!c->op->runs_early && !executor_ready(c->x)) {
        api_error(c, 503, "ServiceException", "ServiceUnavailable",
                  "fnexec cannot open its files and ends");
    } else if (read_input(c)) {
        c->status = c->op->status ? c->op->status : 200;
        c->op->handler(c);
    }
    if (!c->is_deferred && !c->is_finished)
        api_finish(c);
}

void api_defer(struct api_call *c, void (*on_abort)(struct api_call *c))
{
    assert(!c->is_finished);
    c->is_deferred = true;
    c->on_abort = on_abort;
}

void api_finish(struct api_call *c)
{
    assert(!c->is_finished && c->on_finish);
    c->is_finished = true;
    c->on_finish(c);
}

void api_stream_begin(struct api_call *c, void (*on_room)(struct api_call *c),
                      void (*on_gone)(struct api_call *c))
{
    assert(c->is_deferred && !c->is_finished && c->stream && c->is_raw);
    c->is_finished = true;
    c->on_room = on_room;
    c->on_gone = on_gone;
    c->stream->begin(c);
}

bool api_stream_add(struct api_call *c, struct str piece)
{
    return c->stream->add(c, piece);
}

void api_stream_end(struct api_call *c)
{
    c->stream->end(c);
}

void api_abort(struct api_call *c)
{
    if (c->is_deferred && !c->is_finished && c->on_abort)
        c->on_abort(c);
}

void api_call_clear(struct api_call *c)
{
    buf_clear(&c->out);
    json_doc_free(c->doc);
    c->doc = NULL;
}
