/* fnscope metrics: the store's state for Prometheus, printed once or served. Serving reads the
 * store beside a collector and never writes. */
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>

#include "cli/common.h"
#include "core/base/http_server.h"
#include "core/base/log.h"
#include "reports/reports.h"

struct metrics_settings {
    struct str listen;
    int64_t max_functions;
};

#define AT(member) offsetof(struct metrics_settings, member)

/* clang-format off */
static const struct opt_def metrics_defs[] = {
    { .key = "metrics.listen", .flag = "listen", .type = OPT_STRING, .offset = AT(listen),
      .value_name = "ADDRESS:PORT", .help = "serve /metrics there until stopped: 127.0.0.1:9464",
      .manual = "Serves /metrics and /healthz until stopped. Only an address of this machine is accepted: "
                "metrics name functions and costs. Port 0 takes any free one and says which." },
    { .key = "metrics.max_functions", .flag = "max-functions", .type = OPT_INT, .offset = AT(max_functions),
      .default_text = "1000", .min = 1, .max = 1000000, .value_name = "N",
      .help = "show the busiest N functions" },
    { 0 },
};
/* clang-format on */

enum { METRICS_MAX_BYTES = 256 << 20 };

static enum status write_metrics(struct cli *c, struct store *s, struct buf *out, struct err *e)
{
    const struct metrics_settings *set = c->options;
    const struct prometheus_options o = {
        .filter = cli_filter(c),
        .max_functions = (size_t)set->max_functions,
        .now_ns = clock_now(&c->clock),
    };

    return prometheus_write(s, &o, out, e);
}

/* --- serving --- */

struct endpoint {
    struct cli *c;
    struct loop *loop;
};

static void answer(struct http_call *call, unsigned status, const char *type, struct str body)
{
    const struct http_header headers[] = {{STR("Content-Type"), str_from(type)}};
    const struct http_reply r = {status, headers, ARRAY_LEN(headers), body, false};

    http_respond(call, &r);
}

/* The store is opened for each scrape: a store that is made or replaced later is seen, and a scrape
 * every few seconds makes the cost of opening not matter. */
static void scrape(const struct endpoint *p, struct http_call *call)
{
    AUTO(buf_clear) struct buf b = {.max = METRICS_MAX_BYTES};
    AUTO(cli_close_store) struct store *s = NULL;
    struct err e = {0};
    enum status status = cli_open_store(p->c, true, &s, &e);

    if (status == OK)
        status = write_metrics(p->c, s, &b, &e);
    if (status == OK) {
        answer(call, 200, PROMETHEUS_CONTENT_TYPE, buf_str(&b));
        return;
    }
    log_event(LOG_WARN, "metrics: %s", e.msg);
    answer(call, 503, "text/plain; charset=utf-8", STR("the store cannot be read\n"));
}

static void on_request(void *ctx, struct http_call *call)
{
    const bool is_read = str_eq(call->method, STR("GET")) || str_eq(call->method, STR("HEAD"));

    if (!is_read)
        answer(call, 405, "text/plain; charset=utf-8", STR("GET, please\n"));
    else if (str_eq(call->path, STR("/metrics")))
        scrape(ctx, call);
    else if (str_eq(call->path, STR("/healthz")))
        answer(call, 200, "text/plain; charset=utf-8", STR("ok\n"));
    else
        answer(call, 404, "text/plain; charset=utf-8", STR("/metrics is what there is\n"));
}

static void on_signal(void *ctx, int number)
{
    struct endpoint *p = ctx;

    UNUSED(number);
    loop_stop(p->loop);
}

/* "127.0.0.1:9464", "[::1]:9464" */
static enum status parse_listen(struct str text, struct http_server_config *config, struct err *e)
{
    const size_t colon = str_rfind_char(text, ':');
    struct str address = str_sub(text, 0, colon);
    uint64_t port = 0;

    if (str_starts(address, STR("[")) && str_ends(address, STR("]")))
        address = str_sub(address, 1, address.n - 2);
    if (colon >= text.n || address.n == 0 || !str_to_u64(str_skip(text, colon + 1), &port) ||
        port > UINT16_MAX)
        return err_set(e, ERR_USAGE,
                       "--listen " STR_FMT ": ADDRESS:PORT is expected, such as "
                       "127.0.0.1:9464",
                       STR_ARG(text));
    config->address = address;
    config->port = (uint16_t)port;
    return OK;
}

static enum status serve_on(struct endpoint *p, const struct http_server_config *config,
                            struct err *e)
{
    struct http_server *server = NULL;
    enum status status = loop_signal(p->loop, SIGTERM, on_signal, p, e);

    if (status == OK)
        status = loop_signal(p->loop, SIGINT, on_signal, p, e);
    if (status == OK)
        status = http_server_start(p->loop, config, &server, e);
    if (status != OK)
        return status;
    buf_addf(&p->c->out, "http://%s" STR_FMT "%s:%u/metrics\n",
             str_find_char(config->address, ':') < config->address.n ? "[" : "",
             STR_ARG(config->address),
             str_find_char(config->address, ':') < config->address.n ? "]" : "",
             http_server_port(server));
    if (cli_flush(p->c) == 0)
        status = loop_run(p->loop, e);
    http_server_stop(server);
    return status;
}

static int serve(struct cli *c, struct str listen, struct err *e)
{
    struct endpoint p = {.c = c};
    struct http_server_config config = {
        .limits = {.body_bytes = 1, .connections = 32, .timeout_s = 10},
        .handler = on_request,
        .ctx = &p,
    };

    if (parse_listen(listen, &config, e) != OK)
        return EXIT_USAGE;
    p.loop = loop_new(&c->clock);
    enum status status = serve_on(&p, &config, e);
    loop_free(p.loop);
    return status == OK ? EXIT_DONE : status == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int run_metrics(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct metrics_settings *set = c->options;

    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    if (set->listen.n > 0)
        return serve(c, set->listen, e);
    if (cli_open_store(c, true, &s, e) != OK || write_metrics(c, s, &c->out, e) != OK)
        return EXIT_FAILED;
    return EXIT_DONE;
}

const struct command cmd_metrics = {
    .name = "metrics",
    .summary = "functions, queues, sources and alerts for Prometheus",
    .description =
        "Prints the state of the store in the text format of Prometheus, or serves it with "
        "--listen. Counters run over\n"
        "everything the store holds; the clock of a scrape is the real one unless --clock fixes "
        "it.",
    .options = metrics_defs,
    .options_size = sizeof(struct metrics_settings),
    .examples = "fnscope metrics | promtool check metrics\tlook at them\n"
                "fnscope metrics --listen 127.0.0.1:9464\tlet Prometheus scrape\n",
    .run = run_metrics,
};
