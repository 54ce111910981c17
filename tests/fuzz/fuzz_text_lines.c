/* Files of lines, CSV and NDJSON: how the input is cut does not change the events. */
#include "collector/generic/generic.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/pieces.h"

static void check(const struct decoder_ops *d, struct str text, size_t most)
{
    struct batch *whole = decode_pieces(d, text, SIZE_MAX), *cut = decode_pieces(d, text, most);
    check_same(whole, cut);
    batch_free(whole);
    batch_free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    if (size == 0 || size > 20000)
        return 0;
    check(&generic_text, str_skip(text, 1), data[0] % 61 + 1u);
    check(&generic_ndjson, str_skip(text, 1), data[0] % 61 + 1u);
    return 0;
}
