/* Names of metrics, alerts and their values. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/model/alert.h"

static void test_every_metric_has_a_name_of_its_own(void **state)
{
    UNUSED(state);
    for (unsigned i = 0; i < METRICS; i++) {
        enum metric m = METRICS;
        const struct metric_info *info = metric_info((enum metric)i);
        CHECK(metric_parse(str_from(info->name), &m));
        CHECK_INT(m, i);
        CHECK(info->help != NULL && str_ends(str_from(info->help), STR(".")));
    }
    enum metric m = METRICS;
    CHECK(!metric_parse(STR("fnscope.nonsense"), &m));
    CHECK_INT(m, METRICS);
}

static void test_scopes(void **state)
{
    UNUSED(state);
    for (unsigned i = 0; i < METRIC_SCOPES; i++) {
        enum metric_scope s = METRIC_SCOPES;
        CHECK(metric_scope_parse(str_from(metric_scope_name((enum metric_scope)i)), &s));
        CHECK_INT(s, i);
    }
    const struct fn_ref of = {PROVIDER_AWS, STR("1"), STR("eu"), STR("orders"), NULL};
    const struct subject fn = {SCOPE_FUNCTION, of}, queue = {SCOPE_QUEUE, of};
    CHECK(!subject_eq(&fn, &queue) && subject_hash(&fn) != subject_hash(&queue));
}

static void check_value(int64_t value, enum metric_unit unit, const char *want)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    alert_value_format(&b, value, unit);
    CHECK_STR(buf_str(&b), str_from(want));
}

static void test_values(void **state)
{
    UNUSED(state);
    check_value(12, UNIT_COUNT, "12");
    check_value(INT64_C(1500000000), UNIT_NS, "1.50s");
    check_value(15000, UNIT_PPM, "1.5%");
    check_value(1000000, UNIT_PPM, "100%");
    check_value(INT64_C(2500000000000), UNIT_PICO, "$2.50");
    check_value(INT64_C(2500000000000), UNIT_PICO_HOUR, "$2.50/h");
}

static void test_keys_are_stable(void **state)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    const struct subject s = {SCOPE_QUEUE, {PROVIDER_AWS, STR("1"), STR("eu"), STR("q"), NULL}};

    UNUSED(state);
    alert_key(&b, STR("dlq-depth"), &s);
    CHECK_INT(b.n, 16);
    AUTO(buf_clear) struct buf again = {.max = 64};
    alert_key(&again, STR("dlq-depth"), &s);
    CHECK_STR(buf_str(&again), buf_str(&b));
    buf_reset(&again);
    alert_key(&again, STR("dlq-age"), &s);
    CHECK(!str_eq(buf_str(&again), buf_str(&b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_metric_has_a_name_of_its_own),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_keys_are_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
