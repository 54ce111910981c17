/* The request id in a log line, and what loggers call it. */
#include <string.h>

#include "core/base/jsonpull.h"
#include "core/base/uuid.h"
#include "core/model/log_text.h"

enum { MAX_LOOKED_AT = 4096, MAX_MENTION = 512, MAX_PREFIX = 80 };

/* --- UUIDs --- */

/* AWS writes them in small letters. */
static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
}

/* Where the next one begins; s.n: there is none. */
static size_t find_uuid(struct str s, size_t from)
{
    size_t run = 0;

    for (size_t i = from; i < s.n; i++) {
        run = is_id_char(s.p[i]) ? run + 1 : 0;
        const bool is_closed = i + 1 == s.n || !is_id_char(s.p[i + 1]);
        if (run >= UUID_LEN && is_closed && uuid_is_valid(str_sub(s, i + 1 - UUID_LEN, UUID_LEN)))
            return i + 1 - UUID_LEN;
    }
    return s.n;
}

/* --- names --- */

bool log_is_id_name(struct str word)
{
    static const char *const names[] = {"requestid",       "reqid",         "awsrequestid",
                                        "lambdarequestid", "faasexecution", "functionrequestid",
                                        "faasinvocationid"};
    char plain[24]; /* small letters without what stands between words */
    size_t n = 0;

    if (word.n == 0 || str_find_char(STR("dDnN"), word.p[word.n - 1]) == 4) /* "id", "execution" */
        return false;
    for (size_t i = 0; i < word.n; i++) {
        const char c = word.p[i];
        if (c == '_' || c == '.' || c == '-')
            continue;
        if (n + 1 == sizeof(plain))
            return false;
        plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    plain[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(plain, names[i]) == 0)
            return true;
    return false;
}

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '-';
}

/* `requestId="`, `RequestId: `, `\"requestId\":\"` end here. */
static bool is_behind_name(struct str s, size_t at)
{
    size_t end = at, begin;
    bool has_sign = false;

    while (end > 0 && strchr("\"'\\ :=", s.p[end - 1]) != NULL) {
        end--;
        has_sign = has_sign || s.p[end] == ':' || s.p[end] == '=';
    }
    for (begin = end; begin > 0 && is_word_char(s.p[begin - 1]);)
        begin--;
    return has_sign && log_is_id_name(str_sub(s, begin, end - begin));
}

/* Only time and level stand before it, which have no small letters, or tabs around it. */
static bool is_prefix(struct str s, size_t at)
{
    const size_t end = at + UUID_LEN;

    if (at > MAX_PREFIX || (end < s.n && s.p[end] != '\t' && s.p[end] != ' '))
        return false;
    if (at > 0 && s.p[at - 1] == '\t' && end < s.n && s.p[end] == '\t')
        return true;
    for (size_t i = 0; i < at; i++)
        if ((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '{' || s.p[i] == '"')
            return false;
    return true;
}

/* --- JSON --- */

/* Objects in which loggers put the names; others are what is logged: "$metadata" of an SDK. */
static bool is_of_logger(struct str key)
{
    static const struct str keys[] = {
        {"span", 4},        {"record", 6}, {"lambda", 6}, {"mdc", 3},    {"faas", 4},
        {"contextMap", 10}, {"extra", 5},  {"spans", 5},  {"Scopes", 6}, {"context", 7}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_eq(key, keys[i]))
            return true;
    return false;
}

enum { DEEPEST = 3 };

static void find_member(struct jp *j, unsigned depth, struct str *out);

static void find_inside(struct jp *j, enum jp_type type, unsigned depth, struct str *out)
{
    if (type == JP_OBJECT && jp_enter(j, '{')) {
        find_member(j, depth, out);
    } else if (type == JP_ARRAY && jp_enter(j, '[')) {
        while (jp_element(j))
            if (jp_peek(j) == JP_OBJECT && jp_enter(j, '{'))
                find_member(j, depth, out);
            else
                jp_skip(j);
    } else {
        jp_skip(j);
    }
}

static bool is_key(struct str key, unsigned depth)
{
    return log_is_id_name(key) || (depth > 0 && str_eq(key, STR("execution")));
}

/* A member of this object first, else of one of a logger's inside. */
static void find_member(struct jp *j, unsigned depth, struct str *out)
{
    struct str key, value, inner = {0};

    while (jp_member(j, &key)) {
        const enum jp_type type = jp_peek(j);
        if (type == JP_STRING && is_key(key, depth)) {
            if (jp_string(j, &value) && uuid_is_valid(value) && out->n == 0)
                *out = value;
        } else if (depth < DEEPEST && is_of_logger(key)) {
            find_inside(j, type, depth + 1, &inner);
        } else {
            jp_skip(j);
        }
    }
    if (out->n == 0)
        *out = inner;
}

static struct str id_in_json(struct str body, struct arena *a, bool *is_whole)
{
    struct str id = {0};
    struct jp j;

    jp_init(&j, body, a);
    j.takes_halves = true;
    if (jp_enter(&j, '{'))
        find_member(&j, 0, &id);
    *is_whole = j.error == NULL;
    return id;
}

/* --- together --- */

struct str log_request_id(struct str body, struct arena *a, bool *is_said)
{
    const struct str s = str_sub(body, 0, MAX_LOOKED_AT);
    const bool is_json = str_starts(s, STR("{"));
    bool is_whole = false;
    size_t at = find_uuid(s, 0);
    const struct str first = at < MAX_MENTION ? str_sub(s, at, UUID_LEN) : (struct str){0};

    *is_said = false;
    if (at == s.n)
        return first;
    if (is_json) {
        const struct str id = id_in_json(body, a, &is_whole);
        *is_said = id.n > 0;
        if (is_whole || id.n > 0)
            return id.n > 0 ? id : first;
    }
    while (at < s.n && !(is_behind_name(s, at) || (!is_json && is_prefix(s, at))))
        at = find_uuid(s, at + UUID_LEN);
    *is_said = at < s.n;
    return *is_said ? str_sub(s, at, UUID_LEN) : first;
}
