/* Deployments from starts of environments: what counts as one, what as failed, what as rolled back.
 */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

static const struct fn_ref fn = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                 STR_INIT("checkout"), NULL};

struct start {
    uint32_t fn_id;
    const char *version;
    int64_t minute;
};

static void see_all(struct deployments *d, struct arena *a, const struct start *starts, size_t n)
{
    static const struct origin origin = {.fn = &fn};

    for (size_t i = 0; i < n; i++) {
        const struct invocation inv = {.origin = &origin,
                                       .version = str_from(starts[i].version),
                                       .start_ns = starts[i].minute * NS_PER_MIN};
        deployments_see(d, a, starts[i].fn_id, &inv);
    }
}

static void test_new_versions_are_deployments(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct deployments d = {0};
    const struct start starts[] = {
        {1, "28", 0}, {1, "28", 50}, {1, "29", 100}, {1, "29", 110}, {1, "30", 500},
        {2, "5", 1},  {2, "5", 120}, {2, "6", 130},  {3, "", 501},   {3, "$LATEST", 502}};

    see_all(&d, &a, starts, ARRAY_LEN(starts));
    deployments_judge(&d, &(struct incidents){0});
    CHECK_INT(d.n, 3);
    CHECK_STR(d.rows[0].version, STR("29"));
    CHECK_STR(d.rows[0].before, STR("28"));
    CHECK_INT(d.rows[0].at_ns, 100 * NS_PER_MIN);
    CHECK_STR(d.rows[1].before, STR("29"));
    CHECK_STR(d.rows[2].version, STR("6"));
    CHECK_INT(d.rows[2].fn_id, 2);
    for (size_t i = 0; i < d.n; i++)
        CHECK(!d.rows[i].is_failed && d.rows[i].back_ns == 0);
    CHECK(d.has_versions);
}

/* Shifted traffic runs two versions side by side; only who stays alone has come back. */
static void test_rolled_back(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct deployments shifted = {0}, back = {0}, late = {0};
    const struct start side[] = {{1, "1", 0}, {1, "2", 10}, {1, "1", 20}, {1, "2", 30}};
    const struct start again[] = {{1, "1", 0}, {1, "2", 10}, {1, "1", 40}, {1, "1", 50}};
    const struct start after[] = {{1, "1", 0}, {1, "2", 10}, {1, "1", 71}};

    see_all(&shifted, &a, side, ARRAY_LEN(side));
    see_all(&back, &a, again, ARRAY_LEN(again));
    see_all(&late, &a, after, ARRAY_LEN(after));
    deployments_judge(&shifted, &(struct incidents){0});
    deployments_judge(&back, &(struct incidents){0});
    deployments_judge(&late, &(struct incidents){0});
    CHECK(!shifted.rows[0].is_failed);
    CHECK(back.rows[0].is_failed);
    CHECK_INT(back.rows[0].recovered_ns, 40 * NS_PER_MIN);
    CHECK(!late.rows[0].is_failed); /* rolled back, but not within the window */
}

static void test_incidents_fail_deployments(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct deployments d = {0};
    const struct start starts[] = {{1, "1", 0},   {1, "2", 100}, {2, "1", 0},
                                   {2, "2", 100}, {3, "1", 0},   {3, "2", 100}};
    struct incident rows[] = {
        {.fn_id = 1, .since_ns = 160 * NS_PER_MIN, .until_ns = 190 * NS_PER_MIN},
        {.fn_id = 2, .since_ns = 161 * NS_PER_MIN, .until_ns = 190 * NS_PER_MIN},
        {.fn_id = 2, .since_ns = 98 * NS_PER_MIN, .until_ns = 120 * NS_PER_MIN},
        {.fn_id = 3,
         .version = STR("2"),
         .since_ns = 80 * NS_PER_MIN,
         .until_ns = 85 * NS_PER_MIN}};

    see_all(&d, &a, starts, ARRAY_LEN(starts));
    deployments_judge(&d, &(struct incidents){.rows = rows, .n = ARRAY_LEN(rows)});
    CHECK_INT(d.n, 3);
    CHECK(d.rows[0].is_failed);
    CHECK_INT(d.rows[0].recovered_ns, 190 * NS_PER_MIN);
    CHECK(!d.rows[1].is_failed); /* too late, too early */
    CHECK(d.rows[2].is_failed);  /* its version failed before an environment of it is seen */
    CHECK_INT(d.rows[2].at_ns, 80 * NS_PER_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_versions_are_deployments),
        cmocka_unit_test(test_rolled_back),
        cmocka_unit_test(test_incidents_fail_deployments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
