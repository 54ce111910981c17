/* Joints of bare lines; see the header. Two tables: how an event opens, and what goes on inside of
 * what; the few lines that no opening word tells are asked for by their shape. */
#include "collector/trace_lines.h"

#include <assert.h>

#include "collector/aws/aws.h"
#include "collector/trace_shapes.h"
#include "core/base/macros.h"

enum {
    PLATFORM = TRACE_PLATFORM | TRACE_REPORT | TRACE_EXIT,
    APP = TRACE_ALL ^ PLATFORM,
    /* The next line belongs to the event whatever it is, unless it is the platform's. */
    FORCING = TRACE_RUST_TEXT | TRACE_SOURCE | TRACE_CARET,
    STAYS = 0,       /* a joint that leaves the place as it is */
    LOGGED = 1 << 30 /* a joint only behind a logger's error: else it was printed, stands alone */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
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
    {{"runtime: goroutine stack exceeds ", 33}, TRACE_GO, NULL},
    {{"fatal error: ", 13}, TRACE_GO, NULL},
    {{"goroutine ", 10}, TRACE_GO, shape_goroutine},
    {{"SIG", 3}, TRACE_GO, shape_go_signal},
    {{"thread '", 8}, TRACE_RUST_TEXT, shape_panic_head},
    {{"thread '", 8}, TRACE_RUST, shape_panic},
    {{"Error raised from handler method", 32}, TRACE_RUBY, NULL},
    {{"Critical exception from handler", 31}, TRACE_RUBY, NULL},
    {{"Init error when loading handler", 31}, TRACE_RUBY, NULL},
    {{"Unhandled exception:", 20}, TRACE_RUST_TEXT, NULL}, /* Dart: its text comes */
    {{"PHP ", 4}, TRACE_PHP, shape_php_notice},
    {{"Fatal error: ", 13}, TRACE_PHP, NULL},
    {{"** (", 4}, TRACE_ELIXIR, shape_elixir},
    {{"{", 1}, TRACE_UNREAD, NULL},
    {{"/", 1}, TRACE_SOURCE, shape_source},
    {{"node:", 5}, TRACE_SOURCE, shape_source},
    {{"file:", 5}, TRACE_SOURCE, shape_source},
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
    {{"}", 1}, APP, STAYS, shape_closing},
    {{"]", 1}, APP, STAYS, shape_closing},
    {{")", 1}, APP, STAYS, shape_closing},
    {{"\xC2\xA0", 2}, APP, STAYS, NULL}, /* the Python runtime's indent */
    /* Python; rich draws boxes */
    {{"Traceback (most recent", 22}, TRACE_CHAIN, TRACE_PYTHON, NULL},
    {{"Traceback (most recent", 22}, LOGGED | (APP & ~TRACE_PYTHON_END), TRACE_PYTHON, NULL},
    {{"During handling of the above exception", 38}, APP, TRACE_CHAIN, NULL},
    {{"The above exception was the direct cause", 40}, APP, TRACE_CHAIN, NULL},
    {{"> File ", 7}, TRACE_PYTHON, STAYS, NULL},
    {{"\xE2\x95\xAD", 3}, APP, TRACE_PYTHON, shape_boxed_traceback},
    {{"\xE2\x94", 2}, APP, STAYS, NULL},
    {{"\xE2\x95", 2}, APP, STAYS, NULL},
    /* Java, .NET */
    {{"Caused by:", 10}, APP, TRACE_JAVA, shape_cause},
    {{"Wrapped by:", 11}, APP, TRACE_JAVA, shape_cause},
    {{"Suppressed:", 11}, APP, TRACE_JAVA, shape_cause},
    {{"at ", 3}, APP, STAYS, shape_bare_frame},
    {{"... ", 4}, APP, STAYS, shape_count_of_frames},
    {{"--- End of ", 11}, APP, STAYS, NULL},
    /* Go */
    {{"goroutine ", 10}, APP, TRACE_GO, shape_goroutine},
    {{"runtime: sp=", 12}, TRACE_GO, STAYS, NULL},
    {{"fatal error: ", 13}, TRACE_GO, STAYS, NULL},
    {{"[signal ", 8}, TRACE_GO, STAYS, NULL},
    {{"PC=0x", 5}, TRACE_GO, STAYS, NULL},
    {{"signal arrived during", 21}, TRACE_GO, STAYS, NULL},
    {{"[recovered", 10}, TRACE_GO, STAYS, NULL},
    {{"runtime stack:", 14}, TRACE_GO, STAYS, NULL},
    {{"...additional frames elided", 27}, TRACE_GO, STAYS, NULL},
    {{"exit status ", 12}, TRACE_GO, TRACE_NONE, NULL},
    /* Rust */
    {{"note: ", 6}, TRACE_RUST, STAYS, NULL},
    {{"stack backtrace:", 16}, TRACE_RUST, STAYS, NULL},
    {{"Location:", 9}, APP, STAYS, shape_rust_part},
    {{"Stack backtrace:", 16}, APP, STAYS, shape_rust_part},
    /* Node, Bun */
    {{"Node.js v", 9}, APP, TRACE_NONE, shape_version},
    {{"Bun v", 5}, APP, TRACE_NONE, shape_version},
    {{"Require stack:", 14}, APP, TRACE_MODULE, NULL},
    {{"- ", 2}, TRACE_MODULE, STAYS, NULL},
    {{"(Use `", 6}, APP, STAYS, NULL}, /* how a warning is traced */
    /* Ruby */
    {{"{", 1}, TRACE_RUBY, TRACE_NONE, NULL},
    {{"/", 1}, APP, STAYS, shape_ruby_line},
    {{"<internal:", 10}, APP, STAYS, shape_ruby_line},
    {{"Did you mean?", 13}, APP, STAYS, NULL},
    /* PHP; Monolog */
    {{"Stack trace:", 12}, APP, TRACE_PHP, NULL},
    {{"[stacktrace]", 12}, APP, TRACE_PHP, NULL},
    {{"[previous exception]", 20}, TRACE_PHP, STAYS, NULL},
    {{"#0 ", 3}, APP, TRACE_PHP, shape_php_frame},
    {{"#", 1}, TRACE_PHP, STAYS, shape_php_frame},
    {{"Next ", 5}, TRACE_PHP, STAYS, NULL},
    {{"\"}", 2}, TRACE_PHP, TRACE_NONE, NULL},
    /* Elixir, Erlang */
    {{"** (", 4}, LOGGED | (APP & ~TRACE_ELIXIR), TRACE_ELIXIR, shape_elixir},
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

/* --- what the event says of itself --- */

static bool is_logged_error(const struct trace *t, struct arena *a)
{
    struct log_record r = {.body = t->first};

    aws_lambda_app(t->first, &r, a);
    return t->is_error || r.severity >= SEVERITY_WARN;
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

static bool goes_on_indented(struct trace *t, struct str line, struct arena *a)
{
    if ((t->place & PLATFORM) != 0 || begins_indented(line))
        return false;
    if (shape_group_traceback(str_trim(line)) && t->place != TRACE_CHAIN && !is_logged_error(t, a))
        return false;
    t->has_frames |= shape_frame(line);
    if (t->place == TRACE_SOURCE && shape_caret(line))
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
    if (shape_type_length(str_skip(t->first, 8)) > 0)
        t->place = TRACE_PYTHON_OWN;
}

static bool take_joint(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    for (size_t i = 0; i < ARRAY_LEN(joints); i++) {
        const struct joint *j = &joints[i];
        if (line.p[0] != j->text.p[0] || (t->place & j->in) == 0 || !str_starts(line, j->text) ||
            (j->fits != NULL && !j->fits(line, behind)) ||
            ((j->in & LOGGED) != 0 && !is_logged_error(t, a)))
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
    else if (shape_caret(line))
        t->place = TRACE_CARET;
    return true;
}

/* "ZeroDivisionError: division by zero" */
static bool take_python_end(struct trace *t, struct str line)
{
    const size_t n = shape_type_length(line);
    const bool is_own = t->place == TRACE_PYTHON_OWN;

    t->place = TRACE_PYTHON_END;
    if (n == 0 || (is_own && !shape_error(str_sub(line, 0, n))))
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

/* "java.lang.RuntimeException: boom" goes on with the line that logged it or ends in its type. */
static bool take_header(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    const struct str type = str_sub(line, 0, shape_type_length(line)),
                     first = str_trim_right(t->first);
    const bool is_type = shape_error(type) || str_find_char(type, '.') < type.n;

    if (t->has_frames || type.n == 0 || !is_type)
        return false;
    if (!ends_in_type(first, type) &&
        !(shape_frame(shape_first_line(behind)) && is_logged_error(t, a)))
        return false;
    t->place = TRACE_JAVA;
    return true;
}

/* A further line of the message of an exception whose frames come before anything else begins. */
static bool is_before_frames(struct str line, struct str behind)
{
    struct str near = str_sub(behind, 0, TRACE_LOOK_AHEAD);

    while (line.n > 0 && line.p[0] != '[' && !is_digit(line.p[0]) && shape_type_length(line) == 0 &&
           find_opening(line, near) == NULL) {
        line = str_trim_right(str_cut(&near, '\n'));
        if (shape_frame(line))
            return true;
    }
    return false;
}

/* "SEVERE: text" */
static bool take_titled(struct trace *t, struct str line)
{
    enum severity severity = SEVERITY_UNKNOWN;

    t->place = TRACE_NONE;
    t->is_error = shape_titled(line, &severity) && severity >= SEVERITY_WARN;
    return severity != SEVERITY_UNKNOWN;
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
        return shape_go_frame(line);
    if (t->place == TRACE_TITLE)
        return take_titled(t, line);
    if ((t->place & PLATFORM) != 0)
        return false;
    if (t->place == TRACE_JAVA)
        return is_before_frames(line, behind) || take_header(t, line, behind, a);
    return shape_go_pair(line, behind) || take_header(t, line, behind, a);
}

static bool extends(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    if (is_blank(line.p[0]))
        return goes_on_indented(t, line, a);
    if ((t->place & FORCING) != 0)
        return take_forced(t, line);
    return take_joint(t, line, behind, a) || take_shape(t, line, behind, a);
}

/* "java.lang.IllegalStateException: text" */
static bool begins_java(struct str line)
{
    const struct str type = str_sub(line, 0, shape_type_length(line));

    return shape_error(type) && str_find_char(type, '.') < type.n && type.n < line.n;
}

void trace_open(struct trace *t, struct str line, struct str behind)
{
    const struct opening *o = line.n > 0 ? find_opening(line, behind) : NULL;

    *t = (struct trace){.first = line, .place = TRACE_NONE};
    if (o != NULL)
        t->place = o->place;
    else if (begins_java(line))
        t->place = TRACE_JAVA;
    else if (line.n > 0 && shape_title(line))
        t->place = TRACE_TITLE;
    else if (line.n > 0 && is_digit(line.p[0]))
        t->place = shape_source(line, behind) ? TRACE_SOURCE : TRACE_UNREAD;
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
