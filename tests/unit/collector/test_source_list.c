/* Which sources draw on the same quotas: the same region, credentials, endpoint, and a part in
 * common. */
#include "tests/test.h"

#include "collector/aws/aws_source.h"
#include "collector/source.h"
#include "core/base/yaml.h"

static const char config[] =
    "a: {type: aws-logs, region: [eu-west-1, us-east-1]}\n"
    "b: {type: aws, region: eu-west-1, collect: [logs, queues]}\n"
    "c: {type: aws-metrics, region: eu-west-1}\n"
    "d: {type: aws-logs, region: eu-west-1, profile: other}\n"
    "e: {type: aws-logs, region: eu-west-1, endpoint: http://127.0.0.1:9001}\n";

static void test_sharing(void **state)
{
    static const unsigned wanted[] = {2, 1, 2, 1, 1, 1};
    const struct opt_list all = {0};
    struct yaml_node *root = NULL;
    struct source_list l = {0};
    struct arena a = {0};
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(yaml_parse(&a, str_from(config), "c.yaml", &root, &e), &e);
    CHECK_OK(sources_parse(root, "c.yaml", &all, &l, &e), &e);
    CHECK_INT(l.n, ARRAY_LEN(wanted));
    for (size_t i = 0; i < l.n; i++)
        CHECK_INT(l.items[i]->n_sharing, wanted[i]);
    sources_free(&l);
    arena_clear(&a);
}

/* What would fail only once it runs, or read nothing without a word, is refused with its place. */
static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"budget: abc", "c.yaml:1:1: sources.a: budget: abc is no amount"},
        {"budget: -1", "budget: it cannot be below 0"},
        {"budget: '1,50'", "budget: 1,50 is no amount"},
        {"collect: [log]", "collect: there is no part log; did you mean logs?"},
        {"poll: 0s", "poll: it must be above 0s"},
        {"config_every: 0s", "config_every: it must be above 0s"},
        {"endpoint: ftp://x", "endpoint: ftp://x is no address"},
        {"endpoint: 127.0.0.1:9401", "endpoint: 127.0.0.1:9401 is no address"},
        {"role_arn: foo", "role_arn: foo is none"},
        {"account: abc", "account: abc is no account number"},
        {"region: [eu-west-1, eu-west-1]", "region: eu-west-1 stands there twice"},
        {"metrics_every: 0s, queues_every: 0s, traces_every: 0s", NULL},
    };
    const struct opt_list all = {0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_clear) struct arena a = {0};
        struct yaml_node *root = NULL;
        struct source_list l = {0};
        struct err e = {0};
        struct str text = arena_printf(&a, "a: {type: aws, %s}\n", cases[i].text);
        CHECK_OK(yaml_parse(&a, text, "c.yaml", &root, &e), &e);
        enum status s = sources_parse(root, "c.yaml", &all, &l, &e);
        CHECK_INT(s, cases[i].says ? ERR_CONFIG : OK);
        CHECK(!cases[i].says || strstr(e.msg, cases[i].says));
        sources_free(&l);
    }
}

/* Is there a name that both match? Both ways round. */
static void test_globs_meet(void **state)
{
    static const struct {
        const char *a, *b;
        bool meet;
    } rows[] = {
        {"*", "", true},
        {"a*", "*b", true},
        {"a*", "b*", false},
        {"/aws/*", "/ecs/*", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*a*", "*b*", true},
        {"ab*", "a", false},
        {"a[xy]", "ax", true},
        {"", "", true},
        {"abc", "abc", true},
        {"abc", "abd", false},
        {"*-dlq", "orders", false},
        {"*-dlq", "orders-*", true},
        {"a*c", "a*b*c", true},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct str a = str_from(rows[i].a), b = str_from(rows[i].b);
        if (aws_globs_meet(a, b) != rows[i].meet || aws_globs_meet(b, a) != rows[i].meet)
            print_error("%s and %s\n", rows[i].a, rows[i].b);
        CHECK_INT(aws_globs_meet(a, b), rows[i].meet);
        CHECK_INT(aws_globs_meet(b, a), rows[i].meet);
    }
}

/* What each pair would both read; of which account they are the collector learns. */
static void test_overlaps(void **state)
{
    static const char pairs[] =
        "a: {type: aws, region: eu-west-1}\n"
        "b: {type: aws-logs, region: eu-west-1, log_groups: [/aws/lambda/check*]}\n"
        "c: {type: aws-logs, region: eu-west-1, log_groups: [/ecs/*]}\n"
        "d: {type: aws-queues, region: eu-west-1, profile: other, queues: [orders*]}\n"
        "e: {type: aws-traces, region: eu-west-2}\n";
    static const struct source_status known[] = {
        {.name = STR_INIT("a"), .account = STR_INIT("1"), .region = STR_INIT("eu-west-1")},
        {.name = STR_INIT("d"), .account = STR_INIT("1"), .region = STR_INIT("eu-west-1")},
    };
    const struct opt_list all = {0};
    struct source_overlap *rows;
    struct yaml_node *root = NULL;
    struct source_list l = {0};
    struct arena a = {0};
    struct err e = {0};

    UNUSED(state);
    CHECK_OK(yaml_parse(&a, str_from(pairs), "c.yaml", &root, &e), &e);
    CHECK_OK(sources_parse(root, "c.yaml", &all, &l, &e), &e);
    CHECK_INT(sources_overlaps(&l, NULL, 0, &a, &rows), 1);
    CHECK_STR(rows[0].a->name, STR("a"));
    CHECK_STR(rows[0].b->name, STR("b"));
    CHECK_STR(rows[0].what, STR("logs"));
    CHECK_INT(sources_overlaps(&l, known, ARRAY_LEN(known), &a, &rows), 2);
    CHECK_STR(rows[1].b->name, STR("d"));
    CHECK_STR(rows[1].what, STR("queues"));
    sources_free(&l);
    arena_clear(&a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_mistakes), cmocka_unit_test(test_sharing),
    cmocka_unit_test(test_globs_meet), cmocka_unit_test(test_overlaps)};
TEST_MAIN(tests)
