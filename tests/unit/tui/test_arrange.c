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
    filtered("cost<0.000001", "cart");   /* more decimals than are compared */
    filtered("cost>1", "mail report");
    filtered("nothing>1", "");
    filtered("err>", "");
    filtered("function=MAIL", "mail");
    filtered("func=c*", "cart checkout");
    filtered("!func=c*", "mail report a.b");
    filtered("func=c", "");
    filtered("nothing=cart", "");
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
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_problems_only),
        cmocka_unit_test(test_the_cursor_stays_with_its_row),
        cmocka_unit_test(test_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
