/* Platform lines in Text format: whatever comes, views stay inside the line. */
#include <assert.h>

#include "collector/aws/aws.h"
#include "core/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static bool is_inside(struct str view, struct str whole)
{
    return view.n == 0 || (view.p >= whole.p && view.p + view.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch *b = batch_new();
    struct str line = arena_str(&b->arena, (struct str){(const char *)data, size});
    struct log_record r = {.body = line};

    bool is_platform = aws_lambda_text(line, &r, b);
    assert(is_platform == (r.platform != NULL));
    assert(!is_platform || is_inside(r.invocation_id, line));
    assert(!is_platform || is_inside(r.platform->error_message, line));
    assert(!is_platform || r.platform->duration_ns >= 0);
    batch_free(b);
    return 0;
}
