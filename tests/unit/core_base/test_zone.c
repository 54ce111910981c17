/* The local zone: what holds at a time, and back from what a clock on the wall shows. */
#include "core/base/zone.h"

#include <stdlib.h>
#include <time.h>

#include "core/base/timefmt.h"
#include "tests/test.h"

static void use_zone(const char *rule)
{
    setenv("TZ", rule, 1);
    tzset();
}

/* That of Europe/Berlin; not every machine knows zones by name. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static int64_t at(const char *text)
{
    int64_t t_ns = 0;

    CHECK(time_parse(str_from(text), &t_ns));
    return t_ns;
}

static void holds(const char *time, int64_t minutes, const char *name)
{
    struct zone_at z = zone_local(at(time));

    CHECK_INT(z.offset_ns, minutes * NS_PER_MIN);
    CHECK_STR(str_from(z.name), str_from(name));
}

static void test_summer_and_winter(void **state)
{
    UNUSED(state);
    use_zone(BERLIN);
    holds("2026-03-29T00:59:59.999Z", 60, "CET");
    holds("2026-03-29T01:00:00Z", 120, "CEST");
    holds("2026-10-25T00:59:59.999Z", 120, "CEST");
    holds("2026-10-25T01:00:00Z", 60, "CET");
    holds("1969-12-31T23:59:59.500Z", 60, "CET");
    use_zone("<+0545>-5:45");
    holds("2026-01-15T00:00:00Z", 345, "+0545");
    use_zone("UTC");
    holds("2026-07-15T00:00:00Z", 0, "UTC");
}

static void wall(const char *shown, const char *want)
{
    CHECK_INT(zone_from_wall(at(shown)), at(want));
}

static void test_from_the_wall(void **state)
{
    UNUSED(state);
    use_zone(BERLIN);
    wall("2026-01-15T12:00:00Z", "2026-01-15T11:00:00Z");
    wall("2026-07-15T12:00:00Z", "2026-07-15T10:00:00Z");
    wall("2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z");
    wall("2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"); /* left out */
    wall("2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z");
    wall("2026-10-25T01:59:59Z", "2026-10-24T23:59:59Z");
    wall("2026-10-25T02:30:00Z", "2026-10-25T01:30:00Z"); /* comes twice */
    wall("2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z");
    use_zone("EST5EDT,M3.2.0,M11.1.0");
    wall("2026-11-01T01:30:00Z", "2026-11-01T06:30:00Z");
    wall("2026-11-01T00:59:59Z", "2026-11-01T04:59:59Z");
    use_zone("UTC");
    wall("2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summer_and_winter),
        cmocka_unit_test(test_from_the_wall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
