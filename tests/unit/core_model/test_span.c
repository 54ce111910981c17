/* The order of a waterfall, also of traces that are no trees. */
#include "tests/test.h"

#include "core/base/buf.h"
#include "core/model/span.h"

static struct span span_at(const char *id, const char *parent, int64_t start, int64_t end)
{
    return (struct span){.id = str_from(id),
                         .parent_id = str_from(parent),
                         .start_ns = start,
                         .end_ns = end,
                         .flags = end == 0 ? SPAN_OPEN : 0};
}

/* "a0 b1 c2": ids with their depths. */
static void check_order(struct span *rows, size_t n, const char *expected)
{
    struct arena a = {0};
    AUTO(buf_clear) struct buf b = {.max = 1024};
    struct span_list l = {rows, n};

    spans_arrange(&l, &a);
    CHECK_INT(l.n, n);
    for (size_t i = 0; i < l.n; i++)
        buf_addf(&b, "%s" STR_FMT "%u", i > 0 ? " " : "", STR_ARG(l.rows[i].id), l.rows[i].depth);
    CHECK_STR(buf_str(&b), str_from(expected));
    arena_clear(&a);
}

static void test_tree(void **state)
{
    struct span rows[] = {
        span_at("late", "root", 50, 60),  span_at("root", "caller", 10, 100),
        span_at("leaf", "early", 21, 22), span_at("early", "root", 20, 40),
        span_at("other", "", 15, 16),
    };

    UNUSED(state);
    check_order(rows, ARRAY_LEN(rows), "root0 early1 leaf2 late1 other0");
}

static void test_same_start(void **state)
{
    struct span rows[] = {span_at("b", "", 10, 20), span_at("a", "", 10, 20),
                          span_at("long", "", 10, 30), span_at("open", "", 10, 0)};

    UNUSED(state);
    check_order(rows, ARRAY_LEN(rows), "open0 long0 a0 b0");
}

static void test_loops(void **state)
{
    struct span rows[] = {span_at("a", "b", 1, 9),       span_at("b", "c", 2, 9),
                          span_at("c", "a", 3, 9),       span_at("tail", "c", 4, 9),
                          span_at("self", "self", 5, 9), span_at("root", "", 6, 9)};

    UNUSED(state);
    check_order(rows, ARRAY_LEN(rows), "self0 root0 a0 c1 b2 tail2");
}

static void test_trace_ids(void **state)
{
    static const struct {
        const char *text, *id;
    } cases[] = {
        {"1-68f7d85d-0f0bfbbe2ab8f94854bf83a8", "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {" 1-68F7D85D-0F0BFBBE2AB8F94854BF83A8\n", "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {"Root=1-68f7d85d-0f0bfbbe2ab8f94854bf83a8;Parent=53995c3f42cd8ad8;Sampled=1",
         "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {"X-Amzn-Trace-Id: Self=1-68f7d85d-1;Root=1-68f7d85d-0f0bfbbe2ab8f94854bf83a8",
         "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {"00-68f7d85d0f0bfbbe2ab8f94854bf83a8-53995c3f42cd8ad8-01",
         "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {"68f7d85d0f0bfbbe2ab8f94854bf83a8", "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"},
        {"68f7d85d0f0bfbbe2ab8f94854bf83ag", ""},
        {"8d5958b5-559f-43f3-b278-b71dd7dd0e01", ""}, /* a request */
        {"8d5958b5", ""},
        {"1-", ""},
        {"Root=", ""},
        {"", ""},
    };
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(trace_id_parse(str_from(cases[i].text), &a), str_from(cases[i].id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_same_start),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_trace_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
