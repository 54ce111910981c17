/* The manifest: what is accepted becomes definitions, what is not is named with its place. */
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "executor/fndef.h"

static struct manifest *load(const char *text)
{
    struct manifest *m = NULL;
    struct err e = {0};

    CHECK_OK(manifest_parse(str_from(text), SOURCE_ROOT "/m.yaml", &m, &e), &e);
    return m;
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
    {"functions:\n  f: {runtime: provided, environment: {1A: x}}\n", "must be a letter"},
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_defaults),        cmocka_unit_test(test_names),
    cmocka_unit_test(test_memory_words),    cmocka_unit_test(test_log_format_words),
    cmocka_unit_test(test_wrong_manifests), cmocka_unit_test(test_secret_file),
};
TEST_MAIN(tests)
