/* Times, durations and sizes, read and written. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/base/timefmt.h"

#define NOW INT64_C(1768478400000000000) /* 2026-01-15T12:00:00Z, a Thursday */

static void test_times(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        int64_t t_ns;
    } good[] = {
        {"2026-01-15T12:00:00Z", NOW},
        {"2026-01-15 12:00:00", NOW},
        {"2026-01-15T12:00:00.123456789Z", NOW + 123456789},
        {"2026-01-15T13:30:00+01:30", NOW},
        {"2026-01-15T13:30:00+0130", NOW},
        {"2026-01-15 13:30:00.000 +01:30", NOW},
        {"2026-01-15 10:30:00 -0130", NOW},
        {"2026-01-15 13:30:00.000 (+01:30)", NOW},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.5Z", -500000000},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800) * NS_PER_SEC},
    };
    static const char *const bad[] = {"",
                                      "2026-01-15",
                                      "2026-13-15T12:00:00Z",
                                      "2026/01/15T12:00:00Z",
                                      "2026-01-15T12;00;00Z",
                                      "2026-01,15T12:00:00Z",
                                      "2026-01-15 12:00>00",
                                      "2025-02-29T00:00:00Z",
                                      "2026-01-15T24:00:01Z",
                                      "2026-01-15T12:00:00Zx",
                                      "2026-01-15T12:00:00.Z",
                                      "2026-01-15 12:00:00 +15:00",
                                      "2026-01-15 12:00:00 (+01:00",
                                      "2300-01-01T00:00:00Z"};
    int64_t t_ns = 7;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK(time_parse(str_from(good[i].text), &t_ns));
        CHECK_INT(t_ns, good[i].t_ns);
    }
    t_ns = 7;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (time_parse(str_from(bad[i]), &t_ns) || t_ns != 7)
            fail_msg("accepted: %s", bad[i]);
    CHECK_INT(time_parse_prefix(STR("2026-01-15T12:00:00.000Z\tmore"), &t_ns), 24);
    CHECK_INT(time_parse_prefix(STR("2026-01-15 12:00:00 +0130 more"), &t_ns), 25);
    CHECK_INT(time_parse_prefix(STR("2026-01-15 12:00:00 +01 more"), &t_ns), 19);
    CHECK_INT(time_parse_prefix(STR("2026-01-15 12:00:00 -1234567"), &t_ns), 19);
    CHECK_INT(t_ns, NOW);
}

/* The form of nearly all times in logs is read eight characters at once, the same with a blank in
 * place of the T in the general way: what either takes, and as what, is the same. */
static void test_times_in_millis(void **state)
{
    UNUSED(state);
    static const char *const times[] = {"2026-01-15T12:30:59.123Z", "2024-02-29T23:59:59.999Z",
                                        "1678-01-01T00:00:00.000Z", "2261-12-31T10:09:08.007Z"};
    enum { SEPARATOR = 10, LENGTH = 24 };

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        for (size_t at = 0; at < LENGTH; at++)
            for (unsigned c = 0; c < 256; c++) {
                char fast[LENGTH], slow[LENGTH];
                int64_t t = 7, u = 7;
                memcpy(fast, times[i], LENGTH);
                fast[at] = (char)c;
                memcpy(slow, fast, LENGTH);
                if (at != SEPARATOR)
                    slow[SEPARATOR] = ' ';
                CHECK_INT(time_parse_prefix((struct str){fast, LENGTH}, &t),
                          time_parse_prefix((struct str){slow, LENGTH}, &u));
                CHECK_INT(t, u);
            }
}

static void test_times_people_type(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        int64_t t_ns;
    } good[] = {
        {"now", NOW},
        {"today", NOW - 12 * NS_PER_HOUR},
        {"yesterday", NOW - 36 * NS_PER_HOUR},
        {"15m", NOW - 15 * NS_PER_MIN},
        {"2026-01-15", NOW - 12 * NS_PER_HOUR},
        {"2026-01-15 12:30", NOW + 30 * NS_PER_MIN},
        {"2026-01-15T12:30Z", NOW + 30 * NS_PER_MIN},
        {"2026-01-15T13:30+01:00", NOW + 30 * NS_PER_MIN},
        {"2026-01-15 07:00-0530", NOW + 30 * NS_PER_MIN},
        {"1768478400", NOW},
        {"1768478400000", NOW},
    };
    struct err e = {0};
    int64_t t_ns;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK_OK(time_parse_human(str_from(good[i].text), NOW, &t_ns, &e), &e);
        CHECK_INT(t_ns, good[i].t_ns);
    }
    CHECK(time_parse_human(STR("noon"), NOW, &t_ns, &e) != OK && e.msg[0]);
    CHECK(time_parse_human(STR("999999999w"), NOW, &t_ns, &e) != OK);
    CHECK(time_parse_human(STR("2026-01-15T24:30"), NOW, &t_ns, &e) != OK);
    CHECK(time_parse_human(STR("2026-01-15T12:30+1"), NOW, &t_ns, &e) != OK);
}

static void test_written(void **state)
{
    UNUSED(state);
    static const struct {
        int64_t ns;
        const char *text;
    } durations[] = {
        {0, "0"},
        {834000, "834us"},
        {2460000, "2.46ms"},
        {1200000000, "1.20s"},
        {185 * NS_PER_SEC, "3m05s"},
    };
    AUTO(buf_clear) struct buf b = {.max = 100};

    time_format(&b, -500000000, 3);
    time_format_day(&b, NOW);
    CHECK_STR(buf_str(&b), STR("1969-12-31T23:59:59.500Z2026-01-15"));
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        buf_reset(&b);
        duration_format(&b, durations[i].ns);
        CHECK_STR(buf_str(&b), str_from(durations[i].text));
    }
    CHECK_INT(time_civil(NOW).weekday, 4);
    CHECK_INT(time_floor(-1, NS_PER_HOUR), -NS_PER_HOUR);
    CHECK_INT(time_month(45 * NS_PER_DAY, 0), 31 * NS_PER_DAY);
    CHECK_INT(time_month(45 * NS_PER_DAY, 1), 59 * NS_PER_DAY);
    CHECK_INT(time_month(45 * NS_PER_DAY, 11), 365 * NS_PER_DAY);
}

static void test_durations_and_sizes(void **state)
{
    UNUSED(state);
    struct err e = {0};
    int64_t ns;
    uint64_t bytes;

    CHECK_OK(duration_parse(STR("1h30m"), &ns, &e), &e);
    CHECK_INT(ns, 90 * NS_PER_MIN);
    CHECK_OK(duration_parse(STR("1.5s"), &ns, &e), &e);
    CHECK_INT(ns, 1500 * NS_PER_MS);
    CHECK_OK(duration_parse(STR("30d"), &ns, &e), &e);
    CHECK_INT(ns, 30 * NS_PER_DAY);
    CHECK(duration_parse(STR("15"), &ns, &e) != OK && duration_parse(STR(""), &ns, &e) != OK);
    CHECK(duration_parse(STR("999999999d"), &ns, &e) != OK);
    CHECK_OK(size_parse(STR("512MB"), &bytes, &e), &e);
    CHECK_INT(bytes, 512000000);
    CHECK_OK(size_parse(STR("1.5GiB"), &bytes, &e), &e);
    CHECK_INT(bytes, 1610612736);
    CHECK_OK(size_parse(STR("77"), &bytes, &e), &e);
    CHECK_INT(bytes, 77);
    CHECK_OK(memory_parse(STR("1024MB"), &bytes, &e), &e);
    CHECK_INT(bytes, INT64_C(1) << 30);
    CHECK_OK(memory_parse(STR("1.5 gb"), &bytes, &e), &e);
    CHECK_INT(bytes, INT64_C(3) << 29);
    CHECK_OK(memory_parse(STR("512MiB"), &bytes, &e), &e);
    CHECK_INT(bytes, INT64_C(1) << 29);
    CHECK_OK(memory_parse(STR("7k"), &bytes, &e), &e);
    CHECK_INT(bytes, 7168);
    CHECK_OK(memory_parse(STR("77"), &bytes, &e), &e);
    CHECK_INT(bytes, 77);
    CHECK(memory_parse(STR("5XB"), &bytes, &e) != OK && memory_parse(STR("5MX"), &bytes, &e) != OK);
    CHECK(memory_parse(STR("GB"), &bytes, &e) != OK &&
          memory_parse(STR("99999999TB"), &bytes, &e) != OK);
    CHECK(size_parse(STR("99999999TB"), &bytes, &e) != OK &&
          size_parse(STR("MB"), &bytes, &e) != OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_times),
    cmocka_unit_test(test_times_in_millis),
    cmocka_unit_test(test_times_people_type),
    cmocka_unit_test(test_written),
    cmocka_unit_test(test_durations_and_sizes),
};
TEST_MAIN(tests)
