/* What a row keeps of its attempt: any bytes are read without harm, and what was read and written
 * reads the same. */
#include <assert.h>
#include <stdlib.h>

#include "analyzer/assembly.h"
#include "tests/fuzz/fuzz.h"

static void keep(void *ctx, const struct piece *piece)
{
    pieces_add(ctx, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_clear) struct buf code = {.max = 1u << 24};
    struct invocation row = {.start_ns = INT64_C(1700000000000000000),
                             .duration_ns = 12340000,
                             .billed_ns = 13000000,
                             .memory_bytes = (uint64_t)128 << 20,
                             .version = STR("$LATEST"),
                             .trace_id = STR("1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"),
                             .evidence = EV_START | EV_REPORT,
                             .pieces = {(const char *)data, size}};
    struct pieces first = {0}, second = {0};
    struct attempt attempts[64];

    pieces_decode(&row, keep, &first);
    size_t n = first.n > 0 ? pieces_attempts(&first, attempts, 64) : 0;
    struct attempt all = {0, first.n};
    if (n > 0) {
        pieces_encode(&first, &all, &row, &code);
        row.pieces = buf_str(&code);
        pieces_decode(&row, keep, &second);
        assert(second.n == first.n);
    }
    free(first.rows);
    free(second.rows);
    return 0;
}
