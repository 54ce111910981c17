/* Rows printed as they come: the same bytes as a table held whole, whatever their number; and rows
 * sorted in files. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/base/row_sort.h"

static const struct table_column columns[] = {
    {.name = "name", .max_width = 12},
    {.name = "n", .is_right = true},
    {.name = "account", .hides_if_same = true},
};
static const struct table_shape shape = {columns, ARRAY_LEN(columns), "fnscope.test", 1};

struct rows {
    size_t n, of_one_account; /* the first ones */
    size_t n_calls, most_held;
};

static void add_row(struct table *t, size_t i, bool is_of_one)
{
    table_row(t);
    table_text(t, 0, arena_printf(t->arena, "fn-%0*zu", i == 700 ? 11 : 1, i));
    table_i64(t, 1, (int64_t)i);
    table_text(t, 2, is_of_one ? STR("1234") : STR("5678"));
}

static enum status give(void *ctx, struct table_stream *s, struct err *e)
{
    struct rows *r = ctx;

    UNUSED(e);
    r->n_calls++;
    for (size_t i = 0; i < r->n; i++) {
        add_row(&s->table, i, i < r->of_one_account);
        r->most_held = s->table.n_rows > r->most_held ? s->table.n_rows : r->most_held;
        CHECK_STATUS(table_stream_row(s), OK);
    }
    return OK;
}

static int take(void *ctx)
{
    UNUSED(ctx);
    return 0;
}

/* All at once. */
static void print_whole(const struct rows *r, enum table_format f, struct buf *out)
{
    struct arena a = {0};
    struct table t;
    struct table_column own[ARRAY_LEN(columns)] = {columns[0], columns[1], columns[2]};

    own[2].is_hidden = r->of_one_account >= r->n;
    table_init(&t, &a, own, ARRAY_LEN(own), "fnscope.test", 1);
    for (size_t i = 0; i < r->n; i++)
        add_row(&t, i, i < r->of_one_account);
    table_print(&t, f, true, out);
    arena_clear(&a);
}

static void check_same(struct rows *r, enum table_format f)
{
    AUTO(buf_clear) struct buf streamed = {.max = 1u << 24}, whole = {.max = 1u << 24};
    const struct table_out out = {&streamed, f, take, NULL};
    struct err e;

    CHECK_OK(table_stream_print(&out, &shape, give, r, &e), &e);
    print_whole(r, f, &whole);
    CHECK_STR(buf_str(&streamed), buf_str(&whole));
}

static void test_same_bytes(void **state)
{
    static const size_t numbers[] = {0, 1, 255, 256, 257, 999, 1000, 1001, 5000};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        for (int f = TABLE_TEXT; f <= TABLE_MARKDOWN; f++)
            for (size_t k = 0; k < 3; k++) {
                struct rows r = {.n = numbers[i],
                                 .of_one_account = numbers[i] - (k < numbers[i] ? k : 0)};
                check_same(&r, (enum table_format)f);
                CHECK(r.most_held <= 1000);
                CHECK(r.n_calls ==
                      (f == TABLE_TEXT || f == TABLE_MARKDOWN ? 1 + (r.n >= 1000) : 1));
            }
}

static int stop(void *ctx)
{
    size_t *n = ctx;

    return ++*n == 2;
}

static enum status give_until_stopped(void *ctx, struct table_stream *s, struct err *e)
{
    UNUSED(e);
    for (size_t *i = ctx; *i < 5000; ++*i) {
        add_row(&s->table, *i, true);
        if (table_stream_row(s) != OK)
            return ERR_CANCELLED;
    }
    return OK;
}

static void test_nobody_reads(void **state)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 24};
    size_t n_flushed = 0, n_given = 0;
    const struct table_out out = {&b, TABLE_CSV, stop, &n_flushed};
    struct err e;

    UNUSED(state);
    CHECK_OK(table_stream_print(&out, &shape, give_until_stopped, &n_given, &e), &e);
    CHECK(n_given < 600);
}

static enum status give_nothing(void *ctx, struct table_stream *s, struct err *e)
{
    UNUSED(ctx), UNUSED(s);
    return err_set(e, ERR_IO, "no rows");
}

static void test_failure_prints_nothing(void **state)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    const struct table_out out = {&b, TABLE_JSON, take, NULL};
    struct err e;

    UNUSED(state);
    CHECK_STATUS(table_stream_print(&out, &shape, give_nothing, NULL, &e), ERR_IO);
    CHECK(b.n == 0);
}

/* --- sorted --- */

struct sorted {
    struct row_sort *sort;
    size_t limit;
};

static enum status give_sorted(void *ctx, struct table_stream *s, struct err *e)
{
    const struct sorted *r = ctx;

    return row_sort_give(r->sort, r->limit, s, e);
}

static void sort_row(struct row_sort *s, const struct row_key *k, const char *name)
{
    struct arena a = {0};
    struct table t;
    struct err e;

    table_init(&t, &a, columns, ARRAY_LEN(columns), "fnscope.test", 1);
    table_row(&t);
    table_text(&t, 0, str_from(name));
    table_number(&t, 1, STR("1.250"), STR("1.2"));
    CHECK_OK(row_sort_add(s, k, &t, &e), &e);
    arena_clear(&a);
}

/* By value, time, number, id; texts, what is shown of them and what is not known come back. */
static void test_sorted(void **state)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct table_out out = {&b, TABLE_CSV, take, NULL};
    struct sorted r = {0};
    struct err e;

    UNUSED(state);
    CHECK_OK(row_sort_new(&r.sort, &e), &e);
    sort_row(r.sort, &(struct row_key){5, 7, 2, STR_INIT("b")}, "fifth");
    sort_row(r.sort, &(struct row_key){5, 7, 2, STR_INIT("a")}, "fourth");
    sort_row(r.sort, &(struct row_key){5, 7, 1, STR_INIT("z")}, "third");
    sort_row(r.sort, &(struct row_key){5, 8, 9, STR_INIT("z")}, "second");
    sort_row(r.sort, &(struct row_key){INT64_MAX, 1, 9, STR_INIT("z")}, "first");
    sort_row(r.sort, &(struct row_key){-1, 9, 0, STR_INIT("")}, "last");
    CHECK_OK(table_stream_print(&out, &shape, give_sorted, &r, &e), &e);
    CHECK_STR(buf_str(&b), STR("name,n,account\r\nfirst,1.250,\r\nsecond,1.250,\r\nthird,1.250,\r\n"
                               "fourth,1.250,\r\nfifth,1.250,\r\nlast,1.250,\r\n"));
    buf_reset(&b);
    r.limit = 2;
    out.format = TABLE_TEXT;
    CHECK_OK(table_stream_print(&out, &shape, give_sorted, &r, &e), &e);
    CHECK_STR(buf_str(&b), STR("NAME      N\nfirst   1.2\nsecond  1.2\n"));
    row_sort_free(r.sort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_nobody_reads),
        cmocka_unit_test(test_failure_prints_nothing),
        cmocka_unit_test(test_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
