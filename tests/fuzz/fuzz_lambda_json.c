/* Records in JSON format: only valid JSON is one, and only whole ones are platform records. */
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
    struct log_record r = {.body = line}, again = r;
    struct decode_memo before = {0};

    bool is_json = aws_lambda_json(&before, line, &r, b);
    assert(aws_lambda_json(&before, line, &again, b) == is_json); /* behind one like it */
    assert(again.severity == r.severity && str_eq(again.message, r.message));
    assert(str_eq(again.invocation_id, r.invocation_id));
    assert(is_json || r.platform == NULL);
    assert(r.platform == NULL || r.platform->kind != PLATFORM_REPORT || r.invocation_id.n == 36);
    assert(is_inside(STR(""), line));
    batch_free(b);
    return 0;
}
