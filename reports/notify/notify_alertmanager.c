/* Prometheus Alertmanager, POST /api/v2/alerts: an array of alerts named by their labels. It takes
 * an alert whose endsAt has passed for resolved, so a firing one ends in a day unless it is told
 * again (reminders), a test in minutes, and a resolved one ends when it did. Labels hold what names
 * the alert and nothing that changes: value and text are annotations. (Alertmanager's
 * api/v2/openapi.yaml, postableAlert.) */
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "reports/notify/notify_private.h"

#define ENDS_AFTER_NS      (24 * NS_PER_HOUR)
#define TEST_ENDS_AFTER_NS (5 * NS_PER_MIN) /* long enough to be passed on */

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

static void put_annotations(struct json_out *o, const struct outbox_entry *m)
{
    const struct alert *a = &m->alert;

    jout_key(o, "annotations");
    jout_open(o, '{');
    put(o, "summary", a->summary);
    put_value(o, "value", a->value, a->unit);
    put_value(o, "threshold", a->threshold, a->unit);
    put_time(o, "data_time", a->data_ns);
    put(o, "evidence", a->evidence);
    put(o, "id", m->id);
    jout_close(o, '}');
}

static int64_t ends_at(const struct outbox_entry *m, int64_t now_ns)
{
    if (m->event == ALERT_SAYS_RESOLVED)
        return m->alert.resolved_ns;
    return now_ns + (m->event == ALERT_SAYS_TEST ? TEST_ENDS_AFTER_NS : ENDS_AFTER_NS);
}

static void add_body(struct buf *out, const struct outbox_entry *m, int64_t now_ns)
{
    const struct alert *a = &m->alert;
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '[');
    jout_open(&o, '{');
    put_labels(&o, a);
    put_annotations(&o, m);
    put_time(&o, "startsAt", a->started_ns);
    put_time(&o, "endsAt", ends_at(m, now_ns));
    jout_close(&o, '}');
    jout_close(&o, ']');
}

static enum status send_alert(const void *config, const struct notify_env *env,
                              const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = 64u << 10};
    const struct alertmanager *c = config;
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
    add_body(&body, m, env->now_ns);
    p.body = buf_str(&body);
    return notify_post(env, &p, e);
}

const struct notifier_ops notify_alertmanager = {
    .type = "alertmanager",
    .help = "Prometheus Alertmanager, API version 2",
    .options = options,
    .config_size = sizeof(struct alertmanager),
    .check = check,
    .send = send_alert,
};
