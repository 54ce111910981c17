/* Filter patterns of CloudWatch Logs: a pattern that is taken gives the same answer to the same
 * message twice, and neither pattern nor message breaks it. */
#include <stdlib.h>

#include "executor/log_filter.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = {(const char *)data, size};
    struct log_filter *f = NULL;
    struct err e = {0};

    if (size > 4000)
        return 0;
    /* A pattern, a line end, and the message. */
    struct str pattern = str_cut(&message, '\n');
    if (log_filter_new(pattern, &f, &e) != OK) {
        if (e.msg[0] == '\0')
            abort();
        return 0;
    }
    if (log_filter_match(f, message) != log_filter_match(f, message))
        abort();
    log_filter_free(f);
    return 0;
}
