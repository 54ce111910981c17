/* CloudWatch Logs events in JSON: answers of FilterLogEvents, GetLogEvents and GetQueryResults
 * (Logs Insights, also as its page downloads them), subscription envelopes, and bare events, any
 * number in a row, in arrays, pretty or not, with or without separators. The document is walked by
 * a small state machine and each event read alone by the pull reader, so memory does not grow with
 * the page, and a bad event costs itself only (cloudwatch_pass.c). Envelopes packed into Lambda,
 * Kinesis and Firehose records are unpacked by envelope.c. */
#include "collector/aws/cloudwatch_json.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/json_shape.h"
#include "core/base/jsonpull.h"

/* --- one event
 * ------------------------------------------------------------------------------------------------
 */

void cw_read_time(struct jp *j, struct cw_event *r, int64_t *t_ns, bool *has)
{
    struct str text;
    uint64_t ms;
    bool is_time;

    if (jp_digits(j, EVENT_MS_DIGITS, &ms)) { /* as the services write it */
        is_time = !__builtin_mul_overflow(ms, NS_PER_MS, t_ns);
    } else if (jp_peek(j) == JP_STRING ? jp_string(j, &text) : jp_number(j, &text)) {
        is_time = event_time(text, t_ns);
    } else {
        jp_skip(j);
        r->problem = "its time is no number";
        return;
    }
    if (!is_time)
        r->problem = "its time is out of range";
    else if (has != NULL)
        *has = true;
}

typedef bool string_fn(struct jp *j, struct str *out);

/* False: it is null. */
static bool read_text(struct jp *j, struct cw_event *r, string_fn *string, struct str *out)
{
    if (string(j, out))
        return true;
    const bool is_null = jp_peek(j) == JP_NULL;
    jp_skip(j);
    if (!is_null)
        r->problem = "a member that should be text is not";
    return !is_null;
}

static void read_group(struct jp *j, struct cw_event *r)
{
    struct str said = {0};

    read_text(j, r, jp_string, &said);
    event_take_group(&r->ev, said);
}

enum event_member { IN_OTHER, IN_GROUP, IN_TEXT, IN_TIME, IN_STREAM, IN_SEEN, IN_ID, IN_REQUEST };

/* Names of Logs Insights are those of the APIs with an @; its @ptr names a row of one query. */
static unsigned find_member(struct str name)
{
    static const struct {
        struct str name;
        enum event_member member;
    } names[] = {
        {{"message", 7}, IN_TEXT},
        {{"timestamp", 9}, IN_TIME},
        {{"logStreamName", 13}, IN_STREAM},
        {{"ingestionTime", 13}, IN_SEEN},
        {{"eventId", 7}, IN_ID},
        {{"@message", 8}, IN_TEXT},
        {{"@timestamp", 10}, IN_TIME},
        {{"@logStream", 10}, IN_STREAM},
        {{"@log", 4}, IN_GROUP},
        {{"@ingestionTime", 14}, IN_SEEN},
        {{"@requestId", 10}, IN_REQUEST},
        {{"id", 2}, IN_ID},
        {{"@eventId", 8}, IN_ID},
        {{"@id", 3}, IN_ID},
        {{"logStream", 9}, IN_STREAM},
        {{"log_stream", 10}, IN_STREAM},
        {{"logGroupName", 12}, IN_GROUP},
        {{"logGroup", 8}, IN_GROUP},
        {{"logGroupIdentifier", 18}, IN_GROUP}, /* live tail */
        {{"log_group", 9}, IN_GROUP},
        {{"Message", 7}, IN_TEXT}, /* AWS Tools for PowerShell, ConvertTo-Json */
        {{"Timestamp", 9}, IN_TIME},
        {{"LogStreamName", 13}, IN_STREAM},
        {{"IngestionTime", 13}, IN_SEEN},
        {{"EventId", 7}, IN_ID},
    };

    for (size_t i = 0; name.n > 0 && i < ARRAY_LEN(names); i++)
        if (name.p[0] == names[i].name.p[0] && str_eq(name, names[i].name))
            return names[i].member;
    return IN_OTHER;
}

static void read_event_member(struct jp *j, struct cw_event *r, unsigned member)
{
    switch ((enum event_member)member) {
    case IN_TEXT:
        r->has_message = read_text(j, r, jp_string_copy, &r->ev.body);
        break;
    case IN_TIME:
        cw_read_time(j, r, &r->ev.time_ns, &r->ev.has_time);
        break;
    case IN_GROUP:
        read_group(j, r);
        break;
    case IN_STREAM:
        read_text(j, r, jp_string, &r->ev.stream);
        break;
    case IN_SEEN:
        cw_read_time(j, r, &r->ev.seen_ns, NULL);
        break;
    case IN_ID:
        read_text(j, r, jp_string, &r->ev.event_id);
        break;
    case IN_REQUEST:
        read_text(j, r, jp_string_copy, &r->ev.invocation_id);
        break;
    case IN_OTHER:
        jp_skip(j);
        break;
    }
}

static const char *missing(const struct cw_event *r)
{
    if (r->problem != NULL)
        return r->problem;
    if (!r->has_message)
        return r->is_row ? "a row without @message; query: fields @timestamp, @message, "
                           "@logStream, @log"
                         : "an event without message";
    return r->ev.has_time ? NULL : "an event without timestamp";
}

/* The piece is read over; what was unescaped, or copied, stays. */
static struct str outliving(const struct cw_walker *w, struct str text)
{
    const bool is_here = text.p >= w->in->bytes.p && text.p < w->end;

    return is_here ? arena_str(&w->out->arena, text) : text;
}

static void emit(struct cw_walker *w, struct cw_event *r, const char *start)
{
    struct cw_state *s = w->s;

    if (s->is_control) {
        w->out->counts.control_messages++;
        return;
    }
    if (s->owner.n > 0)
        r->ev.account = s->owner;
    if (s->log_group.n > 0)
        r->ev.log_group = s->log_group;
    if (r->ev.stream.n == 0)
        r->ev.stream = s->stream;
    r->ev.is_valid_utf8 = true;
    r->ev.body = outliving(w, r->ev.body);
    /* An envelope's events cannot be read without its head. */
    r->ev.mark = s->has_context
                     ? s->document
                     : (struct decode_mark){.offset = cw_offset_of(w, start),
                                            .mode = s->maker.n_events << 2 | (uint64_t)s->mode};
    const size_t before = w->out->n_records;
    event_add(&s->maker, w->in, &r->ev, w->out);
    if (w->out->n_records > before && r->ev.event_id.n == 0 && r->ev.stream.n > 0)
        open_requests_hear(&s->open, &w->out->records[before], &w->out->arena);
}

enum cw_step cw_take_event(struct cw_walker *w, struct cw_event *r, const struct jp *j)
{
    if (j->error != NULL || j->depth > 0)
        return cw_reject_or_wait(w, j);
    const char *why = missing(r);
    if (why != NULL && !w->s->is_control)
        return cw_reject(w, why);
    emit(w, r, w->p);
    w->p = j->p;
    return CW_ON;
}

static enum cw_step read_event(struct cw_walker *w)
{
    struct cw_event r = {0};
    struct jp j;
    struct str key;
    unsigned member;

    assert(*w->p == '{');
    jp_init(&j, cw_rest_of(w), &w->out->arena);
    jp_enter(&j, '{');
    for (size_t i = 0; jp_member_like(&j, &w->form, i, find_member, &key, &member); i++)
        read_event_member(&j, &r, member);
    return cw_take_event(w, &r, &j);
}

/* {"field":"@message","value":"..."}; field comes first. */
static void read_cell(struct jp *j, struct cw_event *r)
{
    struct str key, field = {0};

    if (!jp_enter(j, '{')) {
        jp_skip(j);
        return;
    }
    while (jp_member(j, &key)) {
        if (str_eq(key, STR("field")) && jp_peek(j) == JP_STRING)
            jp_string(j, &field);
        else if (str_eq(key, STR("value")) && field.n > 0)
            read_event_member(j, r, find_member(field));
        else
            jp_skip(j);
    }
}

/* One row of GetQueryResults: an array of cells. */
static enum cw_step read_row(struct cw_walker *w)
{
    struct cw_event r = {.is_row = true};
    struct jp j;

    assert(*w->p == '[');
    jp_init(&j, cw_rest_of(w), &w->out->arena);
    jp_enter(&j, '[');
    while (jp_element(&j))
        read_cell(&j, &r);
    return cw_take_event(w, &r, &j);
}

/* --- documents
 * ------------------------------------------------------------------------------------------------
 */

static void forget_context(struct cw_state *s)
{
    s->owner = s->log_group = s->stream = (struct str){0};
    s->is_control = s->has_context = s->has_events = false;
}

static void enter_document(struct cw_walker *w)
{
    forget_context(w->s);
    w->s->document = (struct decode_mark){.offset = cw_offset_of(w, w->p),
                                          .mode = w->s->maker.n_events << 2 | CW_TOP};
    w->s->mode = CW_DOCUMENT;
    w->p++;
}

/* The document up to the brace at w->p, or what of it is still here: the rest is gone long ago. */
static struct str whole_document(const struct cw_walker *w)
{
    uint64_t from = w->s->document.offset;
    const char *start =
        from > w->in->offset ? w->in->bytes.p + (from - w->in->offset) : w->in->bytes.p;

    assert(start <= w->p);
    return (struct str){start, (size_t)(w->p + 1 - start)};
}

static void leave_document(struct cw_walker *w)
{
    if (!w->s->has_events && !w->s->is_nested) {
        w->s->maker.n_events++;
        event_quarantine(&w->s->maker, w->in, &w->s->document, whole_document(w),
                         "a JSON document without log events", w->out);
    }
    forget_context(w->s);
    w->s->mode = CW_TOP;
    w->p++;
}

static bool is_events_key(struct str key)
{
    static const struct str keys[] = {
        {"events", 6}, {"logEvents", 9}, {"results", 7}, {"sessionResults", 14}, {"Events", 6}};
    return shape_is_key(key, keys, ARRAY_LEN(keys));
}

/* Members of an envelope that its events need; they must outlive the batch. */
static bool read_context(struct cw_state *s, struct jp *j, struct str key)
{
    struct str text, *place = str_eq(key, STR("logGroup"))    ? &s->log_group
                              : str_eq(key, STR("logStream")) ? &s->stream
                              : str_eq(key, STR("owner"))     ? &s->owner
                                                              : NULL;

    if (str_eq(key, STR("messageType"))) {
        if (!jp_string(j, &text))
            return false;
        s->is_control = str_eq(text, STR("CONTROL_MESSAGE"));
        return true;
    }
    if (place == NULL)
        return jp_skip(j);
    if (!jp_string(j, &text))
        return false;
    s->has_context = true;
    *place = intern_str(&s->names, text);
    return true;
}

/* "logEvents" came before the members that say whose they are: looks ahead to the document's end.
 */
static bool look_ahead(struct cw_walker *w, struct jp *j)
{
    struct str key;

    if (!jp_skip(j))
        return false;
    while (jp_member(j, &key))
        if (!read_context(w->s, j, key))
            return false;
    return j->error == NULL;
}

static enum cw_step open_events(struct cw_walker *w, struct jp *j, struct str key)
{
    w->s->has_events = true;
    if (jp_peek(j) != JP_ARRAY)
        return cw_reject(w, "events that are no array");
    const char *array = j->p;
    if (str_eq(key, STR("logEvents")) && !w->s->has_context && !look_ahead(w, j) &&
        !w->in->is_last && cw_rest_of(w).n < PENDING_MAX_BYTES)
        return CW_WAIT;
    w->s->mode = CW_EVENTS;
    w->p = array + 1;
    return CW_ON;
}

bool cw_is_packed_key(struct str key)
{
    static const struct str keys[] = {{"awslogs", 7}, {"Records", 7}, {"records", 7}};
    return shape_is_key(key, keys, ARRAY_LEN(keys));
}

static enum cw_step read_packed(struct cw_walker *w, struct jp *j)
{
    struct str raw;
    if (!jp_raw(j, &raw))
        return cw_reject_or_wait(w, j);
    w->s->has_events = true;
    envelope_unpack(w->s, w->in, raw, w->out);
    w->p = j->p;
    return CW_ON;
}

/* One member of a document. The reader is put on "{ member" by stepping in front of it: a member
 * alone is no JSON text. */
static enum cw_step read_member(struct cw_walker *w)
{
    struct jp j;
    struct str key;

    jp_init(&j, cw_rest_of(w), &w->out->arena);
    j.stack[0] = '{';
    j.is_first[0] = true;
    j.depth = 1;
    if (!jp_member(&j, &key))
        return cw_reject_or_wait(w, &j);
    if (is_events_key(key))
        return jp_peek(&j) == JP_END && !w->in->is_last ? CW_WAIT : open_events(w, &j, key);
    if (cw_is_packed_key(key))
        return read_packed(w, &j);
    if (str_eq(key, STR("sessionUpdate")) && jp_peek(&j) == JP_OBJECT) {
        w->p = j.p + 1; /* live tail wraps what its events are in; step_top passes its end */
        return CW_ON;
    }
    w->s->has_events |= str_eq(key, STR("sessionStart")); /* there are none yet */
    if (!read_context(w->s, &j, key))
        return cw_reject_or_wait(w, &j);
    if (j.p == w->end && !w->in->is_last)
        return CW_WAIT; /* a number or word may go on */
    w->p = j.p;
    return CW_ON;
}

/* --- the machine
 * ---------------------------------------------------------------------------------------------- */

/* Whether so little is left that it does not show yet what begins here. */
static bool is_too_short(const struct cw_walker *w)
{
    enum { ENOUGH = 4096 };
    return !w->in->is_last && cw_rest_of(w).n < ENOUGH;
}

static enum cw_step step_top(struct cw_walker *w)
{
    if (*w->p == '[' && is_too_short(w))
        return CW_WAIT;
    if (*w->p == '[' || *w->p == ']' || *w->p == '}') {
        if (*w->p == '[' && cw_begins_list(w->p, w->end))
            w->s->mode = CW_LIST;
        w->p++;
        return CW_ON;
    }
    if (*w->p != '{')
        return cw_pass_rubbish(w, "text between JSON documents");
    if (shape_first_key(w->p, w->end).p == NULL && is_too_short(w))
        return CW_WAIT;
    if (shape_is_event(w->p, w->end))
        return read_event(w);
    bool is_record = false;
    enum cw_step step = cw_begins_record(w->p, w->end) ? cw_read_record(w, &is_record) : CW_ON;
    if (!is_record)
        enter_document(w);
    return step;
}

static enum cw_step step_document(struct cw_walker *w)
{
    if (*w->p == '}') {
        leave_document(w);
        return CW_ON;
    }
    if (*w->p == '{' && (shape_is_event(w->p, w->end) || shape_is_document(w->p, w->end))) {
        w->s->mode =
            shape_is_event(w->p, w->end) ? CW_EVENTS : CW_TOP; /* the head was unreadable */
        w->s->has_events = true;
        return CW_ON;
    }
    return *w->p == '"' ? read_member(w) : cw_reject(w, "a member's name is missing");
}

static enum cw_step step_events(struct cw_walker *w)
{
    if (*w->p == ']') {
        w->s->mode = CW_DOCUMENT;
        w->p++;
        return CW_ON;
    }
    if (*w->p == '{' && shape_is_document(w->p, w->end)) {
        w->s->mode = CW_TOP; /* the document before was cut off */
        return CW_ON;
    }
    if (*w->p == '{')
        return read_event(w);
    return *w->p == '[' ? read_row(w) : cw_reject(w, "an event that is no object");
}

static bool skip_separators(struct cw_walker *w)
{
    while (w->p < w->end && (shape_is_space(*w->p) || *w->p == ',' || *w->p == '\0'))
        w->p++;
    return w->p < w->end;
}

enum status cw_decode(void *state, const struct decode_input *in, struct batch *out, size_t *used,
                      struct err *e)
{
    static enum cw_step (*const steps[])(struct cw_walker *) = {step_top, step_document,
                                                                step_events, cw_step_list};
    struct cw_walker w = {
        .s = state,
        .in = in,
        .out = out,
        .p = in->bytes.p,
        .end = in->bytes.p + in->bytes.n,
    };

    UNUSED(e);
    event_maker_forget_views(&w.s->maker); /* others may stand in the same memory now */
    if (w.s->passed.is_open)
        cw_pass_on(&w);
    while (!w.s->passed.is_open && skip_separators(&w)) {
        assert(w.s->mode < ARRAY_LEN(steps));
        if (steps[w.s->mode](&w) == CW_WAIT)
            break;
    }
    *used = (size_t)(w.p - in->bytes.p);
    if (in->is_last && !in->is_damaged && w.s->mode != CW_TOP && !w.s->is_nested &&
        !w.s->is_end_told)
        event_quarantine(&w.s->maker, in, &(struct decode_mark){.offset = cw_offset_of(&w, w.p)},
                         STR(""), "the file ends inside a JSON document", out);
    return OK;
}

static void cw_close(void *state)
{
    struct cw_state *s = state;
    event_maker_clear(&s->maker);
    intern_clear(&s->names);
    buf_clear(&s->passed.head);
}

static struct decode_mark cw_mark(const void *state)
{
    const struct cw_state *s = state;
    return s->maker.run_mark;
}

static void cw_resume(void *state, const struct decode_mark *m)
{
    struct cw_state *s = state;
    s->mode = (unsigned)(m->mode & 3);
    assert(s->maker.n_events == 0); /* nothing was read before */
    s->maker.n_events = m->mode >> 2;
    s->maker.run_mark = *m;
    s->has_events = s->mode == CW_EVENTS;
}

/* --- the door
 * ---------------------------------------------------------------------------------------------- */

const struct decoder_ops aws_cloudwatch_json = {
    .name = "cloudwatch-json",
    .help = "answers of aws logs filter-log-events, get-log-events and get-query-results",
    .copies = true,
    .state_size = sizeof(struct cw_state),
    .accepts = cw_accepts_answer,
    .decode = cw_decode,
    .close = cw_close,
    .mark = cw_mark,
    .resume = cw_resume,
};

const struct decoder_ops aws_subscription = {
    .name = "subscription",
    .help = "subscription filter records: Lambda event, Kinesis, Firehose S3 objects",
    .copies = true,
    .state_size = sizeof(struct cw_state),
    .accepts = cw_accepts_envelope,
    .decode = cw_decode,
    .close = cw_close,
    .mark = cw_mark,
    .resume = cw_resume,
};
