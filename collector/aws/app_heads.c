/* Levels behind a time or a bracket; see the header. Loggers arrange the same few fields in many
 * ways, so the head is walked field by field instead of by one pattern a logger. */
#include "collector/aws/app_heads.h"

#include "collector/aws/app_loggers.h"
#include "collector/aws/scan.h"
#include "collector/trace_shapes.h"
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

/* 0 stands for a digit, x for a letter: "00 xxx 0000". */
static bool has_form(struct str s, struct str form)
{
    if (s.n < form.n)
        return false;
    for (size_t i = 0; i < form.n; i++) {
        const char c = form.p[i];
        if (c == '0' ? !is_digit(s.p[i]) : c == 'x' ? !is_letter(s.p[i]) : s.p[i] != c)
            return false;
    }
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
    if (n + 1 < s.n && str_find_char(STR(".,:"), s.p[n]) < 3 && is_digit(s.p[n + 1]))
        for (n++; n < s.n && is_digit(s.p[n]); n++)
            ;
    return n;
}

/* zap's console: seconds since 1970 with a fraction, "1.788256800123e+09" or "1788256800.123". */
static size_t epoch_length(struct str s)
{
    const size_t n = str_find_char(str_sub(s, 0, 24), '\t');
    int64_t v;

    return n < 24 && n < s.n && str_find_char(str_sub(s, 0, n), '.') < n &&
                   scan_number(str_sub(s, 0, n), 0, &v) && v > 1000000000
               ? n
               : 0;
}

/* "2026/01/15 10:00:00", "01/15/2026, 10:00:00 AM", "15-Jan-2026 10:00:00.123", a time of day. */
static size_t written_length(struct str s)
{
    static const struct str forms[] = {
        {"0000/00/00 00:00:00", 19},  {"00/00/0000, 00:00:00", 20},
        {"00/00/0000 00:00:00", 19},  {"00/00/00 00:00:00", 17},
        {"00/00/0000, 0:00:00", 19},  {"00/xxx/0000:00:00:00", 20},
        {"00 xxx 0000 00:00:00", 20}, {"00-xxx-0000 00:00:00", 20},
        {"00-00-0000 00:00:00", 19},  {"00:00:00", 8},
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (!has_form(s, forms[i]))
            continue;
        const size_t n = skip_fraction(s, forms[i].n);
        const bool is_half =
            has_form(str_skip(s, n), STR(" AM")) || has_form(str_skip(s, n), STR(" PM"));
        return is_half ? n + 3 : n;
    }
    return 0;
}

/* A date and time, or a time of day; 0: none. */
static size_t time_length(struct str s)
{
    int64_t t_ns;

    if (s.n == 0 || !is_digit(s.p[0]))
        return 0;
    size_t n = time_parse_prefix(s, &t_ns);
    if (n > 0)
        return n + 1 < s.n && s.p[n] == ':' && is_digit(s.p[n + 1]) ? skip_fraction(s, n) : n;
    n = written_length(s);
    if (n == 0)
        n = kitchen_length(s);
    return n > 0 ? n : epoch_length(s);
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
        /* "|-WARN in": logback of itself */
        const bool is_bar_dash = s.n > 2 && str_starts(s, STR("|-")) && is_capital(s.p[2]);
        if (is_bar_dash || str_starts(s, STR("- ")))
            s = str_skip(s, 2);
        else if (s.n > 0 && is_separator(s.p[0]))
            s = str_skip(s, 1);
        else
            return s;
    }
}

static bool is_in_capitals(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!is_capital(word.p[i]))
            return false;
    return true;
}

/* A level in capitals, or before a colon or a tab in small letters, and nothing behind it that
 * would make it another word. */
static bool take_level_word(struct str *s, enum severity *out)
{
    const size_t n = word_length(*s);
    const char behind = n < s->n ? s->p[n] : ' ';

    if (n < MIN_LEVEL || n > MAX_LEVEL || (!is_separator(behind) && behind != ':'))
        return false;
    if (behind != ':' && behind != '\t' && !is_in_capitals(str_sub(*s, 0, n)))
        return false;
    if (!scan_level(str_sub(*s, 0, n), out))
        return false;
    *s = str_skip(*s, n + (n < s->n && s->p[n] == ':'));
    return true;
}

/* One letter for a level: between tabs (zap's console), or between blanks behind a time. */
static bool take_level_letter(struct str *s, bool is_behind_time, enum severity *out)
{
    const bool is_field = s->n >= 2 && ((s->p[-1] == '\t' && s->p[1] == '\t') ||
                                        (is_behind_time && s->p[-1] == ' ' && s->p[1] == ' '));

    if (!is_field ||
        (s->p[0] == 'I' && s->p[1] == ' ' && s->n > 2 && !is_capital(s->p[2])) || /* a pronoun */
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

/* "[error    ]", a level behind a time ("[10:00:00 INF]", "[2026-..Z WARN  app::x]") or before a
 * module ("[WARN  app::x]"), a letter behind a field ("[2026-..] [E]"). */
static bool level_of_group(struct str inside, bool is_first, enum severity *out)
{
    const struct str trimmed = str_trim(inside);
    const size_t n = time_length(trimmed), word = word_length(trimmed);
    const struct str level = str_sub(trimmed, 0, word), rest = str_trim(str_skip(trimmed, word));

    if (n > 0) {
        struct str text = skip_separators(str_skip(trimmed, n));
        const size_t zone = zone_length(text);
        text = skip_separators(str_skip(text, zone));
        return take_level_word(&text, out);
    }
    if (word == 1 && rest.n == 0)
        return !is_first && str_find_char(STR("TDIWEF"), level.p[0]) < 6 &&
               scan_json_level(level, out);
    if (rest.n > 0 &&
        (trimmed.p[word] != ' ' || !is_in_capitals(level) || str_find_char(rest, ' ') < rest.n))
        return false;
    return word >= MIN_LEVEL && scan_level(level, out);
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

/* A number of a process or thread, "key=value", a zone: nothing that names a level. */
static size_t neutral_length(struct str s)
{
    const size_t end = str_find_char(str_sub(s, 0, MAX_GROUP), ' ');
    const size_t equals = str_find_char(str_sub(s, 0, end), '=');
    size_t n = 0;

    if (end < MAX_GROUP && end < s.n && equals > 0 && equals < end)
        return end;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n > 0 && n < s.n && is_separator(s.p[n]) ? n : zone_length(s);
}

enum field { FIELD_NONE, FIELD_LEVEL, FIELD_TIME, FIELD_NEUTRAL, FIELD_TEXT };

/* `before`: the field in front of it. */
static enum field take_field(struct str *s, enum field before, struct log_record *r)
{
    const bool is_first = before == FIELD_NONE;
    const size_t time = time_length(*s);
    const size_t n = time == 0 && !is_first ? neutral_length(*s) : time;
    struct str inside;

    if (n > 0) {
        *s = str_skip(*s, n);
        return time > 0 ? FIELD_TIME : FIELD_NEUTRAL;
    }
    if (s->n > 0 && s->p[0] == '[') {
        if (!take_group(s, &inside))
            return FIELD_TEXT;
        if (inside.n == UUID_LEN && scan_uuid(inside))
            r->invocation_id = inside;
        return level_of_group(inside, is_first, &r->severity) ? FIELD_LEVEL : FIELD_NEUTRAL;
    }
    const bool is_level =
        !is_first && (take_level_word(s, &r->severity) || take_channel_level(s, &r->severity) ||
                      take_level_letter(s, before == FIELD_TIME, &r->severity));
    return is_level ? FIELD_LEVEL : FIELD_TEXT;
}

bool app_headed_line(struct str line, struct log_record *r)
{
    struct str rest = line;
    struct log_record found = *r;
    enum field before = FIELD_NONE;

    for (unsigned i = 0; i < MAX_FIELDS; i++) {
        rest = skip_separators(rest);
        const enum field f = take_field(&rest, before, &found);
        before = f;
        if (f == FIELD_TEXT && i > 0 && app_php_line(rest, r))
            return true;
        if (f == FIELD_TEXT)
            return false;
        if (f != FIELD_LEVEL)
            continue;
        found.message = skip_separators(str_skip(rest, str_starts(rest, STR(":"))));
        *r = found;
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

/* "Jan 15 10:00:00.123 WRN text" */
static bool month_line(struct str line, struct log_record *r)
{
    return has_form(line, STR("xxx 00 00:00:00")) && app_headed_line(str_skip(line, 7), r);
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
bool app_titled_line(struct str line, struct log_record *r)
{
    const size_t end = str_find_char(str_sub(line, 0, 300), '\n');
    const size_t month = word_length(line);
    struct str second = str_skip(line, end + 1);
    enum severity severity;

    const bool is_dated = month == 3 && (has_form(str_skip(line, month), STR(" 00, 0000 ")) ||
                                         has_form(str_skip(line, month), STR(" 0, 0000 ")));
    if (end >= line.n || !(is_dated || shape_title(str_sub(line, 0, end))))
        return false;
    if (!take_level_word(&second, &severity) || second.n == 0 || second.p[-1] != ':')
        return false;
    r->severity = severity;
    r->message = skip_separators(second);
    return true;
}

bool app_lettered_line(struct str line, struct log_record *r)
{
    return klog_line(line, r) || logrus_line(line, r) || app_titled_line(line, r) ||
           month_line(line, r);
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

/* 0 to 191: a facility times eight, and the level. */
static bool priority_line(struct str line, struct log_record *r)
{
    enum { LONGEST = 5, MOST = 191 };
    const size_t close = str_find_char(str_sub(line, 0, LONGEST), '>');
    int64_t priority;

    if (close >= LONGEST || close + 1 >= line.n || !is_digit(line.p[1]) ||
        !str_to_i64(str_sub(line, 1, close - 1), &priority) || priority > MOST)
        return false;
    r->severity = scan_syslog_level(priority % 8);
    r->message = skip_separators(str_skip(line, close + 1));
    return true;
}

bool app_marked_line(struct str line, struct log_record *r)
{
    const struct str inside = str_skip(line, 1);
    const size_t n = word_length(inside);
    const char close = line.p[0] == '<' ? '>' : ')';

    if (line.p[0] == '<' && priority_line(line, r))
        return true;
    if (n < MIN_LEVEL || n + 1 >= inside.n || inside.p[n] != close || inside.p[n + 1] != ' ' ||
        !is_in_capitals(str_sub(inside, 0, n)) || !scan_level(str_sub(inside, 0, n), &r->severity))
        return false;
    r->message = skip_separators(str_skip(inside, n + 1));
    return true;
}
