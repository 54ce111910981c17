/* CSV as the CloudWatch console and Logs Insights export it: a header naming the columns, RFC 4180
 * quoting, fields that hold line ends. */
#include "collector/lines.h"

#include <assert.h>
#include <string.h>

static enum csv_column column_of(struct str name)
{
    static const struct {
        struct str name;
        enum csv_column column;
    } names[] = {
        {{"timestamp", 9}, COLUMN_TIME},
        {{"message", 7}, COLUMN_MESSAGE},
        {{"@timestamp", 10}, COLUMN_TIME},
        {{"@message", 8}, COLUMN_MESSAGE},
        {{"logStreamName", 13}, COLUMN_STREAM},
        {{"@logStream", 10}, COLUMN_STREAM},
        {{"logStream", 9}, COLUMN_STREAM},
        {{"logGroup", 8}, COLUMN_GROUP},
        {{"@log", 4}, COLUMN_GROUP},
        {{"@ingestionTime", 14}, COLUMN_SEEN},
        {{"ingestionTime", 13}, COLUMN_SEEN},
        {{"@requestId", 10}, COLUMN_REQUEST},
        {{"requestId", 9}, COLUMN_REQUEST},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, names[i].name))
            return names[i].column;
    return COLUMN_OTHER;
}

/* First separator or line end from i on. */
static size_t field_end(struct str s, size_t i, char separator)
{
    while (i < s.n && s.p[i] != separator && s.p[i] != '\n')
        i++;
    return i;
}

/* Offset of the quote that closes the field opened at 0; s.n when it is not there. *doubled counts
 * the quotes inside. */
static size_t closing_quote(struct str s, size_t *doubled)
{
    size_t close = 1;

    for (;; close += 2, ++*doubled) {
        const char *quote = close < s.n ? memchr(s.p + close, '"', s.n - close) : NULL;
        if (quote == NULL)
            return s.n;
        close = (size_t)(quote - s.p);
        if (close + 1 >= s.n || s.p[close + 1] != '"')
            return close;
    }
}

static struct str undouble(struct str s, struct arena *a)
{
    char *copy = arena_alloc(a, s.n);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        copy[n++] = s.p[i];
        i += s.p[i] == '"';
    }
    return (struct str){copy, n};
}

/* One field from the start of s; returns the bytes up to its separator, which may be the end. A
 * quoted field without its closing quote gives s.n + 1. */
static size_t take_field(struct str s, char separator, struct arena *a, struct str *out)
{
    size_t doubled = 0;

    if (s.n == 0 || s.p[0] != '"') {
        size_t n = field_end(s, 0, separator);
        *out = str_trim_right(str_sub(s, 0, n));
        return n;
    }
    size_t close = closing_quote(s, &doubled);
    if (close == s.n)
        return s.n + 1;
    *out = str_sub(s, 1, close - 1);
    if (doubled > 0)
        *out = undouble(*out, a);
    return field_end(s, close + 1, separator);
}

static bool read_header(struct str line, struct csv_columns *columns)
{
    struct arena none = {0};
    struct str field = {0};
    bool has_time = false, has_message = false;

    columns->n = 0;
    for (;;) {
        size_t n = take_field(line, columns->separator, &none, &field);
        if (n > line.n || columns->n == CSV_MAX_COLUMNS)
            break;
        enum csv_column c = column_of(field);
        has_time |= c == COLUMN_TIME;
        has_message |= c == COLUMN_MESSAGE;
        columns->of[columns->n++] = c;
        if (n == line.n)
            break;
        line = str_skip(line, n + 1);
    }
    arena_clear(&none);
    return has_time && has_message;
}

bool csv_header(struct str text, struct csv_columns *columns)
{
    static const char separators[] = {',', ';',
                                      '\t'}; /* Excel writes the second in most of Europe */
    const size_t end = str_find_char(text, '\n');

    for (size_t i = 0; i < ARRAY_LEN(separators); i++) {
        columns->separator = separators[i];
        if (read_header(str_trim(str_sub(text, 0, end)), columns))
            return separators[i] != '\t' ||
                   str_find(str_skip(text, end), STR("\t\"")) < text.n - end;
    }
    return false;
}

static void keep(struct raw_event *ev, enum csv_column c, struct str field)
{
    if (c == COLUMN_TIME)
        ev->has_time = event_time(field, &ev->time_ns);
    else if (c == COLUMN_MESSAGE)
        ev->body = field;
    else if (c == COLUMN_STREAM)
        ev->stream = field;
    else if (c == COLUMN_REQUEST)
        ev->invocation_id = field;
    else if (c == COLUMN_SEEN && !event_time(field, &ev->seen_ns))
        ev->seen_ns = 0;
    else if (c == COLUMN_GROUP)
        event_take_group(ev, field);
}

size_t csv_record(struct str s, const struct csv_columns *columns, struct arena *a,
                  struct raw_event *ev, bool *is_complete)
{
    struct str rest = s, field = {0};

    assert(columns->n > 0 && columns->n <= CSV_MAX_COLUMNS);

    *is_complete = true;
    for (size_t i = 0;; i++) {
        size_t n = take_field(rest, columns->separator, a, &field);
        if (n >= rest.n)
            *is_complete = false; /* the end of the piece, not of a line */
        if (n > rest.n)
            return s.n;
        if (i < columns->n)
            keep(ev, columns->of[i], field);
        bool is_end = n >= rest.n || rest.p[n] == '\n';
        rest = str_skip(rest, n + 1);
        if (is_end)
            return (size_t)(rest.p - s.p);
    }
}
