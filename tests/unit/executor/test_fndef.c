/* The manifest: what is accepted becomes definitions, what is not is named with its place. */
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "executor/fndef.h"
#include "executor/manifest_check.h"
#include "executor/storage_event.h"

static struct manifest *load_at(const char *path, const char *text)
{
    struct manifest *m = NULL;
    struct err e = {0};

    CHECK_OK(manifest_parse(str_from(text), path, &m, &e), &e);
    return m;
}

static struct manifest *load(const char *text)
{
    return load_at(SOURCE_ROOT "/m.yaml", text);
}

static void test_defaults(void **state)
{
    struct manifest *m = load("functions:\n  a: {runtime: python3.11, handler: app.handler}\n");
    const struct fndef *fn = manifest_find(m, STR("a"), NULL);

    (void)state;
    CHECK_STR(fn->arn, STR("arn:aws:lambda:us-east-1:000000000000:function:a"));
    CHECK_STR(fn->log_group, STR("/aws/lambda/a"));
    CHECK_INT(fn->memory_bytes, INT64_C(128) << 20);
    CHECK_INT(fn->timeout_ns, 3 * NS_PER_SEC);
    CHECK_INT(fn->protocol, PROTOCOL_FRAMES);
    CHECK(!fn->has_reserved);
    CHECK_INT(fn->max_retries, 2);
    manifest_free(m);
}

static void test_names(void **state)
{
    struct manifest *m = load("functions:\n  a: {runtime: provided}\n  b: {runtime: provided}\n");
    struct str q = {0};

    (void)state;
    CHECK_STR(manifest_find(m, STR("b"), &q)->name, STR("b"));
    CHECK_INT(q.n, 0);
    CHECK_STR(
        manifest_find(m, STR("arn:aws:lambda:us-east-1:000000000000:function:b:live"), &q)->name,
        STR("b"));
    CHECK_STR(q, STR("live"));
    CHECK_STR(manifest_find(m, STR("000000000000:function:a"), NULL)->name, STR("a"));
    CHECK(!manifest_find(m, STR("arn:aws:lambda:eu-west-1:000000000000:function:b"), NULL));
    CHECK(!manifest_find(m, STR("arn:aws:lambda:us-east-1:111111111111:function:b"), NULL));
    CHECK(!manifest_find(m, STR("111111111111:function:b"), NULL));
    CHECK(!manifest_find(m, STR("arn:aws:lambda:us-east-1:function:b"), NULL));
    CHECK_STR(manifest_find(m, STR("function:b"), NULL)->name, STR("b"));
    CHECK_STR(manifest_find(m, STR("a:$LATEST"), &q)->name, STR("a"));
    CHECK_STR(q, STR("$LATEST"));
    CHECK(manifest_find(m, STR("c"), NULL) == NULL);
    CHECK(manifest_find(m, STR(""), NULL) == NULL);
    CHECK_INT(m->functions[0].protocol, PROTOCOL_RUNTIME_API);
    manifest_free(m);
}

static void test_memory_words(void **state)
{
    static const struct {
        const char *text;
        int64_t mib;
    } cases[] = {{"128MB", 128}, {"512MiB", 512}, {"1GiB", 1024}, {"1769MB", 1769}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "functions:\n  a: {runtime: provided, memory: %s}\n",
                 cases[i].text);
        struct manifest *m = load(text);
        CHECK_INT(m->functions[0].memory_bytes >> 20, cases[i].mib);
        manifest_free(m);
    }
}

/* As AWS spells them, too. */
static void test_log_format_words(void **state)
{
    static const struct {
        const char *text;
        enum fn_log_format format;
    } cases[] = {{"text", LOG_FORMAT_TEXT},
                 {"Text", LOG_FORMAT_TEXT},
                 {"json", LOG_FORMAT_JSON},
                 {"JSON", LOG_FORMAT_JSON}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "functions:\n  a: {runtime: provided, log_format: %s}\n",
                 cases[i].text);
        struct manifest *m = load(text);
        CHECK_INT(m->functions[0].log_format, cases[i].format);
        manifest_free(m);
    }
}

/* Every message names place and remedy. */
static const struct {
    const char *text, *says;
} wrong[] = {
    {"functions: {}", "at least one function"},
    {"a: 1\nfunctions:\n  f: {runtime: provided}\n", "m.yaml:1:1: unknown key \"a\""},
    {"functions:\n  f:\n    runtime: provided\n    memori: 128MB\n",
     "m.yaml:4:5: unknown key \"memori\"; did you mean \"memory\"?"},
    {"functions:\n  f: {handler: x}\n", "runtime is missing"},
    {"functions:\n  f: {runtime: pythn3.11, handler: x}\n", "did you mean \"python\"?"},
    {"functions:\n  f: {runtime: ruby3, handler: x}\n", "is not known"},
    {"functions:\n  f: {runtime: python3.11}\n", "needs a handler"},
    {"functions:\n  \"f x\": {runtime: provided}\n", "function name"},
    {"functions:\n  f: {runtime: provided, memory: 64MB}\n", "memory must be"},
    {"functions:\n  f: {runtime: provided, memory: 128}\n", "memory must be"},
    {"functions:\n  f: {runtime: provided, timeout: 16m}\n", "timeout must be"},
    {"functions:\n  f: {runtime: provided, timeout: 3}\n", "m.yaml:2:"},
    {"functions:\n  f: {runtime: provided, code: /no/such/folder}\n", "there is no folder"},
    {"functions:\n  f: {runtime: provided, log_format: yaml}\n", "log_format"},
    {"functions:\n  f: {runtime: provided, environment: {1A: x}}\n", "a letter, then"},
    {"functions:\n  f: {runtime: provided, environment: {A: x}}\n",
     "at least one letter, digit or _"},
    {"functions:\n  f: {runtime: provided, environment: {AWS_REGION: x}}\n", "is set by fnexec"},
    {"functions:\n  f: {runtime: provided, environment: [A]}\n", "lines are expected"},
    {"functions:\n  f: {runtime: provided, secrets: {TOKEN: hunter2}}\n", "never the value itself"},
    {"functions:\n  f: {runtime: provided, secrets: {TOKEN: env:NO_SUCH_VARIABLE}}\n",
     "is not set"},
    {"functions:\n  f: {runtime: provided, secrets: {TOKEN: file:none}}\n", "secret file"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: htp}]}\n", "did you mean \"http\"?"},
    {"functions:\n  f: {runtime: provided, triggers: [{path: x}]}\n", "needs a type"},
    {"functions:\n  f: {runtime: provided, triggers: {type: http}}\n", "a list is expected"},
    {"functions:\n  f: {runtime: provided, concurrency: 950}\n", "must stay free"},
    {"account: 12\nfunctions:\n  f: {runtime: provided}\n", "12 digits"},
    {"functions:\n  f: {runtime: python3.11, handler: a.b, protocol: runtime-api}\n",
     "goes with runtime provided"},
    {"functions: [a]\n", "at least one function"},
    {"region: x y\nfunctions:\n  f: {runtime: provided}\n", "m.yaml:1:1: region \"x y\": small"},
    {"functions:\n  f:\n    runtime: python3.11\n    handler: app\n",
     "m.yaml:4:5: handler \"app\""},
    {"functions:\n  f: {runtime: nodejs20.x, handler: app.}\n", "such as app.handler"},
    {"functions:\n  f: {runtime: provided, log_group: \"bad group*\"}\n",
     "m.yaml:2:26: log_group \"bad group*\": letters"},
    {"functions:\n  f: {runtime: provided, concurrency: 3, provisioned: 5}\n",
     "m.yaml:2:42: provisioned (5) is more than the function's concurrency (3)"},
    {"functions:\n  f: {runtime: provided, provisioned: 11}\n", "more than instances (10)"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: http}, {type: http}]}\n",
     "m.yaml:2:51: a function has one URL"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: storage, folder: nowhere}]}\n",
     "m.yaml:2:37: folder " SOURCE_ROOT "/nowhere cannot be watched (No such file or directory)"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: storage, folder: ., bucket: B A "
     "D}]}\n",
     "m.yaml:2:37: bucket \"B A D\": S3 allows"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: queue, queue: q, max_concurrency: "
     "1}]}\n",
     "max_concurrency"},
    {"functions:\n  f: {runtime: provided, code: /tmp/../tmp}\n",
     "m.yaml:2:26: code /tmp/../tmp: a function has a /tmp of its own: name a folder below"},
    {"functions:\n  f: {runtime: provided, code: /}\n", "code /: a function has"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: storage, folder: /tmp}]}\n",
     "m.yaml:2:37: folder /tmp: a function has"},
    {"- x\n", "is expected"},
    {"", "is expected"},
    {"# nothing yet\n", "is expected"},
};

static void test_wrong_manifests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct manifest *m = NULL;
        struct err e = {0};
        enum status s = manifest_parse(str_from(wrong[i].text), SOURCE_ROOT "/m.yaml", &m, &e);
        if (s != ERR_CONFIG || !strstr(e.msg, wrong[i].says)) {
            print_error("%s\n%s: %s\nexpected: %s\n", wrong[i].text, status_name(s), e.msg,
                        wrong[i].says);
            CHECK(false);
        }
        CHECK(m == NULL);
    }
}

static void test_secret_file(void **state)
{
    char folder[] = "/tmp/fndef-XXXXXX", path[64], manifest[64];
    struct manifest *m = NULL;
    struct err e = {0};

    (void)state;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/token", folder);
    snprintf(manifest, sizeof(manifest), "%s/m.yaml", folder);
    CHECK_OK(file_write(path, STR("s3cret\n"), 0600, &e), &e);
    struct str text = STR("functions:\n  f: {runtime: provided, secrets: {TOKEN: file:token}}\n");
    CHECK_OK(manifest_parse(text, manifest, &m, &e), &e);
    CHECK_STR(m->functions[0].env[0].value, STR("s3cret"));
    CHECK(m->functions[0].env[0].is_secret);
    manifest_free(m);
    CHECK_INT(chmod(path, 0644), 0);
    CHECK_STATUS(manifest_parse(text, manifest, &m, &e), ERR_CONFIG);
    CHECK(strstr(e.msg, "chmod 600"));
    unlink(path);
    rmdir(folder);
}

/* What is allowed, and told. 2026-10-23T11:30:00Z. */
static void test_doubts(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"functions:\n  f: {runtime: python3.99, handler: a.b}\n  g: {runtime: python3.11, "
         "handler: "
         "a.b}\n",
         "m.yaml:2:7: python3.99 is no runtime of Lambda's that is known here: it runs all the "
         "same\n"},
        {"functions:\n  f: {runtime: provided.al2023}\n  g: {runtime: nodejs, handler: a.b}\n", ""},
        {"functions:\n  f: {runtime: provided, triggers: [{type: schedule, schedule: "
         "at(2020-01-01T00:00:00)}]}\n",
         "m.yaml:2:54: at(2020-01-01T00:00:00) is past: it will never fire\n"},
        {"functions:\n  f: {runtime: provided, triggers: [{type: schedule, missed: once, schedule: "
         "at(2020-01-01T00:00:00)}]}\n",
         "m.yaml:2:68: at(2020-01-01T00:00:00) is past: it will never fire, unless it was missed "
         "while fnexec was down\n"},
        {"functions:\n  f: {runtime: provided, triggers: [{type: schedule, time_zone: "
         "America/New_York, schedule: at(2026-10-23T07:31:00)}]}\n",
         ""},
        {"functions:\n  f: {runtime: provided, triggers: [{type: schedule, enabled: false, "
         "schedule: at(2020-01-01T00:00:00)}]}\n",
         ""},
    };

    char folder[] = "/tmp/fndef-XXXXXX", path[64];

    UNUSED(state);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/m.yaml", folder);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf text = {.max = 4096};
        struct manifest *m = load_at(path, cases[i].text);
        manifest_doubts(m, (struct str){0}, INT64_C(1792755000) * NS_PER_SEC, &text);
        struct str says = buf_str(&text);
        CHECK_STR(str_skip(says, says.n > 0 ? str_find(says, STR("m.yaml")) : 0),
                  str_from(cases[i].says));
        manifest_free(m);
    }
    rmdir(folder);
}

/* A folder that root enters by its capabilities is closed to root's functions. */
static void test_closed_code(void **state)
{
    static const struct {
        unsigned owner, mode, user;
        bool is_closed;
    } cases[] = {{0, 0700, 0, false},         {0, 0700, 65534, true},     {65534, 0700, 0, true},
                 {65534, 0700, 65534, false}, {65534, 0711, 0, true},     {65534, 0755, 0, false},
                 {0, 0750, 65534, true},      {65534, 0500, 65534, false}};
    char folder[] = "/tmp/fndef-XXXXXX", text[128];

    UNUSED(state);
    if (geteuid() != 0)
        skip();
    CHECK(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf doubts = {.max = 4096};
        CHECK_INT(chown(folder, cases[i].owner, cases[i].owner), 0);
        CHECK_INT(chmod(folder, cases[i].mode), 0);
        snprintf(text, sizeof(text), "functions:\n  f: {runtime: provided, code: %s, user: %u}\n",
                 folder, cases[i].user);
        struct manifest *m = load(text);
        manifest_doubts(m, (struct str){0}, 0, &doubts);
        bool is_told = str_find(buf_str(&doubts), STR("m.yaml:2:26: /tmp/fndef-")) < doubts.n;
        CHECK(is_told == cases[i].is_closed);
        CHECK(is_told == (doubts.n > 0));
        manifest_free(m);
    }
    rmdir(folder);
}

static void test_bucket_names(void **state)
{
    static const struct {
        const char *name;
        bool is_valid;
    } cases[] = {{"local", true},         {"my-bucket.2", true},
                 {"0ab", true},           {"ab", false},
                 {"B A D", false},        {"a_b", false},
                 {"-ab", false},          {"ab-", false},
                 {"a..b", false},         {"192.168.5.4", false},
                 {"192.168.5.4.1", true}, {"xn--a", false},
                 {"my--x-s3", false},     {"", false}};
    char longest[64];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(storage_bucket_is_valid(str_from(cases[i].name)) == cases[i].is_valid);
    memset(longest, 'a', sizeof(longest));
    CHECK(storage_bucket_is_valid((struct str){longest, 63}));
    CHECK(!storage_bucket_is_valid((struct str){longest, 64}));
}

/* --- what the manifest names --- */

static const struct {
    const char *text, *says; /* says NULL: right */
} queue_cases[] = {
    {"functions:\n  f: {runtime: provided, dlq: dead, async: {on_failure: f, on_success: ok}}\n",
     NULL},
    {"functions:\n  f: {runtime: provided, dlq: \"bad name!\"}\n",
     "m.yaml:2:26: dlq: \"bad name!\" cannot be a queue's name"},
    {"functions:\n  f:\n    runtime: provided\n    async:\n      on_failure: a b\n",
     "m.yaml:5:7: async.on_failure: \"a b\" cannot be"},
    {"functions:\n  f: {runtime: provided, dlq: \"arn:aws:sqs:us-east-1:000000000000:gone\"}\n",
     "dlq: queue gone does not exist: add it under queues"},
    {"queues: {there: }\nfunctions:\n  f: {runtime: provided, dlq: "
     "\"arn:aws:sqs:us-east-1:000000000000:there\"}\n",
     NULL},
    {"functions:\n  f: {runtime: provided, dlq: \"arn:aws:sns:us-east-1:000000000000:there\"}\n",
     "is no queue of account 000000000000 in us-east-1"},
    {"functions:\n  f: {runtime: provided, async: {on_success: "
     "\"arn:aws:lambda:eu-west-1:000000000000:function:f\"}}\n",
     "is no queue of account"},
    {"functions:\n  f:\n    runtime: provided\n    triggers:\n      - type: queue\n        queue: "
     "nowhere\n",
     "m.yaml:6:9: queue: queue nowhere does not exist"},
    {"functions:\n  f: {runtime: provided, triggers: [{type: queue, queue: nowhere, enabled: "
     "false}]}\n",
     NULL},
    {"functions:\n  f: {runtime: provided, dlq: dead, triggers: [{type: queue, queue: dead}]}\n",
     NULL},
    {"functions:\n  f: {runtime: provided, dlq: dead, timeout: 31s, triggers: [{type: queue, "
     "queue: dead}]}\n",
     "queue dead: its visibility timeout is shorter"},
    {"queues: {q: {visibility_timeout: 2s}}\nfunctions:\n  f: {runtime: provided, timeout: 3s, "
     "triggers: "
     "[{type: queue, queue: q}]}\n",
     "m.yaml:3:64: queue q: its visibility timeout is shorter than the timeout of function f"},
    {"queues:\n  q:\n    dead_letter: d.fifo\nfunctions:\n  f: {runtime: provided}\n",
     "m.yaml:3:5: dead_letter: of a standard queue, no FIFO queue"},
    {"queues:\n  q.fifo: {dead_letter: d}\nfunctions:\n  f: {runtime: provided}\n",
     "m.yaml:2:12: dead_letter: of a FIFO queue, a FIFO queue"},
};

static void test_queues(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(queue_cases) / sizeof(queue_cases[0]); i++) {
        struct manifest *m = load(queue_cases[i].text);
        struct err e = {0};
        enum status s = manifest_check_queues(m, NULL, &e);
        const char *says = queue_cases[i].says;
        if (says ? s != ERR_CONFIG || !strstr(e.msg, says) : s != OK) {
            print_error("%s\n%s: %s\nexpected: %s\n", queue_cases[i].text, status_name(s), e.msg,
                        says ? says : "ok");
            CHECK(false);
        }
        manifest_free(m);
    }
}

/* The programs of runtimes without an interpreter: first missing, then not executable, then there.
 */
static void test_programs(void **state)
{
    static const struct {
        const char *text, *program, *says;
    } cases[] = {{"functions:\n  f: {runtime: c, handler: prog}\n", "prog",
                  "m.yaml:2:19: program \"prog\" of"},
                 {"functions:\n  f: {runtime: provided}\n", "bootstrap",
                  "program \"bootstrap\" of runtime provided"}};
    char folder[] = "/tmp/fndef-XXXXXX", path[64], program[64];

    (void)state;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/m.yaml", folder);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct manifest *m = NULL;
        struct err e = {0};
        snprintf(program, sizeof(program), "%s/%s", folder, cases[i].program);
        CHECK_OK(file_write(path, str_from(cases[i].text), 0600, &e), &e);
        CHECK_STATUS(manifest_load(path, &m, &e), ERR_CONFIG);
        CHECK(strstr(e.msg, cases[i].says) && strstr(e.msg, "build it there"));
        CHECK_OK(file_write(program, STR("#!/bin/sh\n"), 0600, &e), &e);
        CHECK_STATUS(manifest_load(path, &m, &e), ERR_CONFIG);
        CHECK(strstr(e.msg, "chmod +x"));
        CHECK_INT(chmod(program, 0700), 0);
        CHECK_OK(manifest_load(path, &m, &e), &e);
        manifest_free(m);
        unlink(program);
    }
    unlink(path);
    rmdir(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_defaults),        cmocka_unit_test(test_names),
    cmocka_unit_test(test_memory_words),    cmocka_unit_test(test_log_format_words),
    cmocka_unit_test(test_wrong_manifests), cmocka_unit_test(test_secret_file),
    cmocka_unit_test(test_queues),          cmocka_unit_test(test_programs),
    cmocka_unit_test(test_doubts),          cmocka_unit_test(test_closed_code),
    cmocka_unit_test(test_bucket_names),
};
TEST_MAIN(tests)
