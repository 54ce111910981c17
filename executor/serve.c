/* The commands that run functions: serve and invoke. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/http_listen.h"
#include "core/base/log.h"
#include "executor/command.h"
#include "executor/fndef.h"
#include "executor/invoke.h"
#include "executor/manifest_check.h"
#include "executor/start.h"

#define FIELD(name) .offset = offsetof(struct fnexec_options, name)

static const struct opt_def serve_options[] = {
    {.key = "executor.listen",
     .flag = "listen",
     .type = OPT_STRING,
     FIELD(address),
     .value_name = "ADDRESS",
     .default_text = "127.0.0.1",
     .help = "address to listen on; beyond loopback only with credentials"},
    {.key = "executor.host",
     .flag = "host",
     .type = OPT_LIST,
     FIELD(hosts),
     .value_name = "NAME",
     .help = "further name clients may call it by, such as *.test; without credentials it answers "
             "only to its address and localhost"},
    {.key = "executor.credentials",
     .flag = "credentials",
     .type = OPT_STRING,
     FIELD(credentials),
     .value_name = "FILE",
     .help = "access keys, ACCESS_KEY SECRET_KEY a line: only what they signed is served"},
    {.key = "executor.port",
     .flag = "port",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(port),
     .default_text = "9001",
     .min = 0,
     .max = 65535,
     .help = "port to listen on; 0 takes any free one"},
    {.flag = "port-file",
     .type = OPT_STRING,
     FIELD(port_file),
     .value_name = "FILE",
     .help = "write the port there once it listens"},
    {.key = "executor.state",
     .flag = "state",
     .type = OPT_STRING,
     FIELD(state),
     .value_name = "FOLDER",
     .help = "where logs, queues and events are kept"},
    {.key = "executor.scratch",
     .flag = "scratch",
     .type = OPT_STRING,
     FIELD(scratch),
     .value_name = "FOLDER",
     .help = "a folder of fnexec's own is made below it for functions, and removed"},
    {.key = "executor.runtimes",
     .flag = "runtimes",
     .type = OPT_STRING,
     FIELD(runtimes),
     .value_name = "FOLDER",
     .help = "where the bootstraps of the runtimes are"},
    {.key = "executor.log_retention",
     .flag = "log-retention",
     .type = OPT_DURATION,
     FIELD(retention_ns),
     .default_text = "7d",
     .help = "how long log lines are kept"},
    {.key = "executor.grace",
     .flag = "grace",
     .type = OPT_DURATION,
     FIELD(grace_ns),
     .default_text = "5s",
     .help = "how long running functions may take to end at a stop"},
    {.flag = "log-json", .type = OPT_BOOL, FIELD(log_json), .help = "own messages as JSON"},
    {.flag = "quiet", .letter = 'q', .type = OPT_BOOL, FIELD(is_quiet), .help = "errors only"},
    {.flag = "verbose", .letter = 'v', .type = OPT_BOOL, FIELD(is_verbose), .help = "say more"},
    {.flag = "help", .letter = 'h', .type = OPT_BOOL, FIELD(help), .help = "explain this command"},
    {0}};

static const struct opt_def invoke_options[] = {
    {.flag = "payload",
     .type = OPT_STRING,
     FIELD(payload),
     .value_name = "JSON",
     .default_text = "{}",
     .help = "the event; @FILE reads a file"},
    {.key = "executor.runtimes",
     .flag = "runtimes",
     .type = OPT_STRING,
     FIELD(runtimes),
     .value_name = "FOLDER",
     .help = "where the bootstraps of the runtimes are"},
    {.flag = "quiet", .letter = 'q', .type = OPT_BOOL, FIELD(is_quiet), .help = "no log lines"},
    {.flag = "verbose", .letter = 'v', .type = OPT_BOOL, FIELD(is_verbose), .help = "say more"},
    {.flag = "help", .letter = 'h', .type = OPT_BOOL, FIELD(help), .help = "explain this command"},
    {0}};

/* Installed, or where the sources are. */
struct str fnexec_runtimes_folder(const struct fnexec_run *r)
{
    if (r->options.runtimes.n > 0)
        return r->options.runtimes;
    const struct str installed = file_beside_program(r->arena, FNEXEC_RUNTIMES);
    return installed.n > 0 ? installed : STR(FNEXEC_SOURCE_RUNTIMES);
}

static struct str state_folder(const struct fnexec_run *r)
{
    if (r->options.state.n > 0)
        return r->options.state;
    struct str base = file_xdg(r->arena, "STATE");
    return arena_printf(r->arena, STR_FMT "/fnexec", STR_ARG(base));
}

static enum status load(struct fnexec_run *r, size_t words, const char *usage,
                        struct manifest **out, struct err *e)
{
    if (r->words.count != words)
        return err_set(e, ERR_USAGE, "usage: %s", usage);
    return manifest_load(arena_strz(r->arena, r->words.items[0]), out, e);
}

/* --- serve --- */

/* systemd's Type=notify; nothing without it. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (!path || strlen(path) >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)(void *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

static void on_stop(void *ctx, int signo)
{
    UNUSED(signo);
    loop_stop(ctx);
}

static enum status watch_signals(struct loop *l, struct err *e)
{
    enum status s = loop_signal(l, SIGINT, on_stop, l, e);

    return s == OK ? loop_signal(l, SIGTERM, on_stop, l, e) : s;
}

static enum status announce(struct fnexec_run *r, struct fnexec *f, const struct manifest *m,
                            struct err *e)
{
    struct executor *x = fnexec_executor(f);

    if (r->options.port_file.n > 0) {
        struct str text = arena_printf(r->arena, "%u\n", fnexec_port(f));
        if (file_write(arena_strz(r->arena, r->options.port_file), text, 0644, e) != OK)
            return err_wrap(e, "--port-file");
    }
    log_event(LOG_INFO, "fnexec serves %zu %s at " STR_FMT ", account " STR_FMT, m->n_functions,
              plural(m->n_functions, "function", "functions"), STR_ARG(x->endpoint),
              STR_ARG(m->account));
    notify("READY=1");
    return OK;
}

/* As soon as the options are known: who calls while we start waits instead of being refused. A
 * fault is told by whoever tries again, in its turn. */
static int listen_early(struct fnexec_run *r)
{
    uint16_t port = (uint16_t)r->options.port;
    bool may_be_public = r->options.credentials.n > 0;
    int fd = 0;

    if (http_listen(r->options.address, &port, may_be_public, &fd, NULL) != OK)
        return 0;
    r->options.port = port;
    return fd;
}

static enum status serve(struct fnexec_run *r, struct manifest *m, struct loop *l, int listener,
                         struct err *e)
{
    struct fnexec *f = NULL;
    const struct executor_config config = {.manifest = m,
                                           .state_folder = state_folder(r),
                                           .scratch_folder = r->options.scratch,
                                           .runtimes_folder = fnexec_runtimes_folder(r),
                                           .address = r->options.address,
                                           .port = (uint16_t)r->options.port,
                                           .hosts = r->options.hosts.items,
                                           .n_hosts = r->options.hosts.count,
                                           .listener = listener,
                                           .credentials = r->options.credentials,
                                           .log_retention_ns = r->options.retention_ns};

    enum status s = watch_signals(l, e);
    if (s == OK)
        s = fnexec_start(&config, l, &f, e);
    if (s == OK)
        s = announce(r, f, m, e);
    if (s == OK)
        s = loop_run(l, e);
    if (f) {
        notify("STOPPING=1");
        fnexec_drain(f, r->options.grace_ns);
    }
    fnexec_stop(f);
    return s;
}

static int run_serve(struct fnexec_run *r, struct err *e)
{
    struct clock clock = clock_system();
    struct manifest *m = NULL;
    int listener = listen_early(r);

    if (load(r, 1, "fnexec serve MANIFEST", &m, e) != OK) {
        if (listener > 0)
            close(listener);
        return EXIT_DONE;
    }
    assert(m);
    manifest_log_doubts(m, fnexec_runtimes_folder(r));
    struct loop *l = loop_new(&clock);
    (void)!serve(r, m, l, listener, e);
    loop_free(l);
    manifest_free(m);
    return EXIT_DONE;
}

const struct fnexec_command command_serve = {
    .name = "serve",
    .summary = "Run the functions of a manifest behind an AWS endpoint",
    .usage = "MANIFEST",
    .description =
        "Serves Lambda, CloudWatch Logs and metrics, SQS and X-Ray on one endpoint, runs the\n"
        "functions of the manifest and their triggers until SIGINT or SIGTERM, then ends every\n"
        "process it started. Any AWS client works with its endpoint set to this one.",
    .options = serve_options,
    .run = run_serve};

/* --- invoke --- */

struct one_call {
    struct fnexec_run *r;
    struct loop *loop;
    int code;
    bool is_done;
};

static void on_result(void *ctx, const struct invoke_result *result)
{
    struct one_call *c = ctx;

    buf_add_str(&c->r->out, result->payload);
    buf_add_c(&c->r->out, '\n');
    c->code = result->status == INVOKE_OK ? EXIT_DONE : EXIT_FAILED;
    c->is_done = true;
    loop_stop(c->loop);
}

static enum status read_payload(struct fnexec_run *r, struct str *out, struct err *e)
{
    AUTO(buf_clear) struct buf text = {.max = (size_t)6 << 20};
    struct str payload = r->options.payload;

    if (payload.n == 0 || payload.p[0] != '@') {
        *out = payload;
        return OK;
    }
    enum status s = file_read(arena_strz(r->arena, str_skip(payload, 1)), &text, e);
    *out = arena_str(r->arena, buf_str(&text));
    return s;
}

static enum status invoke_one(struct fnexec_run *r, const struct manifest *m, struct one_call *call,
                              struct err *e)
{
    const struct fndef *fn = manifest_find(m, r->words.items[1], NULL);
    const struct executor_config config = {.manifest = m,
                                           .runtimes_folder = fnexec_runtimes_folder(r),
                                           .no_listener = true,
                                           .echo = r->options.is_quiet ? NULL : fn,
                                           .log_retention_ns = NS_PER_DAY};
    struct fnexec *f = NULL;
    struct str payload;

    if (!fn)
        return err_set(e, ERR_USAGE, "the manifest has no function \"" STR_FMT "\"",
                       STR_ARG(r->words.items[1]));
    enum status s = read_payload(r, &payload, e);
    if (s == OK)
        s = watch_signals(call->loop, e);
    if (s == OK)
        s = fnexec_start(&config, call->loop, &f, e);
    /* The loop's time is that of its last turn: starting must not count as initialization. */
    if (s == OK)
        s = loop_turn(call->loop, 0, e);
    if (s == OK) {
        struct invoke_request rq = {.fn = fn,
                                    .payload = payload,
                                    .trigger = TRIGGER_OTHER,
                                    .want_tail = true}; /* answered when all is logged */
        invoke(fnexec_executor(f)->invoker, &rq, on_result, call);
        s = call->is_done ? OK : loop_run(call->loop, e);
    }
    call->r = r;
    fnexec_stop(f);
    return s;
}

static int run_invoke(struct fnexec_run *r, struct err *e)
{
    struct clock clock = clock_system();
    struct manifest *m = NULL;
    struct one_call call = {.r = r, .code = EXIT_FAILED};

    if (load(r, 2, "fnexec invoke MANIFEST FUNCTION", &m, e) != OK)
        return EXIT_DONE;
    if (!r->options.is_verbose)
        log_set_level(LOG_WARN);
    assert(m);
    call.loop = loop_new(&clock);
    (void)!invoke_one(r, m, &call, e);
    loop_free(call.loop);
    manifest_free(m);
    return call.code;
}

const struct fnexec_command command_invoke = {
    .name = "invoke",
    .summary = "Run one function once",
    .usage = "MANIFEST FUNCTION",
    .description =
        "Runs one function of the manifest once, without a listener: its answer goes to\n"
        "standard output, all of its log, as it comes, to standard error. Exit status 1 when\n"
        "it failed.",
    .options = invoke_options,
    .run = run_invoke};
