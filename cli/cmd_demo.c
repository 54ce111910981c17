/* fnscope demo: a week of invented logs, imported and shown; demo generate only writes them. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/demo_gen.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"

struct demo_settings {
    int64_t seed, days, functions, end_ns;
    struct str dir;
};

#define AT(member) offsetof(struct demo_settings, member)

/* clang-format off */
static const struct opt_def demo_defs[] = {
    { .flag = "seed", .type = OPT_INT, .offset = AT(seed), .default_text = "1", .min = 0,
      .max = 1000000000, .help = "another seed gives other days" },
    { .flag = "days", .type = OPT_INT, .offset = AT(days), .default_text = "7", .min = 1, .max = 400,
      .help = "how many days" },
    { .flag = "functions", .type = OPT_INT, .offset = AT(functions), .default_text = "40", .min = 1,
      .max = 40, .help = "how many functions" },
    { .flag = "end", .type = OPT_TIME, .offset = AT(end_ns), .value_name = "TIME",
      .help = "end of the last day; default the start of today" },
    { .flag = "dir", .type = OPT_STRING, .offset = AT(dir), .value_name = "DIR",
      .help = "folder for the logs and the store; default in the user's cache" },
    { 0 },
};
/* clang-format on */

static struct range demo_days(const struct cli *c)
{
    const struct demo_settings *set = c->options;
    int64_t end_ns = time_floor(set->end_ns ? set->end_ns : clock_now(&c->clock), NS_PER_DAY);

    return (struct range){end_ns - set->days * NS_PER_DAY, end_ns};
}

static enum status generate(struct cli *c, const char *dir, struct demo_totals *t, struct err *e)
{
    const struct demo_settings *set = c->options;
    struct demo_options o = {
        .seed = (uint64_t)set->seed,
        .days = (unsigned)set->days,
        .functions = (unsigned)set->functions,
        .end_ns = demo_days(c).until_ns,
    };

    return demo_generate(dir, &o, t, e);
}

/* The other commands are used as a person would: the same program, started with their words. */
static int run_self(struct cli *c, const char *const *words, bool wants_last, struct err *e)
{
    pid_t child;

    if (cli_flush(c) != 0)
        return EXIT_FAILED;
    if (wants_last || (child = fork()) == 0) {
        char *argv[16] = {0};
        for (size_t i = 0; words[i] && i + 1 < ARRAY_LEN(argv); i++)
            argv[i] = arena_strz(c->arena, str_from(words[i]));
        execv("/proc/self/exe", argv);
        perror("fnscope demo");
        _exit(EXIT_FAILED);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        err_set(e, ERR_IO, "demo: the program cannot start itself");
        return EXIT_FAILED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

static const char *below(struct cli *c, struct str dir, const char *name)
{
    return arena_strz(c->arena, arena_printf(c->arena, STR_FMT "/%s", STR_ARG(dir), name));
}

/* Only one that was named on the command line: what is invented goes into no store of the user's
 * unasked. */
static const char *store_of(struct cli *c, struct str dir)
{
    if (opt_origin_of(c->set, &c->settings->store_url) != ORIGIN_FLAG)
        return below(c, dir, "store");
    return arena_strz(c->arena, c->settings->store_url);
}

static const char *day_word(struct cli *c, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format_day(&b, t_ns);
    return arena_strz(c->arena, buf_str(&b));
}

/* All days of the demo; the invented functions are x86_64, which no log line says. */
static int show(struct cli *c, struct str dir, const struct range *days, struct err *e)
{
    const char *store = store_of(c, dir), *html = below(c, dir, "report.html");
    const char *since = day_word(c, days->since_ns), *until = day_word(c, days->until_ns);
    const char *const make_html[] = {
        "fnscope", "report", "--store", store, "--since",        since,    "--until", until,
        "-o",      "html",   "-O",      html,  "--default-arch", "x86_64", NULL};
    const char *const text[] = {"fnscope", "report", "--store",        store,    "--since", since,
                                "--until", until,    "--default-arch", "x86_64", NULL};
    const char *const top[] = {"fnscope", "top", "--store",        store,    "--since", since,
                               "--until", until, "--default-arch", "x86_64", NULL};

    if (run_self(c, make_html, false, e) != EXIT_DONE)
        return EXIT_FAILED;
    if (!c->out_is_tty && run_self(c, text, false, e) != EXIT_DONE)
        return EXIT_FAILED;
    buf_addf(
        &c->out,
        "\nThe report for the browser: %s\nThe store of the demo:      fnscope top --store %s\n",
        html, store);
    return c->out_is_tty ? run_self(c, top, true, e) : EXIT_DONE;
}

static int run_demo(struct cli *c, struct err *e)
{
    const struct demo_settings *set = c->options;
    struct str dir = set->dir.n > 0 ? set->dir
                                    : arena_printf(c->arena, STR_FMT "/demo",
                                                   STR_ARG(file_xdg(c->arena, "CACHE")));
    bool is_only = c->words.count == 1 && str_eq(c->words.items[0], STR("generate"));
    const char *logs = is_only ? arena_strz(c->arena, dir) : below(c, dir, "logs");
    const char *const import[] = {"fnscope",        "import", "--store", store_of(c, dir),
                                  "--default-arch", "x86_64", logs,      NULL};
    struct range days = demo_days(c);
    struct demo_totals t;

    if (c->words.count > 1 || (c->words.count == 1 && !is_only)) {
        err_set(e, ERR_USAGE, "demo: the only word is generate");
        return EXIT_USAGE;
    }
    if (generate(c, logs, &t, e) != OK)
        return EXIT_FAILED;
    buf_addf(&c->out, "%llu log %s of %llu %s of %llu %s in %s\n", (unsigned long long)t.events,
             plural(t.events, "event", "events"), (unsigned long long)t.invocations,
             plural(t.invocations, "invocation", "invocations"), (unsigned long long)t.files,
             plural(t.files, "function", "functions"), logs);
    if (is_only)
        return EXIT_DONE;
    if (run_self(c, import, false, e) != EXIT_DONE)
        return EXIT_FAILED;
    return show(c, dir, &days, e);
}

const struct command cmd_demo = {
    .name = "demo",
    .form = "text; fnscope report has more formats",
    .summary = "a week of invented functions: logs, dashboard and report",
    .usage = "[generate]",
    .description =
        "Writes logs of forty invented functions with the troubles people have (a memory leak, a "
        "bad deploy, a\n"
        "storm of retries, a wave of timeouts), imports them into a store of its own or the one "
        "that "
        "--store names,\n"
        "and opens the dashboard; "
        "without a terminal it prints the report. The same seed, days and end give the same logs.",
    .options = demo_defs,
    .options_size = sizeof(struct demo_settings),
    .examples =
        "fnscope demo\tlook around\n"
        "fnscope demo generate --dir logs --seed 7 --days 30 --end 2026-02-01\tonly write logs\n",
    .run = run_demo,
};
