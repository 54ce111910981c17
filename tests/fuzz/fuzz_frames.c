/* Frames between the executor and its bootstraps: what comes out lies inside what went in, how the
 * stream is cut does not change the frames, and a frame written from one reads back the same. */
#include <stdlib.h>

#include "executor/frame_proto.h"
#include "tests/fuzz/fuzz.h"

static void check_fields(struct str payload)
{
    struct str field;
    size_t before = payload.n;

    while (frame_field(&payload, &field)) {
        if (payload.n + field.n + 4 != before)
            abort();
        before = payload.n;
    }
}

static void check_again(enum frame_type type, struct str payload)
{
    AUTO(buf_clear) struct buf b = {.max = FRAME_MAX_BYTES * 2};
    enum frame_type type_again;
    struct str again, short_of;
    bool is_broken = false;

    frame_add(&b, type, payload);
    struct str in = buf_str(&b);
    short_of = str_sub(in, 0, in.n - 1);
    if (frame_next(&short_of, &type_again, &again, &is_broken) || is_broken)
        abort();
    if (!frame_next(&in, &type_again, &again, &is_broken) || is_broken || in.n != 0 ||
        type_again != type || !str_eq(again, payload))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size}, payload;
    enum frame_type type;
    bool is_broken = false;

    while (frame_next(&in, &type, &payload, &is_broken)) {
        if (is_broken || payload.p < (const char *)data ||
            payload.p + payload.n > (const char *)data + size)
            abort();
        check_fields(payload);
        check_again(type, payload);
    }
    return 0;
}
