/* Incidents: which hours count, what joins them, how they are called. */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"

#define T0 (INT64_C(1767225600) * NS_PER_SEC)

static const struct fn_ref fn = {.name = {"f", 1}};

static struct incident_hour hour(unsigned at, uint64_t n, enum outcome o, uint64_t failed)
{
    struct incident_hour h = {.hour_ns = T0 + at * NS_PER_HOUR,
                              .n = n,
                              .failed = failed,
                              .memory_bytes = (uint64_t)512 << 20};

    h.outcome[o] = failed;
    h.outcome[OUTCOME_OK] += n - failed;
    return h;
}

static void check_one(const struct incident_hour *hours, size_t n, enum incident_kind kind,
                      const char *text)
{
    AUTO(arena_clear) struct arena a = {0};
    struct incidents found = {0};

    incidents_of_hours(&fn, 1, hours, n, &a, &found);
    CHECK_INT(found.n, 1);
    CHECK_INT(found.rows[0].kind, kind);
    CHECK_STR(incident_text(&found.rows[0], &a), str_from(text));
}

static void test_noise_is_none(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct incidents found = {0};
    const struct incident_hour hours[] = {hour(0, 1000, OUTCOME_ERROR, 99),
                                          hour(1, 4, OUTCOME_ERROR, 2),
                                          hour(2, 100, OUTCOME_OOM, 2)};

    UNUSED(state);
    incidents_of_hours(&fn, 1, hours, ARRAY_LEN(hours), &a, &found);
    CHECK_INT(found.n, 0);
}

static void test_quiet_hour_does_not_end_it(void **state)
{
    const struct incident_hour hours[] = {hour(0, 10, OUTCOME_ERROR, 5),
                                          hour(1, 10, OUTCOME_ERROR, 0),
                                          hour(2, 10, OUTCOME_ERROR, 4)};

    UNUSED(state);
    check_one(hours, 3, INCIDENT_FAILURES,
              "9 of 20 attempts (45 %) failed, 2026-01-01 00:00 to 03:00");
}

static void test_a_long_pause_does(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct incidents found = {0};
    const struct incident_hour hours[] = {hour(0, 10, OUTCOME_ERROR, 5),
                                          hour(9, 10, OUTCOME_ERROR, 4)};

    UNUSED(state);
    incidents_of_hours(&fn, 1, hours, ARRAY_LEN(hours), &a, &found);
    CHECK_INT(found.n, 2);
}

static void test_kinds(void **state)
{
    struct incident_hour retried = hour(0, 10, OUTCOME_ERROR, 9);
    const struct incident_hour timeouts = hour(0, 10, OUTCOME_TIMEOUT, 6);
    const struct incident_hour throttled = hour(0, 10, OUTCOME_THROTTLED, 6);
    const struct incident_hour memory = hour(30, 100, OUTCOME_OOM, 4);

    UNUSED(state);
    retried.retries = 6;
    check_one(&retried, 1, INCIDENT_RETRIES,
              "9 of 10 attempts (90 %) failed, 6 were retries, 2026-01-01 00:00 to 01:00");
    check_one(&timeouts, 1, INCIDENT_TIMEOUTS,
              "6 of 10 attempts (60 %) ran into the timeout, 2026-01-01 00:00 to 01:00");
    check_one(&throttled, 1, INCIDENT_THROTTLES,
              "6 of 10 attempts (60 %) were throttled, 2026-01-01 00:00 to 01:00");
    check_one(&memory, 1, INCIDENT_MEMORY,
              "ran out of its 512 MB in 4 of 100 attempts (4 %), 2026-01-02 06:00 to 07:00");
}

static void test_words_of_a_deploy_and_a_leak(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct incident i = {.kind = INCIDENT_BAD_DEPLOY,
                         .n = 10,
                         .failed = 5,
                         .since_ns = T0,
                         .until_ns = T0 + NS_PER_DAY,
                         .version = STR("29"),
                         .version_before = STR("28"),
                         .error_type = STR("TypeError"),
                         .looked_at = 5,
                         .of_type = 5,
                         .n_types = 1};

    UNUSED(state);
    CHECK_STR(
        incident_text(&i, &a),
        STR("version 29: 5 of 10 attempts (50 %) failed with TypeError; before ran version 28, "
            "2026-01-01 00:00 to 2026-01-02 00:00"));
    i = (struct incident){.kind = INCIDENT_MEMORY,
                          .n = 10,
                          .failed = 5,
                          .since_ns = T0,
                          .until_ns = T0,
                          .memory_bytes = (uint64_t)128 << 20,
                          .leak_bytes = 3 << 20};
    CHECK_STR(
        incident_text(&i, &a),
        STR("ran out of its 128 MB in 5 of 10 attempts (50 %); each use of an environment leaves "
            "3 MB more behind: a leak, 2026-01-01 00:00 to 00:00"));
    i.leak_bytes = 700 << 10;
    CHECK_STR(incident_what(&i, &a),
              STR("ran out of its 128 MB in 5 of 10 attempts (50 %); each use of an environment "
                  "leaves 700 KB more behind: a leak"));
}

static void test_a_type_of_some_is_not_that_of_all(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct incident i = {.kind = INCIDENT_FAILURES,
                         .n = 10,
                         .failed = 10,
                         .error_type = STR("KeyError"),
                         .looked_at = 10,
                         .of_type = 6,
                         .n_types = 3};

    UNUSED(state);
    CHECK_STR(incident_what(&i, &a), STR("10 of 10 attempts (100 %) failed, most with KeyError"));
    i.of_type = 5;
    CHECK_STR(incident_what(&i, &a),
              STR("10 of 10 attempts (100 %) failed, with 3 types of errors"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_is_none),
        cmocka_unit_test(test_quiet_hour_does_not_end_it),
        cmocka_unit_test(test_a_long_pause_does),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_words_of_a_deploy_and_a_leak),
        cmocka_unit_test(test_a_type_of_some_is_not_that_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
