/* fnscope metrics: the store's state for Prometheus, printed once or served. */
#include "cli/commands.h"

#include "cli/common.h"
#include "cli/metrics_endpoint.h"

struct metrics_settings {
    struct str listen, token_file;
    int64_t max_functions;
};

#define AT(member) offsetof(struct metrics_settings, member)

/* clang-format off */
static const struct opt_def metrics_defs[] = {
    { .key = "metrics.listen", .flag = "listen", .type = OPT_STRING, .offset = AT(listen),
      .value_name = "ADDRESS:PORT", .help = "serve /metrics there until stopped: 127.0.0.1:9464",
      .manual = "Serves /metrics and /healthz until stopped. Without --token-file only an address of this machine is "
                "accepted: metrics name functions and costs. Port 0 takes any free one and says which." },
    { .key = "metrics.token_file", .flag = "token-file", .type = OPT_STRING, .offset = AT(token_file),
      .value_name = "FILE", .help = "who asks must send the file's first line as bearer token",
      .manual = "Requests must bear it as \"Authorization: Bearer TOKEN\", as Prometheus does with "
                "authorization: {credentials_file: FILE}. With it any address may be listened on. Others must not "
                "be able to read the file." },
    { .key = "metrics.max_functions", .flag = "max-functions", .type = OPT_INT, .offset = AT(max_functions),
      .default_text = "1000", .min = 1, .max = 1000000, .value_name = "N",
      .help = "show the busiest N functions" },
    { 0 },
};
/* clang-format on */

static int serve(struct cli *c, const struct metrics_settings *set, struct err *e)
{
    struct metrics_endpoint *p = NULL;
    const struct metrics_listen l = {set->listen, set->token_file, (size_t)set->max_functions,
                                     NULL};
    enum status s = metrics_endpoint_open(c, &l, &p, e);

    if (s == OK) {
        struct str url = metrics_endpoint_url(p);
        buf_addf(&c->out, STR_FMT "\n", STR_ARG(url));
        if (cli_flush(c) == 0)
            s = metrics_endpoint_serve(p, e);
    }
    metrics_endpoint_close(p);
    return s == OK ? EXIT_DONE : s == ERR_CONFIG || s == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

static enum status print_once(struct cli *c, size_t max_functions, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    enum status status = cli_open_store(c, true, &s, e);

    if (status == OK)
        status = cli_say_if_no_function(c, s, e);
    return status == OK ? metrics_write(c, max_functions, &c->out, e) : status;
}

static int run_metrics(struct cli *c, struct err *e)
{
    const struct metrics_settings *set = c->options;

    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    if (set->listen.n > 0)
        return serve(c, set, e);
    return print_once(c, (size_t)set->max_functions, e) == OK ? EXIT_DONE : EXIT_FAILED;
}

const struct command cmd_metrics = {
    .name = "metrics",
    .form = "the text format of Prometheus",
    .summary = "functions, queues, sources and alerts for Prometheus",
    .description =
        "Prints the state of the store in the text format of Prometheus, or serves it with "
        "--listen. Counters run over\n"
        "everything the store ever held: what was removed, or priced anew at less, stays counted, "
        "so they never fall.\n\n"
        "What only the provider's metrics tell comes from them: fnscope_function_throttles_total, "
        "fnscope_function_async_events_dropped_total, fnscope_function_dead_letter_errors_total "
        "and fnscope_function_destination_errors_total, which are 0 where the region's metrics are "
        "read and had none, and the same of regions (fnscope_region_throttles_total...), which "
        "count "
        "functions that are gone, too; fnscope_function_concurrent_executions, of functions with a "
        "reservation, and fnscope_region_concurrent_executions, the most at work in the newest "
        "minute, with no sample where that is older than 15 minutes; "
        "fnscope_function_reserved_concurrency and fnscope_region_concurrency_limit. The HELP line "
        "of a family says what it is.\n\n"
        "The clock of a scrape is the real one unless --clock fixes it.",
    .options = metrics_defs,
    .options_size = sizeof(struct metrics_settings),
    .examples = "fnscope metrics | promtool check metrics\tlook at them\n"
                "fnscope metrics --listen 127.0.0.1:9464\tlet Prometheus scrape\n",
    .run = run_metrics,
};
