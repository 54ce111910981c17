/* Drawing of tables at any size: columns give way, the cursor is seen, lists open over them; the
 * mouse finds what was drawn. */
#include "tests/test.h"

#include <string.h>

#include "tests/support/view_twin.h"

enum { ROWS = 60 };

static void open_many(struct view_twin *w)
{
    static char names[ROWS][32];
    struct twin_row rows[ROWS];

    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof(names[i]), "function-%02d", i);
        rows[i] = (struct twin_row){names[i], "1.0", "0.5", STYLE_PLAIN};
    }
    view_twin_open(w, rows, ROWS);
}

static struct str drawn(struct view_twin *w, struct buf *b, unsigned width, unsigned height)
{
    buf_reset(b);
    app_draw(&w->app, width, height);
    frame_print(&w->app.frame, b);
    return buf_str(b);
}

static bool has(struct str s, const char *text)
{
    return str_find(s, str_from(text)) < s.n;
}

static void test_every_size(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct view_twin w;

    open_many(&w);
    for (unsigned width = 1; width < 130; width += 3)
        for (unsigned height = 1; height < 60; height += 2) {
            struct str s = drawn(&w, &b, width, height);
            bool fits = width >= 24 && height >= 6;
            CHECK(has(s, "function-00") == fits);
            CHECK(fits || width < 20 || has(s, "needs 24x6"));
        }
    app_key(&w.app, 'c'); /* a list opens over it, a line takes text */
    for (unsigned width = 24; width < 70; width += 5)
        CHECK(has(drawn(&w, &b, width, 6), "[x]"));
    app_key(&w.app, TK_ESCAPE);
    app_key(&w.app, '/');
    for (int i = 0; i < 40; i++)
        app_key(&w.app, 'x');
    CHECK(has(drawn(&w, &b, 24, 6), "xxx_"));
    app_clear(&w.app);
}

static void test_the_cursor_is_on_the_screen(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct view_twin w;

    open_many(&w);
    drawn(&w, &b, 80, 24);
    app_key(&w.app, 'G');
    CHECK(has(drawn(&w, &b, 80, 24), "function-59"));
    CHECK(has(buf_str(&b), "60/60"));
    CHECK(has(drawn(&w, &b, 60, 16), "function-59")); /* smaller: still there */
    app_key(&w.app, 'g');
    CHECK(has(drawn(&w, &b, 80, 24), "function-00"));
    app_clear(&w.app);
}

static void test_columns_are_chosen(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct view_twin w;

    open_many(&w);
    app_key(&w.app, 'c');
    CHECK(has(drawn(&w, &b, 80, 24), "[x] COST"));
    app_key(&w.app, 'G');
    app_key(&w.app, ' ');
    CHECK(has(drawn(&w, &b, 80, 24), "[ ] COST"));
    app_key(&w.app, TK_ENTER);
    CHECK(!has(drawn(&w, &b, 80, 24), "COST"));
    CHECK(has(buf_str(&b), "c some columns"));
    app_key(&w.app, 'c');
    app_key(&w.app, 'a'); /* none, which would leave nothing */
    app_key(&w.app, TK_ENTER);
    CHECK(has(drawn(&w, &b, 80, 24), "COST"));
    app_clear(&w.app);
}

static void test_sort_is_chosen(void **state)
{
    UNUSED(state);
    struct view_twin w;

    open_many(&w);
    app_key(&w.app, 's');
    app_key(&w.app, TK_ESCAPE);
    CHECK_INT(app_place(&w.app)->sort_column, -1);
    app_key(&w.app, 's');
    app_key(&w.app, 's'); /* the key again goes one further */
    app_key(&w.app, TK_ENTER);
    CHECK_INT(app_place(&w.app)->sort_column, 1);
    app_key(&w.app, 's');
    app_key(&w.app, TK_ENTER); /* the one that rules already is turned round */
    CHECK(app_place(&w.app)->is_inverted);
    app_clear(&w.app);
}

static void click(struct view_twin *w, unsigned x, unsigned y)
{
    struct mouse_event ev = {.kind = MOUSE_CLICK, .x = x, .y = y};

    app_mouse(&w->app, &ev);
}

static void test_the_mouse_finds_rows_and_columns(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    const struct mouse_event wheel = {.kind = MOUSE_DOWN, .x = 3, .y = 9};
    struct view_twin w;

    open_many(&w);
    drawn(&w, &b, 80, 24);
    unsigned head = w.app.drawn.table_y;
    click(&w, 4, head + 3);
    CHECK_INT(app_place(&w.app)->selected, 2);
    click(&w, w.app.drawn.column_x[1], head);
    CHECK_INT(app_place(&w.app)->sort_column, 1);
    app_mouse(&w.app, &wheel);
    CHECK_INT(app_place(&w.app)->selected, 5);
    click(&w, 4, 0); /* the title line is no row */
    click(&w, 500, 500);
    CHECK_INT(app_place(&w.app)->selected, 5);
    app_clear(&w.app);
}

/* A long name keeps what the other columns leave; ^W shows all of it where that is not enough. */
static void test_long_names_are_not_cut_without_need(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    static const char name[] = "orders-production-eu-west-1-handler-of-the-returned-goods";
    const struct twin_row rows[] = {{name, "1.0", "0.5", STYLE_PLAIN},
                                    {"short", "1.0", "0.5", STYLE_PLAIN}};
    struct view_twin w;

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    CHECK(has(drawn(&w, &b, 90, 24), name));
    CHECK(!has(drawn(&w, &b, 60, 16), "goods"));
    app_key(&w.app, 'w' & 0x1F);
    CHECK(has(drawn(&w, &b, 60, 16), "goods"));
    unsigned head = w.app.drawn.table_y;
    CHECK_INT(w.app.drawn.rows, 3);
    click(&w, 4, head + 3); /* the row below the wrapped one */
    CHECK_INT(app_place(&w.app)->selected, 1);
    click(&w, 4, head + 2); /* the second line of the first */
    CHECK_INT(app_place(&w.app)->selected, 0);
    app_clear(&w.app);
}

static void test_wrapped_rows_scroll_into_sight(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    static char names[ROWS][160];
    struct twin_row rows[ROWS];
    struct view_twin w;

    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof(names[i]), "function-%02d %0100d end-of-%02d", i, i, i);
        rows[i] = (struct twin_row){names[i], "1.0", "0.5", STYLE_PLAIN};
    }
    view_twin_open(&w, rows, ROWS);
    app_key(&w.app, 'w' & 0x1F);
    app_key(&w.app, 'G');
    CHECK(has(drawn(&w, &b, 80, 24), "end-of-59"));
    app_key(&w.app, TK_PAGE_UP);
    CHECK(has(drawn(&w, &b, 80, 24), "end-of-53")); /* a page is what was in sight */
    app_clear(&w.app);
}

static void test_the_shell_and_the_screen_are_asked_for(void **state)
{
    UNUSED(state);
    struct view_twin w;

    open_many(&w);
    app_key(&w.app, 'z' & 0x1F);
    CHECK(w.app.must_suspend && w.app.must_repaint);
    w.app.must_suspend = w.app.must_repaint = false;
    app_key(&w.app, 'l' & 0x1F);
    CHECK(!w.app.must_suspend && w.app.must_repaint);
    app_key(&w.app, 'I'); /* rows as loaded, the other way round */
    CHECK_INT(w.app.order[0], ROWS - 1);
    app_clear(&w.app);
}

static void test_ascii_draws_ascii(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct view_twin w;

    open_many(&w);
    w.app.frame.is_ascii = true;
    app_key(&w.app, ' ');
    app_key(&w.app, 's');
    struct str s = drawn(&w, &b, 100, 30);
    for (size_t i = 0; i < s.n; i++)
        CHECK((unsigned char)s.p[i] < 0x80);
    app_clear(&w.app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_the_cursor_is_on_the_screen),
        cmocka_unit_test(test_columns_are_chosen),
        cmocka_unit_test(test_sort_is_chosen),
        cmocka_unit_test(test_the_mouse_finds_rows_and_columns),
        cmocka_unit_test(test_long_names_are_not_cut_without_need),
        cmocka_unit_test(test_wrapped_rows_scroll_into_sight),
        cmocka_unit_test(test_the_shell_and_the_screen_are_asked_for),
        cmocka_unit_test(test_ascii_draws_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
