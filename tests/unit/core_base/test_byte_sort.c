/* Sorting by bytes: the order of memcmp, and that of before where keys are equal. */
#include "tests/test.h"

#include "core/base/byte_sort.h"
#include "core/base/rng.h"

enum { KEY_BYTES = 5 };

struct row {
    uint8_t key[KEY_BYTES];
    uint16_t place;
};

static void check_sorted(const struct row *rows, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const int c = memcmp(rows[i - 1].key, rows[i].key, KEY_BYTES);
        CHECK(c < 0 || (c == 0 && rows[i - 1].place < rows[i].place));
    }
}

/* Keys of few and of many values in each byte, as many rows as there may be. */
static void test_random(void **state)
{
    struct row rows[600];
    struct rng rng;

    UNUSED(state);
    rng_seed(&rng, 7);
    for (size_t n = 0; n <= ARRAY_LEN(rows); n += n < 5 ? 1 : 85) {
        for (unsigned mask = 1; mask <= 0xFF; mask = mask << 1 | 1) {
            for (size_t i = 0; i < n; i++) {
                rows[i].place = (uint16_t)i;
                for (size_t k = 0; k < KEY_BYTES; k++)
                    rows[i].key[k] = (uint8_t)(k == 1 ? 9 : rng_u64(&rng) & mask);
            }
            byte_sort(rows, n, sizeof(*rows), KEY_BYTES);
            check_sorted(rows, n);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_random),
};
TEST_MAIN(tests)
