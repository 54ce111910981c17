/* The documents of a trace. */
#include "tests/test.h"

#include "core/base/buf.h"
#include "executor/xray.h"

/* An environment made in advance: its initialization lies where it was, not before the request. */
static void test_early_initialization(void **state)
{
    static const struct fndef fn = {.name = STR_INIT("mail"), .arn = STR_INIT("arn:mail")};
    AUTO(buf_clear) struct buf b = {.max = 4096};
    struct rng ids;
    const struct xray_facts f = {.fn = &fn,
                                 .ids = &ids,
                                 .outcome = OUTCOME_OK,
                                 .begin_ns = 200 * NS_PER_SEC,
                                 .end_ns = 201 * NS_PER_SEC,
                                 .init_began_ns = 20 * NS_PER_SEC,
                                 .init_ns = NS_PER_SEC / 2};

    UNUSED(state);
    rng_seed(&ids, 1);
    xray_function_segment(&b, &f);
    struct str text = buf_str(&b);
    struct str init =
        STR("\"name\":\"Initialization\",\"start_time\":20.000000,\"end_time\":20.500000");
    struct str run =
        STR("\"name\":\"Invocation\",\"start_time\":200.000000,\"end_time\":201.000000");
    CHECK(str_find(text, init) < text.n);
    CHECK(str_find(text, run) < text.n);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_early_initialization)};
TEST_MAIN(tests)
