#include "executor/cron.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "tests/test.h"

static int64_t at(const char *text)
{
    int64_t t = 0;

    CHECK(time_parse(str_from(text), &t));
    return t;
}

static struct str next_text(struct str expression, const struct zone *zone, struct str after,
                            struct buf *out)
{
    struct cron c;
    int64_t t = 0, next;

    buf_reset(out);
    if (cron_parse(expression, &c, NULL) != OK)
        buf_add_z(out, "ERROR");
    else if (str_eq(after, STR("-")))
        buf_add_z(out, "VALID");
    else if (!time_parse(after, &t))
        buf_add_z(out, "wrong test");
    else if (!cron_next(&c, zone, 0, t, &next))
        buf_add_z(out, "NONE");
    else
        time_format(out, next, 0);
    return buf_str(out);
}

static void all_vectors(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf file, got;
    struct err e;
    size_t n = 0;

    buf_init(&file, 1 << 20);
    buf_init(&got, 256);
    CHECK_OK(file_read(TESTS_DIR "/data/executor/cron_vectors.tsv", &file, &e), &e);
    struct str rest = buf_str(&file);
    str_cut(&rest, '\n');
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str expression = str_cut(&line, '\t'), after = str_cut(&line, '\t');
        struct str result = next_text(expression, NULL, after, &got);
        if (!str_eq(result, line))
            print_error(STR_FMT " after " STR_FMT "\n", STR_ARG(expression), STR_ARG(after));
        CHECK_STR(result, line);
        n++;
    }
    CHECK(n >= 80);
}

static void more_forms(void **state)
{
    static const struct {
        const char *expression, *after, *next;
    } cases[] = {
        {"cron(0 0 LW * ? *)", "2026-10-30T00:00:00Z", "2026-11-30T00:00:00Z"},
        {"cron(0 0 31W * ? *)", "2027-01-01T00:00:00Z", "2027-01-29T00:00:00Z"},
        {"cron(0 0 ? * L *)", "2026-11-23T00:00:00Z", "2026-11-28T00:00:00Z"},
        {"cron(0,30 22-1/1 ? * SAT,SUN 2027-2028)", "2026-11-23T00:00:00Z", "2027-01-02T00:00:00Z"},
        {"cron(0 0 1 FEB-MAR ? 2199)", "2026-11-23T00:00:00Z", "2199-02-01T00:00:00Z"},
        {"at(2027-01-15T12:00:00)", "2027-01-15T11:59:59Z", "2027-01-15T12:00:00Z"},
        {"at(2027-01-15T12:00:00)", "2027-01-15T12:00:00Z", "NONE"},
        {"at(2027-01-15)", "-", "ERROR"},
        {"at(2027-01-15 12:00:00)", "-", "ERROR"},
        {"cron(0 0 1 * ? 2030-2026)", "-", "ERROR"},
        {"cron(0 0 lw * ? *)", "2026-10-30T00:00:00Z", "2026-11-30T00:00:00Z"},
        {"cron(0 0 3w * ? *)", "2026-09-30T00:00:00Z", "2026-10-02T00:00:00Z"},
        {"cron(0 0 ? * 6l *)", "2026-10-01T00:00:00Z", "2026-10-30T00:00:00Z"},
        {"cron(0 0 1 * ? *", "-", "ERROR"},
        {"cron(0 0 1, * ? *)", "-", "ERROR"},
        {"cron(0 0 0 * ? *)", "-", "ERROR"},
        {"cron(0/0 0 1 * ? *)", "-", "ERROR"},
        {"cron(5/ 0 1 * ? *)", "-", "ERROR"},
        {"cron(0 0 ? * 2#6 *)", "-", "ERROR"},
        {"cron(0 0 32W * ? *)", "-", "ERROR"},
        {"cron(-1 0 1 * ? *)", "-", "ERROR"},
        {"cron(0 0 1 * ? * *)", "-", "ERROR"},
        {"rate()", "-", "ERROR"},
        {"every(5 minutes)", "-", "ERROR"},
        {"", "-", "ERROR"},
    };
    AUTO(buf_clear) struct buf got;

    UNUSED(state);
    buf_init(&got, 256);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(next_text(str_from(cases[i].expression), NULL, str_from(cases[i].after), &got),
                  str_from(cases[i].next));
}

static void rate_counts_from_its_anchor(void **state)
{
    struct cron c;
    int64_t next;

    UNUSED(state);
    CHECK_STATUS(cron_parse(STR("rate(5 minutes)"), &c, NULL), OK);
    int64_t anchor = at("2026-11-23T09:00:30Z");
    CHECK(cron_next(&c, NULL, anchor, anchor - 1, &next));
    CHECK_INT(next, anchor);
    CHECK(cron_next(&c, NULL, anchor, anchor, &next));
    CHECK_INT(next, at("2026-11-23T09:05:30Z"));
    CHECK(cron_next(&c, NULL, anchor, at("2026-11-23T09:05:29Z"), &next));
    CHECK_INT(next, at("2026-11-23T09:05:30Z"));
}

/* A zone with one change of the clocks each half year, as a TZif file without transitions: all
 * comes from the rule at its end. */
static struct zone *rule_zone(const char *rule)
{
    static const char header[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1";
    AUTO(buf_clear) struct buf file;
    struct zone *z = NULL;
    struct err e;

    buf_init(&file, 1024);
    for (int i = 0; i < 2; i++) {
        buf_add(&file, header, 44);
        buf_add(&file, "\0\0\0\0\0\0\0", 7);
    }
    buf_addf(&file, "\n%s\n", rule);
    CHECK_OK(zone_parse(buf_str(&file), &z, &e), &e);
    return z;
}

static void clocks_change(void **state)
{
    static const struct {
        const char *rule, *expression, *after, *next;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "cron(0 12 * * ? *)", "2027-01-01T00:00:00Z",
         "2027-01-01T11:00:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "cron(0 12 * * ? *)", "2027-07-01T00:00:00Z",
         "2027-07-01T10:00:00Z"},
        /* 02:30 does not exist on 28 March 2027 */
        {"CET-1CEST,M3.5.0,M10.5.0/3", "cron(30 2 * * ? *)", "2027-03-27T12:00:00Z",
         "2027-03-29T00:30:00Z"},
        /* 02:30 comes twice on 31 October 2027: the first time counts */
        {"CET-1CEST,M3.5.0,M10.5.0/3", "cron(30 2 * * ? *)", "2027-10-30T12:00:00Z",
         "2027-10-31T00:30:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "cron(30 2 * * ? *)", "2027-10-31T00:30:00Z",
         "2027-11-01T01:30:00Z"},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "cron(0 0 1 JAN ? *)", "2027-06-01T00:00:00Z",
         "2027-12-31T13:00:00Z"},
        {"<+0530>-5:30", "cron(0 0 * * ? *)", "2027-06-01T00:00:00Z", "2027-06-01T18:30:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "at(2027-07-01T12:00:00)", "2027-01-01T00:00:00Z",
         "2027-07-01T10:00:00Z"},
    };
    AUTO(buf_clear) struct buf got;

    UNUSED(state);
    buf_init(&got, 256);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone *z = rule_zone(cases[i].rule);
        CHECK_STR(next_text(str_from(cases[i].expression), z, str_from(cases[i].after), &got),
                  str_from(cases[i].next));
        zone_free(z);
    }
}

static void damaged_zones(void **state)
{
    struct zone *z;
    struct err e;

    UNUSED(state);
    CHECK_STATUS(zone_parse(STR("TZif"), &z, &e), ERR_PARSE);
    CHECK_STATUS(zone_parse(STR(""), &z, &e), ERR_PARSE);
    CHECK_STATUS(zone_load(ZONE_FOLDER, STR("../../etc/passwd"), &z, &e), ERR_CONFIG);
    CHECK_STATUS(zone_load(ZONE_FOLDER, STR("No/Where"), &z, &e), ERR_CONFIG);
}

/* Walks far and checks that time only goes forward: every expression ends, none stands still. */
static void always_forward(void **state)
{
    static const char *const expressions[] = {"cron(0/7 3,5 ? * 2#5 *)", "cron(0 0 29 2 ? *)",
                                              "cron(59 23 LW * ? *)", "cron(* * * * ? *)"};

    UNUSED(state);
    struct zone *z = rule_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
        struct cron c;
        int64_t t = at("2026-01-01T00:00:00Z"), next;
        CHECK_STATUS(cron_parse(str_from(expressions[i]), &c, NULL), OK);
        for (int n = 0; n < 2000 && cron_next(&c, z, 0, t, &next); n++) {
            CHECK(next > t);
            t = next;
        }
    }
    zone_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors),   cmocka_unit_test(more_forms),
        cmocka_unit_test(clocks_change), cmocka_unit_test(rate_counts_from_its_anchor),
        cmocka_unit_test(damaged_zones), cmocka_unit_test(always_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
