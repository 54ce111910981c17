/* Shapes of lines; see the header. */
#include "collector/trace_shapes.h"

#include "core/base/macros.h"
#include "core/base/timefmt.h"
#include "core/model/enums.h"

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

struct str shape_first_line(struct str text)
{
    const struct str near = str_sub(text, 0, TRACE_LOOK_AHEAD);

    return str_trim_right(str_sub(near, 0, str_find_char(near, '\n')));
}

static struct str line_behind(struct str text)
{
    const struct str near = str_sub(text, 0, TRACE_LOOK_AHEAD);

    return shape_first_line(str_skip(near, str_find_char(near, '\n') + 1));
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
size_t shape_type_length(struct str line)
{
    size_t n = 0;

    while (n < line.n &&
           (is_letter(line.p[n]) ||
            (n > 0 && (is_digit(line.p[n]) || str_find_char(STR(".$`+\\<>"), line.p[n]) < 7))))
        n++;
    return n > 0 && (n == line.n || line.p[n] == ':') ? n : 0;
}

bool shape_error(struct str type)
{
    static const struct str ends[] = {
        {"Error", 5}, {"Exception", 9}, {"Warning", 7}, {"Exit", 4}, {"Interrupt", 9}};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(type, ends[i]))
            return true;
    return false;
}

/* "\tat a.B.c(B.java:3)", "   at A.B() in x.cs:line 3", " ---> Inner", "\t... 3 more" */
bool shape_frame(struct str line)
{
    const struct str rest = skip_blanks(line);

    return rest.p > line.p &&
           (str_starts(rest, STR("at ")) || str_starts(rest, STR("---> ")) ||
            str_starts(rest, STR("... ")) || str_starts(rest, STR("Suppressed:")));
}

/* "node:internal/modules/cjs/loader:1143", "/var/task/index.js:3" */
static bool is_source_place(struct str line)
{
    size_t n = line.n;

    while (n > 0 && is_digit(line.p[n - 1]))
        n--;
    return n > 1 && n < line.n && line.p[n - 1] == ':' && str_find_char(line, ' ') == line.n;
}

/* What stands in the parentheses of a frame of Java or Node. */
static bool is_frame_place(struct str place)
{
    static const struct str words[] = {
        {"Native Method", 13}, {"Unknown Source", 14}, {"native", 6}, {"<anonymous>", 11}};
    static const struct str ends[] = {{".java", 5}, {".kt", 3}, {".scala", 6}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(place, words[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(place, ends[i]))
            return true;
    return is_source_place(place);
}

/* A frame that lost its indent on the way through a terminal: "at a.B.c(B.java:3)", "at async x
 * (/var/task/x.js:3:5)", .NET's "at A.B.C(Object o)". */
bool shape_bare_frame(struct str line, struct str behind)
{
    const struct str what = str_skip(line, 3);
    const size_t open = str_rfind_char(what, '('), first = str_find_char(what, '(');

    UNUSED(behind);
    if (open == what.n || !str_ends(what, STR(")")))
        return false;
    if (is_frame_place(str_sub(what, open + 1, what.n - open - 2)))
        return true;
    return str_find_char(what, '.') < first && str_find_char(what, ' ') > first;
}

/* "}", "});", "], [": the end of what was opened, and nothing that is said behind it. */
bool shape_closing(struct str line, struct str behind)
{
    UNUSED(behind);
    for (size_t i = 1; i < line.n; i++)
        if (str_find_char(STR("{}[](),;: \t"), line.p[i]) == 11)
            return false;
    return true;
}

/* "Caused by: a.B: text", of Rust's anyhow "Caused by:" alone. */
bool shape_cause(struct str line, struct str behind)
{
    struct str type = line;

    UNUSED(behind);
    str_cut(&type, ':');
    type = skip_blanks(type);
    return type.n == 0 || shape_type_length(type) > 0;
}

/* "** (RuntimeError) text", "** (exit) text" */
bool shape_elixir(struct str line, struct str behind)
{
    static const struct str words[] = {{"exit)", 5}, {"stop)", 5}, {"throw)", 6}};
    const struct str inside = str_skip(line, 4);

    UNUSED(behind);
    if (!str_starts(line, STR("** (")) || str_find_char(inside, ')') == inside.n)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(inside, words[i]))
            return true;
    return inside.n > 0 && inside.p[0] >= 'A' && inside.p[0] <= 'Z';
}

/* "/var/task/a.rb:3:in `x'": with a message behind it would begin an error of its own. */
static bool is_ruby_frame(struct str line)
{
    static const struct str old = {":in `", 5}, new = {":in '", 5};
    const size_t at = str_find(line, old), since_34 = str_find(line, new);
    const size_t in = at < since_34 ? at : since_34;

    return in > 0 && in < line.n && is_digit(line.p[in - 1]);
}

/* Behind "#0      ": "main (file:///app/main.dart:3:5)" */
static bool is_dart_frame(struct str what)
{
    static const struct str places[] = {{" (file:", 7}, {" (package:", 10}, {" (dart:", 7}};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (str_ends(what, STR(")")) && str_find(what, places[i]) < what.n)
            return true;
    return false;
}

/* "#0 /var/task/x.php(12): f()", "#1 [internal function]: f()", "#2 {main}" */
bool shape_php_frame(struct str line, struct str behind)
{
    const struct str number = str_skip(line, 1);
    const struct str what = str_trim(str_skip(number, str_find_char(number, ' ')));

    UNUSED(behind);
    return is_number_then(number, ' ') &&
           (str_starts(what, STR("{main}")) || str_starts(what, STR("[internal function]")) ||
            str_find(what, STR("): ")) < what.n || is_dart_frame(what));
}

/* "PHP Fatal error:  Uncaught ..." */
bool shape_php_notice(struct str line, struct str behind)
{
    static const struct str kinds[] = {{"Fatal error:", 12},
                                       {"Parse error:", 12},
                                       {"Warning:", 8},
                                       {"Notice:", 7},
                                       {"Deprecated:", 11},
                                       {"Recoverable fatal error:", 24},
                                       {"Stack trace:", 12},
                                       {"Catchable fatal error:", 22},
                                       {"Core ", 5},
                                       {"Compile ", 8},
                                       {"Strict Standards:", 17}};
    const struct str what = str_skip(line, 4);

    UNUSED(behind);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(what, kinds[i]))
            return true;
    return false;
}

/* "main.handler({0x1, 0x2})", or a register. */
bool shape_go_frame(struct str line)
{
    const size_t blank = str_find_char(line, ' ');

    if (str_ends(line, STR(")")))
        return str_find_char(line, '(') < blank || str_starts(line, STR("created by "));
    return str_starts(line, STR("created by ")) ||
           (blank < 8 && str_starts(skip_blanks(str_skip(line, blank)), STR("0x")));
}

/* "    ^^^^" */
bool shape_caret(struct str line)
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

bool shape_source(struct str line, struct str behind)
{
    struct str rest = str_sub(behind, 0, TRACE_LOOK_AHEAD);

    if (is_source_place(line))
        return shape_caret(line_behind(behind));
    if (!is_numbered_source(line))
        return false;
    while (is_numbered_source(shape_first_line(rest)))
        rest = str_skip(rest, str_find_char(rest, '\n') + 1);
    return shape_caret(shape_first_line(rest));
}

/* java.util.logging's "Jan 5, 2026 1:00:00 PM a.B method" and tinylog's "<time> [main] a.B.c()":
 * level and message stand on the next line. */
bool shape_title(struct str line)
{
    const struct str head = str_sub(line, 0, 32);
    const size_t comma = str_find(head, STR(", "));
    int64_t t_ns;

    if (is_digit(line.p[0])) {
        const size_t blank = str_rfind_char(line, ' ');
        const struct str method = str_skip(line, blank + 1);
        return str_ends(line, STR("()")) && blank < line.n && time_parse_prefix(line, &t_ns) > 0 &&
               str_find_char(method, '.') < method.n;
    }
    return line.n > 5 && line.p[3] == ' ' && is_digit(line.p[4]) &&
           is_number_then(str_skip(head, comma + 2), ' ') &&
           (str_find(head, STR(" AM ")) < head.n || str_find(head, STR(" PM ")) < head.n);
}

/* "SEVERE: text" */
bool shape_titled(struct str line, enum severity *out)
{
    enum { MAX_LEVEL = 12 };
    const size_t n = str_find(str_sub(line, 0, MAX_LEVEL), STR(": "));

    return n < MAX_LEVEL && n < line.n && severity_parse(str_sub(line, 0, n), out);
}

bool shape_panic(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" panicked at ")) < line.n && !str_ends(line, STR(":"));
}

bool shape_panic_head(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" panicked at ")) < line.n && str_ends(line, STR(":"));
}

bool shape_boxed_traceback(struct str line, struct str behind)
{
    UNUSED(behind);
    return str_find(line, STR(" Traceback (most recent")) < line.n;
}

bool shape_count_of_frames(struct str line, struct str behind)
{
    const struct str number = str_skip(line, 4);
    const struct str what = str_skip(number, str_find_char(number, ' '));

    UNUSED(behind);
    return is_number_then(number, ' ') &&
           (str_eq(what, STR(" more")) || str_find(what, STR(" frames")) < what.n ||
            str_find(what, STR(" lines")) < what.n);
}

/* zap's "main.handler", the file below it: "\t/app/main.go:12" */
bool shape_go_pair(struct str line, struct str behind)
{
    const struct str below = shape_first_line(behind);

    return str_starts(below, STR("\t")) &&
           (str_find(below, STR(".go:")) < below.n || str_find(below, STR(".s:")) < below.n) &&
           str_find_char(line, '.') < line.n && str_find_char(line, ' ') == line.n;
}

bool shape_go_signal(struct str line, struct str behind)
{
    size_t n = 3;

    UNUSED(behind);
    while (n < line.n && line.p[n] >= 'A' && line.p[n] <= 'Z')
        n++;
    return str_starts(line, STR("SIG")) && n > 5 && str_starts(str_skip(line, n), STR(": "));
}

bool shape_group_traceback(struct str line)
{
    return str_starts(line, STR("+ Exception Group Traceback (most recent call last)"));
}

bool shape_rust_part(struct str line, struct str behind)
{
    return (str_eq(line, STR("Location:")) || str_eq(line, STR("Stack backtrace:"))) &&
           behind.n > 0 && is_blank(behind.p[0]);
}

/* "goroutine 1 [running]:" */
bool shape_goroutine(struct str line, struct str behind)
{
    const struct str number = str_skip(line, 10);

    UNUSED(behind);
    return is_number_then(number, ' ') && str_find(number, STR(" [")) < 24;
}

/* "Node.js v22.1.0", "Bun v1.1.0 (Linux x64)" */
bool shape_version(struct str line, struct str behind)
{
    const struct str number = str_skip(line, str_find_char(line, 'v') + 1);

    UNUSED(behind);
    return is_number_then(number, '.');
}

bool shape_ruby_line(struct str line, struct str behind)
{
    UNUSED(behind);
    return is_ruby_frame(line) && (str_ends(line, STR("'")));
}
