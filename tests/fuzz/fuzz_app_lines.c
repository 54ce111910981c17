/* Application lines of all runtimes: nothing fails, views stay inside the line. */
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

    aws_lambda_app(line, &r, &b->arena);
    assert(r.kind == RECORD_APP && r.platform == NULL);
    bool is_copied = str_find_char(line, '\033') < line.n; /* read without its colours */
    assert(is_copied || (is_inside(r.message, line) && is_inside(r.invocation_id, line)));
    bool is_named = str_eq(r.error_type, STR("panic")); /* what a crash without a type is called */
    bool is_escaped = str_find_char(line, '\\') < line.n; /* a type out of JSON, written plainly */
    assert(is_copied || is_named || is_escaped || is_inside(r.error_type, line));
    assert(r.error_type.n <= line.n);
    assert(is_copied || is_inside(r.trace_id, line));
    batch_free(b);
    return 0;
}
