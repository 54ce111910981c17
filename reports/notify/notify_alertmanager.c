/* Prometheus Alertmanager, POST /api/v2/alerts: an array of alerts named by their labels. It takes
 * an alert whose endsAt has passed for resolved, and forgets all when it is started anew; so what
 * fires is told again each minute with a new end some minutes ahead, as Prometheus does. Where
 * nobody does that, a firing one ends in a day. A test ends in minutes, what is over when it was.
 * Labels hold what names
 * the alert and nothing that changes: value and text are annotations. (Alertmanager's
 * api/v2/openapi.yaml, postableAlert.) */
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "reports/notify/notify_private.h"

#define ENDS_AFTER_NS      (24 * NS_PER_HOUR)
#define KEPT_ENDS_AFTER_NS (10 * NS_PER_MIN) /* a collector may be away as long as that */
#define TEST_ENDS_AFTER_NS (5 * NS_PER_MIN)  /* long enough to be passed on */

struct alertmanager {
    struct secret url, token;
    int64_t timeout_ns;
};

#define AT(member) offsetof(struct alertmanager, member)

/* clang-format off */
static const struct opt_def options[] = {
    { .key = "url", .type = OPT_STRING, .offset = AT(url.text),
      .help = "base URL: http://127.0.0.1:9093" },
    { .key = "url_file", .type = OPT_STRING, .offset = AT(url.file), .help = "file that holds the URL" },
    { .key = "url_env", .type = OPT_STRING, .offset = AT(url.env), .help = "environment variable that holds the URL" },
    { .key = "token_file", .type = OPT_STRING, .offset = AT(token.file),
      .help = "file that holds a bearer token" },
    { .key = "token_env", .type = OPT_STRING, .offset = AT(token.env),
      .help = "environment variable that holds a bearer token" },
    { .key = "timeout", .type = OPT_DURATION, .offset = AT(timeout_ns), .default_text = NOTIFY_TIMEOUT,
      .help = "longest time one attempt may take" },
    { 0 },
};
/* clang-format on */

static enum status check(const void *config, struct err *e)
{
    const struct alertmanager *c = config;
    enum status status = secret_check(&c->url, "url", false, e);

    return status == OK ? secret_check(&c->token, "token", true, e) : status;
}

/* An empty label is no label. */
static void put(struct json_out *o, const char *key, struct str v)
{
    if (v.n == 0)
        return;
    jout_key(o, key);
    jout_str(o, v);
}

static void put_time(struct json_out *o, const char *key, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 3);
    put(o, key, buf_str(&b));
}

static void put_value(struct json_out *o, const char *key, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    alert_value_format(&b, value, unit);
    put(o, key, buf_str(&b));
}

static void put_labels(struct json_out *o, const struct alert *a)
{
    const struct fn_ref *of = &a->subject.of;
    const char *scope = metric_scope_name(a->subject.scope);

    jout_key(o, "labels");
    jout_open(o, '{');
    put(o, "alertname", a->rule);
    put(o, "severity", str_from(alert_severity_name(a->severity)));
    put(o, "job", STR("fnscope"));
    put(o, "provider", str_from(provider_name(of->provider)));
    put(o, "account", of->account);
    put(o, "region", of->region);
    if (a->subject.scope != SCOPE_REGION) /* its label is there already */
        put(o, scope, of->name);
    jout_close(o, '}');
}

static void put_annotations(struct json_out *o, const struct alert *a)
{
    jout_key(o, "annotations");
    jout_open(o, '{');
    put(o, "summary", a->summary);
    put_value(o, "value", a->value, a->unit);
    put_value(o, "threshold", a->threshold, a->unit);
    put_time(o, "data_time", a->data_ns);
    put(o, "evidence", a->evidence);
    put(o, "key", a->key);
    jout_close(o, '}');
}

static int64_t ends_at(const struct outbox_entry *m, const struct notify_env *env)
{
    if (m->event == ALERT_SAYS_RESOLVED || m->event == ALERT_SAYS_PASSED)
        return m->alert.resolved_ns;
    if (m->event == ALERT_SAYS_TEST)
        return env->now_ns + TEST_ENDS_AFTER_NS;
    return env->now_ns + (env->is_kept ? KEPT_ENDS_AFTER_NS : ENDS_AFTER_NS);
}

static void put_alert(struct json_out *o, const struct alert *a, int64_t ends_ns)
{
    jout_open(o, '{');
    put_labels(o, a);
    put_annotations(o, a);
    put_time(o, "startsAt", a->started_ns);
    put_time(o, "endsAt", ends_ns);
    jout_close(o, '}');
}

static enum status post_alerts(const struct alertmanager *c, const struct notify_env *env,
                               struct str body, struct err *e)
{
    struct str base, token;
    struct http_header headers[2] = {{STR("Content-Type"), STR("application/json")}};
    struct post p = {"alertmanager", {0}, {0}, headers, 1, c->timeout_ns};

    if (secret_read(&c->url, env->arena, &base, e) != OK ||
        secret_read(&c->token, env->arena, &token, e) != OK)
        return err_wrap(e, "alertmanager");
    while (str_ends(base, STR("/")))
        base.n--;
    p.url = arena_printf(env->arena, STR_FMT "/api/v2/alerts", STR_ARG(base));
    if (token.n > 0)
        headers[p.n_headers++] = (struct http_header){
            STR("Authorization"), arena_printf(env->arena, "Bearer " STR_FMT, STR_ARG(token))};
    p.body = body;
    return notify_post(env, &p, e);
}

static enum status send_alert(const void *config, const struct notify_env *env,
                              const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = 64u << 10};
    struct json_out o;

    jout_init(&o, &body, false);
    jout_open(&o, '[');
    put_alert(&o, &m->alert, ends_at(m, env));
    jout_close(&o, ']');
    return post_alerts(config, env, buf_str(&body), e);
}

static enum status keep_alerts(const void *config, const struct notify_env *env,
                               const struct alert *rows, size_t n, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = (64u << 10) * n};
    struct json_out o;

    jout_init(&o, &body, false);
    jout_open(&o, '[');
    for (size_t i = 0; i < n; i++)
        put_alert(&o, &rows[i], env->now_ns + KEPT_ENDS_AFTER_NS);
    jout_close(&o, ']');
    return post_alerts(config, env, buf_str(&body), e);
}

const struct notifier_ops notify_alertmanager = {
    .type = "alertmanager",
    .help = "Prometheus Alertmanager, API version 2",
    .options = options,
    .config_size = sizeof(struct alertmanager),
    .check = check,
    .send = send_alert,
    .keep = keep_alerts,
};
