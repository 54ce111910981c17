/* What stands in front of a message in text lines: a time, perhaps group and stream, in the ways in
 * which AWS's commands and other tools write them. */
#include "collector/line_prefix.h"

#include <string.h>

#include "core/base/timefmt.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2023/06/02/[72]88ab..." up to the blank behind it; 0: no Lambda stream name. */
static size_t stream_length(struct str s)
{
    enum { DAY_LENGTH = 11 };
    if (s.n < DAY_LENGTH + 4 || s.p[4] != '/' || s.p[7] != '/' || s.p[10] != '/' ||
        !is_digit(s.p[0]) || !is_digit(s.p[9]))
        return 0;
    size_t n = str_find_char(str_sub(s, 0, 600), ' ');
    bool has_version = str_find_char(str_sub(s, 0, n), ']') < n;
    return has_version ? n : 0;
}

/* Node's and .NET's own prefix: "ISO<tab><request id or undefined><tab>LEVEL<tab>". */
static bool is_runtime_field(struct str s)
{
    return s.n == 0 || str_eq(s, STR("undefined")) ||
           (s.n == 36 && s.p[8] == '-' && s.p[13] == '-' && s.p[18] == '-');
}

/* Old timeouts: "ISO <request id> Task timed out": the line is the message. */
static bool is_timeout(struct str rest)
{
    return rest.n > 50 && is_runtime_field(str_sub(rest, 0, 36)) &&
           str_starts(str_skip(rest, 36), STR(" Task timed out"));
}

/* What CloudWatch lets a log group be called; a message has blanks or colons. */
static bool is_group_name(struct str s)
{
    static const bool may_be[256] = {
        ['#'] = true, ['-'] = true, ['.'] = true, ['/'] = true, ['_'] = true, ['0'] = true,
        ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true,
        ['7'] = true, ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true,
        ['D'] = true, ['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true,
        ['J'] = true, ['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true,
        ['P'] = true, ['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true,
        ['V'] = true, ['W'] = true, ['X'] = true, ['Y'] = true, ['Z'] = true, ['a'] = true,
        ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true,
        ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true,
        ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true,
        ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true,
        ['z'] = true,
    };

    for (size_t i = 0; i < s.n; i++)
        if (!may_be[(unsigned char)s.p[i]])
            return false;
    return s.n > 0;
}

static bool read_tabbed(struct str rest, struct raw_event *ev, enum line_form *form)
{
    size_t first = str_find_char(rest, '\t');
    if (first == rest.n || is_runtime_field(str_sub(rest, 0, first)))
        return false;
    struct str behind = str_skip(rest, first + 1);
    if (stream_length(str_sub(rest, 0, first)) > 0) {
        *form = FORM_TABBED_PAIR;
        ev->stream = str_sub(rest, 0, first);
        ev->body = behind;
        return true;
    }
    size_t second = str_find_char(behind, '\t');
    if (second == behind.n || !is_group_name(str_sub(rest, 0, first)))
        return false;
    *form = FORM_TABBED;
    ev->log_group = str_sub(rest, 0, first);
    ev->stream = str_sub(behind, 0, second);
    ev->body = str_skip(behind, second + 1);
    return true;
}

/* Terminal colours around time and stream (aws logs tail --color on). */
static struct str skip_paint(struct str s)
{
    while (s.n > 2 && s.p[0] == '\033' && s.p[1] == '[') {
        size_t i = 2;
        while (i < s.n && s.p[i] != 'm' && (is_digit(s.p[i]) || s.p[i] == ';'))
            i++;
        s = str_skip(s, i + 1);
    }
    return s;
}

static bool read_spaced(struct str time, struct str rest, struct raw_event *ev,
                        enum line_form *form)
{
    struct str stream = skip_paint(rest);
    size_t n = stream_length(stream);
    /* Custom stream names are told by the time form that only `aws logs tail` writes. */
    bool is_tail = str_ends(time, STR("+00:00"));

    if (n == 0 && is_tail)
        n = str_find_char(stream, ' ');
    if (n == 0 || is_timeout(rest)) {
        *form = FORM_TIME;
        ev->body = rest;
        return !is_timeout(rest);
    }
    *form = FORM_STREAM;
    ev->stream = str_sub(stream, 0, str_find_char(str_sub(stream, 0, n), '\033'));
    ev->body = str_skip(stream, n + (n < stream.n));
    return true;
}

/* "[/aws/lambda/orders ]2023/06/02/[72]88ab.. 2026-01-15T10:00:00.123 message", the time perhaps in
 * brackets or missing. A tab behind it: it is the message's own. */
static enum line_form read_stream_first(struct str line, struct raw_event *ev)
{
    struct str group = {0};

    if (line.p[0] == '/') {
        group = str_cut(&line, ' ');
        line = skip_paint(line);
    }
    const size_t n = stream_length(line);
    if (n == 0)
        return FORM_UNKNOWN;
    ev->log_group = group;
    ev->stream = str_sub(line, 0, str_find_char(str_sub(line, 0, n), '\033'));
    ev->body = skip_paint(str_skip(line, n + (n < line.n)));
    struct str rest = str_skip(ev->body, str_starts(ev->body, STR("[")));
    const size_t time = time_parse_prefix(rest, &ev->time_ns);
    ev->has_time = time > 0 && !str_starts(str_skip(rest, time), STR("\t"));
    if (!ev->has_time)
        return FORM_STREAM_FIRST;
    rest = str_skip(rest, time);
    rest = skip_paint(str_skip(rest, str_starts(rest, STR("]"))));
    ev->body = str_skip(rest, str_starts(rest, STR(" ")));
    return FORM_STREAM_FIRST;
}

enum line_form prefix_read(struct str line, struct raw_event *ev)
{
    enum line_form form = FORM_UNKNOWN;
    line = skip_paint(line);
    if (line.n > 20 && (line.p[0] == '/' || line.p[4] == '/'))
        return read_stream_first(line, ev);
    if (line.n < 20 || !is_digit(line.p[0]) || line.p[10] != 'T')
        return FORM_UNKNOWN;
    size_t n = time_parse_prefix(line, &ev->time_ns);
    if (n == 0 || n >= line.n)
        return FORM_UNKNOWN;
    struct str rest = skip_paint(str_skip(line, n));
    if (rest.n == 0 || (rest.p[0] != '\t' && rest.p[0] != ' '))
        return FORM_UNKNOWN;
    bool is_start = rest.p[0] == '\t'
                        ? read_tabbed(str_skip(rest, 1), ev, &form)
                        : read_spaced(str_sub(line, 0, n), str_skip(rest, 1), ev, &form);
    ev->has_time = is_start;
    return is_start ? form : FORM_UNKNOWN;
}

/* --- the prefix of the line before
 * ------------------------------------------------------------------------------------------------
 */

enum { TO_MINUTE = 16, TIME_END = 24 }; /* of "2026-01-15T12:30:59.123Z" */

/* Whether the line begins with a time of the same minute. */
static bool is_of_minute(const struct prefix_memo *m, struct str line, int64_t *behind_minute)
{
    return m->n > 0 && line.n > TIME_END && memcmp(line.p, m->line, TO_MINUTE) == 0 &&
           time_behind_minute(line.p + TO_MINUTE, behind_minute);
}

static bool repeats(const struct prefix_memo *m, struct str line)
{
    return line.n >= m->n && memcmp(line.p + TIME_END, m->line + TIME_END, m->n - TIME_END) == 0;
}

/* Only between tabs nothing behind the prefix says what it is. */
static void remember(struct prefix_memo *m, struct str line, enum line_form form,
                     const struct raw_event *ev, int64_t behind_minute)
{
    m->line = line.p;
    m->n = (size_t)(ev->body.p - line.p);
    m->form = form;
    m->ev = *ev;
    m->ev.time_ns -= behind_minute;
}

/* Another stream's line of the same minute. */
static bool read_in_minute(struct prefix_memo *m, struct str line, int64_t behind_minute,
                           struct raw_event *ev)
{
    const int64_t minute_ns = m->ev.time_ns;
    enum line_form form;

    *ev = (struct raw_event){.time_ns = minute_ns + behind_minute, .has_time = true};
    if (line.p[TIME_END] != '\t' || !read_tabbed(str_skip(line, TIME_END + 1), ev, &form))
        return false;
    remember(m, line, form, ev, behind_minute);
    return true;
}

static enum line_form read_anew(struct prefix_memo *m, struct str line, struct raw_event *ev)
{
    int64_t behind_minute;

    *ev = (struct raw_event){0};
    const enum line_form form = prefix_read(line, ev);
    const bool is_tabbed = form == FORM_TABBED || form == FORM_TABBED_PAIR;
    if (is_tabbed && line.n > TIME_END && line.p[TIME_END] == '\t' &&
        time_behind_minute(line.p + TO_MINUTE, &behind_minute))
        remember(m, line, form, ev, behind_minute);
    else if (form != FORM_UNKNOWN)
        m->n = 0;
    return form;
}

enum line_form prefix_read_next(struct prefix_memo *m, struct str line, struct raw_event *ev)
{
    int64_t behind_minute;

    if (!is_of_minute(m, line, &behind_minute))
        return read_anew(m, line, ev);
    if (!repeats(m, line))
        return read_in_minute(m, line, behind_minute, ev) ? m->form : read_anew(m, line, ev);
    *ev = m->ev;
    ev->time_ns += behind_minute;
    ev->body = str_skip(line, m->n);
    return m->form;
}

/* --- prefixes that messages may have, too
 * ------------------------------------------------------------------------------------------------
 */

/* A date and a clock, or epoch seconds, milliseconds and so on; the bytes used, 0: none. */
static size_t read_loose_time(struct str line, int64_t *t_ns)
{
    enum { SHORTEST = 10, LONGEST = 24 };
    size_t n = time_parse_prefix(line, t_ns);

    if (n > 0)
        return n;
    while (n < line.n && n < LONGEST && (is_digit(line.p[n]) || (n > 0 && line.p[n] == '.')))
        n++;
    const bool is_time =
        n >= SHORTEST && event_time(str_sub(line, 0, n), t_ns) && event_time_is_near(*t_ns);
    return is_time ? n : 0;
}

/* "(stream) " of saw. */
static void read_round(struct str rest, struct raw_event *ev)
{
    struct str inside = skip_paint(str_skip(rest, 1));
    const size_t close = str_find(inside, STR(") "));
    const struct str name = str_sub(inside, 0, close);

    if (!str_starts(rest, STR("(")) || close == inside.n || str_find_char(name, ' ') < name.n)
        return;
    ev->stream = str_sub(name, 0, str_find_char(name, '\033'));
    ev->body = str_skip(inside, close + 2);
}

/* Group and stream, or a stream alone; taken only where the stream is Lambda's. */
static void read_loose_place(struct str rest, char separator, struct raw_event *ev)
{
    const size_t first = str_find_char(rest, separator);
    const struct str field = str_sub(rest, 0, first), behind = str_skip(rest, first + 1);
    const size_t second = str_find_char(behind, separator);

    ev->body = rest;
    if (stream_length(field) > 0) {
        ev->stream = field;
        ev->body = behind;
    } else if (is_group_name(field) && stream_length(str_sub(behind, 0, second)) > 0) {
        ev->log_group = field;
        ev->stream = str_sub(behind, 0, second);
        ev->body = str_skip(behind, second + 1);
    } else {
        read_round(rest, ev);
    }
}

bool prefix_read_loose(struct str line, struct raw_event *ev)
{
    line = skip_paint(line);
    const bool is_bracketed = str_starts(line, STR("["));
    struct str rest = is_bracketed ? skip_paint(str_skip(line, 1)) : line;
    int64_t t_ns;
    const size_t n = read_loose_time(rest, &t_ns);

    if (n == 0)
        return false;
    rest = skip_paint(str_skip(rest, n));
    if (is_bracketed && !str_starts(rest, STR("]")))
        return false;
    rest = str_skip(rest, is_bracketed);
    if (rest.n == 0 || (rest.p[0] != '\t' && rest.p[0] != ' '))
        return false;
    const char separator = rest.p[0];
    rest = str_skip(rest, 1);
    if (is_timeout(rest) ||
        (separator == '\t' && is_runtime_field(str_sub(rest, 0, str_find_char(rest, '\t')))))
        return false;
    ev->time_ns = t_ns;
    ev->has_time = true;
    read_loose_place(rest, separator, ev);
    return true;
}

bool prefix_is_platform(struct str line)
{
    static const struct str openings[] = {
        {"START RequestId: ", 17},
        {"END RequestId: ", 15},
        {"REPORT RequestId: ", 18},
        {"INIT_START ", 11},
    };
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(line, openings[i]))
            return true;
    return false;
}
