/* Delivery: what each receiver gets, what a failure leads to, and that secrets stay secret. The
 * network is played by twins; programs are real. */
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/macros.h"
#include "core/base/queue.h"
#include "reports/notify/notify.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

/* --- twins --- */

struct fake {
    int status;       /* of the answer; 0: no connection */
    struct str again; /* its Retry-After */
    struct http_header retry_after;
    struct arena arena;
    struct str url, body, signature, idempotency, message, to;
    unsigned calls;
};

static enum status fake_send(void *ctx, const struct http_request *q, struct arena *a,
                             struct http_response *out, struct err *e)
{
    struct fake *f = ctx;

    UNUSED(a);
    f->calls++;
    f->url = arena_str(&f->arena, q->url);
    f->body = arena_str(&f->arena, q->body);
    for (size_t i = 0; i < q->n_headers; i++) {
        if (str_eq(q->headers[i].name, STR("X-Fnscope-Signature")))
            f->signature = arena_str(&f->arena, q->headers[i].value);
        if (str_eq(q->headers[i].name, STR("Idempotency-Key")))
            f->idempotency = arena_str(&f->arena, q->headers[i].value);
    }
    if (f->status == 0)
        return err_set(e, ERR_AGAIN, "connection refused");
    f->retry_after = (struct http_header){STR("Retry-After"), f->again};
    *out = (struct http_response){
        .status = f->status, .headers = &f->retry_after, .n_headers = f->again.n > 0};
    return OK;
}

static enum status fake_mail(void *ctx, const struct mail *m, struct err *e)
{
    struct fake *f = ctx;

    f->calls++;
    f->message = arena_str(&f->arena, m->message);
    f->to = arena_str(&f->arena, m->to[0]);
    return f->status == 0 ? err_set(e, ERR_AGAIN, "no server") : OK;
}

/* --- set-up --- */

struct box {
    struct fake fake;
    struct http http;
    struct mailer mailer;
    struct notify_env env;
    struct notifier notifier;
    struct opt_set set;
};

static struct box *box_new(const char *type, const char *yaml)
{
    static const char *const foreign[] = {NULL};
    struct box *b = calloc(1, sizeof(*b));
    struct yaml_node *root;
    struct err e = {0};

    b->fake.status = 200;
    b->http = (struct http){.send = fake_send, .ctx = &b->fake};
    b->mailer = (struct mailer){.send = fake_mail, .ctx = &b->fake};
    b->env = (struct notify_env){
        .http = &b->http, .mailer = &b->mailer, .now_ns = NOON, .arena = &b->fake.arena};
    const struct notifier_ops *ops = notifier_type_find(str_from(type));
    CHECK(ops != NULL);
    char *config = arena_zalloc(&b->fake.arena, 1, ops->config_size);
    CHECK_OK(yaml_parse(&b->fake.arena, str_from(yaml), "test", &root, &e), &e);
    CHECK_OK(opt_init(&b->set, ops->options, config, &b->fake.arena, NOON, &e), &e);
    CHECK_OK(opt_apply_yaml(&b->set, root, "test", ORIGIN_USER_FILE, foreign, &e), &e);
    CHECK_OK(ops->check(config, &e), &e);
    b->notifier = (struct notifier){STR("ops"), ops, config};
    return b;
}

static void box_free(struct box *b)
{
    arena_clear(&b->fake.arena);
    free(b);
}

static struct outbox_entry message(enum alert_event event)
{
    return (struct outbox_entry){
        .id = STR("0123456789abcdef-5-firing-0-ops"),
        .notifier = STR("ops"),
        .event = event,
        .created_ns = NOON,
        .alert = {.key = STR("0123456789abcdef"),
                  .rule = STR("dlq-depth"),
                  .subject = {SCOPE_QUEUE,
                              {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("orders\r\n<b>&-dlq"),
                               NULL}},
                  .severity = ALERT_CRITICAL,
                  .state = ALERT_FIRING,
                  .started_ns = NOON - 60 * NS_PER_SEC,
                  .fired_ns = NOON,
                  .resolved_ns = event == ALERT_SAYS_RESOLVED ? NOON + NS_PER_SEC : 0,
                  .value = 12,
                  .peak = 15,
                  .data_ns = NOON - 5 * NS_PER_SEC,
                  .summary = STR("queue orders\r\n<b>&-dlq: 12 messages \xc3\xa4"),
                  .evidence = STR("fnscope sql 'x'")},
    };
}

static struct outbox_entry deliver(struct box *b, enum alert_event event)
{
    struct outbox_entry m = message(event);

    notify_deliver(&b->notifier, 1, &b->env, &m);
    return m;
}

/* --- tests --- */

static void test_webhook_is_signed(void **state)
{
    struct box *b = box_new("webhook", "url_env: TEST_URL\nsecret_env: TEST_SECRET\n");
    struct json_doc *doc;
    struct err e = {0};
    struct str text = {0};
    AUTO(buf_clear) struct buf hex = {.max = 128};
    uint8_t mac[32];
    int64_t age = 0;

    UNUSED(state);
    setenv("TEST_URL", "http://127.0.0.1:1/token-abc", 1);
    setenv("TEST_SECRET", "key", 1);
    struct outbox_entry m = deliver(b, ALERT_SAYS_FIRING);
    CHECK_INT(m.status, OUTBOX_SENT);
    CHECK_INT(m.attempts, 1);
    CHECK_INT(m.done_ns, NOON);
    CHECK_STR(b->fake.url, STR("http://127.0.0.1:1/token-abc"));
    CHECK_STR(b->fake.idempotency, m.id);
    struct str signed_text =
        arena_printf(&b->fake.arena, "1768478400." STR_FMT, STR_ARG(b->fake.body));
    hmac_sha256(STR("key"), signed_text, mac);
    hex_add(&hex, mac, sizeof(mac));
    CHECK_STR(b->fake.signature,
              arena_printf(&b->fake.arena, "t=1768478400,v1=" STR_FMT, STR_ARG(buf_str(&hex))));
    CHECK_OK(json_parse(b->fake.body, &doc, &e), &e);
    const struct json *root = json_root(doc);
    CHECK(json_str(json_get(root, "schema"), &text));
    CHECK_STR(text, STR("fnscope.alert"));
    CHECK(json_str(json_get(json_get(root, "value"), "text"), &text));
    CHECK_STR(text, STR("12"));
    CHECK(json_i64(json_get(root, "data_age_seconds"), &age));
    CHECK_INT(age, 5);
    json_doc_free(doc);
    box_free(b);
}

static void test_failures_say_no_secret(void **state)
{
    struct box *b = box_new("webhook", "url: http://127.0.0.1:1/token-abc\n");

    UNUSED(state);
    static const int statuses[] = {0, 500, 404, 429};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        b->fake.status = statuses[i];
        struct outbox_entry m = deliver(b, ALERT_SAYS_FIRING);
        CHECK_INT(m.status, OUTBOX_WAITING);
        CHECK(m.next_ns > NOON && m.next_ns < NOON + 60 * NS_PER_SEC);
        CHECK(m.error.n > 0 && str_find(m.error, STR("token-abc")) == m.error.n);
    }
    b->env.now_ns = NOON + 25 * NS_PER_HOUR;
    CHECK_INT(deliver(b, ALERT_SAYS_FIRING).status, OUTBOX_GIVEN_UP);
    struct outbox_entry other = message(ALERT_SAYS_FIRING);
    other.notifier = STR("gone");
    notify_deliver(&b->notifier, 1, &b->env, &other);
    CHECK_INT(other.status, OUTBOX_GIVEN_UP);
    box_free(b);
}

static void test_pauses_grow(void **state)
{
    struct box *b = box_new("webhook", "url: http://127.0.0.1:1/\n");
    struct outbox_entry m = message(ALERT_SAYS_FIRING);
    int64_t last_ns = 0;

    UNUSED(state);
    b->fake.status = 0;
    for (int i = 0; i < 12; i++) {
        notify_deliver(&b->notifier, 1, &b->env, &m);
        last_ns = m.next_ns - NOON;
        CHECK(last_ns > 0 && last_ns <= 15 * NS_PER_MIN);
    }
    CHECK(last_ns > 30 * NS_PER_SEC);
    CHECK_INT(m.attempts, 12);
    box_free(b);
}

/* What a receiver asks for is the least, up to a few minutes. */
static void test_retry_after(void **state)
{
    static const struct {
        int status;
        const char *again;
        int64_t least_s, most_s;
    } cases[] = {
        {429, "60", 60, 60},      {503, "Thu, 15 Jan 2026 12:02:00 GMT", 120, 120},
        {429, "86400", 300, 300}, {429, "0", 1, 3},
        {429, "soon", 1, 3},      {404, "60", 1, 3}, /* it did not say that it is too fast */
    };
    struct box *b = box_new("slack", "url: http://127.0.0.1:1/\n");

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        b->fake.status = cases[i].status;
        b->fake.again = str_from(cases[i].again);
        const struct outbox_entry m = deliver(b, ALERT_SAYS_FIRING);
        CHECK_INT(m.status, OUTBOX_WAITING);
        CHECK(m.next_ns >= NOON + cases[i].least_s * NS_PER_SEC);
        CHECK(m.next_ns <= NOON + cases[i].most_s * NS_PER_SEC);
    }
    box_free(b);
}

/* A receiver that wants to be left alone is told nothing else meanwhile. */
static void test_others_wait_too(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct box *b = box_new("slack", "url: http://127.0.0.1:1/\n");
    const struct notify_options o = {&b->notifier,      1,    &b->http, &b->mailer,
                                     clock_fixed(NOON), false};
    struct outbox_entry m = message(ALERT_SAYS_FIRING), got;
    struct notify *n;
    struct err e = {0};

    UNUSED(state);
    b->fake.status = 429;
    b->fake.again = STR("60");
    CHECK_OK(notify_start(&o, &n, &e), &e);
    CHECK(notify_submit(n, &m));
    CHECK(notify_collect(n, 10000, &a, &got));
    CHECK_INT(got.next_ns, NOON + 60 * NS_PER_SEC);
    m.id = STR("another");
    CHECK(!notify_submit(n, &m));
    notify_stop(n);
    CHECK_INT(b->fake.calls, 1);
    box_free(b);
}

static void test_slack_escapes(void **state)
{
    struct box *b = box_new("slack", "url: http://127.0.0.1:1/\n");

    UNUSED(state);
    CHECK_INT(deliver(b, ALERT_SAYS_RESOLVED).status, OUTBOX_SENT);
    CHECK(str_find(b->fake.body, STR("&lt;b&gt;&amp;-dlq")) < b->fake.body.n);
    CHECK(str_find(b->fake.body, STR("<b>")) == b->fake.body.n);
    CHECK(str_find(b->fake.body, STR("\"color\":\"good\"")) < b->fake.body.n);
    box_free(b);
}

static void test_alertmanager(void **state)
{
    struct box *b = box_new("alertmanager", "url: http://127.0.0.1:9093/\n");
    struct str *body = &b->fake.body;

    UNUSED(state);
    CHECK_INT(deliver(b, ALERT_SAYS_FIRING).status, OUTBOX_SENT);
    CHECK_STR(b->fake.url, STR("http://127.0.0.1:9093/api/v2/alerts"));
    CHECK(str_starts(*body, STR("[{\"labels\":{\"alertname\":\"dlq-depth\",")));
    CHECK(str_find(*body, STR("\"startsAt\":\"2026-01-15T11:59:00.000Z\"")) < body->n);
    CHECK(str_find(*body, STR("\"endsAt\":\"2026-01-16T12:00:00.000Z\"")) < body->n);
    CHECK_INT(deliver(b, ALERT_SAYS_RESOLVED).status, OUTBOX_SENT);
    CHECK(str_find(*body, STR("\"endsAt\":\"2026-01-15T12:00:01.000Z\"")) < body->n);
    CHECK_INT(deliver(b, ALERT_SAYS_TEST).status, OUTBOX_SENT);
    CHECK(str_find(*body, STR("\"endsAt\":\"2026-01-15T12:05:00.000Z\"")) < body->n);
    b->env.is_kept = true;
    CHECK_INT(deliver(b, ALERT_SAYS_FIRING).status, OUTBOX_SENT);
    CHECK(str_find(*body, STR("\"endsAt\":\"2026-01-15T12:10:00.000Z\"")) < body->n);
    box_free(b);
}

/* What holds is told again in one call, whatever else is in hand; nothing of it is a result. */
static void test_alertmanager_is_kept(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct box *b = box_new("alertmanager", "url: http://127.0.0.1:9093/\n");
    const struct notify_options o = {&b->notifier,      1,   &b->http, &b->mailer,
                                     clock_fixed(NOON), true};
    struct alert rows[] = {message(ALERT_SAYS_FIRING).alert, message(ALERT_SAYS_FIRING).alert};
    struct outbox_entry m = message(ALERT_SAYS_FIRING), got;
    struct notify *n;
    struct err e = {0};

    UNUSED(state);
    rows[1].rule = STR("other");
    CHECK_OK(notify_start(&o, &n, &e), &e);
    notify_keep(n, STR("ops"), rows, ARRAY_LEN(rows));
    notify_keep(n, STR("nobody"), rows, ARRAY_LEN(rows));
    notify_keep(n, STR("ops"), rows, 0);
    CHECK_INT(notify_pending(n), 0);
    CHECK(notify_submit(n, &m)); /* behind it: when its result is there, both are through */
    CHECK(notify_collect(n, 10000, &a, &got));
    CHECK_STR(got.id, m.id);
    CHECK_INT(b->fake.calls, 2);
    notify_keep(n, STR("ops"), rows, ARRAY_LEN(rows));
    m.id = STR("next");
    CHECK(notify_submit(n, &m));
    CHECK(notify_collect(n, 10000, &a, &got));
    notify_stop(n);
    CHECK_INT(b->fake.calls, 4);
    CHECK_OK(b->notifier.ops->keep(b->notifier.config, &b->env, rows, 2, &e), &e);
    CHECK(str_find(b->fake.body, STR("\"alertname\":\"other\"")) < b->fake.body.n);
    CHECK(str_find(b->fake.body, STR("\"alertname\":\"dlq-depth\"")) < b->fake.body.n);
    CHECK(str_find(b->fake.body, STR("\"endsAt\":\"2026-01-15T12:10:00.000Z\"")) < b->fake.body.n);
    box_free(b);
}

static void test_mail(void **state)
{
    struct box *b = box_new("mail", "from: fnscope@example.org\nto: [ops@example.org]\n");
    struct str *m = &b->fake.message;

    UNUSED(state);
    CHECK_INT(deliver(b, ALERT_SAYS_FIRING).status, OUTBOX_SENT);
    CHECK_STR(b->fake.to, STR("ops@example.org"));
    CHECK(str_find(*m, STR("Date: Thu, 15 Jan 2026 12:00:00 +0000\r\n")) < m->n);
    CHECK(str_find(*m, STR("Message-ID: <0123456789abcdef-5-firing-0-ops@fnscope>\r\n")) < m->n);
    CHECK(str_find(*m, STR("Subject: =?UTF-8?B?")) < m->n);
    for (struct str rest = *m; rest.n > 0;) { /* every line short, ended by CRLF, in ASCII */
        struct str line = str_cut(&rest, '\n');
        CHECK(line.n <= 78 && str_ends(line, STR("\r")));
        for (size_t i = 0; i + 1 < line.n; i++)
            CHECK(line.p[i] >= ' ' && (unsigned char)line.p[i] < 0x7F);
    }
    b->fake.status = 0;
    CHECK_INT(deliver(b, ALERT_SAYS_FIRING).status, OUTBOX_WAITING);
    box_free(b);
}

static void test_exec(void **state)
{
    char path[] = "/tmp/fnscope-exec-XXXXXX";
    AUTO(buf_clear) struct buf got = {.max = 1u << 16};
    struct err e = {0};
    const int fd = mkstemp(path);

    UNUSED(state);
    CHECK(fd >= 0);
    close(fd);
    char yaml[200];
    snprintf(yaml, sizeof(yaml),
             "command: [sh, -c, 'cat > \"$0\"; echo \"$FNSCOPE_ALERT_NAME\" >> \"$0\"', %s]\n",
             path);
    struct box *b = box_new("exec", yaml);
    struct outbox_entry m = deliver(b, ALERT_SAYS_FIRING);
    CHECK_STR(m.error, STR(""));
    CHECK_INT(m.status, OUTBOX_SENT);
    CHECK_OK(file_read(path, &got, &e), &e);
    CHECK(str_starts(buf_str(&got), STR("{\"schema\":\"fnscope.alert\"")));
    CHECK(str_find(buf_str(&got), STR("}orders")) < got.n);
    unlink(path);
    box_free(b);
    b = box_new("exec", "command: [sh, -c, 'echo bad luck; exit 3']\n");
    m = deliver(b, ALERT_SAYS_FIRING);
    CHECK_INT(m.status, OUTBOX_WAITING);
    CHECK_STR(m.error, STR("exec: sh ended with status 3: bad luck"));
    box_free(b);
    b = box_new("exec", "command: [sh, -c, 'sleep 60 & sleep 60']\ntimeout: 100ms\n");
    m = deliver(b, ALERT_SAYS_FIRING);
    CHECK_STR(m.error, STR("exec: sh did not end in time"));
    box_free(b);
    char program[] = "/tmp/fnscope-test-XXXXXX", text[64];
    const int made = mkstemp(program); /* there when the configuration is read, gone later */
    CHECK(made >= 0 && fchmod(made, 0700) == 0 && close(made) == 0);
    snprintf(text, sizeof(text), "command: [%s]\n", program);
    b = box_new("exec", text);
    CHECK_INT(unlink(program), 0);
    m = deliver(b, ALERT_SAYS_FIRING);
    CHECK(str_starts(m.error, STR("exec: starting /tmp/fnscope-test-")));
    box_free(b);
}

static void test_thread(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct box *b = box_new("webhook", "url: http://127.0.0.1:1/\n");
    const struct notify_options o = {&b->notifier,      1,    &b->http, &b->mailer,
                                     clock_fixed(NOON), false};
    struct outbox_entry m = message(ALERT_SAYS_FIRING), got;
    struct notify *n;
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(notify_start(&o, &n, &e), &e);
    size_t taken = 0;
    for (int i = 0; i < 100; i++) {
        m.id = arena_printf(&a, "message-%d", i);
        taken += notify_submit(n, &m);
        CHECK(!notify_submit(n, &m)); /* it is in hand, or the hands are full */
    }
    CHECK_INT(taken, 64);
    CHECK_INT(notify_pending(n), 64);
    for (size_t i = 0; i < taken; i++) {
        CHECK(notify_collect(n, 10000, &a, &got));
        CHECK_INT(got.status, OUTBOX_SENT);
    }
    CHECK(!notify_collect(n, 0, &a, &got));
    CHECK_INT(notify_pending(n), 0);
    CHECK(notify_submit(n, &m)); /* stopped with something in hand */
    notify_stop(n);
    CHECK(b->fake.calls == 64 || b->fake.calls == 65);
    box_free(b);
}

/* A receiver that hangs until the other's messages are through: were they waiting for it, this test
 * would never end. */
struct gate {
    struct queue *open;
    atomic_uint passed;
};

static enum status gated_send(void *ctx, const struct http_request *q, struct arena *a,
                              struct http_response *out, struct err *e)
{
    struct gate *g = ctx;

    UNUSED(a);
    UNUSED(e);
    if (str_ends(q->url, STR("/hangs")) && queue_pop(g->open, 10000, NULL) == NULL)
        return err_set(e, ERR_AGAIN, "nobody opened the gate");
    atomic_fetch_add(&g->passed, 1);
    *out = (struct http_response){.status = 200};
    return OK;
}

static void test_one_hangs(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct box *hangs = box_new("webhook", "url: http://127.0.0.1:1/hangs\n");
    struct box *well = box_new("webhook", "url: http://127.0.0.1:1/well\n");
    struct gate g = {.open = queue_new(1)};
    const struct http http = {.send = gated_send, .ctx = &g};
    const struct notifier both[] = {{STR("hangs"), hangs->notifier.ops, hangs->notifier.config},
                                    {STR("well"), well->notifier.ops, well->notifier.config}};
    const struct notify_options o = {both, 2, &http, &well->mailer, clock_fixed(NOON), false};
    struct outbox_entry m = message(ALERT_SAYS_FIRING), got;
    struct notify *n;
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(notify_start(&o, &n, &e), &e);
    for (int i = 0; i < 65; i++) { /* more than its hands hold */
        m.id = arena_printf(&a, "stuck-%d", i);
        m.notifier = STR("hangs");
        CHECK(notify_submit(n, &m) == (i < 64));
    }
    for (int i = 0; i < 10; i++) {
        m.id = arena_printf(&a, "swift-%d", i);
        m.notifier = STR("well");
        CHECK(notify_submit(n, &m));
        CHECK(notify_collect(n, 10000, &a, &got));
        CHECK_STR(got.id, m.id);
        CHECK_INT(got.status, OUTBOX_SENT);
    }
    CHECK_INT(atomic_load(&g.passed), 10);
    CHECK_OK(queue_push(g.open, &g), &e);
    CHECK(notify_collect(n, 10000, &a, &got));
    CHECK_STR(got.id, STR("stuck-0"));
    queue_close(g.open);
    notify_stop(n);
    queue_free(g.open);
    box_free(hangs);
    box_free(well);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_is_signed),
        cmocka_unit_test(test_failures_say_no_secret),
        cmocka_unit_test(test_pauses_grow),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_others_wait_too),
        cmocka_unit_test(test_slack_escapes),
        cmocka_unit_test(test_alertmanager),
        cmocka_unit_test(test_alertmanager_is_kept),
        cmocka_unit_test(test_mail),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_one_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
