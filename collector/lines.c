/* Files of text lines. One pass: a line that begins like the file's form starts an event, any other
 * line goes on with the event before (stack traces, REPORT with its XRAY line, pretty JSON). In
 * bare files, where nothing marks a start, lines that can only be continuations are joined. */
#include "collector/lines.h"

#include <assert.h>
#include <string.h>

#include "collector/line_escapes.h"
#include "collector/line_prefix.h"
#include "collector/stand_in.h"
#include "collector/trace_lines.h"

enum { HEAD_BYTES = 64 << 10 }; /* shows the form */

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

/* How many lines of the head speak for a form, and how many of them are the platform's. */
struct ballot {
    size_t lines[LINE_FORMS], platform[LINE_FORMS];
};

static void vote(struct ballot *b, struct str line)
{
    struct raw_event ev = {0};
    enum line_form form = prefix_read(line, &ev);

    if (form == FORM_UNKNOWN && prefix_is_platform(line)) {
        form = FORM_BARE;
        ev.body = line;
    } else if (form == FORM_UNKNOWN && prefix_read_loose(line, &ev) &&
               prefix_is_platform(ev.body)) {
        form = FORM_LOOSE;
    }
    b->lines[form]++;
    b->platform[form] += prefix_is_platform(ev.body);
}

/* Messages only, of which most have no mark of their own. */
static bool is_bare(enum line_form form)
{
    return form == FORM_BARE || form == FORM_JOINED;
}

/* --query 'events[].message' --output text puts a tab between messages, each with its line end: all
 * platform lines have one in front but for the file's first. */
static bool is_joined(struct str head)
{
    struct str line;
    size_t joined = 0;

    for (bool is_first = true; next_line(&head, &line); is_first = false) {
        if (!is_first && prefix_is_platform(line))
            return false;
        joined += str_starts(line, STR("\t")) && prefix_is_platform(str_skip(line, 1));
    }
    return joined > 0;
}

/* A function may print what looks like that, but neither at the head of the file nor more often
 * than the platform writes its own lines. */
static bool is_loose(const struct ballot *b, struct str head)
{
    enum { WITH_TITLE = 2 };
    struct raw_event ev = {0};
    struct str line;
    bool is_first = false;

    for (size_t f = FORM_TABBED; f < LINE_FORMS; f++)
        if (f != FORM_LOOSE && b->platform[f] >= b->platform[FORM_LOOSE])
            return false;
    for (size_t i = 0; i < WITH_TITLE && next_line(&head, &line); i++)
        is_first |= prefix_read_loose(line, &ev);
    return is_first;
}

enum line_form lines_detect(struct str head)
{
    enum { LOOK_AT = 200 };
    struct ballot b = {0};
    struct csv_columns csv;
    struct str line, rest = head;
    enum line_form best = FORM_BARE;

    if (str_find_char(head, '\n') < 512 && csv_header(head, &csv))
        return FORM_CSV;
    if (escapes_are_of(head))
        return FORM_ESCAPED;
    for (size_t i = 0; i < LOOK_AT && next_line(&rest, &line); i++)
        vote(&b, line);
    if (is_loose(&b, head))
        return FORM_LOOSE;
    for (size_t f = FORM_TABBED; f < FORM_LOOSE; f++)
        if (f != FORM_BARE && b.lines[f] > 0 && b.lines[f] >= b.lines[best])
            best = (enum line_form)f;
    return best == FORM_BARE && is_joined(head) ? FORM_JOINED : best;
}

bool lines_look_like_log(struct str head)
{
    struct str line;
    int64_t t_ns;

    if (!is_bare(lines_detect(head)))
        return true;
    while (next_line(&head, &line))
        if (prefix_is_platform(line) || (event_own_time(line, &t_ns) && event_time_is_near(t_ns)))
            return true;
    return false;
}

struct feeder {
    struct lines_state *s;
    const struct decode_input *in;
    struct batch *out;
    struct prefix_memo before; /* of the line before in this piece */
    bool is_continued;         /* the open event has more than one line */
};

static void add(struct feeder *f, const struct decode_input *in, const struct raw_event *ev)
{
    size_t before = f->out->n_records;

    event_add(&f->s->maker, in, ev, f->out);
    if (f->out->n_records == before)
        return;
    struct log_record *r = &f->out->records[before];
    if (r->arrival == 0)
        open_requests_hear(&f->s->open, r, &f->out->arena);
}

static uint64_t offset_of(const struct feeder *f, const char *p)
{
    return f->in->offset + (uint64_t)(p - f->in->bytes.p);
}

/* A tab in front of what begins an event by itself is none of the event's. */
static struct str skip_joint(struct str line)
{
    struct str rest = str_skip(line, 1);
    int64_t t_ns;

    if (!str_starts(line, STR("\t")))
        return line;
    return prefix_is_platform(rest) || event_own_time(rest, &t_ns) ? rest : line;
}

/* The time of the first line that has one: lines before it, START above all, are of that moment
 * rather than of the day of the import. */
static void find_first_time(struct lines_state *s, struct str head)
{
    struct str line;

    while (!s->has_last_time && next_line(&head, &line)) {
        struct raw_event ev = {0};
        const bool is_prefixed = s->form == FORM_STREAM_FIRST && prefix_read(line, &ev) == s->form;
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
        line = skip_joint(line);
        if (!is_first && !begins_run(line) && prefix_is_platform(line))
            return RUN_HAS_NONE;
        if (event_own_time(line, t_ns) && event_time_is_near(*t_ns))
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

/* Whether more bytes must come before it is known when the run began: one of its lines says it, or
 * its REPORT, which attempt it is. */
static bool awaits_time(const struct feeder *f, const struct raw_event *ev)
{
    struct str report;
    int64_t t_ns;

    if (!is_bare(f->s->form) || f->in->is_last || ev->body.p == NULL || !begins_run(ev->body))
        return false;
    const struct str run = lines_from(f, ev->body.p);
    const enum run_time found = find_run_time(run, &t_ns);
    if (run.n >= PENDING_MAX_BYTES || found == RUN_HAS_TIME)
        return false;
    return found == RUN_GOES_ON || (!f->s->has_last_time && f->in->defaults->stand_ins != NULL &&
                                    !stand_in_sees_end(run, &report));
}

/* Whether nothing before a line that has no time, nor near it, says when it was or whose it is. */
static bool stands_alone(const struct feeder *f, const struct raw_event *ev)
{
    const struct stand_ins *known = f->in->defaults->stand_ins;

    return known != NULL && f->s->open.n == 0 && (begins_run(ev->body) || !stand_in_is_open(known));
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
    if (defaults.stand_ins != NULL)
        defaults.stand_ins->ahead = lines_from(f, ev->body.p);
    if (is_bare(f->s->form) && begins_run(ev->body) &&
        find_run_time(lines_from(f, ev->body.p), &ev->time_ns) == RUN_HAS_TIME) {
        f->s->last_time_ns = ev->time_ns;
        f->s->has_last_time = true;
    }
    ev->has_time = event_own_time(ev->body, &ev->time_ns) && event_time_is_near(ev->time_ns);
    if (ev->has_time) {
        f->s->last_time_ns = ev->time_ns;
        f->s->has_last_time = true;
        f->s->anchor = ev->mark;
    } else if (f->s->has_last_time) {
        defaults.now_ns = f->s->last_time_ns;
        ev->is_time_near = true;
        in.defaults = &defaults;
    } else if (stands_alone(f, ev)) {
        f->s->anchor = ev->mark;
    }
    add(f, &in, ev);
}

static void add_event(struct feeder *f, struct raw_event *ev, const char *start)
{
    ev->mark = (struct decode_mark){
        .offset = offset_of(f, start),
        .mode = (uint64_t)f->s->form,
        .chain = f->s->maker.chain,
        .line = f->s->n_lines + 1,
    };
    if (f->s->form == FORM_STREAM && ev->body.n > 0 && ev->body.p[0] == '\n')
        ev->body = str_skip(ev->body, 1); /* pretty JSON begins on a line of its own */
    if (f->s->form == FORM_ESCAPED)
        ev->body = escapes_undo(ev->body, &f->out->arena);
    const bool is_timeless = f->s->form == FORM_STREAM_FIRST && !ev->has_time && ev->stream.n > 0;
    if (is_bare(f->s->form) || is_timeless) {
        add_bare(f, ev);
    } else if (ev->has_time) {
        add(f, f->in, ev);
    } else if (str_trim(ev->body).n > 0) {
        f->s->maker.n_events++;
        event_quarantine(&f->s->maker, f->in, &ev->mark, ev->body,
                         "text that belongs to no event: the line has no time", f->out);
    }
}

/* Where messages are joined by tabs, what has none in front goes on; of the rest those that a trace
 * indents so. */
static bool goes_on_joined(struct trace *t, struct str line, struct str behind, struct arena *a)
{
    static const struct str indented[] = {
        {"\tat ", 4}, {"\t... ", 5}, {"\t/", 2}, {"\tSuppressed: ", 13}};

    if (!str_starts(line, STR("\t")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(indented); i++)
        if (str_starts(line, indented[i]))
            return trace_goes_on(t, line, behind, a);
    return false;
}

static bool goes_on(struct feeder *f, struct trace *t, struct str line, struct str behind)
{
    if (t->first.p == NULL)
        return false;
    if (f->s->form == FORM_JOINED)
        return goes_on_joined(t, line, behind, &f->out->arena);
    return skip_joint(line).p == line.p && trace_goes_on(t, line, behind, &f->out->arena);
}

static bool has_fixed_prefix(enum line_form form)
{
    return form != FORM_LOOSE && form != FORM_ESCAPED && !is_bare(form);
}

/* Does this line begin an event? If so its parts are in ev. `t` is of the open event, if any. */
static bool begins_event(struct feeder *f, struct trace *t, struct str line, struct str behind,
                         struct raw_event *ev)
{
    const enum line_form form = f->s->form;

    if (has_fixed_prefix(form))
        return prefix_read_next(&f->before, line, ev) == form;
    *ev = (struct raw_event){0};
    if (!is_bare(form))
        return prefix_read_loose(line, ev);
    if (goes_on(f, t, line, behind))
        return false;
    ev->body =
        form == FORM_JOINED && str_starts(line, STR("\t")) ? str_skip(line, 1) : skip_joint(line);
    trace_open(t, ev->body, behind);
    return true;
}

/* Whether more bytes must come before it is known whether the line goes on with the one before. */
static bool awaits_behind(const struct feeder *f, struct str rest, size_t line)
{
    if (f->in->is_last || rest.n >= PENDING_MAX_BYTES)
        return false;
    return line == rest.n || (is_bare(f->s->form) && rest.n - line - 1 < TRACE_LOOK_AHEAD);
}

/* The rest of a line that was too long to wait for its end. */
static struct str skip_long_line(struct feeder *f)
{
    struct str rest = f->in->bytes;

    if (!f->s->is_skipping)
        return rest;
    size_t n = str_find_char(rest, '\n');
    f->s->is_skipping = n == rest.n;
    f->s->n_lines += n < rest.n;
    return str_skip(rest, n + 1);
}

/* A platform line with the trace of its request; what stands behind it is text: a prompt, say, that
 * was copied from the terminal, too. */
static size_t platform_length(struct str body)
{
    const size_t n = str_find_char(body, '\n');
    const struct str rest = str_skip(body, n + 1);

    return str_starts(rest, STR("XRAY TraceId")) ? n + 1 + str_find_char(rest, '\n') : n;
}

/* Hands on the open event, which ends at `stop`. */
static void close_event(struct feeder *f, struct raw_event *open, const char *start,
                        const char *stop)
{
    if (start == NULL)
        return;
    assert(open->body.p >= start && open->body.p <= stop);
    open->body.n = (size_t)(stop - open->body.p);
    if (!f->is_continued || is_bare(f->s->form) || !prefix_is_platform(open->body)) {
        add_event(f, open, start);
        return;
    }
    struct raw_event text = *open;
    open->body.n = platform_length(open->body);
    text.body = str_skip(text.body, open->body.n + 1);
    add_event(f, open, start);
    int64_t own_ns;
    if (event_own_time(text.body, &own_ns) && event_time_is_near(own_ns))
        text.time_ns =
            own_ns; /* "2024-07-07T08:48:35.401Z <id> Task timed out after 3.02 seconds" */
    if (str_trim(text.body).n > 0)
        add_event(f, &text, text.body.p);
}

/* Whether the last event of the file is still being written. */
static bool is_unfinished(const struct feeder *f, const struct raw_event *open, const char *start)
{
    const char *end = f->in->bytes.p + f->in->bytes.n;

    return f->in->is_unfinished && start != NULL &&
           !event_is_whole((struct str){open->body.p, (size_t)(end - open->body.p)}, f->out);
}

/* Events are handed on when the next one begins: until then lines may follow. */
static const char *walk_lines(struct feeder *f)
{
    struct str rest = skip_long_line(f);
    struct raw_event events[2] = {0}, *open = &events[0], *next = &events[1];
    struct trace trace = {0};
    const char *start = NULL;
    uint64_t n_lines = f->s->n_lines; /* before rest */

    while (rest.n > 0) {
        const char *at = rest.p;
        const uint64_t before = n_lines;
        size_t n = str_find_char(rest, '\n');
        if (awaits_behind(f, rest, n))
            break;
        f->s->is_skipping = n == rest.n && !f->in->is_last;
        n_lines += n < rest.n;
        struct str line = cut_line(&rest, n);
        if (!begins_event(f, &trace, line, rest, next) && start != NULL) {
            f->is_continued = true;
            continue;
        }
        if (start != NULL && awaits_time(f, open))
            return start;
        close_event(f, open, start, at);
        start = at;
        f->is_continued = false;
        f->s->n_lines = before;
        struct raw_event *const closed = open;
        open = next;
        next = closed;
        if (open->body.p == NULL)
            open->body = line; /* the file begins inside an event */
    }
    const char *stop = rest.p;
    bool is_waiting = !f->in->is_last && !f->s->is_skipping && start != NULL &&
                      (size_t)(stop - start) < PENDING_MAX_BYTES;
    if (is_waiting || is_unfinished(f, open, start))
        return start;
    close_event(f, open, start, stop);
    f->s->n_lines = n_lines;
    return stop;
}

/* A field in quotes may have lines. */
static void count_lines(struct lines_state *s, struct str record)
{
    for (size_t i = 0; i < record.n; i++)
        s->n_lines += record.p[i] == '\n';
}

static const char *walk_csv(struct feeder *f)
{
    struct str rest = f->in->bytes;

    while (rest.n > 0) {
        struct raw_event ev = {0};
        bool is_complete;
        const char *start = rest.p;
        size_t n = csv_record(rest, &f->s->columns, &f->out->arena, &ev, &is_complete);
        if (!is_complete && rest.n < PENDING_MAX_BYTES && (!f->in->is_last || f->in->is_unfinished))
            return start;
        rest = str_skip(rest, n);
        if (ev.has_time) {
            add_event(f, &ev, start);
        } else if (str_trim((struct str){start, n}).n > 0) {
            f->s->maker.n_events++;
            const struct decode_mark at = {.offset = offset_of(f, start),
                                           .line = f->s->n_lines + 1};
            event_quarantine(&f->s->maker, f->in, &at, (struct str){start, n},
                             "a CSV record without a time", f->out);
        }
        count_lines(f->s, (struct str){start, n});
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
        if (is_bare(s->form) || s->form == FORM_STREAM_FIRST)
            find_first_time(s, str_sub(in->bytes, 0, HEAD_BYTES));
    }
    if (s->form == FORM_CSV && s->columns.n == 0) {
        size_t end = str_find_char(in->bytes, '\n');
        if (end == in->bytes.n && !in->is_last)
            return OK;
        csv_header(in->bytes, &s->columns);
        from = in->bytes.p + (end < in->bytes.n ? end + 1 : end);
        s->n_lines = 1;
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
    const bool is_borrowing = is_bare(s->form) || (s->form == FORM_STREAM_FIRST && s->is_timeless);
    return is_borrowing ? s->anchor : s->maker.run_mark;
}

void lines_resume(void *state, const struct decode_mark *m)
{
    struct lines_state *s = state;
    if (m->offset > 0 && m->mode > FORM_UNKNOWN && m->mode < LINE_FORMS)
        s->form = (enum line_form)m->mode;
    assert(!s->has_last_time);
    s->maker.run_mark = s->anchor = *m;
    s->maker.chain = m->chain;
    s->n_lines = m->line > 0 ? m->line - 1 : 0;
}
