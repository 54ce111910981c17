/* CloudWatch Logs events in JSON: answers of FilterLogEvents, GetLogEvents and GetQueryResults
 * (Logs Insights, also as its page downloads them), subscription envelopes, and bare events, any
 * number in a row, in arrays, pretty or not, with or without separators. The document is walked by
 * a small state machine and each event read alone by the pull reader, so memory does not grow with
 * the page, and a bad event costs itself only. Envelopes packed into Lambda, Kinesis and Firehose
 * records are unpacked by envelope.c. */
#include "collector/aws/cloudwatch_json.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/json_shape.h"
#include "core/base/jsonpull.h"

enum mode { MODE_TOP, MODE_DOCUMENT, MODE_EVENTS };

/* What to do after a step. */
enum step { STEP_ON, STEP_WAIT /* for more bytes */ };

struct walker {
    struct cw_state *s;
    const struct decode_input *in;
    struct batch *out;
    const char *p, *end;
};

static struct str rest_of(const struct walker *w)
{
    return (struct str){w->p, (size_t)(w->end - w->p)};
}

static uint64_t offset_of(const struct walker *w, const char *p)
{
    return w->in->offset + (uint64_t)(p - w->in->bytes.p);
}

/* --- going past what cannot be read
 * --------------------------------------------------------------------------- */

/* Up to the next event or document, or all there is: text without any structure. */
static enum step pass_rubbish(struct walker *w, const char *why)
{
    const char *next = shape_next_object(w->p, w->end);
    if (next == NULL && !w->in->is_last)
        next = shape_cut_object(w->p, w->end);
    struct str raw = {w->p, (size_t)((next != NULL ? next : w->end) - w->p)};

    w->s->maker.n_events++;
    event_quarantine(&w->s->maker, w->in, offset_of(w, w->p), raw, why, w->out);
    w->p += raw.n;
    return STEP_ON;
}

static bool begins_value(char c)
{
    return c == '"' || c == '[' || c == '{' || c == '-' || (c >= '0' && c <= '9') || c == 't' ||
           c == 'f' || c == 'n';
}

/* Quarantines the value at w->p. Waits while it may still be only incomplete. */
static enum step reject(struct walker *w, const char *why)
{
    if (!begins_value(*w->p))
        return pass_rubbish(w, why);
    const char *own_end = w->s->mode == MODE_DOCUMENT ? shape_member_end(w->p, w->end)
                                                      : shape_value_end(w->p, w->end);
    const char *next = shape_next_object(w->p + 1, w->end);
    const char *stop = own_end == NULL || (next != NULL && next < own_end) ? next : own_end;

    if (stop == NULL) {
        if (!w->in->is_last && rest_of(w).n < PENDING_MAX_BYTES)
            return STEP_WAIT;
        stop = w->end;
    }
    struct str raw = {w->p, (size_t)(stop - w->p)};
    w->s->maker.n_events++;
    event_quarantine(&w->s->maker, w->in, offset_of(w, w->p), raw, why, w->out);
    assert(stop >= w->p && stop <= w->end);
    w->p = stop > w->p ? stop : w->p + 1;
    return STEP_ON;
}

/* The reader stopped. Where it stopped at the end of the bytes, the value may go on in the next
 * piece; eight bytes are more than an escape, a word or a code point needs. */
static enum step reject_or_wait(struct walker *w, const struct jp *j)
{
    assert(j->p >= w->p && j->p <= w->end);
    bool is_cut = j->end - j->p < 8;

    if (is_cut && !w->in->is_last && rest_of(w).n < PENDING_MAX_BYTES)
        return STEP_WAIT;
    return reject(w, is_cut             ? "the text ends inside an event"
                     : j->error != NULL ? j->error
                                        : "a value of the wrong type");
}

/* --- one event
 * ------------------------------------------------------------------------------------------------
 */

struct event_reader {
    struct raw_event ev;
    bool has_message, is_row; /* of Logs Insights */
    const char *problem;
};

static void read_time(struct jp *j, struct event_reader *r, int64_t *t_ns, bool *has)
{
    struct str text;

    if (jp_peek(j) == JP_STRING ? !jp_string(j, &text) : !jp_number(j, &text)) {
        jp_skip(j);
        r->problem = "its time is no number";
    } else if (!event_time(text, t_ns)) {
        r->problem = "its time is out of range";
    } else if (has != NULL) {
        *has = true;
    }
}

static void read_text(struct jp *j, struct event_reader *r, struct str *out)
{
    if (jp_peek(j) == JP_NULL) {
        jp_skip(j);
    } else if (!jp_string(j, out)) {
        jp_skip(j);
        r->problem = "a member that should be text is not";
    }
}

/* Logs Insights: "123456789012:/aws/lambda/checkout". */
static void split_group(struct raw_event *ev)
{
    size_t colon = str_find_char(ev->log_group, ':');

    if (colon == ev->log_group.n)
        return;
    ev->account = str_sub(ev->log_group, 0, colon);
    ev->log_group = str_skip(ev->log_group, colon + 1);
}

/* Names of Logs Insights are those of the APIs with an @; its @ptr names a row of one query. */
static void read_event_member(struct jp *j, struct event_reader *r, struct str name)
{
    struct str key = str_skip(name, str_starts(name, STR("@")));

    if (str_eq(name, STR("@log"))) {
        read_text(j, r, &r->ev.log_group);
        split_group(&r->ev);
    } else if (str_eq(key, STR("message"))) {
        r->has_message = jp_peek(j) != JP_NULL;
        read_text(j, r, &r->ev.body);
    } else if (str_eq(key, STR("timestamp"))) {
        read_time(j, r, &r->ev.time_ns, &r->ev.has_time);
    } else if (str_eq(name, STR("logGroupName")) || str_eq(name, STR("logGroup")) ||
               str_eq(name, STR("log_group"))) {
        read_text(j, r, &r->ev.log_group);
    } else if (str_eq(name, STR("logStreamName")) || str_eq(key, STR("logStream")) ||
               str_eq(name, STR("log_stream"))) {
        read_text(j, r, &r->ev.stream);
    } else if (str_eq(key, STR("ingestionTime"))) {
        read_time(j, r, &r->ev.seen_ns, NULL);
    } else if (str_eq(key, STR("eventId")) || str_eq(key, STR("id"))) {
        read_text(j, r, &r->ev.event_id);
    } else {
        jp_skip(j);
    }
}

static const char *missing(const struct event_reader *r)
{
    if (r->problem != NULL)
        return r->problem;
    if (!r->has_message)
        return r->is_row ? "a row without @message; query: fields @timestamp, @message, "
                           "@logStream, @log"
                         : "an event without message";
    return r->ev.has_time ? NULL : "an event without timestamp";
}

static void emit(struct walker *w, struct event_reader *r, const char *start)
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
    /* An envelope's events cannot be read without its head. */
    r->ev.mark = s->has_context ? s->document
                                : (struct decode_mark){offset_of(w, start),
                                                       s->maker.n_events << 2 | (uint64_t)s->mode};
    event_add(&s->maker, w->in, &r->ev, w->out);
}

/* The event at w->p was read to j->p. */
static enum step take_event(struct walker *w, struct event_reader *r, const struct jp *j)
{
    if (j->error != NULL || j->depth > 0)
        return reject_or_wait(w, j);
    const char *why = missing(r);
    if (why != NULL && !w->s->is_control)
        return reject(w, why);
    emit(w, r, w->p);
    w->p = j->p;
    return STEP_ON;
}

static enum step read_event(struct walker *w)
{
    struct event_reader r = {0};
    struct jp j;
    struct str key;

    assert(*w->p == '{');
    jp_init(&j, rest_of(w), &w->out->arena);
    jp_enter(&j, '{');
    while (jp_member(&j, &key))
        read_event_member(&j, &r, key);
    return take_event(w, &r, &j);
}

/* {"field":"@message","value":"..."}; field comes first. */
static void read_cell(struct jp *j, struct event_reader *r)
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
            read_event_member(j, r, field);
        else
            jp_skip(j);
    }
}

/* One row of GetQueryResults: an array of cells. */
static enum step read_row(struct walker *w)
{
    struct event_reader r = {.is_row = true};
    struct jp j;

    assert(*w->p == '[');
    jp_init(&j, rest_of(w), &w->out->arena);
    jp_enter(&j, '[');
    while (jp_element(&j))
        read_cell(&j, &r);
    return take_event(w, &r, &j);
}

/* --- documents
 * ------------------------------------------------------------------------------------------------
 */

static void forget_context(struct cw_state *s)
{
    s->owner = s->log_group = s->stream = (struct str){0};
    s->is_control = s->has_context = s->has_events = false;
}

static void enter_document(struct walker *w)
{
    forget_context(w->s);
    w->s->document = (struct decode_mark){offset_of(w, w->p), w->s->maker.n_events << 2 | MODE_TOP};
    w->s->mode = MODE_DOCUMENT;
    w->p++;
}

/* The document up to the brace at w->p, or what of it is still here: the rest is gone long ago. */
static struct str whole_document(const struct walker *w)
{
    uint64_t from = w->s->document.offset;
    const char *start =
        from > w->in->offset ? w->in->bytes.p + (from - w->in->offset) : w->in->bytes.p;

    assert(start <= w->p);
    return (struct str){start, (size_t)(w->p + 1 - start)};
}

static void leave_document(struct walker *w)
{
    if (!w->s->has_events && !w->s->is_nested) {
        w->s->maker.n_events++;
        event_quarantine(&w->s->maker, w->in, w->s->document.offset, whole_document(w),
                         "a JSON document without log events", w->out);
    }
    forget_context(w->s);
    w->s->mode = MODE_TOP;
    w->p++;
}

static bool is_events_key(struct str key)
{
    static const struct str keys[] = {{"events", 6}, {"logEvents", 9}, {"results", 7}};
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
static bool look_ahead(struct walker *w, struct jp *j)
{
    struct str key;

    if (!jp_skip(j))
        return false;
    while (jp_member(j, &key))
        if (!read_context(w->s, j, key))
            return false;
    return j->error == NULL;
}

static enum step open_events(struct walker *w, struct jp *j, struct str key)
{
    w->s->has_events = true;
    if (jp_peek(j) != JP_ARRAY)
        return reject(w, "events that are no array");
    const char *array = j->p;
    if (str_eq(key, STR("logEvents")) && !w->s->has_context && !look_ahead(w, j) &&
        !w->in->is_last && rest_of(w).n < PENDING_MAX_BYTES)
        return STEP_WAIT;
    w->s->mode = MODE_EVENTS;
    w->p = array + 1;
    return STEP_ON;
}

static bool is_packed_key(struct str key)
{
    static const struct str keys[] = {{"awslogs", 7}, {"Records", 7}, {"records", 7}};
    return shape_is_key(key, keys, ARRAY_LEN(keys));
}

static enum step read_packed(struct walker *w, struct jp *j)
{
    struct str raw;
    if (!jp_raw(j, &raw))
        return reject_or_wait(w, j);
    w->s->has_events = true;
    envelope_unpack(w->s, w->in, raw, w->out);
    w->p = j->p;
    return STEP_ON;
}

/* One member of a document. The reader is put on "{ member" by stepping in front of it: a member
 * alone is no JSON text. */
static enum step read_member(struct walker *w)
{
    struct jp j;
    struct str key;

    jp_init(&j, rest_of(w), &w->out->arena);
    j.stack[0] = '{';
    j.is_first[0] = true;
    j.depth = 1;
    if (!jp_member(&j, &key))
        return reject_or_wait(w, &j);
    if (is_events_key(key))
        return jp_peek(&j) == JP_END && !w->in->is_last ? STEP_WAIT : open_events(w, &j, key);
    if (is_packed_key(key))
        return read_packed(w, &j);
    if (!read_context(w->s, &j, key))
        return reject_or_wait(w, &j);
    if (j.p == w->end && !w->in->is_last)
        return STEP_WAIT; /* a number or word may go on */
    w->p = j.p;
    return STEP_ON;
}

/* --- the machine
 * ---------------------------------------------------------------------------------------------- */

static enum step step_top(struct walker *w)
{
    if (*w->p == '[' || *w->p == ']') {
        w->p++;
        return STEP_ON;
    }
    if (*w->p != '{')
        return pass_rubbish(w, "text between JSON documents");
    if (shape_first_key(w->p, w->end).p == NULL && !w->in->is_last && rest_of(w).n < 4096)
        return STEP_WAIT;
    if (shape_is_event(w->p, w->end))
        return read_event(w);
    enter_document(w);
    return STEP_ON;
}

static enum step step_document(struct walker *w)
{
    if (*w->p == '}') {
        leave_document(w);
        return STEP_ON;
    }
    if (*w->p == '{' && (shape_is_event(w->p, w->end) || shape_is_document(w->p, w->end))) {
        w->s->mode =
            shape_is_event(w->p, w->end) ? MODE_EVENTS : MODE_TOP; /* the head was unreadable */
        w->s->has_events = true;
        return STEP_ON;
    }
    return *w->p == '"' ? read_member(w) : reject(w, "a member's name is missing");
}

static enum step step_events(struct walker *w)
{
    if (*w->p == ']') {
        w->s->mode = MODE_DOCUMENT;
        w->p++;
        return STEP_ON;
    }
    if (*w->p == '{' && shape_is_document(w->p, w->end)) {
        w->s->mode = MODE_TOP; /* the document before was cut off */
        return STEP_ON;
    }
    if (*w->p == '{')
        return read_event(w);
    return *w->p == '[' ? read_row(w) : reject(w, "an event that is no object");
}

static bool skip_separators(struct walker *w)
{
    while (w->p < w->end && (shape_is_space(*w->p) || *w->p == ',' || *w->p == '\0'))
        w->p++;
    return w->p < w->end;
}

enum status cw_decode(void *state, const struct decode_input *in, struct batch *out, size_t *used,
                      struct err *e)
{
    static enum step (*const steps[])(struct walker *) = {step_top, step_document, step_events};
    struct walker w = {
        .s = state,
        .in = in,
        .out = out,
        .p = in->bytes.p,
        .end = in->bytes.p + in->bytes.n,
    };

    UNUSED(e);
    while (skip_separators(&w)) {
        assert(w.s->mode < ARRAY_LEN(steps));
        if (steps[w.s->mode](&w) == STEP_WAIT)
            break;
    }
    *used = (size_t)(w.p - in->bytes.p);
    if (in->is_last && w.s->mode != MODE_TOP && !w.s->is_nested)
        event_quarantine(&w.s->maker, in, offset_of(&w, w.p), STR(""),
                         "the file ends inside a JSON document", out);
    return OK;
}

static void cw_close(void *state)
{
    struct cw_state *s = state;
    event_maker_clear(&s->maker);
    intern_clear(&s->names);
}

static struct decode_mark cw_mark(const void *state)
{
    const struct cw_state *s = state;
    return s->maker.run_mark;
}

static void cw_resume(void *state, const struct decode_mark *m)
{
    struct cw_state *s = state;
    s->mode = (unsigned)(m->mode & 3) <= MODE_EVENTS ? (unsigned)(m->mode & 3) : MODE_TOP;
    assert(s->maker.n_events == 0); /* nothing was read before */
    s->maker.n_events = m->mode >> 2;
    s->maker.run_mark = *m;
    s->has_events = s->mode == MODE_EVENTS;
}

/* --- detection
 * ------------------------------------------------------------------------------------------------
 */

static struct str json_start(struct str head)
{
    while (head.n > 0 && (shape_is_space(head.p[0]) || head.p[0] == '['))
        head = str_skip(head, 1);
    return head;
}

static bool has_key(struct str head, const char *key)
{
    return str_find(head, str_from(key)) < head.n;
}

/* "{", line end, name: a document over several lines. If it holds no events, that is better said
 * once than read as lines of text. */
static bool is_pretty(struct str head)
{
    struct str s = json_start(head);
    return s.n > 2 && (s.p[1] == '\n' || s.p[1] == '\r') &&
           shape_first_key(s.p, s.p + s.n).p != NULL;
}

static int accepts_answer(struct str head)
{
    struct str s = json_start(head);
    if (s.n == 0 || s.p[0] != '{')
        return 0;
    struct str look = str_sub(s, 0, 4096);
    if (shape_is_event(s.p, s.p + s.n) &&
        (has_key(look, "\"logStreamName\"") || has_key(look, "\"ingestionTime\"") ||
         (has_key(look, "\"@message\"") && has_key(look, "\"@timestamp\""))))
        return 90;
    if (shape_is_query_result(look))
        return 90;
    if (shape_is_document(s.p, s.p + s.n) && !has_key(str_sub(s, 0, 256), "\"messageType\""))
        return has_key(look, "oken\"") || has_key(s, "\"events\"") || has_key(look, "\"@message\"")
                   ? 90
                   : 10;
    return is_pretty(head) ? 10 : 0;
}

/* Records behind other members: a Firehose event, an answer of get-records. */
static bool has_later_records(struct str look)
{
    static const char *const companions[] = {"\"deliveryStreamArn\"", "\"recordId\"",
                                             "\"NextShardIterator\"", "\"kinesis\"",
                                             "\"H4sI" /* base64 of gzip's first bytes */};
    if (!has_key(look, "ata\"") || !(has_key(look, "\"records\"") || has_key(look, "\"Records\"")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(companions); i++)
        if (has_key(look, companions[i]))
            return true;
    return false;
}

static int accepts_envelope(struct str head)
{
    struct str s = json_start(head);
    if (s.n == 0 || s.p[0] != '{')
        return 0;
    if (has_key(s, "\"logEvents\"") && has_key(s, "\"messageType\""))
        return 95;
    bool is_packed = is_packed_key(shape_first_key(s.p, s.p + s.n)) && has_key(s, "ata\"");
    struct str look = str_sub(s, 0, 4096);
    return is_packed || has_key(look, "\"awslogs\"") || has_later_records(look) ? 80 : 0;
}

const struct decoder_ops aws_cloudwatch_json = {
    .name = "cloudwatch-json",
    .help = "answers of aws logs filter-log-events, get-log-events and get-query-results",
    .state_size = sizeof(struct cw_state),
    .accepts = accepts_answer,
    .decode = cw_decode,
    .close = cw_close,
    .mark = cw_mark,
    .resume = cw_resume,
};

const struct decoder_ops aws_subscription = {
    .name = "subscription",
    .help = "subscription filter records: Lambda event, Kinesis, Firehose S3 objects",
    .state_size = sizeof(struct cw_state),
    .accepts = accepts_envelope,
    .decode = cw_decode,
    .close = cw_close,
    .mark = cw_mark,
    .resume = cw_resume,
};
