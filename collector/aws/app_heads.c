/* Levels behind a time or a bracket; see the header. Loggers arrange the same few fields in many
 * ways, so the head is walked field by field instead of by one pattern a logger. */
#include "collector/aws/app_heads.h"

#include "collector/aws/scan.h"
#include "core/base/timefmt.h"

enum { MAX_FIELDS = 5, MAX_GROUP = 80, MIN_LEVEL = 3, MAX_LEVEL = 12 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return is_capital(c) || (c >= 'a' && c <= 'z');
}

static size_t word_length(struct str s)
{
    size_t n = 0;

    while (n < s.n && is_letter(s.p[n]))
        n++;
    return n;
}

/* 0 stands for a digit: "00:00:00". */
static bool has_form(struct str s, struct str form)
{
    if (s.n < form.n)
        return false;
    for (size_t i = 0; i < form.n; i++)
        if (form.p[i] == '0' ? !is_digit(s.p[i]) : s.p[i] != form.p[i])
            return false;
    return true;
}

/* "10:00AM", "7:05PM" */
static size_t kitchen_length(struct str s)
{
    size_t n = s.n > 2 && s.p[1] == ':' ? 4 : 5;
    const struct str half = str_sub(s, n, 2);
    const bool is_clock =
        has_form(s, n == 4 ? STR("0:00") : STR("00:00")) && half.n == 2 && half.p[1] == 'M';

    return is_clock && (half.p[0] == 'A' || half.p[0] == 'P') ? n + 2 : 0;
}

static size_t skip_fraction(struct str s, size_t n)
{
    if (n + 1 < s.n && (s.p[n] == '.' || s.p[n] == ',') && is_digit(s.p[n + 1]))
        for (n++; n < s.n && is_digit(s.p[n]); n++)
            ;
    return n;
}

/* A date and time, Go's form of it, or a time of day; 0: none. */
static size_t time_length(struct str s)
{
    int64_t t_ns;

    if (s.n == 0 || !is_digit(s.p[0]))
        return 0;
    size_t n = time_parse_prefix(s, &t_ns);
    if (n > 0)
        return n;
    if (has_form(s, STR("0000/00/00 00:00:00")))
        return skip_fraction(s, 19);
    return has_form(s, STR("00:00:00")) ? skip_fraction(s, 8) : kitchen_length(s);
}

/* "+00:00" or "UTC" apart from its time */
static size_t zone_length(struct str s)
{
    static const struct str forms[] = {{"+00:00", 6}, {"-00:00", 6}, {"+0000", 5},
                                       {"-0000", 5},  {"UTC", 3},    {"GMT", 3}};

    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (has_form(s, forms[i]) && (s.n == forms[i].n || s.p[forms[i].n] == ' '))
            return forms[i].n;
    return 0;
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '|';
}

static struct str skip_separators(struct str s)
{
    for (;;) {
        if (s.n > 0 && is_separator(s.p[0]))
            s = str_skip(s, 1);
        else if (str_starts(s, STR("- ")))
            s = str_skip(s, 2);
        else
            return s;
    }
}

/* A level in capitals and nothing behind it that would make it another word. */
static bool take_level_word(struct str *s, enum severity *out)
{
    const size_t n = word_length(*s);

    for (size_t i = 0; i < n; i++)
        if (!is_capital(s->p[i]))
            return false;
    if (n < MIN_LEVEL || n > MAX_LEVEL || (n < s->n && !is_separator(s->p[n]) && s->p[n] != ':'))
        return false;
    if (!scan_level(str_sub(*s, 0, n), out))
        return false;
    *s = str_skip(*s, n + (n < s->n && s->p[n] == ':'));
    return true;
}

/* zap's console with one letter for a level: a field of its own between tabs. */
static bool take_level_letter(struct str *s, enum severity *out)
{
    if (s->n < 2 || s->p[-1] != '\t' || s->p[1] != '\t' ||
        str_find_char(STR("DIWEF"), s->p[0]) == 5 || !scan_level(str_sub(*s, 0, 1), out))
        return false;
    *s = str_skip(*s, 1);
    return true;
}

/* "app.ERROR:", the channel in front. */
static bool take_channel_level(struct str *s, enum severity *out)
{
    const size_t end = str_find_char(str_sub(*s, 0, MAX_GROUP), ' ');
    const struct str word = str_sub(*s, 0, end);
    const size_t dot = str_rfind_char(word, '.');
    struct str level = str_skip(word, dot + 1);

    if (dot >= word.n || word.p[word.n - 1] != ':' || !take_level_word(&level, out) || level.n > 0)
        return false;
    *s = str_skip(*s, end);
    return true;
}

/* "[error    ]", or a level behind a time: "[10:00:00 INF]", "[2026-..Z WARN  app::x]". */
static bool level_of_group(struct str inside, enum severity *out)
{
    const struct str trimmed = str_trim(inside);
    const size_t n = time_length(trimmed);

    if (n > 0) {
        struct str rest = skip_separators(str_skip(trimmed, n));
        return take_level_word(&rest, out);
    }
    return trimmed.n >= MIN_LEVEL && word_length(trimmed) == trimmed.n && scan_level(trimmed, out);
}

static bool take_group(struct str *s, struct str *inside)
{
    const size_t close = str_find_char(str_sub(*s, 0, MAX_GROUP), ']');

    if (close >= MAX_GROUP || close >= s->n)
        return false;
    *inside = str_sub(*s, 1, close - 1);
    *s = str_skip(*s, close + 1);
    return true;
}

enum field { FIELD_LEVEL, FIELD_NEUTRAL, FIELD_TEXT };

static enum field take_field(struct str *s, bool is_first, enum severity *out)
{
    const size_t zone = is_first ? 0 : zone_length(*s), n = zone > 0 ? zone : time_length(*s);
    struct str inside;

    if (n > 0) {
        *s = str_skip(*s, n);
        return FIELD_NEUTRAL;
    }
    if (s->n > 0 && s->p[0] == '[') {
        if (!take_group(s, &inside))
            return FIELD_TEXT;
        return level_of_group(inside, out) ? FIELD_LEVEL : FIELD_NEUTRAL;
    }
    const bool is_level = !is_first && (take_level_word(s, out) || take_channel_level(s, out) ||
                                        take_level_letter(s, out));
    return is_level ? FIELD_LEVEL : FIELD_TEXT;
}

bool app_headed_line(struct str line, struct log_record *r)
{
    struct str rest = line;
    enum severity severity;

    for (unsigned i = 0; i < MAX_FIELDS; i++) {
        rest = skip_separators(rest);
        const enum field f = take_field(&rest, i == 0, &severity);
        if (f == FIELD_TEXT)
            return false;
        if (f == FIELD_NEUTRAL)
            continue;
        r->severity = severity;
        r->message = skip_separators(rest);
        return true;
    }
    return false;
}

/* --- heads of letters --- */

static bool klog_line(struct str line, struct log_record *r)
{
    static const struct str form = {"0000 00:00:00", 13};
    const size_t close = str_find(str_sub(line, 0, MAX_GROUP), STR("] "));

    if (!has_form(str_skip(line, 1), form) || close >= MAX_GROUP || close >= line.n ||
        str_find_char(STR("IWEF"), line.p[0]) == 4 ||
        !scan_level(str_sub(line, 0, 1), &r->severity))
        return false;
    r->message = str_skip(line, close + 2);
    return true;
}

/* "[0042]" as logrus has it, "[01-15|10:00:00]" as log15. */
static bool is_stamp(struct str s)
{
    return has_form(s, STR("[0000")) || has_form(s, STR("[00-00|00:00:00"));
}

static bool logrus_line(struct str line, struct log_record *r)
{
    static const struct {
        struct str head;
        enum severity severity;
    } heads[] = {
        {{"INFO", 4}, SEVERITY_INFO},   {{"WARN", 4}, SEVERITY_WARN},
        {{"ERRO", 4}, SEVERITY_ERROR},  {{"DEBU", 4}, SEVERITY_DEBUG},
        {{"TRAC", 4}, SEVERITY_TRACE},  {{"FATA", 4}, SEVERITY_FATAL},
        {{"PANI", 4}, SEVERITY_FATAL},  {{"DBUG", 4}, SEVERITY_DEBUG},
        {{"EROR", 4}, SEVERITY_ERROR},  {{"CRIT", 4}, SEVERITY_FATAL},
        {{"DEBUG", 5}, SEVERITY_DEBUG}, {{"ERROR", 5}, SEVERITY_ERROR},
        {{"TRACE", 5}, SEVERITY_TRACE},
    };

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct str rest = str_skip(line, heads[i].head.n), seconds;
        if (!str_starts(line, heads[i].head))
            continue;
        rest = str_skip(rest, rest.n > 0 && rest.p[0] == ' ');
        if (!is_stamp(rest) || !take_group(&rest, &seconds))
            continue;
        r->severity = heads[i].severity;
        r->message = skip_separators(rest);
        return true;
    }
    return false;
}

/* The level begins the second line; the first is date, class and method. */
static bool jul_line(struct str line, struct log_record *r)
{
    const size_t end = str_find_char(str_sub(line, 0, 300), '\n');
    const size_t month = word_length(line);
    struct str second = str_skip(line, end + 1);
    enum severity severity;

    if (end >= line.n || month != 3 ||
        !(has_form(str_skip(line, month), STR(" 00, 0000 ")) ||
          has_form(str_skip(line, month), STR(" 0, 0000 "))))
        return false;
    if (!take_level_word(&second, &severity) || second.n == 0 || second.p[-1] != ':')
        return false;
    r->severity = severity;
    r->message = skip_separators(second);
    return true;
}

bool app_lettered_line(struct str line, struct log_record *r)
{
    return klog_line(line, r) || logrus_line(line, r) || jul_line(line, r);
}

bool app_java_trace(struct str line, struct log_record *r)
{
    size_t n = 0, dots = 0;

    for (; n < line.n && n < 200; n++) {
        const char c = line.p[n];
        dots += c == '.';
        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '_' && c != '$')
            break;
    }
    const bool is_type = dots > 0 && n < line.n && (line.p[n] == ':' || line.p[n] == '\n');
    if (!is_type || str_find(line, STR("\n\tat ")) == line.n)
        return false;
    r->severity = SEVERITY_ERROR;
    r->error_type = str_sub(line, 0, n);
    return true;
}
