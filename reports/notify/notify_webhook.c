/* A webhook of ours (JSON, signed) and one as Slack, Mattermost, Rocket.Chat and others take it.
 *
 * The signature: X-Fnscope-Signature: t=<seconds>,v1=<hex of HMAC-SHA-256(secret,
 * "<seconds>.<body>")>. The receiver computes the same, compares in constant time and refuses old
 * times. The id stands in Idempotency-Key: what comes twice has the same. */
#include "core/base/crypto.h"
#include "core/base/json.h"
#include "reports/notify/notify_private.h"

struct webhook {
    struct secret url, secret;
    int64_t timeout_ns;
};

#define AT(member) offsetof(struct webhook, member)

/* clang-format off */
#define URL_OPTIONS \
    { .key = "url", .type = OPT_STRING, .offset = AT(url.text), .help = "where to POST to" }, \
    { .key = "url_file", .type = OPT_STRING, .offset = AT(url.file), .help = "file that holds the URL" }, \
    { .key = "url_env", .type = OPT_STRING, .offset = AT(url.env), .help = "environment variable that holds the URL" }, \
    { .key = "timeout", .type = OPT_DURATION, .offset = AT(timeout_ns), .default_text = NOTIFY_TIMEOUT, \
      .help = "longest time one attempt may take" }

static const struct opt_def webhook_options[] = {
    URL_OPTIONS,
    { .key = "secret_file", .type = OPT_STRING, .offset = AT(secret.file),
      .help = "file that holds the key of the signature" },
    { .key = "secret_env", .type = OPT_STRING, .offset = AT(secret.env),
      .help = "environment variable that holds the key of the signature" },
    { 0 },
};

static const struct opt_def slack_options[] = { URL_OPTIONS, { 0 } };
/* clang-format on */

static enum status check_webhook(const void *config, struct err *e)
{
    const struct webhook *w = config;
    enum status status = secret_check(&w->url, "url", false, e);

    return status == OK ? secret_check(&w->secret, "secret", true, e) : status;
}

static struct str sign(struct arena *a, struct str key, struct str body, int64_t seconds)
{
    AUTO(buf_clear) struct buf hex = {.max = 128};
    struct str text = arena_printf(a, "%lld." STR_FMT, (long long)seconds, STR_ARG(body));
    uint8_t mac[32];

    hmac_sha256(key, text, mac);
    hex_add(&hex, mac, sizeof(mac));
    return arena_printf(a, "t=%lld,v1=" STR_FMT, (long long)seconds, STR_ARG(buf_str(&hex)));
}

static enum status send_webhook(const void *config, const struct notify_env *env,
                                const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = 64u << 10};
    const struct webhook *w = config;
    struct str url, key;
    struct http_header headers[3] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Idempotency-Key"), m->id},
    };
    struct post p = {"webhook", {0}, {0}, headers, 2, w->timeout_ns};

    if (secret_read(&w->url, env->arena, &url, e) != OK ||
        secret_read(&w->secret, env->arena, &key, e) != OK)
        return err_wrap(e, "webhook");
    notify_json(&body, m, env->now_ns);
    p.url = url;
    p.body = buf_str(&body);
    if (key.n > 0)
        headers[p.n_headers++] = (struct http_header){
            STR("X-Fnscope-Signature"), sign(env->arena, key, p.body, env->now_ns / NS_PER_SEC)};
    return notify_post(env, &p, e);
}

/* --- chat --- */

/* Slack's own three escapes: nothing in a name can become a link or a mention. */
static void add_escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '&')
            buf_add_z(out, "&amp;");
        else if (s.p[i] == '<')
            buf_add_z(out, "&lt;");
        else if (s.p[i] == '>')
            buf_add_z(out, "&gt;");
        else
            buf_add_c(out, s.p[i]);
    }
}

static const char *color_of(const struct outbox_entry *m)
{
    static const char *const colors[ALERT_SEVERITIES] = {
        [ALERT_INFO] = "#439fe0", [ALERT_WARNING] = "warning", [ALERT_CRITICAL] = "danger"};

    return m->event == ALERT_SAYS_RESOLVED ? "good" : colors[m->alert.severity];
}

static void slack_body(struct buf *out, const struct outbox_entry *m, int64_t now_ns)
{
    AUTO(buf_clear) struct buf title = {.max = 4096};
    AUTO(buf_clear) struct buf text = {.max = 32768};
    AUTO(buf_clear) struct buf plain = {.max = 32768};
    struct json_out o;

    notify_title(&plain, m);
    add_escaped(&title, buf_str(&plain));
    buf_reset(&plain);
    notify_text(&plain, m, now_ns);
    buf_add_z(&text, "```");
    add_escaped(&text, buf_str(&plain));
    buf_add_z(&text, "```");
    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_key(&o, "text");
    jout_str(&o, buf_str(&title));
    jout_key(&o, "attachments");
    jout_open(&o, '[');
    jout_open(&o, '{');
    jout_key(&o, "color");
    jout_str(&o, str_from(color_of(m)));
    jout_key(&o, "text");
    jout_str(&o, buf_str(&text));
    jout_close(&o, '}');
    jout_close(&o, ']');
    jout_close(&o, '}');
}

static enum status send_slack(const void *config, const struct notify_env *env,
                              const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = 128u << 10};
    const struct webhook *w = config;
    const struct http_header headers[] = {{STR("Content-Type"), STR("application/json")}};
    struct post p = {"slack", {0}, {0}, headers, 1, w->timeout_ns};

    if (secret_read(&w->url, env->arena, &p.url, e) != OK)
        return err_wrap(e, "slack");
    slack_body(&body, m, env->now_ns);
    p.body = buf_str(&body);
    return notify_post(env, &p, e);
}

const struct notifier_ops notify_webhook = {
    .type = "webhook",
    .help = "POST of JSON, signed with a shared key",
    .options = webhook_options,
    .config_size = sizeof(struct webhook),
    .check = check_webhook,
    .send = send_webhook,
};

const struct notifier_ops notify_slack = {
    .type = "slack",
    .help = "incoming webhook of Slack, Mattermost or another chat of that form",
    .options = slack_options,
    .config_size = sizeof(struct webhook),
    .check = check_webhook,
    .send = send_slack,
};
