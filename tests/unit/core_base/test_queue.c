/* The ring of a queue: order over growth and wrapping, the bound, closing. */
#include "tests/test.h"

#include "core/base/queue.h"

/* Two in, one out: the ring grows while its head stands anywhere. */
static void test_order(void **state)
{
    static char items[2000];
    struct queue *q = queue_new(1000);
    size_t in = 0, out = 0;

    UNUSED(state);
    while (in < 1500) {
        CHECK_INT(queue_push(q, &items[in]), OK);
        CHECK_INT(queue_push(q, &items[in + 1]), OK);
        in += 2;
        CHECK(queue_pop(q, 0, NULL) == &items[out++]);
    }
    CHECK_INT(queue_depth(q), in - out);
    while (out < in)
        CHECK(queue_pop(q, -1, NULL) == &items[out++]);
    CHECK(queue_pop(q, 0, NULL) == NULL);
    CHECK(queue_pop(q, 1, NULL) == NULL);
    queue_free(q);
}

static void test_closed(void **state)
{
    struct queue *q = queue_new(1);
    bool is_closed = true;
    int item = 1;

    UNUSED(state);
    CHECK(queue_pop(q, 0, &is_closed) == NULL);
    CHECK(!is_closed);
    CHECK_INT(queue_push(q, &item), OK);
    queue_close(q);
    CHECK_INT(queue_push(q, &item), ERR_CANCELLED);
    CHECK(queue_pop(q, 0, &is_closed) == &item);
    CHECK(!is_closed);
    CHECK(queue_pop(q, 0, &is_closed) == NULL);
    CHECK(is_closed);
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_closed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
