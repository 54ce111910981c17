/* Forms of the Query protocol: what is made of one is valid JSON, and that goes out as XML. */
#include <stdlib.h>

#include "core/base/jsonpull.h"
#include "executor/query_form.h"
#include "tests/fuzz/fuzz.h"

static const struct query_name names[] = {
    {"Attributes", "Attribute", QUERY_MAP_NAME, NULL},
    {"Tags", "Tag", QUERY_MAP_KEY, NULL},
    {"Entries", "Entry", QUERY_LIST, "Op"},
    {"Extended", "Extended", QUERY_MAP_ENTRY, NULL},
    {NULL, NULL, QUERY_LIST, NULL},
};

static void check_form(struct query_fields *fields, struct arena *a)
{
    struct buf json, xml;
    struct jp j;

    buf_init(&json, (size_t)1 << 20);
    buf_init(&xml, (size_t)1 << 22);
    if (query_to_json(fields, names, a, &json, NULL) == OK) {
        jp_init(&j, buf_str(&json), a);
        if (!jp_skip(&j) || !jp_at_end(&j))
            abort();
        if (query_from_json(buf_str(&json), names, "Op", a, &xml, NULL) == ERR_BUG)
            abort();
    }
    buf_clear(&json);
    buf_clear(&xml);
}

/* "name=value" lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api_param params[256];
    struct query_fields fields = {.params = params, .op = "Op"};
    struct str text = {(const char *)data, size};
    struct arena a;

    if (size > 8000)
        return 0;
    arena_init(&a);
    while (text.n > 0 && fields.n < 256) {
        struct str value = str_cut(&text, '\n');
        params[fields.n].name = str_cut(&value, '=');
        params[fields.n++].value = value;
    }
    check_form(&fields, &a);
    arena_clear(&a);
    return 0;
}
