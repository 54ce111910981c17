/* Times, durations and sizes a person types: no overflow, and what is printed reads back. */
#include <assert.h>

#include "core/base/timefmt.h"
#include "tests/fuzz/fuzz.h"

#define NOW_NS INT64_C(1700000000000000000)

static void check_time(struct str s)
{
    AUTO(buf_clear) struct buf b = {.max = 64};
    int64_t t_ns = 7, again_ns = 0;
    struct err e = {0};

    if (time_parse(s, &t_ns)) {
        time_format(&b, t_ns, 9);
        assert(time_parse(buf_str(&b), &again_ns) && again_ns == t_ns);
    } else {
        assert(t_ns == 7);
    }
    assert(time_parse_prefix(s, &t_ns) <= s.n);
    if (time_parse_human(s, NOW_NS, &t_ns, &e) != OK)
        assert(e.msg[0] != '\0');
    struct civil c = time_civil(t_ns);
    assert(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
    assert(time_from_civil(&c) == t_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_clear) struct buf shown = {.max = 256};
    struct str s = {(const char *)data, size};
    struct err e = {0};
    int64_t ns = 0;
    uint64_t bytes = 0;

    check_time(s);
    if (duration_parse(s, &ns, &e) == OK)
        duration_format(&shown, ns);
    if (size_parse(s, &bytes, &e) == OK)
        size_format(&shown, bytes);
    if (memory_parse(s, &bytes, &e) == OK)
        size_format(&shown, bytes);
    assert(!shown.is_full);
    return 0;
}
