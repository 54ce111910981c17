/* A segment document as spans. Members come in any order, so the subsegments, which inherit from
 * what stands beside them, are kept as text until their parent is read. Of what programs write
 * into a segment only annotations are kept: metadata and query strings may hold anything. */
#include "collector/aws/xray_segments.h"

#include <stddef.h>

#include "collector/aws/aws_source.h"
#include "core/base/json.h"
#include "core/base/jsonpull.h"

enum {
    NESTING_MAX = 32,
    ANNOTATIONS_MAX_BYTES = 4096,
    ERROR_MAX_BYTES = 512,
    DETAIL_MAX_BYTES = 512,
};

/* What is on the way from the text to a span. */
struct segment {
    struct span span;
    struct str operation, resource; /* of aws: "PutItem", "orders" */
    struct str method, url;         /* of http.request */
    struct str statement;           /* of sql: where, not what */
    struct str function;            /* of an ARN in aws */
    struct str subsegments;         /* text of the array */
    bool has_start, has_end;
};

static void take_string(struct jp *j, struct str *out)
{
    if (jp_peek(j) == JP_STRING)
        jp_string(j, out);
    else
        jp_skip(j);
}

static void take_flag(struct jp *j, unsigned *flags, unsigned flag)
{
    bool v = false;

    if (jp_peek(j) == JP_TRUE && jp_bool(j, &v))
        *flags |= flag;
    else if (jp_peek(j) != JP_TRUE)
        jp_skip(j);
}

/* Epoch seconds with a fraction, also as 1.69E9. */
static bool take_time(struct jp *j, int64_t *out)
{
    struct str text;

    if (jp_peek(j) != JP_NUMBER)
        return jp_skip(j) && false;
    return jp_number(j, &text) && aws_number(text, 9, out) && *out > 0;
}

/* --- aws, http, sql, cause, annotations --- */

/* Where a member of "aws" goes. */
static const struct {
    const char *name;
    size_t at; /* of a struct str in struct segment */
} aws_members[] = {
    {"operation", offsetof(struct segment, operation)},
    {"request_id", offsetof(struct segment, span.request_id)},
    {"table_name", offsetof(struct segment, resource)},
    {"queue_url", offsetof(struct segment, resource)},
    {"bucket_name", offsetof(struct segment, resource)},
    {"function_arn", offsetof(struct segment, function)},
};

static struct str *aws_member(struct segment *s, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(aws_members); i++)
        if (str_eq(name, str_from(aws_members[i].name)))
            return (struct str *)(void *)((char *)s + aws_members[i].at);
    return NULL;
}

static void read_aws(struct jp *j, struct segment *s)
{
    struct str key;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key)) {
        struct str *to = aws_member(s, key);
        if (to)
            take_string(j, to);
        else
            jp_skip(j);
    }
    if (s->function.n > 0)
        s->function = aws_arn_function(s->function);
}

static void read_request(struct jp *j, struct segment *s)
{
    struct str key;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key))
        if (str_eq(key, STR("method")))
            take_string(j, &s->method);
        else if (str_eq(key, STR("url")))
            take_string(j, &s->url);
        else
            jp_skip(j);
}

static void read_response(struct jp *j, struct segment *s)
{
    struct str key;
    int64_t status = 0;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key))
        if (!str_eq(key, STR("status")) || jp_peek(j) != JP_NUMBER)
            jp_skip(j);
        else if (jp_i64(j, &status) && status > 0 && status < 1000)
            s->span.http_status = (uint32_t)status;
}

static void read_http(struct jp *j, struct segment *s)
{
    struct str key;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key))
        if (str_eq(key, STR("request")))
            read_request(j, s);
        else if (str_eq(key, STR("response")))
            read_response(j, s);
        else
            jp_skip(j);
}

static void read_sql(struct jp *j, struct segment *s)
{
    struct str key;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key))
        if (str_eq(key, STR("database_type")))
            take_string(j, &s->statement);
        else
            jp_skip(j);
}

static void read_exception(struct jp *j, struct segment *s)
{
    struct str key, type = {0}, message = {0};

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key))
        if (str_eq(key, STR("type")))
            take_string(j, &type);
        else if (str_eq(key, STR("message")))
            take_string(j, &message);
        else
            jp_skip(j);
    if (s->span.error.n == 0 && type.n + message.n > 0)
        s->span.error =
            str_sub(arena_printf(j->arena, STR_FMT "%s" STR_FMT, STR_ARG(type),
                                 type.n > 0 && message.n > 0 ? ": " : "", STR_ARG(message)),
                    0, ERROR_MAX_BYTES);
}

/* An object with exceptions, or only the id of one that stands elsewhere. */
static void read_cause(struct jp *j, struct segment *s)
{
    struct str key;

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key)) {
        if (!str_eq(key, STR("exceptions")) || !jp_enter(j, '[')) {
            jp_skip(j);
            continue;
        }
        while (jp_element(j))
            read_exception(j, s);
    }
}

static void read_annotations(struct jp *j, struct segment *s)
{
    struct str text = {0};

    if (jp_peek(j) == JP_OBJECT && jp_raw(j, &text)) {
        text = str_trim(text);
        if (text.n > sizeof("{}") - 1 && text.n <= ANNOTATIONS_MAX_BYTES)
            s->span.annotations = text;
    } else if (jp_peek(j) != JP_OBJECT) {
        jp_skip(j);
    }
}

/* --- one segment
 * --------------------------------------------------------------------------------------------
 */

static void read_start(struct jp *j, struct segment *s)
{
    s->has_start = take_time(j, &s->span.start_ns);
}

static void read_end(struct jp *j, struct segment *s)
{
    s->has_end = take_time(j, &s->span.end_ns);
}

static void read_progress(struct jp *j, struct segment *s)
{
    take_flag(j, &s->span.flags, SPAN_OPEN);
}

static void read_error(struct jp *j, struct segment *s)
{
    take_flag(j, &s->span.flags, SPAN_ERROR);
}

static void read_fault(struct jp *j, struct segment *s)
{
    take_flag(j, &s->span.flags, SPAN_FAULT);
}

static void read_throttle(struct jp *j, struct segment *s)
{
    take_flag(j, &s->span.flags, SPAN_THROTTLE);
}

static void read_inferred(struct jp *j, struct segment *s)
{
    take_flag(j, &s->span.flags, SPAN_INFERRED);
}

static void read_id(struct jp *j, struct segment *s)
{
    take_string(j, &s->span.id);
}

static void read_parent(struct jp *j, struct segment *s)
{
    take_string(j, &s->span.parent_id);
}

static void read_name(struct jp *j, struct segment *s)
{
    take_string(j, &s->span.name);
}

/* A segment has an origin, a subsegment a namespace. */
static void read_origin(struct jp *j, struct segment *s)
{
    take_string(j, &s->span.origin);
}

static void read_subsegments(struct jp *j, struct segment *s)
{
    if (jp_peek(j) == JP_ARRAY)
        jp_raw(j, &s->subsegments);
    else
        jp_skip(j);
}

static const struct {
    const char *key;
    void (*read)(struct jp *j, struct segment *s);
} members[] = {
    {"id", read_id},
    {"parent_id", read_parent},
    {"name", read_name},
    {"origin", read_origin},
    {"namespace", read_origin},
    {"start_time", read_start},
    {"end_time", read_end},
    {"in_progress", read_progress},
    {"error", read_error},
    {"fault", read_fault},
    {"throttle", read_throttle},
    {"inferred", read_inferred},
    {"aws", read_aws},
    {"http", read_http},
    {"sql", read_sql},
    {"cause", read_cause},
    {"annotations", read_annotations},
    {"subsegments", read_subsegments},
};

static void read_member(struct jp *j, struct str key, struct segment *s)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (str_eq(key, str_from(members[i].key))) {
            members[i].read(j, s);
            return;
        }
    jp_skip(j);
}

/* "PutItem orders" or "GET https://host/path": a query string may hold secrets. */
static struct str detail_of(const struct segment *s, struct arena *a)
{
    struct str url = str_sub(s->url, 0, str_find_char(s->url, '?'));
    struct str first = s->operation.n > 0 ? s->operation
                       : s->method.n > 0  ? s->method
                                          : s->statement;
    struct str second = s->operation.n > 0 ? aws_last_part(s->resource) : url;

    if (s->operation.n > 0 && s->resource.n > 0 && second.n == 0)
        second = s->resource;
    if (first.n == 0 || second.n == 0)
        return str_sub(first.n > 0 ? first : second, 0, DETAIL_MAX_BYTES);
    return str_sub(arena_printf(a, STR_FMT " " STR_FMT, STR_ARG(first), STR_ARG(second)), 0,
                   DETAIL_MAX_BYTES);
}

/* A span that has no end is in progress, whether it says so or not. */
static bool finish(struct segment *s, const struct span *above, struct arena *a)
{
    struct span *r = &s->span;

    if (r->id.n == 0 || !s->has_start)
        return false;
    if (!s->has_end || r->end_ns < r->start_ns) {
        r->end_ns = 0;
        r->flags |= SPAN_OPEN;
    } else {
        r->flags &= ~(unsigned)SPAN_OPEN;
    }
    bool is_lambda = str_starts(r->origin, STR("AWS::Lambda"));
    r->of = above->of;
    if (is_lambda)
        r->of.name = s->function.n > 0 ? s->function : r->name;
    if (r->parent_id.n == 0)
        r->parent_id = above->id;
    r->trace_id = above->trace_id;
    r->detail = detail_of(s, a);
    if (!is_lambda)
        r->request_id = (struct str){0}; /* of the service called, not of an invocation */
    return true;
}

static bool read_one(struct jp *j, const struct span *above, struct batch *b, unsigned depth);

static bool read_below(const struct segment *s, struct batch *b, unsigned depth)
{
    struct jp j;

    if (s->subsegments.n == 0 || depth + 1 >= NESTING_MAX)
        return true;
    jp_init(&j, s->subsegments, &b->arena);
    for (bool is_array = jp_enter(&j, '['); is_array && jp_element(&j);)
        if (!read_one(&j, &s->span, b, depth + 1))
            return false;
    return j.error == NULL;
}

static bool read_one(struct jp *j, const struct span *above, struct batch *b, unsigned depth)
{
    struct segment s = {0};
    struct str key;

    if (!jp_enter(j, '{'))
        return false;
    while (jp_member(j, &key))
        read_member(j, key, &s);
    if (j->error != NULL || !finish(&s, above, &b->arena))
        return false;
    *batch_span(b) = s.span;
    return read_below(&s, b, depth);
}

bool xray_segment(struct str document, struct str trace_id, const struct fn_ref *of,
                  struct batch *b)
{
    const struct span above = {.trace_id = trace_id, .of = *of};
    const size_t before = b->n_spans;
    struct jp j;

    jp_init(&j, document, &b->arena);
    if (read_one(&j, &above, b, 0) && jp_at_end(&j))
        return true;
    b->n_spans = before;
    return false;
}
