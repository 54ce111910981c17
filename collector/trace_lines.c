/* Joints of bare lines; see the header. Two tables: how an event opens, and what goes on inside of
 * what; the few lines that no opening word tells are asked for by their shape. */
#include "collector/trace_lines.h"

#include <assert.h>

#include "collector/aws/aws.h"
#include "core/base/macros.h"

enum {
    PLATFORM = TRACE_PLATFORM | TRACE_REPORT | TRACE_EXIT,
    APP = TRACE_ALL ^ PLATFORM,
    /* The next line belongs to the event whatever it is, unless it is the platform's. */
    FORCING = TRACE_RUST_TEXT | TRACE_SOURCE | TRACE_CARET,
    STAYS = 0 /* a joint that leaves the place as it is */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct str skip_blanks(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = str_skip(s, 1);
    return s;
}

static struct str first_line(struct str text)
{
    const struct str near = str_sub(text, 0, TRACE_LOOK_AHEAD);

    return str_trim_right(str_sub(near, 0, str_find_char(near, '\n')));
}

static struct str line_behind(struct str text)
{
    const struct str near = str_sub(text, 0, TRACE_LOOK_AHEAD);

    return first_line(str_skip(near, str_find_char(near, '\n') + 1));
}

/* --- shapes of lines --- */

static bool is_number_then(struct str s, char c)
{
    size_t n = 0;

    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n > 0 && n < s.n && s.p[n] == c;
}

/* "ValueError", "a.b.C$D", "Ns\Type": what stands before the colon or is the whole line. */
static size_t type_length(struct str line)
{
    size_t n = 0;

    while (n < line.n &&
           (is_letter(line.p[n]) ||
            (n > 0 && (is_digit(line.p[n]) || str_find_char(STR(".$`+\\<>"), line.p[n]) < 7))))
        n++;
    return n > 0 && (n == line.n || line.p[n] == ':') ? n : 0;
}

static bool names_error(struct str type)
{
    static const struct str ends[] = {
        {"Error", 5}, {"Exception", 9}, {"Warning", 7}, {"Exit", 4}, {"Interrupt", 9}};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(type, ends[i]))
            return true;
    return false;
}

/* "\tat a.B.c(B.java:3)", "   at A.B() in x.cs:line 3", " ---> Inner", "\t... 3 more" */
static bool is_frame(struct str line)
{
    const struct str rest = skip_blanks(line);

    return rest.p > line.p &&
           (str_starts(rest, STR("at ")) || str_starts(rest, STR("---> ")) ||
            str_starts(rest, STR("... ")) || str_starts(rest, STR("Suppressed:")));
}

/* A frame that lost its indent on the way through a terminal. */
static bool is_bare_frame(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_ends(line, STR(")")) && str_find_char(line, '(') < line.n;
}

/* "/var/task/a.rb:3:in `x'": with a message behind it would begin an error of its own. */
static bool is_ruby_frame(struct str line)
{
    static const struct str old = {":in `", 5}, new = {":in '", 5};
    const size_t at = str_find(line, old), since_34 = str_find(line, new);
    const size_t in = at < since_34 ? at : since_34;

    return in > 0 && in < line.n && is_digit(line.p[in - 1]);
}

static bool is_php_frame(struct str line, struct str behind)
{
    UNUSED(behind);
    return is_number_then(str_skip(line, 1), ' ');
}

/* The first says that it is a trace. */
static bool is_first_php_frame(struct str line, struct str behind)
{
    const struct str what = str_skip(line, 3);

    UNUSED(behind);
    return what.n > 0 && (str_find_char(STR("/{["), what.p[0]) < 3 || str_ends(what, STR(")")));
}

/* "main.handler({0x1, 0x2})", or a register. */
static bool is_go_frame(struct str line)
{
    const size_t blank = str_find_char(line, ' ');

    if (str_ends(line, STR(")")))
        return str_find_char(line, '(') < blank || str_starts(line, STR("created by "));
    return str_starts(line, STR("created by ")) ||
           (blank < 8 && str_starts(skip_blanks(str_skip(line, blank)), STR("0x")));
}

/* "node:internal/modules/cjs/loader:1143", "/var/task/index.js:3" */
static bool is_source_place(struct str line)
{
    size_t n = line.n;

    while (n > 0 && is_digit(line.p[n - 1]))
        n--;
    return n > 1 && n < line.n && line.p[n - 1] == ':' && str_find_char(line, ' ') == line.n;
}

/* "    ^^^^" */
static bool is_caret(struct str line)
{
    const struct str rest = str_trim(line);
    size_t n = 0;

    while (n < rest.n && rest.p[n] == '^')
        n++;
    return n > 0 && n == rest.n;
}

/* "3 | throw new Error(...)" */
static bool is_numbered_source(struct str line)
{
    return is_number_then(skip_blanks(str_sub(line, 0, 10)), ' ') &&
           str_find(str_sub(line, 0, 10), STR(" | ")) < 8;
}

static bool shows_source(struct str line, struct str behind)
{
    struct str rest = str_sub(behind, 0, TRACE_LOOK_AHEAD);

    if (is_source_place(line))
        return is_caret(line_behind(behind));
    if (!is_numbered_source(line))
        return false;
    while (is_numbered_source(first_line(rest)))
        rest = str_skip(rest, str_find_char(rest, '\n') + 1);
    return is_caret(first_line(rest));
}

/* java.util.logging's "Jan 5, 2026 1:00:00 PM a.B method" and tinylog's "<time> [main] a.B.c()":
 * level and message stand on the next line. */
static bool is_title(struct str line)
{
    const struct str head = str_sub(line, 0, 32);

    if (is_digit(line.p[0]))
        return str_ends(line, STR("()"));
    return line.n > 5 && line.p[3] == ' ' && is_digit(line.p[4]) &&
           (str_find(head, STR(" AM ")) < head.n || str_find(head, STR(" PM ")) < head.n);
}

/* "SEVERE: text" */
static bool is_titled(struct str line)
{
    enum { MAX_LEVEL = 12 };
    const size_t n = str_find(str_sub(line, 0, MAX_LEVEL), STR(": "));
    enum severity severity;

    return n < MAX_LEVEL && n < line.n && severity_parse(str_sub(line, 0, n), &severity);
}

static bool is_panic(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" panicked at ")) < line.n && !str_ends(line, STR(":"));
}

static bool is_panic_head(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" panicked at ")) < line.n && str_ends(line, STR(":"));
}

static bool is_boxed_traceback(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" Traceback (most recent")) < line.n;
}

static bool is_count_of_frames(struct str line, struct str behind)
{
    UNUSED(behind);
    return is_number_then(str_skip(line, 4), ' ');
}

static bool is_ruby_line(struct str line, struct str behind)
{
    UNUSED(behind);
    return is_ruby_frame(line) && (str_ends(line, STR("'")));
}

/* --- tables --- */

/* `fits` NULL: the opening says enough. */
struct opening {
    struct str text;
    unsigned place;
    bool (*fits)(struct str line, struct str behind);
};

static const struct opening openings[] = {
    {{"START RequestId: ", 17}, TRACE_PLATFORM, NULL},
    {{"END RequestId: ", 15}, TRACE_PLATFORM, NULL},
    {{"REPORT RequestId: ", 18}, TRACE_REPORT, NULL},
    {{"RequestId: ", 11}, TRACE_EXIT, NULL},
    {{"Unknown application error occurred", 34}, TRACE_EXIT, NULL},
    {{"INIT_START ", 11}, TRACE_PLATFORM, NULL},
    {{"INIT_REPORT ", 12}, TRACE_PLATFORM, NULL},
    {{"RESTORE_START ", 14}, TRACE_PLATFORM, NULL},
    {{"RESTORE_REPORT ", 15}, TRACE_PLATFORM, NULL},
    {{"EXTENSION\tName: ", 16}, TRACE_PLATFORM, NULL},
    {{"EXTENSION Name: ", 16}, TRACE_PLATFORM, NULL},
    {{"TELEMETRY\tName: ", 16}, TRACE_PLATFORM, NULL},
    {{"LOGS\tName: ", 11}, TRACE_PLATFORM, NULL},
    {{"IMAGE\tLaunch error: ", 20}, TRACE_PLATFORM, NULL},
    {{"Traceback (most recent call last)", 33}, TRACE_PYTHON, NULL},
    {{"panic: ", 7}, TRACE_GO, NULL},
    {{"fatal error: ", 13}, TRACE_GO, NULL},
    {{"goroutine ", 10}, TRACE_GO, NULL},
    {{"thread '", 8}, TRACE_RUST_TEXT, is_panic_head},
    {{"thread '", 8}, TRACE_RUST, is_panic},
    {{"Error raised from handler method", 32}, TRACE_RUBY, NULL},
    {{"Critical exception from handler", 31}, TRACE_RUBY, NULL},
    {{"Init error when loading handler", 31}, TRACE_RUBY, NULL},
    {{"Unhandled exception:", 20}, TRACE_RUST_TEXT, NULL}, /* Dart: its text comes */
    {{"PHP ", 4}, TRACE_PHP, NULL},
    {{"Fatal error: ", 13}, TRACE_PHP, NULL},
    {{"** (", 4}, TRACE_ELIXIR, NULL},
    {{"{", 1}, TRACE_UNREAD, NULL},
    {{"/", 1}, TRACE_SOURCE, shows_source},
    {{"node:", 5}, TRACE_SOURCE, shows_source},
    {{"file:", 5}, TRACE_SOURCE, shows_source},
};

/* Lines without an indent that go on with an event, and inside of what. */
static const struct joint {
    struct str text;
    unsigned in; /* enum trace_place, several */
    unsigned to; /* one of them, or STAYS */
    bool (*fits)(struct str line, struct str behind);
} joints[] = {
    {{"XRAY TraceId", 12}, TRACE_REPORT, TRACE_PLATFORM, NULL},
    {{"Runtime.", 8}, TRACE_EXIT, TRACE_PLATFORM, NULL},
    {{"Extension.", 10}, TRACE_EXIT, TRACE_PLATFORM, NULL},
    {{"Sandbox.", 8}, TRACE_EXIT, TRACE_PLATFORM, NULL},
    {{"Function.", 9}, TRACE_EXIT, TRACE_PLATFORM, NULL},
    {{"}", 1}, APP, STAYS, NULL},
    {{"]", 1}, APP, STAYS, NULL},
    {{")", 1}, APP, STAYS, NULL},
    {{"\xC2\xA0", 2}, APP, STAYS, NULL}, /* the Python runtime's indent */
    /* Python; rich draws boxes */
    {{"Traceback (most recent", 22}, APP & ~TRACE_PYTHON_END, TRACE_PYTHON, NULL},
    {{"During handling of the above exception", 38}, APP, TRACE_NONE, NULL},
    {{"The above exception was the direct cause", 40}, APP, TRACE_NONE, NULL},
    {{"> File ", 7}, TRACE_PYTHON, STAYS, NULL},
    {{"\xE2\x95\xAD", 3}, APP, TRACE_PYTHON, is_boxed_traceback},
    {{"\xE2\x94", 2}, APP, STAYS, NULL},
    {{"\xE2\x95", 2}, APP, STAYS, NULL},
    /* Java, .NET */
    {{"Caused by:", 10}, APP, TRACE_JAVA, NULL},
    {{"Wrapped by:", 11}, APP, TRACE_JAVA, NULL},
    {{"Suppressed:", 11}, APP, TRACE_JAVA, NULL},
    {{"at ", 3}, APP, STAYS, is_bare_frame},
    {{"... ", 4}, APP, STAYS, is_count_of_frames},
    {{"--- End of ", 11}, APP, STAYS, NULL},
    /* Go */
    {{"goroutine ", 10}, APP, TRACE_GO, NULL},
    {{"[signal ", 8}, TRACE_GO, STAYS, NULL},
    {{"[recovered", 10}, TRACE_GO, STAYS, NULL},
    {{"runtime stack:", 14}, TRACE_GO, STAYS, NULL},
    {{"...additional frames elided", 27}, TRACE_GO, STAYS, NULL},
    {{"exit status ", 12}, TRACE_GO, TRACE_NONE, NULL},
    /* Rust */
    {{"note: ", 6}, TRACE_RUST, STAYS, NULL},
    {{"stack backtrace:", 16}, TRACE_RUST, STAYS, NULL},
    /* Node, Bun */
    {{"Node.js v", 9}, APP, TRACE_NONE, NULL},
    {{"Bun v", 5}, APP, TRACE_NONE, NULL},
    {{"Require stack:", 14}, APP, TRACE_MODULE, NULL},
    {{"- ", 2}, TRACE_MODULE, STAYS, NULL},
    {{"(Use `", 6}, APP, STAYS, NULL}, /* how a warning is traced */
    /* Ruby */
    {{"{", 1}, TRACE_RUBY, TRACE_NONE, NULL},
    {{"/", 1}, APP, STAYS, is_ruby_line},
    {{"<internal:", 10}, APP, STAYS, is_ruby_line},
    {{"Did you mean?", 13}, APP, STAYS, NULL},
    /* PHP; Monolog */
    {{"Stack trace:", 12}, APP, TRACE_PHP, NULL},
    {{"[stacktrace]", 12}, APP, TRACE_PHP, NULL},
    {{"[previous exception]", 20}, TRACE_PHP, STAYS, NULL},
    {{"#0 ", 3}, APP, TRACE_PHP, is_first_php_frame},
    {{"#", 1}, TRACE_PHP, STAYS, is_php_frame},
    {{"Next ", 5}, TRACE_PHP, STAYS, NULL},
    {{"\"}", 2}, TRACE_PHP, TRACE_NONE, NULL},
    /* Elixir, Erlang */
    {{"** (", 4}, APP & ~TRACE_ELIXIR, TRACE_ELIXIR, NULL},
    {{"Last message", 12}, TRACE_ELIXIR, STAYS, NULL},
    {{"State: ", 7}, TRACE_ELIXIR, STAYS, NULL},
    {{"Function: ", 10}, TRACE_ELIXIR, STAYS, NULL},
    {{"Initial Call: ", 14}, TRACE_ELIXIR, STAYS, NULL},
    {{"Ancestors: ", 11}, TRACE_ELIXIR, STAYS, NULL},
};

static const struct opening *find_opening(struct str line, struct str behind)
{
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        const struct opening *o = &openings[i];
        if (line.p[0] == o->text.p[0] && str_starts(line, o->text) &&
            (o->fits == NULL || o->fits(line, behind)))
            return o;
    }
    return NULL;
}

static bool is_platform_line(struct str line)
{
    const struct opening *o = find_opening(line, (struct str){0});

    return o != NULL && (o->place & PLATFORM) != 0;
}

/* --- lines that go on --- */

/* " INFO target: text" and, of the pretty form, "  2026-01-15T10:00:00.1Z  INFO target: text":
 * Rust's tracing begins events with blanks. */
static bool begins_indented(struct str line)
{
    const struct str date = str_skip(line, 2);

    if (str_starts(line, STR(" INFO ")) || str_starts(line, STR(" WARN ")))
        return true;
    return str_starts(line, STR("  ")) && date.n > 20 && is_digit(date.p[0]) && date.p[4] == '-' &&
           date.p[10] == 'T' && date.p[13] == ':';
}

static bool goes_on_indented(struct trace *t, struct str line)
{
    if ((t->place & PLATFORM) != 0 || begins_indented(line))
        return false;
    t->has_frames |= is_frame(line);
    if (t->place == TRACE_SOURCE && is_caret(line))
        t->place = TRACE_CARET;
    else if (t->place == TRACE_RUST_TEXT)
        t->place = TRACE_RUST;
    else if (t->place == TRACE_JAVA && t->has_frames)
        t->place = TRACE_NONE;
    return true;
}

/* JSON of the platform, or the old form of a time-out. */
static bool is_dated_platform(struct str first)
{
    static const struct str types[] = {{"\"type\":\"platform.", 17}, {"\"type\": \"platform.", 18}};
    const struct str head = str_sub(first, 0, 200);

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (head.p[0] == '{' && str_find(head, types[i]) < head.n)
            return true;
    return head.p[0] != '{' && str_find(head, STR(" Task timed out after ")) == 61;
}

static void go_to(struct trace *t, unsigned place)
{
    if (place != STAYS)
        t->place = place;
    if (place != TRACE_PYTHON || !str_starts(t->first, STR("[ERROR] ")))
        return;
    /* The runtime names the exception before its trace, a logger's format behind. */
    if (type_length(str_skip(t->first, 8)) > 0)
        t->place = TRACE_PYTHON_OWN;
}

static bool take_joint(struct trace *t, struct str line, struct str behind)
{
    for (size_t i = 0; i < ARRAY_LEN(joints); i++) {
        const struct joint *j = &joints[i];
        if (line.p[0] != j->text.p[0] || (t->place & j->in) == 0 || !str_starts(line, j->text) ||
            (j->fits != NULL && !j->fits(line, behind)))
            continue;
        go_to(t, j->to);
        return true;
    }
    return false;
}

static bool take_forced(struct trace *t, struct str line)
{
    assert((t->place & FORCING) != 0);
    if (t->place == TRACE_RUST_TEXT)
        t->place = TRACE_RUST;
    else if (t->place == TRACE_CARET)
        t->place = TRACE_NONE;
    else if (is_caret(line))
        t->place = TRACE_CARET;
    return true;
}

/* "ZeroDivisionError: division by zero" */
static bool take_python_end(struct trace *t, struct str line)
{
    const size_t n = type_length(line);
    const bool is_own = t->place == TRACE_PYTHON_OWN;

    t->place = TRACE_PYTHON_END;
    if (n == 0 || (is_own && !names_error(str_sub(line, 0, n))))
        return false;
    if (str_find(line, STR(" validation error")) < line.n)
        t->place = TRACE_PYDANTIC;
    return true;
}

/* Java's runtime writes "boom: java.lang.RuntimeException" before "java.lang.RuntimeException:
 * boom".
 */
static bool ends_in_type(struct str first, struct str type)
{
    const struct str rest = str_sub(first, 0, first.n - type.n);

    return first.n > type.n && str_ends(first, type) && str_ends(rest, STR(": "));
}

static bool is_logged_error(struct str first, struct arena *a)
{
    struct log_record r = {.body = first};

    aws_lambda_app(first, &r, a);
    return r.severity >= SEVERITY_WARN;
}

/* "java.lang.RuntimeException: boom" goes on with the line that logged it or ends in its type. */
static bool take_header(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    const struct str type = str_sub(line, 0, type_length(line)), first = str_trim_right(t->first);
    const bool is_type = names_error(type) || str_find_char(type, '.') < type.n;

    if (t->has_frames || type.n == 0 || !is_type)
        return false;
    if (!ends_in_type(first, type) && !(is_frame(first_line(behind)) && is_logged_error(first, a)))
        return false;
    t->place = TRACE_JAVA;
    return true;
}

/* Lines that no opening word tells. */
static bool take_shape(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    const bool is_before_indent = behind.n > 0 && is_blank(behind.p[0]);

    if ((t->place & (TRACE_PYTHON | TRACE_PYTHON_OWN)) != 0)
        return take_python_end(t, line);
    if (t->place == TRACE_PYDANTIC)
        return is_before_indent && str_find_char(line, ' ') == line.n;
    if (t->place == TRACE_GO)
        return is_go_frame(line);
    if (t->place == TRACE_TITLE) {
        t->place = TRACE_NONE;
        return is_titled(line);
    }
    if ((t->place & PLATFORM) != 0)
        return false;
    if (t->place == TRACE_JAVA)
        return is_frame(first_line(behind));
    return take_header(t, line, behind, a);
}

static bool extends(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    if (is_blank(line.p[0]))
        return goes_on_indented(t, line);
    if ((t->place & FORCING) != 0)
        return take_forced(t, line);
    return take_joint(t, line, behind) || take_shape(t, line, behind, a);
}

void trace_open(struct trace *t, struct str line, struct str behind)
{
    const struct opening *o = line.n > 0 ? find_opening(line, behind) : NULL;

    *t = (struct trace){.first = line, .place = TRACE_NONE};
    if (o != NULL)
        t->place = o->place;
    else if (line.n > 0 && is_title(line))
        t->place = TRACE_TITLE;
    else if (line.n > 0 && is_digit(line.p[0]))
        t->place = shows_source(line, behind) ? TRACE_SOURCE : TRACE_UNREAD;
}

bool trace_goes_on(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    const bool is_unread = t->place == TRACE_UNREAD;

    assert(t->first.p != NULL);
    line = str_trim_right(line);
    if (line.n == 0) {
        if (t->place == TRACE_RUST_TEXT)
            t->place = TRACE_RUST;
        return true;
    }
    return extends(t, line, behind, a) && !is_platform_line(line) &&
           !(is_unread && is_dated_platform(t->first));
}
