/* Lines of loggers and runtimes without a prefix of Lambda's own; see the header. The crash
 * openings only get a severity: whether the attempt failed is told by the platform's lines. */
#include "collector/aws/app_loggers.h"

#include "collector/aws/scan.h"

/* Up to the quote that no backslash precedes. */
static struct str quoted(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
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
    if (rest.n > 0 && rest.p[0] == '"')
        return quoted(str_skip(rest, 1));
    return str_sub(rest, 0, str_find_char(rest, ' '));
}

static void take_id_attr(struct str line, struct log_record *r)
{
    static const struct str keys[] = {{"requestId=", 10}, {"request_id=", 11}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct str id = text_attr(line, keys[i]);
        if (id.n != UUID_LENGTH || !scan_uuid(id))
            continue;
        r->invocation_id = id;
        return;
    }
}

/* "INFO", "WARN+1" */
static bool scan_slog_level(struct str word, enum severity *out)
{
    return word.n > 0 && scan_level(str_sub(word, 0, str_find_char(word, '+')), out);
}

/* slog, logrus, go-kit, log15, and whoever leaves the time to the platform. */
static bool is_logfmt(struct str line)
{
    static const struct str keys[] = {{"time=", 5}, {"timestamp=", 10}, {"ts=", 3},
                                      {"t=", 2},    {"level=", 6},      {"lvl=", 4}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_starts(line, keys[i]))
            return true;
    return false;
}

static bool slog_line(struct str line, struct log_record *r)
{
    if (!is_logfmt(line) || (!scan_slog_level(text_attr(line, STR("level=")), &r->severity) &&
                             !scan_slog_level(text_attr(line, STR("lvl=")), &r->severity)))
        return false;
    struct str message = text_attr(line, STR("message="));
    if (message.n == 0)
        message = text_attr(line, STR("msg="));
    if (message.n > 0)
        r->message = message;
    take_id_attr(line, r);
    return true;
}

void app_slog_default(struct log_record *r)
{
    const size_t end = str_find_char(str_sub(r->message, 0, 12), ' ');
    const struct str word = str_sub(r->message, 0, end);

    if (end >= 12 || word.n < 4 || word.p[0] < 'A' || word.p[0] > 'Z' ||
        !scan_slog_level(word, &r->severity))
        return;
    take_id_attr(r->message, r);
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
        {{"PHP Fatal error:", 16}, SEVERITY_FATAL},
        {{"PHP Parse error:", 16}, SEVERITY_FATAL},
        {{"PHP Warning:", 12}, SEVERITY_WARN},
    };

    for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
        if (str_starts(line, crashes[i].opening)) {
            r->severity = crashes[i].severity;
            return true;
        }
    if (!str_starts(line, STR("thread '")) || str_find(line, STR(" panicked at ")) == line.n)
        return false;
    r->severity = SEVERITY_ERROR;
    return true;
}

bool app_logger_line(struct str line, struct log_record *r)
{
    return slog_line(line, r) || crash_line(line, r) || app_barred_line(line, r);
}
