/* A page with one event of invented text between two good ones: whatever the text is, as long as it
 * opens no string or bracket, the good ones come out and nothing else is lost silently. */
#include <assert.h>

#include "core/base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/pieces.h"

static const struct decoder_ops *page_decoder(void)
{
    return decoder_find(STR("cloudwatch-json"));
}

static bool is_shape(uint8_t c)
{
    return c == '"' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\\' || c == ',';
}

static size_t count_bodies(const struct batch *b, struct str body)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n_records; i++)
        n += str_eq(b->records[i].body, body);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_clear) struct buf page = {.max = size + 4096};

    buf_add_z(&page, "{\"events\":[{\"logStreamName\":\"s\",\"timestamp\":1761073245945,"
                     "\"message\":\"first of the page\",\"eventId\":\"1\"},"
                     "{\"logStreamName\":\"s\",\"timestamp\":1761073245946,\"message\":");
    buf_add_z(&page, size > 0 && data[0] % 2 ? "\"" : "");
    for (size_t i = 1; i < size; i++)
        if (!is_shape(data[i]))
            buf_add_c(&page, (char)data[i]);
    buf_add_z(&page, size > 0 && data[0] % 2 ? "\"" : "");
    buf_add_z(&page, ",\"eventId\":\"2\"},{\"logStreamName\":\"s\",\"timestamp\":1761073245947,"
                     "\"message\":\"last of the page\",\"eventId\":\"3\"}],\"nextToken\":\"t\"}");

    struct batch *b = decode_pieces(page_decoder(), buf_str(&page), SIZE_MAX);
    assert(count_bodies(b, STR("first of the page")) >= 1);
    assert(count_bodies(b, STR("last of the page")) >= 1);
    assert(b->n_records + b->n_quarantine == 3);
    batch_free(b);
    return 0;
}
