/* What a file's head shows: CloudWatch JSON, or the envelopes of its subscriptions. */
#include <string.h>

#include "collector/aws/cloudwatch_json.h"

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

/* Arrays without names around them (cloudwatch_list.c); those on one line are NDJSON's, too. */
static int accepts_array(struct str head, struct str first)
{
    struct str array = str_trim(head);
    struct str look = str_sub(first, 0, 4096);

    if (!str_starts(array, STR("[")))
        return 0;
    if (cw_begins_list(array.p, array.p + array.n))
        return 90;
    return first.n > 0 && first.p[0] == '{' && cw_begins_record(first.p, first.p + first.n) &&
                   has_key(look, "\"type\"") && has_key(look, "\"record\"")
               ? 60
               : 0;
}

/* An event that stands alone, by the members only AWS writes. */
static bool is_named_event(struct str s)
{
    struct str look = str_sub(s, 0, 4096);

    return shape_is_event(s.p, s.p + s.n) &&
           (has_key(look, "\"logStreamName\"") || has_key(look, "\"ingestionTime\"") ||
            has_key(look, "\"IngestionTime\"") ||
            (has_key(look, "\"@message\"") && has_key(look, "\"@timestamp\"")));
}

int cw_accepts_answer(struct str head)
{
    struct str s = json_start(head);
    int sure = accepts_array(head, s);
    if (sure > 0 || s.n == 0 || s.p[0] != '{')
        return sure;
    struct str look = str_sub(s, 0, 4096);
    if (is_named_event(s) || shape_is_query_result(look))
        return 90;
    if (shape_is_document(s.p, s.p + s.n) && !has_key(str_sub(s, 0, 256), "\"messageType\""))
        return has_key(look, "oken\"") || has_key(s, "\"events\"") || has_key(s, "\"Events\"") ||
                       has_key(look, "\"@message\"") || has_key(look, "\"sessionMetadata\"") ||
                       has_key(look, "\"sessionStart\"")
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

int cw_accepts_envelope(struct str head)
{
    struct str s = json_start(head);
    if (s.n == 0 || s.p[0] != '{')
        return 0;
    if (has_key(s, "\"logEvents\"") && has_key(s, "\"messageType\""))
        return 95;
    bool is_packed = cw_is_packed_key(shape_first_key(s.p, s.p + s.n)) && has_key(s, "ata\"");
    struct str look = str_sub(s, 0, 4096);
    bool is_inside = has_key(look, "\"awslogs\"") && has_key(look, "\"H4sI");
    return is_packed || is_inside || has_later_records(look) ? 80 : 0;
}
