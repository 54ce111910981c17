/* fnscope show REQUEST-ID: one request with all its attempts, their receipt, trace and log lines;
 * or all requests of a trace. */
#include "cli/commands.h"

#include "cli/common.h"
#include "cli/invocation_table.h"
#include "cli/show_json.h"
#include "cli/trace_views.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

struct show_options {
    bool no_logs, is_trace;
};

static const struct opt_def show_options[] = {
    {.flag = "no-logs",
     .type = OPT_BOOL,
     .offset = offsetof(struct show_options, no_logs),
     .help = "leave the log lines out"},
    {.flag = "trace",
     .type = OPT_BOOL,
     .offset = offsetof(struct show_options, is_trace),
     .help = "only the spans of its trace, also as JSON or CSV with --format"},
    {0},
};

/* --- one attempt as text --- */

static void field(struct buf *b, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_addf(b, "  %-12s ", name);
    safe_text(b, value, SAFE_KEEP_NONE);
    buf_add_c(b, '\n');
}

static void field_duration(struct buf *b, const char *name, int64_t ns, bool is_known)
{
    if (!is_known)
        return;
    buf_addf(b, "  %-12s ", name);
    duration_format(b, ns);
    buf_add_c(b, '\n');
}

static void field_memory(struct buf *b, const struct invocation *inv)
{
    if (inv->memory_bytes == 0)
        return;
    buf_addf(b, "  %-12s %llu MB used of %llu MB (%llu %%)\n", "memory",
             (unsigned long long)(inv->max_memory_bytes >> 20),
             (unsigned long long)(inv->memory_bytes >> 20),
             (unsigned long long)(inv->max_memory_bytes * 100 / inv->memory_bytes));
}

static void show_head(struct buf *b, const struct invocation *inv)
{
    AUTO(buf_clear) struct buf when = {.max = 64};

    time_format(&when, inv->start_ns, 3);
    buf_addf(b, "%s start, attempt %u: %s", start_kind_name(inv->start), inv->attempt,
             outcome_name(inv->outcome));
    if (inv->error_type.n > 0) {
        buf_add_z(b, ", ");
        safe_text(b, inv->error_type, SAFE_KEEP_NONE);
    }
    buf_add_c(b, '\n');
    field(b, "request", inv->id);
    field(b, "function", inv->origin->fn->name);
    field(b, "version", inv->version);
    field(b, "region", inv->origin->fn->region);
    field(b, "account", inv->origin->fn->account);
    field(b, "started", buf_str(&when));
    field_duration(b, "duration", inv->duration_ns, inv->is_final);
    field_duration(b, "init", inv->init_ns, inv->init_ns > 0);
    if (inv->evidence & EV_SUPPRESSED_INIT)
        field(b, "init", STR("run again inside the duration"));
    field_duration(b, "restore", inv->restore_ns, inv->restore_ns > 0);
    field_duration(b, "billed", inv->billed_ns, inv->billed_ns > 0);
    field_memory(b, inv);
    field(b, "environment", inv->origin->instance);
    field(b, "trace", inv->trace_id);
    if (inv->evidence & EV_DOUBTFUL)
        field(b, "doubt",
              STR("it lies within another's run, and no stream is named: that one may "
                  "have printed it"));
    if (inv->evidence & EV_ERROR_GUESSED)
        field(b, "doubt",
              STR("its error has no request id and may be another's, which ran at the same time"));
}

/* --- its receipt --- */

static enum status show_receipt(struct cli *c, const struct cost_context *cc,
                                const struct invocation *inv, struct err *e)
{
    struct cost_lines r;

    if (!inv->is_priced) {
        buf_add_z(&c->out, "  cost         not priced\n");
        return OK;
    }
    if (cost_receipt(cc, inv, 0, c->arena, &r, e) != OK)
        return err_wrap(e, "receipt");
    buf_add_z(&c->out, "  cost         ");
    money_format_exact(&c->out, inv->cost);
    if (r.n > 0 && r.lines[0].price)
        buf_addf(&c->out, " " STR_FMT, STR_ARG(r.lines[0].price->currency));
    buf_addf(&c->out, "%s (fnscope cost --explain " STR_FMT " shows how)\n",
             inv->evidence & EV_ASSUMED_CONFIG ? ", configuration assumed" : "", STR_ARG(inv->id));
    return OK;
}

/* --- its trace --- */

/* All attempts of a request share its trace. */
static enum status read_trace(struct cli *c, struct store *s, const struct inv_rows *rows,
                              struct span_list *out, struct err *e)
{
    *out = (struct span_list){0};
    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].trace_id.n > 0)
            return request_trace(s, rows->rows[i].trace_id, rows->rows[i].start_ns, c->arena, out,
                                 e);
    return OK;
}

static int show_trace(struct cli *c, struct store *s, const struct inv_rows *rows, struct err *e)
{
    struct span_list spans;

    if (read_trace(c, s, rows, &spans, e) != OK)
        return EXIT_FAILED;
    if (c->settings->format != TABLE_TEXT)
        trace_table_print(c, &spans);
    else if (spans.n > 0)
        trace_waterfall(&c->out, &spans);
    else
        buf_add_z(&c->out, "no spans of this request are stored\n");
    return EXIT_DONE;
}

/* --- its log lines --- */

static enum status show_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct buf *out = ctx;

    UNUSED(e);
    buf_add_z(out, "  ");
    time_format(out, line->time_ns, 3);
    buf_addf(out, " %-7s ",
             line->kind == RECORD_PLATFORM || line->severity == SEVERITY_UNKNOWN
                 ? "-"
                 : severity_name(line->severity));
    safe_text(out, line->body, SAFE_KEEP_TAB | SAFE_KEEP_NEWLINE);
    buf_add_c(out, '\n');
    return OK;
}

static enum status show_logs(struct cli *c, struct store *s, const struct invocation *inv,
                             uint32_t fn_id, struct err *e)
{
    struct log_request q = log_request_of(inv, fn_id);

    buf_add_z(&c->out, "\n");
    return request_logs(s, &q, show_line, &c->out, e);
}

static int show_text(struct cli *c, struct store *s, const struct inv_rows *rows, struct err *e)
{
    const struct show_options *o = c->options;
    struct cli_cost cost = {0};
    struct span_list spans;
    enum status st = cli_cost_open(c, s, &cost, e);

    if (st == OK)
        st = read_trace(c, s, rows, &spans, e);
    for (size_t i = 0; st == OK && i < rows->n; i++) {
        if (i > 0)
            buf_add_c(&c->out, '\n');
        show_head(&c->out, &rows->rows[i]);
        st = show_receipt(c, &cost.context, &rows->rows[i], e);
        if (st == OK && i + 1 == rows->n)
            trace_waterfall(&c->out, &spans);
        if (st == OK && !o->no_logs)
            st = show_logs(c, s, &rows->rows[i], rows->fn_ids[i], e);
    }
    cli_cost_clear(&cost);
    return st == OK ? EXIT_DONE : EXIT_FAILED;
}

static int show_as_json(struct cli *c, struct store *s, const struct inv_rows *rows, struct err *e)
{
    const struct show_options *o = c->options;
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    enum status st = cli_cost_open(c, s, &cost, e);

    if (st == OK)
        st = show_json(c, s, &cost.context, rows, !o->no_logs, e);
    return st == OK ? EXIT_DONE : EXIT_FAILED;
}

/* What 32 digits are is told by what is stored. */
static enum status find_rows(struct cli *c, struct store *s, struct str word, struct inv_rows *out,
                             struct err *e)
{
    const struct inv_request q = {
        .range = {INT64_MIN / 2, INT64_MAX / 2},
        .trace_id = trace_id_parse(word, c->arena),
        .order = INV_OLDEST,
    };

    *out = (struct inv_rows){0};
    if (q.trace_id.n > 0 && request_invocations(s, &q, c->arena, out, e) != OK)
        return e->code;
    if (out->n > 0)
        return OK;
    if (q.trace_id.n == 0 || str_find_char(word, '-') == word.n)
        return request_by_id(s, word, c->arena, out, e);
    return err_set(e, ERR_NOT_FOUND, "no invocation of the trace " STR_FMT " is stored",
                   STR_ARG(q.trace_id));
}

static int run_show(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct inv_rows rows;

    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    if (cli_open_store(c, true, &s, e) != OK || find_rows(c, s, c->words.items[0], &rows, e) != OK)
        return EXIT_FAILED;
    if (((const struct show_options *)c->options)->is_trace)
        return show_trace(c, s, &rows, e);
    if (c->settings->format == TABLE_TEXT)
        return show_text(c, s, &rows, e);
    if (c->settings->format == TABLE_JSON || c->settings->format == TABLE_NDJSON)
        return show_as_json(c, s, &rows, e);
    invocation_table_print(c, &rows);
    return EXIT_DONE;
}

const struct command cmd_show = {
    .unused = cli_without_filter,
    .name = "show",
    .summary = "show one request or trace: attempts, memory, cost, trace and log lines",
    .usage = "REQUEST-ID|TRACE-ID",
    .description =
        "Shows every attempt of a request with its outcome, durations, memory, cost, the spans of "
        "its trace where traces are collected, and log lines in order. The first characters of the "
        "id are enough when they are unique. A trace id gives every attempt that it names, oldest "
        "first: as X-Ray writes it (1-6b0c997e-...), with all of its header (Root=1-...), or as a "
        "traceparent. -o json gives the attempts with receipts and log "
        "lines, -o csv the attempts alone.",
    .options = show_options,
    .options_size = sizeof(struct show_options),
    .examples = "fnscope show 8d5958b5\tby the start of the id\n"
                "fnscope show 8d5958b5-559f-43f3-b278-b71dd7dd0e01 -o json\tfor a program\n"
                "fnscope show 8d5958b5 --trace -o json\tthe spans of its trace\n"
                "fnscope show 1-6b0c997e-0f0bfbbe2ab8f94854bf83a8\tall requests of a trace\n",
    .run = run_show,
};
