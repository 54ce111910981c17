/* Platform lines of AWS Lambda in the Text log format: START, END, REPORT, INIT_START, INIT_REPORT,
 * RESTORE_*, EXTENSION, TELEMETRY, LOGS, and the old "Task timed out" and "Runtime exited" lines.
 * A line is a head and a sequence of "Label: value" parts; lambda_labels.c has a table of each
 * kind's. Labels nest ("Billed Restore Duration" ends in "Duration"), so they are tokenised one by
 * one and never searched. Only a line that is a platform line from its first to its last byte is
 * one. */
#include <assert.h>
#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/lambda_labels.h"
#include "collector/aws/scan.h"
#include "core/base/timefmt.h"

enum {
    MAX_LABEL = 40,   /* bytes of a label we do not know */
    END_OF_USUAL = 4, /* of " ms" and its tab */
};

struct scanner {
    const char *p, *end;
    const struct line_kind *kind;
    struct platform_event *out;
    uint64_t seen; /* bit per label of the table */
    struct str line;
    struct batch *batch;
    size_t n_unknown;
};

/* --- small steps --- */

/* A newline written as the two characters \n, as escaped dumps have it. */
static bool at_escaped_newline(const struct scanner *s)
{
    return s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'n';
}

/* The same for any of the blanks between the parts of a line. */
static bool is_escaped_blank(const char *p, const char *end)
{
    return end - p >= 2 && p[0] == '\\' && (p[1] == 't' || p[1] == 'n' || p[1] == 'r');
}

static bool at_escaped_blank(const struct scanner *s)
{
    return is_escaped_blank(s->p, s->end);
}

static bool is_tabbed(const struct scanner *s)
{
    return str_find_char(s->line, '\t') < s->line.n;
}

/* Blanks, tabs, line ends; false when there was none. Lines copied from a terminal have runs of
 * blanks for tabs. */
static inline bool skip_gap(struct scanner *s)
{
    /* how many bytes a blank is that begins so */
    static const unsigned char lengths[256] = {
        ['\t'] = 1, [' '] = 1, ['\n'] = 1, ['\r'] = 1, ['\\'] = 2};
    const char *p = s->p;
    unsigned n;

    if (s->end - p >= 2 && *p == '\t' && lengths[(unsigned char)p[1]] == 0) { /* the usual one */
        s->p++;
        return true;
    }
    while (p < s->end && (n = lengths[(unsigned char)*p]) != 0 &&
           (n == 1 || is_escaped_blank(p, s->end)))
        p += n;
    const bool is_gap = p > s->p;
    s->p = p;
    return is_gap;
}

static bool take(struct scanner *s, const char *literal, size_t n)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, literal, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* Whether one of eight bytes may end a word: one up to the blank, or a backslash. */
static bool may_end_word(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    const uint64_t x = v ^ ones * '\\';
    return (((v - ones * (' ' + 1)) & ~v) | ((x - ones) & ~x)) & ones * 0x80;
}

/* Up to the next blank, tab or line end; empty is no word. */
static bool take_word(struct scanner *s, struct str *out)
{
    const char *from = s->p, *p = from;

    while (s->end - p >= 8 && !may_end_word(p))
        p += 8;
    while (p < s->end && (unsigned char)*p > ' ' && (*p != '\\' || !is_escaped_blank(p, s->end)))
        p++;
    s->p = p;
    *out = (struct str){from, (size_t)(p - from)};
    return p > from;
}

/* "Name: "; the blank is missing where the value is and the line was trimmed. */
static inline bool take_label(struct scanner *s, struct str name)
{
    const size_t left = (size_t)(s->end - s->p);

    if (left < name.n + 1 || s->p[0] != name.p[0] || s->p[name.n] != ':' ||
        !str_eq_few((struct str){s->p, name.n}, name))
        return false;
    const bool is_last = left == name.n + 1;
    if (!is_last && s->p[name.n + 1] != ' ')
        return false;
    s->p += name.n + 2 - is_last;
    return true;
}

/* --- values --- */

struct unit {
    struct str name;
    uint32_t times, by; /* of ms or MB: value * times / by */
};

/* Lambda writes ms and MB so far. */
static const struct unit duration_units[] = {
    {{"ms", 2}, 1, 1}, {{"s", 1}, 1000, 1}, {{"us", 2}, 1, 1000}, {{"\xC2\xB5s", 3}, 1, 1000}};
static const struct unit size_units[] = {{{"MB", 2}, 1, 1},
                                         {{"GB", 2}, 1024, 1},
                                         {{"KB", 2}, 1, 1024},
                                         {{"MiB", 3}, 1, 1},
                                         {{"GiB", 3}, 1024, 1}};

/* Units are two or three bytes long. */
static bool is_unit(const struct unit *u, struct str name)
{
    return u->name.n == name.n && u->name.p[0] == name.p[0] &&
           u->name.p[name.n - 1] == name.p[name.n - 1] && (name.n <= 2 || str_eq(u->name, name));
}

/* "2.46 ms", "128 MB": a number, one blank, the unit. */
static const struct unit *take_quantity(struct scanner *s, const struct unit *units, size_t n,
                                        struct str *number)
{
    struct str name;

    if (!take_word(s, number) || !take(s, " ", 1) || !take_word(s, &name))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (is_unit(&units[i], name))
            return &units[i];
    return NULL;
}

/* The digits at p, up to `stop`, behind those of v. */
static const char *take_digits(const char *p, const char *stop, uint64_t *v)
{
    unsigned digit;

    for (; p <= stop && (digit = (unsigned)(*p - '0')) <= 9; p++)
        *v = *v * 10 + digit;
    return p;
}

/* A quantity as nearly all lines have it: at most six digits and as many behind a point, the unit
 * and a tab ("169.84 ms", "512 MB"). Not taken where it is another: the general way reads those. */
static bool take_usual(struct scanner *s, const char unit[END_OF_USUAL], int64_t *millionths)
{
    enum { MOST_DIGITS = 6 };
    static const uint64_t scales[MOST_DIGITS + 1] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const char *const stop = s->end - END_OF_USUAL;
    uint64_t v = 0;
    const char *const point = take_digits(s->p, stop, &v);
    const bool is_whole = point > stop || *point != '.';
    const char *p = is_whole ? point : take_digits(point + 1, stop, &v);
    const size_t n = (size_t)(point - s->p), decimals = is_whole ? 0 : (size_t)(p - point) - 1;

    if (p > stop || n == 0 || n > MOST_DIGITS || (decimals == 0 && !is_whole) ||
        decimals > MOST_DIGITS || memcmp(p, unit, END_OF_USUAL) != 0)
        return false;
    *millionths = (int64_t)(v * scales[decimals]);
    s->p = p + END_OF_USUAL - 1;
    return true;
}

static bool take_duration(struct scanner *s, int64_t *ns)
{
    struct str number;

    if (take_usual(s, " ms\t", ns)) /* a millionth of it is a nanosecond */
        return true;
    const struct unit *u = take_quantity(s, duration_units, ARRAY_LEN(duration_units), &number);

    if (u == NULL || !scan_ms(number, ns) || *ns > INT64_MAX / u->times)
        return false;
    *ns = *ns * u->times / u->by;
    return true;
}

static bool take_size(struct scanner *s, uint64_t *bytes)
{
    struct str number;
    int64_t millionths;

    if (take_usual(s, " MB\t", &millionths)) {
        *bytes = (uint64_t)(millionths / 1000000) << 20;
        return millionths % 1000000 == 0;
    }
    const struct unit *u = take_quantity(s, size_units, ARRAY_LEN(size_units), &number);

    if (u == NULL || !scan_mb(number, bytes))
        return false;
    *bytes = *bytes / u->by * u->times;
    return true;
}

/* Free text ends at a tab, a line end, or where a blank is followed by a label of this line. */
static bool take_text(struct scanner *s, struct str *out)
{
    const char *from = s->p;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '\t' || *s->p == '\n' || *s->p == '\r' || at_escaped_blank(s))
            break;
        if (*s->p != ' ' || is_tabbed(s))
            continue;
        struct scanner ahead = *s;
        bool is_next = false;
        skip_gap(&ahead);
        for (size_t i = 0; i < s->kind->n && !is_next; i++)
            is_next = take_label(&ahead, s->kind->labels[i].name);
        if (is_next)
            break;
    }
    *out = str_trim_right((struct str){from, (size_t)(s->p - from)});
    return out->n > 0;
}

/* "[INVOKE, SHUTDOWN]" -> "INVOKE, SHUTDOWN" */
static bool take_list(struct scanner *s, struct str *out)
{
    if (s->p == s->end || *s->p != '[')
        return false;
    const char *close = memchr(s->p, ']', (size_t)(s->end - s->p));
    if (close == NULL)
        return false;
    *out = (struct str){s->p + 1, (size_t)(close - s->p - 1)};
    s->p = close + 1;
    return memchr(out->p, '\n', out->n) == NULL;
}

static bool take_bool(struct scanner *s, bool *out)
{
    struct str word;
    if (!take_word(s, &word))
        return false;
    *out = str_eq(word, STR("true"));
    return *out || str_eq(word, STR("false"));
}

/* "SegmentId: " and its tab: a part without a value costs no line. */
static bool is_left_empty(const struct scanner *s)
{
    return is_tabbed(s) && (s->p == s->end || *s->p == '\t' || *s->p == '\n');
}

static bool take_value(struct scanner *s, const struct label *l)
{
    assert(l->offset < sizeof(struct platform_event));
    char *member = (char *)s->out + l->offset;
    struct str text = {0};
    int64_t ns = 0;
    uint64_t bytes = 0;
    bool flag = false;

    switch (l->type) {
    case VALUE_MS:
        if (!take_duration(s, &ns))
            return false;
        memcpy(member, &ns, sizeof(ns));
        return true;
    case VALUE_MB:
        if (!take_size(s, &bytes))
            return false;
        memcpy(member, &bytes, sizeof(bytes));
        return true;
    case VALUE_BOOL:
        if (!take_bool(s, &flag))
            return false;
        memcpy(member, &flag, sizeof(flag));
        return true;
    case VALUE_WORD:
    case VALUE_NAME:
    case VALUE_TEXT:
    case VALUE_LIST:
        break;
    }
    const bool is_word = l->type == VALUE_WORD || (l->type == VALUE_NAME && !is_tabbed(s));
    bool is_ok = l->type == VALUE_LIST ? take_list(s, &text)
                 : is_word             ? take_word(s, &text)
                                       : take_text(s, &text);
    if (!is_ok && l->type != VALUE_LIST && l->type != VALUE_TEXT)
        is_ok = is_left_empty(s);
    memcpy(member, &text, sizeof(text));
    return is_ok;
}

/* --- labels --- */

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
}

/* "Some New Label: value": begins with a capital, has words of letters and digits only. */
static bool take_unknown(struct scanner *s)
{
    const char *from = s->p;
    struct str value;

    if (*from < 'A' || *from > 'Z' || (is_tabbed(s) && from[-1] != '\t' && from[-1] != '\n'))
        return false;
    while (s->p < s->end && s->p - from < MAX_LABEL && is_label_char(*s->p))
        s->p++;
    struct str name = {from, (size_t)(s->p - from)};
    if (!take(s, ": ", 2) || !take_text(s, &value))
        return false;
    struct str before = s->out->extras;
    s->out->extras =
        arena_printf(&s->batch->arena, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(before),
                     before.n > 0 ? "\t" : "", STR_ARG(name), STR_ARG(value));
    s->n_unknown++;
    return true;
}

/* Labels come in the order of the table mostly, so the search goes on where the last one stood. A
 * value we cannot read costs the line only where the line is nothing without it. */
static bool take_part(struct scanner *s, size_t *next)
{
    const struct line_kind *k = s->kind;
    const char *from = s->p;

    assert(s->p < s->end && k->n <= 64 && *next <= k->n);
    for (size_t tried = 0, i = *next; tried < k->n; tried++, i++) {
        i = i < k->n ? i : 0;
        const struct label *l = &k->labels[i];
        if (!take_label(s, l->name))
            continue;
        if ((s->seen >> i & 1) != 0)
            return false;
        s->seen |= UINT64_C(1) << i;
        *next = i + 1;
        if (take_value(s, l)) {
            s->out->has |= l->has;
            return true;
        }
        if (i < k->required)
            return false;
        s->p = from;
        break;
    }
    return (k->is_open || is_tabbed(s)) && take_unknown(s);
}

static bool take_parts(struct scanner *s)
{
    size_t next = 0;

    for (;;) {
        bool is_gap = skip_gap(s);
        if (s->p == s->end)
            break;
        if (!is_gap || !take_part(s, &next))
            return false;
    }
    assert(s->kind->required <= s->kind->n);
    uint64_t required = (UINT64_C(1) << s->kind->required) - 1;
    return (s->seen & required) == required;
}

/* --- lines --- */

static bool is_version(struct str v)
{
    if (v.n > 0 && v.p[0] == '$')
        return str_starts(v, STR("$LATEST"));
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n > 0;
}

/* Trace ids are "1-8 hex-24 hex"; documentation shortens them, so only letters count. */
static bool is_trace_id(struct str t)
{
    return t.n == 0 || scan_trace_id(t).n == t.n;
}

static bool is_plausible(const struct platform_event *p)
{
    return is_trace_id(p->trace_header) && (p->kind != PLATFORM_START || is_version(p->version));
}

static bool take_id(struct scanner *s, struct str *id)
{
    if (!take_label(s, STR("RequestId")) || !scan_uuid((struct str){s->p, (size_t)(s->end - s->p)}))
        return false;
    *id = (struct str){s->p, UUID_LEN};
    s->p += UUID_LEN;
    return true;
}

static void accept(struct log_record *r, const struct platform_event *p)
{
    assert(r->platform == NULL && p->kind < PLATFORM_KINDS);
    r->kind = RECORD_PLATFORM;
    r->platform = p;
}

static void accept_copy(struct log_record *r, const struct platform_event *p, struct batch *b)
{
    struct platform_event *kept = arena_alloc(&b->arena, sizeof(*kept));

    *kept = *p;
    accept(r, kept);
}

static bool decode_labelled(const struct line_kind *k, struct str line, struct log_record *r,
                            struct batch *b)
{
    struct scanner s = {
        .p = line.p + k->head.n, .end = line.p + line.n, .kind = k, .line = line, .batch = b};
    struct str id = {0};

    if (k->has_id && (!skip_gap(&s) || !take_id(&s, &id)))
        return false;
    s.out = arena_new(&b->arena, struct platform_event, 1);
    s.out->kind = k->kind;
    if (!take_parts(&s) || !is_plausible(s.out)) {
        arena_shrink(&b->arena, s.out, sizeof(*s.out), 0);
        return false;
    }
    r->invocation_id = id;
    r->trace_id = s.out->trace_header;
    b->counts.unknown_labels += s.n_unknown;
    accept(r, s.out);
    return true;
}

/* Where a word of 19 to 31 characters ends with a blank; 0: what begins the line is no such time.
 */
static size_t time_length(struct str line)
{
    enum { SHORTEST = 19, LONGEST = 31 };
    size_t n = SHORTEST;

    if (line.n <= LONGEST || line.p[10] == ' ')
        return 0;
    while (n < LONGEST && (unsigned char)line.p[n] > ' ')
        n++;
    return line.p[n] == ' ' ? n : 0;
}

/* Seconds scan like milliseconds and are a thousand times as long. */
static bool take_timeout(struct scanner *s, struct platform_event *p)
{
    struct str number;

    if (!take(s, "Task timed out after ", 21) || !take_word(s, &number) ||
        !take(s, " seconds", 8) || !scan_ms(number, &p->timeout_ns) || p->timeout_ns > NS_PER_DAY)
        return false;
    p->timeout_ns *= 1000;
    return true;
}

/* "2024-07-07T08:48:35.401Z <uuid> Task timed out after 3.02 seconds" */
static bool decode_timeout(struct str line, struct log_record *r, struct batch *b)
{
    const size_t time = time_length(line);
    struct str id = str_sub(line, time + 1, UUID_LEN);

    if (time == 0 || id.n != UUID_LEN || !scan_uuid(id))
        return false;
    struct platform_event p = {.kind = PLATFORM_TIMEOUT, .has = PH_TIME};
    struct scanner s = {.p = id.p + UUID_LEN, .end = line.p + line.n};
    if (!take(&s, " ", 1) || !time_parse(str_sub(line, 0, time), &p.at_ns) || !take_timeout(&s, &p))
        return false;
    skip_gap(&s);
    if (s.p != s.end)
        return false;
    r->invocation_id = id;
    accept_copy(r, &p, b);
    return true;
}

/* The type on the second line: "Runtime.ExitError". */
static bool take_error_type(struct scanner *s, struct str *type)
{
    if (s->p == s->end)
        return true;
    if (!skip_gap(s))
        return false;
    if (s->p < s->end && !take_word(s, type))
        return false;
    bool is_type = type->n == 0 || str_starts(*type, STR("Runtime.")) ||
                   str_starts(*type, STR("Extension.")) || str_starts(*type, STR("Sandbox.")) ||
                   str_starts(*type, STR("Function."));
    skip_gap(s);
    return is_type && s->p == s->end;
}

static void take_message(struct scanner *s, struct str *message)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p != '\n' && *s->p != '\r' && !at_escaped_newline(s))
        s->p++;
    *message = str_trim_right((struct str){from, (size_t)(s->p - from)});
}

/* Message and type; nothing else may follow. */
static bool take_exit(struct scanner *s, struct platform_event *p)
{
    take_message(s, &p->error_message);
    return take_error_type(s, &p->error_type);
}

static bool is_exit_message(const struct platform_event *p)
{
    return p->error_type.n > 0 || str_starts(p->error_message, STR("Runtime exited")) ||
           str_eq(p->error_message, STR("Process exited before completing request"));
}

/* "RequestId: <uuid> Error: Runtime exited with error: signal: killed\nRuntime.ExitError" */
static bool decode_exit(struct str line, struct log_record *r, struct batch *b)
{
    struct platform_event p = {.kind = PLATFORM_RUNTIME_EXIT};
    struct scanner s = {.p = line.p, .end = line.p + line.n, .batch = b};
    struct str id, type = {0};

    if (!take_id(&s, &id) || s.p == s.end || *s.p != ' ')
        return false;
    s.p++;
    if ((size_t)(s.end - s.p) > 7 && memcmp(s.p, "Error: ", 7) == 0)
        s.p += 7;
    /* A time-out is written so in the answer to the caller: "Sandbox.Timedout". */
    const bool is_timeout = take_timeout(&s, &p);
    if (is_timeout ? !take_error_type(&s, &type) : !take_exit(&s, &p) || !is_exit_message(&p))
        return false;
    p.kind = is_timeout ? PLATFORM_TIMEOUT : PLATFORM_RUNTIME_EXIT;
    r->invocation_id = id;
    accept_copy(r, &p, b);
    return true;
}

/* Images and custom runtimes: no request id. */
static bool decode_unknown_exit(struct str line, struct log_record *r, struct batch *b)
{
    struct platform_event p = {.kind = PLATFORM_RUNTIME_EXIT};
    struct scanner s = {.p = line.p, .end = line.p + line.n, .batch = b};

    if (!take_exit(&s, &p) || p.error_type.n == 0 ||
        !str_eq(p.error_message, STR("Unknown application error occurred")))
        return false;
    accept_copy(r, &p, b);
    return true;
}

static bool is_imitation(const struct line_kind *k, struct str line)
{
    const struct str rest = str_trim(str_skip(line, k->head.n));

    return k->has_id ? str_starts(rest, STR("RequestId:")) : k->is_distinct;
}

bool aws_lambda_text(struct str line, struct log_record *r, struct batch *b)
{
    if (line.n < 8)
        return false;
    if (line.p[0] >= '0' && line.p[0] <= '9')
        return decode_timeout(line, r, b);
    if (line.p[0] < 'E' || line.p[0] > 'U')
        return false;
    if (line.p[0] == 'U')
        return decode_unknown_exit(line, r, b);
    if (line.p[0] == 'R' && str_starts(line, STR("RequestId: ")))
        return decode_exit(line, r, b);
    const struct line_kind *k = lambda_line_kind(line);
    if (k == NULL)
        return false;
    if (decode_labelled(k, line, r, b))
        return true;
    r->is_imitation = is_imitation(k, line);
    return false;
}
