/* fnscope logs [PATTERN]: search log lines by text, time, function, level, request, trace. */
#include "cli/commands.h"

#include "cli/common.h"
#include "core/base/re.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

struct logs_options {
    struct str level, id, trace, instance;
    int64_t limit;
    bool is_literal, ignore_case, newest;
};

#define AT(member) offsetof(struct logs_options, member)

/* clang-format off */
static const struct opt_def logs_options[] = {
    { .flag = "level", .letter = 'l', .type = OPT_STRING, .offset = AT(level), .value_name = "LEVEL",
      .choices = &severity_names[SEVERITY_TRACE], .help = "only this level and above" },
    { .flag = "id", .type = OPT_STRING, .offset = AT(id), .value_name = "REQUEST-ID",
      .help = "only lines of this request" },
    { .flag = "trace", .type = OPT_STRING, .offset = AT(trace), .value_name = "TRACE-ID",
      .help = "only lines of the requests of this trace, request after request" },
    { .flag = "instance", .type = OPT_STRING, .offset = AT(instance), .value_name = "STREAM",
      .help = "only this log stream" },
    { .flag = "fixed", .letter = 'F', .type = OPT_BOOL, .offset = AT(is_literal),
      .help = "the pattern is plain text, no regular expression" },
    { .flag = "ignore-case", .letter = 'i', .type = OPT_BOOL, .offset = AT(ignore_case),
      .help = "case does not matter" },
    { .flag = "newest", .type = OPT_BOOL, .offset = AT(newest), .help = "newest lines first" },
    { .flag = "limit", .letter = 'n', .type = OPT_INT, .offset = AT(limit), .default_text = "1000",
      .max = 1000000000, .help = "most lines; 0 for all" },
    { 0 },
};
/* clang-format on */

/* A line for a table: its request is asked for when all are found. */
struct found {
    struct str request_id; /* whose lines were asked for; empty: any */
    enum severity severity;
};

struct printer {
    struct cli *cli;
    struct line_at *lines;
    struct found *found; /* of each line */
    size_t n, cap, cap_found;
    struct str request_id;
    const struct log_request *wanted; /* of the lines of requests; NULL: all of them */
    uint64_t printed;
};

static const struct table_column columns[] = {
    {.name = "time"},       {.name = "function"}, {.name = "level"},   {.name = "instance"},
    {.name = "request_id"}, {.name = "body"},     {.name = "account"}, {.name = "region"},
};

#define FLUSH_BYTES (1u << 20)

static enum status print_text(struct printer *p, const struct log_line *line)
{
    struct buf *out = &p->cli->out;

    time_format(out, line->time_ns, 3);
    buf_add_c(out, ' ');
    safe_text(out, line->origin->fn->name, SAFE_KEEP_NONE);
    buf_addf(out, " %-5s ",
             line->kind == RECORD_PLATFORM || line->severity == SEVERITY_UNKNOWN
                 ? "-"
                 : severity_name(line->severity));
    safe_text(out, line->body, SAFE_KEEP_TAB | SAFE_KEEP_NEWLINE);
    buf_add_c(out, '\n');
    return out->n > FLUSH_BYTES && cli_flush(p->cli) != 0 ? ERR_CANCELLED : OK;
}

static enum status keep_row(struct printer *p, const struct log_line *line)
{
    struct arena *a = p->cli->arena;

    p->lines = arena_grow(a, p->lines, p->n, &p->cap, sizeof(*p->lines));
    p->found = arena_grow(a, p->found, p->n, &p->cap_found, sizeof(*p->found));
    p->lines[p->n] =
        (struct line_at){line->time_ns, line->origin, line->fn_id, arena_str(a, line->body), {0}};
    p->found[p->n++] = (struct found){p->request_id, line->severity};
    return OK;
}

static void add_row(struct table *t, const struct line_at *l, const struct found *f)
{
    const struct str id = f->request_id.n > 0 ? f->request_id : l->owner;

    table_row(t);
    cli_time_cell(t, 0, l->time_ns);
    table_text(t, 1, l->origin->fn->name);
    table_text(t, 2, str_from(severity_name(f->severity)));
    table_text(t, 3, l->origin->instance);
    if (id.n > 0)
        table_text(t, 4, id);
    table_text(t, 5, l->body);
    table_text(t, 6, l->origin->fn->account);
    table_text(t, 7, l->origin->fn->region);
}

static enum status print_rows(struct printer *p, struct store *s, struct err *e)
{
    struct table t;

    if (request_line_owners(s, p->lines, p->n, p->cli->arena, e) != OK)
        return e->code;
    table_init(&t, p->cli->arena, columns, ARRAY_LEN(columns), "fnscope.log_lines", 1);
    for (size_t i = 0; i < p->n; i++)
        add_row(&t, &p->lines[i], &p->found[i]);
    cli_print_table(p->cli, &t);
    return OK;
}

static enum status print_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct printer *p = ctx;
    const struct log_request *q = p->wanted;

    UNUSED(e);
    if (q && (line->severity < q->min_severity ||
              (q->pattern && !re_match(q->pattern, line->body, NULL, NULL))))
        return OK;
    if (q && q->limit > 0 && p->printed == q->limit)
        return ERR_CANCELLED;
    p->printed++;
    return p->cli->settings->format == TABLE_TEXT ? print_text(p, line) : keep_row(p, line);
}

/* A pattern without any special character is searched as text, which is several times faster. */
static bool is_plain_text(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (str_find_char(STR("\\^$.|?*+()[]{}"), pattern.p[i]) < 14)
            return false;
    return true;
}

/* Plain text as a pattern. */
static void quote(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
        if (!is_plain)
            buf_add_c(out, '\\');
        buf_add_c(out, c);
    }
}

static enum status set_pattern(const struct logs_options *o, struct str pattern,
                               struct log_request *q, struct err *e)
{
    AUTO(buf_clear) struct buf quoted = {.max = 1u << 20};

    if (o->trace.n > 0 && o->is_literal) {
        quote(&quoted, pattern);
        return re_new(buf_str(&quoted), o->ignore_case ? "i" : "", &q->pattern, e);
    }
    if (o->trace.n == 0 && (o->is_literal || is_plain_text(pattern))) {
        q->literal = pattern;
        q->is_literal_nocase = o->ignore_case;
        return OK;
    }
    return re_new(pattern, o->ignore_case ? "i" : "", &q->pattern, e);
}

/* All lines of a request, whether they name it or not; with conditions, or where no such request is
 * known, the lines that name it. */
static bool is_whole_request(const struct log_request *q)
{
    return q->invocation_id.n > 0 && q->literal.n == 0 && !q->pattern && !q->newest_first &&
           q->min_severity == SEVERITY_UNKNOWN;
}

static enum status print_attempts(struct printer *p, struct store *s, const struct log_request *q,
                                  const struct inv_rows *rows, struct err *e)
{
    enum status st = OK;

    p->wanted = q;
    for (size_t i = 0; st == OK && i < rows->n; i++) {
        struct log_request one = log_request_of(&rows->rows[i], rows->fn_ids[i]);
        if (q->instance.n > 0 && !str_eq(q->instance, one.instance))
            continue;
        one.fn = q->fn;
        p->request_id = one.invocation_id;
        st = request_logs(s, &one, print_line, p, e);
    }
    return st;
}

static enum status print_request(struct printer *p, struct store *s, const struct log_request *q,
                                 struct err *e)
{
    struct inv_rows rows = {0};
    struct err none = {0};

    if (!is_whole_request(q) ||
        request_by_id(s, q->invocation_id, p->cli->arena, &rows, &none) != OK || rows.n == 0)
        return request_logs(s, q, print_line, p, e);
    return print_attempts(p, s, q, &rows, e);
}

/* Lines do not name the trace: those of its requests are looked at, whatever they must hold. */
static enum status print_trace(struct printer *p, struct store *s, const struct log_request *q,
                               struct err *e)
{
    const struct logs_options *o = p->cli->options;
    const struct inv_request traced = {
        .range = q->range,
        .fn = q->fn,
        .trace_id = trace_id_parse(o->trace, p->cli->arena),
        .order = o->newest ? INV_NEWEST : INV_OLDEST,
    };
    struct inv_rows rows;

    if (request_invocations(s, &traced, p->cli->arena, &rows, e) != OK)
        return e->code;
    if (rows.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no invocation of the trace " STR_FMT " is stored",
                       STR_ARG(traced.trace_id));
    return print_attempts(p, s, q, &rows, e);
}

static enum status run_search(struct cli *c, struct store *s, struct log_request *q, struct err *e)
{
    struct printer p = {.cli = c};

    if (cli_range(c, s, 0, &q->range, e) != OK || cli_say_if_no_function(c, s, e) != OK)
        return e->code;
    const bool is_trace = ((const struct logs_options *)c->options)->trace.n > 0;
    if ((is_trace ? print_trace(&p, s, q, e) : print_request(&p, s, q, e)) != OK ||
        (c->settings->format != TABLE_TEXT && print_rows(&p, s, e) != OK))
        return err_wrap(e, "logs");
    return OK;
}

static int run_logs(struct cli *c, struct err *e)
{
    const struct logs_options *o = c->options;
    AUTO(cli_close_store) struct store *s = NULL;
    struct log_request q = {
        .fn = cli_filter(c),
        .instance = o->instance,
        .invocation_id = o->id,
        .newest_first = o->newest,
        .limit = (size_t)o->limit,
    };

    if (cli_want_words(c, 0, 1, e) != OK)
        return EXIT_USAGE;
    if (o->level.n > 0 && !severity_parse(o->level, &q.min_severity)) {
        err_set(e, ERR_USAGE,
                "--level: \"" STR_FMT "\" is no level: trace, debug, info, warn, error, fatal",
                STR_ARG(o->level));
        return EXIT_USAGE;
    }
    if (cli_want_trace(c, o->trace, e) != OK)
        return EXIT_USAGE;
    if (o->trace.n > 0 && o->id.n > 0) {
        err_set(e, ERR_USAGE, "--id or --trace, not both");
        return EXIT_USAGE;
    }
    if (c->words.count > 0 && set_pattern(o, c->words.items[0], &q, e) != OK)
        return EXIT_USAGE;
    enum status st = cli_open_store(c, true, &s, e);
    if (st == OK)
        st = run_search(c, s, &q, e);
    re_free(q.pattern);
    return st == OK ? EXIT_DONE : st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

const struct command cmd_logs = {
    .name = "logs",
    .summary = "search log lines by text, time, function, level, request or trace",
    .usage = "[PATTERN]",
    .description =
        "Prints log lines in time order. PATTERN is a Perl-compatible regular expression "
        "(PCRE2); without special characters it is searched as plain text, which is faster.",
    .options = logs_options,
    .options_size = sizeof(struct logs_options),
    .examples = "fnscope logs 'timed? ?out' -i --since 24h\twhat ran out of time\n"
                "fnscope logs --level error -f 'checkout-*'\terrors of some functions\n"
                "fnscope logs --id 8d5958b5-559f-43f3-b278-b71dd7dd0e01\tone request\n",
    .run = run_logs,
};
