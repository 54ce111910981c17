/* Errors nobody caught, as runtimes write them; see the header. */
#include "collector/aws/app_failure.h"

#include <assert.h>

#include "collector/aws/app_error.h"
#include "core/base/jsonpull.h"

/* --- types --- */

void app_fail(struct log_record *r, struct str type)
{
    assert(r->kind == RECORD_APP);
    r->is_error = true;
    r->error_type = type;
    if (r->severity < SEVERITY_ERROR)
        r->severity = SEVERITY_ERROR;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "[System.String,Shop.Item]" behind a generic type of .NET */
static size_t arguments_length(struct str s)
{
    const size_t close = str_find(str_sub(s, 0, 200), STR("]:"));

    return str_starts(s, STR("[")) && close < 200 && close + 1 < s.n ? close + 1 : 0;
}

static bool begins_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '$';
}

size_t app_type_length(struct str s)
{
    size_t n = 0;

    for (; n < s.n && n < 200; n++) {
        const char c = s.p[n];
        bool is_inner = n > 0 && (is_digit(c) || c == '.' || c == '`' || c == '+');
        if (!begins_name(c) && !is_inner)
            break;
    }
    return n > 1 && is_digit(s.p[n - 1]) ? n + arguments_length(str_skip(s, n)) : n;
}

static bool is_type_then_colon(struct str s, struct str *type)
{
    const size_t n = app_type_length(s);

    *type = str_sub(s, 0, n);
    return n > 0 && n + 1 < s.n && s.p[n] == ':';
}

/* --- Java --- */

/* `head` ends in ": <type>", what follows begins with the type. A head of several lines is the
 * message, which must stand behind the type again. */
static bool is_java_pair(struct str head, struct str rest, bool is_first, struct str type)
{
    const size_t at = head.n - (type.n < head.n ? type.n : head.n);

    if (type.n < 8 || at < 2 || !str_ends(head, type) || head.p[at - 1] != ' ' ||
        head.p[at - 2] != ':')
        return false;
    const struct str text = str_skip(rest, type.n), message = str_sub(head, 0, at - 2);
    const bool has_message = str_starts(text, STR(": "));
    if (has_message)
        return is_first || str_starts(str_skip(text, 2), message);
    return str_find(text, STR("\tat ")) < text.n ||
           (str_eq(message, type) && str_trim(text).n == 0);
}

bool app_java_failure(struct str line, struct log_record *r)
{
    enum { MAX_LINES = 64 };
    struct str rest = line;

    for (unsigned i = 0; i < MAX_LINES; i++) {
        const size_t end = str_find_char(rest, '\n');
        if (end == rest.n)
            return false;
        rest = str_skip(rest, end + 1);
        const struct str head = str_trim_right(str_sub(line, 0, (size_t)(rest.p - line.p)));
        const struct str type = str_sub(rest, 0, app_type_length(rest));
        if (is_java_pair(head, rest, i == 0, type)) {
            app_fail(r, type);
            return true;
        }
    }
    return false;
}

/* --- Node, .NET, Python --- */

struct str app_dotnet_type(struct str text)
{
    struct str type;

    if (!is_type_then_colon(text, &type) || str_find(text, STR("\n   at ")) == text.n)
        return (struct str){0};
    return type;
}

void app_tabbed_failure(struct log_record *r)
{
    static const struct str openings[] = {
        {"Invoke Error", 12},
        {"Uncaught Exception", 18},
        {"Unhandled Promise Rejection", 27},
    };

    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(r->message, openings[i]) &&
            str_find_char(str_sub(r->message, openings[i].n, 3), '\t') < 3) {
            app_fail(r, app_error_type(r->message));
            return;
        }
    const struct str type = app_dotnet_type(r->message);
    if (str_ends(type, STR("Exception")) || str_find_char(type, '.') < type.n)
        app_fail(r, type);
}

/* "[1588083064000] LAMBDA_RUNTIME Failed to post handler success response. Http response code:
 * 413." */
static bool is_refused_answer(struct str message)
{
    static const char text[] = " LAMBDA_RUNTIME Failed to post handler success response. Http "
                               "response code: 413.";
    const size_t close = str_find_char(message, ']');

    return str_starts(message, STR("[")) &&
           str_starts(str_skip(message, close + 1), str_from(text));
}

void app_python_failure(struct log_record *r)
{
    struct str type = {0};
    size_t trace = str_find(r->message, STR("Traceback (most recent call last):"));
    bool has_trace = trace < r->message.n && trace > 0 &&
                     (r->message.p[trace - 1] == '\r' || r->message.p[trace - 1] == '\n');
    bool has_type = is_type_then_colon(r->message, &type);

    if (has_trace && !has_type) { /* an exception without a message: its type stands alone */
        struct str first = str_trim_right(str_sub(r->message, 0, trace));
        has_type = first.n > 0 && app_type_length(first) == first.n;
        type = first;
    }
    if (has_trace || (has_type && str_starts(type, STR("Runtime."))))
        app_fail(r, has_type ? type : (struct str){0});
    else if (is_refused_answer(r->message))
        app_fail(r, STR("Function.ResponseSizeTooLarge"));
}

/* --- Ruby --- */

/* `  "errorType": "Function<RuntimeError>",`: the JSON is printed over several lines, and each may
 * be an event. */
static bool is_ruby_type(struct str line)
{
    static const struct str kinds[] = {{"\"Function<", 10}, {"\"Runtime<", 9}, {"\"Init<", 6}};
    const struct str key = STR("\"errorType\": "), rest = str_trim(line);
    const struct str value = str_skip(rest, key.n);

    if (!str_starts(rest, key) || !(str_ends(value, STR(">\"")) || str_ends(value, STR(">\","))))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(value, kinds[i]))
            return true;
    return false;
}

bool app_ruby_failure(struct str line, struct log_record *r)
{
    static const struct str openings[] = {
        {"Error raised from handler method", 32},
        {"Critical exception from handler", 31},
        {"Init error when loading handler", 31},
    };
    bool is_failure = false;

    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        is_failure |= str_starts(line, openings[i]);
    if (!is_failure && !is_ruby_type(line))
        return false;
    app_fail(r, app_error_type(line));
    return true;
}

/* --- Rust --- */

/* `reqwest::Error { kind: .. }`, `Error("boom")`: the name in a value's Debug form. */
static struct str debug_type(struct str text)
{
    size_t n = 0;

    while (n < text.n && n < 200 &&
           (begins_name(text.p[n]) || text.p[n] == ':' || (n > 0 && is_digit(text.p[n]))))
        n++;
    const struct str behind = str_skip(text, n);
    const bool is_value = str_starts(behind, STR("(")) || str_starts(behind, STR(" {"));
    return is_value ? str_sub(text, 0, n) : (struct str){0};
}

void app_rust_failure(struct log_record *r)
{
    static const struct str targets[] = {
        {"lambda_runtime::layers::panic: ", 31},
        {"lambda_runtime::layers::api_response: Request payload deserialization", 69},
        {"lambda_runtime: ", 16}, /* before 0.11 */
    };
    static const struct str panicked = {"user handler panicked", 21};
    struct str text = r->message;
    bool is_failure = str_starts(text, panicked);

    if (r->severity < SEVERITY_ERROR)
        return;
    for (size_t i = 0; i < ARRAY_LEN(targets) && !is_failure; i++)
        if (str_starts(r->message, targets[i])) {
            text = str_skip(text, str_find(text, STR(": ")) + 2);
            is_failure = true;
        }
    if (!is_failure)
        return;
    const struct str value = str_skip(text, str_find(text, STR(" error=")) + 7);
    app_fail(r, str_starts(text, panicked) ? STR("panic") : debug_type(value.n > 0 ? value : text));
    r->message = text;
}

/* --- Go --- */

/* No other type holds a dot: Go names it without its package. Frames are objects. */
static bool read_answer(struct jp *j, struct str *type)
{
    struct str key, text;

    if (!jp_enter(j, '{') || !jp_member(j, &key) || !str_eq(key, STR("errorMessage")) ||
        !jp_string(j, &text) || !jp_member(j, &key) || !str_eq(key, STR("errorType")) ||
        !jp_string(j, type))
        return false;
    while (jp_member(j, &key))
        if (!str_eq(key, STR("stackTrace")) || !jp_raw(j, &text) || !str_starts(text, STR("[{")))
            return false;
    return j->error == NULL && jp_at_end(j) && str_find_char(*type, '.') == type->n;
}

struct str app_go_answer(struct str text, struct arena *a)
{
    struct str type = {0};
    struct jp j;

    if (!str_starts(text, STR("{\"errorMessage\":")))
        return type;
    jp_init(&j, text, a);
    return read_answer(&j, &type) ? type : (struct str){0};
}

/* "00:00:00", "00:00:00.123456" or "invoke_loop.go:106:" at the end */
static bool ends_in_place(struct str head)
{
    const struct str form = STR("00:00:00");
    size_t n = head.n - str_ends(head, STR(":"));

    while (n > 0 && is_digit(head.p[n - 1]))
        n--;
    if (str_ends(head, STR(":")))
        return str_ends(str_sub(head, 0, n), STR(".go:"));
    const bool has_fraction = n > 0 && head.p[n - 1] == '.';
    const size_t end = has_fraction ? n - 1 : head.n;
    if (end < form.n)
        return false;
    for (size_t i = 0; i < form.n; i++) {
        const char c = head.p[end - form.n + i];
        if (form.p[i] == '0' ? !is_digit(c) : c != ':')
            return false;
    }
    return true;
}

/* Where the answer begins in the first bytes of a line: few lines have a brace there at all. */
static bool find_answer(struct str line, size_t *at)
{
    enum { MAX_HEAD = 300 };
    const struct str head = str_sub(line, 0, MAX_HEAD), opening = STR("{\"errorMessage\":");

    for (*at = 0; *at < head.n; ++*at) {
        *at += str_find_char(str_skip(head, *at), '{');
        if (str_starts(str_skip(head, *at), opening))
            return true;
    }
    return false;
}

bool app_go_failure(struct str line, struct log_record *r, struct arena *a)
{
    static const struct str quoted = {"{\\\"errorMessage\\\":", 18};
    struct str type = {0}, text = r->message;
    struct jp j;

    if (str_starts(text, quoted) && r->severity == SEVERITY_INFO) {
        jp_init(&j, arena_printf(a, "\"" STR_FMT "\"", STR_ARG(text)), a);
        type = jp_string(&j, &text) ? app_go_answer(text, a) : type;
    } else {
        size_t at;
        if (!find_answer(line, &at) || !ends_in_place(str_trim_right(str_sub(line, 0, at))))
            return false;
        text = str_skip(line, at);
        type = app_error_type(text);
    }
    if (type.n == 0)
        return false;
    app_fail(r, type);
    r->message = text;
    return true;
}

/* --- the end of a program --- */

/* `Exception in thread "main" java.lang.Error: text`; of other threads the request may not know. */
static bool is_java_death(struct str line, struct str *type)
{
    const struct str opening = STR("Exception in thread \"main\" ");
    const struct str rest = str_skip(line, opening.n);

    *type = str_sub(rest, 0, app_type_length(rest));
    return str_starts(line, opening) && str_find_char(*type, '.') < type->n;
}

static bool is_dotnet_death(struct str line, struct str *type)
{
    static const struct str openings[] = {{"Unhandled exception. ", 21},
                                          {"Unhandled Exception: ", 21}};

    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(line, openings[i]) &&
            is_type_then_colon(str_skip(line, openings[i].n), type))
            return true;
    return false;
}

static bool is_go_death(struct str line)
{
    return str_starts(line, STR("panic: ")) ||
           str_starts(line, STR("runtime: goroutine stack exceeds ")) ||
           (str_starts(line, STR("fatal error: ")) && str_find(line, STR("\ngoroutine ")) < line.n);
}

bool app_death(struct str line, struct log_record *r)
{
    struct str head = str_sub(line, 0, 200), type = {0};
    bool is_rust =
        str_starts(line, STR("thread '")) && str_find(head, STR(" panicked at ")) < head.n;
    bool is_panic = is_rust || is_go_death(line);

    if (!is_panic && !is_dotnet_death(line, &type) && !is_java_death(line, &type))
        return false;
    r->severity = is_rust ? SEVERITY_ERROR : SEVERITY_FATAL;
    app_fail(r, is_panic ? STR("panic") : type);
    return true;
}

/* The last word of the text, when ": " stands before it. */
static struct str last_word(struct str text)
{
    const size_t blank = str_rfind_char(text, ' ');
    const struct str word = str_skip(text, blank + 1);

    return blank > 0 && blank < text.n && text.p[blank - 1] == ':' &&
                   app_type_length(word) == word.n
               ? word
               : (struct str){0};
}

/* go1.x: "text: errorString\nnull"; dotnetcore2.1: "text: ArgumentException\n   at ...". */
bool app_former_failure(struct str line, struct log_record *r)
{
    const struct str whole = str_trim_right(line), null = STR("\nnull");
    const size_t frames = str_find(line, STR("\n   at "));
    const bool is_go = str_ends(whole, null);
    const bool is_dotnet =
        frames < line.n && str_find(line, STR("\n   at lambda_method(")) < line.n;

    if (!is_go && !is_dotnet)
        return false;
    const struct str type = last_word(str_sub(line, 0, is_go ? whole.n - null.n : frames));
    const bool is_error = is_go ? str_ends(type, STR("rror")) || str_eq(type, STR("errorString"))
                                : str_ends(type, STR("Exception"));
    if (!is_error)
        return false;
    app_fail(r, type);
    return true;
}
