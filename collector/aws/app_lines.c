/* Application lines of the Lambda runtimes in Text format: finds level, request id, trace id and
 * the message behind the runtime's prefix. Shapes are those of the runtime interface clients (Node,
 * Python, Java, .NET, Ruby, Go, Rust) and their usual loggers. A line of no known shape is all
 * message. `is_error` is set only where the runtime itself reports an unhandled error. */
#include <assert.h>
#include <string.h>

#include "collector/aws/app_error.h"
#include "collector/aws/app_failure.h"
#include "collector/aws/app_heads.h"
#include "collector/aws/app_loggers.h"
#include "collector/aws/app_rust.h"
#include "collector/aws/aws.h"
#include "collector/aws/scan.h"
#include "collector/trace_shapes.h"
#include "core/base/timefmt.h"

/* --- steps --- */

static bool cut_at(struct str s, size_t i, struct str *head, struct str *rest)
{
    if (i >= s.n)
        return false;
    *head = str_sub(s, 0, i);
    *rest = str_skip(s, i + 1);
    return true;
}

static struct str skip_blanks(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_skip(s, 1);
    return s;
}

/* "- " between a level and what it is about. */
static struct str skip_dash(struct str s)
{
    s = skip_blanks(s);
    return str_starts(s, STR("- ")) ? skip_blanks(str_skip(s, 2)) : s;
}

/* Without terminal colours ("\033[32m"), which some loggers write around every part. */
static struct str unpaint(struct str s, struct arena *a)
{
    char *copy = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        size_t k = i + 2;
        if (s.p[i] == '\033' && k < s.n && s.p[i + 1] == '[') {
            while (k < s.n && ((s.p[k] >= '0' && s.p[k] <= '9') || s.p[k] == ';'))
                k++;
            if (k < s.n && s.p[k] == 'm') {
                i = k;
                continue;
            }
        }
        copy[n++] = s.p[i];
    }
    return (struct str){copy, n};
}

/* A word of letters at the start that names a level; the rest begins behind it. */
static bool take_level(struct str *s, enum severity *out)
{
    size_t n = 0;
    while (n < s->n && n < 12 &&
           ((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z')))
        n++;
    const struct str next = str_sub(*s, n, 2);
    const bool is_pronoun = n == 1 && s->p[0] == 'I' && next.n == 2 && next.p[0] == ' ' &&
                            next.p[1] >= 'a' && next.p[1] <= 'z';
    if (is_pronoun || !scan_level(str_sub(*s, 0, n), out))
        return false;
    *s = str_skip(*s, n);
    return true;
}

static bool take_uuid(struct str *s, struct str *id)
{
    if (!scan_uuid(*s))
        return false;
    *id = str_sub(*s, 0, UUID_LEN);
    *s = str_skip(*s, UUID_LEN);
    return true;
}

/* "<uuid>", as an older pattern of log4j has it. */
static bool take_angled_uuid(struct str *s, struct str *id)
{
    struct str rest = str_skip(*s, 1);
    if (!str_starts(*s, STR("<")) || !take_uuid(&rest, id) || !str_starts(rest, STR(">")))
        return false;
    *s = str_skip(rest, 1);
    return true;
}

/* --- lines that begin with a time --- */

/* Node "ISO\t<id>\tLEVEL\tmsg", .NET "ISO\t<id>\tlevl\tmsg"; the id may be "undefined" or
 * empty. */
static bool tabbed_line(struct str rest, struct log_record *r)
{
    struct str id, level, message;
    enum severity severity;
    const bool is_uuid = rest.n > UUID_LEN && rest.p[UUID_LEN] == '\t' && scan_uuid(rest);

    if (!cut_at(rest, is_uuid ? UUID_LEN : str_find_char(rest, '\t'), &id, &rest))
        return false;
    if (!is_uuid && id.n > 0 && !str_eq(id, STR("undefined")))
        return false;
    size_t end = str_find_char(str_sub(rest, 0, 16), '\t');
    level = str_sub(rest, 0, end);
    if (!scan_level(level, &severity)) {
        if (!is_uuid)
            return false;
        r->invocation_id = id; /* Node.js before 10 wrote no level */
        r->message = rest;
        if (str_starts(rest, STR("{\"errorMessage\":")))
            app_fail(r, app_error_type(rest));
        return true;
    }
    message = str_skip(rest, end + 1);
    r->invocation_id = is_uuid ? id : (struct str){0};
    r->severity = severity;
    r->message = message;
    if (severity >= SEVERITY_ERROR)
        app_tabbed_failure(r);
    return true;
}

/* What stands between date and level: logback's "[main] ", Python's "- root - ". */
static bool level_behind_name(struct str *s, enum severity *out)
{
    enum { MAX_NAME = 100 };
    struct str rest = *s, opening = {0}, closing = {0};

    if (str_starts(rest, STR("["))) {
        opening = STR("[");
        closing = STR("] ");
    } else if (str_starts(rest, STR("- "))) {
        opening = STR("- ");
        closing = STR(" - ");
    }
    if (opening.n == 0)
        return false;
    rest = str_skip(rest, opening.n);
    size_t end = str_find(str_sub(rest, 0, MAX_NAME), closing);
    if (end >= MAX_NAME || end >= rest.n)
        return false;
    rest = skip_blanks(str_skip(rest, end + closing.n));
    if (!take_level(&rest, out))
        return false;
    *s = rest;
    return true;
}

/* log4j2 "<date> <id> LEVEL  Class - msg", tracing "<date>  LEVEL target: msg". */
static bool dated_line(struct str rest, struct log_record *r)
{
    struct str id = {0};

    rest = skip_blanks(rest);
    if (take_uuid(&rest, &id) || take_angled_uuid(&rest, &id))
        r->invocation_id = id;
    else if (str_starts(rest, STR("undefined ")))
        rest = str_skip(rest, 10);
    rest = skip_blanks(rest);
    if (!take_level(&rest, &r->severity) && !level_behind_name(&rest, &r->severity)) {
        if (id.n > 0)
            r->message = rest;
        return id.n > 0;
    }
    r->message = skip_dash(str_skip(rest, str_starts(rest, STR(":"))));
    size_t dash = str_find(str_sub(r->message, 0, 200), STR(" - "));
    if (id.n > 0 && dash < r->message.n && dash < 200)
        r->message = str_skip(r->message, dash + 3);
    return true;
}

/* "ERROR text", " INFO target: text": a level in capitals, then a blank. */
static bool level_line(struct str line, struct log_record *r)
{
    struct str rest = skip_blanks(line);
    enum severity severity;

    if (rest.n == 0 || rest.p[0] < 'A' || rest.p[0] > 'Z' || !take_level(&rest, &severity) ||
        rest.p[-1] < 'A' || rest.p[-1] > 'Z')
        return false;
    const bool is_alone = str_trim(rest).n == 0 && rest.p - skip_blanks(line).p > 2;
    if (!is_alone && (rest.n == 0 || str_find_char(STR(" :\t|"), rest.p[0]) == 4))
        return false;
    r->severity = severity;
    if (is_alone)
        return true;
    rest = str_starts(rest, STR(" | ")) ? str_skip(rest, 1) : rest;
    r->message = skip_dash(str_skip(rest, rest.p[0] == ':' || rest.p[0] == '|'));
    return true;
}

/* .NET's console logger: "fail: App.Function[0]\n      text"; winston: "info: text"; R and many
 * programs: "Warning: text". */
static bool small_level_line(struct str line, struct log_record *r)
{
    static const struct str words[] = {{"trce", 4},    {"dbug", 4},   {"info", 4},  {"warn", 4},
                                       {"fail", 4},    {"crit", 4},   {"error", 5}, {"debug", 5},
                                       {"Warning", 7}, {"warning", 7}};
    enum { LONGEST = 8 };
    const size_t end = str_find_char(str_sub(line, 0, LONGEST), ':');
    struct str word = str_sub(line, 0, end);

    if (end >= LONGEST || !str_starts(str_skip(line, end), STR(": ")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, words[i]) && scan_level(word, &r->severity)) {
            r->message = str_skip(line, end + 2);
            return true;
        }
    return false;
}

/* "main.go:10: " of the log package's flags */
static struct str skip_source(struct str s)
{
    const size_t end = str_find(str_sub(s, 0, 80), STR(": ")), dot = str_find(s, STR(".go:"));

    return end < 80 && dot < end ? str_skip(s, end + 2) : s;
}

/* A level in front of what the log package was given: slog's, a bracket's or "error: ". */
static void leveled_text(struct str text, struct log_record *r)
{
    struct log_record found = *r;

    found.message = text;
    app_slog_default(&found);
    if (found.severity != SEVERITY_UNKNOWN || app_headed_line(text, &found) ||
        level_line(text, &found) || small_level_line(text, &found))
        *r = found;
}

/* Go's log package: "2020/03/27 03:40:05 msg" */
static bool go_line(struct str line, struct log_record *r)
{
    enum { TIME_LENGTH = 19 };
    if (line.n <= TIME_LENGTH || line.p[4] != '/' || line.p[7] != '/' || line.p[10] != ' ' ||
        line.p[13] != ':' || line.p[16] != ':')
        return false;
    size_t i = TIME_LENGTH;
    while (i < line.n && (line.p[i] == '.' || (line.p[i] >= '0' && line.p[i] <= '9')))
        i++;
    r->message = skip_blanks(str_skip(line, i));
    leveled_text(skip_source(r->message), r);
    return true;
}

/* "<id> LEVEL  Class - msg": a log4j pattern without a date. Bref's "<id>\tLEVEL\tmsg" and
 * "<id>\tInvoke Error\t{json}". */
static bool id_line(struct str line, struct log_record *r)
{
    if (line.n <= UUID_LEN || !scan_uuid(line))
        return false;
    if (line.p[UUID_LEN] != '\t')
        return line.p[UUID_LEN] == ' ' && dated_line(line, r);
    if (!tabbed_line(line, r))
        return false;
    if (r->severity == SEVERITY_UNKNOWN)
        app_tabbed_failure(r);
    return true;
}

/* "10:00:00.123" without a date, logback's default; the length, 0 when there is none. */
static size_t clock_length(struct str s)
{
    static const char form[] = "00:00:00.000";
    if (s.n < sizeof(form) - 1)
        return 0;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        const bool is_digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (form[i] == '0' ? !is_digit : s.p[i] != form[i] && !(i == 8 && s.p[i] == ','))
            return 0;
    }
    return sizeof(form) - 1;
}

static bool timed_line(struct str line, struct log_record *r)
{
    if (go_line(line, r) || id_line(line, r))
        return true;
    size_t n = time_prefix_length(line);
    if (n == 0)
        n = clock_length(line);
    if (n == 0 || n >= line.n)
        return app_headed_line(line, r);
    if (line.p[n] == '\t')
        return tabbed_line(str_skip(line, n + 1), r) || app_headed_line(line, r);
    return dated_line(str_skip(line, n), r) || app_barred_line(str_skip(line, n), r) ||
           app_headed_line(line, r) || app_titled_line(line, r);
}

/* --- other openings --- */

/* "ISO <id> msg" behind a level: a terminal made blanks of the tabs. */
static bool blank_fields(struct log_record *r)
{
    int64_t t_ns;
    size_t n = time_parse_prefix(r->message, &t_ns);
    struct str rest = skip_blanks(str_skip(r->message, n));

    if (n == 0 || !take_uuid(&rest, &r->invocation_id))
        return false;
    r->message = skip_blanks(rest);
    return true;
}

/* "\tISO\t<id>\tmsg" behind a level */
static bool tabbed_fields(struct str rest, struct log_record *r)
{
    struct str fields = str_skip(rest, 1), time, id;
    int64_t t_ns;

    if (!str_starts(rest, STR("\t")) ||
        !cut_at(fields, str_find_char(fields, '\t'), &time, &fields) || !time_parse(time, &t_ns) ||
        !cut_at(fields, str_find_char(fields, '\t'), &id, &fields))
        return false;
    r->message = fields;
    if (id.n == UUID_LEN && scan_uuid(id))
        r->invocation_id = id;
    return true;
}

/* "[LEVEL]\tISO\t<id>\tmsg" (Python), "[LEVEL] msg" (Java), "[Level] - msg" (PowerShell). */
static bool bracket_line(struct str line, struct log_record *r)
{
    enum { MAX_LEVEL_NAME = 32 };
    struct str level, rest;
    enum severity severity = SEVERITY_UNKNOWN;

    size_t close = str_find_char(str_sub(line, 0, MAX_LEVEL_NAME), ']');
    if (close >= MAX_LEVEL_NAME || !cut_at(line, close, &level, &rest))
        return false;
    const bool has_level = scan_level(str_skip(level, 1), &severity);
    if (has_level)
        r->severity = severity;
    if (tabbed_fields(rest, r))
        return true; /* also with a level of the program's own: "[SUCCESS]", "[Level 25]" */
    if (!has_level || rest.n == 0)
        return has_level;
    r->message = skip_dash(str_skip(rest, rest.p[0] == ':'));
    if (blank_fields(r))
        return true;
    if (severity >= SEVERITY_ERROR && rest.p[0] == ' ')
        app_python_failure(r);
    return true;
}

/* Ruby's Logger: "I, [2026-09-01T10:00:00.123456 #8]  INFO <id> -- prog: msg". */
static bool ruby_line(struct str line, struct log_record *r)
{
    size_t close = str_find_char(str_sub(line, 0, 64), ']');
    if (line.n < 8 || line.p[1] != ',' || line.p[2] != ' ' || line.p[3] != '[' || close >= 64)
        return false;
    struct str rest = skip_blanks(str_skip(line, close + 1)), id;
    enum severity severity;
    if (!take_level(&rest, &severity))
        return false;
    r->severity = severity;
    rest = skip_blanks(rest);
    if (take_uuid(&rest, &id))
        r->invocation_id = id;
    size_t dashes = str_find(rest, STR("-- "));
    struct str message = str_skip(rest, dashes + 3);
    size_t colon = str_find(message, STR(": "));
    if (dashes < rest.n)
        r->message = colon < message.n ? str_skip(message, colon + 2) : message;
    return true;
}

/* "LAMBDA_WARNING: ...\r[ERROR] ..." of Python */
static bool runtime_notice(struct str line, struct log_record *r)
{
    if (!str_starts(line, STR("LAMBDA_WARNING:")))
        return false;
    r->severity = SEVERITY_WARN;
    size_t next = str_find(line, STR("[ERROR]"));
    return next == line.n || next == 0 || bracket_line(str_skip(line, next), r);
}

/* "System.IO.IOException: text\n   at ...": printed, and maybe caught; an error, not the request's.
 */
static bool dotnet_exception(struct str line, struct log_record *r)
{
    const struct str type = app_dotnet_type(line);

    if (!str_ends(type, STR("Exception")))
        return false;
    r->severity = SEVERITY_ERROR;
    r->error_type = type;
    return true;
}

static bool grouped_line(struct str line, struct log_record *r)
{
    return bracket_line(line, r) || app_headed_line(line, r);
}

static bool letter_line(struct str line, struct log_record *r)
{
    return ruby_line(line, r) || app_lettered_line(line, r) || runtime_notice(line, r) ||
           app_ruby_failure(line, r) || app_death(line, r) || app_logger_line(line, r) ||
           level_line(line, r) || small_level_line(line, r) || id_line(line, r) ||
           dotnet_exception(line, r);
}

/* "+ Exception Group Traceback (most recent call last):" of Python */
static bool group_trace(struct str rest, struct log_record *r)
{
    if (!shape_group_traceback(rest))
        return false;
    r->severity = SEVERITY_ERROR;
    return true;
}

/* tracing's lines without a time, and its pretty ones */
static bool blank_line(struct str line, struct log_record *r)
{
    const struct str rest = skip_blanks(line);

    return rest.n > 0 && rest.p[0] >= '0' && rest.p[0] <= '9'
               ? timed_line(rest, r)
               : level_line(line, r) || app_ruby_failure(line, r) || group_trace(rest, r);
}

typedef bool line_reader(struct str line, struct log_record *r);

static line_reader *reader_for(char c)
{
    if (c >= '0' && c <= '9')
        return timed_line;
    if (c == '[')
        return grouped_line;
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return letter_line;
    if (c == '(' || c == '<')
        return app_marked_line;
    if (c == ' ')
        return blank_line;
    return c == '*' ? app_logger_line : NULL;
}

enum { PAINTED_HEAD = 48 }; /* bytes in which a colour says that the whole line is painted */

/* Errors nobody caught in lines of no form of their own, or behind that of a logger. */
static void find_failure(struct str line, bool is_known, struct log_record *r, struct arena *a)
{
    if (r->is_error || app_go_failure(line, r, a) || r->invocation_id.n > 0 ||
        (is_known && r->severity < SEVERITY_ERROR) || app_java_failure(line, r))
        return;
    if (!is_known && !app_former_failure(line, r))
        app_java_trace(line, r);
}

void aws_lambda_app(struct str line, struct log_record *r, struct arena *a)
{
    assert(r != NULL);
    r->kind = RECORD_APP;
    r->message = line;
    if (line.n > 0 && memchr(line.p, '\033', line.n < PAINTED_HEAD ? line.n : PAINTED_HEAD))
        r->message = line = unpaint(line, a);
    while (str_starts(line, STR("\n"))) /* Rust's panics begin with one */
        r->message = line = str_skip(line, 1);
    if (line.n == 0)
        return;
    line_reader *read = reader_for(line.p[0]);
    bool is_known = read != NULL && read(line, r);
    if (r->invocation_id.n == 0 && app_rust_span(line, r))
        app_rust_failure(r);
    else if (r->invocation_id.n == 0 && is_known)
        app_named_id(line, r);
    find_failure(line, is_known, r, a);
    r->error_type = app_error_type_plain(r->error_type, a);
}
