/* Times of the dashboard: each form in each zone, over changes of the clocks; what is typed. */
#include "tests/test.h"

#include <stdlib.h>
#include <time.h>

#include "core/base/timefmt.h"
#include "tests/support/view_twin.h"

static int64_t at(const char *text)
{
    int64_t t_ns = 0;

    CHECK(time_parse(str_from(text), &t_ns));
    return t_ns;
}

/* That of Europe/Berlin; not every machine knows zones by name. */
static void open_in(struct view_twin *w, enum tui_zone zone, const char *since, const char *until)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    view_twin_open(w, NULL, 0);
    w->app.zone = zone;
    w->app.data.range = (struct range){at(since), at(until)};
}

static void shows(enum tui_zone zone, enum time_form form, const char *time, const char *want)
{
    struct view_twin w;

    open_in(&w, zone, time, time);
    CHECK_STR(view_time(&w.app, &w.app.data_arena, at(time), form), str_from(want));
    app_clear(&w.app);
}

static void test_forms(void **state)
{
    UNUSED(state);
    const char *late = "2025-12-31T23:30:05.250Z";

    shows(ZONE_UTC, TIME_WHOLE, late, "2025-12-31T23:30:05.250Z");
    shows(ZONE_RELATIVE, TIME_WHOLE, late, "2025-12-31T23:30:05.250Z");
    shows(ZONE_LOCAL, TIME_WHOLE, late, "2026-01-01T00:30:05.250+01");
    shows(ZONE_LOCAL, TIME_SECOND, late, "2026-01-01T00:30:05");
    shows(ZONE_LOCAL, TIME_MINUTE, late, "2026-01-01T00:30");
    shows(ZONE_LOCAL, TIME_DAY, late, "2026-01-01");
    shows(ZONE_LOCAL, TIME_IN_YEAR, late, "01-01T00:30:05");
    shows(ZONE_LOCAL, TIME_DAY_MINUTE, late, "01-01 00:30");
    shows(ZONE_LOCAL, TIME_CLOCK, late, "00:30:05.250");
    shows(ZONE_LOCAL, TIME_CLOCK_MINUTE, late, "00:30");
    shows(ZONE_LOCAL, TIME_WHOLE, "2026-03-29T00:59:59.999Z", "2026-03-29T01:59:59.999+01");
    shows(ZONE_LOCAL, TIME_WHOLE, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00.000+02");
    shows(ZONE_LOCAL, TIME_WHOLE, "2026-10-25T00:30:00Z", "2026-10-25T02:30:00.000+02");
    shows(ZONE_LOCAL, TIME_WHOLE, "2026-10-25T01:30:00Z", "2026-10-25T02:30:00.000+01");
}

static void title_says(enum tui_zone zone, const char *since, const char *until, const char *want)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    struct view_twin w;

    open_in(&w, zone, since, until);
    view_zone(&w.app, &b);
    CHECK_STR(buf_str(&b), str_from(want));
    app_clear(&w.app);
}

static void test_the_title(void **state)
{
    UNUSED(state);
    title_says(ZONE_UTC, "2026-07-15T00:00:00Z", "2026-07-16T00:00:00Z", "UTC");
    title_says(ZONE_RELATIVE, "2026-07-15T00:00:00Z", "2026-07-16T00:00:00Z", "UTC, ages");
    title_says(ZONE_LOCAL, "2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z", "CET");
    title_says(ZONE_LOCAL, "2026-07-15T00:00:00Z", "2026-07-16T00:00:00Z", "CEST");
    title_says(ZONE_LOCAL, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "CET/CEST");
    title_says(ZONE_LOCAL, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "CEST/CET");
}

static bool row_has(struct table *t, const char *pattern)
{
    struct condition c;

    (void)condition_parse(str_from(pattern), t, &c, NULL);
    bool is_in = condition_holds(&c, t, 0);
    re_free(c.re);
    return is_in;
}

/* A table as loaded: its data is in UTC, its text in the zone. */
static void cell_shows(enum tui_zone zone, const char *since, const char *until, const char *drawn,
                       const char *text)
{
    static const struct table_column columns[] = {{.name = "start_time", .title = "TIME"},
                                                  {.name = "error", .title = "ERROR"}};
    const struct str raw = STR("2026-10-25T00:30:00.000Z");
    struct view_twin w;

    open_in(&w, zone, since, until);
    struct table *t = &w.app.data.table;
    table_init(t, &w.app.data_arena, columns, ARRAY_LEN(columns), "twin", 1);
    table_row(t);
    cell_time(t, 0, at("2026-10-25T00:30:00Z"));
    table_text(t, 1, STR("of no time"));
    view_times_shown(&w.app, t);
    CHECK_STR(t->cells[0].raw, raw);
    CHECK(zone != ZONE_LOCAL || (row_has(t, "T02:30") && !row_has(t, "^2026-10-25T00:30.*Z")));
    CHECK_STR(t->cells[0].shown, str_from(text));
    CHECK_STR(view_cell(&w.app, t->arena, 0, &t->cells[0]), str_from(drawn));
    CHECK_STR(view_cell(&w.app, t->arena, 1, &t->cells[1]), STR("of no time"));
    app_clear(&w.app);
}

static void test_cells(void **state)
{
    UNUSED(state);
    const char *night = "2026-10-24T22:00:00Z", *early = "2026-10-25T00:59:00Z";
    const char *noon = "2026-10-25T11:00:00Z", *before = "2026-10-20T00:00:00Z";

    cell_shows(ZONE_UTC, night, noon, "00:30:00.000", "");
    cell_shows(ZONE_UTC, before, noon, "10-25T00:30:00", "");
    cell_shows(ZONE_LOCAL, night, early, "02:30:00.000", "2026-10-25T02:30:00.000+02");
    cell_shows(ZONE_LOCAL, night, noon, "02:30:00.000+02", "2026-10-25T02:30:00.000+02");
    cell_shows(ZONE_LOCAL, before, noon, "10-25T02:30:00+02", "2026-10-25T02:30:00.000+02");
    cell_shows(ZONE_RELATIVE, night, noon, "in 282d", "in 282d");
}

static void means(enum tui_zone zone, const char *typed, const char *want)
{
    struct err e = {0};
    struct view_twin w;
    int64_t t_ns;

    open_in(&w, zone, "2026-01-15T00:00:00Z", "2026-01-15T12:00:00Z"); /* it is noon in UTC */
    CHECK_OK(view_time_parse(&w.app, str_from(typed), &t_ns, &e), &e);
    CHECK_INT(t_ns, at(want));
    app_clear(&w.app);
}

static void test_what_is_typed(void **state)
{
    UNUSED(state);
    means(ZONE_UTC, "2026-01-15 12:30", "2026-01-15T12:30:00Z");
    means(ZONE_RELATIVE, "today", "2026-01-15T00:00:00Z");
    means(ZONE_LOCAL, "2026-01-15 12:30", "2026-01-15T11:30:00Z");
    means(ZONE_LOCAL, "2026-01-15 12:30Z", "2026-01-15T12:30:00Z");
    means(ZONE_LOCAL, "2026-07-15T12:30:00.5", "2026-07-15T10:30:00.5Z");
    means(ZONE_LOCAL, "2026-07-15T12:30:00-04:00", "2026-07-15T16:30:00Z");
    means(ZONE_LOCAL, "2026-07-15T12:30:00+04:00", "2026-07-15T08:30:00Z");
    means(ZONE_LOCAL, "2026-01-15", "2026-01-14T23:00:00Z");
    means(ZONE_LOCAL, "today", "2026-01-14T23:00:00Z");
    means(ZONE_LOCAL, "yesterday", "2026-01-13T23:00:00Z");
    means(ZONE_LOCAL, "now", "2026-01-15T12:00:00Z");
    means(ZONE_LOCAL, "15m", "2026-01-15T11:45:00Z");
    means(ZONE_LOCAL, "1768478400", "2026-01-15T12:00:00Z");
    means(ZONE_UTC, "03:12", "2026-01-15T03:12:00Z");
    means(ZONE_RELATIVE, "12:00:00", "2026-01-15T12:00:00Z");
    means(ZONE_UTC, "14:50", "2026-01-14T14:50:00Z"); /* it is not yet that late */
    means(ZONE_LOCAL, "12:59:30", "2026-01-15T11:59:30Z");
    means(ZONE_LOCAL, "13:01", "2026-01-14T12:01:00Z");
}

/* A time of day is one of the day that is looked at, however long ago. */
static void test_of_the_day_in_view(void **state)
{
    UNUSED(state);
    struct view_twin w;
    int64_t t_ns;

    open_in(&w, ZONE_UTC, "2025-09-21T00:00:00Z", "2025-09-22T00:00:00Z");
    CHECK_STATUS(view_time_parse(&w.app, STR("14:30"), &t_ns, NULL), OK);
    CHECK_INT(t_ns, at("2025-09-21T14:30:00Z"));
    CHECK_STATUS(view_time_parse(&w.app, STR("today"), &t_ns, NULL), OK);
    CHECK_INT(t_ns, at("2026-01-15T00:00:00Z"));
    w.app.data.range.until_ns = at("2025-09-21T09:00:00Z");
    CHECK_STATUS(view_time_parse(&w.app, STR("14:30"), &t_ns, NULL), OK);
    CHECK_INT(t_ns, at("2025-09-21T14:30:00Z"));
    w.app.zone = ZONE_LOCAL;
    CHECK_STATUS(view_time_parse(&w.app, STR("14:30"), &t_ns, NULL), OK);
    CHECK_INT(t_ns, at("2025-09-21T12:30:00Z"));
    app_clear(&w.app);
}

static void test_what_is_no_time(void **state)
{
    UNUSED(state);
    struct view_twin w;
    int64_t t_ns;

    open_in(&w, ZONE_LOCAL, "2026-01-15T00:00:00Z", "2026-01-15T12:00:00Z");
    CHECK_STATUS(view_time_parse(&w.app, STR("2026-13-15"), &t_ns, NULL), ERR_USAGE);
    CHECK_STATUS(view_time_parse(&w.app, STR("noon"), &t_ns, NULL), ERR_USAGE);
    CHECK_STATUS(view_time_parse(&w.app, STR("24:10"), &t_ns, NULL), ERR_USAGE);
    CHECK_STATUS(view_time_parse(&w.app, STR("12:3a"), &t_ns, NULL), ERR_USAGE);
    app_clear(&w.app);
}

static void test_a_day_may_have_23_hours(void **state)
{
    UNUSED(state);
    struct view_twin w;

    open_in(&w, ZONE_LOCAL, "2026-01-15T00:00:00Z", "2026-01-15T12:00:00Z");
    CHECK_INT(view_day_after(&w.app, at("2026-03-28T23:00:00Z")), at("2026-03-29T22:00:00Z"));
    CHECK_INT(view_day_after(&w.app, at("2026-10-24T22:00:00Z")), at("2026-10-25T23:00:00Z"));
    w.app.zone = ZONE_UTC;
    CHECK_INT(view_day_after(&w.app, at("2026-03-28T23:00:00Z")), at("2026-03-29T23:00:00Z"));
    app_clear(&w.app);
}

static void test_the_key_turns(void **state)
{
    UNUSED(state);
    static const struct {
        enum tui_zone zone;
        const char *says;
    } steps[] = {{ZONE_LOCAL, "times in CET, the local time"},
                 {ZONE_RELATIVE, "times as ages"},
                 {ZONE_UTC, "times in UTC"}};
    struct view_twin w;

    open_in(&w, ZONE_UTC, "2026-01-15T00:00:00Z", "2026-01-15T12:00:00Z");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        app_key(&w.app, 'T');
        CHECK_INT(w.app.zone, steps[i].zone);
        CHECK_STR(w.app.message, str_from(steps[i].says));
        CHECK(w.app.must_load);
    }
    app_clear(&w.app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_the_title),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_what_is_typed),
        cmocka_unit_test(test_of_the_day_in_view),
        cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_a_day_may_have_23_hours),
        cmocka_unit_test(test_the_key_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
