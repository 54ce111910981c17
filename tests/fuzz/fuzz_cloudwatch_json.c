/* CloudWatch JSON: any bytes in any pieces end without a fault, and all of them are taken. */
#include "collector/aws/aws.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    if (size == 0 || size > 20000)
        return 0;
    text = str_skip(text, 1);
    batch_free(decode_pieces(&aws_cloudwatch_json, text, SIZE_MAX));
    batch_free(decode_pieces(&aws_subscription, text, data[0] % 61 + 1u));
    return 0;
}
