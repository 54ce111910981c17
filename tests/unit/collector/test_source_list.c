/* Which sources draw on the same quotas: the same region, credentials, endpoint, and a part in
 * common. */
#include "tests/test.h"

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

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_sharing)};
TEST_MAIN(tests)
