/* What is recognised inside lines: request ids. */
#include "tests/test.h"

#include "collector/aws/scan.h"
#include "core/base/macros.h"

static bool is_lower_hex(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

/* Each place of an id with each character: none other passes, whichever its neighbours are. */
static void test_uuid(void **state)
{
    UNUSED(state);
    static const char *const ids[] = {"8d5958b5-559f-43f3-9a1c-0123456789ab",
                                      "ffffffff-ffff-ffff-ffff-ffffffffffff",
                                      "00000000-0000-0000-0000-000000000000"};
    enum { LENGTH = 36 };

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        for (size_t at = 0; at < LENGTH; at++)
            for (unsigned c = 0; c < 256; c++) {
                char id[LENGTH];
                memcpy(id, ids[i], LENGTH);
                id[at] = (char)c;
                if (scan_uuid((struct str){id, LENGTH}) !=
                    (is_dash_at(at) ? c == '-' : is_lower_hex(c)))
                    fail_msg("%.36s", id);
            }
    CHECK(!scan_uuid(str_sub(str_from(ids[0]), 0, LENGTH - 1)));
    CHECK(scan_uuid(STR("8d5958b5-xmpl-43f3-9a1c-0123456789ab, and more")));
    CHECK(!scan_uuid(STR("8d5958b5-xmpx-43f3-9a1c-0123456789ab")));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_uuid)};
TEST_MAIN(tests)
