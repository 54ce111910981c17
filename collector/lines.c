/* Files of text lines. One pass: a line that begins like the file's form starts an event, any other
 * line goes on with the event before (stack traces, REPORT with its XRAY line, pretty JSON). In
 * bare files, where nothing marks a start, lines that can only be continuations are joined. */
#include "collector/lines.h"

#include <assert.h>
#include <string.h>

#include "core/base/timefmt.h"

enum { HEAD_BYTES = 64 << 10 }; /* shows the form */

/* --- one line's prefix
 * ----------------------------------------------------------------------------------------- */

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
    if (second == behind.n)
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

/* What begins an event in a file with prefixes; FORM_UNKNOWN: this line does not. */
static enum line_form read_prefix(struct str line, struct raw_event *ev)
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

/* --- bare lines
 * ------------------------------------------------------------------------------------------------
 */

/* Lines that never begin an event: indented ones, parts of stack traces, the XRAY line of a REPORT,
 * the type line of an exit. */
static bool is_continuation(struct str line)
{
    static const struct str openings[] = {
        {"XRAY TraceId", 12},
        {"Traceback (most recent", 22},
        {"Caused by:", 10},
        {"Runtime.", 8},
        {"}", 1},
        {"\xC2\xA0", 2},
    };
    if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t')
        return true;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts(line, openings[i]))
            return true;
    return false;
}

/* --- the file
 * -----------------------------------------------------------------------------------------------
 */

/* Takes the n bytes and the line end behind them. */
static struct str cut_line(struct str *rest, size_t n)
{
    struct str line = str_sub(*rest, 0, n);

    *rest = str_skip(*rest, n + 1);
    return line;
}

static bool next_line(struct str *rest, struct str *line)
{
    if (rest->n == 0)
        return false;
    *line = cut_line(rest, str_find_char(*rest, '\n'));
    return true;
}

/* A platform line with nothing in front: in files with prefixes only a forgery looks so. */
static bool is_bare_platform(struct str line)
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

enum line_form lines_detect(struct str head)
{
    enum { LOOK_AT = 200 };
    size_t votes[LINE_FORMS] = {0};
    struct csv_columns csv;
    struct str line;
    enum line_form best = FORM_BARE;

    size_t end = str_find_char(head, '\n');
    if (end < 512 && csv_header(str_trim(str_sub(head, 0, end)), &csv))
        return FORM_CSV;
    for (size_t i = 0; i < LOOK_AT && next_line(&head, &line); i++) {
        struct raw_event ev = {0};
        votes[read_prefix(line, &ev)]++;
        votes[FORM_BARE] += is_bare_platform(line);
    }
    for (size_t f = FORM_TABBED; f < LINE_FORMS; f++)
        if (f != FORM_BARE && votes[f] > 0 && votes[f] >= votes[best])
            best = (enum line_form)f;
    return best;
}

bool lines_look_like_log(struct str head)
{
    struct str line;
    int64_t t_ns;

    if (lines_detect(head) != FORM_BARE)
        return true;
    while (next_line(&head, &line))
        if (is_bare_platform(line) || (event_own_time(line, &t_ns) && event_time_is_near(t_ns)))
            return true;
    return false;
}

struct feeder {
    struct lines_state *s;
    const struct decode_input *in;
    struct batch *out;
};

static void add(struct feeder *f, const struct decode_input *in, const struct raw_event *ev)
{
    size_t before = f->out->n_records;

    event_add(&f->s->maker, in, ev, f->out);
    if (f->out->n_records > before)
        open_requests_hear(&f->s->open, &f->out->records[before], &f->out->arena);
}

static uint64_t offset_of(const struct feeder *f, const char *p)
{
    return f->in->offset + (uint64_t)(p - f->in->bytes.p);
}

/* --query 'events[].message' --output text puts a tab between messages, each with its line end: a
 * tab in front of what begins an event by itself is none of the event's. */
static struct str skip_joint(struct str line)
{
    struct str rest = str_skip(line, 1);
    int64_t t_ns;

    if (!str_starts(line, STR("\t")))
        return line;
    return is_bare_platform(rest) || event_own_time(rest, &t_ns) ? rest : line;
}

/* The time of the first line that has one: lines before it, START above all, are of that moment
 * rather than of the day of the import. */
static void find_first_time(struct lines_state *s, struct str head)
{
    struct str line;

    while (!s->has_last_time && next_line(&head, &line)) {
        struct raw_event ev = {0};
        const bool is_prefixed = s->form == FORM_STREAM_FIRST && read_prefix(line, &ev) == s->form;
        s->last_time_ns = ev.time_ns;
        s->has_last_time = (ev.has_time || event_own_time(is_prefixed ? ev.body : skip_joint(line),
                                                          &s->last_time_ns)) &&
                           event_time_is_near(s->last_time_ns);
    }
}

/* Lines that begin something: what came before them has nothing to do with their time. */
static bool begins_run(struct str line)
{
    return str_starts(line, STR("START RequestId: ")) || str_starts(line, STR("INIT_START "));
}

enum run_time { RUN_HAS_NONE, RUN_HAS_TIME, RUN_GOES_ON };

/* The time of the run that begins at `rest`: that of its first line that has one. */
static enum run_time find_run_time(struct str rest, int64_t *t_ns)
{
    struct str line;

    for (bool is_first = true; next_line(&rest, &line); is_first = false) {
        if (!is_first && !begins_run(line) && is_bare_platform(line))
            return RUN_HAS_NONE;
        if (event_own_time(skip_joint(line), t_ns) && event_time_is_near(*t_ns))
            return RUN_HAS_TIME;
    }
    return RUN_GOES_ON;
}

/* The whole lines from `p` on. */
static struct str lines_from(const struct feeder *f, const char *p)
{
    struct str rest = {p, (size_t)(f->in->bytes.p + f->in->bytes.n - p)};

    while (!f->in->is_last && rest.n > 0 && rest.p[rest.n - 1] != '\n')
        rest.n--;
    return rest;
}

/* Whether more bytes must come before it is known when the event began. */
static bool awaits_time(const struct feeder *f, const struct raw_event *ev)
{
    int64_t t_ns;

    return f->s->form == FORM_BARE && !f->in->is_last && ev->body.p != NULL &&
           begins_run(ev->body) && lines_from(f, ev->body.p).n < PENDING_MAX_BYTES &&
           find_run_time(lines_from(f, ev->body.p), &t_ns) == RUN_GOES_ON;
}

/* A bare line without a time borrows that of the line before, the first one of a run that of the
 * line behind; its place then names it, and reading must resume at the line that had the time. */
static void add_bare(struct feeder *f, struct raw_event *ev)
{
    struct import_defaults defaults = *f->in->defaults;
    struct decode_input in = *f->in;

    if (str_trim(ev->body).n == 0)
        return;
    f->s->is_timeless = true;
    if (f->s->form == FORM_BARE && begins_run(ev->body) &&
        find_run_time(lines_from(f, ev->body.p), &ev->time_ns) == RUN_HAS_TIME) {
        f->s->last_time_ns = ev->time_ns;
        f->s->has_last_time = true;
    }
    ev->has_time = event_own_time(ev->body, &ev->time_ns);
    if (ev->has_time) {
        f->s->last_time_ns = ev->time_ns;
        f->s->has_last_time = true;
        f->s->anchor = ev->mark;
    } else if (f->s->has_last_time) {
        defaults.now_ns = f->s->last_time_ns;
        ev->is_time_near = true;
        in.defaults = &defaults;
    }
    add(f, &in, ev);
}

static void add_event(struct feeder *f, struct raw_event *ev, const char *start)
{
    ev->mark = (struct decode_mark){offset_of(f, start), (uint64_t)f->s->form};
    if (f->s->form == FORM_STREAM && ev->body.n > 0 && ev->body.p[0] == '\n')
        ev->body = str_skip(ev->body, 1); /* pretty JSON begins on a line of its own */
    const bool is_timeless = f->s->form == FORM_STREAM_FIRST && !ev->has_time && ev->stream.n > 0;
    if (f->s->form == FORM_BARE || is_timeless) {
        add_bare(f, ev);
    } else if (ev->has_time) {
        add(f, f->in, ev);
    } else if (str_trim(ev->body).n > 0) {
        f->s->maker.n_events++;
        event_quarantine(&f->s->maker, f->in, ev->mark.offset, ev->body,
                         "text that belongs to no event: the line has no time", f->out);
    }
}

/* Does this line begin an event? If so its parts are in ev. */
static bool begins_event(const struct lines_state *s, struct str line, struct raw_event *ev)
{
    if (s->form == FORM_BARE) {
        ev->body = skip_joint(line);
        return ev->body.p > line.p || !is_continuation(line);
    }
    return read_prefix(line, ev) == s->form;
}

/* The rest of a line that was too long to wait for its end. */
static struct str skip_long_line(struct feeder *f)
{
    struct str rest = f->in->bytes;

    if (!f->s->is_skipping)
        return rest;
    size_t n = str_find_char(rest, '\n');
    f->s->is_skipping = n == rest.n;
    return str_skip(rest, n + 1);
}

/* Hands on the open event, which ends at `stop`. */
static void close_event(struct feeder *f, struct raw_event *open, const char *start,
                        const char *stop)
{
    if (start == NULL)
        return;
    assert(open->body.p >= start && open->body.p <= stop);
    open->body.n = (size_t)(stop - open->body.p);
    add_event(f, open, start);
}

/* Events are handed on when the next one begins: until then lines may follow. */
static const char *walk_lines(struct feeder *f)
{
    struct str rest = skip_long_line(f);
    struct raw_event open = {0};
    const char *start = NULL;

    while (rest.n > 0) {
        const char *at = rest.p;
        size_t n = str_find_char(rest, '\n');
        bool is_cut = n == rest.n && !f->in->is_last;
        if (is_cut && rest.n < PENDING_MAX_BYTES)
            break;
        f->s->is_skipping = is_cut;
        struct str line = cut_line(&rest, n);
        struct raw_event ev = {0};
        if (!begins_event(f->s, line, &ev) && start != NULL)
            continue;
        if (start != NULL && awaits_time(f, &open))
            return start;
        close_event(f, &open, start, at);
        start = at;
        open = ev;
        if (ev.body.p == NULL)
            open.body = line; /* the file begins inside an event */
    }
    const char *stop = rest.p;
    bool is_waiting = !f->in->is_last && !f->s->is_skipping && start != NULL &&
                      (size_t)(stop - start) < PENDING_MAX_BYTES;
    if (is_waiting)
        return start;
    close_event(f, &open, start, stop);
    return stop;
}

static const char *walk_csv(struct feeder *f)
{
    struct str rest = f->in->bytes;

    while (rest.n > 0) {
        struct raw_event ev = {0};
        bool is_complete;
        const char *start = rest.p;
        size_t n = csv_record(rest, &f->s->columns, &f->out->arena, &ev, &is_complete);
        if (!is_complete && !f->in->is_last && rest.n < PENDING_MAX_BYTES)
            return start;
        rest = str_skip(rest, n);
        if (ev.has_time) {
            add_event(f, &ev, start);
        } else if (str_trim((struct str){start, n}).n > 0) {
            f->s->maker.n_events++;
            event_quarantine(&f->s->maker, f->in, offset_of(f, start), (struct str){start, n},
                             "a CSV record without a time", f->out);
        }
    }
    return rest.p;
}

enum status lines_decode(void *state, const struct decode_input *in, struct batch *out,
                         size_t *used, struct err *e)
{
    struct lines_state *s = state;
    struct feeder f = {.s = s, .in = in, .out = out};
    const char *from = in->bytes.p;

    UNUSED(e);
    *used = 0;
    if (s->form == FORM_UNKNOWN && !in->is_last && in->bytes.n < HEAD_BYTES)
        return OK;
    if (s->form == FORM_UNKNOWN) {
        s->form = lines_detect(str_sub(in->bytes, 0, HEAD_BYTES));
        if (s->form == FORM_BARE || s->form == FORM_STREAM_FIRST)
            find_first_time(s, str_sub(in->bytes, 0, HEAD_BYTES));
    }
    if (s->form == FORM_CSV && s->columns.n == 0) {
        size_t end = str_find_char(in->bytes, '\n');
        if (end == in->bytes.n && !in->is_last)
            return OK;
        csv_header(str_trim(str_sub(in->bytes, 0, end)), &s->columns);
        from = in->bytes.p + (end < in->bytes.n ? end + 1 : end);
    }
    struct decode_input piece = *in;
    piece.offset += (uint64_t)(from - in->bytes.p);
    piece.bytes = str_skip(in->bytes, (size_t)(from - in->bytes.p));
    f.in = &piece;
    const char *to = s->form == FORM_CSV ? walk_csv(&f) : walk_lines(&f);
    assert(to >= from && to <= in->bytes.p + in->bytes.n);
    *used = (size_t)(to - in->bytes.p);
    return OK;
}

void lines_close(void *state)
{
    struct lines_state *s = state;
    event_maker_clear(&s->maker);
}

/* A CSV file's header stands at its start: it is read again from there. */
struct decode_mark lines_mark(const void *state)
{
    const struct lines_state *s = state;
    if (s->form == FORM_CSV)
        return (struct decode_mark){0};
    const bool is_borrowing =
        s->form == FORM_BARE || (s->form == FORM_STREAM_FIRST && s->is_timeless);
    return is_borrowing ? s->anchor : s->maker.run_mark;
}

void lines_resume(void *state, const struct decode_mark *m)
{
    struct lines_state *s = state;
    if (m->offset > 0 && m->mode > FORM_UNKNOWN && m->mode < LINE_FORMS)
        s->form = (enum line_form)m->mode;
    assert(!s->has_last_time);
    s->maker.run_mark = s->anchor = *m;
}
