/* Frames of an event stream, beside one that AWS's own format gives (aws/eventstream of the
 * reference data: the initial response of a live tail). */
#include "tests/test.h"

#include "core/base/base64.h"
#include "executor/event_stream.h"

static void test_without_payload(void **state)
{
    AUTO(buf_clear) struct buf got = {.max = 1024}, want = {.max = 1024};

    (void)state;
    CHECK_OK(
        base64_parse(STR("AAAARQAAADWjgsxzDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEGlua"
                         "XRpYWwtcmVzcG9uc2W3Yk3u"),
                     &want, NULL),
        NULL);
    event_stream_add(&got, "initial-response", NULL, (struct str){0});
    CHECK_STR(buf_str(&got), buf_str(&want));
}

/* The second of two says its own length, and both sums are over its own bytes. */
static void test_with_payload(void **state)
{
    AUTO(buf_clear) struct buf one = {.max = 1024}, two = {.max = 1024};

    (void)state;
    event_stream_add(&one, "PayloadChunk", "application/octet-stream", STR("a\0b"));
    buf_add_z(&two, "before");
    event_stream_add(&two, "PayloadChunk", "application/octet-stream", STR("a\0b"));
    CHECK_STR(str_skip(buf_str(&two), 6), buf_str(&one));
    CHECK_INT(one.p[3], one.n);
    CHECK_STR(str_sub(buf_str(&one), one.n - 7, 3), STR("a\0b"));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_without_payload),
                                          cmocka_unit_test(test_with_payload)};
TEST_MAIN(tests)
