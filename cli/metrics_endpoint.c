/* The listener of fnscope metrics and fnscope collect. Reads the store, never writes. */
#include "cli/metrics_endpoint.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/common.h"
#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/base/http_listen.h"
#include "core/base/http_server.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "reports/reports.h"

enum { METRICS_MAX_BYTES = 256 << 20, TOKEN_MAX_BYTES = 4096, TOKEN_LEAST_BYTES = 16 };
/* Idle ones must not keep a scrape waiting: each may stay for a second before it gives way. */
enum { CONNECTIONS = 512 };

struct metrics_endpoint {
    struct cli cli; /* a copy with an arena of its own: arenas belong to one thread */
    struct arena arena;
    size_t max_functions;
    const struct store *held;
    struct loop *loop;
    struct http_server *server;
    struct loop_watch *watch;
    int stop_fd; /* -1 without a thread */
    pthread_t thread;
    struct buf url, token_text;
    struct str token; /* a view into it; empty: everyone may ask */
};

enum status metrics_write(const struct cli *c, size_t max_functions, struct buf *out, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    enum status status = cli_open_store(c, true, &s, e);
    const struct prometheus_options o = {
        .filter = cli_filter(c),
        .max_functions = max_functions,
        .now_ns = clock_now(&c->clock),
    };

    return status == OK ? prometheus_write(s, &o, out, e) : status;
}

static void answer(struct http_call *call, unsigned status, const char *type, struct str body)
{
    const struct http_header headers[] = {{STR("Content-Type"), str_from(type)}};

    http_respond(call, &(struct http_reply){.status = status,
                                            .headers = headers,
                                            .n_headers = ARRAY_LEN(headers),
                                            .body = body});
}

/* What the store cannot tell of itself: a collector keeps what it read and tries again. */
static void add_held(const struct metrics_endpoint *p, struct buf *out)
{
    const int64_t since_ns = p->held != NULL ? store_held_since(p->held) : 0;
    const int64_t held_ns = since_ns > 0 ? clock_now(&p->cli.clock) - since_ns : 0;

    if (p->held == NULL)
        return;
    buf_addf(out,
             "# HELP fnscope_store_held_seconds How long the store cannot be written; 0: it can.\n"
             "# TYPE fnscope_store_held_seconds gauge\n"
             "fnscope_store_held_seconds %lld\n",
             (long long)(held_ns / NS_PER_SEC));
}

static void scrape(struct metrics_endpoint *p, struct http_call *call)
{
    AUTO(buf_clear) struct buf b = {.max = METRICS_MAX_BYTES};
    struct err e = {0};

    arena_reset(&p->arena);
    if (metrics_write(&p->cli, p->max_functions, &b, &e) == OK) {
        add_held(p, &b);
        answer(call, 200, PROMETHEUS_CONTENT_TYPE, buf_str(&b));
        return;
    }
    log_event(LOG_WARN, "metrics: %s", e.msg);
    answer(call, 503, "text/plain; charset=utf-8", STR("the store cannot be read\n"));
}

static enum status check_health(const struct store *held, struct err *e)
{
    AUTO(buf_clear) struct buf when = {.max = 64};
    enum status s = held != NULL ? store_is_there(held, e) : OK;
    const int64_t since_ns = held != NULL ? store_held_since(held) : 0;

    if (s != OK || since_ns == 0)
        return s;
    time_format(&when, since_ns, 0);
    return err_set(e, ERR_AGAIN,
                   "the store " STR_FMT " cannot be written since " STR_FMT
                   ": what was read is kept and tried again, the log says why",
                   STR_ARG(store_path(held)), STR_ARG(buf_str(&when)));
}

static void tell_health(const struct metrics_endpoint *p, struct http_call *call)
{
    struct err e = {0};

    if (check_health(p->held, &e) == OK)
        answer(call, 200, "text/plain; charset=utf-8", STR("ok\n"));
    else
        answer(call, 503, "text/plain; charset=utf-8", str_from(e.msg));
}

static void on_request(void *ctx, struct http_call *call)
{
    const bool is_read = str_eq(call->method, STR("GET")) || str_eq(call->method, STR("HEAD"));

    if (!is_read)
        answer(call, 405, "text/plain; charset=utf-8", STR("GET, please\n"));
    else if (str_eq(call->path, STR("/metrics")))
        scrape(ctx, call);
    else if (str_eq(call->path, STR("/healthz")))
        tell_health(ctx, call);
    else
        answer(call, 404, "text/plain; charset=utf-8", STR("/metrics is what there is\n"));
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
                       "metrics: \"" STR_FMT "\": ADDRESS:PORT is expected, such as 127.0.0.1:9464",
                       STR_ARG(text));
    config->address = address;
    config->port = (uint16_t)port;
    return OK;
}

static void make_url(struct metrics_endpoint *p, struct str address)
{
    p->url.max = 256;
    http_listen_url(&p->url, address, http_server_port(p->server));
    buf_add_z(&p->url, "/metrics");
}

/* --- who may ask --- */

static enum status read_token(struct metrics_endpoint *p, struct str path, struct err *e)
{
    const char *z = arena_printf(&p->arena, STR_FMT, STR_ARG(path)).p;
    struct stat st;

    p->token_text.max = TOKEN_MAX_BYTES;
    enum status s = file_read(z, &p->token_text, e);
    if (s != OK)
        return err_wrap(e, "metrics: token file");
    struct str text = buf_str(&p->token_text);
    p->token = str_trim(str_cut(&text, '\n'));
    if (stat(z, &st) == 0 && (st.st_mode & 077) != 0)
        return err_set(e, ERR_CONFIG, "metrics: token file %s: others may read it: chmod 600 it",
                       z);
    if (p->token.n < TOKEN_LEAST_BYTES)
        return err_set(e, ERR_CONFIG,
                       "metrics: token file %s: its first line has fewer than %d "
                       "characters: openssl rand -hex 32 makes one",
                       z, TOKEN_LEAST_BYTES);
    return OK;
}

static bool has_token(void *ctx, struct http_call *call, struct http_reply *refusal)
{
    const struct metrics_endpoint *p = ctx;
    struct str value;

    UNUSED(refusal); /* a bare 403 */
    if (!http_header(call, "Authorization", &value))
        return false;
    struct str scheme = str_cut(&value, ' ');
    value = str_trim(value);
    return str_eq_nocase(scheme, STR("Bearer")) && crypto_eq(value, p->token);
}

enum status metrics_endpoint_open(const struct cli *c, const struct metrics_listen *l,
                                  struct metrics_endpoint **out, struct err *e)
{
    struct metrics_endpoint *p = xcalloc(1, sizeof(*p));
    struct http_server_config config = {
        .limits = {.body_bytes = 1, .connections = CONNECTIONS, .timeout_s = 10},
        .handler = on_request,
        .ctx = p,
        .authorize = l->token_file.n > 0 ? has_token : NULL,
    };

    p->cli = *c;
    arena_init(&p->arena);
    p->cli.arena = &p->arena;
    p->cli.out = (struct buf){0};
    p->max_functions = l->max_functions;
    p->held = l->held;
    p->stop_fd = -1;
    p->loop = loop_new(&c->clock);
    enum status s = parse_listen(l->address, &config, e);
    if (s == OK && l->token_file.n > 0)
        s = read_token(p, l->token_file, e);
    if (s == OK)
        s = http_server_start(p->loop, &config, &p->server, e);
    if (s != OK) {
        metrics_endpoint_close(p);
        return s;
    }
    make_url(p, config.address);
    *out = p;
    return OK;
}

struct str metrics_endpoint_url(const struct metrics_endpoint *p)
{
    return buf_str(&p->url);
}

static void on_signal(void *ctx, int number)
{
    struct metrics_endpoint *p = ctx;

    UNUSED(number);
    loop_stop(p->loop);
}

enum status metrics_endpoint_serve(struct metrics_endpoint *p, struct err *e)
{
    enum status s = loop_signal(p->loop, SIGTERM, on_signal, p, e);

    if (s == OK)
        s = loop_signal(p->loop, SIGINT, on_signal, p, e);
    return s == OK ? loop_run(p->loop, e) : s;
}

/* --- on a thread of its own --- */

static void on_stop(void *ctx, unsigned events)
{
    struct metrics_endpoint *p = ctx;

    UNUSED(events);
    loop_stop(p->loop);
}

static void *serve_main(void *ctx)
{
    struct metrics_endpoint *p = ctx;
    struct err e = {0};

    if (loop_run(p->loop, &e) != OK)
        log_event(LOG_ERROR, "metrics: %s: nothing is served any more", e.msg);
    return NULL;
}

enum status metrics_endpoint_start(struct metrics_endpoint *p, struct err *e)
{
    p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->stop_fd < 0)
        return err_errno(e, errno, "metrics: eventfd");
    enum status s = loop_watch(p->loop, p->stop_fd, on_stop, p, &p->watch, e);
    if (s != OK)
        return s;
    int code = pthread_create(&p->thread, NULL, serve_main, p);
    if (code == 0)
        return OK;
    loop_unwatch(p->loop, p->watch);
    p->watch = NULL;
    return err_errno(e, code, "metrics: thread");
}

void metrics_endpoint_close(struct metrics_endpoint *p)
{
    if (!p)
        return;
    if (p->watch) {
        const uint64_t one = 1;
        ssize_t n = write(p->stop_fd, &one, sizeof(one));
        UNUSED(n);
        pthread_join(p->thread, NULL);
        loop_unwatch(p->loop, p->watch);
    }
    if (p->stop_fd >= 0)
        close(p->stop_fd);
    http_server_stop(p->server);
    loop_free(p->loop);
    buf_clear(&p->url);
    if (p->token_text.n > 0)
        explicit_bzero(p->token_text.p, p->token_text.n);
    buf_clear(&p->token_text);
    arena_clear(&p->arena);
    free(p);
}
