/* Filter and sort of rows, tags, and the cursor that stays with its row. */
#include "tests/test.h"

#include "tests/support/view_twin.h"

static const struct twin_row rows[] = {
    {"cart", "0.5", "0.000000000900", STYLE_PLAIN},
    {"checkout", "12", "0.10", STYLE_BAD},
    {"mail", NULL, "2", STYLE_PLAIN},
    {"report", "9.25", "10", STYLE_BAD},
    {"a.b", "-3", NULL, STYLE_PLAIN},
};

/* The names shown, in order: "cart checkout". */
static void shows(struct view_twin *w, const char *want)
{
    AUTO(buf_clear) struct buf b = {.max = 1000};

    for (size_t i = 0; i < w->app.n_shown; i++) {
        if (i > 0)
            buf_add_c(&b, ' ');
        buf_add_z(&b, rows[w->app.order[i]].name);
    }
    CHECK_STR(buf_str(&b), str_from(want));
}

static void filtered(const char *filter, const char *want)
{
    struct view_twin w;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    view_twin_filter(&w, str_from(filter));
    shows(&w, want);
    app_clear(&w.app);
}

static void test_patterns(void **state)
{
    UNUSED(state);
    filtered("", "cart checkout mail report a.b");
    filtered("C", "cart checkout");
    filtered("c(ar|he)", "cart checkout");
    filtered("!c", "mail report a.b");
    filtered("a\\.b", "a.b");
    filtered("(", ""); /* no pattern: as it is written */
    filtered("!(", "cart checkout mail report a.b");
    filtered("!", "cart checkout mail report a.b");
}

static void test_comparisons(void **state)
{
    UNUSED(state);
    filtered("err%>1", "checkout report");
    filtered("ERR>9.2", "checkout report");
    filtered("error_percent<0", "a.b");
    filtered("err=12", "checkout");
    filtered("!err>1", "cart mail a.b"); /* what has no value is not above it */
    filtered("cost<0.000000001", "cart");
    filtered("cost>0.00000000089", "cart checkout mail report");
    filtered("cost>0.0000000009", "checkout mail report");
    filtered("cost>=0.0000000009", "cart checkout mail report");
    filtered("cost=0.000000000900", "cart");
    filtered("cost<=$2", "cart checkout mail");
    filtered("err>9.2%", "checkout report");
    filtered("err!=12", "cart mail report a.b");
    filtered("!err!=12", "checkout");
    filtered("function!=MAIL", "cart checkout report a.b");
    filtered("cost>1", "mail report");
    filtered("nothing>1", "");
    filtered("err>", "");
    filtered("function=MAIL", "mail");
    filtered("func=c*", "cart checkout");
    filtered("!func=c*", "mail report a.b");
    filtered("func=c", "");
    filtered("nothing=cart", "");
}

/* What the value of a column of that name is, in its unit and 10^-12. */
static void reads(const char *name, const char *filter, int64_t want, int64_t per_unit)
{
    const struct table_column column = {.name = name, .title = "X", .is_right = true};
    const struct table t = {.columns = &column, .n_columns = 1};
    struct condition c;
    struct err e;

    CHECK_OK(condition_parse(str_from(filter), &t, &c, &e), &e);
    CHECK_INT(c.column, 0);
    CHECK(c.value == (wide)want * (MONEY_UNIT / per_unit));
}

static void test_units(void **state)
{
    UNUSED(state);
    reads("duration_ms", "x>60s", 60000, 1);
    reads("duration_ms", "x>1m", 60000, 1);
    reads("duration_ms", "x>1m30s", 90000, 1);
    reads("duration_ms", "x>60000", 60000, 1);
    reads("duration_ms", "x>0.5", 5, 10);
    reads("memory_mb", "x>512MB", 512, 1);
    reads("memory_mb", "x>512M", 512, 1);
    reads("memory_mb", "x>512MiB", 512, 1);
    reads("memory_mb", "x>1gb", 1024, 1);
    reads("memory_mb", "x>512", 512, 1);
    reads("log_bytes", "x>1MB", 1000000, 1);
    reads("cost_usd", "x>$0.000000000001", 1, MONEY_UNIT);
    reads("cost_usd", "x>-1", -1, 1);
    reads("calls", "x>123456789012345678", 123456789012345678, 1);
}

static void complains(const char *name, bool is_right, const char *filter, const char *want)
{
    const struct table_column column = {.name = name, .title = "X", .is_right = is_right};
    const struct table t = {.columns = &column, .n_columns = 1};
    struct condition c;
    struct err e = {0};

    CHECK_INT(condition_parse(str_from(filter), &t, &c, &e), ERR_USAGE);
    CHECK_STR(str_from(e.msg), str_from(want));
    CHECK_INT(c.column, -1);
    CHECK(c.re != NULL && c.is_inverse == (filter[0] == '!'));
    re_free(c.re);
}

static void test_what_is_no_comparison_is_said(void **state)
{
    UNUSED(state);
    complains("cost_usd", true, "y>1", "\"y\" is no column here; looked for as text");
    complains("cost_usd", true, "!y=1", "\"y\" is no column here; looked for as text");
    complains("cost_usd", true, "x>1e-7",
              "\"1e-7\" is nothing to compare X with: try 0.00001, with up to 12 decimals; looked "
              "for as text");
    complains("cost_usd", true, "x>0.0000000000001",
              "\"0.0000000000001\" is nothing to compare X with: try 0.00001, with up to 12 "
              "decimals; looked for as text");
    complains("duration_ms", true, "x!=soon",
              "\"soon\" is nothing to compare X with: try 1500, 60s or 1m30s; looked for as text");
    complains("duration_ms", true, "x>.",
              "\".\" is nothing to compare X with: try 1500, 60s or 1m30s; looked for as text");
    complains("memory_mb", true, "x>b",
              "\"b\" is nothing to compare X with: try 512, 512MB or 1GB; looked for as text");
    complains("calls", true, "x>1s",
              "\"1s\" is nothing to compare X with: try 5; looked for as text");
    complains("name", false, "x>b", "X is compared with = and != only; looked for as text");
}

static void sorted(int column, bool is_inverted, const char *want)
{
    struct view_twin w;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    app_place(&w.app)->sort_column = column;
    app_place(&w.app)->is_inverted = is_inverted;
    app_arrange(&w.app);
    shows(&w, want);
    app_clear(&w.app);
}

/* Texts ascend, numbers begin with the largest; what is not known comes last, or first. */
static void test_sort(void **state)
{
    UNUSED(state);
    sorted(0, false, "a.b cart checkout mail report");
    sorted(0, true, "report mail checkout cart a.b");
    sorted(1, false, "checkout report cart a.b mail");
    sorted(1, true, "mail a.b cart report checkout");
    sorted(2, false, "report mail checkout cart a.b");
    sorted(7, false, "cart checkout mail report a.b"); /* no such column */
}

static void test_problems_only(void **state)
{
    UNUSED(state);
    struct view_twin w;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    w.app.only_problems = true;
    view_twin_filter(&w, STR("r"));
    shows(&w, "report");
    app_clear(&w.app);
}

static void test_the_cursor_stays_with_its_row(void **state)
{
    UNUSED(state);
    struct view_twin w;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    app_place(&w.app)->selected = 3;
    app_keep_focus(&w.app);
    app_place(&w.app)->sort_column = 2;
    app_arrange(&w.app);
    CHECK_INT(app_place(&w.app)->selected, 0);
    app_place(&w.app)->sort_column = 0;
    app_arrange(&w.app);
    CHECK_INT(app_place(&w.app)->selected, 4);
    view_twin_filter(&w, STR("cart"));
    CHECK_INT(app_place(&w.app)->selected, 0); /* it is gone: as near as can be */
    app_clear(&w.app);
}

static void test_tags(void **state)
{
    UNUSED(state);
    struct view_twin w;
    struct table t;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    app_key(&w.app, ' ');
    app_key(&w.app, ' ');
    CHECK(app_is_tagged(&w.app, 0) && app_is_tagged(&w.app, 1) && !app_is_tagged(&w.app, 2));
    app_shown_table(&w.app, &t);
    CHECK_INT(t.n_rows, 2);
    CHECK_STR(t.cells[3].raw, STR("checkout"));
    app_key(&w.app, 'k');
    app_key(&w.app, ' '); /* once more takes it off */
    CHECK(!app_is_tagged(&w.app, 1));
    app_key(&w.app, 'u');
    app_shown_table(&w.app, &t);
    CHECK_INT(t.n_rows, ARRAY_LEN(rows));
    app_clear(&w.app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_what_is_no_comparison_is_said),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_problems_only),
        cmocka_unit_test(test_the_cursor_stays_with_its_row),
        cmocka_unit_test(test_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
