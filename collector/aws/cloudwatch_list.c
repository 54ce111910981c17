/* JSON without the names of CloudWatch Logs around it: arrays of [time, message] as `--query` of
 * the command line makes them, and batches of the Telemetry API over several lines. */
#include <assert.h>

#include "collector/aws/aws.h"
#include "collector/aws/cloudwatch_json.h"

/* --- arrays in an array
 * ------------------------------------------------------------------------------------------------
 */

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && shape_is_space(*p))
        p++;
    return p;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cw_begins_list(const char *p, const char *end)
{
    assert(p < end && *p == '[');
    p = skip_space(p + 1, end);
    if (p == end || *p != '[')
        return false;
    p = skip_space(p + 1, end);
    return p < end && is_digit(*p);
}

/* Numbers are times, the one of the event first; of the texts one may be the stream. */
static void read_field(struct jp *j, struct cw_event *r)
{
    struct str text, function, version, environment;

    if (jp_peek(j) == JP_NUMBER && !r->ev.has_time) {
        cw_read_time(j, r, &r->ev.time_ns, &r->ev.has_time);
    } else if (jp_peek(j) == JP_NUMBER) {
        cw_read_time(j, r, &r->ev.seen_ns, NULL);
    } else if (jp_peek(j) != JP_STRING || !jp_string(j, &text)) {
        jp_skip(j);
    } else if (aws_stream_parse(text, &function, &version, &environment)) {
        r->ev.stream = text;
    } else {
        r->ev.body = text;
        r->has_message = true;
    }
}

static enum cw_step read_pair(struct cw_walker *w)
{
    struct cw_event r = {0};
    struct jp j;

    assert(*w->p == '[');
    jp_init(&j, cw_rest_of(w), &w->out->arena);
    jp_enter(&j, '[');
    while (jp_element(&j))
        read_field(&j, &r);
    return cw_take_event(w, &r, &j);
}

enum cw_step cw_step_list(struct cw_walker *w)
{
    if (*w->p == ']') {
        w->s->mode = CW_TOP;
        w->p++;
        return CW_ON;
    }
    return *w->p == '[' ? read_pair(w) : cw_reject(w, "an event that is no array");
}

/* --- records of the Telemetry API
 * ------------------------------------------------------------------------------------------------
 */

enum record_member { MEMBER_TIME = 1, MEMBER_TYPE = 2, MEMBER_RECORD = 4, RECORD = 7 };

static const struct str record_keys[] = {{"time", 4}, {"type", 4}, {"record", 6}};

bool cw_begins_record(const char *p, const char *end)
{
    return shape_is_key(shape_first_key(p, end), record_keys, ARRAY_LEN(record_keys));
}

static unsigned member_of(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(record_keys); i++)
        if (str_eq(key, record_keys[i]))
            return 1u << i;
    return 0;
}

enum cw_step cw_read_record(struct cw_walker *w, bool *is_record)
{
    struct cw_event r = {.has_message = true};
    unsigned seen = 0;
    struct jp j;
    struct str key;

    jp_init(&j, cw_rest_of(w), &w->out->arena);
    jp_enter(&j, '{');
    while (jp_member(&j, &key)) {
        const unsigned member = member_of(key);
        seen |= member;
        if (member == MEMBER_TIME && jp_peek(&j) == JP_STRING)
            cw_read_time(&j, &r, &r.ev.time_ns, &r.ev.has_time);
        else
            jp_skip(&j);
    }
    *is_record = j.error != NULL || j.depth > 0 || seen == RECORD;
    if (!*is_record)
        return CW_ON;
    r.ev.body = (struct str){w->p, (size_t)(j.p - w->p)};
    return cw_take_event(w, &r, &j);
}
