/* Segment documents, read. */
#include "executor/xray_trace.h"

#include "core/base/json.h"
#include "core/base/macros.h"

static struct str text_of(struct arena *a, const struct json *v, const char *key)
{
    struct str text = {0};

    return json_str(json_get(v, key), &text) ? arena_str(a, text) : text;
}

static bool flag_of(const struct json *v, const char *key)
{
    bool flag = false;

    return json_bool(json_get(v, key), &flag) && flag;
}

static void read_http(struct arena *a, const struct json *http, struct xray_segment *s)
{
    const struct json *request = json_get(http, "request");

    json_i64(json_get(json_get(http, "response"), "status"), &s->http_status);
    s->url = text_of(a, request, "url");
    s->method = text_of(a, request, "method");
    s->agent = text_of(a, request, "user_agent");
    s->client = text_of(a, request, "client_ip");
}

static void read_parts(struct arena *a, const struct json *list, struct xray_segment *s)
{
    struct str *parts = arena_new(a, struct str, json_count(list) + 1);

    s->n_parts = json_count(list);
    for (size_t i = 0; i < s->n_parts; i++)
        parts[i] = text_of(a, json_at(list, i), "id");
    s->parts = parts;
}

void xray_trace_add(struct arena *a, struct xray_trace *t, struct str document)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;

    if (json_parse(document, &doc, NULL) != OK || !json_has_members(json_root(doc)))
        return;
    const struct json *root = json_root(doc);
    t->segments = arena_grow(a, t->segments, t->n, &t->cap, sizeof(*t->segments));
    struct xray_segment *s = &t->segments[t->n++];
    *s = (struct xray_segment){.id = text_of(a, root, "id"),
                               .parent_id = text_of(a, root, "parent_id"),
                               .name = text_of(a, root, "name"),
                               .type = text_of(a, root, "origin"),
                               .account = text_of(a, json_get(root, "aws"), "account_id"),
                               .resource_arn = text_of(a, root, "resource_arn"),
                               .is_error = flag_of(root, "error"),
                               .is_fault = flag_of(root, "fault"),
                               .is_throttle = flag_of(root, "throttle"),
                               .is_open = flag_of(root, "in_progress")};
    json_scaled(json_get(root, "start_time"), 6, &s->begin_us);
    s->end_us = s->begin_us;
    json_scaled(json_get(root, "end_time"), 6, &s->end_us);
    read_http(a, json_get(root, "http"), s);
    read_parts(a, json_get(root, "subsegments"), s);
}

static bool has_part(const struct xray_segment *s, struct str id)
{
    for (size_t i = 0; i < s->n_parts; i++)
        if (str_eq(s->parts[i], id))
            return true;
    return str_eq(s->id, id);
}

static size_t find_parent(const struct xray_trace *t, size_t of)
{
    struct str id = t->segments[of].parent_id;

    for (size_t i = 0; id.n > 0 && i < t->n; i++)
        if (i != of && has_part(&t->segments[i], id))
            return i;
    return XRAY_NO_SEGMENT;
}

void xray_trace_link(struct xray_trace *t)
{
    t->root = XRAY_NO_SEGMENT;
    for (size_t i = 0; i < t->n; i++) {
        t->segments[i].parent = find_parent(t, i);
        if (t->segments[i].parent == XRAY_NO_SEGMENT &&
            (t->root == XRAY_NO_SEGMENT || t->segments[i].begin_us < t->segments[t->root].begin_us))
            t->root = i;
    }
}

int64_t xray_trace_begin_us(const struct xray_trace *t)
{
    int64_t begin = t->n > 0 ? t->segments[0].begin_us : 0;

    for (size_t i = 1; i < t->n; i++)
        begin = t->segments[i].begin_us < begin ? t->segments[i].begin_us : begin;
    return begin;
}

int64_t xray_trace_end_us(const struct xray_trace *t)
{
    int64_t end = t->n > 0 ? t->segments[0].end_us : 0;

    for (size_t i = 1; i < t->n; i++)
        end = t->segments[i].end_us > end ? t->segments[i].end_us : end;
    return end;
}
