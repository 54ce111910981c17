/* Brackets, strings and first member names of CloudWatch JSON: what a walk needs where the text is
 * cut or damaged. */
#include "collector/aws/json_shape.h"

#include <assert.h>
#include <string.h>

#include "core/base/macros.h"

bool shape_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* To just behind the closing quote; `end` when it is not there. */
static const char *string_goes_on(struct shape_place *at, const char *p, const char *end)
{
    for (; p < end && at->is_in_string; p++) {
        at->is_in_string = at->is_escaped || *p != '"';
        at->is_escaped = !at->is_escaped && *p == '\\';
    }
    return p;
}

const char *shape_value_goes_on(struct shape_place *at, const char *p, const char *end)
{
    assert(p <= end);
    while (p < end) {
        if (at->is_in_string) {
            p = string_goes_on(at, p, end);
            if (!at->is_in_string && at->depth == 0)
                return p;
            continue;
        }
        if (*p == '"') {
            at->is_in_string = true;
        } else if (*p == '{' || *p == '[') {
            at->depth++;
        } else if (*p == '}' || *p == ']') {
            if (at->depth <= 1)
                return p + at->depth;
            at->depth--;
        } else if (at->depth == 0 && (*p == ',' || shape_is_space(*p))) {
            return p;
        }
        p++;
    }
    return NULL;
}

const char *shape_value_end(const char *p, const char *end)
{
    struct shape_place at = {0};

    return shape_value_goes_on(&at, p, end);
}

/* As value_end for `"name": value`. */
const char *shape_member_end(const char *p, const char *end)
{
    p = shape_value_end(p, end);
    while (p != NULL && p < end && (shape_is_space(*p) || *p == ':'))
        p++;
    return p != NULL && p < end && *p != ',' && *p != '}' ? shape_value_end(p, end) : p;
}

bool shape_is_key(struct str s, const struct str *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, keys[i]))
            return true;
    return false;
}

static const struct str event_keys[] = {
    {"timestamp", 9}, {"message", 7},        {"logStreamName", 13},
    {"eventId", 7},   {"ingestionTime", 13}, {"@timestamp", 10},
    {"@message", 8},  {"@ptr", 4},           /* Logs Insights */
    {"EventId", 7},   {"IngestionTime", 13}, /* PowerShell */
};
static const struct str document_keys[] = {
    {"events", 6},
    {"searchedLogStreams", 18},
    {"nextToken", 9},
    {"nextForwardToken", 16},
    {"messageType", 11},
    {"nextBackwardToken", 17},
    {"ResponseMetadata", 16},
    {"results", 7}, /* GetQueryResults */
    {"queryLanguage", 13},
    {"statistics", 10},
    {"sessionUpdate", 13}, /* StartLiveTail */
    {"sessionStart", 12},
    {"sessionMetadata", 15},
    {"sessionResults", 14},
    {"Events", 6}, /* PowerShell */
    {"NextToken", 9},
    {"SearchedLogStreams", 18},
};

/* The first member's name of the object at p; empty: not there (yet). */
struct str shape_first_key(const char *p, const char *end)
{
    assert(p < end && *p == '{');
    for (p++; p < end && shape_is_space(*p); p++)
        ;
    if (p >= end || *p != '"')
        return (struct str){0};
    const char *close = memchr(p + 1, '"', (size_t)(end - p - 1));
    return close != NULL ? (struct str){p + 1, (size_t)(close - p - 1)} : (struct str){0};
}

bool shape_is_event(const char *p, const char *end)
{
    return shape_is_key(shape_first_key(p, end), event_keys, ARRAY_LEN(event_keys));
}

bool shape_is_document(const char *p, const char *end)
{
    return shape_is_key(shape_first_key(p, end), document_keys, ARRAY_LEN(document_keys));
}

bool shape_is_query_result(struct str head)
{
    static const struct str names[] = {{"\"results\"", 9}, {"\"field\"", 7}, {"\"value\"", 7}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_find(head, names[i]) == head.n)
            return false;
    return true;
}

/* An object that can only be the next event or document: inside a string its quotes would be
 * escaped. Where a bad event's own brackets cannot be trusted, reading goes on there. */
const char *shape_next_object(const char *p, const char *end)
{
    for (; p < end; p++) {
        p = memchr(p, '{', (size_t)(end - p));
        if (p == NULL)
            return NULL;
        if (shape_is_event(p, end) || shape_is_document(p, end))
            return p;
    }
    return NULL;
}

/* An object at the very end of the piece whose first name is not there yet: it may be one. */
const char *shape_cut_object(const char *p, const char *end)
{
    const char *last = memrchr(p, '{', (size_t)(end - p));
    bool is_cut = last != NULL && end - last < 64 && shape_first_key(last, end).p == NULL;
    return is_cut ? last : NULL;
}
