/* A usage file and its bills: refused with a place, or billed without overflow. */
#include <assert.h>

#include "analyzer/analyzer.h"
#include "core/base/yaml.h"
#include "tests/fuzz/fuzz.h"

static struct pricebook *the_book(void)
{
    static struct pricebook *book;
    struct err e = {0};

    if (!book && pricebook_load(SOURCE_ROOT "/data/prices", &book, &e) != OK)
        __builtin_trap();
    return book;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_clear) struct arena a = {0};
    struct usage_options o = {.book = the_book(), .at_ns = INT64_C(1790000000000000000)};
    struct yaml_node *root = NULL;
    struct usage_cases cases = {0};
    struct cost_lines lines;
    struct err e = {0};

    if (yaml_parse(&a, (struct str){(const char *)data, size}, "u.yaml", &root, &e) != OK || !root)
        return 0;
    if (usage_read(&o, &a, root, "u.yaml", &cases, &e) != OK) {
        assert(e.msg[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < cases.n; i++)
        if (cases.cases[i].is_covered && cases.cases[i].problem.n == 0 &&
            bill_make(o.book, &cases.cases[i].bill, &a, &lines, &e) != OK)
            assert(e.msg[0] != '\0');
    return 0;
}
