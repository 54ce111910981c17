/* Lines of loggers and runtimes without a prefix of Lambda's own; see the header. The crash
 * openings only get a severity: whether the attempt failed is told by the platform's lines. */
#include "collector/aws/app_loggers.h"

#include "collector/aws/scan.h"
#include "collector/trace_shapes.h"
#include "core/model/log_text.h"

/* Up to the quote that no backslash precedes. */
static struct str quoted(struct str s, char quote)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            return str_sub(s, 0, i);
        i += s.p[i] == '\\';
    }
    return s;
}

/* Value of key= in slog text; quotes are taken off. */
static struct str text_attr(struct str line, struct str key)
{
    struct str rest = line;
    for (;;) {
        size_t at = str_find(rest, key);
        if (at == rest.n)
            return (struct str){0};
        bool is_start = (at == 0 && rest.p == line.p) || (at > 0 && rest.p[at - 1] == ' ');
        rest = str_skip(rest, at + key.n);
        if (is_start)
            break;
    }
    if (rest.n > 0 && (rest.p[0] == '"' || rest.p[0] == '\''))
        return quoted(str_skip(rest, 1), rest.p[0]);
    return str_sub(rest, 0, str_find_char(rest, ' '));
}

/* What may stand before a key. */
static bool begins_key(struct str line, const char *p)
{
    return p == line.p || str_find_char(STR(" \t{[(,."), p[-1]) < 8;
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* `requestId=` and the like around s.p[at]; the value's place, 0: it is none. */
static size_t value_of_id(struct str s, size_t at)
{
    enum { LONGEST = 24 };
    size_t begin = at, end = at;

    while (begin > 0 && at - begin < LONGEST && is_key_char(s.p[begin - 1]))
        begin--;
    while (end < s.n && end - at < LONGEST && is_key_char(s.p[end]))
        end++;
    if (end == s.n || s.p[end] != '=' || !begins_key(s, s.p + begin) ||
        !log_is_id_name(str_sub(s, begin, end - begin)))
        return 0;
    return end + 1;
}

bool app_named_id(struct str line, struct log_record *r)
{
    const struct str part = STR("equest"); /* of all names that stand in text */

    for (size_t at = str_find(line, part); at < line.n;) {
        struct str value = str_skip(line, value_of_id(line, at));
        if (value.p > line.p) {
            value = str_skip(value, value.n > 0 && (value.p[0] == '"' || value.p[0] == '\''));
            if (scan_uuid(value)) {
                r->invocation_id = str_sub(value, 0, UUID_LEN);
                return true;
            }
        }
        at += part.n;
        at += str_find(str_skip(line, at), part);
    }
    return false;
}

/* "INFO", "WARN+1" */
static bool scan_slog_level(struct str word, enum severity *out)
{
    return word.n > 0 && scan_level(str_sub(word, 0, str_find_char(word, '+')), out);
}

/* slog, logrus, go-kit, log15, and whoever leaves the time to the platform. */
static bool is_logfmt(struct str line)
{
    static const struct str keys[] = {{"time=", 5},     {"timestamp=", 10}, {"ts=", 3},
                                      {"t=", 2},        {"level=", 6},      {"lvl=", 4},
                                      {"severity=", 9}, {"Level=", 6},      {"event=", 6}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_starts(line, keys[i]))
            return true;
    return false;
}

static bool level_of_attrs(struct str line, enum severity *out)
{
    static const struct str keys[] = {{"level=", 6}, {"lvl=", 4}, {"severity=", 9}, {"Level=", 6}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (scan_slog_level(text_attr(line, keys[i]), out))
            return true;
    return false;
}

static bool slog_line(struct str line, struct log_record *r)
{
    if (!is_logfmt(line) || !level_of_attrs(line, &r->severity))
        return false;
    struct str message = text_attr(line, STR("message="));
    if (message.n == 0)
        message = text_attr(line, STR("msg="));
    if (message.n == 0)
        message = text_attr(line, STR("event=")); /* structlog */
    if (message.n > 0)
        r->message = message;
    return true;
}

void app_slog_default(struct log_record *r)
{
    const size_t end = str_find_char(str_sub(r->message, 0, 12), ' ');
    const struct str word = str_sub(r->message, 0, end);

    if (end >= 12 || word.n < 4 || word.p[0] < 'A' || word.p[0] > 'Z' ||
        !scan_slog_level(word, &r->severity))
        return;
    r->message = str_skip(r->message, end + 1);
}

bool app_barred_line(struct str line, struct log_record *r)
{
    enum { MAX_HEAD = 80 };
    static const struct str bar = {" | ", 3};
    struct str rest = line;

    for (size_t left = MAX_HEAD;;) {
        const size_t at = str_find(str_sub(rest, 0, left), bar);
        if (at >= left || at >= rest.n)
            return false;
        left -= at;
        rest = str_skip(rest, at + bar.n);
        const size_t end = str_find(str_sub(rest, 0, 12), bar);
        if (end < 12 && end < rest.n && scan_level(str_trim(str_sub(rest, 0, end)), &r->severity)) {
            r->message = str_skip(rest, end + bar.n);
            return true;
        }
    }
}

bool app_php_line(struct str line, struct log_record *r)
{
    static const struct {
        struct str opening;
        enum severity severity;
    } kinds[] = {
        {{"Fatal error: ", 13}, SEVERITY_FATAL}, {{"Parse error: ", 13}, SEVERITY_FATAL},
        {{"Warning: ", 9}, SEVERITY_WARN},       {{"Notice: ", 8}, SEVERITY_INFO},
        {{"Deprecated: ", 12}, SEVERITY_INFO},
    };
    static const struct str fpm = {"NOTICE: PHP message: ", 21}, name = {"PHP ", 4};
    struct str rest = str_starts(line, fpm) ? str_skip(line, fpm.n) : line;

    if (!str_starts(rest, name) && str_find(rest, STR(" on line ")) == rest.n)
        return false; /* anybody may begin a line with "Warning: " */
    if (str_starts(rest, name))
        rest = str_skip(rest, name.n);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(rest, kinds[i].opening)) {
            r->severity = kinds[i].severity;
            return true;
        }
    return false;
}

/* "OpenJDK 64-Bit Server VM warning: text" */
static bool is_jvm_warning(struct str line)
{
    const struct str head = str_sub(line, 0, 80);

    return (str_starts(line, STR("OpenJDK ")) || str_starts(line, STR("Java HotSpot"))) &&
           str_find(head, STR(" VM warning: ")) < head.n;
}

/* What a runtime or a language prints when the process dies of it. */
static bool crash_line(struct str line, struct log_record *r)
{
    static const struct {
        struct str opening;
        enum severity severity;
    } crashes[] = {
        {{"panic: ", 7}, SEVERITY_FATAL},
        {{"fatal error: ", 13}, SEVERITY_FATAL},
        {{"Unhandled exception. ", 21}, SEVERITY_FATAL},
        {{"Exception in thread ", 20}, SEVERITY_ERROR},
        {{"Traceback (most recent call last):", 34}, SEVERITY_ERROR},
        {{"terminate called after throwing", 31}, SEVERITY_FATAL},
        {{"Fatal error: ", 13}, SEVERITY_FATAL},          /* Swift, PHP */
        {{"Unhandled exception:\n", 21}, SEVERITY_FATAL}, /* Dart */
    };

    for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
        if (str_starts(line, crashes[i].opening)) {
            r->severity = crashes[i].severity;
            return true;
        }
    const bool is_panic =
        str_starts(line, STR("thread '")) && str_find(line, STR(" panicked at ")) < line.n;
    if (shape_go_signal(line, (struct str){0}))
        r->severity = SEVERITY_FATAL;
    else if (is_panic || shape_elixir(line, (struct str){0}))
        r->severity = SEVERITY_ERROR;
    else if (is_jvm_warning(line))
        r->severity = SEVERITY_WARN;
    else
        return false;
    return true;
}

bool app_logger_line(struct str line, struct log_record *r)
{
    return slog_line(line, r) || app_php_line(line, r) || crash_line(line, r) ||
           app_barred_line(line, r);
}
