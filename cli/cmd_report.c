/* fnscope report: what ran and what it cost, as text, Markdown, HTML, JSON or CSV. */
#include "cli/commands.h"

#include "cli/common.h"
#include "cli/nightly.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "reports/reports.h"

struct report_settings {
    struct str day, output, nightly, section;
    int format;
    int64_t top, width;
    bool no_compare;
};

#define AT(member) offsetof(struct report_settings, member)

/* clang-format off */
static const struct opt_def report_defs[] = {
    { .flag = "day", .type = OPT_STRING, .offset = AT(day), .value_name = "DATE",
      .help = "one UTC day: 2026-01-15, yesterday, today; default the last day with data" },
    { .key = "report.format", .flag = "format", .letter = 'o', .type = OPT_CHOICE, .offset = AT(format),
      .choices = report_format_names, .default_text = "text", .help = "format of the report",
      .manual = "Format of the report. JSON (schema fnscope.report, version 2) is one object a section with its text "
                "and items: figures and bars have value and unit, numbers are exact, money is a decimal string beside "
                "its currency, shares are parts of one, times are RFC 3339, and what is unknown is null. CSV is one "
                "table with the columns section, item, row, key, value, unit. The formats" },
    { .flag = "output", .letter = 'O', .type = OPT_STRING, .offset = AT(output), .value_name = "FILE",
      .help = "write to this file, whole or not at all" },
    { .key = "report.nightly", .flag = "nightly", .type = OPT_STRING, .offset = AT(nightly), .value_name = "DIR",
      .help = "write the reports that are missing there, one a finished day",
      .manual = "Writes DIR/report-DATE.FORMAT for each of the last 14 days that is over and has no report yet, "
                "then points DIR/latest.FORMAT at the newest. What a night missed, the next one makes up for. A day of "
                "which nothing is stored has a report where sources are collected from: nothing ran, or nobody "
                "looked. A day "
                "that a source was not read to the end of waits for an hour; then its report is written, says what is "
                "missing, and a note of it lies beside it as report-DATE.FORMAT.incomplete until a later run finds the "
                "source read further and writes the report anew. While there is such a day the log says why and the "
                "exit status is 3." },
    { .key = "report.top", .flag = "top", .type = OPT_INT, .offset = AT(top), .default_text = "20",
      .min = 1, .max = 10000000, .help = "functions listed in full; the others are one row" },
    { .flag = "section", .type = OPT_STRING, .offset = AT(section), .value_name = "NAME",
      .help = "only this section, or this item of one: functions, cost.components",
      .manual = "With -o csv, a single item comes as a table with columns of its own; the whole report has one "
                "value a line: section, item, row, key, value, unit." },
    { .flag = "no-compare", .type = OPT_BOOL, .offset = AT(no_compare),
      .help = "leave the comparison with an earlier day or range out",
      .manual = "A day is compared with the same weekday a week before (with the day before while nothing of that "
                "weekday is stored), a longer range with as much time right in front of it." },
    { .flag = "width", .type = OPT_INT, .offset = AT(width), .default_text = "100", .min = 60,
      .max = 400, .help = "columns of the text format" },
    { 0 },
};
/* clang-format on */

/* --day, or --since and --until, or the last whole day with data. */
static enum status report_range(struct cli *c, struct store *s, struct range *r, struct err *e)
{
    const struct report_settings *set = c->options;
    struct ingest_status st;
    int64_t t = 0;

    if (set->day.n == 0 && (c->settings->since_ns != 0 || c->settings->until_ns != 0))
        return cli_range(c, s, NS_PER_DAY, r, e);
    if (set->day.n > 0) {
        if (time_parse_human(set->day, clock_now(&c->clock), &t, e) != OK)
            return err_wrap(e, "--day");
    } else if (request_status(s, c->arena, &st, e) != OK) {
        return err_wrap(e, "report");
    } else {
        t = st.last_ns > 0 ? st.last_ns : clock_now(&c->clock);
        if (c->settings->clock_ns != 0 && t > c->settings->clock_ns)
            t = c->settings->clock_ns; /* nothing is later than the present */
    }
    int64_t day = time_floor(t, NS_PER_DAY);
    *r = (struct range){day, day + NS_PER_DAY};
    return OK;
}

static int deliver(struct cli *c, struct buf *b, struct err *e)
{
    const struct report_settings *set = c->options;

    if (set->output.n == 0) {
        buf_add_str(&c->out, buf_str(b));
        return EXIT_DONE;
    }
    const char *path = arena_strz(c->arena, set->output);
    return file_write(path, buf_str(b), 0644, e) == OK ? EXIT_DONE : EXIT_FAILED;
}

/* Of --day, --since, --until: one report. */
static int report_once(struct cli *c, struct store *s, struct report_options *o, struct err *e)
{
    const struct report_settings *set = c->options;
    AUTO(buf_clear) struct buf b = {.max = REPORT_MAX_BYTES};
    enum status status = report_range(c, s, &o->range, e);

    if (status == OK)
        status = cli_say_if_outside(c, s, o->range, e);
    if (status != OK)
        return status == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    if (report_write(s, o, (enum report_format)set->format, &b, e) != OK)
        return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    return deliver(c, &b, e);
}

static int run_report(struct cli *c, struct err *e)
{
    const struct report_settings *set = c->options;
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    AUTO(cli_close_store) struct store *s = NULL;
    struct report_options o = {
        .filter = cli_filter(c),
        .now_ns = clock_now(&c->clock),
        .top = (size_t)set->top,
        .no_compare = set->no_compare,
        .only = set->section,
        .width = (unsigned)set->width,
        .color = c->use_color && set->output.n == 0,
    };

    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    if (cli_open_store(c, true, &s, e) != OK || cli_cost_open(c, s, &cost, e) != OK ||
        cli_say_if_no_function(c, s, e) != OK)
        return e->code == ERR_CONFIG || e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    o.cost = &cost.context;
    if (set->nightly.n > 0)
        return nightly_write(c, s, &o, set->nightly, (enum report_format)set->format, e);
    return report_once(c, s, &o, e);
}

const struct command cmd_report = {
    .name = "report",
    .summary = "report what ran and what it cost: text, Markdown, HTML, JSON, CSV",
    .description =
        "Reports one UTC day, by default the last one with data, or the range of "
        "--since and --until: a\n"
        "verdict, what went wrong, data quality, cost, the change against the week before, what is "
        "unusual,\n"
        "the month ahead, invocations, errors, cold starts, memory, waste, what could be saved, "
        "functions\n"
        "and the prices used. The HTML is one file without scripts.\n\n"
        "What functions cost is summed quantities times the price, rounded once, as in fnscope "
        "cost; "
        "days and hours add up invocations, each rounded to 12 decimals. The two differ by less "
        "than "
        "10^-12 an invocation.\n\n"
        "The same data, clock and options give the same bytes.",
    .options = report_defs,
    .options_size = sizeof(struct report_settings),
    .examples =
        "fnscope report\tthe last day with data\n"
        "fnscope report --day yesterday -o html -O report.html\tone file for the browser\n"
        "fnscope report --nightly /var/lib/fnscope/reports -o html\tas the timer does\n"
        "fnscope report --since 2026-01-01 --until 2026-02-01 -o csv\ta month, one value a line\n"
        "fnscope report -o csv --section functions\tone table for a spreadsheet\n"
        "fnscope report -o json | jq -r .verdict.figures.cost.value\tone exact number\n",
    .run = run_report,
};
