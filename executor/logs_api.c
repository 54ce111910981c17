/* Handlers: parameters, one read of the store, JSON. */
#include "executor/logs_api.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "executor/api_page.h"
#include "executor/fndef.h"
#include "executor/log_filter.h"
#include "executor/log_store.h"
#include "executor/telemetry.h"

#define PAGE_EVENTS 10000
#define PAGE_BYTES  ((size_t)1 << 20)
#define PAGE_GROUPS 50
#define TIME_MAX_MS INT64_C(253402300799999) /* the year 9999 */

static struct log_store *logs_of(const struct api_call *c)
{
    return telemetry_logs(c->x->telemetry);
}

static void invalid(struct api_call *c, const char *what)
{
    api_error(c, 400, "InvalidParameterException", NULL, "%s", what);
}

static void fail(struct api_call *c, const struct err *e)
{
    if (e->code == ERR_NOT_FOUND)
        api_error(c, 400, "ResourceNotFoundException", NULL, "%s", e->msg);
    else
        api_error_status(c, e);
}

static struct str text_of(const struct api_call *c, const char *key)
{
    struct str s = {0};

    json_str(json_get(c->input, key), &s);
    return s;
}

/* An optional whole number within a range; false after answering. */
static bool number_of(struct api_call *c, const char *key, int64_t least, int64_t most,
                      int64_t *out)
{
    const struct json *v = json_get(c->input, key);

    if (!v || json_says_null(v))
        return true;
    if (!json_i64(v, out)) {
        api_error(c, 400, "SerializationException", NULL, "%s: a whole number is expected", key);
        return false;
    }
    if (*out >= least && *out <= most)
        return true;
    api_error(c, 400, "InvalidParameterException", NULL,
              "1 validation error detected: Value '%lld' at '%s' failed to satisfy constraint: "
              "Member must have value %s than or equal to %lld",
              (long long)*out, key, *out < least ? "greater" : "less",
              (long long)(*out < least ? least : most));
    return false;
}

static bool limit_of(struct api_call *c, int64_t most, int64_t *out)
{
    return number_of(c, "limit", 1, most, out);
}

static struct str group_arn(struct api_call *c, struct str name)
{
    return arena_printf(c->arena, "arn:aws:logs:" STR_FMT ":" STR_FMT ":log-group:" STR_FMT,
                        STR_ARG(c->x->manifest->region), STR_ARG(c->x->manifest->account),
                        STR_ARG(name));
}

/* logGroupName, or logGroupIdentifier which may be an ARN. */
static bool find_group(struct api_call *c, struct str *name, int64_t *id)
{
    struct err e = {0};
    struct str text = text_of(c, "logGroupName"), other = text_of(c, "logGroupIdentifier");

    if (text.n > 0 && other.n > 0) {
        api_error(c, 400, "ValidationException", NULL,
                  "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
        return false;
    }
    text = text.n > 0 ? text : other;
    size_t at = str_find(text, STR(":log-group:"));
    if (at < text.n) {
        text = str_skip(text, at + strlen(":log-group:"));
        text = str_ends(text, STR(":*")) ? str_sub(text, 0, text.n - 2) : text;
    }
    *name = text;
    if (text.n == 0) {
        invalid(c, "logGroupName or logGroupIdentifier is required");
        return false;
    }
    if (log_store_find_group(logs_of(c), text, id, &e) == OK)
        return true;
    fail(c, &e);
    return false;
}

/* False after answering. */
static bool read_token(struct api_call *c, uint64_t query, struct page_token *out)
{
    if (api_page_read(c, text_of(c, "nextToken"), query, out))
        return true;
    invalid(c, "The specified nextToken is invalid.");
    return false;
}

/* Hash over the parameters but the token and the limit: a token belongs to one query. */
static uint64_t query_hash(const struct api_call *c, const char *const *keys)
{
    const struct json *names = json_get(c->input, "logStreamNames");
    uint64_t h = 1;

    for (; *keys; keys++) {
        struct str s = text_of(c, *keys);
        int64_t v = 0;
        json_i64(json_get(c->input, *keys), &v);
        h = str_hash(s, h ^ (uint64_t)v);
    }
    for (size_t i = 0; i < json_count(names); i++) {
        struct str s = {0};
        json_str(json_at(names, i), &s);
        h = str_hash(s, h);
    }
    return h;
}

/* --- DescribeLogGroups --- */

static bool wants_group(const struct api_call *c, struct str name)
{
    struct str pattern = text_of(c, "logGroupNamePattern");

    return str_starts(name, text_of(c, "logGroupNamePrefix")) &&
           (pattern.n == 0 || str_find(name, pattern) < name.n);
}

static void put_group(struct api_call *c, struct json_out *o, const struct log_group *g)
{
    struct str arn = group_arn(c, g->name);

    jout_open(o, '{');
    jout_put_str(o, "logGroupName", g->name);
    jout_put_i64(o, "creationTime", g->created_ms);
    jout_put_i64(o, "metricFilterCount", 0);
    jout_put_str(o, "arn", arena_printf(c->arena, STR_FMT ":*", STR_ARG(arn)));
    jout_put_str(o, "logGroupArn", arn);
    jout_put_i64(o, "storedBytes", g->stored_bytes);
    jout_put_str(o, "logGroupClass", STR("STANDARD"));
    jout_close(o, '}');
}

static void describe_groups(struct api_call *c)
{
    static const char *const keys[] = {"logGroupNamePrefix", "logGroupNamePattern", NULL};
    uint64_t query = query_hash(c, keys);
    struct log_group *groups;
    struct page_token at = {0};
    size_t n, seen = 0, put = 0;
    int64_t limit = PAGE_GROUPS;
    struct err e = {0};
    struct json_out o;

    if (text_of(c, keys[0]).n > 0 && text_of(c, keys[1]).n > 0) {
        invalid(
            c, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
        return;
    }
    if (!limit_of(c, PAGE_GROUPS, &limit) || !read_token(c, query, &at))
        return;
    if (log_store_groups(logs_of(c), c->arena, &groups, &n, &e) != OK) {
        fail(c, &e);
        return;
    }
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "logGroups");
    jout_open(&o, '[');
    size_t i = 0;
    for (; i < n && put < (size_t)limit; i++)
        if (wants_group(c, groups[i].name) && seen++ >= (size_t)at.a) {
            put_group(c, &o, &groups[i]);
            put++;
        }
    jout_close(&o, ']');
    while (i < n && !wants_group(c, groups[i].name))
        i++;
    if (i < n)
        jout_put_str(&o, "nextToken", api_page_token(c, query, at.a + (int64_t)put, 0));
    jout_close(&o, '}');
}

/* --- DescribeLogStreams --- */

static int by_last_event(const void *a, const void *b)
{
    const struct log_stream *x = a, *y = b;

    return x->last_ms != y->last_ms ? (x->last_ms < y->last_ms ? -1 : 1)
                                    : str_cmp(x->name, y->name);
}

static void reverse(struct log_stream *s, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct log_stream t = s[i];
        s[i] = s[n - 1 - i];
        s[n - 1 - i] = t;
    }
}

static void put_stream(struct api_call *c, struct json_out *o, struct str group,
                       const struct log_stream *s)
{
    jout_open(o, '{');
    jout_put_str(o, "logStreamName", s->name);
    jout_put_i64(o, "creationTime", s->created_ms);
    if (s->first_ms >= 0) {
        jout_put_i64(o, "firstEventTimestamp", s->first_ms);
        jout_put_i64(o, "lastEventTimestamp", s->last_ms);
        jout_put_i64(o, "lastIngestionTime", s->last_ingestion_ms);
    }
    jout_put_str(o, "uploadSequenceToken",
                 arena_printf(c->arena, "49039859627988812345678901%030lld", (long long)s->id));
    jout_put_str(o, "arn",
                 arena_printf(c->arena, STR_FMT ":log-stream:" STR_FMT,
                              STR_ARG(group_arn(c, group)), STR_ARG(s->name)));
    jout_put_i64(o, "storedBytes", 0);
    jout_close(o, '}');
}

/* The streams asked for, in the order asked for. */
static bool load_streams(struct api_call *c, int64_t group, struct log_stream **out, size_t *n)
{
    struct str prefix = text_of(c, "logStreamNamePrefix"), order = text_of(c, "orderBy");
    bool by_time = str_eq(order, STR("LastEventTime")), descending = false;
    struct err e = {0};
    size_t k = 0;

    if (order.n > 0 && !by_time && !str_eq(order, STR("LogStreamName"))) {
        invalid(c, "orderBy: LogStreamName or LastEventTime is expected");
        return false;
    }
    if (by_time && prefix.n > 0) {
        invalid(c, "Cannot order by LastEventTime with a logStreamNamePrefix.");
        return false;
    }
    if (log_store_streams(logs_of(c), c->arena, group, out, n, &e) != OK) {
        fail(c, &e);
        return false;
    }
    for (size_t i = 0; i < *n; i++)
        if (str_starts((*out)[i].name, prefix))
            (*out)[k++] = (*out)[i];
    *n = k;
    if (by_time && k > 0)
        qsort(*out, k, sizeof(**out), by_last_event);
    if (json_bool(json_get(c->input, "descending"), &descending) && descending)
        reverse(*out, k);
    return true;
}

static void describe_streams(struct api_call *c)
{
    static const char *const keys[] = {"logGroupName", "logGroupIdentifier", "logStreamNamePrefix",
                                       "orderBy", NULL};
    uint64_t query = query_hash(c, keys);
    struct log_stream *streams;
    struct str name;
    struct page_token at = {0};
    size_t n;
    int64_t group, limit = PAGE_GROUPS;
    struct json_out o;

    if (!find_group(c, &name, &group) || !limit_of(c, PAGE_GROUPS, &limit) ||
        !read_token(c, query, &at) || !load_streams(c, group, &streams, &n))
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "logStreams");
    jout_open(&o, '[');
    size_t i = (size_t)at.a;
    for (; i < n && i - (size_t)at.a < (size_t)limit; i++)
        put_stream(c, &o, name, &streams[i]);
    jout_close(&o, ']');
    if (i < n)
        jout_put_str(&o, "nextToken", api_page_token(c, query, (int64_t)i, 0));
    jout_close(&o, '}');
}

/* --- events --- */

/* 56 digits, in the order of (time, arrival). */
static struct str event_id(struct arena *a, const struct log_event *e)
{
    return arena_printf(a, "3%015lld%040lld", (long long)e->time_ms, (long long)e->seq);
}

struct page {
    struct api_call *c;
    struct json_out o;
    struct log_filter *filter;
    struct str *names; /* streams wanted; n_names 0: all */
    size_t n_names;
    struct str name_prefix;
    size_t limit, count, bytes;
    int64_t last_ms, last_seq; /* the last event looked at */
    bool has_position, is_full;
};

static bool wants_stream(const struct page *p, struct str name)
{
    for (size_t i = 0; i < p->n_names; i++)
        if (str_eq(p->names[i], name))
            return true;
    return p->n_names == 0 && str_starts(name, p->name_prefix);
}

static bool on_filter_event(void *ctx, const struct log_event *e)
{
    struct page *p = ctx;
    bool wanted = wants_stream(p, e->stream_name) && log_filter_match(p->filter, e->message);

    if (wanted &&
        (p->count == p->limit || (p->count > 0 && p->bytes + e->message.n > PAGE_BYTES))) {
        p->is_full = true;
        return false;
    }
    p->last_ms = e->time_ms;
    p->last_seq = e->seq;
    p->has_position = true;
    if (!wanted)
        return true;
    p->count++;
    p->bytes += e->message.n + 200;
    jout_open(&p->o, '{');
    jout_put_str(&p->o, "logStreamName", e->stream_name);
    jout_put_i64(&p->o, "timestamp", e->time_ms);
    jout_put_str(&p->o, "message", e->message);
    jout_put_i64(&p->o, "ingestionTime", e->ingestion_ms);
    jout_put_str(&p->o, "eventId", event_id(p->c->arena, e));
    jout_close(&p->o, '}');
    return true;
}

static bool read_names(struct api_call *c, struct page *p)
{
    const struct json *names = json_get(c->input, "logStreamNames");

    p->name_prefix = text_of(c, "logStreamNamePrefix");
    p->n_names = json_count(names);
    if (p->n_names > 100 || (p->n_names > 0 && p->name_prefix.n > 0)) {
        invalid(c, "give at most 100 logStreamNames, or a logStreamNamePrefix");
        return false;
    }
    p->names = arena_new(c->arena, struct str, p->n_names + 1);
    for (size_t i = 0; i < p->n_names; i++)
        if (!json_str(json_at(names, i), &p->names[i])) {
            invalid(c, "logStreamNames holds texts");
            return false;
        }
    return true;
}

static int64_t stream_id(const struct log_stream *streams, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(streams[i].name, name))
            return streams[i].id;
    return 0;
}

/* Every one of them must be there; *id is the last one's. False after answering. */
static bool find_streams(struct api_call *c, int64_t group, const struct str *names, size_t n_names,
                         int64_t *id)
{
    struct log_stream *streams;
    struct err e = {0};
    size_t n;

    if (log_store_streams(logs_of(c), c->arena, group, &streams, &n, &e) != OK) {
        fail(c, &e);
        return false;
    }
    for (size_t i = 0; i < n_names; i++) {
        *id = stream_id(streams, n, names[i]);
        if (*id == 0) {
            api_error(c, 400, "ResourceNotFoundException", NULL,
                      "The specified log stream does not exist.");
            return false;
        }
    }
    return true;
}

static bool read_range(struct api_call *c, struct log_query *q)
{
    q->from_ms = 0;
    q->to_ms = TIME_MAX_MS;
    if (!number_of(c, "startTime", 0, TIME_MAX_MS, &q->from_ms) ||
        !number_of(c, "endTime", 0, TIME_MAX_MS, &q->to_ms))
        return false;
    if (q->from_ms <= q->to_ms)
        return true;
    invalid(c, "endTime is before startTime");
    return false;
}

static bool read_position(struct api_call *c, uint64_t query, struct log_query *q)
{
    struct page_token at = {0};

    if (!read_token(c, query, &at))
        return false;
    q->after_ms = at.a;
    q->after_seq = at.b;
    q->has_position = text_of(c, "nextToken").n > 0;
    return true;
}

static void filter_page(struct api_call *c, struct page *p, const struct log_query *q,
                        uint64_t query)
{
    struct err e = {0};

    p->c = c;
    c->out.max = (size_t)16 << 20;
    jout_init(&p->o, &c->out, false);
    jout_open(&p->o, '{');
    jout_key(&p->o, "events");
    jout_open(&p->o, '[');
    if (log_store_read(logs_of(c), q, on_filter_event, p, &e) != OK) {
        fail(c, &e);
        return;
    }
    jout_close(&p->o, ']');
    jout_key(&p->o, "searchedLogStreams");
    jout_open(&p->o, '[');
    jout_close(&p->o, ']');
    if (p->is_full)
        jout_put_str(&p->o, "nextToken", api_page_token(c, query, p->last_ms, p->last_seq));
    jout_close(&p->o, '}');
}

static void filter_events(struct api_call *c)
{
    static const char *const keys[] = {"logGroupName",
                                       "logGroupIdentifier",
                                       "filterPattern",
                                       "logStreamNamePrefix",
                                       "startTime",
                                       "endTime",
                                       NULL};
    uint64_t query = query_hash(c, keys);
    struct page p = {.limit = PAGE_EVENTS};
    struct log_query q = {0};
    struct str name;
    int64_t limit = PAGE_EVENTS, id;
    struct err e = {0};

    if (!find_group(c, &name, &q.group) || !limit_of(c, PAGE_EVENTS, &limit) ||
        !read_range(c, &q) || !read_names(c, &p) || !read_position(c, query, &q))
        return;
    if (p.n_names > 0 && !find_streams(c, q.group, p.names, p.n_names, &id))
        return;
    if (log_filter_new(text_of(c, "filterPattern"), &p.filter, &e) != OK) {
        fail(c, &e);
        return;
    }
    p.limit = (size_t)limit;
    filter_page(c, &p, &q, query);
    log_filter_free(p.filter);
}

/* --- GetLogEvents --- */

struct got {
    struct log_event *items;
    size_t n, cap, limit, bytes;
    struct arena *arena;
};

static bool on_get_event(void *ctx, const struct log_event *e)
{
    struct got *g = ctx;

    if (g->n == g->limit || (g->n > 0 && g->bytes + e->message.n > PAGE_BYTES))
        return false;
    g->items = arena_grow(g->arena, g->items, g->n, &g->cap, sizeof(*g->items));
    g->items[g->n] = *e;
    g->items[g->n++].message = arena_str(g->arena, e->message);
    g->bytes += e->message.n;
    return true;
}

/* f/<56 digits>/s: at the end of a stream the token given is given back. */
static bool read_direction(struct api_call *c, struct log_query *q)
{
    struct str text = text_of(c, "nextToken"), rest = text;
    bool from_head = false;

    json_bool(json_get(c->input, "startFromHead"), &from_head);
    q->is_backward = !from_head;
    if (text.n == 0)
        return true;
    struct str direction = str_cut(&rest, '/');
    struct str digits = str_cut(&rest, '/');
    bool is_known = str_eq(direction, STR("f")) || str_eq(direction, STR("b"));
    is_known = is_known && digits.n == 56 && str_eq(rest, STR("s")) &&
               str_to_i64(str_sub(digits, 1, 15), &q->after_ms) &&
               str_to_i64(str_sub(digits, 37, 19), &q->after_seq);
    const struct log_event here = {.time_ms = q->after_ms, .seq = q->after_seq};
    if (!is_known || !str_eq(digits, event_id(c->arena, &here))) {
        invalid(c, "The specified nextToken is invalid.");
        return false;
    }
    q->is_backward = str_eq(direction, STR("b"));
    q->has_position = true;
    return true;
}

static void put_events(struct json_out *o, const struct got *g, bool is_backward)
{
    jout_key(o, "events");
    jout_open(o, '[');
    for (size_t i = 0; i < g->n; i++) {
        const struct log_event *e = &g->items[is_backward ? g->n - 1 - i : i];
        jout_open(o, '{');
        jout_put_i64(o, "timestamp", e->time_ms);
        jout_put_str(o, "message", e->message);
        jout_put_i64(o, "ingestionTime", e->ingestion_ms);
        jout_close(o, '}');
    }
    jout_close(o, ']');
}

static void put_tokens(struct api_call *c, struct json_out *o, const struct got *g,
                       const struct log_query *q)
{
    struct log_event here = {.time_ms = q->has_position ? q->after_ms : q->from_ms,
                             .seq = q->has_position ? q->after_seq : 0};
    const struct log_event *first = &here, *last = &here;

    if (g->n > 0) {
        first = &g->items[q->is_backward ? g->n - 1 : 0];
        last = &g->items[q->is_backward ? 0 : g->n - 1];
    }
    jout_put_str(o, "nextForwardToken",
                 arena_printf(c->arena, "f/" STR_FMT "/s", STR_ARG(event_id(c->arena, last))));
    jout_put_str(o, "nextBackwardToken",
                 arena_printf(c->arena, "b/" STR_FMT "/s", STR_ARG(event_id(c->arena, first))));
}

static void get_events(struct api_call *c)
{
    struct got g = {.arena = c->arena};
    struct log_query q = {0};
    struct str name, stream = text_of(c, "logStreamName");
    int64_t limit = PAGE_EVENTS;
    struct err e = {0};
    struct json_out o;

    if (!find_group(c, &name, &q.group) || !find_streams(c, q.group, &stream, 1, &q.stream) ||
        !limit_of(c, PAGE_EVENTS, &limit) || !read_range(c, &q) || !read_direction(c, &q))
        return;
    if (json_get(c->input, "endTime"))
        q.to_ms--; /* exclusive here, inclusive in FilterLogEvents */
    g.limit = (size_t)limit;
    c->out.max = (size_t)16 << 20;
    if (log_store_read(logs_of(c), &q, on_get_event, &g, &e) != OK) {
        fail(c, &e);
        return;
    }
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    put_events(&o, &g, q.is_backward);
    put_tokens(c, &o, &g, &q);
    jout_close(&o, '}');
}

static const struct api_op operations[] = {
    {.name = "DescribeLogGroups", .handler = describe_groups},
    {.name = "DescribeLogStreams", .handler = describe_streams},
    {.name = "FilterLogEvents", .handler = filter_events},
    {.name = "GetLogEvents", .handler = get_events},
    {0}};

const struct api_service logs_service = {
    .name = "logs", .target = "Logs_20140328", .operations = operations};
