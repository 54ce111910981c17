/* CSV exports: a record that is whole reads the same from a longer piece, whatever follows; every
 * step takes something; with the end in sight all is taken. */
#include <stdlib.h>

#include "collector/lines.h"
#include "tests/fuzz/fuzz.h"

static size_t record(struct str s, const struct csv_columns *c, bool *is_complete)
{
    struct arena a = {0};
    struct raw_event ev = {0};
    size_t n = csv_record(s, c, &a, &ev, is_complete);

    if (n > s.n || n == 0)
        abort();
    arena_clear(&a);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct csv_columns columns;
    bool is_complete, is_again;

    if (size > 8000)
        return 0;
    struct str header = str_cut(&text, '\n');
    csv_header(header, &columns);
    if (columns.n == 0)
        return 0;
    while (text.n > 0) {
        size_t n = record(text, &columns, &is_complete);
        if (is_complete && record(str_sub(text, 0, n), &columns, &is_again) != n)
            abort();
        text = str_skip(text, n);
    }
    return 0;
}
