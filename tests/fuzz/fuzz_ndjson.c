/* NDJSON of any making: whole and in pieces the same events. */
#include "collector/generic/generic.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct batch *whole = decode_pieces(&generic_ndjson, text, SIZE_MAX);

    if (size < 4096) {
        struct batch *pieces = decode_pieces(&generic_ndjson, text, 1 + size / 7);
        check_same(whole, pieces);
        batch_free(pieces);
    }
    batch_free(whole);
    return 0;
}
