/* Prefixes of log lines, and what stands behind them. */
#include "core/model/log_text.h"

#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonpull.h"
#include "core/base/timefmt.h"
#include "core/base/uuid.h"

#define MAX_PARSED ((size_t)64 << 10) /* a larger object is no message */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2026/01/15 12:00:00", as Go's log package writes. */
static size_t slash_time(struct str s)
{
    static const char shape[] = "dddd/dd/dd dd:dd:dd";
    size_t n = sizeof(shape) - 1;

    if (s.n < n)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (shape[i] == 'd' ? !is_digit(s.p[i]) : s.p[i] != shape[i])
            return 0;
    return n;
}

static size_t any_time(struct str s)
{
    int64_t t;
    size_t n = time_parse_prefix(s, &t);

    return n > 0 ? n : slash_time(s);
}

static size_t any_uuid(struct str s)
{
    return uuid_is_valid(str_sub(s, 0, UUID_LEN)) ? UUID_LEN : 0;
}

/* .NET's levels, between tabs; elsewhere they begin sentences. */
static size_t dotnet_word(struct str s)
{
    static const struct str words[] = {{"fail\t", 5}, {"crit\t", 5}, {"warn\t", 5},
                                       {"info\t", 5}, {"dbug\t", 5}, {"trce\t", 5}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(s, words[i]))
            return words[i].n - 1;
    return 0;
}

static size_t any_word(struct str s)
{
    static const struct str words[] = {
        {"[ERROR]", 7}, {"[WARNING]", 9},   {"[WARN]", 6},
        {"[INFO]", 6},  {"[DEBUG]", 7},     {"[TRACE]", 7},
        {"[FATAL]", 7}, {"[CRITICAL]", 10}, {"Invoke Error", 12},
        {"ERROR", 5},   {"WARNING", 7},     {"WARN", 4},
        {"INFO", 4},    {"DEBUG", 5},       {"TRACE", 5},
        {"FATAL", 5},   {"CRITICAL", 8},    {"Uncaught Exception", 18},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(s, words[i]))
            return words[i].n;
    return dotnet_word(s);
}

static struct str skip_blanks(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_skip(s, 1);
    return s;
}

/* `Lambda runtime invoke{requestId="..." xrayTraceId="..."}: `, Rust's; its module may follow. */
static struct str skip_span(struct str s)
{
    static const struct str span = {"Lambda runtime invoke{", 22}, module = {"lambda_runtime:", 15};
    const size_t end = str_find(s, STR("}: "));

    if (!str_starts(s, span) || end == s.n)
        return s;
    s = str_skip(s, end + 3);
    return str_starts(s, module) ? str_skip(s, str_find(s, STR(": ")) + 2) : s;
}

struct str log_text(struct str body)
{
    static size_t (*const prefixes[])(struct str) = {any_time, any_uuid, any_word};
    struct str s = skip_blanks(body);
    bool is_cut = true;

    while (is_cut) {
        is_cut = false;
        for (size_t i = 0; i < ARRAY_LEN(prefixes) && !is_cut; i++) {
            size_t n = prefixes[i](s);
            /* A prefix ends at a blank: "INFORMATION" is a word of its own. */
            is_cut = n > 0 && n < s.n && (s.p[n] == ' ' || s.p[n] == '\t');
            s = is_cut ? skip_blanks(str_skip(s, n)) : s;
        }
    }
    s = skip_span(s);
    return s.n > 0 ? s : body;
}

static struct str message_of(const struct json *record)
{
    static const char *const keys[] = {"errorMessage", "message", "msg"};
    struct str text = {0};

    for (size_t i = 0; i < ARRAY_LEN(keys) && text.n == 0; i++)
        if (!json_str(json_get(record, keys[i]), &text))
            text = (struct str){0};
    return text;
}

/* With its type, when the record is an error's. */
static struct str from_json(struct str s, bool is_error, struct arena *a)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct str type = {0};

    if (s.n > MAX_PARSED || json_parse(s, &doc, NULL) != OK)
        return (struct str){0};
    const struct json *root = json_root(doc), *fields = json_get(root, "fields");
    const struct str own = message_of(root), text = own.n > 0 ? own : message_of(fields);
    const bool has_type = json_str(json_get(root, "errorType"), &type) && type.n > 0;
    if (text.n == 0 || (is_error && !has_type))
        return (struct str){0};
    return has_type ? arena_printf(a, STR_FMT ": " STR_FMT, STR_ARG(type), STR_ARG(text))
                    : arena_str(a, text);
}

/* An error as JSON behind other words: Go's "invoke_loop.go:106: {..}", Ruby's "Error raised from
 * handler method\n{..}"; quoted, as slog does it, `msg="{\"errorMessage\":..}"`. */
static struct str from_error(struct str s, struct arena *a)
{
    enum { MAX_HEAD = 300 };
    const size_t at = str_find_char(str_sub(s, 0, MAX_HEAD), '{');
    struct str rest = str_skip(s, at);
    struct jp j;

    if (at >= MAX_HEAD || rest.n < 2)
        return (struct str){0};
    if (at > 0 && s.p[at - 1] == '"' && rest.p[1] == '\\') {
        jp_init(&j, str_skip(s, at - 1), a);
        if (!jp_string(&j, &rest))
            return (struct str){0};
    }
    return from_json(rest, true, a);
}

static struct str first_line(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
        n++;
    return str_sub(s, 0, n);
}

struct str log_headline(struct str body, struct arena *a)
{
    const struct str s = log_text(body);
    struct str text = str_starts(s, STR("{")) ? from_json(s, false, a) : from_error(s, a);

    if (text.n > 0 && text.p[0] == '{') { /* an error that a logger of JSON was given as text */
        const struct str inner = from_error(text, a);
        text = inner.n > 0 ? inner : text;
    }
    return arena_str(a, first_line(text.n > 0 ? text : s));
}

/* --- fingerprint --- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word_char(char c)
{
    return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '-' || c == '_';
}

static size_t word_length(struct str s)
{
    size_t n = 0;

    while (n < s.n && is_word_char(s.p[n]))
        n++;
    return n;
}

/* "8d5958b5-559f-43f3", "0x7ffe", "deadbeef01": eight hexadecimal digits or more, one a number. */
static bool is_id(struct str word)
{
    enum { SHORTEST_ID = 8 };
    bool has_digit = false;

    if (word.n < SHORTEST_ID)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        if (!is_hex(word.p[i]) && word.p[i] != '-')
            return false;
        has_digit = has_digit || (word.p[i] >= '0' && word.p[i] <= '9');
    }
    return has_digit;
}

/* Up to a blank or what closes a bracket; 0 when two slashes do not stand in it. */
static size_t path_length(struct str s)
{
    size_t n = 0, slashes = 0;

    for (; n < s.n && (unsigned char)s.p[n] > ' ' && strchr("'\"()[]{},;", s.p[n]) == NULL; n++)
        slashes += s.p[n] == '/';
    return slashes >= 2 ? n : 0;
}

/* Behind the quote that closes the one at s; 0 when it does not, or is an apostrophe. */
static size_t quoted_length(struct str s, bool is_inside_word)
{
    if (is_inside_word || (s.p[0] != '\'' && s.p[0] != '"'))
        return 0;
    size_t n = str_find_char(str_skip(s, 1), s.p[0]);
    return n + 1 < s.n ? n + 2 : 0;
}

static void fold_word(struct buf *out, struct str word)
{
    if (is_id(word)) {
        buf_add_c(out, '#');
        return;
    }
    for (size_t i = 0; i < word.n; i++) {
        bool is_digit = word.p[i] >= '0' && word.p[i] <= '9';
        if (!is_digit)
            buf_add_c(out, word.p[i]);
        else if (i == 0 || word.p[i - 1] < '0' || word.p[i - 1] > '9')
            buf_add_c(out, '#');
    }
}

struct str log_fingerprint(struct str message, struct arena *a)
{
    AUTO(buf_clear) struct buf out = {.max = message.n * 2 + 1};
    bool is_inside_word = false;

    for (struct str rest = message; rest.n > 0;) {
        size_t quoted = quoted_length(rest, is_inside_word), n = quoted;
        if (quoted > 0) {
            buf_add_z(&out, "''");
        } else if (!is_inside_word && (n = path_length(rest)) > 0) {
            buf_add_c(&out, '/');
        } else if ((n = word_length(rest)) > 0) {
            fold_word(&out, str_sub(rest, 0, n));
        } else {
            buf_add_c(&out, rest.p[0]);
            n = 1;
        }
        is_inside_word = quoted == 0 && is_word_char(rest.p[n - 1]);
        rest = str_skip(rest, n);
    }
    return arena_str(a, buf_str(&out));
}
