/* Where credentials come from: files, roles, containers, instances, each against services played
 * by a twin; and how long they are kept. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/aws/aws_auth.h"
#include "core/base/file.h"
#include "core/base/macros.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

/* --- twins --- */

struct exchange {
    const char *method, *url; /* expected */
    const char *header, *value;
    const char *in_body;
    int status; /* 0: no connection */
    const char *body;
};

struct bench {
    struct arena arena;
    struct source_env env;
    struct aws_auth auth;
    struct aws_auth_options options;
    char folder[40];
    const char *variables[16][2];
    size_t n_variables;
    const struct exchange *script;
    size_t n_script, asked;
    struct err e;
};

static const char *variable(void *ctx, const char *name)
{
    const struct bench *b = ctx;

    for (size_t i = b->n_variables; i-- > 0;)
        if (strcmp(b->variables[i][0], name) == 0)
            return b->variables[i][1];
    return NULL;
}

static enum status play(void *ctx, const struct http_request *q, struct arena *a,
                        struct http_response *out, struct err *e)
{
    struct bench *b = ctx;

    UNUSED(a);
    CHECK(b->asked < b->n_script);
    const struct exchange *x = &b->script[b->asked++];
    struct http_response sent = {.headers = q->headers, .n_headers = q->n_headers};
    CHECK_STR(q->method, str_from(x->method));
    CHECK_STR(q->url, str_from(x->url));
    if (x->header != NULL) {
        struct str value = http_header_get(&sent, x->header);
        CHECK(str_find(value, str_from(x->value)) < value.n || str_eq(value, str_from(x->value)));
    }
    if (x->in_body != NULL)
        CHECK(str_find(q->body, str_from(x->in_body)) < q->body.n);
    if (x->status == 0)
        return err_set(e, ERR_AGAIN, "connection refused");
    *out = (struct http_response){.status = x->status, .body = str_from(x->body)};
    return OK;
}

static void set(struct bench *b, const char *name, const char *value)
{
    b->variables[b->n_variables][0] = name;
    b->variables[b->n_variables++][1] = value;
}

static struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof(*b));

    memcpy(b->folder, "/tmp/fnscope-auth-XXXXXX", sizeof("/tmp/fnscope-auth-XXXXXX"));
    CHECK(mkdtemp(b->folder) != NULL);
    b->env = (struct source_env){.clock = clock_fixed(NOON),
                                 .http = {.send = play, .ctx = b},
                                 .variable = variable,
                                 .variable_ctx = b};
    set(b, "HOME", b->folder);
    set(b, "AWS_EC2_METADATA_DISABLED", "true");
    return b;
}

static const char *write_file(struct bench *b, const char *name, const char *text)
{
    const char *path = arena_strz(&b->arena, arena_printf(&b->arena, "%s/%s", b->folder, name));
    FILE *f = fopen(path, "w");

    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static void bench_free(struct bench *b)
{
    struct file_list l;

    CHECK_INT(b->asked, b->n_script);
    aws_auth_clear(&b->auth);
    CHECK_OK(file_list(&b->arena, b->folder, &l, &b->e), &b->e);
    for (size_t i = 0; i < l.count; i++)
        unlink(l.paths[i]);
    rmdir(b->folder);
    arena_clear(&b->arena);
    free(b);
}

static enum status get_at(struct bench *b, int64_t now_ns, struct aws_credentials *c)
{
    b->e = (struct err){0};
    return aws_auth_get(&b->auth, now_ns, c, &b->e);
}

static void begin(struct bench *b, const struct exchange *script, size_t n)
{
    b->script = script;
    b->n_script = n;
    aws_auth_clear(&b->auth);
    aws_auth_init(&b->auth, &b->options, &b->env, STR("eu-west-1"));
}

static void says(const struct bench *b, const char *text)
{
    struct str msg = str_from(b->e.msg);

    if (str_find(msg, str_from(text)) == msg.n)
        CHECK_STR(msg, str_from(text));
}

#define STS_URL "https://sts.eu-west-1.amazonaws.com"
#define STS_ANSWER(key, until)                                                                     \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" key                         \
    "</AccessKeyId><SecretAccessKey>s&amp;t</SecretAccessKey><SessionToken>token</SessionToken>"   \
    "<Expiration>" until "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

/* --- files --- */

static void test_files(void **state)
{
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_SHARED_CREDENTIALS_FILE",
        write_file(b, "credentials",
                   "# comment\n[default]\naws_access_key_id = AKDEFAULT\r\n"
                   "aws_secret_access_key=a#b=c # mine\n\n[other]\naws_access_key_id=AKOTHER\n"
                   "aws_secret_access_key=x\naws_session_token=t\n"));
    set(b, "AWS_CONFIG_FILE",
        write_file(b, "config",
                   "[default]\nregion = eu-north-1\n[profile fromconfig]\n"
                   "aws_access_key_id=AKCONFIG\naws_secret_access_key=y\ns3 =\n"
                   "  aws_access_key_id=AKNESTED\n[other]\naws_access_key_id=AKWRONG\n"));
    begin(b, NULL, 0);
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("AKDEFAULT"));
    CHECK_STR(c.keys.secret_key, STR("a#b=c"));
    CHECK_STR(aws_auth_region(&b->options, &b->env, &b->arena), STR("eu-north-1"));
    set(b, "AWS_PROFILE", "other");
    aws_auth_forget(&b->auth);
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("AKOTHER"));
    CHECK_STR(c.keys.session_token, STR("t"));
    set(b, "AWS_ACCESS_KEY_ID", "AKENV"); /* wins over AWS_PROFILE, not over a named one */
    set(b, "AWS_SECRET_ACCESS_KEY", "z");
    aws_auth_forget(&b->auth);
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("AKENV"));
    b->options.profile = STR("fromconfig");
    begin(b, NULL, 0);
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("AKCONFIG"));
    b->options.profile = STR("nobody");
    begin(b, NULL, 0);
    CHECK_INT(get_at(b, NOON, &c), ERR_AUTH);
    says(b, "there is no profile nobody with credentials");
    bench_free(b);
}

/* --- roles --- */

static const char role_files[] =
    "[profile app]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = base\n"
    "external_id = ex ternal\nrole_session_name = watch\nduration_seconds = 1800\n"
    "[profile base]\naws_access_key_id=AKBASE\naws_secret_access_key=b\n"
    "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n"
    "[profile mfa]\nrole_arn=r\nsource_profile=base\nmfa_serial=m\n";

static void test_role(void **state)
{
    static const struct exchange script[] = {
        {"POST", STS_URL, "Authorization", "Credential=AKBASE/",
         "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader&"
         "RoleSessionName=watch&ExternalId=ex%20ternal&DurationSeconds=1800",
         200, STS_ANSWER("ASIAFIRST", "2026-01-15T12:30:00Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 0, NULL}, /* nine minutes before the end */
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIASECOND", "2026-01-15T13:00:00Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 403,
         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
         "</ErrorResponse>"},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_CONFIG_FILE", write_file(b, "config", role_files));
    b->options.profile = STR("app");
    begin(b, script, ARRAY_LEN(script));
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIAFIRST"));
    CHECK_STR(c.keys.secret_key, STR("s&t"));
    CHECK_INT(c.expires_ns, NOON + 30 * NS_PER_MIN);
    CHECK_OK(get_at(b, NOON + 14 * NS_PER_MIN, &c), &b->e); /* kept */
    CHECK_INT(b->asked, 1);
    for (int s = 0; s < 59; s++) { /* renewal fails: the old still do, and STS has its peace */
        CHECK_OK(get_at(b, NOON + 21 * NS_PER_MIN + s * NS_PER_SEC, &c), &b->e);
        CHECK_STR(c.keys.access_key, STR("ASIAFIRST"));
        CHECK_INT(b->asked, 2);
    }
    CHECK_OK(get_at(b, NOON + 23 * NS_PER_MIN, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIASECOND"));
    aws_auth_forget(&b->auth); /* the service said: expired */
    CHECK_INT(get_at(b, NOON + 24 * NS_PER_MIN, &c), ERR_AUTH);
    says(b, "assuming arn:aws:iam::1:role/reader: HTTP 403 AccessDenied: not you");
    bench_free(b);
}

/* Credentials of half a minute are renewed when half of it is over, not before each call. */
static void test_short_life(void **state)
{
    static const struct exchange script[] = {
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA1", "2026-01-15T12:00:30Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA2", "2026-01-15T12:00:45Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA3", "2026-01-15T12:01:00Z")},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_CONFIG_FILE", write_file(b, "config", role_files));
    b->options.profile = STR("app");
    begin(b, script, ARRAY_LEN(script));
    for (int ms = 0; ms < 45000; ms += 100) {
        CHECK_OK(get_at(b, NOON + ms * NS_PER_MS, &c), &b->e);
        CHECK_INT(b->asked, ms < 15000 ? 1 : ms < 30000 ? 2 : 3);
        CHECK(c.expires_ns > NOON + ms * NS_PER_MS);
    }
    bench_free(b);
}

/* Who gives the same again, as instance metadata does until minutes before the end, is asked when
 * half of the rest is over; who gives what has ended by our clock, a minute later. */
static void test_same_again(void **state)
{
    static const struct exchange script[] = {
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA1", "2026-01-15T12:10:00Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA1", "2026-01-15T12:10:00Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA1", "2026-01-15T12:10:00Z")},
        {"POST", STS_URL, NULL, NULL, NULL, 200, STS_ANSWER("ASIA0", "2026-01-15T11:00:00Z")},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_CONFIG_FILE", write_file(b, "config", role_files));
    b->options.profile = STR("app");
    begin(b, script, ARRAY_LEN(script));
    for (int s = 0; s < 8 * 60; s++) {
        CHECK_OK(get_at(b, NOON + s * NS_PER_SEC, &c), &b->e);
        CHECK_INT(b->asked, s < 300 ? 1 : s < 450 ? 2 : 3);
    }
    aws_auth_forget(&b->auth);
    for (int s = 0; s < 60; s++) {
        CHECK_OK(get_at(b, NOON + NS_PER_HOUR + s * NS_PER_SEC, &c), &b->e);
        CHECK_INT(b->asked, 4);
    }
    bench_free(b);
}

/* STS has an endpoint of its own, as in the SDKs; the variables may be switched off. */
static void test_role_endpoint(void **state)
{
    static const struct {
        const char *variable, *ignore, *url;
    } rows[] = {
        {"AWS_ENDPOINT_URL_STS", NULL, "http://127.0.0.1:18111"},
        {"AWS_ENDPOINT_URL", "false", "http://127.0.0.1:18111"},
        {"AWS_ENDPOINT_URL", "true", STS_URL},
        {"AWS_ENDPOINT_URL_LOGS", NULL, STS_URL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct exchange script[] = {{"POST", rows[i].url, NULL, NULL, NULL, 200,
                                           STS_ANSWER("ASIAFIRST", "2026-01-15T12:30:00Z")}};
        struct bench *b = bench_new();
        struct aws_credentials c;
        set(b, "AWS_CONFIG_FILE", write_file(b, "config", role_files));
        set(b, rows[i].variable, "http://127.0.0.1:18111");
        if (rows[i].ignore != NULL)
            set(b, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", rows[i].ignore);
        b->options.profile = STR("app");
        begin(b, script, ARRAY_LEN(script));
        CHECK_OK(get_at(b, NOON, &c), &b->e);
        CHECK_STR(c.keys.access_key, STR("ASIAFIRST"));
        bench_free(b);
    }
}

/* As the AWS tools: variables, then the profile's services, then its endpoint_url. */
static void test_profile_endpoints(void **state)
{
    static const char config[] = "[profile dev]\nendpoint_url = http://127.0.0.1:1\n"
                                 "services = here\n"
                                 "[profile quiet]\nendpoint_url = http://127.0.0.1:1\n"
                                 "ignore_configured_endpoint_urls = true\n"
                                 "[profile lost]\nservices = nowhere\n"
                                 "[profile odd]\nendpoint_url = 127.0.0.1:1\n"
                                 "[services there]\nsqs =\n  endpoint_url = http://127.0.0.1:9\n"
                                 "[services here]\n# of all\ns3 =\n  endpoint_url = http://s3\n"
                                 "cloudwatch_logs =\n  retries = 3\n"
                                 "  endpoint_url = http://127.0.0.1:2/x # local\n";
    static const struct {
        const char *profile, *variable, *value;
        enum aws_service service;
        const char *url;
    } rows[] = {
        {"dev", "X", "", AWS_LOGS, "http://127.0.0.1:2/x"},
        {"dev", "X", "", AWS_SQS, "http://127.0.0.1:1"},
        {"dev", "AWS_ENDPOINT_URL", "http://127.0.0.1:3", AWS_LOGS, "http://127.0.0.1:3"},
        {"dev", "AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:4", AWS_SQS, "http://127.0.0.1:4"},
        {"dev", "AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:4", AWS_XRAY, "http://127.0.0.1:1"},
        {"dev", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", AWS_SQS,
         "https://sqs.eu-west-1.amazonaws.com"},
        {"quiet", "AWS_ENDPOINT_URL", "http://127.0.0.1:3", AWS_SQS,
         "https://sqs.eu-west-1.amazonaws.com"},
        {"quiet", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false", AWS_SQS, "http://127.0.0.1:1"},
        {"default", "X", "", AWS_SQS, "https://sqs.eu-west-1.amazonaws.com"},
        {"lost", "X", "", AWS_SQS, NULL},
        {"odd", "X", "", AWS_SQS, NULL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench *b = bench_new();
        struct aws_profile_endpoints p;
        set(b, "AWS_CONFIG_FILE", write_file(b, "config", config));
        set(b, rows[i].variable, rows[i].value);
        const struct aws_auth_options o = {.profile = str_from(rows[i].profile)};
        const enum status s = aws_auth_endpoints(&o, &b->env, &b->arena, &p, &b->e);
        CHECK_STATUS(s, rows[i].url != NULL ? OK : ERR_CONFIG);
        const struct aws_endpoint_rules r = {STR(""), &p, STR("eu-west-1")};
        if (s == OK)
            CHECK_STR(aws_endpoint_of(rows[i].service, &r, &b->env, &b->arena).url,
                      str_from(rows[i].url));
        bench_free(b);
    }
}

static void test_role_refusals(void **state)
{
    static const struct {
        const char *profile, *says;
    } rows[] = {{"a", "profiles that name each other"}, {"mfa", "one-time code"}};
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_CONFIG_FILE", write_file(b, "config", role_files));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        b->options.profile = str_from(rows[i].profile);
        begin(b, NULL, 0);
        CHECK_INT(get_at(b, NOON, &c), ERR_AUTH);
        says(b, rows[i].says);
    }
    bench_free(b);
}

/* role_arn of the source itself, on top of what the chain gives. */
static void test_role_of_source(void **state)
{
    static const struct exchange script[] = {
        {"POST", STS_URL, "Authorization", "Credential=AKENV/", "RoleArn=arn%3Aother", 200,
         STS_ANSWER("ASIAOTHER", "2026-01-15T13:00:00Z")},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_ACCESS_KEY_ID", "AKENV");
    set(b, "AWS_SECRET_ACCESS_KEY", "z");
    b->options.role_arn = STR("arn:other");
    begin(b, script, ARRAY_LEN(script));
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIAOTHER"));
    bench_free(b);
}

static void test_web_identity(void **state)
{
    static const struct exchange script[] = {
        {"POST", STS_URL, "Authorization", "",
         "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aweb&"
         "RoleSessionName=fnscope&WebIdentityToken=eyJ0",
         200, STS_ANSWER("ASIAWEB", "2026-01-15T13:00:00Z")},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_ROLE_ARN", "arn:web");
    set(b, "AWS_WEB_IDENTITY_TOKEN_FILE", write_file(b, "token", "eyJ0\n"));
    begin(b, script, ARRAY_LEN(script));
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIAWEB"));
    CHECK_STR(str_from(c.from), STR("web identity"));
    bench_free(b);
}

/* --- container and instance --- */

#define KEYS(id)                                                                                   \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","                       \
    "\"Expiration\":\"2026-01-15T18:00:00Z\"}"

static void test_container(void **state)
{
    static const struct exchange script[] = {
        {"GET", "http://169.254.170.2/v2/creds", NULL, NULL, NULL, 200, KEYS("ASIATASK")},
        {"GET", "http://127.0.0.1:9/full", "Authorization", "Bearer x", NULL, 200, KEYS("ASIAPOD")},
        {"GET", "http://127.0.0.1:9/full", NULL, NULL, NULL, 404, "no"},
        {"GET", "http://127.0.0.1:9/full", NULL, NULL, NULL, 503, "busy"},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds");
    begin(b, script, ARRAY_LEN(script));
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIATASK"));
    set(b, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "");
    set(b, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/full");
    set(b, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one");
    set(b, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write_file(b, "token", "Bearer x\n"));
    aws_auth_forget(&b->auth);
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIAPOD"));
    CHECK_STR(c.keys.session_token, STR("t"));
    aws_auth_forget(&b->auth);
    CHECK_INT(get_at(b, NOON, &c), ERR_AUTH);
    says(b, "container answers HTTP 404");
    CHECK_INT(get_at(b, NOON, &c), ERR_AGAIN);
    set(b, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/full");
    CHECK_INT(get_at(b, NOON, &c), ERR_AUTH);
    says(b, "neither https nor on this machine");
    bench_free(b);
}

#define ROLES "http://127.0.0.1:9/latest/meta-data/iam/security-credentials/"

static void test_instance(void **state)
{
    static const struct exchange script[] = {
        {"PUT", "http://127.0.0.1:9/latest/api/token", "x-aws-ec2-metadata-token-ttl-seconds",
         "21600", NULL, 200, "TOKEN"},
        {"GET", ROLES, "x-aws-ec2-metadata-token", "TOKEN", NULL, 200, "reader\n"},
        {"GET", ROLES "reader", "x-aws-ec2-metadata-token", "TOKEN", NULL, 200,
         KEYS("ASIAINSTANCE")},
        /* six hours on, new ones */
        {"PUT", "http://127.0.0.1:9/latest/api/token", NULL, NULL, NULL, 200, "TOKEN2"},
        {"GET", ROLES, "x-aws-ec2-metadata-token", "TOKEN2", NULL, 200, "reader"},
        {"GET", ROLES "reader", NULL, NULL, NULL, 0, NULL},
        /* no role */
        {"PUT", "http://127.0.0.1:9/latest/api/token", NULL, NULL, NULL, 200, "TOKEN3"},
        {"GET", ROLES, NULL, NULL, NULL, 404, ""},
        /* the hop limit swallows the answer: as on no instance */
        {"PUT", "http://127.0.0.1:9/latest/api/token", NULL, NULL, NULL, 0, NULL},
        {"PUT", "http://127.0.0.1:9/latest/api/token", NULL, NULL, NULL, 403, ""},
    };
    struct bench *b = bench_new();
    struct aws_credentials c;

    UNUSED(state);
    set(b, "AWS_EC2_METADATA_DISABLED", "");
    set(b, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/");
    begin(b, script, ARRAY_LEN(script));
    CHECK_OK(get_at(b, NOON, &c), &b->e);
    CHECK_STR(c.keys.access_key, STR("ASIAINSTANCE"));
    CHECK_STR(str_from(c.from), STR("instance metadata"));
    CHECK_INT(get_at(b, NOON + 6 * NS_PER_HOUR, &c), ERR_AGAIN);
    says(b, "instance metadata does not answer");
    for (int i = 0; i < 3; i++) {
        CHECK_INT(get_at(b, NOON + 6 * NS_PER_HOUR, &c), ERR_AUTH);
        says(b, "no AWS credentials");
    }
    set(b, "AWS_EC2_METADATA_DISABLED", "true");
    CHECK_INT(get_at(b, NOON + 6 * NS_PER_HOUR, &c), ERR_AUTH);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),         cmocka_unit_test(test_role),
        cmocka_unit_test(test_short_life),    cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_role_endpoint), cmocka_unit_test(test_profile_endpoints),
        cmocka_unit_test(test_role_refusals), cmocka_unit_test(test_role_of_source),
        cmocka_unit_test(test_web_identity),  cmocka_unit_test(test_container),
        cmocka_unit_test(test_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
