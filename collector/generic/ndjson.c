/* One JSON object a line. Two kinds are told apart by their members: an envelope says where its
 * message comes from (stream, group, provider's id), then the message is the event; any other
 * object is the event itself, as a function printed it. Lines that are no objects are events as
 * they are.
 */
#include <assert.h>
#include <string.h>

#include "collector/event.h"
#include "collector/generic/generic.h"
#include "collector/generic/shipped.h"
#include "collector/stand_in.h"
#include "core/base/jsonpull.h"
#include "core/base/uuid.h"
#include "core/model/log_text.h"

enum field {
    FIELD_TIME,
    FIELD_MESSAGE,
    FIELD_STREAM,
    FIELD_GROUP,
    FIELD_FUNCTION,
    FIELD_ACCOUNT,
    FIELD_REGION,
    FIELD_EVENT_ID,
    FIELD_SEEN,
    FIELD_LEVEL,
    FIELD_REQUEST_ID,
    FIELD_TYPE,
    FIELDS,
    FIELD_OTHER = FIELDS
};

static const struct {
    struct str name;
    enum field field;
} members[] = {
    {{"timestamp", 9}, FIELD_TIME},
    {{"time", 4}, FIELD_TIME},
    {{"@timestamp", 10}, FIELD_TIME},
    {{"ts", 2}, FIELD_TIME},
    {{"message", 7}, FIELD_MESSAGE},
    {{"msg", 3}, FIELD_MESSAGE},
    {{"@message", 8}, FIELD_MESSAGE},
    {{"log", 3}, FIELD_MESSAGE}, /* Fluent Bit and Docker: "log" beside "date" or "time" */
    {{"date", 4}, FIELD_TIME},
    {{"logStreamName", 13}, FIELD_STREAM},
    {{"logStream", 9}, FIELD_STREAM},
    {{"log_stream", 10}, FIELD_STREAM},
    {{"@logStream", 10}, FIELD_STREAM},
    {{"@log_stream", 11}, FIELD_STREAM}, /* AWS's function that ships log groups to OpenSearch */
    {{"__aws_cloudwatch_log_stream", 27}, FIELD_STREAM}, /* Loki's lambda-promtail */
    {{"logGroup", 8}, FIELD_GROUP},
    {{"logGroupName", 12}, FIELD_GROUP},
    {{"log_group", 9}, FIELD_GROUP},
    {{"@log", 4}, FIELD_GROUP},
    {{"@log_group", 10}, FIELD_GROUP},
    {{"__aws_cloudwatch_log_group", 26}, FIELD_GROUP},
    {{"function", 8}, FIELD_FUNCTION},
    {{"functionName", 12}, FIELD_FUNCTION},
    {{"faas.name", 9}, FIELD_FUNCTION},
    {{"owner", 5}, FIELD_ACCOUNT},
    {{"@owner", 6}, FIELD_ACCOUNT},
    {{"__aws_cloudwatch_owner", 22}, FIELD_ACCOUNT},
    {{"accountId", 9}, FIELD_ACCOUNT},
    {{"account", 7}, FIELD_ACCOUNT},
    {{"region", 6}, FIELD_REGION},
    {{"eventId", 7}, FIELD_EVENT_ID},
    {{"@id", 3}, FIELD_EVENT_ID},
    {{"@ptr", 4}, FIELD_EVENT_ID},
    {{"ingestionTime", 13}, FIELD_SEEN},
    {{"@ingestionTime", 14}, FIELD_SEEN},
    {{"level", 5}, FIELD_LEVEL},
    {{"log_level", 9}, FIELD_LEVEL},
    {{"severity", 8}, FIELD_LEVEL},
    {{"@requestId", 10}, FIELD_REQUEST_ID},
    {{"type", 4}, FIELD_TYPE},
};

struct ndjson_state {
    struct event_maker maker;
    int64_t last_time_ns;
    bool has_last_time;
    uint64_t n_lines, line;    /* before what comes; number of the line at hand */
    bool is_skipping;          /* inside a line longer than PENDING_MAX_BYTES */
    struct decode_mark anchor; /* the line that had it */
};

/* Strings unescaped, numbers as they stand; p NULL: not there or another type. */
struct object {
    struct str text[FIELDS];
};

static enum field find_member(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (str_eq(members[i].name, key))
            return members[i].field;
    return log_is_id_name(key) ? FIELD_REQUEST_ID : FIELD_OTHER;
}

/* Objects in which shippers nest where an event is from: Filebeat's aws.cloudwatch and
 * awscloudwatch, Datadog's aws.awslogs, and the cloud's own members. */
static bool is_nesting(struct str key)
{
    static const struct str keys[] = {
        {"aws", 3},     {"cloudwatch", 10}, {"aws.cloudwatch", 14}, {"awscloudwatch", 13},
        {"awslogs", 7}, {"cloud", 5}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_eq(keys[i], key))
            return true;
    return false;
}

/* Elastic Common Schema: {"account":{"id":"123456789012"}}. */
static void read_account(struct jp *j, struct object *o)
{
    struct str key;

    if (!jp_enter(j, '{'))
        return;
    while (jp_member(j, &key))
        if (str_eq(key, STR("id")) && jp_peek(j) == JP_STRING)
            jp_string(j, &o->text[FIELD_ACCOUNT]);
        else
            jp_skip(j);
}

/* What is called a request's id and is none gives way to one. */
static bool is_no_id(const struct object *o, enum field f)
{
    return f == FIELD_REQUEST_ID && !uuid_is_valid(o->text[f]);
}

/* One member of the object; whether it holds members to be read as well. */
static bool read_member(struct jp *j, struct object *o, struct str key)
{
    enum field f = find_member(key);
    enum jp_type type = jp_peek(j);
    bool is_wanted = f != FIELD_OTHER && (o->text[f].p == NULL || is_no_id(o, f));

    if (is_wanted && type == JP_STRING)
        jp_string(j, &o->text[f]);
    else if (is_wanted && type == JP_NUMBER)
        jp_number(j, &o->text[f]);
    else if (is_wanted && f == FIELD_ACCOUNT && type == JP_OBJECT)
        read_account(j, o);
    else if (type == JP_OBJECT && is_nesting(key))
        return jp_enter(j, '{');
    else
        jp_skip(j);
    return false;
}

static bool read_object(struct str line, struct arena *a, struct object *o, const char **error)
{
    struct jp j;
    struct str key;
    unsigned depth = 1;

    memset(o, 0, sizeof(*o));
    jp_init(&j, line, a);
    if (!jp_enter(&j, '{'))
        return false;
    while (depth > 0)
        if (jp_member(&j, &key))
            depth += read_member(&j, o, key);
        else
            depth--;
    *error = j.error;
    return j.error == NULL && jp_at_end(&j);
}

static bool has(const struct object *o, enum field f)
{
    return o->text[f].n > 0;
}

/* A program's own record has a level, an id or a type; an object that has none of them wraps. */
static bool is_envelope(const struct object *o)
{
    if (!has(o, FIELD_MESSAGE))
        return false;
    if (has(o, FIELD_STREAM) || has(o, FIELD_GROUP) || has(o, FIELD_EVENT_ID) || has(o, FIELD_SEEN))
        return true;
    return !has(o, FIELD_LEVEL) && !has(o, FIELD_REQUEST_ID) && !has(o, FIELD_TYPE);
}

static void open_envelope(const struct object *o, struct raw_event *ev)
{
    ev->body = o->text[FIELD_MESSAGE];
    ev->stream = o->text[FIELD_STREAM];
    ev->function = o->text[FIELD_FUNCTION];
    ev->account = o->text[FIELD_ACCOUNT];
    ev->region = o->text[FIELD_REGION];
    event_take_group(ev, o->text[FIELD_GROUP]);
    ev->event_id = o->text[FIELD_EVENT_ID];
    ev->invocation_id = o->text[FIELD_REQUEST_ID];
    if (!severity_parse(o->text[FIELD_LEVEL], &ev->severity))
        ev->severity = SEVERITY_UNKNOWN;
    if (!event_time(o->text[FIELD_SEEN], &ev->seen_ns))
        ev->seen_ns = 0;
}

static void open_object(const struct object *o, struct raw_event *ev)
{
    ev->has_time = event_time(o->text[FIELD_TIME], &ev->time_ns);
    if (is_envelope(o))
        open_envelope(o, ev);
    else
        ev->has_time &= event_time_is_near(ev->time_ns); /* "time":100 may be a metric */
}

static void add_event(struct ndjson_state *s, const struct decode_input *in, struct raw_event *ev,
                      struct batch *out)
{
    struct import_defaults defaults = *in->defaults;
    struct decode_input piece = *in;

    if (!ev->has_time)
        ev->has_time = event_own_time(ev->body, &ev->time_ns) && event_time_is_near(ev->time_ns);
    if (ev->has_time && event_time_is_near(ev->time_ns)) {
        s->last_time_ns = ev->time_ns;
        s->has_last_time = true;
        s->anchor = ev->mark;
    } else if (!ev->has_time && s->has_last_time) {
        defaults.now_ns = s->last_time_ns;
        ev->is_time_near = true;
        piece.defaults = &defaults;
    }
    const struct stand_ins *known = s->has_last_time ? NULL : in->defaults->stand_ins;
    const bool was_open = known != NULL && stand_in_is_open(known);
    event_add(&s->maker, &piece, ev, out);
    if (known != NULL && (!was_open || stand_in_began_at(known, ev->mark.offset)))
        s->anchor = ev->mark;
}

/* Another tool's record of the event: its text and time, and what it says of the place. */
static bool open_shipped(struct str line, struct arena *a, struct raw_event *ev)
{
    struct shipped s;
    struct object place = {0};
    const char *error;

    if (!shipped_read(line, a, &s) || !event_time(s.time, &ev->time_ns))
        return false;
    if (s.place.n > 0 && read_object(s.place, a, &place, &error))
        place.text[FIELD_LEVEL] = place.text[FIELD_REQUEST_ID] = (struct str){0};
    place.text[FIELD_MESSAGE] = s.message;
    open_envelope(&place, ev);
    ev->has_time = true;
    return true;
}

/* A batch of the Telemetry API: an array of {"time","type","record"}. */
static bool is_record_array(struct str line)
{
    enum { LOOK = 512 };
    const struct str look = str_sub(line, 0, LOOK);
    return str_starts(line, STR("[")) && str_starts(str_trim(str_skip(line, 1)), STR("{")) &&
           str_find(look, STR("\"type\"")) < look.n && str_find(look, STR("\"record\"")) < look.n;
}

/* at is the line: reading begins again there, also for what stands in an array. */
static void read_object_line(struct ndjson_state *s, const struct decode_input *in,
                             const struct decode_mark *at, struct str line, struct batch *out)
{
    if (str_trim(line).n == 0)
        return;
    struct raw_event ev = {.body = line, .mark = *at};
    const char *error = NULL;
    struct object o;
    bool is_object = read_object(line, &out->arena, &o, &error);
    if (!is_object && str_trim(line).p[0] == '{') {
        s->maker.n_events++;
        event_quarantine(&s->maker, in, at, line,
                         error != NULL ? error : "text behind the JSON object", out);
        return;
    }
    if (is_object && (has(&o, FIELD_MESSAGE) || !open_shipped(line, &out->arena, &ev)))
        open_object(&o, &ev);
    ev.is_valid_utf8 = is_object;
    add_event(s, in, &ev, out);
}

static void read_line(struct ndjson_state *s, const struct decode_input *in, struct str line,
                      struct batch *out)
{
    const struct decode_mark at = {.offset = in->offset + (uint64_t)(line.p - in->bytes.p),
                                   .chain = s->maker.chain,
                                   .line = s->line};
    struct jp j;
    struct str element;

    if (!is_record_array(line)) {
        read_object_line(s, in, &at, line, out);
        return;
    }
    jp_init(&j, line, &out->arena);
    jp_enter(&j, '[');
    while (jp_element(&j) && jp_raw(&j, &element))
        read_object_line(s, in, &at, element, out);
    if (j.error != NULL)
        event_quarantine(&s->maker, in, &at, line, j.error, out);
}

/* One line off the front of *rest; false when it does not end yet. */
static bool take_line(struct ndjson_state *s, const struct decode_input *in, struct str *rest,
                      struct str *line, struct batch *out)
{
    size_t n = str_find_char(*rest, '\n');
    bool is_cut =
        n == rest->n &&
        (!in->is_last || (in->is_unfinished && !s->is_skipping && !event_is_whole(*rest, out)));

    if (is_cut && rest->n < PENDING_MAX_BYTES && !s->is_skipping)
        return false;
    *line = s->is_skipping ? (struct str){0} : str_trim_right(str_sub(*rest, 0, n));
    s->line = s->n_lines + 1;
    s->n_lines += n < rest->n;
    *rest = str_skip(*rest, n + 1);
    s->is_skipping = is_cut;
    return true;
}

static enum status ndjson_decode(void *state, const struct decode_input *in, struct batch *out,
                                 size_t *used, struct err *e)
{
    struct str rest = in->bytes, line = {0};

    UNUSED(e);
    assert(in->defaults != NULL);
    while (rest.n > 0 && take_line(state, in, &rest, &line, out))
        read_line(state, in, line, out);
    *used = (size_t)(rest.p - in->bytes.p);
    return OK;
}

static void ndjson_close(void *state)
{
    struct ndjson_state *s = state;
    event_maker_clear(&s->maker);
}

static struct decode_mark ndjson_mark(const void *state)
{
    const struct ndjson_state *s = state;
    return s->anchor.offset < s->maker.run_mark.offset ? s->anchor : s->maker.run_mark;
}

static void ndjson_resume(void *state, const struct decode_mark *m)
{
    struct ndjson_state *s = state;
    s->anchor = s->maker.run_mark = *m;
    s->maker.chain = m->chain;
    s->n_lines = m->line > 0 ? m->line - 1 : 0;
}

/* The first line is one whole object. */
static int accepts_ndjson(struct str head)
{
    struct str line = str_trim(str_sub(head, 0, str_find_char(head, '\n')));
    struct arena a = {0};
    struct object o;
    const char *error = NULL;
    bool is_cut = line.n >= head.n;

    if (is_record_array(line))
        return 70;
    if (line.n == 0 || line.p[0] != '{')
        return 0;
    /* A line that is cut off seldom ends so: the head need not be read in vain. */
    bool is_object = line.p[line.n - 1] == '}' && read_object(line, &a, &o, &error);
    arena_clear(&a);
    if (is_object)
        return 70;
    return is_cut ? 30 : 0;
}

const struct decoder_ops generic_ndjson = {
    .name = "ndjson",
    .help = "one JSON object a line: records of functions, or envelopes with stream and message",
    .is_of_lines = true,
    .state_size = sizeof(struct ndjson_state),
    .accepts = accepts_ndjson,
    .decode = ndjson_decode,
    .close = ndjson_close,
    .mark = ndjson_mark,
    .resume = ndjson_resume,
};
