/* `when:` lines of alert rules: whatever is written there is a rule or an error with a column. */
#include "analyzer/alerts/alerts.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct rule r = {0};
    struct err e = {0};

    if (rule_parse(&r, text, &e) == OK)
        assert(r.signal != NULL && (r.per != NULL || r.min_count == 0));
    else
        assert(e.code == ERR_CONFIG && str_starts(str_from(e.msg), STR("column ")));
    return 0;
}
