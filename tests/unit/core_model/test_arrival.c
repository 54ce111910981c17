#include "core/model/arrival.h"

#include "tests/test.h"

static void test_ids_that_tell_nothing(void **state)
{
    UNUSED(state);
    CHECK_INT(arrival_of(STR("")), 0);
    CHECK_INT(arrival_of(STR("12345")), 0);
    CHECK_INT(arrival_of(STR("3195310660696698337880902507-980421114328")), 0);
    CHECK(!arrival_is_after(0, 5));
    CHECK(!arrival_is_after(5, 0));
    CHECK(!arrival_is_after(7, 7));
}

/* As the documentation of subscriptions has them: of one call, numbered one after the other. */
static void test_order_of_one_call(void **state)
{
    const uint16_t first =
        arrival_of(STR("31953106606966983378809025079804211143289615424298221568"));
    const uint16_t second =
        arrival_of(STR("31953106606966983378809025079804211143289615424298221569"));

    UNUSED(state);
    CHECK_INT(second, first + 1);
    CHECK(arrival_is_after(second, first));
    CHECK(!arrival_is_after(first, second));
}

/* 2^14 numbers on the lowest bits begin anew. */
static void test_order_goes_round(void **state)
{
    const uint16_t last = arrival_of(STR("00000000000016383")), next = arrival_of(STR("00016384"
                                                                                      "00000000"));

    UNUSED(state);
    CHECK_INT(last, 16384);
    CHECK_INT(arrival_of(STR("00000000000016384")), 1);
    CHECK_INT(next, 1 + UINT64_C(1638400000000) % 16384);
    CHECK(arrival_is_after(1, last));
    CHECK(!arrival_is_after(last, 1));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_ids_that_tell_nothing),
    cmocka_unit_test(test_order_of_one_call),
    cmocka_unit_test(test_order_goes_round),
};
TEST_MAIN(tests)
