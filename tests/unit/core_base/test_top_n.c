/* The best N of rows in any order are those a sort of all would give. */
#include <string.h>

#include "tests/test.h"

#include "core/base/top_n.h"

struct row {
    uint32_t value, place;
};

static int by_value(const void *ctx, const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    CHECK(ctx != NULL);
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* 101 is prime: each value 0..100 comes once in every 101 rows. */
static uint32_t value_of(uint32_t i)
{
    return i * 37 % 101;
}

static void keep(struct arena *a, size_t limit, uint32_t n, struct top_n *t)
{
    top_n_init(t, a, sizeof(struct row), limit);
    t->compare = by_value;
    t->ctx = t;
    for (uint32_t i = 0; i < n; i++) {
        const struct row r = {value_of(i), i};
        if (top_n_wants(t, &r))
            top_n_add(t, &r);
    }
    top_n_sort(t);
}

static void test_best_of_many(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct top_n t;
    const struct row *before = NULL;

    keep(&a, 150, 202, &t);
    CHECK_INT(t.n, 150);
    CHECK(t.was_cut);
    for (size_t i = 0; i < t.n; i++) {
        const struct row *r = top_n_row(&t, i);
        CHECK_INT(r->value, 100 - i / 2); /* two of each value, the earlier one first */
        CHECK(i % 2 == 0 || before->place < r->place);
        before = r;
    }
}

static void test_fewer_than_asked_for(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct top_n t;

    for (uint32_t n = 0; n < 8; n++) {
        keep(&a, 7, n, &t);
        CHECK_INT(t.n, n);
        CHECK(!t.was_cut);
        for (size_t i = 1; i < t.n; i++)
            CHECK(by_value(&t, top_n_row(&t, i - 1), top_n_row(&t, i)) < 0);
    }
    keep(&a, 0, 3, &t);
    CHECK(t.n == 0 && t.was_cut);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_best_of_many),
    cmocka_unit_test(test_fewer_than_asked_for),
};
TEST_MAIN(tests)
