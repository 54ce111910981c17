/* A wall clock that is set, beside one that is corrected and one that is not touched. */
#include "tests/test.h"

#include "core/base/clock_look.h"
#include "core/base/macros.h"

static int64_t wall_ns, steady_ns;

static int64_t wall(const struct clock *c)
{
    UNUSED(c);
    return wall_ns;
}

static int64_t steady(const struct clock *c)
{
    UNUSED(c);
    return steady_ns;
}

static void test_steps(void **state)
{
    static const struct {
        int64_t passed_ns, by_ns;
        bool was_set;
    } cases[] = {{0, 0, false},
                 {NS_PER_HOUR, 0, false},
                 {NS_PER_MIN, NS_PER_SEC, false},
                 {NS_PER_MIN, 2 * NS_PER_HOUR, true},
                 {NS_PER_MIN, 0, false},
                 {0, -NS_PER_MIN, true}};
    const struct clock c = {.now = wall, .monotonic = steady};
    struct clock_look l = {0};

    UNUSED(state);
    wall_ns = NS_PER_DAY;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        steady_ns += cases[i].passed_ns;
        wall_ns += cases[i].passed_ns + cases[i].by_ns;
        CHECK_INT(clock_was_set(&l, &c), cases[i].was_set);
    }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};
TEST_MAIN(tests)
